//! Rows that were left out, and why.
//!
//! Whether too many were left out is for the caller to judge.

use std::{fmt, path::PathBuf};

use crate::Split;

/// A row, or a single caption of it, that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The file that holds the row.
    pub file: PathBuf,
    /// Line of the file where the row begins, counted from 1; in a JSON document the number of the
    /// entry, in class folders the number of the picture.
    pub row: u64,
    /// What is wrong with it.
    pub reason: Reason,
}

impl fmt::Display for Skipped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.file.display(), self.row, self.reason)
    }
}

/// Why a row was left out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The picture is nowhere to be found.
    #[error("image {image:?} not found")]
    MissingImage {
        /// As written in the row.
        image: String,
    },
    /// Several files could be the picture, and guessing would be wrong half of the time.
    #[error("image {image:?} could be {}", candidates.join(" or "))]
    AmbiguousImage {
        /// As written in the row.
        image: String,
        /// Some of the files that fit.
        candidates: Vec<String>,
    },
    /// Two rows that name different pictures could only be matched with the same file.
    #[error("image {image:?} could only be {found}, which another row names differently")]
    SharedImage {
        /// As written in the row.
        image: String,
        /// The file.
        found: String,
    },
    /// The path leads out of the folder that the pictures must be in.
    #[error("image {image:?} lies outside {}; say --image-root to allow another folder", root.display())]
    OutsideRoot {
        /// As written in the row.
        image: String,
        /// The folder.
        root: PathBuf,
    },
    /// The picture is on the web.
    #[error("image {image:?} is a web address; download it first")]
    WebAddress {
        /// As written in the row.
        image: String,
    },
    /// The row names no picture.
    #[error("the row names no image")]
    EmptyImage,
    /// One of several captions is empty; the others are kept.
    #[error("caption {position} is empty")]
    EmptyCaption {
        /// Counted from 1.
        position: usize,
    },
    /// Nothing was said about the picture in this row.
    #[error("the caption is empty")]
    NoCaption,
    /// The row has more or fewer fields than the header.
    #[error("expected {expected} fields, found {found}{}", spread(*lines))]
    FieldCount {
        /// Fields in the header.
        expected: usize,
        /// Fields in the row.
        found: usize,
        /// Lines that the row takes up; more than one smells of a quote that is never closed.
        lines: u64,
    },
    /// The row is not UTF-8.
    #[error("byte 0x{byte:02x} at offset {offset} of {part} is not UTF-8")]
    NotUtf8 {
        /// The first byte that does not fit.
        byte: u8,
        /// Where it stands, counted from 0.
        offset: usize,
        /// `the line`, or which field of a table.
        part: String,
    },
    /// The name of the picture's file, or of a folder that it is in, is not UTF-8.
    #[error("the name {image:?} is not UTF-8; rename it")]
    NameNotUtf8 {
        /// The file, below the root.
        image: PathBuf,
    },
    /// The line is not a JSON object.
    #[error("not a JSON object: {what}")]
    InvalidJson {
        /// What the parser said.
        what: String,
    },
    /// The object lacks a field that other rows have.
    #[error("no field {name:?}")]
    MissingField {
        /// The field.
        name: String,
    },
    /// The field holds something else than expected.
    #[error("field {name:?}: expected {expected}")]
    WrongType {
        /// The field.
        name: String,
        /// What it should have held.
        expected: &'static str,
    },
    /// The printed list in a caption cell cannot be read.
    #[error("caption list: {what} at offset {offset}")]
    BadList {
        /// What is wrong.
        what: &'static str,
        /// Byte offset in the cell.
        offset: usize,
    },
    /// The split has a name that means nothing here.
    #[error("unknown split {found:?}, expected train, valid or test")]
    UnknownSplit {
        /// As written in the row.
        found: String,
    },
    /// An earlier row put the same picture into another split; keeping both would leak.
    #[error("image {image:?} is already in split {first}, this row says {found}")]
    OtherSplit {
        /// The picture's id.
        image: String,
        /// The split that it stays in.
        first: Split,
        /// The split that this row says.
        found: Split,
    },
}

impl Reason {
    /// The reason in two or three words without particulars, to count by.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::MissingImage { .. } => "image not found",
            Self::AmbiguousImage { .. } | Self::SharedImage { .. } => "ambiguous image",
            Self::OutsideRoot { .. } => "image outside the folder",
            Self::WebAddress { .. } => "web address",
            Self::EmptyImage => "no image named",
            Self::EmptyCaption { .. } | Self::NoCaption => "empty caption",
            Self::FieldCount { .. } => "wrong number of fields",
            Self::NotUtf8 { .. } | Self::NameNotUtf8 { .. } => "not UTF-8",
            Self::InvalidJson { .. } => "invalid JSON",
            Self::MissingField { .. } => "missing field",
            Self::WrongType { .. } => "wrong type",
            Self::BadList { .. } => "broken caption list",
            Self::UnknownSplit { .. } => "unknown split",
            Self::OtherSplit { .. } => "image in two splits",
        }
    }
}

/// Counts skipped rows by kind of reason, most frequent first.
pub fn tally(skipped: &[Skipped]) -> Vec<(&'static str, usize)> {
    let mut counts: Vec<(&'static str, usize)> = Vec::new();
    for kind in skipped.iter().map(|skipped| skipped.reason.kind()) {
        match counts.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => counts.push((kind, 1)),
        }
    }
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

/// The tail of a message about a row that takes up several lines.
fn spread(lines: u64) -> String {
    if lines > 1 {
        format!(" (the row spans {lines} lines: an unclosed quote?)")
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_reason_comes_first() {
        let skipped = |reason| Skipped { file: "a.csv".into(), row: 2, reason };
        let rows =
            [skipped(Reason::EmptyImage), skipped(Reason::NoCaption), skipped(Reason::NoCaption)];
        assert_eq!(tally(&rows), [("empty caption", 2), ("no image named", 1)]);
        assert_eq!(rows[1].to_string(), "a.csv:2: the caption is empty");
    }
}
