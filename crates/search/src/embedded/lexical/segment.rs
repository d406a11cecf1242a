//! A run of rows that are indexed together: on disk or in memory, it reads the same.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tantivy::fieldnorm::FieldNormReader;
use tantivy::index::SegmentId;
use tantivy::postings::{BlockSegmentPostings, SegmentPostings};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, Index, InvertedIndexReader, SegmentMeta, SegmentReader, TantivyError};

use crate::embedded::lexical::matcher::each;
use crate::embedded::lexical::schema::{Fields, ROW};
use crate::rows::Row;

/// Rows `first..first + documents`; the document of a row is its distance from the first.
pub(super) struct Segment {
    pub(super) id: SegmentId,
    pub(super) first: Row,
    pub(super) documents: DocId,
    pub(super) stems: Arc<InvertedIndexReader>,
    pub(super) surfaces: Arc<InvertedIndexReader>,
    /// Codes of the lengths of the documents, see [`super::bm25`].
    pub(super) codes: Box<[u8]>,
    pub(super) columns: SegmentReader,
    reaches: Mutex<HashMap<String, Reach>>,
}

/// How far a stem can lift a document of a segment: by how often it occurs in one, 1, 2, 3 or more times, the code of the
/// shortest such document.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reach {
    shortest: [Option<u8>; 4],
    most: u32,
}

impl Reach {
    fn of(mut postings: BlockSegmentPostings, codes: &[u8]) -> Self {
        let mut reach = Self::default();
        each(&mut postings, |document, times| {
            let code = codes[document as usize];
            let shortest = &mut reach.shortest[times.clamp(1, 4) as usize - 1];
            *shortest = Some(shortest.map_or(code, |shortest| shortest.min(code)));
            reach.most = reach.most.max(times);
        });
        reach
    }

    /// The highest share of any document, given the share by occurrences and code.
    pub(super) fn peak(&self, share: impl Fn(u32, u8) -> u32) -> u32 {
        let times = [1, 2, 3, self.most];
        let shares = times.into_iter().zip(self.shortest);
        shares.filter_map(|(times, code)| code.map(|code| share(times, code))).max().unwrap_or(0)
    }
}

/// Shorter lists are read at once; how far they reach does not matter.
const LONG_LIST: u32 = 1024;

impl Segment {
    /// # Errors
    /// When its rows are not those of a run, which is damage.
    pub(super) fn open(index: &Index, meta: SegmentMeta, fields: &Fields) -> tantivy::Result<Self> {
        let documents = meta.max_doc();
        let reader = SegmentReader::open(&index.segment(meta))?;
        let lengths = reader.fieldnorms_readers().get_field(fields.stems)?;
        let lengths = lengths.unwrap_or_else(|| FieldNormReader::constant(documents, 0));
        let first = first_row(&reader).filter(|_| lengths.num_docs() == documents);
        let first =
            first.ok_or_else(|| damage("its rows are not those that it was written with"))?;
        Ok(Self {
            id: reader.segment_id(),
            first,
            documents,
            stems: reader.inverted_index(fields.stems)?,
            surfaces: reader.inverted_index(fields.surfaces)?,
            codes: (0..documents).map(|document| lengths.fieldnorm_id(document)).collect(),
            columns: reader,
            reaches: Mutex::default(),
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

    /// How far a stem with a long list reaches; found out when it is first asked for, which takes as long as to read the
    /// list once.
    pub(super) fn reach(&self, stem: &str, postings: &BlockSegmentPostings) -> Option<Reach> {
        if postings.doc_freq() < LONG_LIST {
            return None;
        }
        let known = |reaches: &HashMap<String, Reach>| reaches.get(stem).copied();
        if let Some(reach) = known(&self.reaches.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Some(reach);
        }
        let reach = Reach::of(postings.clone(), &self.codes);
        let mut reaches = self.reaches.lock().unwrap_or_else(PoisonError::into_inner);
        reaches.insert(stem.to_owned(), reach);
        Some(reach)
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
