//! What must be done so that an index says what the data says.
//!
//! Files are looked at here, but not opened.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use finelens_data::{Example, Value as DataValue};
use finelens_search::{Embedded, Error, Known, Metadata, Place, Record, Value};
use rayon::prelude::*;

use super::roots::folders;

/// A picture as it should be in the index.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    /// Without thumbnail, and with a checksum only where it is known already.
    pub(crate) record: Record,
    /// Its file.
    pub(crate) file: PathBuf,
    /// What the index knows of it.
    pub(crate) known: Option<Known>,
}

/// What is to be done with whom.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// To be read, as their files are new or look different.
    pub(crate) to_read: Vec<Candidate>,
    /// Their files are the same, but other things are said about them.
    pub(crate) to_reword: Vec<Record>,
    /// As they were.
    pub(crate) same: usize,
}

impl Plan {
    /// Compares what should be in the index with what is.
    pub(crate) fn new(candidates: Vec<Candidate>, known: &BTreeMap<String, Known>) -> Self {
        let mut plan = Self::default();
        let looked_at = candidates.into_par_iter().map(|candidate| {
            let known = known.get(&candidate.record.id).cloned();
            look_at(Candidate { known, ..candidate })
        });
        for candidate in looked_at.collect::<Vec<_>>() {
            plan.take(candidate);
        }
        plan
    }

    fn take(&mut self, mut candidate: Candidate) {
        let Some(known) = &candidate.known else { return self.to_read.push(candidate) };
        let looks_the_same = match (&known.place, &candidate.record.place) {
            (Some(known), Some(found)) => Place { crc: known.crc, ..found.clone() } == *known,
            _ => false,
        };
        if !looks_the_same {
            self.to_read.push(candidate);
        } else if known.words_crc == candidate.record.words_crc() {
            self.same += 1;
        } else {
            candidate.record.place.clone_from(&known.place);
            self.to_reword.push(candidate.record);
        }
    }
}

/// Fills in size and time of the file. Where there is none, the reader will say so.
fn look_at(mut candidate: Candidate) -> Candidate {
    if let (Some(place), Ok((bytes, modified_ns))) =
        (&mut candidate.record.place, size_and_time(&candidate.file))
    {
        (place.bytes, place.modified_ns) = (bytes, modified_ns);
    }
    candidate
}

/// Size and time of the last change, in nanoseconds since 1970.
pub(crate) fn size_and_time(file: &Path) -> std::io::Result<(u64, i64)> {
    let metadata = fs_err::metadata(file)?;
    let modified = metadata.modified()?;
    let nanoseconds = match modified.duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_nanos() as i64,
        Err(before) => -(before.duration().as_nanos() as i64),
    };
    Ok((metadata.len(), nanoseconds))
}

/// The pictures of a data set whose files are below `folder`, the root of that name.
pub(crate) fn of_data(examples: &[&Example], root: &str, folder: &Path) -> Vec<Candidate> {
    examples.iter().map(|example| candidate(example, root, folder)).collect()
}

fn candidate(example: &Example, root: &str, folder: &Path) -> Candidate {
    let below = example.image.strip_prefix(folder).unwrap_or(&example.image);
    let parts: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    let record = Record {
        id: example.id.clone(),
        place: Some(empty_place(root, parts.join("/"))),
        captions: example.captions.clone(),
        metadata: metadata(example),
        thumbnail: None,
    };
    Candidate { record, file: example.image.clone(), known: None }
}

fn empty_place(root: &str, path: String) -> Place {
    Place { root: root.to_owned(), path, bytes: 0, modified_ns: 0, crc: 0 }
}

/// What the data says of a picture, with its split and its class where the data has no fields of these names.
fn metadata(example: &Example) -> Metadata {
    let mut metadata: Metadata =
        example.metadata.iter().map(|(name, value)| (name.clone(), value_of(value))).collect();
    let named =
        [("split", example.split.map(|split| split.to_string())), ("class", example.label.clone())];
    for (name, text) in named {
        if let Some(text) = text {
            metadata.entry(name.to_owned()).or_insert(Value::Text(text));
        }
    }
    metadata
}

fn value_of(value: &DataValue) -> Value {
    match value {
        DataValue::Bool(value) => Value::Bool(*value),
        DataValue::Number(value) => Value::Number(*value),
        DataValue::Text(value) => Value::Text(value.clone()),
        DataValue::List(items) => Value::List(items.iter().map(value_of).collect()),
    }
}

