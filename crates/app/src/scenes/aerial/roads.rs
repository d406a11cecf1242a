//! Crossroads, motorways, roundabouts, car parks and railways.

use super::{
    course::Course,
    land::{ASPHALT, DRY, GRASS, Land, SNOW, SOIL},
};
use crate::scenes::{
    Scene,
    palette::{BLACK, CARS, Named, WHITE, rgb},
    phrase::{Facts, list, number},
    shape::{Point, Pose, beside, moved},
};
use std::f32::consts::{FRAC_PI_2, PI};

/// What lies around a road: the words, the ground, how many trees and houses.
const AROUND: &[(&str, Land, usize, usize)] = &[
    ("[green trees|dense trees|many trees]", GRASS, 230, 0),
    ("[houses|buildings|residential areas]", GRASS, 30, 40),
    ("[green grass|meadows|grassland]", GRASS, 12, 0),
    ("[bare land|bare soil|brown land]", SOIL, 6, 0),
    ("[dry grass|dry yellow land]", DRY, 10, 0),
    ("[snow|white snow]", SNOW, 12, 0),
];

/// Draws the ground with trees and houses where `free` says yes; returns the words for it.
fn around(scene: &mut Scene, free: impl Fn(Point, f32) -> bool) -> &'static str {
    let (words, land, trees, houses) = scene.dice.pick(AROUND);
    scene.ground(land);
    for i in 0..houses * 2 {
        let at = ((i % 9) as f32 * 0.115 + 0.04, (i / 9) as f32 * 0.115 + 0.04);
        if free(at, 0.06) && scene.dice.chance(0.85) {
            scene.any_house(at, 0.0, 0.09);
        }
    }
    scene.trees(trees, 0.022, |at| free(at, 0.03));
    words
}

/// How busy a road is: cars on it and the words.
fn busy(scene: &mut Scene) -> (usize, &'static str) {
    scene.dice.pick(&[
        (0, "[without cars|with no cars|without traffic]"),
        (1, "with [few cars|a few cars|several cars]"),
        (3, "with [many cars|lots of cars|heavy traffic|many vehicles]"),
    ])
}

/// What people say about crossroads.
const CROSSROADS: &[&str] = &[
    "two {size} roads [cross|meet] [near|beside|next to] {side}",
    "a(n) [crossroads|intersection|junction] {traffic} [surrounded by|near|beside] {side}",
    "a(n) {tilt} {form} junction of {size} roads {traffic}",
    "an intersection of {tilt} roads [with zebra crossings|with white crossings|] and {side} [around it|beside it]",
    "{arms} roads meet [near|beside|next to] {side}",
    "{side} around a(n) {tilt} [intersection|crossroads] {traffic}",
];

pub(super) fn crossroads(scene: &mut Scene) -> Vec<String> {
    let (cx, cy) = (scene.dice.between(0.4, 0.6), scene.dice.between(0.4, 0.6));
    let width = scene.dice.pick(&[0.12, 0.17]);
    let turn = scene.dice.pick(&[0.0, 0.0, 0.6, -0.5]);
    let (arms, form) = scene.dice.pick(&[(4, "four way"), (3, "[t|three way]")]);
    let centre = Pose::new((cx, cy), turn + scene.dice.pick(&[0.0, FRAC_PI_2, PI]), 1.0);
    let reach = |at: Point| {
        let (sin, cos) = (-centre.angle).sin_cos();
        let (dx, dy) = (at.0 - cx, at.1 - cy);
        (dx * cos - dy * sin, dx * sin + dy * cos)
    };
    let side = around(scene, |at, gap| {
        let (u, v) = reach(at);
        let clear = width / 2.0 + gap;
        v.abs() > clear && (u.abs() > clear || (arms == 3 && v < 0.0))
    });
    let (cars, traffic) = busy(scene);
    let through = centre.points(&[(-1.3, 0.0), (1.3, 0.0)]);
    let other = centre.points(&[(0.0, if arms == 4 { -1.3 } else { 0.0 }), (0.0, 1.3)]);
    for line in [&other, &through] {
        scene.road(line, width);
    }
    scene.canvas.fill(&centre.rectangle((0.0, 0.0), width, width), ASPHALT);
    for arm in (0..4).filter(|&arm| arms == 4 || arm != 3) {
        zebra(scene, Pose { angle: centre.angle + arm as f32 * FRAC_PI_2, ..centre }, width);
    }
    for line in [&other, &through] {
        scene.traffic(line, width / 4.0, 0.055, cars * 4);
    }
    let facts = Facts::default().with("side", side).with("traffic", traffic).with("form", form);
    let facts = facts.with("tilt", if turn == 0.0 { "" } else { "[slanting|oblique|diagonal]" });
    let facts = facts
        .with("arms", number(arms).split('|').nth(1).expect("numbers have choices"))
        .with("size", if width > 0.15 { "wide" } else { "narrow" });
    facts.captions(&mut scene.dice, CROSSROADS)
}

