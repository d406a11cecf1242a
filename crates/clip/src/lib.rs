//! A picture or a sentence in, a unit vector out.

pub mod config;
mod error;
pub mod init;
mod model;
pub mod open_clip;
pub mod tensors;
pub mod weights;

pub use error::Error;

pub use model::{Batch, Learning, Model, Segment, TokenBatch};
