//! The index as a folder: one process writes, any number read.
//!
//! Truth first: what is acknowledged is in the store, on disk. Codes and words are derived from it, reflect its rows up to
//! some number, and are brought up to date whenever the index is opened or changed.

mod backend;
mod choices;
mod copy;
mod durable;
mod fit;
mod folder;
mod generation;
mod lexical;
mod mapped;
mod notes;
mod parallel;
mod renew;
mod search;
mod snapshot;
mod store;
mod successor;
mod vector;
mod vectors;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::record::{Place, Record, check_vector};
use crate::settings::Settings;
use crate::stats::{Fitted, Recall};

use backend::check_dimension;
use folder::Folder;
use generation::Generation;
use lexical::Lexical;
use parallel::apart;
use snapshot::Snapshot;
use store::{Applied, Change, State, Store};

/// How often a question is asked anew because the index moved on while it was answered.
const ATTEMPTS: usize = 16;

/// How long whoever writes may take to open the store, while a reader that may make no files cannot read.
const OPENING: Duration = Duration::from_secs(1);

/// How long a search waits for a change that is in the store already and will be shown in a moment.
const PATIENCE: Duration = Duration::from_secs(1);

/// An index in a folder. One process writes, any number read.
#[derive(Debug)]
pub struct Embedded {
    /// The words, which grow; whoever changes the index or looks for changes holds them.
    lexical: Mutex<Lexical>,
    /// What searches see; replaced as a whole.
    snapshot: RwLock<Arc<Snapshot>>,
    /// Dropped last: others may write from then on.
    folder: Arc<Folder>,
}

/// What is kept of a picture, as far as it takes to see whether it changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// Where its file is, if it has one, and what it was like.
    pub place: Option<Place>,
    /// [`Record::words_crc`] of its captions and metadata.
    pub words_crc: u32,
}

/// A record that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Its id, as far as it can be read.
    pub id: Option<String>,
    /// What is wrong, with its file and row.
    pub what: String,
}

/// A caption whose picture is known: what the weight of the hybrid is fitted on.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The picture that should be found.
    pub id: String,
    /// Which of its captions is the query; it is held out from the picture's own words.
    pub caption: usize,
    /// `(D,)`: the caption's unit vector.
    pub vector: Vec<f32>,
}

