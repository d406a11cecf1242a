//! The best rows so far, and those close enough behind them that a better look may change their order.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::rows::Row;

/// A row with a score, and where its codes are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) score: f32,
    pub(crate) row: Row,
    /// Number of the part of the index.
    pub(crate) part: u32,
    /// Place within the part.
    pub(crate) place: u32,
}

/// The better of two: the higher score, then the lower row.
pub(crate) fn order(a: &Candidate, b: &Candidate) -> Ordering {
    b.score.total_cmp(&a.score).then(a.row.cmp(&b.row))
}

/// A score in a heap.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Score(f32);

impl Eq for Score {}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// All rows whose score is at most `width` below the k-th best.
#[derive(Clone, Debug)]
pub(crate) struct Candidates {
    count: usize,
    width: f32,
    /// More than these are not kept: rows that differ less than the noise, such as a thousand copies.
    most: usize,
    best: BinaryHeap<Reverse<Score>>,
    threshold: f32,
    kept: Vec<Candidate>,
    /// When so many are kept it is time to throw some away.
    full: usize,
}

impl Candidates {
    /// For the best `count`, which is not zero.
    pub(crate) fn new(count: usize, width: f32, most: usize) -> Self {
        let full = 2 * most.max(count);
        let (best, kept) = (BinaryHeap::with_capacity(count + 1), Vec::new());
        Self { count, width, most: most.max(count), best, threshold: f32::NEG_INFINITY, kept, full }
    }

    /// What a score must reach to be of interest.
    pub(crate) fn threshold(&self) -> f32 {
        self.threshold
    }

    /// The k-th best score, or minus infinity while there are fewer.
    pub(crate) fn last_of_best(&self) -> f32 {
        match self.best.peek() {
            Some(Reverse(worst)) if self.best.len() == self.count => worst.0,
            _ => f32::NEG_INFINITY,
        }
    }

    /// Takes a candidate in if it is good enough.
    #[inline]
    pub(crate) fn offer(&mut self, candidate: Candidate) {
        if candidate.score < self.threshold {
            return;
        }
        self.kept.push(candidate);
        self.note(candidate.score);
        if self.kept.len() >= self.full {
            self.prune();
        }
    }

    fn note(&mut self, score: f32) {
        if self.best.len() == self.count {
            if score <= self.last_of_best() {
                return;
            }
            self.best.pop();
        }
        self.best.push(Reverse(Score(score)));
        self.threshold = self.threshold.max(self.last_of_best() - self.width);
    }

    fn prune(&mut self) {
        self.kept.retain(|candidate| candidate.score >= self.threshold);
        if self.kept.len() > self.most {
            let (_, last, _) = self.kept.select_nth_unstable_by(self.most - 1, order);
            self.threshold = last.score;
            self.kept.truncate(self.most);
        }
    }

    /// Takes in all of another one.
    pub(crate) fn merge(&mut self, other: Self) {
        for candidate in other.kept {
            self.offer(candidate);
        }
    }

    /// All that are close enough, in no order.
    pub(crate) fn into_close(mut self) -> Vec<Candidate> {
        self.prune();
        self.kept
    }

    /// The best ones in order.
    pub(crate) fn into_best(self) -> Vec<(Row, f32)> {
        let count = self.count;
        let mut close = self.into_close();
        close.sort_unstable_by(order);
        close.iter().take(count).map(|candidate| (candidate.row, candidate.score)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(row: Row, score: f32) -> Candidate {
        Candidate { score, row, part: 0, place: 0 }
    }

    #[test]
    fn rows_within_the_width_are_kept_and_no_others() {
        let mut candidates = Candidates::new(2, 0.25, 100);
        for (row, score) in [0.1, 0.5, 0.2, 0.9, 0.3, 0.8, 0.56].into_iter().enumerate() {
            candidates.offer(candidate(row as Row, score));
        }
        let mut rows: Vec<Row> = candidates.into_close().iter().map(|found| found.row).collect();
        rows.sort_unstable();
        assert_eq!(rows, [3, 5, 6]);
    }

    #[test]
    fn equal_scores_are_in_the_order_of_rows() {
        let mut candidates = Candidates::new(3, 0.0, 4);
        for row in (0..100).rev() {
            candidates.offer(candidate(row, 0.5));
        }
        assert_eq!(candidates.into_best(), [(0, 0.5), (1, 0.5), (2, 0.5)]);
    }

    #[test]
    fn fewer_rows_than_asked_for_are_all_returned() {
        let mut candidates = Candidates::new(10, 0.1, 20);
        candidates.offer(candidate(1, -1.0));
        candidates.offer(candidate(2, 1.0));
        assert_eq!(candidates.into_best(), [(2, 1.0), (1, -1.0)]);
    }
}
