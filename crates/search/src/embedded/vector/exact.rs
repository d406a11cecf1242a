//! The slow and obvious twin: every allowed row by its vector.

use rayon::prelude::*;

use crate::embedded::vector::candidates::{Candidate, Candidates};
use crate::embedded::vector::kernel::{Level, Panels, dot, prefetch, products};
use crate::embedded::vectors::Vectors;
use crate::rows::{Row, RowSet};

/// Rows that are asked for ahead of their turn.
const AHEAD: usize = 3;

/// Rows that one task looks at.
const TASK_ROWS: usize = 4096;

/// Rows that are multiplied with all queries of a batch at once: a multiple of the rows of a tile.
const BATCH_ROWS: usize = 48;

/// The best `k` of all allowed rows, best first, equal scores by row.
pub(crate) fn exact(
    vectors: &Vectors,
    query: &[f32],
    k: usize,
    allowed: &RowSet,
) -> Vec<(Row, f32)> {
    if k == 0 {
        return Vec::new();
    }
    let level = Level::best();
    let tasks = (0..vectors.rows().div_ceil(TASK_ROWS)).into_par_iter().map(|task| {
        let rows = task * TASK_ROWS..vectors.rows().min((task + 1) * TASK_ROWS);
        let rows = rows.map(|row| row as Row).filter(|row| allowed.contains(*row));
        best_of(level, vectors, query, k, &rows.collect::<Vec<_>>())
    });
    let tasks: Vec<Candidates> = tasks.collect();
    let mut best = Candidates::new(k, 0.0, k);
    for task in tasks {
        best.merge(task);
    }
    best.into_best()
}

/// The best `k` of these rows.
pub(crate) fn best_of(
    level: Level,
    vectors: &Vectors,
    query: &[f32],
    k: usize,
    rows: &[Row],
) -> Candidates {
    let mut best = Candidates::new(k, 0.0, k);
    for_each_score(level, vectors, query, rows, |row, score| best.offer(candidate(row, score)));
    best
}

fn candidate(row: Row, score: f32) -> Candidate {
    Candidate { score, row, part: 0, place: 0 }
}

/// Cosines of these rows, which are below N.
pub(crate) fn cosines(vectors: &Vectors, query: &[f32], rows: &[Row]) -> Vec<f32> {
    let mut cosines = Vec::with_capacity(rows.len());
    for_each_score(Level::best(), vectors, query, rows, |_, score| cosines.push(score));
    cosines
}

/// Tells the score of each row, and asks the memory for a few rows ahead.
fn for_each_score(
    level: Level,
    vectors: &Vectors,
    query: &[f32],
    rows: &[Row],
    mut tell: impl FnMut(Row, f32),
) {
    for (number, row) in rows.iter().enumerate() {
        if let Some(next) = rows.get(number + AHEAD) {
            prefetch(vectors.row(*next));
        }
        tell(*row, dot(level, query, vectors.row(*row)));
    }
}

/// The best `k` rows for each of many queries: what [`exact`] finds but for rounding, many times faster.
///
/// # Shapes
/// Each of `queries` is `(D,)`.
pub(crate) fn exact_for_all(
    level: Level,
    vectors: &Vectors,
    queries: &[&[f32]],
    k: usize,
    rows: &[Row],
) -> Vec<Vec<(Row, f32)>> {
    let panels = Panels::new(vectors.dim(), &queries.concat());
    let tasks = rows.par_chunks(rows.len().div_ceil(rayon::current_num_threads()).max(1));
    let tasks: Vec<Vec<Candidates>> =
        tasks.map(|rows| best_for_all(level, vectors, &panels, k, rows)).collect();
    let merged = (0..queries.len()).map(|query| {
        let mut best = Candidates::new(k, 0.0, k);
        for task in &tasks {
            best.merge(task[query].clone());
        }
        best.into_best()
    });
    merged.collect()
}

fn best_for_all(
    level: Level,
    vectors: &Vectors,
    queries: &Panels,
    k: usize,
    rows: &[Row],
) -> Vec<Candidates> {
    let mut best = vec![Candidates::new(k, 0.0, k); queries.columns()];
    let mut thresholds = vec![f32::NEG_INFINITY; queries.columns()];
    let mut scores = vec![0.0; BATCH_ROWS * queries.stride()];
    for rows in rows.chunks(BATCH_ROWS) {
        let slices: Vec<&[f32]> = rows.iter().map(|row| vectors.row(*row)).collect();
        products(level, &slices, queries, &mut scores);
        for (row, scores) in rows.iter().zip(scores.chunks_exact(queries.stride())) {
            for (query, (score, threshold)) in scores.iter().zip(&mut thresholds).enumerate() {
                if *score >= *threshold {
                    best[query].offer(candidate(*row, *score));
                    *threshold = best[query].threshold();
                }
            }
        }
    }
    best
}
