//! Comparing an index with the pictures that should be in it.

use std::path::{Path, PathBuf};

use finelens_search::{Backend, Embedded, Error, Mode, Query, Results, Words};

use crate::changes::{NUMBERS, Pictures, picture};
use crate::pictures::{id, own_word};

pub(crate) const MODES: [Mode; 3] = [Mode::Lexical, Mode::Vector, Mode::Hybrid];

/// Of the pictures that stay, each so many is looked for.
const SOME: u64 = 40;

/// What the words and the vector of a picture find.
pub(crate) fn find(
    index: &Embedded,
    number: u64,
    versions: (u64, u64),
    mode: Mode,
) -> Result<Results, Error> {
    let words = Words::parse(&own_word(number, versions.0));
    let query = Query::new(words, Some(picture(number, versions).vector));
    index.search(&Query { mode, limit: 3, ..query })
}

/// Says how an index differs from what should be in it: each picture is found by each leg, and no other is there.
pub(crate) fn difference(index: &Embedded, pictures: &Pictures) -> Result<(), String> {
    let told = |error: Error| error.to_string();
    let known: Vec<String> = index.known().map_err(told)?.into_keys().collect();
    let mut expected: Vec<String> = pictures.keys().map(|number| id(*number)).collect();
    expected.sort();
    if known != expected {
        return Err(format!("known: {} of {} pictures", known.len(), expected.len()));
    }
    if index.stats().map_err(told)?.pictures != pictures.len() {
        return Err("another number of pictures is counted".to_owned());
    }
    for (number, versions) in pictures {
        let found = index.get(&id(*number)).map_err(told)?;
        if found != Some(picture(*number, *versions)) {
            return Err(format!("{number}: another picture is there, or none"));
        }
        if *number >= NUMBERS && number % SOME != 0 {
            continue;
        }
        for mode in MODES {
            let found = find(index, *number, *versions, mode).map_err(told)?;
            let first = found.hits.first().map(|hit| hit.record.id.clone());
            if !found.damaged.is_empty() || first != Some(id(*number)) {
                return Err(format!("{number}, {mode:?}: {first:?}, {:?}", found.damaged));
            }
        }
    }
    let everything = Query { limit: 10_000, ..Query::new(Words::default(), None) };
    let hits = index.search(&everything).map_err(told)?.hits.len();
    if hits == pictures.len() { Ok(()) } else { Err(format!("{hits} hits of everything")) }
}

/// Everything that is wrong by the index's own account.
pub(crate) fn faults(index: &Embedded) -> Result<Vec<String>, Error> {
    index.verify(&mut |_, _, _| {})
}

/// Names of the generations in a folder.
pub(crate) fn generations(dir: &Path) -> Vec<String> {
    let names = fs_err::read_dir(dir).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("generation-")).collect()
}

/// All files below a folder.
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs_err::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

/// Copies a folder with all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let copied = to.join(file.strip_prefix(from).unwrap());
        fs_err::create_dir_all(copied.parent().unwrap()).unwrap();
        fs_err::copy(file, copied).unwrap();
    }
}
