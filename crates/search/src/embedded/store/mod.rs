//! The truth of one generation: records in a database, vectors in files beside it.
//!
//! Nothing here searches. What is derived from this reads it through [`Store::state`] and [`Store::each_record`].

mod apply;
mod columns;
mod database;
mod facts;
mod segments;
mod serve;
mod state;
mod verify;

#[cfg(test)]
mod power;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Mutex;

pub(crate) use apply::{Applied, Change};
pub(crate) use serve::Salvaged;
pub(crate) use state::State;

use crate::embedded::durable::{create_dirs, sync_dir};
use crate::embedded::store::apply::Writer;
use crate::embedded::store::database::Database;
use crate::embedded::store::facts::Counts;
use crate::embedded::store::segments::Segments;
use crate::embedded::store::state::Watch;
use crate::error::Error;
use crate::settings::Settings;

/// Records, vectors and facts of one generation.
///
/// Any number of threads and processes may read; one at a time writes, and somebody else sees to that.
#[derive(Debug)]
pub(crate) struct Store {
    dir: PathBuf,
    settings: Settings,
    segments: Segments,
    watch: Mutex<Watch>,
    database: Database,
    /// Dropped last: the last connection to be closed empties the log, and only this one can.
    writer: Option<Mutex<Writer>>,
}

impl Store {
    /// Makes an empty store in a folder, through to the disk, and opens it for writing.
    pub(crate) fn create(dir: &Path, settings: &Settings) -> Result<Self, Error> {
        create_dirs(dir)?;
        Segments::new(dir, settings.dim).create()?;
        let database = Database::new(dir);
        let connection = database.create()?;
        facts::write_json(&connection, database.path(), facts::SETTINGS, settings)?;
        Counts::default().write(&connection, database.path())?;
        drop(connection);
        sync_dir(dir)?;
        Self::open(dir, true)
    }

    /// Opens a store, for reading alone or for writing too.
    ///
    /// # Errors
    /// [`Error::Damaged`] when it is not as it was written, [`Error::Format`] when a later version wrote it.
    pub(crate) fn open(dir: &Path, writable: bool) -> Result<Self, Error> {
        loop {
            let before = Database::new(dir).rest();
            match Self::open_once(dir, writable) {
                // Somebody may have written while it was read without locks.
                Err(_) if Database::new(dir).rest() != before => {}
                opened => return opened,
            }
        }
    }

    fn open_once(dir: &Path, writable: bool) -> Result<Self, Error> {
        let mut database = Database::new(dir);
        let writer =
            if writable { Some(Mutex::new(Writer::new(database.writer()?))) } else { None };
        let watch = database.open()?;
        let settings: Settings = facts::read_json(&watch, database.path(), facts::SETTINGS)?;
        let segments = Segments::new(dir, settings.dim);
        let store = Self {
            dir: dir.to_owned(),
            settings,
            segments,
            watch: Mutex::new(Watch::new(watch)),
            database,
            writer,
        };
        let state = store.state()?;
        if writable {
            store.give_back(state.vectors.rows());
        }
        Ok(store)
    }

    /// Whether what was read since the store was opened can be relied on. Only in a folder that may not be written to it
    /// cannot always: then the store is to be opened anew.
    pub(crate) fn is_still(&self) -> bool {
        self.database.is_still()
    }

    /// What the store was made with.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A named value.
    ///
    /// # Errors
    /// [`Error::Damaged`] when it is not as it was written.
    pub(crate) fn fact(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        let reader = self.database.reader()?;
        facts::read(&reader, self.database.path(), key)
    }

    /// Bytes on disk by part.
    pub(crate) fn disk(&self) -> Result<Vec<(&'static str, u64)>, Error> {
        Ok(vec![("records", self.database.bytes()), ("vectors", self.segments.bytes()?)])
    }

    fn writer(&self) -> Result<&Mutex<Writer>, Error> {
        self.writer.as_ref().ok_or_else(|| Error::ReadOnly { path: self.dir.clone() })
    }
}
