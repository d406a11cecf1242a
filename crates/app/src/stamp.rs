//! A model as an index is stamped with it: where it is, and what tells it from every other.
//!
//! Files decide, not what is read from them: what is on disk stays the same when this program learns to read it better.

use std::io::Read;
use std::path::{Path, PathBuf};

use finelens_clip::{Checkpoint, Config, Embedder};
use finelens_search::{Error as SearchError, Fingerprint};

use crate::hub;
use crate::model::{embedder, locate};
use crate::printer::Printer;

/// Bytes of a file that share a checksum. Models that differ do so in many places: many checksums of 32 bits differ.
const CHUNK: usize = 1 << 20;

/// Letters of a fingerprint that are shown.
const SHOWN: usize = 8;

/// A model that was found; its weights are read only when they are needed.
pub(crate) struct StampedModel {
    dir: PathBuf,
    /// What an index keeps of it.
    pub(crate) fingerprint: Fingerprint,
}

impl StampedModel {
    /// Finds the model of that name, as `--model` takes it.
    pub(crate) fn find(name: &str, printer: &Printer) -> anyhow::Result<Self> {
        let dir = locate(name, printer)?;
        // A name on the hub is no path; a path must be found again from any folder.
        let name = if Path::new(name).exists() {
            std::path::absolute(name)?.display().to_string()
        } else {
            name.to_owned()
        };
        let fingerprint = Fingerprint { hash: hash(&dir)?, name };
        Ok(Self { dir, fingerprint })
    }

    /// Width of its vectors.
    pub(crate) fn dim(&self) -> anyhow::Result<usize> {
        Ok(Config::load(&self.dir)?.embed_dim)
    }

    /// Reads it.
    pub(crate) fn checkpoint(&self) -> anyhow::Result<Checkpoint> {
        Ok(Checkpoint::load(&self.dir)?)
    }

    /// Reads it and puts it where it computes.
    pub(crate) fn embedder(&self) -> anyhow::Result<Embedder> {
        embedder(self.checkpoint()?)
    }

    /// An error unless the vectors of an index are this model's.
    pub(crate) fn must_be(&self, expected: &Fingerprint) -> Result<(), SearchError> {
        if expected.hash == self.fingerprint.hash {
            return Ok(());
        }
        let [expected, found] = [expected, &self.fingerprint].map(shown);
        Err(SearchError::OtherModel { expected, found })
    }
}

/// A model's name with the head of its hash: the model in a folder may be another than it was.
fn shown(fingerprint: &Fingerprint) -> String {
    let head: String = fingerprint.hash.chars().take(SHOWN).collect();
    format!("{} ({head})", fingerprint.name)
}

/// A hash over the files that decide what a vector is, with their names and lengths.
fn hash(dir: &Path) -> anyhow::Result<String> {
    let mut names = Vec::new();
    for entry in fs_err::read_dir(dir)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let mut hash = FNV_OFFSET;
    for name in hub::wanted(&names) {
        hash = fnv1a(hash, name.as_bytes());
        let mut file = fs_err::File::open(dir.join(name))?;
        loop {
            let mut chunk = Vec::with_capacity(CHUNK);
            (&mut file).take(CHUNK as u64).read_to_end(&mut chunk)?;
            hash = fnv1a(hash, &(chunk.len() as u64).to_le_bytes());
            if chunk.is_empty() {
                break;
            }
            hash = fnv1a(hash, &crc32fast::hash(&chunk).to_le_bytes());
        }
    }
    Ok(format!("{hash:016x}"))
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// 64-bit FNV-1a, over the checksums alone: it is too slow for the weights themselves.
///
/// Source: Fowler, Noll, Vo; RFC 9923 (offset basis and prime).
fn fnv1a(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with a configuration and weights, and what else is given.
    fn hashed(config: &str, weights: &[u8], other: &[(&str, &str)]) -> String {
        let dir = tempfile::tempdir().unwrap();
        fs_err::write(dir.path().join("config.json"), config).unwrap();
        fs_err::write(dir.path().join("model.safetensors"), weights).unwrap();
        for (name, text) in other {
            fs_err::write(dir.path().join(name), text).unwrap();
        }
        hash(dir.path()).unwrap()
    }

    #[test]
    fn every_byte_of_what_decides_counts_and_nothing_else_does() {
        let mut weights = vec![7; CHUNK + 3];
        let first = hashed("{}", &weights, &[]);
        assert_eq!(first.len(), 16);
        assert_eq!(hashed("{}", &weights, &[("README.md", "x"), ("training.json", "y")]), first);
        assert_ne!(hashed("{ }", &weights, &[]), first);
        assert_ne!(hashed("{}", &weights, &[("tokenizer.json", "{}")]), first);
        assert_ne!(hashed("{}", &weights[1..], &[]), first);
        weights[CHUNK + 1] = 8;
        assert_ne!(hashed("{}", &weights, &[]), first);
    }

    #[test]
    fn a_hash_stays_the_same_from_version_to_version() {
        assert_eq!(hashed("{}", b"weights", &[]), "90e298cf02002ef6");
    }
}
