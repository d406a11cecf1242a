//! In-batch MRR: does an image find its caption among those of its own batch? Labelled the
//! clip-image-search protocol.
//!
//! A legacy protocol, not full-corpus retrieval: with 64 candidates it reads some 25 times higher
//! than R@1 over ten thousand. Kept so that published MRR@k can be compared with.
//!
//! Source: the evaluation of elsevierlabs-os/clip-image-search: consecutive batches of 64 in data
//! order, the last one smaller, one caption per image, image to caption only, mean over all images.

use super::bootstrap::{Sample, Sums};
use super::chance::Draw;
use super::metrics::MRR_AT;
use super::ranks::{Placement, Ranks, judge_rows, place};
use super::{Corpus, Error, Features, Measure, Metric};

/// Images of one batch, and so the number of captions that each is ranked against.
pub const BATCH: usize = 64;

/// The ranks of each batch's images among the first captions of that batch.
#[derive(Debug, Clone, PartialEq)]
pub struct InBatchRanks {
    /// One per batch, in data order; the pool of the last may be smaller.
    pub batches: Vec<Ranks>,
}

/// Ranks each image's first caption among the first captions of its batch.
///
/// # Shapes
/// `images` (N, D), `texts` (M, D), unit rows.
pub fn rank(corpus: &Corpus, images: &Features, texts: &Features) -> Result<InBatchRanks, Error> {
    images.expect("image features", corpus.images(), images.dim())?;
    texts.expect("text features", corpus.texts(), images.dim())?;
    let first_captions = corpus.first_captions();
    let starts = (0..corpus.images()).step_by(BATCH);
    let batches = starts.map(|start| {
        let end = (start + BATCH).min(corpus.images());
        let captions = texts.pick(first_captions[start..end].iter().copied());
        rank_batch(&images.pick(start..end), &captions)
    });
    Ok(InBatchRanks { batches: batches.collect() })
}

fn rank_batch(images: &Features, captions: &Features) -> Ranks {
    let queries = judge_rows(images, captions, |image, scores| place(scores, &[image as u32]));
    Ranks { pool: captions.len(), queries }
}

impl InBatchRanks {
    /// Number of images whose caption is tied with a wrong one.
    pub fn tied(&self) -> usize {
        self.batches.iter().map(Ranks::tied).sum()
    }

    /// The placement of every image, in data order.
    pub fn queries(&self) -> Vec<Placement> {
        self.batches.iter().flat_map(|batch| &batch.queries).copied().collect()
    }

    pub(crate) fn sample(&self) -> Sample {
        let queries = self.queries();
        let images = queries.len();
        let sums = Sums::new(
            images,
            |image| image,
            &queries,
            |query| {
                let reciprocal = 1.0 / f64::from(query.first);
                MRR_AT.iter().map(|&k| if query.first <= k { reciprocal } else { 0.0 }).collect()
            },
        );
        Sample {
            images,
            metrics: MRR_AT.map(Metric::InBatchMrr).to_vec(),
            chance: MRR_AT.iter().map(|&k| self.chance(k, images)).collect(),
            values: Box::new(move |weights| sums.means(weights)),
        }
    }

    fn chance(&self, k: u32, images: usize) -> f64 {
        let expected =
            |batch: &Ranks| batch.queries.len() as f64 * Draw::new(batch).expected(Measure::Mrr(k));
        self.batches.iter().map(expected).sum::<f64>() / images as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captions_of_other_batches_are_no_candidates() {
        let images = 70;
        let names: Vec<String> = (0..images).map(|image| image.to_string()).collect();
        let corpus = Corpus::new(names.clone(), names, (0..images).collect()).unwrap();
        let same = Features::new(2, [0.6, 0.8].repeat(images as usize)).unwrap();
        let ranks = rank(&corpus, &same, &same).unwrap();
        assert_eq!(ranks.batches.iter().map(|batch| batch.pool).collect::<Vec<_>>(), [64, 6]);
        assert_eq!(ranks.queries()[0].first, 64);
        assert_eq!(ranks.queries()[69].first, 6);
        assert_eq!(ranks.tied(), 70);
        let chance_at_one = (64.0 / 64.0 + 6.0 / 6.0) / 70.0;
        assert!((ranks.sample().chance[0] - chance_at_one).abs() < 1e-12);
    }

    #[test]
    fn only_the_first_caption_of_an_image_counts() {
        let names = |count: usize| (0..count).map(|i| i.to_string()).collect::<Vec<_>>();
        let corpus = Corpus::new(names(2), names(3), vec![0, 0, 1]).unwrap();
        let images = Features::new(2, vec![1.0, 0.0, 0.0, 1.0]).unwrap();
        let texts = Features::new(2, vec![-1.0, 0.0, 1.0, 0.0, 0.0, 1.0]).unwrap();
        let ranks = rank(&corpus, &images, &texts).unwrap();
        assert_eq!(ranks.queries().iter().map(|query| query.first).collect::<Vec<_>>(), [2, 1]);
    }
}
