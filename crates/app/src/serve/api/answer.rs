//! What was found, as it is sent.

use std::time::Duration;

use finelens_search::{Hit, Metadata, Results, Rule};
use serde::Serialize;
use utoipa::ToSchema;

use super::question::{Legs, Question};
use crate::found::{ScoresDocument, marks};
use crate::serve::state::Which;

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Answer {
    pub(crate) query: Asked,
    /// How the two legs were put together; `null` where one answered alone.
    pub(crate) rule: Option<RuleDocument>,
    /// Best first.
    pub(crate) hits: Vec<HitDocument>,
    /// Whether there are more after these.
    pub(crate) more: bool,
    /// What a person should know of this answer.
    pub(crate) notes: Vec<String>,
    /// Pictures that should be here but are damaged on disk.
    pub(crate) damaged: Vec<String>,
    pub(crate) took_ms: TookDocument,
}

/// The question as it was understood.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Asked {
    pub(crate) q: String,
    pub(crate) mode: Legs,
    pub(crate) weight: Option<f32>,
    pub(crate) filter: Option<String>,
    pub(crate) offset: usize,
    pub(crate) limit: usize,
    pub(crate) index: Which,
}

/// How the two legs were put together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub(crate) struct RuleDocument {
    /// `rrf` (reciprocal ranks) or `convex` (weighted scores).
    pub(crate) kind: &'static str,
    /// Share of the vector under `convex`.
    pub(crate) weight: Option<f32>,
}

/// One picture that was found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HitDocument {
    /// From 1, over all pages.
    pub(crate) rank: usize,
    pub(crate) id: String,
    pub(crate) captions: Vec<String>,
    /// For each caption the places that matched, as UTF-8 bytes from and to.
    pub(crate) marks: Vec<Vec<[usize; 2]>>,
    /// Words of the captions that matched.
    pub(crate) matched: Vec<String>,
    pub(crate) scores: ScoresDocument,
    #[schema(value_type = Object)]
    pub(crate) metadata: Metadata,
    /// Ids of pictures that look the same and were folded into this one.
    pub(crate) duplicates: Vec<String>,
}

/// Where the time went.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Took {
    pub(crate) wait: Duration,
    pub(crate) embed: Duration,
    pub(crate) search: Duration,
}

/// Where the time went, in milliseconds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TookDocument {
    /// Until it was this request's turn.
    pub(crate) wait: f64,
    /// In the model, and in the line before it.
    pub(crate) embed: f64,
    /// In the index.
    pub(crate) search: f64,
}

impl From<Took> for TookDocument {
    fn from(took: Took) -> Self {
        // Microseconds are enough to read.
        let ms = |time: Duration| time.as_micros() as f64 / 1e3;
        Self { wait: ms(took.wait), embed: ms(took.embed), search: ms(took.search) }
    }
}

impl From<Rule> for RuleDocument {
    fn from(rule: Rule) -> Self {
        match rule {
            Rule::Rrf => Self { kind: "rrf", weight: None },
            Rule::Convex { weight } => Self { kind: "convex", weight: Some(weight) },
        }
    }
}

impl Answer {
    /// What is said about a question.
    pub(crate) fn new(question: &Question, results: Results, took: Took) -> Self {
        let least = question.min_score;
        let good = |hit: &Hit| least.is_none_or(|least| hit.scores.fused >= least);
        let found = results.hits.len();
        // Best first: whatever follows one that is not good enough is not, either.
        let hits: Vec<Hit> = results.hits.into_iter().take_while(good).collect();
        let more = results.more && hits.len() == found;
        let ranked = hits.into_iter().zip(question.offset + 1..);
        Self {
            query: Asked::of(question),
            rule: results.rule.map(RuleDocument::from),
            hits: ranked.map(|(hit, rank)| document(hit, rank)).collect(),
            more,
            notes: results.notes,
            damaged: results.damaged,
            took_ms: took.into(),
        }
    }
}

impl Asked {
    fn of(question: &Question) -> Self {
        let Question { q, mode, weight, filter, offset, limit, index, .. } = question.clone();
        Self { q, mode, weight, filter, offset, limit, index }
    }
}

fn document(hit: Hit, rank: usize) -> HitDocument {
    HitDocument {
        rank,
        scores: ScoresDocument::of(&hit.scores),
        marks: marks(&hit),
        id: hit.record.id,
        captions: hit.record.captions,
        matched: hit.matched,
        metadata: hit.record.metadata,
        duplicates: hit.duplicates,
    }
}
