//! Pictures that came over HTTP, in the folder of their index, each under the SHA-256 of its bytes.
//!
//! No name that somebody sent is ever a path. Pictures to search with are kept for a while, those of the index for good.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use axum::http::StatusCode;
use finelens_search::Place;
use sha2::{Digest, Sha256};

use super::failure::Failure;
use super::guard::hexadecimal;
use crate::indexing::{UPLOADS, size_and_time};

/// Pictures to search with.
const QUERIES: &str = "queries";
/// Pictures of the index.
const PICTURES: &str = "pictures";
/// Who uses a picture of the index: a folder for each, in it an empty file for each id, named by the id's hash.
const USERS: &str = "users";

/// Bytes of pictures to search with that are kept; the ones not asked for the longest go first.
const MOST_BYTES: u64 = 256 << 20;

/// How many of them at most.
const MOST_FILES: usize = 4096;

/// What a file is called until it is whole.
const HALF: &str = ".half-";

/// From then on, half a file is what a broken server left.
const LEFT: Duration = Duration::from_hours(1);

/// The name of a picture by its bytes.
pub(crate) fn hash(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// Whether a text can be what [`hash`] returns.
fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

/// Where an index keeps what was uploaded.
#[derive(Debug)]
pub(crate) struct Uploads {
    folder: PathBuf,
    /// Held while old ones are cleared away.
    clearing: Mutex<()>,
}

impl Uploads {
    /// In the folder of an index.
    pub(crate) fn new(index: &Path) -> Self {
        Self { folder: index.join(UPLOADS), clearing: Mutex::new(()) }
    }

    /// Keeps a picture that others are to be compared with, and returns its name.
    pub(crate) fn keep_query(&self, bytes: &[u8]) -> Result<String, Failure> {
        let hash = hash(bytes);
        self.keep(QUERIES, &hash, bytes).map_err(|error| Failure::disk(&error))?;
        self.clear(&hash);
        Ok(hash)
    }

    /// A picture that was kept.
    pub(crate) fn query(&self, hash: &str) -> Result<Vec<u8>, Failure> {
        if !is_hash(hash) {
            return Err(gone());
        }
        let file = self.folder.join(QUERIES).join(hash);
        let bytes = fs_err::read(&file).map_err(|_| gone())?;
        touch(&file);
        Ok(bytes)
    }

    /// Keeps a picture of the index, for the record of this id.
    pub(crate) fn keep_picture(&self, bytes: &[u8], id: &str) -> Result<Place, Failure> {
        let ending =
            image::guess_format(bytes).ok().and_then(|format| format.extensions_str().first());
        let name = format!("{}.{}", hash(bytes), ending.unwrap_or(&"bin"));
        self.note_user(&name, id).map_err(|error| Failure::disk(&error))?;
        let file = self.keep(PICTURES, &name, bytes).map_err(|error| Failure::disk(&error))?;
        let (length, modified_ns) = size_and_time(&file).map_err(|error| Failure::disk(&error))?;
        Ok(Place {
            root: UPLOADS.to_owned(),
            path: format!("{PICTURES}/{name}"),
            bytes: length,
            modified_ns,
            crc: crc32fast::hash(bytes),
        })
    }

    /// Writes down that a picture is used, unless it is there already and nobody wrote down who uses it.
    fn note_user(&self, name: &str, id: &str) -> std::io::Result<()> {
        let users = self.folder.join(USERS).join(name);
        if !users.is_dir() && self.folder.join(PICTURES).join(name).exists() {
            return Ok(());
        }
        fs_err::create_dir_all(&users)?;
        fs_err::File::create(users.join(hash(id.as_bytes())))?;
        sync(&users)
    }

    /// Takes a record of this id from those that use a picture.
    pub(crate) fn release(&self, place: &Place, id: &str) -> Left {
        let Some(name) = kept_name(place) else { return Left::Unknown };
        let users = self.folder.join(USERS).join(name);
        if fs_err::remove_file(users.join(hash(id.as_bytes()))).is_err() {
            return Left::Unknown;
        }
        // A folder is only removed when nothing is in it.
        if fs_err::remove_dir(&users).is_ok() { Left::Nobody } else { Left::Somebody }
    }

    /// Deletes a picture that the index has no more; only what [`Uploads::keep_picture`] may have made.
    pub(crate) fn forget_picture(&self, place: &Place) {
        if kept_name(place).is_none() {
            tracing::warn!("a picture whose place is none of ours is left where it is");
        } else if let Err(error) = fs_err::remove_file(self.folder.join(&place.path)) {
            tracing::warn!("{error}");
        }
    }

    /// Writes a file under a name that says what is in it; nobody sees half of it, and it outlasts a loss of power.
    fn keep(&self, kind: &str, name: &str, bytes: &[u8]) -> std::io::Result<PathBuf> {
        let folder = self.folder.join(kind);
        let file = folder.join(name);
        if fs_err::metadata(&file).is_ok_and(|known| known.len() == bytes.len() as u64) {
            touch(&file);
            return Ok(file);
        }
        fs_err::create_dir_all(&folder)?;
        let mut half = tempfile::Builder::new().prefix(HALF).tempfile_in(&folder)?;
        half.write_all(bytes)?;
        half.as_file().sync_all()?;
        half.persist(&file)?;
        sync(&folder)?;
        sync(&self.folder)?;
        Ok(file)
    }

    /// Clears away what was not asked for the longest, and what a broken server left; never the newest one.
    fn clear(&self, newest: &str) {
        let Ok(_one) = self.clearing.try_lock() else { return };
        let Ok(entries) = fs_err::read_dir(self.folder.join(QUERIES)) else { return };
        let known = entries.filter_map(Result::ok).filter_map(|entry| {
            let state = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
            Some((state.modified().ok()?, state.len(), entry.path()))
        });
        let mut known: Vec<(SystemTime, u64, PathBuf)> = known.collect();
        known.sort_by(|a, b| b.cmp(a));
        let (mut bytes, mut files) = (0, 0);
        for (used, length, file) in known {
            let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let left = name.starts_with(HALF) && used.elapsed().is_ok_and(|time| time > LEFT);
            if !(is_hash(name) || left) {
                continue;
            }
            (bytes, files) = (bytes + length, files + 1);
            let full = bytes > MOST_BYTES || files > MOST_FILES || !is_hash(name);
            if full && name != newest {
                // Whoever asks for it is told to upload it again.
                let _ = fs_err::remove_file(&file);
            }
        }
    }
}

/// Copies what came over HTTP from one index to another, through to the disk; what is taken out meanwhile is passed over.
pub(crate) fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    copy_folder(&from.join(UPLOADS), &to.join(UPLOADS))?;
    sync(to)
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    let entries = match fs_err::read_dir(from) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    fs_err::create_dir_all(to)?;
    for entry in entries {
        let entry = entry?;
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &copy)?;
        } else {
            copy_file(&path, &copy)?;
        }
    }
    sync(to)
}

