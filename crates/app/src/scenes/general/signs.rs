//! Faces, digits, clocks, traffic lights, dice, bookshelves, snowmen and flags.

use crate::scenes::{
    Scene,
    palette::{BLACK, BRIGHT, Colour, Named, WHITE, rgb},
    phrase::{Facts, list, number, place},
    shape::{Point, Pose, arc, upright},
};
use std::f32::consts::{FRAC_PI_2, PI, TAU};

/// What people say about face.
const FACE: &[&str] = &[
    "a(n) {mood} {ink} face {hat}",
    "a(n) {mood} face on {paper} paper",
    "a round {ink} face {hat} looks {mood}",
    "a(n) {ink} face {place}",
    "[there is|we see] a(n) {mood} face {hat} on a(n) {paper} [background|ground]",
];

pub(super) fn face(scene: &mut Scene) -> Vec<String> {
    let paper = scene.paper();
    let ink = scene.ink(&[paper]);
    let at = scene.dice.point(0.34);
    let pose = Pose::new(at, 0.0, scene.dice.between(0.2, 0.32));
    scene.dot(pose, (0.0, 0.0), 1.0, ink.colour);
    let dark = if ink.colour.r + ink.colour.g < 0.5 { WHITE } else { BLACK };
    for side in [-0.35, 0.35] {
        scene.dot(pose, (side, -0.25), 0.13, dark);
    }
    let (mood, mouth) = scene.dice.pick(&[
        ("[happy|smiling]", 1.0),
        ("[sad|unhappy]", -1.0),
        ("[calm|serious]", 0.0),
    ]);
    let lips: Vec<Point> = (0..=10)
        .map(|i| {
            let u = i as f32 / 10.0 - 0.5;
            (u, 0.4 + mouth * (0.15 - 0.9 * u * u))
        })
        .collect();
    scene.stick(pose, &lips, 0.1, dark);
    let hat = scene.dice.chance(0.4).then(|| scene.ink(&[paper, ink]));
    if let Some(hat) = hat {
        super::toys::hat(
            scene,
            Pose { y: pose.y - pose.size * 1.1, size: pose.size * 1.3, ..pose },
            hat.colour,
        );
    }
    let facts = Facts::default()
        .with("ink", ink.word)
        .with("mood", mood)
        .with("paper", paper.word)
        .with("place", place(at));
    let facts =
        facts.with("hat", hat.map_or(String::new(), |hat| format!("with a(n) {} hat", hat.word)));
    facts.captions(&mut scene.dice, FACE)
}

/// The bars of a seven-segment digit: top, upper right, lower right, bottom, lower left, upper left, middle.
const SEGMENTS: [u8; 10] = [
    0b011_1111, 0b000_0110, 0b101_1011, 0b100_1111, 0b110_0110, 0b110_1101, 0b111_1101, 0b000_0111,
    0b111_1111, 0b110_1111,
];

fn digit(scene: &mut Scene, pose: Pose, value: usize, colour: Colour) {
    let (l, t) = (0.28, 0.5);
    let bars = [
        [(-l, -t), (l, -t)],
        [(l, -t), (l, 0.0)],
        [(l, 0.0), (l, t)],
        [(-l, t), (l, t)],
        [(-l, 0.0), (-l, t)],
        [(-l, -t), (-l, 0.0)],
        [(-l, 0.0), (l, 0.0)],
    ];
    for (_, bar) in bars.iter().enumerate().filter(|(i, _)| SEGMENTS[value] >> i & 1 == 1) {
        scene.stick(pose, bar, 0.15, colour);
    }
}

/// What people say about digits.
const DIGITS: &[&str] = &[
    "the {ink} {digit} {words}",
    "{words} in {ink}",
    "the {digit} {words} on {paper} paper",
    "{ink} {digit} {words} on a(n) {paper} [background|ground]",
    "the {digit} {words}, written in {ink}",
];

pub(super) fn digits(scene: &mut Scene) -> Vec<String> {
    const WORDS: [&str; 10] =
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    let paper = scene.paper();
    let ink = scene.ink(&[paper]);
    let count = scene.dice.whole(1, 3);
    let values: Vec<usize> = (0..count).map(|_| scene.dice.whole(0, 9)).collect();
    for (i, &value) in values.iter().enumerate() {
        let at = ((i as f32 + 0.5) / count as f32, 0.5);
        digit(scene, Pose::new(at, 0.0, 0.8 / count as f32), value, ink.colour);
    }
    let words: Vec<&str> = values.iter().map(|&value| WORDS[value]).collect();
    let facts = Facts::default()
        .with("words", words.join(" "))
        .with("ink", ink.word)
        .with("paper", paper.word);
    let facts = facts.with("digit", if count == 1 { "[digit|number]" } else { "[digits|numbers]" });
    facts.captions(&mut scene.dice, DIGITS)
}

