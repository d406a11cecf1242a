//! Forests, deserts and mountains.

use super::{
    course::Course,
    land::{DRY, GRASS, SOIL},
};
use crate::scenes::{
    Scene,
    palette::{Colour, WHITE, rgb},
    phrase::{Facts, place},
    shape::{Pose, blob, distance},
};

/// What people say about forest.
const FOREST: &[&str] = &[
    "a(n) {density} forest of {colour} trees {feature}",
    "{density} {size} {colour} trees {feature} {floor}",
    "[many|lots of] {colour} trees [form|make up|are in] a(n) [forest|wood]",
    "a(n) {colour} [forest|wood] with {size} trees {feature}",
    "[this is|here is] a(n) {density} {colour} [forest|wood] {feature}",
    "{colour} [forest|woodland|trees] {feature}",
];

pub(super) fn forest(scene: &mut Scene) -> Vec<String> {
    let (leaves, colour, floor) = scene.dice.pick(&[
        (rgb(0x24_4a28), "dark green", GRASS),
        (rgb(0x4c_8034), "green", GRASS),
        (rgb(0x86_a848), "light green", GRASS),
        (rgb(0xb8_6c2c), "[orange|autumn|orange]", DRY),
        (rgb(0xc8_a83c), "yellow", DRY),
    ]);
    scene.ground(floor);
    let (count, density) =
        scene.dice.pick(&[(90, "[sparse|scattered]"), (520, "dense"), (520, "dense"), (260, "")]);
    let (feature, clear) = clearing(scene);
    let (crown, texture) = scene.dice.pick(&[(0.022, "small"), (0.036, "[large|big|tall]")]);
    for _ in 0..count {
        let at = scene.dice.point(0.0);
        let radius = crown * scene.dice.between(0.75, 1.3);
        if clear.iter().all(|&(x, y, r)| distance((x, y), at) > r + radius * 0.8) {
            scene.tree(at, radius, leaves);
        }
    }
    let facts = Facts::default()
        .with("colour", colour)
        .with("density", density)
        .with("size", texture)
        .with("feature", feature);
    let facts = facts.with("floor", if count > 400 { "" } else { "on the [grass|ground]" });
    facts.captions(&mut scene.dice, FOREST)
}

/// A path, a pond, a glade or a hut in the forest: the words, and the discs that stay free of trees.
fn clearing(scene: &mut Scene) -> (String, Vec<(f32, f32, f32)>) {
    let at = scene.dice.point(0.25);
    match scene.dice.whole(0, 5) {
        0 => {
            let course = Course::any(&mut scene.dice);
            let line = course.winding(0.06, 2.0, 1.0);
            scene.track(&line, 0.04);
            (
                format!("with a path [running|going] {}", course.words),
                line.iter().map(|p| (p.0, p.1, 0.03)).collect(),
            )
        }
        1 => {
            let water = scene.any_water();
            let radius = scene.dice.between(0.1, 0.17);
            let pond = blob(&mut scene.dice, at, radius, 0.25);
            scene.pool(&pond, water.colour);
            (
                format!("with a(n) {} [pond|lake] {}", water.word, place(at)),
                vec![(at.0, at.1, radius * 1.1)],
            )
        }
        2 => {
            let radius = scene.dice.between(0.13, 0.2);
            let glade = blob(&mut scene.dice, at, radius, 0.2);
            scene.patch(&glade, SOIL);
            (
                format!("with a(n) [bare clearing|glade|bare patch] {}", place(at)),
                vec![(at.0, at.1, radius)],
            )
        }
        3 => {
            let roof = scene.dice.pick(crate::scenes::palette::ROOFS);
            let pose = Pose::new(at, scene.dice.between(0.0, 3.0), 0.17);
            scene.house(pose, 1.0, 0.65, roof.colour);
            (
                format!("with a(n) {} [house|hut|cabin] {}", roof.word, place(at)),
                vec![(at.0, at.1, 0.12)],
            )
        }
        _ => (String::new(), Vec::new()),
    }
}

/// What people say about desert.
const DESERT: &[&str] = &[
    "a(n) {colour} desert with {dunes} {extra}",
    "{dunes} {way} in a(n) {colour} desert",
    "[a piece of|a(n)] {colour} desert {extra}",
    "{colour} sand [stretches|lies] [everywhere|as far as one can see] {extra}",
    "[there is|we see] {colour} sand with {dunes} {way}",
    "{dunes} in the {colour} desert {extra}",
];

pub(super) fn desert(scene: &mut Scene) -> Vec<String> {
    let (sand, colour) = scene.dice.pick(&[
        (rgb(0xd8_b878), "yellow"),
        (rgb(0xc8_8450), "orange"),
        (rgb(0xd2_c8b0), "[white|pale]"),
        (rgb(0xa8_8460), "brown"),
        (rgb(0xb4_6446), "[red|reddish]"),
    ]);
    let noise = scene.noise;
    let (steep, dunes) = scene.dice.pick(&[
        (0.0, "flat [sand|ground]"),
        (9.0, "[large|big] dunes"),
        (20.0, "[small dunes|ripples|fine dunes]"),
    ]);
    let course = Course::any(&mut scene.dice);
    let (sin, cos) = course.angle().sin_cos();
    scene.canvas.cover(|x, y| {
        let across = y * cos - x * sin + 0.07 * noise.fractal(x * 3.0, y * 3.0, 3);
        let phase = (across * steep / 2.0).rem_euclid(1.0);
        let dune = if steep > 0.0 {
            if phase < 0.72 { phase * 0.28 } else { -0.3 + (phase - 0.72) }
        } else {
            0.0
        };
        sand.lit(
            1.0 + dune
                + 0.1 * 1.5 * noise.fractal(x * 5.0, y * 5.0, 5)
                + 0.03 * noise.at(x * 80.0, y * 80.0),
        )
    });
    let extra = oasis(scene);
    let way =
        if steep > 0.0 { format!("[running|which run] {}", course.words) } else { String::new() };
    let facts = Facts::default()
        .with("colour", colour)
        .with("way", way)
        .with("dunes", dunes)
        .with("extra", extra);
    facts.captions(&mut scene.dice, DESERT)
}

