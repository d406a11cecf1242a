//! What was found, and why it stands where it stands.

use std::ops::Range;

use crate::fusion::Rule;
use crate::record::Record;

/// The answer to a query.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// Best first.
    pub hits: Vec<Hit>,
    /// Whether there are more after these.
    pub more: bool,
    /// How the two legs were put together; `None` where only one answered.
    pub rule: Option<Rule>,
    /// Records that should have been among the hits but are damaged on disk, each with what is wrong.
    pub damaged: Vec<String>,
    /// What a person should know of this answer, such as a word that every caption has.
    pub notes: Vec<String>,
}

/// One picture that was found.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The picture; its thumbnail is not loaded.
    pub record: Record,
    /// Why it stands here.
    pub scores: Scores,
    /// For each caption the byte ranges that the words matched.
    pub marks: Vec<Vec<Range<usize>>>,
    /// The words that matched, as they stand in the captions, in lower case, each once.
    pub matched: Vec<String>,
    /// Ids of hits that look the same and were folded into this one, best first.
    pub duplicates: Vec<String>,
}

/// All scores of a hit; both legs are scored for every candidate of a hybrid search.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scores {
    /// BM25 of the words; `None` without words.
    pub lexical: Option<f32>,
    /// Cosine, -1 to 1; `None` without a vector.
    pub vector: Option<f32>,
    /// What the order is by.
    pub fused: f32,
    /// Place in the lexical leg, from 1; `None` where it is not among that leg's candidates.
    pub lexical_rank: Option<usize>,
    /// Place in the vector leg, from 1; `None` where it is not among that leg's candidates.
    pub vector_rank: Option<usize>,
}
