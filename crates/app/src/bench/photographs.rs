//! Picture files to pixels, and to the model's input.
//!
//! The pictures are scenes of the demonstration with grain, as JPEG of quality 90 without subsampling: some two bits a pixel,
//! as photographs have.

use std::path::{Path, PathBuf};

use finelens_clip::{Decoder, Preprocess};
use finelens_finetune::Augment;
use finelens_finetune::config::AugmentConfig;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, RgbImage};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::Session;
use super::record::Measurement;
use crate::cli::Part;
use crate::number::counted;
use crate::scenes;

/// Measurements of this part.
pub(super) const COUNT: usize = 6;

const QUALITY: u8 = 90;

/// Largest change of a pixel by grain.
const GRAIN: i16 = 5;

/// Encoded pictures.
pub(super) struct Files {
    pub(super) name: String,
    /// Each a picture of its own or the same again.
    encoded: Vec<Vec<u8>>,
    /// Pixels of all of them.
    pixels: usize,
}

impl Files {
    /// Pictures as large as the usual model takes them, different ones.
    pub(super) fn small() -> anyhow::Result<Self> {
        const SIDE: u32 = 224;
        let draw = |index| jpeg(&scenes::aerial(1, index, SIDE).image);
        let encoded: Vec<_> = (0..64).into_par_iter().map(draw).collect::<anyhow::Result<_>>()?;
        let pixels = encoded.len() * (SIDE * SIDE) as usize;
        Ok(Self { name: "JPEG of 224 px".to_owned(), encoded, pixels })
    }

    /// As a camera makes them, `count` times the same; smaller where there is little time.
    pub(super) fn photographs(quick: bool, count: usize) -> anyhow::Result<Self> {
        let (width, height) = if quick { (2000, 1500) } else { (4000, 3000) };
        let square = scenes::aerial(1, 2, width).image;
        let encoded = jpeg(&image::imageops::crop_imm(&square, 0, 0, width, height).to_image())?;
        let name = format!("JPEG of {} megapixels", width * height / 1_000_000);
        Ok(Self { name, encoded: vec![encoded; count], pixels: count * (width * height) as usize })
    }

    /// Those of a folder that can be decoded; and why the others cannot.
    fn read(folder: &Path) -> anyhow::Result<(Self, Vec<String>)> {
        let read = |path: &PathBuf| {
            let bytes = fs_err::read(path).map_err(|error| error.to_string())?;
            let decoded = Decoder::default().decode(&bytes);
            let picture = decoded.map_err(|error| format!("{}: {error}", path.display()))?.picture;
            Ok((bytes, picture.width() * picture.height()))
        };
        let read: Vec<Result<_, String>> = pictures_in(folder)?.par_iter().map(read).collect();
        let (mut encoded, mut pixels, mut unreadable) = (Vec::new(), 0, Vec::new());
        for one in read {
            match one {
                Ok((bytes, of_one)) => {
                    encoded.push(bytes);
                    pixels += of_one;
                }
                Err(why) => unreadable.push(why),
            }
        }
        anyhow::ensure!(pixels > 0, "{}: no picture here can be decoded", folder.display());
        let name = format!("{} of yours", counted(encoded.len(), "file"));
        Ok((Self { name, encoded, pixels }, unreadable))
    }

    /// Writes them into a folder.
    pub(super) fn write(&self, folder: &Path) -> std::io::Result<Vec<PathBuf>> {
        let write = |(number, bytes): (usize, &Vec<u8>)| {
            let path = folder.join(format!("{number}.jpg"));
            fs_err::write(&path, bytes)?;
            Ok(path)
        };
        self.encoded.iter().enumerate().map(write).collect()
    }
}

/// Times what is wanted, on all threads.
pub(super) fn run(session: &mut Session<'_>, preprocess: &Preprocess) -> anyhow::Result<()> {
    if !session.wants(Part::Decode) || !session.next("drawing pictures") {
        return Ok(());
    }
    let all = match &session.words.pictures {
        Some(folder) => {
            let (files, unreadable) = Files::read(folder)?;
            session.unreadable = unreadable;
            vec![files]
        }
        None => vec![
            Files::small()?,
            Files::photographs(session.words.quick, rayon::current_num_threads())?,
        ],
    };
    for files in all {
        decode(session, &files)?;
        prepare(session, &files, preprocess)?;
        augment(session, &files, preprocess)?;
    }
    Ok(())
}

fn decode(session: &mut Session<'_>, files: &Files) -> anyhow::Result<()> {
    let times = session.clock.time(|| {
        let decode = |bytes: &Vec<u8>| Decoder::default().decode(bytes).map(drop);
        Ok(files.encoded.par_iter().try_for_each(decode)?)
    })?;
    let each = files.pixels as f64 / 1e6;
    let name = format!("{}, decoded", files.name);
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
    let name = format!("{} to input", files.name);
    let counted = (files.encoded.len() as f64, "images");
    session.add(Measurement::new(Part::Decode, name, counted, &times));
    session.next("reading pictures");
    Ok(())
}

fn augment(
    session: &mut Session<'_>,
    files: &Files,
    preprocess: &Preprocess,
) -> anyhow::Result<()> {
    let augment = Augment::new(&AugmentConfig::default(), preprocess, &preprocess.decoder());
    let times = session.clock.time(|| {
        let prepare = |bytes: &Vec<u8>| {
            let mut pixels = vec![0.0; preprocess.values()];
            augment.write_pixels(&augment.decode(bytes)?, 1, &mut pixels);
            Ok(())
        };
        files.encoded.par_iter().try_for_each(prepare)
    })?;
    let name = format!("{} to training input", files.name);
    let counted = (files.encoded.len() as f64, "images");
    session.add(Measurement::new(Part::Decode, name, counted, &times));
    session.next("reading pictures");
    Ok(())
}

/// Files of one's own that are measured, at most: they are held in memory.
const MOST_FILES: usize = 256;

/// The files of a folder whose names are those of pictures, in order; of many, some that are evenly spread.
pub(super) fn pictures_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    const ENDINGS: [&str; 8] = ["jpg", "jpeg", "png", "webp", "tif", "tiff", "bmp", "gif"];
    let mut paths = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        if ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str())) {
            paths.push(path);
        }
    }
    anyhow::ensure!(!paths.is_empty(), "{}: no pictures in this folder", folder.display());
    paths.sort();
    let count = paths.len().min(MOST_FILES);
    Ok((0..count).map(|i| paths[i * paths.len() / count].clone()).collect())
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
