//! How many pictures changed since the weight of the hybrid was last fitted.
//!
//! The index keeps the number from before the first of them changes, so that a run that goes on after a kill, and many small
//! runs together, know when it is time. Pictures that a killed run left to do are counted again; fitting early does no harm.

use finelens_search::Embedded;

/// Name of the note.
const NOTE: &str = "changes";

/// The number so far.
pub(crate) fn changes(index: &Embedded) -> anyhow::Result<usize> {
    Ok(index.note(NOTE)?.and_then(|number| number.parse().ok()).unwrap_or(0))
}

/// Counts some that are about to change.
pub(crate) fn add_changes(index: &Embedded, more: usize) -> anyhow::Result<()> {
    if more == 0 { Ok(()) } else { keep(index, changes(index)? + more) }
}

/// Begins to count anew.
pub(crate) fn forget_changes(index: &Embedded) -> anyhow::Result<()> {
    keep(index, 0)
}

fn keep(index: &Embedded, number: usize) -> anyhow::Result<()> {
    Ok(index.set_note(NOTE, &number.to_string())?)
}
