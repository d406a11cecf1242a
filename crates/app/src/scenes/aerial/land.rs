//! The ground and the water of an aerial scene, and the light over it.
//!
//! Each kind of ground has the words that captions use for it.

use crate::scenes::{
    Scene,
    noise::Noise,
    palette::{BLACK, Colour, Named, SHADOW, WATERS, rgb},
    shape::{Point, moved},
};

/// A kind of ground.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Land {
    /// What captions call it, with choices; fits after "on".
    pub(crate) words: &'static str,
    base: Colour,
    /// The colour it shades into.
    patch: Colour,
    /// How strong its grain is.
    grain: f32,
}

pub(crate) const GRASS: Land = Land {
    words: "[green grass|grass|a(n) green lawn|green meadows]",
    base: rgb(0x6a_9048),
    patch: rgb(0x4c_7638),
    grain: 0.10,
};
pub(crate) const DRY: Land = Land {
    words: "[dry grass|yellow grass|withered grass]",
    base: rgb(0xb0_a468),
    patch: rgb(0x90_8a54),
    grain: 0.10,
};
pub(crate) const SOIL: Land = Land {
    words: "[bare ground|bare soil|brown earth]",
    base: rgb(0x96_7252),
    patch: rgb(0x7c_5c42),
    grain: 0.09,
};
pub(crate) const SAND: Land = Land {
    words: "[sand|sandy ground|yellow sand]",
    base: rgb(0xd8_c294),
    patch: rgb(0xc6_aa78),
    grain: 0.05,
};
pub(crate) const CONCRETE: Land = Land {
    words: "[concrete|grey concrete|a(n) concrete surface]",
    base: rgb(0xa6_a6a2),
    patch: rgb(0x94_9492),
    grain: 0.05,
};
pub(crate) const SNOW: Land = Land {
    words: "[snow|white snow|snow covered ground]",
    base: rgb(0xe8_ecf2),
    patch: rgb(0xd2_dae6),
    grain: 0.03,
};

/// Ground that anything can be built on.
pub(crate) const LANDS: &[Land] = &[GRASS, GRASS, DRY, SOIL, SAND, CONCRETE, SNOW];

pub(crate) const ASPHALT: Colour = rgb(0x5c_5e62);
pub(crate) const LEAVES: Colour = rgb(0x2c_4c2a);
pub(crate) const SHORE: Colour = rgb(0xdc_c89c);

impl Land {
    /// The colour of this ground at a place.
    pub(crate) fn at(&self, noise: Noise, x: f32, y: f32) -> Colour {
        let broad = noise.fractal(x * 3.0, y * 3.0, 3) * 1.4;
        let fine = noise.at(x * 90.0, y * 90.0) + 0.6 * noise.at(x * 37.0, y * 41.0);
        self.base.mix(self.patch, (broad + 0.5).clamp(0.0, 1.0)).lit(1.0 + self.grain * fine)
    }
}

/// The colour of water at a place: broad shades and fine ripples.
pub(crate) fn water_at(water: Colour, noise: Noise, x: f32, y: f32) -> Colour {
    let broad = noise.fractal(x * 3.0, y * 3.0, 2);
    let ripple = noise.at(x * 60.0 + y * 30.0, y * 90.0 - x * 20.0);
    water.lit(1.0 + 0.12 * broad + 0.07 * ripple)
}

impl Scene {
    /// Covers everything with `land`.
    pub(crate) fn ground(&mut self, land: Land) {
        let noise = self.noise;
        self.canvas.cover(|x, y| land.at(noise, x, y));
    }

    /// One kind of ground for the whole picture.
    pub(crate) fn any_ground(&mut self) -> Land {
        let land = self.dice.pick(LANDS);
        self.ground(land);
        land
    }

    /// Fills an outline with `land`.
    pub(crate) fn patch(&mut self, outline: &[Point], land: Land) {
        let noise = self.noise.other(3);
        self.canvas.texture(outline, |x, y| land.at(noise, x, y));
    }

    /// Fills an outline with water, with a darker rim where the bank shades it.
    pub(crate) fn pool(&mut self, outline: &[Point], water: Colour) {
        let noise = self.noise.other(5);
        self.canvas.texture(outline, |x, y| water_at(water, noise, x, y));
        self.canvas.outline(outline, 0.008, BLACK.alpha(0.25));
    }

    /// A colour of water.
    pub(crate) fn any_water(&mut self) -> Named {
        self.dice.pick(WATERS)
    }

    /// The shadow of a flat-topped thing: its outline, swept away from the sun.
    pub(crate) fn shadow(&mut self, outline: &[Point], height: f32) {
        let by = (self.sun.0 * height, self.sun.1 * height);
        let mut parts = vec![moved(outline, by)];
        for i in 0..outline.len() {
            let (a, b) = (outline[i], outline[(i + 1) % outline.len()]);
            parts.push(vec![a, b, (b.0 + by.0, b.1 + by.1), (a.0 + by.0, a.1 + by.1)]);
        }
        self.canvas.fill_all(&parts, SHADOW);
    }
}
