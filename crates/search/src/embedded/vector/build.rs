//! Writing codes: all of them with new centres, or those of the tail.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use crate::embedded::vector::codes::Codes;
use crate::embedded::vector::files::{self, Depth, Manifest, Named};
use crate::embedded::vector::kernel::{Level, dot};
use crate::embedded::vector::quantiser::Quantiser;
use crate::embedded::vector::{
    FILE_BYTES, MERGE_BELOW, MOST_LISTS, SEED, TRAINED_ROWS, VectorIndex, calibration, training,
};
use crate::embedded::vectors::Vectors;
use crate::error::Error;
use crate::rows::{Row, RowSet};

/// Rows that are assigned before progress is told.
const TOLD_ROWS: usize = 1 << 15;

/// Rows that the spread of the lists is measured on.
const SPREAD_ROWS: usize = 1 << 15;

/// What building tells: what it does, how much is done, of how much.
type Progress<'a> = &'a mut dyn FnMut(&'static str, usize, usize);

impl VectorIndex {
    /// Codes of all live rows with centres of their own, in the place of what is in the folder.
    ///
    /// Until the manifest is replaced at the end the old codes count, so this may be cut off at any moment.
    pub(crate) fn build(
        dir: &Path,
        vectors: &Vectors,
        live: &RowSet,
        probes: &[Vec<f32>],
        progress: Progress<'_>,
    ) -> Result<Self, Error> {
        Self::build_at(Level::best(), dir, vectors, live, probes, progress)
    }

    /// Like [`VectorIndex::build`], at a level that may be slower than the best.
    pub(crate) fn build_at(
        level: Level,
        dir: &Path,
        vectors: &Vectors,
        live: &RowSet,
        probes: &[Vec<f32>],
        progress: Progress<'_>,
    ) -> Result<Self, Error> {
        fs_err::create_dir_all(dir)?;
        let rows: Vec<Row> =
            live.iter().take_while(|row| (*row as usize) < vectors.rows()).collect();
        let lists = list_count(rows.len());
        let quantiser = if rows.len() < TRAINED_ROWS {
            Quantiser::new(level, vectors.dim(), SEED, mean(level, vectors, &rows))
        } else {
            let mut on_round = |done, of| progress("training", done, of);
            training::train(level, vectors, &rows, lists, SEED, &mut on_round)
        };
        let spreads = spreads(&quantiser, vectors, &rows);
        let mut manifest = Manifest {
            dim: vectors.dim(),
            seed: SEED,
            lists,
            trained_rows: rows.len(),
            depth: Depth { margin: 0.0, width: 0.0 },
            shallow: None,
            like_rows: None,
            measured: None,
            files: Vec::new(),
            next: files::next_name(dir)?,
        };
        let parts = write_all(dir, &mut manifest, &quantiser, vectors, &rows, progress)?;
        let mut index = Self::new(quantiser, spreads, manifest, parts);
        let mut on_step = |done, of| progress("calibrating", done, of);
        calibration::calibrate(&mut index, vectors, live, probes, &mut on_step);
        index.publish(dir)?;
        Ok(index)
    }

    /// The same with the tail in a file, together with files that are not much larger.
    pub(crate) fn flush(&self, dir: &Path, vectors: &Vectors) -> Result<Self, Error> {
        let mut next = self.extended(vectors);
        if next.tail.is_empty() {
            return Ok(next);
        }
        fs_err::create_dir_all(dir)?;
        next.manifest.next = next.manifest.next.max(files::next_name(dir)?);
        let tail = std::mem::take(&mut next.tail);
        let (mut first, mut merged) =
            (next.manifest.covered(), next.rows - next.manifest.covered());
        let mut old = Vec::new();
        while let Some(file) = next
            .files
            .pop_if(|file| file.len() < MERGE_BELOW * merged && next.manifest.files.len() > 1)
        {
            merged += file.len();
            first = next.manifest.files.pop().map_or(first, |named| named.first);
            old.insert(0, file);
        }
        let sources: Vec<&Codes> = old.iter().chain(&tail).map(Arc::as_ref).collect();
        let codes = next.quantiser.merged_codes(&sources);
        let codes = write_part(dir, &mut next.manifest, codes, first..next.rows)?;
        next.files.push(codes);
        next.publish(dir)?;
        Ok(next)
    }

    /// Makes this what the folder holds.
    fn publish(&self, dir: &Path) -> Result<(), Error> {
        files::write_manifest(dir, &self.manifest, self.quantiser.centres(), &self.spreads)?;
        files::sweep(dir, &self.manifest)
    }
}

/// Lists for each root of the rows: the bits of so many centres are read as fast as those of a few lists, and the smaller
/// a list, the fewer of its rows are too many. More would be as fast to search and slower to train.
const LISTS: f32 = 4.0;

/// Rows of an average list, at least: smaller ones do not fill their blocks.
const LIST_ROWS: usize = 96;

/// How many lists to divide the rows into.
fn list_count(rows: usize) -> usize {
    if rows < TRAINED_ROWS {
        return 1;
    }
    let lists = LISTS * (rows as f32).sqrt();
    (lists as usize).min(rows / LIST_ROWS).next_multiple_of(16).min(MOST_LISTS)
}

/// `(D,)`: the mean of all rows, rotated; zero if there are none.
fn mean(level: Level, vectors: &Vectors, rows: &[Row]) -> Vec<f32> {
    let mut mean = vec![0.0; vectors.dim()];
    for row in rows {
        for (sum, x) in mean.iter_mut().zip(vectors.row(*row)) {
            *sum += x / rows.len() as f32;
        }
    }
    Quantiser::untrained(level, vectors.dim(), SEED).rotated(&mean)
}

/// Root mean square of the residuals of each list, measured on some rows.
fn spreads(quantiser: &Quantiser, vectors: &Vectors, rows: &[Row]) -> Vec<f32> {
    let some: Vec<Row> = rows.iter().copied().step_by((rows.len() / SPREAD_ROWS).max(1)).collect();
    let lists = quantiser.assign(vectors, &some);
    let squares = some.par_iter().zip(&lists).map(|(row, list)| {
        let residual = quantiser.residual(vectors.row(*row), *list);
        dot(quantiser.level, &residual, &residual)
    });
    let squares: Vec<f32> = squares.collect();
    let overall = squares.iter().sum::<f32>() / squares.len().max(1) as f32;
    // One row more, with the overall spread, for lists in which there is none.
    let mut sums = vec![(overall, 1.0); quantiser.lists()];
    for (square, list) in squares.iter().zip(&lists) {
        sums[*list as usize].0 += square;
        sums[*list as usize].1 += 1.0;
    }
    sums.iter().map(|(sum, count)| (sum / count).sqrt().max(1e-6)).collect()
}

/// Writes the codes of all rows, a file after the other.
fn write_all(
    dir: &Path,
    manifest: &mut Manifest,
    quantiser: &Quantiser,
    vectors: &Vectors,
    rows: &[Row],
    progress: Progress<'_>,
) -> Result<Vec<Arc<Codes>>, Error> {
    let file_rows = (FILE_BYTES / vectors.dim()).max(1);
    let count = rows.len().div_ceil(file_rows).max(1);
    let mut parts = Vec::new();
    for number in 0..count {
        let rows = &rows[number * rows.len() / count..(number + 1) * rows.len() / count];
        let first = manifest.covered();
        let end = if number + 1 == count {
            vectors.rows()
        } else {
            rows.last().map_or(first, |row| *row as usize + 1)
        };
        let mut lists = Vec::new();
        for told in rows.chunks(TOLD_ROWS) {
            lists.extend(quantiser.assign(vectors, told));
            progress("encoding", number * file_rows + lists.len(), vectors.rows());
        }
        let codes = quantiser.sorted_codes(vectors, rows, &lists);
        parts.push(write_part(dir, manifest, codes, first..end)?);
    }
    Ok(parts)
}

/// Writes codes, and returns them as they are in the file.
fn write_part(
    dir: &Path,
    manifest: &mut Manifest,
    codes: Codes,
    rows: Range<usize>,
) -> Result<Arc<Codes>, Error> {
    let named = Named { name: manifest.fresh_name(), first: rows.start, end: rows.end };
    files::write_codes(&dir.join(&named.name), &codes)?;
    drop(codes);
    let written = files::read_codes(dir, &named, manifest.dim, manifest.lists)?;
    manifest.files.push(named);
    Ok(Arc::new(written))
}
