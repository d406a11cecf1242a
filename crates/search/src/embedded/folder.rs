//! The folder of an index: who may write to it, and which generation counts.
//!
//! It never looks into a generation, and every name that it keeps is relative, so that a folder can be copied or moved.

use std::fs::TryLockError;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::embedded::durable::{create_dirs, replace, sync_dir};
use crate::error::Error;

/// How long to wait for the lock.
const PATIENCE: Duration = Duration::from_millis(500);
/// Holds the name of the generation that counts.
const CURRENT: &str = "CURRENT";
/// What [`replace`] leaves when it is cut off.
const CURRENT_NEW: &str = "CURRENT.new";
/// Locked by the one writer.
const LOCK: &str = "write.lock";
/// What the name of a generation begins with.
const GENERATION: &str = "generation-";
/// In a generation that is being built: rubbish, should its builder be cut off.
const UNFINISHED: &str = "unfinished";
/// In a generation that is being built, and worth going on with.
const SUCCESSOR: &str = "successor";

/// The folder of an index.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Highest number of a generation so far. Numbers are not used again while this process may still have files of a
    /// removed generation open.
    highest: AtomicU32,
    /// The generation that must count, after another could neither be put in its place for certain nor be taken back.
    unsettled: Mutex<Option<PathBuf>>,
    /// Held for as long as this is the writer.
    lock: Option<fs_err::File>,
}

impl Folder {
    /// A folder for a new index, empty or not there, locked for writing. There is no index until [`Folder::swap`].
    ///
    /// # Errors
    /// [`Error::NotEmpty`] unless all that is there is left from a creation that was cut off.
    pub(crate) fn create(path: &Path) -> Result<Self, Error> {
        create_dirs(path)?;
        refuse_others(path)?;
        let folder = Self::locked(path)?;
        // Whoever held the lock until now may have made an index.
        refuse_others(path)?;
        Ok(folder)
    }

