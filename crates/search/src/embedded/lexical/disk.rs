//! The part that is on disk: a tantivy index whose commits say how many rows they reflect.
//!
//! Segments are runs of rows, one after the other, so only neighbours are ever merged. Readers take no lock: a file that
//! disappears while they open it means that there is a newer state to open.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tantivy::index::SegmentComponent;
use tantivy::merge_policy::NoMergePolicy;
use tantivy::{
    FutureResult, Index, IndexMeta, IndexSettings, IndexWriter, SegmentMeta, TantivyError,
};

use crate::embedded::lexical::directory::Shared;
use crate::embedded::lexical::error::of_tantivy;
use crate::embedded::lexical::schema::{Document, Fields};
use crate::embedded::lexical::segment::{Segment, damage};
use crate::error::Error;
use crate::rows::Row;

/// Memory for words that are not yet on disk; a segment is written when it is used up.
const BUDGET_BYTES: usize = 256 << 20;

/// Above this many segments the smaller ones are merged.
const MAX_SEGMENTS: usize = 8;

/// The shortest file that can hold what tantivy ends every file with.
const FOOTER_BYTES: u64 = 8;

/// The files of a segment.
const COMPONENTS: [SegmentComponent; 6] = [
    SegmentComponent::Terms,
    SegmentComponent::Postings,
    SegmentComponent::Positions,
    SegmentComponent::FieldNorms,
    SegmentComponent::FastFields,
    SegmentComponent::Store,
];

/// The index on disk, as it was last looked at.
pub(super) struct Disk {
    dir: PathBuf,
    fields: Fields,
    writable: bool,
    /// None where there is no index yet.
    index: Option<Index>,
    writer: Option<IndexWriter<Document>>,
    /// A merge that goes on beside.
    merging: Option<FutureResult<Option<SegmentMeta>>>,
    segments: Vec<Arc<Segment>>,
}

impl Disk {
    /// Whether it may write to the folder.
    pub(super) fn writable(&self) -> bool {
        self.writable
    }

    /// Opens what is there; makes an index where there is none and it is to be written.
    pub(super) fn open(dir: &Path, fields: &Fields, writable: bool) -> Result<Self, Error> {
        let mut disk = Self {
            dir: dir.to_owned(),
            fields: fields.clone(),
            writable,
            index: None,
            writer: None,
            merging: None,
            segments: Vec::new(),
        };
        if writable && !disk.is_there() {
            fs_err::create_dir_all(dir)?;
            let schema = fields.schema.clone();
            let files = Shared::open(dir).map_err(TantivyError::from);
            files
                .and_then(|files| Index::create(files, schema, IndexSettings::default()))
                .map_err(|source| disk.error(source))?;
        }
        disk.reload()?;
        Ok(disk)
    }

    pub(super) fn segments(&self) -> &[Arc<Segment>] {
        &self.segments
    }

    /// Rows that the last commit reflects.
    pub(super) fn rows(&self) -> Row {
        self.segments.last().map_or(0, |segment| segment.end())
    }

    /// Looks at what was committed last, here or by another process.
    pub(super) fn reload(&mut self) -> Result<(), Error> {
        if self.index.is_none() && self.is_there() {
            let index = self.open_index().map_err(|source| self.error(source))?;
            self.index = Some(index);
        }
        let Some(index) = self.index.clone() else { return Ok(()) };
        let mut meta = index.load_metas().map_err(|source| self.error(source))?;
        loop {
            let segments = self.open_segments(&index, &meta);
            let latest = index.load_metas().map_err(|source| self.error(source))?;
            if ids(&latest) == ids(&meta) {
                self.segments = segments.map_err(|source| self.error(source))?;
                return Ok(());
            }
            meta = latest;
        }
    }

    /// Writes documents and commits them, so that this many rows are reflected.
    pub(super) fn append(
        &mut self,
        documents: impl Iterator<Item = Result<Document, Error>>,
        rows: Row,
    ) -> Result<(), Error> {
        self.finish_merge()?;
        let written = self.write(documents, rows);
        if written.is_err() {
            // What was not committed goes with the writer.
            self.close();
        }
        written?;
        self.reload()?;
        self.begin_merge()
    }

