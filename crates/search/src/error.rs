//! What can go wrong with an index, by what the user must change.

use std::io;
use std::path::PathBuf;

/// Why an index cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written; the message names it.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// There is no index in the folder.
    #[error("{}: no index in this folder", path.display())]
    NoIndex {
        /// The folder.
        path: PathBuf,
    },
    /// The folder of a new index holds something else.
    #[error("{}: expected an empty folder for a new index, found {found} in it", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
        /// Something in it.
        found: String,
    },
    /// The index was written by a later version.
    #[error("{}: format {found}, expected at most {expected}", path.display())]
    Format {
        /// The file that says so.
        path: PathBuf,
        /// The format found.
        found: u32,
        /// The latest known.
        expected: u32,
    },
    /// Somebody else is writing.
    #[error("{}: another process has this index open for writing", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// The index was opened for reading.
    #[error("{}: opened for reading only", path.display())]
    ReadOnly {
        /// The folder.
        path: PathBuf,
    },
    /// Vectors of another model.
    #[error("the vectors of this index were made by {expected}, not by {found}")]
    OtherModel {
        /// The model of the index.
        expected: String,
        /// The model that was used.
        found: String,
    },
    /// Vectors too narrow or too wide to be searched.
    #[error("vectors of {found} numbers: expected {least} to {most}")]
    Dimension {
        /// Width that was asked for.
        found: usize,
        /// Least that is searched.
        least: usize,
        /// Most that is searched.
        most: usize,
    },
    /// A vector of another width.
    #[error("{what}: expected a vector of {expected} numbers, found {found}")]
    Width {
        /// The picture or query.
        what: String,
        /// Width of the index.
        expected: usize,
        /// Width found.
        found: usize,
    },
    /// A vector that cannot be compared.
    #[error("{what}: expected a vector of length 1, found {found}")]
    NotUnit {
        /// The picture or query.
        what: String,
        /// The length, or what else is wrong.
        found: String,
    },
    /// An id that cannot be one.
    #[error("{id:?}: {reason}")]
    Id {
        /// The id.
        id: String,
        /// Why not.
        reason: &'static str,
    },
    /// Something on disk is not as it was written.
    #[error("{}: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, with row or id where there is one.
        what: String,
    },
    /// A change was made for good, but searches do not see it yet: something failed afterwards.
    #[error("{}: the change is kept, but not searched yet: {source}", path.display())]
    Unseen {
        /// The folder.
        path: PathBuf,
        /// What failed.
        source: Box<Error>,
    },
    /// A filter that cannot be understood.
    #[error("filter: {reason}, at character {at}: {text}")]
    Filter {
        /// The filter as it was written.
        text: String,
        /// Where, from 1.
        at: usize,
        /// What was expected and found.
        reason: String,
    },
    /// A query that asks for nothing.
    #[error("{reason}")]
    Query {
        /// What is missing.
        reason: String,
    },
    /// The store's database reports something.
    #[error("{}: {source}", path.display())]
    Store {
        /// The database file.
        path: PathBuf,
        /// What it says.
        source: rusqlite::Error,
    },
    /// The lexical index reports something.
    #[error("{}: {source}", path.display())]
    Lexical {
        /// Its folder.
        path: PathBuf,
        /// What it says.
        source: tantivy::TantivyError,
    },
}

impl Error {
    /// Whether it passes in a moment: the store is just being opened by whoever writes, and only one who may write could read
    /// the log that is there already.
    ///
    /// Source: `SQLite`, "Result and Error Codes", `SQLITE_READONLY_RECOVERY`.
    pub(crate) fn is_passing(&self) -> bool {
        let Self::Store { source: rusqlite::Error::SqliteFailure(code, _), .. } = self else {
            return false;
        };
        code.extended_code == rusqlite::ffi::SQLITE_READONLY_RECOVERY
    }
}
