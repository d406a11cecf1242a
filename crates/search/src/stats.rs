//! What is in an index, and how well it works.

use crate::fusion::Rule;

/// Facts about an index.
#[derive(Clone, Debug, PartialEq)]
pub struct Stats {
    /// Pictures that can be found.
    pub pictures: usize,
    /// Width of a vector.
    pub dim: usize,
    /// Which model made the vectors.
    pub model: String,
    /// Rows of deleted or replaced pictures that `compact` would give back.
    pub dead_rows: usize,
    /// How the first stage of the vector leg works, in words.
    pub vector_leg: String,
    /// Recall@10 of the vector leg against the exact scan, when it was last measured; pictures as queries, then captions.
    pub recall: Option<Recall>,
    /// How the legs are put together.
    pub rule: Rule,
    /// What the rule was fitted on, if it was.
    pub fitted: Option<Fitted>,
    /// Bytes on disk by part.
    pub disk: Vec<(&'static str, u64)>,
}

/// Recall@10 as it was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recall {
    /// With vectors of the index as queries.
    pub images: f32,
    /// With vectors of captions as queries, where there are some.
    pub texts: Option<f32>,
    /// Queries of each kind.
    pub queries: usize,
}

/// How the weight of the hybrid was found.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Fitted {
    /// Queries that it was fitted on.
    pub queries: usize,
    /// MRR@10 of the words alone.
    pub lexical: f64,
    /// MRR@10 of the vector alone.
    pub vector: f64,
    /// MRR@10 of reciprocal rank fusion.
    pub rrf: f64,
    /// MRR@10 of the rule that was chosen.
    pub chosen: f64,
}
