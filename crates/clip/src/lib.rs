//! A picture or a sentence in, a unit vector out.

pub mod config;
mod error;
pub mod tensors;

pub use error::Error;
