//! Searching.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::State;
use finelens_search::{Backend, Filter, Hit, Metadata, Mode, Query, Results, Rule, Words};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::fields::{Fields, parsed, unknown, wrong};
use crate::found::{ScoresDocument, marks};
use crate::serve::failure::{Failure, FailureBody};
use crate::serve::state::{Served, Which};

/// Hits on a page at most.
const LONGEST_PAGE: usize = 200;

/// Hits on a page unless somebody asks for another number: a grid of two, three, four and six columns is full.
const PAGE: usize = 24;

/// Deepest hit that is shown. Own choice: whoever looks further should ask otherwise, and a search has to rank all before it.
const DEEPEST: usize = 100_000;

/// What a search is asked.
#[derive(Debug, Clone, PartialEq, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Question {
    /// Words; any text is valid. `"phrases"`, `+words`, `-words` and `begin*` bind every mode.
    #[param(required = false)]
    pub(crate) q: String,
    /// What decides on the order. Default: hybrid.
    #[param(required = false, inline)]
    pub(crate) mode: Legs,
    /// Condition, as in `year >= 2010 and class in (port, "river bank")`.
    pub(crate) filter: Option<String>,
    /// Hits to leave out at the top.
    #[param(required = false, maximum = 100_000)]
    pub(crate) offset: usize,
    /// Hits wanted. Default: 24.
    #[param(required = false, minimum = 1, maximum = 200)]
    pub(crate) limit: usize,
    /// Which index. Default: main.
    #[param(required = false, inline)]
    pub(crate) index: Which,
}

impl Default for Question {
    fn default() -> Self {
        Self {
            q: String::new(),
            mode: Legs::Hybrid,
            filter: None,
            offset: 0,
            limit: PAGE,
            index: Which::Main,
        }
    }
}

/// What decides on the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Legs {
    /// The words alone
    Lexical,
    /// What the pictures show alone
    Vector,
    /// Both
    Hybrid,
}

/// Names of all parameters.
const NAMES: [&str; 6] = ["q", "mode", "filter", "offset", "limit", "index"];

impl Question {
    /// Reads the fields of an address or a form.
    pub(crate) fn read(fields: Fields) -> Result<Self, Failure> {
        let mut question = Self::default();
        for (name, value) in fields.0 {
            question.take(&name, value)?;
        }
        Ok(question)
    }

    fn take(&mut self, name: &str, value: String) -> Result<(), Failure> {
        match name {
            "q" => self.q = value,
            "mode" => self.mode = legs(&value)?,
            "filter" => self.filter = Some(value).filter(|text| !text.trim().is_empty()),
            "offset" => self.offset = between(name, &value, 0, DEEPEST)?,
            "limit" => self.limit = between(name, &value, 1, LONGEST_PAGE)?,
            "index" => self.index = which(&value)?,
            _ => return Err(unknown(name, &NAMES)),
        }
        Ok(())
    }

    fn query(&self) -> Result<Query, Failure> {
        let filter = self.filter.as_deref().map(Filter::parse).transpose()?;
        let mode = match self.mode {
            Legs::Lexical => Mode::Lexical,
            Legs::Vector => Mode::Vector,
            Legs::Hybrid => Mode::Hybrid,
        };
        let (offset, limit) = (self.offset, self.limit);
        Ok(Query { mode, filter, offset, limit, ..Query::new(Words::parse(&self.q), None) })
    }
}

fn legs(value: &str) -> Result<Legs, Failure> {
    match value {
        "lexical" => Ok(Legs::Lexical),
        "vector" => Ok(Legs::Vector),
        "hybrid" => Ok(Legs::Hybrid),
        _ => Err(wrong("mode", value, "lexical, vector or hybrid")),
    }
}

fn which(value: &str) -> Result<Which, Failure> {
    match value {
        "main" => Ok(Which::Main),
        "other" => Ok(Which::Other),
        _ => Err(wrong("index", value, "main or other")),
    }
}

