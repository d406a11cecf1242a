//! The last step to the model's numbers: mirrored, recoloured and normalised in one pass over a picture of the model's size.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined is compiled for the instructions found at run time"
)]

use super::Levels;
use crate::picture::Picture;

/// What happens to a picture on its way to the model's numbers; by default nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Finish {
    /// Left and right exchanged.
    pub flip_horizontal: bool,
    /// Top and bottom exchanged.
    pub flip_vertical: bool,
    /// Other colours.
    pub colours: Option<Recolouring>,
}

/// A linear map of colours, whose results are rounded to bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recolouring {
    /// A row for each new channel, with a factor for each old one.
    pub matrix: [[f32; 3]; 3],
    /// Added to all three.
    pub offset: f32,
}

/// Plain loops, compiled for each level of vector instructions, chosen at run time.
pub(super) struct Pass<'a> {
    pub(super) picture: &'a Picture,
    pub(super) levels: &'a Levels,
    pub(super) finish: &'a Finish,
    /// (3, S, S)
    pub(super) pixels: &'a mut [f32],
}

impl pulp::NullaryFnOnce for Pass<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let (width, height) = (self.picture.width(), self.picture.height());
        let mut channels = [vec![0; width], vec![0; width], vec![0; width]];
        for y in 0..height {
            let from = if self.finish.flip_vertical { height - 1 - y } else { y };
            split(self.picture.row(from), &mut channels);
            if let Some(colours) = &self.finish.colours {
                recolour(&mut channels, colours);
            }
            for (channel, bytes) in channels.iter_mut().enumerate() {
                if self.finish.flip_horizontal {
                    bytes.reverse();
                }
                let levels = &self.levels.0[channel];
                let row = &mut self.pixels[(channel * height + y) * width..][..width];
                for (value, &byte) in row.iter_mut().zip(bytes.iter()) {
                    *value = levels[usize::from(byte)];
                }
            }
        }
    }
}

/// Each channel of a row on its own.
#[inline(always)]
fn split(row: &[u8], channels: &mut [Vec<u8>; 3]) {
    let [red, green, blue] = channels;
    let to = red.iter_mut().zip(green.iter_mut()).zip(blue.iter_mut());
    for (((red, green), blue), from) in to.zip(row.as_chunks::<3>().0) {
        [*red, *green, *blue] = *from;
    }
}

#[inline(always)]
fn recolour(channels: &mut [Vec<u8>; 3], colours: &Recolouring) {
    let [red, green, blue] = channels;
    let pixels = red.iter_mut().zip(green.iter_mut()).zip(blue.iter_mut());
    for ((red, green), blue) in pixels {
        let old = [f32::from(*red), f32::from(*green), f32::from(*blue)];
        let [first, second, third] = &colours.matrix;
        *red = byte(first, &old, colours.offset);
        *green = byte(second, &old, colours.offset);
        *blue = byte(third, &old, colours.offset);
    }
}

/// Rounded to nearest; `f32::round` would be a call for each value.
#[inline(always)]
fn byte(factors: &[f32; 3], colour: &[f32; 3], offset: f32) -> u8 {
    let value = factors[0] * colour[0] + factors[1] * colour[1] + factors[2] * colour[2] + offset;
    let value = if value > 0.0 { value } else { 0.0 };
    let value = if value < 255.0 { value } else { 255.0 };
    (value + 0.5) as i32 as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Preprocess;

    fn noise(side: usize) -> Picture {
        let mut state = 3u32;
        let mut byte = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        Picture::new(side, side, (0..side * side * 3).map(|_| byte()).collect())
    }

    /// Pixel by pixel, in f64.
    fn slow(picture: &Picture, finish: &Finish) -> Picture {
        let side = picture.width();
        let mut rgb = Vec::new();
        for y in 0..side {
            for x in 0..side {
                let row = picture.row(if finish.flip_vertical { side - 1 - y } else { y });
                let x = if finish.flip_horizontal { side - 1 - x } else { x };
                let old = &row[3 * x..3 * x + 3];
                match &finish.colours {
                    None => rgb.extend(old),
                    Some(colours) => rgb.extend(colours.matrix.iter().map(|factors| {
                        let terms = factors.iter().zip(old);
                        let sum: f64 = terms.map(|(f, c)| f64::from(*f) * f64::from(*c)).sum();
                        (sum + f64::from(colours.offset)).round().clamp(0.0, 255.0) as u8
                    })),
                }
            }
        }
        Picture::new(side, side, rgb)
    }

    #[test]
    fn one_pass_does_what_three_would() {
        let picture = noise(37);
        let preprocess = Preprocess::clip(37);
        let matrix = [[1.0973, -0.2019, 0.0517], [0.1031, 0.8977, 0.0], [-0.3049, 0.2027, 1.2511]];
        let colours = Some(Recolouring { matrix, offset: 7.2637 });
        for (flip_horizontal, flip_vertical, colours) in [
            (false, false, None),
            (true, false, None),
            (false, true, None),
            (true, true, colours),
            (false, false, colours),
        ] {
            let finish = Finish { flip_horizontal, flip_vertical, colours };
            let (mut fast, mut obvious) = (vec![0.0; 3 * 37 * 37], vec![0.0; 3 * 37 * 37]);
            preprocess.finished(&picture, &finish, &mut fast);
            preprocess.normalise(&slow(&picture, &finish), &mut obvious);
            let step = preprocess.levels.0[0][1] - preprocess.levels.0[0][0];
            let off = fast.iter().zip(&obvious).filter(|(a, b)| a != b).count();
            // Where the exact value lies between two bytes, f32 may take the other one.
            assert!(off <= fast.len() / 1000, "{finish:?}: {off}");
            assert!(fast.iter().zip(&obvious).all(|(a, b)| (a - b).abs() < 1.1 * step));
        }
    }
}
