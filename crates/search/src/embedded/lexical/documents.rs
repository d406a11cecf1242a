//! Entries become documents: one for every row, several at once.

use std::borrow::Borrow;
use std::collections::VecDeque;
use std::ops::Range;

use rayon::prelude::*;

use crate::embedded::lexical::Entry;
use crate::embedded::lexical::analysis::Analysis;
use crate::embedded::lexical::schema::{Document, Fields};
use crate::error::Error;
use crate::rows::Row;

/// Entries that are analysed together, on all threads.
const CHUNK: usize = 2048;

/// Documents for a run of rows; a row without an entry has a document without words.
pub(super) struct Documents<'a, I> {
    entries: I,
    rows: Range<Row>,
    ready: VecDeque<(Row, Document)>,
    analysis: &'a Analysis,
    fields: &'a Fields,
}

impl<'a, I> Documents<'a, I> {
    /// The entries' rows must ascend.
    pub(super) fn new(
        entries: I,
        rows: Range<Row>,
        analysis: &'a Analysis,
        fields: &'a Fields,
    ) -> Self {
        Self { entries, rows, ready: VecDeque::new(), analysis, fields }
    }

    fn analyse<E>(&mut self) -> Result<(), Error>
    where
        E: Borrow<Entry> + Sync,
        I: Iterator<Item = Result<E, Error>>,
    {
        let entries: Vec<E> = self.entries.by_ref().take(CHUNK).collect::<Result<_, _>>()?;
        let document = |entry: &E| {
            let entry: &Entry = entry.borrow();
            (entry.row, self.fields.document(entry, self.analysis))
        };
        self.ready = entries.par_iter().map(document).collect::<Vec<_>>().into();
        Ok(())
    }
}

impl<E, I> Iterator for Documents<'_, I>
where
    E: Borrow<Entry> + Sync,
    I: Iterator<Item = Result<E, Error>>,
{
    type Item = Result<Document, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.rows.next()?;
        if self.ready.is_empty()
            && let Err(error) = self.analyse()
        {
            return Some(Err(error));
        }
        debug_assert!(self.ready.front().is_none_or(|(next, _)| *next >= row), "rows ascend");
        match self.ready.pop_front_if(|(next, _)| *next == row) {
            Some((_, document)) => Some(Ok(document)),
            None => Some(Ok(self.fields.empty(row))),
        }
    }
}
