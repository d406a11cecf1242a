//! The centres of all lists as bits and bytes: enough to tell the near ones from the others, at a fraction of the reading.

use crate::embedded::vector::codes::{Codes, Writer};
use crate::embedded::vector::kernel::{LANES, Level, Tables, byte_dots, dot, scan};
use crate::embedded::vector::search::{BIT_NOISE, BYTE_NOISE, length};

/// Standard deviations of an estimate within which a centre is looked at itself. A list that is missed for that is at the
/// edge of what is probed, and few neighbours are there.
const DEVIATIONS: f32 = 2.0;

/// Codes of centres.
#[derive(Clone, Debug)]
pub(crate) struct Sketch {
    /// What the codes are taken from.
    mean: Vec<f32>,
    codes: Codes,
    /// How far a product from bits may be off, and one from bytes.
    noise: (f32, f32),
}

/// Products of a query with all centres, as far as bits tell.
#[derive(Clone, Debug)]
pub(crate) struct Estimates {
    /// `(L,)`
    pub(crate) products: Vec<f32>,
    /// How far off these may be.
    pub(crate) noise: f32,
    /// The product with the mean of the centres.
    mean: f32,
}

impl Estimates {
    /// Products that are not off at all.
    pub(crate) fn exact(products: Vec<f32>) -> Self {
        Self { products, noise: 0.0, mean: 0.0 }
    }
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
        let unit = DEVIATIONS * longest / (dim as f32).sqrt();
        Self { mean, codes, noise: (BIT_NOISE * unit, BYTE_NOISE * unit) }
    }

    /// Products of a rotated query of length one with the centres.
    pub(crate) fn estimates(&self, level: Level, rotated: &[f32], tables: &Tables) -> Estimates {
        let lists = self.codes.len();
        let blocks = lists.div_ceil(LANES);
        let mean = dot(level, rotated, &self.mean);
        let bases = vec![mean; blocks * LANES];
        let mut passed = Vec::with_capacity(blocks * LANES);
        let blocks = self.codes.blocks(0..blocks, blocks, &bases);
        scan(level, tables, blocks, f32::NEG_INFINITY, &mut passed);
        let mut products = vec![f32::NEG_INFINITY; lists];
        for one in passed {
            if let Some(product) = products.get_mut(one.place as usize) {
                *product = one.estimate;
            }
        }
        Estimates { products, noise: self.noise.0, mean }
    }

    /// What the products with the centres of some lists are at most, as far as bytes tell.
    ///
    /// # Shapes
    /// `query` is `(D,)`, the rotated query in steps of `unit`; the answer is `(lists,)`.
    pub(crate) fn most(
        &self,
        level: Level,
        estimates: &Estimates,
        (query, unit): (&[i8], f32),
        lists: &[u32],
    ) -> Vec<f32> {
        let mut products = vec![0; lists.len()];
        byte_dots(level, query, self.codes.bytes.get(), lists, &mut products);
        let (scales, at_most) = (self.codes.scales.get(), estimates.mean + self.noise.1);
        let most =
            |(list, product): (&u32, i32)| at_most + scales[*list as usize] * unit * product as f32;
        lists.iter().zip(products).map(most).collect()
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::embedded::vector::search::query_bytes;

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
        let found = sketch.estimates(level, &query, &Tables::new(level, &query));
        let far = centres.chunks_exact(dim).zip(&found.products).filter(|(centre, product)| {
            (dot(level, &query, centre) - **product).abs() > found.noise
        });
        assert!(found.noise < 0.25 && far.count() <= lists / 10);
        let (bytes, unit) = query_bytes(level, &query);
        let all: Vec<u32> = (0..lists as u32).collect();
        let most = sketch.most(level, &found, (&bytes, unit), &all);
        let off = centres.chunks_exact(dim).zip(most).filter(|(centre, most)| {
            let product = dot(level, &query, centre);
            product > *most || product < most - 2.0 * sketch.noise.1
        });
        assert!(sketch.noise.1 < 0.01 && off.count() <= lists / 10);
    }
}
