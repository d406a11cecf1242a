//! Landscapes with a horizon: villages, woods, hills, shores, skies, streets and bridges.

use super::{nature, toys};
use crate::scenes::{
    Scene,
    palette::{Named, ROOFS, WHITE, rgb},
    phrase::{Facts, number, place},
    shape::{Point, Pose, upright},
};

/// What people say about village.
const VILLAGE: &[&str] = &[
    "{n} [house|building]<|s> with <a(n) {roof} roof|{roof} roofs> on {ground}",
    "{n} house<|s> {behind} under {sky}",
    "{n} {roof} [roof|house]<|s> {behind} {path}",
    "[there <is|are>|we see] {n} house<|s> with <a(n) {roof} roof|{roof} roofs> {behind}",
    "{n} house<|s> {path} on {ground}",
];

pub(super) fn village(scene: &mut Scene) -> Vec<String> {
    let sky = scene.sky();
    let ground = scene.land(0.6);
    let (count, roof) = (scene.dice.whole(1, 5), scene.dice.pick(ROOFS));
    let size = if count == 1 { 0.5 } else { 0.95 / (count.max(2) as f32) };
    let (trees, behind) = scene.dice.pick(&[
        (0, ""),
        (2, "[beside a tree|next to a tree]"),
        (9, "[in front of a forest|among trees|near many trees]"),
    ]);
    for i in 0..trees {
        let at = if trees == 2 { (0.9, 0.6) } else { ((i as f32 + 0.4) / 9.0, 0.53) };
        nature::tree(scene, Pose::new(at, 0.0, 0.32), rgb(0x3c_7838));
    }
    for i in 0..count {
        let u = if count == 1 { 0.45 } else { (i as f32 + 0.5) / count as f32 };
        toys::roofed_house(scene, Pose::new((u, 0.74 - size * 0.5), 0.0, size), roof.colour);
    }
    let path = scene.dice.chance(0.4);
    if path {
        scene.canvas.fill(&[(0.44, 0.74), (0.5, 0.74), (0.66, 1.02), (0.36, 1.02)], rgb(0xc8_b088));
    }
    let facts = Facts::default()
        .counting(count)
        .with("roof", roof.word)
        .with("sky", sky)
        .with("ground", ground)
        .with("behind", behind);
    let facts = facts.with("path", if path { "[and|with] a path" } else { "" });
    facts.captions(&mut scene.dice, VILLAGE)
}

/// What people say about woods.
const WOODS: &[&str] = &[
    "a(n) {density} forest of {word} {kind}",
    "{many} {word} {kind} on {ground}",
    "a(n) {word} [forest|wood] under {sky}",
    "{many} {density} {word} trees",
    "{many} {word} {kind} [stand|grow] under {sky}",
];

pub(super) fn woods(scene: &mut Scene) -> Vec<String> {
    let sky = scene.sky();
    let ground = scene.land(0.55);
    let (colour, word) = scene.dice.pick(&[
        (rgb(0x28_5a30), "dark green"),
        (rgb(0x4c_8c3c), "green"),
        (rgb(0x90_b850), "light green"),
        (rgb(0xd0_7a2c), "orange"),
        (rgb(0xd8_b83c), "yellow"),
    ]);
    let (count, density) =
        scene.dice.pick(&[(5, "[sparse|thin]"), (16, ""), (60, "[dense|thick]")]);
    let fir = scene.dice.chance(0.5);
    for i in 0..count {
        let v = 0.5 + 0.35 * (i as f32 / count as f32);
        let pose = Pose::new((scene.dice.between(0.0, 1.0), v), 0.0, scene.dice.between(0.2, 0.32));
        let shade = colour.lit(scene.dice.between(0.8, 1.15));
        if fir { nature::fir(scene, pose, shade) } else { nature::tree(scene, pose, shade) }
    }
    let facts = Facts::default()
        .with("word", word)
        .with("density", density)
        .with("sky", sky)
        .with("ground", ground);
    let facts = facts
        .with("kind", if fir { "[firs|fir trees|trees]" } else { "[trees|round trees]" })
        .with("many", if count == 5 { "[a few|some|several]" } else { "[many|lots of]" });
    facts.captions(&mut scene.dice, WOODS)
}

