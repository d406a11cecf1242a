//! Stripes, checks, dots, rings, waves, crossing lines and close-ups of materials.

use super::stage::GROUNDS;
use crate::scenes::{
    Scene,
    palette::{Colour, Named, WHITE, rgb},
    phrase::{Facts, place},
    shape::{Point, Pose},
};
use std::f32::consts::{FRAC_PI_2, FRAC_PI_4};

/// Two colours that stand out from each other, the second perhaps a paper.
fn inks(scene: &mut Scene) -> (Named, Named) {
    let paper = scene.paper();
    let one = scene.ink(&[paper]);
    let two = if scene.dice.chance(0.5) { paper } else { scene.ink(&[one]) };
    (one, two)
}

fn facts((one, two): (Named, Named)) -> Facts {
    Facts::default().with("one", one.word).with("two", two.word)
}

/// What people say about stripes.
const STRIPES: &[&str] = &[
    "{width} {way} stripes in {one} and {two}",
    "{one} and {two} stripes",
    "a pattern of {width} {way} {one} and {two} [stripes|strips]",
    "{width} {one} [strips|stripes] on {two} ground",
    "{way} stripes, {one} and {two}",
];

pub(super) fn stripes(scene: &mut Scene) -> Vec<String> {
    let (one, two) = inks(scene);
    let (angle, way) = scene.dice.pick(&[
        (0.0, "[vertical|upright]"),
        (FRAC_PI_2, "[horizontal|level]"),
        (FRAC_PI_4, "[diagonal|slanting|oblique]"),
        (-FRAC_PI_4, "[diagonal|slanting|oblique]"),
    ]);
    let (count, width) =
        scene.dice.pick(&[(2.0, "[wide|broad]"), (4.0, ""), (8.0, "[narrow|thin]")]);
    let (sin, cos) = angle.sin_cos();
    scene.canvas.cover(|x, y| {
        if ((x * cos + y * sin) * count).rem_euclid(1.0) < 0.5 { one.colour } else { two.colour }
    });
    let facts = facts((one, two)).with("way", way).with("width", width);
    facts.captions(&mut scene.dice, STRIPES)
}

/// What people say about checks.
const CHECKS: &[&str] = &[
    "a(n) {tilt} [chess board|checked pattern] in {one} and {two}",
    "{size} {tilt} {one} and {two} [squares|checks]",
    "a pattern of {size} {one} and {two} squares",
    "[many|rows of] {size} squares in {one} and {two}",
    "a(n) {tilt} patchwork of {one} and {two} [squares|pieces]",
];

pub(super) fn checks(scene: &mut Scene) -> Vec<String> {
    let (one, two) = inks(scene);
    let (count, size) =
        scene.dice.pick(&[(2.0, "[large|big]"), (4.0, ""), (8.0, "[small|little]")]);
    let angle = scene.dice.pick(&[0.0, 0.0, FRAC_PI_4]);
    let (sin, cos) = f32::sin_cos(angle);
    scene.canvas.cover(|x, y| {
        let (u, v) = ((x * cos + y * sin) * count, (y * cos - x * sin) * count);
        if (u.floor() + v.floor()).rem_euclid(2.0) < 1.0 { one.colour } else { two.colour }
    });
    let facts = facts((one, two))
        .with("size", size)
        .with("tilt", if angle == 0.0 { "" } else { "[tilted|diagonal|slanting]" });
    facts.captions(&mut scene.dice, CHECKS)
}

/// What people say about dots.
const DOTS: &[&str] = &[
    "{density} {one} dots {order}",
    "{one} [dots|spots] on {two} ground",
    "{density} [round spots|dots] in {one} {order} on {two}",
    "{two} paper with {density} {one} dots",
    "[dots|spots] {order}, {one} on {two}",
];

pub(super) fn dots(scene: &mut Scene) -> Vec<String> {
    let paper = scene.paper();
    let ink = scene.ink(&[paper]);
    let (gap, density) = scene.dice.pick(&[
        (0.1, "[dense|many small|close]"),
        (0.16, "[many|lots of]"),
        (0.25, "[sparse|a few large]"),
    ]);
    let regular = scene.dice.chance(0.5);
    let count = (1.3 / gap) as i32;
    for row in 0..count {
        for column in 0..count {
            let shift = if regular {
                (0.0, 0.0)
            } else {
                (scene.dice.spread(gap * 0.3), scene.dice.spread(gap * 0.3))
            };
            let at = (column as f32 * gap + shift.0, row as f32 * gap + shift.1);
            scene.canvas.disc(at, gap * 0.3, ink.colour);
        }
    }
    let facts = facts((ink, paper)).with("density", density).with(
        "order",
        if regular {
            "[in rows|in straight rows|arranged in rows]"
        } else {
            "[scattered about|here and there|in different places]"
        },
    );
    facts.captions(&mut scene.dice, DOTS)
}

