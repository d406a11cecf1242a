//! A split through the model: features of its pictures and captions, ready to be measured.

use std::ops::ControlFlow;
use std::path::Path;

use finelens_clip::{Decoder, Embedder, Model, Preprocess};
use finelens_data::Example;
use rayon::prelude::*;

use crate::ahead::run_ahead;
use crate::batches::{keep_only, read_picture};
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
    on_images: impl FnMut(usize),
) -> Result<Embedded, Error> {
    let files: Vec<&Path> = examples.iter().map(|example| example.image.as_path()).collect();
    let Embedder { model, preprocess, decoder, .. } = &mut *embedder;
    let EmbeddedFiles { features, kept, unreadable } =
        embed_files(model, (decoder, preprocess), &files, on_images)?;
    let corpus = corpus(examples, &kept)?;
    let captions: Vec<&str> = corpus.captions().iter().map(String::as_str).collect();
    let texts = embedder.texts(&captions)?;
    let dim = embedder.model.config().embed_dim;
    let (images, texts) = (Features::new(dim, features)?, Features::new(dim, texts)?);
    Ok(Embedded { corpus, images, texts, examples: kept, unreadable })
}

/// Picture files as the model sees them.
#[derive(Debug)]
pub struct EmbeddedFiles {
    /// `(N, D)`: those that could be read.
    pub features: Vec<f32>,
    /// For each of them its place in what was given.
    pub kept: Vec<usize>,
    /// The others, and why.
    pub unreadable: Vec<String>,
}

/// Embeds picture files, decoded ahead of the model.
///
/// `on_images` hears how many were done.
///
/// # Errors
/// When the device fails.
pub fn embed_files(
    model: &mut Model,
    (decoder, preprocess): (&Decoder, &Preprocess),
    files: &[&Path],
    mut on_images: impl FnMut(usize),
) -> Result<EmbeddedFiles, Error> {
    let each = preprocess.values();
    let write = |(to, file): (&mut [f32], &&Path)| {
        let picture = read_picture(file, |bytes| Ok(decoder.decode(bytes)?.picture))?;
        preprocess.write_pixels(&picture, to);
        Ok(())
    };
    let read = |i: usize| {
        let batch = &files[i * BATCH..files.len().min((i + 1) * BATCH)];
        let mut pixels = vec![0.0; batch.len() * each];
        let read: Vec<Result<(), String>> =
            pixels.par_chunks_mut(each).zip(batch).map(write).collect();
        keep_only(&mut pixels, each, read.iter().map(Result::is_ok));
        (pixels, read)
    };
    let (mut features, mut kept, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
    let mut done = 0;
    run_ahead::<_, Error>(0..files.len().div_ceil(BATCH), read, |(pixels, read)| {
        kept.extend(read.iter().zip(done..).filter(|(read, _)| read.is_ok()).map(|(_, i)| i));
        done += read.len();
        unreadable.extend(read.into_iter().filter_map(Result::err));
        if !pixels.is_empty() {
            features.extend(model.image_features(&pixels)?);
        }
        on_images(done);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(EmbeddedFiles { features, kept, unreadable })
}

fn corpus(examples: &[&Example], kept: &[usize]) -> Result<Corpus, Error> {
    let ids = kept.iter().map(|i| examples[*i].id.clone()).collect();
    let captions = kept.iter().flat_map(|i| examples[*i].captions.iter().cloned()).collect();
    let owners =
        kept.iter().zip(0u32..).flat_map(|(i, row)| examples[*i].captions.iter().map(move |_| row));
    Ok(Corpus::new(ids, captions, owners.collect())?)
}
