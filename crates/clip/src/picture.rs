//! Encoded bytes in, upright 8-bit RGB pixels out.
//!
//! Equal to Pillow's `ImageOps.exif_transpose(image).convert("RGB")`, with two deliberate exceptions: 16-bit samples are
//! scaled (Pillow clips them, which turns an X-ray white) and transparency is composited on a background (Pillow drops it).
//! It opens no file and knows nothing of what a model wants.

mod colour;
mod jpeg;
mod orientation;
mod raster;
mod resample;
mod tiff;

use std::fmt;
use std::ops::Range;

use image::ImageFormat;

use colour::Raw;
use orientation::Orientation;
pub use resample::{Area, Filter, resample};
pub(crate) use resample::{Target, resample_window};

/// 8-bit RGB pixels, row by row from the upper left; never empty.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Picture {
    /// A picture of these pixels.
    ///
    /// # Panics
    /// When a side is 0 or `rgb` does not hold `width * height * 3` bytes.
    pub fn new(width: usize, height: usize, rgb: Vec<u8>) -> Self {
        assert!(
            width > 0 && height > 0,
            "a picture has at least one pixel, got {width} x {height}"
        );
        assert_eq!(
            rgb.len(),
            width * height * 3,
            "three bytes for each of {width} x {height} pixels"
        );
        Self { width, height, rgb }
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// All bytes. # Shapes: (height, width, 3).
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// The bytes of row `y`. # Shapes: (width, 3).
    ///
    /// # Panics
    /// When there is no such row.
    pub fn row(&self, y: usize) -> &[u8] {
        &self.rgb[y * self.width * 3..][..self.width * 3]
    }

    /// A copy of these columns and rows.
    ///
    /// # Panics
    /// When the ranges are empty or reach outside the picture.
    #[must_use]
    pub fn crop(&self, columns: Range<usize>, rows: Range<usize>) -> Self {
        let mut rgb = Vec::with_capacity(columns.len() * rows.len() * 3);
        for y in rows.clone() {
            rgb.extend_from_slice(&self.row(y)[columns.start * 3..columns.end * 3]);
        }
        Self::new(columns.len(), rows.len(), rgb)
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Picture({} x {})", self.width, self.height)
    }
}

/// How encoded pictures are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoder {
    /// What shows through where a picture is transparent.
    pub background: [u8; 3],
    /// More pixels than this are refused, from the header, before any are decoded.
    pub max_pixels: u64,
}

impl Default for Decoder {
    /// A black background, and Pillow's limit for what it calls a decompression bomb.
    ///
    /// Source: Pillow 13.0, `Image._decompression_bomb_check`: twice `MAX_IMAGE_PIXELS` is an error.
    fn default() -> Self {
        Self { background: [0; 3], max_pixels: 2 * (1024 * 1024 * 1024 / 4 / 3) }
    }
}

/// A decoded picture, and what was done that Pillow would not have done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The pixels, upright.
    pub picture: Picture,
    /// Worth saying once in a log; at most one of each kind.
    pub notes: Vec<Note>,
}

/// The formats that are read, by content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Joint Photographic Experts Group.
    Jpeg,
    /// Portable Network Graphics.
    Png,
    /// Google's.
    WebP,
    /// Tagged Image File Format.
    Tiff,
    /// Windows bitmap.
    Bmp,
    /// Graphics Interchange Format.
    Gif,
}

/// What a file says of its picture before any pixel is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What kind of file it is.
    pub format: Format,
    /// Pixels in a row as they are stored, not yet turned upright.
    pub width: u64,
    /// Rows as they are stored.
    pub height: u64,
    /// Whether the pixels are stored as they are to be shown.
    pub upright: bool,
}

/// A place where this decoder differs from Pillow on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Note {
    /// Samples of 16 bits were divided by 257.
    SixteenBit,
    /// Some pixels were transparent and show the background.
    Transparent,
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::SixteenBit => "16-bit pictures are scaled to 8 bits by 1/257 (Pillow would clip or cut them)",
            Self::Transparent => "transparent pictures are composited on the background (Pillow would drop the alpha)",
        })
    }
}