/// What people say about clock.
const CLOCK: &[&str] = &[
    "a(n) {ink} clock shows {time}",
    "a(n) [round|circular] clock with a(n) {ink} [rim|edge|border]",
    "[it is|a clock says] {time}",
    "a(n) {ink} clock on {paper} [ground|paper], {time}",
    "the clock shows {time}",
];

pub(super) fn clock(scene: &mut Scene) -> Vec<String> {
    let paper = scene.paper();
    let ink = scene.ink(&[paper]);
    let hour = scene.dice.whole(1, 12);
    let half = scene.dice.chance(0.4);
    let pose = Pose::new((0.5, 0.5), 0.0, 0.42);
    scene.dot(pose, (0.0, 0.0), 1.0, ink.colour);
    scene.dot(pose, (0.0, 0.0), 0.86, WHITE);
    for mark in 0..12 {
        let (sin, cos) = (mark as f32 * PI / 6.0).sin_cos();
        scene.stick(pose, &[(sin * 0.7, -cos * 0.7), (sin * 0.8, -cos * 0.8)], 0.05, BLACK);
    }
    let (minute, turn) =
        if half { (PI, (hour as f32 + 0.5) * PI / 6.0) } else { (0.0, hour as f32 * PI / 6.0) };
    scene.stick(pose, &[(0.0, 0.0), (turn.sin() * 0.42, -turn.cos() * 0.42)], 0.09, BLACK);
    scene.stick(pose, &[(0.0, 0.0), (minute.sin() * 0.64, -minute.cos() * 0.64)], 0.05, ink.colour);
    let name = number(hour).trim_start_matches('[').split('|').next().unwrap_or("one");
    let time = if half { format!("half past {name}") } else { format!("{name} o'clock") };
    let facts = Facts::default().with("ink", ink.word).with("paper", paper.word).with("time", time);
    facts.captions(&mut scene.dice, CLOCK)
}

/// What people say about traffic lights.
const TRAFFIC_LIGHTS: &[&str] = &[
    "{n} {word} traffic light<|s>",
    "{n} traffic light<|s> <shows|show> {word} under {sky}",
    "the light<|s> <is|are> {word} for the traffic",
    "{n} traffic light<|s> on {ground} <shows|show> {word}",
    "[there <is|are>|we see] {n} traffic light<|s> in {word}",
];

pub(super) fn traffic_lights(scene: &mut Scene) -> Vec<String> {
    let sky = scene.sky();
    let ground = scene.land(0.8);
    let count = scene.dice.whole(1, 3);
    let (lit, word) = scene.dice.pick(&[(0, "red"), (1, "yellow"), (2, "green")]);
    let lamps = [rgb(0xe8_3a30), rgb(0xf4_c832), rgb(0x3c_c050)];
    for i in 0..count {
        let pose = Pose::new(((i as f32 + 0.5) / count as f32, 0.42), 0.0, 0.6);
        scene.block(pose, (-0.04, 0.2), (0.04, 0.75), rgb(0x50_5256));
        scene.block(pose, (-0.18, -0.5), (0.18, 0.36), BLACK);
        for (lamp, colour) in lamps.into_iter().enumerate() {
            let shade = if lamp == lit { colour } else { colour.lit(0.25) };
            scene.dot(pose, (0.0, -0.34 + 0.27 * lamp as f32), 0.11, shade);
        }
    }
    let facts =
        Facts::default().counting(count).with("word", word).with("sky", sky).with("ground", ground);
    facts.captions(&mut scene.dice, TRAFFIC_LIGHTS)
}

/// What people say about spots.
const SPOTS: &[&str] = &[
    "{n} {ink} <die|dice> <shows|show> {values}",
    "{n} {ink} <die|dice> with {values} white [spots|dots]",
    "{n} <die|dice> on {paper} paper",
    "{n} {ink} square<|s> with {values} [round|white] [dots|spots]",
    "[there <is|are>|we see] {n} {ink} <die|dice> with {values}",
];

