//! One consistent moment of an index: what a search sees from its beginning to its end.

use std::sync::Arc;

use crate::embedded::generation::Generation;
use crate::embedded::lexical::View;
use crate::embedded::store::Store;
use crate::embedded::vector::VectorIndex;
use crate::embedded::vectors::Vectors;
use crate::fusion::Rule;
use crate::rows::RowSet;

/// The parts of an index as they were after one commit. Nothing in it changes; all of it is cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    pub(super) generation: Arc<Generation>,
    pub(super) vectors: Vectors,
    /// Rows that are not deleted.
    pub(super) live: Arc<RowSet>,
    pub(super) codes: VectorIndex,
    pub(super) lexical: View,
    pub(super) rule: Rule,
}

impl Snapshot {
    /// The truth behind it, which may have moved on.
    pub(super) fn store(&self) -> &Store {
        &self.generation.store
    }
}
