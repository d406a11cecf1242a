//! What can be typed after `bench`.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, RangedU64ValueParser};
use clap::{Args, ValueEnum};

/// `finelens bench`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Bench {
    /// Model to time: a folder, a run, or a hub id `org/name[@revision]`. Default: a fresh one of `--preset`.
    #[arg(long, value_name = "DIR|RUN|HUB-ID", conflicts_with = "preset")]
    pub(crate) model: Option<String>,
    /// Size of the fresh model; its weights are random, which takes the same time.
    #[arg(long, default_value = "vit-b-32", value_parser = PossibleValuesParser::new(super::model::presets()))]
    pub(crate) preset: String,
    /// Time this part only; may be repeated.
    #[arg(long, value_name = "PART", value_enum)]
    pub(crate) only: Vec<Part>,
    /// Decode and embed the picture files of this folder, 256 of them at most, instead of drawn ones: how fast an index of them
    /// would be made.
    #[arg(long, value_name = "DIR")]
    pub(crate) pictures: Option<PathBuf>,
    /// Pictures or texts at once; may be repeated. Default: 1, 16 and 64, and for training steps 16 and 64.
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=4096))]
    pub(crate) batch: Vec<usize>,
    /// Tokens of each text; captions of a dozen words have some 16, CLIP's longest 77.
    #[arg(long, value_name = "N", default_value_t = 32,
          value_parser = RangedU64ValueParser::<usize>::new().range(2..=4096))]
    pub(crate) tokens: usize,
    /// Repeats of everything. Default: as many as fit into a few seconds, at least three.
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=1000))]
    pub(crate) repeats: Option<usize>,
    /// Less of everything: a first impression in a third of the time.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Print one JSON object a line: the machine, then each measurement.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Values of `--only`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// What the processor can do at most, and memory.
    Ceiling,
    /// Pictures to vectors.
    Image,
    /// Texts to vectors.
    Text,
    /// Training: forward, backward, optimizer.
    Step,
    /// Picture files to vectors: read, decoded, resized, embedded.
    Files,
    /// Picture files to the model's input.
    Decode,
    /// An index of drawn vectors: building and asking.
    Search,
}

const EXAMPLES: &str = "\
Examples:
  finelens bench
  finelens bench --precision auto --model runs/photos --pictures photos/
  finelens bench --only step --batch 32 --json

Close other programs first; docs/bench.md says what each line means.";
