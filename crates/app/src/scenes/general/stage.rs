//! What is behind the things: paper, sky, and the ground up to a horizon.

use crate::scenes::{
    Scene,
    palette::{BRIGHT, Colour, Named, WHITE, rgb},
    shape::{Point, upright},
};

/// A sky: the words, the colour above and the colour at the horizon.
pub(crate) const SKIES: &[(&str, Colour, Colour)] = &[
    ("a blue sky", rgb(0x4a_90d8), rgb(0xb0_d8f0)),
    ("a blue sky", rgb(0x3a_7cc8), rgb(0xa8_d0ec)),
    ("a grey sky", rgb(0x84_8c96), rgb(0xb8_bec4)),
    ("[a(n) orange sky|an evening sky]", rgb(0xd8_6a3c), rgb(0xf8_c878)),
    ("[a pink sky|a pink evening sky]", rgb(0xc8_6c94), rgb(0xf4_c4c4)),
    ("[a dark night sky|a dark sky]", rgb(0x10_1a38), rgb(0x2c_3c68)),
];

/// A ground: the words that fit after "on", its colour, and how coarse its grain is.
pub(crate) const GROUNDS: &[(&str, Colour, f32)] = &[
    ("[green grass|grass|a(n) green meadow|a(n) green lawn]", rgb(0x5a_9440), 40.0),
    ("[dry grass|yellow grass]", rgb(0xb4_a660), 40.0),
    ("[bare ground|brown earth|bare soil]", rgb(0x8c_6a4a), 30.0),
    ("[sand|yellow sand|sandy ground]", rgb(0xdc_c694), 60.0),
    ("[snow|white snow]", rgb(0xec_f0f4), 14.0),
    ("[concrete|grey concrete|a grey floor]", rgb(0xa4_a4a2), 70.0),
];

/// Waters: the words and the colour.
pub(crate) const WATERS: &[Named] = &[
    Named { word: "blue", colour: rgb(0x2e_72ac) },
    Named { word: "dark blue", colour: rgb(0x1c_3e6c) },
    Named { word: "green", colour: rgb(0x40_7e66) },
    Named { word: "turquoise", colour: rgb(0x40_b0b4) },
    Named { word: "brown", colour: rgb(0x8c_7250) },
];

/// Papers that most colours stand out on.
const PAPERS: &[Named] = &[
    Named { word: "white", colour: WHITE },
    Named { word: "grey", colour: rgb(0xc4_c6c8) },
    Named { word: "[dark|black]", colour: rgb(0x2a_2c30) },
    Named { word: "light blue", colour: rgb(0xb8_d8f0) },
    Named { word: "light green", colour: rgb(0xc8_e6b8) },
    Named { word: "yellow", colour: rgb(0xf8_ecb0) },
    Named { word: "pink", colour: rgb(0xf6_d2dc) },
];

/// How different two colours are, from 0 to 3.
fn apart(one: &Named, other: &Named) -> f32 {
    let (a, b) = (one.colour, other.colour);
    (a.r - b.r).abs() + (a.g - b.g).abs() + (a.b - b.b).abs()
}

impl Scene {
    /// Covers everything with paper and returns its colour.
    pub(crate) fn paper(&mut self) -> Named {
        let paper = self.dice.pick(PAPERS);
        let noise = self.noise;
        self.canvas
            .cover(|x, y| paper.colour.lit(1.0 + 0.03 * noise.fractal(x * 20.0, y * 20.0, 2)));
        paper
    }

    /// A bright colour that stands out from `others`.
    pub(crate) fn ink(&mut self, others: &[Named]) -> Named {
        let clear: Vec<Named> = BRIGHT
            .iter()
            .copied()
            .filter(|ink| {
                others.iter().all(|other| ink.word != other.word && apart(ink, other) > 0.55)
            })
            .collect();
        let unused =
            || BRIGHT.iter().copied().find(|ink| others.iter().all(|other| ink.word != other.word));
        if clear.is_empty() { unused().unwrap_or(BRIGHT[0]) } else { self.dice.pick(&clear) }
    }

    /// Covers everything with a sky, with stars at night; returns its words.
    pub(crate) fn sky(&mut self) -> &'static str {
        let (words, above, below) = self.dice.pick(SKIES);
        self.canvas.cover(|_, y| above.mix(below, y * 1.3));
        if words.contains("night") {
            for _ in 0..30 {
                let at = self.dice.point(0.0);
                self.canvas.disc(at, 0.005, WHITE.alpha(0.9));
            }
        }
        words
    }

    /// Draws some ground from `horizon` down; returns its words.
    pub(crate) fn land(&mut self, horizon: f32) -> &'static str {
        let (words, colour, grain) = self.dice.pick(GROUNDS);
        self.earth(&upright(-0.1, horizon, 1.1, 1.1), colour, grain);
        words
    }

    /// Fills an outline with grainy ground.
    pub(crate) fn earth(&mut self, outline: &[Point], colour: Colour, grain: f32) {
        let noise = self.noise;
        self.canvas.texture(outline, |x, y| {
            let fine = noise.at(x * grain * 2.0, y * grain * 2.0);
            colour
                .lit(1.0 + 0.13 * noise.fractal(x * grain * 0.25, y * grain * 0.4, 3) + 0.06 * fine)
        });
    }

    /// Draws rippled water from `horizon` down.
    pub(crate) fn waves(&mut self, horizon: f32, colour: Colour) {
        let noise = self.noise;
        self.canvas.texture(&upright(-0.1, horizon, 1.1, 1.1), |x, y| {
            let ripple = noise.at(x * 14.0, y * 70.0) + 0.5 * noise.at(x * 40.0, y * 120.0);
            colour.lit(1.0 + 0.11 * ripple)
        });
    }
}