/// What people say about rings.
const RINGS: &[&str] = &[
    "{form} rings in {one} and {two} around a point {place}",
    "{width} {one} and {two} {form} rings",
    "{form} {one} rings inside each other {place}",
    "a(n) {form} target in {one} and {two} {place}",
    "{width} {one} and {two} rings [one inside the other|inside each other]",
];

pub(super) fn rings(scene: &mut Scene) -> Vec<String> {
    let (one, two) = inks(scene);
    let at = scene.dice.point(0.2);
    let (count, width) =
        scene.dice.pick(&[(4.0, "[wide|broad]"), (7.0, ""), (12.0, "[narrow|thin]")]);
    let square = scene.dice.chance(0.3);
    scene.canvas.cover(|x, y| {
        let (dx, dy) = ((x - at.0).abs(), (y - at.1).abs());
        let away = if square { dx.max(dy) } else { dx.hypot(dy) };
        if (away * count).rem_euclid(1.0) < 0.5 { one.colour } else { two.colour }
    });
    let facts = facts((one, two))
        .with("width", width)
        .with("place", place(at))
        .with("form", if square { "square" } else { "[round|circular]" });
    facts.captions(&mut scene.dice, RINGS)
}

/// What people say about waves.
const WAVES: &[&str] = &[
    "{form} lines in {one} and {two} [run|go] {way}",
    "{one} and {two} {form} [stripes|lines]",
    "{one} {form} lines on {two} ground",
    "[many|several] {form} {one} lines [run|go|running] {way}",
    "a pattern of {form} {one} and {two} [lines|stripes]",
];

pub(super) fn waves(scene: &mut Scene) -> Vec<String> {
    let (one, two) = inks(scene);
    let upright = scene.dice.chance(0.5);
    let (count, sharp) = (scene.dice.pick(&[3.0, 5.0, 8.0]), scene.dice.chance(0.5));
    let swing = scene.dice.between(0.03, 0.08);
    scene.canvas.cover(|x, y| {
        let (u, v) = if upright { (y, x) } else { (x, y) };
        let phase = (u * 4.0).fract();
        let wave = if sharp {
            (phase - 0.5).abs() * 4.0 - 1.0
        } else {
            (phase * std::f32::consts::TAU).sin()
        };
        if ((v + swing * wave) * count).rem_euclid(1.0) < 0.5 { one.colour } else { two.colour }
    });
    let facts = facts((one, two))
        .with("form", if sharp { "zigzag" } else { "[wavy|winding|curved]" })
        .with("way", if upright { "from top to bottom" } else { "from left to right" });
    facts.captions(&mut scene.dice, WAVES)
}

/// Directions of a band across the picture, with its two ends.
const WAYS: &[(&str, Point, Point)] = &[
    ("[from left to right|horizontally]", (-0.1, 0.5), (1.1, 0.5)),
    ("[from top to bottom|vertically]", (0.5, -0.1), (0.5, 1.1)),
    ("[diagonally from|from] the upper left to the lower right", (-0.1, -0.1), (1.1, 1.1)),
    ("[diagonally from|from] the lower left to the upper right", (-0.1, 1.1), (1.1, -0.1)),
];

/// What people say about bands.
const BANDS: &[&str] = &[
    "{n} {size} {form} {one} [line|band]<|s> <runs|run> {way}",
    "{n} {one} [line|band]<|s> on {two} ground",
    "{n} {form} line<|s> <goes|go> {way}",
    "[there <is|are>|we see] {n} {size} {one} [line|band]<|s> {way}",
    "{n} {size} {form} [strip|band|line]<|s> in {one} on {two}",
];

pub(super) fn bands(scene: &mut Scene) -> Vec<String> {
    let paper = scene.paper();
    let ink = scene.ink(&[paper]);
    let (words, from, to) = scene.dice.pick(WAYS);
    let count = scene.dice.whole(1, 4);
    let (width, size) =
        scene.dice.pick(&[(0.03, "[thin|narrow]"), (0.08, ""), (0.14, "[wide|broad]")]);
    let bent = scene.dice.chance(0.4);
    let middle = Pose::new(
        crate::scenes::shape::between(from, to, 0.5),
        (to.1 - from.1).atan2(to.0 - from.0),
        1.0,
    );
    let bow = if bent { 0.16 } else { 0.0 };
    for i in 0..count {
        let v = (i as f32 - (count - 1) as f32 / 2.0) * (width + 0.08);
        let line = crate::scenes::shape::smooth(&middle.points(&[
            (-0.9, v),
            (-0.35, v + bow),
            (0.35, v - bow),
            (0.9, v),
        ]));
        scene.canvas.line(&line, width, ink.colour);
    }
    let facts = facts((ink, paper))
        .counting(count)
        .with("way", words)
        .with("size", size)
        .with("form", if bent { "[curved|winding|bent]" } else { "straight" });
    facts.captions(&mut scene.dice, BANDS)
}

