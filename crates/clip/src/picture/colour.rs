//! What decoders hand over, turned into 8-bit RGB.
//!
//! No colour management: embedded profiles and gamma are ignored, as Pillow's `convert("RGB")` ignores them.

use super::Picture;
use super::orientation::Orientation;

/// Meaning of the samples of one pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    Grey,
    GreyAlpha,
    Rgb,
    /// Colour, then one sample that says nothing.
    RgbIgnored,
    Rgba,
    /// Colour that is already multiplied by its alpha.
    RgbaPremultiplied,
    /// 0 is no ink.
    Cmyk,
    /// 255 is no ink: Adobe's way in JPEG.
    CmykInverted,
}

impl Layout {
    pub(super) fn samples(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::GreyAlpha => 2,
            Self::Rgb => 3,
            Self::RgbIgnored
            | Self::Rgba
            | Self::RgbaPremultiplied
            | Self::Cmyk
            | Self::CmykInverted => 4,
        }
    }
}

/// Samples as they stand in the file.
pub(super) enum Samples {
    Eight(Vec<u8>),
    Sixteen(Vec<u16>),
}

impl Samples {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Eight(samples) => samples.len(),
            Self::Sixteen(samples) => samples.len(),
        }
    }
}

/// A decoded but not yet converted picture.
pub(super) struct Raw {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) layout: Layout,
    pub(super) samples: Samples,
    pub(super) orientation: Orientation,
}

impl Raw {
    pub(super) fn is_sixteen_bit(&self) -> bool {
        matches!(self.samples, Samples::Sixteen(_))
    }

    /// 8-bit RGB, and whether the background shows anywhere.
    pub(super) fn into_rgb(self, background: [u8; 3]) -> (Picture, bool) {
        let samples = match self.samples {
            Samples::Eight(samples) => samples,
            Samples::Sixteen(samples) => samples.into_iter().map(scale).collect(),
        };
        let transparent = is_transparent(self.layout, &samples);
        let rgb = match self.layout {
            Layout::Rgb => samples,
            layout => samples
                .chunks_exact(layout.samples())
                .flat_map(|of| colour(layout, of, background))
                .collect(),
        };
        (Picture::new(self.width, self.height, rgb), transparent)
    }
}

/// 65,535 / 257 = 255, so both ends are kept; rounded to nearest.
fn scale(sample: u16) -> u8 {
    ((u32::from(sample) + 128) / 257) as u8
}

fn is_transparent(layout: Layout, samples: &[u8]) -> bool {
    match layout {
        Layout::GreyAlpha => samples.iter().skip(1).step_by(2).any(|&alpha| alpha < 255),
        Layout::Rgba | Layout::RgbaPremultiplied => {
            samples.iter().skip(3).step_by(4).any(|&alpha| alpha < 255)
        }
        _ => false,
    }
}

fn colour(layout: Layout, of: &[u8], background: [u8; 3]) -> [u8; 3] {
    match layout {
        Layout::Grey => [of[0]; 3],
        Layout::GreyAlpha => background.map(|under| over(of[0], of[1], under)),
        Layout::Rgb | Layout::RgbIgnored => [of[0], of[1], of[2]],
        Layout::Rgba => [0, 1, 2].map(|channel| over(of[channel], of[3], background[channel])),
        Layout::RgbaPremultiplied => {
            [0, 1, 2].map(|channel| of[channel].saturating_add(over(0, of[3], background[channel])))
        }
        Layout::Cmyk => [0, 1, 2].map(|channel| paper(of[channel], of[3])),
        Layout::CmykInverted => [0, 1, 2].map(|channel| paper(255 - of[channel], 255 - of[3])),
    }
}

/// A colour over an opaque background, rounded to nearest.
///
/// Source: Pillow, `src/libImaging/AlphaComposite.c`, for an opaque destination.
fn over(colour: u8, alpha: u8, under: u8) -> u8 {
    let alpha = u32::from(alpha);
    divide_by_255(u32::from(colour) * alpha + u32::from(under) * (255 - alpha)) as u8
}

/// What is left of white paper under this ink and black.
///
/// Source: Pillow, `cmyk2rgb` in `src/libImaging/Convert.c`.
fn paper(ink: u8, black: u8) -> u8 {
    let bright = 255 - u32::from(black);
    (bright - divide_by_255(u32::from(ink) * bright)) as u8
}

/// Exact rounding division for products of two bytes.
fn divide_by_255(product: u32) -> u32 {
    let sum = product + 128;
    ((sum >> 8) + sum) >> 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_by_255_rounds_to_nearest() {
        for product in 0..=255 * 255 {
            assert_eq!(divide_by_255(product), (f64::from(product) / 255.0).round() as u32);
        }
    }

    #[test]
    fn sixteen_bits_keep_black_white_and_every_grey() {
        for grey in 0..=255 {
            assert_eq!(scale(u16::from(grey) * 257), grey);
        }
        assert_eq!((scale(128), scale(129)), (0, 1), "half a step rounds");
    }

    #[test]
    fn opaque_hides_and_transparent_shows_the_background() {
        assert_eq!(over(200, 255, 9), 200);
        assert_eq!(over(200, 0, 9), 9);
        assert_eq!(
            colour(Layout::RgbaPremultiplied, &[100, 0, 0, 128], [0, 0, 255]),
            [100, 0, 127]
        );
    }
}
