//! CSV and TSV, with a header or in ImageCLEF's headerless `id<TAB>caption`.
//!
//! Rows are streamed as bytes, so a stray Windows-1252 letter costs one row and not the file.

use std::{io::Read, path::Path};

use csv::{ByteRecord, ReaderBuilder};

use super::{head, list_cell, newlines::Newlines};
use crate::{
    Error, Layout, Metadata, Options, Reason, Value,
    choose::Source,
    collect::{Collector, Row},
    columns::Columns,
    listing::is_picture,
    metadata,
};

/// What a caption cell holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cells {
    /// One caption.
    Plain,
    /// A printed list of captions.
    Lists,
}

/// How the table is written and which columns are wanted.
#[derive(Debug)]
struct Shape {
    delimiter: u8,
    has_header: bool,
    /// Fields in every row.
    width: usize,
    columns: Columns,
    /// Place and name of every other column that has a name.
    others: Vec<(usize, String)>,
    cells: Cells,
}

/// Tells a table with a header from one without, and one caption a cell from printed lists.
pub(super) fn recognise(path: &Path, options: &Options) -> Result<Layout, Error> {
    let head = head::read(path)?;
    let shape = match with_header(path, &head, options, Cells::Plain) {
        Ok(shape) => shape,
        Err(error) if options.name_columns() => return Err(error),
        Err(error) => return without_header(&head).map(|_| Layout::ImageClef).ok_or(error),
    };
    Ok(if holds_lists(&head, &shape) { Layout::RsicdCsv } else { Layout::Table })
}

/// Reads a table with a header.
pub(super) fn read(
    source: &Source,
    options: &Options,
    cells: Cells,
    collector: &mut Collector,
) -> Result<(), Error> {
    let head = head::read(&source.path)?;
    let shape = with_header(&source.path, &head, options, cells)?;
    read_rows(source, &shape, collector)
}

/// Reads lines of picture and caption.
pub(super) fn read_without_header(source: &Source, collector: &mut Collector) -> Result<(), Error> {
    let head = head::read(&source.path)?;
    let first = head.lines().next().unwrap_or_default();
    let delimiter =
        without_header(&head).unwrap_or(if first.contains('\t') { b'\t' } else { b',' });
    let columns = Columns { image: 0, captions: vec![1], split: None };
    let (others, cells) = (Vec::new(), Cells::Plain);
    let shape = Shape { delimiter, has_header: false, width: 2, columns, others, cells };
    read_rows(source, &shape, collector)
}

/// Tries the usual delimiters; the first one that yields all columns is it.
fn with_header(path: &Path, head: &str, options: &Options, cells: Cells) -> Result<Shape, Error> {
    let mut best: Option<(usize, Error)> = None;
    for delimiter in [b'\t', b',', b';', b'|'] {
        let names = first_record(head, delimiter, true);
        match Columns::find(path, &names, options) {
            Ok(columns) => {
                return Ok(Shape {
                    delimiter,
                    has_header: true,
                    width: names.len(),
                    others: columns.others(&names),
                    columns,
                    cells,
                });
            }
            Err(error) if best.as_ref().is_none_or(|(count, _)| names.len() > *count) => {
                best = Some((names.len(), error));
            }
            Err(_) => {}
        }
    }
    Err(best.expect("four delimiters were tried and none returned").1)
}

/// The delimiter of a file that starts with a picture and its caption at once.
fn without_header(head: &str) -> Option<u8> {
    let is_id = |field: &str| !field.is_empty() && !field.contains(char::is_whitespace);
    let tabs = first_record(head, b'\t', false);
    if tabs.len() == 2 && is_id(&tabs[0]) {
        return Some(b'\t');
    }
    let commas = first_record(head, b',', true);
    (commas.len() == 2 && is_picture(&commas[0])).then_some(b',')
}

fn first_record(head: &str, delimiter: u8, quoting: bool) -> Vec<String> {
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .quoting(quoting)
        .has_headers(false)
        .from_reader(head.as_bytes());
    let record = reader.records().next().and_then(Result::ok).unwrap_or_default();
    record.iter().map(|name| name.trim().to_owned()).collect()
}

