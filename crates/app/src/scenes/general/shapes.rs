//! Geometric shapes: one, several, in relation to each other, inside each other.

use crate::scenes::{
    Scene,
    palette::{Colour, Named},
    phrase::{Facts, list, number, place},
    shape::{Point, Pose, distance, star},
};
use std::f32::consts::{FRAC_PI_2, FRAC_PI_4, TAU};

/// The shapes, with an s for the plural.
const SHAPES: &[&str] = &[
    "[circle|disc]",
    "square",
    "triangle",
    "star",
    "rectangle",
    "[oval|ellipse]",
    "hexagon",
    "ring",
    "[diamond|rhombus]",
    "[cross|plus sign]",
];

/// Sizes and their words.
const SIZES: &[(f32, &str)] = &[(0.16, "[small|little]"), (0.27, ""), (0.4, "[large|big]")];

/// Draws a shape that fills a circle around its pose.
fn draw(scene: &mut Scene, shape: &str, pose: Pose, colour: Colour) {
    let up = Pose { angle: pose.angle - FRAC_PI_2, ..pose };
    let outline = match shape {
        "square" => pose.rectangle((0.0, 0.0), 1.6, 1.6),
        "triangle" => star(up, 3, 1.0),
        "star" => star(up, 5, 0.42),
        "rectangle" => pose.rectangle((0.0, 0.0), 2.0, 1.0),
        "[oval|ellipse]" => pose.ellipse((0.0, 0.0), 2.0, 1.15),
        "hexagon" => star(pose, 6, 1.0),
        "[diamond|rhombus]" => pose.points(&[(-0.7, 0.0), (0.0, -1.0), (0.7, 0.0), (0.0, 1.0)]),
        "ring" => {
            return scene.canvas.outline(
                &pose.ellipse((0.0, 0.0), 1.6, 1.6),
                pose.size * 0.36,
                colour,
            );
        }
        "[cross|plus sign]" => {
            scene.canvas.fill(&pose.rectangle((0.0, 0.0), 1.8, 0.55), colour);
            pose.rectangle((0.0, 0.0), 0.55, 1.8)
        }
        _ => pose.ellipse((0.0, 0.0), 2.0, 2.0),
    };
    scene.canvas.fill(&outline, colour);
}

/// What people say about one.
const ONE: &[&str] = &[
    "a(n) {size} {ink} {shape} {place}",
    "a(n) {ink} {shape} on {paper} [paper|ground]",
    "[there is|we see] a(n) {size} {ink} {shape} {place} on a(n) {paper} [background|ground]",
    "{place} [is|there is] a(n) {ink} {shape}",
    "one {size} {shape} in {ink}",
];

pub(super) fn one(scene: &mut Scene) -> Vec<String> {
    let paper = scene.paper();
    let (shape, ink, (size, word)) =
        (scene.dice.pick(SHAPES), scene.ink(&[paper]), scene.dice.pick(SIZES));
    let at = scene.dice.point(0.22);
    let turn = scene.dice.pick(&[0.0, 0.0, 0.4]);
    draw(scene, shape, Pose::new(at, turn, size), ink.colour);
    let facts = Facts::default()
        .with("shape", shape)
        .with("ink", ink.word)
        .with("size", word)
        .with("place", place(at))
        .with("paper", paper.word);
    facts.captions(&mut scene.dice, ONE)
}

/// What people say about several.
const SEVERAL: &[&str] = &[
    "{n} {ink} {shape} {order}",
    "{n} {shape} on {paper} [paper|ground]",
    "[there are|we see] {n} {ink} {shape} on a(n) {paper} [background|ground]",
    "{n} {ink} {shape} are {order}",
    "{n} {shape} are {ink} and {order}",
];

pub(super) fn several(scene: &mut Scene) -> Vec<String> {
    let paper = scene.paper();
    let (shape, ink) = (scene.dice.pick(SHAPES), scene.ink(&[paper]));
    let count = scene.dice.whole(2, 12);
    let (order, spots) = arrange(scene, count);
    for &(at, size) in &spots {
        draw(scene, shape, Pose::new(at, 0.0, size), ink.colour);
    }
    let facts = Facts::default()
        .counting(count)
        .with("shape", plural(shape))
        .with("ink", ink.word)
        .with("order", order)
        .with("paper", paper.word);
    facts.captions(&mut scene.dice, SEVERAL)
}

