//! The power fails at random moments of a life full of changes; what was acknowledged is there, what was deleted is not.

use std::path::{Path, PathBuf};
use std::process::Command;

use finelens_search::{Backend, Embedded, Error};

use crate::changes::{Pictures, Step, after};
use crate::check::{difference, faults, generations};
use crate::pictures::{item, mix, settings};
use crate::power::{Log, mark, record};

/// Losses of power in one run of the test; `FINELENS_POWER_LOSSES` asks for more.
const LOSSES: u64 = 100;

/// Changes that are recorded.
const STEPS: u64 = 90;

/// The sequence of changes that is recorded, unless `FINELENS_POWER_SEED` names another.
const SEED: u64 = 5;

/// The folder that a child of ours works in.
const DIR: &str = "FINELENS_POWER_DIR";

fn number_in(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|number| number.parse().ok())
}

fn seed() -> u64 {
    number_in("FINELENS_POWER_SEED").unwrap_or(SEED)
}

/// Not a test of its own: it is run as a program that is recorded.
#[test]
fn child() {
    let Some(dir) = std::env::var_os(DIR).map(PathBuf::from) else { return };
    let mut pictures = Pictures::new();
    let mut index = Embedded::create(&dir, &settings("model")).unwrap();
    Step::first().run(&index, &pictures).unwrap();
    Step::first().apply(&mut pictures);
    mark("0");
    for place in 0..STEPS {
        let step = Step::of(seed(), place);
        step.run(&index, &pictures).unwrap();
        step.apply(&mut pictures);
        mark(&(place + 1).to_string());
        if mix(place, seed()).is_multiple_of(8) {
            drop(index);
            index = Embedded::open(&dir).unwrap();
        }
    }
}

#[test]
fn what_was_acknowledged_outlasts_a_loss_of_power() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "power_loss::child", "--nocapture"]).env(DIR, dir.path());
    let Some(log) = record(&mut command, dir.path()) else { return };
    let end = log.operations().len() as u64;
    assert_eq!(acknowledged(&log, end as usize), Some(STEPS));
    let losses = number_in("FINELENS_POWER_LOSSES").unwrap_or(LOSSES);
    for loss in 0..losses {
        let op = (mix(loss, 17) % (end + 1)) as usize;
        let into = tempfile::tempdir().unwrap();
        log.crash_at(op, loss, into.path());
        let acknowledged = acknowledged(&log, op);
        let checked = check(into.path(), acknowledged, loss);
        assert_eq!(checked, Ok(()), "loss {loss} after operation {op} and step {acknowledged:?}");
    }
    println!("{losses} losses of power in {end} operations of {STEPS} changes");
}

/// How many steps had been acknowledged; `None` before the first pictures were.
fn acknowledged(log: &Log, op: usize) -> Option<u64> {
    log.marks(op).filter_map(|text| text.parse().ok()).last()
}

/// Opens what is left, compares, and sees that it can be used.
fn check(dir: &Path, acknowledged: Option<u64>, loss: u64) -> Result<(), String> {
    let told = |error: Error| error.to_string();
    let Some(done) = acknowledged else { return begin_anew(dir) };
    let allowed = [after(seed(), done), after(seed(), done + 1)];
    let as_allowed = |index: &Embedded| {
        let differences = allowed.each_ref().map(|pictures| difference(index, pictures));
        let found = differences.iter().position(Result::is_ok);
        found.ok_or_else(|| format!("{differences:?}"))
    };
    if loss.is_multiple_of(2) {
        let index = Embedded::open_read_only(dir).map_err(told)?;
        as_allowed(&index).map_err(|what| format!("for reading: {what}"))?;
    }
    let index = Embedded::open(dir).map_err(told)?;
    let mut pictures = allowed[as_allowed(&index)?].clone();
    clean(&index)?;
    let successors = usize::from(Step::of(seed(), done) == Step::Renew);
    let found = generations(dir);
    if found.len() > 1 + successors {
        return Err(format!("generations are left behind: {found:?}"));
    }
    // Other pictures get the rows that the lost ones would have had.
    for (number, version) in [(1_000_000, loss), (1_000_001, loss), (3, loss)] {
        index.put(&[item(number, version)]).map_err(told)?;
        pictures.insert(number, (version, version));
    }
    difference(&index, &pictures)?;
    drop(index);
    let index = Embedded::open(dir).map_err(told)?;
    difference(&index, &pictures)?;
    clean(&index)
}

fn clean(index: &Embedded) -> Result<(), String> {
    let faults = faults(index).map_err(|error| error.to_string())?;
    if faults.is_empty() { Ok(()) } else { Err(format!("{faults:?}")) }
}

/// Before anything was acknowledged there may be an index or not; if not, it can be made.
fn begin_anew(dir: &Path) -> Result<(), String> {
    let opened = match Embedded::open(dir) {
        Err(Error::NoIndex { .. }) => Embedded::create(dir, &settings("model")),
        opened => opened,
    };
    let index = opened.map_err(|error| error.to_string())?;
    let mut pictures = after(seed(), 0);
    difference(&index, &Pictures::new()).or_else(|_| difference(&index, &pictures))?;
    Step::first().run(&index, &Pictures::new()).map_err(|error| error.to_string())?;
    Step::first().apply(&mut pictures);
    difference(&index, &pictures)?;
    clean(&index)
}
