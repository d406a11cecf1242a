//! A file of named sections, each with a checksum; written at once, then only read.
//!
//! Layout, all numbers little endian: magic (8 bytes), format (4), number of sections (4), then for each section its name
//! (16, zeros behind), begin (8), length (8), CRC-32 (4) and zeros (4), then the CRC-32 of all that, then the sections,
//! each at a multiple of 64.

use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::embedded::durable::replace_by;
use crate::embedded::mapped::Mapped;
use crate::error::Error;

const MAGIC: &[u8; 8] = b"FLCODES\n";

/// The latest format that this program knows.
const FORMAT: u32 = 1;

const NAME_BYTES: usize = 16;

/// Bytes that describe a section.
const ENTRY_BYTES: usize = NAME_BYTES + 24;

/// Bytes in front of the first entry.
const HEAD_BYTES: usize = 16;

/// Sections begin at multiples of this, the length of a cache line.
const ALIGNMENT: usize = 64;

/// More sections than any file has.
const MOST_SECTIONS: usize = 64;

/// Bytes that one task checks.
const CHECKED_AT_ONCE: usize = 1 << 24;

/// A section that is to be written.
pub(crate) type Section<'a> = (&'static str, &'a [u8]);

/// A file whose sections are as they were written.
#[derive(Debug)]
pub(crate) struct Container {
    path: PathBuf,
    file: Arc<Mapped>,
    sections: Vec<(String, Range<usize>)>,
}

/// Writes a file that is there whole or not at all, also after a loss of power.
pub(crate) fn write(path: &Path, sections: &[Section<'_>]) -> Result<(), Error> {
    let written = replace_by(path, |file| {
        let head = head(sections);
        file.write_all(&head)?;
        let mut at = head.len();
        for (_, bytes) in sections {
            let begin = at.next_multiple_of(ALIGNMENT);
            file.write_all(&[0; ALIGNMENT][..begin - at])?;
            file.write_all(bytes)?;
            at = begin + bytes.len();
        }
        Ok(())
    });
    Ok(written?)
}

/// Everything in front of the first section.
fn head(sections: &[Section<'_>]) -> Vec<u8> {
    let mut head = MAGIC.to_vec();
    head.extend(FORMAT.to_le_bytes());
    head.extend((sections.len() as u32).to_le_bytes());
    let mut at = HEAD_BYTES + sections.len() * ENTRY_BYTES + 4;
    for (name, bytes) in sections {
        let begin = at.next_multiple_of(ALIGNMENT);
        let mut padded = [0; NAME_BYTES];
        padded[..name.len()].copy_from_slice(name.as_bytes());
        head.extend(padded);
        head.extend((begin as u64).to_le_bytes());
        head.extend((bytes.len() as u64).to_le_bytes());
        head.extend(checksum(bytes).to_le_bytes());
        head.extend([0; 4]);
        at = begin + bytes.len();
    }
    let sum = checksum(&head);
    head.extend(sum.to_le_bytes());
    head
}

/// CRC-32, by several threads where there is enough to do.
fn checksum(bytes: &[u8]) -> u32 {
    let parts = bytes.par_chunks(CHECKED_AT_ONCE).map(|part| {
        let mut sum = crc32fast::Hasher::new();
        sum.update(part);
        sum
    });
    let parts: Vec<crc32fast::Hasher> = parts.collect();
    let mut whole = crc32fast::Hasher::new();
    for part in &parts {
        whole.combine(part);
    }
    whole.finalize()
}

impl Container {
    /// Maps a file and checks everything in it.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let file = fs_err::File::open(path)?;
        let bytes = file.metadata()?.len() as usize;
        let damaged = |what: &str| Error::Damaged { path: path.to_owned(), what: what.to_owned() };
        if bytes < HEAD_BYTES {
            return Err(damaged("header: expected at least 16 bytes"));
        }
        let file = Arc::new(Mapped::open(file.file(), bytes)?);
        let entries = check_head(path, &file)?;
        let mut sections = Vec::new();
        for entry in entries.chunks_exact(ENTRY_BYTES) {
            sections.push(check_section(path, &file, entry)?);
        }
        Ok(Self { path: path.to_owned(), file, sections })
    }

    /// The mapped file and the bytes of a section in it.
    pub(crate) fn section(&self, name: &str) -> Result<(Arc<Mapped>, Range<usize>), Error> {
        let found = self.sections.iter().find(|(known, _)| known == name);
        let (_, range) = found.ok_or_else(|| self.damaged(name, "it is not there"))?;
        Ok((Arc::clone(&self.file), range.clone()))
    }

    /// The bytes of a section, of which there must be so many.
    pub(crate) fn sized(
        &self,
        name: &str,
        bytes: usize,
    ) -> Result<(Arc<Mapped>, Range<usize>), Error> {
        let (file, range) = self.section(name)?;
        if range.len() == bytes {
            return Ok((file, range));
        }
        Err(self.damaged(name, &format!("expected {bytes} bytes, found {}", range.len())))
    }

    /// A section of numbers, read into memory.
    pub(crate) fn numbers<T>(&self, name: &str, number: fn([u8; 4]) -> T) -> Result<Vec<T>, Error> {
        let (file, range) = self.section(name)?;
        let (words, rest) = file[range].as_chunks::<4>();
        if rest.is_empty() {
            return Ok(words.iter().map(|word| number(*word)).collect());
        }
        Err(self.damaged(name, "expected whole numbers of four bytes"))
    }

    /// An error about a section of this file.
    pub(crate) fn damaged(&self, section: &str, what: &str) -> Error {
        Error::Damaged { path: self.path.clone(), what: format!("section {section}: {what}") }
    }
}

/// The entries of the sections, if magic, format and checksum are right.
fn check_head<'a>(path: &Path, file: &'a [u8]) -> Result<&'a [u8], Error> {
    let damaged = |what: &str| Error::Damaged { path: path.to_owned(), what: what.to_owned() };
    let number = |at: usize| {
        file[at..at + 4].iter().rev().fold(0u32, |sum, byte| sum << 8 | u32::from(*byte))
    };
    if &file[..8] != MAGIC {
        return Err(damaged("header: this is no file of codes"));
    }
    let count = number(12) as usize;
    let end = HEAD_BYTES + count.min(MOST_SECTIONS) * ENTRY_BYTES;
    if file.len() < end + 4 || checksum(&file[..end]) != number(end) {
        return Err(damaged("header: the checksum is wrong"));
    }
    if number(8) > FORMAT {
        return Err(Error::Format { path: path.to_owned(), found: number(8), expected: FORMAT });
    }
    Ok(&file[HEAD_BYTES..end])
}

