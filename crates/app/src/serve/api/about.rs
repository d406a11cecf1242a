//! What is served: which pictures, with which model, trained how, and how good.
//!
//! Folders are called by their own names here; where they are is the server's to know.

use std::path::Path;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use finelens_clip::config::{Config, PRESETS, Preset};
use finelens_search::Stats;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::RuleDocument;
use super::question::LONGEST_PAGE;
use crate::cli::language_name;
use crate::indexing;
use crate::serve::collection::Collection;
use crate::serve::embedding;
use crate::serve::failure::{Failure, FailureBody};
use crate::serve::finding::Learning;
use crate::serve::guard::FORM;
use crate::serve::state::{Served, Which};
use crate::serve::training::{Evaluation, Training, of_run};

/// What is served.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct About {
    /// Of finelens.
    version: &'static str,
    indexes: Vec<Index>,
    /// Whether pictures can be added, changed and deleted.
    writable: bool,
    limits: Limits,
}

/// What a request may ask at most.
#[derive(Debug, Serialize, ToSchema)]
struct Limits {
    /// Hits on a page.
    page: usize,
    /// Bytes of a request.
    upload_bytes: u64,
}

/// An index.
#[derive(Debug, Serialize, ToSchema)]
struct Index {
    name: Which,
    /// What its folder is called.
    path_name: String,
    pictures: usize,
    /// Numbers in a vector.
    dim: usize,
    /// What the vectors were computed in, in the order in which it came: `f32`, `bf16`, `int8`, or `unknown` before it was noted.
    precisions: Vec<String>,
    /// Recall@10 of the fast search against the exact one, by captions where there were some.
    recall: Option<f32>,
    /// How the two legs are put together: `rrf` or `convex`.
    rule: &'static str,
    /// Share of the vector under `convex`.
    weight: Option<f32>,
    /// On disk.
    bytes: u64,
    /// Of the captions.
    language: &'static str,
    model: Model,
    /// How far finding things in pictures is with learning how the pictures look.
    finding: Learning,
    /// How the model was trained, where its run is still there.
    training: Option<Training>,
    /// How good it is, where its run was measured.
    evaluation: Option<Evaluation>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Model {
    /// A hub id, or what its folder is called.
    name: String,
    /// Fingerprint of its files.
    hash: String,
    /// The preset of `finelens init` that has its size, if one has.
    preset: Option<&'static str>,
    /// Side of the square that a picture becomes, in pixels.
    image_size: Option<usize>,
    /// `loading`, `ready` or `failed`.
    state: &'static str,
}

/// What is served, and how well it works.
#[utoipa::path(
    get, path = "/api/about", operation_id = "about", tag = "about",
    responses(
        (status = 200, body = About),
        (status = 429, body = FailureBody, description = "too much is asked; see Retry-After"),
    )
)]
pub(crate) async fn get(State(served): State<Arc<Served>>) -> Result<Json<About>, Failure> {
    let admitted = served.gate.enter()?;
    let (told, _) = admitted.work(move || about(&served)).await?;
    told.map(Json)
}

fn about(served: &Served) -> Result<About, Failure> {
    let indexes = served.collections().map(|(name, collection)| index(name, collection));
    Ok(About {
        version: env!("CARGO_PKG_VERSION"),
        indexes: indexes.collect::<Result<_, _>>()?,
        writable: !served.read_only,
        limits: Limits { page: LONGEST_PAGE, upload_bytes: FORM },
    })
}

fn index(name: Which, collection: &Collection) -> Result<Index, Failure> {
    let stats = collection.stats()?;
    let settings = collection.reader.settings();
    let RuleDocument { kind, weight } = stats.rule.into();
    let (training, evaluation) = of_run(Path::new(&settings.model.name));
    let config = config(collection, &settings.model.name);
    Ok(Index {
        name,
        path_name: called(&collection.path),
        pictures: stats.pictures,
        dim: stats.dim,
        precisions: indexing::precisions(&collection.reader)?,
        recall: recall(&stats),
        rule: kind,
        weight,
        bytes: stats.disk.iter().map(|(_, bytes)| bytes).sum(),
        language: language_name(settings.language),
        model: Model {
            name: model_name(&settings.model.name),
            hash: settings.model.hash,
            preset: config.as_ref().and_then(preset),
            image_size: config.map(|config| config.vision.image_size),
            state: state(collection)?,
        },
        finding: collection.finding.learning(),
        training,
        evaluation,
    })
}

/// What shape the model has, where its folder is still there.
fn config(collection: &Collection, name: &str) -> Option<Config> {
    let said = collection.said.as_deref().unwrap_or(name);
    [Path::new(said).to_owned(), Path::new(said).join("best")]
        .iter()
        .find_map(|dir| Config::load(dir).ok())
}

/// The preset with towers of the same size; the size of pictures may be another.
fn preset(config: &Config) -> Option<&'static str> {
    let same = |preset: &&Preset| {
        let other = preset.config(config.text.vocab_size);
        other.vision.tower.width == config.vision.tower.width
            && other.vision.tower.layers == config.vision.tower.layers
            && other.vision.patch_size == config.vision.patch_size
            && other.text.tower.width == config.text.tower.width
            && other.text.tower.layers == config.text.tower.layers
            && other.embed_dim == config.embed_dim
    };
    PRESETS.iter().find(same).map(|preset| preset.name)
}

fn recall(stats: &Stats) -> Option<f32> {
    stats.recall.map(|recall| recall.texts.unwrap_or(recall.images))
}

fn state(collection: &Collection) -> Result<&'static str, Failure> {
    Ok(match collection.embedding()?.state() {
        embedding::State::Loading => "loading",
        embedding::State::Ready(_) => "ready",
        embedding::State::Failed(_) => "failed",
    })
}

/// The last part of a path, which `.` has only in full.
fn called(path: &Path) -> String {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    whole.file_name().unwrap_or(whole.as_os_str()).to_string_lossy().into_owned()
}

/// A hub id as it is; of a folder its name, and of a checkpoint that of its run, too.
fn model_name(name: &str) -> String {
    let path = Path::new(name);
    if !path.is_absolute() {
        return name.to_owned();
    }
    match (called(path), path.parent()) {
        (last, Some(run)) if matches!(last.as_str(), "best" | "last") => {
            format!("{}/{last}", called(run))
        }
        (last, _) => last,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preset_is_known_by_its_towers() {
        let mut config = Config::preset("vit-b-16", 49_408).unwrap();
        assert_eq!(preset(&config), Some("vit-b-16"));
        config.vision.image_size = 384;
        assert_eq!(preset(&config), Some("vit-b-16"));
        config.text.tower.layers = 6;
        assert_eq!(preset(&config), None);
    }

    #[test]
    fn a_model_is_called_by_its_folder_and_never_by_its_path() {
        assert_eq!(model_name("openai/clip-vit-base-patch32"), "openai/clip-vit-base-patch32");
        assert_eq!(model_name("/home/me/runs/photos"), "photos");
        assert_eq!(model_name("/home/me/runs/photos/best"), "photos/best");
        assert_eq!(called(Path::new("photos.index/")), "photos.index");
    }
}