    /// An index to write to. Removes generations that no longer count.
    ///
    /// # Errors
    /// [`Error::NoIndex`], or [`Error::Locked`] when somebody else is writing.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        Self::open_read_only(path)?.current()?;
        let folder = Self::locked(path)?;
        folder.clean();
        Ok(folder)
    }

    /// An index to read.
    ///
    /// # Errors
    /// [`Error::NoIndex`].
    pub(crate) fn open_read_only(path: &Path) -> Result<Self, Error> {
        let folder = Self::new(path, None);
        folder.current()?;
        Ok(folder)
    }

    fn locked(path: &Path) -> Result<Self, Error> {
        let lock = fs_err::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join(LOCK))?;
        let waiting = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                // A process that is just being started holds for a moment what its parent holds.
                Err(TryLockError::WouldBlock) if waiting.elapsed() < PATIENCE => {
                    std::thread::sleep(PATIENCE / 20);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::Locked { path: path.to_owned() });
                }
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
        }
        Ok(Self::new(path, Some(lock)))
    }

    fn new(path: &Path, lock: Option<fs_err::File>) -> Self {
        let (highest, unsettled) = (AtomicU32::new(0), Mutex::new(None));
        Self { path: path.to_owned(), highest, unsettled, lock }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether this is the writer.
    pub(crate) fn writable(&self) -> bool {
        self.lock.is_some()
    }

    /// The generation that counts.
    ///
    /// # Errors
    /// [`Error::NoIndex`] where nothing says so, [`Error::Damaged`] where it makes no sense.
    pub(crate) fn current(&self) -> Result<PathBuf, Error> {
        let mut current = self.named()?;
        // It may have been removed between reading its name and looking for it, once another took its place.
        while !current.is_dir() {
            let named = self.named()?;
            if named == current {
                let what = format!("names {}, which is not there", current.display());
                return Err(Error::Damaged { path: self.path.join(CURRENT), what });
            }
            current = named;
        }
        Ok(current)
    }

    /// What the pointer names.
    fn named(&self) -> Result<PathBuf, Error> {
        let file = self.path.join(CURRENT);
        if !file.is_file() {
            return Err(Error::NoIndex { path: self.path.clone() });
        }
        let name = fs_err::read(&file)?;
        let name = String::from_utf8_lossy(&name);
        if number(name.trim_end()).is_some() {
            return Ok(self.path.join(name.trim_end()));
        }
        let what = format!("expected the name of a generation, found {name:?}");
        Err(Error::Damaged { path: file, what })
    }

    /// Opens something of the generation that counts, and does so again if another one took its place meanwhile.
    pub(crate) fn with_current<T>(
        &self,
        mut open: impl FnMut(&Path) -> Result<T, Error>,
    ) -> Result<T, Error> {
        loop {
            let current = self.current()?;
            match open(&current) {
                Err(_) if self.current()? != current => {}
                opened => return opened,
            }
        }
    }

    /// A new folder for the next generation. It is rubbish until it is kept or swapped in.
    pub(crate) fn begin(&self) -> Result<PathBuf, Error> {
        let there =
            self.generations()?.iter().filter_map(|path| number_of(path)).max().unwrap_or(0);
        let highest = there.max(self.highest.load(Ordering::Relaxed)) + 1;
        self.highest.store(highest, Ordering::Relaxed);
        let path = self.path.join(format!("{GENERATION}{highest}"));
        create_dirs(&path)?;
        fs_err::File::create(path.join(UNFINISHED))?;
        sync_dir(&path)?;
        Ok(path)
    }

    /// Makes a generation that was begun one to go on with after a kill.
    pub(crate) fn keep(generation: &Path) -> Result<(), Error> {
        fs_err::rename(generation.join(UNFINISHED), generation.join(SUCCESSOR))?;
        Ok(sync_dir(generation)?)
    }

    /// The generation that was begun and kept, if there is one.
    pub(crate) fn kept(&self) -> Result<Option<PathBuf>, Error> {
        let current = self.current()?;
        Ok(self
            .generations()?
            .into_iter()
            .find(|path| *path != current && path.join(SUCCESSOR).is_file()))
    }

    /// Makes a generation the one that counts, at once and for good. The one before stays until [`Folder::clean`].
    ///
    /// # Errors
    /// Then the one before counts as it did.
    pub(crate) fn swap(&self, generation: &Path) -> Result<(), Error> {
        let before = self.current().ok();
        let swapped = self.point_to(generation);
        // The renaming may have been done, only not for certain.
        if swapped.is_err() && self.current().is_ok_and(|current| current == generation) {
            *self.unsettled() = before;
            self.settle()?;
        }
        swapped
    }

    /// Sees that the generation counts which is written to; what went to another would be lost.
    ///
    /// # Errors
    /// What the disk has to report; then nothing may be written.
    pub(crate) fn settle(&self) -> Result<(), Error> {
        let mut unsettled = self.unsettled();
        if let Some(generation) = &*unsettled {
            self.point_to(generation)?;
        }
        *unsettled = None;
        Ok(())
    }

    fn unsettled(&self) -> std::sync::MutexGuard<'_, Option<PathBuf>> {
        self.unsettled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn point_to(&self, generation: &Path) -> Result<(), Error> {
        let name = generation.file_name().unwrap_or_default().to_string_lossy();
        Ok(replace(&self.path.join(CURRENT), format!("{name}\n").as_bytes())?)
    }

    /// Removes generations that no longer count. What cannot be removed is left for the next time.
    pub(crate) fn clean(&self) {
        if let Err(error) = self.try_clean() {
            tracing::debug!(%error, "an old generation is left for the next time");
        }
    }

    fn try_clean(&self) -> Result<(), Error> {
        let current = self.current()?;
        for generation in self.generations()? {
            self.highest.fetch_max(number_of(&generation).unwrap_or(0), Ordering::Relaxed);
            if generation == current {
                unmark(&generation)?;
            } else if !generation.join(SUCCESSOR).is_file() {
                fs_err::remove_dir_all(generation)?;
            }
        }
        Ok(())
    }

    /// Everything here that is called like a generation.
    fn generations(&self) -> Result<Vec<PathBuf>, Error> {
        let mut found = Vec::new();
        for entry in fs_err::read_dir(&self.path)? {
            found.extend(Some(entry?.path()).filter(|path| number_of(path).is_some()));
        }
        Ok(found)
    }
}

/// Fails unless all that is in a folder is what a creation may leave when it is cut off.
fn refuse_others(path: &Path) -> Result<(), Error> {
    for entry in fs_err::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        let ours = name == LOCK || name == CURRENT_NEW;
        if !ours && !is_begun(&entry.path())? {
            return Err(Error::NotEmpty {
                path: path.to_owned(),
                found: name.to_string_lossy().into_owned(),
            });
        }
    }
    Ok(())
}

/// Whether a generation is one that [`Folder::begin`] made and nobody finished; its mark is the first thing in it.
fn is_begun(path: &Path) -> Result<bool, Error> {
    let is_generation = number_of(path).is_some() && path.is_dir();
    Ok(is_generation
        && (path.join(UNFINISHED).is_file() || fs_err::read_dir(path)?.next().is_none()))
}

/// Takes the marks off a generation that counts: for certain, or it might be taken for a successor when it counts no more.
fn unmark(generation: &Path) -> Result<(), Error> {
    for mark in [UNFINISHED, SUCCESSOR] {
        if generation.join(mark).is_file() {
            fs_err::remove_file(generation.join(mark))?;
            sync_dir(generation)?;
        }
    }
    Ok(())
}

fn number_of(generation: &Path) -> Option<u32> {
    generation.file_name()?.to_str().and_then(number)
}

