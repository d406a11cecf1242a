//! A picture as tantivy keeps it.

use std::collections::BTreeMap;
use std::fmt::Write;

use tantivy::schema::{
    FAST, Field, IndexRecordOption, JsonObjectOptions, OwnedValue, Schema, TextFieldIndexing,
    TextOptions,
};
use tantivy::tokenizer::{PreTokenizedString, Token};

use crate::embedded::lexical::Entry;
use crate::embedded::lexical::analysis::{Analysis, Word};
use crate::metadata::{Metadata, Value};
use crate::rows::Row;

/// Column of the rows.
pub(super) const ROW: &str = "row";
/// Columns of the metadata.
const METADATA: &str = "metadata";

/// What tantivy is given; its own document would write words as JSON and read them again.
pub(super) type Document = BTreeMap<Field, OwnedValue>;

/// The fields of the index.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    pub(super) schema: Schema,
    row: Field,
    /// Stems, with their places.
    pub(super) stems: Field,
    /// The same field where a stem is its surface.
    pub(super) surfaces: Field,
    metadata: Field,
}

impl Fields {
    pub(super) fn new(analysis: &Analysis) -> Self {
        let mut schema = Schema::builder();
        let row = schema.add_u64_field(ROW, FAST);
        let stems = text("stems", IndexRecordOption::WithFreqsAndPositions, true, &mut schema);
        let surfaces = if analysis.has_stems() {
            text("surfaces", IndexRecordOption::WithFreqs, false, &mut schema)
        } else {
            stems
        };
        let metadata =
            schema.add_json_field(METADATA, JsonObjectOptions::default().set_fast("raw"));
        Self { schema: schema.build(), row, stems, surfaces, metadata }
    }

    /// A row without words, so that documents of a segment are numbered as rows are.
    pub(super) fn empty(&self, row: Row) -> Document {
        BTreeMap::from([(self.row, OwnedValue::U64(row.into()))])
    }

    pub(super) fn document(&self, entry: &Entry, analysis: &Analysis) -> Document {
        let mut document = self.empty(entry.row);
        let words = analysis.document(&entry.captions, &entry.metadata);
        document.insert(self.stems, tokens(&words, |word| &word.stem));
        if self.surfaces != self.stems {
            document.insert(self.surfaces, tokens(&words, |word| &word.surface));
        }
        document.insert(self.metadata, columns(&entry.metadata));
        document
    }
}

fn text(
    name: &str,
    kept: IndexRecordOption,
    lengths: bool,
    schema: &mut tantivy::schema::SchemaBuilder,
) -> Field {
    // Words come split, so the tokenizer is never asked.
    let indexing = TextFieldIndexing::default().set_tokenizer("raw").set_index_option(kept);
    let options = TextOptions::default().set_indexing_options(indexing.set_fieldnorms(lengths));
    schema.add_text_field(name, options)
}

fn tokens(words: &[Word], form: impl Fn(&Word) -> &String) -> OwnedValue {
    let token = |word: &Word| Token {
        position: word.position as usize,
        text: form(word).clone(),
        offset_from: word.bytes.start,
        offset_to: word.bytes.end,
        position_length: 1,
    };
    let tokens = words.iter().map(token).collect();
    OwnedValue::PreTokStr(PreTokenizedString { text: String::new(), tokens })
}

/// Single values by name. Zero is kept without its sign, since columns are compared by bits.
fn columns(metadata: &Metadata) -> OwnedValue {
    let mut columns = Vec::with_capacity(metadata.len());
    for (name, value) in metadata {
        let mut values = Vec::new();
        value.visit(&mut |value| match value {
            Value::Bool(value) => values.push(OwnedValue::Bool(*value)),
            Value::Number(value) => values.push(OwnedValue::F64(unsigned_zero(*value))),
            Value::Text(text) => values.push(OwnedValue::Str(text.clone())),
            Value::List(_) => {}
        });
        columns.push((key(name), OwnedValue::Array(values)));
    }
    OwnedValue::Object(columns)
}

/// The number, without the sign of a negative zero.
pub(super) fn unsigned_zero(number: f64) -> f64 {
    number + 0.0
}

/// Name of the columns of a metadata field.
pub(super) fn column(field: &str) -> String {
    format!("{METADATA}.{}", key(field))
}

/// The metadata field that columns of this name are of, if they are of any.
pub(super) fn field_of(column: &str) -> Option<String> {
    let key = column.strip_prefix(METADATA)?.strip_prefix(".k")?;
    let mut parts = key.split('%');
    let mut field = parts.next()?.to_owned();
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        field.push(char::from(u8::from_str_radix(code, 16).ok()?));
        field.push_str(rest);
    }
    Some(field)
}

/// A key in which nothing means a path to tantivy. It begins with a letter, since a key may be empty.
fn key(name: &str) -> String {
    let mut key = String::from("k");
    for c in name.chars() {
        if c.is_control() || matches!(c, '.' | '\\' | '%') {
            let _ = write!(key, "%{:02x}", u32::from(c));
        } else {
            key.push(c);
        }
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_a_path_and_no_two_are_the_same() {
        let names = ["", "k", "a.b", "a%2eb", "a\\.b", "a\u{1}b", "a\0b", "ab", "é 猫/x"];
        let keys: std::collections::BTreeSet<_> = names.into_iter().map(key).collect();
        assert_eq!(keys.len(), names.len());
        assert!(keys.iter().all(|key| !key.contains(['.', '\\', '\0', '\u{1}'])));
        for name in names {
            assert_eq!(field_of(&column(name)).as_deref(), Some(name));
        }
        assert_eq!(field_of("row"), None);
    }
}
