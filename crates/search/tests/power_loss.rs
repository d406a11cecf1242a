//! The recorder of file operations itself: it tells programs that are safe from programs that only look so.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "these are tests, down to their modules"
)]

use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

mod power;

use power::{Log, Operation, mark, record};

/// Names the program to be, and its directory.
const PROGRAM: &str = "POWER_TEST_PROGRAM";
const DIR: &str = "POWER_TEST_DIR";

/// Not a test of its own: this executable runs itself to have a program to record.
#[test]
fn program() {
    let (Ok(program), Some(dir)) = (std::env::var(PROGRAM), std::env::var_os(DIR)) else { return };
    let dir = PathBuf::from(dir);
    match program.as_str() {
        "careful" => replace(&dir, true),
        "careless" => replace(&dir, false),
        "all kinds" => all_kinds(&dir),
        "full" => full(&dir),
        _ => unreachable!(),
    }
}

/// Runs a program in a directory where `CURRENT` says `old`.
fn recorded(program: &str) -> Option<Log> {
    let dir = tempfile::tempdir().unwrap();
    fs_err::write(dir.path().join("CURRENT"), "old").unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "program"]).env(PROGRAM, program).env(DIR, dir.path());
    record(&mut command, dir.path())
}

/// Replaces a file by renaming.
fn replace(dir: &Path, careful: bool) {
    let mut file = fs_err::File::create(dir.join("new")).unwrap();
    file.write_all(b"new").unwrap();
    if careful {
        file.sync_all().unwrap();
    }
    fs_err::rename(dir.join("new"), dir.join("CURRENT")).unwrap();
    if careful {
        fs_err::File::open(dir).unwrap().sync_all().unwrap();
    }
    mark("replaced");
}

/// What `CURRENT` says after many losses of power at one moment; empty where it is gone.
fn outcomes(log: &Log, op: usize) -> Vec<String> {
    let outcome = |seed| {
        let into = tempfile::tempdir().unwrap();
        log.crash_at(op, seed, into.path());
        fs_err::read_to_string(into.path().join("CURRENT")).unwrap_or_default()
    };
    let mut outcomes: Vec<_> = (0..200).map(outcome).collect();
    outcomes.sort();
    outcomes.dedup();
    outcomes
}

#[test]
fn a_program_that_renames_without_writing_through_is_caught() {
    let Some(log) = recorded("careless") else { return };
    let end = log.operations().len();
    assert_eq!(log.marks(end).collect::<Vec<_>>(), ["replaced"]);
    assert_eq!(outcomes(&log, end), ["", "\0\0\0", "new", "old"]);
}

#[test]
fn a_program_that_writes_through_passes_at_every_moment() {
    let Some(log) = recorded("careful") else { return };
    for op in 0..=log.operations().len() {
        let allowed: &[&str] = if log.marks(op).count() > 0 { &["new"] } else { &["new", "old"] };
        let outcomes = outcomes(&log, op);
        assert!(
            outcomes.iter().all(|outcome| allowed.contains(&outcome.as_str())),
            "after {op}: {outcomes:?}"
        );
    }
}

fn all_kinds(dir: &Path) {
    fs_err::create_dir_all(dir.join("a")).unwrap();
    let mut file = fs_err::File::create(dir.join("a/file")).unwrap();
    file.write_all(&[1; 10_000]).unwrap();
    file.seek(SeekFrom::Start(5000)).unwrap();
    file.write_all(&[2; 10]).unwrap();
    file.set_len(9000).unwrap();
    file.sync_data().unwrap();
    fs_err::hard_link(dir.join("a/file"), dir.join("linked")).unwrap();
    fs_err::OpenOptions::new()
        .append(true)
        .open(dir.join("linked"))
        .unwrap()
        .write_all(b"end")
        .unwrap();
    fs_err::copy(dir.join("linked"), dir.join("a/copied")).unwrap();
    // This one renames without the C library.
    let mut whole = tempfile::NamedTempFile::new_in(dir).unwrap();
    whole.write_all(b"whole").unwrap();
    whole.persist(dir.join("CURRENT")).unwrap();
    fs_err::rename(dir.join("linked"), dir.join("a/moved")).unwrap();
    fs_err::create_dir_all(dir.join("b/c")).unwrap();
    fs_err::write(dir.join("b/c/d"), "gone soon").unwrap();
    fs_err::remove_dir_all(dir.join("b")).unwrap();
}

#[test]
fn everything_that_a_program_does_is_seen() {
    // That nothing was missed is checked where it is recorded.
    let Some(log) = recorded("all kinds") else { return };
    let seen = |wanted: &dyn Fn(&Operation) -> bool| log.operations().iter().any(wanted);
    assert!(seen(&|operation| *operation == Operation::SetLen("a/file".into(), 9000)));
    assert!(seen(
        &|operation| *operation == Operation::Write("linked".into(), 9000, b"end".to_vec())
    ));
    assert!(seen(&|operation| *operation == Operation::Remove("b/c".into())));
    assert!(seen(
        &|operation| matches!(operation, Operation::Rename(_, to) if to == Path::new("CURRENT"))
    ));
}

#[test]
fn of_what_was_not_written_through_any_part_may_be_left() {
    let Some(log) = recorded("all kinds") else { return };
    let written = log
        .operations()
        .iter()
        .position(|operation| matches!(operation, Operation::Sync(_)))
        .unwrap();
    let (mut lengths, mut torn) = (Vec::new(), false);
    for seed in 0..100 {
        let into = tempfile::tempdir().unwrap();
        log.crash_at(written, seed, into.path());
        let Ok(bytes) = fs_err::read(into.path().join("a/file")) else { continue };
        lengths.push(bytes.len());
        torn |= bytes.chunks(4096).any(|page| page.contains(&0) && page.contains(&1));
    }
    lengths.sort_unstable();
    lengths.dedup();
    assert_eq!(lengths, [0, 9000, 10_000]);
    assert!(torn);
}

fn full(dir: &Path) {
    let mut file = fs_err::File::create(dir.join("file")).unwrap();
    mark("room 5");
    assert_eq!(file.write(b"1234567").unwrap(), 5);
    assert_eq!(file.write(b"67").unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    mark("room -1");
    file.write_all(b"67").unwrap();
    mark("fail-sync 1");
    file.sync_all().unwrap_err();
    file.sync_all().unwrap();
}

#[test]
fn a_disk_can_be_full_and_a_sync_can_fail() {
    let Some(log) = recorded("full") else { return };
    assert_eq!(log.operations().last(), Some(&Operation::Sync("file".into())));
}
