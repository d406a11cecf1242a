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
    let free = |name: &String| {
        name != UPLOADS
            && roots.get(name).is_none_or(|known: &PathBuf| !known.exists() && moved_here(name))
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
            roots.get(&place.root).is_some_and(|folder| folder.join(&place.path).exists())
        })
    };
    let taken: Vec<&str> = ids.filter(others).collect();
    let Some(first) = taken.first() else { return Ok(()) };
    let place = known[*first].place.as_ref().map_or(String::new(), |place| place.root.clone());
    let folder = roots.get(&place).cloned().unwrap_or_default();
    Err(Error::TakenIds { count: taken.len(), first: (*first).to_owned(), folder }.into())
}
