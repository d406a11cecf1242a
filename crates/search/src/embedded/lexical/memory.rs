//! What was added and is not yet on disk.
//!
//! Each batch becomes a small segment in memory. As in a binary counter, a segment takes in those before it that are no
//! larger: there are few of them, and every entry is indexed again only a few times.

use std::sync::Arc;

use tantivy::directory::RamDirectory;
use tantivy::{Index, TantivyError};

use crate::embedded::lexical::Entry;
use crate::embedded::lexical::analysis::Analysis;
use crate::embedded::lexical::documents::Documents;
use crate::embedded::lexical::error::of_tantivy;
use crate::embedded::lexical::schema::Fields;
use crate::embedded::lexical::segment::{Segment, damage};
use crate::error::Error;
use crate::rows::Row;

/// Segments do not grow beyond this: to index them again would hold up an addition.
const MAX_ROWS: Row = 1024;

/// Bytes for the words of a segment that is being built; it gets more when it needs more.
const BUDGET_BYTES: usize = 1 << 20;

/// Segments in memory, one after the other.
#[derive(Debug, Default)]
pub(super) struct Memory {
    runs: Vec<Run>,
}

#[derive(Debug)]
struct Run {
    entries: Vec<Entry>,
    segment: Arc<Segment>,
}

impl Memory {
    pub(super) fn segments(&self) -> impl Iterator<Item = Arc<Segment>> {
        self.runs.iter().map(|run| run.segment.clone())
    }

    /// Entries by row.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.runs.iter().flat_map(|run| &run.entries)
    }

    /// The row behind the last, if there is any.
    pub(super) fn end(&self) -> Option<Row> {
        self.runs.last().map(|run| run.segment.end())
    }

    pub(super) fn clear(&mut self) {
        self.runs.clear();
    }

    /// Adds the rows `from..to`, of which these have entries.
    pub(super) fn add(
        &mut self,
        mut entries: Vec<Entry>,
        (from, to): (Row, Row),
        analysis: &Analysis,
        fields: &Fields,
    ) -> Result<(), Error> {
        let mut kept = self.runs.len();
        let mut first = from;
        while let Some(run) = kept.checked_sub(1).map(|last| &self.runs[last].segment) {
            if run.documents > to - first || to - run.first > MAX_ROWS {
                break;
            }
            first = run.first;
            kept -= 1;
        }
        let all = self.runs[kept..].iter().flat_map(|run| &run.entries).chain(&entries);
        let segment = build(all, (first, to), analysis, fields)?;
        let mut taken: Vec<Entry> = self.runs.drain(kept..).flat_map(|run| run.entries).collect();
        taken.append(&mut entries);
        self.runs.push(Run { entries: taken, segment: Arc::new(segment) });
        Ok(())
    }

    /// Forgets rows before this one; everything, if what is left does not begin with it.
    pub(super) fn forget(
        &mut self,
        row: Row,
        analysis: &Analysis,
        fields: &Fields,
    ) -> Result<(), Error> {
        self.runs.retain(|run| run.segment.end() > row);
        if self.runs.first().is_some_and(|run| run.segment.first > row) {
            self.clear();
        }
        if let Some(run) = self.runs.first_mut().filter(|run| run.segment.first < row) {
            run.entries.retain(|entry| entry.row >= row);
            let rows = (row, run.segment.end());
            run.segment = Arc::new(build(run.entries.iter(), rows, analysis, fields)?);
        }
        Ok(())
    }
}

fn build<'a>(
    entries: impl Iterator<Item = &'a Entry>,
    (from, to): (Row, Row),
    analysis: &Analysis,
    fields: &Fields,
) -> Result<Segment, Error> {
    let failed = |source: TantivyError| of_tantivy("memory".as_ref(), source);
    let builder = Index::builder().schema(fields.schema.clone());
    let mut writer = builder
        .single_segment_index_writer(RamDirectory::create(), BUDGET_BYTES)
        .map_err(failed)?;
    for document in Documents::new(entries.map(Ok), from..to, analysis, fields) {
        writer.add_document(document?).map_err(failed)?;
    }
    let index = writer.finalize().map_err(failed)?;
    let meta = index.searchable_segment_metas().map_err(failed)?.pop();
    let meta = meta.ok_or_else(|| failed(damage("the segment that was built is not there")))?;
    Segment::open(&index, meta, fields).map_err(failed)
}
