//! The directory of a training run: checkpoints, the optimizer's state, the log of events.
//!
//! ```text
//! RUN/best/            the best model so far, a Hugging Face directory
//! RUN/last/            the newest model, and with it what resuming needs:
//! RUN/last/training.json, RUN/last/first_moments/, RUN/last/second_moments/
//! RUN/events.jsonl     one event a line
//! ```
//!
//! A checkpoint is written beside the old one and then takes its place, so that a run killed at any
//! moment has a whole one.

use std::io::Write;
use std::path::{Path, PathBuf};

use finelens_clip::Checkpoint;
use finelens_clip::config::Config;
use finelens_clip::tensors::Tensors;
use finelens_clip::weights;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::event::Event;

const STATE: &str = "training.json";
const EVENTS: &str = "events.jsonl";

/// Where training stands; with the weights and the moments all that resuming needs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// Format of the file.
    version: u32,
    /// Steps done.
    pub step: usize,
    /// Pairs seen.
    pub pairs: usize,
    /// Whether the model was measured after that step.
    pub evaluated: bool,
    /// Step and metric of the best checkpoint, once there was one.
    pub best: Option<(usize, f64)>,
    /// Measurements since then.
    pub strikes: usize,
}

impl Default for Progress {
    fn default() -> Self {
        Self { version: 1, step: 0, pairs: 0, evaluated: false, best: None, strikes: 0 }
    }
}

/// A run on the disk.
#[derive(Debug, Clone)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// Makes the directory, or takes an empty one.
    ///
    /// # Errors
    /// When something is in it already.
    pub fn create(path: &Path) -> Result<Self, Error> {
        fs_err::create_dir_all(path)?;
        if fs_err::read_dir(path)?.next().is_some() {
            return Err(Error::RunExists { path: path.to_owned() });
        }
        Ok(Self { path: path.to_owned() })
    }

    /// Takes the directory of an earlier run, and sets right what a kill left half done.
    ///
    /// # Errors
    /// When there is no checkpoint in it.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let run = Self { path: path.to_owned() };
        for name in ["best", "last"] {
            let (place, old) = (path.join(name), path.join(format!("{name}.old")));
            if !place.exists() && old.exists() {
                fs_err::rename(&old, &place)?;
            }
        }
        if run.last().join(STATE).exists() {
            Ok(run)
        } else {
            Err(Error::NoCheckpoint { path: path.to_owned() })
        }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The best model so far.
    pub fn best(&self) -> PathBuf {
        self.path.join("best")
    }

    /// The newest model.
    pub fn last(&self) -> PathBuf {
        self.path.join("last")
    }

    /// Replaces checkpoint `name` by what `write` writes.
    pub(crate) fn replace(
        &self,
        name: &str,
        write: impl FnOnce(&Path) -> Result<(), Error>,
    ) -> Result<PathBuf, Error> {
        let (place, new, old) = (
            self.path.join(name),
            self.path.join(format!("{name}.new")),
            self.path.join(format!("{name}.old")),
        );
        for leftover in [&new, &old] {
            if leftover.exists() {
                fs_err::remove_dir_all(leftover)?;
            }
        }
        write(&new)?;
        sync_files(&new)?;
        if place.exists() {
            fs_err::rename(&place, &old)?;
        }
        fs_err::rename(&new, &place)?;
        fs_err::File::open(&self.path)?.sync_all()?;
        if old.exists() {
            fs_err::remove_dir_all(&old)?;
        }
        Ok(place)
    }

    /// Appends to the log.
    pub(crate) fn log(&self, event: &Event) -> Result<(), Error> {
        let line = serde_json::to_string(event).map_err(std::io::Error::from)?;
        let mut file =
            fs_err::OpenOptions::new().create(true).append(true).open(self.path.join(EVENTS))?;
        Ok(writeln!(file, "{line}")?)
    }

    /// Forgets events of steps after `step`: they will happen again.
    pub(crate) fn rewind_log(&self, step: usize) -> Result<(), Error> {
        let path = self.path.join(EVENTS);
        if !path.exists() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&fs_err::read(&path)?).into_owned();
        let happened = |line: &&str| {
            let event: Option<serde_json::Value> = serde_json::from_str(line).ok();
            event.is_some_and(|e| e["step"].as_u64().is_none_or(|s| s <= step as u64))
        };
        let kept: String = text.lines().filter(happened).flat_map(|line| [line, "\n"]).collect();
        let new = self.path.join("events.jsonl.new");
        fs_err::write(&new, kept)?;
        Ok(fs_err::rename(new, path)?)
    }

    /// Where the run stands; at the beginning where there is no checkpoint yet.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn progress(&self) -> Result<Progress, Error> {
        let path = self.last().join(STATE);
        if !path.exists() {
            return Ok(Progress::default());
        }
        let damaged = |reason: String| Error::DamagedRun { path: path.clone(), reason };
        let progress: Progress = serde_json::from_slice(&fs_err::read(&path)?)
            .map_err(|error| damaged(error.to_string()))?;
        if progress.version != 1 {
            return Err(damaged(format!("expected version 1, found {}", progress.version)));
        }
        Ok(progress)
    }
}

/// Folders of the optimizer's two moments, each laid out as a model's weights.
const MOMENTS: [&str; 2] = ["first_moments", "second_moments"];

/// Writes the newest model with the optimizer's moments.
pub(crate) fn write_last(
    dir: &Path,
    checkpoint: &Checkpoint,
    moments: &[Tensors; 2],
    progress: &Progress,
) -> Result<(), Error> {
    checkpoint.save(dir)?;
    for (name, tensors) in MOMENTS.iter().zip(moments) {
        fs_err::create_dir(dir.join(name))?;
        weights::save_safetensors(&dir.join(name), tensors)?;
    }
    let state = serde_json::to_vec_pretty(progress).map_err(std::io::Error::from)?;
    Ok(fs_err::write(dir.join(STATE), state)?)
}

/// The moments that [`write_last`] wrote.
pub(crate) fn read_moments(dir: &Path, config: &Config) -> Result<[Tensors; 2], Error> {
    let [first, second] = MOMENTS.map(|name| weights::load(&dir.join(name), config));
    Ok([first?, second?])
}

/// A rename must not reach the disk before what it renames.
fn sync_files(dir: &Path) -> Result<(), Error> {
    for entry in fs_err::read_dir(dir)? {
        fs_err::File::open(entry?.path())?.sync_all()?;
    }
    Ok(fs_err::File::open(dir)?.sync_all()?)
}