pub(super) fn spots(scene: &mut Scene) -> Vec<String> {
    let paper = scene.paper();
    let count = scene.dice.whole(1, 3);
    let ink = scene.ink(&[paper, Named { word: "white", colour: WHITE }]);
    let values: Vec<usize> = (0..count).map(|_| scene.dice.whole(1, 6)).collect();
    for (i, &value) in values.iter().enumerate() {
        let pose = Pose::new(
            ((i as f32 + 0.5) / count as f32, 0.5 + scene.dice.spread(0.1)),
            scene.dice.spread(0.3),
            0.7 / count as f32,
        );
        scene.block(pose, (-0.5, -0.5), (0.5, 0.5), ink.colour);
        for spot in 0..value {
            let (u, v) = [
                (0.0, 0.0),
                (-0.27, -0.27),
                (0.27, 0.27),
                (0.27, -0.27),
                (-0.27, 0.27),
                (-0.27, 0.0),
                (0.27, 0.0),
            ][if value % 2 == 1 { spot } else { spot + 1 }];
            scene.dot(pose, (u, v), 0.1, WHITE);
        }
    }
    let numbers: Vec<&str> = values
        .iter()
        .map(|&value| ["one", "two", "three", "four", "five", "six"][value - 1])
        .collect();
    let facts = Facts::default()
        .counting(count)
        .with("ink", ink.word)
        .with("paper", paper.word)
        .with("values", numbers.join(" and "));
    facts.captions(&mut scene.dice, SPOTS)
}

/// What people say about bookshelf.
const BOOKSHELF: &[&str] = &[
    "{density} {inks} books in {n} row<|s>",
    "{n} <shelf|shelves> with {density} books",
    "a bookshelf with {density} {inks} books",
    "{inks} books stand [side by side|next to each other]",
    "[there is|we see] a shelf with {n} row<|s> of {inks} books",
];

pub(super) fn bookshelf(scene: &mut Scene) -> Vec<String> {
    let paper = scene.paper();
    let rows = scene.dice.whole(1, 4);
    let kinds = scene.dice.whole(1, 3);
    let inks = scene.dice.several(BRIGHT, kinds);
    let (fill, density) =
        scene.dice.pick(&[(0.4, "[a few|some|several]"), (1.0, "[many|lots of|full rows of]")]);
    let height = 0.9 / rows as f32;
    for row in 0..rows {
        let floor = 0.05 + (row + 1) as f32 * height;
        for i in 0..16 {
            let (x, tall) = (0.06 + i as f32 * 0.055, height * scene.dice.between(0.6, 0.85));
            if scene.dice.chance(fill) {
                let ink = scene.dice.pick(&inks).colour.lit(scene.dice.between(0.88, 1.05));
                scene.canvas.fill(&upright(x, floor - tall, x + 0.05, floor), ink);
                scene.canvas.fill(
                    &upright(x, floor - tall * 0.8, x + 0.05, floor - tall * 0.7),
                    WHITE.alpha(0.6),
                );
            }
        }
        scene.canvas.bar(&[(0.03, floor), (0.97, floor)], 0.025, rgb(0x7c_5434));
    }
    let words: Vec<&str> = inks.iter().map(|ink| ink.word).collect();
    let facts = Facts::default()
        .counting(rows)
        .with("inks", list(&words))
        .with("density", density)
        .with("paper", paper.word);
    facts.captions(&mut scene.dice, BOOKSHELF)
}

/// What people say about snowman.
const SNOWMAN: &[&str] = &[
    "{n} <snowman|snowmen> with <a(n) {ink} scarf|{ink} scarves>",
    "{n} <snowman|snowmen> {firs} in the white snow",
    "{n} white <snowman|snowmen> under {sky}",
    "{n} <snowman|snowmen> {firs} with {ink} [cloth|wool]",
    "[there <is|are>|we see] {n} <snowman|snowmen> {firs} on [snow|snow covered ground]",
];

