//! Whether int8 is good enough for a model on a person's own pictures: found out before it is used.
//!
//! Says nothing about bf16, whose vectors are a hundred times nearer to those of f32. An index keeps what was found, for those who
//! only ask: looking takes some seconds and the model twice, a question should take neither.

use std::path::Path;

use finelens_clip::{Checkpoint, Embedder};
use finelens_compute::Precision;
use finelens_data::Example;
use finelens_finetune::eval::record::EvaluationRecord;
use finelens_finetune::eval::{self, Bootstrap, Features, Metric};
use finelens_finetune::{Embedded as Sample, embed};
use finelens_search::Embedded;
use serde::{Deserialize, Serialize};

use crate::error::{Error, PrecisionError};
use crate::model;
use crate::printer::Printer;

/// Pictures that are looked at, evenly chosen. Own choice: a few seconds.
const SAMPLE: usize = 64;
/// Mean cosine that vectors have to those in f32 at least, pictures and captions apart. Own choice: below it, neighbours
/// that differ little change places.
const LEAST_COSINE: f64 = 0.99;
/// Mean recall that may be lost, half a point. Own choice.
const MOST_LOST: f64 = 0.005;

/// The model where it computes; in int8, an error unless its vectors of some of `examples` are nearly those of f32. An index
/// keeps what was found.
pub(crate) fn embedder(
    index: Option<&Embedded>,
    checkpoint: Checkpoint,
    examples: &[&Example],
    printer: &Printer,
) -> anyhow::Result<Embedder> {
    if model::precision() != Precision::Int8 {
        return model::embedder(checkpoint);
    }
    let (embedder, found) = compared(checkpoint, examples)?;
    if let Some(index) = index {
        let kept = Kept { good: found.check().is_ok(), found: found.to_string() };
        index.set_note(NOTE, &serde_json::to_string(&kept)?)?;
    }
    found.told(printer)?;
    Ok(embedder)
}

/// Name of the note in which an index keeps what was found. An index of another model begins without it.
const NOTE: &str = "int8";

/// What an index keeps.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    good: bool,
    /// In words.
    found: String,
}

fn kept(index: &Embedded) -> anyhow::Result<Option<Kept>> {
    Ok(index.note(NOTE)?.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Whether int8 is to be used for an index on whose pictures it was not found good yet. A refusal is looked at again: the
/// data may have changed.
pub(crate) fn is_unproven(index: &Embedded) -> anyhow::Result<bool> {
    Ok(model::precision() == Precision::Int8 && kept(index)?.is_none_or(|kept| !kept.good))
}

/// An error in int8, unless it was found good enough on the pictures of this index.
pub(crate) fn must_be_good(index: &Embedded, path: &Path) -> anyhow::Result<()> {
    if model::precision() != Precision::Int8 {
        return Ok(());
    }
    Ok(allowed(kept(index)?, path)?)
}

fn allowed(kept: Option<Kept>, path: &Path) -> Result<(), Error> {
    match kept {
        Some(Kept { good: true, .. }) => Ok(()),
        Some(Kept { found, .. }) => Err(differs(found)),
        None => Err(PrecisionError::Int8Unseen { index: path.to_owned() }.into()),
    }
}

/// The model in int8, and how near its vectors of some of `examples` are to those of f32.
fn compared(
    checkpoint: Checkpoint,
    examples: &[&Example],
) -> anyhow::Result<(Embedder, Agreement)> {
    let sample = evenly(examples);
    let mut exact = Embedder::new(checkpoint.clone(), model::device_in(Precision::F32))?;
    let right = embed(&mut exact, &sample, |_| {})?;
    drop(exact);
    anyhow::ensure!(
        !right.examples.is_empty(),
        "--precision int8: expected pictures to compare it with f32 on, found none of {} readable",
        sample.len()
    );
    let mut embedder = model::embedder(checkpoint)?;
    let found = Agreement::of(&right, &embed(&mut embedder, &sample, |_| {})?)?;
    Ok((embedder, found))
}

fn evenly<'a>(examples: &[&'a Example]) -> Vec<&'a Example> {
    let count = SAMPLE.min(examples.len());
    (0..count).map(|i| examples[i * examples.len() / count]).collect()
}

/// How near vectors in int8 are to those in f32.
#[derive(Debug, Clone, Copy)]
struct Agreement {
    pictures: usize,
    image_cosine: f64,
    /// Where there are captions.
    of_texts: Option<OfTexts>,
}

#[derive(Debug, Clone, Copy)]
struct OfTexts {
    cosine: f64,
    /// Among the sample, in f32 and in int8.
    mean_recall: [f64; 2],
}

