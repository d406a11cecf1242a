//! Reads numbers and words out of a JSON object and says what is wrong with them.
//!
//! It knows nothing of CLIP; every error names the file and the full key.

use std::path::Path;

use serde_json::{Map, Value};

use crate::Error;

/// A JSON object inside a file.
pub(super) struct Object<'a> {
    path: &'a Path,
    /// Keys above this object, each followed by a dot.
    prefix: String,
    map: Map<String, Value>,
}

impl<'a> Object<'a> {
    /// Parses a whole file.
    pub(super) fn parse(json: &str, path: &'a Path) -> Result<Self, Error> {
        let value = serde_json::from_str(json)
            .map_err(|source| Error::Json { path: path.to_owned(), source })?;
        match value {
            Value::Object(map) => Ok(Self { path, prefix: String::new(), map }),
            other => Err(Error::Config {
                path: path.to_owned(),
                key: "the file".to_owned(),
                expected: "a JSON object".to_owned(),
                found: shorten(&other),
            }),
        }
    }

    /// The object under `key`; empty where the key is absent or null.
    pub(super) fn object(&self, key: &str) -> Result<Self, Error> {
        let map = match self.get(key) {
            None => Map::new(),
            Some(Value::Object(map)) => map.clone(),
            Some(_) => return Err(self.wrong(key, "an object")),
        };
        Ok(Self { path: self.path, prefix: format!("{}{key}.", self.prefix), map })
    }

    /// The same object with the keys of `other` put over its own.
    pub(super) fn overridden_by(mut self, other: Self) -> Self {
        self.map.extend(other.map);
        self
    }

    /// The value under `key`; a null counts as absent.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// The keys that are present.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.map.keys().map(String::as_str)
    }

    /// A whole number from 1 to `most`.
    pub(super) fn size(&self, key: &str, default: usize, most: usize) -> Result<usize, Error> {
        self.whole(key, default, 1, most)
    }

    /// A whole number from `least` to `most`.
    pub(super) fn whole(
        &self,
        key: &str,
        default: usize,
        least: usize,
        most: usize,
    ) -> Result<usize, Error> {
        let Some(value) = self.get(key) else { return Ok(default) };
        match value.as_u64().and_then(|n| usize::try_from(n).ok()) {
            Some(n) if (least..=most).contains(&n) => Ok(n),
            _ => Err(self.wrong(key, &format!("a whole number from {least} to {most}"))),
        }
    }

    /// The side of a square, as one number or as two equal ones.
    pub(super) fn side(&self, key: &str, default: usize, most: usize) -> Result<usize, Error> {
        match self.get(key) {
            Some(Value::Array(sides)) if sides.len() == 2 && sides[0] == sides[1] => {
                let one = Map::from_iter([(key.to_owned(), sides[0].clone())]);
                Self { path: self.path, prefix: self.prefix.clone(), map: one }
                    .size(key, default, most)
            }
            Some(Value::Array(_)) => {
                Err(self.wrong(key, "one side, since pictures and patches are square"))
            }
            _ => self.size(key, default, most),
        }
    }

    /// A finite number.
    pub(super) fn number(&self, key: &str, default: f64) -> Result<f64, Error> {
        let Some(value) = self.get(key) else { return Ok(default) };
        value.as_f64().filter(|n| n.is_finite()).ok_or_else(|| self.wrong(key, "a number"))
    }

    /// A word.
    pub(super) fn word(&self, key: &str, default: &'static str) -> Result<&str, Error> {
        let Some(value) = self.get(key) else { return Ok(default) };
        value.as_str().ok_or_else(|| self.wrong(key, "a string"))
    }

    /// True or false.
    pub(super) fn flag(&self, key: &str) -> Result<bool, Error> {
        let Some(value) = self.get(key) else { return Ok(false) };
        value.as_bool().ok_or_else(|| self.wrong(key, "true or false"))
    }

    /// The error for the value under `key`.
    pub(super) fn wrong(&self, key: &str, expected: &str) -> Error {
        let found = self.map.get(key).map_or_else(|| "nothing".to_owned(), shorten);
        Error::Config {
            path: self.path.to_owned(),
            key: format!("{}{key}", self.prefix),
            expected: expected.to_owned(),
            found,
        }
    }
}

/// The value as JSON, cut where it is long.
fn shorten(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
