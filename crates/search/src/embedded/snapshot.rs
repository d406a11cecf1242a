//! One consistent moment of an index: what a search sees from its beginning to its end.

use std::sync::Arc;

use crate::embedded::Progress;
use crate::embedded::generation::Generation;
use crate::embedded::lexical::View;
use crate::embedded::store::Store;
use crate::embedded::vector::VectorIndex;
use crate::embedded::vectors::Vectors;
use crate::error::Error;
use crate::fusion::Rule;
use crate::rows::RowSet;

/// The parts of an index as they were after one commit. Nothing in it changes; all of it is cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    pub(super) generation: Arc<Generation>,
    /// What its store calls this moment.
    pub(super) version: i64,
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

    /// Everything that is wrong on disk.
    pub(super) fn verify(&self, on_progress: Progress<'_>) -> Result<Vec<String>, Error> {
        let mut faults = self.store().verify(on_progress)?;
        let facts = self.generation.damaged_facts().into_iter().map(|fault| fault.to_string());
        let unread: Vec<String> = facts.filter(|fault| !faults.contains(fault)).collect();
        faults.extend(unread);
        faults.extend(self.generation.verify_lexical(self.vectors.rows())?);
        let codes = VectorIndex::open(&self.generation.codes_dir(), &self.vectors);
        faults.extend(codes.err().map(|fault| fault.to_string()));
        Ok(faults)
    }
}
