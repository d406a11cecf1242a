//! Which images an epoch visits, in which order and with which captions.
//!
//! A pure function of the seed and the epoch's number: nothing has to be saved to resume.

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::config::TrainConfig;

/// One image of a batch and the caption that it brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visit {
    /// Index of the training example.
    pub example: usize,
    /// Index among its captions.
    pub caption: usize,
    /// Seed of its augmentation.
    pub seed: u64,
}

/// Steps of an epoch over `images` images.
///
/// Images that do not fill a last batch wait for another epoch; fewer than one batch make one small batch.
pub(crate) fn steps_per_epoch(config: &TrainConfig, images: usize) -> usize {
    (drawn(config, images) / config.batch).max(1)
}

fn drawn(config: &TrainConfig, images: usize) -> usize {
    match (config.sample, config.replacement) {
        (0, _) => images,
        (sample, true) => sample,
        (sample, false) => sample.min(images),
    }
}

/// The visits of `epoch`, to be cut into batches of `config.batch`; no batch holds an image twice.
///
/// `captions` counts the captions of each training example.
pub(crate) fn epoch(config: &TrainConfig, captions: &[usize], epoch: usize) -> Vec<Visit> {
    let mut random = ChaCha8Rng::seed_from_u64(config.seed);
    random.set_stream(epoch as u64);
    let count = drawn(config, captions.len());
    let order = if config.sample > 0 && config.replacement {
        with_replacement(count, config.batch, captions.len(), &mut random)
    } else {
        let mut order: Vec<usize> = (0..captions.len()).collect();
        order.shuffle(&mut random);
        order.truncate(count);
        order
    };
    let visits = steps_per_epoch(config, captions.len()) * config.batch;
    let visit = |example: usize| Visit {
        example,
        caption: random.random_range(0..captions[example]),
        seed: random.random(),
    };
    order.into_iter().take(visits).map(visit).collect()
}

/// Draws that may repeat, but not within a batch (unless a batch is larger than the collection).
fn with_replacement(
    count: usize,
    batch: usize,
    images: usize,
    random: &mut ChaCha8Rng,
) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::with_capacity(count);
    while order.len() < count {
        let batch_start = order.len() / batch * batch;
        let drawn = random.random_range(0..images);
        if order.len() - batch_start >= images {
            break;
        }
        if !order[batch_start..].contains(&drawn) {
            order.push(drawn);
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn config(batch: usize, sample: usize, replacement: bool) -> TrainConfig {
        TrainConfig { batch, sample, replacement, ..TrainConfig::default() }
    }

    #[test]
    fn an_epoch_visits_every_image_once_in_an_order_of_its_own() {
        let config = config(4, 0, false);
        let visits = epoch(&config, &[5; 12], 1);
        let seen: HashSet<usize> = visits.iter().map(|v| v.example).collect();
        assert_eq!((visits.len(), seen.len()), (12, 12));
        assert_ne!(visits, epoch(&config, &[5; 12], 2));
        assert_eq!(visits, epoch(&config, &[5; 12], 1));
        assert!(visits.iter().map(|v| v.caption).collect::<HashSet<_>>().len() > 1);
    }

    #[test]
    fn a_sample_is_smaller_and_an_incomplete_batch_waits() {
        assert_eq!(epoch(&config(4, 10, false), &[1; 100], 0).len(), 8);
        assert_eq!(steps_per_epoch(&config(4, 10, false), 100), 2);
        assert_eq!(epoch(&config(64, 0, false), &[1; 5], 0).len(), 5);
    }

    #[test]
    fn with_replacement_an_image_may_return_but_not_in_its_batch() {
        let visits = epoch(&config(8, 80, true), &[2; 10], 3);
        assert_eq!(visits.len(), 80);
        for batch in visits.chunks(8) {
            assert_eq!(batch.iter().map(|v| v.example).collect::<HashSet<_>>().len(), 8);
        }
    }

    #[test]
    fn a_batch_larger_than_the_collection_takes_each_image_once() {
        assert_eq!(epoch(&config(8, 80, true), &[2; 3], 3).len(), 3);
    }
}
