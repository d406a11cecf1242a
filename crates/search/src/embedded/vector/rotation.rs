//! A random rotation that costs about as much as reading a vector a dozen times.
//!
//! Codes of one bit need vectors whose energy lies evenly on all entries; those of real models have a few large ones.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::embedded::vector::kernel::{Level, hadamard};

/// Steps of flipping, transforming and mixing. For a power of two, two spread one entry evenly over all others and the
/// rest make the sums look random; other widths need four until every entry has reached every other.
const STEPS: usize = 4;

/// An orthonormal transform that follows from a seed.
///
/// Source: Ailon and Chazelle, "The fast Johnson-Lindenstrauss transform" (2009), for flips and Hadamard transforms; Kac,
/// "Foundations of kinetic theory" (1956), for the mixing of pairs.
#[derive(Clone, Debug)]
pub(crate) struct Rotation {
    dim: usize,
    /// For each step and entry 1 or -1.
    signs: Vec<f32>,
}

impl Rotation {
    /// For vectors of at least 16 numbers.
    pub(crate) fn new(dim: usize, seed: u64) -> Self {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let signs = (0..STEPS * dim).map(|_| if dice.random() { 1.0 } else { -1.0 });
        Self { dim, signs: signs.collect() }
    }

    /// Rotates in place.
    pub(crate) fn apply(&self, level: Level, x: &mut [f32]) {
        let power = 1 << self.dim.ilog2();
        for (step, signs) in self.signs.chunks_exact(self.dim).enumerate() {
            for (value, sign) in x.iter_mut().zip(signs) {
                *value *= sign;
            }
            // The first entries, then the last ones; both are all of them for a power of two.
            let first = if step % 2 == 0 { 0 } else { self.dim - power };
            hadamard(level, &mut x[first..first + power]);
            if power < self.dim {
                mix(x);
            }
        }
    }
}

/// Turns each pair of an entry of the first half and one of the second by 45 degrees.
fn mix(x: &mut [f32]) {
    let (first, second) = x.split_at_mut(x.len() / 2);
    for (a, b) in first.iter_mut().zip(second) {
        let half = std::f32::consts::FRAC_1_SQRT_2;
        (*a, *b) = ((*a + *b) * half, (*a - *b) * half);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    // By name, because proptest brings its own.
    use rand::Rng;

    use super::*;
    use crate::embedded::vector::kernel::dot;

    fn rotated(x: &[f32], seed: u64) -> Vec<f32> {
        let mut y = x.to_vec();
        Rotation::new(x.len(), seed).apply(Level::best(), &mut y);
        y
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn lengths_and_products_stay(dim in 32usize..1537, seed: u64) {
            let mut dice = ChaCha8Rng::seed_from_u64(seed);
            let mut draw = || (0..dim).map(|_| dice.random_range(-1.0..1.0)).collect::<Vec<f32>>();
            let (a, b) = (draw(), draw());
            let product = |a: &[f32], b: &[f32]| dot(Level::best(), a, b) / dim as f32;
            let (ra, rb) = (rotated(&a, 7), rotated(&b, 7));
            prop_assert!((product(&a, &b) - product(&ra, &rb)).abs() < 1e-5);
            prop_assert!((product(&a, &a) - product(&ra, &ra)).abs() < 1e-5);
        }

        #[test]
        fn one_entry_is_spread_over_all(dim in 32usize..1537, place: prop::sample::Index, seed: u64) {
            let mut x = vec![0.0; dim];
            x[place.index(dim)] = 1.0;
            let y = rotated(&x, seed);
            // The largest entry of a random unit vector is about sqrt(2 ln(D) / D).
            let most = y.iter().fold(0.0f32, |most, x| most.max(x.abs()));
            prop_assert!(most < 4.0 * (2.0 * (dim as f32).ln() / dim as f32).sqrt(), "{most}");
            // Of a random one the entries add up to 0.8 sqrt(D); where two halves overlap almost wholly, to less.
            let sum: f32 = y.iter().map(|x| x.abs()).sum();
            prop_assert!(sum > 0.45 * (dim as f32).sqrt(), "{sum}");
        }
    }

    #[test]
    fn a_seed_gives_the_same_rotation_on_every_level() {
        let x: Vec<f32> = (0..200).map(|i| (i as f32).sin()).collect();
        let rotation = Rotation::new(200, 1);
        let results = Level::all().into_iter().map(|level| {
            let mut y = x.clone();
            rotation.apply(level, &mut y);
            y
        });
        let results: Vec<Vec<f32>> = results.collect();
        assert!(results.iter().all(|found| *found == results[0]));
    }
}
