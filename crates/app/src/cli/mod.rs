//! What can be typed: one struct per command, nothing else.
//!
//! Values are checked only against themselves here. `settings` merges them with files, `command` acts on them.

mod bench;
mod find;
mod model;
mod search;
mod serve;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::input::MaxBad;

pub(crate) use bench::{Bench, Part};
pub(crate) use find::Find;
pub(crate) use model::{Demo, Eval, Export, Init, Target, Train};
pub(crate) use search::{
    Admin, Compact, Copy, Extra, Index, Reembed, Relocate, Search, Stats, language_name,
};
pub(crate) use serve::Serve;

/// Turns a general CLIP model into one that knows your pictures, proves that it got better, and searches with it.
#[derive(Debug, Parser)]
#[command(name = "finelens", version, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Print results and errors only: no notes, no progress.
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = EVERYWHERE)]
    pub(crate) quiet: bool,
    /// Print what happens inside, and plain lines instead of bars; twice for every detail.
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = EVERYWHERE)]
    pub(crate) verbose: u8,
    /// What matrix products are computed in; `auto` where nothing is said, and what a run began with where it is resumed.
    #[arg(
        long,
        global = true,
        value_enum,
        env = "FINELENS_PRECISION",
        hide_env_values = true,
        help_heading = EVERYWHERE
    )]
    pub(crate) precision: Option<Precision>,
}

/// Values of `--precision`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Precision {
    /// bf16 where the processor has instructions for it (AMX or AVX-512), f32 elsewhere.
    #[default]
    Auto,
    /// 32-bit floats, the same on every processor to the last few bits.
    F32,
    /// 16-bit factors with 32-bit sums; very slow where the processor lacks the instructions.
    Bf16,
    /// 8-bit factors: `index` and `eval` first look on some pictures whether that is good enough; `search` and `serve` go by what `index` found.
    Int8,
}

impl Precision {
    /// As it is typed.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::Int8 => "int8",
        }
    }
}

/// Says how a word to leave out is typed, where one was taken for a flag.
pub(crate) fn with_words_in_quotes(mut told: clap::Error) -> clap::Error {
    use clap::error::{ContextKind, ContextValue};
    let of_search = |usage: &ContextValue| usage.to_string().contains(" search ");
    let is_word = |value: &ContextValue| matches!(value, ContextValue::String(flag) if !flag.starts_with("--"));
    if told.get(ContextKind::Usage).is_some_and(of_search)
        && told.get(ContextKind::InvalidArg).is_some_and(is_word)
    {
        let tip = "put words to leave out into quotes, as in 'boat -sail', or behind `--`";
        told.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    told
}

/// Heading of the flags that every command has.
const EVERYWHERE: &str = "Every command";

const EXAMPLES: &str = "\
Start here:
  finelens demo                              see it work on drawings of its own
  finelens train photos/ --out runs/photos   fine-tune on a folder with captions
  finelens eval photos/ --model runs/photos  measure it on held-out pictures
  finelens index photos/ --model runs/photos --into photos.index
  finelens search a red boat --index photos.index
  finelens serve --index photos.index        search in the browser

Exit status: 0 done, 1 the answer is no, 2 an error or too many bad rows.";

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a fresh CLIP with random weights, in Hugging Face layout.
    Init(Init),
    /// Fine-tune a model on captioned pictures, and measure it before and after.
    Train(Train),
    /// Measure how well a model finds pictures by words and words by pictures.
    Eval(Eval),
    /// Write a model in the layout of another program.
    Export(Export),
    /// Make a folder of pictures searchable, or bring its index up to date.
    Index(Index),
    /// Find pictures by words, by pictures, or by both.
    Search(Search),
    /// Find where in a picture something is, or that it is not in it.
    Find(Find),
    /// Search in the browser and over HTTP, until Ctrl-C.
    Serve(Serve),
    /// Look after an index: what is in it, whether it is whole, where its pictures are.
    #[command(subcommand)]
    Admin(Admin),
    /// Measure how fast this machine embeds, trains, reads pictures and searches.
    Bench(Bench),
    /// See everything work, from nothing: draws pictures, fine-tunes on them, compares before and after, searches.
    Demo(Demo),
}

/// How DATA is read, the same for every command that reads it.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Reading DATA")]
pub(crate) struct DataArgs {
    /// How DATA is laid out, and which columns to take, as in `table,image=path,caption=title`.
    ///
    /// Layouts: karpathy, jsonl, table, rsicd-csv, imageclef, imagefolder, class-folders. Roles: image, caption (may be
    /// repeated), split, and for class folders template, as in `template=a photo of a {class}`. Either part may be
    /// left out. Default: recognised from what is there.
    #[arg(long, value_name = "LAYOUT[,ROLE=NAME]...")]
    pub(crate) format: Option<String>,
    /// Folder of the pictures; rows may not lead out of it. Default: beside the captions.
    #[arg(long, value_name = "DIR")]
    pub(crate) image_root: Option<PathBuf>,
    /// Bad rows and broken pictures to put up with, as a number or a share. Default: 1 %, but at least 10.
    ///
    /// Bad rows are named and skipped; more of them than this end the command with status 2.
    #[arg(long, value_name = "N|N%")]
    pub(crate) max_bad: Option<MaxBad>,
    /// Put up with no bad row at all: the same as `--max-bad 0`.
    #[arg(long, conflicts_with = "max_bad")]
    pub(crate) strict: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_command_has_more_than_a_dozen_flags() {
        let cli = Cli::command();
        let commands = cli.get_subcommands();
        for command in commands.flat_map(|command| command.get_subcommands().chain([command])) {
            let flags =
                command.get_arguments().filter(|argument| !argument.is_positional()).count();
            assert!(flags <= 12, "{} has {flags} flags", command.get_name());
        }
    }
}
