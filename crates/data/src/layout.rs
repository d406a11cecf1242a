//! The names of the layouts that can be read.
//!
//! How a layout is recognised is `choose`'s business, how it is read is `read`'s.

use std::{fmt, str::FromStr};

use crate::Error;

/// How captions and pictures are laid out on disk; the names are what `--format` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// `karpathy`: one JSON file with `images`, each with `filename`, `sentences` and `split`.
    Karpathy,
    /// `jsonl`: a JSON object per line with a file name and one or more captions.
    Jsonl,
    /// `table`: CSV or TSV with a header.
    Table,
    /// `rsicd-csv`: a table whose caption cell is a printed list or numpy array of strings.
    RsicdCsv,
    /// `imageclef`: no header, `id<TAB>caption`.
    ImageClef,
    /// `imagefolder`: Hugging Face's `metadata.jsonl` or `metadata.csv` beside the pictures.
    ImageFolder,
    /// `class-folders`: a folder per class, the caption made from the folder's name.
    ClassFolders,
}

impl Layout {
    /// Every layout, in the order in which help texts list them.
    pub const ALL: [Self; 7] = [
        Self::Karpathy,
        Self::Jsonl,
        Self::Table,
        Self::RsicdCsv,
        Self::ImageClef,
        Self::ImageFolder,
        Self::ClassFolders,
    ];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Karpathy => "karpathy",
            Self::Jsonl => "jsonl",
            Self::Table => "table",
            Self::RsicdCsv => "rsicd-csv",
            Self::ImageClef => "imageclef",
            Self::ImageFolder => "imagefolder",
            Self::ClassFolders => "class-folders",
        }
    }

    /// Whether columns can be chosen by name.
    pub(crate) const fn has_columns(self) -> bool {
        matches!(self, Self::Jsonl | Self::Table | Self::RsicdCsv | Self::ImageFolder)
    }

    /// What a person would look for on disk, in one line.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Karpathy => "a .json with images[].filename and images[].sentences[].raw",
            Self::Jsonl => "a .jsonl with lines like {\"filename\": ..., \"captions\": [...]}",
            Self::Table => "a .csv, .tsv or .txt with a header like image,caption",
            Self::RsicdCsv => "a .csv whose caption cell is a printed list ['...' '...']",
            Self::ImageClef => "a .csv, .tsv or .txt without a header: id<TAB>caption",
            Self::ImageFolder => "metadata.jsonl or metadata.csv with file_name",
            Self::ClassFolders => "a folder of pictures per class",
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Layout {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let wanted = name.trim().to_ascii_lowercase().replace('_', "-");
        let known = Self::ALL.into_iter().find(|layout| layout.name() == wanted);
        known.ok_or_else(|| Error::UnknownFormat {
            name: name.to_owned(),
            nearest: nearest(&wanted),
        })
    }
}

/// The known names that look like `wanted`, best first; empty when nothing does.
fn nearest(wanted: &str) -> Vec<&'static str> {
    let mut scored: Vec<_> = Layout::ALL
        .iter()
        .map(|layout| (strsim::jaro_winkler(wanted, layout.name()), layout.name()))
        .collect();
    scored.retain(|(score, _)| *score >= 0.7);
    scored.sort_by(|left, right| right.0.total_cmp(&left.0));
    scored.into_iter().take(3).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for layout in Layout::ALL {
            assert_eq!(layout.to_string().parse::<Layout>().unwrap(), layout);
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        let error = "karpaty".parse::<Layout>().unwrap_err();
        assert!(matches!(&error, Error::UnknownFormat { nearest, .. } if nearest[0] == "karpathy"));
        assert!(error.hint().contains("karpathy"));
        assert!("zzz".parse::<Layout>().unwrap_err().hint().contains("rsicd-csv"));
    }
}