    /// Merges all segments into one.
    pub(super) fn optimise(&mut self) -> Result<(), Error> {
        self.finish_merge()?;
        if self.segments.len() > 1 {
            self.merge_from(0)?;
            self.finish_merge()?;
        }
        Ok(())
    }

    /// Reads every file, and returns what is wrong.
    pub(super) fn verify(&self) -> Result<Vec<String>, Error> {
        let Some(index) = &self.index else { return Ok(Vec::new()) };
        let meta = index.load_metas().map_err(|source| self.error(source))?;
        let damaged = meta.segments.iter().filter_map(|segment| self.check(index, segment).err());
        Ok(damaged.map(|source| format!("{}: {source}", self.dir.display())).collect())
    }

    fn is_there(&self) -> bool {
        self.dir.join("meta.json").exists()
    }

    fn open_index(&self) -> tantivy::Result<Index> {
        let index = Index::open(Shared::open(&self.dir)?)?;
        if index.schema() != self.fields.schema {
            return Err(damage("its fields are not those of this index"));
        }
        Ok(index)
    }

    /// The segments in the order of their rows; those that are open already stay open.
    fn open_segments(&self, index: &Index, meta: &IndexMeta) -> tantivy::Result<Vec<Arc<Segment>>> {
        let mut segments = Vec::with_capacity(meta.segments.len());
        for segment in &meta.segments {
            let known = self.segments.iter().find(|known| known.id == segment.id());
            segments.push(if let Some(known) = known {
                known.clone()
            } else {
                self.check(index, segment)?;
                Arc::new(Segment::open(index, segment.clone(), &self.fields)?)
            });
        }
        segments.sort_by_key(|segment| segment.first);
        let told = meta.payload.as_deref().map_or(Ok(0), str::parse).ok();
        if follow_each_other(&segments) != told {
            return Err(damage("its segments are not the rows that were committed"));
        }
        Ok(segments)
    }

    /// Compares the files of a segment with their checksums, so that nothing that is damaged is ever interpreted.
    fn check(&self, index: &Index, segment: &SegmentMeta) -> tantivy::Result<()> {
        for component in COMPONENTS {
            let file = segment.relative_path(component);
            let bytes = fs_err::metadata(self.dir.join(&file)).map_err(TantivyError::from)?.len();
            if bytes < FOOTER_BYTES || !index.directory().validate_checksum(&file)? {
                return Err(damage(&format!("{} is not as it was written", file.display())));
            }
        }
        Ok(())
    }

    fn write(
        &mut self,
        documents: impl Iterator<Item = Result<Document, Error>>,
        rows: Row,
    ) -> Result<(), Error> {
        let failed = |dir: &Path| {
            let dir = dir.to_owned();
            move |source| of_tantivy(&dir, source)
        };
        let failed = failed(&self.dir);
        let writer = self.writer()?;
        for document in documents {
            writer.add_document(document?).map_err(&failed)?;
        }
        let mut commit = writer.prepare_commit().map_err(&failed)?;
        commit.set_payload(&rows.to_string());
        commit.commit().map_err(&failed)?;
        Ok(())
    }

