//! Checkpoints that are written while training goes on.
//!
//! What is written is a copy, so the model may change meanwhile. There is one at a time: each takes as much memory as the weights,
//! and three times that with the optimizer's moments.

use std::path::PathBuf;
use std::thread::{Builder, JoinHandle};

use finelens_clip::Checkpoint;
use finelens_clip::tensors::Tensors;

use crate::error::Error;
use crate::event::Event;
use crate::run_dir::{Progress, RunDir, write_last};

/// A model as it was, and what it is to be kept as.
pub(crate) struct Copied {
    pub(crate) checkpoint: Checkpoint,
    /// As the best so far.
    pub(crate) best: bool,
    /// As the newest, with what resuming needs.
    pub(crate) last: Option<([Tensors; 2], Progress)>,
}

/// A thread that writes; where nobody asks for its result, it is waited for all the same.
pub(crate) struct Saving {
    step: usize,
    thread: Option<JoinHandle<Result<Vec<Place>, Error>>>,
}

/// Name and path of a checkpoint.
type Place = (&'static str, PathBuf);

impl Saving {
    /// Begins to write the model of `step` into `run`.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub(crate) fn start(run: &RunDir, step: usize, copied: Copied) -> Result<Self, Error> {
        let run = run.clone();
        let writer = Builder::new().name("checkpoint".to_owned());
        let spawned = writer.spawn(move || write(&run, &copied)).map_err(|error| {
            std::io::Error::new(error.kind(), format!("a thread that writes a checkpoint: {error}"))
        });
        let thread = Some(spawned?);
        Ok(Self { step, thread })
    }

    /// Whether nothing is left to wait for.
    pub(crate) fn is_done(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits; returns what there is to tell.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn finish(mut self) -> Result<Vec<Event>, Error> {
        let step = self.step;
        let written = self.wait().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        let saved = |(name, path): Place| Event::Saved { name: name.to_owned(), path, step };
        Ok(written.into_iter().map(saved).collect())
    }

    fn wait(&mut self) -> std::thread::Result<Result<Vec<Place>, Error>> {
        self.thread.take().map_or_else(|| Ok(Ok(Vec::new())), JoinHandle::join)
    }
}

impl Drop for Saving {
    /// Nothing is written any more once training has ended, however it ended.
    fn drop(&mut self) {
        let _ = self.wait();
    }
}

/// The best first: a run that is killed in between takes the step again which found it.
fn write(run: &RunDir, copied: &Copied) -> Result<Vec<Place>, Error> {
    let mut written = Vec::new();
    if copied.best {
        written.push(("best", run.replace("best", |dir| Ok(copied.checkpoint.save(dir)?))?));
    }
    if let Some((moments, progress)) = &copied.last {
        let path =
            run.replace("last", |dir| write_last(dir, &copied.checkpoint, moments, progress))?;
        written.push(("last", path));
    }
    Ok(written)
}