/// Pictures of an index, to be taken over into another one from their originals. A damaged one is left out.
pub(crate) fn carried<'a>(
    index: &Embedded,
    path: &Path,
    ids: impl Iterator<Item = &'a String>,
) -> anyhow::Result<Vec<Candidate>> {
    let roots = folders(index, path)?;
    let mut candidates = Vec::new();
    for id in ids {
        let record = match index.record(id) {
            Ok(Some(record)) => record,
            Ok(None) | Err(Error::Damaged { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        let place = record.place.clone().unwrap_or_else(|| empty_place("", id.clone()));
        let folder = roots.get(&place.root).cloned().unwrap_or_default();
        let empty = Some(empty_place(&place.root, place.path.clone()));
        let record = Record { place: empty, ..record };
        candidates.push(Candidate { record, file: folder.join(place.path), known: None });
    }
    Ok(candidates)
}

#[cfg(test)]
mod tests {
    use super::*;
    use finelens_data::Split;

    fn example(folder: &Path, id: &str) -> Example {
        Example {
            id: id.to_owned(),
            image: folder.join(id),
            captions: vec!["a boat".to_owned()],
            split: Some(Split::Valid),
            label: Some("port".to_owned()),
            metadata: [("class".to_owned(), DataValue::Text("harbour".to_owned()))].into(),
        }
    }

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            fs_err::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
            fs_err::write(folder.path().join(name), name).unwrap();
        }
        folder
    }

    fn candidates(folder: &Path, names: &[&str]) -> Vec<Candidate> {
        let examples: Vec<Example> = names.iter().map(|name| example(folder, name)).collect();
        of_data(&examples.iter().collect::<Vec<_>>(), "photos", folder)
    }

    /// What an index knows after all of these were put.
    fn known(folder: &Path, names: &[&str]) -> BTreeMap<String, Known> {
        let put = Plan::new(candidates(folder, names), &BTreeMap::new()).to_read;
        let known = |candidate: Candidate| {
            let words_crc = candidate.record.words_crc();
            (candidate.record.id, Known { place: candidate.record.place, words_crc })
        };
        put.into_iter().map(known).collect()
    }

    fn ids(plan: &Plan) -> [Vec<&str>; 2] {
        [
            plan.to_read.iter().map(|candidate| candidate.record.id.as_str()).collect(),
            plan.to_reword.iter().map(|record| record.id.as_str()).collect(),
        ]
    }

    #[test]
    fn a_record_has_the_split_and_the_class_unless_the_data_says_otherwise() {
        let [candidate] = &candidates(Path::new("photos"), &["in/a.jpg"])[..] else { panic!() };
        let text = |text: &str| Value::Text(text.to_owned());
        assert_eq!(candidate.record.metadata["class"], text("harbour"));
        assert_eq!(candidate.record.metadata["split"], text("valid"));
        assert_eq!(candidate.record.place.as_ref().unwrap().path, "in/a.jpg");
    }

    #[test]
    fn only_what_is_new_or_looks_different_is_read() {
        let folder = folder(&["a.jpg", "b.jpg", "c.jpg"]);
        let known = known(folder.path(), &["a.jpg", "b.jpg"]);
        let plan = Plan::new(candidates(folder.path(), &["a.jpg", "b.jpg", "c.jpg"]), &known);
        assert_eq!((ids(&plan), plan.same), ([vec!["c.jpg"], vec![]], 2));
        fs_err::write(folder.path().join("b.jpg"), "longer than it was").unwrap();
        let plan = Plan::new(candidates(folder.path(), &["a.jpg", "b.jpg"]), &known);
        assert_eq!((ids(&plan), plan.same), ([vec!["b.jpg"], vec![]], 1));
        assert!(plan.to_read[0].known.is_some());
    }

    #[test]
    fn other_words_about_the_same_file_need_no_reading() {
        let folder = folder(&["a.jpg"]);
        let known = known(folder.path(), &["a.jpg"]);
        let mut said = candidates(folder.path(), &["a.jpg"]);
        said[0].record.captions.push("two boats".to_owned());
        let plan = Plan::new(said, &known);
        assert_eq!(ids(&plan), [vec![], vec!["a.jpg"]]);
        assert_eq!(plan.to_reword[0].place, known["a.jpg"].place);
    }
}
