//! A generation that takes the place of another: without what was deleted, or with the vectors of another model.
//!
//! The new one is filled beside the old, which answers meanwhile; one renaming makes it the one that counts. A kill at any
//! moment leaves the old one whole.

use std::path::Path;
use std::sync::Arc;

use crate::embedded::generation::{FUSION, Generation, NOTES, PROBES, ROOTS};
use crate::embedded::lexical::Lexical;
use crate::embedded::store::{Change, Store};
use crate::embedded::{Progress, snapshot::Snapshot};
use crate::error::Error;
use crate::record::Item;

/// Pictures copied in one transaction.
const BATCH: usize = 1_000;

/// Facts that hold in the next generation too.
const KEPT: [&str; 4] = [FUSION, NOTES, PROBES, ROOTS];

/// A new generation with what is alive in `old`.
pub(super) fn compacted(
    old: &Snapshot,
    dir: &Path,
    on_progress: Progress<'_>,
) -> Result<(Snapshot, Lexical), Error> {
    let store = Store::create(dir, old.store().settings())?;
    copy(old, &store, on_progress)?;
    settle(&Generation::new(dir, store), on_progress)
}

/// Copies what is alive in `old` into `store`, in order, with its facts.
fn copy(old: &Snapshot, store: &Store, on_progress: Progress<'_>) -> Result<(), Error> {
    for key in KEPT {
        if let Some(fact) = old.store().fact(key)? {
            store.set_fact(key, &fact)?;
        }
    }
    let rows: Vec<_> = old.live.iter().collect();
    for (batch, rows) in rows.chunks(BATCH).enumerate() {
        let items = rows.iter().map(|row| old.store().item(*row));
        let items: Vec<Item> = items.filter_map(Result::transpose).collect::<Result<_, Error>>()?;
        store.apply(&items.iter().map(Change::Put).collect::<Vec<_>>())?;
        on_progress("copying", batch * BATCH + rows.len(), old.live.count());
    }
    Ok(())
}

/// Derives everything for a generation that was filled, and writes down what is not written yet.
pub(super) fn settle(
    generation: &Arc<Generation>,
    on_progress: Progress<'_>,
) -> Result<(Snapshot, Lexical), Error> {
    let (mut snapshot, mut lexical) = generation.derive(true)?;
    on_progress("words", 0, 1);
    lexical.optimise()?;
    snapshot.lexical = lexical.view();
    if snapshot.codes.tail_rows() > 0 || snapshot.codes.recall().is_none() {
        snapshot.codes = generation.build_codes(&snapshot.vectors, &snapshot.live, on_progress)?;
    }
    // Else the log beside the database would hold everything a second time.
    generation.store.checkpoint()?;
    Ok((snapshot, lexical))
}