/// Places for `count` things with the words for their order.
pub(super) fn arrange(scene: &mut Scene, count: usize) -> (&'static str, Vec<(Point, f32)>) {
    let step = 1.0 / count as f32;
    match scene.dice.whole(0, 3) {
        0 if count < 8 => {
            let v = scene.dice.between(0.3, 0.7);
            let row =
                (0..count).map(|i| (((i as f32 + 0.5) * step, v), (step * 0.4).min(0.2))).collect();
            ("[in a row|side by side|next to each other]", row)
        }
        1 if count < 8 => {
            let u = scene.dice.between(0.3, 0.7);
            let column =
                (0..count).map(|i| ((u, (i as f32 + 0.5) * step), (step * 0.4).min(0.2))).collect();
            ("[on top of each other|in a column|one above the other]", column)
        }
        2 => {
            let columns = (count as f32).sqrt().ceil() as usize;
            let rows = count.div_ceil(columns);
            let cell = 1.0 / columns.max(rows) as f32;
            let at = |i: usize| {
                (
                    ((i % columns) as f32 + 0.5) / columns as f32,
                    ((i / columns) as f32 + 0.5) / rows as f32,
                )
            };
            (
                "[in rows|neatly arranged|arranged in rows]",
                (0..count).map(|i| (at(i), cell * 0.34)).collect(),
            )
        }
        _ => ("[scattered|spread out|in different places]", scatter(scene, count)),
    }
}

fn scatter(scene: &mut Scene, count: usize) -> Vec<(Point, f32)> {
    let size = 0.3 / (count as f32).sqrt();
    let mut spots: Vec<(Point, f32)> = Vec::new();
    for _ in 0..400 {
        let at = scene.dice.point(size);
        if spots.len() < count && spots.iter().all(|&(p, _)| distance(p, at) > size * 2.1) {
            spots.push((at, size));
        }
    }
    while spots.len() < count {
        let i = spots.len();
        spots.push((((i as f32 * 0.37).fract(), (i as f32 * 0.61).fract()), size * 0.6));
    }
    spots
}

/// The four relations of a first thing to a second: words and the two places.
const RELATIONS: &[(&str, Point, Point)] = &[
    ("[left of|to the left of]", (0.27, 0.5), (0.73, 0.5)),
    ("[right of|to the right of]", (0.73, 0.5), (0.27, 0.5)),
    ("[above|over]", (0.5, 0.26), (0.5, 0.74)),
    ("[below|under]", (0.5, 0.74), (0.5, 0.26)),
    ("[to the upper left of|diagonally above]", (0.27, 0.27), (0.73, 0.73)),
    ("[beside|next to|near]", (0.27, 0.5), (0.73, 0.5)),
];

/// What people say about relation.
const RELATION: &[&str] = &[
    "{an} {ai} {a} {relation} {bn} {bi} {b}",
    "{an} {a} {relation} {bn} {b}",
    "{bn} {bi} {b} and {an} {ai} {a}",
    "[we see|there is] {an} {ai} {a} {relation} {bn} {bi} {b} on {paper} paper",
    "{an} {ai} {a} with {bn} {bi} {b}",
];

pub(super) fn relation(scene: &mut Scene) -> Vec<String> {
    let paper = scene.paper();
    let (relation, first, second) = scene.dice.pick(RELATIONS);
    let inks: [Named; 2] = {
        let one = scene.ink(&[paper]);
        [one, scene.ink(&[paper, one])]
    };
    let shapes = scene.dice.several(SHAPES, 2);
    let counts = [scene.dice.whole(1, 3), scene.dice.whole(1, 2)];
    for (i, at) in [first, second].into_iter().enumerate() {
        group(scene, shapes[i], at, counts[i], inks[i].colour);
    }
    let name = |i: usize| if counts[i] == 1 { shapes[i].to_owned() } else { plural(shapes[i]) };
    let facts = Facts::default()
        .with("a", name(0))
        .with("b", name(1))
        .with("relation", relation)
        .with("paper", paper.word);
    let facts = facts
        .with("ai", inks[0].word)
        .with("bi", inks[1].word)
        .with("an", number(counts[0]))
        .with("bn", number(counts[1]));
    facts.captions(&mut scene.dice, RELATION)
}

