//! A picture or a sentence in, a unit vector out.

mod checkpoint;
pub mod config;
mod embedder;
mod error;
pub mod init;
pub mod locate;
mod model;
pub mod open_clip;
pub mod picture;
pub mod preprocess;
pub mod tensors;
pub mod tokenizer;
pub mod weights;

pub use checkpoint::Checkpoint;
pub use config::Config;
pub use embedder::Embedder;
pub use error::Error;
pub use model::{Batch, Learning, Model, Segment, TokenBatch};
pub use picture::{
    Area, Decoded, Decoder, Filter, Format, Header, Picture, PictureError, resample,
};
pub use preprocess::{Finish, Preprocess, Recolouring};
pub use tokenizer::Tokenizer;