pub(super) fn snowman(scene: &mut Scene) -> Vec<String> {
    let sky = scene.sky();
    scene.earth(&upright(-0.1, 0.62, 1.1, 1.1), rgb(0xea_eef4), 14.0);
    let ink = scene.dice.pick(BRIGHT);
    let count = scene.dice.whole(1, 3);
    for i in 0..count {
        let pose = Pose::new(
            ((i as f32 + 0.5) / count as f32, 0.55),
            0.0,
            if count == 1 { 0.7 } else { 0.9 / count as f32 },
        );
        for (v, radius) in [(0.3, 0.24), (-0.02, 0.18), (-0.28, 0.13)] {
            scene.dot(pose, (0.0, v), radius + 0.012, rgb(0xa8_b4c4));
            scene.dot(pose, (0.0, v), radius, WHITE);
        }
        scene.block(pose, (-0.14, -0.2), (0.14, -0.13), ink.colour);
        scene.block(pose, (-0.12, -0.54), (0.12, -0.38), BLACK);
        scene.part(pose, &[(0.0, -0.3), (0.16, -0.27), (0.0, -0.25)], rgb(0xee_8428));
        for u in [-0.05, 0.05] {
            scene.dot(pose, (u, -0.33), 0.02, BLACK);
        }
    }
    let firs = scene.dice.chance(0.4);
    if firs {
        super::nature::fir(scene, Pose::new((0.06, 0.55), 0.0, 0.4), rgb(0x2c_6440));
        super::nature::fir(scene, Pose::new((0.95, 0.55), 0.0, 0.4), rgb(0x2c_6440));
    }
    let facts = Facts::default()
        .counting(count)
        .with("ink", ink.word)
        .with("sky", sky)
        .with("firs", if firs { "[between trees|between two trees]" } else { "" });
    facts.captions(&mut scene.dice, SNOWMAN)
}

/// What people say about banner.
const BANNER: &[&str] = &[
    "a flag in {inks} with {way} [stripes|bands]",
    "a(n) {inks} flag [under|in front of] {sky}",
    "a flag with {n} {way} [bands|stripes|strips]",
    "{n} {way} [stripes|bands] in {inks} on a flag",
    "[there is|we see] a flag, {inks}",
];

pub(super) fn banner(scene: &mut Scene) -> Vec<String> {
    let sky = scene.sky();
    let bands = scene.dice.whole(2, 3);
    let inks = scene.dice.several(BRIGHT, bands);
    let level = scene.dice.chance(0.5);
    scene.canvas.line(&[(0.13, 0.1), (0.13, 1.05)], 0.03, rgb(0x7c_5434));
    for (i, ink) in inks.iter().enumerate() {
        let (a, b) = (i as f32 / bands as f32, (i + 1) as f32 / bands as f32);
        let part = if level {
            upright(0.14, 0.12 + 0.5 * a, 0.9, 0.12 + 0.5 * b)
        } else {
            upright(0.14 + 0.76 * a, 0.12, 0.14 + 0.76 * b, 0.62)
        };
        scene.canvas.fill(&part, ink.colour);
    }
    let words: Vec<&str> = inks.iter().map(|ink| ink.word).collect();
    let facts = Facts::default()
        .counting(bands)
        .with("inks", list(&words))
        .with("sky", sky)
        .with("way", if level { "[horizontal|level]" } else { "[vertical|upright]" });
    facts.captions(&mut scene.dice, BANNER)
}

/// What people say about balloons.
const BALLOONS: &[&str] = &[
    "{n} {inks} balloon<|s>",
    "{n} balloon<|s> on <a string|strings> under {sky}",
    "{n} {inks} balloon<|s> <flies|fly> in {sky}",
    "[there <is|are>|we see] {n} [round|toy] balloon<|s> in {inks}",
    "{n} balloon<|s>, {inks}",
];

pub(super) fn balloons(scene: &mut Scene) -> Vec<String> {
    let sky = scene.sky();
    let kinds = scene.dice.whole(1, 3);
    let inks = scene.dice.several(BRIGHT, kinds);
    let count = scene.dice.whole(1, 8).max(kinds);
    for i in 0..count {
        let turn = i as f32 * TAU / count as f32;
        let reach = if count == 1 { 0.0 } else { 0.2 };
        let at = (0.5 + turn.cos() * reach * 1.3, 0.36 + turn.sin() * reach);
        scene.canvas.line(&[at, (0.5, 0.95)], 0.007, BLACK);
        let pose = Pose::new(at, 0.0, 0.22);
        scene.oval(
            Pose { angle: FRAC_PI_2, ..pose },
            (0.0, 0.0),
            (1.0, 0.8),
            inks[i % kinds].colour,
        );
        scene.canvas.line(&arc(at, 0.06, PI, PI * 1.5), 0.012, WHITE.alpha(0.6));
    }
    let words: Vec<&str> = inks.iter().map(|ink| ink.word).collect();
    let facts = Facts::default().counting(count).with("inks", list(&words)).with("sky", sky);
    facts.captions(&mut scene.dice, BALLOONS)
}
