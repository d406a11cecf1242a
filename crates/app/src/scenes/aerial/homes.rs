//! Residential areas, dense and sparse.

use super::land::{ASPHALT, DRY, GRASS, SNOW, SOIL};
use crate::scenes::{
    Scene,
    palette::{ROOFS, rgb},
    phrase::{list, place},
    shape::{Pose, upright},
};

/// What people say about dense houses.
const DENSE_HOUSES: &[&str] = &[
    "many {size} houses with {roofs} roofs {arrangement}",
    "a dense residential area with {roofs} roofs {green} {beside}",
    "[many|lots of|dozens of] houses [are|stand] {arrangement} {green}",
    "{tilt} rows of {size} houses with {roofs} roofs {with}",
    "a(n) [dense|crowded] residential area [where|in which] houses with {roofs} roofs stand in {tilt} rows",
    "many {roofs} [houses|buildings|roofs] {green} {beside}",
];

pub(super) fn dense_houses(scene: &mut Scene) -> Vec<String> {
    let land = scene.dice.pick(&[GRASS, GRASS, DRY, SOIL, SNOW]);
    scene.ground(land);
    let site = scene.site_on(land);
    let kinds = scene.dice.whole(1, 2);
    let roofs = scene.dice.several(ROOFS, kinds);
    let turn = scene.dice.pick(&[0.0, 0.0, 0.35, -0.35]);
    let (gap, size) = scene.dice.pick(&[(0.1, "small"), (0.135, "")]);
    let (streets, arrangement) = scene.dice.pick(&[
        (3, "[with roads between them|along the roads|on both sides of the roads]"),
        (0, "[close to each other|packed together|next to each other]"),
    ]);
    let frame = Pose::new((0.5, 0.5), turn, 1.0);
    for street in 0..if streets > 0 { 5 } else { 0 } {
        let v = (street as f32 - 2.0) * 3.0 * gap;
        let line = [frame.at(-0.9, v), frame.at(0.9, v)];
        let clipped = line.map(|p| (p.0, p.1));
        scene.canvas.bar(&clipped, gap * 0.55, ASPHALT.lit(1.15));
        scene.traffic(&clipped, gap * 0.12, 0.035, 3);
    }
    for row in -9..=9 {
        if streets > 0 && row % 3 == 0 {
            continue;
        }
        for column in -9..=9 {
            let at = frame.at(column as f32 * gap, row as f32 * gap);
            let inside =
                at.0 > site.left && at.0 < site.right && at.1 > site.top && at.1 < site.bottom;
            if inside {
                let roof = scene.dice.pick(&roofs).colour;
                let stretch = scene.dice.between(0.72, 0.9);
                scene.house(Pose::new(at, turn, gap), stretch, 0.62, roof);
            }
        }
    }
    let green = scene.dice.pick(&[0, 26, 70]);
    scene.trees(green, 0.022, |_| true);
    let words: Vec<&str> = roofs.iter().map(|roof| roof.word).collect();
    let facts =
        site.facts.with("roofs", list(&words)).with("size", size).with("arrangement", arrangement);
    let facts = facts.with(
        "green",
        match green {
            0 => "[without trees|with no trees|]",
            26 => "[and|with] [some|a few] trees",
            _ => "[and|with] [many|lots of] [trees|green trees]",
        },
    );
    let facts = facts.with(
        "tilt",
        if turn == 0.0 { "[neat|straight|regular]" } else { "[slanting|oblique|diagonal]" },
    );
    facts.captions(&mut scene.dice, DENSE_HOUSES)
}

/// What people say about sparse houses.
const SPARSE_HOUSES: &[&str] = &[
    "{n} [house|building]<|s> with <a(n) {roof} roof|{roof} roofs> on {ground} {yard}",
    "a sparse residential area with {n} {roof} [house|building|roof]<|s> and {green}",
    "{n} house<|s> [among|surrounded by|with] {green} {beside}",
    "[there <is|are>|we see] {n} {roof} house<|s> {yard} {with}",
    "{n} [lonely|detached|] house<|s> on {ground} {beside}",
    "{n} {roof} [roof|house]<|s> and {green} on {ground}",
];

pub(super) fn sparse_houses(scene: &mut Scene) -> Vec<String> {
    let land = scene.dice.pick(&[GRASS, GRASS, DRY, SOIL, SNOW]);
    scene.ground(land);
    let site = scene.site_on(land);
    let (count, roof) = (scene.dice.whole(1, 4), scene.dice.pick(ROOFS));
    let seats = [(0.28, 0.3), (0.72, 0.7), (0.7, 0.27), (0.28, 0.72)];
    let start = scene.dice.whole(0, 3);
    let mut yard = Vec::new();
    if scene.dice.chance(0.45) {
        let line = [site.at(0.5, 0.5), site.at(1.6, scene.dice.between(0.3, 0.7))];
        scene.track(&line, 0.035);
        yard.push("[a path|a narrow path|a dirt track]".to_owned());
    }
    for i in 0..count {
        let seat = if count == 1 { (0.45, 0.48) } else { seats[(start + i) % 4] };
        let at = site.at(seat.0, seat.1);
        let size = site.extent() * if count == 1 { 0.4 } else { 0.3 };
        let pose = Pose::new(at, scene.dice.spread(0.8), size);
        scene.house(pose, 1.0, 0.6, roof.colour);
        if scene.dice.chance(0.4) {
            scene.house(
                Pose::new(pose.at(0.25, 0.3), pose.angle + 1.57, size),
                0.6,
                0.4,
                roof.colour,
            );
        }
    }
    if scene.dice.chance(0.4) {
        let seat = seats[(start + count) % 4];
        let at = if count == 4 { site.at(0.5, 0.5) } else { site.at(seat.0, seat.1) };
        let pool = upright(at.0 - 0.05, at.1 - 0.035, at.0 + 0.05, at.1 + 0.035);
        scene.canvas.outline(&pool, 0.025, rgb(0xe0_dcd2));
        scene.canvas.fill(&pool, rgb(0x36_a4c8));
        yard.push(format!("a swimming pool {}", place(at)));
    }
    let trees = scene.dice.pick(&[4, 30]);
    scene.trees(trees, 0.032, |at| {
        seats
            .iter()
            .chain(&[(0.45, 0.48)])
            .all(|&(u, v)| crate::scenes::shape::distance(site.at(u, v), at) > 0.17)
    });
    let facts = site.facts.counting(count).with("roof", roof.word).with(
        "yard",
        if yard.is_empty() { String::new() } else { format!("[with|and] {}", yard.join(" and ")) },
    );
    let facts = facts.with(
        "green",
        if trees > 10 {
            "[many trees|lots of trees|green trees]"
        } else {
            "[a few trees|few trees|some trees]"
        },
    );
    facts.captions(&mut scene.dice, SPARSE_HOUSES)
}
