//! The files of vectors: appended to by the one writer, mapped by readers.
//!
//! Which rows count is for the database to say; bytes behind them are what a writer left that was cut off.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::embedded::durable::{create_dirs, sync_dir};
use crate::embedded::mapped::Mapped;
use crate::embedded::vectors::{SEGMENT_ROWS, Segment, Vectors};
use crate::error::Error;
use crate::rows::Row;

/// The folder of the files.
#[derive(Debug)]
pub(super) struct Segments {
    dir: PathBuf,
    dim: usize,
}

impl Segments {
    /// # Shapes
    /// Vectors are `(dim,)`.
    pub(super) fn new(store: &Path, dim: usize) -> Self {
        Self { dir: store.join("vectors"), dim }
    }

    pub(super) fn create(&self) -> Result<(), Error> {
        Ok(create_dirs(&self.dir)?)
    }

    /// The file that a row is in.
    pub(super) fn file_of(&self, row: Row) -> PathBuf {
        self.file(row as usize / SEGMENT_ROWS)
    }

    fn file(&self, segment: usize) -> PathBuf {
        self.dir.join(format!("{segment:05}.f32"))
    }

    /// Bytes of a segment when the store has so many rows.
    fn bytes_of(&self, segment: usize, rows: usize) -> u64 {
        let rows = rows.saturating_sub(segment * SEGMENT_ROWS).min(SEGMENT_ROWS);
        (rows * self.dim * 4) as u64
    }

    /// Writes vectors behind the first `rows`, through to the disk. What else was behind them is overwritten.
    pub(super) fn append(&self, rows: usize, vectors: &[&[f32]]) -> Result<(), Error> {
        let (mut rows, mut rest) = (rows, vectors);
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(SEGMENT_ROWS - rows % SEGMENT_ROWS));
            self.append_to(rows / SEGMENT_ROWS, rows, now)?;
            rows += now.len();
            rest = later;
        }
        Ok(())
    }

    fn append_to(&self, segment: usize, rows: usize, vectors: &[&[f32]]) -> Result<(), Error> {
        let path = self.file(segment);
        let is_new = !path.is_file();
        let mut file =
            fs_err::OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
        let expected = self.bytes_of(segment, rows);
        match file.metadata()?.len() {
            found if found < expected => return Err(too_short(&path, expected, found)),
            found if found > expected => file.set_len(expected)?,
            _ => {}
        }
        file.seek(SeekFrom::Start(expected))?;
        file.write_all(&bytes(vectors))?;
        file.sync_data()?;
        if is_new {
            sync_dir(&self.dir)?;
        }
        Ok(())
    }

    /// Gives back what is behind the first `rows`. Nothing depends on it, so it need not outlast a loss of power.
    pub(super) fn truncate(&self, rows: usize) -> Result<(), Error> {
        for (segment, path) in self.files()? {
            let (expected, found) = (self.bytes_of(segment, rows), fs_err::metadata(&path)?.len());
            if segment * SEGMENT_ROWS >= rows {
                fs_err::remove_file(path)?;
            } else if found > expected {
                fs_err::OpenOptions::new().write(true).open(path)?.set_len(expected)?;
            }
        }
        Ok(())
    }

    /// The first `rows` as they can be read; what an earlier look has mapped is taken from there.
    pub(super) fn map(&self, rows: usize, before: Option<&Vectors>) -> Result<Vectors, Error> {
        let full = before.map_or(0, |vectors| vectors.rows() / SEGMENT_ROWS);
        let mut segments = before.map_or(Vec::new(), |vectors| vectors.segments()[..full].to_vec());
        for segment in full..rows.div_ceil(SEGMENT_ROWS) {
            segments.push(Arc::new(Segment::Mapped(self.map_one(segment, rows)?)));
        }
        Ok(Vectors::new(self.dim, rows, segments))
    }

    fn map_one(&self, segment: usize, rows: usize) -> Result<Mapped, Error> {
        let path = self.file(segment);
        let file: File = match fs_err::File::open(&path) {
            Ok(file) => file.into(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(too_short(&path, self.bytes_of(segment, rows), 0));
            }
            Err(error) => return Err(error.into()),
        };
        let (expected, found) = (self.bytes_of(segment, rows), file.metadata()?.len());
        if found < expected {
            return Err(too_short(&path, expected, found));
        }
        Mapped::open(&file, expected as usize).map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", path.display())).into()
        })
    }

    /// Bytes of all files.
    pub(super) fn bytes(&self) -> Result<u64, Error> {
        let sizes = self.files()?.into_iter().map(|(_, path)| Ok(fs_err::metadata(path)?.len()));
        sizes.sum()
    }

    /// All files with their numbers.
    fn files(&self) -> Result<Vec<(usize, PathBuf)>, Error> {
        let mut files = Vec::new();
        for entry in fs_err::read_dir(&self.dir)? {
            let path = entry?.path();
            let number =
                path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
            files.extend(
                number
                    .filter(|_| path.extension().is_some_and(|end| end == "f32"))
                    .map(|number| (number, path)),
            );
        }
        Ok(files)
    }
}

fn bytes(vectors: &[&[f32]]) -> Vec<u8> {
    let numbers = vectors.iter().flat_map(|vector| vector.iter());
    let mut bytes = Vec::with_capacity(vectors.iter().map(|vector| vector.len() * 4).sum());
    bytes.extend(numbers.flat_map(|number| number.to_le_bytes()));
    bytes
}

fn too_short(path: &Path, expected: u64, found: u64) -> Error {
    Error::Damaged {
        path: path.to_owned(),
        what: format!("expected at least {expected} bytes, found {found}"),
    }
}