/// Something that breaks the sand: a track, rocks, shrubs or water with palms.
fn oasis(scene: &mut Scene) -> String {
    let at = scene.dice.point(0.25);
    match scene.dice.whole(0, 5) {
        0 => {
            let course = Course::any(&mut scene.dice);
            scene.road(&course.bent(0.05), 0.06);
            "[and|with] a(n) [road|grey road] [across it|through it]".into()
        }
        1 => {
            for _ in 0..26 {
                let rock = scene.dice.point(0.03);
                let radius = scene.dice.between(0.008, 0.026);
                scene.tree(rock, radius, rgb(0x5c_4c42));
            }
            "[and|with] [dark rocks|scattered rocks|black rocks]".into()
        }
        2 => {
            scene.trees(34, 0.013, |_| true);
            "[and|with] [a few plants|scattered shrubs|some green shrubs]".into()
        }
        3 => {
            let outline = blob(&mut scene.dice, at, 0.12, 0.2);
            scene.pool(&outline, rgb(0x2e_7a98));
            scene.trees(240, 0.022, |p| (0.14..0.2).contains(&distance(p, at)));
            format!("[and|with] a(n) [oasis|blue pond|small lake] {}", place(at))
        }
        _ => String::new(),
    }
}

/// What people say about mountains.
const MOUNTAINS: &[&str] = &[
    "{form} {colour} mountains {snow} {valley}",
    "{colour} mountains {snow} {valley}",
    "[this is|here is] a(n) [piece of|range of] {form} {colour} mountains {snow}",
    "the {colour} [mountains|ridges|mountain ridges] {snow}",
    "a(n) {colour} mountain [range|area|landscape] {snow} {valley}",
    "[there are|we can see] {form} {colour} [mountains|mountain ridges] {valley}",
];

pub(super) fn mountains(scene: &mut Scene) -> Vec<String> {
    let (low, high, colour) = scene.dice.pick(&[
        (rgb(0x3c_6034), rgb(0x70_8a50), "green"),
        (rgb(0x62_5042), rgb(0xa0_8468), "brown"),
        (rgb(0x5a_5c60), rgb(0x9a_9c9e), "grey"),
        (rgb(0x86_4c38), rgb(0xc0_8058), "[red|reddish]"),
        (rgb(0x34_4c30), rgb(0x88_8478), "[green and grey|green and grey|grey and green]"),
    ]);
    let (line, snow) = scene.dice.pick(&[
        (9.0, ""),
        (9.0, ""),
        (0.28, "with [some snow|snow on the peaks|snowy peaks]"),
        (0.05, "[covered with|covered by|under] [white snow|snow]"),
    ]);
    let (scale, form) = scene.dice.pick(&[
        (2.0, "[large|huge|broad]"),
        (3.6, "[rugged|steep]"),
        (5.0, "[rolling|many small]"),
    ]);
    relief(scene, low, high, line, scale);
    let valley = match scene.dice.whole(0, 3) {
        0 => {
            let course = Course::any(&mut scene.dice);
            let water = scene.any_water();
            scene.canvas.line(&course.winding(0.07, 5.0, 0.0), 0.035, water.colour);
            format!("[and|with] a(n) {} river [in the valley|between them]", water.word)
        }
        1 => {
            let course = Course::any(&mut scene.dice);
            scene.track(&course.winding(0.09, 4.0, 2.0), 0.022);
            "[and|with] a(n) [winding|narrow] [road|path]".into()
        }
        _ => String::new(),
    };
    let facts = Facts::default()
        .with("colour", colour)
        .with("snow", snow)
        .with("form", form)
        .with("valley", valley);
    facts.captions(&mut scene.dice, MOUNTAINS)
}

/// Mountains lit from the side, with snow above the height `line`.
fn relief(scene: &mut Scene, low: Colour, high: Colour, line: f32, scale: f32) {
    let noise = scene.noise;
    let (east, south) = scene.sun;
    let ridge = move |x: f32, y: f32| {
        let (x, y) = (x * scale, y * scale);
        let broad = 1.0 - 2.0 * noise.fractal(x + 0.3 * noise.at(x * 2.0, y * 2.0), y, 1).abs();
        broad * 0.6 + 0.45 * (0.4 - noise.other(2).fractal(x * 2.2, y * 2.2, 3).abs())
    };
    let step = 0.012;
    scene.canvas.cover(|x, y| {
        let height = ridge(x, y);
        let slope = (ridge(x + east * step, y + south * step) - height) / (step * scale);
        let light = (1.0 - 0.55 * slope).clamp(0.35, 1.6);
        let rock = low.mix(high, (height + 0.2).clamp(0.0, 1.0));
        let cover = ((height - line) * 9.0).clamp(0.0, 1.0);
        let light = light + (0.75 + 0.2 * light - light) * cover;
        rock.mix(WHITE, cover).lit(light * (1.0 + 0.08 * noise.at(x * 70.0, y * 70.0)))
    });
}
