//! Picture files to pixels, and to the model's input.
//!
//! The pictures are scenes of the demonstration with grain, as JPEG of quality 90 without subsampling: some two bits a pixel,
//! as photographs have.

use finelens_clip::{Decoder, Preprocess};
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, RgbImage};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::Session;
use super::record::Measurement;
use crate::cli::Part;
use crate::scenes;

/// Measurements of this part.
pub(super) const COUNT: usize = 4;

const QUALITY: u8 = 90;

/// Largest change of a pixel by grain.
const GRAIN: i16 = 5;

/// Files of one size.
struct Files {
    name: &'static str,
    /// Encoded, each a picture of its own or the same again.
    encoded: Vec<Vec<u8>>,
    pixels: usize,
}

/// Times what is wanted, on all threads.
pub(super) fn run(session: &mut Session<'_>, preprocess: &Preprocess) -> anyhow::Result<()> {
    if !session.wants(Part::Decode) || !session.next("drawing pictures") {
        return Ok(());
    }
    let large = if session.words.quick { (2000, 1500) } else { (4000, 3000) };
    let threads = rayon::current_num_threads();
    for files in [small()?, photograph(large, threads)?] {
        decode(session, &files)?;
        prepare(session, &files, preprocess)?;
    }
    Ok(())
}

fn decode(session: &mut Session<'_>, files: &Files) -> anyhow::Result<()> {
    let times = session.clock.time(|| {
        let decode = |bytes: &Vec<u8>| Decoder::default().decode(bytes).map(drop);
        Ok(files.encoded.par_iter().try_for_each(decode)?)
    })?;
    let each = (files.encoded.len() * files.pixels) as f64 / 1e6;
    let name = format!("JPEG of {}, decoded", files.name);
    session.add(Measurement::new(Part::Decode, name, (each, "Mpixel"), &times));
    session.next("reading pictures");
    Ok(())
}

fn prepare(
    session: &mut Session<'_>,
    files: &Files,
    preprocess: &Preprocess,
) -> anyhow::Result<()> {
    let times = session.clock.time(|| {
        let prepare = |bytes: &Vec<u8>| {
            let decoded = preprocess.decoder().decode(bytes)?;
            drop(preprocess.pixels(&decoded.picture));
            Ok(())
        };
        files.encoded.par_iter().try_for_each(prepare)
    })?;
    let name = format!("JPEG of {} to input", files.name);
    let counted = (files.encoded.len() as f64, "images");
    session.add(Measurement::new(Part::Decode, name, counted, &times));
    session.next("reading pictures");
    Ok(())
}

/// Pictures as large as the usual model takes them, different ones.
fn small() -> anyhow::Result<Files> {
    const SIDE: u32 = 224;
    let draw = |index| jpeg(&scenes::aerial(1, index, SIDE).image);
    let encoded = (0..64).into_par_iter().map(draw).collect::<anyhow::Result<_>>()?;
    Ok(Files { name: "224 px", encoded, pixels: (SIDE * SIDE) as usize })
}

/// As a camera makes them; one for each thread, all the same.
fn photograph((width, height): (u32, u32), threads: usize) -> anyhow::Result<Files> {
    let square = scenes::aerial(1, 2, width).image;
    let encoded = jpeg(&image::imageops::crop_imm(&square, 0, 0, width, height).to_image())?;
    let name = if width == 4000 { "12 megapixels" } else { "3 megapixels" };
    Ok(Files { name, encoded: vec![encoded; threads], pixels: (width * height) as usize })
}

fn jpeg(picture: &RgbImage) -> anyhow::Result<Vec<u8>> {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut rgb = picture.as_raw().clone();
    for pixel in rgb.chunks_exact_mut(3) {
        let grain = random.random_range(-GRAIN..=GRAIN);
        for value in pixel {
            *value = value.saturating_add_signed(grain as i8);
        }
    }
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode(
        &rgb,
        picture.width(),
        picture.height(),
        ExtendedColorType::Rgb8,
    )?;
    Ok(bytes)
}
