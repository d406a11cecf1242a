//! What can go wrong in a training run, by what the user must change.

use std::path::PathBuf;

/// An error of training or of measuring a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The model or the device failed.
    #[error(transparent)]
    Clip(#[from] finelens_clip::Error),

    /// The evaluation refused its input.
    #[error(transparent)]
    Eval(#[from] crate::eval::Error),

    /// A file cannot be read or written; the message names it.
    #[error(transparent)]
    Io(#[from] std::io::Error),

    /// A setting is out of its range.
    #[error("{key}: expected {expected}, found {found}")]
    Setting {
        /// Its name in `run.toml`.
        key: &'static str,
        /// What would have been right.
        expected: String,
        /// What it is.
        found: String,
    },

    /// A split has too few usable images.
    #[error("the {split} split has {found} usable images, at least {expected} are needed")]
    TooFewImages {
        /// Its name.
        split: &'static str,
        /// How many are needed.
        expected: usize,
        /// How many there are.
        found: usize,
    },

    /// The loss is not a number any more.
    #[error("the loss became {loss} at step {step}: lower optimizer.learning_rate")]
    Diverged {
        /// Counted from 1.
        step: usize,
        /// What it became.
        loss: f32,
    },

    /// A run directory is there already.
    #[error("{}: the run directory exists and is not empty", path.display())]
    RunExists {
        /// The directory.
        path: PathBuf,
    },

    /// A run directory holds nothing to go on from.
    #[error("{}: no checkpoint to go on from", path.display())]
    NoCheckpoint {
        /// The directory.
        path: PathBuf,
    },

    /// The state of a run cannot be understood.
    #[error("{}: {reason}", path.display())]
    DamagedRun {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}
