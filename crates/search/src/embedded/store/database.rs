//! Connections to the database of a store.
//!
//! It knows files, formats and settings of the database; what is in the tables is for others.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::Error;

/// Name of the database file.
pub(super) const FILE: &str = "records.sqlite";
/// Version of the tables; a later one is refused.
const FORMAT: u32 = 1;
/// Tells our databases from others: "fine" in ASCII.
const APPLICATION: i32 = 0x6669_6e65;
/// Pages that a connection keeps, at most: the records of a page of hits come from all over the file.
const CACHE_KIB: i32 = 16 << 10;
/// How long to wait for a lock that another process holds for a moment, as when it opens or closes the database.
const PATIENCE: Duration = Duration::from_secs(10);
/// Two changes within this may leave a file with one time: systems stamp files by a clock that ticks every 10 ms or faster.
const TICK: Duration = Duration::from_millis(50);

/// `dead` is a log: its places count up, so that what has died since is at its end.
const TABLES: &str = "
    CREATE TABLE records (
        row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, place TEXT, words TEXT NOT NULL,
        vector_crc INTEGER NOT NULL, thumbnail_crc INTEGER, crc INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE thumbnails (row INTEGER PRIMARY KEY, jpeg BLOB NOT NULL) STRICT;
    CREATE TABLE dead (place INTEGER PRIMARY KEY, row INTEGER NOT NULL UNIQUE) STRICT;
    CREATE TABLE facts (key TEXT PRIMARY KEY, value BLOB NOT NULL, crc INTEGER NOT NULL) STRICT, WITHOUT ROWID;
";

/// Where the database is.
#[derive(Debug)]
pub(super) struct Database {
    path: PathBuf,
    /// What it was like when it was opened without locks; see [`Database::is_still`].
    rest: Option<Rest>,
    idle: Mutex<Vec<Connection>>,
}

/// What a database file is like while nobody writes to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rest {
    bytes: u64,
    modified: SystemTime,
}

/// A connection for reading, given back when dropped.
pub(super) struct Reader<'a> {
    database: &'a Database,
    connection: Option<Connection>,
}

impl Database {
    pub(super) fn new(dir: &Path) -> Self {
        Self { path: dir.join(FILE), rest: None, idle: Mutex::default() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A new database with empty tables.
    pub(super) fn create(&self) -> Result<Connection, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags).in_file(&self.path)?;
        let made = connection
            .pragma_update(None, "journal_mode", "wal")
            .and_then(|()| connection.pragma_update(None, "application_id", APPLICATION))
            .and_then(|()| connection.pragma_update(None, "user_version", FORMAT))
            .and_then(|()| connection.execute_batch(TABLES));
        made.in_file(&self.path)?;
        write_through(&connection).in_file(&self.path)?;
        Ok(connection)
    }

