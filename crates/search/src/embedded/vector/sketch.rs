//! The centres of all lists as bits: enough to tell the near ones from the others, at a thirtieth of the reading.

use crate::embedded::vector::codes::{Codes, Writer};
use crate::embedded::vector::kernel::{LANES, Level, Tables, dot, scan};
use crate::embedded::vector::search::{BIT_NOISE, length};

/// Standard deviations of an estimate within which a centre is looked at itself. A list that is missed for that is at the
/// edge of what is probed, and few neighbours are there.
const DEVIATIONS: f32 = 2.0;

/// Codes of centres.
#[derive(Clone, Debug)]
pub(crate) struct Sketch {
    /// What the signs are taken from.
    mean: Vec<f32>,
    codes: Codes,
    /// How far an estimate may be from the product.
    noise: f32,
}

impl Sketch {
    /// # Shapes
    /// `centres` is `(L, D)`, rotated.
    pub(crate) fn new(level: Level, dim: usize, centres: &[f32]) -> Self {
        let lists = centres.len() / dim;
        let mut mean = vec![0.0; dim];
        for centre in centres.chunks_exact(dim) {
            mean.iter_mut().zip(centre).for_each(|(sum, x)| *sum += x / lists as f32);
        }
        let mut writer = Writer::new(dim, lists);
        let mut longest = 0.0f32;
        let runs = centres.chunks(LANES * dim).zip(writer.slots());
        for (centres, mut slot) in runs {
            for (lane, centre) in centres.chunks_exact(dim).enumerate() {
                let residual: Vec<f32> = centre.iter().zip(&mean).map(|(x, m)| x - m).collect();
                longest = longest.max(length(level, &residual));
                slot.put(level, lane, &residual);
            }
        }
        let codes = writer.finish(vec![0; lists], vec![0; lists], Vec::new());
        Self { mean, codes, noise: DEVIATIONS * BIT_NOISE * longest / (dim as f32).sqrt() }
    }

    /// `(L,)`: products of a rotated query of length one with the centres, and how far off these may be.
    pub(crate) fn estimates(
        &self,
        level: Level,
        rotated: &[f32],
        tables: &Tables,
    ) -> (Vec<f32>, f32) {
        let lists = self.codes.len();
        let blocks = lists.div_ceil(LANES);
        let bases = vec![dot(level, rotated, &self.mean); blocks * LANES];
        let mut passed = Vec::with_capacity(blocks * LANES);
        let blocks = self.codes.blocks(0..blocks, blocks, &bases);
        scan(level, tables, blocks, f32::NEG_INFINITY, &mut passed);
        let mut estimates = vec![f32::NEG_INFINITY; lists];
        for one in passed {
            if let Some(estimate) = estimates.get_mut(one.place as usize) {
                *estimate = one.estimate;
            }
        }
        (estimates, self.noise)
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn estimates_are_within_the_noise_but_for_few() {
        let mut dice = ChaCha8Rng::seed_from_u64(1);
        let (dim, lists, level) = (256, 400, Level::best());
        let mut unit = || {
            let x: Vec<f32> = (0..dim).map(|_| dice.random_range(-1.0..1.0)).collect();
            let norm = length(level, &x);
            x.iter().map(|x| x / norm).collect::<Vec<f32>>()
        };
        let centres: Vec<f32> = (0..lists).flat_map(|_| unit()).collect();
        let (query, sketch) = (unit(), Sketch::new(level, dim, &centres));
        let (estimates, noise) = sketch.estimates(level, &query, &Tables::new(level, &query));
        let far = centres
            .chunks_exact(dim)
            .zip(&estimates)
            .filter(|(centre, estimate)| (dot(level, &query, centre) - **estimate).abs() > noise);
        assert!(noise < 0.25 && far.count() <= lists / 10);
    }
}
