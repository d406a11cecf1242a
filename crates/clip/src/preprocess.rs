//! A picture of any size in, the numbers that the vision tower takes out.
//!
//! Driven by `preprocessor_config.json` and equal to the PIL path of `transformers`' `CLIPImageProcessor`: resize, crop,
//! rescale, normalise. Resize and crop are one step, so that no picture, however long and thin, costs more memory than
//! the crop. It does not decode, and what it does not know it refuses rather than guesses.

mod config;
mod finish;
mod open_clip;

use std::ops::Range;
use std::path::Path;

use serde_json::{Map, Value};

use crate::Error;
use crate::picture::{Area, Decoder, Filter, Picture, Target, resample, resample_window};

pub use finish::{Finish, Recolouring};

/// How a picture becomes the input of one model.
#[derive(Clone, Debug, PartialEq)]
pub struct Preprocess {
    /// The file as it was read, so that the same is written back.
    file: Map<String, Value>,
    resize: Option<Resize>,
    filter: Filter,
    crop: Option<usize>,
    size: usize,
    background: [u8; 3],
    levels: Levels,
}

/// The sizes that a picture can be brought to before the crop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resize {
    /// The shorter side gets this length, the other keeps its proportion.
    ShortestEdge(usize),
    /// Both sides get these lengths.
    Exact { width: usize, height: usize },
}

/// From a byte to the model's number, by channel.
#[derive(Clone, Debug, PartialEq)]
struct Levels(Vec<[f32; 256]>);

impl Preprocess {
    /// CLIP's own preprocessing for pictures of `size` x `size`: bicubic, centre crop, its mean and deviation.
    ///
    /// Source: `openai/clip-vit-base-patch32`, `preprocessor_config.json`.
    pub fn clip(size: usize) -> Self {
        config::clip(size)
    }

    /// Reads `preprocessor_config.json` in `dir`, or the image part of `processor_config.json`.
    pub fn load(dir: &Path) -> Result<Self, Error> {
        config::load(dir)
    }

    /// Writes `preprocessor_config.json` into `dir`, with every key that was read.
    pub fn save(&self, dir: &Path) -> Result<(), Error> {
        config::save(&self.file, dir)
    }

    /// Side of the square that the model sees.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The kernel that pictures are resized with.
    pub fn filter(&self) -> Filter {
        self.filter
    }

    /// A decoder with the background that this model was trained on; black unless the file has a `background`.
    pub fn decoder(&self) -> Decoder {
        Decoder { background: self.background, ..Decoder::default() }
    }

    /// The whole way. # Shapes: (3, S, S).
    pub fn pixels(&self, picture: &Picture) -> Vec<f32> {
        let mut pixels = vec![0.0; self.values()];
        self.write_pixels(picture, &mut pixels);
        pixels
    }

    /// The same, into a place of a batch.
    ///
    /// # Shapes
    /// `pixels`: (3, S, S).
    pub fn write_pixels(&self, picture: &Picture, pixels: &mut [f32]) {
        self.normalise(&self.resized(picture), pixels);
    }

    /// Numbers of one picture: 3 S S.
    pub fn values(&self) -> usize {
        3 * self.size * self.size
    }

    /// A square part of a picture as the model sees it, its surroundings taking part at the rim as in Pillow's
    /// `resize(box=...)`.
    ///
    /// The part is brought to S x S at once, whatever the resize before the crop, so that all of it is seen.
    ///
    /// # Shapes
    /// (3, S, S).
    pub fn pixels_of(&self, picture: &Picture, area: Area) -> Vec<f32> {
        let mut pixels = vec![0.0; self.values()];
        self.normalise(&resample(picture, area, self.size, self.size, self.filter), &mut pixels);
        pixels
    }

    /// Resized and cropped to S x S, still in bytes. Where the picture falls short of the crop there is black.
    pub fn resized(&self, picture: &Picture) -> Picture {
        let (width, height) = self.resized_size(picture.width(), picture.height());
        let (columns, rows) = (self.window(width), self.window(height));
        let target = Target { width, height, columns, rows };
        self.padded(resample_window(picture, Area::of(picture), &target, self.filter))
    }

    /// Bytes of an S x S picture to the model's numbers, a plane for each channel.
    ///
    /// # Shapes
    /// `pixels`: (3, S, S).
    ///
    /// # Panics
    /// When the picture or the slice has another size.
    pub fn normalise(&self, picture: &Picture, pixels: &mut [f32]) {
        self.finished(picture, &Finish::default(), pixels);
    }

    /// The same of a picture that is mirrored or recoloured on the way.
    ///
    /// # Shapes
    /// `pixels`: (3, S, S).
    ///
    /// # Panics
    /// When the picture or the slice has another size.
    pub fn finished(&self, picture: &Picture, finish: &Finish, pixels: &mut [f32]) {
        assert_eq!(
            (picture.width(), picture.height()),
            (self.size, self.size),
            "a picture of the model's size"
        );
        assert_eq!(pixels.len(), self.values(), "room for three planes");
        let pass = finish::Pass { picture, levels: &self.levels, finish, pixels };
        pulp::Arch::new().dispatch(pass);
    }

    /// Width and height after the resize, before the crop.
    ///
    /// Source: `transformers`, `get_resize_output_image_size` in `image_transforms.py`: the long side is cut, not rounded.
    fn resized_size(&self, width: usize, height: usize) -> (usize, usize) {
        match self.resize {
            None => (width, height),
            Some(Resize::Exact { width, height }) => (width, height),
            Some(Resize::ShortestEdge(edge)) => {
                let long =
                    |long: usize, short: usize| ((edge * long) as f64 / short as f64) as usize;
                if width <= height {
                    (edge, long(height, width))
                } else {
                    (long(width, height), edge)
                }
            }
        }
    }

    /// The part of a resized side that the centre crop keeps.
    fn window(&self, length: usize) -> Range<usize> {
        match self.crop {
            Some(crop) if length > crop => {
                let start = (length - crop) / 2;
                start..start + crop
            }
            _ => 0..length,
        }
    }

    /// Puts a picture that is smaller than the crop in the middle of black; the odd pixel goes before it.
    ///
    /// Source: `transformers`, `center_crop` in `image_transforms.py`.
    fn padded(&self, picture: Picture) -> Picture {
        let size = self.size;
        if (picture.width(), picture.height()) == (size, size) {
            return picture;
        }
        let left = (size - picture.width()).div_ceil(2);
        let top = (size - picture.height()).div_ceil(2);
        let mut rgb = vec![0; size * size * 3];
        for y in 0..picture.height() {
            let row = picture.row(y);
            rgb[((top + y) * size + left) * 3..][..row.len()].copy_from_slice(row);
        }
        Picture::new(size, size, rgb)
    }
}

impl Levels {
    /// The arithmetic of `transformers`: the product in f64, the rest in f32.
    fn new(factor: f64, mean: [f64; 3], deviation: [f64; 3]) -> Self {
        let value = |channel: usize, byte: usize| {
            ((byte as f64 * factor) as f32 - mean[channel] as f32) / deviation[channel] as f32
        };
        Self((0..3).map(|channel| std::array::from_fn(|byte| value(channel, byte))).collect())
    }
}
