//! Vectors and words in, hits out.
//!
//! This crate never sees a pixel, a token or a model: it takes vectors, captions and ids.

mod backend;
mod embedded;
mod error;
mod facet;
mod filter;
mod fusion;
mod hit;
mod metadata;
mod query;
mod record;
mod rows;
mod settings;
mod stats;
mod words;

pub use backend::Backend;
pub use embedded::{Damage, Embedded, Known, Progress, Trial};
pub use error::Error;
pub use facet::{Facet, Facets, Numbers};
pub use filter::{Comparison, Filter, Operand};
pub use fusion::Rule;
pub use hit::{Hit, Results, Scores};
pub use metadata::{Metadata, Value};
pub use query::{Mode, Query};
pub use record::{Item, Place, Record, THUMBNAIL_PX};
pub use settings::{Fingerprint, Language, Settings};
pub use stats::{Fitted, Recall, Stats};
pub use words::Words;
