//! TIFF: grey, palette, RGB and CMYK of 1 to 16 bits; the first page.
//!
//! Floating-point and signed samples are refused: there is no telling what range they mean.

use std::io::Cursor;

use tiff::TiffError;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::Tag;
use tiff::{ColorType, TiffResult};

use super::colour::{Layout, Raw, Samples};
use super::orientation::Orientation;
use super::{PictureError, check_size};

const FORMAT: &str = "TIFF";
/// `PhotometricInterpretation`, and two of its values.
const INTERPRETATION: u16 = 262;
const BLACK_IS_ZERO: u16 = 1;
const PALETTE: u16 = 3;
const XMP: Tag = Tag::Unknown(700);

type Reader<'a> = Decoder<Cursor<&'a [u8]>>;

pub(super) fn decode(bytes: &[u8], max_pixels: u64) -> Result<Raw, PictureError> {
    let (mut reader, width, height) = open(bytes, max_pixels)?;
    let orientation = orientation(&mut reader);
    let interpretation =
        reader.find_tag_unsigned::<u16>(Tag::PhotometricInterpretation).map_err(explain)?;
    let (width, height) = (width as usize, height as usize);
    let (layout, samples) = if interpretation == Some(PALETTE) {
        let map = reader.get_tag_u16_vec(Tag::ColorMap).map_err(explain)?;
        (Layout::Rgb, Samples::Eight(palette(bytes, limits(max_pixels), &map, width)?))
    } else {
        plain(&mut reader, width)?
    };
    let (count, expected) = (samples.len(), width * height * layout.samples());
    if count != expected {
        return Err(corrupt(format!("expected {expected} samples, found {count}")));
    }
    Ok(Raw { width, height, layout, samples, orientation })
}

/// Width, height and orientation.
pub(super) fn header(
    bytes: &[u8],
    max_pixels: u64,
) -> Result<(u64, u64, Orientation), PictureError> {
    let (mut reader, width, height) = open(bytes, max_pixels)?;
    Ok((u64::from(width), u64::from(height), orientation(&mut reader)))
}

fn open(bytes: &[u8], max_pixels: u64) -> Result<(Reader<'_>, u32, u32), PictureError> {
    let reader = Decoder::new(Cursor::new(bytes)).map_err(explain)?;
    let mut reader = reader.with_limits(limits(max_pixels));
    let (width, height) = reader.dimensions().map_err(explain)?;
    check_size(FORMAT, u64::from(width), u64::from(height), max_pixels)?;
    Ok((reader, width, height))
}

/// Eight bytes for each pixel that may be read at all.
fn limits(max_pixels: u64) -> Limits {
    let mut limits = Limits::default();
    limits.decoding_buffer_size =
        usize::try_from(max_pixels.saturating_mul(8)).unwrap_or(usize::MAX);
    limits.intermediate_buffer_size = limits.decoding_buffer_size;
    limits
}

/// TIFF has the orientation among its own tags; XMP may stand in.
fn orientation(reader: &mut Reader<'_>) -> Orientation {
    match reader.find_tag_unsigned::<u16>(Tag::Orientation) {
        Ok(Some(tag)) => Orientation::from_tag(tag),
        _ => Orientation::from_metadata(None, reader.get_tag_u8_vec(XMP).ok().as_deref()),
    }
}

fn plain(reader: &mut Reader<'_>, width: usize) -> Result<(Layout, Samples), PictureError> {
    let color = reader.colortype().map_err(explain)?;
    let extra = reader.find_tag_unsigned_vec::<u16>(Tag::ExtraSamples).map_err(explain)?;
    let layout = layout(color, extra.and_then(|extra| extra.first().copied()))?;
    let samples = interleaved(reader).map_err(explain)?;
    match samples {
        DecodingResult::U8(samples) => {
            Ok((layout, Samples::Eight(widened(samples, color.bit_depth(), width))))
        }
        DecodingResult::U16(samples) if color.bit_depth() == 16 => {
            Ok((layout, Samples::Sixteen(samples)))
        }
        _ => Err(unsupported(color)),
    }
}

/// What the samples mean. The first extra sample is 0 when it says nothing, 1 for alpha that colours are
/// multiplied by, 2 for plain alpha; without the tag, Pillow takes a fourth sample for plain alpha.
fn layout(color: ColorType, extra: Option<u16>) -> Result<Layout, PictureError> {
    match (color, extra) {
        (ColorType::Gray(1 | 2 | 4 | 8 | 16), _) => Ok(Layout::Grey),
        (ColorType::GrayA(8 | 16), _) => Ok(Layout::GreyAlpha),
        (ColorType::Multiband { bit_depth: 8 | 16, num_samples: 2 }, Some(2)) => {
            Ok(Layout::GreyAlpha)
        }
        (ColorType::RGB(8 | 16), _) => Ok(Layout::Rgb),
        (ColorType::RGBA(8 | 16), Some(0)) => Ok(Layout::RgbIgnored),
        (ColorType::RGBA(8 | 16), Some(1)) => Ok(Layout::RgbaPremultiplied),
        (ColorType::RGBA(8 | 16), _) => Ok(Layout::Rgba),
        (ColorType::CMYK(8 | 16), _) => Ok(Layout::Cmyk),
        _ => Err(unsupported(color)),
    }
}

