//! MODEL on the command line: a folder, a run, or a name on the hub.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use finelens_clip::{Checkpoint, Embedder};
use finelens_compute::{Cpu, Device, Precision};

use crate::cli;
use crate::error::Error;
use crate::hub::{self, Id};
use crate::printer::Printer;

/// Name of the file that makes a folder a run.
pub(crate) const RUN_FILE: &str = "run.toml";

/// What a folder with a model in it has at least one of.
const MODEL_FILES: [&str; 2] = ["config.json", "open_clip_config.json"];

/// The folder of the model: of a run its best checkpoint, of a hub id what was fetched.
pub(crate) fn locate(name: &str, printer: &Printer) -> anyhow::Result<PathBuf> {
    let path = Path::new(name);
    if path.is_dir() {
        return Ok(if path.join(RUN_FILE).exists() { of_run(path)? } else { of_folder(path)? });
    }
    match Id::parse(name).filter(|_| !path.exists()) {
        Some(id) => hub::fetch(&id, printer),
        None => Err(Error::NoModel { name: name.to_owned() }.into()),
    }
}

fn of_run(path: &Path) -> Result<PathBuf, Error> {
    let mut checkpoints = ["best", "last"].map(|name| path.join(name)).into_iter();
    checkpoints.find(|dir| dir.is_dir()).ok_or_else(|| Error::EmptyRun { path: path.to_owned() })
}

fn of_folder(path: &Path) -> anyhow::Result<PathBuf> {
    if MODEL_FILES.iter().any(|name| path.join(name).exists()) {
        return Ok(path.to_owned());
    }
    let mut found = Vec::new();
    for entry in fs_err::read_dir(path)? {
        found.push(entry?.file_name().to_string_lossy().into_owned());
    }
    found.sort();
    let found = match found.len() {
        0 => "nothing".to_owned(),
        1..=5 => found.join(", "),
        count => format!("{} and {} more", found[..5].join(", "), count - 5),
    };
    Err(Error::NotAModel { path: path.to_owned(), found }.into())
}

/// Reads the model of that name.
pub(crate) fn load(name: &str, printer: &Printer) -> anyhow::Result<Checkpoint> {
    Ok(Checkpoint::load(&locate(name, printer)?)?)
}

/// Puts a model where it computes.
pub(crate) fn embedder(checkpoint: Checkpoint) -> anyhow::Result<Embedder> {
    Ok(Embedder::new(checkpoint, device())?)
}

/// What was typed as `--precision`: one for the whole process, since vectors of one run are compared with each other.
static PRECISION: OnceLock<Precision> = OnceLock::new();

/// Every device made from now on computes in this precision.
pub(crate) fn compute_in(typed: cli::Precision) {
    let precision = match typed {
        cli::Precision::Auto => Cpu::fastest(),
        cli::Precision::F32 => Precision::F32,
        cli::Precision::Bf16 => Precision::Bf16,
    };
    // A second command in one process, in a test, keeps the first.
    let _ = PRECISION.set(precision);
}

/// What products are computed in.
pub(crate) fn precision() -> Precision {
    *PRECISION.get_or_init(|| Precision::F32)
}

/// What computes.
pub(crate) fn device() -> Box<dyn Device> {
    let device = Cpu::with(precision());
    tracing::info!("computing on {}", device.name());
    Box::new(device)
}

/// An error unless the folder can be written to without mixing with what is there.
pub(crate) fn must_be_empty(path: &Path) -> anyhow::Result<()> {
    if path.is_dir() && fs_err::read_dir(path)?.next().is_some() {
        return Err(Error::NotEmpty { path: path.to_owned() }.into());
    }
    Ok(())
}
