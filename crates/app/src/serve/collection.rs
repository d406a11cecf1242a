//! An index as it is served, with its model: read always, written on demand.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use finelens_search::{Embedded, Known, Place, Record, Stats};

use super::embedding::Embedding;
use super::failure::Failure;
use super::finding::Finding;
use super::gate::Gate;
use super::uploads::{Left, Uploads};
use crate::indexing;
use crate::printer::Printer;
use crate::question;
use crate::rounding;

/// Longest time that an index is held open for writing after the last change: others may want to write, too.
const HELD: Duration = Duration::from_secs(5);

/// An opened index.
#[derive(Debug)]
pub(crate) struct Collection {
    /// Its folder.
    pub(crate) path: PathBuf,
    /// For searching; sees what any process writes.
    pub(crate) reader: Arc<Embedded>,
    /// What was said about the place of its model.
    pub(crate) said: Option<String>,
    /// What came over HTTP.
    pub(crate) uploads: Arc<Uploads>,
    /// What looks for things in pictures.
    pub(crate) finding: Finding,
    model: Mutex<Model>,
    writer: Mutex<Option<Writer>>,
}

/// The model at work, and which one it is.
#[derive(Debug)]
struct Model {
    hash: String,
    embedding: Arc<Embedding>,
}

#[derive(Debug)]
struct Writer {
    index: Embedded,
    used: Instant,
}

impl Collection {
    /// Opens the index in a folder, and begins to read its model.
    pub(crate) fn open(path: &Path, said: Option<&str>, gate: &Gate) -> anyhow::Result<Self> {
        let reader = Arc::new(Embedded::open_read_only(path)?);
        rounding::must_be_good(&reader, path)?;
        let said = said.map(str::to_owned);
        let model = Model::start(path, said.as_deref(), &reader)?;
        let (path, uploads) = (path.to_owned(), Arc::new(Uploads::new(path)));
        let embedding = Arc::clone(&model.embedding);
        let finding = Finding::start((&path, said.as_deref()), &reader, embedding, gate)?;
        let model = Mutex::new(model);
        Ok(Self { path, reader, said, uploads, finding, model, writer: Mutex::new(None) })
    }

    /// What embeds for this index. Somebody may have embedded it anew with another model meanwhile; then that is read.
    pub(crate) fn embedding(&self) -> Result<Arc<Embedding>, Failure> {
        let hash = self.reader.settings().model.hash;
        let mut model = self.model.lock().unwrap_or_else(PoisonError::into_inner);
        if model.hash != hash {
            *model = Model::start(&self.path, self.said.as_deref(), &self.reader)?;
        }
        Ok(Arc::clone(&model.embedding))
    }

    /// Changes the index; one at a time, so that what a change has read is still so when it writes.
    ///
    /// # Errors
    /// Somebody else is writing, or what the change has to report.
    pub(crate) fn write<T>(
        &self,
        change: impl FnOnce(&Embedded) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let open = match writer.take() {
            Some(open) => open,
            None => Writer { index: Embedded::open(&self.path)?, used: Instant::now() },
        };
        let open = writer.insert(open);
        let changed = change(&open.index);
        open.used = Instant::now();
        changed
    }

    /// Lets go of the index where nothing was changed for a while.
    pub(crate) fn let_go(&self) {
        // Whoever holds it is changing something.
        let Ok(mut writer) = self.writer.try_lock() else { return };
        if writer.as_ref().is_some_and(|writer| writer.used.elapsed() > HELD) {
            *writer = None;
        }
    }

    /// The file of a picture, if its folder is known.
    pub(crate) fn original(&self, record: &Record) -> Result<Option<PathBuf>, Failure> {
        let Some(place) = &record.place else { return Ok(None) };
        let folders = indexing::folders(&self.reader, &self.path)?;
        Ok(folders.get(&place.root).map(|folder| folder.join(&place.path)))
    }

    /// Deletes the file that a picture was added with, unless another picture of the index is of the same one.
    pub(crate) fn forget_original(
        &self,
        index: &Embedded,
        id: &str,
        place: Option<&Place>,
    ) -> Result<(), Failure> {
        let Some(place) = place.filter(|place| place.root == indexing::UPLOADS) else {
            return Ok(());
        };
        match self.uploads.release(place, id) {
            Left::Nobody => self.uploads.forget_picture(place),
            Left::Somebody => {}
            Left::Unknown => self.forget_unless_seen(index, place)?,
        }
        Ok(())
    }

    /// The same for a picture of an earlier version, which did not write down who uses a file: all records are looked at.
    fn forget_unless_seen(&self, index: &Embedded, place: &Place) -> Result<(), Failure> {
        let same =
            |known: &Known| known.place.as_ref().is_some_and(|other| other.path == place.path);
        if !index.known()?.values().any(same) {
            self.uploads.forget_picture(place);
        }
        Ok(())
    }

    /// What is in it.
    pub(crate) fn stats(&self) -> Result<Stats, Failure> {
        use finelens_search::Backend;
        Ok(self.reader.stats()?)
    }
}

impl Model {
    /// Reads the model of the index on a thread of its own.
    fn start(path: &Path, said: Option<&str>, index: &Arc<Embedded>) -> anyhow::Result<Self> {
        let hash = index.settings().model.hash;
        let (path, said, index) = (path.to_owned(), said.map(str::to_owned), Arc::clone(index));
        let load = move || question::embedder(&path, said.as_deref(), &index, &Printer::silent());
        Ok(Self { hash, embedding: Arc::new(Embedding::start(load)?) })
    }
}
