//! Records, thumbnails and vectors as they are served: each is checked first.
//!
//! A row whose picture was deleted a moment ago is no fault; one that is simply not there is.

use std::collections::BTreeMap;
use std::ops::Range;

use rusqlite::{CachedStatement, Connection, OptionalExtension};

use crate::embedded::store::Store;
use crate::embedded::store::columns::{COLUMNS, Columns, vector_crc};
use crate::embedded::store::database::InFile;
use crate::embedded::store::facts::Counts;
use crate::embedded::vectors::Vectors;
use crate::embedded::{Damage, Known};
use crate::error::Error;
use crate::record::{Item, Record};
use crate::rows::Row;

/// Rows that are read in one transaction when all are: a long one would keep the log from being emptied.
const CHUNK: usize = 4096;

/// What there is of a picture: as much as can be relied on, and what is wrong with the rest.
#[derive(Debug, Default)]
pub(crate) struct Salvaged {
    /// Without a thumbnail where that alone is damaged; nothing of a picture that was deleted.
    pub(crate) item: Option<Item>,
    pub(crate) fault: Option<Error>,
}

/// Told of every row that has a record, or should have one.
pub(super) type Visit<'a> =
    &'a mut dyn FnMut(&Connection, Row, Result<Columns<'_>, Error>) -> Result<(), Error>;

impl Store {
    /// The row of an id.
    pub(crate) fn row_of(&self, id: &str) -> Result<Option<Row>, Error> {
        let reader = self.database.reader()?;
        self.row_of_id(&reader, id)
    }

    pub(super) fn row_of_id(
        &self,
        connection: &Connection,
        id: &str,
    ) -> Result<Option<Row>, Error> {
        let path = self.database.path();
        let mut statement =
            connection.prepare_cached("SELECT row FROM records WHERE id = ?1").in_file(path)?;
        statement.query_row([id], |row| row.get(0)).optional().in_file(path)
    }

    /// The record of a row without its thumbnail; `None` if it was deleted.
    ///
    /// # Errors
    /// [`Error::Damaged`] when it is not as it was written.
    pub(crate) fn record(&self, row: Row) -> Result<Option<Record>, Error> {
        let reader = self.database.reader()?;
        self.serve(&reader, row, |columns| self.in_row(columns.record()))
    }

