//! What stops reading at once: a broken file, an unknown layout, a wrong setting.
//!
//! A bad row is not an error; it is a `Skipped`.

use std::{io, path::PathBuf};

use crate::Layout;

/// Why a data set cannot be opened; [`Error::hint`] says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read; the message names it.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Nothing is at the given path.
    #[error("{}: no such file or folder", path.display())]
    NotFound {
        /// The path that was given.
        path: PathBuf,
    },
    /// Nothing that can be read was recognised.
    #[error("{}: no known layout; looked for {}; found {}", path.display(), looked_for.join(", "), listed(seen))]
    UnknownLayout {
        /// The file or folder.
        path: PathBuf,
        /// What would have been recognised.
        looked_for: Vec<String>,
        /// What is there instead.
        seen: Vec<String>,
    },
    /// Several files could hold the captions, and nothing tells which.
    #[error("{}: several files could hold the captions: {}", path.display(), candidates.join(", "))]
    Ambiguous {
        /// The folder.
        path: PathBuf,
        /// The files, each with the layout that it would be read as.
        candidates: Vec<String>,
    },
    /// The format asked for does not fit what is there.
    #[error("{}: cannot be read as {layout}, which is {}; found {}", path.display(), layout.description(), listed(seen))]
    FormatMismatch {
        /// The file or folder.
        path: PathBuf,
        /// The layout asked for.
        layout: Layout,
        /// What is there instead.
        seen: Vec<String>,
    },
    /// No layout has this name.
    #[error("unknown format {name:?}")]
    UnknownFormat {
        /// The name given.
        name: String,
        /// Known names that look like it.
        nearest: Vec<&'static str>,
    },
    /// No split has this name.
    #[error("unknown split {name:?}, expected train, valid or test")]
    UnknownSplit {
        /// The name given.
        name: String,
    },
    /// A column or field is not there.
    #[error("{}: no {role} column: expected {}; found {}", path.display(), expected.join(", "), listed(found))]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// What the column is for: `image`, `caption` or `split`.
        role: &'static str,
        /// The names that would have been taken.
        expected: Vec<String>,
        /// The columns that the file has.
        found: Vec<String>,
    },
    /// Columns were named for a layout that has none.
    #[error("{}: a column is named, but {layout} has none to choose from: it is {}", path.display(), layout.description())]
    NoColumns {
        /// The file or folder.
        path: PathBuf,
        /// The layout that was recognised, or asked for.
        layout: Layout,
    },
    /// The file as a whole makes no sense.
    #[error("{}:{row}: {what}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        row: u64,
        /// What is wrong there.
        what: String,
    },
    /// The caption template lacks its placeholder.
    #[error("caption template {template:?} has no {{class}} in it")]
    Template {
        /// The template given.
        template: String,
    },
    /// Nothing is left to work with.
    #[error("{}: no usable picture among {rows} rows{}", path.display(), first_reasons(reasons))]
    Empty {
        /// The file or folder.
        path: PathBuf,
        /// How many rows were read.
        rows: usize,
        /// The first rows that were skipped, with file, row and reason.
        reasons: Vec<String>,
    },
}

impl Error {
    /// One sentence on what to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::Io(_) => "check that the file can be read".into(),
            Self::NotFound { .. } => {
                "pass a folder, or a .csv, .tsv, .txt, .json or .jsonl file".into()
            }
            Self::UnknownLayout { .. } => {
                "pass the file that holds the captions, or name the layout with --format".into()
            }
            Self::Ambiguous { .. } => {
                "pass the path of the one file to read, or name the layout with --format".into()
            }
            Self::FormatMismatch { .. } => {
                "leave --format out, or pass the path of the one file to read".into()
            }
            Self::UnknownFormat { nearest, .. } if !nearest.is_empty() => {
                format!("did you mean {}?", nearest.join(" or "))
            }
            Self::UnknownFormat { .. } => {
                format!("known formats: {}", Layout::ALL.map(Layout::name).join(", "))
            }
            Self::UnknownSplit { .. } => {
                "val, validation and dev mean valid; restval means train".into()
            }
            Self::MissingColumn { role, .. } => format!("name it with --{role}-column"),
            Self::NoColumns { .. } => {
                "leave the column options out, or pass the table to read instead".into()
            }
            Self::Broken { .. } => {
                "mend or re-export the file as UTF-8; it cannot be trusted from this line on".into()
            }
            Self::Template { .. } => "write for example \"a photo of a {class}\"".into(),
            Self::Empty { .. } => {
                "check the paths in the file, or say where the pictures are with --image-root"
                    .into()
            }
        }
    }
}

/// A list for an error message, cut where nobody reads on.
fn listed(items: &[String]) -> String {
    const SHOWN: usize = 12;
    match items.len() {
        0 => "nothing".into(),
        count if count > SHOWN => {
            format!("{} and {} more", items[..SHOWN].join(", "), count - SHOWN)
        }
        _ => items.join(", "),
    }
}

/// The first reasons why nothing is left, as the tail of a sentence.
fn first_reasons(reasons: &[String]) -> String {
    if reasons.is_empty() {
        String::new()
    } else {
        format!("; first skipped: {}", reasons.join("; "))
    }
}
