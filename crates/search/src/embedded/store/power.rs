//! A store whose disk loses power, fills up or fails.

#[path = "../../../tests/power/mod.rs"]
mod recorder;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use recorder::{Log, Operation, mark, record};

use super::tests::{contents, item, settings};
use super::{Change, Store};
use crate::embedded::folder::Folder;
use crate::error::Error;
use crate::record::{Item, Record};

const DIM: usize = 40;
const BATCHES: u32 = 60;
/// The folder that a child of ours works in.
const DIR: &str = "STORE_POWER_DIR";

type Contents = BTreeMap<String, Item>;

enum Step {
    Put(Item),
    Update(Record),
    Delete(String),
}

impl Step {
    fn change(&self) -> Change<'_> {
        match self {
            Self::Put(item) => Change::Put(item),
            Self::Update(record) => Change::Update(record),
            Self::Delete(id) => Change::Delete(id),
        }
    }

    /// The obvious store.
    fn apply(&self, contents: &mut Contents) {
        match self {
            Self::Put(item) => drop(contents.insert(item.record.id.clone(), item.clone())),
            Self::Update(record) => contents.get_mut(&record.id).unwrap().record = record.clone(),
            Self::Delete(id) => drop(contents.remove(id)),
        }
    }
}

/// The changes of one batch; `contents` is what there is before, and afterwards what there will be.
fn batch(number: u32, contents: &mut Contents) -> Vec<Step> {
    let mut random = ChaCha8Rng::seed_from_u64(u64::from(number));
    let mut one = |contents: &mut Contents| {
        let id = format!("picture {}", random.random_range(0..30));
        let version = random.random_range(0..100);
        let step = match random.random_range(0..10) {
            0..2 => Step::Delete(id),
            2..4 if contents.contains_key(&id) => Step::Update(item(DIM, &id, version).record),
            _ => Step::Put(item(DIM, &id, version)),
        };
        step.apply(contents);
        step
    };
    (0..=number % 7 * (number % 3)).map(|_| one(contents)).collect()
}

/// What there is after so many batches.
fn after(batches: u32) -> Contents {
    let mut contents = Contents::new();
    (0..batches).for_each(|number| drop(batch(number, &mut contents)));
    contents
}

fn apply(store: &Store, steps: &[Step]) -> Result<(), Error> {
    store.apply(&steps.iter().map(Step::change).collect::<Vec<_>>()).map(|_| ())
}

/// Runs one test of ours as a program of its own, with its folder in the environment.
fn recorded(test: &str) -> Option<(tempfile::TempDir, Log)> {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    let name = format!("{}::{test}", module_path!().split_once("::").unwrap().1);
    command.args(["--exact", &name, "--nocapture"]).env(DIR, dir.path());
    let log = record(&mut command, dir.path())?;
    Some((dir, log))
}

/// The folder, in a program that [`recorded`] runs.
fn child_dir() -> Option<PathBuf> {
    std::env::var_os(DIR).map(PathBuf::from)
}

fn create(dir: &Path) -> (Folder, Store) {
    let folder = Folder::create(dir).unwrap();
    let first = folder.begin().unwrap();
    let store = Store::create(&first, &settings(DIM)).unwrap();
    folder.swap(&first).unwrap();
    folder.clean();
    (folder, store)
}

#[test]
fn child_that_writes() {
    let Some(dir) = child_dir() else { return };
    let (mut folder, mut store) = create(&dir);
    mark("0");
    let mut contents = Contents::new();
    for number in 0..BATCHES {
        apply(&store, &batch(number, &mut contents)).unwrap();
        mark(&(number + 1).to_string());
        match number % 20 {
            5 => store.checkpoint().unwrap(),
            11 => {
                drop((store, folder));
                folder = Folder::open(&dir).unwrap();
                store = Store::open(&folder.current().unwrap(), true).unwrap();
            }
            17 => store = compacted(&folder, &store),
            _ => {}
        }
    }
}

/// Copies what counts to a new generation, and makes it the one that counts.
fn compacted(folder: &Folder, store: &Store) -> Store {
    let next = folder.begin().unwrap();
    let new = Store::create(&next, store.settings()).unwrap();
    let items: Vec<_> = contents(store).unwrap().into_values().collect();
    new.apply(&items.iter().map(Change::Put).collect::<Vec<_>>()).unwrap();
    folder.swap(&next).unwrap();
    folder.clean();
    new
}

