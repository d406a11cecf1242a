//! What can be typed after `index`, `search` and `admin`: commands about an index.

use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand, ValueEnum};
use finelens_search::{Language, Mode};

use super::DataArgs;

/// `finelens index`.
#[derive(Debug, Args)]
#[command(after_help = INDEX_EXAMPLES)]
pub(crate) struct Index {
    /// Pictures and captions: a folder, or a .csv, .tsv, .json or .jsonl file.
    pub(crate) data: PathBuf,
    /// Folder of the index: made if it is not there, else brought up to date.
    ///
    /// Only pictures that are new or changed are embedded, so the same command also goes on after an interruption.
    #[arg(long, value_name = "INDEX")]
    pub(crate) into: PathBuf,
    /// Model that embeds the pictures: a folder, a run (its best checkpoint), or a hub id `org/name[@revision]`.
    ///
    /// Default: the one that the index was made with; for a new index openai/clip-vit-base-patch32.
    #[arg(long, value_name = "DIR|RUN|HUB-ID")]
    pub(crate) model: Option<String>,
    /// Pictures to take: train, valid, test or all.
    #[arg(long, value_name = "NAME", default_value = "all")]
    pub(crate) split: String,
    /// Take pictures out of the index that are in DATA no more; without this they are only counted.
    #[arg(long)]
    pub(crate) prune: bool,
    /// Embed everything anew, with another model or other settings; the index answers meanwhile, and changes at the end.
    ///
    /// While there are pictures that cannot be embedded anew, as their originals are gone, the index keeps its old
    /// vectors; --reembed=drop-missing gives these pictures up.
    #[arg(long, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "whole")]
    pub(crate) reembed: Option<Reembed>,
    /// Fit how much the vector counts beside the words, on captions of the split valid.
    ///
    /// Done without being asked when the index is new or much of it is, and there are captions enough: it takes
    /// pictures with two or more, of which one is the query.
    #[arg(long)]
    pub(crate) fit: bool,
    /// Language of the captions: how words are brought to their stems, and which say nothing. Default: english.
    #[arg(long, value_name = "NAME", value_parser = languages(), hide_possible_values = true,
          long_help = language_help())]
    pub(crate) language: Option<Language>,
    /// Search this column or field like a caption, too; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub(crate) text_field: Vec<String>,
    /// How DATA is read.
    #[command(flatten)]
    pub(crate) read: DataArgs,
}

/// What `--reembed` does about pictures that cannot be embedded anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Reembed {
    /// The index stays as it is while there are any.
    Whole,
    /// They are dropped.
    DropMissing,
}

const INDEX_EXAMPLES: &str = "\
Examples:
  finelens index photos/ --model runs/photos --into photos.index
  finelens index photos/ --into photos.index --prune
  finelens index photos/ --into photos.index --model runs/better --reembed
  finelens index scans.csv --into scans.index --model models/b32 \\
    --language german --text-field finding

Ctrl-C keeps what is done; the same command goes on. Every further column or field
of DATA is kept to be filtered by; docs/datasets.md says how.";

/// Languages by the name that is typed.
const LANGUAGES: [(&str, Language); 14] = [
    ("none", Language::None),
    ("danish", Language::Danish),
    ("dutch", Language::Dutch),
    ("english", Language::English),
    ("finnish", Language::Finnish),
    ("french", Language::French),
    ("german", Language::German),
    ("hungarian", Language::Hungarian),
    ("italian", Language::Italian),
    ("norwegian", Language::Norwegian),
    ("portuguese", Language::Portuguese),
    ("russian", Language::Russian),
    ("spanish", Language::Spanish),
    ("swedish", Language::Swedish),
];

fn languages() -> impl TypedValueParser<Value = Language> {
    let of_name = |name: String| {
        let known = LANGUAGES.iter().find(|(known, _)| *known == name);
        known.map(|(_, language)| *language).expect("only these names are taken")
    };
    PossibleValuesParser::new(LANGUAGES.map(|(name, _)| name)).map(of_name)
}

fn language_help() -> String {
    format!(
        "Language of the captions: how words are brought to their stems, and which say nothing. Default: english.\n\n\
         One of {}; with none, words are searched as they stand.",
        LANGUAGES.map(|(name, _)| name).join(", ")
    )
}

/// What a language is called on the command line.
pub(crate) fn language_name(language: Language) -> &'static str {
    LANGUAGES.iter().find(|(_, known)| *known == language).map_or("none", |(name, _)| name)
}

/// `finelens search`.
#[derive(Debug, Args)]
#[command(after_help = SEARCH_EXAMPLES)]
pub(crate) struct Search {
    /// What to look for; every text is a valid search.
    ///
    /// A caption must have each `+word`, each `"phrase"` and a word for each `begin*`, and none of `-word`, in every
    /// mode. Other words are optional. Put `--` before words that begin with a hyphen.
    pub(crate) words: Vec<String>,
    /// Folder of the index.
    #[arg(long, value_name = "INDEX")]
    pub(crate) index: PathBuf,
    /// Find pictures like this one: a file, or the id of a picture in the index; may be repeated.
    #[arg(long, visible_alias = "like", value_name = "FILE|ID")]
    pub(crate) image: Vec<String>,
    /// What decides on the order.
    #[arg(long, value_enum, default_value = "hybrid")]
    pub(crate) mode: Legs,
    /// Pictures to show.
    #[arg(short = 'k', long, value_name = "N", default_value_t = 10,
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=10_000))]
    pub(crate) limit: usize,
    /// Pictures to leave out at the top, for the next page.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) offset: usize,
    /// Only pictures of which this holds, as in `year >= 2010 and class in (port, "river bank")`.
    #[arg(long, value_name = "CONDITION")]
    pub(crate) filter: Option<String>,
    /// Also look for this: words, a picture's file, or `id:ID` of one in the index; may be repeated.
    ///
    /// It is added to the vector that is looked for, and changes nothing for the words.
    #[arg(long, value_name = "WORDS|FILE|id:ID")]
    pub(crate) add: Vec<String>,
    /// Look away from this; may be repeated.
    #[arg(long, value_name = "WORDS|FILE|id:ID")]
    pub(crate) subtract: Vec<String>,
    /// Add this with a weight, as in `0.5=snow`; `--add` is weight 1, `--subtract` -1; may be repeated.
    #[arg(long, value_name = "WEIGHT=WHAT", allow_hyphen_values = true)]
    pub(crate) weight: Vec<Weighted>,
    /// Something extra; may be repeated.
    #[arg(long, value_enum, value_name = "EXTRA")]
    pub(crate) with: Vec<Extra>,
    /// Print everything about the hits as one JSON object instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// Where the index's model is, if it moved. Default: where it was.
    #[arg(long, value_name = "DIR|RUN|HUB-ID")]
    pub(crate) model: Option<String>,
}

