//! What stands about in aerial scenes: trees, houses, cars, planes, ships and roads.
//!
//! Each is drawn at a place that the scene chooses; none says anything about captions.

use super::land::{ASPHALT, LEAVES};
use crate::scenes::{
    Scene,
    palette::{BLACK, CARS, Colour, ROOFS, SHADOW, WHITE, rgb},
    shape::{Point, Pose, along, beside, moved},
};

impl Scene {
    /// One tree from above, with its shadow.
    pub(crate) fn tree(&mut self, at: Point, radius: f32, leaves: Colour) {
        let leaves = leaves.lit(self.dice.between(0.75, 1.3));
        let (east, south) = (self.sun.0 * radius, self.sun.1 * radius);
        self.canvas.disc((at.0 + east * 0.8, at.1 + south * 0.8), radius, SHADOW);
        self.canvas.disc(at, radius, leaves);
        let crown = (at.0 - east * 0.35, at.1 - south * 0.35);
        self.canvas.disc(crown, radius * 0.55, leaves.lit(1.35).alpha(0.7));
    }

    /// Up to `count` trees where `wanted` says yes.
    pub(crate) fn trees(&mut self, count: usize, radius: f32, wanted: impl Fn(Point) -> bool) {
        let leaves = LEAVES.mix(rgb(0x5a_7a3a), self.dice.between(0.0, 0.7));
        for _ in 0..count {
            let at = self.dice.point(0.0);
            let size = radius * self.dice.between(0.7, 1.35);
            if wanted(at) {
                self.tree(at, size, leaves);
            }
        }
    }

    /// A house with a pitched roof whose ridge runs along the pose.
    pub(crate) fn house(&mut self, pose: Pose, length: f32, width: f32, roof: Colour) {
        let roof = roof.lit(self.dice.between(0.9, 1.1));
        let outline = pose.rectangle((0.0, 0.0), length, width);
        self.shadow(&outline, width * pose.size * 0.5);
        self.canvas.fill(&outline, roof);
        let away = self.sun.0 * -pose.angle.sin() + self.sun.1 * pose.angle.cos();
        let shaded = if away > 0.0 { 1.0 } else { -1.0 };
        let half = pose.rectangle((0.0, shaded * width / 4.0), length, width / 2.0);
        self.canvas.fill(&half, BLACK.alpha(0.25));
        let ridge = pose.points(&[(-length / 2.0, 0.0), (length / 2.0, 0.0)]);
        self.canvas.bar(&ridge, 0.006, WHITE.alpha(0.45));
    }

    /// A long flat-roofed hall with ribs across its roof.
    pub(crate) fn hall(&mut self, pose: Pose, length: f32, width: f32, roof: Colour) {
        let outline = pose.rectangle((0.0, 0.0), length, width);
        self.shadow(&outline, 0.05);
        self.canvas.fill(&outline, roof);
        let ribs = (length * pose.size / 0.035) as usize;
        for rib in 1..ribs {
            let u = (rib as f32 / ribs as f32 - 0.5) * length;
            let line = pose.points(&[(u, -width / 2.0), (u, width / 2.0)]);
            self.canvas.bar(&line, 0.006, BLACK.alpha(0.16));
        }
        self.canvas.outline(&outline, 0.006, WHITE.alpha(0.5));
    }

    /// A car, driving along the pose; sizes are in lengths of a car.
    pub(crate) fn car(&mut self, pose: Pose, colour: Colour) {
        let body = pose.rectangle((0.0, 0.0), 1.0, 0.5);
        self.canvas.fill(&moved(&body, (self.sun.0 * 0.008, self.sun.1 * 0.008)), SHADOW);
        self.canvas.fill(&body, colour);
        self.canvas.fill(&pose.rectangle((0.12, 0.0), 0.16, 0.4), BLACK.alpha(0.65));
        self.canvas.fill(&pose.rectangle((-0.3, 0.0), 0.1, 0.4), BLACK.alpha(0.5));
    }

