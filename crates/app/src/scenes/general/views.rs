//! Objects in their places: counted, in pairs, under a sky.

use super::{
    object::{OBJECTS, Object, Place},
    shapes::plural,
};
use crate::scenes::{
    Scene,
    palette::{Named, WHITE, rgb},
    phrase::{Facts, list},
    shape::{Pose, upright},
};

/// Draws sky and what lies under an object at home in `home`; returns the words for both.
fn background(scene: &mut Scene, home: Place) -> (&'static str, String) {
    let sky = scene.sky();
    let below = match home {
        Place::Ground => format!("on {}", scene.land(0.62)),
        Place::Sky => {
            let land = scene.land(0.88);
            format!("[over|above] {land}")
        }
        Place::Road => {
            scene.land(0.5);
            scene.earth(&upright(-0.1, 0.62, 1.1, 0.86), rgb(0x60_6266), 60.0);
            scene.canvas.dashes(&[(-0.1, 0.82), (1.1, 0.82)], 0.012, (0.08, 0.06), WHITE);
            "on a(n) [road|grey road|street]".to_owned()
        }
        Place::Rail => {
            scene.land(0.5);
            scene.earth(&upright(-0.1, 0.7, 1.1, 0.82), rgb(0x86_7a6e), 60.0);
            scene.canvas.dashes(
                &[(-0.1, 0.775), (1.1, 0.775)],
                0.025,
                (0.02, 0.03),
                rgb(0x5c_4c40),
            );
            scene.canvas.bar(&[(-0.1, 0.763), (1.1, 0.763)], 0.012, rgb(0xd0_d0d0));
            "on [a railway|rails|a railway track|the track]".to_owned()
        }
        Place::Water => {
            let water = scene.dice.pick(super::stage::WATERS);
            scene.waves(0.55, water.colour);
            format!("[on|in] [{0} water|the {0} sea|a(n) {0} lake]", water.word)
        }
    };
    (sky, below)
}

/// How high the lower edge of things at home in `home` is.
fn level(scene: &mut Scene, home: Place, size: f32) -> f32 {
    match home {
        Place::Ground | Place::Road | Place::Rail => 0.76 - size * 0.5,
        Place::Water => scene.dice.between(0.66, 0.8) - size * 0.5,
        Place::Sky => scene.dice.between(0.25, 0.6),
    }
}

/// What people say about counted.
const COUNTED: &[&str] = &[
    "{n} {ink} {name} {below}",
    "{n} {name} {below} under {sky}",
    "{n} {ink} {name} {stand} {below}",
    "[there <is|are>|we see] {n} {ink} {name} under {sky}",
    "{n} {ink} {name}",
    "{n} {name} {stand} {below}",
];

pub(super) fn counted(scene: &mut Scene) -> Vec<String> {
    let object: Object = scene.dice.pick(OBJECTS);
    let (sky, below) = background(scene, object.place);
    let (count, ink) = (scene.dice.whole(1, 6), scene.dice.pick(crate::scenes::palette::BRIGHT));
    let size = if count == 1 { scene.dice.between(0.35, 0.6) } else { 0.84 / count.max(2) as f32 };
    let v = level(scene, object.place, size);
    let seat = scene.dice.between(0.3, 0.7);
    for i in 0..count {
        let u = if count == 1 { seat } else { (i as f32 + 0.5) / count as f32 };
        let bob = if object.place == Place::Sky { scene.dice.spread(0.12) } else { 0.0 };
        (object.draw)(scene, Pose::new((u, v + bob), 0.0, size), ink.colour);
    }
    let name = if count == 1 { object.name.to_owned() } else { plural(object.name) };
    let facts = Facts::default()
        .counting(count)
        .with("name", name)
        .with("ink", ink.word)
        .with("sky", sky)
        .with("below", below);
    let facts = facts.with(
        "stand",
        match object.place {
            Place::Road => "<is|are> [parked|standing|]",
            Place::Sky => "<flies|fly>",
            Place::Water | Place::Rail => "<is|are>",
            Place::Ground => "<stands|stand>",
        },
    );
    facts.captions(&mut scene.dice, COUNTED)
}

/// What people say about pair.
const PAIR: &[&str] = &[
    "a(n) {ai} {a} {words} a(n) {bi} {b}",
    "a(n) {a} {words} a(n) {b} {below}",
    "a(n) {bi} {b} and a(n) {ai} {a} {below}",
    "[there is|we see] a(n) {ai} {a} {words} a(n) {b}",
    "a(n) {ai} {a} with a(n) {bi} {b}",
];

pub(super) fn pair(scene: &mut Scene) -> Vec<String> {
    let on_paper = scene.dice.chance(0.5);
    let picked = scene.dice.several(OBJECTS, 2);
    let paper = scene.paper();
    let below = if on_paper {
        format!("on {} paper", paper.word)
    } else {
        background(scene, Place::Ground).1
    };
    let (first, second): (Named, Named) = (scene.ink(&[paper]), scene.ink(&[paper]));
    let (words, a, b) = scene.dice.pick(&[
        ("[left of|to the left of]", (0.27, 0.55), (0.73, 0.55)),
        ("[right of|to the right of]", (0.73, 0.55), (0.27, 0.55)),
        ("[beside|next to|near|close to]", (0.27, 0.55), (0.73, 0.55)),
        ("[above|over]", (0.5, 0.26), (0.5, 0.74)),
        ("[below|under]", (0.5, 0.74), (0.5, 0.26)),
    ]);
    (picked[0].draw)(scene, Pose::new(a, 0.0, 0.4), first.colour);
    (picked[1].draw)(scene, Pose::new(b, 0.0, 0.4), second.colour);
    let facts = Facts::default()
        .with("a", picked[0].name)
        .with("b", picked[1].name)
        .with("words", words)
        .with("below", below);
    let facts = facts.with("ai", first.word).with("bi", second.word);
    facts.captions(&mut scene.dice, PAIR)
}

/// What people say about collection.
const COLLECTION: &[&str] = &[
    "{n} {inks} {name} {order}",
    "{n} {name} {order} on {paper} paper",
    "{inks} {name} {order}",
    "[there are|we see] {n} {name}, {order}",
    "{n} {name} in {inks}",
    "{n} {inks} {name} on a(n) {paper} [background|ground]",
];

pub(super) fn collection(scene: &mut Scene) -> Vec<String> {
    let paper = scene.paper();
    let object: Object = scene.dice.pick(OBJECTS);
    let count = scene.dice.whole(2, 12);
    let inks = {
        let one = scene.ink(&[paper]);
        [one, scene.ink(&[paper])]
    };
    let (order, spots) = super::shapes::arrange(scene, count);
    for (i, &(at, size)) in spots.iter().enumerate() {
        (object.draw)(scene, Pose::new(at, 0.0, size * 2.0), inks[i % 2].colour);
    }
    let facts =
        Facts::default().counting(count).with("name", plural(object.name)).with("order", order);
    let facts = facts.with("inks", list(&[inks[0].word, inks[1].word])).with("paper", paper.word);
    facts.captions(&mut scene.dice, COLLECTION)
}
