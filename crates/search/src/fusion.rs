//! Two legs, one order.
//!
//! Nothing here knows where scores come from. Every candidate has both of its scores: a score that was not computed must
//! not be taken for a bad one.

use serde::{Deserialize, Serialize};

/// How two legs become one order.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// Reciprocal rank fusion, for collections on which nothing could be fitted.
    Rrf,
    /// `weight` of the vector's normalised score and `1 - weight` of the words'.
    Convex {
        /// 0 to 1; at 1 the vector decides alone.
        weight: f32,
    },
}

/// Constant of reciprocal rank fusion.
///
/// Source: Cormack, Clarke, Büttcher, "Reciprocal Rank Fusion outperforms Condorcet" (SIGIR 2009), section 2.
const RRF_K: f32 = 60.0;

/// A candidate as both legs see it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Candidate {
    /// BM25; 0 where no word matches.
    pub(crate) lexical: f32,
    /// Cosine.
    pub(crate) vector: f32,
    /// Place in the lexical leg, from 1.
    pub(crate) lexical_rank: Option<usize>,
    /// Place in the vector leg, from 1.
    pub(crate) vector_rank: Option<usize>,
}

/// The fused score of each candidate, higher being better.
pub(crate) fn fuse(rule: Rule, candidates: &[Candidate]) -> Vec<f32> {
    match rule {
        Rule::Rrf => candidates.iter().map(reciprocal_ranks).collect(),
        Rule::Convex { weight } => convex(weight, candidates),
    }
}

fn reciprocal_ranks(candidate: &Candidate) -> f32 {
    let share = |rank: Option<usize>| rank.map_or(0.0, |rank| 1.0 / (RRF_K + rank as f32));
    share(candidate.lexical_rank) + share(candidate.vector_rank)
}

/// Cosines are stretched over the range of the candidates; BM25 is taken relative to the best, since its zero means
/// something: no word in common.
///
/// Source: Bruch, Gai, Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval" (TOIS 2023), which finds the
/// normaliser to matter little and the weight to matter much.
fn convex(weight: f32, candidates: &[Candidate]) -> Vec<f32> {
    let vectors = candidates.iter().map(|candidate| candidate.vector);
    let low = vectors.clone().fold(f32::INFINITY, f32::min);
    let span = vectors.fold(f32::NEG_INFINITY, f32::max) - low;
    let best = candidates.iter().map(|candidate| candidate.lexical).fold(0.0, f32::max);
    let share = |part: f32, whole: f32| if whole > 0.0 { part / whole } else { 0.0 };
    let score = |candidate: &Candidate| {
        weight * share(candidate.vector - low, span)
            + (1.0 - weight) * share(candidate.lexical, best)
    };
    candidates.iter().map(score).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(
        lexical: f32,
        vector: f32,
        lexical_rank: Option<usize>,
        vector_rank: Option<usize>,
    ) -> Candidate {
        Candidate { lexical, vector, lexical_rank, vector_rank }
    }

    #[test]
    fn reciprocal_ranks_add_up_and_a_leg_without_the_candidate_adds_nothing() {
        let candidates =
            [candidate(3.0, 0.2, Some(1), Some(3)), candidate(0.0, 0.4, None, Some(1))];
        let fused = fuse(Rule::Rrf, &candidates);
        assert_eq!(fused, [1.0 / 61.0 + 1.0 / 63.0, 1.0 / 61.0]);
    }

    #[test]
    fn at_the_ends_of_the_weight_one_leg_decides_alone() {
        let candidates =
            [candidate(4.0, 0.1, Some(1), None), candidate(1.0, 0.3, Some(2), Some(1))];
        assert_eq!(fuse(Rule::Convex { weight: 0.0 }, &candidates), [1.0, 0.25]);
        assert_eq!(fuse(Rule::Convex { weight: 1.0 }, &candidates), [0.0, 1.0]);
    }

    #[test]
    fn equal_scores_everywhere_are_no_division_by_zero() {
        let candidates = [candidate(0.0, 0.5, None, Some(1)); 3];
        assert_eq!(fuse(Rule::Convex { weight: 0.4 }, &candidates), [0.0; 3]);
        assert!(fuse(Rule::Convex { weight: 0.4 }, &[]).is_empty());
    }
}
