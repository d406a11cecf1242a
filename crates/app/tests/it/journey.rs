//! The main job from end to end, on drawings small enough for a test.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::folder::Folder;

/// Settings that make a run small and a kill likely to hit it in the middle.
const SMALL: [&str; 8] = [
    "--set",
    "batch=8",
    "--set",
    "epochs=4",
    "--set",
    "save_every_steps=1",
    "--set",
    "optimizer.learning_rate=5e-4",
];

/// Steps of such a run on 24 pictures.
const STEPS: usize = 12;

fn train(out: &str) -> Vec<&str> {
    [&["train", "data", "--model", "model", "--out", out][..], &SMALL].concat()
}

/// The steps that the log of a run has.
fn steps(folder: &Folder, run: &str) -> usize {
    let log = fs_err::read_to_string(folder.path(run).join("events.jsonl")).unwrap_or_default();
    log.lines().filter(|line| line.contains("\"event\":\"step\"")).count()
}

#[test]
fn a_model_is_made_trained_measured_and_exported() {
    let folder = Folder::with_scenes(24, 12);
    folder.init();
    let printed = folder.succeeds(&train("run"));
    assert!(printed.contains("before") && printed.contains("t2i R@10 %"), "{printed}");
    for name in [
        "run.toml",
        "events.jsonl",
        "eval.json",
        "best/model.safetensors",
        "last/model.safetensors",
    ] {
        assert!(folder.path("run").join(name).exists(), "{name}");
    }
    let json = folder.succeeds(&[
        "eval",
        "data",
        "--model",
        "run",
        "--against",
        "model",
        "--json",
        "--quiet",
    ]);
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["split"], "valid");
    assert_eq!(document["evaluation"]["images"], 12);
    assert!(
        document["against"]["comparison"]["metrics"]["t2i_r@10"]["p_value"].is_number(),
        "{json}"
    );

    folder.succeeds(&["export", "run", "--to", "hugging-face", "--out", "out"]);
    let weights = |dir: &str| fs_err::read(folder.path(dir).join("model.safetensors")).unwrap();
    assert!(weights("out") == weights("run/best"), "what is exported must be what was best");
    folder.succeeds(&["export", "run", "--to", "open-clip", "--out", "open"]);
    assert!(folder.path("open/open_clip_config.json").exists());
    assert_eq!(
        folder.succeeds(&["eval", "data", "--model", "open", "-q"]).lines().nth(8),
        folder.succeeds(&["eval", "data", "--model", "out", "-q"]).lines().nth(8)
    );
}

#[test]
fn a_run_that_was_killed_goes_on_to_the_same_bits() {
    let folder = Folder::with_scenes(24, 12);
    folder.init();
    folder.succeeds(&train("whole"));
    assert_eq!(steps(&folder, "whole"), STEPS);

    let mut child = folder
        .command(&train("killed"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while steps(&folder, "killed") < 5 {
        assert!(began.elapsed() < Duration::from_mins(1), "no five steps in a minute");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    assert!(child.wait().unwrap().code().is_none(), "the run ended before it was killed");

    folder.succeeds(&["train", "--resume", "--out", "killed"]);
    assert_eq!(steps(&folder, "killed"), STEPS);
    for name in [
        "best/model.safetensors",
        "last/model.safetensors",
        "last/second_moments/model.safetensors",
    ] {
        let [whole, killed] =
            ["whole", "killed"].map(|run| fs_err::read(folder.path(run).join(name)).unwrap());
        assert!(whole == killed, "{name} differs");
    }
}

#[test]
fn a_floor_that_is_not_reached_is_status_1_even_when_quiet() {
    let folder = Folder::with_scenes(4, 12);
    folder.init();
    let words =
        ["eval", "data", "--model", "model", "--quiet", "--json", "--fail-under", "t2i_r@1=1.0"];
    let output = folder.run(&words);
    assert_eq!(output.status.code(), Some(1), "{}", folder.shown(&output));
    assert!(folder.shown(&output).contains("t2i_r@1 is 0."), "{}", folder.shown(&output));
}

#[test]
fn features_and_classes_come_with_an_evaluation() {
    let folder = Folder::with_scenes(4, 12);
    folder.init();
    folder.write("classes.txt", finelens::scenes::aerial_classes().join("\n"));
    let words = [
        "eval",
        "data",
        "--model",
        "model",
        "--classes",
        "classes.txt",
        "--prompt",
        "a view of {}",
        "--prompt",
        "{class} from above",
        "--features",
        "f.safetensors",
    ];
    let printed = folder.succeeds(&words);
    assert!(printed.contains("zero-shot Hits@1 %"), "{printed}");
    assert!(printed.contains("12 among 26"), "{printed}");
    let bytes = fs_err::read(folder.path("f.safetensors")).unwrap();
    let features = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(features.tensor("image_features").unwrap().shape(), [12, 128]);
    assert_eq!(features.tensor("text_features").unwrap().shape(), [60, 128]);
}

#[test]
fn a_broken_picture_is_named_and_counted_and_strict_allows_none() {
    let folder = Folder::with_scenes(4, 12);
    folder.init();
    let captions = fs_err::read_to_string(folder.path("data/captions.jsonl")).unwrap();
    let last: serde_json::Value = serde_json::from_str(captions.lines().last().unwrap()).unwrap();
    folder.write(&format!("data/{}", last["image"].as_str().unwrap()), "not a picture");
    let told = folder.run(&["eval", "data", "--model", "model"]);
    assert_eq!(told.status.code(), Some(0), "{}", folder.shown(&told));
    assert!(folder.shown(&told).contains("1 picture skipped"), "{}", folder.shown(&told));
    let strict = folder.run(&["eval", "data", "--model", "model", "--strict"]);
    assert_eq!(strict.status.code(), Some(2), "{}", folder.shown(&strict));
}