/// A pedestrian crossing on the arm ahead.
fn zebra(scene: &mut Scene, arm: Pose, width: f32) {
    for stripe in 0..6 {
        let v = (stripe as f32 - 2.5) * width * 0.15;
        let from = width * 0.58;
        scene.canvas.bar(
            &arm.points(&[(from, v), (from + width * 0.28, v)]),
            width * 0.075,
            WHITE.alpha(0.9),
        );
    }
}

/// What people say about motorway.
const MOTORWAY: &[&str] = &[
    "a(n) {form} [motorway|freeway|highway] [runs|goes] {way} {traffic}",
    "a(n) [motorway|freeway|highway] {traffic} [between|through] {side}",
    "a(n) {form} [road|highway|freeway] with {lanes} lanes [runs|goes] {way}",
    "{side} on both sides of a(n) {form} [freeway|highway|motorway]",
    "a(n) {lanes} lane [motorway|freeway|highway] {traffic} [passes|beside|next to] {side}",
    "[there is|we see] a(n) {form} highway {traffic} and {side}",
];

pub(super) fn motorway(scene: &mut Scene) -> Vec<String> {
    let course = Course::any(&mut scene.dice);
    let bend = scene.dice.pick(&[0.0, 0.0, 0.14, -0.14]);
    let line = course.bent(bend);
    let lanes = scene.dice.whole(2, 3);
    let half = 0.055 * lanes as f32;
    let side = around(scene, |at, gap| {
        line.iter().all(|&p| crate::scenes::shape::distance(p, at) > half + 0.04 + gap)
    });
    let (cars, traffic) = busy(scene);
    for way in [-1.0, 1.0] {
        let middle = beside(&line, way * (half / 2.0 + 0.012));
        scene.canvas.bar(&middle, half * 1.14, WHITE.lit(0.8).alpha(0.8));
        scene.canvas.bar(&middle, half, ASPHALT);
        for lane in 1..lanes {
            let off = half * (lane as f32 / lanes as f32 - 0.5);
            scene.canvas.dashes(&beside(&middle, off), 0.007, (0.03, 0.03), WHITE);
        }
    }
    scene.canvas.bar(&line, 0.018, rgb(0x6c_8a4c));
    for lane in 0..lanes {
        scene.traffic(&line, 0.012 + half * (lane as f32 + 0.5) / lanes as f32, 0.05, cars * 4);
    }
    let facts =
        Facts::default().with("side", side).with("traffic", traffic).with("way", course.words);
    let facts = facts
        .with("form", if bend == 0.0 { "straight" } else { "[curved|bending]" })
        .with("lanes", ["four", "six"][lanes - 2]);
    facts.captions(&mut scene.dice, MOTORWAY)
}

/// What people say about roundabout.
const ROUNDABOUT: &[&str] = &[
    "a roundabout {traffic} [near|beside|among] {side}",
    "{n} roads [meet at|lead to|join at] a roundabout with {island} [in the middle|in its centre]",
    "{island} in the [middle|centre] of a(n) [round|circular] [road|junction] {traffic}",
    "a(n) [roundabout|traffic circle] with {n} [exits|roads] [surrounded by|between] {side}",
    "[there is|we see] a roundabout with {island} and {side}",
];

