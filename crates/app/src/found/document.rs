//! Hits as JSON: everything that is known of them, for machines.

use std::ops::Range;
use std::path::PathBuf;

use finelens_search::{Hit, Metadata, Rule, Scores};
use serde::Serialize;
use utoipa::ToSchema;

use super::Found;

#[derive(Serialize)]
struct Document<'a> {
    index: &'a PathBuf,
    words: String,
    mode: &'static str,
    offset: usize,
    /// How the legs were put together: `rrf`, `convex`, or `null` where one answered alone.
    rule: Option<&'static str>,
    /// Share of the vector under `convex`.
    weight: Option<f32>,
    hits: Vec<HitDocument<'a>>,
    /// Whether another page would have hits.
    more: bool,
    notes: &'a [String],
    damaged: &'a [String],
}

#[derive(Serialize)]
struct HitDocument<'a> {
    rank: usize,
    id: &'a str,
    /// The original, if the index knows its folder.
    original: Option<PathBuf>,
    original_exists: bool,
    captions: &'a [String],
    metadata: &'a Metadata,
    scores: ScoresDocument,
    /// Words of the captions that matched.
    matched: &'a [String],
    /// For each caption the places that matched, as bytes from and to.
    marks: Vec<Vec<[usize; 2]>>,
    duplicates: &'a [String],
}

/// Why a hit stands where it stands, here and over HTTP.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScoresDocument {
    /// What the order is by.
    fused: f32,
    /// Cosine, -1 to 1.
    vector: Option<f32>,
    /// BM25 of the words.
    lexical: Option<f32>,
    /// Place by the vector, from 1.
    vector_rank: Option<usize>,
    /// Place by the words, from 1.
    lexical_rank: Option<usize>,
}

impl ScoresDocument {
    /// Those of a hit.
    pub(crate) fn of(scores: &Scores) -> Self {
        let Scores { fused, vector, lexical, vector_rank, lexical_rank } = *scores;
        Self { fused, vector, lexical, vector_rank, lexical_rank }
    }
}

/// For each caption of a hit the places that matched, as bytes from and to.
pub(crate) fn marks(hit: &Hit) -> Vec<Vec<[usize; 2]>> {
    let pairs =
        |marks: &Vec<Range<usize>>| marks.iter().map(|mark| [mark.start, mark.end]).collect();
    hit.marks.iter().map(pairs).collect()
}

/// The document as text.
pub(super) fn of(found: &Found<'_>) -> serde_json::Result<String> {
    let (asked, results) = (found.asked, found.results);
    let (rule, weight) = match results.rule {
        None => (None, None),
        Some(Rule::Rrf) => (Some("rrf"), None),
        Some(Rule::Convex { weight }) => (Some("convex"), Some(weight)),
    };
    let hits = results.hits.iter().zip(asked.offset.saturating_add(1)..);
    serde_json::to_string_pretty(&Document {
        index: &asked.index,
        words: asked.words.join(" "),
        mode: asked.mode.name(),
        offset: asked.offset,
        rule,
        weight,
        hits: hits.map(|(hit, rank)| hit_document(found, hit, rank)).collect(),
        more: results.more,
        notes: &results.notes,
        damaged: &results.damaged,
    })
}

fn hit_document<'a>(found: &Found<'_>, hit: &'a Hit, rank: usize) -> HitDocument<'a> {
    let original = found.original(hit);
    HitDocument {
        rank,
        id: &hit.record.id,
        original_exists: original.as_ref().is_some_and(|file| file.exists()),
        original,
        captions: &hit.record.captions,
        metadata: &hit.record.metadata,
        scores: ScoresDocument::of(&hit.scores),
        matched: &hit.matched,
        marks: marks(hit),
        duplicates: &hit.duplicates,
    }
}
