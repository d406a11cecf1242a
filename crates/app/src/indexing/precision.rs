//! What the vectors of an index were computed in, as the index notes it.
//!
//! It is told, and nothing depends on it: vectors of all precisions find each other.

use finelens_search::{Backend, Embedded};

use crate::model;

/// Name of the note: precisions in the order in which they came, with commas between. An index of another model begins without it.
const NOTE: &str = "precisions";

/// What is known of vectors from before they were noted.
const UNKNOWN: &str = "unknown";

/// In the order in which they came.
pub(crate) fn precisions(index: &Embedded) -> anyhow::Result<Vec<String>> {
    if let Some(noted) = index.note(NOTE)? {
        return Ok(noted.split(',').map(str::to_owned).collect());
    }
    let unknown = index.stats()?.pictures > 0;
    Ok(unknown.then(|| UNKNOWN.to_owned()).into_iter().collect())
}

/// Notes what this process computes in, before it adds a vector.
pub(crate) fn note_precision(index: &Embedded) -> anyhow::Result<()> {
    note(index, model::precision_name())
}

fn note(index: &Embedded, precision: &str) -> anyhow::Result<()> {
    let mut known = precisions(index)?;
    if known.iter().any(|known| known == precision) {
        return Ok(());
    }
    known.push(precision.to_owned());
    Ok(index.set_note(NOTE, &known.join(","))?)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use finelens_search::{Fingerprint, Item, Language, Record, Settings};

    /// One without pictures.
    pub(in crate::indexing) fn index(dir: &tempfile::TempDir) -> Embedded {
        let model = Fingerprint { hash: "0a".to_owned(), name: "model".to_owned() };
        let (language, text_fields) = (Language::English, Vec::new());
        Embedded::create(dir.path(), &Settings { dim: 16, model, language, text_fields }).unwrap()
    }

    #[test]
    fn each_precision_is_noted_once_in_the_order_in_which_it_came() {
        let dir = tempfile::tempdir().unwrap();
        let index = index(&dir);
        assert!(precisions(&index).unwrap().is_empty());
        for precision in ["bf16", "f32", "bf16"] {
            note(&index, precision).unwrap();
        }
        assert_eq!(precisions(&index).unwrap(), ["bf16", "f32"]);
    }

    #[test]
    fn vectors_from_before_there_was_a_note_are_of_unknown_precision() {
        let dir = tempfile::tempdir().unwrap();
        let index = index(&dir);
        let record = Record { id: "a".to_owned(), ..Record::default() };
        let mut vector = vec![0.0; 16];
        vector[3] = 1.0;
        index.put(&[Item { record, vector }]).unwrap();
        assert_eq!(precisions(&index).unwrap(), ["unknown"]);
        note(&index, "int8").unwrap();
        assert_eq!(precisions(&index).unwrap(), ["unknown", "int8"]);
    }
}
