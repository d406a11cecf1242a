//! JPEG: baseline and progressive; grey, YCbCr, RGB, CMYK and YCCK.
//!
//! Its own decoder, because the pixels of libjpeg-turbo, which Pillow uses, are wanted to the bit, and because damage must
//! be an error where libjpeg warns and paints the rest grey. No arithmetic or lossless coding, no 12 bits.
//!
//! Source: ITU-T T.81 (1992), and libjpeg-turbo 3 where the standard leaves the choice.

mod bits;
mod huffman;
mod idct;
mod markers;
mod pixels;
mod scan;
mod upsample;

use super::colour::{Layout, Raw, Samples};
use super::orientation::Orientation;
use super::{PictureError, check_size};
use markers::{Headers, Marker};

const FORMAT: &str = "JPEG";
/// Far more than any encoder writes; each costs a pass over all pixels.
const MOST_SCANS: u64 = 500;
/// Pixels that all scans pass over together: ten scans, which encoders write, of the largest picture that is read by default. Own
/// choice: some seconds.
const MOST_PASSES: u64 = 4_000_000_000;

pub(super) fn decode(bytes: &[u8], max_pixels: u64) -> Result<Raw, PictureError> {
    let mut headers = Headers::new(bytes);
    let mut scans = 0;
    loop {
        match headers.next()? {
            Marker::Frame => {
                let frame = headers.frame()?;
                check_size(FORMAT, frame.width as u64, frame.height as u64, max_pixels)?;
                headers.allocate()?;
            }
            Marker::Scan(scan) => {
                scans += 1;
                let pixels = headers.frame().map_or(0, |frame| (frame.width * frame.height) as u64);
                if scans > MOST_SCANS || scans * pixels > MOST_PASSES {
                    return Err(corrupt("it has too many scans"));
                }
                scan::decode(&mut headers, &scan)?;
            }
            Marker::End => return finish(headers),
        }
    }
}

/// Width, height and orientation: what stands before the first scan.
pub(super) fn header(
    bytes: &[u8],
    max_pixels: u64,
) -> Result<(u64, u64, Orientation), PictureError> {
    let mut headers = Headers::new(bytes);
    while let Marker::Frame = headers.next()? {}
    let orientation = Orientation::from_metadata(headers.exif, headers.xmp);
    let frame = headers.into_frame()?;
    let (width, height) = (frame.width as u64, frame.height as u64);
    check_size(FORMAT, width, height, max_pixels)?;
    Ok((width, height, orientation))
}

fn finish(headers: Headers<'_>) -> Result<Raw, PictureError> {
    let orientation = Orientation::from_metadata(headers.exif, headers.xmp);
    let colours = headers.colours()?;
    let frame = headers.into_frame()?;
    let samples = pixels::assemble(&frame, colours)?;
    let layout = match colours {
        Colours::Grey => Layout::Grey,
        Colours::YCbCr | Colours::Rgb => Layout::Rgb,
        Colours::Cmyk | Colours::Ycck => Layout::CmykInverted,
    };
    let (width, height) = (frame.width, frame.height);
    Ok(Raw { width, height, layout, samples: Samples::Eight(samples), orientation })
}

/// What the components of a file mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Colours {
    Grey,
    YCbCr,
    Rgb,
    Cmyk,
    Ycck,
}

fn corrupt(reason: &str) -> PictureError {
    PictureError::Corrupt { format: FORMAT, reason: reason.to_owned() }
}

fn unsupported(feature: &str) -> PictureError {
    PictureError::Unsupported { format: FORMAT, feature: feature.to_owned() }
}
