//! A generation that takes the place of another: without what was deleted, or with the vectors of another model.
//!
//! The new one is filled beside the old, which answers meanwhile; one renaming makes it the one that counts. A kill at any
//! moment leaves the old one whole.

use std::path::Path;
use std::sync::Arc;

use crate::embedded::generation::{FUSION, Generation, NOTES, PROBES, ROOTS};
use crate::embedded::lexical::Lexical;
use crate::embedded::store::{Change, Salvaged, Store};
use crate::embedded::{Progress, snapshot::Snapshot};
use crate::error::Error;
use crate::record::Item;

/// Pictures copied in one transaction.
const BATCH: usize = 1_000;

/// Facts that hold in the next generation too.
const KEPT: [&str; 4] = [FUSION, NOTES, PROBES, ROOTS];

/// A generation with all that derives from it, and what of the old one was damaged and is left out, in words.
pub(super) type Renewed = (Snapshot, Lexical, Vec<String>);

/// A new generation in `dir` with what is alive in `old`.
pub(super) fn compacted(
    old: &Snapshot,
    dir: &Path,
    on_progress: Progress<'_>,
) -> Result<Renewed, Error> {
    let store = Store::create(dir, old.store().settings())?;
    let mut faults = copy_facts(old.store(), &store)?;
    faults.extend(copy_pictures(old.store(), &store, on_progress)?);
    let (snapshot, lexical) = settle(&Generation::new(dir, store), on_progress)?;
    Ok((snapshot, lexical, faults))
}

/// Copies facts, and returns what is wrong with those that are not as they were written.
fn copy_facts(old: &Store, new: &Store) -> Result<Vec<String>, Error> {
    let mut faults = Vec::new();
    for key in KEPT {
        match old.fact(key) {
            Ok(Some(fact)) => new.set_fact(key, &fact)?,
            Err(fault @ Error::Damaged { .. }) => faults.push(fault.to_string()),
            fact => drop(fact?),
        }
    }
    Ok(faults)
}

/// Copies what is alive, in order, and returns what is wrong with the rest.
fn copy_pictures(
    old: &Store,
    new: &Store,
    on_progress: Progress<'_>,
) -> Result<Vec<String>, Error> {
    let (mut items, mut faults) = (Vec::with_capacity(BATCH), Vec::new());
    old.salvage(&mut |salvaged, done, rows| {
        if let Some(fault) = &salvaged.fault {
            faults.push(fault.to_string());
        }
        items.extend(kept(salvaged));
        if items.len() == BATCH || done == rows {
            new.apply(&items.iter().map(Change::Put).collect::<Vec<_>>())?;
            items.clear();
            on_progress("copying", done, rows);
        }
        Ok(())
    })?;
    Ok(faults)
}

/// A picture whose thumbnail was lost is to be read again when it is next indexed, so its file counts as another.
fn kept(salvaged: Salvaged) -> Option<Item> {
    let mut item = salvaged.item?;
    if let Some(place) = item.record.place.as_mut().filter(|_| salvaged.fault.is_some()) {
        (place.bytes, place.modified_ns, place.crc) = (0, 0, 0);
    }
    Some(item)
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