/// Number of a generation by its name.
fn number(name: &str) -> Option<u32> {
    let digits = name.strip_prefix(GENERATION)?;
    digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(path: &Path) -> Folder {
        let folder = Folder::create(path).unwrap();
        let first = folder.begin().unwrap();
        folder.swap(&first).unwrap();
        folder.clean();
        folder
    }

    fn names(path: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs_err::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_new_index_needs_a_folder_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("not/there/yet");
        drop(made(&path));
        assert_eq!(names(&path), ["CURRENT", "generation-1", "write.lock"]);
        let again = Folder::create(&path);
        assert!(matches!(&again, Err(Error::NotEmpty { .. })), "{again:?}");

        fs_err::write(dir.path().join("holiday.jpg"), "").unwrap();
        let error = Folder::create(dir.path()).unwrap_err().to_string();
        assert!(error.contains("expected an empty folder"), "{error}");
    }

    #[test]
    fn a_creation_that_was_cut_off_is_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::create(dir.path()).unwrap();
        folder.begin().unwrap();
        drop(folder);
        // The power failed before its mark was on the disk.
        fs_err::create_dir_all(dir.path().join("generation-2")).unwrap();
        assert!(matches!(Folder::open(dir.path()), Err(Error::NoIndex { .. })));
        drop(made(dir.path()));
        assert_eq!(names(dir.path()), ["CURRENT", "generation-3", "write.lock"]);
    }

    #[test]
    fn an_index_that_lost_its_pointer_is_not_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let folder = made(dir.path());
        fs_err::write(folder.current().unwrap().join("pictures"), "many").unwrap();
        drop(folder);
        fs_err::remove_file(dir.path().join(CURRENT)).unwrap();
        assert!(matches!(Folder::create(dir.path()), Err(Error::NotEmpty { .. })));
    }

    #[test]
    fn a_folder_without_an_index_is_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Folder::open(dir.path()), Err(Error::NoIndex { .. })));
        assert!(matches!(Folder::open(&dir.path().join("nowhere")), Err(Error::NoIndex { .. })));
        assert!(names(dir.path()).is_empty());
    }

    #[test]
    fn there_is_one_writer_and_any_number_of_readers() {
        let dir = tempfile::tempdir().unwrap();
        let writer = made(dir.path());
        assert!(matches!(Folder::open(dir.path()), Err(Error::Locked { .. })));
        Folder::open_read_only(dir.path()).unwrap();
        drop(writer);
        Folder::open(dir.path()).unwrap();
    }

    #[test]
    fn a_generation_that_was_begun_is_rubbish_unless_it_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let folder = made(dir.path());
        let rubbish = folder.begin().unwrap();
        let kept = folder.begin().unwrap();
        Folder::keep(&kept).unwrap();
        drop(folder);

        let folder = Folder::open(dir.path()).unwrap();
        assert!(!rubbish.exists());
        assert_eq!(folder.kept().unwrap(), Some(kept.clone()));

        let compacted = folder.begin().unwrap();
        folder.swap(&compacted).unwrap();
        folder.clean();
        assert_eq!(folder.current().unwrap(), compacted);
        assert_eq!(folder.kept().unwrap(), Some(kept.clone()));

        folder.swap(&kept).unwrap();
        folder.clean();
        assert_eq!(folder.current().unwrap(), kept);
        assert_eq!(folder.kept().unwrap(), None);
        assert_eq!(names(dir.path()), ["CURRENT", "generation-3", "write.lock"]);
        assert!(folder.begin().unwrap().ends_with("generation-5"), "a number is not used twice");
    }

    #[test]
    fn a_pointer_that_makes_no_sense_is_reported() {
        let dir = tempfile::tempdir().unwrap();
        drop(made(dir.path()));
        for nonsense in ["", "generation-9\n", "generation-\n", "../elsewhere\n", "\u{fffd}"] {
            fs_err::write(dir.path().join(CURRENT), nonsense).unwrap();
            let opened = Folder::open_read_only(dir.path());
            assert!(matches!(&opened, Err(Error::Damaged { .. })), "{nonsense:?}: {opened:?}");
        }
    }

    #[test]
    fn a_generation_that_was_not_swapped_in_for_certain_does_not_count_later() {
        let dir = tempfile::tempdir().unwrap();
        let folder = made(dir.path());
        let (first, second) = (folder.current().unwrap(), folder.begin().unwrap());
        // As when the folder could not be written through, neither now nor when it was to be taken back.
        folder.point_to(&second).unwrap();
        *folder.unsettled() = Some(first.clone());
        fs_err::create_dir(dir.path().join(CURRENT_NEW)).unwrap();
        folder.settle().unwrap_err();
        folder.settle().unwrap_err();
        fs_err::remove_dir(dir.path().join(CURRENT_NEW)).unwrap();
        folder.settle().unwrap();
        assert_eq!(folder.current().unwrap(), first);
    }

    #[test]
    fn a_reader_that_opens_during_a_swap_tries_again() {
        let dir = tempfile::tempdir().unwrap();
        let folder = made(dir.path());
        let mut tries = 0;
        let opened = folder.with_current(|generation| {
            tries += 1;
            if tries == 1 {
                let next = folder.begin()?;
                folder.swap(&next)?;
                folder.clean();
            }
            Ok(fs_err::read_dir(generation).map(|_| generation.to_owned())?)
        });
        assert_eq!(opened.unwrap(), folder.current().unwrap());
        assert_eq!(tries, 2);
    }
}
