//! One file per format: bytes in, rows out.
//!
//! Readers find no pictures and merge nothing; that is the collector's work.

pub(crate) mod class_folders;
mod head;
mod jsonl;
mod karpathy;
mod list_cell;
mod newlines;
mod table;

use std::path::Path;

use crate::{
    Error, Layout, Options,
    choose::{Source, extension, stem},
    collect::Collector,
};

/// Tells a file's layout from its name and its first lines.
pub(crate) fn recognise(path: &Path, options: &Options) -> Result<Layout, Error> {
    let layout = match extension(path).as_str() {
        "json" => head::recognise_json(path)?,
        "jsonl" | "ndjson" => jsonl::recognise(path, options)?,
        "csv" | "tsv" | "txt" => table::recognise(path, options)?,
        other => return Err(unknown(path, &format!("a file ending in {other:?}"))),
    };
    let metadata = stem(path) == "metadata" && matches!(layout, Layout::Jsonl | Layout::Table);
    Ok(if metadata { Layout::ImageFolder } else { layout })
}

/// Hands every row of the source to the collector.
pub(crate) fn read(
    source: &Source,
    options: &Options,
    collector: &mut Collector,
) -> Result<(), Error> {
    match source.layout {
        Layout::Karpathy => karpathy::read(source, collector),
        Layout::Jsonl => jsonl::read(source, options, collector),
        Layout::ImageFolder if extension(&source.path) != "csv" => {
            jsonl::read(source, options, collector)
        }
        Layout::Table | Layout::ImageFolder => {
            table::read(source, options, table::Cells::Plain, collector)
        }
        Layout::RsicdCsv => table::read(source, options, table::Cells::Lists, collector),
        Layout::ImageClef => table::read_without_header(source, collector),
        Layout::ClassFolders => {
            class_folders::read(source, options, collector);
            Ok(())
        }
    }
}

/// The error for one file that is none of the layouts.
fn unknown(path: &Path, seen: &str) -> Error {
    let files = Layout::ALL.iter().filter(|layout| **layout != Layout::ClassFolders);
    let looked_for = files.map(|layout| format!("{} ({layout})", layout.description())).collect();
    Error::UnknownLayout { path: path.to_owned(), looked_for, seen: vec![seen.to_owned()] }
}
