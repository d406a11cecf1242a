//! Zero-shot classification: does an image find the name of its class? Labelled the CLIP-rsicd
//! protocol.
//!
//! A legacy protocol with an easy pool (some 30 classes), kept so that published Hits@k can be
//! compared with. Wording of the prompt alone moves it by more than a point.
//!
//! Source: `run_clip_eval.py` of arampacha/CLIP-rsicd; prompt ensembles from Radford et al.,
//! "Learning Transferable Visual Models From Natural Language Supervision" (2021), section 3.1.4.

use super::bootstrap::{Sample, Sums};
use super::chance::Draw;
use super::features::length;
use super::metrics::HITS_AT;
use super::ranks::{Ranks, judge_rows, place};
use super::{Error, Features, Measure, Metric};

/// For each image the rank of its class among all classes.
#[derive(Debug, Clone, PartialEq)]
pub struct ZeroShotRanks {
    /// For each image the index of its class.
    pub class_of_image: Vec<u32>,
    /// The ranks; the pool is the number of classes.
    pub ranks: Ranks,
}

/// How a class fared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassAccuracy {
    /// Index of the class.
    pub class: usize,
    /// Number of its images.
    pub images: usize,
    /// Share of them that were given this class first; `None` where it has no image.
    pub accuracy: Option<f64>,
}

/// One feature per class: the mean over its prompts, of length 1 again.
///
/// # Shapes
/// Each of `prompts` (C, D): the features of one prompt filled with every class name.
pub fn average_prompts(prompts: &[Features]) -> Result<Features, Error> {
    let first = prompts.first().ok_or(Error::Empty { what: "prompts" })?;
    let mut sums = vec![0.0; first.values().len()];
    for prompt in prompts {
        prompt.expect("class features of a prompt", first.len(), first.dim())?;
        sums.iter_mut().zip(prompt.values()).for_each(|(sum, value)| *sum += value);
    }
    for (class, row) in sums.chunks_exact_mut(first.dim()).enumerate() {
        let length = length(row) as f32;
        if length < 1e-6 {
            return Err(Error::PromptsCancel { class });
        }
        for value in row {
            *value /= length;
        }
    }
    Features::new(first.dim(), sums)
}

/// Ranks all classes for each image.
///
/// # Shapes
/// `images` (N, D), `class_of_image` (N), `classes` (C, D), unit rows.
pub fn rank(
    images: &Features,
    class_of_image: &[u32],
    classes: &Features,
) -> Result<ZeroShotRanks, Error> {
    if images.is_empty() {
        return Err(Error::Empty { what: "images with a class" });
    }
    images.expect("image features", class_of_image.len(), images.dim())?;
    classes.expect("class features", classes.len(), images.dim())?;
    let (expected, outside) = (classes.len(), |&class: &u32| class as usize >= classes.len());
    if let Some(row) = class_of_image.iter().position(outside) {
        return Err(Error::Index {
            what: "class of image",
            row,
            expected,
            found: class_of_image[row] as usize,
        });
    }
    let queries =
        judge_rows(images, classes, |image, scores| place(scores, &class_of_image[image..=image]));
    Ok(ZeroShotRanks {
        class_of_image: class_of_image.to_vec(),
        ranks: Ranks { pool: classes.len(), queries },
    })
}

impl ZeroShotRanks {
    /// How each class fared, in class order.
    pub fn per_class(&self) -> Vec<ClassAccuracy> {
        let mut images = vec![0; self.ranks.pool];
        let mut found = vec![0; self.ranks.pool];
        for (&class, query) in self.class_of_image.iter().zip(&self.ranks.queries) {
            images[class as usize] += 1;
            found[class as usize] += usize::from(query.first == 1);
        }
        let accuracy =
            |class: usize| (images[class] > 0).then(|| found[class] as f64 / images[class] as f64);
        (0..self.ranks.pool)
            .map(|class| ClassAccuracy { class, images: images[class], accuracy: accuracy(class) })
            .collect()
    }

    /// Mean accuracy over the classes that have images: every class counts alike, however large.
    pub fn mean_per_class_accuracy(&self) -> f64 {
        let accuracies: Vec<f64> =
            self.per_class().iter().filter_map(|class| class.accuracy).collect();
        accuracies.iter().sum::<f64>() / accuracies.len() as f64
    }

    pub(crate) fn sample(&self) -> Sample {
        let images = self.ranks.queries.len();
        let draw = Draw::new(&self.ranks);
        let sums = Sums::new(
            images,
            |image| image,
            &self.ranks.queries,
            |query| HITS_AT.iter().map(|&k| f64::from(u8::from(query.first <= k))).collect(),
        );
        Sample {
            images,
            metrics: HITS_AT.map(Metric::ZeroShotHits).to_vec(),
            chance: HITS_AT.iter().map(|&k| draw.expected(Measure::Recall(k))).collect(),
            values: Box::new(move |weights| sums.means(weights)),
        }
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact by construction")]
mod tests {
    use super::*;

    fn classes() -> Features {
        Features::new(2, vec![1.0, 0.0, 0.0, 1.0, -1.0, 0.0]).unwrap()
    }

    #[test]
    fn an_image_is_given_the_class_whose_name_is_nearest() {
        let images = Features::new(2, vec![1.0, 0.0, 0.8, 0.6, 0.8, 0.6]).unwrap();
        let ranks = rank(&images, &[0, 0, 1], &classes()).unwrap();
        assert_eq!(
            ranks.ranks.queries.iter().map(|query| query.first).collect::<Vec<_>>(),
            [1, 1, 2]
        );
        let accuracies: Vec<_> = ranks.per_class().iter().map(|class| class.accuracy).collect();
        assert_eq!(accuracies, [Some(1.0), Some(0.0), None]);
        assert_eq!(ranks.mean_per_class_accuracy(), 0.5);
        assert_eq!(ranks.sample().as_measured(), [2.0 / 3.0, 1.0, 1.0, 1.0]);
        assert_eq!(ranks.sample().chance[..2], [1.0 / 3.0, 1.0]);
    }

    #[test]
    fn a_class_outside_the_list_is_refused() {
        let images = Features::new(2, vec![1.0, 0.0]).unwrap();
        let found = rank(&images, &[3], &classes()).unwrap_err();
        assert_eq!(found, Error::Index { what: "class of image", row: 0, expected: 3, found: 3 });
    }

    #[test]
    fn prompts_are_averaged_and_made_unit_vectors_again() {
        let other = Features::new(2, vec![0.0, 1.0, 0.0, 1.0, 0.0, 1.0]).unwrap();
        let half = 0.5f32.sqrt();
        let averaged = average_prompts(&[classes(), other]).unwrap();
        let expected = [half, half, 0.0, 1.0, -half, half];
        assert!(
            averaged
                .values()
                .iter()
                .zip(expected)
                .all(|(found, expected)| (found - expected).abs() < 1e-6)
        );
    }

    #[test]
    fn prompts_that_cancel_out_are_refused() {
        let opposite =
            Features::new(2, classes().values().iter().map(|value| -value).collect()).unwrap();
        assert_eq!(average_prompts(&[classes(), opposite]), Err(Error::PromptsCancel { class: 0 }));
    }
}
