//! Chance, as drawings need it: every choice of a picture comes from one seeded sequence.
//!
//! The only file here that knows the random number crates.

use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;

/// A sequence of random choices, the same on every machine for the same seed and stream.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// The sequence of `seed` with the number `stream`; streams do not overlap.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        Self(generator)
    }

    /// A number in `low..high`.
    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.0.random::<f32>()
    }

    /// A number in `-reach..reach`.
    pub(crate) fn spread(&mut self, reach: f32) -> f32 {
        self.between(-reach, reach)
    }

    /// A whole number in `low..=high`.
    pub(crate) fn whole(&mut self, low: usize, high: usize) -> usize {
        self.0.random_range(low as u32..=high as u32) as usize
    }

    /// True with probability `share`.
    pub(crate) fn chance(&mut self, share: f32) -> bool {
        self.0.random::<f32>() < share
    }

    /// A random 32-bit pattern.
    pub(crate) fn bits(&mut self) -> u32 {
        self.0.random()
    }

    /// One of `choices`, which must not be empty.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.whole(0, choices.len() - 1)]
    }

    /// Up to `count` different entries of `choices`, in random order.
    pub(crate) fn several<T: Copy>(&mut self, choices: &[T], count: usize) -> Vec<T> {
        choices.choose_multiple(&mut self.0, count).copied().collect()
    }

    /// A point of the unit square, at least `margin` from its edge.
    pub(crate) fn point(&mut self, margin: f32) -> (f32, f32) {
        (self.between(margin, 1.0 - margin), self.between(margin, 1.0 - margin))
    }
}