/// What a long job tells while it works: what it does, how much is done, and of how much.
pub type Progress<'a> = &'a mut (dyn FnMut(&'static str, usize, usize) + Send);

impl Embedded {
    /// Makes a new index in a folder that is empty or not there, and opens it for writing.
    ///
    /// # Errors
    /// A folder that holds something, or what the disk has to report.
    pub fn create(dir: &Path, settings: &Settings) -> Result<Self, Error> {
        check_dimension(settings.dim)?;
        let folder = Folder::create(dir)?;
        let dir = folder.begin()?;
        let store = Store::create(&dir, settings)?;
        folder.swap(&dir)?;
        folder.clean();
        Self::of(Arc::new(folder), &Generation::new(&dir, store))
    }

    /// Opens for reading and writing. What is derived and damaged or out of date is made again.
    ///
    /// # Errors
    /// No index there, another process that writes, or a damaged store.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        Self::of_folder(Folder::open(dir)?)
    }

    /// Opens for reading, beside a process that may be writing. What that process acknowledges is seen by the next search.
    ///
    /// # Errors
    /// No index there, or a damaged store.
    pub fn open_read_only(dir: &Path) -> Result<Self, Error> {
        Self::of_folder(Folder::open_read_only(dir)?)
    }

    fn of_folder(folder: Folder) -> Result<Self, Error> {
        let (snapshot, lexical) = Self::derive_current(&folder)?;
        Ok(Self::showing(Arc::new(folder), snapshot, lexical))
    }

    fn of(folder: Arc<Folder>, generation: &Arc<Generation>) -> Result<Self, Error> {
        let (snapshot, lexical) = generation.derive(folder.writable())?;
        Ok(Self::showing(folder, snapshot, lexical))
    }

    fn showing(folder: Arc<Folder>, snapshot: Snapshot, lexical: Lexical) -> Self {
        Self { lexical: Mutex::new(lexical), snapshot: RwLock::new(Arc::new(snapshot)), folder }
    }

    /// Opens all of the generation that counts, of which nothing is left once another takes its place.
    fn derive_current(folder: &Folder) -> Result<(Snapshot, Lexical), Error> {
        let writable = folder.writable();
        folder.with_current(|dir| {
            loop {
                let generation = Generation::open(dir, writable)?;
                let derived = generation.derive(writable);
                if generation.store.is_still() {
                    return derived;
                }
            }
        })
    }

    /// What the index was made with, as far as it can be read now.
    pub fn settings(&self) -> Settings {
        let snapshot = self.now().unwrap_or_else(|_| self.held());
        snapshot.store().settings().clone()
    }

    /// Everything in it by id, as far as it takes to see what changed; without what is [`Embedded::damaged`].
    ///
    /// # Errors
    /// What the disk has to report.
    pub fn known(&self) -> Result<BTreeMap<String, Known>, Error> {
        self.ask(|snapshot| Ok((snapshot.store().known()?, true)))
    }

    /// Records that are not as they were written.
    ///
    /// # Errors
    /// What the disk has to report.
    pub fn damaged(&self) -> Result<Vec<Damage>, Error> {
        self.ask(|snapshot| Ok((snapshot.store().damaged()?, true)))
    }

    /// The record of a picture, without its thumbnail.
    ///
    /// # Errors
    /// When it is damaged on disk.
    pub fn record(&self, id: &str) -> Result<Option<Record>, Error> {
        self.ask(|snapshot| Ok((snapshot.store().record_of(id)?, true)))
    }

    /// Replaces captions, metadata, place and thumbnail of known pictures, and keeps their vectors. All of them or none.
    ///
    /// # Errors
    /// An id that is not known, or what the disk has to report.
    pub fn update(&self, records: &[Record]) -> Result<(), Error> {
        records.iter().try_for_each(Record::check)?;
        self.write(&records.iter().map(Change::Update).collect::<Vec<_>>()).map(|_| ())
    }

    /// The small JPEG of a picture.
    ///
    /// # Errors
    /// When it is damaged on disk.
    pub fn thumbnail(&self, id: &str) -> Result<Option<Vec<u8>>, Error> {
        self.ask(|snapshot| Ok((snapshot.store().thumbnail(id)?, true)))
    }

    /// Writes everything that is derived, so that the next opening is fast. The vector leg is calibrated when it never was,
    /// or when the index is twice as large as it was then.
    ///
    /// # Errors
    /// What the disk has to report.
    pub fn optimise(&self, on_progress: Progress<'_>) -> Result<Option<Recall>, Error> {
        self.changing(|words| {
            let mut next = Snapshot::clone(&self.held());
            on_progress("words", 0, 1);
            words.optimise()?;
            next.lexical = words.view();
            next.codes = if next.codes.needs_build() || next.codes.recall().is_none() {
                next.generation.build_codes(&next.vectors, &next.live, on_progress)?
            } else {
                next.codes.flush(&next.generation.codes_dir(), &next.vectors)?
            };
            next.store().checkpoint()?;
            let recall = next.codes.recall();
            self.show(next);
            Ok(recall)
        })
    }

    /// Fits the weight of the hybrid, and keeps it.
    ///
    /// # Errors
    /// Trials that do not fit, or what the disk has to report.
    pub fn fit(&self, trials: &[Trial]) -> Result<Fitted, Error> {
        let dim = self.settings().dim;
        trials.iter().try_for_each(|trial| check_vector(&trial.id, &trial.vector, dim))?;
        self.changing(|_| {
            let mut next = Snapshot::clone(&self.held());
            let (rule, fitted) = fit::fit(&next, trials)?;
            next.generation.set_rule(rule, &fitted)?;
            next.rule = rule;
            self.show(next);
            Ok(fitted)
        })
    }

    /// Writes the index anew without what was deleted, and puts it in the place of the old. Searches go on meanwhile,
    /// changes wait. What is damaged is left out; returns what that is, in words.
    ///
    /// # Errors
    /// What the disk has to report; the old one stays as it is.
    pub fn compact(&self, on_progress: Progress<'_>) -> Result<Vec<String>, Error> {
        self.changing(|words| {
            if self.folder.current()? != self.held().generation.dir() {
                let reason = "a successor cannot be compacted before it takes over".to_owned();
                return Err(Error::Query { reason });
            }
            let dir = self.folder.begin()?;
            let compacted = renew::compacted(&self.held(), &dir, on_progress)
                .and_then(|compacted| self.folder.swap(&dir).map(|()| compacted));
            let shown = compacted.map(|(snapshot, derived, faults)| {
                *words = derived;
                drop(self.show(snapshot));
                faults
            });
            self.clean();
            shown
        })
    }

    /// Reads everything, and returns what is wrong; empty if nothing is.
    ///
    /// # Errors
    /// When not even that is possible.
    pub fn verify(&self, on_progress: Progress<'_>) -> Result<Vec<String>, Error> {
        for _ in 1..ATTEMPTS {
            let snapshot = self.now()?;
            let faults = snapshot.verify(on_progress);
            // What looks like a fault may be a change that came meanwhile.
            let is_clean = faults.as_ref().is_ok_and(Vec::is_empty);
            if is_clean || Arc::ptr_eq(&self.now()?, &snapshot) {
                return faults;
            }
        }
        self.now()?.verify(on_progress)
    }

    /// Removes what no longer counts once that is what is shown, and what was begun in vain: it may be what fills the disk.
    fn clean(&self) {
        if self.folder.current().is_ok_and(|current| current == self.held().generation.dir()) {
            self.folder.clean();
        }
    }

    /// One transaction, durable and visible when this returns.
    fn write(&self, changes: &[Change<'_>]) -> Result<Applied, Error> {
        self.changing(|words| {
            let old = self.held();
            let applied = old.store().apply(changes)?;
            let next = self.follow(&old, words).map_err(|source| self.unseen(source))?;
            self.show(next);
            Ok(applied)
        })
    }

    /// What is to be seen after the store moved on.
    fn follow(&self, old: &Snapshot, words: &mut Lexical) -> Result<Snapshot, Error> {
        let generation = Arc::clone(&old.generation);
        let state = generation.store.state()?;
        generation.catch_up(words, state.vectors.rows())?;
        let mut codes = old.codes.extended(&state.vectors);
        if self.folder.writable() {
            // The change is durable and seen already: what cannot be written now is written when the index is next opened.
            let kept = generation.keep_small(words, &mut codes, &state.vectors);
            let _ = kept.inspect_err(|error| tracing::warn!("{error}"));
        } else if codes.tail_rows() > generation::PENDING_CODES {
            // The writer has written them by now.
            codes = vector::VectorIndex::open(&generation.codes_dir(), &state.vectors)?;
        }
        let rule = generation.rule()?.0;
        let view = words.view();
        let State { version, vectors, live } = state;
        Ok(Snapshot { generation, version, vectors, live, codes, lexical: view, rule })
    }

    /// An error after which a change is kept all the same.
    fn unseen(&self, source: Error) -> Error {
        Error::Unseen { path: self.folder.path().to_owned(), source: Box::new(source) }
    }

    /// The newest moment. A reader looks whether the writer has moved on.
    fn now(&self) -> Result<Arc<Snapshot>, Error> {
        let begun = Instant::now();
        loop {
            match self.newest() {
                Err(error) if error.is_passing() && begun.elapsed() < OPENING => {
                    sleep(Duration::from_millis(1));
                }
                newest => return newest,
            }
        }
    }

    fn newest(&self) -> Result<Arc<Snapshot>, Error> {
        let held = self.held();
        if self.is_newest(&held)? {
            return Ok(held);
        }
        self.with_words(|words| {
            // Whoever had the words until now may have looked, too.
            let held = self.held();
            if self.is_newest(&held)? {
                return Ok(held);
            }
            if self.folder.current()? == held.generation.dir() && held.store().is_still() {
                words.reload()?;
                return Ok(self.show(self.follow(&held, words)?));
            }
            let (snapshot, derived) = Self::derive_current(&self.folder)?;
            *words = derived;
            Ok(self.show(snapshot))
        })
    }

    /// Whether no other process has changed anything since.
    fn is_newest(&self, held: &Snapshot) -> Result<bool, Error> {
        Ok(self.folder.writable()
            || self.folder.current()? == held.generation.dir()
                && !held.store().changed(held.version)?)
    }

    /// Answers from the newest moment, and says whether the answer is whole. It is given anew when the index moved on
    /// meanwhile and took something away that the answer needs: records that were replaced, or a whole generation.
    fn ask<T>(&self, answer: impl Fn(&Snapshot) -> Result<(T, bool), Error>) -> Result<T, Error> {
        for _ in 1..ATTEMPTS {
            let snapshot = self.now()?;
            match answer(&snapshot) {
                Ok(_) if !snapshot.store().is_still() => {}
                Ok((answer, true)) => return Ok(answer),
                Ok(_) => self.wait_beyond(&snapshot),
                Err(error) if error.is_passing() => {}
                Err(error) if Arc::ptr_eq(&self.now()?, &snapshot) => return Err(error),
                Err(_) => {}
            }
        }
        Ok(answer(&*self.now()?)?.0)
    }

    /// Waits until a change is shown that is in the store already. It takes no lock, which a compaction would hold for long.
    fn wait_beyond(&self, snapshot: &Arc<Snapshot>) {
        let begun = Instant::now();
        while self.folder.writable()
            && Arc::ptr_eq(&self.held(), snapshot)
            && begun.elapsed() < PATIENCE
        {
            sleep(Duration::from_micros(200));
        }
    }

    /// The moment that is held, whatever others have written since.
    fn held(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn show(&self, next: Snapshot) -> Arc<Snapshot> {
        let next = Arc::new(next);
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&next);
        next
    }

    /// Does something that the words may grow by, which nobody else does meanwhile.
    fn with_words<T: Send>(
        &self,
        work: impl FnOnce(&mut Lexical) -> Result<T, Error> + Send,
    ) -> Result<T, Error> {
        let mut words = self.lexical.lock().unwrap_or_else(PoisonError::into_inner);
        let words: &mut Lexical = &mut words;
        apart(|| work(words))
    }

    /// The same for a change, for which the index must be open.
    fn changing<T: Send>(
        &self,
        work: impl FnOnce(&mut Lexical) -> Result<T, Error> + Send,
    ) -> Result<T, Error> {
        if !self.folder.writable() {
            return Err(Error::ReadOnly { path: self.folder.path().to_owned() });
        }
        self.with_words(|words| {
            self.folder.settle()?;
            work(words)
        })
    }
}

/// What is derived is written, so that the next opening has nothing to catch up with.
impl Drop for Embedded {
    fn drop(&mut self) {
        if !self.folder.writable() {
            return;
        }
        let held = self.held();
        let told = self.with_words(|words| {
            words.commit()?;
            if held.codes.tail_rows() > 0 {
                held.codes.flush(&held.generation.codes_dir(), &held.vectors)?;
            }
            held.store().checkpoint()
        });
        if let Err(error) = told {
            tracing::warn!("closing {}: {error}", self.folder.path().display());
        }
    }
}
