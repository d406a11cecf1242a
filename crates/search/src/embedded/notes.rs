//! What an index is told about itself: where the originals are, what the application notes, captions to be calibrated by.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::embedded::Embedded;
use crate::embedded::generation::{NOTES, ROOTS};
use crate::error::Error;
use crate::record::check_vector;

impl Embedded {
    /// Folders of the originals by name.
    ///
    /// # Errors
    /// What the disk has to report.
    pub fn roots(&self) -> Result<BTreeMap<String, PathBuf>, Error> {
        self.ask(|snapshot| Ok((snapshot.generation.json(ROOTS)?.unwrap_or_default(), true)))
    }

    /// Says where the originals of a root are.
    ///
    /// # Errors
    /// What the disk has to report.
    pub fn set_root(&self, name: &str, folder: &Path) -> Result<(), Error> {
        self.changing(|_| {
            let mut roots = self.roots()?;
            roots.insert(name.to_owned(), folder.to_owned());
            self.held().generation.set_json(ROOTS, &roots)
        })
    }

    /// A note that the application keeps in the index, such as where its model is.
    ///
    /// # Errors
    /// What the disk has to report.
    pub fn note(&self, name: &str) -> Result<Option<String>, Error> {
        Ok(self.notes()?.remove(name))
    }

    /// Keeps a note of the application; a successor begins without any.
    ///
    /// # Errors
    /// What the disk has to report.
    pub fn set_note(&self, name: &str, text: &str) -> Result<(), Error> {
        self.changing(|_| {
            let mut notes = self.notes()?;
            notes.insert(name.to_owned(), text.to_owned());
            self.held().generation.set_json(NOTES, &notes)
        })
    }

    fn notes(&self) -> Result<BTreeMap<String, String>, Error> {
        self.ask(|snapshot| Ok((snapshot.generation.json(NOTES)?.unwrap_or_default(), true)))
    }

    /// Keeps unit vectors of captions, by which the vector leg is calibrated from then on: words ask for other vectors than
    /// pictures do.
    ///
    /// # Errors
    /// Vectors that do not fit, or what the disk has to report.
    pub fn set_probes(&self, probes: &[Vec<f32>]) -> Result<(), Error> {
        let dim = self.settings().dim;
        probes.iter().try_for_each(|probe| check_vector("a caption", probe, dim))?;
        self.changing(|_| self.held().generation.set_probes(probes))
    }
}