pub(super) fn roundabout(scene: &mut Scene) -> Vec<String> {
    let centre = (scene.dice.between(0.42, 0.58), scene.dice.between(0.42, 0.58));
    let radius = scene.dice.between(0.17, 0.25);
    let arms = scene.dice.whole(3, 5);
    let turn = scene.dice.between(0.0, 6.0);
    let arm = |i: usize| Pose::new(centre, turn + i as f32 * 2.0 * PI / arms as f32, 1.0);
    let side = around(scene, |at, gap| {
        let on_arm = (0..arms).any(|i| {
            let pose = arm(i);
            let (sin, cos) = pose.angle.sin_cos();
            let (dx, dy) = (at.0 - centre.0, at.1 - centre.1);
            dx * cos + dy * sin > 0.0 && (dy * cos - dx * sin).abs() < 0.07 + gap
        });
        !on_arm && crate::scenes::shape::distance(at, centre) > radius + 0.06 + gap
    });
    let (cars, traffic) = busy(scene);
    for i in 0..arms {
        let line = arm(i).points(&[(radius, 0.0), (1.4, 0.0)]);
        scene.road(&line, 0.11);
        scene.traffic(&line, 0.027, 0.05, cars * 3);
    }
    scene.canvas.disc(centre, radius + 0.065, WHITE.lit(0.8));
    scene.canvas.disc(centre, radius + 0.055, ASPHALT);
    let ring = |r: f32| crate::scenes::shape::arc(centre, r, 0.0, 2.0 * PI);
    let island = scene.dice.pick(&[
        "[green grass|a green island|a lawn]",
        "[trees|many trees]",
        "[a fountain|a blue pool]",
        "[bare earth|a brown island]",
    ]);
    let core = radius * 0.62;
    let colour = if island.contains("brown") { rgb(0x96_7252) } else { rgb(0x64_9448) };
    scene.canvas.disc(centre, core + 0.012, WHITE.lit(0.85));
    scene.canvas.disc(centre, core, colour);
    if island.contains("trees") {
        scene.trees(260, 0.022, |at| crate::scenes::shape::distance(at, centre) < core * 0.85);
    }
    if island.contains("fountain") {
        scene.canvas.disc(centre, core * 0.6, rgb(0x3c_86c0));
        scene.canvas.disc(centre, core * 0.2, WHITE);
    }
    scene.traffic(&ring(radius - 0.005), 0.0, 0.05, cars * 3);
    let facts = Facts::default()
        .counting(arms)
        .with("side", side)
        .with("traffic", traffic)
        .with("island", island);
    facts.captions(&mut scene.dice, ROUNDABOUT)
}

/// What people say about parking lot.
const PARKING_LOT: &[&str] = &[
    "{density} {colours} cars [are|] parked in a(n) [parking lot|car park] {beside}",
    "a(n) [parking lot|car park] with {n} rows and {density} {colours} cars",
    "{density} {colours} cars in {n} rows {with}",
    "{density} cars [in|on] a(n) [parking lot|car park] {beside}",
    "[there is|we can see] a(n) [parking lot|car park] on {ground} with {density} {colours} cars {with}",
    "a(n) [car park|parking lot] with {density} {colours} cars [and white lines|]",
];