    /// The connection that writes.
    pub(super) fn writer(&self) -> Result<Connection, Error> {
        self.is_there()?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags).in_file(&self.path)?;
        self.check(&connection)?;
        write_through(&connection).in_file(&self.path)?;
        Ok(connection)
    }

    /// The first connection that reads, beside a process that may be writing.
    ///
    /// Locks need a file beside the database. Where it cannot be made, as on a medium that can only be read, nobody writes
    /// at the moment, and nothing is locked: what is read counts as long as the database [is still](Database::is_still).
    pub(super) fn open(&mut self) -> Result<Connection, Error> {
        match self.connect() {
            Err(Error::Store { source, .. }) if needs_writing(&source) => {
                self.rest = self.settled();
                if self.rest.is_some() { self.connect() } else { Err(self.was_cut_off()) }
            }
            connected => connected,
        }
    }

    fn connect(&self) -> Result<Connection, Error> {
        self.is_there()?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_URI;
        let options = if self.rest.is_some() { "?immutable=1" } else { "" };
        let address = format!("{}{options}", address(&self.path));
        let connection = Connection::open_with_flags(address, flags).in_file(&self.path)?;
        self.check(&connection).map(|()| connection)
    }

    /// Whether nobody wrote to a database that was opened without locks. Where somebody did, all that was read of it since
    /// is to be read again, by a database opened anew.
    pub(super) fn is_still(&self) -> bool {
        self.rest.is_none_or(|rest| self.rest() == Some(rest))
    }

    /// What the file is like, if nobody writes to it, and nobody was cut off doing so: then there is no log.
    pub(super) fn rest(&self) -> Option<Rest> {
        let log = fs_err::metadata(self.beside("-wal")).map_or(0, |log| log.len());
        let file = fs_err::metadata(&self.path).ok().filter(|_| log == 0)?;
        Some(Rest { bytes: file.len(), modified: file.modified().ok()? })
    }

    /// The same once another change would show.
    fn settled(&self) -> Option<Rest> {
        let rest = self.rest()?;
        if rest.modified.elapsed().is_ok_and(|age| age > TICK) {
            return Some(rest);
        }
        std::thread::sleep(TICK);
        self.rest()
    }

    fn was_cut_off(&self) -> Error {
        let told = format!(
            "{}: whoever wrote last was cut off; open the index once where it can be written to",
            self.path.display()
        );
        std::io::Error::new(std::io::ErrorKind::ReadOnlyFilesystem, told).into()
    }

    /// A connection that reads, one that is idle if there is one.
    pub(super) fn reader(&self) -> Result<Reader<'_>, Error> {
        let idle = self.idle().pop();
        let connection = idle.map_or_else(|| self.connect(), Ok)?;
        Ok(Reader { database: self, connection: Some(connection) })
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes of the database on disk, its log included.
    pub(super) fn bytes(&self) -> u64 {
        let size = |path: PathBuf| fs_err::metadata(path).map_or(0, |file| file.len());
        ["", "-wal", "-shm"].iter().map(|end| size(self.beside(end))).sum()
    }

    fn beside(&self, end: &str) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(end);
        path.into()
    }

    fn is_there(&self) -> Result<(), Error> {
        if self.path.is_file() {
            Ok(())
        } else {
            Err(self.damaged("expected a database, found no file"))
        }
    }

    /// Makes a new connection ready, and sees that it is to a database of ours.
    fn check(&self, connection: &Connection) -> Result<(), Error> {
        let ready = connection
            .busy_timeout(PATIENCE)
            .and_then(|()| connection.pragma_update(None, "mmap_size", 0))
            .and_then(|()| connection.pragma_update(None, "cache_size", -CACHE_KIB))
            .and_then(|()| connection.pragma_update(None, "cell_size_check", true))
            .and_then(|()| connection.pragma_update(None, "trusted_schema", false));
        ready.in_file(&self.path)?;
        let number = |name| {
            connection
                .pragma_query_value(None, name, |row| row.get::<_, i32>(0))
                .in_file(&self.path)
        };
        let (application, found) = (number("application_id")?, number("user_version")? as u32);
        if application != APPLICATION {
            return Err(self.damaged("expected a database of an index, found another or none"));
        }
        if found > FORMAT {
            return Err(Error::Format { path: self.path.clone(), found, expected: FORMAT });
        }
        Ok(())
    }

    /// An error about something in the database.
    pub(super) fn damaged(&self, what: impl Into<String>) -> Error {
        Error::Damaged { path: self.path.clone(), what: what.into() }
    }
}

impl Deref for Reader<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("a reader has its connection until it is dropped")
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        self.database.idle().extend(self.connection.take());
    }
}

/// What is committed is on the disk, and the log does not stay as large as the largest batch.
fn write_through(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "synchronous", "full")?;
    // Only macOS knows it: there an `fsync` alone leaves the bytes in the drive.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update_and_check(None, "journal_size_limit", 32 << 20, |_| Ok(()))
}

/// Whether reading failed because files for sharing could not be made in a folder that cannot be written to.
fn needs_writing(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly))
}

/// A path as the database's address of a file, in which some letters have a meaning; names need not be UTF-8.
fn address(path: &Path) -> String {
    let mut address = "file:".to_owned();
    for &byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii() && !b"%?#".contains(&byte) {
            address.push(char::from(byte));
        } else {
            let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
            address.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    address
}

/// Says which file an error of the database is about.
pub(super) trait InFile<T> {
    fn in_file(self, path: &Path) -> Result<T, Error>;
}

impl<T> InFile<T> for rusqlite::Result<T> {
    fn in_file(self, path: &Path) -> Result<T, Error> {
        self.map_err(|source| {
            let path = path.to_owned();
            if is_damage(&source) {
                Error::Damaged { path, what: source.to_string() }
            } else {
                Error::Store { path, source }
            }
        })
    }
}

/// Whether an error means that the file is not as it was written, rather than that the system refused something.
fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::Error as Sqlite;
    match error {
        Sqlite::SqliteFailure(failure, _) | Sqlite::SqlInputError { error: failure, .. } => {
            // A table that is not there is an unknown name, not a fault of ours: the names are fixed.
            matches!(
                failure.code,
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown
            )
        }
        Sqlite::FromSqlConversionFailure(..)
        | Sqlite::IntegralValueOutOfRange(..)
        | Sqlite::InvalidColumnType(..)
        | Sqlite::InvalidColumnName(..)
        | Sqlite::InvalidColumnIndex(..)
        | Sqlite::Utf8Error(..)
        | Sqlite::QueryReturnedNoRows => true,
        _ => false,
    }
}
