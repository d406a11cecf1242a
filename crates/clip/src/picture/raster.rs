//! PNG, WebP, BMP and GIF, through the `image` crate's decoders.
//!
//! Palettes arrive expanded. Of an animation only the first frame is read.

use std::io::Cursor;

use image::codecs::bmp::BmpDecoder;
use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{ColorType, ImageDecoder, ImageError, Limits};

use super::colour::{Layout, Raw, Samples};
use super::orientation::Orientation;
use super::{Format, PictureError, check_size};

/// The pixels of a picture of one of these formats.
pub(super) fn decode(format: Format, bytes: &[u8], max_pixels: u64) -> Result<Raw, PictureError> {
    match format {
        Format::WebP => read("WebP", WebPDecoder::new(Cursor::new(bytes)), max_pixels),
        Format::Bmp => read("BMP", BmpDecoder::new(Cursor::new(bytes)), max_pixels),
        Format::Gif => read("GIF", GifDecoder::new(Cursor::new(bytes)), max_pixels),
        _ => {
            check_png(bytes, max_pixels)?;
            read("PNG", png(bytes), max_pixels)
        }
    }
}

/// Width, height and orientation of a picture of one of these formats.
pub(super) fn header(
    format: Format,
    bytes: &[u8],
    max_pixels: u64,
) -> Result<(u64, u64, Orientation), PictureError> {
    match format {
        Format::WebP => open("WebP", WebPDecoder::new(Cursor::new(bytes)), max_pixels)
            .map(|opened| opened.said()),
        Format::Bmp => {
            open("BMP", BmpDecoder::new(Cursor::new(bytes)), max_pixels).map(|opened| opened.said())
        }
        Format::Gif => {
            open("GIF", GifDecoder::new(Cursor::new(bytes)), max_pixels).map(|opened| opened.said())
        }
        _ => {
            check_png(bytes, max_pixels)?;
            open("PNG", png(bytes), max_pixels).map(|opened| opened.said())
        }
    }
}

/// Bytes that a PNG may unpack of what stands beside its pixels, such as a colour profile: a megabyte is much, and 1 MB of zlib can
/// hold a gigabyte. Own choice.
const ASIDE: u64 = 64 << 20;

/// Checks the size that a PNG claims. Its decoder counts a row of pixels among what is unpacked beside them.
///
/// Source: PNG, third edition, 11.2.1: the header is the first chunk, and begins with the two sides.
fn check_png(bytes: &[u8], max_pixels: u64) -> Result<(), PictureError> {
    let side = |at: usize| {
        let bytes = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(u64::from(u32::from_be_bytes(bytes)))
    };
    match (side(16), side(20)) {
        (Some(width), Some(height)) => check_size("PNG", width, height, max_pixels),
        _ => Ok(()),
    }
}

fn png(bytes: &[u8]) -> Result<PngDecoder<Cursor<&[u8]>>, ImageError> {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(ASIDE);
    PngDecoder::with_limits(Cursor::new(bytes), limits)
}

/// A file whose size was found to be fine.
struct Opened<D> {
    decoder: D,
    width: u64,
    height: u64,
    orientation: Orientation,
}

impl<D> Opened<D> {
    fn said(&self) -> (u64, u64, Orientation) {
        (self.width, self.height, self.orientation)
    }
}

fn open<D: ImageDecoder>(
    format: &'static str,
    decoder: Result<D, ImageError>,
    max_pixels: u64,
) -> Result<Opened<D>, PictureError> {
    let mut decoder = decoder.map_err(|error| explain(format, &error))?;
    let (width, height) = decoder.dimensions();
    let (width, height) = (u64::from(width), u64::from(height));
    check_size(format, width, height, max_pixels)?;
    let (exif, xmp) =
        (decoder.exif_metadata().ok().flatten(), decoder.xmp_metadata().ok().flatten());
    let orientation = Orientation::from_metadata(exif.as_deref(), xmp.as_deref());
    Ok(Opened { decoder, width, height, orientation })
}

fn read<D: ImageDecoder>(
    format: &'static str,
    decoder: Result<D, ImageError>,
    max_pixels: u64,
) -> Result<Raw, PictureError> {
    let Opened { decoder, width, height, orientation } = open(format, decoder, max_pixels)?;
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