fn between(name: &str, value: &str, least: usize, most: usize) -> Result<usize, Failure> {
    let expected = format!("a whole number from {least} to {most}");
    let number = parsed(name, value, &expected)?;
    if (least..=most).contains(&number) { Ok(number) } else { Err(wrong(name, value, &expected)) }
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Answer {
    query: Asked,
    /// How the two legs were put together; `null` where one answered alone.
    rule: Option<RuleDocument>,
    /// Best first.
    hits: Vec<HitDocument>,
    /// Whether there are more after these.
    more: bool,
    /// What a person should know of this answer.
    notes: Vec<String>,
    /// Pictures that should be here but are damaged on disk.
    damaged: Vec<String>,
    took_ms: Took,
}

/// The question as it was understood.
#[derive(Debug, Serialize, ToSchema)]
struct Asked {
    q: String,
    mode: Legs,
    filter: Option<String>,
    offset: usize,
    limit: usize,
    index: Which,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RuleDocument {
    /// `rrf` (reciprocal ranks) or `convex` (weighted scores).
    kind: &'static str,
    /// Share of the vector under `convex`.
    weight: Option<f32>,
}

#[derive(Debug, Serialize, ToSchema)]
struct HitDocument {
    /// From 1, over all pages.
    rank: usize,
    id: String,
    captions: Vec<String>,
    /// For each caption the places that matched, as UTF-8 bytes from and to.
    marks: Vec<Vec<[usize; 2]>>,
    /// Words of the captions that matched.
    matched: Vec<String>,
    scores: ScoresDocument,
    #[schema(value_type = Object)]
    metadata: Metadata,
    /// Ids of pictures that look the same and were folded into this one.
    duplicates: Vec<String>,
}

/// Where the time went, in milliseconds.
#[derive(Debug, Serialize, ToSchema)]
struct Took {
    /// Until it was this request's turn.
    wait: f64,
    /// In the model.
    embed: f64,
    /// In the index.
    search: f64,
}

/// Search by words, by pictures, or by both.
#[utoipa::path(
    get, path = "/api/search", tag = "search", params(Question),
    responses(
        (status = 200, body = Answer),
        (status = 400, body = FailureBody, description = "a parameter that cannot be understood"),
        (status = 429, body = FailureBody, description = "too much is asked; see Retry-After"),
    )
)]
pub(crate) async fn get(
    State(served): State<Arc<Served>>,
    fields: Fields,
) -> Result<Json<Answer>, Failure> {
    let question = Question::read(fields)?;
    let query = question.query()?;
    let reader = Arc::clone(&served.collection(question.index)?.reader);
    let admitted = served.gate.enter()?;
    let search = move || {
        let begun = Instant::now();
        reader.search(&query).map(|results| (results, begun.elapsed()))
    };
    let (found, wait) = admitted.work(search).await?;
    let (results, search) = found?;
    let took_ms =
        Took { wait: 1e3 * wait.as_secs_f64(), embed: 0.0, search: 1e3 * search.as_secs_f64() };
    Ok(Json(answer(question, results, took_ms)))
}

fn answer(question: Question, results: Results, took_ms: Took) -> Answer {
    let Question { q, mode, filter, offset, limit, index } = question;
    let hits = results.hits.into_iter().zip(offset + 1..);
    Answer {
        query: Asked { q, mode, filter, offset, limit, index },
        rule: results.rule.map(rule),
        hits: hits.map(|(hit, rank)| document(hit, rank)).collect(),
        more: results.more,
        notes: results.notes,
        damaged: results.damaged,
        took_ms,
    }
}

pub(crate) fn rule(rule: Rule) -> RuleDocument {
    match rule {
        Rule::Rrf => RuleDocument { kind: "rrf", weight: None },
        Rule::Convex { weight } => RuleDocument { kind: "convex", weight: Some(weight) },
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