/// Whether the first caption cell that is not empty is a printed list.
fn holds_lists(head: &str, shape: &Shape) -> bool {
    let [caption] = shape.columns.captions[..] else { return false };
    let reader =
        ReaderBuilder::new().delimiter(shape.delimiter).flexible(true).from_reader(head.as_bytes());
    let cells = reader
        .into_records()
        .filter_map(Result::ok)
        .filter_map(|record| Some(record.get(caption)?.to_owned()));
    cells
        .into_iter()
        .find(|cell| !cell.trim().is_empty())
        .is_some_and(|cell| list_cell::is_list(&cell))
}

fn read_rows(source: &Source, shape: &Shape, collector: &mut Collector) -> Result<(), Error> {
    // Without a header the file follows ImageCLEF, where a quote is a letter like any other.
    let quoting = shape.has_header || shape.delimiter != b'\t';
    // Two more line ends: one for a last line without, so that the line behind a record always tells
    // where it ended, and one that only a quote which is never closed can swallow.
    let bytes = Newlines::new(head::open(&source.path)?).chain(&b"\n\n"[..]);
    let mut reader = ReaderBuilder::new()
        .delimiter(shape.delimiter)
        .quoting(quoting)
        .has_headers(shape.has_header)
        .flexible(true)
        .from_reader(bytes);
    let mut record = ByteRecord::new();
    let (mut end, mut lines) = (0, 0);
    while reader.read_byte_record(&mut record).map_err(std::io::Error::from)? {
        end = reader.position().byte();
        lines = 1 + record.iter().flatten().filter(|byte| **byte == b'\n').count() as u64;
        let start = reader.position().line().saturating_sub(lines);
        match row(start, lines, &record, shape) {
            Ok(row) => collector.add(source, row),
            Err(reason) => collector.reject(source, start, reason),
        }
    }
    if lines == 0 || reader.position().byte() > end {
        return Ok(());
    }
    let row = (reader.position().line() + 1).saturating_sub(lines);
    Err(Error::Broken {
        path: source.path.clone(),
        row,
        what: "a quote that opens here is never closed".into(),
    })
}

fn row(number: u64, lines: u64, record: &ByteRecord, shape: &Shape) -> Result<Row, Reason> {
    if record.len() != shape.width {
        return Err(Reason::FieldCount { expected: shape.width, found: record.len(), lines });
    }
    let image = without_caption_number(text(record, shape.columns.image)?).to_owned();
    let split =
        shape.columns.split.map(|column| text(record, column)).transpose()?.map(str::to_owned);
    let captions = captions(record, shape)?;
    let metadata = metadata(record, shape);
    Ok(Row { number, image, captions, split, label: None, metadata })
}

/// The captions; of several columns the empty ones only mean that there were fewer captions.
fn captions(record: &ByteRecord, shape: &Shape) -> Result<Vec<String>, Reason> {
    let cells = shape.columns.captions.iter().map(|column| text(record, *column));
    let cells = cells.collect::<Result<Vec<_>, _>>()?;
    if shape.cells == Cells::Lists {
        let lists = cells.into_iter().filter(|cell| !cell.trim().is_empty()).map(list_cell::parse);
        return Ok(lists.collect::<Result<Vec<_>, _>>()?.concat());
    }
    Ok(cells.into_iter().filter(|cell| !cell.trim().is_empty()).map(str::to_owned).collect())
}

/// The other cells. A stray Windows-1252 letter costs a letter here: a row is not bad because of what few will ask for.
fn metadata(record: &ByteRecord, shape: &Shape) -> Metadata {
    let mut metadata = Metadata::new();
    for (column, name) in &shape.others {
        let value = Value::of_cell(&String::from_utf8_lossy(&record[*column]));
        let named = value.map(|value| (name.clone(), value)).into_iter().collect();
        metadata::merge(&mut metadata, named);
    }
    metadata
}

/// The field as text.
fn text(record: &ByteRecord, column: usize) -> Result<&str, Reason> {
    let bytes = &record[column];
    std::str::from_utf8(bytes).map_err(|error| {
        let offset = error.valid_up_to();
        Reason::NotUtf8 { byte: bytes[offset], offset, part: format!("field {}", column + 1) }
    })
}

/// `a.jpg#3`, as Flickr8k's token file numbers captions, is `a.jpg`.
fn without_caption_number(image: &str) -> &str {
    match image.rsplit_once('#') {
        Some((name, number))
            if is_picture(name) && number.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            name
        }
        _ => image,
    }
}