    /// A car of any colour.
    pub(crate) fn any_car(&mut self, pose: Pose) {
        let colour = self.dice.pick(CARS).colour;
        self.car(pose, colour);
    }

    /// An airliner that points along the pose; its size is its length.
    pub(crate) fn plane(&mut self, pose: Pose, colour: Colour) {
        let wings = [
            (0.12, 0.0),
            (-0.16, -0.48),
            (-0.24, -0.48),
            (-0.1, 0.0),
            (-0.24, 0.48),
            (-0.16, 0.48),
        ];
        let tail = [
            (-0.36, 0.0),
            (-0.48, -0.17),
            (-0.53, -0.17),
            (-0.46, 0.0),
            (-0.53, 0.17),
            (-0.48, 0.17),
        ];
        let parts = [pose.ellipse((0.0, 0.0), 1.0, 0.13), pose.points(&wings), pose.points(&tail)];
        let by = (self.sun.0 * 0.1 * pose.size, self.sun.1 * 0.1 * pose.size);
        self.canvas.fill_all(&parts.clone().map(|part| moved(&part, by)), SHADOW);
        self.canvas.fill_all(&parts, colour);
        for side in [-1.0, 1.0] {
            let engine = pose.rectangle((0.02, side * 0.2), 0.11, 0.05);
            self.canvas.fill(&engine, colour.lit(0.7));
        }
        self.canvas.line(
            &pose.points(&[(-0.5, 0.0), (-0.34, 0.0)]),
            0.03 * pose.size,
            colour.lit(0.6),
        );
        self.canvas.disc(pose.at(0.43, 0.0), 0.03 * pose.size, BLACK.alpha(0.6));
    }

    /// A ship that points along the pose; its size is its length.
    pub(crate) fn ship(&mut self, pose: Pose, hull: Colour) {
        let outline = pose.points(&[
            (0.5, 0.0),
            (0.34, 0.13),
            (-0.46, 0.13),
            (-0.5, 0.08),
            (-0.5, -0.08),
            (-0.46, -0.13),
            (0.34, -0.13),
        ]);
        self.shadow(&outline, 0.04 * pose.size);
        self.canvas.fill(&outline, hull);
        self.canvas.fill(&pose.rectangle((0.02, 0.0), 0.5, 0.17), hull.mix(WHITE, 0.45));
        self.canvas.fill(&pose.rectangle((-0.34, 0.0), 0.14, 0.2), WHITE);
        for hatch in [-0.12, 0.02, 0.16] {
            self.canvas.fill(&pose.rectangle((hatch, 0.0), 0.09, 0.12), hull.lit(0.6));
        }
    }

    /// A road of `width` with a broken middle line and light edges.
    pub(crate) fn road(&mut self, line: &[Point], width: f32) {
        self.canvas.bar(line, width * 1.18, WHITE.lit(0.75).alpha(0.6));
        self.canvas.bar(line, width, ASPHALT);
        self.canvas.dashes(line, width * 0.07, (0.03, 0.025), WHITE.alpha(0.9));
    }

    /// A track of bare earth.
    pub(crate) fn track(&mut self, line: &[Point], width: f32) {
        self.canvas.line(line, width, rgb(0xc4_aa80).alpha(0.9));
    }

    /// `count` cars at about equal distances on a road, keeping to the right in both directions.
    pub(crate) fn traffic(&mut self, line: &[Point], lane: f32, length: f32, count: usize) {
        for i in 0..count {
            let t = (i as f32 + self.dice.between(0.25, 0.75)) / count as f32;
            let forth = self.dice.chance(0.5);
            let lane = if forth { lane } else { -lane };
            let on_lane = along(&beside(line, lane), t);
            let turn = if forth { 0.0 } else { std::f32::consts::PI };
            self.any_car(Pose { angle: on_lane.angle + turn, size: length, ..on_lane });
        }
    }

    /// A small house of any colour for the background.
    pub(crate) fn any_house(&mut self, at: Point, angle: f32, size: f32) {
        let roof = self.dice.pick(ROOFS).colour;
        self.house(Pose::new(at, angle, size), 1.0, 0.7, roof);
    }
}
