//! Models by name from the Hugging Face hub: `org/name[@revision]`, fetched once into the shared cache.
//!
//! Reached only when the name is no folder. What is in the cache is used without asking the network; a file counts as
//! fetched when the weights are there, which come last. `HF_HOME`, `HF_ENDPOINT`, `HF_TOKEN` and `HF_HUB_OFFLINE` mean
//! what they mean to Hugging Face's own tools.

use std::path::{Path, PathBuf};

use hf_hub::api::sync::{ApiBuilder, ApiError, ApiRepo};
use hf_hub::{Cache, Repo, RepoType};
use indicatif::ProgressBar;

use crate::error::Error;
use crate::number::{bytes, counted};
use crate::printer::Printer;

/// The model that people mean when they do not say.
pub(crate) const DEFAULT_MODEL: &str = "openai/clip-vit-base-patch32";

/// Small files of a model directory, fetched where they exist.
const SMALL: &[&str] = &[
    "config.json",
    "open_clip_config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.json",
    "merges.txt",
];

/// Files of weights, best first; only one of them is fetched. An index stands for its shards.
const WEIGHTS: &[&str] = &[
    "model.safetensors",
    "model.safetensors.index.json",
    "open_clip_model.safetensors",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "open_clip_pytorch_model.bin",
];

/// A model's name on the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Id {
    name: String,
    revision: Option<String>,
}

impl Id {
    /// Reads `org/name[@revision]`; none where the text can only be a path.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (name, revision) = match text.split_once('@') {
            Some((name, revision)) => (name, Some(revision.to_owned())),
            None => (text, None),
        };
        let (organisation, model) = name.split_once('/')?;
        let plain = |part: &str| {
            let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
            !part.is_empty() && !part.starts_with('.') && part.chars().all(allowed)
        };
        let sound = plain(organisation) && plain(model) && revision.as_deref() != Some("");
        sound.then(|| Self { name: name.to_owned(), revision })
    }

    fn repo(&self) -> Repo {
        match &self.revision {
            Some(revision) => {
                Repo::with_revision(self.name.clone(), RepoType::Model, revision.clone())
            }
            None => Repo::new(self.name.clone(), RepoType::Model),
        }
    }
}

/// The folder of the model, fetched if it is not in the cache yet.
pub(crate) fn fetch(id: &Id, printer: &Printer) -> anyhow::Result<PathBuf> {
    if let Some(dir) = cached(id) {
        tracing::info!("{}: found in {}", id.name, dir.display());
        return Ok(dir);
    }
    if std::env::var_os("HF_HUB_OFFLINE").is_some_and(|value| !value.is_empty() && value != "0") {
        return Err(failed(id, "it is not in the cache, and HF_HUB_OFFLINE is set").into());
    }
    Ok(download(id, printer).map_err(|error| failed(id, reason(&error)))?)
}

fn failed(id: &Id, reason: impl Into<String>) -> Error {
    Error::Fetch { id: id.name.clone(), reason: reason.into() }
}

/// The folder in the cache, if the weights are there.
fn cached(id: &Id) -> Option<PathBuf> {
    let repo = Cache::from_env().repo(id.repo());
    let weights = WEIGHTS.iter().find_map(|name| repo.get(name))?;
    weights.parent().map(Path::to_owned)
}

fn download(id: &Id, printer: &Printer) -> Result<PathBuf, ApiError> {
    let api =
        ApiBuilder::from_env().with_user_agent("finelens", env!("CARGO_PKG_VERSION")).build()?;
    let repo = api.repo(id.repo());
    let there: Vec<String> = repo.info()?.siblings.into_iter().map(|file| file.rfilename).collect();
    let files = wanted(&there);
    let size = |name: &String| api.metadata(&repo.url(name)).map(|file| file.size() as u64);
    let sizes: Vec<u64> = files.iter().map(size).collect::<Result<_, _>>()?;
    let (count, total) = (counted(files.len(), "file"), bytes(sizes.iter().sum()));
    printer.say(format_args!("{}: fetching {count}, {total}, from the Hugging Face hub", id.name));
    let mut last = None;
    for name in &files {
        last = Some(download_file(&repo, name, printer)?);
    }
    let folder = last.as_deref().and_then(Path::parent).map(Path::to_owned);
    folder.ok_or_else(|| std::io::Error::other("the model has no files that can be read").into())
}

fn download_file(repo: &ApiRepo, name: &str, printer: &Printer) -> Result<PathBuf, ApiError> {
    if printer.bars() {
        repo.download_with_progress(name, ProgressBar::new(0))
    } else {
        repo.download_with_progress(name, ())
    }
}

/// The files of a model among all that are there, in order: small ones, shards, and last the one that says that all is
/// there.
pub(crate) fn wanted(there: &[String]) -> Vec<String> {
    let has = |name: &&&str| there.iter().any(|file| file == **name);
    let small = SMALL.iter().filter(has).map(ToString::to_string);
    let weights = WEIGHTS.iter().find(has);
    let shards = weights
        .and_then(|name| name.strip_suffix(".index.json"))
        .map_or(Vec::new(), |file| shards(there, file));
    small.chain(shards).chain(weights.map(ToString::to_string)).collect()
}

/// `model-00001-of-00002.safetensors` and the like.
fn shards(there: &[String], whole: &str) -> Vec<String> {
    let (stem, ending) = whole.split_once('.').unwrap_or((whole, ""));
    let is_shard = |name: &&String| {
        name.strip_prefix(stem).is_some_and(|rest| rest.starts_with('-'))
            && name.ends_with(ending)
            && !name.contains('/')
    };
    there.iter().filter(is_shard).cloned().collect()
}

/// What went wrong, in one sentence.
fn reason(error: &ApiError) -> String {
    let text = error.to_string();
    match ["status: 401", "status: 403", "status: 404"]
        .iter()
        .find(|status| text.contains(**status))
    {
        Some(status) => format!("the hub has no such model, or it is private ({status})"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_slash_and_perhaps_a_revision() {
        let id = Id::parse("openai/clip-vit-base-patch32@main").unwrap();
        assert_eq!(
            (id.name.as_str(), id.revision.as_deref()),
            ("openai/clip-vit-base-patch32", Some("main"))
        );
        assert!(Id::parse(DEFAULT_MODEL).is_some());
        for path in ["model", "./model", "../a/b", "/a/b", "a/b/c", "a/", "a/b@", "a b/c", "~/x"] {
            assert_eq!(Id::parse(path), None, "{path}");
        }
    }

    #[test]
    fn weights_are_fetched_once_and_last() {
        let there =
            ["pytorch_model.bin", "README.md", "model.safetensors", "vocab.json", "config.json"];
        let found = wanted(&there.map(str::to_owned));
        assert_eq!(found, ["config.json", "vocab.json", "model.safetensors"]);
    }

    #[test]
    fn an_index_brings_its_shards_and_comes_after_them() {
        let there = [
            "model.safetensors.index.json",
            "model-1-of-2.safetensors",
            "model-2-of-2.safetensors",
            "x/model-3.safetensors",
        ];
        let found = wanted(&there.map(str::to_owned));
        assert_eq!(
            found,
            [
                "model-1-of-2.safetensors",
                "model-2-of-2.safetensors",
                "model.safetensors.index.json"
            ]
        );
    }
}