    /// The records of some rows without their thumbnails, each as [`Store::record`] has it; with `vectors`, those of the
    /// rows are checked as well.
    pub(crate) fn records(
        &self,
        rows: &[Row],
        vectors: Option<&Vectors>,
    ) -> Result<Vec<Result<Option<Record>, Error>>, Error> {
        let reader = self.database.reader()?;
        let moment = reader.unchecked_transaction().in_file(self.database.path())?;
        let one = |columns: Columns<'_>| {
            vectors.map_or(Ok(()), |vectors| self.check(vectors, &columns))?;
            self.in_row(columns.record())
        };
        let mut statement = self.one_row(&moment)?;
        Ok(rows.iter().map(|&row| self.serve_by(&mut statement, &moment, row, one)).collect())
    }

    /// Everything about the picture of a row; `None` if it was deleted.
    ///
    /// # Errors
    /// [`Error::Damaged`] when any of it is not as it was written.
    #[cfg(test)]
    pub(crate) fn item(&self, row: Row) -> Result<Option<Item>, Error> {
        let reader = self.database.reader()?;
        let moment = reader.unchecked_transaction().in_file(self.database.path())?;
        self.item_in(&moment, row)
    }

    /// The same by id: row and picture are of one moment, so that a picture is found while it is replaced.
    pub(crate) fn item_of(&self, id: &str) -> Result<Option<Item>, Error> {
        let reader = self.database.reader()?;
        let moment = reader.unchecked_transaction().in_file(self.database.path())?;
        let Some(row) = self.row_of_id(&moment, id)? else { return Ok(None) };
        self.check_id(&moment, row, id)?;
        self.item_in(&moment, row)
    }

    fn item_in(&self, moment: &Connection, row: Row) -> Result<Option<Item>, Error> {
        self.serve(moment, row, |columns| {
            // Taken after the record, so that the row is among them.
            let vectors = self.state()?.vectors;
            self.check(&vectors, &columns)?;
            let thumbnail = self.thumbnail_of(moment, &columns)?;
            let record = Record { thumbnail, ..self.in_row(columns.record())? };
            Ok(Item { record, vector: vectors.row(row).to_vec() })
        })
    }

    /// The record of an id without its thumbnail.
    pub(crate) fn record_of(&self, id: &str) -> Result<Option<Record>, Error> {
        let reader = self.database.reader()?;
        let moment = reader.unchecked_transaction().in_file(self.database.path())?;
        let Some(row) = self.row_of_id(&moment, id)? else { return Ok(None) };
        self.check_id(&moment, row, id)?;
        self.serve(&moment, row, |columns| self.in_row(columns.record()))
    }

    /// All pictures of one moment, however long it takes and whatever is changed meanwhile; with each, how many rows of how
    /// many are done.
    pub(crate) fn salvage(
        &self,
        visit: &mut dyn FnMut(Salvaged, usize, usize) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (reader, path) = (self.database.reader()?, self.database.path());
        let moment = reader.unchecked_transaction().in_file(path)?;
        let rows = Counts::read(&moment, path)?.rows as usize;
        (0..rows).try_for_each(|row| visit(self.salvaged(&moment, row as Row)?, row + 1, rows))
    }

    fn salvaged(&self, moment: &Connection, row: Row) -> Result<Salvaged, Error> {
        let found = self.serve(moment, row, |columns| {
            let vectors = self.state()?.vectors;
            self.check(&vectors, &columns)?;
            let (record, vector) = (self.in_row(columns.record())?, vectors.row(row).to_vec());
            let (thumbnail, fault) = match self.thumbnail_of(moment, &columns) {
                Err(fault @ Error::Damaged { .. }) => (None, Some(fault)),
                thumbnail => (thumbnail?, None),
            };
            let item = Item { record: Record { thumbnail, ..record }, vector };
            Ok(Salvaged { item: Some(item), fault })
        });
        match found {
            Err(fault @ Error::Damaged { .. }) => Ok(Salvaged { item: None, fault: Some(fault) }),
            found => Ok(found?.unwrap_or_default()),
        }
    }

    /// The thumbnail of an id, if there is such a picture and it has one.
    ///
    /// # Errors
    /// [`Error::Damaged`] when it is not as it was written.
    pub(crate) fn thumbnail(&self, id: &str) -> Result<Option<Vec<u8>>, Error> {
        let reader = self.database.reader()?;
        let moment = reader.unchecked_transaction().in_file(self.database.path())?;
        let Some(row) = self.row_of_id(&moment, id)? else { return Ok(None) };
        self.check_id(&moment, row, id)?;
        Ok(self.serve(&moment, row, |columns| self.thumbnail_of(&moment, &columns))?.flatten())
    }

    /// All records of some rows without their thumbnails, ascending. One that is damaged is told as such, and the others
    /// follow.
    pub(crate) fn each_record(
        &self,
        rows: Range<Row>,
        visit: &mut dyn FnMut(Row, Result<Record, Error>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.each(rows, &mut |_, row, columns| {
            visit(row, columns.and_then(|columns| self.in_row(columns.record())))
        })
    }

    /// Everything by id, as far as it takes to see what changed. A damaged record is left out, so that it is taken for
    /// new and written again.
    pub(crate) fn known(&self) -> Result<BTreeMap<String, Known>, Error> {
        let (mut known, mut looked_at) = (BTreeMap::new(), 0);
        loop {
            let state = self.state()?;
            let rows = state.vectors.rows() as Row;
            self.add_known(looked_at..rows, &mut known)?;
            // Whatever came or was replaced meanwhile has rows behind these.
            if !self.changed(state.version)? {
                known.retain(|_, (row, _)| state.live.contains(*row));
                return Ok(known.into_iter().map(|(id, (_, one))| (id, one)).collect());
            }
            looked_at = rows;
        }
    }

    /// The records that [`Store::known`] leaves out.
    pub(crate) fn damaged(&self) -> Result<Vec<Damage>, Error> {
        let mut damaged = Vec::new();
        self.each(0..self.state()?.vectors.rows() as Row, &mut |moment, row, columns| {
            let place = columns.and_then(|columns| self.in_row(columns.place()));
            if let Err(fault) = place {
                let mut ids = moment.prepare_cached("SELECT id FROM records WHERE row = ?1").ok();
                let id = ids.as_mut().and_then(|ids| ids.query_row([row], |row| row.get(0)).ok());
                damaged.push(Damage { id, what: fault.to_string() });
            }
            Ok(())
        })?;
        Ok(damaged)
    }

    fn add_known(
        &self,
        rows: Range<Row>,
        known: &mut BTreeMap<String, (Row, Known)>,
    ) -> Result<(), Error> {
        self.each(rows, &mut |_, row, columns| {
            let one = columns.and_then(|columns| {
                let place = self.in_row(columns.place())?;
                Ok((columns.id.to_owned(), Known { place, words_crc: columns.words_crc() }))
            });
            match one {
                Ok((id, one)) => drop(known.insert(id, (row, one))),
                Err(error) => tracing::warn!(%error, "a damaged record counts as unknown"),
            }
            Ok(())
        })
    }

    /// Visits rows, a chunk at a time.
    pub(super) fn each(&self, rows: Range<Row>, visit: Visit<'_>) -> Result<(), Error> {
        for start in rows.clone().step_by(CHUNK) {
            let end = rows.end.min(start.saturating_add(CHUNK as Row));
            let reader = self.database.reader()?;
            let moment = reader.unchecked_transaction().in_file(self.database.path())?;
            let done = self.scan(&moment, start..end, visit)?;
            // The scan ends early at a damaged page; rows behind it can still be found one by one.
            for row in done..end {
                self.visit_one(&moment, row, visit)?;
            }
        }
        Ok(())
    }

    /// Visits rows in one pass until there are no more or something is wrong, and returns where it ended.
    fn scan(&self, moment: &Connection, rows: Range<Row>, visit: Visit<'_>) -> Result<Row, Error> {
        let path = self.database.path();
        let sql =
            format!("SELECT {COLUMNS} FROM records WHERE row >= ?1 AND row < ?2 ORDER BY row");
        let mut statement = moment.prepare_cached(&sql).in_file(path)?;
        let Ok(mut found) = statement.query([rows.start, rows.end]) else { return Ok(rows.start) };
        let mut next = rows.start;
        while let Ok(Some(one)) = found.next() {
            let Ok(row) = one.get::<_, Row>(0) else { break };
            if row < next || row >= rows.end {
                break;
            }
            for missing in next..row {
                self.visit_one(moment, missing, visit)?;
            }
            visit(moment, row, self.in_row(Columns::read(one)))?;
            next = row + 1;
        }
        Ok(next)
    }

    /// Visits a row if it has a record or should have one. What the system refuses is no fault of the record.
    fn visit_one(&self, moment: &Connection, row: Row, visit: Visit<'_>) -> Result<(), Error> {
        match self.serve(moment, row, |columns| Ok(visit(moment, row, Ok(columns)))) {
            Ok(visited) => visited.unwrap_or(Ok(())),
            Err(error @ Error::Damaged { .. }) => visit(moment, row, Err(error)),
            Err(error) => Err(error),
        }
    }

    /// Finds the record of a row, checks it and does something with it; `None` if it was deleted.
    pub(super) fn serve<T>(
        &self,
        connection: &Connection,
        row: Row,
        then: impl FnOnce(Columns<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        self.serve_by(&mut self.one_row(connection)?, connection, row, then)
    }

    /// The statement that finds the record of a row.
    fn one_row<'a>(&self, connection: &'a Connection) -> Result<CachedStatement<'a>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM records WHERE row = ?1");
        connection.prepare_cached(&sql).in_file(self.database.path())
    }

    /// The same with a statement at hand.
    fn serve_by<T>(
        &self,
        statement: &mut CachedStatement<'_>,
        connection: &Connection,
        row: Row,
        then: impl FnOnce(Columns<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let path = self.database.path();
        let mut found = statement.query([row]).in_file(path)?;
        match found.next().in_file(path).map_err(|error| self.at_row(row, error))? {
            Some(found) => then(self.in_row(Columns::read(found))?).map(Some),
            None if self.is_dead(connection, row)? => Ok(None),
            None => Err(self.database.damaged(format!("row {row}: its record is missing"))),
        }
    }

    fn is_dead(&self, connection: &Connection, row: Row) -> Result<bool, Error> {
        let path = self.database.path();
        let mut statement =
            connection.prepare_cached("SELECT 1 FROM dead WHERE row = ?1").in_file(path)?;
        statement.exists([row]).in_file(path)
    }

    /// The thumbnail that belongs to a record.
    pub(super) fn thumbnail_of(
        &self,
        moment: &Connection,
        columns: &Columns<'_>,
    ) -> Result<Option<Vec<u8>>, Error> {
        let Some(expected) = columns.thumbnail_crc else { return Ok(None) };
        let path = self.database.path();
        let mut statement =
            moment.prepare_cached("SELECT jpeg FROM thumbnails WHERE row = ?1").in_file(path)?;
        let jpeg =
            statement.query_row([columns.row], |found| found.get::<_, Vec<u8>>(0)).optional();
        match jpeg.in_file(path).map_err(|error| self.at_row(columns.row, error))? {
            Some(jpeg) if crc32fast::hash(&jpeg) == expected => Ok(Some(jpeg)),
            Some(_) => Err(self
                .database
                .damaged(columns.about("the thumbnail does not match its checksum"))),
            None => Err(self.database.damaged(columns.about("the thumbnail is missing"))),
        }
    }

    /// Fails if the vector of a record is not as it was written.
    pub(super) fn check(&self, vectors: &Vectors, columns: &Columns<'_>) -> Result<(), Error> {
        let is_there = (columns.row as usize) < vectors.rows();
        if is_there && vector_crc(vectors.row(columns.row)) == columns.vector_crc {
            return Ok(());
        }
        let what = if is_there {
            "the vector does not match its checksum"
        } else {
            "the vector is missing"
        };
        Err(Error::Damaged { path: self.segments.file_of(columns.row), what: columns.about(what) })
    }

    fn in_row<T>(&self, read: Result<T, String>) -> Result<T, Error> {
        read.map_err(|what| self.database.damaged(what))
    }

    /// Adds the row to an error of the database that does not know it.
    fn at_row(&self, row: Row, error: Error) -> Error {
        match error {
            Error::Damaged { what, .. } => self.database.damaged(format!("row {row}: {what}")),
            other => other,
        }
    }
}
