//! Rivers, bridges, lakes, beaches and ports.

use super::{
    course::Course,
    land::{ASPHALT, CONCRETE, DRY, GRASS, LEAVES, Land, SAND, SHORE, SOIL, water_at},
};
use crate::scenes::{
    Scene,
    palette::{CARS, Named, WHITE, rgb},
    phrase::{Facts, list},
    shape::{Point, Pose, along, beside, blob, distance, ribbon, smooth},
};

/// What lies on a bank: the words and how it is drawn.
const BANKS: &[(&str, Land, usize, usize)] = &[
    ("[green trees|dense trees|forests|woods]", GRASS, 260, 0),
    ("[green grass|meadows|grassland]", GRASS, 14, 0),
    ("[houses|buildings|residential areas]", GRASS, 30, 26),
    ("[bare land|bare soil|brown land]", SOIL, 8, 0),
    ("[dry grass|dry yellow land|withered grass]", DRY, 12, 0),
];

/// What people say about river.
const RIVER: &[&str] = &[
    "a(n) {bend} {water} river [runs|flows|goes] {way}",
    "a(n) {size} {bend} river [with|between] {bank} on both sides",
    "a(n) {bend} {water} river with {bank} on both [sides|banks]",
    "[the|a(n)] {water} river flows through {bank} {way}",
    "a(n) {size} river with {water} water [runs|flows] {way} through {bank}",
    "[there is|we can see] a(n) {bend} river [near|beside] {bank}",
];

pub(super) fn river(scene: &mut Scene) -> Vec<String> {
    let course = Course::any(&mut scene.dice);
    let bank = scene.dice.pick(BANKS);
    let width = scene.dice.pick(&[0.09, 0.15, 0.24]);
    let (line, bend) = river_line(scene, &course);
    scene.ground(bank.1);
    let water = scene.any_water();
    draw_river(scene, &line, width, water);
    settle(scene, bank.2, bank.3, &line, width / 2.0 + 0.02);
    let size = if width < 0.1 {
        "narrow"
    } else if width > 0.2 {
        "wide"
    } else {
        ""
    };
    let facts =
        Facts::default().with("water", water.word).with("way", course.words).with("bend", bend);
    let facts = facts.with("bank", bank.0).with("size", size);
    facts.captions(&mut scene.dice, RIVER)
}

fn river_line(scene: &mut Scene, course: &Course) -> (Vec<Point>, &'static str) {
    let start = scene.dice.between(0.0, 6.0);
    match scene.dice.whole(0, 2) {
        0 => (course.straight(), "straight"),
        1 => (course.bent(scene.dice.pick(&[-0.2, 0.2])), "[curved|bending]"),
        _ => (course.winding(0.1, 4.0, start), "[winding|meandering|curved]"),
    }
}

fn draw_river(scene: &mut Scene, line: &[Point], width: f32, water: Named) {
    scene.canvas.bar(line, width + 0.035, SHORE.lit(0.85).alpha(0.6));
    scene.pool(&ribbon(line, width), water.colour);
}

/// Trees and houses away from a line.
fn settle(scene: &mut Scene, trees: usize, houses: usize, line: &[Point], clear: f32) {
    let far = |at: Point, reach: f32| {
        line.iter().all(|&p| distance(p, at) > reach) && off(line, at) > reach
    };
    let angle = scene.dice.between(0.0, 3.0);
    for _ in 0..houses * 2 {
        let at = scene.dice.point(0.03);
        let snapped = ((at.0 * 8.0).floor() / 8.0 + 0.06, (at.1 * 8.0).floor() / 8.0 + 0.06);
        if far(snapped, clear + 0.06) {
            scene.any_house(snapped, angle, 0.085);
        }
    }
    scene.trees(trees, 0.022, |at| far(at, clear + 0.015));
}

/// How far a point lies from a line.
fn off(line: &[Point], at: Point) -> f32 {
    let to_pair = |pair: &[Point]| {
        let (a, b) = (pair[0], pair[1]);
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let t = ((at.0 - a.0) * dx + (at.1 - a.1) * dy) / (dx * dx + dy * dy).max(1e-9);
        let t = t.clamp(0.0, 1.0);
        distance(at, (a.0 + dx * t, a.1 + dy * t))
    };
    line.windows(2).map(to_pair).fold(f32::MAX, f32::min)
}

/// What people say about bridge.
const BRIDGE: &[&str] = &[
    "{n} bridge<|s> over a(n) {water} river {traffic}",
    "{n} bridge<|s> <is|are> [over|across|above] a river which runs {way}",
    "{n} bridge<|s> [<crosses|cross>|<spans|span>|over] a(n) {water} river with {bank} on both sides",
    "a(n) {water} river [flows|runs] {way} under {n} bridge<|s>",
    "[there <is|are>|we see] {n} bridge<|s> {traffic} and {bank} [beside|near] the river",
    "{n} bridge<|s> over the river",
];