/// What people say about hills.
const HILLS: &[&str] = &[
    "{n} {word} mountain<|s> {snow} under {sky}",
    "{n} {word} [mountain|hill]<|s> {by} {front}",
    "{n} [steep|high|] {word} mountain<|s> {snow} and {front}",
    "{n} mountain<|s> {snow} {by} {front}",
    "[there <is|are>|we see] {n} {word} mountain<|s> under {sky}",
];

pub(super) fn hills(scene: &mut Scene) -> Vec<String> {
    let sky = scene.sky();
    let (colour, word) = scene.dice.pick(&[
        (rgb(0x4c_7840), "green"),
        (rgb(0x86_6a50), "brown"),
        (rgb(0x84_868a), "grey"),
        (rgb(0x9c_5640), "red"),
    ]);
    let snow = scene.dice.chance(0.4);
    let count = scene.dice.whole(1, 4);
    for i in 0..count {
        let u = (i as f32 + 0.5) / count as f32 + scene.dice.spread(0.05);
        let (top, half) = (scene.dice.between(0.15, 0.35), 0.34 + scene.dice.between(0.0, 0.1));
        let shade = colour.lit(scene.dice.between(0.8, 1.1));
        scene.earth(&[(u - half, 0.75), (u, top), (u + half, 0.75)], shade, 16.0);
        if snow {
            let cap = 0.3;
            scene.canvas.fill(
                &[
                    (u - half * cap, top + (0.75 - top) * cap),
                    (u, top),
                    (u + half * cap, top + (0.75 - top) * cap),
                    (u, top + 0.1),
                ],
                WHITE,
            );
        }
    }
    let (front, lake) = if scene.dice.chance(0.5) {
        let water = scene.dice.pick(super::stage::WATERS);
        scene.waves(0.72, water.colour);
        (format!("a(n) {} [lake|river]", water.word), true)
    } else {
        (scene.land(0.72).to_owned(), false)
    };
    let facts = Facts::default()
        .counting(count)
        .with("word", word)
        .with("sky", sky)
        .with("front", front)
        .with("snow", if snow { "[with snow|with white peaks|covered with snow]" } else { "" });
    let facts = facts.with("by", if lake { "[beside|behind]" } else { "[behind|near]" });
    facts.captions(&mut scene.dice, HILLS)
}

/// What people say about shore.
const SHORE: &[&str] = &[
    "the {water} [sea|ocean] {fleet} under {sky}",
    "a(n) [beach|shore] {umbrella} [beside|near] the {water} sea",
    "white waves [on|along] a(n) [beach|shore] {umbrella}",
    "{water} water {fleet} and {ground} in front",
    "a(n) [beach|coast] of {ground} {umbrella} and the {water} sea {fleet}",
];

