//! PNG, WebP, BMP and GIF, through the `image` crate's decoders.
//!
//! Palettes arrive expanded. Of an animation only the first frame is read.

use std::io::Cursor;

use image::codecs::bmp::BmpDecoder;
use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{ColorType, ImageDecoder, ImageError};

use super::colour::{Layout, Raw, Samples};
use super::orientation::Orientation;
use super::{PictureError, check_size};

pub(super) fn png(bytes: &[u8], max_pixels: u64) -> Result<Raw, PictureError> {
    let format = "PNG";
    read(
        format,
        PngDecoder::new(Cursor::new(bytes)).map_err(|error| explain(format, &error))?,
        max_pixels,
    )
}

pub(super) fn webp(bytes: &[u8], max_pixels: u64) -> Result<Raw, PictureError> {
    let format = "WebP";
    read(
        format,
        WebPDecoder::new(Cursor::new(bytes)).map_err(|error| explain(format, &error))?,
        max_pixels,
    )
}

pub(super) fn bmp(bytes: &[u8], max_pixels: u64) -> Result<Raw, PictureError> {
    let format = "BMP";
    read(
        format,
        BmpDecoder::new(Cursor::new(bytes)).map_err(|error| explain(format, &error))?,
        max_pixels,
    )
}

pub(super) fn gif(bytes: &[u8], max_pixels: u64) -> Result<Raw, PictureError> {
    let format = "GIF";
    read(
        format,
        GifDecoder::new(Cursor::new(bytes)).map_err(|error| explain(format, &error))?,
        max_pixels,
    )
}

fn read(
    format: &'static str,
    mut decoder: impl ImageDecoder,
    max_pixels: u64,
) -> Result<Raw, PictureError> {
    let (width, height) = decoder.dimensions();
    check_size(format, u64::from(width), u64::from(height), max_pixels)?;
    let (exif, xmp) =
        (decoder.exif_metadata().ok().flatten(), decoder.xmp_metadata().ok().flatten());
    let orientation = Orientation::from_metadata(exif.as_deref(), xmp.as_deref());
    let (layout, wide) = layout(format, decoder.color_type())?;
    let mut bytes = vec![0; decoder.total_bytes() as usize];
    decoder.read_image(&mut bytes).map_err(|error| explain(format, &error))?;
    let samples = if wide { Samples::Sixteen(native_pairs(&bytes)) } else { Samples::Eight(bytes) };
    Ok(Raw { width: width as usize, height: height as usize, layout, samples, orientation })
}

/// What the samples mean, and whether they have 16 bits.
fn layout(format: &'static str, color: ColorType) -> Result<(Layout, bool), PictureError> {
    match color {
        ColorType::L8 => Ok((Layout::Grey, false)),
        ColorType::La8 => Ok((Layout::GreyAlpha, false)),
        ColorType::Rgb8 => Ok((Layout::Rgb, false)),
        ColorType::Rgba8 => Ok((Layout::Rgba, false)),
        ColorType::L16 => Ok((Layout::Grey, true)),
        ColorType::La16 => Ok((Layout::GreyAlpha, true)),
        ColorType::Rgb16 => Ok((Layout::Rgb, true)),
        ColorType::Rgba16 => Ok((Layout::Rgba, true)),
        other => Err(PictureError::Unsupported { format, feature: format!("{other:?} pixels") }),
    }
}

/// `image` hands 16-bit samples over as bytes in the machine's own order.
fn native_pairs(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks_exact(2).map(|pair| u16::from_ne_bytes([pair[0], pair[1]])).collect()
}

fn explain(format: &'static str, error: &ImageError) -> PictureError {
    match error {
        ImageError::Unsupported(feature) => {
            PictureError::Unsupported { format, feature: feature.to_string() }
        }
        other => PictureError::Corrupt { format, reason: other.to_string() },
    }
}
