//! An index as it is served: read always, written on demand.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use finelens_search::Embedded;

/// An opened index.
#[derive(Debug, Clone)]
pub(crate) struct Collection {
    /// Its folder.
    pub(crate) path: PathBuf,
    /// For searching; sees what any process writes.
    pub(crate) reader: Arc<Embedded>,
}

impl Collection {
    /// Opens the index in a folder.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let reader = Arc::new(Embedded::open_read_only(path)?);
        Ok(Self { path: path.to_owned(), reader })
    }
}