fn copy_file(from: &Path, to: &Path) -> std::io::Result<()> {
    let mut read = match fs_err::File::open(from) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    let mut written = fs_err::File::create(to)?;
    std::io::copy(&mut read, &mut written)?;
    written.sync_all()
}

/// Who uses a picture after one of its records is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    /// Its file can go.
    Nobody,
    /// Another record is of the same picture.
    Somebody,
    /// An earlier version did not write it down.
    Unknown,
}

/// What [`Uploads::keep_picture`] called the file of a place, if it can have been that.
fn kept_name(place: &Place) -> Option<&str> {
    let name = place.path.strip_prefix(PICTURES)?.strip_prefix('/')?;
    let (hash, ending) = name.split_once('.')?;
    let ours = is_hash(hash) && ending.bytes().all(|letter| letter.is_ascii_alphanumeric());
    (place.root == UPLOADS && ours).then_some(name)
}

fn gone() -> Failure {
    let told = "there is no uploaded picture of this name";
    Failure::new(StatusCode::NOT_FOUND, "no_upload", told)
        .hint("upload it again with POST /api/uploads; old ones are forgotten")
}

/// Notes that a file was asked for. Where that cannot be noted, it may be forgotten sooner.
fn touch(file: &Path) {
    if file.parent().is_some_and(|folder| folder.ends_with(QUERIES))
        && let Ok(file) = fs_err::File::open(file)
    {
        let _ = file.file().set_modified(SystemTime::now());
    }
}

