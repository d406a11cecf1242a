//! Whether int8 is good enough for a model on a person's own pictures: found out before it is used.
//!
//! Says nothing about bf16, whose vectors are a hundred times nearer to those of f32.

use finelens_clip::{Checkpoint, Embedder};
use finelens_compute::Precision;
use finelens_data::Example;
use finelens_finetune::eval::record::EvaluationRecord;
use finelens_finetune::eval::{self, Bootstrap, Features, Metric};
use finelens_finetune::{Embedded, embed};

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

/// The model where it computes; in int8, an error unless its vectors of some of `examples` are nearly those of f32.
pub(crate) fn embedder(
    checkpoint: Checkpoint,
    examples: &[&Example],
    printer: &Printer,
) -> anyhow::Result<Embedder> {
    if model::precision() != Precision::Int8 {
        return model::embedder(checkpoint);
    }
    let sample = evenly(examples);
    let mut exact = Embedder::new(checkpoint.clone(), model::device_in(Precision::F32))?;
    let right = embed(&mut exact, &sample, |_| {})?;
    drop(exact);
    let mut embedder = model::embedder(checkpoint)?;
    let found = Agreement::of(&right, &embed(&mut embedder, &sample, |_| {})?)?;
    found.check()?;
    printer.say(format_args!("int8 is good enough: {found}"));
    Ok(embedder)
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
    fn of(right: &Embedded, found: &Embedded) -> anyhow::Result<Self> {
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
        let lost = 100.0 * MOST_LOST;
        let expected =
            format!("a cosine of {LEAST_COSINE} and at most {lost} points of recall lost");
        Err(PrecisionError::Int8Differs { found: self.to_string(), expected }.into())
    }
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

fn mean_recall(of: &Embedded) -> anyhow::Result<f64> {
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
