//! Stadiums, baseball fields and tennis courts.

use super::land::GRASS;
use crate::scenes::{
    Scene,
    palette::{Colour, Named, WHITE, rgb},
    phrase::list,
    shape::{Point, Pose, arc},
};
use std::f32::consts::{FRAC_PI_2, FRAC_PI_4, PI};

/// Surfaces that are played on.
const COURTS: &[Named] = &[
    Named { word: "green", colour: rgb(0x3e_8450) },
    Named { word: "blue", colour: rgb(0x36_62a8) },
    Named { word: "red", colour: rgb(0xb4_5440) },
    Named { word: "grey", colour: rgb(0x84_868a) },
];

/// Stands and tracks.
const STANDS: &[Named] = &[
    Named { word: "white", colour: rgb(0xe4_e4e0) },
    Named { word: "grey", colour: rgb(0x96_9a9e) },
    Named { word: "blue", colour: rgb(0x3e_68b0) },
    Named { word: "red", colour: rgb(0xb0_4038) },
    Named { word: "orange", colour: rgb(0xdc_8438) },
];

/// What people say about stadium.
const STADIUM: &[&str] = &[
    "a(n) {form} stadium with {stand} [stands|seats] {beside}",
    "a football field in a(n) {form} [stadium|arena] {with}",
    "a(n) {stand} [stadium|arena] {track} on {ground}",
    "[there is|we can see] a(n) {form} {stand} [stadium|arena] {with}",
    "a stadium with {stand} [stands|seats] [around|surrounding] a green pitch {track}",
    "a(n) {stand} {form} stadium {track} {beside}",
];

pub(super) fn stadium(scene: &mut Scene) -> Vec<String> {
    let site = scene.site();
    let stand = scene.dice.pick(STANDS);
    let (round, form) = scene.dice.pick(&[(1.0, "[round|circular]"), (1.3, "[oval|elliptical]")]);
    let turn = scene.dice.pick(&[0.0, FRAC_PI_2, 0.5, -0.6]);
    let size = site.extent() * if turn == 0.0 || round == 1.0 { 0.47 } else { 0.42 }
        / if round > 1.0 { 1.2 } else { 1.0 };
    let pose = Pose::new(site.at(0.5, 0.5), turn, size);
    let bowl = pose.ellipse((0.0, 0.0), 2.0 * round, 2.0);
    scene.shadow(&bowl, 0.09);
    scene.canvas.fill(&bowl, stand.colour);
    tiers(scene, pose, round, stand.colour);
    let track =
        scene.dice.pick(&[("red", rgb(0xb8_5a42)), ("", rgb(0x5c_8c48)), ("blue", rgb(0x3c_70b4))]);
    scene.canvas.fill(&pose.ellipse((0.0, 0.0), 1.42 * round, 1.3), track.1);
    scene.canvas.outline(&pose.ellipse((0.0, 0.0), 1.3 * round, 1.18), 0.005, WHITE.alpha(0.7));
    pitch(scene, pose, 0.92 * round, 0.62);
    let facts = site.facts.with("stand", stand.word).with("form", form);
    let facts = facts.with(
        "track",
        if track.0.is_empty() {
            String::new()
        } else {
            format!("[and|with] a(n) {} track", track.0)
        },
    );
    facts.captions(&mut scene.dice, STADIUM)
}

fn tiers(scene: &mut Scene, pose: Pose, round: f32, stand: Colour) {
    for (ring, shade) in [(1.88, 0.82), (1.72, 1.06), (1.56, 0.78)] {
        scene.canvas.fill(&pose.ellipse((0.0, 0.0), ring * round, ring), stand.lit(shade));
    }
    for i in 0..24 {
        let (sin, cos) = (i as f32 * PI / 12.0).sin_cos();
        let aisle =
            pose.points(&[(cos * 0.72 * round, sin * 0.72), (cos * 0.98 * round, sin * 0.98)]);
        scene.canvas.bar(&aisle, 0.006, WHITE.alpha(0.55));
    }
}