/// A name is only certain once its folder has been written through. Windows does so on its own.
fn sync(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) { fs_err::File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> usize {
        fs_err::read_dir(folder).map_or(0, Iterator::count)
    }

    #[test]
    fn a_picture_to_search_with_is_found_by_its_hash_and_by_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let uploads = Uploads::new(dir.path());
        let hash = uploads.keep_query(b"bytes").unwrap();
        assert_eq!(uploads.keep_query(b"bytes").unwrap(), hash);
        assert_eq!(uploads.query(&hash).unwrap(), b"bytes");
        fs_err::write(dir.path().join("CURRENT"), "secret").unwrap();
        for wrong in [
            "",
            "../../CURRENT",
            &hash[1..],
            &hash.to_uppercase(),
            &"g".repeat(64),
            &"/".repeat(64),
        ] {
            assert_eq!(uploads.query(wrong).unwrap_err().code(), "no_upload", "{wrong}");
        }
    }

    #[test]
    fn the_ones_not_asked_for_the_longest_go_first() {
        let dir = tempfile::tempdir().unwrap();
        let uploads = Uploads::new(dir.path());
        let folder = dir.path().join(UPLOADS).join(QUERIES);
        fs_err::create_dir_all(&folder).unwrap();
        let now = SystemTime::now();
        let put = |name: &str, length: u64, hours: u64| {
            let file = fs_err::File::create(folder.join(name)).unwrap();
            file.set_len(length).unwrap();
            file.file().set_modified(now - Duration::from_hours(hours)).unwrap();
        };
        let [old, middle, young] = ["a", "b", "c"].map(|letter| letter.repeat(64));
        put(&old, MOST_BYTES / 2, 9);
        put(&middle, MOST_BYTES / 2, 8);
        put(&young, MOST_BYTES / 4, 7);
        put(".half-old", 10, 9);
        put(".half-new", 10, 0);
        put("notes.txt", 10, 9);
        let new = uploads.keep_query(b"new").unwrap();
        let there = |name: &str| folder.join(name).exists();
        assert!(!there(&old) && there(&middle) && there(&young) && there(&new));
        assert!(!there(".half-old") && there(".half-new"), "somebody may be writing it");
        assert!(there("notes.txt"), "what is not ours is left alone");
        assert_eq!(names(&folder), 5);
    }

    #[test]
    fn only_a_picture_of_ours_is_deleted() {
        let dir = tempfile::tempdir().unwrap();
        let uploads = Uploads::new(dir.path());
        let place = uploads.keep_picture(b"GIF89a", "a").unwrap();
        assert_eq!(
            (place.path.split('.').next_back(), place.root.as_str()),
            (Some("gif"), UPLOADS)
        );
        let victim = dir.path().join("victim.gif");
        fs_err::write(&victim, "precious").unwrap();
        let absolute = victim.display().to_string();
        for path in ["../victim.gif", "pictures/../../victim.gif", &absolute, "pictures", ""] {
            uploads.forget_picture(&Place { path: path.to_owned(), ..place.clone() });
        }
        uploads.forget_picture(&Place { root: "photos".to_owned(), ..place.clone() });
        let file = dir.path().join(UPLOADS).join(&place.path);
        assert!(victim.exists() && file.exists());
        uploads.forget_picture(&place);
        assert!(!file.exists());
    }

    #[test]
    fn a_picture_goes_with_the_last_record_that_uses_it() {
        let dir = tempfile::tempdir().unwrap();
        let uploads = Uploads::new(dir.path());
        let place = uploads.keep_picture(b"GIF89a", "one").unwrap();
        assert_eq!(uploads.keep_picture(b"GIF89a", "../two").unwrap().path, place.path);
        assert_eq!(uploads.release(&place, "nobody"), Left::Unknown);
        assert_eq!(uploads.release(&place, "../two"), Left::Somebody);
        assert_eq!(uploads.release(&place, "one"), Left::Nobody);
        assert_eq!(names(&dir.path().join(UPLOADS).join(USERS)), 0);
        // A file of an earlier version stays one whose users are not known, whoever comes later.
        uploads.keep_picture(b"GIF89a", "three").unwrap();
        assert_eq!(uploads.release(&place, "three"), Left::Unknown);
    }

    #[test]
    fn a_copy_has_the_pictures_and_who_uses_them_and_nothing_where_nothing_came() {
        let [from, to] = [0, 1].map(|_| tempfile::tempdir().unwrap());
        copy(from.path(), to.path()).unwrap();
        assert_eq!(names(to.path()), 0);
        let uploads = Uploads::new(from.path());
        let query = uploads.keep_query(b"query").unwrap();
        let place = uploads.keep_picture(b"GIF89a", "one").unwrap();
        uploads.keep_picture(b"GIF89a", "two").unwrap();
        copy(from.path(), to.path()).unwrap();
        let copied = Uploads::new(to.path());
        assert_eq!(copied.query(&query).unwrap(), b"query");
        assert_eq!(fs_err::read(to.path().join(UPLOADS).join(&place.path)).unwrap(), b"GIF89a");
        assert_eq!(copied.release(&place, "one"), Left::Somebody);
        assert_eq!(copied.release(&place, "two"), Left::Nobody);
    }

    #[test]
    fn a_file_that_was_cut_is_written_again() {
        let dir = tempfile::tempdir().unwrap();
        let uploads = Uploads::new(dir.path());
        let hash = uploads.keep_query(b"whole").unwrap();
        fs_err::write(dir.path().join(UPLOADS).join(QUERIES).join(&hash), "who").unwrap();
        uploads.keep_query(b"whole").unwrap();
        assert_eq!(uploads.query(&hash).unwrap(), b"whole");
    }
}