impl Agreement {
    fn of(right: &Sample, found: &Sample) -> anyhow::Result<Self> {
        let image_cosine = mean_cosine(&right.images, &found.images);
        let mut of_texts = None;
        if !right.texts.values().is_empty() {
            let cosine = mean_cosine(&right.texts, &found.texts);
            let mean_recall = [mean_recall(right)?, mean_recall(found)?];
            of_texts = Some(OfTexts { cosine, mean_recall });
        }
        Ok(Self { pictures: right.examples.len(), image_cosine, of_texts })
    }

    fn check(&self) -> Result<(), Error> {
        let texts = |good: fn(OfTexts) -> bool| self.of_texts.is_none_or(good);
        // Written so that what is no number is not good.
        let near = self.image_cosine >= LEAST_COSINE && texts(|of| of.cosine >= LEAST_COSINE);
        let finds = texts(|of| of.mean_recall[1] >= of.mean_recall[0] - MOST_LOST);
        if near && finds {
            return Ok(());
        }
        Err(differs(self.to_string()))
    }

    fn told(&self, printer: &Printer) -> Result<(), Error> {
        self.check()?;
        printer.say(format_args!("int8 is good enough: {self}"));
        Ok(())
    }
}

fn differs(found: String) -> Error {
    let lost = 100.0 * MOST_LOST;
    let expected = format!("a cosine of {LEAST_COSINE} and at most {lost} points of recall lost");
    PrecisionError::Int8Differs { found, expected }.into()
}

impl std::fmt::Display for Agreement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "mean cosine to f32 {:.4} of {} pictures", self.image_cosine, self.pictures)?;
        if let Some(OfTexts { cosine, mean_recall: [right, found] }) = self.of_texts {
            let [right, found] = [right, found].map(|share| 100.0 * share);
            write!(
                f,
                " and {cosine:.4} of their captions, mean recall {found:.1} % ({right:.1} %)"
            )?;
        }
        Ok(())
    }
}

/// Of unit rows.
fn mean_cosine(right: &Features, found: &Features) -> f64 {
    let pairs = right.values().iter().zip(found.values());
    let total: f64 = pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
    total / (right.values().len() / right.dim()).max(1) as f64
}

fn mean_recall(of: &Sample) -> anyhow::Result<f64> {
    let ranks = eval::evaluate(&of.corpus, &of.images, &of.texts)?;
    let record = EvaluationRecord::new(&of.corpus, &ranks, &[], &Bootstrap::default());
    Ok(record.value(Metric::MeanRecall).unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreement(image_cosine: f64, cosine: f64, mean_recall: [f64; 2]) -> Agreement {
        Agreement { pictures: 64, image_cosine, of_texts: Some(OfTexts { cosine, mean_recall }) }
    }

    #[test]
    fn near_vectors_that_find_as_much_are_good_enough() {
        agreement(0.995, 0.992, [0.60, 0.60]).check().unwrap();
        agreement(0.995, 0.992, [0.60, 0.596]).check().unwrap();
        let without_captions = Agreement { pictures: 3, image_cosine: 0.991, of_texts: None };
        without_captions.check().unwrap();
    }

    #[test]
    fn a_question_goes_by_what_the_index_kept() {
        let path = Path::new("photos.index");
        let kept = |good, found: &str| Some(Kept { good, found: found.to_owned() });
        allowed(kept(true, "mean cosine to f32 0.9950 of 64 pictures"), path).unwrap();
        let told = |kept| allowed(kept, path).unwrap_err().to_string();
        assert_eq!(
            told(None),
            "--precision int8: it was never looked at on the pictures of photos.index"
        );
        assert!(told(kept(false, "mean cosine to f32 0.9800")).contains("f32 0.9800, expected"));
    }

    #[test]
    fn what_is_far_or_finds_less_is_refused_with_the_numbers() {
        for bad in [
            agreement(0.98, 0.999, [0.6, 0.6]),
            agreement(0.999, 0.98, [0.6, 0.6]),
            agreement(0.999, 0.999, [0.6, 0.59]),
            agreement(f64::NAN, 0.999, [0.6, 0.6]),
        ] {
            bad.check().unwrap_err();
        }
        assert_eq!(
            agreement(0.98, 0.999, [0.612, 0.6]).check().unwrap_err().to_string(),
            "--precision int8 changes this model's vectors too much: mean cosine to f32 0.9800 of 64 pictures and \
             0.9990 of their captions, mean recall 60.0 % (61.2 %), expected a cosine of 0.99 and at most 0.5 points of \
             recall lost"
        );
    }
}
