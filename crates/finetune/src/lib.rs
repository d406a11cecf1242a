//! Data and a model in, a better model and the proof out.

mod ahead;
mod augment;
pub mod batches;
mod cache;
pub mod config;
mod embed;
mod error;
pub mod eval;
mod event;
mod optim;
mod rehearsal;
mod run_dir;
mod sampler;
mod saving;
mod schedule;
mod train;

pub use ahead::run_ahead;
pub use augment::Augment;
pub use config::TrainConfig;
pub use embed::{Embedded, EmbeddedFiles, embed, embed_files};
pub use error::Error;
pub use event::{Event, StopReason};
pub use optim::Optimizer;
pub use rehearsal::Rehearsal;
pub use run_dir::{Progress, RunDir};
pub use sampler::Visit;
pub use schedule::learning_rate;
pub use train::{Outcome, TrainData, train};
