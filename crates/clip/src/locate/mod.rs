//! Where in a picture a feature is: tiles of it compared with words, and what their cosines say together.
//!
//! A picture is cut into overlapping squares at several scales ([`tiles()`]), each goes through the model
//! (`Embedder::tiles`), and each is compared with the feature's text vector ([`cosines`]). From the cosines follow one
//! number for the whole picture ([`evidence`]), a [`HeatMap`] and [`boxes()`]. Whether a number is large enough
//! to say "it is there" only a [`Null`] can tell: the same number where the feature is known to be absent. Where
//! that comes from is the caller's to know; this module opens no index.

mod boxes;
mod heat;
mod null;
mod prompts;
mod score;
mod tiles;

pub use boxes::{Found, boxes};
pub use heat::{HeatMap, heat_map};
pub use null::Null;
pub use prompts::{BACKGROUND, TEMPLATES, background_vectors, feature_vector};
pub use score::{cosines, evidence, soft_max};
pub use tiles::{MOST_TILES, tiles};
