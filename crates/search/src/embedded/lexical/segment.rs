//! A run of rows that are indexed together: on disk or in memory, it reads the same.

use std::fmt;
use std::sync::Arc;

use tantivy::fieldnorm::FieldNormReader;
use tantivy::index::SegmentId;
use tantivy::postings::{BlockSegmentPostings, SegmentPostings};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, Index, InvertedIndexReader, SegmentMeta, SegmentReader, TantivyError};

use crate::embedded::lexical::schema::{Fields, ROW};
use crate::rows::Row;

/// Rows `first..first + documents`; the document of a row is its distance from the first.
pub(super) struct Segment {
    pub(super) id: SegmentId,
    pub(super) first: Row,
    pub(super) documents: DocId,
    pub(super) stems: Arc<InvertedIndexReader>,
    pub(super) surfaces: Arc<InvertedIndexReader>,
    /// Lengths of the documents, see [`super::bm25`].
    pub(super) lengths: FieldNormReader,
    pub(super) columns: SegmentReader,
}

impl Segment {
    /// # Errors
    /// When its rows are not those of a run, which is damage.
    pub(super) fn open(index: &Index, meta: SegmentMeta, fields: &Fields) -> tantivy::Result<Self> {
        let documents = meta.max_doc();
        let reader = SegmentReader::open(&index.segment(meta))?;
        let lengths = reader.fieldnorms_readers().get_field(fields.stems)?;
        let lengths = lengths.unwrap_or_else(|| FieldNormReader::constant(documents, 0));
        let first = first_row(&reader).filter(|_| lengths.num_docs() == documents);
        Ok(Self {
            id: reader.segment_id(),
            first: first
                .ok_or_else(|| damage("its rows are not those that it was written with"))?,
            documents,
            stems: reader.inverted_index(fields.stems)?,
            surfaces: reader.inverted_index(fields.surfaces)?,
            lengths,
            columns: reader,
        })
    }

    /// The row behind the last.
    pub(super) fn end(&self) -> Row {
        self.first + self.documents
    }

    /// The documents with this stem, and how often they have it.
    pub(super) fn postings(&self, stem: &str) -> tantivy::Result<Option<BlockSegmentPostings>> {
        blocks(&self.stems, stem)
    }

    /// The documents with this surface, and how often they have it.
    pub(super) fn surfaces(&self, surface: &str) -> tantivy::Result<Option<BlockSegmentPostings>> {
        blocks(&self.surfaces, surface)
    }

    /// The documents with this stem, and where they have it.
    pub(super) fn positions(&self, stem: &str) -> tantivy::Result<Option<SegmentPostings>> {
        let Some(info) = self.stems.terms().get(stem)? else { return Ok(None) };
        let with = IndexRecordOption::WithFreqsAndPositions;
        Ok(Some(self.stems.read_postings_from_terminfo(&info, with)?))
    }

    /// In how many documents a stem is.
    pub(super) fn frequency(&self, stem: &str) -> tantivy::Result<u64> {
        let info = self.stems.terms().get(stem)?;
        Ok(info.map_or(0, |info| info.doc_freq.into()))
    }
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Segment").field("rows", &(self.first..self.end())).finish_non_exhaustive()
    }
}

fn blocks(
    index: &InvertedIndexReader,
    word: &str,
) -> tantivy::Result<Option<BlockSegmentPostings>> {
    let Some(info) = index.terms().get(word)? else { return Ok(None) };
    Ok(Some(index.read_block_postings_from_terminfo(&info, IndexRecordOption::WithFreqs)?))
}

/// The row of document 0, if all rows follow it one by one.
fn first_row(reader: &SegmentReader) -> Option<Row> {
    let rows = reader.fast_fields().u64(ROW).ok()?;
    let documents = reader.max_doc();
    if rows.num_docs() != documents {
        return None;
    }
    let first = rows.first(0)?;
    let last = rows.first(documents.checked_sub(1)?)?;
    let whole = last.checked_sub(first)? + 1 == u64::from(documents);
    Row::try_from(first).ok().filter(|_| whole && Row::try_from(last + 1).is_ok())
}

/// Something on disk is not as it was written.
pub(super) fn damage(what: &str) -> TantivyError {
    TantivyError::DataCorruption(tantivy::error::DataCorruption::comment_only(what))
}
