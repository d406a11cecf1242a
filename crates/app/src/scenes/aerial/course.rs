//! The ways in which a river, a road or a runway can cross a picture.

use crate::scenes::{
    dice::Dice,
    shape::{Point, between, smooth},
};
use std::f32::consts::PI;

/// A line from edge to edge and the words for its direction.
pub(crate) struct Course {
    pub(crate) from: Point,
    pub(crate) to: Point,
    /// Fits after "a road runs".
    pub(crate) words: &'static str,
}

impl Course {
    /// One of the four straight directions, somewhat off the middle.
    pub(crate) fn any(dice: &mut Dice) -> Self {
        let (a, b) = (dice.between(0.3, 0.7), dice.spread(0.08));
        match dice.whole(0, 3) {
            0 => Self {
                from: (-0.1, a),
                to: (1.1, a + b),
                words: "[from left to right|horizontally]",
            },
            1 => {
                Self { from: (a, -0.1), to: (a + b, 1.1), words: "[from top to bottom|vertically]" }
            }
            2 => Self {
                from: (-0.1, -0.1 + b),
                to: (1.1, 1.1 + b),
                words: "[diagonally from|from] the upper left to the lower right",
            },
            _ => Self {
                from: (-0.1, 1.1 + b),
                to: (1.1, -0.1 + b),
                words: "[diagonally from|from] the lower left to the upper right",
            },
        }
    }

    /// The angle of the straight line.
    pub(crate) fn angle(&self) -> f32 {
        (self.to.1 - self.from.1).atan2(self.to.0 - self.from.0)
    }

    /// The straight line.
    pub(crate) fn straight(&self) -> Vec<Point> {
        vec![self.from, self.to]
    }

    /// A single gentle bend.
    pub(crate) fn bent(&self, bend: f32) -> Vec<Point> {
        self.winding(bend, 1.0, 0.0)
    }

    /// A line that swings to both sides, `waves` times half a period.
    pub(crate) fn winding(&self, swing: f32, waves: f32, start: f32) -> Vec<Point> {
        let (sin, cos) = self.angle().sin_cos();
        let corners: Vec<Point> = (0..=10)
            .map(|i| {
                let t = i as f32 / 10.0;
                let (x, y) = between(self.from, self.to, t);
                let off = swing * (start + t * waves * PI).sin();
                (x - sin * off, y + cos * off)
            })
            .collect();
        smooth(&corners)
    }
}
