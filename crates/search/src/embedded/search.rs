//! One query through both legs.
//!
//! Order of work: which rows may be hits at all, what each leg finds among these, both scores for every candidate, one
//! order, and only then the records of the page that was asked for.

use crate::embedded::lexical::Plan;
use crate::embedded::snapshot::Snapshot;
use crate::embedded::vector;
use crate::error::Error;
use crate::fusion::{self, Candidate, Rule};
use crate::hit::{Hit, Results, Scores};
use crate::query::{Mode, Query};
use crate::rows::{Row, RowSet};

/// Candidates of each leg in a hybrid search. What lies deeper comes behind all of these, in tiers twice as large each, so
/// that pages never overlap: an order over more candidates would be another order.
///
/// Source: candidates matter little beyond 100 in Bruch, Gai, Ingber (TOIS 2023), figure 5.
pub(super) const CANDIDATES: usize = 200;

/// Hits that are looked at for pictures that look the same: each is compared with each.
const FOLDABLE: usize = 2_000;

/// A row with its scores, on its way to become a hit.
#[derive(Clone, Copy, Debug)]
struct Found {
    row: Row,
    scores: Scores,
}

/// Answers `query`, and says whether every record was still there.
pub(super) fn search(snapshot: &Snapshot, query: &Query) -> Result<(Results, bool), Error> {
    let plan = snapshot.lexical.plan(&query.words)?;
    let allowed = allowed(snapshot, query, &plan)?;
    let wanted = wanted(snapshot, query);
    let mut notes = notes(query, &plan);
    let mut depth = wanted;
    let (kept, rule) = loop {
        let (found, rule) = ranked(snapshot, query, &plan, &allowed, depth)?;
        let is_all = found.len() < depth;
        let kept = fold(snapshot, query, found, wanted);
        if kept.len() >= wanted || is_all {
            break (kept, rule);
        }
        if depth >= FOLDABLE {
            notes.push(format!("only the best {FOLDABLE} were looked at: most look the same"));
            break (kept, rule);
        }
        // So many were folded that the page is not full.
        depth *= 4;
    };
    let more = kept.len() >= wanted;
    let page: Vec<_> = kept.into_iter().skip(query.offset).take(query.limit).collect();
    let mut results = Results { more, rule, notes, ..Results::default() };
    let is_whole = load(snapshot, &plan, &page, &mut results)?;
    Ok((results, is_whole))
}

/// A word that is too common for the lexical leg was still looked for by the vector, unless it had to be there.
fn notes(query: &Query, plan: &Plan) -> Vec<String> {
    let by_words = query.mode != Mode::Vector && plan.scores();
    let tell = by_words || query.vector.is_none() || query.words.constrains();
    if tell { plan.notes().to_vec() } else { Vec::new() }
}

/// The best of those legs that the query has, at least `depth` where there are so many.
fn ranked(
    snapshot: &Snapshot,
    query: &Query,
    plan: &Plan,
    allowed: &RowSet,
    depth: usize,
) -> Result<(Vec<Found>, Option<Rule>), Error> {
    let words = (query.mode != Mode::Vector && plan.scores()).then_some(plan);
    let vector = query.vector.as_deref().filter(|_| query.mode != Mode::Lexical);
    Ok(match (words, vector) {
        (Some(plan), Some(vector)) => hybrid(snapshot, query, plan, vector, allowed, depth)?,
        (Some(plan), None) => (lexical(snapshot, plan, depth, allowed)?, None),
        (None, Some(vector)) => (by_vector(snapshot, query, vector, depth, allowed), None),
        // Words that say nothing find nothing; a note says which.
        (None, None) if !query.words.is_empty() && !query.words.constrains() => (Vec::new(), None),
        (None, None) => (newest(allowed, depth), None),
    })
}

/// Places down to the end of the page, and one more to see whether there are others.
fn wanted(snapshot: &Snapshot, query: &Query) -> usize {
    query.offset.saturating_add(query.limit).min(snapshot.live.len()) + 1
}

