//! JPEG: baseline and progressive; grey, YCbCr, RGB, CMYK and YCCK.
//!
//! Damage is an error: libjpeg would warn and paint the rest grey.

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::{DecodeErrors, UnsupportedSchemes};

use super::colour::{Layout, Raw, Samples};
use super::orientation::Orientation;
use super::{PictureError, check_size};

const FORMAT: &str = "JPEG";

pub(super) fn decode(bytes: &[u8], max_pixels: u64) -> Result<Raw, PictureError> {
    let side = usize::from(u16::MAX);
    let options =
        DecoderOptions::default().set_strict_mode(true).set_max_width(side).set_max_height(side);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(explain)?;
    let (width, height) = decoder.dimensions().ok_or_else(|| corrupt("no size in its header"))?;
    check_size(FORMAT, width as u64, height as u64, max_pixels)?;
    let (layout, wanted) = layout(decoder.input_colorspace())?;
    decoder.set_options(options.jpeg_set_out_colorspace(wanted));
    let mut samples = decoder.decode().map_err(explain)?;
    if wanted == ColorSpace::YCCK {
        ycck_to_inverted_cmyk(&mut samples);
    }
    let orientation = Orientation::from_metadata(
        decoder.exif().map(Vec::as_slice),
        decoder.xmp().map(Vec::as_slice),
    );
    Ok(Raw { width, height, layout, samples: Samples::Eight(samples), orientation })
}

/// What the samples mean, and what to ask the decoder for.
fn layout(input: Option<ColorSpace>) -> Result<(Layout, ColorSpace), PictureError> {
    match input {
        Some(ColorSpace::Luma) => Ok((Layout::Grey, ColorSpace::Luma)),
        Some(ColorSpace::YCbCr | ColorSpace::RGB) => Ok((Layout::Rgb, ColorSpace::RGB)),
        Some(space @ (ColorSpace::CMYK | ColorSpace::YCCK)) => Ok((Layout::CmykInverted, space)),
        other => Err(PictureError::Unsupported {
            format: FORMAT,
            feature: format!("colour space {other:?}"),
        }),
    }
}

/// The first three samples are YCbCr of the complement of the inks.
///
/// Source: libjpeg-turbo, `ycck_cmyk_convert` in `src/jdcolor.c`.
fn ycck_to_inverted_cmyk(samples: &mut [u8]) {
    const ONE: f64 = 65536.0;
    let fixed = |factor: f64| (factor * ONE + 0.5) as i32;
    let (red, green_red, green_blue, blue) =
        (fixed(1.402), fixed(0.71414), fixed(0.34414), fixed(1.772));
    let half = 1 << 15;
    for of in samples.chunks_exact_mut(4) {
        let [y, cb, cr] = [i32::from(of[0]), i32::from(of[1]) - 128, i32::from(of[2]) - 128];
        let ink = |add: i32| 255 - (y + add).clamp(0, 255) as u8;
        of[0] = ink((red * cr + half) >> 16);
        of[1] = ink((-green_blue * cb - green_red * cr + half) >> 16);
        of[2] = ink((blue * cb + half) >> 16);
    }
}

fn explain(error: DecodeErrors) -> PictureError {
    match error {
        DecodeErrors::Unsupported(scheme) => {
            PictureError::Unsupported { format: FORMAT, feature: coding(&scheme).to_owned() }
        }
        other => corrupt(&format!("{other:?}")),
    }
}

fn coding(scheme: &UnsupportedSchemes) -> &'static str {
    match scheme {
        UnsupportedSchemes::LosslessHuffman | UnsupportedSchemes::LosslessArithmetic => {
            "lossless coding"
        }
        UnsupportedSchemes::ExtendedSequentialHuffman => "extended sequential coding",
        _ => "arithmetic coding",
    }
}

fn corrupt(reason: &str) -> PictureError {
    PictureError::Corrupt { format: FORMAT, reason: reason.to_owned() }
}
