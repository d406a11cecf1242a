//! What can be wrong with a model directory, by what the user must change.

use std::path::PathBuf;

use crate::weights::Misshapen;

/// A model directory that cannot be read, written or represented.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The device failed.
    #[error(transparent)]
    Device(#[from] finelens_compute::Error),

    /// A file cannot be read or written; the message names it.
    #[error(transparent)]
    Io(#[from] std::io::Error),

    /// A file is not JSON at all.
    #[error("{}: not valid JSON: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Where the parser stopped.
        source: serde_json::Error,
    },

    /// A value in a configuration file does not describe a model that exists here.
    #[error("{}: {key}: expected {expected}, found {found}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// The key with those above it, joined by dots.
        key: String,
        /// What would have been right.
        expected: String,
        /// What stands there.
        found: String,
    },

    /// A directory has a configuration but none of the files that weights come in.
    #[error("{}: no weights: none of {} is there", dir.display(), tried.join(", "))]
    NoWeights {
        /// The directory.
        dir: PathBuf,
        /// The file names that were looked for.
        tried: &'static [&'static str],
    },

    /// A file is cut short, contradicts itself, or is of another kind than its name says.
    #[error("{}: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// A PyTorch file wants to load or run something that no weights need.
    #[error("{}: it asks for `{name}`, and only tensors are loaded from PyTorch files", path.display())]
    ForbiddenObject {
        /// The file.
        path: PathBuf,
        /// The function or class with its module.
        name: String,
    },

    /// A weight is stored in integers.
    #[error("{}: {tensor}: expected f32, f16, bf16 or f64, found {found}", path.display())]
    NumberFormat {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// How its numbers are stored.
        found: String,
    },

    /// A weight is not a number.
    #[error("{}: {tensor}: expected finite numbers, found {value} at position {index}", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Position in row-major order.
        index: usize,
        /// The value.
        value: f32,
    },

    /// Weights and configuration are not of the same model.
    #[error("{}: the weights do not fit the configuration: {}", path.display(), misfit(missing, unexpected, misshapen))]
    WeightsDoNotFit {
        /// The file or index.
        path: PathBuf,
        /// Names that the configuration asks for and the file does not have.
        missing: Vec<String>,
        /// Names in the file that the model does not have.
        unexpected: Vec<String>,
        /// Tensors of another shape than the configuration asks for.
        misshapen: Vec<Misshapen>,
    },

    /// open_clip has no way to say this.
    #[error("{what}: open_clip can only have {expected}, this model has {found}")]
    NotInOpenClip {
        /// The property.
        what: &'static str,
        /// What open_clip can represent.
        expected: String,
        /// What the model has.
        found: String,
    },
}

/// How many tensors of each kind an error names.
const NAMED: usize = 3;

fn misfit(missing: &[String], unexpected: &[String], misshapen: &[Misshapen]) -> String {
    let shapes: Vec<String> = misshapen
        .iter()
        .map(|tensor| {
            format!("{} (expected {:?}, found {:?})", tensor.name, tensor.expected, tensor.found)
        })
        .collect();
    let kinds = [("missing", missing), ("unexpected", unexpected), ("of another shape", &shapes)];
    let parts: Vec<String> = kinds
        .iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(kind, names)| list(kind, names))
        .collect();
    parts.join("; ") + position_hint(misshapen)
}

fn list(kind: &str, names: &[String]) -> String {
    let first = names[..names.len().min(NAMED)].join(", ");
    let more = if names.len() > NAMED { ", …" } else { "" };
    format!("{} {kind}: {first}{more}", names.len())
}

fn position_hint(misshapen: &[Misshapen]) -> &'static str {
    if misshapen.iter().any(|tensor| tensor.name.contains("position")) {
        " (positions follow from image_size and patch_size, or from the context length; they are not resized)"
    } else {
        ""
    }
}
