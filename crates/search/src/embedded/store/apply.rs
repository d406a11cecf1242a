//! Changes to a store: all of a batch or none of it.
//!
//! Vectors are on the disk before the transaction that counts them, so a row that counts always has its vector.

use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::PoisonError;

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use crate::embedded::store::Store;
use crate::embedded::store::columns::{Columns, vector_crc};
use crate::embedded::store::database::InFile;
use crate::embedded::store::facts::{self, Counts};
use crate::error::Error;
use crate::record::{Item, Record};
use crate::rows::Row;

/// One thing to do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change<'a> {
    /// Adds a picture, or replaces the one of that id.
    Put(&'a Item),
    /// Replaces everything of a known picture but its vector.
    Update(&'a Record),
    /// Removes the picture of that id, if there is one.
    Delete(&'a str),
}

/// What came of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Applied {
    /// New rows, in the order of the changes.
    pub(crate) rows: Range<Row>,
    /// Rows that no longer count.
    pub(crate) dead: Vec<Row>,
    /// How many of the ids to delete there were.
    pub(crate) deleted: usize,
}

/// The one connection that writes.
#[derive(Debug)]
pub(super) struct Writer {
    connection: Connection,
    /// Whether the last commit failed in a way that may still have written all of it; see [`Store::settle`].
    is_doubtful: bool,
}

impl Writer {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection, is_doubtful: false }
    }
}

/// A picture that will have a row.
struct New<'a> {
    record: &'a Record,
    /// `None` to keep the one that there is.
    vector: Option<&'a [f32]>,
}

/// What is left of a batch when the last change of an id wins.
#[derive(Default)]
struct Plan<'a> {
    new: Vec<New<'a>>,
    deleted: Vec<&'a str>,
}

impl Store {
    /// Applies a batch; within it, the last change of an id wins. When it returns, the batch is on the disk.
    ///
    /// # Errors
    /// Then nothing of it was done, and the store can still be used.
    pub(crate) fn apply(&self, changes: &[Change<'_>]) -> Result<Applied, Error> {
        let mut writer = self.writer()?.lock().unwrap_or_else(PoisonError::into_inner);
        let plan = self.plan(changes)?;
        self.settle(&mut writer)?;
        let Writer { connection, is_doubtful } = &mut *writer;
        let path = self.database.path();
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).in_file(path)?;
        let counts = Counts::read(&transaction, path)?;
        let applied = match self.write(&transaction, counts, &plan) {
            Ok(applied) if applied == Applied::default() => return Ok(applied),
            Ok(applied) => applied,
            Err(error) => {
                drop(transaction);
                self.give_back(counts.rows as usize);
                return Err(error);
            }
        };
        if let Err(error) = transaction.commit() {
            // Where the disk was full, the mark that ends a transaction was not written; otherwise nobody knows.
            *is_doubtful = error.sqlite_error_code() != Some(ErrorCode::DiskFull);
            if !*is_doubtful {
                self.give_back(counts.rows as usize);
            } else if let Err(later) = self.settle(&mut writer) {
                tracing::debug!(%later, "whether a change that failed counts is settled with the next one");
            }
            return Err(error).in_file(path);
        }
        Ok(applied)
    }

    /// Keeps a named value.
    pub(crate) fn set_fact(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        let writer = self.writer()?.lock().unwrap_or_else(PoisonError::into_inner);
        facts::write(&writer.connection, self.database.path(), key, value)
    }

    /// Empties the log into the database, as far as readers allow.
    pub(crate) fn checkpoint(&self) -> Result<(), Error> {
        let writer = self.writer()?.lock().unwrap_or_else(PoisonError::into_inner);
        let checkpoint =
            writer.connection.query_row("PRAGMA wal_checkpoint(truncate)", [], |_| Ok(()));
        checkpoint.in_file(self.database.path())
    }

    /// Makes sure that a commit that failed never counts.
    ///
    /// All of it may be in the log, only not for certain on the disk; were the process killed now, the next one would
    /// find it whole. A small commit takes its place in the log before its vectors are overwritten.
    fn settle(&self, writer: &mut Writer) -> Result<(), Error> {
        if !writer.is_doubtful {
            return Ok(());
        }
        let path = self.database.path();
        let counts = Counts::read(&writer.connection, path)?;
        Counts { sequence: counts.sequence + 1, ..counts }.write(&writer.connection, path)?;
        writer.is_doubtful = false;
        self.give_back(counts.rows as usize);
        Ok(())
    }

    /// Cuts off vectors that do not count. Should it fail, the next batch overwrites them.
    pub(super) fn give_back(&self, rows: usize) {
        if let Err(error) = self.segments.truncate(rows) {
            tracing::debug!(%error, "vectors that do not count are left for the next batch");
        }
    }

