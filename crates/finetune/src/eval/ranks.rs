//! Where do the right answers of a query stand?
//!
//! Everything after this file works on ranks, so image-to-text, text-to-image, classes and batches
//! are measured by the same few lines. A rank counts from 1.

use rayon::prelude::*;

use super::Features;

/// Scores (cosines) this close count as tied.
///
/// A sentence embedded twice, in batches of different length or at another place of a matrix
/// product, comes back with a cosine that differs by a few 1e-7 in f32. Whether such twins are told
/// apart must not depend on that noise.
pub const TIE_TOLERANCE: f32 = 1e-6;

/// nDCG looks at the first ten.
const NDCG_AT: usize = 10;

/// Scores held at once: 64 MiB of f32.
const BLOCK_SCORES: usize = 1 << 24;

/// Where the right answers of one query stand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// Rank of the best right answer.
    pub first: u32,
    /// How many answers are right.
    pub right: u32,
    /// Normalised discounted cumulative gain of the first ten, every right answer being worth 1.
    pub ndcg: f64,
    /// Whether a wrong answer ties with the best right one; it then stands before it.
    pub tied: bool,
}

/// The placements of all queries of one direction.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranks {
    /// How many candidates each query was ranked against.
    pub pool: usize,
    /// One per query, in corpus order.
    pub queries: Vec<Placement>,
}

impl Ranks {
    /// Number of queries whose best right answer is tied with a wrong one.
    pub fn tied(&self) -> usize {
        self.queries.iter().filter(|query| query.tied).count()
    }
}

/// Places the `right` answers among `scores`, higher being better.
///
/// The j-th best right answer has rank j plus the number of wrong answers that score at least as
/// much, within [`TIE_TOLERANCE`]: ties count against the model, but right answers never stand in
/// each other's way. `right` must name at least one answer, and each once.
///
/// Source: nDCG from Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques"
/// (2002), with binary gain and log2(rank + 1).
pub fn place(scores: &[f32], right: &[u32]) -> Placement {
    let mut right_scores: Vec<f32> = right.iter().map(|&answer| scores[answer as usize]).collect();
    right_scores.sort_unstable_by(|a, b| b.total_cmp(a));
    let best = right_scores[0];
    let ahead = wrong_from(best - TIE_TOLERANCE, scores, &right_scores);
    let beyond = wrong_from((best + TIE_TOLERANCE).next_up(), scores, &right_scores);
    Placement {
        first: ahead as u32 + 1,
        right: right.len() as u32,
        ndcg: ndcg(ahead, scores, &right_scores),
        tied: ahead > beyond,
    }
}

fn ndcg(ahead_of_best: usize, scores: &[f32], right_scores: &[f32]) -> f64 {
    let mut gain = 0.0;
    let mut ahead = ahead_of_best;
    for (before, &score) in right_scores.iter().take(NDCG_AT).enumerate() {
        if before > 0 {
            ahead = wrong_from(score - TIE_TOLERANCE, scores, right_scores);
        }
        if before + ahead >= NDCG_AT {
            break; // Ranks only grow from here on.
        }
        gain += discount(before + ahead + 1);
    }
    gain / ideal_gain(right_scores.len())
}

/// What an answer at `rank` is worth.
pub(crate) fn discount(rank: usize) -> f64 {
    1.0 / ((rank + 1) as f64).log2()
}

/// The gain of a ranking with all `right` answers in front.
pub(crate) fn ideal_gain(right: usize) -> f64 {
    (1..=right.min(NDCG_AT)).map(discount).sum()
}

/// Number of wrong answers that score at least `threshold`. `right_scores` descend.
fn wrong_from(threshold: f32, scores: &[f32], right_scores: &[f32]) -> usize {
    let all =
        scores.chunks(1 << 16).map(|part| count_from(threshold, part) as usize).sum::<usize>();
    all - right_scores.partition_point(|&score| score >= threshold)
}

/// Counts in u32, as wide as the scores, so that the compiler keeps the whole loop in vector
/// registers.
fn count_from(threshold: f32, scores: &[f32]) -> u32 {
    scores.iter().map(|&score| u32::from(score >= threshold)).sum()
}

/// Scores every query against every key and keeps what `judge` makes of each row of scores.
///
/// Works in blocks of queries: the (N, M) matrix of scores is never held, only 64 MiB of it (more
/// where a single row is longer).
///
/// # Shapes
/// `queries` (N, D), `keys` (M, D); `judge` is given a query number and its (M) scores.
pub(crate) fn judge_rows<T: Send>(
    queries: &Features,
    keys: &Features,
    judge: impl Fn(usize, &[f32]) -> T + Sync,
) -> Vec<T> {
    let block = (BLOCK_SCORES / keys.len().max(1)).clamp(1, 512);
    let mut scores = vec![0.0; block.min(queries.len()) * keys.len()]; // (block, M)
    let mut judged = Vec::with_capacity(queries.len());
    for start in (0..queries.len()).step_by(block) {
        let end = (start + block).min(queries.len());
        let scores = &mut scores[..(end - start) * keys.len()];
        finelens_compute::dot_products(queries.rows(start..end), keys.values(), keys.dim(), scores);
        let rows = scores.par_chunks(keys.len()).enumerate();
        judged.par_extend(rows.map(|(row, scores)| judge(start + row, scores)));
    }
    judged
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact by construction")]
mod tests {
    use super::*;

    #[test]
    fn a_constant_scorer_comes_last() {
        let placed = place(&[0.5; 10], &[0]);
        assert_eq!((placed.first, placed.tied), (10, true));
    }

    #[test]
    fn noise_below_the_tolerance_is_a_tie() {
        let placed = place(&[0.5, 0.5 - 3e-7, 0.4], &[0]);
        assert_eq!((placed.first, placed.tied), (2, true));
    }

    #[test]
    fn a_clear_lead_is_no_tie() {
        let placed = place(&[0.5, 0.499_99, 0.9], &[0]);
        assert_eq!((placed.first, placed.tied), (2, false));
    }

    #[test]
    fn right_answers_do_not_stand_in_each_others_way() {
        let placed = place(&[0.9, 0.9, 0.9, 0.1], &[0, 1, 2]);
        assert_eq!(placed, Placement { first: 1, right: 3, ndcg: 1.0, tied: false });
    }

    #[test]
    fn ndcg_counts_every_right_answer_among_ten() {
        let placed = place(&[0.9, 0.8, 0.7], &[0, 2]);
        assert_eq!(placed.ndcg, (1.0 + 0.5) / (1.0 + 1.0 / 3f64.log2()));
    }

    #[test]
    fn ndcg_is_nothing_beyond_ten() {
        let scores: Vec<f32> = (0..20).map(|answer| answer as f32 / 20.0).collect();
        assert_eq!(place(&scores, &[0, 9]).ndcg, 0.0);
        assert!(place(&scores, &[10]).ndcg > 0.0);
    }
}
