//! A small model learns colours and places, stops, goes on to the same bits, and keeps its best.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::ops::ControlFlow;
use std::path::Path;

use finelens_clip::{Checkpoint, Config, Tokenizer};
use finelens_compute::Cpu;
use finelens_data::{Dataset, Options, Split};
use finelens_finetune::config::{AugmentConfig, OptimizerConfig, StopConfig};
use finelens_finetune::{Error, Event, Outcome, RunDir, StopReason, TrainConfig, TrainData, train};

const COLOURS: [(&str, [u8; 3]); 6] = [
    ("red", [220, 30, 30]),
    ("green", [30, 200, 30]),
    ("blue", [30, 30, 220]),
    ("white", [250, 250, 250]),
    ("yellow", [230, 230, 30]),
    ("black", [10, 10, 10]),
];

/// Squares of one colour on another, in the upper or the lower half.
fn draw(dir: &Path) -> Dataset {
    let mut rows = String::from("image,caption,split\n");
    fs_err::create_dir(dir.join("images")).unwrap();
    for (i, (name, colour)) in COLOURS.iter().enumerate() {
        for (j, (ground, back)) in COLOURS.iter().enumerate().filter(|(j, _)| *j != i) {
            for (place, top) in [("top", 4), ("bottom", 36)] {
                let inside = |x: u32, y: u32| (16..48).contains(&x) && (top..top + 24).contains(&y);
                let pixel = |x, y| image::Rgb(if inside(x, y) { *colour } else { *back });
                let file = format!("{name}-{ground}-{place}.png");
                image::RgbImage::from_fn(64, 64, pixel)
                    .save(dir.join("images").join(&file))
                    .unwrap();
                let split = if (i + 2 * j) % 4 == 0 { "valid" } else { "train" };
                let row = format!("{file},a {name} square at the {place} on {ground},{split}\n");
                rows.push_str(&row);
            }
        }
    }
    fs_err::write(dir.join("captions.csv"), rows).unwrap();
    finelens_data::open(dir, &Options::default()).unwrap()
}

fn checkpoint(dataset: &Dataset) -> Checkpoint {
    let captions = dataset.examples.iter().flat_map(|e| e.captions.iter().map(String::as_str));
    let tokenizer = Tokenizer::train(captions, 600);
    let mut config = Config::preset("tiny", tokenizer.vocab_size()).unwrap();
    config.text.pooling = finelens_clip::config::Pooling::EndToken(tokenizer.end_token());
    for tower in [&mut config.vision.tower, &mut config.text.tower] {
        (tower.width, tower.layers, tower.heads, tower.mlp_width) = (48, 1, 2, 96);
    }
    config.vision.patch_size = 16;
    Checkpoint::init(config, tokenizer, 1).unwrap()
}

fn config() -> TrainConfig {
    TrainConfig {
        epochs: 6,
        batch: 10,
        save_every_steps: 3,
        optimizer: OptimizerConfig { learning_rate: 2e-3, ..OptimizerConfig::default() },
        augment: AugmentConfig { flip_horizontal: 0.5, crop_area: 0.9, ..AugmentConfig::default() },
        stop: StopConfig { patience: 0, ..StopConfig::default() },
        ..TrainConfig::default()
    }
}

/// Trains in `run` and tells every event to `listen`.
fn run(
    config: &TrainConfig,
    dataset: &Dataset,
    run: &RunDir,
    listen: &mut dyn FnMut(&Event) -> ControlFlow<()>,
) -> Result<Outcome, Error> {
    let (train_split, valid) = (dataset.split(Split::Train), dataset.split(Split::Valid));
    let data = TrainData { train: &train_split, valid: &valid };
    train(config, data, checkpoint(dataset), Box::new(Cpu::new()), run, listen)
}

fn weights_of(dir: &Path) -> Vec<u8> {
    fs_err::read(dir.join("model.safetensors")).unwrap()
}

