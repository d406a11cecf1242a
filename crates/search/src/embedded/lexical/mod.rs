//! The lexical leg: BM25 over captions, and filters over metadata.
//!
//! Rows only ever come to it, in ascending order; that some of them are no longer live is the caller's knowledge, and is
//! told with every search. What it has on disk reflects the rows up to the last commit; what came later is in memory.

mod analysis;
mod bm25;
mod columns;
mod completion;
mod directory;
mod disk;
mod documents;
mod error;
mod facets;
mod matcher;
mod memory;
mod plan;
mod schema;
mod segment;
mod sweep;
#[cfg(test)]
mod testing;
mod view;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::embedded::lexical::analysis::Analysis;
use crate::embedded::lexical::disk::Disk;
use crate::embedded::lexical::documents::Documents;
use crate::embedded::lexical::memory::Memory;
use crate::embedded::lexical::schema::Fields;
use crate::error::Error;
use crate::metadata::Metadata;
use crate::rows::Row;
use crate::settings::Settings;

pub(crate) use crate::embedded::lexical::plan::Plan;
pub(crate) use crate::embedded::lexical::view::View;

/// What is indexed of a picture.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) row: Row,
    pub(crate) captions: Vec<String>,
    pub(crate) metadata: Metadata,
}

/// The lexical index in its folder.
#[derive(Debug)]
pub(crate) struct Lexical {
    dir: PathBuf,
    analysis: Arc<Analysis>,
    fields: Fields,
    disk: Disk,
    memory: Memory,
    view: View,
}

impl Lexical {
    /// Opens what is in a folder. A writer makes what is missing; for a reader it is empty until there is something.
    ///
    /// # Errors
    /// [`Error::Damaged`] when a file is not as it was written: the folder is then to be removed and filled anew.
    pub(crate) fn open(dir: &Path, settings: &Settings, writable: bool) -> Result<Self, Error> {
        let analysis = Arc::new(Analysis::new(settings));
        let fields = Fields::new(&analysis);
        let disk = Disk::open(dir, &fields, writable)?;
        let view = View::new(Vec::new(), analysis.clone(), fields.clone(), dir.to_owned());
        let dir = dir.to_owned();
        let mut lexical = Self { dir, analysis, fields, disk, memory: Memory::default(), view };
        lexical.look();
        Ok(lexical)
    }

    /// Whether it may write to its folder.
    pub(crate) fn writable(&self) -> bool {
        self.disk.writable()
    }

    /// Rows that the last commit reflects.
    pub(crate) fn committed_rows(&self) -> usize {
        self.disk.rows() as usize
    }

    /// Rows that are reflected, on disk or in memory.
    pub(crate) fn rows(&self) -> usize {
        self.view.rows()
    }

    /// Entries that are in memory only.
    pub(crate) fn pending(&self) -> usize {
        self.memory.entries().count()
    }

    /// Adds entries in memory. Their rows ascend from the first that is not reflected yet; afterwards `rows` are, with an
    /// entry or without.
    pub(crate) fn add(&mut self, entries: Vec<Entry>, rows: usize) -> Result<(), Error> {
        let (from, to) = (self.rows() as Row, rows as Row);
        if from < to {
            self.memory.add(entries, (from, to), &self.analysis, &self.fields)?;
            self.look();
        }
        Ok(())
    }

    /// Writes to disk what is in memory.
    ///
    /// A commit that failed may have arrived all the same, so what is on disk is looked at first: rows that were written
    /// twice would be damage.
    pub(crate) fn commit(&mut self) -> Result<(), Error> {
        self.reload()?;
        if let Some(end) = self.memory.end() {
            let entries = self.memory.entries().map(Ok);
            let rows = self.disk.rows()..end;
            let documents = Documents::new(entries, rows, &self.analysis, &self.fields);
            let appended = self.disk.append(documents, end);
            // It may be on disk all the same, as when only a merge could not begin.
            self.memory.forget(self.disk.rows(), &self.analysis, &self.fields)?;
            self.look();
            appended?;
        }
        Ok(())
    }

    /// Adds many entries straight on disk, as [`Lexical::add`] does in memory. All or none; those that turn out to be there
    /// already are passed over.
    pub(crate) fn bulk(
        &mut self,
        entries: &mut dyn Iterator<Item = Result<Entry, Error>>,
        rows: usize,
    ) -> Result<(), Error> {
        self.commit()?;
        let rows = self.disk.rows()..rows as Row;
        if !rows.is_empty() {
            let Range { start, end } = rows;
            let missing = |entry: &Result<Entry, Error>| {
                entry.as_ref().map_or(true, |entry| entry.row >= start)
            };
            let entries = entries.filter(missing);
            let documents = Documents::new(entries, start..end, &self.analysis, &self.fields);
            self.disk.append(documents, end)?;
            self.look();
        }
        Ok(())
    }

