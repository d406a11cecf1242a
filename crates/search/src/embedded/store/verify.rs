//! Reads everything, and lists what is wrong.

use rusqlite::Connection;

use crate::embedded::Progress;
use crate::embedded::store::Store;
use crate::embedded::store::columns::Columns;
use crate::embedded::store::database::InFile;
use crate::embedded::store::facts::{self, Counts};
use crate::embedded::vectors::Vectors;
use crate::error::Error;
use crate::rows::Row;

/// Faults that are listed; more are counted.
const LISTED: usize = 100;
/// What the progress calls this.
const STAGE: &str = "verify";
/// Rows between two reports of progress.
const STEP: usize = 1000;

/// What is wrong so far.
#[derive(Default)]
struct Faults {
    listed: Vec<String>,
    more: usize,
}

impl Faults {
    fn add(&mut self, fault: &Error) {
        if self.listed.len() < LISTED {
            self.listed.push(fault.to_string());
        } else {
            self.more += 1;
        }
    }

    fn note<T>(&mut self, checked: Result<T, Error>) -> Option<T> {
        checked.map_err(|error| self.add(&error)).ok()
    }

    fn told(mut self) -> Vec<String> {
        if self.more > 0 {
            self.listed.push(format!("and {} more", self.more));
        }
        self.listed
    }
}

impl Store {
    /// Everything that is wrong; empty if nothing is.
    pub(crate) fn verify(&self, on_progress: Progress<'_>) -> Result<Vec<String>, Error> {
        let mut faults = Faults::default();
        {
            let reader = self.database.reader()?;
            let checked = self.check_structure(&reader, &mut faults);
            faults.note(checked);
            let checked = self.check_counts(&reader, &mut faults);
            faults.note(checked);
            let checked = self.check_facts(&reader, &mut faults);
            faults.note(checked);
        }
        if let Some(state) = faults.note(self.state()) {
            self.check_rows(&state.vectors, &mut faults, on_progress)?;
        }
        Ok(faults.told())
    }

    /// Lets the database look at its own pages and indices.
    fn check_structure(&self, reader: &Connection, faults: &mut Faults) -> Result<(), Error> {
        let path = self.database.path();
        let mut statement =
            reader.prepare(&format!("PRAGMA integrity_check({LISTED})")).in_file(path)?;
        let mut lines = statement.query([]).in_file(path)?;
        while let Some(line) = lines.next().in_file(path)? {
            let line: String = line.get(0).in_file(path)?;
            if line != "ok" {
                faults.add(&self.database.damaged(line));
            }
        }
        Ok(())
    }

    /// Sees that every row is either live or dead.
    fn check_counts(&self, reader: &Connection, faults: &mut Faults) -> Result<(), Error> {
        let path = self.database.path();
        let moment = reader.unchecked_transaction().in_file(path)?;
        let counts = Counts::read(&moment, path)?;
        let expected = [
            (
                "SELECT count(*) FROM records NOT INDEXED",
                "records",
                counts.rows.saturating_sub(counts.dead),
            ),
            ("SELECT count(*) FROM dead NOT INDEXED", "dead rows", counts.dead),
            (
                "SELECT count(*) FROM records JOIN dead USING (row)",
                "rows that are both live and dead",
                0,
            ),
            (
                "SELECT count(*) FROM thumbnails LEFT JOIN records USING (row) WHERE thumbnail_crc IS NULL",
                "thumbnails of nothing",
                0,
            ),
        ];
        for (sql, what, expected) in expected {
            let found = moment.query_row(sql, [], |row| row.get::<_, i64>(0)).in_file(path);
            if let Some(found) = faults.note(found).filter(|&found| found != expected as i64) {
                faults.add(
                    &self.database.damaged(format!("expected {expected} {what}, found {found}")),
                );
            }
        }
        Ok(())
    }

    fn check_facts(&self, reader: &Connection, faults: &mut Faults) -> Result<(), Error> {
        let path = self.database.path();
        for key in facts::keys(reader, path)? {
            faults.note(facts::read(reader, path, &key));
        }
        Ok(())
    }

    /// Reads every record with its vector and its thumbnail.
    fn check_rows(
        &self,
        vectors: &Vectors,
        faults: &mut Faults,
        on_progress: Progress<'_>,
    ) -> Result<(), Error> {
        let rows = vectors.rows();
        self.each(0..rows as Row, &mut |moment, row, columns| {
            if (row as usize).is_multiple_of(STEP) {
                on_progress(STAGE, row as usize, rows);
            }
            if let Some(columns) = faults.note(columns) {
                self.check_row(moment, vectors, &columns, faults);
            }
            Ok(())
        })?;
        on_progress(STAGE, rows, rows);
        Ok(())
    }

    fn check_row(
        &self,
        moment: &Connection,
        vectors: &Vectors,
        columns: &Columns<'_>,
        faults: &mut Faults,
    ) {
        faults.note(self.check(vectors, columns));
        faults.note(self.thumbnail_of(moment, columns));
        if let Err(what) = columns.record() {
            faults.add(&self.database.damaged(what));
        }
    }
}
