//! Runways and airports.

use super::{
    course::Course,
    land::{ASPHALT, CONCRETE, DRY, GRASS, SNOW, SOIL},
};
use crate::scenes::{
    Scene,
    palette::{HALLS, Named, WHITE, rgb},
    phrase::{Facts, place},
    shape::{Point, Pose, along},
};

/// What airliners are painted in.
const LIVERIES: &[Named] = &[
    Named { word: "white", colour: WHITE },
    Named { word: "white", colour: WHITE },
    Named { word: "grey", colour: rgb(0x82_888e) },
    Named { word: "blue", colour: rgb(0x3a_66b0) },
    Named { word: "red", colour: rgb(0xbc_3c34) },
    Named { word: "yellow", colour: rgb(0xe8_c440) },
];

/// What people call them; they all take an s but one.
const PLANES: &str = "[plane<|s>|airplane<|s>|aircraft|plane<|s>]";

/// What people say about runway.
const RUNWAY: &[&str] = &[
    "{n} runway<|s> <[runs|goes|stretches]|[run|go|stretch]> {way} {plane}",
    "{n} [grey|long|straight] runway<|s> <is|are> [on|surrounded by] {ground}",
    "[there <is|are>|we can see] {n} runway<|s> {plane}",
    "{n} runway<|s> with white [marks|lines] <[runs|goes|stretches]|[run|go|stretch]> {way} [on|over|across] {ground}",
    "{n} runway<|s> {plane} [on|between] {ground}",
];

pub(super) fn runway(scene: &mut Scene) -> Vec<String> {
    let land = scene.dice.pick(&[GRASS, DRY, SOIL, SNOW]);
    scene.ground(land);
    let course = Course::any(&mut scene.dice);
    let runways = scene.dice.pick(&[1, 1, 1, 2]);
    let line = course.straight();
    for i in 0..runways {
        let offset = if runways == 1 { 0.0 } else { 0.34 * i as f32 - 0.17 };
        strip(scene, &crate::scenes::shape::beside(&line, offset), 0.15);
    }
    let planes = scene.dice.pick(&[0, 1, 1, 2]);
    let livery = scene.dice.pick(LIVERIES);
    for i in 0..planes {
        let offset = if runways == 1 { 0.0 } else { 0.17 };
        let (t, size) = (0.36 + 0.32 * i as f32, scene.dice.between(0.2, 0.26));
        let lane = along(&crate::scenes::shape::beside(&line, offset), t);
        scene.plane(Pose { size, ..lane }, livery.colour);
    }
    scene.bushes(6);
    let facts =
        Facts::default().counting(runways).with("ground", land.words).with("way", course.words);
    let spot = if runways == 1 { "on it" } else { "on one of them" };
    let guests = match planes {
        0 => "without planes".to_owned(),
        1 => format!("with [one|a(n)] {} [plane|airplane|aircraft] {spot}", livery.word),
        _ => format!("with two {} [planes|airplanes|aircraft] {spot}", livery.word),
    };
    let facts = facts.with("plane", guests);
    facts.captions(&mut scene.dice, RUNWAY)
}

/// A runway with its threshold and its middle line.
fn strip(scene: &mut Scene, line: &[Point], width: f32) {
    scene.canvas.bar(line, width * 1.25, ASPHALT.lit(1.25).alpha(0.7));
    scene.canvas.bar(line, width, ASPHALT.lit(0.85));
    scene.canvas.dashes(line, width * 0.05, (0.06, 0.05), WHITE);
    for side in [-0.44, 0.44] {
        scene.canvas.bar(
            &crate::scenes::shape::beside(line, width * side),
            width * 0.03,
            WHITE.alpha(0.8),
        );
    }
    let start = along(line, 0.17);
    for i in 0..6 {
        let v = (i as f32 - 2.5) * width * 0.14;
        scene.canvas.bar(&start.points(&[(0.0, v), (0.07, v)]), width * 0.06, WHITE);
    }
}

/// What people say about airport.
const AIRPORT: &[&str] = &[
    "{n} {livery} {planes} <is|are> [parked|standing] [at|in] an airport",
    "{n} {planes} [parked|standing|stopped] [near|beside|next to] a(n) {roof} [terminal|building]",
    "[an airport|the airport] with {n} {livery} {planes} and a(n) {roof} [terminal|terminal building] {side}",
    "the [terminal|terminal building] with a(n) {roof} roof is {side} of {n} {planes}",
    "{n} {livery} {planes} between a(n) [terminal|building] {side} and a runway {where}",
    "{n} {planes} at [an|the] airport",
];

pub(super) fn airport(scene: &mut Scene) -> Vec<String> {
    let land = scene.dice.pick(&[CONCRETE, CONCRETE, GRASS, DRY]);
    scene.ground(land);
    let (turn, side) = scene.dice.pick(&[
        (0.0, "at the top"),
        (1.0, "on the right"),
        (2.0, "at the bottom"),
        (3.0, "on the left"),
    ]);
    let frame = Pose::new((0.5, 0.5), turn * std::f32::consts::FRAC_PI_2, 1.0);
    let apron = frame.rectangle((0.0, -0.1), 1.6, 0.75);
    scene.patch(&apron, CONCRETE);
    let roof = scene.dice.pick(HALLS);
    scene.hall(Pose::new(frame.at(0.0, -0.42), frame.angle, 1.0), 0.9, 0.2, roof.colour);
    let planes = scene.dice.whole(1, 6);
    let livery = scene.dice.pick(LIVERIES);
    stand(scene, frame, planes, livery);
    let taxiway = frame.points(&[(-0.8, 0.36), (0.8, 0.36)]);
    strip(scene, &taxiway, 0.13);
    let facts = Facts::default()
        .counting(planes)
        .with("livery", livery.word)
        .with("roof", roof.word)
        .with("side", side);
    let facts = facts.with("planes", PLANES).with("where", place(frame.at(0.0, 0.36)));
    facts.captions(&mut scene.dice, AIRPORT)
}

/// Planes side by side, noses to the terminal.
fn stand(scene: &mut Scene, frame: Pose, planes: usize, livery: Named) {
    let gap = (0.9 / planes as f32).min(0.3);
    for i in 0..planes {
        let u = (i as f32 - (planes - 1) as f32 / 2.0) * gap;
        let at = frame.at(u, -0.06);
        scene.canvas.bar(&frame.points(&[(u, -0.2), (u, 0.28)]), 0.008, rgb(0xe0_c040).alpha(0.8));
        let heading = frame.angle - std::f32::consts::FRAC_PI_2 + scene.dice.spread(0.12);
        scene.plane(Pose::new(at, heading, gap.min(0.25) * 0.94), livery.colour);
    }
}