    /// Commits, and merges what is on disk into one segment.
    pub(crate) fn optimise(&mut self) -> Result<(), Error> {
        self.commit()?;
        self.disk.optimise()?;
        self.look();
        Ok(())
    }

    /// Looks at what another process committed, and forgets what is in memory of it.
    pub(crate) fn reload(&mut self) -> Result<(), Error> {
        self.disk.reload()?;
        self.memory.forget(self.disk.rows(), &self.analysis, &self.fields)?;
        self.look();
        Ok(())
    }

    /// The index as it is now.
    pub(crate) fn view(&self) -> View {
        self.view.clone()
    }

    /// Reads every file, and returns what is wrong.
    pub(crate) fn verify(&self) -> Result<Vec<String>, Error> {
        self.disk.verify()
    }

    fn look(&mut self) {
        let segments = self.disk.segments().iter().cloned().chain(self.memory.segments()).collect();
        let (analysis, fields) = (self.analysis.clone(), self.fields.clone());
        self.view = View::new(segments, analysis, fields, self.dir.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::lexical::testing::{entries, settings};
    use crate::filter::Filter;
    use crate::rows::RowSet;
    use crate::settings::Language;
    use crate::words::Words;

    fn open(dir: &Path, writable: bool) -> Result<Lexical, Error> {
        Lexical::open(dir, &settings(Language::English), writable)
    }

    /// What a view answers to some questions.
    fn answers(lexical: &Lexical) -> Vec<Vec<(Row, f32)>> {
        let view = lexical.view();
        let all = RowSet::all(view.rows());
        let found = |text: &str| {
            let plan = view.plan(&Words::parse(text)).unwrap();
            view.search(&plan, 50, &all).unwrap()
        };
        let texts = ["ship harbour", "\"red ship\" river", "plan* -snow", "+cafe"];
        let mut answers: Vec<_> = texts.into_iter().map(found).collect();
        let filter = Filter::parse("row >= 7 and title exists").unwrap();
        let rows = view.filter(&filter, &all).unwrap();
        answers.push(rows.iter().map(|row| (row, 0.0)).collect());
        answers
    }

    /// All entries added at once in memory.
    fn expected(rows: Row) -> Vec<Vec<(Row, f32)>> {
        let mut lexical = open("nowhere".as_ref(), false).unwrap();
        lexical.add(entries(1, rows), rows as usize).unwrap();
        answers(&lexical)
    }

    fn between(from: usize, to: usize) -> Vec<Entry> {
        let all = entries(1, 1000).into_iter();
        all.filter(|entry| (from..to).contains(&(entry.row as usize))).collect()
    }

    #[test]
    fn memory_and_disk_answer_as_one_before_and_after_a_commit_and_when_opened_again() {
        let dir = tempfile::tempdir().unwrap();
        let mut lexical = open(dir.path(), true).unwrap();
        lexical.bulk(&mut between(0, 600).into_iter().map(Ok), 600).unwrap();
        lexical.add(between(600, 601), 601).unwrap();
        lexical.add(between(601, 1000), 1000).unwrap();
        assert_eq!((lexical.committed_rows(), lexical.rows()), (600, 1000));
        assert_eq!(lexical.pending(), between(600, 1000).len());
        assert_eq!(answers(&lexical), expected(1000));
        let before = lexical.view();
        lexical.commit().unwrap();
        assert_eq!((lexical.committed_rows(), lexical.pending()), (1000, 0));
        assert_eq!(answers(&lexical), expected(1000));
        drop(lexical);
        let mut lexical = open(dir.path(), true).unwrap();
        assert_eq!(answers(&lexical), expected(1000));
        lexical.optimise().unwrap();
        assert_eq!(lexical.disk.segments().len(), 1);
        assert_eq!(answers(&lexical), expected(1000));
        assert_eq!(before.rows(), 1000);
        assert!(lexical.verify().unwrap().is_empty());
    }

    #[test]
    fn what_was_not_committed_is_not_there_when_opened_again() {
        let dir = tempfile::tempdir().unwrap();
        let mut lexical = open(dir.path(), true).unwrap();
        lexical.add(between(0, 10), 10).unwrap();
        drop(lexical);
        assert_eq!(open(dir.path(), true).unwrap().rows(), 0);
    }

    #[test]
    fn a_reader_follows_the_writer_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("lexical");
        let mut reader = open(&folder, false).unwrap();
        assert_eq!(reader.rows(), 0);
        let mut writer = open(&folder, true).unwrap();
        writer.bulk(&mut between(0, 500).into_iter().map(Ok), 500).unwrap();
        reader.reload().unwrap();
        assert_eq!(reader.committed_rows(), 500);
        reader.add(between(500, 700), 700).unwrap();
        reader.add(between(700, 1000), 1000).unwrap();
        assert_eq!(answers(&reader), expected(1000));
        writer.add(between(500, 800), 800).unwrap();
        writer.optimise().unwrap();
        reader.reload().unwrap();
        assert_eq!((reader.committed_rows(), reader.rows()), (800, 1000));
        assert_eq!(reader.pending(), between(800, 1000).len());
        assert_eq!(answers(&reader), expected(1000));
        assert!(matches!(
            open(&folder, false).unwrap().bulk(&mut between(800, 900).into_iter().map(Ok), 900),
            Err(Error::ReadOnly { .. })
        ));
    }

    #[test]
    fn many_commits_make_few_segments() {
        let dir = tempfile::tempdir().unwrap();
        let mut lexical = open(dir.path(), true).unwrap();
        for end in (10..=200).step_by(10) {
            lexical.add(between(end - 10, end), end).unwrap();
            lexical.commit().unwrap();
        }
        assert!(lexical.disk.segments().len() <= 10, "{:?}", lexical.disk);
        lexical.add(between(200, 1000), 1000).unwrap();
        assert_eq!(answers(&lexical), expected(1000));
    }

    #[test]
    fn a_failing_source_adds_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut lexical = open(dir.path(), true).unwrap();
        let failure = || Error::ReadOnly { path: PathBuf::new() };
        let mut source = between(0, 50).into_iter().map(Ok).chain([Err(failure())]);
        assert!(lexical.bulk(&mut source, 100).is_err());
        assert_eq!(lexical.rows(), 0);
        lexical.bulk(&mut between(0, 1000).into_iter().map(Ok), 1000).unwrap();
        assert_eq!(answers(&lexical), expected(1000));
    }

