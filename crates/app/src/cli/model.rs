//! What can be typed after `init`, `train`, `eval`, `export` and `demo`: commands that end in a model or in its numbers.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, ValueEnum};
use finelens_clip::config::PRESETS;

use super::DataArgs;

/// `finelens init`.
#[derive(Debug, Args)]
#[command(after_help = INIT_EXAMPLES)]
pub(crate) struct Init {
    /// Folder to write; must not exist, or be empty.
    pub(crate) dir: PathBuf,
    /// Size of the model; more costs more memory and time for every picture.
    #[arg(long, default_value = "small", value_parser = PossibleValuesParser::new(presets()))]
    pub(crate) preset: String,
    /// Take the vocabulary from this folder: tokenizer.json, or vocab.json and merges.txt.
    #[arg(
        long,
        value_name = "DIR",
        required_unless_present = "vocab_from",
        conflicts_with = "vocab_from"
    )]
    pub(crate) vocab: Option<PathBuf>,
    /// Learn a vocabulary from the training captions of this data set.
    #[arg(long, value_name = "DATA")]
    pub(crate) vocab_from: Option<PathBuf>,
    /// Tokens of a learned vocabulary, at most; a small one means fewer weights and longer sequences.
    #[arg(long, value_name = "N", default_value_t = 8192, conflicts_with = "vocab",
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(514..=1_000_000))]
    pub(crate) vocab_size: usize,
    /// Side of the input picture in pixels; time and memory grow with its square. Default: the preset's.
    #[arg(long, value_name = "PX")]
    pub(crate) image_size: Option<usize>,
    /// Seed of the random weights; the same seed gives the same bits.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// How `--vocab-from` is read.
    #[command(flatten)]
    pub(crate) data: DataArgs,
}

const INIT_EXAMPLES: &str = "\
Examples:
  finelens init models/small --preset small --vocab-from photos/
  finelens init models/b32 --preset vit-b-32 --vocab models/openai-clip

Random weights know nothing. Where you can, fine-tune a published model instead:
`finelens train` fetches one.";

pub(super) fn presets() -> Vec<PossibleValue> {
    PRESETS.iter().map(|preset| PossibleValue::new(preset.name).help(preset.description)).collect()
}

/// `finelens train`.
#[derive(Debug, Args)]
#[command(after_help = TRAIN_EXAMPLES)]
pub(crate) struct Train {
    /// Pictures and captions: a folder, or a .csv, .tsv, .json or .jsonl file.
    ///
    /// Not needed with `--resume`, or where `--config` names it.
    #[arg(required_unless_present_any = ["resume", "config"])]
    pub(crate) data: Option<PathBuf>,
    /// Model to start from: a folder, a run, or a hub id `org/name[@revision]`, fetched after its size is said.
    ///
    /// Default: openai/clip-vit-base-patch32.
    #[arg(long, value_name = "DIR|RUN|HUB-ID", conflicts_with = "resume")]
    pub(crate) model: Option<String>,
    /// Folder of the run: settings, log, checkpoints, results. Default: runs/DATE-NAME.
    #[arg(long, value_name = "RUN", required_if_eq("resume", "true"))]
    pub(crate) out: Option<PathBuf>,
    /// Settings of the run, as in the run.toml that every run writes.
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    pub(crate) config: Option<PathBuf>,
    /// Change one setting, over those of `--config`; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", conflicts_with = "resume")]
    pub(crate) set: Vec<String>,
    /// Go on with the run in `--out` where it stopped, with its own settings, to the same bits.
    #[arg(long)]
    pub(crate) resume: bool,
    /// How DATA is read.
    #[command(flatten)]
    pub(crate) read: DataArgs,
}

const TRAIN_EXAMPLES: &str = "\
Examples:
  finelens train photos/ --out runs/photos
  finelens train captions.csv --image-root scans/ --model models/small
  finelens train photos/ --set epochs=20 --set optimizer.learning_rate=1e-5
  finelens train --resume --out runs/photos

Ctrl-C saves after the current step and says how to go on; a second one quits.
Settings and their defaults: docs/cli.md";

