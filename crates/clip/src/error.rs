//! What can be wrong with a model directory, by what the user must change.

use std::path::PathBuf;

/// A model directory that cannot be read, written or represented.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read or written; the message names it.
    #[error(transparent)]
    Io(#[from] std::io::Error),

    /// A file is not JSON at all.
    #[error("{}: not valid JSON: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Where the parser stopped.
        source: serde_json::Error,
    },

    /// A value in a configuration file does not describe a model that exists here.
    #[error("{}: {key}: expected {expected}, found {found}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// The key with those above it, joined by dots.
        key: String,
        /// What would have been right.
        expected: String,
        /// What stands there.
        found: String,
    },
}