/// Rows that may be hits: alive, of which the filter holds, with what the words demand.
pub(super) fn allowed(snapshot: &Snapshot, query: &Query, plan: &Plan) -> Result<RowSet, Error> {
    let mut allowed = match &query.filter {
        Some(filter) => snapshot.lexical.filter(filter, &snapshot.live)?,
        None => RowSet::clone(&snapshot.live),
    };
    if let Some(demanded) = plan.constraint(allowed.len()) {
        allowed.intersect(&demanded);
    }
    for id in &query.without {
        if let Some(row) = snapshot.store().row_of(id)? {
            allowed.remove(row);
        }
    }
    Ok(allowed)
}

fn lexical(
    snapshot: &Snapshot,
    plan: &Plan,
    wanted: usize,
    allowed: &RowSet,
) -> Result<Vec<Found>, Error> {
    let ranked = snapshot.lexical.search(plan, wanted, allowed)?;
    let found = |(place, (row, score)): (usize, (Row, f32))| {
        let (lexical, lexical_rank) = (Some(score), Some(place + 1));
        Found { row, scores: Scores { lexical, lexical_rank, fused: score, ..Scores::default() } }
    };
    Ok(ranked.into_iter().enumerate().map(found).collect())
}

fn by_vector(
    snapshot: &Snapshot,
    query: &Query,
    vector: &[f32],
    wanted: usize,
    allowed: &RowSet,
) -> Vec<Found> {
    let found = |(place, (row, score)): (usize, (Row, f32))| {
        let (vector, vector_rank) = (Some(score), Some(place + 1));
        Found { row, scores: Scores { vector, vector_rank, fused: score, ..Scores::default() } }
    };
    let ranked = nearest(snapshot, query, vector, wanted, allowed);
    ranked.into_iter().enumerate().map(found).collect()
}

/// The best of the vector leg.
fn nearest(
    snapshot: &Snapshot,
    query: &Query,
    vector: &[f32],
    k: usize,
    allowed: &RowSet,
) -> Vec<(Row, f32)> {
    let recall = if query.exact { 1.0 } else { query.recall };
    snapshot.codes.search_for(recall, &snapshot.vectors, vector, k, allowed)
}

/// With nothing to compare with, what came in last stands first.
fn newest(allowed: &RowSet, wanted: usize) -> Vec<Found> {
    allowed.newest().take(wanted).map(|row| Found { row, scores: Scores::default() }).collect()
}

fn hybrid(
    snapshot: &Snapshot,
    query: &Query,
    plan: &Plan,
    vector: &[f32],
    allowed: &RowSet,
    depth: usize,
) -> Result<(Vec<Found>, Option<Rule>), Error> {
    let rule = query.weight.map_or(snapshot.rule, |weight| Rule::Convex { weight });
    let (mut found, mut seen) = (Vec::new(), RowSet::none(allowed.len()));
    let mut candidates = CANDIDATES;
    loop {
        let by_words = snapshot.lexical.search(plan, candidates, allowed)?;
        let by_vector = nearest(snapshot, query, vector, candidates, allowed);
        let is_all = by_words.len().max(by_vector.len()) < candidates;
        let scored = both_scores(snapshot, plan, vector, &by_words, &by_vector)?;
        found.extend(tier(rule, scored, &mut seen));
        if found.len() >= depth || is_all {
            return Ok((found, Some(rule)));
        }
        candidates *= 2;
    }
}

/// The candidates that were not seen before, best first.
fn tier(
    rule: Rule,
    (rows, candidates): (Vec<Row>, Vec<Candidate>),
    seen: &mut RowSet,
) -> Vec<Found> {
    let scored = rows.into_iter().zip(candidates).filter(|(row, _)| !seen.contains(*row));
    let (rows, candidates): (Vec<Row>, Vec<Candidate>) = scored.unzip();
    for row in &rows {
        seen.insert(*row);
    }
    let fused = fusion::fuse(rule, &candidates);
    let found = rows.into_iter().zip(candidates).zip(fused);
    let found =
        found.map(|((row, candidate), fused)| Found { row, scores: scores(candidate, fused) });
    let mut found: Vec<Found> = found.collect();
    found.sort_by(better);
    found
}

fn scores(candidate: Candidate, fused: f32) -> Scores {
    let Candidate { lexical, vector, lexical_rank, vector_rank } = candidate;
    Scores { lexical: Some(lexical), vector: Some(vector), fused, lexical_rank, vector_rank }
}