    /// The writer; one thread, so that every segment is a run of rows.
    fn writer(&mut self) -> Result<&mut IndexWriter<Document>, Error> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => self.open_writer()?,
        };
        Ok(self.writer.insert(writer))
    }

    fn open_writer(&self) -> Result<IndexWriter<Document>, Error> {
        let Some(index) = self.index.as_ref().filter(|_| self.writable) else {
            return Err(Error::ReadOnly { path: self.dir.clone() });
        };
        let writer = index.writer_with_num_threads(1, BUDGET_BYTES);
        let writer = writer.map_err(|source| self.error(source))?;
        writer.set_merge_policy(Box::new(NoMergePolicy));
        Ok(writer)
    }

    /// Begins to merge where a segment is no larger than all behind it, so that sizes fall like powers of two.
    fn begin_merge(&mut self) -> Result<(), Error> {
        if self.segments.len() <= MAX_SEGMENTS {
            return Ok(());
        }
        let rows = self.rows();
        let small = |segment: &Arc<Segment>| segment.documents <= rows - segment.end();
        match self.segments.iter().position(small) {
            Some(first) => self.merge_from(first),
            None => Ok(()),
        }
    }

    fn merge_from(&mut self, first: usize) -> Result<(), Error> {
        let ids: Vec<_> = self.segments[first..].iter().map(|segment| segment.id).collect();
        self.merging = Some(self.writer()?.merge(&ids));
        Ok(())
    }

    fn finish_merge(&mut self) -> Result<(), Error> {
        if let Some(merging) = self.merging.take() {
            merging.wait().map_err(|source| self.error(source))?;
            self.reload()?;
        }
        Ok(())
    }

    /// Ends what goes on beside. Dropping a writer would let its merges go on, and write to a folder that may be another's.
    fn close(&mut self) {
        let merged = self.merging.take().map_or(Ok(None), FutureResult::wait);
        let closed = self.writer.take().map_or(Ok(()), IndexWriter::wait_merging_threads);
        for error in [merged.err(), closed.err()].into_iter().flatten() {
            tracing::debug!(%error, "closing {}", self.dir.display());
        }
    }

    fn error(&self, source: TantivyError) -> Error {
        of_tantivy(&self.dir, source)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dir, segments, .. } = self;
        f.debug_struct("Disk").field("dir", dir).field("segments", segments).finish_non_exhaustive()
    }
}

fn ids(meta: &IndexMeta) -> Vec<tantivy::index::SegmentId> {
    meta.segments.iter().map(SegmentMeta::id).collect()
}

/// The row behind the last, if each segment begins where the one before it ends, the first at 0.
fn follow_each_other(segments: &[Arc<Segment>]) -> Option<Row> {
    segments.iter().try_fold(0, |end, segment| (segment.first == end).then(|| segment.end()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::lexical::documents::Documents;
    use crate::embedded::lexical::testing::{entries, settings};
    use crate::embedded::lexical::{Entry, Lexical};
    use crate::settings::Language;

    fn open(dir: &Path) -> Lexical {
        Lexical::open(dir, &settings(Language::English), true).unwrap()
    }

    /// Commits rows `0..rows` as a process does whose look at the new state fails: it still knows the old one.
    fn commit_unseen(lexical: &mut Lexical, entries: &[Entry], rows: Row) {
        let documents = entries.iter().map(Ok);
        let documents = Documents::new(documents, 0..rows, &lexical.analysis, &lexical.fields);
        lexical.disk.write(documents, rows).unwrap();
        assert_eq!(lexical.committed_rows(), 0);
    }

    #[test]
    fn what_a_failed_commit_wrote_is_not_written_again() {
        let dir = tempfile::tempdir().unwrap();
        let all = entries(1, 60);
        let (first, rest) = all.split_at(all.partition_point(|entry| entry.row < 40));
        let mut lexical = open(dir.path());
        lexical.add(first.to_vec(), 40).unwrap();
        commit_unseen(&mut lexical, first, 40);
        lexical.add(rest.to_vec(), 60).unwrap();
        lexical.commit().unwrap();
        assert_eq!((lexical.committed_rows(), lexical.pending()), (60, 0));
        drop(lexical);
        assert_eq!(open(dir.path()).rows(), 60);
    }

    #[test]
    fn many_entries_are_added_behind_what_a_failed_commit_wrote() {
        let dir = tempfile::tempdir().unwrap();
        let all = entries(1, 60);
        let mut lexical = open(dir.path());
        let first = all.partition_point(|entry| entry.row < 40);
        commit_unseen(&mut lexical, &all[..first], 40);
        lexical.bulk(&mut all.iter().cloned().map(Ok), 60).unwrap();
        drop(lexical);
        let words = |lexical: &Lexical| {
            let view = lexical.view();
            let plan = view.plan(&crate::words::Words::parse("ship red harbour")).unwrap();
            view.scores(&plan, &(0..60).collect::<Vec<_>>()).unwrap()
        };
        let whole = crate::embedded::lexical::testing::in_memory(all, 60, Language::English);
        assert_eq!(words(&open(dir.path())), words(&whole));
    }
}