/// All samples, pixel by pixel also where the file keeps a plane for each channel.
fn interleaved(reader: &mut Reader<'_>) -> TiffResult<DecodingResult> {
    let mut samples = DecodingResult::U8(Vec::new());
    let planes = reader.read_image_to_buffer(&mut samples)?.planes;
    Ok(match samples {
        DecodingResult::U8(samples) if planes > 1 => DecodingResult::U8(weave(&samples, planes)),
        DecodingResult::U16(samples) if planes > 1 => DecodingResult::U16(weave(&samples, planes)),
        samples => samples,
    })
}

fn weave<T: Copy>(samples: &[T], planes: usize) -> Vec<T> {
    let plane = samples.len() / planes;
    (0..plane)
        .flat_map(|pixel| (0..planes).map(move |channel| samples[channel * plane + pixel]))
        .collect()
}

/// Samples of fewer than 8 bits are packed, each row from a fresh byte; they are spread over 0 to 255.
fn widened(samples: Vec<u8>, bits: u8, width: usize) -> Vec<u8> {
    if bits >= 8 {
        return samples;
    }
    let full = (1u16 << bits) - 1;
    unpacked(&samples, bits, width).map(|sample| (u16::from(sample) * 255 / full) as u8).collect()
}

fn unpacked(packed: &[u8], bits: u8, width: usize) -> impl Iterator<Item = u8> + '_ {
    let in_byte = 8 / usize::from(bits);
    let mask = ((1u16 << bits) - 1) as u8;
    packed.chunks(width.div_ceil(in_byte)).flat_map(move |row| {
        (0..width)
            .map(move |x| row[x / in_byte] >> (8 - usize::from(bits) * (x % in_byte + 1)) & mask)
    })
}

/// The decoder refuses palettes, so the file is read as grey, which yields the indices.
///
/// The map holds all reds, all greens, all blues, of 16 bits; Pillow keeps the upper 8.
fn palette(
    bytes: &[u8],
    limits: Limits,
    map: &[u16],
    width: usize,
) -> Result<Vec<u8>, PictureError> {
    let grey = as_grey(bytes)
        .ok_or_else(|| corrupt("the palette's tag is not where it should be".into()))?;
    let mut reader =
        Decoder::new(Cursor::new(grey.as_slice())).map_err(explain)?.with_limits(limits);
    let color = reader.colortype().map_err(explain)?;
    let DecodingResult::U8(indices) = interleaved(&mut reader).map_err(explain)? else {
        return Err(unsupported(color));
    };
    let indices = match color {
        ColorType::Gray(8) => indices,
        ColorType::Gray(bits @ (1 | 2 | 4)) => unpacked(&indices, bits, width).collect(),
        other => return Err(unsupported(other)),
    };
    let colours = map.len() / 3;
    let colour = |index: u8| {
        let at = usize::from(index);
        let channel = |of: usize| map.get(of * colours + at).map_or(0, |value| (value >> 8) as u8);
        if at < colours { [channel(0), channel(1), channel(2)] } else { [0; 3] }
    };
    Ok(indices.into_iter().flat_map(colour).collect())
}

/// A copy whose first page is declared to be grey.
fn as_grey(bytes: &[u8]) -> Option<Vec<u8>> {
    let big = bytes.starts_with(b"MM");
    let short = |at: usize| {
        let pair = bytes.get(at..at + 2)?.try_into().ok()?;
        Some(if big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
    };
    let quad = bytes.get(4..8)?.try_into().ok()?;
    let directory = if big { u32::from_be_bytes(quad) } else { u32::from_le_bytes(quad) } as usize;
    let entries = usize::from(short(directory)?);
    let entry = (0..entries)
        .map(|i| directory + 2 + i * 12)
        .find(|&at| short(at) == Some(INTERPRETATION))?;
    let mut grey = bytes.to_vec();
    let value = if big { BLACK_IS_ZERO.to_be_bytes() } else { BLACK_IS_ZERO.to_le_bytes() };
    grey.get_mut(entry + 8..entry + 10)?.copy_from_slice(&value);
    Some(grey)
}

fn explain(error: TiffError) -> PictureError {
    match error {
        TiffError::UnsupportedError(feature) => {
            PictureError::Unsupported { format: FORMAT, feature: feature.to_string() }
        }
        other => corrupt(other.to_string()),
    }
}

fn unsupported(color: ColorType) -> PictureError {
    PictureError::Unsupported { format: FORMAT, feature: format!("{color:?} pixels") }
}

fn corrupt(reason: String) -> PictureError {
    PictureError::Corrupt { format: FORMAT, reason }
}
