//! PyTorch's own file: a zip archive with one pickle and one entry of raw bytes per storage.
//!
//! Files older than PyTorch 1.6 are handed to `legacy`. Scripted programs are refused, since their
//! pickle asks for classes of their own.
//! Source: PyTorch, `torch/serialization.py` and `caffe2/serialize/inline_container.h`.

use std::io::{BufReader, Read};
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use super::collector::Collector;
use super::legacy;
use super::pickle::{self, Input, Refusal, Storage, View};
use crate::Error;

/// Largest pickle that is read; that of a model with 10,000 tensors has two megabytes.
const MOST_PICKLE_BYTES: u64 = 1 << 26;

type Archive = ZipArchive<BufReader<fs_err::File>>;

pub(super) fn read(path: &Path, collector: &mut Collector) -> Result<(), Error> {
    if legacy::starts(path)? {
        return legacy::read(path, collector);
    }
    let mut file = ZippedFile::open(path)?;
    let bytes = file.entry("data.pkl", MOST_PICKLE_BYTES)?;
    let named = pickle::tensors(&mut Input(&bytes)).map_err(|refusal| refused(path, refusal))?;
    for (name, view) in named {
        collector.offer(path, &name, &view.shape, || {
            let bytes = file.storage(&view.storage)?;
            values(path, &name, &view, bytes)
        })?;
    }
    Ok(())
}

struct ZippedFile<'a> {
    path: &'a Path,
    archive: Archive,
    /// Directory inside the archive, with its slash.
    root: String,
    file_bytes: u64,
    /// The storage read last: views of one storage mostly follow each other.
    last: Option<(String, Vec<u8>)>,
}

impl<'a> ZippedFile<'a> {
    fn open(path: &'a Path) -> Result<Self, Error> {
        let file = fs_err::File::open(path)?;
        let file_bytes = file.metadata()?.len();
        let archive = Archive::new(BufReader::new(file)).map_err(|error| unzipped(path, &error))?;
        let root = archive.file_names().flatten().find_map(|name| root_of(&name));
        let root = root
            .ok_or_else(|| damaged(path, "it is a zip archive, but not one that PyTorch wrote"))?;
        let mut opened = Self { path, archive, root, file_bytes, last: None };
        opened.refuse_big_endian()?;
        Ok(opened)
    }

    fn refuse_big_endian(&mut self) -> Result<(), Error> {
        if self.archive.index_for_name(&format!("{}byteorder", self.root)).is_none() {
            return Ok(());
        }
        match self.entry("byteorder", 64)?.as_slice() {
            b"little" => Ok(()),
            _ => Err(damaged(self.path, "its numbers are not little-endian")),
        }
    }

    /// The bytes of an entry. An archive may lie about a size, so what is read is bounded by `most` and
    /// by the size of the file, which an uncompressed entry cannot exceed.
    fn entry(&mut self, name: &str, most: u64) -> Result<Vec<u8>, Error> {
        let most = most.min(self.file_bytes);
        let full_name = format!("{}{name}", self.root);
        let entry =
            self.archive.by_name(&full_name).map_err(|error| unzipped(self.path, &error))?;
        if entry.size() > most {
            return Err(damaged(
                self.path,
                &format!("its entry {full_name} claims {} bytes", entry.size()),
            ));
        }
        let mut bytes = Vec::with_capacity(entry.size() as usize);
        let read = entry.take(most).read_to_end(&mut bytes);
        read.map_err(|error| {
            damaged(self.path, &format!("its entry {full_name} cannot be read: {error}"))
        })?;
        Ok(bytes)
    }

    fn storage(&mut self, storage: &Storage) -> Result<&[u8], Error> {
        let last = match self.last.take() {
            Some(last) if last.0 == storage.key => last,
            _ => (storage.key.clone(), self.entry(&format!("data/{}", storage.key), u64::MAX)?),
        };
        Ok(&self.last.insert(last).1)
    }
}

/// The directory, with its slash, in which `name` is the pickle.
fn root_of(name: &str) -> Option<String> {
    name.strip_suffix("data.pkl").filter(|root| root.ends_with('/')).map(str::to_owned)
}

