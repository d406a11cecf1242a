//! Training batches: pictures decoded and changed, captions as tokens, right pairs marked.

use std::collections::HashMap;
use std::path::Path;

use finelens_clip::config::TextConfig;
use finelens_clip::{Embedder, Picture, PictureError, TokenBatch};
use finelens_data::Example;
use rayon::prelude::*;

use crate::augment::Augment;
use crate::cache::Cache;
use crate::config::TrainConfig;
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
    augment: Augment,
    cache: Cache,
    /// Numbers of one picture.
    each: usize,
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
            augment: Augment::new(&config.augment, &embedder.preprocess, &embedder.decoder),
            cache: Cache::new(examples.len(), config.cache_mib),
            each: embedder.preprocess.values(),
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
        let mut pixels = vec![0.0; visits.len() * self.each];
        let read: Vec<Result<(), String>> = pixels
            .par_chunks_mut(self.each)
            .zip(visits)
            .map(|(to, visit)| self.write_pixels(visit, to))
            .collect();
        keep_only(&mut pixels, self.each, read.iter().map(Result::is_ok));
        let kept =
            visits.iter().zip(&read).filter(|(_, read)| read.is_ok()).map(|(visit, _)| visit);
        let captions: Vec<&(Vec<u32>, u32)> =
            kept.map(|v| &self.captions[v.example][v.caption]).collect();
        let sequences: Vec<&[u32]> = captions.iter().map(|(tokens, _)| tokens.as_slice()).collect();
        Prepared {
            pixels,
            tokens: TokenBatch::new(&sequences, &self.text),
            groups: captions.iter().map(|(_, group)| *group).collect(),
            unreadable: read.into_iter().filter_map(Result::err).collect(),
        }
    }

    fn write_pixels(&self, visit: &Visit, pixels: &mut [f32]) -> Result<(), String> {
        let path = &self.examples[visit.example].image;
        let read = || read_picture(path, |bytes| self.augment.decode(bytes));
        self.cache.with(visit.example, read, |picture| {
            self.augment.write_pixels(picture, visit.seed, pixels);
        })
    }
}

/// Closes the gaps that pieces of `each` leave which are not to be kept.
pub(crate) fn keep_only(pixels: &mut Vec<f32>, each: usize, keep: impl Iterator<Item = bool>) {
    let mut end = 0;
    for (piece, _) in keep.enumerate().filter(|(_, keep)| *keep) {
        if piece * each != end {
            pixels.copy_within(piece * each..(piece + 1) * each, end);
        }
        end += each;
    }
    pixels.truncate(end);
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

/// Reads and decodes a picture; an error names the file and what is wrong with it.
pub(crate) fn read_picture(
    path: &Path,
    decode: impl FnOnce(&[u8]) -> Result<Picture, PictureError>,
) -> Result<Picture, String> {
    let bytes = fs_err::read(path).map_err(|error| error.to_string())?;
    decode(&bytes).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_closed() {
        let mut pixels: Vec<f32> = (0u8..8).map(f32::from).collect();
        keep_only(&mut pixels, 2, [false, true, false, true].into_iter());
        assert_eq!(pixels, [2.0, 3.0, 6.0, 7.0]);
    }
}
