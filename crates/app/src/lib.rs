//! The application behind the binary `finelens`, and the scenes that its demonstration draws.
//!
//! A library only so that tests, examples and benches can reach it; nothing here is for other programs.

mod bench;
mod cli;
mod command;
mod embedded;
mod error;
mod features;
pub mod finding;
mod found;
mod hub;
mod indexing;
mod input;
mod interrupt;
mod logging;
mod measure;
mod model;
mod number;
mod printer;
mod problem;
mod progress;
mod proof;
mod question;
mod report;
mod rounding;
pub mod scenes;
mod serve;
mod settings;
mod showcase;
mod stamp;
mod summary;
mod table;
mod thumbnail;
mod today;

use std::ffi::OsString;

use clap::Parser;

use cli::{Cli, Command};
use printer::Printer;
use problem::Problem;

/// Runs the program with the words that were typed, the program's name first, and returns its exit status.
///
/// 0: done. 1: ran, and the answer is no. 2: an error, or too many bad rows.
pub fn run(words: impl IntoIterator<Item = OsString>) -> u8 {
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(told) => {
            let told = cli::with_words_in_quotes(told);
            // A reader that has gone away (`finelens --help | head -1`) is no error.
            let _ = told.print();
            return told.exit_code() as u8;
        }
    };
    logging::start(cli.verbose, log_format(&cli.command));
    let printer = Printer::new(&cli);
    let can = model::compute_in(cli.precision, &cli.command).map_err(Into::into);
    match can.and_then(|()| dispatch(cli.command, &printer)) {
        Ok(verdict) => verdict.exit(),
        Err(error) => Problem::of(&error).map_or(0, |problem| {
            printer.problem(&problem);
            problem.exit
        }),
    }
}

/// A server's log is read later, and by programs.
fn log_format(command: &Command) -> logging::Format {
    match command {
        Command::Serve(words) => words.log_format.format(),
        _ => logging::Format::Plain,
    }
}

/// How a command that did not fail came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Done, or: the answer is yes.
    Done,
    /// It ran, and the answer is no.
    No,
}

impl Verdict {
    fn exit(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::No => 1,
        }
    }
}

fn dispatch(command: Command, printer: &Printer) -> anyhow::Result<Verdict> {
    match command {
        Command::Init(words) => command::init::run(&words, printer),
        Command::Train(words) => command::train::run(&words, printer),
        Command::Eval(words) => command::eval::run(&words, printer),
        Command::Export(words) => command::export::run(&words, printer),
        Command::Index(words) => command::index::run(&words, printer),
        Command::Search(words) => command::search::run(&words, printer),
        Command::Find(words) => command::find::run(&words, printer),
        Command::Serve(words) => command::serve::run(&words, printer),
        Command::Admin(words) => command::admin::run(&words, printer),
        Command::Bench(words) => command::bench::run(&words, printer),
        Command::Demo(words) => command::demo::run(&words, printer),
    }
}