pub(super) fn shore(scene: &mut Scene) -> Vec<String> {
    let sky = scene.sky();
    let water = scene.dice.pick(super::stage::WATERS);
    scene.waves(0.45, water.colour);
    let ground = scene.land(0.74);
    scene.canvas.line(
        &[(-0.1, 0.74), (0.3, 0.735), (0.7, 0.745), (1.1, 0.74)],
        0.02,
        WHITE.alpha(0.9),
    );
    let boats = scene.dice.whole(0, 3);
    let ink = scene.dice.pick(crate::scenes::palette::BRIGHT);
    for i in 0..boats {
        let at = ((i as f32 + 0.5) / boats as f32, scene.dice.between(0.42, 0.55));
        super::vehicles::sailing_boat(scene, Pose::new(at, 0.0, 0.24), ink.colour);
    }
    let umbrella = scene.dice.chance(0.4).then(|| scene.dice.pick(crate::scenes::palette::BRIGHT));
    if let Some(ink) = umbrella {
        let pose = Pose::new((scene.dice.between(0.2, 0.8), 0.78), 0.0, 0.26);
        toys::umbrella(scene, pose, ink.colour);
    }
    let fleet = match boats {
        0 => String::new(),
        1 => format!("with a(n) {} boat on it", ink.word),
        _ => format!("with {} {} boats on it", number(boats), ink.word),
    };
    let facts = Facts::default()
        .with("water", water.word)
        .with("sky", sky)
        .with("ground", ground)
        .with("fleet", fleet);
    let facts = facts.with(
        "umbrella",
        umbrella.map_or(String::new(), |ink| format!("[and|with] a(n) {} umbrella", ink.word)),
    );
    facts.captions(&mut scene.dice, SHORE)
}

/// What people say about weather.
const WEATHER: &[&str] = &[
    "{n} {word} cloud<|s> and {sun}",
    "{n} cloud<|s> in {sky} over {ground}",
    "{sun} and {n} {word} cloud<|s> {rain}",
    "{n} {word} cloud<|s> {rain} [above|over] {ground}",
    "{sky} with {n} {word} cloud<|s>",
];

pub(super) fn weather(scene: &mut Scene) -> Vec<String> {
    let sky = scene.sky();
    let ground = scene.land(0.85);
    let clouds = scene.dice.whole(1, 4);
    let (tint, word) =
        scene.dice.pick(&[(WHITE, "white"), (rgb(0x6c_727a), "dark"), (rgb(0xf0_b4c0), "pink")]);
    let sun: Option<Point> = scene
        .dice
        .chance(0.6)
        .then(|| (scene.dice.between(0.15, 0.85), scene.dice.between(0.15, 0.5)));
    if let Some(at) = sun {
        nature::sun(scene, Pose::new(at, 0.0, 0.13));
    }
    for i in 0..clouds {
        let at = ((i as f32 + 0.5) / clouds as f32, scene.dice.between(0.2, 0.6));
        nature::cloud(scene, Pose::new(at, 0.0, 0.34), tint);
    }
    let rain = word == "dark" && clouds > 0;
    for _ in 0..if rain { 60 } else { 0 } {
        let (x, y) = (scene.dice.between(0.0, 1.0), scene.dice.between(0.4, 0.95));
        scene.canvas.line(&[(x, y), (x - 0.015, y + 0.05)], 0.006, rgb(0xa0_c4e4));
    }
    let facts = Facts::default()
        .counting(clouds)
        .with("word", word)
        .with("sky", sky)
        .with("ground", ground);
    let facts = facts
        .with("sun", sun.map_or("no sun".to_owned(), |at| format!("a yellow sun {}", place(at))));
    let facts = facts.with("rain", if rain { "[and rain|in the rain]" } else { "" });
    facts.captions(&mut scene.dice, WEATHER)
}

/// What people say about street.
const STREET: &[&str] = &[
    "a(n) [straight|long|grey] road {lanes} through {ground}",
    "a road {side} under {sky}",
    "a(n) [grey|straight] [road|street] [goes|leads|runs] to the horizon {side}",
    "[there is|we see] a road {lanes} {side}",
    "a(n) [straight|grey] road {lanes} under {sky}",
    "a road on {ground} {side}",
];

