//! What is looked for: words, a vector, or both.

use crate::filter::Filter;
use crate::words::Words;

/// Which of the two legs decide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The words alone, by BM25.
    Lexical,
    /// The vector alone, by cosine.
    Vector,
    /// Both.
    #[default]
    Hybrid,
}

/// One question.
#[derive(Clone, Debug)]
pub struct Query {
    /// What was typed. `"phrases"`, `+words`, `-words` and `prefixes*` bind every mode.
    pub words: Words,
    /// `(D,)`: a unit vector of the index's own model; `None` where there is nothing to compare with.
    pub vector: Option<Vec<f32>>,
    /// Which of the two decide. A leg without words, or without a vector, is left out.
    pub mode: Mode,
    /// Share of the vector in the fused score, 0 to 1, instead of the index's own.
    pub weight: Option<f32>,
    /// Only pictures of which this holds.
    pub filter: Option<Filter>,
    /// Hits to leave out at the top, for paging.
    pub offset: usize,
    /// Hits wanted.
    pub limit: usize,
    /// Compare with every vector instead of searching the codes.
    pub exact: bool,
    /// Recall@10 of the vector leg that is enough: 0.99 unless said otherwise. From 0.95 down a search is faster, above 0.99 it
    /// compares with every vector.
    pub recall: f32,
    /// Fold hits whose vectors have at least this cosine into the better one.
    pub fold_duplicates: Option<f32>,
    /// Ids that must not be among the hits, such as the picture that others should be like.
    pub without: Vec<String>,
}

impl Query {
    /// The best ten for these words and this vector, fused.
    pub fn new(words: Words, vector: Option<Vec<f32>>) -> Self {
        Self {
            words,
            vector,
            mode: Mode::Hybrid,
            weight: None,
            filter: None,
            offset: 0,
            limit: 10,
            exact: false,
            recall: 0.99,
            fold_duplicates: None,
            without: Vec::new(),
        }
    }
}