    /// Folds the changes of each id into one.
    fn plan<'a>(&self, changes: &[Change<'a>]) -> Result<Plan<'a>, Error> {
        let mut last: HashMap<&str, (usize, Option<New<'a>>)> =
            HashMap::with_capacity(changes.len());
        for (place, &change) in changes.iter().enumerate() {
            let (id, new) = match change {
                Change::Put(item) => (item.record.id.as_str(), Some(self.put(item)?)),
                Change::Update(record) => match last.get(record.id.as_str()) {
                    Some((_, None)) => return Err(no_vector(&record.id)),
                    Some((_, Some(new))) => {
                        (record.id.as_str(), Some(New { record, vector: new.vector }))
                    }
                    None => (record.id.as_str(), Some(New { record, vector: None })),
                },
                Change::Delete(id) => (id, None),
            };
            last.insert(id, (place, new));
        }
        let mut last: Vec<_> = last.into_iter().collect();
        last.sort_unstable_by_key(|&(_, (place, _))| place);
        let mut plan = Plan::default();
        for (id, (_, new)) in last {
            match new {
                Some(new) => plan.new.push(new),
                None => plan.deleted.push(id),
            }
        }
        Ok(plan)
    }

    /// # Errors
    /// A vector of another width.
    fn put<'a>(&self, item: &'a Item) -> Result<New<'a>, Error> {
        let (expected, found) = (self.settings.dim, item.vector.len());
        if expected != found {
            return Err(Error::Width { what: item.record.id.clone(), expected, found });
        }
        Ok(New { record: &item.record, vector: Some(&item.vector) })
    }

    /// Does what is planned, up to the commit.
    fn write(
        &self,
        transaction: &Connection,
        counts: Counts,
        plan: &Plan<'_>,
    ) -> Result<Applied, Error> {
        let path = self.database.path();
        let rows = self.rows_for(counts, plan.new.len())?;
        let kept = self.kept_vectors(transaction, plan)?;
        let vectors: Vec<&[f32]> = plan
            .new
            .iter()
            .zip(&kept)
            .map(|(new, kept)| new.vector.unwrap_or(kept.as_slice()))
            .collect();
        self.segments.append(rows.start as usize, &vectors)?;

        let mut applied = Applied { rows: rows.clone(), ..Applied::default() };
        for id in &plan.deleted {
            let dead = self.bury(transaction, id, counts.dead + applied.dead.len() as u64)?;
            applied.deleted += usize::from(dead.is_some());
            applied.dead.extend(dead);
        }
        for ((row, new), vector) in rows.zip(&plan.new).zip(vectors) {
            applied.dead.extend(self.bury(
                transaction,
                &new.record.id,
                counts.dead + applied.dead.len() as u64,
            )?);
            insert(
                transaction,
                path,
                &Columns::of(row, new.record, vector_crc(vector))?,
                new.record,
            )?;
        }
        if applied.rows.is_empty() && applied.dead.is_empty() {
            return Ok(Applied::default());
        }
        let counts = Counts {
            sequence: counts.sequence + 1,
            rows: u64::from(applied.rows.end),
            dead: counts.dead + applied.dead.len() as u64,
            dead_sum: counts.dead_sum ^ facts::sum(applied.dead.iter().copied()),
        };
        counts.write(transaction, path)?;
        Ok(applied)
    }

    /// The next rows.
    fn rows_for(&self, counts: Counts, new: usize) -> Result<Range<Row>, Error> {
        let (start, end) = (Row::try_from(counts.rows), Row::try_from(counts.rows + new as u64));
        if let (Ok(start), Ok(end)) = (start, end) {
            return Ok(start..end);
        }
        let told = format!(
            "{}: expected at most {} rows; compacting gives dead ones back",
            self.dir.display(),
            Row::MAX
        );
        Err(io::Error::new(io::ErrorKind::FileTooLarge, told).into())
    }

    /// For each new row the vector that is kept, or nothing where it brings its own.
    fn kept_vectors(
        &self,
        transaction: &Connection,
        plan: &Plan<'_>,
    ) -> Result<Vec<Vec<f32>>, Error> {
        if plan.new.iter().all(|new| new.vector.is_some()) {
            return Ok(vec![Vec::new(); plan.new.len()]);
        }
        let vectors = self.state()?.vectors;
        let kept = |new: &New<'_>| {
            if new.vector.is_some() {
                return Ok(Vec::new());
            }
            let row = self
                .row_of_id(transaction, &new.record.id)?
                .ok_or_else(|| no_vector(&new.record.id))?;
            let kept = self.serve(transaction, row, |columns| {
                self.check(&vectors, &columns)?;
                Ok(vectors.row(row).to_vec())
            })?;
            kept.ok_or_else(|| no_vector(&new.record.id))
        };
        plan.new.iter().map(kept).collect()
    }

    /// Makes the row of an id a dead one, and returns it.
    fn bury(&self, transaction: &Connection, id: &str, place: u64) -> Result<Option<Row>, Error> {
        let Some(row) = self.row_of_id(transaction, id)? else { return Ok(None) };
        self.check_id(transaction, row, id)?;
        let run = |sql| transaction.prepare_cached(sql)?.execute([row]);
        let buried = run("DELETE FROM records WHERE row = ?1")
            .and_then(|_| run("DELETE FROM thumbnails WHERE row = ?1"))
            .and_then(|_| {
                let mut statement =
                    transaction.prepare_cached("INSERT INTO dead (place, row) VALUES (?1, ?2)")?;
                statement.execute((place as i64, row))
            });
        buried.in_file(self.database.path())?;
        Ok(Some(row))
    }

    /// Fails when a whole record of another id is where the list of ids says that this one is. That a damaged record is
    /// there is no reason not to replace it.
    pub(super) fn check_id(
        &self,
        transaction: &Connection,
        row: Row,
        id: &str,
    ) -> Result<(), Error> {
        match self.serve(transaction, row, |columns| Ok(columns.id == id)) {
            Ok(Some(false)) => {
                Err(self.database.damaged(format!("row {row}: expected id {id:?}, found another")))
            }
            _ => Ok(()),
        }
    }
}