pub(super) fn street(scene: &mut Scene) -> Vec<String> {
    let sky = scene.sky();
    let ground = scene.land(0.5);
    let (vanish, lanes) = (scene.dice.between(0.35, 0.65), scene.dice.chance(0.6));
    scene.canvas.fill(
        &[(vanish - 0.012, 0.5), (vanish + 0.012, 0.5), (0.9, 1.02), (0.1, 1.02)],
        rgb(0x5c_5e62),
    );
    if lanes {
        for i in 0..5 {
            let (a, b) =
                (0.52 + 0.02 * (i * i) as f32, 0.53 + 0.02 * (i * i) as f32 + 0.012 * i as f32);
            let x = |y: f32| vanish + (0.5 - vanish) * (y - 0.5) * 2.0;
            scene.canvas.line(&[(x(a), a), (x(b), b)], 0.004 + 0.005 * i as f32, WHITE);
        }
    }
    let side = scene.dice.pick(&["[trees|green trees]", "[houses|buildings]", ""]);
    for i in 0..8 {
        let near = (i / 2) as f32 / 3.5;
        let way = if i % 2 == 0 { -1.0 } else { 1.0 };
        let at = (vanish + way * (0.08 + 0.5 * near), 0.47 + 0.1 * near);
        let pose = Pose::new(at, 0.0, 0.12 + 0.3 * near);
        match side {
            "" => {}
            "[houses|buildings]" => toys::roofed_house(scene, pose, rgb(0xb4_4a40)),
            _ => nature::tree(scene, pose, rgb(0x3c_7838)),
        }
    }
    let facts = Facts::default()
        .with("sky", sky)
        .with("ground", ground)
        .with("lanes", if lanes { "with white [lines|marks]" } else { "" });
    let facts = facts.with(
        "side",
        if side.is_empty() { String::new() } else { format!("with {side} on both sides") },
    );
    facts.captions(&mut scene.dice, STREET)
}

/// What people say about bridge.
const BRIDGE: &[&str] = &[
    "a(n) {ink} bridge over {water} water",
    "a bridge with {n} arch<|es> [over|across] a(n) {water} river",
    "a(n) {ink} bridge {cars} [across|over] a river",
    "a(n) {ink} bridge with {n} arch<|es> under {sky}",
    "a(n) {water} river [flows|runs] under a(n) {ink} bridge",
    "a bridge {cars} under {sky}",
];

pub(super) fn bridge(scene: &mut Scene) -> Vec<String> {
    let sky = scene.sky();
    let water = scene.dice.pick(super::stage::WATERS);
    let ink = scene.dice.pick(&[
        Named { word: "grey", colour: rgb(0x94_9698) },
        Named { word: "red", colour: rgb(0xb8_4438) },
        Named { word: "white", colour: WHITE },
        Named { word: "brown", colour: rgb(0x80_5838) },
    ]);
    scene.waves(0.62, water.colour);
    let arches = scene.dice.whole(1, 4);
    let width = 1.2 / arches as f32;
    scene.canvas.fill(&upright(-0.1, 0.42, 1.1, 0.72), ink.colour);
    for arch in 0..arches {
        let u = -0.1 + (arch as f32 + 0.5) * width;
        let hole = Pose::new((u, 0.74), 0.0, 1.0).ellipse((0.0, 0.0), width * 0.78, 0.46);
        let noise = scene.noise;
        scene.canvas.texture(&hole, |x, y| {
            if y > 0.62 {
                water.colour.lit(0.8 + 0.1 * noise.at(x * 14.0, y * 70.0))
            } else {
                rgb(0xa8_c4d8)
            }
        });
    }
    let cars = scene.dice.whole(0, 3);
    for i in 0..cars {
        let ink = scene.dice.pick(crate::scenes::palette::BRIGHT);
        super::vehicles::car(
            scene,
            Pose::new(((i as f32 + 0.5) / cars as f32, 0.35), 0.0, 0.17),
            ink.colour,
        );
    }
    let facts = Facts::default()
        .counting(arches)
        .with("ink", ink.word)
        .with("water", water.word)
        .with("sky", sky);
    let facts = facts.with(
        "cars",
        match cars {
            0 => "[without cars|]".to_owned(),
            1 => "with one car on it".to_owned(),
            _ => format!("with {} cars on it", number(cars)),
        },
    );
    facts.captions(&mut scene.dice, BRIDGE)
}
