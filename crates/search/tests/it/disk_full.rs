//! The disk is full, again and again: changes fail, and nothing that was acknowledged is lost.

use std::path::{Path, PathBuf};
use std::process::Command;

use finelens_search::Embedded;

use crate::changes::{Pictures, Step};
use crate::check::{difference, faults, generations};
use crate::pictures::settings;
use crate::power::{mark, record};

/// The folder that a child of ours works in.
const DIR: &str = "FINELENS_FULL_DIR";

/// Bytes that there is room for, one try after the other.
const ROOMS: [u64; 7] = [0, 1_000, 9_000, 40_000, 120_000, 300_000, 700_000];

fn steps() -> Vec<Step> {
    vec![
        Step::first(),
        Step::Put((0..20).collect(), 2),
        Step::Update((5..12).collect(), 3),
        Step::Delete((3..9).collect()),
        Step::Optimise,
        Step::Put((7..30).collect(), 4),
        Step::Fit,
        Step::Compact,
        Step::Put((25..50).collect(), 5),
        Step::Renew,
        Step::Delete((10..30).collect()),
        Step::Probes(3),
        Step::Optimise,
        Step::Put((0..9).collect(), 6),
    ]
}

/// Not a test of its own: it is run as a program whose disk is full.
#[test]
fn child() {
    let Some(dir) = std::env::var_os(DIR).map(PathBuf::from) else { return };
    let mut pictures = Pictures::new();
    let mut index = Embedded::create(&dir, &settings("model")).unwrap();
    let mut failures = 0;
    for step in steps() {
        failures += try_until_it_works(&index, &step, &pictures, &dir);
        step.apply(&mut pictures);
        assert_eq!(difference(&index, &pictures), Ok(()), "after {step:?}");
        // What is derived cannot be written when the index is closed.
        mark("room 0");
        drop(index);
        mark("room -1");
        index = Embedded::open(&dir).unwrap();
        assert_eq!(difference(&index, &pictures), Ok(()), "opened after {step:?}");
    }
    assert!(failures > steps().len(), "only {failures} failures");
    assert_eq!(faults(&index).unwrap(), Vec::<String>::new());
    assert_eq!(generations(&dir).len(), 1);
    println!("{failures} changes failed for want of room");
}

/// Gives more room until a change succeeds, and returns how often it failed.
fn try_until_it_works(index: &Embedded, step: &Step, pictures: &Pictures, dir: &Path) -> usize {
    for (failures, room) in ROOMS.iter().enumerate() {
        mark(&format!("room {room}"));
        let done = step.run(index, pictures);
        if done.is_ok() {
            mark("room -1");
            return failures;
        }
        let compared = difference(index, pictures);
        assert_eq!(compared, Ok(()), "after {step:?} with room for {room}: {done:?}");
        if *step == Step::Compact {
            assert_eq!(generations(dir).len(), 1, "what was begun is removed");
        }
    }
    mark("room -1");
    step.run(index, pictures).unwrap();
    ROOMS.len()
}

#[test]
fn a_full_disk_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "disk_full::child", "--nocapture"]).env(DIR, dir.path());
    record(&mut command, dir.path());
}