/// A football pitch with mown stripes and lines.
fn pitch(scene: &mut Scene, pose: Pose, length: f32, width: f32) {
    let strip = length / 8.0;
    for i in 0..8 {
        let u = (i as f32 + 0.5) * strip - length / 2.0;
        let colour = rgb(0x4e_9440).lit(if i % 2 == 0 { 1.0 } else { 1.18 });
        scene.canvas.fill(&pose.rectangle((u, 0.0), strip * 1.04, width), colour);
    }
    let line = WHITE.alpha(0.9);
    scene.canvas.outline(&pose.rectangle((0.0, 0.0), length, width), 0.006, line);
    scene.canvas.bar(&pose.points(&[(0.0, -width / 2.0), (0.0, width / 2.0)]), 0.006, line);
    scene.canvas.outline(&pose.ellipse((0.0, 0.0), width * 0.3, width * 0.3), 0.006, line);
    for end in [-1.0, 1.0] {
        let area = pose.rectangle((end * length * 0.42, 0.0), length * 0.16, width * 0.5);
        scene.canvas.outline(&area, 0.005, line);
    }
}

/// What people say about baseball field.
const BASEBALL_FIELD: &[&str] = &[
    "{n} baseball [field|diamond]<|s> {beside}",
    "{n} {form} baseball field<|s> with {soil} [earth|soil|infield<|s>] and {tone} grass",
    "{n} {tone} baseball field<|s> {beside}",
    "[there <is|are>|we see] {n} baseball field<|s> on {ground} {with}",
    "{n} {form} [baseball field|ball field]<|s> with {tone} [grass|lawn] {with}",
    "{n} playing field<|s> for baseball with {soil} [earth|soil] {beside}",
];

pub(super) fn baseball_field(scene: &mut Scene) -> Vec<String> {
    let land = GRASS;
    scene.ground(land);
    let site = scene.site_on(land);
    let count = scene.dice.pick(&[1, 1, 2, 3, 4]);
    let (earth, soil) =
        scene.dice.pick(&[(rgb(0xb8_7848), "[brown|reddish]"), (rgb(0xd8_bc88), "[sandy|yellow]")]);
    let (grass, tone) = scene.dice.pick(&[
        (rgb(0x4a_8438), "green"),
        (rgb(0x86_b058), "light green"),
        (rgb(0xb4_a85c), "dry"),
    ]);
    let start = scene.dice.pick(&[0.0, FRAC_PI_2, PI, -FRAC_PI_2]) + scene.dice.spread(0.15);
    for i in 0..count {
        let (home, angle, size) = if count == 1 {
            let size = site.extent() * 0.82;
            let centre = site.at(0.5, 0.5);
            (Pose::new(centre, start, size).at(-0.5, 0.0), start, size)
        } else {
            let angle = FRAC_PI_4 + i as f32 * FRAC_PI_2;
            let size = site.extent() * 0.44;
            let centre = site.at(0.5, 0.5);
            (Pose::new(centre, angle, size).at(0.06, 0.0), angle, size)
        };
        diamond(scene, Pose::new(home, angle, size), earth, grass);
    }
    let fans = scene.dice.pick(&[0, 24]);
    scene.trees(fans, 0.024, |at| {
        crate::scenes::shape::distance(at, site.at(0.5, 0.5)) > site.extent() * 0.55
    });
    let facts = site.facts.counting(count).with("soil", soil).with("tone", tone);
    let facts = facts.with("form", if count == 1 { "[fan shaped|diamond shaped]" } else { "" });
    facts.captions(&mut scene.dice, BASEBALL_FIELD)
}

/// A baseball field that opens along the pose, its home plate there.
fn diamond(scene: &mut Scene, home: Pose, earth: Colour, grass: Colour) {
    let fan = |reach: f32| {
        let mut outline = arc(
            (home.x, home.y),
            reach * home.size,
            home.angle - FRAC_PI_4,
            home.angle + FRAC_PI_4,
        );
        outline.push((home.x, home.y));
        outline
    };
    let noise = scene.noise;
    scene.canvas.fill(&fan(1.03), earth);
    scene
        .canvas
        .texture(&fan(0.97), |x, y| grass.lit(1.0 + 0.1 * noise.fractal(x * 12.0, y * 12.0, 3)));
    scene.canvas.fill(&fan(0.56), earth.lit(1.05));
    scene.canvas.fill(&diamond_of(home, 0.24, 0.17), grass);
    scene.canvas.disc(home.at(0.24, 0.0), 0.035 * home.size, earth);
    scene.canvas.disc((home.x, home.y), 0.07 * home.size, earth);
    for side in [-FRAC_PI_4, FRAC_PI_4] {
        let foul = Pose { angle: home.angle + side, ..home };
        scene.canvas.bar(&foul.points(&[(0.0, 0.0), (1.0, 0.0)]), 0.006, WHITE);
    }
}

