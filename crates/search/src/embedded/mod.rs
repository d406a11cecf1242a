//! The index as a folder.

mod mapped;
mod vectors;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::backend::Backend;
use crate::error::Error;
use crate::hit::Results;
use crate::query::Query;
use crate::record::{Item, Place, Record};
use crate::settings::Settings;
use crate::stats::{Fitted, Recall, Stats};

/// An index in a folder. One process writes, any number read.
#[derive(Debug)]
pub struct Embedded {}

/// What is kept of a picture, as far as it takes to see whether it changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// Where its file is, if it has one, and what it was like.
    pub place: Option<Place>,
    /// [`Record::words_crc`] of its captions and metadata.
    pub words_crc: u32,
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
pub type Progress<'a> = &'a mut dyn FnMut(&'static str, usize, usize);

impl Embedded {
    /// Makes a new index in a folder that is empty or not there, and opens it for writing.
    pub fn create(dir: &Path, settings: &Settings) -> Result<Self, Error> {
        todo!()
    }

    /// Opens for reading and writing.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        todo!()
    }

    /// Opens for reading, beside a process that may be writing.
    pub fn open_read_only(dir: &Path) -> Result<Self, Error> {
        todo!()
    }

    /// What the index was made with.
    pub fn settings(&self) -> Settings {
        todo!()
    }

    /// Folders of the originals by name.
    pub fn roots(&self) -> Result<BTreeMap<String, PathBuf>, Error> {
        todo!()
    }

    /// Says where the originals of a root are.
    pub fn set_root(&self, name: &str, folder: &Path) -> Result<(), Error> {
        todo!()
    }

    /// Everything in it by id, as far as it takes to see what changed.
    pub fn known(&self) -> Result<BTreeMap<String, Known>, Error> {
        todo!()
    }

    /// Replaces captions, metadata, place and thumbnail of known pictures, and keeps their vectors.
    pub fn update(&self, records: &[Record]) -> Result<(), Error> {
        todo!()
    }

    /// The small JPEG of a picture.
    pub fn thumbnail(&self, id: &str) -> Result<Option<Vec<u8>>, Error> {
        todo!()
    }

    /// Vectors of captions, to measure the recall of words by; kept for later calibrations.
    pub fn set_probes(&self, probes: &[Vec<f32>]) -> Result<(), Error> {
        todo!()
    }

    /// Writes everything that is derived, so that the next opening is fast, and calibrates the vector leg.
    pub fn optimise(&self, on_progress: Progress<'_>) -> Result<Option<Recall>, Error> {
        todo!()
    }

    /// Fits the weight of the hybrid, and keeps it.
    pub fn fit(&self, trials: &[Trial]) -> Result<Fitted, Error> {
        todo!()
    }

    /// Writes the index anew without what was deleted, and puts it in the place of the old.
    pub fn compact(&self, on_progress: Progress<'_>) -> Result<(), Error> {
        todo!()
    }

    /// Reads everything, and returns what is wrong; empty if nothing is.
    pub fn verify(&self, on_progress: Progress<'_>) -> Result<Vec<String>, Error> {
        todo!()
    }

    /// The next generation of this index, for the vectors of another model; goes on with one that was begun.
    ///
    /// It is filled with `put` like any other index while this one answers, then takes its place by [`Embedded::succeed`].
    pub fn successor(&self, settings: &Settings) -> Result<Self, Error> {
        todo!()
    }

    /// Puts a successor in the place of this index, at once and for good.
    pub fn succeed(&self, successor: Self) -> Result<(), Error> {
        todo!()
    }
}

impl Backend for Embedded {
    fn put(&self, items: &[Item]) -> Result<(), Error> {
        todo!()
    }

    fn delete(&self, ids: &[&str]) -> Result<usize, Error> {
        todo!()
    }

    fn get(&self, id: &str) -> Result<Option<Item>, Error> {
        todo!()
    }

    fn search(&self, query: &Query) -> Result<Results, Error> {
        todo!()
    }

    fn stats(&self) -> Result<Stats, Error> {
        todo!()
    }
}
