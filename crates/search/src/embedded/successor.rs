//! The next generation of an index, which is filled beside it and takes its place at once.

use std::path::Path;
use std::sync::Arc;

use crate::embedded::backend::check_dimension;
use crate::embedded::folder::Folder;
use crate::embedded::generation::{Generation, ROOTS};
use crate::embedded::store::Store;
use crate::embedded::{Embedded, renew};
use crate::error::Error;
use crate::settings::Settings;

impl Embedded {
    /// The next generation of this index, for the vectors of another model; goes on with one that was begun for the same.
    ///
    /// It is filled with `put` like any other index while this one answers, then takes its place by [`Embedded::succeed`].
    ///
    /// # Errors
    /// What the disk has to report.
    pub fn successor(&self, settings: &Settings) -> Result<Self, Error> {
        self.changing(|_| {
            let generation = match self.folder.kept()? {
                Some(dir) => self.resume(&dir, settings)?,
                None => self.begin_successor(settings)?,
            };
            Self::of(Arc::clone(&self.folder), &generation)
        })
    }

    /// Goes on with a successor that was begun, unless it was begun for something else.
    fn resume(&self, dir: &Path, settings: &Settings) -> Result<Arc<Generation>, Error> {
        match Generation::open(dir, true) {
            Ok(generation) if generation.store.settings().is_like(settings) => {
                return Ok(generation);
            }
            Ok(_) | Err(Error::Damaged { .. }) => {}
            // It may be hours of work, and readable the next time.
            Err(error) => return Err(error),
        }
        fs_err::remove_dir_all(dir)?;
        self.begin_successor(settings)
    }

    fn begin_successor(&self, settings: &Settings) -> Result<Arc<Generation>, Error> {
        check_dimension(settings.dim)?;
        let dir = self.folder.begin()?;
        let generation = Generation::new(&dir, Store::create(&dir, settings)?);
        generation.set_json(ROOTS, &self.roots()?)?;
        Folder::keep(&dir)?;
        Ok(generation)
    }

    /// Puts a successor in the place of this index, at once and for good.
    ///
    /// # Errors
    /// What the disk has to report; then this one stays.
    pub fn succeed(&self, successor: Self) -> Result<(), Error> {
        if !Arc::ptr_eq(&self.folder, &successor.folder) {
            let reason = "this is the successor of another index".to_owned();
            return Err(Error::Query { reason });
        }
        self.changing(|words| {
            let generation = Arc::clone(&successor.held().generation);
            drop(successor);
            let (snapshot, derived) = renew::settle(&generation, &mut |_, _, _| {})?;
            self.folder.swap(generation.dir())?;
            *words = derived;
            self.show(snapshot);
            self.clean();
            Ok(())
        })
    }
}