/// `finelens eval`.
#[derive(Debug, Args)]
#[command(after_help = EVAL_EXAMPLES)]
pub(crate) struct Eval {
    /// Pictures and captions: a folder, or a .csv, .tsv, .json or .jsonl file.
    pub(crate) data: PathBuf,
    /// Model to measure: a folder, a run (its best checkpoint), or a hub id `org/name[@revision]`.
    #[arg(long, value_name = "DIR|RUN|HUB-ID", default_value = crate::hub::DEFAULT_MODEL)]
    pub(crate) model: String,
    /// Measure this model too, as the one before, and test whether `--model` is better.
    #[arg(long, value_name = "DIR|RUN|HUB-ID")]
    pub(crate) against: Option<String>,
    /// Pictures to measure on: train, valid, test or all. Default: test, or valid where there is none.
    #[arg(long, value_name = "NAME")]
    pub(crate) split: Option<String>,
    /// Classify too: a file with one class name per line.
    ///
    /// A picture's true class is its label, else what stands before the last `_` of its file name, else its folder's name.
    #[arg(long, value_name = "FILE")]
    pub(crate) classes: Option<PathBuf>,
    /// Sentence around a class name; the features of several prompts are averaged.
    #[arg(long, value_name = "TEXT", requires = "classes", default_value = "a photo of a {}")]
    pub(crate) prompt: Vec<String>,
    /// Print the whole record as JSON instead of tables.
    #[arg(long)]
    pub(crate) json: bool,
    /// Also write the features of pictures and captions, to compute with elsewhere.
    #[arg(long, value_name = "OUT.safetensors")]
    pub(crate) features: Option<PathBuf>,
    /// Exit with status 1 if a metric is below a value, as in `t2i_r@10=0.5`; may be repeated.
    #[arg(long, value_name = "METRIC=VALUE")]
    pub(crate) fail_under: Vec<String>,
    /// How DATA is read.
    #[command(flatten)]
    pub(crate) read: DataArgs,
}

const EVAL_EXAMPLES: &str = "\
Examples:
  finelens eval photos/ --model runs/photos
  finelens eval photos/ --model runs/photos --against models/before
  finelens eval rsicd.json --model runs/rsicd \\
    --classes classes.txt --prompt \"an aerial photo of {}\"
  finelens eval photos/ --model runs/photos --fail-under t2i_r@10=0.5 --json";

/// `finelens export`.
#[derive(Debug, Args)]
#[command(after_help = EXPORT_EXAMPLES)]
pub(crate) struct Export {
    /// Model to write: a folder, a run (its best checkpoint), or a hub id `org/name[@revision]`.
    #[arg(value_name = "DIR|RUN|HUB-ID")]
    pub(crate) model: String,
    /// Who will read it.
    #[arg(long, value_enum)]
    pub(crate) to: Target,
    /// Folder to write; must not exist, or be empty.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

/// A layout that models can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    /// Loads as `local-dir:DIR` in `open_clip`
    OpenClip,
    /// Loads with `CLIPModel.from_pretrained(DIR)` in transformers, and here
    HuggingFace,
}

const EXPORT_EXAMPLES: &str = "\
Examples:
  finelens export runs/photos --to open-clip --out photos-open-clip
  finelens export runs/photos --to hugging-face --out photos-clip";

/// `finelens demo`.
#[derive(Debug, Args)]
#[command(after_help = DEMO_EXAMPLES)]
pub(crate) struct Demo {
    /// Keep pictures, captions, the run and the index in this folder; must not exist, or be empty. Default: nothing is kept.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Seed of the drawings and of training; another seed means other pictures.
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub(crate) seed: u64,
    /// Address to serve the pictures at in the end, to be searched in the browser; port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT", default_value = super::serve::DEFAULT_ADDRESS)]
    pub(crate) addr: String,
    /// End after the searches, without serving.
    #[arg(long)]
    pub(crate) no_serve: bool,
}

const DEMO_EXAMPLES: &str = "\
Examples:
  finelens demo
  finelens demo --dir demo --no-serve && finelens eval demo/data --model demo/run

Takes a minute or two on two cores and needs no network; serves until Ctrl-C.";