/// Equal fused scores are ordered by the vector, then by row, so that pages never overlap.
fn better(a: &Found, b: &Found) -> std::cmp::Ordering {
    let by_score = b.scores.fused.total_cmp(&a.scores.fused);
    let by_vector = || b.scores.vector.unwrap_or(0.0).total_cmp(&a.scores.vector.unwrap_or(0.0));
    by_score.then_with(by_vector).then_with(|| a.row.cmp(&b.row))
}

/// Every row that a leg found, ascending, as both legs see it.
pub(super) fn both_scores(
    snapshot: &Snapshot,
    plan: &Plan,
    vector: &[f32],
    by_words: &[(Row, f32)],
    by_vector: &[(Row, f32)],
) -> Result<(Vec<Row>, Vec<Candidate>), Error> {
    let mut rows: Vec<Row> = by_words.iter().chain(by_vector).map(|(row, _)| *row).collect();
    rows.sort_unstable();
    rows.dedup();
    let lexical = snapshot.lexical.scores(plan, &rows)?;
    let cosines = vector::cosines(&snapshot.vectors, vector, &rows);
    let none = Candidate { lexical: 0.0, vector: 0.0, lexical_rank: None, vector_rank: None };
    let scored = lexical.into_iter().zip(cosines);
    let mut candidates: Vec<Candidate> =
        scored.map(|(lexical, vector)| Candidate { lexical, vector, ..none }).collect();
    for (place, (row, _)) in by_words.iter().enumerate() {
        candidates[place_of(&rows, *row)].lexical_rank = Some(place + 1);
    }
    for (place, (row, _)) in by_vector.iter().enumerate() {
        candidates[place_of(&rows, *row)].vector_rank = Some(place + 1);
    }
    Ok((rows, candidates))
}

fn place_of(rows: &[Row], row: Row) -> usize {
    rows.binary_search(&row).unwrap_or_else(|_| unreachable!("each leg's rows are among all rows"))
}

/// Keeps the best of pictures that look the same, each with the rows that are folded into it.
fn fold(
    snapshot: &Snapshot,
    query: &Query,
    found: Vec<Found>,
    wanted: usize,
) -> Vec<(Found, Vec<Row>)> {
    let Some(least) = query.fold_duplicates else {
        return found.into_iter().map(|hit| (hit, Vec::new())).collect();
    };
    let mut kept: Vec<(Found, Vec<Row>)> = Vec::new();
    let mut rows: Vec<Row> = Vec::new();
    for hit in found.into_iter().take(FOLDABLE) {
        let vector = snapshot.vectors.row(hit.row);
        let cosines = vector::cosines(&snapshot.vectors, vector, &rows);
        match cosines.iter().position(|cosine| *cosine >= least) {
            Some(place) => kept[place].1.push(hit.row),
            None if kept.len() < wanted => {
                rows.push(hit.row);
                kept.push((hit, Vec::new()));
            }
            None => {}
        }
    }
    kept
}

/// Reads the records of a page. A damaged one is reported in its place; one that was deleted or replaced meanwhile is left
/// out, and then the page is not whole.
fn load(
    snapshot: &Snapshot,
    plan: &Plan,
    page: &[(Found, Vec<Row>)],
    results: &mut Results,
) -> Result<bool, Error> {
    let mut is_whole = true;
    let rows: Vec<Row> = page.iter().map(|(found, _)| found.row).collect();
    let records = snapshot.store().records(&rows, Some(&snapshot.vectors))?;
    for ((found, folded), record) in page.iter().zip(records) {
        match record {
            Ok(Some(record)) => {
                let (marks, matched) = snapshot.lexical.marks(plan, &record.captions);
                let duplicates = ids(snapshot, folded)?;
                results.hits.push(Hit { record, scores: found.scores, marks, matched, duplicates });
            }
            Ok(None) => is_whole = false,
            Err(damage) => results.damaged.push(damage.to_string()),
        }
    }
    Ok(is_whole)
}

fn ids(snapshot: &Snapshot, rows: &[Row]) -> Result<Vec<String>, Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let records = snapshot.store().records(rows, None)?;
    Ok(records.into_iter().flatten().flatten().map(|record| record.id).collect())
}
