//! Pictures and sentences in, unit vectors out.

use std::collections::HashMap;

use finelens_compute::Device;
use rayon::prelude::*;

use crate::checkpoint::Checkpoint;
use crate::error::Error;
use crate::model::{Model, TokenBatch};
use crate::picture::{Area, Decoder, Picture};
use crate::preprocess::Preprocess;
use crate::tensors::Tensors;
use crate::tokenizer::Tokenizer;

/// Texts that go through the model together.
const TEXT_BATCH: usize = 128;

/// Tiles that go through the model together. Own choice: larger batches are no faster on two cores.
const TILE_BATCH: usize = 32;

/// A model on a device with what prepares its input.
#[derive(Debug)]
pub struct Embedder {
    /// The weights.
    pub model: Model,
    /// How pictures become pixels.
    pub preprocess: Preprocess,
    /// How sentences become tokens.
    pub tokenizer: Tokenizer,
    /// How files become pictures.
    pub decoder: Decoder,
}

impl Embedder {
    /// Puts the weights of `checkpoint` on `device`.
    ///
    /// # Errors
    /// When they do not fit.
    pub fn new(checkpoint: Checkpoint, device: Box<dyn Device>) -> Result<Self, Error> {
        let Checkpoint { config, tensors, preprocess, tokenizer } = checkpoint;
        let model = Model::new(config, tensors, device)?;
        Ok(Self { model, decoder: preprocess.decoder(), preprocess, tokenizer })
    }

    /// Unit vectors of pictures, in one batch.
    ///
    /// # Shapes
    /// B pictures to `(B, D)`.
    ///
    /// # Errors
    /// What the device has to report.
    pub fn images(&mut self, pictures: &[Picture]) -> Result<Vec<f32>, Error> {
        let each = self.preprocess.values();
        let mut pixels = vec![0.0; pictures.len() * each];
        let places = pixels.par_chunks_mut(each).zip(pictures);
        places.for_each(|(to, picture)| self.preprocess.write_pixels(picture, to));
        self.model.image_features(&pixels)
    }

    /// Unit vectors of square parts of one picture, whatever their number; each part is resized alone, straight from the
    /// picture.
    ///
    /// # Shapes
    /// N areas to `(N, D)`.
    ///
    /// # Errors
    /// What the device has to report.
    pub fn tiles(&mut self, picture: &Picture, areas: &[Area]) -> Result<Vec<f32>, Error> {
        let mut features = Vec::with_capacity(areas.len() * self.model.config().embed_dim);
        for batch in areas.chunks(TILE_BATCH) {
            let resize = |area: &Area| self.preprocess.pixels_of(picture, *area);
            let pixels: Vec<Vec<f32>> = batch.par_iter().map(resize).collect();
            features.extend(self.model.image_features(&pixels.concat())?);
        }
        Ok(features)
    }

    /// Unit vectors of sentences. Equal sentences get equal bits.
    ///
    /// # Shapes
    /// N sentences to `(N, D)`.
    ///
    /// # Errors
    /// What the device has to report.
    pub fn texts(&mut self, sentences: &[&str]) -> Result<Vec<f32>, Error> {
        let sequences = self.tokenizer.encode_batch(sentences);
        let mut distinct: Vec<&[u32]> = sequences.iter().map(Vec::as_slice).collect();
        // Sorted by length, few batches are padded.
        distinct.sort_unstable_by_key(|sequence| (sequence.len(), *sequence));
        distinct.dedup();
        let mut features = Vec::with_capacity(distinct.len() * self.model.config().embed_dim);
        for batch in distinct.chunks(TEXT_BATCH) {
            let tokens = TokenBatch::new(batch, &self.model.config().text);
            features.extend(self.model.text_features(&tokens)?);
        }
        let place: HashMap<&[u32], usize> = distinct.into_iter().zip(0..).collect();
        let dim = self.model.config().embed_dim;
        let row = |sequence: &Vec<u32>| place[sequence.as_slice()] * dim;
        Ok(sequences
            .iter()
            .map(row)
            .flat_map(|start| &features[start..start + dim])
            .copied()
            .collect())
    }

    /// The model as a directory would hold it, its weights read back.
    ///
    /// # Errors
    /// What the device has to report.
    pub fn checkpoint(&mut self) -> Result<Checkpoint, Error> {
        let weights = self.model.weights();
        let tensors: Tensors = self.model.named(weights)?;
        let (preprocess, tokenizer) = (self.preprocess.clone(), self.tokenizer.clone());
        Ok(Checkpoint { config: self.model.config().clone(), tensors, preprocess, tokenizer })
    }
}
