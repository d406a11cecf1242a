//! What one folder holds, read once.
//!
//! Names that are not UTF-8 stand apart: no row of a UTF-8 file could name them.

use std::{
    cell::OnceCell,
    collections::{HashMap, HashSet},
    ffi::OsString,
    io,
    path::Path,
};

/// Endings of picture files, lower case, without the dot.
const PICTURE_EXTENSIONS: [&str; 9] =
    ["jpg", "jpeg", "png", "webp", "tif", "tiff", "bmp", "gif", "jfif"];

/// Whether the name ends like a picture's, in upper or lower case.
pub(crate) fn is_picture(name: &str) -> bool {
    stem_of_picture(name).is_some()
}

/// The name without its ending, if it ends like a picture's.
pub(crate) fn stem_of_picture(name: &str) -> Option<&str> {
    let (stem, extension) = name.rsplit_once('.')?;
    PICTURE_EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known)).then_some(stem)
}

/// The files and folders directly inside one folder.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    files: HashSet<Box<str>>,
    pub(crate) folders: Vec<String>,
    /// Names of files and folders that are not UTF-8.
    pub(crate) unnamed: Vec<OsString>,
    stems: OnceCell<HashMap<Box<str>, Vec<Box<str>>>>,
}

impl Listing {
    pub(crate) fn read(folder: &Path) -> io::Result<Self> {
        let mut listing = Self::default();
        for entry in fs_err::read_dir(folder)? {
            let entry = entry?;
            let name = match entry.file_name().into_string() {
                Ok(name) => name,
                Err(name) => {
                    listing.unnamed.push(name);
                    continue;
                }
            };
            match is_folder(&entry)? {
                Some(true) => listing.folders.push(name),
                Some(false) => drop(listing.files.insert(name.into())),
                None => {}
            }
        }
        listing.folders.sort();
        Ok(listing)
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.files.contains(name)
    }

    /// The files' names, sorted.
    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.files.iter().map(AsRef::as_ref).collect();
        names.sort_unstable();
        names
    }

    /// The files that `name` can mean: itself, or a name without an ending and every picture that
    /// begins with it.
    pub(crate) fn matching(&self, name: &str) -> Vec<&str> {
        if let Some(found) = self.files.get(name) {
            return vec![found];
        }
        if is_picture(name) {
            return Vec::new();
        }
        let stems = self.stems.get_or_init(|| self.index_stems());
        stems.get(name).into_iter().flatten().map(AsRef::as_ref).collect()
    }

    fn index_stems(&self) -> HashMap<Box<str>, Vec<Box<str>>> {
        let mut stems: HashMap<Box<str>, Vec<Box<str>>> = HashMap::new();
        for name in self.names() {
            if let Some(stem) = stem_of_picture(name) {
                stems.entry(stem.into()).or_default().push(name.into());
            }
        }
        stems
    }
}

/// Whether the entry is a folder; nothing for a link that leads nowhere.
fn is_folder(entry: &fs_err::DirEntry) -> io::Result<Option<bool>> {
    let kind = entry.file_type()?;
    if kind.is_symlink() {
        return Ok(fs_err::metadata(entry.path()).ok().map(|target| target.is_dir()));
    }
    Ok(Some(kind.is_dir()))
}
