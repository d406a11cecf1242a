//! The weight of the hybrid, fitted on captions whose pictures are known.
//!
//! The query's own caption is held out from its picture: a caption finds itself, and whoever forgets that fits a weight that
//! trusts words too much.

use rayon::prelude::*;

use crate::embedded::Trial;
use crate::embedded::lexical::Plan;
use crate::embedded::search::{CANDIDATES, both_scores};
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
    let by_words = each(&scored, |trial| rank_by(trial, |candidate| (candidate.lexical, 0.0)));
    let by_vector = each(&scored, |trial| rank_by(trial, |candidate| (candidate.vector, 0.0)));
    let weights: Vec<f32> = (0..=STEPS).map(|step| f32::from(step) / f32::from(STEPS)).collect();
    let fused = |rule: Rule| each(&scored, |trial| rank_fused(rule, trial));
    let tried: Vec<Vec<f64>> =
        weights.par_iter().map(|weight| fused(Rule::Convex { weight: *weight })).collect();
    let (lexical, vector) = (mean(&by_words), mean(&by_vector));
    let place = choose(&tried, vector > lexical);
    let (rrf, chosen) = (mean(&fused(Rule::Rrf)), mean(&tried[place]));
    let fitted = Fitted { queries: scored.len(), lexical, vector, rrf, chosen };
    Ok((Rule::Convex { weight: weights[place] }, fitted))
}

/// Of the weights that are not worse than the best by more than one standard error, the nearest to the better leg alone:
/// what the trials cannot tell apart is not worth leaving the better leg for.
///
/// Source: the one-standard-error rule, Breiman, Friedman, Olshen, Stone, "Classification and Regression Trees" (1984),
/// section 3.4.3, on paired differences.
fn choose(tried: &[Vec<f64>], vector_is_better: bool) -> usize {
    let best = (0..tried.len()).max_by(|a, b| mean(&tried[*a]).total_cmp(&mean(&tried[*b])));
    let best = best.map_or(&[][..], |place| &tried[place]);
    let as_good = |place: &usize| {
        let behind: Vec<f64> = best.iter().zip(&tried[*place]).map(|(a, b)| a - b).collect();
        mean(&behind) <= standard_error(&behind)
    };
    let found = if vector_is_better {
        (0..tried.len()).rev().find(as_good)
    } else {
        (0..tried.len()).find(as_good)
    };
    found.unwrap_or_default()
}

fn standard_error(values: &[f64]) -> f64 {
    let middle = mean(values);
    let squares: f64 = values.iter().map(|value| (value - middle).powi(2)).sum();
    squares.sqrt() / values.len() as f64
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
    let by_vector =
        snapshot.codes.search(&snapshot.vectors, &trial.vector, CANDIDATES, &snapshot.live);
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

/// Reciprocal ranks, 0 beyond the tenth, of all trials.
fn each(scored: &[Scored], rank: impl Fn(&Scored) -> Option<usize>) -> Vec<f64> {
    let reciprocal = |rank: usize| if rank <= CUT { 1.0 / rank as f64 } else { 0.0 };
    scored.iter().map(|trial| rank(trial).map_or(0.0, reciprocal)).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// As a search orders them: what is fused alike goes by the vector.
fn rank_fused(rule: Rule, trial: &Scored) -> Option<usize> {
    let fused = fuse(rule, &trial.candidates);
    let keys = fused.iter().zip(&trial.candidates).map(|(fused, c)| (*fused, c.vector));
    trial.right.map(|right| rank_of(right, &keys.collect::<Vec<_>>()))
}

fn rank_by(trial: &Scored, key: impl Fn(&Candidate) -> (f32, f32)) -> Option<usize> {
    let keys: Vec<(f32, f32)> = trial.candidates.iter().map(key).collect();
    trial.right.map(|right| rank_of(right, &keys))
}

/// Ties count against the right one.
fn rank_of(right: usize, keys: &[(f32, f32)]) -> usize {
    keys.iter().filter(|key| **key >= keys[right]).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_told_apart_goes_to_the_better_leg() {
        let (good, alike, bad) = (vec![1.0, 0.5, 1.0, 0.5], vec![1.0, 1.0, 0.3, 0.5], vec![0.1; 4]);
        let tried = [bad.clone(), alike.clone(), good.clone(), alike, bad];
        assert_eq!(choose(&tried, false), 1);
        assert_eq!(choose(&tried, true), 3);
        assert_eq!(choose(&[good, vec![0.9, 0.4, 0.9, 0.4]], true), 0);
    }

    #[test]
    fn ties_count_against_the_right_one() {
        let keys = [(0.5, 0.3), (0.5, 0.3), (0.5, 0.2), (0.7, 0.0), (0.1, 0.9)];
        assert_eq!(rank_of(1, &keys), 3);
    }
}
