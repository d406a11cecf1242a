//! Farmland, fields under a pivot, and orchards.

use super::land::{DRY, GRASS, LEAVES, SAND, SOIL};
use crate::scenes::{
    Scene,
    palette::{CROPS, Colour, Named, ROOFS, rgb},
    phrase::{Facts, list, place},
    shape::{Pose, arc},
};

/// What people say about farmland.
const FARMLAND: &[&str] = &[
    "{many} {tilt} {form} fields in {crops} {extras}",
    "{many} {crops} [fields|farmlands] {extras}",
    "a(n) [patchwork|piece|pattern] of {crops} farmland {extras}",
    "[this is|here is] {crops} farmland [divided|separated] into {form} [pieces|parts|plots]",
    "{form} {crops} fields [lie next to each other|lie side by side|side by side]",
    "{tilt} {crops} farmland {extras}",
];

pub(super) fn farmland(scene: &mut Scene) -> Vec<String> {
    let kinds = scene.dice.whole(1, 3);
    let crops = scene.dice.several(CROPS, kinds);
    let (columns, rows) = scene.dice.pick(&[(1, 4), (1, 6), (2, 2), (2, 3), (3, 3), (4, 4)]);
    let turn = scene.dice.pick(&[0.0, 0.0, 1.57, 0.5, -0.4]);
    let furrows = scene.dice.chance(0.6);
    fields(scene, &crops, (columns, rows), turn, furrows);
    let mut extras = Vec::new();
    if scene.dice.chance(0.35) {
        let frame = Pose::new((0.5, 0.5), turn, 1.0);
        scene.track(&frame.points(&[(-0.9, 0.02), (0.9, 0.06)]), 0.03);
        extras.push("[a dirt road|a track|a path]".to_owned());
    }
    let lived_in = scene.dice.chance(0.4);
    if lived_in {
        let (at, roof) = (scene.dice.point(0.16), scene.dice.pick(ROOFS));
        scene.house(Pose::new(at, turn, 0.14), 1.0, 0.6, roof.colour);
        scene.tree((at.0 + 0.1, at.1 + 0.04), 0.03, LEAVES);
        extras.push(format!(
            "a(n) [house|farmhouse|building] with a(n) {} roof {}",
            roof.word,
            place(at)
        ));
    } else if scene.dice.chance(0.4) {
        scene.trees(9, 0.03, |_| true);
        extras.push("[some trees|a few trees|several trees]".to_owned());
    }
    let words: Vec<&str> = crops.iter().map(|crop| crop.word).collect();
    let facts = Facts::default().with("crops", list(&words)).with(
        "extras",
        match extras.len() {
            0 => String::new(),
            _ => format!("[with|and] {}", extras.join(" and ")),
        },
    );
    let facts = facts.with(
        "form",
        match (columns, furrows) {
            (1, _) => "[striped|long|strip shaped]",
            (_, true) => "[rectangular|square|furrowed]",
            (_, false) => "[rectangular|square|regular]",
        },
    );
    let facts = facts.with(
        "many",
        if columns * rows > 6 { "[many|lots of|many pieces of]" } else { "[several|some|a few]" },
    );
    let facts = facts
        .with("tilt", if turn.abs() == 0.5 || turn == -0.4 { "[slanting|oblique]" } else { "" });
    facts.captions(&mut scene.dice, FARMLAND)
}

/// Covers the picture with a turned grid of crops.
fn fields(
    scene: &mut Scene,
    crops: &[Named],
    (columns, rows): (usize, usize),
    turn: f32,
    furrows: bool,
) {
    let noise = scene.noise;
    let (sin, cos) = turn.sin_cos();
    let (fine, shift) = (scene.dice.between(70.0, 150.0), scene.dice.bits() as usize % 7);
    let stretch = if turn == 0.0 || turn == 1.57 { 1.0 } else { 0.75 };
    scene.canvas.cover(|x, y| {
        let (dx, dy) = (x - 0.5, y - 0.5);
        let (u, v) = ((dx * cos + dy * sin) * stretch + 0.5, (dy * cos - dx * sin) * stretch + 0.5);
        let (u, v) = (u * columns as f32 + 5.0, v * rows as f32 + 5.0);
        let bend = 0.12 * noise.lattice(v as i32, 3);
        let (column, row) = ((u + bend).floor(), v.floor());
        let crop = crops[(column as usize * 2 + row as usize + shift) % crops.len()].colour;
        let key = noise.lattice(column as i32, row as i32);
        let edge = ((u + bend).fract().min(1.0 - (u + bend).fract()) / columns as f32)
            .min(v.fract().min(1.0 - v.fract()) / rows as f32);
        let along = if key > 0.0 { dx * cos + dy * sin } else { dy * cos - dx * sin };
        let furrow = if furrows { 0.09 * (along * fine).sin() } else { 0.0 };
        let tone = 1.0 + 0.14 * key + furrow + 0.13 * noise.fractal(x * 9.0, y * 9.0, 4);
        if edge < 0.012 {
            rgb(0x6e_6a42).lit(1.0 + 0.2 * noise.at(x * 60.0, y * 60.0))
        } else {
            crop.lit(tone)
        }
    });
}

