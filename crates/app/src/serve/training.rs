//! What a run left beside its model: how it was trained, and how good it became.
//!
//! The files are read as they are; what is not there, or was written by another version, is left out.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::model::RUN_FILE;
use crate::proof::EVALUATION_FILE;

/// How a model was trained.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub(crate) struct Training {
    /// What it was before.
    model: Option<String>,
    /// What it learned from.
    data: Option<String>,
    epochs: Option<i64>,
    /// Pairs in a batch.
    batch: Option<i64>,
    learning_rate: Option<f64>,
    parameters: Option<u64>,
    train_images: Option<u64>,
    train_captions: Option<u64>,
    steps: Option<u64>,
    device: Option<String>,
    /// How long the last part of it took.
    seconds: Option<f64>,
}

/// How good a model is on pictures that it has not learned from.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Evaluation {
    /// Which part of the data.
    split: Option<String>,
    images: Option<u64>,
    texts: Option<u64>,
    /// In full-corpus retrieval, own captions being right.
    metrics: Vec<Measured>,
}

/// A metric, as a share.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Measured {
    /// Such as `t2i_r@10`.
    name: String,
    /// Of the model before, where it was measured too.
    before: Option<f64>,
    after: f64,
    /// Lower end of the 95 % interval.
    low: Option<f64>,
    /// Upper end of it.
    high: Option<f64>,
    /// Of a random ranking.
    chance: Option<f64>,
}

/// What is known of a model by its folder: a run, or a checkpoint in one.
pub(crate) fn of_run(model: &Path) -> (Option<Training>, Option<Evaluation>) {
    let run = [Some(model), model.parent()].into_iter().flatten();
    match run.map(Path::to_owned).find(|dir| dir.join(RUN_FILE).is_file()) {
        Some(run) => (training(&run), evaluation(&run)),
        None => (None, None),
    }
}

fn training(run: &Path) -> Option<Training> {
    let text = fs_err::read_to_string(run.join(RUN_FILE)).ok()?;
    let recipe: toml::Table = text.parse().ok()?;
    let table = |name: &str| recipe.get(name).and_then(toml::Value::as_table);
    let events = fs_err::read_to_string(run.join("events.jsonl")).unwrap_or_default();
    let started = event(events.lines(), "started").unwrap_or_default();
    let stopped = event(events.lines().rev(), "stopped").unwrap_or_default();
    Some(Training {
        model: recipe.get("model").and_then(toml::Value::as_str).map(name_of),
        data: table("data").and_then(|data| data.get("path")?.as_str()).map(name_of),
        epochs: recipe.get("epochs").and_then(toml::Value::as_integer),
        batch: recipe.get("batch").and_then(toml::Value::as_integer),
        learning_rate: table("optimizer").and_then(|table| table.get("learning_rate")?.as_float()),
        parameters: started["parameters"].as_u64(),
        train_images: started["train_images"].as_u64(),
        train_captions: started["train_captions"].as_u64(),
        steps: started["steps"].as_u64(),
        device: started["device"].as_str().map(str::to_owned),
        seconds: stopped["seconds"].as_f64(),
    })
}

/// The first event of a kind.
fn event<'a>(mut lines: impl Iterator<Item = &'a str>, kind: &str) -> Option<Value> {
    lines.find_map(|line| {
        let event = line.contains(kind).then(|| serde_json::from_str::<Value>(line).ok())??;
        (event["event"] == kind).then_some(event)
    })
}

/// The last two parts of a path: a folder, and what is in it. A hub id has no more.
fn name_of(path: &str) -> String {
    let parts: PathBuf = Path::new(path).components().rev().take(2).collect();
    let parts: PathBuf = parts.components().rev().collect();
    let shown = parts.display().to_string();
    shown.trim_start_matches('/').to_owned()
}

fn evaluation(run: &Path) -> Option<Evaluation> {
    let text = fs_err::read_to_string(run.join(EVALUATION_FILE)).ok()?;
    let proof: Value = serde_json::from_str(&text).ok()?;
    let record = &proof["evaluation"];
    let before = &proof["against"]["evaluation"]["retrieval"]["metrics"];
    let metrics = record["retrieval"]["metrics"].as_object()?.iter().filter_map(|(name, value)| {
        Some(Measured {
            name: name.clone(),
            before: before[name]["value"].as_f64(),
            after: value["value"].as_f64()?,
            low: value["low"].as_f64(),
            high: value["high"].as_f64(),
            chance: value["chance"].as_f64(),
        })
    });
    Some(Evaluation {
        split: proof["split"].as_str().map(str::to_owned),
        images: record["images"].as_u64(),
        texts: record["texts"].as_u64(),
        metrics: metrics.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_read_from_its_own_folder_or_from_a_checkpoint_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs_err::write(dir.path().join(name), text).unwrap();
        write(
            RUN_FILE,
            "model = \"/models/b32\"\nepochs = 3\n[optimizer]\nlearning_rate = 0.001\n",
        );
        write(
            "events.jsonl",
            "{\"event\":\"started\",\"parameters\":12}\n{\"event\":\"stopped\",\"seconds\":1.5}\n{\"half",
        );
        write(
            EVALUATION_FILE,
            r#"{"evaluation": {"images": 2, "retrieval": {"metrics": {"t2i_r@1": {"value": 0.5}}}},
                "against": {"evaluation": {"retrieval": {"metrics": {"t2i_r@1": {"value": 0.25}}}}}}"#,
        );
        for model in [dir.path().to_owned(), dir.path().join("best")] {
            let (training, evaluation) = of_run(&model);
            let training = training.unwrap();
            assert_eq!(training.model.as_deref(), Some("models/b32"));
            assert_eq!((training.epochs, training.learning_rate), (Some(3), Some(0.001)));
            assert_eq!((training.parameters, training.seconds), (Some(12), Some(1.5)));
            let metrics = evaluation.unwrap().metrics;
            assert_eq!((metrics[0].before, metrics[0].after), (Some(0.25), 0.5));
        }
        assert_eq!(of_run(Path::new("openai/clip-vit-base-patch32")), (None, None));
    }
}
