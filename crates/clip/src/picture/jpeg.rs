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
use bits::ScanData;
use markers::{Headers, Marker, Scan};
use scan::Reader;

const FORMAT: &str = "JPEG";
/// Far more than any encoder writes; each costs a pass over all pixels.
const MOST_SCANS: u64 = 500;
/// Pixels that all scans pass over together: ten scans, which encoders write, of the largest picture that is read by default. Own
/// choice: some seconds.
const MOST_PASSES: u64 = 4_000_000_000;

/// Decodes at the size that is stored, or, where `least` is given, at a half, a quarter or an eighth of it whose shorter side is
/// still no less than that.
pub(super) fn decode(
    bytes: &[u8],
    max_pixels: u64,
    least: Option<usize>,
) -> Result<Raw, PictureError> {
    let mut headers = Headers::new(bytes);
    let mut scans = 0;
    loop {
        match headers.next()? {
            Marker::Frame => {
                let frame = headers.frame_mut()?;
                check_size(FORMAT, frame.width as u64, frame.height as u64, max_pixels)?;
                frame.block = block_side(frame.width.min(frame.height), least);
                headers.lay_out()?;
            }
            Marker::Scan(scan) => {
                scans += 1;
                let frame = headers.frame()?;
                if scans == 1 && frame.is_all_in(&scan) {
                    let samples = whole(&headers, &scan)?;
                    return finish(headers, samples);
                }
                if scans > MOST_SCANS || scans * (frame.width * frame.height) as u64 > MOST_PASSES {
                    return Err(corrupt("it has too many scans"));
                }
                if scans == 1 {
                    headers.allocate()?;
                }
                scan::decode(&mut headers, &scan)?;
            }
            Marker::End => {
                let samples = pixels::assemble(headers.frame()?, headers.colours()?)?;
                return finish(headers, samples);
            }
        }
    }
}

/// Pixels that a block of eight gives along each side, so that the shorter side of the picture has at least `least`.
fn block_side(shorter: usize, least: Option<usize>) -> usize {
    let enough = |block: &usize| least.is_some_and(|least| (shorter * block).div_ceil(8) >= least);
    [1, 2, 4].into_iter().find(enough).unwrap_or(8)
}

/// The samples of a picture whose only scan begins here; another one would not be looked at, as in libjpeg.
fn whole(headers: &Headers<'_>, scan: &Scan) -> Result<Vec<u8>, PictureError> {
    let (frame, colours) = (headers.frame()?, headers.colours()?);
    let data = ScanData::collect(headers.data, headers.at);
    let reader = Reader::new(&data, scan, &headers.dc, &headers.ac, false);
    let samples =
        reader.and_then(|reader| pixels::stream(frame, colours, (reader, scan, headers.restart)));
    samples.map_err(|damage| corrupt(damage.reason()))
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

fn finish(headers: Headers<'_>, samples: Vec<u8>) -> Result<Raw, PictureError> {
    let orientation = Orientation::from_metadata(headers.exif, headers.xmp);
    let layout = match headers.colours()? {
        Colours::Grey => Layout::Grey,
        Colours::YCbCr | Colours::Rgb => Layout::Rgb,
        Colours::Cmyk | Colours::Ycck => Layout::CmykInverted,
    };
    let (width, height) = headers.into_frame()?.shown();
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