/// The numbers of a view, in row-major order of its shape, out of the bytes of its storage.
pub(super) fn values(
    path: &Path,
    name: &str,
    view: &View,
    storage: &[u8],
) -> Result<Vec<f32>, Error> {
    let size = view.storage.format.size();
    let outside = || damaged(path, &format!("{name} reaches beyond its storage"));
    let count = view.shape.iter().try_fold(1_usize, |product, side| product.checked_mul(*side));
    // A view may repeat numbers without end; a weight does not.
    let count = count.filter(|count| *count <= view.storage.len).ok_or_else(outside)?;
    let range = span(view, count).ok_or_else(outside)?;
    let bytes = range.start.checked_mul(size).zip(range.end.checked_mul(size));
    let bytes = bytes.and_then(|(start, end)| storage.get(start..end)).ok_or_else(outside)?;
    let flat = view.storage.format.decode(bytes).ok_or_else(|| Error::NumberFormat {
        path: path.to_owned(),
        tensor: name.to_owned(),
        found: "integers".to_owned(),
    })?;
    Ok(if is_contiguous(view) { flat } else { gather(&flat, view, count) })
}

/// First and last number (exclusive) that a view of `count` numbers touches.
fn span(view: &View, count: usize) -> Option<std::ops::Range<usize>> {
    if count == 0 {
        return Some(view.offset..view.offset);
    }
    let reach = view.shape.iter().zip(&view.strides).try_fold(0_usize, |sum, (side, stride)| {
        sum.checked_add((side - 1).checked_mul(*stride)?)
    })?;
    let end = view.offset.checked_add(reach)?.checked_add(1)?;
    (end <= view.storage.len).then_some(view.offset..end)
}

fn is_contiguous(view: &View) -> bool {
    let mut stride = 1;
    view.shape.iter().zip(&view.strides).rev().all(|(side, found)| {
        let fits = *side == 1 || *found == stride;
        stride *= side;
        fits
    })
}

/// Numbers of `flat`, which starts at the offset of the view, in the order of its shape.
fn gather(flat: &[f32], view: &View, count: usize) -> Vec<f32> {
    let mut index = vec![0; view.shape.len()];
    let mut at = 0;
    let mut values = Vec::with_capacity(count);
    for _ in 0..count {
        values.push(flat[at]);
        for axis in (0..index.len()).rev() {
            index[axis] += 1;
            at += view.strides[axis];
            if index[axis] < view.shape[axis] {
                break;
            }
            at -= view.strides[axis] * view.shape[axis];
            index[axis] = 0;
        }
    }
    values
}

pub(super) fn refused(path: &Path, refusal: Refusal) -> Error {
    match refusal {
        Refusal::Damaged(reason) => damaged(path, &format!("its pickle is broken: {reason}")),
        Refusal::Opcode(opcode) => damaged(
            path,
            &format!(
                "its pickle uses the instruction {opcode:#04x}, which no file of weights needs"
            ),
        ),
        Refusal::Global(name) => Error::ForbiddenObject { path: path.to_owned(), name },
    }
}

pub(super) fn damaged(path: &Path, reason: &str) -> Error {
    Error::Damaged { path: path.to_owned(), reason: reason.to_owned() }
}

fn unzipped(path: &Path, error: &ZipError) -> Error {
    damaged(path, &format!("not a file that torch.save wrote: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::numbers::Format;

    fn view(offset: usize, shape: &[usize], strides: &[usize]) -> View {
        let storage = Storage { key: "0".to_owned(), format: Format::F32, len: 6 };
        View { storage, offset, shape: shape.to_vec(), strides: strides.to_vec() }
    }

    fn read(view: &View) -> Result<Vec<f32>, Error> {
        let bytes: Vec<u8> = (0..6).flat_map(|n| (n as f32).to_le_bytes()).collect();
        values(Path::new("file"), "w", view, &bytes)
    }

    #[test]
    fn strides_decide_the_order() {
        assert_eq!(read(&view(0, &[2, 3], &[3, 1])).unwrap(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(read(&view(0, &[3, 2], &[1, 3])).unwrap(), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        assert_eq!(read(&view(1, &[2], &[2])).unwrap(), [1.0, 3.0]);
        assert_eq!(read(&view(5, &[], &[])).unwrap(), [5.0]);
        assert_eq!(read(&view(0, &[0, 9], &[9, 1])).unwrap(), [0.0; 0]);
    }

    #[test]
    fn a_view_beyond_its_storage_is_refused() {
        let huge = usize::MAX;
        for bad in [
            view(1, &[2, 3], &[3, 1]),
            view(huge, &[1], &[1]),
            view(0, &[huge, huge], &[1, 1]),
            view(0, &[2], &[huge]),
            view(0, &[1_000_000], &[0]),
            view(huge, &[0], &[1]),
        ] {
            assert!(read(&bad).is_err(), "{bad:?}");
        }
    }
}