/// Name and place of a section, if it is whole.
fn check_section(path: &Path, file: &[u8], entry: &[u8]) -> Result<(String, Range<usize>), Error> {
    let number = |at: usize| {
        entry[at..at + 8].iter().rev().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte))
    };
    let name = String::from_utf8_lossy(&entry[..NAME_BYTES]).trim_end_matches('\0').to_owned();
    let (begin, bytes) = (number(NAME_BYTES) as usize, number(NAME_BYTES + 8) as usize);
    let range = begin..begin.saturating_add(bytes);
    let damaged = |what: String| Error::Damaged { path: path.to_owned(), what };
    let Some(section) = file.get(range.clone()) else {
        let expected = format!(
            "section {name}: expected to end at byte {}, the file ends at {}",
            range.end,
            file.len()
        );
        return Err(damaged(expected));
    };
    if u64::from(checksum(section)) != number(NAME_BYTES + 16) {
        return Err(damaged(format!("section {name}: the checksum is wrong")));
    }
    Ok((name, range))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(dir: &Path) -> PathBuf {
        let path = dir.join("a.codes");
        write(&path, &[("empty", &[]), ("few", &[1, 2, 3, 4]), ("many", &[7; 1000])]).unwrap();
        path
    }

    #[test]
    fn sections_come_back_as_they_were_written() {
        let dir = tempfile::tempdir().unwrap();
        let file = Container::open(&written(dir.path())).unwrap();
        let (bytes, range) = file.sized("many", 1000).unwrap();
        assert_eq!(bytes[range], [7; 1000]);
        assert_eq!(file.numbers("few", u32::from_le_bytes).unwrap(), [0x0403_0201]);
        assert!(file.section("none").is_err());
        assert!(file.sized("empty", 1).is_err());
    }

    #[test]
    fn every_flipped_bit_and_every_truncation_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = written(dir.path());
        let right = fs_err::read(&path).unwrap();
        let padding = |at: usize| {
            let head = HEAD_BYTES + 3 * ENTRY_BYTES + 4;
            let few = head.next_multiple_of(ALIGNMENT)..head.next_multiple_of(ALIGNMENT) + 4;
            let many = few.end.next_multiple_of(ALIGNMENT);
            at >= head && !few.contains(&at) && at < many
        };
        for at in (0..right.len()).filter(|at| !padding(*at)) {
            let mut wrong = right.clone();
            wrong[at] ^= 1 << (at % 8);
            fs_err::write(&path, wrong).unwrap();
            assert!(Container::open(&path).is_err(), "byte {at}");
        }
        for bytes in 0..right.len() {
            fs_err::write(&path, &right[..bytes]).unwrap();
            assert!(Container::open(&path).is_err(), "{bytes} bytes");
        }
    }
}
