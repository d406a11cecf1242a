//! JSON lines: an object per line with a file name and captions, as clip-rsicd and Hugging Face's
//! `metadata.jsonl` have them.
//!
//! Fields are chosen once, from the first object of the file.

use std::{io::BufRead, path::Path};

use serde_json::{Map, Value};

use super::{head, unknown};
use crate::{
    Error, Layout, Options, Reason,
    choose::Source,
    collect::{Collector, Row},
    columns::Columns,
    metadata,
};

type Object = Map<String, Value>;

/// The fields to read, by name.
struct Fields {
    image: String,
    captions: Vec<String>,
    split: Option<String>,
}

/// Whether the first objects have the fields.
pub(super) fn recognise(path: &Path, options: &Options) -> Result<Layout, Error> {
    let head = head::read(path)?;
    let mut objects = head.lines().filter_map(|line| serde_json::from_str::<Object>(line).ok());
    let Some(object) = objects.next() else {
        return Err(unknown(path, "no line that is a JSON object"));
    };
    Fields::find(path, &object, options).map(|_| Layout::Jsonl)
}

/// Reads every line.
pub(super) fn read(
    source: &Source,
    options: &Options,
    collector: &mut Collector,
) -> Result<(), Error> {
    let mut reader = head::open(&source.path)?;
    let mut fields = None;
    let (mut line, mut number) = (Vec::new(), 0);
    while reader.read_until(b'\n', &mut line)? > 0 {
        number += 1;
        if !line.trim_ascii().is_empty() {
            match parse(&line) {
                Ok(object) => {
                    let fields = match &mut fields {
                        Some(fields) => fields,
                        None => fields.insert(Fields::find(&source.path, &object, options)?),
                    };
                    match fields.row(number, object) {
                        Ok(row) => collector.add(source, row),
                        Err(reason) => collector.reject(source, number, reason),
                    }
                }
                Err(reason) => collector.reject(source, number, reason),
            }
        }
        line.clear();
    }
    Ok(())
}

fn parse(line: &[u8]) -> Result<Object, Reason> {
    let text = std::str::from_utf8(line).map_err(|error| {
        let offset = error.valid_up_to();
        Reason::NotUtf8 { byte: line[offset], offset, part: "the line".into() }
    })?;
    serde_json::from_str(text).map_err(|error| Reason::InvalidJson { what: error.to_string() })
}

impl Fields {
    /// Looks among the object's own fields, then also one level deeper.
    fn find(path: &Path, object: &Object, options: &Options) -> Result<Self, Error> {
        let own = object.iter().filter(|(_, value)| !value.is_object());
        let mut names: Vec<String> = own.map(|(name, _)| name.clone()).collect();
        let mut columns = Columns::find(path, &names, options);
        if columns.is_err() {
            names.extend(nested_names(object));
            columns = Columns::find(path, &names, options);
        }
        let columns = columns?;
        let name = |index: usize| names[index].clone();
        Ok(Self {
            image: name(columns.image),
            captions: columns.captions.into_iter().map(name).collect(),
            split: columns.split.map(name),
        })
    }

    fn row(&self, number: u64, mut object: Object) -> Result<Row, Reason> {
        let image = match take(&mut object, &self.image) {
            Some(Value::String(text)) => text,
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Null) | None => {
                return Err(Reason::MissingField { name: self.image.clone() });
            }
            Some(_) => {
                return Err(Reason::WrongType { name: self.image.clone(), expected: "a string" });
            }
        };
        let mut captions = Vec::new();
        for name in &self.captions {
            captions.extend(texts(take(&mut object, name), name)?);
        }
        let split = match self.split.as_ref().and_then(|name| take(&mut object, name)) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        // What was taken has left nothing behind.
        let metadata = metadata::of_object(object);
        Ok(Row { number, image, captions, split, label: None, metadata })
    }
}

/// Names of the fields of nested objects, with a dot.
fn nested_names(object: &Object) -> Vec<String> {
    let inner = |(outer, value): (&String, &Value)| -> Vec<String> {
        value
            .as_object()
            .map(|inner| inner.keys().map(|name| format!("{outer}.{name}")).collect())
            .unwrap_or_default()
    };
    object.iter().flat_map(inner).collect()
}

/// Takes a field out of the object; a dot enters a nested one unless the name itself has it.
fn take(object: &mut Object, name: &str) -> Option<Value> {
    if let Some(value) = object.get_mut(name) {
        return Some(value.take());
    }
    let (outer, inner) = name.split_once('.')?;
    Some(object.get_mut(outer)?.get_mut(inner)?.take())
}

/// One caption or a list of them; a field that is absent or null holds none.
fn texts(value: Option<Value>, name: &str) -> Result<Vec<String>, Reason> {
    let wrong =
        || Reason::WrongType { name: name.to_owned(), expected: "a string or a list of strings" };
    let text = |value| match value {
        Value::String(text) => Ok(text),
        _ => Err(wrong()),
    };
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => items.into_iter().map(text).collect(),
        Some(value) => Ok(vec![text(value)?]),
    }
}
