//! Karpathy's JSON, as RSICD, Flickr8k, Flickr30k and COCO are passed on: `images`, each with
//! `filename`, `sentences` and `split`.
//!
//! The document is streamed: tokens and everything else that is not wanted never sit in memory.

use std::{fmt, path::Path};

use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value, value::RawValue};

use super::{head, unknown};
use crate::{
    Error, Reason,
    choose::Source,
    collect::{Collector, Row},
    metadata,
};

#[derive(Deserialize)]
struct Image {
    #[serde(alias = "file_name")]
    filename: String,
    /// In COCO the folder; some exports repeat the file name in it.
    filepath: Option<String>,
    #[serde(default)]
    sentences: Vec<Sentence>,
    split: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// Numbers that lead from one list of the document to another, and mean nothing outside it.
const KEYS: [&str; 2] = ["imgid", "sentids"];

#[derive(Deserialize)]
struct Sentence {
    raw: Option<String>,
    #[serde(default)]
    tokens: Vec<String>,
}

/// Reads the whole document.
pub(super) fn read(source: &Source, collector: &mut Collector) -> Result<(), Error> {
    let mut keys = Vec::new();
    let seed = Document { keys: &mut keys, images: Some(Images { source, collector }) };
    let found = parse(&source.path, seed)?;
    if found {
        Ok(())
    } else {
        Err(unknown(&source.path, &format!("JSON with the keys {}", keys.join(", "))))
    }
}

/// What the document is, for an error message.
pub(super) fn top_level_keys(path: &Path) -> Result<String, Error> {
    if head::read(path)?.trim_start().starts_with('[') {
        return Ok("an array at the top".into());
    }
    let mut keys = Vec::new();
    parse(path, Document { keys: &mut keys, images: None })?;
    Ok(format!("the keys {}", keys.join(", ")))
}

fn parse(path: &Path, document: Document<'_, '_>) -> Result<bool, Error> {
    let mut json = serde_json::Deserializer::from_reader(head::open(path)?);
    let found = document.deserialize(&mut json).and_then(|found| json.end().map(|()| found));
    found.map_err(|error| match error.io_error_kind() {
        Some(_) => Error::Io(error.into()),
        None => Error::Broken {
            path: path.to_owned(),
            row: error.line() as u64,
            what: error.to_string(),
        },
    })
}

/// The top of the document; says whether `images` was there.
struct Document<'keys, 'a> {
    keys: &'keys mut Vec<String>,
    images: Option<Images<'a>>,
}

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object with \"images\"")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some(key) = map.next_key::<String>()? {
            match self.images.take_if(|_| key == "images") {
                Some(images) => {
                    map.next_value_seed(images)?;
                    found = true;
                }
                None => drop(map.next_value::<IgnoredAny>()?),
            }
            self.keys.push(key);
        }
        Ok(found)
    }
}

/// The list of images; each goes to the collector as soon as it is read.
struct Images<'a> {
    source: &'a Source,
    collector: &'a mut Collector,
}

impl<'de> DeserializeSeed<'de> for Images<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Images<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of images")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut number = 0;
        while let Some(entry) = list.next_element::<Box<RawValue>>()? {
            number += 1;
            // Read in two steps, so that one odd entry does not end the whole file.
            match serde_json::from_str::<Image>(entry.get()) {
                Ok(image) => self.collector.add(self.source, image.into_row(number)),
                Err(error) => {
                    self.collector.reject(
                        self.source,
                        number,
                        Reason::InvalidJson { what: error.to_string() },
                    );
                }
            }
        }
        Ok(())
    }
}

impl Image {
    fn into_row(mut self, number: u64) -> Row {
        let image = match self.filepath.as_deref().map(|folder| folder.trim_end_matches('/')) {
            Some(path) if path.ends_with(&self.filename) => path.to_owned(),
            Some(folder) if !folder.is_empty() => format!("{folder}/{}", self.filename),
            _ => self.filename,
        };
        let captions = self.sentences.into_iter().map(Sentence::into_text).collect();
        self.rest.retain(|name, _| !KEYS.contains(&name.as_str()));
        let metadata = metadata::of_object(self.rest);
        Row { number, image, captions, split: self.split, label: None, metadata }
    }
}

impl Sentence {
    fn into_text(self) -> String {
        self.raw.unwrap_or_else(|| self.tokens.join(" "))
    }
}
