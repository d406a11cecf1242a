//! Training batches: pictures decoded and changed, captions as tokens, right pairs marked.

use std::collections::HashMap;
use std::path::Path;

use finelens_clip::config::TextConfig;
use finelens_clip::{Decoder, Embedder, Picture, Preprocess, TokenBatch};
use finelens_data::Example;
use rayon::prelude::*;

use crate::augment::augment;
use crate::config::{AugmentConfig, TrainConfig};
use crate::sampler::{Visit, epoch, steps_per_epoch};

/// One batch, ready for the device.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// `(B, 3, S, S)`.
    pub pixels: Vec<f32>,
    /// `(B, T)`.
    pub tokens: TokenBatch,
    /// `(B)`: equal for captions of equal words.
    pub groups: Vec<u32>,
    /// Pictures that could not be read, left out of the batch.
    pub unreadable: Vec<String>,
}

impl Prepared {
    /// Ordered pairs of two different images that count as right because their captions are identical.
    pub fn false_negatives(&self) -> usize {
        let mut sizes: HashMap<u32, usize> = HashMap::new();
        self.groups.iter().for_each(|group| *sizes.entry(*group).or_default() += 1);
        sizes.values().map(|n| n * (n - 1)).sum()
    }
}

/// All batches of a run, by number; each can be made at any time, and always comes out the same.
#[derive(Debug)]
pub struct Batches<'a> {
    config: &'a TrainConfig,
    examples: &'a [&'a Example],
    preprocess: Preprocess,
    decoder: Decoder,
    text: TextConfig,
    /// Tokens and group of each caption of each example.
    captions: Vec<Vec<(Vec<u32>, u32)>>,
}

impl<'a> Batches<'a> {
    /// Tokenizes all captions of `examples`, each of which has at least one.
    pub fn new(config: &'a TrainConfig, examples: &'a [&'a Example], embedder: &Embedder) -> Self {
        let mut groups = HashMap::new();
        let captions = |example: &&Example| tokenized(embedder, &example.captions, &mut groups);
        Self {
            config,
            examples,
            preprocess: embedder.preprocess.clone(),
            decoder: embedder.decoder.clone(),
            text: embedder.model.config().text.clone(),
            captions: examples.iter().map(captions).collect(),
        }
    }

    /// Steps of one epoch.
    pub fn steps_per_epoch(&self) -> usize {
        steps_per_epoch(self.config, self.examples.len())
    }

    /// The visits of the epoch that holds batch `number`, counted from 0.
    pub fn visits(&self, number: usize) -> Vec<Visit> {
        let counts: Vec<usize> = self.captions.iter().map(Vec::len).collect();
        epoch(self.config, &counts, number / self.steps_per_epoch())
    }

    /// Batch `number` of the run out of its epoch's `visits`.
    pub fn prepare(&self, number: usize, visits: &[Visit]) -> Prepared {
        let start = number % self.steps_per_epoch() * self.config.batch;
        let visits = &visits[start..visits.len().min(start + self.config.batch)];
        let pixels: Vec<Result<Vec<f32>, String>> =
            visits.par_iter().map(|visit| self.pixels(visit)).collect();
        let read =
            visits.iter().zip(&pixels).filter(|(_, pixels)| pixels.is_ok()).map(|(visit, _)| visit);
        let captions: Vec<&(Vec<u32>, u32)> =
            read.map(|v| &self.captions[v.example][v.caption]).collect();
        let sequences: Vec<&[u32]> = captions.iter().map(|(tokens, _)| tokens.as_slice()).collect();
        Prepared {
            tokens: TokenBatch::new(&sequences, &self.text),
            groups: captions.iter().map(|(_, group)| *group).collect(),
            unreadable: pixels.iter().filter_map(|p| p.as_ref().err().cloned()).collect(),
            pixels: pixels.into_iter().flatten().flatten().collect(),
        }
    }

    fn pixels(&self, visit: &Visit) -> Result<Vec<f32>, String> {
        let picture = read_picture(&self.decoder, &self.examples[visit.example].image)?;
        Ok(augmented_pixels(&picture, &self.preprocess, &self.config.augment, visit.seed))
    }
}

/// Tokens of each caption, and the number of its wording among all.
fn tokenized(
    embedder: &Embedder,
    captions: &[String],
    groups: &mut HashMap<Vec<u32>, u32>,
) -> Vec<(Vec<u32>, u32)> {
    let words: Vec<&str> = captions.iter().map(String::as_str).collect();
    let mut group = |tokens: &Vec<u32>| {
        let next = groups.len() as u32;
        *groups.entry(tokens.clone()).or_insert(next)
    };
    let sequences = embedder.tokenizer.encode_batch(&words).into_iter();
    sequences
        .map(|tokens| (group(&tokens), tokens))
        .map(|(group, tokens)| (tokens, group))
        .collect()
}

fn augmented_pixels(
    picture: &Picture,
    preprocess: &Preprocess,
    config: &AugmentConfig,
    seed: u64,
) -> Vec<f32> {
    let picture = augment(picture, preprocess, config, seed);
    let mut pixels = vec![0.0; 3 * picture.width() * picture.height()];
    preprocess.normalise(&picture, &mut pixels);
    pixels
}

/// Reads and decodes a picture; an error names the file and what is wrong with it.
pub(crate) fn read_picture(decoder: &Decoder, path: &Path) -> Result<Picture, String> {
    let bytes = fs_err::read(path).map_err(|error| error.to_string())?;
    let decoded = decoder.decode(&bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(decoded.picture)
}