/// What people say about crossing.
const CROSSING: &[&str] = &[
    "two {tilt} [lines|bands] {meet} {place}",
    "a(n) {one} and a(n) {two} [line|band] {meet} on {paper} paper",
    "two {width} {tilt} [bands|lines] {meet} {place}",
    "a(n) {width} {one} [line|band] [and|with] a(n) {two} one, they {meet}",
    "{width} {one} and {two} lines {meet} {place}",
];

pub(super) fn crossing(scene: &mut Scene) -> Vec<String> {
    let paper = scene.paper();
    let one = scene.ink(&[paper]);
    let two = scene.ink(&[paper, one]);
    let at = scene.dice.point(0.3);
    let turn = scene.dice.pick(&[0.0, 0.0, FRAC_PI_4]);
    let width = scene.dice.pick(&[0.05, 0.12]);
    let pose = Pose::new(at, turn, 1.0);
    let short = scene.dice.chance(0.35);
    scene.canvas.bar(
        &pose.points(&[(0.0, if short { 0.0 } else { -2.0 }), (0.0, 2.0)]),
        width,
        two.colour,
    );
    scene.canvas.bar(&pose.points(&[(-2.0, 0.0), (2.0, 0.0)]), width, one.colour);
    let facts = facts((one, two)).with("place", place(at)).with("paper", paper.word);
    let facts = facts
        .with("width", if width < 0.1 { "[narrow|thin]" } else { "wide" })
        .with("tilt", if turn == 0.0 { "" } else { "[slanting|diagonal|oblique]" })
        .with("meet", if short { "meet" } else { "[cross|meet]" });
    facts.captions(&mut scene.dice, CROSSING)
}

/// What people say about material.
const MATERIAL: &[&str] = &[
    "[a close view|a close up|a picture] of {words} {other}",
    "[there is|we see] {words} {other}",
    "nothing but {words} {other}",
    "[this is|here is] {words} {other}",
    "[a piece|a patch|a sample] of {words} {other}",
];

pub(super) fn material(scene: &mut Scene) -> Vec<String> {
    let (words, colour, grain) = scene.dice.pick(GROUNDS);
    let (other_words, other, other_grain) = scene.dice.pick(GROUNDS);
    let whole = crate::scenes::shape::upright(-0.1, -0.1, 1.1, 1.1);
    scene.earth(&whole, colour, grain);
    let split = words != other_words;
    let (side, corners): (&str, [f32; 4]) = scene.dice.pick(&[
        ("on the left", [-0.1, -0.1, 0.45, 1.1]),
        ("on the right", [0.55, -0.1, 1.1, 1.1]),
        ("at the bottom", [-0.1, 0.55, 1.1, 1.1]),
        ("at the top", [-0.1, -0.1, 1.1, 0.45]),
    ]);
    if split {
        let part = crate::scenes::shape::upright(corners[0], corners[1], corners[2], corners[3]);
        scene.earth(&part, other, other_grain);
    }
    let facts = Facts::default().with("words", words).with(
        "other",
        if split { format!("[and|with] {other_words} {side}") } else { String::new() },
    );
    facts.captions(&mut scene.dice, MATERIAL)
}

/// What people say about bricks.
const BRICKS: &[&str] = &[
    "a wall of {size} {word} {what}",
    "rows of {size} {word} {what}",
    "many {word} {what} next to each other",
    "a close view of {word} {what}",
    "{size} {word} {what} in rows",
];

pub(super) fn bricks(scene: &mut Scene) -> Vec<String> {
    let noise = scene.noise;
    let (colour, word): (Colour, &str) = scene.dice.pick(&[
        (rgb(0xb0_5240), "red"),
        (rgb(0x96_9896), "grey"),
        (rgb(0xc8_a060), "yellow"),
        (rgb(0x7c_5238), "brown"),
        (WHITE.lit(0.95), "white"),
    ]);
    let (rows, size) =
        scene.dice.pick(&[(5.0, "[large|big]"), (9.0, ""), (14.0, "[small|little]")]);
    let wood = scene.dice.chance(0.4);
    scene.canvas.cover(|x, y| {
        let row = (y * rows).floor();
        let u = if wood { x * 0.7 + row * 0.31 } else { x * rows * 0.5 + row * 0.5 };
        let gap = (y * rows).fract() < 0.1 || u.fract() < if wood { 0.015 } else { 0.05 };
        let tone = 1.0 + 0.13 * noise.lattice(u.floor() as i32, row as i32);
        let grain = if wood {
            noise.fractal(x * 5.0, y * rows * 6.0, 2)
        } else {
            noise.fractal(x * 30.0, y * 30.0, 2)
        };
        let face = colour.lit(tone * (1.0 + 0.12 * grain));
        if gap { face.lit(if wood { 0.5 } else { 0.65 }) } else { face }
    });
    let facts = Facts::default().with("word", word).with("size", size).with(
        "what",
        if wood { "[wooden boards|planks|boards]" } else { "[bricks|stones|bricks]" },
    );
    facts.captions(&mut scene.dice, BRICKS)
}
