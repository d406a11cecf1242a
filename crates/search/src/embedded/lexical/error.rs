//! What tantivy says, as an error of an index.

use std::io::ErrorKind;
use std::path::Path;

use tantivy::TantivyError;
use tantivy::directory::error::OpenReadError;

use crate::error::Error;

/// Files that are not there or not readable as what they are mean damage: the index is then written anew.
pub(super) fn of_tantivy(dir: &Path, source: TantivyError) -> Error {
    let damaged = match &source {
        TantivyError::DataCorruption(_)
        | TantivyError::IncompatibleIndex(_)
        | TantivyError::SchemaError(_)
        | TantivyError::FieldNotFound(_)
        | TantivyError::MissingPlugin(_)
        | TantivyError::OpenReadError(
            OpenReadError::FileDoesNotExist(_) | OpenReadError::IncompatibleIndex(_),
        ) => true,
        TantivyError::OpenReadError(OpenReadError::IoError { io_error, .. })
        | TantivyError::IoError(io_error) => {
            use ErrorKind::{InvalidData, NotFound, UnexpectedEof};
            matches!(io_error.kind(), InvalidData | NotFound | UnexpectedEof)
        }
        _ => false,
    };
    let path = dir.to_owned();
    match source {
        TantivyError::LockFailure(..) => Error::Locked { path },
        source if damaged => Error::Damaged { path, what: source.to_string() },
        source => Error::Lexical { path, source },
    }
}