#[test]
fn a_model_learns_what_it_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = draw(dir.path());
    let place = RunDir::create(&dir.path().join("run")).unwrap();
    let mut values = Vec::new();
    let config = TrainConfig { epochs: 12, ..config() };
    let outcome = run(&config, &dataset, &place, &mut |event| {
        if let Event::Evaluated { value, .. } = event {
            values.push(*value);
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(outcome.reason, StopReason::Finished);
    let (first, best) = (values[0], outcome.progress.best.unwrap().1);
    assert!(first < 0.5 && best > 0.7, "{values:?}");
    let loaded = Checkpoint::load(&place.best()).unwrap();
    assert_ne!(loaded.tensors, checkpoint(&dataset).tensors);
    let log = fs_err::read_to_string(place.path().join("events.jsonl")).unwrap();
    assert_eq!(
        log.lines().filter(|line| line.contains("\"event\":\"step\"")).count(),
        outcome.progress.step
    );
}

#[test]
fn a_checkpoint_that_cannot_be_written_ends_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = draw(dir.path());
    let place = RunDir::create(&dir.path().join("run")).unwrap();
    // A file where a folder is to be made.
    fs_err::write(place.path().join("last.new"), "").unwrap();
    let error = run(&config(), &dataset, &place, &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert!(error.to_string().contains("last.new"), "{error}");
}

#[test]
fn what_is_kept_in_memory_changes_no_bit() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = draw(dir.path());
    let trained = |cache_mib: usize| {
        let place = RunDir::create(&dir.path().join(format!("run{cache_mib}"))).unwrap();
        let config = TrainConfig { epochs: 3, cache_mib, ..config() };
        run(&config, &dataset, &place, &mut |_| ControlFlow::Continue(())).unwrap();
        weights_of(&place.last())
    };
    assert_eq!(trained(0), trained(64));
}

#[test]
fn stopping_anywhere_and_going_on_changes_no_bit() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = draw(dir.path());
    let through = RunDir::create(&dir.path().join("through")).unwrap();
    let whole = run(&config(), &dataset, &through, &mut |_| ControlFlow::Continue(())).unwrap();
    let halting = dir.path().join("halting");
    let mut place = RunDir::create(&halting).unwrap();
    for stop_at in [2, 5, 8, 9] {
        let outcome = run(&config(), &dataset, &place, &mut |event| match event {
            Event::Step { step, .. } if *step == stop_at => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        })
        .unwrap();
        assert_eq!((outcome.reason, outcome.progress.step), (StopReason::Interrupted, stop_at));
        place = RunDir::open(&halting).unwrap();
    }
    let outcome = run(&config(), &dataset, &place, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(outcome.progress, whole.progress);
    assert_eq!(weights_of(&place.last()), weights_of(&through.last()));
    assert_eq!(weights_of(&place.best()), weights_of(&through.best()));
    let steps = |run: &RunDir| {
        let log = fs_err::read_to_string(run.path().join("events.jsonl")).unwrap();
        let events =
            log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        events
            .filter(|e| e["event"] == "step")
            .map(|e| (e["step"].clone(), e["loss"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(steps(&place), steps(&through));
}

#[test]
fn patience_ends_a_run_that_gets_no_better() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = draw(dir.path());
    let place = RunDir::create(&dir.path().join("run")).unwrap();
    let mut config = config();
    config.optimizer.learning_rate = 0.0;
    config.stop.patience = 2;
    let outcome = run(&config, &dataset, &place, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((outcome.reason, outcome.progress.best.unwrap().0), (StopReason::OutOfPatience, 0));
    assert_eq!(Checkpoint::load(&place.best()).unwrap().tensors, checkpoint(&dataset).tensors);
}

#[test]
fn pictures_that_cannot_be_read_are_named_and_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = draw(dir.path());
    let broken = dataset.split(Split::Train)[3].image.clone();
    fs_err::write(&broken, b"no picture").unwrap();
    let place = RunDir::create(&dir.path().join("run")).unwrap();
    let mut skipped = Vec::new();
    let config = TrainConfig { epochs: 1, batch: 4, ..config() };
    let outcome = run(&config, &dataset, &place, &mut |event| {
        if let Event::Skipped { what } = event {
            skipped.push(what.clone());
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!((outcome.unreadable, skipped.len()), (1, 1));
    assert!(skipped[0].contains(&*broken.to_string_lossy()));
}

#[test]
fn settings_and_splits_are_checked_before_the_first_step() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = draw(dir.path());
    let place = RunDir::create(&dir.path().join("run")).unwrap();
    let train_split = dataset.split(Split::Train);
    let data = TrainData { train: &train_split, valid: &[] };
    let mut nothing = |_: &Event| ControlFlow::Continue(());
    let error =
        train(&config(), data, checkpoint(&dataset), Box::new(Cpu::new()), &place, &mut nothing)
            .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the validation split has 0 usable images, at least 2 are needed"
    );
    assert!(matches!(RunDir::open(place.path()), Err(Error::NoCheckpoint { .. })));
}
