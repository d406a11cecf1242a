//! The files of a folder of codes: a manifest that says what counts, and the files that it names.
//!
//! What is not named does not count, so a new set of files comes into effect at the moment when the manifest is renamed.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::embedded::vector::codes::{Bytes, Codes, Floats};
use crate::embedded::vector::container::{self, Container};
use crate::embedded::vector::kernel::{LANES, block_bytes};
use crate::error::Error;
use crate::rows::Row;
use crate::stats::Recall;

const MANIFEST: &str = "manifest";

const ENDING: &str = "codes";

/// What the manifest says beside the centres.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) dim: usize,
    /// Seed of the rotation.
    pub(crate) seed: u64,
    pub(crate) lists: usize,
    /// Rows that there were when the centres were trained.
    pub(crate) trained_rows: usize,
    /// Depth of a search of which no other recall is wanted.
    pub(crate) depth: Depth,
    /// The same where speed counts for more; a manifest written before there was one has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shallow: Option<Depth>,
    /// Depths of queries that are like the rows themselves, where captions are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) like_rows: Option<LikeRows>,
    /// What was measured with these.
    pub(crate) measured: Option<Measured>,
    /// In the order of their rows.
    pub(crate) files: Vec<Named>,
    /// Number of the next file, so that no name is used twice.
    pub(crate) next: u64,
}

/// How deep a search looks. Both are in units of the score.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Depth {
    /// A list is probed if its centre's score plus this many of its spreads reaches the k-th best estimate.
    pub(crate) margin: f32,
    /// A row is looked at again if its estimate is at most this far below the k-th best.
    pub(crate) width: f32,
}

/// How deep a search by what is like the rows themselves looks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LikeRows {
    /// The product with the nearest centre, as far as bits tell, that a query must exceed to be one.
    pub(crate) above: f32,
    /// What the last of its neighbours must score: a filter may leave only rows that are as far as those of a caption.
    pub(crate) least: f32,
    pub(crate) depth: Depth,
    pub(crate) shallow: Depth,
}

/// The depths for one recall: which of them a query needs shows by how near its nearest list is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Depths {
    /// Enough for every query.
    pub(crate) any: Depth,
    like_rows: Option<(LikeRows, Depth)>,
}

impl Depths {
    /// What is enough for a query with this product with its nearest centre, as long as its last neighbour scores at
    /// least so much.
    pub(crate) fn of(&self, nearest: f32) -> (Depth, f32) {
        let like_rows = self.like_rows.filter(|(like_rows, _)| nearest > like_rows.above);
        like_rows.map_or((self.any, f32::NEG_INFINITY), |(rows, depth)| (depth, rows.least))
    }
}

impl From<Depth> for Depths {
    fn from(any: Depth) -> Self {
        Self { any, like_rows: None }
    }
}

/// Recall, and what it cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) images: f32,
    pub(crate) texts: Option<f32>,
    pub(crate) queries: usize,
    /// Lists probed by a query, on average.
    pub(crate) probed: f32,
    /// Rows whose first estimate was computed, on average.
    pub(crate) scanned: f32,
    /// Rows looked at again, on average.
    pub(crate) rescored: f32,
}

impl Measured {
    /// The recall of the harder kind of queries.
    pub(crate) fn least(&self) -> f32 {
        self.texts.map_or(self.images, |texts| texts.min(self.images))
    }

    pub(crate) fn recall(&self) -> Recall {
        Recall { images: self.images, texts: self.texts, queries: self.queries }
    }
}

/// A file of codes, and which rows it is about: some of these may have been deleted before it was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) first: usize,
    pub(crate) end: usize,
}

impl Manifest {
    /// How deep to look for the usual recall.
    pub(crate) fn depths(&self) -> Depths {
        Depths { any: self.depth, like_rows: self.like_rows.map(|rows| (rows, rows.depth)) }
    }

    /// How deep to look where speed counts for more.
    pub(crate) fn shallow_depths(&self) -> Depths {
        let like_rows = self.like_rows.map(|rows| (rows, rows.shallow));
        self.shallow.map_or_else(|| self.depths(), |any| Depths { any, like_rows })
    }

    /// Rows that the files are about: 0 to N.
    pub(crate) fn covered(&self) -> usize {
        self.files.last().map_or(0, |file| file.end)
    }

    /// A name that no file of the folder has.
    pub(crate) fn fresh_name(&mut self) -> String {
        self.next += 1;
        format!("{:08}.{ENDING}", self.next - 1)
    }
}

/// Everything that a folder says.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) manifest: Manifest,
    /// `(L, D)`, rotated.
    pub(crate) centres: Vec<f32>,
    /// `(L,)`.
    pub(crate) spreads: Vec<f32>,
    /// One for each file.
    pub(crate) parts: Vec<Arc<Codes>>,
}

/// What is in a folder, if there is a manifest.
///
/// A writer may replace manifest and files between our reading the one and the other; then the new manifest is read.
pub(crate) fn read(dir: &Path) -> Result<Option<Stored>, Error> {
    const ATTEMPTS: usize = 4;
    for _ in 1..ATTEMPTS {
        match read_once(dir) {
            Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {}
            done => return done,
        }
    }
    match read_once(dir) {
        Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Error::Damaged {
                path: dir.join(MANIFEST),
                what: format!("it names a file that is not there: {error}"),
            })
        }
        done => done,
    }
}

