//! What a random ranking would reach, exactly: expectations, not simulations.
//!
//! Without it a number says little: R@10 of 0.16 is chance in a batch of 64 and a good model among
//! 10,000.

use std::collections::BTreeMap;

use super::Measure;
use super::ranks::{Ranks, discount, ideal_gain};

/// How many queries have how many right answers, in a pool of a given size.
pub(crate) struct Draw {
    pool: usize,
    queries_by_right: BTreeMap<u32, usize>,
}

impl Draw {
    /// The draws that stand behind `ranks`.
    pub(crate) fn new(ranks: &Ranks) -> Self {
        let mut queries_by_right = BTreeMap::new();
        for query in &ranks.queries {
            *queries_by_right.entry(query.right).or_default() += 1;
        }
        Self { pool: ranks.pool, queries_by_right }
    }

    /// The value of `measure` that is expected of a ranking in random order.
    ///
    /// The rank of the best of R right answers among P candidates follows the negative
    /// hypergeometric distribution.
    pub(crate) fn expected(&self, measure: Measure) -> f64 {
        match measure {
            Measure::Recall(k) => self.mean(|right| 1.0 - missed(self.pool, right, k as usize)),
            Measure::Mrr(k) => self.mean(|right| reciprocal_rank(self.pool, right, k as usize)),
            Measure::Ndcg10 => self.mean(|right| ndcg(self.pool, right)),
            Measure::MeanRank => self.mean(|right| (self.pool + 1) as f64 / (right + 1) as f64),
            Measure::MedianRank => self.median_rank(),
        }
    }

    fn mean(&self, of: impl Fn(usize) -> f64) -> f64 {
        let queries: usize = self.queries_by_right.values().sum();
        let sum: f64 =
            self.queries_by_right.iter().map(|(&right, &n)| n as f64 * of(right as usize)).sum();
        sum / queries as f64
    }

    /// The smallest rank within which half of all random rankings have found a right answer.
    fn median_rank(&self) -> f64 {
        let missed_by_half = |rank| self.mean(|right| missed(self.pool, right, rank)) > 0.5;
        let (mut low, mut high) = (1, self.pool);
        while low < high {
            let middle = usize::midpoint(low, high);
            if missed_by_half(middle) { low = middle + 1 } else { high = middle }
        }
        low as f64
    }
}

/// Probability that none of `right` answers is among the first `k` of `pool`: C(P-R, k) / C(P, k).
fn missed(pool: usize, right: usize, k: usize) -> f64 {
    // The product over the smaller of both, for C(P-R, k) / C(P, k) = C(P-k, R) / C(P, R).
    let (few, many) = if k < right { (k, right) } else { (right, k) };
    if few + many > pool {
        return 0.0;
    }
    (0..few).map(|i| (pool - many - i) as f64 / (pool - i) as f64).product()
}

fn reciprocal_rank(pool: usize, right: usize, k: usize) -> f64 {
    (1..=k.min(pool))
        .map(|r| (missed(pool, right, r - 1) - missed(pool, right, r)) / r as f64)
        .sum()
}

fn ndcg(pool: usize, right: usize) -> f64 {
    let share = right as f64 / pool as f64;
    share * (1..=pool.min(10)).map(discount).sum::<f64>() / ideal_gain(right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::ranks::place;

    /// Every order of five candidates, two of them right, ranked by brute force.
    #[test]
    fn expectations_equal_the_average_over_all_orders() {
        let orders = permutations(&[0.1, 0.2, 0.3, 0.4, 0.5]);
        let queries: Vec<_> = orders.iter().map(|scores| place(scores, &[1, 3])).collect();
        let ranks = Ranks { pool: 5, queries };
        let draw = Draw::new(&ranks);
        let mean = |of: &dyn Fn(f64, f64) -> f64| {
            ranks.queries.iter().map(|q| of(f64::from(q.first), q.ndcg)).sum::<f64>()
                / orders.len() as f64
        };
        let close = |measure, expected: f64| {
            let found = draw.expected(measure);
            assert!(
                (found - expected).abs() < 1e-12,
                "{measure}: expected {expected}, found {found}"
            );
        };
        close(Measure::Recall(1), mean(&|rank, _| f64::from(rank <= 1.0)));
        close(Measure::Recall(3), mean(&|rank, _| f64::from(rank <= 3.0)));
        close(Measure::Recall(10), 1.0);
        close(Measure::Mrr(2), mean(&|rank, _| if rank <= 2.0 { 1.0 / rank } else { 0.0 }));
        close(Measure::Mrr(20), mean(&|rank, _| 1.0 / rank));
        close(Measure::MeanRank, mean(&|rank, _| rank));
        close(Measure::Ndcg10, mean(&|_, ndcg| ndcg));
        close(Measure::MedianRank, 2.0);
    }

    fn permutations(values: &[f32]) -> Vec<Vec<f32>> {
        if values.is_empty() {
            return vec![vec![]];
        }
        let with_first = |first: usize| {
            let rest = [&values[..first], &values[first + 1..]].concat();
            permutations(&rest).into_iter().map(move |tail| [vec![values[first]], tail].concat())
        };
        (0..values.len()).flat_map(with_first).collect()
    }
}
