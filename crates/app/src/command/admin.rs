//! `finelens admin`: look after an index.

use std::collections::BTreeSet;
use std::path::Path;

use finelens_search::{Backend, Embedded};

use crate::Verdict;
use crate::cli::{Admin, Compact, Copy, Relocate, Stats};
use crate::error::Error;
use crate::indexing::{self, UPLOADS, spread};
use crate::number::{bytes, counted, grouped};
use crate::printer::Printer;
use crate::progress::Stages;
use crate::serve::copy_uploads;
use crate::summary::{Known, Summary};

/// Runs the command.
pub(crate) fn run(words: &Admin, printer: &Printer) -> anyhow::Result<Verdict> {
    match words {
        Admin::Stats(words) => stats(words, printer),
        Admin::Verify(words) => verify(&words.index, printer),
        Admin::Compact(words) => compact(words, printer),
        Admin::Copy(words) => copy(words, printer),
        Admin::Relocate(words) => relocate(words, printer),
    }
}

fn stats(words: &Stats, printer: &Printer) -> anyhow::Result<Verdict> {
    let index = Embedded::open_read_only(&words.index)?;
    let known = Known {
        stats: index.stats()?,
        settings: index.settings(),
        precisions: indexing::precisions(&index)?,
        roots: index.roots()?,
    };
    let summary = Summary::new(&words.index, known);
    if words.json {
        printer.data(summary.to_json()?)?;
    } else {
        printer.data(summary.table())?;
    }
    Ok(Verdict::Done)
}

fn verify(path: &Path, printer: &Printer) -> anyhow::Result<Verdict> {
    let index = Embedded::open_read_only(path)?;
    let mut stages = Stages::new(printer);
    let wrong = index.verify(&mut |what, done, total| stages.see(what, done, total))?;
    stages.finish();
    if wrong.is_empty() {
        let pictures = counted(index.stats()?.pictures, "picture");
        printer.data(format_args!("{}: whole, {pictures}", path.display()))?;
        return Ok(Verdict::Done);
    }
    for line in &wrong {
        printer.data(line)?;
    }
    let things = counted(wrong.len(), "thing");
    printer.answer(format_args!("{}: {things} wrong", path.display()));
    Ok(Verdict::No)
}

fn compact(words: &Compact, printer: &Printer) -> anyhow::Result<Verdict> {
    let path = &words.index;
    let index = Embedded::open(path)?;
    let size = |index: &Embedded| -> anyhow::Result<u64> {
        Ok(index.stats()?.disk.iter().map(|(_, bytes)| bytes).sum())
    };
    let before = size(&index)?;
    if index.stats()?.dead_rows == 0 && !words.force {
        let told = format!("{}: nothing to give back, {}", path.display(), bytes(before));
        printer.data(told)?;
        return Ok(Verdict::Done);
    }
    let mut stages = Stages::new(printer);
    let faults = index.compact(&mut |what, done, total| stages.see(what, done, total))?;
    stages.finish();
    let after = size(&index)?;
    let given_back = bytes(before.saturating_sub(after));
    printer.data(format_args!(
        "{}: {given_back} given back, {} left",
        path.display(),
        bytes(after)
    ))?;
    Ok(tell_left_out(&faults, printer))
}

fn copy(words: &Copy, printer: &Printer) -> anyhow::Result<Verdict> {
    let index = Embedded::open_read_only(&words.index)?;
    let mut stages = Stages::new(printer);
    let faults = index.copy(&words.into, &mut |what, done, total| stages.see(what, done, total))?;
    stages.finish();
    // After the records: whatever they name was there before them.
    copy_uploads(&words.index, &words.into)?;
    let copy = Embedded::open_read_only(&words.into)?.stats()?;
    let size: u64 = copy.disk.iter().map(|(_, bytes)| bytes).sum();
    let pictures = counted(copy.pictures, "picture");
    printer.data(format_args!("{}: {pictures}, {}", words.into.display(), bytes(size)))?;
    Ok(tell_left_out(&faults, printer))
}

/// Names what was damaged. That it is gone now is an answer that scripts should see.
fn tell_left_out(faults: &[String], printer: &Printer) -> Verdict {
    if faults.is_empty() {
        return Verdict::Done;
    }
    for fault in faults {
        printer.warn(fault);
    }
    printer.answer(format_args!("{} damaged and left out", counted(faults.len(), "thing")));
    Verdict::No
}

/// Pictures that are looked for before a folder is believed.
const LOOKED_FOR: usize = 100;

fn relocate(words: &Relocate, printer: &Printer) -> anyhow::Result<Verdict> {
    let index = Embedded::open(&words.index)?;
    let root = root_of(&index, words)?;
    let folder = fs_err::canonicalize(&words.folder)?;
    let places: Vec<String> = index
        .known()?
        .into_values()
        .filter_map(|known| known.place.filter(|place| place.root == root))
        .map(|place| place.path)
        .collect();
    let sample: Vec<&String> =
        spread(places.len(), LOOKED_FOR).map(|place| &places[place]).collect();
    let missing: Vec<&&String> =
        sample.iter().filter(|path| !folder.join(path).is_file()).collect();
    let there = sample.len() - missing.len();
    if let Some(first) = missing.first() {
        if there == 0 {
            let (folder, first) = (words.folder.clone(), (**first).clone());
            return Err(Error::NotThere { folder, looked_for: sample.len(), first }.into());
        }
        printer
            .warn(format_args!("{} not there, such as {first}", counted(missing.len(), "picture")));
    }
    index.set_root(&root, &folder)?;
    let (there, all) = (grouped(there), counted(sample.len(), "picture"));
    printer.data(format_args!(
        "{root}: {}, {there} of {all} looked for are there",
        folder.display()
    ))?;
    Ok(Verdict::Done)
}

/// The root that was named, or the only one. Pictures know theirs even where the list of roots was damaged.
fn root_of(index: &Embedded, words: &Relocate) -> anyhow::Result<String> {
    let of_pictures = index.known()?.into_values().filter_map(|known| Some(known.place?.root));
    let of_pictures = of_pictures.filter(|root| root != UPLOADS);
    let names: BTreeSet<String> = index.roots()?.into_keys().chain(of_pictures).collect();
    let names: Vec<String> = names.into_iter().collect();
    match &words.root {
        Some(name) if names.contains(name) => return Ok(name.clone()),
        None if names.len() == 1 => return Ok(names[0].clone()),
        _ => {}
    }
    let known = if names.is_empty() { "(it has none)".to_owned() } else { names.join(", ") };
    let found = words.root.clone().unwrap_or_else(|| "none named".to_owned());
    Err(Error::Root { index: words.index.clone(), known, found }.into())
}
