//! Where pictures are kept and found: one trait, so that an index can be a folder here or a service elsewhere.

use std::fmt::Debug;

use crate::error::Error;
use crate::hit::Results;
use crate::query::Query;
use crate::record::Item;
use crate::stats::Stats;

/// A place to keep pictures in and to find them again.
///
/// Every method may be called from several threads at once. What `put` and `delete` acknowledge is durable and visible to
/// the next search.
pub trait Backend: Debug + Send + Sync {
    /// Adds pictures, or replaces those whose ids are known. All of them or none.
    ///
    /// # Errors
    /// A vector of another width, an id that cannot be one, or what the disk has to report.
    fn put(&self, items: &[Item]) -> Result<(), Error>;

    /// Removes pictures, and returns how many of these ids there were. All of them or none.
    ///
    /// # Errors
    /// What the disk has to report.
    fn delete(&self, ids: &[&str]) -> Result<usize, Error>;

    /// The picture of that id, with thumbnail and vector.
    ///
    /// # Errors
    /// When it is damaged on disk.
    fn get(&self, id: &str) -> Result<Option<Item>, Error>;

    /// The best pictures for a query.
    ///
    /// # Errors
    /// A query that does not fit the index; a single damaged record is in [`Results::damaged`].
    fn search(&self, query: &Query) -> Result<Results, Error>;

    /// What is in it, and how well it works.
    ///
    /// # Errors
    /// What the disk has to report.
    fn stats(&self) -> Result<Stats, Error>;
}