    #[test]
    fn rows_without_entries_are_reflected() {
        let dir = tempfile::tempdir().unwrap();
        let mut lexical = open(dir.path(), true).unwrap();
        lexical.bulk(&mut std::iter::empty(), 5).unwrap();
        lexical.add(Vec::new(), 7).unwrap();
        assert_eq!((lexical.committed_rows(), lexical.rows()), (5, 7));
        lexical.commit().unwrap();
        assert_eq!(open(dir.path(), false).unwrap().rows(), 7);
    }

    /// Files in a folder, with what is in them.
    fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let files = fs_err::read_dir(dir).unwrap().map(|file| file.unwrap().path());
        let kept = files.filter(|path| path.extension().is_none_or(|kind| kind != "lock"));
        let mut files: Vec<_> =
            kept.map(|path| (path.clone(), fs_err::read(path).unwrap())).collect();
        files.sort();
        files
    }

    #[test]
    fn damage_is_told_and_never_answered_from() {
        let dir = tempfile::tempdir().unwrap();
        let mut lexical = open(dir.path(), true).unwrap();
        lexical.bulk(&mut between(0, 300).into_iter().map(Ok), 300).unwrap();
        lexical.bulk(&mut between(300, 400).into_iter().map(Ok), 400).unwrap();
        drop(lexical);
        let whole = expected(400);
        for (path, bytes) in files(dir.path()) {
            let shorter = [0, 1, 5, 9, bytes.len() / 2, bytes.len() - 1]
                .map(|len| bytes[..len.min(bytes.len())].to_vec());
            let flipped = (0..40).map(|place| {
                let mut flipped = bytes.clone();
                flipped[place * 7919 % bytes.len()] ^= 1 << (place % 8);
                flipped
            });
            for damaged in shorter.into_iter().chain(flipped) {
                fs_err::write(&path, &damaged).unwrap();
                match open(dir.path(), false) {
                    Ok(lexical) => assert_eq!(answers(&lexical), whole, "{}", path.display()),
                    Err(error) => assert!(matches!(error, Error::Damaged { .. }), "{error:?}"),
                }
            }
            fs_err::remove_file(&path).unwrap();
            match open(dir.path(), false) {
                Ok(lexical) if lexical.rows() > 0 => {
                    assert_eq!(answers(&lexical), whole, "{}", path.display());
                }
                Ok(_) => assert!(path.ends_with("meta.json")),
                Err(error) => assert!(matches!(error, Error::Damaged { .. }), "{error:?}"),
            }
            fs_err::write(&path, &bytes).unwrap();
        }
        assert_eq!(answers(&open(dir.path(), false).unwrap()), whole);
    }

    #[test]
    fn damage_behind_an_open_index_is_found_by_verify() {
        let dir = tempfile::tempdir().unwrap();
        let mut lexical = open(dir.path(), true).unwrap();
        lexical.bulk(&mut between(0, 300).into_iter().map(Ok), 300).unwrap();
        let postings = files(dir.path())
            .into_iter()
            .find(|(path, _)| path.extension().is_some_and(|kind| kind == "idx"));
        let (path, mut bytes) = postings.unwrap();
        bytes[20] ^= 1;
        fs_err::write(&path, &bytes).unwrap();
        let told = lexical.verify().unwrap();
        assert!(told.len() == 1 && told[0].contains(".idx is not as it was written"), "{told:?}");
    }
}
