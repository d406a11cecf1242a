//! How good is a model at finding pictures by words and words by pictures, and is it better than
//! another?
//!
//! Pure functions over features and relevance: no model is run here, nothing is read, written or
//! printed.
//!
//! Three protocols are measured and never mixed. **Full-corpus retrieval** is the headline: every
//! image against every caption, both ways. The other two repeat what older systems reported and are
//! labelled as theirs: [`zero_shot`] (class names and a prompt) and [`in_batch`] (each image
//! against the captions of its own batch).
//!
//! **Ties count against the model.** A wrong answer whose score lies within [`TIE_TOLERANCE`] of a
//! right one, or above, stands before it. A scorer that gives everything the same score comes last,
//! and no number depends on the order of the data set. How often that decided something is reported
//! as `tied`.

pub mod bootstrap;
pub mod compare;
pub mod corpus;
mod error;
pub mod features;
pub mod in_batch;
pub mod metrics;
pub mod ranks;
pub mod record;
pub mod retrieval;
pub mod zero_shot;

mod chance;

pub use bootstrap::{Bootstrap, Difference, Estimate};
pub use compare::{Comparison, compare};
pub use corpus::{Corpus, normalise_caption};
pub use error::Error;
pub use features::Features;
pub use in_batch::InBatchRanks;
pub use metrics::{Direction, Measure, Metric};
pub use ranks::{Placement, Ranks, TIE_TOLERANCE};
pub use record::EvaluationRecord;
pub use retrieval::RetrievalRanks;
pub use zero_shot::ZeroShotRanks;

/// The outcome of one model on one corpus: per-query ranks under every protocol, small enough to
/// keep.
///
/// Two of these are all that [`compare()`] needs, so the features of two models are never held at
/// once.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    /// Full corpus; an answer is right if it is the image's own caption. The headline, comparable
    /// with published R@k.
    pub own: RetrievalRanks,
    /// Full corpus; a caption is also right for every image that carries a word-identical one.
    pub identical: RetrievalRanks,
    /// The in-batch protocol.
    pub in_batch: InBatchRanks,
    /// The zero-shot protocol, where the data set has classes.
    pub zero_shot: Option<ZeroShotRanks>,
}

/// Ranks every image and every caption of `corpus` under all protocols that need no class names.
///
/// Set `zero_shot` afterwards where there are classes.
///
/// # Shapes
/// `images` (N, D), `texts` (M, D), unit rows.
pub fn evaluate(corpus: &Corpus, images: &Features, texts: &Features) -> Result<Evaluated, Error> {
    let [own, identical] = retrieval::rank_both(corpus, images, texts)?;
    let in_batch = in_batch::rank(corpus, images, texts)?;
    Ok(Evaluated { own, identical, in_batch, zero_shot: None })
}