/// A picture that cannot be used. The caller knows which file it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// The first bytes belong to no format that is read.
    #[error("not a JPEG, PNG, WebP, TIFF, BMP or GIF picture (it begins with {start:02x?})")]
    UnknownFormat {
        /// The first few bytes.
        start: Vec<u8>,
    },

    /// The header promises more pixels than [`Decoder::max_pixels`].
    #[error("{width} x {height} pixels are more than the limit of {max_pixels}")]
    TooLarge {
        /// Pixels in a row.
        width: u64,
        /// Rows.
        height: u64,
        /// The limit.
        max_pixels: u64,
    },

    /// A valid picture of a kind that is not read.
    #[error("{format} with {feature} is not supported")]
    Unsupported {
        /// JPEG, PNG and so on.
        format: &'static str,
        /// What stands in the way.
        feature: String,
    },

    /// Cut short or damaged.
    #[error("corrupt or truncated {format}: {reason}")]
    Corrupt {
        /// JPEG, PNG and so on.
        format: &'static str,
        /// The decoder's words.
        reason: String,
    },
}

impl Decoder {
    /// Decodes JPEG, PNG, WebP, TIFF, BMP or GIF (the first frame), recognised by content.
    ///
    /// A picture that is cut short or damaged is an error, never half a picture.
    pub fn decode(&self, bytes: &[u8]) -> Result<Decoded, PictureError> {
        self.decode_whole_or_at_least(bytes, None)
    }

    /// The same, but a JPEG whose sides are much longer than `shorter_px` may come at a half, a quarter or an eighth of its size, its
    /// shorter side still that long. It is several times as fast, and what libjpeg gives at that scale.
    ///
    /// Not for what is compared with other pictures: the same picture stored as PNG comes whole.
    pub fn decode_at_least(
        &self,
        bytes: &[u8],
        shorter_px: usize,
    ) -> Result<Decoded, PictureError> {
        self.decode_whole_or_at_least(bytes, Some(shorter_px))
    }

    fn decode_whole_or_at_least(
        &self,
        bytes: &[u8],
        shorter_px: Option<usize>,
    ) -> Result<Decoded, PictureError> {
        let raw = match format(bytes)? {
            Format::Jpeg => jpeg::decode(bytes, self.max_pixels, shorter_px)?,
            Format::Tiff => tiff::decode(bytes, self.max_pixels)?,
            format => raster::decode(format, bytes, self.max_pixels)?,
        };
        Ok(self.finish(raw))
    }

    /// Reads what stands before the pixels, and refuses what [`Decoder::decode`] would refuse for its size.
    pub fn header(&self, bytes: &[u8]) -> Result<Header, PictureError> {
        let format = format(bytes)?;
        let (width, height, orientation) = match format {
            Format::Jpeg => jpeg::header(bytes, self.max_pixels)?,
            Format::Tiff => tiff::header(bytes, self.max_pixels)?,
            format => raster::header(format, bytes, self.max_pixels)?,
        };
        Ok(Header { format, width, height, upright: orientation == Orientation::UPRIGHT })
    }

    fn finish(&self, raw: Raw) -> Decoded {
        let mut notes = Vec::new();
        if raw.is_sixteen_bit() {
            notes.push(Note::SixteenBit);
        }
        let orientation = raw.orientation;
        let (picture, transparent) = raw.into_rgb(self.background);
        if transparent {
            notes.push(Note::Transparent);
        }
        Decoded { picture: orientation.apply(picture), notes }
    }
}

fn format(bytes: &[u8]) -> Result<Format, PictureError> {
    match image::guess_format(bytes) {
        Ok(ImageFormat::Jpeg) => Ok(Format::Jpeg),
        Ok(ImageFormat::Png) => Ok(Format::Png),
        Ok(ImageFormat::WebP) => Ok(Format::WebP),
        Ok(ImageFormat::Tiff) => Ok(Format::Tiff),
        Ok(ImageFormat::Bmp) => Ok(Format::Bmp),
        Ok(ImageFormat::Gif) => Ok(Format::Gif),
        _ => Err(PictureError::UnknownFormat { start: bytes[..bytes.len().min(8)].to_vec() }),
    }
}

/// Refuses what would not fit before anything is allocated for it.
fn check_size(
    format: &'static str,
    width: u64,
    height: u64,
    max_pixels: u64,
) -> Result<(), PictureError> {
    if width == 0 || height == 0 {
        return Err(PictureError::Corrupt {
            format,
            reason: format!("it has {width} x {height} pixels"),
        });
    }
    if width.saturating_mul(height) > max_pixels {
        return Err(PictureError::TooLarge { width, height, max_pixels });
    }
    Ok(())
}
