//! Weights on disk: from any of the usual files into named `f32` tensors, and back to one.
//!
//! Everything read is held against the configuration before it is believed: a name, a shape or a
//! value that does not fit is an error. Position embeddings are not resized.

mod collector;
mod legacy;
mod names;
mod numbers;
mod pickle;
mod safetensors;
mod torch;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::Error;
use crate::config::Config;
use crate::tensors::Tensors;
use collector::Collector;

pub use collector::Misshapen;
pub(crate) use collector::transpose;
pub(crate) use names::{Place, open_clip_places};
pub(crate) use safetensors::write as write_safetensors;

/// Name of the file that [`save_safetensors`] writes.
pub const FILE: &str = "model.safetensors";
/// Name of open_clip's file of weights.
pub const OPEN_CLIP_FILE: &str = "open_clip_model.safetensors";

/// Files that may hold the weights of a directory; the first that exists is taken.
const CANDIDATES: &[&str] = &[
    FILE,
    "model.safetensors.index.json",
    OPEN_CLIP_FILE,
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "open_clip_pytorch_model.bin",
];

/// Reads all weights of the model in `dir`, whatever file they are in, as Hugging Face names.
///
/// `f64`, `f16` and `bf16` become `f32`. A name, shape or value that does not fit `config` is an error;
/// so is any object in a PyTorch file that is not needed to describe tensors.
pub fn load(dir: &Path, config: &Config) -> Result<Tensors, Error> {
    let path = find(dir)?;
    let mut collector = Collector::new(config);
    for shard in shards(&path)? {
        read_file(&shard, &mut collector)?;
    }
    collector.finish(&path)
}

/// Writes `model.safetensors` into `dir`, which must exist.
///
/// The file appears whole or not at all, also when the machine stops half-way.
pub fn save_safetensors(dir: &Path, tensors: &Tensors) -> Result<(), Error> {
    safetensors::write(&dir.join(FILE), tensors)
}

fn find(dir: &Path) -> Result<PathBuf, Error> {
    let mut paths = CANDIDATES.iter().map(|name| dir.join(name));
    paths
        .find(|path| path.is_file())
        .ok_or_else(|| Error::NoWeights { dir: dir.to_owned(), tried: CANDIDATES })
}

/// The files that `path` stands for: itself, or those that an index names.
fn shards(path: &Path) -> Result<Vec<PathBuf>, Error> {
    if path.extension().is_none_or(|extension| extension != "json") {
        return Ok(vec![path.to_owned()]);
    }
    let text = fs_err::read_to_string(path)?;
    let index: Index = serde_json::from_str(&text)
        .map_err(|source| Error::Json { path: path.to_owned(), source })?;
    index.weight_map.0.into_iter().map(|name| beside(path, &name)).collect()
}

/// The part of `*.index.json` that matters: which files there are. Each file lists its own names.
#[derive(Deserialize)]
struct Index {
    weight_map: Files,
}

#[derive(Deserialize)]
#[serde(from = "std::collections::BTreeMap<String, String>")]
struct Files(BTreeSet<String>);

impl From<std::collections::BTreeMap<String, String>> for Files {
    fn from(map: std::collections::BTreeMap<String, String>) -> Self {
        Self(map.into_values().collect())
    }
}

/// The path of a shard; it may not leave the directory of its index.
fn beside(index: &Path, name: &str) -> Result<PathBuf, Error> {
    if Path::new(name).file_name().is_none_or(|file| file != name) {
        return Err(Error::Damaged {
            path: index.to_owned(),
            reason: format!("weight_map names {name:?}, which is not a file in the same directory"),
        });
    }
    Ok(index.with_file_name(name))
}

fn read_file(path: &Path, collector: &mut Collector) -> Result<(), Error> {
    refuse_lfs_pointer(path)?;
    if path.extension().is_some_and(|extension| extension == "safetensors") {
        safetensors::read(path, collector)
    } else {
        torch::read(path, collector)
    }
}

/// A clone without git-lfs leaves a note of a few lines in place of each large file.
fn refuse_lfs_pointer(path: &Path) -> Result<(), Error> {
    use std::io::Read;
    let mut start = Vec::new();
    fs_err::File::open(path)?.take(42).read_to_end(&mut start)?;
    if !start.starts_with(b"version https://git-lfs") {
        return Ok(());
    }
    let reason =
        "it is a Git LFS pointer and not the file itself; run `git lfs pull` where it came from";
    Err(Error::Damaged { path: path.to_owned(), reason: reason.to_owned() })
}
