//! The vector leg: the nearest rows by cosine, from codes that are a thirtieth of the vectors.
//!
//! A search estimates the score of many rows from one bit for each entry, looks at the promising ones again with a byte for
//! each entry, and at the best of these with the vectors themselves. There is no graph: rows are added and deleted at once,
//! and a filter is exact. This module keeps no vectors and knows no ids.

mod build;
mod calibration;
mod candidates;
mod codes;
mod container;
mod exact;
mod files;
mod kernel;
mod quantiser;
mod rotation;
mod search;
mod sketch;
mod training;

use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use crate::embedded::vectors::Vectors;
use crate::error::Error;
use crate::rows::{Row, RowSet};
use crate::stats::Recall;

use calibration::AIMS;
use codes::Codes;
use files::{Depth, Depths, Manifest};
pub(crate) use kernel::Level;
use quantiser::Quantiser;

pub(crate) use exact::{cosines, exact};

/// Width from which on a bit for each entry tells rows apart: the noise of an estimate falls with its root.
const BIT_DIMENSIONS: usize = 128;

/// Rows from which on lists are trained and the first look is at bits. At 10,000 x 512 that takes 0.03 ms where bytes take
/// 0.33 (one Xeon core with AVX-512); below, all rows by bytes are fast enough and need no training.
const TRAINED_ROWS: usize = 8_192;

/// Rows in a chunk of the tail. A chunk is copied when a row is added to it.
const CHUNK_ROWS: usize = 256;

/// Bytes of one file, about: what building holds in memory. Lists that are divided among files are slower to read.
const FILE_BYTES: usize = 1 << 29;

/// A file is merged with what is written next unless it has so many times the rows.
const MERGE_BELOW: usize = 2;

/// Most lists: their number must fit into 16 bits.
const MOST_LISTS: usize = 1 << 14;

/// Every random choice follows from this.
const SEED: u64 = 0x66_69_6e_65_6c_65_6e_73;

/// Allowed rows that are scored directly when they are at most one of so many, or this few. Scoring a row takes as long as
/// estimating some 50: 0.14 us and 4 ns at 200,000 x 512 (one Xeon core with AVX-512).
const DIRECT: (usize, usize) = (64, 512);

/// Codes of rows 0 to N. Cheap to clone, and never changes.
#[derive(Clone, Debug)]
pub(crate) struct VectorIndex {
    quantiser: Arc<Quantiser>,
    /// Root mean square of the residuals of each list.
    spreads: Arc<Vec<f32>>,
    /// The same over all lists.
    spread: f32,
    /// What the folder says, or will say.
    manifest: Manifest,
    /// One for each file.
    files: Vec<Arc<Codes>>,
    /// What is in no file yet.
    tail: Vec<Arc<Codes>>,
    /// N.
    rows: usize,
}

impl VectorIndex {
    /// What is in a folder, and the rows that came since as tail. A folder without a manifest has nothing.
    ///
    /// # Errors
    /// [`Error::Damaged`] when a file is not as it was written: build anew.
    pub(crate) fn open(dir: &Path, vectors: &Vectors) -> Result<Self, Error> {
        Self::open_at(Level::best(), dir, vectors)
    }

    /// Like [`VectorIndex::open`], at a level that may be slower than the best.
    pub(crate) fn open_at(level: Level, dir: &Path, vectors: &Vectors) -> Result<Self, Error> {
        let Some(stored) = files::read(dir)? else {
            return Ok(Self::untrained(level, vectors.dim()).extended(vectors));
        };
        let manifest = stored.manifest;
        if manifest.dim != vectors.dim() || manifest.covered() > vectors.rows() {
            let (dim, rows) = (vectors.dim(), vectors.rows());
            let (found, covered) = (manifest.dim, manifest.covered());
            let what = format!(
                "expected codes of at most {rows} rows of {dim}, found {covered} rows of {found}"
            );
            return Err(Error::Damaged { path: dir.to_owned(), what });
        }
        let quantiser = Quantiser::new(level, manifest.dim, manifest.seed, stored.centres);
        Ok(Self::new(quantiser, stored.spreads, manifest, stored.parts).extended(vectors))
    }

    /// One without rows.
    fn untrained(level: Level, dim: usize) -> Self {
        let manifest = Manifest {
            dim,
            seed: SEED,
            lists: 1,
            trained_rows: 0,
            depth: Depth { margin: 0.0, width: 0.0 },
            shallow: None,
            like_rows: None,
            measured: None,
            files: Vec::new(),
            next: 0,
        };
        Self::new(Quantiser::untrained(level, dim, SEED), vec![1.0], manifest, Vec::new())
    }

    /// Without a tail.
    fn new(
        quantiser: Quantiser,
        spreads: Vec<f32>,
        manifest: Manifest,
        files: Vec<Arc<Codes>>,
    ) -> Self {
        let squares: f32 = spreads.iter().map(|spread| spread * spread).sum();
        let spread = (squares / spreads.len() as f32).sqrt();
        let (quantiser, spreads) = (Arc::new(quantiser), Arc::new(spreads));
        let rows = manifest.covered();
        Self { quantiser, spreads, spread, manifest, files, tail: Vec::new(), rows }
    }

