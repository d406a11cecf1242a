//! Folders of the originals by name, so that a collection can move without its index.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use finelens_search::{Embedded, Known};

use crate::error::Error;

/// Name of a root whose folder has none, such as `/`.
const NAMELESS: &str = "pictures";

/// Pictures that are looked for in a folder that may be where a root moved.
const SAMPLE: usize = 100;

/// The root of pictures that were added over HTTP, and its folder in that of the index, with which it moves.
pub(crate) const UPLOADS: &str = "uploads";

/// Folders of the originals by name, with that of added pictures if there is one.
pub(crate) fn folders(index: &Embedded, path: &Path) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let mut folders = index.roots()?;
    let added = path.join(UPLOADS);
    if added.is_dir() {
        folders.insert(UPLOADS.to_owned(), added);
    }
    Ok(folders)
}

/// Registers the folder, unless it is, and returns its name.
///
/// A root whose folder is gone is taken to have moved here, where it has the same name and one of its pictures is here: an
/// unplugged disk may have had a folder of this name, too.
pub(crate) fn register(
    index: &Embedded,
    folder: &Path,
    known: &BTreeMap<String, Known>,
) -> anyhow::Result<String> {
    let folder = fs_err::canonicalize(folder)?;
    let roots = index.roots()?;
    if let Some((name, _)) = roots.iter().find(|(_, known)| **known == folder) {
        return Ok(name.clone());
    }
    let plain = plain_name(&folder);
    let moved_here = |name: &str| {
        let places = known.values().filter_map(|known| known.place.as_ref());
        let mut places = places.filter(|place| place.root == name).peekable();
        places.peek().is_none()
            || places.take(SAMPLE).any(|place| folder.join(&place.path).exists())
    };
    // Where the roots were damaged, a name may be of pictures that lie elsewhere.
    let free = |name: &String| {
        let is_there = roots.get(name).is_some_and(|known: &PathBuf| known.exists());
        name != UPLOADS && !is_there && moved_here(name)
    };
    let mut numbered = (2..).map(|number| format!("{plain}-{number}"));
    let name = Some(plain.clone()).filter(free).or_else(|| numbered.find(free));
    let name = name.expect("numbers go on");
    index.set_root(&name, &folder)?;
    Ok(name)
}

fn plain_name(folder: &Path) -> String {
    folder.file_name().map_or(NAMELESS.into(), |name| name.to_string_lossy().into_owned())
}

/// An error where pictures of this root would take the place of others that are still there.
///
/// Two collections may well have a `1.jpg` each; an index has one.
pub(crate) fn must_not_replace<'a>(
    index: &Embedded,
    root: &str,
    ids: impl Iterator<Item = &'a str>,
    known: &BTreeMap<String, Known>,
) -> anyhow::Result<()> {
    let roots = index.roots()?;
    let others = |id: &&str| {
        let place = known.get(*id).and_then(|known| known.place.as_ref());
        place.filter(|place| place.root != root).is_some_and(|place| {
            let folder = roots.get(&place.root);
            let is_known_gone = folder.is_some_and(|folder| !folder.join(&place.path).exists());
            place.root != UPLOADS && !is_known_gone
        })
    };
    let taken: Vec<&str> = ids.filter(others).collect();
    let Some(first) = taken.first() else { return Ok(()) };
    let place = known[*first].place.as_ref().map_or(String::new(), |place| place.root.clone());
    let folder = roots.get(&place).cloned().unwrap_or_default();
    Err(Error::TakenIds { count: taken.len(), first: (*first).to_owned(), folder }.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indexing::precision::tests::index;
    use finelens_search::Place;

    #[test]
    fn a_name_belongs_to_its_pictures_even_where_the_list_of_roots_was_lost() {
        let (dir, folders) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let index = index(&dir);
        let [own, other] = ["a/photos", "b/photos"].map(|name| folders.path().join(name));
        for folder in [&own, &other] {
            fs_err::create_dir_all(folder).unwrap();
        }
        fs_err::write(own.join("x.jpg"), "").unwrap();
        let (root, path) = ("photos".to_owned(), "x.jpg".to_owned());
        let place = Some(Place { root, path, bytes: 0, modified_ns: 0, crc: 0 });
        let known = BTreeMap::from([("x".to_owned(), Known { place, words_crc: 0 })]);

        assert_eq!(register(&index, &other, &known).unwrap(), "photos-2");
        must_not_replace(&index, "photos-2", ["x"].into_iter(), &known).unwrap_err();
        assert_eq!(register(&index, &own, &known).unwrap(), "photos");
        must_not_replace(&index, "photos", ["x"].into_iter(), &known).unwrap();
    }
}
