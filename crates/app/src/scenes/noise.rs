//! Smooth random fields: the grain of grass, sand and water.
//!
//! Value noise on a lattice, summed over octaves; cheap enough to be asked for every pixel.

use super::dice::Dice;

/// A field over the plane with values in about -1..1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Noise(u32);

impl Noise {
    /// A field of its own.
    pub(crate) fn new(dice: &mut Dice) -> Self {
        Self(dice.bits())
    }

    /// Another field, unrelated to this one.
    pub(crate) fn other(self, number: u32) -> Self {
        Self(mix(self.0 ^ number.wrapping_mul(0x9e37_79b9)))
    }

    /// The field at a point; it changes over a distance of about one.
    pub(crate) fn at(self, x: f32, y: f32) -> f32 {
        let (column, row) = (floor(x), floor(y));
        let (u, v) = (ease(x - column as f32), ease(y - row as f32));
        let top = blend(self.lattice(column, row), self.lattice(column + 1, row), u);
        let bottom = blend(self.lattice(column, row + 1), self.lattice(column + 1, row + 1), u);
        blend(top, bottom, v)
    }

    /// The sum of `octaves` fields, each twice as fine and half as strong as the one before.
    pub(crate) fn fractal(self, x: f32, y: f32, octaves: u32) -> f32 {
        let (mut sum, mut scale, mut strength) = (0.0, 1.0, 0.6);
        for octave in 0..octaves {
            let shift = octave as f32 * 17.3;
            sum += strength * self.at(x * scale + shift, y * scale - shift);
            scale *= 2.0;
            strength *= 0.55;
        }
        sum
    }

    /// The random value that belongs to one lattice point.
    pub(crate) fn lattice(self, column: i32, row: i32) -> f32 {
        let key = self.0
            ^ (column as u32).wrapping_mul(0x85eb_ca6b)
            ^ (row as u32).wrapping_mul(0xc2b2_ae35);
        mix(key) as f32 * (2.0 / 4_294_967_296.0) - 1.0
    }
}

/// Scrambles 32 bits. Source: the "lowbias32" constants found by C. Wellons's hash prospector (2018).
fn mix(mut bits: u32) -> u32 {
    bits = (bits ^ (bits >> 16)).wrapping_mul(0x7feb_352d);
    bits = (bits ^ (bits >> 15)).wrapping_mul(0x846c_a68b);
    bits ^ (bits >> 16)
}

/// The largest whole number not above `x`; `f32::floor` is a library call on plain x86-64.
fn floor(x: f32) -> i32 {
    let whole = x as i32;
    whole - i32::from(x < whole as f32)
}

fn ease(t: f32) -> f32 {
    t * t * (3.0 - 2.0 * t)
}

fn blend(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}
