//! The weight of the hybrid, fitted on captions whose pictures are known.
//!
//! The query's own caption is held out from its picture: a caption finds itself, and whoever forgets that fits a weight that
//! trusts words too much.

use rayon::prelude::*;

use crate::embedded::Trial;
use crate::embedded::lexical::Plan;
use crate::embedded::search::{CANDIDATES, both_scores, nearest};
use crate::embedded::snapshot::Snapshot;
use crate::error::Error;
use crate::fusion::{Candidate, Rule, fuse};
use crate::rows::Row;
use crate::stats::Fitted;
use crate::words::Words;

/// Steps from 0 to 1 in which the weight is tried.
const STEPS: u16 = 40;

/// Ranks beyond this one count nothing: MRR@10.
const CUT: usize = 10;

/// All candidates of one trial, the right one's words held out.
struct Scored {
    candidates: Vec<Candidate>,
    /// Place of the right picture among them; `None` where neither leg found it.
    right: Option<usize>,
}

/// Tries every rule on `trials`, and returns the best with what the others reached.
pub(super) fn fit(snapshot: &Snapshot, trials: &[Trial]) -> Result<(Rule, Fitted), Error> {
    let scored: Vec<Scored> = trials
        .par_iter()
        .filter_map(|trial| score(snapshot, trial).transpose())
        .collect::<Result<_, Error>>()?;
    if scored.is_empty() {
        let reason = "no caption to fit on: none of them belongs to a picture in the index";
        return Err(Error::Query { reason: reason.to_owned() });
    }
    let reached = |rule: Rule| mean_reciprocal_rank(rule, &scored);
    let weights = (0..=STEPS).map(|step| f32::from(step) / f32::from(STEPS));
    let tried: Vec<(f32, f64)> =
        weights.map(|weight| (weight, reached(Rule::Convex { weight }))).collect();
    let (lexical, vector) = (tried[0].1, tried[tried.len() - 1].1);
    let (weight, chosen) = middle_of_best(&tried);
    let fitted = Fitted { queries: scored.len(), lexical, vector, rrf: reached(Rule::Rrf), chosen };
    Ok((Rule::Convex { weight }, fitted))
}

/// The middle of the longest run of weights that are as good as the best, since its ends are where luck is.
fn middle_of_best(tried: &[(f32, f64)]) -> (f32, f64) {
    let best = tried.iter().map(|(_, reached)| *reached).fold(0.0, f64::max);
    let runs = tried.chunk_by(|a, b| (a.1 < best) == (b.1 < best));
    let run = runs.filter(|run| run[0].1 >= best).max_by_key(|run| run.len()).unwrap_or(tried);
    run[run.len() / 2]
}

/// Both legs on one caption; `None` for a picture that is not in the index.
fn score(snapshot: &Snapshot, trial: &Trial) -> Result<Option<Scored>, Error> {
    let Some(row) = snapshot.store().row_of(&trial.id)? else { return Ok(None) };
    if !snapshot.live.contains(row) {
        return Ok(None);
    }
    let record = snapshot.store().record(row)?;
    let Some(mut record) = record.filter(|record| trial.caption < record.captions.len()) else {
        return Ok(None);
    };
    let caption = record.captions.remove(trial.caption);
    let plan = snapshot.lexical.plan(&Words::plain(&caption))?;
    let held_out = snapshot.lexical.score_without(&plan, &record.captions, &record.metadata);
    let by_words = by_words(snapshot, &plan, row, held_out)?;
    let by_vector = nearest(snapshot, false, &trial.vector, CANDIDATES, &snapshot.live);
    let (rows, mut candidates) =
        both_scores(snapshot, &plan, &trial.vector, &by_words, &by_vector)?;
    let right = rows.binary_search(&row).ok();
    if let Some(right) = right {
        candidates[right].lexical = held_out;
    }
    Ok(Some(Scored { candidates, right }))
}

/// The lexical leg as it would be if the right picture had not been given this caption.
fn by_words(
    snapshot: &Snapshot,
    plan: &Plan,
    right: Row,
    held_out: f32,
) -> Result<Vec<(Row, f32)>, Error> {
    let mut ranked = snapshot.lexical.search(plan, CANDIDATES, &snapshot.live)?;
    ranked.retain(|(row, _)| *row != right);
    if held_out > 0.0 {
        let place = ranked.partition_point(|(_, score)| *score >= held_out);
        ranked.insert(place, (right, held_out));
        ranked.truncate(CANDIDATES);
    }
    Ok(ranked)
}

fn mean_reciprocal_rank(rule: Rule, scored: &[Scored]) -> f64 {
    let reciprocal = |trial: &Scored| {
        trial.right.map_or(0.0, |right| {
            let rank = rank_of(right, &fuse(rule, &trial.candidates));
            if rank <= CUT { 1.0 / rank as f64 } else { 0.0 }
        })
    };
    scored.iter().map(reciprocal).sum::<f64>() / scored.len() as f64
}

/// Ties count against the right one.
fn rank_of(right: usize, scores: &[f32]) -> usize {
    scores.iter().filter(|score| **score >= scores[right]).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_the_longest_plateau_is_taken() {
        let tried = [(0.0, 0.5), (0.25, 0.1), (0.5, 0.5), (0.75, 0.5), (1.0, 0.5)];
        assert_eq!(middle_of_best(&tried), (0.75, 0.5));
    }

    #[test]
    fn ties_count_against_the_right_one() {
        assert_eq!(rank_of(1, &[0.5, 0.5, 0.7, 0.1]), 3);
    }
}