/// What people say about circular fields.
const CIRCULAR_FIELDS: &[&str] = &[
    "{n} [circular|round] field<|s> in {crops} {road}",
    "{n} {crops} [circular|round] farmland<|s> on {ground}",
    "{n} [circular|round] field<|s> <is|are> [surrounded by|in the middle of] {ground}",
    "{n} [irrigated|watered] [circle|round field|disc]<|s> of {crops} crops {road}",
    "[there <is|are>|we can see] {n} {one} [circle|circular field]<|s> on {ground}",
];

pub(super) fn circular_fields(scene: &mut Scene) -> Vec<String> {
    let land = scene.dice.pick(&[SAND, SOIL, DRY, GRASS]);
    let site_land = land;
    scene.ground(site_land);
    let count = scene.dice.pick(&[1, 2, 2, 3, 4, 4, 6, 9]);
    let (columns, rows) = match count {
        1 => (1, 1),
        2 => (2, 1),
        3 | 4 => (2, 2),
        6 => (3, 2),
        _ => (3, 3),
    };
    let crops = scene.dice.several(CROPS, 2);
    let cell = 1.0 / columns as f32;
    for i in 0..count {
        let at = (
            (i % columns) as f32 * cell + cell / 2.0,
            ((i / columns) as f32 + 0.5) * (1.0 / rows as f32),
        );
        let pose = Pose::new(at, scene.dice.between(0.0, 6.0), cell * 0.44);
        pivot(scene, pose, crops[i % 2].colour, crops[1 - i % 2].colour);
    }
    let road = scene.dice.chance(0.3) && count.is_multiple_of(2);
    if road {
        scene.road(&[(0.5, -0.1), (0.5, 1.1)], 0.04);
    }
    let words: Vec<&str> = crops.iter().map(|crop| crop.word).collect();
    let facts =
        Facts::default().counting(count).with("crops", list(&words)).with("ground", land.words);
    let facts = facts
        .with("one", words[0])
        .with("road", if road { "with a road between them" } else { "" });
    facts.captions(&mut scene.dice, CIRCULAR_FIELDS)
}

/// A round field with its arm, one sector in another crop.
fn pivot(scene: &mut Scene, pose: Pose, crop: Colour, other: Colour) {
    let noise = scene.noise;
    let (cx, cy, size) = (pose.x, pose.y, pose.size);
    scene.canvas.texture(&pose.ellipse((0.0, 0.0), 2.0, 2.0), |x, y| {
        let away = (x - cx).hypot(y - cy) / size;
        crop.lit(1.0 + 0.07 * (away * 40.0).sin() + 0.14 * noise.fractal(x * 11.0, y * 11.0, 3))
    });
    if scene.dice.chance(0.6) {
        let mut sector = arc((cx, cy), size, pose.angle, pose.angle + scene.dice.between(0.8, 2.4));
        sector.push((cx, cy));
        scene
            .canvas
            .texture(&sector, |x, y| other.lit(1.0 + 0.14 * noise.fractal(x * 11.0, y * 11.0, 3)));
    }
    scene.canvas.bar(&pose.points(&[(0.0, 0.0), (1.0, 0.0)]), 0.008, rgb(0xe8_e6dc));
}

/// What people say about orchard.
const ORCHARD: &[&str] = &[
    "{colour} trees [stand|grow|planted] in {tilt} rows on {ground}",
    "an orchard with {density} rows of {colour} trees {beside}",
    "{density} {tilt} rows of trees {beside}",
    "an orchard on {ground} {with}",
    "[there are|we see] {colour} fruit trees in {density} {tilt} rows {with}",
];

pub(super) fn orchard(scene: &mut Scene) -> Vec<String> {
    let land = scene.dice.pick(&[GRASS, SOIL, DRY]);
    scene.ground(land);
    let site = scene.site_on(land);
    let (gap, density) = scene.dice.pick(&[
        (0.075, "[dense|close]"),
        (0.105, "[regular|neat]"),
        (0.14, "[sparse|wide]"),
    ]);
    let turn = scene.dice.pick(&[0.0, 0.5, -0.5]);
    let (leaves, colour) = scene.dice.pick(&[
        (LEAVES, "dark green"),
        (rgb(0x6c_9c3c), "light green"),
        (rgb(0xc8_7c30), "orange"),
        (rgb(0xe4_b8c4), "pink"),
    ]);
    let frame = Pose::new(site.at(0.5, 0.5), turn, 1.0);
    for i in 0..24 {
        for k in 0..24 {
            let at = frame.at((i as f32 - 11.5) * gap, (k as f32 - 11.5) * gap);
            let inside = at.0 > site.left + 0.03
                && at.0 < site.right - 0.03
                && at.1 > site.top + 0.03
                && at.1 < site.bottom - 0.03;
            if inside {
                scene.tree(at, gap * 0.33, leaves);
            }
        }
    }
    let facts = site.facts.with("density", density).with("colour", colour);
    let facts =
        facts.with("tilt", if turn == 0.0 { "straight" } else { "[diagonal|slanting|oblique]" });
    facts.captions(&mut scene.dice, ORCHARD)
}