fn read_once(dir: &Path) -> Result<Option<Stored>, Error> {
    let path = dir.join(MANIFEST);
    if !path.exists() {
        return Ok(None);
    }
    let file = Container::open(&path)?;
    let (bytes, range) = file.section("settings")?;
    let manifest: Manifest = serde_json::from_slice(&bytes[range])
        .map_err(|error| file.damaged("settings", &error.to_string()))?;
    let (centres, spreads) = (
        file.numbers("centres", f32::from_le_bytes)?,
        file.numbers("spreads", f32::from_le_bytes)?,
    );
    if centres.len() != manifest.lists * manifest.dim || manifest.lists == 0 {
        return Err(file.damaged("centres", &format!("expected {} lists", manifest.lists)));
    }
    if spreads.len() != manifest.lists {
        return Err(file.damaged("spreads", &format!("expected {} lists", manifest.lists)));
    }
    let read = |named: &Named| read_codes(dir, named, manifest.dim, manifest.lists).map(Arc::new);
    let parts = manifest.files.iter().map(read).collect::<Result<_, _>>()?;
    Ok(Some(Stored { manifest, centres, spreads, parts }))
}

/// Puts a manifest in the place of the old one.
pub(crate) fn write_manifest(
    dir: &Path,
    manifest: &Manifest,
    centres: &[f32],
    spreads: &[f32],
) -> Result<(), Error> {
    let settings = serde_json::to_vec(manifest).map_err(std::io::Error::from)?;
    let (centres, spreads) = (float_bytes(centres), float_bytes(spreads));
    let sections: [container::Section<'_>; 3] =
        [("settings", &settings), ("centres", &centres), ("spreads", &spreads)];
    container::write(&dir.join(MANIFEST), &sections)
}

/// The first number from which on no file of this folder has a name, whether it counts or was left behind.
pub(crate) fn next_name(dir: &Path) -> Result<u64, Error> {
    let mut next = 0;
    for entry in fs_err::read_dir(dir)? {
        let number = entry?.path().file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok());
        next = next.max(number.map_or(0, |number| number + 1));
    }
    Ok(next)
}

/// Removes the files of codes that the manifest does not name.
pub(crate) fn sweep(dir: &Path, manifest: &Manifest) -> Result<(), Error> {
    for entry in fs_err::read_dir(dir)? {
        let path = entry?.path();
        let ours = path.extension().is_some_and(|ending| ending == ENDING || ending == "new");
        let named = manifest.files.iter().any(|file| path.ends_with(&file.name));
        if ours && !named {
            fs_err::remove_file(path)?;
        }
    }
    Ok(())
}

/// Writes codes that are sorted by list.
pub(crate) fn write_codes(path: &Path, codes: &Codes) -> Result<(), Error> {
    let (rows, starts) = (word_bytes(&codes.rows), word_bytes(&codes.starts));
    let (factors, scales) = (float_bytes(codes.factors.get()), float_bytes(codes.scales.get()));
    let sections: [container::Section<'_>; 6] = [
        ("rows", &rows),
        ("starts", &starts),
        ("factors", &factors),
        ("scales", &scales),
        ("bits", codes.bits.get()),
        ("bytes", codes.bytes.get()),
    ];
    container::write(path, &sections)
}

/// Maps codes that are sorted by list, and checks them.
pub(crate) fn read_codes(
    dir: &Path,
    named: &Named,
    dim: usize,
    lists: usize,
) -> Result<Codes, Error> {
    let file = Container::open(&dir.join(&named.name))?;
    let rows = file.numbers("rows", u32::from_le_bytes)?;
    let starts = file.numbers("starts", u32::from_le_bytes)?;
    check_rows(&file, &rows, named)?;
    check_starts(&file, &starts, rows.len(), lists)?;
    let blocks = rows.len().div_ceil(LANES);
    let floats = |name, count: usize| {
        let (bytes, range) = file.sized(name, count * 4)?;
        Ok::<_, Error>(Floats::Mapped(bytes, range))
    };
    let bytes = |name, count: usize| {
        let (bytes, range) = file.sized(name, count)?;
        Ok::<_, Error>(Bytes::Mapped(bytes, range))
    };
    Ok(Codes {
        dim,
        lists: lists_of(&starts),
        bits: bytes("bits", blocks * block_bytes(dim))?,
        factors: floats("factors", blocks * LANES)?,
        scales: floats("scales", rows.len())?,
        bytes: bytes("bytes", rows.len() * dim)?,
        rows,
        starts,
    })
}

fn check_rows(file: &Container, rows: &[Row], named: &Named) -> Result<(), Error> {
    match rows.iter().find(|row| !(named.first..named.end).contains(&(**row as usize))) {
        None => Ok(()),
        Some(row) => {
            let told =
                format!("row {row}: expected one from {} to below {}", named.first, named.end);
            Err(file.damaged("rows", &told))
        }
    }
}

fn check_starts(file: &Container, starts: &[u32], rows: usize, lists: usize) -> Result<(), Error> {
    let ends = (starts.first(), starts.last()) == (Some(&0), Some(&(rows as u32)));
    if starts.len() == lists + 1 && ends && starts.is_sorted() {
        return Ok(());
    }
    Err(file.damaged("starts", &format!("expected the places of {rows} rows in {lists} lists")))
}

/// The list of each place.
fn lists_of(starts: &[u32]) -> Vec<u16> {
    let runs = starts.windows(2).enumerate();
    runs.flat_map(|(list, run)| std::iter::repeat_n(list as u16, (run[1] - run[0]) as usize))
        .collect()
}

fn float_bytes(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn word_bytes(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}
