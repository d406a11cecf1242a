//! `finelens bench`: how fast is this machine?

use crate::Verdict;
use crate::bench::{self, Subject};
use crate::cli::Bench;
use crate::interrupt;
use crate::model;
use crate::printer::Printer;

/// Runs the command.
pub(crate) fn run(words: &Bench, printer: &Printer) -> anyhow::Result<Verdict> {
    interrupt::listen(printer.clone(), "telling what was measured after this one")?;
    let subject = match &words.model {
        Some(name) => Subject::read(name, model::load(name, printer)?),
        None => Subject::fresh(&words.preset),
    };
    let report = bench::measure(words, subject, printer)?;
    printer.data(if words.json { bench::json_lines(&report)? } else { bench::table(&report) })?;
    Ok(Verdict::Done)
}