pub(super) fn bridge(scene: &mut Scene) -> Vec<String> {
    let course = Course::any(&mut scene.dice);
    let bank = scene.dice.pick(BANKS);
    scene.ground(bank.1);
    let (water, width) = (scene.any_water(), scene.dice.between(0.3, 0.45));
    let line = course.straight();
    draw_river(scene, &line, width, water);
    let bridges = scene.dice.pick(&[1, 1, 1, 2]);
    let decks: Vec<Vec<Point>> = (0..bridges)
        .map(|i| deck(&line, 0.5 + 0.24 * (i as f32 - (bridges - 1) as f32 / 2.0)))
        .collect();
    for deck in &decks {
        scene.canvas.bar(deck, 0.09, ASPHALT);
    }
    settle(scene, bank.2 / 2, bank.3 / 2, &line, width / 2.0 + 0.02);
    let cars = scene.dice.pick(&[0, 0, 3, 7]);
    for deck in &decks {
        span(scene, deck, width, cars);
    }
    let traffic = match cars {
        0 => "[without cars|with no cars on it]",
        3 => "with [a few|some|several] cars on it",
        _ => "with [many cars|lots of cars|heavy traffic] on it",
    };
    let facts = Facts::default().counting(bridges).with("water", water.word).with("bank", bank.0);
    let facts = facts
        .with("way", course.words)
        .with("traffic", if bridges == 1 { traffic } else { "[side by side|in parallel]" });
    facts.captions(&mut scene.dice, BRIDGE)
}

/// The line of a bridge that crosses `line` at the share `t`.
fn deck(line: &[Point], t: f32) -> Vec<Point> {
    let middle = along(line, t);
    middle.points(&[(0.0, -1.0), (0.0, 1.0)])
}

fn span(scene: &mut Scene, deck: &[Point], width: f32, cars: usize) {
    let pose = along(deck, 0.5);
    let body = pose.rectangle((0.0, 0.0), width + 0.06, 0.12);
    scene.shadow(&body, 0.07);
    scene.canvas.fill(&body, rgb(0xc6_c4be));
    scene.road(deck, 0.075);
    for side in [-0.056, 0.056] {
        scene.canvas.bar(&pose.points(&[(-width / 2.0, side), (width / 2.0, side)]), 0.01, WHITE);
    }
    scene.traffic(deck, 0.02, 0.045, cars * 2);
}

/// What people say about lake.
const LAKE: &[&str] = &[
    "a(n) {size} {form} [pond|lake] with {water} water {beside}",
    "a(n) {form} {water} [lake|pond] {rim}",
    "[there is|we can see] a(n) {size} {water} [pond|lake] {fleet} {with}",
    "a(n) {water} [pond|lake] {rim} {beside}",
    "the water of the {size} {form} [pond|lake] is {water}",
    "a(n) {form} [pond|lake] {fleet} is {rim}",
];

pub(super) fn lake(scene: &mut Scene) -> Vec<String> {
    let site = scene.site();
    let water = scene.any_water();
    let centre = site.at(scene.dice.between(0.42, 0.58), scene.dice.between(0.42, 0.58));
    let (share, size) =
        scene.dice.pick(&[(0.22, "[small|little]"), (0.33, ""), (0.42, "[large|big]")]);
    let radius = share * site.extent();
    let (outline, form) = match scene.dice.whole(0, 2) {
        0 => (Pose::new(centre, 0.0, radius).ellipse((0.0, 0.0), 2.0, 2.0), "[round|circular]"),
        1 => (
            Pose::new(centre, scene.dice.spread(0.6), radius).rectangle((0.0, 0.0), 2.0, 1.4),
            "rectangular",
        ),
        _ => (blob(&mut scene.dice, centre, radius, 0.35), "[irregular|oddly shaped]"),
    };
    let trees = scene.dice.pick(&[0, 0, 70]);
    scene.canvas.outline(&outline, 0.03, SHORE.lit(0.8).alpha(0.5));
    scene.pool(&outline, water.colour);
    for i in 0..trees {
        let (sin, cos) = (i as f32 * 0.6).sin_cos();
        let reach = radius * scene.dice.between(1.25, 1.5);
        scene.tree((centre.0 + cos * reach, centre.1 + sin * reach), 0.024, LEAVES);
    }
    let boats = scene.dice.pick(&[0, 0, 1, 2, 3]);
    for i in 0..boats {
        let at = (
            centre.0 + radius * (0.5 * i as f32 - 0.4),
            centre.1 + scene.dice.spread(radius * 0.4),
        );
        let pose = Pose::new(at, scene.dice.between(0.0, 6.0), 0.09);
        scene.ship(pose, WHITE);
    }
    let facts =
        site.facts.counting(boats).with("water", water.word).with("form", form).with("size", size);
    let facts = facts.with(
        "fleet",
        ["", "with {n} [white boat|boat]<|s> [on it|in it]"][usize::from(boats > 0)],
    );
    let facts = facts.with(
        "rim",
        if trees > 0 {
            "[surrounded by|among] [trees|many green trees]"
        } else {
            "[surrounded by|on] {ground}"
        },
    );
    facts.captions(&mut scene.dice, LAKE)
}

