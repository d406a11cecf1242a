//! Where the centres of the lists come from: k-means on a sample.

use rand::seq::index::sample;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::embedded::vector::kernel::Level;
use crate::embedded::vector::quantiser::{Quantiser, by_list};
use crate::embedded::vectors::Vectors;
use crate::rows::Row;

/// Sampled rows for each list. More do not move the centres by anything that recall or speed would show.
const ROWS_PER_LIST: usize = 20;

/// Rounds of assigning and averaging; after that few rows change their list.
const ROUNDS: usize = 4;

/// Rows that one task assigns.
const TASK_ROWS: usize = 240;

/// A quantiser whose centres are means of similar rows.
///
/// Source: Lloyd, "Least squares quantization in PCM" (1982).
pub(crate) fn train(
    level: Level,
    vectors: &Vectors,
    rows: &[Row],
    lists: usize,
    seed: u64,
    on_round: &mut dyn FnMut(usize, usize),
) -> Quantiser {
    let dim = vectors.dim();
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let chosen = sample(&mut dice, rows.len(), rows.len().min(ROWS_PER_LIST * lists)).into_vec();
    let plain = Quantiser::untrained(level, dim, seed);
    let rotate = |place: &usize| plain.rotated(vectors.row(rows[*place]));
    let rotated: Vec<Vec<f32>> = chosen.par_iter().map(rotate).collect();
    let rotated: Vec<&[f32]> = rotated.iter().map(Vec::as_slice).collect();
    let mut quantiser = Quantiser::new(level, dim, seed, rotated[..lists].concat());
    for round in 0..ROUNDS {
        on_round(round, ROUNDS);
        let nearest = rotated.par_chunks(TASK_ROWS).flat_map_iter(|rows| quantiser.nearest(rows));
        let nearest: Vec<u16> = nearest.collect();
        quantiser = Quantiser::new(level, dim, seed, means(&rotated, &nearest, lists, &mut dice));
    }
    quantiser
}

/// `(L, D)`: the mean of each list. An empty one begins anew at a sampled row, so that it takes from a crowded place.
fn means(rotated: &[&[f32]], nearest: &[u16], lists: usize, dice: &mut ChaCha8Rng) -> Vec<f32> {
    let (order, starts) = by_list(nearest, lists);
    let fresh: Vec<usize> = (0..lists).map(|_| dice.random_range(0..rotated.len())).collect();
    let mean = |list: usize| {
        let members = &order[starts[list] as usize..starts[list + 1] as usize];
        if members.is_empty() {
            return rotated[fresh[list]].to_vec();
        }
        let mut mean = vec![0.0; rotated[0].len()];
        for member in members {
            for (sum, x) in mean.iter_mut().zip(rotated[*member as usize]) {
                *sum += x;
            }
        }
        mean.iter().map(|sum| sum / members.len() as f32).collect()
    };
    let means: Vec<Vec<f32>> = (0..lists).into_par_iter().map(mean).collect();
    means.concat()
}