fn diamond_of(home: Pose, middle: f32, reach: f32) -> Vec<Point> {
    home.points(&[(middle - reach, 0.0), (middle, reach), (middle + reach, 0.0), (middle, -reach)])
}

/// What people say about tennis courts.
const TENNIS_COURTS: &[&str] = &[
    "{n} tennis court<|s> {order} {beside}",
    "{n} {colours} [tennis court|court]<|s> on {ground}",
    "{n} {inner} tennis court<|s> with {outer} [border|edge|margin]<|s> {with}",
    "[there <is|are>|we see] {n} {colours} tennis court<|s> {beside}",
    "{n} {inner} [court|tennis court]<|s> with white lines {order} {with}",
];

pub(super) fn tennis_courts(scene: &mut Scene) -> Vec<String> {
    let site = scene.site();
    let count = scene.dice.pick(&[1, 2, 2, 3, 4, 6]);
    let (inner, outer) = (scene.dice.pick(COURTS), scene.dice.pick(COURTS));
    let frame =
        Pose::new(site.at(0.5, 0.5), scene.dice.pick(&[0.0, 0.0, 0.3, -0.3]), site.extent());
    let (columns, rows) = [(1, 1), (2, 1), (3, 1), (2, 2), (0, 0), (3, 2)][count - 1];
    let scale = [0.95, 0.9, 0.92][rows.max(columns) - 1] / rows.max(columns) as f32;
    let (wide, high) = if rows >= columns || columns == 2 {
        (scale * 0.72, scale)
    } else {
        (scale * 0.9, scale * 1.35)
    };
    for i in 0..count {
        let u = ((i % columns) as f32 - (columns - 1) as f32 / 2.0) * wide;
        let v = ((i / columns) as f32 - (rows - 1) as f32 / 2.0) * high;
        court(
            scene,
            Pose::new(frame.at(u, v), frame.angle, frame.size),
            (wide, high),
            inner.colour,
            outer.colour,
        );
    }
    let colours = list(&[inner.word, outer.word]);
    let facts = site
        .facts
        .counting(count)
        .with("colours", colours)
        .with("inner", inner.word)
        .with("outer", outer.word);
    let facts =
        facts.with("order", if count > 1 { "[side by side|next to each other|]" } else { "" });
    facts.captions(&mut scene.dice, TENNIS_COURTS)
}

fn court(scene: &mut Scene, pose: Pose, (wide, high): Point, inner: Colour, outer: Colour) {
    scene.canvas.fill(&pose.rectangle((0.0, 0.0), wide * 0.97, high * 0.97), outer.lit(0.92));
    let (w, h) = (wide * 0.6, high * 0.7);
    scene.canvas.fill(&pose.rectangle((0.0, 0.0), w, h), inner);
    let line = |scene: &mut Scene, a: Point, b: Point| {
        scene.canvas.bar(&pose.points(&[a, b]), 0.006, WHITE);
    };
    scene.canvas.outline(&pose.rectangle((0.0, 0.0), w, h), 0.007, WHITE);
    for side in [-0.38, 0.38] {
        line(scene, (w * side, -h / 2.0), (w * side, h / 2.0));
        line(scene, (-w * 0.38, h * side * 0.7), (w * 0.38, h * side * 0.7));
    }
    line(scene, (0.0, -h * 0.27), (0.0, h * 0.27));
    scene.canvas.bar(&pose.points(&[(-w * 0.56, 0.0), (w * 0.56, 0.0)]), 0.009, rgb(0x20_2428));
}