/// What people say about beach.
const BEACH: &[&str] = &[
    "a(n) [yellow|sandy] beach {crowd} [beside|near|next to] the {water} [sea|ocean]",
    "white waves [wash|beat|lap] a beach [with|and] the {water} [sea|ocean] {side}",
    "the {water} [sea|ocean] is {side}, [with|then] a beach and {land}",
    "a beach [between|lies between] {land} and the [{water} sea|sea|ocean]",
    "a(n) [strip|stretch] of sand {crowd} between {water} water and {land}",
    "[the sea|the ocean|{water} water] {side} [with|and] a beach {crowd}",
];

pub(super) fn beach(scene: &mut Scene) -> Vec<String> {
    let water = scene.any_water();
    let (turn, side) = scene.dice.pick(&[
        (0.0, "on the right"),
        (1.0, "at the bottom"),
        (2.0, "on the left"),
        (3.0, "at the top"),
    ]);
    let frame = Pose::new((0.5, 0.5), turn * std::f32::consts::FRAC_PI_2, 1.0);
    let inland = scene.dice.pick(&[
        ("[green trees|a forest|green plants]", GRASS, 160, 0),
        ("[houses|buildings|hotels]", GRASS, 14, 12),
        ("[a road|a coastal road]", DRY, 8, 0),
        ("[bare rocks|dry land|bare land]", SOIL, 0, 0),
    ]);
    scene.ground(inland.1);
    let (shore, edge) = (scene.dice.between(-0.05, 0.15), scene.dice.between(-0.28, -0.16));
    let coast = |scene: &mut Scene, u: f32, unrest: f32| -> Vec<Point> {
        let corners: Vec<Point> = (0..7)
            .map(|i| frame.at(u + scene.dice.spread(unrest), i as f32 * 0.22 - 0.66))
            .collect();
        smooth(&corners)
    };
    let dunes = coast(scene, edge, 0.02);
    let line = coast(scene, shore, 0.04);
    let mut sand = dunes;
    sand.extend(frame.points(&[(1.0, 0.8), (1.0, -0.8)]));
    scene.patch(&sand, SAND);
    surf(scene, &line, frame, water);
    let inner = edge - 0.04;
    let u_of = |at: Point| (at.0 - 0.5) * frame.angle.cos() + (at.1 - 0.5) * frame.angle.sin();
    if inland.0.contains("road") {
        scene.road(&frame.points(&[(edge - 0.1, -0.8), (edge - 0.1, 0.8)]), 0.08);
    }
    for i in 0..inland.3 {
        let at = frame.at(inner - 0.06 - 0.12 * (i % 2) as f32, (i / 2) as f32 * 0.17 - 0.45);
        scene.any_house(at, frame.angle, 0.1);
    }
    scene.trees(inland.2 * 3, 0.025, |at| u_of(at) < inner);
    let umbrellas = scene.dice.pick(&[0, 0, 18]);
    for _ in 0..umbrellas {
        let at = frame.at(scene.dice.between(edge + 0.04, shore - 0.05), scene.dice.spread(0.48));
        let colour = scene.dice.pick(CARS).colour;
        scene.tree(at, 0.014, colour);
    }
    let facts =
        Facts::default().with("water", water.word).with("side", side).with("land", inland.0);
    let facts = facts.with(
        "crowd",
        if umbrellas > 0 {
            "with [many|colourful] umbrellas"
        } else {
            "[with no people|without people|]"
        },
    );
    facts.captions(&mut scene.dice, BEACH)
}

