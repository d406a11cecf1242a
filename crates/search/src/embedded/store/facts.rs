//! Named values beside the records, each with its checksum.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::embedded::store::database::InFile;
use crate::error::Error;
use crate::rows::Row;

/// The settings that the store was made with.
pub(super) const SETTINGS: &str = "store.settings";
/// How much there is.
const COUNTS: &str = "store.counts";

/// How much there is; changed in the transaction that changes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    /// Transactions so far.
    pub(super) sequence: u64,
    /// Rows so far, dead ones included.
    pub(super) rows: u64,
    /// Dead ones of these.
    pub(super) dead: u64,
    /// [`sum`] of these.
    pub(super) dead_sum: u32,
}

impl Counts {
    /// # Errors
    /// When they are not there or not as they were written.
    pub(super) fn read(connection: &Connection, path: &Path) -> Result<Self, Error> {
        read_json(connection, path, COUNTS)
    }

    pub(super) fn write(self, connection: &Connection, path: &Path) -> Result<(), Error> {
        write_json(connection, path, COUNTS, &self)
    }
}

/// A checksum over rows that does not depend on their order, so that one can be added to it.
pub(super) fn sum(rows: impl IntoIterator<Item = Row>) -> u32 {
    rows.into_iter().fold(0, |sum, row| sum ^ crc32fast::hash(&row.to_le_bytes()))
}

/// A value that must be there.
pub(super) fn read_json<T: DeserializeOwned>(
    connection: &Connection,
    path: &Path,
    key: &str,
) -> Result<T, Error> {
    let damaged = |what: String| Error::Damaged { path: path.to_owned(), what };
    let value = read(connection, path, key)?
        .ok_or_else(|| damaged(format!("the fact {key:?} is missing")))?;
    serde_json::from_slice(&value).map_err(|error| damaged(format!("the fact {key:?}: {error}")))
}

pub(super) fn write_json(
    connection: &Connection,
    path: &Path,
    key: &str,
    value: &impl Serialize,
) -> Result<(), Error> {
    let value = serde_json::to_vec(value).map_err(std::io::Error::from)?;
    write(connection, path, key, &value)
}

/// A value, if it is there.
pub(super) fn read(
    connection: &Connection,
    path: &Path,
    key: &str,
) -> Result<Option<Vec<u8>>, Error> {
    let mut statement =
        connection.prepare_cached("SELECT value, crc FROM facts WHERE key = ?1").in_file(path)?;
    let found =
        statement.query_row([key], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, i32>(1)?)));
    match found.optional().in_file(path)? {
        Some((value, crc)) if crc.cast_unsigned() != self::crc(key, &value) => {
            let what = format!("the fact {key:?} does not match its checksum");
            Err(Error::Damaged { path: path.to_owned(), what })
        }
        found => Ok(found.map(|(value, _)| value)),
    }
}

pub(super) fn write(
    connection: &Connection,
    path: &Path,
    key: &str,
    value: &[u8],
) -> Result<(), Error> {
    let sql = "INSERT OR REPLACE INTO facts (key, value, crc) VALUES (?1, ?2, ?3)";
    let mut statement = connection.prepare_cached(sql).in_file(path)?;
    statement.execute((key, value, crc(key, value).cast_signed())).in_file(path)?;
    Ok(())
}

/// Names of all values.
pub(super) fn keys(connection: &Connection, path: &Path) -> Result<Vec<String>, Error> {
    let mut statement =
        connection.prepare_cached("SELECT key FROM facts ORDER BY key").in_file(path)?;
    let keys = statement.query_map([], |row| row.get(0)).and_then(Iterator::collect);
    keys.in_file(path)
}

fn crc(key: &str, value: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&(key.len() as u64).to_le_bytes());
    hasher.update(key.as_bytes());
    hasher.update(value);
    hasher.finalize()
}
