//! A record as its table has it, and the checksum over all of it.

use std::borrow::Cow;

use rusqlite::Row as Found;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::metadata::{self, Metadata};
use crate::record::{Place, Record};
use crate::rows::Row;

/// What [`Columns::read`] expects, in order.
pub(super) const COLUMNS: &str = "row, id, place, words, vector_crc, thumbnail_crc, crc";

/// One row of the table.
#[derive(Debug)]
pub(super) struct Columns<'a> {
    pub(super) row: Row,
    pub(super) id: &'a str,
    /// [`PlaceColumn`], if there is one.
    pub(super) place: Option<Cow<'a, str>>,
    /// [`WordsColumn`].
    pub(super) words: Cow<'a, str>,
    pub(super) vector_crc: u32,
    pub(super) thumbnail_crc: Option<u32>,
}

/// Root, path, bytes, time and checksum of the original; as an array because there is one in every row.
#[derive(Serialize, Deserialize)]
struct PlaceColumn<'a>(Cow<'a, str>, Cow<'a, str>, u64, i64, u32);

/// Captions and metadata. These are the bytes that [`Record::words_crc`] is over.
#[derive(Serialize, Deserialize)]
struct WordsColumn<'a>(Cow<'a, [String]>, Cow<'a, Metadata>);

impl<'a> Columns<'a> {
    /// A record that will be in `row`.
    ///
    /// # Errors
    /// Metadata that could not be read back: a number that is none, or lists too deep inside each other.
    pub(super) fn of(row: Row, record: &'a Record, vector_crc: u32) -> Result<Self, Error> {
        if let Some(reason) = metadata::unreadable(&record.metadata) {
            return Err(Error::Id { id: record.id.clone(), reason });
        }
        let place = record.place.as_ref().map(|place| {
            let (root, path) = (place.root.as_str().into(), place.path.as_str().into());
            json(&PlaceColumn(root, path, place.bytes, place.modified_ns, place.crc))
        });
        let words = WordsColumn(Cow::Borrowed(&record.captions), Cow::Borrowed(&record.metadata));
        Ok(Self {
            row,
            id: &record.id,
            place: place.transpose()?.map(Cow::Owned),
            words: Cow::Owned(json(&words)?),
            vector_crc,
            thumbnail_crc: record.thumbnail.as_deref().map(crc32fast::hash),
        })
    }

    /// Reads a row of the table and checks it; an error says what is wrong with it.
    pub(super) fn read(found: &'a Found<'_>) -> Result<Self, String> {
        let row = found.get::<_, Row>(0).map_err(|error| error.to_string())?;
        let id = text(found, 1).map_err(|_| format!("row {row}: its id is not text"))?;
        let damaged = || format!("row {row}, id {id:?}: the record does not match its checksum");
        let read = || -> rusqlite::Result<Self> {
            let place = found.get_ref(2)?.as_str_or_null()?.map(Cow::Borrowed);
            let words = Cow::Borrowed(text(found, 3)?);
            let thumbnail_crc = found.get::<_, Option<i32>>(5)?.map(i32::cast_unsigned);
            let vector_crc = found.get::<_, i32>(4)?.cast_unsigned();
            Ok(Self { row, id, place, words, vector_crc, thumbnail_crc })
        };
        let columns = read().map_err(|_| damaged())?;
        let crc = found.get::<_, i32>(6).map_err(|_| damaged())?;
        if columns.crc() == crc.cast_unsigned() { Ok(columns) } else { Err(damaged()) }
    }

    /// Checksum over everything else. Lengths are part of it, so that nothing can move from one column to the next.
    pub(super) fn crc(&self) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&self.row.to_le_bytes());
        for text in [Some(self.id), self.place.as_deref(), Some(&self.words)] {
            hasher.update(&text.map_or(u64::MAX, |text| text.len() as u64).to_le_bytes());
            hasher.update(text.unwrap_or_default().as_bytes());
        }
        hasher.update(&self.vector_crc.to_le_bytes());
        hasher.update(&self.thumbnail_crc.map_or(u64::MAX, u64::from).to_le_bytes());
        hasher.finalize()
    }

    /// The same as [`Record::words_crc`] of the record.
    pub(super) fn words_crc(&self) -> u32 {
        crc32fast::hash(self.words.as_bytes())
    }

    pub(super) fn place(&self) -> Result<Option<Place>, String> {
        let Some(column) = &self.place else { return Ok(None) };
        let PlaceColumn(root, path, bytes, modified_ns, crc) =
            serde_json::from_str(column).map_err(|e| self.fault(&e))?;
        Ok(Some(Place {
            root: root.into_owned(),
            path: path.into_owned(),
            bytes,
            modified_ns,
            crc,
        }))
    }

    /// The record, without its thumbnail.
    pub(super) fn record(&self) -> Result<Record, String> {
        let WordsColumn(captions, metadata) =
            serde_json::from_str(&self.words).map_err(|error| self.fault(&error))?;
        let (captions, metadata) = (captions.into_owned(), metadata.into_owned());
        Ok(Record {
            id: self.id.to_owned(),
            place: self.place()?,
            captions,
            metadata,
            thumbnail: None,
        })
    }

    /// What is wrong with one of the two parts that are JSON.
    fn fault(&self, error: &serde_json::Error) -> String {
        self.about(&error.to_string())
    }

    /// Something about this row.
    pub(super) fn about(&self, what: &str) -> String {
        format!("row {}, id {:?}: {what}", self.row, self.id)
    }
}

fn text<'a>(found: &'a Found<'_>, column: usize) -> rusqlite::Result<&'a str> {
    Ok(found.get_ref(column)?.as_str()?)
}

fn json(value: &impl Serialize) -> Result<String, Error> {
    Ok(serde_json::to_string(value).map_err(std::io::Error::from)?)
}

/// Checksum over the bytes of a vector, as they are in its file.
pub(super) fn vector_crc(vector: &[f32]) -> u32 {
    let mut bytes = Vec::with_capacity(vector.len() * 4);
    bytes.extend(vector.iter().flat_map(|number| number.to_le_bytes()));
    crc32fast::hash(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Value;

    fn of(value: Value) -> Result<(), String> {
        let metadata = Metadata::from([("field".to_owned(), value)]);
        let record = Record {
            id: "a".to_owned(),
            place: None,
            captions: Vec::new(),
            metadata,
            thumbnail: None,
        };
        let columns = Columns::of(0, &record, 0).map_err(|error| error.to_string())?;
        assert_eq!(columns.record().unwrap(), record);
        Ok(())
    }

    fn nested(lists: usize, inside: Value) -> Value {
        (0..lists).fold(inside, |value, _| Value::List(vec![value]))
    }

    #[test]
    fn metadata_that_could_not_be_read_back_is_refused() {
        for lists in 0..=4 {
            of(nested(lists, Value::Number(1.0))).unwrap();
            let told = of(nested(lists, Value::Number(f64::NAN))).unwrap_err();
            assert_eq!(told, "\"a\": its metadata holds a number that is infinite or not a number");
        }
        for lists in [5, 200, 1000] {
            let told = of(nested(lists, Value::Bool(true))).unwrap_err();
            assert_eq!(told, "\"a\": its metadata holds more than 4 lists inside each other");
        }
    }
}
