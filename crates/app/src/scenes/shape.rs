//! Outlines in the unit square: what is drawn, before it has a colour.
//!
//! x runs to the right and y down, both from 0 to 1; angles are in radians, clockwise.

use super::dice::Dice;
use std::f32::consts::TAU;

/// A place in the unit square, x then y.
pub(crate) type Point = (f32, f32);

/// Where a thing stands, which way it points and how large it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pose {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) angle: f32,
    pub(crate) size: f32,
}

impl Pose {
    /// At `at`, pointing along `angle`, with things measured in units of `size`.
    pub(crate) fn new(at: Point, angle: f32, size: f32) -> Self {
        Self { x: at.0, y: at.1, angle, size }
    }

    /// The place `u` ahead and `v` to the right of this pose.
    pub(crate) fn at(&self, u: f32, v: f32) -> Point {
        let (sin, cos) = self.angle.sin_cos();
        (self.x + self.size * (u * cos - v * sin), self.y + self.size * (u * sin + v * cos))
    }

    /// All of `points`, seen from this pose.
    pub(crate) fn points(&self, points: &[Point]) -> Vec<Point> {
        points.iter().map(|&(u, v)| self.at(u, v)).collect()
    }

    /// A rectangle around the place (`u`, `v`), `length` along and `width` across.
    pub(crate) fn rectangle(&self, (u, v): Point, length: f32, width: f32) -> Vec<Point> {
        let (l, w) = (length / 2.0, width / 2.0);
        self.points(&[(u - l, v - w), (u + l, v - w), (u + l, v + w), (u - l, v + w)])
    }

    /// An ellipse around the place (`u`, `v`), `length` along and `width` across.
    pub(crate) fn ellipse(&self, (u, v): Point, length: f32, width: f32) -> Vec<Point> {
        let corner = |i| {
            let (sin, cos) = (i as f32 * TAU / 28.0).sin_cos();
            self.at(u + cos * length / 2.0, v + sin * width / 2.0)
        };
        (0..28).map(corner).collect()
    }
}

/// An upright rectangle from its left, top, right and bottom.
pub(crate) fn upright(left: f32, top: f32, right: f32, bottom: f32) -> Vec<Point> {
    vec![(left, top), (right, top), (right, bottom), (left, bottom)]
}

/// A regular polygon, or with `inner` below 1 a star with `corners` rays.
pub(crate) fn star(pose: Pose, corners: usize, inner: f32) -> Vec<Point> {
    let ray = |i: usize| {
        let (sin, cos) = (i as f32 * TAU / (2 * corners) as f32).sin_cos();
        let reach = if i.is_multiple_of(2) { 1.0 } else { inner };
        pose.at(cos * reach, sin * reach)
    };
    (0..2 * corners).filter(|i| inner < 1.0 || i.is_multiple_of(2)).map(ray).collect()
}

/// Part of a circle, from one angle to another.
pub(crate) fn arc(centre: Point, radius: f32, from: f32, to: f32) -> Vec<Point> {
    let step = |i| {
        let (sin, cos) = (from + (to - from) * i as f32 / 20.0).sin_cos();
        (centre.0 + radius * cos, centre.1 + radius * sin)
    };
    (0..=20).map(step).collect()
}

/// A closed, irregular, rounded outline: a pond, a clearing, a cloud of trees.
pub(crate) fn blob(dice: &mut Dice, centre: Point, radius: f32, unrest: f32) -> Vec<Point> {
    let turn = dice.between(0.0, TAU);
    let corners: Vec<Point> = (0..9)
        .map(|i| {
            let (sin, cos) = (turn + i as f32 * TAU / 9.0).sin_cos();
            let reach = radius * (1.0 + dice.spread(unrest));
            (centre.0 + cos * reach, centre.1 + sin * reach)
        })
        .collect();
    smooth_ring(&corners)
}

/// A smooth open line through `points`.
pub(crate) fn smooth(points: &[Point]) -> Vec<Point> {
    let last = points.len() - 1;
    let mut line = Vec::with_capacity(last * 6 + 1);
    for i in 0..last {
        let around =
            [points[i.saturating_sub(1)], points[i], points[i + 1], points[(i + 2).min(last)]];
        line.extend((0..6).map(|step| spline(around, step as f32 / 6.0)));
    }
    line.push(points[last]);
    line
}

/// A smooth closed line through `points`.
pub(crate) fn smooth_ring(points: &[Point]) -> Vec<Point> {
    let count = points.len();
    let corner = |i: usize| points[i % count];
    (0..count * 5)
        .map(|step| {
            let i = step / 5 + count - 1;
            let around = [corner(i), corner(i + 1), corner(i + 2), corner(i + 3)];
            spline(around, (step % 5) as f32 / 5.0)
        })
        .collect()
}

/// Catmull and Rom's spline between the middle two of four points.
fn spline([a, b, c, d]: [Point; 4], t: f32) -> Point {
    let axis = |a: f32, b: f32, c: f32, d: f32| {
        b + 0.5 * t * (c - a + t * (2.0 * a - 5.0 * b + 4.0 * c - d + t * (3.0 * (b - c) + d - a)))
    };
    (axis(a.0, b.0, c.0, d.0), axis(a.1, b.1, c.1, d.1))
}

/// The pose at the share `t` of the way along a line, pointing along it, of size 1.
pub(crate) fn along(line: &[Point], t: f32) -> Pose {
    let length: f32 = line.windows(2).map(|pair| distance(pair[0], pair[1])).sum();
    let mut left = t.clamp(0.0, 1.0) * length;
    for pair in line.windows(2) {
        let step = distance(pair[0], pair[1]);
        let angle = (pair[1].1 - pair[0].1).atan2(pair[1].0 - pair[0].0);
        if left <= step || pair[1] == line[line.len() - 1] {
            let share = if step > 0.0 { left / step } else { 0.0 };
            return Pose::new(between(pair[0], pair[1], share), angle, 1.0);
        }
        left -= step;
    }
    Pose::new(line[0], 0.0, 1.0)
}

/// The line that keeps `offset` to the right of `line`.
pub(crate) fn beside(line: &[Point], offset: f32) -> Vec<Point> {
    let last = line.len() - 1;
    (0..=last)
        .map(|i| {
            let (from, to) = (line[i.saturating_sub(1)], line[(i + 1).min(last)]);
            Pose::new(line[i], (to.1 - from.1).atan2(to.0 - from.0), 1.0).at(0.0, offset)
        })
        .collect()
}

/// A band of `width` around `line`, as a closed outline.
pub(crate) fn ribbon(line: &[Point], width: f32) -> Vec<Point> {
    let mut outline = beside(line, width / 2.0);
    outline.extend(beside(line, -width / 2.0).into_iter().rev());
    outline
}

/// `points` moved by `by`.
pub(crate) fn moved(points: &[Point], by: Point) -> Vec<Point> {
    points.iter().map(|&(x, y)| (x + by.0, y + by.1)).collect()
}

/// How far apart two points are.
pub(crate) fn distance(a: Point, b: Point) -> f32 {
    let (dx, dy) = (a.0 - b.0, a.1 - b.1);
    (dx * dx + dy * dy).sqrt()
}

/// The point at the share `t` of the way from `a` to `b`.
pub(crate) fn between(a: Point, b: Point, t: f32) -> Point {
    (a.0 + (b.0 - a.0) * t, a.1 + (b.1 - a.1) * t)
}