/// The sea beyond a shore line, with lines of white foam.
fn surf(scene: &mut Scene, line: &[Point], frame: Pose, water: Named) {
    let mut sea = line.to_vec();
    sea.extend(frame.points(&[(1.0, 0.8), (1.0, -0.8)]));
    let noise = scene.noise.other(5);
    let shallow = water.colour.mix(rgb(0x9c_d8cc), 0.45);
    scene.canvas.texture(&sea, |x, y| {
        let u = (x - 0.5) * frame.angle.cos() + (y - 0.5) * frame.angle.sin();
        water_at(shallow.mix(water.colour, ((u + 0.05) * 4.0).clamp(0.0, 1.0)), noise, x, y)
    });
    scene.canvas.line(line, 0.025, WHITE.alpha(0.85));
    for (offset, strength) in [(0.035, 0.5), (0.075, 0.35)] {
        scene.canvas.line(&beside(line, -offset), 0.012, WHITE.alpha(strength));
    }
}

/// What people say about port.
const PORT: &[&str] = &[
    "{n} {kind}<|s> <is|are> [docked|moored|berthed] [in|at] a(n) [port|harbour]",
    "{n} {colours} {kind}<|s> [at|beside] {piers} pier{ps} in {water} water",
    "a(n) [port|harbour] with {n} {kind}<|s> and {stock} {side}",
    "{stock} [stand|are] on the quay {side} [of|in] the [port|harbour]",
    "{piers} pier{ps} [with|and] {n} {kind}<|s> [on|in] the {water} water",
    "{n} {kind}<|s> in a(n) [port|harbour] with {water} water",
];

pub(super) fn port(scene: &mut Scene) -> Vec<String> {
    let water = scene.any_water();
    let noise = scene.noise.other(5);
    scene.canvas.cover(|x, y| water_at(water.colour, noise, x, y));
    let (turn, side) = scene.dice.pick(&[
        (0.0, "on the left"),
        (1.0, "at the top"),
        (2.0, "on the right"),
        (3.0, "at the bottom"),
    ]);
    let frame = Pose::new((0.5, 0.5), turn * std::f32::consts::FRAC_PI_2, 1.0);
    let quay = frame.points(&[(-0.8, -0.8), (-0.22, -0.8), (-0.22, 0.8), (-0.8, 0.8)]);
    scene.shadow(&quay, 0.02);
    scene.patch(&quay, CONCRETE);
    let cargo = scene.dice.chance(0.5);
    stock(scene, frame, cargo);
    let piers = scene.dice.whole(1, 3);
    let hull = scene.dice.several(CARS, 2);
    let mut ships = 0;
    for pier in 0..piers {
        let v = (pier as f32 + 0.5) / piers as f32 * 0.9 - 0.45;
        let body = frame.rectangle((0.06, v), 0.58, 0.06);
        scene.shadow(&body, 0.015);
        scene.patch(&body, CONCRETE);
        for slot in [-1.0, 1.0] {
            let berths = if cargo { 1 } else { 2 };
            for berth in 0..berths {
                if scene.dice.chance(0.7) {
                    let u = if cargo { 0.08 } else { -0.05 + 0.25 * berth as f32 };
                    let size = if cargo { 0.42 } else { 0.2 };
                    let at = frame.at(u, v + slot * (0.04 + 0.13 * size));
                    let flip = scene.dice.pick(&[0.0, std::f32::consts::PI]);
                    let colour = scene.dice.pick(&hull).colour;
                    scene.ship(Pose::new(at, frame.angle + flip, size), colour);
                    ships += 1;
                }
            }
        }
    }
    let colours = list(&[hull[0].word, hull[1].word]);
    let facts = Facts::default()
        .counting(ships)
        .with("water", water.word)
        .with("side", side)
        .with("colours", colours);
    let facts = facts.with(
        "kind",
        if cargo { "[cargo ship|large ship|ship|freighter]" } else { "[boat|small boat|ship]" },
    );
    let facts = facts.with(
        "stock",
        if cargo {
            "[colourful containers|many containers|containers]"
        } else {
            "[grey|large] [buildings|halls]"
        },
    );
    let facts = facts
        .with("piers", crate::scenes::phrase::number(piers))
        .with("ps", if piers == 1 { "" } else { "s" });
    facts.captions(&mut scene.dice, PORT)
}

/// Containers or halls on the quay.
fn stock(scene: &mut Scene, frame: Pose, cargo: bool) {
    for i in 0..6 {
        let v = i as f32 * 0.17 - 0.42;
        if cargo {
            for row in 0..4 {
                let colour = scene.dice.pick(CARS).colour;
                let stack = frame.rectangle((-0.28 - 0.04 * row as f32, v), 0.03, 0.13);
                scene.shadow(&stack, 0.02);
                scene.canvas.fill(&stack, colour.lit(0.9));
            }
        } else if i % 2 == 0 {
            scene.hall(
                Pose::new(frame.at(-0.36, v + 0.08), frame.angle, 1.0),
                0.18,
                0.22,
                rgb(0x9a_9ea2),
            );
        }
    }
}