fn insert(
    transaction: &Connection,
    path: &Path,
    columns: &Columns<'_>,
    record: &Record,
) -> Result<(), Error> {
    let sql = "INSERT INTO records (row, id, place, words, vector_crc, thumbnail_crc, crc)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let (vector, thumbnail) =
        (columns.vector_crc.cast_signed(), columns.thumbnail_crc.map(u32::cast_signed));
    let values = (
        columns.row,
        columns.id,
        &columns.place,
        &columns.words,
        vector,
        thumbnail,
        columns.crc().cast_signed(),
    );
    transaction
        .prepare_cached(sql)
        .and_then(|mut statement| statement.execute(values))
        .in_file(path)?;
    if let Some(jpeg) = &record.thumbnail {
        let sql = "INSERT INTO thumbnails (row, jpeg) VALUES (?1, ?2)";
        transaction
            .prepare_cached(sql)
            .and_then(|mut insert| insert.execute((columns.row, jpeg)))
            .in_file(path)?;
    }
    Ok(())
}

fn no_vector(id: &str) -> Error {
    Error::Id { id: id.to_owned(), reason: "it is not in the index, so it has no vector to keep" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::store::tests::{contents, empty, item, put};

    fn limit_pages(store: &Store, pages: u32) {
        let writer = store.writer().unwrap().lock().unwrap();
        writer
            .connection
            .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
            .unwrap();
    }

    #[test]
    fn a_database_that_cannot_grow_loses_nothing_and_goes_on_when_it_can() {
        let (_dir, store) = empty(16);
        put(&store, &[item(16, "first", 4)]);
        let before = contents(&store).unwrap();
        let pages = store.database.bytes() / 4096;
        limit_pages(&store, pages as u32);
        let items: Vec<_> = (0..300).map(|n| item(16, &format!("{n}"), n)).collect();
        let changes: Vec<_> =
            items.iter().map(Change::Put).chain([Change::Delete("first")]).collect();
        for _ in 0..3 {
            let refused = store.apply(&changes).unwrap_err();
            assert!(matches!(&refused, Error::Store { .. }), "{refused:?}");
            assert_eq!(contents(&store).unwrap(), before);
            assert_eq!(store.segments.bytes().unwrap(), 64, "what did not count was given back");
        }
        limit_pages(&store, u32::MAX);
        assert_eq!(
            store.apply(&changes).unwrap(),
            Applied { rows: 1..301, dead: vec![0], deleted: 1 }
        );
        assert_eq!(contents(&store).unwrap().len(), 300);
        assert!(store.verify(&mut |_, _, _| ()).unwrap().is_empty());
    }

    #[test]
    fn rows_end_before_their_numbers_do() {
        let (_dir, store) = empty(1);
        let counts = Counts { rows: u64::from(Row::MAX) - 1, ..Counts::default() };
        assert_eq!(store.rows_for(counts, 1).unwrap(), Row::MAX - 1..Row::MAX);
        assert!(
            store.rows_for(counts, 2).unwrap_err().to_string().contains("at most 4294967295 rows")
        );
    }
}
