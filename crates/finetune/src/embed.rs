//! A split through the model: features of its pictures and captions, ready to be measured.

use std::ops::ControlFlow;

use finelens_clip::Embedder;
use finelens_data::Example;
use rayon::prelude::*;

use crate::ahead::run_ahead;
use crate::batches::read_picture;
use crate::error::Error;
use crate::eval::{Corpus, Features};

/// Pictures that go through the model together.
const BATCH: usize = 32;

/// A split as the model sees it.
#[derive(Debug)]
pub struct Embedded {
    /// What is ranked against what.
    pub corpus: Corpus,
    /// `(N, D)`: the pictures.
    pub images: Features,
    /// `(M, D)`: their captions.
    pub texts: Features,
    /// For each picture its place in what was given.
    pub examples: Vec<usize>,
    /// Pictures that could not be read, and why.
    pub unreadable: Vec<String>,
}

/// Embeds `examples`; pictures that cannot be read are named and left out with their captions.
///
/// `on_images` hears how many pictures were done.
///
/// # Errors
/// When nothing can be read, or the device fails.
pub fn embed(
    embedder: &mut Embedder,
    examples: &[&Example],
    mut on_images: impl FnMut(usize),
) -> Result<Embedded, Error> {
    let (decoder, preprocess) = (embedder.decoder.clone(), embedder.preprocess.clone());
    let read = |i: usize| -> Vec<Result<Vec<f32>, String>> {
        let batch = &examples[i * BATCH..examples.len().min((i + 1) * BATCH)];
        let pixels = |e: &&Example| read_picture(&decoder, &e.image).map(|p| preprocess.pixels(&p));
        batch.par_iter().map(pixels).collect()
    };
    let (mut images, mut kept, mut unreadable, mut done) = (Vec::new(), Vec::new(), Vec::new(), 0);
    run_ahead::<_, Error>(0..examples.len().div_ceil(BATCH), read, |batch| {
        kept.extend(batch.iter().zip(done..).filter(|(p, _)| p.is_ok()).map(|(_, i)| i));
        done += batch.len();
        unreadable.extend(batch.iter().filter_map(|p| p.as_ref().err().cloned()));
        let pixels: Vec<f32> = batch.into_iter().flatten().flatten().collect();
        if !pixels.is_empty() {
            images.extend(embedder.model.image_features(&pixels)?);
        }
        on_images(done);
        Ok(ControlFlow::Continue(()))
    })?;
    let corpus = corpus(examples, &kept)?;
    let captions: Vec<&str> = corpus.captions().iter().map(String::as_str).collect();
    let texts = embedder.texts(&captions)?;
    let dim = embedder.model.config().embed_dim;
    let (images, texts) = (Features::new(dim, images)?, Features::new(dim, texts)?);
    Ok(Embedded { corpus, images, texts, examples: kept, unreadable })
}

fn corpus(examples: &[&Example], kept: &[usize]) -> Result<Corpus, Error> {
    let ids = kept.iter().map(|i| examples[*i].id.clone()).collect();
    let captions = kept.iter().flat_map(|i| examples[*i].captions.iter().cloned()).collect();
    let owners =
        kept.iter().zip(0u32..).flat_map(|(i, row)| examples[*i].captions.iter().map(move |_| row));
    Ok(Corpus::new(ids, captions, owners.collect())?)
}
