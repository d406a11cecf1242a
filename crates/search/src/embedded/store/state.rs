//! One consistent moment of a store, and whether another has come.

use std::path::Path;
use std::sync::{Arc, PoisonError};

use rusqlite::Connection;

use crate::embedded::store::Store;
use crate::embedded::store::database::InFile;
use crate::embedded::store::facts::{Counts, sum};
use crate::embedded::vectors::Vectors;
use crate::error::Error;
use crate::rows::{Row, RowSet};

/// One consistent moment. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct State {
    /// What the database calls the moment; only good for asking whether this store has [changed](Store::changed) since.
    pub(crate) version: i64,
    /// Vectors of all rows, those of dead ones included.
    pub(crate) vectors: Vectors,
    /// Rows that have a record.
    pub(crate) live: Arc<RowSet>,
}

/// A connection that never writes, and what it saw last.
#[derive(Debug)]
pub(super) struct Watch {
    connection: Connection,
    seen: Option<Seen>,
}

#[derive(Clone, Debug)]
struct Seen {
    counts: Counts,
    state: State,
}

impl Watch {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection, seen: None }
    }
}

impl Store {
    /// The store as it is now.
    pub(crate) fn state(&self) -> Result<State, Error> {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let Watch { connection, seen } = &mut *watch;
        let path = self.database.path();
        let moment = connection.unchecked_transaction().in_file(path)?;
        let version = version(&moment, path)?;
        if let Some(seen) = seen.as_ref().filter(|seen| seen.state.version == version) {
            return Ok(seen.state.clone());
        }
        let counts = Counts::read(&moment, path)?;
        let before = seen.take().filter(|seen| seen.counts.sequence <= counts.sequence);
        let state = match before {
            Some(before) if before.counts == counts => State { version, ..before.state },
            before => self.look(&moment, (version, counts), before)?,
        };
        *seen = Some(Seen { counts, state: state.clone() });
        Ok(state)
    }

    /// Whether any process has changed anything since the [state](Store::state) of that version; takes microseconds.
    pub(crate) fn changed(&self, since: i64) -> Result<bool, Error> {
        let watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(!self.is_still() || version(&watch.connection, self.database.path())? != since)
    }

    /// Adds what is new to what was seen before.
    fn look(
        &self,
        moment: &Connection,
        (version, counts): (i64, Counts),
        before: Option<Seen>,
    ) -> Result<State, Error> {
        let (rows, seen) =
            (counts.rows as usize, before.as_ref().map_or(Counts::default(), |seen| seen.counts));
        let dead = dead_since(moment, self.database.path(), seen.dead)?;
        let agrees = seen.dead + dead.len() as u64 == counts.dead
            && seen.dead_sum ^ sum(dead.iter().copied()) == counts.dead_sum;
        if !agrees || counts.rows > u64::from(Row::MAX) {
            return Err(self.database.damaged("the list of dead rows does not match its checksum"));
        }
        let vectors = self.segments.map(rows, before.as_ref().map(|seen| &seen.state.vectors))?;
        let mut live = before.map_or_else(|| Arc::new(RowSet::none(0)), |seen| seen.state.live);
        let set = Arc::make_mut(&mut live);
        set.grow(rows);
        for row in dead {
            set.remove(row);
        }
        Ok(State { version, vectors, live })
    }
}

fn version(connection: &Connection, path: &Path) -> Result<i64, Error> {
    let mut statement = connection.prepare_cached("PRAGMA data_version").in_file(path)?;
    statement.query_row([], |row| row.get(0)).in_file(path)
}

/// Rows that died after the first `places` of the list.
fn dead_since(connection: &Connection, path: &Path, places: u64) -> Result<Vec<Row>, Error> {
    let mut statement = connection
        .prepare_cached("SELECT row FROM dead WHERE place >= ?1 ORDER BY place")
        .in_file(path)?;
    let dead = statement.query_map([places as i64], |row| row.get(0)).and_then(Iterator::collect);
    dead.in_file(path)
}
