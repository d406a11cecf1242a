//! Storage tanks, warehouses and solar farms.

use super::land::CONCRETE;
use crate::scenes::{
    Scene,
    palette::{BLACK, CARS, Colour, HALLS, Named, WHITE, rgb},
    phrase::list,
    shape::{Point, Pose, arc},
};
use std::f32::consts::PI;

/// What tanks are painted in.
const TANKS: &[Named] = &[
    Named { word: "white", colour: WHITE },
    Named { word: "white", colour: WHITE },
    Named { word: "grey", colour: rgb(0x8e_9294) },
    Named { word: "green", colour: rgb(0x5c_8e62) },
    Named { word: "brown", colour: rgb(0x8c_6044) },
    Named { word: "blue", colour: rgb(0x5a_88b8) },
];

/// What people say about storage tanks.
const STORAGE_TANKS: &[&str] = &[
    "{n} {paint} {tank} <is|are> [on|standing on] {ground} {beside}",
    "{n} {size} {tank} <is|are> {beside} {order}",
    "[there <is|are>|we can see] {n} {size} {paint} {tank} {with}",
    "{n} {size} {paint} {tank} {order}",
    "{n} [round|circular|cylindrical] {paint} {tank} {beside}",
    "{n} {tank} [on|surrounded by] {ground}",
];

pub(super) fn storage_tanks(scene: &mut Scene) -> Vec<String> {
    let site = scene.site();
    let (count, paint) = (scene.dice.whole(1, 9), scene.dice.pick(TANKS));
    let (columns, rows) =
        [(1, 1), (2, 1), (3, 1), (2, 2), (3, 2), (3, 2), (3, 3), (3, 3), (3, 3)][count - 1];
    let upright = (site.bottom - site.top) > (site.right - site.left);
    let (columns, rows) = if upright { (rows, columns) } else { (columns, rows) };
    let cell =
        ((site.right - site.left) / columns as f32).min((site.bottom - site.top) / rows as f32);
    let (share, size) = if count == 1 {
        scene.dice.pick(&[(0.18, "small"), (0.34, "[large|big]")])
    } else {
        scene.dice.pick(&[(0.27, "small"), (0.34, ""), (0.41, "[large|big]")])
    };
    for i in 0..count {
        let (column, row) = (i % columns, i / columns);
        let in_row = if row == rows - 1 { count - row * columns } else { columns };
        let step = (column as f32 + 0.5) - in_row as f32 / 2.0;
        let middle = site.at(0.5, (row as f32 + 0.5) / rows as f32);
        tank(scene, (middle.0 + step * cell, middle.1), cell * share, paint.colour);
    }
    let order = if count > 3 { "[in rows|neatly arranged|arranged in lines|neatly]" } else { "" };
    let facts = site
        .facts
        .counting(count)
        .with("paint", paint.word)
        .with("size", size)
        .with("order", order);
    let facts = facts.with("tank", "[storage tank|tank|storage tank|oil tank]<|s>");
    facts.captions(&mut scene.dice, STORAGE_TANKS)
}

/// A tank with its lit wall, roof, seam and ladder.
fn tank(scene: &mut Scene, at: Point, radius: f32, colour: Colour) {
    let pose = Pose::new(at, 0.0, radius);
    scene.canvas.disc(at, radius * 1.22, rgb(0x80_7a70).alpha(0.55));
    scene.shadow(&pose.ellipse((0.0, 0.0), 2.0, 2.0), radius * 0.7);
    scene.canvas.disc(at, radius, colour.lit(0.72));
    scene.canvas.disc(
        (at.0 - scene.sun.0 * radius * 0.06, at.1 - scene.sun.1 * radius * 0.06),
        radius * 0.93,
        colour,
    );
    let dark = scene.sun.1.atan2(scene.sun.0);
    scene.canvas.line(
        &arc(at, radius * 0.8, dark - 1.2, dark + 1.2),
        radius * 0.16,
        WHITE.alpha(0.22),
    );
    scene.canvas.line(
        &arc(at, radius * 0.8, dark + PI - 1.2, dark + PI + 1.2),
        radius * 0.16,
        BLACK.alpha(0.18),
    );
    scene.canvas.outline(&pose.ellipse((0.0, 0.0), 1.3, 1.3), radius * 0.04, BLACK.alpha(0.25));
    scene.canvas.disc(at, radius * 0.1, BLACK.alpha(0.4));
}

/// What people say about warehouses.
const WAREHOUSES: &[&str] = &[
    "{n} {hall} with <a(n) {roof} roof|{roof} roofs> {beside}",
    "{n} {roof} {hall} <is|are> [in an industrial area|in a factory] {trucks}",
    "an industrial area with {n} {roof} {hall} {trucks}",
    "[there <is|are>|we see] {n} {hall} {trucks} {with}",
    "{n} long {hall} <is|are> on [concrete|the concrete] {beside}",
    "a factory with <a(n) {roof} roof|{roof} roofs> {beside}",
];