/// Opens what is left after a loss of power, and compares it with what had been acknowledged.
fn check(dir: &Path, acknowledged: Option<u32>) -> Result<(), String> {
    let folder = match (Folder::open(dir), acknowledged) {
        (Err(Error::NoIndex { .. }), None) => {
            create(dir);
            return Ok(());
        }
        (opened, _) => opened.map_err(|error| error.to_string())?,
    };
    let current = folder.current().map_err(|error| error.to_string())?;
    let store = Store::open(&current, true).map_err(|error| error.to_string())?;
    let faults = store.verify(&mut |_, _, _| ()).unwrap();
    let found = contents(&store).map_err(|error| error.to_string())?;
    let done = acknowledged.unwrap_or(0);
    if !faults.is_empty() {
        return Err(format!("{faults:?}"));
    }
    if ![after(done), after(done + 1)].contains(&found) {
        return Err(format!(
            "found neither what there was after {done} batches nor after the next"
        ));
    }
    // And it can be written to.
    let one = item(DIM, "one more", 4);
    store.apply(&[Change::Put(&one)]).map_err(|error| error.to_string())?;
    let again = Store::open(&current, false)
        .and_then(|store| contents(&store))
        .map_err(|error| error.to_string())?;
    if again.len() == found.len() + 1 {
        Ok(())
    } else {
        Err("it does not take in one more".to_owned())
    }
}

#[test]
fn what_was_acknowledged_outlasts_a_loss_of_power() {
    let Some((_dir, log)) = recorded("child_that_writes") else { return };
    let end = log.operations().len();
    assert_eq!(acknowledged(&log, end), Some(BATCHES));
    lose_power(&log, &(0..=end).collect::<Vec<_>>());
}

/// Loses power at some of these moments, and checks what is left. More of them with `POWER_TIMES`.
fn lose_power(log: &Log, moments: &[usize]) {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    for seed in 0..std::env::var("POWER_TIMES").map_or(120, |times| times.parse().unwrap()) {
        let op = moments[random.random_range(0..moments.len())];
        let acknowledged = acknowledged(log, op);
        let into = tempfile::tempdir().unwrap();
        log.crash_at(op, seed, into.path());
        let checked = check(into.path(), acknowledged);
        assert_eq!(
            checked,
            Ok(()),
            "power lost after operation {op}, seed {seed}, acknowledged {acknowledged:?}"
        );
    }
}

/// How many batches had been acknowledged; `None` before the index was.
fn acknowledged(log: &Log, op: usize) -> Option<u32> {
    log.marks(op).filter_map(|text| text.parse().ok()).last()
}

#[test]
fn child_on_a_full_disk() {
    let Some(dir) = child_dir() else { return };
    let (_folder, store) = create(&dir);
    let mut done = Contents::new();
    for number in 0..BATCHES {
        let mut next = done.clone();
        let steps = batch(number, &mut next);
        for room in (0..).map(|tries| tries * 1_537) {
            mark(&format!("room {room}"));
            let applied = apply(&store, &steps);
            if applied.is_ok() {
                break;
            }
            assert_eq!(
                contents(&store).unwrap(),
                done,
                "after batch {number} with room for {room} bytes"
            );
        }
        done = next;
        assert_eq!(contents(&store).unwrap(), done);
    }
    mark("room -1");
    assert!(store.verify(&mut |_, _, _| ()).unwrap().is_empty());
}

#[test]
fn a_full_disk_loses_nothing() {
    recorded("child_on_a_full_disk");
}

#[test]
fn child_whose_syncs_fail() {
    let Some(dir) = child_dir() else { return };
    let (_folder, store) = create(&dir);
    mark("0");
    let mut contents = Contents::new();
    for number in 0..BATCHES {
        let before = contents.clone();
        let steps = batch(number, &mut contents);
        // Of a batch with new pictures, the first sync is that of the vectors, the second that of the log.
        mark(&format!("fail-sync {}", 1 + number % 2));
        let applied = apply(&store, &steps);
        mark("fail-sync 0");
        if applied.is_err() {
            assert_eq!(super::tests::contents(&store).unwrap(), before);
            mark("refused");
            apply(&store, &steps).unwrap();
        }
        mark(&(number + 1).to_string());
    }
}

#[test]
fn a_sync_that_fails_leaves_nothing_half_done() {
    let Some((_dir, log)) = recorded("child_whose_syncs_fail") else { return };
    let all = 0..=log.operations().len();
    let has_failed = |op: &usize| matches!(log.marks(*op).last(), Some("fail-sync 0" | "refused"));
    lose_power(&log, &all.clone().filter(has_failed).collect::<Vec<_>>());
    // What was refused is not there, also for whoever opens the store next.
    for op in all
        .filter(|op| log.operations()[..*op].last() == Some(&Operation::Mark("refused".to_owned())))
    {
        let into = tempfile::tempdir().unwrap();
        log.crash_at(op, op as u64, into.path());
        let store = Store::open(&Folder::open(into.path()).unwrap().current().unwrap(), true);
        let done = acknowledged(&log, op).unwrap();
        assert_eq!(super::tests::contents(&store.unwrap()).unwrap(), after(done), "after {op}");
    }
}