const SEARCH_EXAMPLES: &str = "\
Examples:
  finelens search a red boat --index photos.index
  finelens search '+boat \"at night\" -sail' --index photos.index -k 20
  finelens search --image mine.jpg --index photos.index --with fold
  finelens search harbour --index photos.index --filter 'year >= 2010'
  finelens search --like airport_1.jpg --subtract planes --index photos.index

Exit status 1 says that nothing was found.";

/// Which part of a search decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Legs {
    /// The words alone, by BM25 over captions; needs no model
    Lexical,
    /// The vector alone, by what the pictures show
    Vector,
    /// Both, as they were fitted to the index
    Hybrid,
}

impl Legs {
    /// The same, as the index calls it.
    pub(crate) fn mode(self) -> Mode {
        match self {
            Self::Lexical => Mode::Lexical,
            Self::Vector => Mode::Vector,
            Self::Hybrid => Mode::Hybrid,
        }
    }

    /// The word that is typed.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Lexical => "lexical",
            Self::Vector => "vector",
            Self::Hybrid => "hybrid",
        }
    }
}

/// What a search can do beyond finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Extra {
    /// Words match others that differ in a letter or two
    Fuzzy,
    /// Fold pictures that look the same into the best of them
    Fold,
    /// Find 95 of 100 of what comparing with every vector finds instead of 99, in less time
    Fast,
    /// Compare with every vector, slowly, to check the fast way
    Exact,
}

/// A part of a query vector with its share.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Weighted {
    /// Its share.
    pub(crate) weight: f32,
    /// Words, a file, or `id:ID`.
    pub(crate) what: String,
}

impl FromStr for Weighted {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let told = "expected WEIGHT=WHAT, such as 0.5=snow";
        let (weight, what) = text.split_once('=').ok_or(told)?;
        let weight: f32 = weight.trim().parse().map_err(|_| told)?;
        if !weight.is_finite() || what.trim().is_empty() {
            return Err(told);
        }
        Ok(Self { weight, what: what.trim().to_owned() })
    }
}

/// `finelens admin`.
#[derive(Debug, Subcommand)]
#[command(after_help = ADMIN_EXAMPLES)]
pub(crate) enum Admin {
    /// Say what is in an index, and how well it works.
    Stats(Stats),
    /// Read everything, and list what is wrong; status 1 if something is.
    Verify(Folder),
    /// Give back the room of pictures that were deleted or replaced.
    Compact(Compact),
    /// Copy an index, which may be in use meanwhile.
    Copy(Copy),
    /// Say where the pictures are, after their folder moved.
    Relocate(Relocate),
}

const ADMIN_EXAMPLES: &str = "\
Examples:
  finelens admin stats photos.index
  finelens admin verify photos.index
  finelens admin copy photos.index /media/backup/photos.index
  finelens admin relocate photos.index /media/photos";

/// `finelens admin stats`.
#[derive(Debug, Args)]
pub(crate) struct Stats {
    /// Folder of the index.
    pub(crate) index: PathBuf,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `finelens admin compact`.
#[derive(Debug, Args)]
pub(crate) struct Compact {
    /// Folder of the index.
    pub(crate) index: PathBuf,
    /// Write it anew even where there is nothing to give back: what is damaged is left out then.
    #[arg(long)]
    pub(crate) force: bool,
}

/// `finelens admin copy`.
#[derive(Debug, Args)]
pub(crate) struct Copy {
    /// Folder of the index.
    pub(crate) index: PathBuf,
    /// Folder of the copy, which must be new or empty.
    pub(crate) into: PathBuf,
}

/// `finelens admin verify`.
#[derive(Debug, Args)]
pub(crate) struct Folder {
    /// Folder of the index.
    pub(crate) index: PathBuf,
}

/// `finelens admin relocate`.
#[derive(Debug, Args)]
pub(crate) struct Relocate {
    /// Folder of the index.
    pub(crate) index: PathBuf,
    /// Folder that the pictures are in now.
    pub(crate) folder: PathBuf,
    /// Which of the index's folders moved; `finelens admin stats` names them. Default: the only one.
    #[arg(long, value_name = "NAME")]
    pub(crate) root: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_stands_before_the_first_equals_sign() {
        let read = |text: &str| text.parse::<Weighted>();
        let what = "a = b".to_owned();
        assert_eq!(read("-0.5= a = b"), Ok(Weighted { weight: -0.5, what }));
        for text in ["snow", "=snow", "much=snow", "1=", "inf=snow"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_language_has_the_name_that_is_stored() {
        for (name, language) in LANGUAGES {
            assert_eq!(serde_json::to_value(language).unwrap(), name);
            assert_eq!(language_name(language), name);
        }
    }
}
