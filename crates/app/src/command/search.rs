//! `finelens search`: pictures by words, by pictures, or by both.

use finelens_search::{Backend, Embedded};

use crate::Verdict;
use crate::cli::Search;
use crate::found::{self, Found};
use crate::indexing;
use crate::printer::Printer;
use crate::question;

/// Runs the command.
pub(crate) fn run(words: &Search, printer: &Printer) -> anyhow::Result<Verdict> {
    let index = Embedded::open_read_only(&words.index)?;
    let query = question::read(words, &index, printer)?;
    let results = index.search(&query)?;
    let roots = indexing::folders(&index, &words.index)?;
    let found = Found { asked: words, results: &results, roots: &roots };
    found.warn(printer);
    if words.json {
        printer.data(found.to_json()?)?;
    }
    if results.hits.is_empty() {
        if let Some(filter) = &query.filter {
            found::reasons(&index, filter)?.into_iter().for_each(|told| printer.warn(told));
        }
        printer.answer(if words.offset > 0 { "no more pictures" } else { "no picture found" });
        return Ok(Verdict::No);
    }
    if !words.json {
        printer.data(found.table(printer.emphasis()))?;
    }
    if results.more {
        let next = words.offset + results.hits.len();
        printer.say(format_args!("more with --offset {next}"));
    }
    Ok(Verdict::Done)
}