pub(super) fn parking_lot(scene: &mut Scene) -> Vec<String> {
    let site = scene.site();
    let lot = crate::scenes::shape::upright(
        site.left + 0.05,
        site.top + 0.05,
        site.right - 0.05,
        site.bottom - 0.05,
    );
    scene.canvas.fill(&lot, ASPHALT.lit(scene.dice.between(0.9, 1.35)));
    let rows = scene.dice.whole(2, 5);
    let (fill, density) = scene.dice.pick(&[
        (0.12, "[a few|few|several]"),
        (0.5, "[some|quite a few]"),
        (0.93, "[many|lots of|full rows of]"),
    ]);
    let tint = if scene.dice.chance(0.4) { Some(scene.dice.pick(CARS)) } else { None };
    let (wide, high) = (site.right - site.left - 0.16, site.bottom - site.top - 0.12);
    let slots = (wide / 0.05) as usize;
    let mut seen = Vec::new();
    for row in 0..rows {
        for slot in 0..=slots {
            let x = site.left + 0.08 + wide * slot as f32 / slots as f32;
            let y = site.top + 0.06 + high * (row as f32 + 0.5) / rows as f32;
            let mark = [(x, y - 0.045), (x, y + 0.045)];
            scene.canvas.bar(&mark, 0.006, WHITE.alpha(0.8));
            if slot < slots && scene.dice.chance(fill) {
                let car: Named = tint.unwrap_or_else(|| scene.dice.pick(CARS));
                seen.push(car.word);
                let middle = (x + 0.5 * wide / slots as f32, y);
                let pose = Pose::new(middle, FRAC_PI_2 + scene.dice.spread(0.06), 0.075);
                scene.car(pose, car.colour);
            }
        }
    }
    let colours = match tint {
        Some(car) => car.word.to_owned(),
        None if seen.len() < 4 => list(&seen),
        None => "[colourful|coloured|]".to_owned(),
    };
    let facts = site
        .facts
        .counting(rows)
        .with("density", if seen.is_empty() { "no" } else { density })
        .with("colours", colours);
    facts.captions(&mut scene.dice, PARKING_LOT)
}

/// What people say about railway.
const RAILWAY: &[&str] = &[
    "{n} [railway|rail|railroad] [track|line]<|s> {train}",
    "{n} [railway|railway track]<|s> <runs|run> {way} [beside|next to|near] {side}",
    "a railway {train} [near|beside|next to] {side}",
    "a railway with {n} track<|s> [runs|goes] {way} {train}",
    "{side} on both sides of {n} [railway line|railway track]<|s>",
];

pub(super) fn railway(scene: &mut Scene) -> Vec<String> {
    let course = Course::any(&mut scene.dice);
    let tracks = scene.dice.whole(1, 5);
    let line = course.bent(scene.dice.pick(&[0.0, 0.0, 0.1]));
    let half = 0.04 * tracks as f32 + 0.02;
    let side = around(scene, |at, gap| {
        line.iter().all(|&p| crate::scenes::shape::distance(p, at) > half + 0.05 + gap)
    });
    scene.canvas.bar(&line, half * 2.0, rgb(0x86_7a6e));
    let trains = scene.dice.pick(&[0, 1, 1, 2]).min(tracks);
    let train = scene.dice.pick(CARS);
    for track in 0..tracks {
        let rail = beside(&line, (track as f32 - (tracks - 1) as f32 / 2.0) * 0.08);
        scene.canvas.dashes(&rail, 0.05, (0.009, 0.013), rgb(0x5c_4c40));
        for gauge in [-0.013, 0.013] {
            scene.canvas.bar(&beside(&rail, gauge), 0.006, rgb(0xd0_d0d0));
        }
        if track < trains {
            coaches(scene, &rail, train);
        }
    }
    let facts = Facts::default().counting(tracks).with("side", side).with("way", course.words);
    let facts = facts.with(
        "train",
        match trains {
            0 => "[without trains|with no train]".to_owned(),
            1 => format!("with a(n) {} train", train.word),
            _ => format!("with two {} trains", train.word),
        },
    );
    facts.captions(&mut scene.dice, RAILWAY)
}

/// A train on a track.
fn coaches(scene: &mut Scene, rail: &[Point], train: Named) {
    let start = scene.dice.between(0.12, 0.45);
    for coach in 0..5 {
        let pose = crate::scenes::shape::along(rail, start + 0.092 * coach as f32);
        let body = pose.rectangle((0.0, 0.0), 0.12, 0.05);
        scene
            .canvas
            .fill(&moved(&body, (scene.sun.0 * 0.02, scene.sun.1 * 0.02)), BLACK.alpha(0.4));
        scene.canvas.fill(&body, train.colour);
        scene.canvas.bar(&pose.points(&[(-0.05, 0.0), (0.05, 0.0)]), 0.012, WHITE.alpha(0.5));
    }
}