    /// The same with the rows that `vectors` has beyond these.
    pub(crate) fn extended(&self, vectors: &Vectors) -> Self {
        let mut next = self.clone();
        let fits = |codes: &&Arc<Codes>| codes.len() < CHUNK_ROWS;
        let last = next.tail.last().filter(fits).cloned();
        let mut first = self.rows;
        if let Some(last) = last {
            let end = vectors.rows().min(first + CHUNK_ROWS - last.len());
            next.tail.pop();
            next.tail.push(Arc::new(self.quantiser.appended_codes(
                Some(&last),
                vectors,
                &rows_of(first..end),
            )));
            first = end;
        }
        let chunks: Vec<usize> = (first..vectors.rows()).step_by(CHUNK_ROWS).collect();
        let chunks = chunks.par_iter().map(|&first| {
            let rows = rows_of(first..vectors.rows().min(first + CHUNK_ROWS));
            Arc::new(self.quantiser.appended_codes(None, vectors, &rows))
        });
        next.tail.extend(chunks.collect::<Vec<_>>());
        next.rows = self.rows.max(vectors.rows());
        next
    }

    /// Rows that are in no file yet.
    pub(crate) fn tail_rows(&self) -> usize {
        self.tail.iter().map(|codes| codes.len()).sum()
    }

    /// Whether the centres are of an index so much smaller that new ones would be faster.
    pub(crate) fn needs_build(&self) -> bool {
        self.rows >= TRAINED_ROWS.max(2 * self.manifest.trained_rows)
    }

    /// The best `k` allowed rows, best first, equal scores by row.
    pub(crate) fn search(
        &self,
        vectors: &Vectors,
        query: &[f32],
        k: usize,
        allowed: &RowSet,
    ) -> Vec<(Row, f32)> {
        self.search_to(self.manifest.depths(), vectors, query, k, allowed)
    }

    /// The same where so much recall is enough: as deep as was calibrated for that, and by all vectors above the usual aim.
    pub(crate) fn search_for(
        &self,
        recall: f32,
        vectors: &Vectors,
        query: &[f32],
        k: usize,
        allowed: &RowSet,
    ) -> Vec<(Row, f32)> {
        if recall > AIMS[0] {
            return exact(vectors, query, k, allowed);
        }
        let is_enough = recall <= AIMS[1];
        let depths =
            if is_enough { self.manifest.shallow_depths() } else { self.manifest.depths() };
        self.search_to(depths, vectors, query, k, allowed)
    }

    /// The same to a depth.
    fn search_to(
        &self,
        depths: Depths,
        vectors: &Vectors,
        query: &[f32],
        k: usize,
        allowed: &RowSet,
    ) -> Vec<(Row, f32)> {
        let count = allowed.count();
        if k == 0 || count == 0 {
            return Vec::new();
        }
        if count <= DIRECT.1.max(self.rows / DIRECT.0) {
            let rows = allowed.iter().take_while(|row| (*row as usize) < vectors.rows());
            let rows: Vec<Row> = rows.collect();
            return exact::best_of(self.quantiser.level, vectors, query, k, &rows).into_best();
        }
        search::best(self, depths, vectors, query, k, allowed)
    }

    /// Recall as it was measured when the codes were built.
    pub(crate) fn recall(&self) -> Option<Recall> {
        self.manifest.measured.map(|measured| measured.recall())
    }

    /// How a search works, in words.
    pub(crate) fn describe(&self) -> String {
        let first = if self.by_bits() { "1-bit codes" } else { "8-bit codes" };
        match self.manifest.measured.filter(|_| self.quantiser.lists() > 1) {
            Some(measured) => format!(
                "{first} in {} lists, {:.0} probed, {:.0} rescored{}",
                self.quantiser.lists(),
                measured.probed,
                measured.rescored,
                if measured.least() < AIMS[0] { "; recall below the aim of 0.99" } else { "" }
            ),
            None => format!("{first}, all rows"),
        }
    }

    /// Whether the first look is at bits.
    fn by_bits(&self) -> bool {
        self.manifest.trained_rows >= TRAINED_ROWS && self.quantiser.dim >= BIT_DIMENSIONS
    }

    /// Files, then chunks of the tail.
    fn parts(&self) -> impl Iterator<Item = &Codes> {
        self.files.iter().chain(&self.tail).map(Arc::as_ref)
    }

    fn part(&self, number: usize) -> &Codes {
        match number.checked_sub(self.files.len()) {
            None => &self.files[number],
            Some(chunk) => &self.tail[chunk],
        }
    }

    /// About how many rows a search will look at.
    fn expected_scan(&self, allowed: &RowSet) -> f32 {
        let share = allowed.count() as f32 / self.rows as f32;
        let probed = self.manifest.measured.map_or(self.rows as f32, |measured| measured.scanned);
        (probed / share).min(self.rows as f32)
    }
}

fn rows_of(range: std::ops::Range<usize>) -> Vec<Row> {
    range.map(|row| row as Row).collect()
}

#[cfg(test)]
mod tests;