/// Up to three shapes close together.
fn group(scene: &mut Scene, shape: &str, centre: Point, count: usize, colour: Colour) {
    let size = [0.18, 0.1, 0.09][count - 1];
    for i in 0..count {
        let (sin, cos) = (i as f32 * TAU / count as f32 + FRAC_PI_4).sin_cos();
        let reach = if count == 1 { 0.0 } else { 0.13 };
        draw(
            scene,
            shape,
            Pose::new((centre.0 + cos * reach, centre.1 + sin * reach), 0.0, size),
            colour,
        );
    }
}

/// What people say about nested.
const NESTED: &[&str] = &[
    "a(n) {ii} {core} [inside|in|in the middle of] a(n) {oi} {outer}",
    "a(n) {oi} {outer} around a(n) {ii} {core}",
    "a(n) {ii} {core} is surrounded by a(n) {oi} {outer}",
    "a(n) {oi} {outer} with a(n) {ii} {core} in its [middle|centre]",
    "a(n) {core} in a(n) {oi} {outer} on {paper} paper",
];

pub(super) fn nested(scene: &mut Scene) -> Vec<String> {
    let paper = scene.paper();
    let outer = scene.ink(&[paper]);
    let inner = scene.ink(&[outer]);
    let shapes = scene.dice.several(&["[circle|disc]", "square", "hexagon", "[oval|ellipse]"], 1);
    let core = scene.dice.pick(SHAPES);
    let at = scene.dice.point(0.4);
    draw(scene, shapes[0], Pose::new(at, 0.0, 0.38), outer.colour);
    draw(scene, core, Pose::new(at, 0.0, 0.17), inner.colour);
    let facts = Facts::default()
        .with("outer", shapes[0])
        .with("core", core)
        .with("oi", outer.word)
        .with("ii", inner.word)
        .with("paper", paper.word);
    facts.captions(&mut scene.dice, NESTED)
}

/// What people say about mixture.
const MIXTURE: &[&str] = &[
    "{all}",
    "{all} on {paper} paper",
    "{n} shapes in {inks}",
    "{first} on the left and {last} on the right",
    "[from left to right|in a row], {all}",
];

pub(super) fn mixture(scene: &mut Scene) -> Vec<String> {
    let paper = scene.paper();
    let count = scene.dice.whole(3, 4);
    let shapes = scene.dice.several(SHAPES, count);
    let mut inks: Vec<Named> = Vec::new();
    for i in 0..count {
        let mut taken = inks.clone();
        taken.push(paper);
        inks.push(scene.ink(&taken));
        let at = ((i as f32 + 0.5) / count as f32, 0.5 + scene.dice.spread(0.25));
        draw(scene, shapes[i], Pose::new(at, 0.0, 0.42 / count as f32), inks[i].colour);
    }
    let things: Vec<String> =
        (0..count).map(|i| format!("a(n) {} {}", inks[i].word, shapes[i])).collect();
    let words: Vec<&str> = inks.iter().map(|ink| ink.word).collect();
    let facts =
        Facts::default().with("all", list(&things.iter().map(String::as_str).collect::<Vec<_>>()));
    let facts = facts
        .counting(count)
        .with("inks", list(&words))
        .with("paper", paper.word)
        .with("first", things[0].clone())
        .with("last", things[count - 1].clone());
    facts.captions(&mut scene.dice, MIXTURE)
}

/// The plural of every choice in a name.
pub(super) fn plural(name: &str) -> String {
    let one = |word: &str| match word {
        "cross" => "crosses".to_owned(),
        "rhombus" => "rhombuses".to_owned(),
        "lorry" => "lorries".to_owned(),
        _ => format!("{word}s"),
    };
    match name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inside) => format!("[{}]", inside.split('|').map(one).collect::<Vec<_>>().join("|")),
        None => one(name),
    }
}
