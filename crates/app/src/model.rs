//! MODEL on the command line: a folder, a run, or a name on the hub.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use finelens_clip::{Checkpoint, Embedder};
use finelens_compute::{Cpu, Device, Precision};

use crate::cli::{self, Command};
use crate::error::{Error, PrecisionError};
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

/// The same, but never in int8, of which nothing is known for parts of pictures.
pub(crate) fn embedder_for_parts(checkpoint: Checkpoint) -> anyhow::Result<Embedder> {
    let precision = if precision() == Precision::Int8 { Cpu::fastest() } else { precision() };
    Ok(Embedder::new(checkpoint, device_in(precision))?)
}

/// What was typed as `--precision`, and what came of it: one for the whole process, since its vectors are compared.
static TYPED: OnceLock<Option<cli::Precision>> = OnceLock::new();
static PRECISION: OnceLock<Precision> = OnceLock::new();

/// Notes what was typed, if the command can do with it.
pub(crate) fn compute_in(typed: Option<cli::Precision>, command: &Command) -> Result<(), Error> {
    if typed == Some(cli::Precision::Int8) {
        if guesses_int8(command) {
            return Err(PrecisionError::Int8Elsewhere.into());
        }
        if Cpu::fastest() == Precision::F32 {
            return Err(PrecisionError::NoInt8.into());
        }
    }
    // A second command in one process, in a test, keeps the first.
    let _ = TYPED.set(typed);
    Ok(())
}

/// Whether a command would compute in int8 without looking whether that is good enough, and without going by what another
/// has found.
fn guesses_int8(command: &Command) -> bool {
    use Command::{Demo, Find, Train};
    matches!(command, Train(_) | Demo(_) | Find(_))
}

fn typed() -> Option<cli::Precision> {
    TYPED.get().copied().flatten()
}

/// The precision of a run that begins: what was typed, or else what its settings say.
pub(crate) fn train_in(setting: cli::Precision) -> cli::Precision {
    let precision = *PRECISION.get_or_init(|| resolved(typed().unwrap_or(setting)));
    if precision == Precision::F32 { cli::Precision::F32 } else { cli::Precision::Bf16 }
}

/// Goes on in the precision in which a run began.
pub(crate) fn go_on_in(began: cli::Precision) -> Result<(), Error> {
    // What runs were in before they said so.
    let began = if began == cli::Precision::Auto { cli::Precision::F32 } else { began };
    if let Some(typed) = typed().filter(|typed| resolved(*typed) != resolved(began)) {
        let [began, typed] = [began, typed].map(cli::Precision::name);
        return Err(PrecisionError::NotAsBegun { began, typed }.into());
    }
    let _ = PRECISION.set(resolved(began));
    Ok(())
}

fn resolved(wanted: cli::Precision) -> Precision {
    match wanted {
        cli::Precision::Auto => Cpu::fastest(),
        cli::Precision::F32 => Precision::F32,
        cli::Precision::Bf16 => Precision::Bf16,
        cli::Precision::Int8 => Precision::Int8,
    }
}

/// What products are computed in.
pub(crate) fn precision() -> Precision {
    *PRECISION.get_or_init(|| resolved(typed().unwrap_or_default()))
}

/// What people call it.
pub(crate) fn precision_name() -> &'static str {
    match precision() {
        Precision::F32 => "f32",
        Precision::Bf16 => "bf16",
        Precision::Int8 => "int8",
    }
}

/// What computes.
pub(crate) fn device() -> Box<dyn Device> {
    device_in(precision())
}

/// The same in some precision.
pub(crate) fn device_in(precision: Precision) -> Box<dyn Device> {
    let device = Cpu::with(precision);
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
