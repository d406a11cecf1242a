//! What a disk may hold after the power failed: a program's file operations, recorded and replayed.
//!
//! Linux only, and only for programs that are linked to the C library; `shim.c` says what is seen.

mod disk;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use disk::Disk;

/// Where a mark is written to; set for programs that are recorded.
const MARKS: &str = "POWER_MARKS";

/// One thing that a program did to the files of a directory; paths are relative to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// A new empty file.
    Create(PathBuf),
    /// Bytes at a place of a file.
    Write(PathBuf, u64, Vec<u8>),
    /// A file was cut or made longer.
    SetLen(PathBuf, u64),
    /// A file or directory was written through to the disk, and the program has been told so.
    Sync(PathBuf),
    /// A name was changed; what had the new name before is gone.
    Rename(PathBuf, PathBuf),
    /// A file or an empty directory is gone.
    Remove(PathBuf),
    /// A new empty directory.
    MakeDir(PathBuf),
    /// A second name of a file.
    Link(PathBuf, PathBuf),
    /// Something that the program tells us; see [`mark`].
    Mark(String),
}

/// Everything that a program did, in order.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    before: Disk,
    operations: Vec<Operation>,
}

/// Tells whoever records this program that something has been acknowledged; nothing happens when nobody does.
///
/// `room N` and `fail-sync N` are orders: see `shim.c`.
pub(crate) fn mark(text: &str) {
    if let Some(path) = std::env::var_os(MARKS) {
        let mut marks = fs_err::OpenOptions::new().create(true).append(true).open(path).unwrap();
        marks.write_all(text.as_bytes()).unwrap();
    }
}

/// Runs a program and records what it does below a directory, which is there. `None` where that cannot be done.
pub(crate) fn record(program: &mut Command, dir: &Path) -> Option<Log> {
    let dir = fs_err::canonicalize(dir).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let shim = build_shim(scratch.path())?;
    let (log, marks) = (scratch.path().join("log"), scratch.path().join("marks"));
    let before = Disk::read(&dir);
    let program = program
        .env("LD_PRELOAD", shim)
        .env("POWER_ROOT", &dir)
        .env("POWER_LOG", &log)
        .env(MARKS, marks);
    let done = program.output().unwrap();
    assert!(
        done.status.success(),
        "{}\n{}\n{}",
        done.status,
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    let operations = parse(&fs_err::read(log).unwrap(), &dir);
    let log = Log { before, operations };
    let missed = log.disk_at(log.operations.len()).differences(&dir);
    assert!(missed.is_empty(), "operations on these files were not seen: {missed:?}");
    Some(log)
}

impl Log {
    /// Everything, in order.
    pub(crate) fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// What had been told before the first `op` operations were done.
    pub(crate) fn marks(&self, op: usize) -> impl Iterator<Item = &str> {
        self.operations[..op].iter().filter_map(|operation| match operation {
            Operation::Mark(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// Fills an empty folder with what a disk may hold when the power fails after the first `op` operations.
    ///
    /// What was written through is certain. Of the rest, each file keeps or loses what it will, page by page and sector
    /// by sector, and each directory its names; the seed decides.
    pub(crate) fn crash_at(&self, op: usize, seed: u64, into: &Path) {
        self.disk_at(op).crash(seed, into);
    }

    fn disk_at(&self, op: usize) -> Disk {
        let mut disk = self.before.clone();
        self.operations[..op].iter().for_each(|operation| disk.apply(operation));
        disk
    }
}

/// Compiles the shim; `None` where there is no compiler for it.
fn build_shim(scratch: &Path) -> Option<PathBuf> {
    let (source, shim) = (scratch.join("shim.c"), scratch.join("shim.so"));
    fs_err::write(&source, include_str!("shim.c")).unwrap();
    let mut compile = Command::new("cc");
    compile
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&shim)
        .arg(&source)
        .args(["-ldl", "-lpthread"]);
    let compiled = if cfg!(target_os = "linux") { compile.output().ok() } else { None };
    let Some(done) = compiled else {
        assert!(
            std::env::var_os("CI").is_none(),
            "loss of power cannot be tested: not Linux, or no `cc`"
        );
        eprintln!("SKIPPED: loss of power cannot be tested here: not Linux, or no `cc`");
        return None;
    };
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Some(shim)
}

/// Reads the log that the shim wrote.
fn parse(mut log: &[u8], dir: &Path) -> Vec<Operation> {
    let mut operations = Vec::new();
    while !log.is_empty() {
        let kind = take(&mut log, 1)[0];
        let [path, other] =
            [(); 2].map(|()| u32::from_le_bytes(take(&mut log, 4).try_into().unwrap()) as usize);
        let [offset, data] =
            [(); 2].map(|()| u64::from_le_bytes(take(&mut log, 8).try_into().unwrap()));
        let path = below(take(&mut log, path), dir);
        let other = below(take(&mut log, other), dir);
        let data = take(&mut log, data as usize).to_vec();
        operations.push(match kind {
            1 => Operation::Create(path),
            2 => Operation::Write(path, offset, data),
            3 => Operation::SetLen(path, offset),
            4 => Operation::Sync(path),
            5 => Operation::Rename(path, other),
            6 => Operation::Remove(path),
            7 => Operation::MakeDir(path),
            8 => Operation::Link(path, other),
            9 => Operation::Mark(String::from_utf8(data).unwrap()),
            _ => panic!("an operation of kind {kind}"),
        });
    }
    operations
}

fn take<'a>(log: &mut &'a [u8], len: usize) -> &'a [u8] {
    let (now, rest) = log.split_at(len);
    *log = rest;
    now
}

/// A path below the directory; one that is outside stays absolute.
fn below(path: &[u8], dir: &Path) -> PathBuf {
    let path = Path::new(std::str::from_utf8(path).unwrap());
    path.strip_prefix(dir).unwrap_or(path).to_owned()
}