pub(super) fn warehouses(scene: &mut Scene) -> Vec<String> {
    scene.ground(CONCRETE);
    let site = scene.site_on(CONCRETE);
    let count = scene.dice.whole(1, 6);
    let roofs = scene.dice.several(HALLS, 2);
    let lying = (site.right - site.left) >= (site.bottom - site.top);
    let angle = if lying { 0.0 } else { PI / 2.0 };
    let room = if lying {
        (site.right - site.left, site.bottom - site.top)
    } else {
        (site.bottom - site.top, site.right - site.left)
    };
    for i in 0..count {
        let t = (i as f32 + 0.5) / count as f32;
        let at = if lying { site.at(0.5, t) } else { site.at(t, 0.5) };
        let depth = (room.1 / count as f32 * 0.66).min(0.34);
        let roof = roofs[i % roofs.len()];
        scene.hall(Pose::new(at, angle, 1.0), room.0 * 0.78, depth, roof.colour);
    }
    let trucks = scene.dice.pick(&[0, 0, 8]);
    for i in 0..trucks {
        let at = site.at(
            0.06 + 0.88 * ((i * 5) % 8) as f32 / 7.0,
            ((i % count) as f32 + 1.0) / count as f32 - 0.02,
        );
        let colour = scene.dice.pick(CARS).colour;
        scene.car(Pose::new(at, angle, 0.06), colour);
    }
    let colours =
        if count == 1 { roofs[0].word.to_owned() } else { list(&[roofs[0].word, roofs[1].word]) };
    let facts = site.facts.counting(count).with("roof", colours);
    let facts =
        facts.with("hall", "[factory building|warehouse|large building|industrial building]<|s>");
    let facts =
        facts.with("trucks", if trucks > 0 { "[and|with] some [lorries|trucks]" } else { "" });
    facts.captions(&mut scene.dice, WAREHOUSES)
}

/// What people say about solar farm.
const SOLAR_FARM: &[&str] = &[
    "{n} {tilt} row<|s> of [solar panels|dark blue solar panels] on {ground}",
    "a solar [farm|park|plant|power station] {hut} {beside}",
    "{blocks} [block|group]{bs} of [solar|photovoltaic] panels [in|with] {n} {tilt} row<|s> {with}",
    "[dark blue|blue] solar panels {hut} on {ground} {beside}",
    "[there are|we can see] {n} rows of solar panels {beside}",
    "{n} {tilt} rows of panels in {blocks} [block|group]{bs} {hut} {with}",
];

pub(super) fn solar_farm(scene: &mut Scene) -> Vec<String> {
    let site = scene.site();
    let rows = scene.dice.whole(3, 9);
    let blocks = scene.dice.pick(&[1, 2, 2, 3]);
    let frame =
        Pose::new(site.at(0.5, 0.5), scene.dice.pick(&[0.0, 0.0, 0.35, -0.35]), site.extent());
    let panel = rgb(0x22_3a66);
    let pitch = 0.86 / rows as f32;
    for row in 0..rows {
        for block in 0..blocks {
            let u = ((block as f32 + 0.5) / blocks as f32 - 0.5) * 0.92;
            let v = (row as f32 + 0.5) * pitch - 0.43;
            array(scene, frame, (u, v), (0.86 / blocks as f32, pitch * 0.56), panel);
        }
    }
    let (corner, hut) = (site.at(0.06, 0.06), scene.dice.chance(0.5));
    if hut {
        scene.house(Pose::new(corner, 0.0, 0.08), 1.0, 0.8, WHITE);
    }
    let hut = if hut { "[and|with] a small white [house|hut|building]" } else { "" };
    let facts = site
        .facts
        .counting(rows)
        .with("hut", hut)
        .with("tilt", if frame.angle == 0.0 { "" } else { "[slanting|diagonal|oblique]" });
    let facts = facts
        .with("blocks", ["a(n)", "two", "three"][blocks - 1])
        .with("bs", if blocks == 1 { "" } else { "s" });
    facts.captions(&mut scene.dice, SOLAR_FARM)
}

/// A row of panels with the lines between them.
fn array(scene: &mut Scene, frame: Pose, at: Point, (length, width): Point, panel: Colour) {
    let body = frame.rectangle(at, length, width);
    scene.shadow(&body, 0.02);
    scene.canvas.fill(&body, panel.lit(scene.dice.between(0.9, 1.25)));
    let cells = (length / 0.07) as usize;
    for cell in 1..cells {
        let u = at.0 - length / 2.0 + length * cell as f32 / cells as f32;
        let line = frame.points(&[(u, at.1 - width / 2.0), (u, at.1 + width / 2.0)]);
        scene.canvas.bar(&line, 0.004, WHITE.alpha(0.35));
    }
    scene.canvas.outline(&body, 0.004, WHITE.alpha(0.4));
}
