//! A disk with a memory of what was not written through yet.
//!
//! Like ext4, but less generous: nothing of a file is certain before its own sync, no name before that of its directory,
//! and what is not certain is lost or kept in any order.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Operation;

/// What is kept or lost at once, usually.
const PAGE: usize = 4096;
/// What is never torn.
const SECTOR: usize = 512;

/// Files and directories by number; 0 is the topmost directory.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug)]
enum Node {
    File(File),
    Dir(Dir),
}

#[derive(Clone, Debug, Default)]
struct File {
    certain: Vec<u8>,
    edits: Vec<Edit>,
}

#[derive(Clone, Debug)]
enum Edit {
    Write(usize, Vec<u8>),
    SetLen(usize),
}

type Names = BTreeMap<OsString, usize>;

#[derive(Clone, Debug, Default)]
struct Dir {
    certain: Names,
    now: Names,
    edits: Vec<NameEdit>,
}

#[derive(Clone, Debug)]
enum NameEdit {
    Add(OsString, usize),
    Remove(OsString),
    Rename(OsString, OsString, usize),
}

impl Disk {
    /// A directory as it is, all of it certain.
    pub(super) fn read(dir: &Path) -> Self {
        let mut disk = Self { nodes: vec![Node::Dir(Dir::default())] };
        disk.read_into(0, dir);
        disk
    }

    fn read_into(&mut self, node: usize, dir: &Path) {
        for entry in fs_err::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let child = self.nodes.len();
            if path.is_dir() {
                self.nodes.push(Node::Dir(Dir::default()));
                self.read_into(child, &path);
            } else {
                self.nodes.push(Node::File(File {
                    certain: fs_err::read(&path).unwrap(),
                    edits: Vec::new(),
                }));
            }
            let name = path.file_name().unwrap().to_owned();
            self.dir(node).certain.insert(name.clone(), child);
            self.dir(node).now.insert(name, child);
        }
    }

    pub(super) fn apply(&mut self, operation: &Operation) {
        match operation {
            Operation::Create(path) => self.add(path, Node::File(File::default())),
            Operation::MakeDir(path) => self.add(path, Node::Dir(Dir::default())),
            Operation::Write(path, offset, data) => {
                self.edit(path, Edit::Write(*offset as usize, data.clone()));
            }
            Operation::SetLen(path, len) => self.edit(path, Edit::SetLen(*len as usize)),
            Operation::Sync(path) => self.sync(path),
            Operation::Remove(path) => self.remove(path),
            Operation::Rename(from, to) => self.rename(from, to),
            Operation::Link(from, to) => {
                let node = self.find(from).expect("a file that is linked is there");
                self.name(to, node);
            }
            Operation::Mark(_) => {}
        }
    }

    fn add(&mut self, path: &Path, node: Node) {
        self.nodes.push(node);
        self.name(path, self.nodes.len() - 1);
    }

    fn name(&mut self, path: &Path, node: usize) {
        let (dir, name) = self.parent(path);
        dir.now.insert(name.clone(), node);
        dir.edits.push(NameEdit::Add(name, node));
    }

    fn remove(&mut self, path: &Path) {
        let (dir, name) = self.parent(path);
        dir.now.remove(&name);
        dir.edits.push(NameEdit::Remove(name));
    }

    fn rename(&mut self, from: &Path, to: &Path) {
        if from.is_absolute() || to.is_absolute() || from.parent() != to.parent() {
            let node = self.find(from).expect("files do not come in from outside by renaming");
            self.name(to, node);
            self.remove(from);
            return;
        }
        let (dir, name) = self.parent(from);
        let node = dir.now.remove(&name).expect("a file that is renamed is there");
        let new = to.file_name().unwrap().to_owned();
        dir.now.insert(new.clone(), node);
        dir.edits.push(NameEdit::Rename(name, new, node));
    }

    /// Adds to what is not certain. A file that has no name any more has no path, so this is one that has.
    fn edit(&mut self, path: &Path, edit: Edit) {
        let node = self.find(path).unwrap_or_else(|| panic!("{}: unknown", path.display()));
        let Node::File(file) = &mut self.nodes[node] else {
            panic!("{}: not a file", path.display())
        };
        file.edits.push(edit);
    }

    fn sync(&mut self, path: &Path) {
        let node = self.find(path).unwrap_or_else(|| panic!("{}: unknown", path.display()));
        match &mut self.nodes[node] {
            Node::File(file) => file.sync(),
            Node::Dir(dir) => {
                dir.certain = dir.now.clone();
                dir.edits.clear();
            }
        }
    }

    fn find(&self, path: &Path) -> Option<usize> {
        path.iter().try_fold(0, |node, name| match &self.nodes[node] {
            Node::Dir(dir) => dir.now.get(name).copied(),
            Node::File(_) => None,
        })
    }

    fn dir(&mut self, node: usize) -> &mut Dir {
        let Node::Dir(dir) = &mut self.nodes[node] else { panic!("{node}: not a directory") };
        dir
    }

    fn parent(&mut self, path: &Path) -> (&mut Dir, OsString) {
        let above = self
            .find(path.parent().unwrap())
            .unwrap_or_else(|| panic!("{}: no directory", path.display()));
        (self.dir(above), path.file_name().unwrap().to_owned())
    }

    /// Where a directory differs from what this disk would hold had everything been written through. Files for sharing
    /// memory are written without operations, and are left out.
    pub(super) fn differences(&self, dir: &Path) -> Vec<PathBuf> {
        let mut now = self.clone();
        for node in &mut now.nodes {
            match node {
                Node::File(file) => file.sync(),
                Node::Dir(dir) => dir.certain = dir.now.clone(),
            }
        }
        let (mut expected, mut found) = (BTreeMap::new(), BTreeMap::new());
        now.list(0, Path::new(""), &mut expected);
        Self::read(dir).list(0, Path::new(""), &mut found);
        let paths: std::collections::BTreeSet<_> =
            expected.keys().chain(found.keys()).cloned().collect();
        let is_shared = |path: &Path| path.to_string_lossy().ends_with("-shm");
        paths
            .into_iter()
            .filter(|path| expected.get(path) != found.get(path) && !is_shared(path))
            .collect()
    }

    /// Everything that is certain by path; directories have no bytes.
    fn list(&self, node: usize, path: &Path, into: &mut BTreeMap<PathBuf, Option<Vec<u8>>>) {
        match &self.nodes[node] {
            Node::File(file) => drop(into.insert(path.to_owned(), Some(file.certain.clone()))),
            Node::Dir(dir) => {
                into.insert(path.to_owned(), None);
                dir.certain
                    .iter()
                    .for_each(|(name, &child)| self.list(child, &path.join(name), into));
            }
        }
    }

    /// Loses power, and writes what is left into a folder.
    pub(super) fn crash(&self, seed: u64, into: &Path) {
        self.crash_node(0, &mut ChaCha8Rng::seed_from_u64(seed), into);
    }

    fn crash_node(&self, node: usize, random: &mut ChaCha8Rng, path: &Path) {
        match &self.nodes[node] {
            Node::File(file) => fs_err::write(path, file.crash(random)).unwrap(),
            Node::Dir(dir) => {
                fs_err::create_dir_all(path).unwrap();
                for (name, child) in dir.crash(random) {
                    self.crash_node(child, random, &path.join(name));
                }
            }
        }
    }
}

impl File {
    fn sync(&mut self) {
        for edit in std::mem::take(&mut self.edits) {
            match edit {
                Edit::Write(offset, data) => {
                    self.certain.resize(self.certain.len().max(offset + data.len()), 0);
                    self.certain[offset..offset + data.len()].copy_from_slice(&data);
                }
                Edit::SetLen(len) => self.certain.resize(len, 0),
            }
        }
    }

    /// What is left is of one moment since the last sync or, as often, the length is of one moment, each page of another,
    /// and a torn page of two.
    ///
    /// A cut is one change of the length: it is there or not, for all pages alike, and what was written after it is not
    /// there without it. All file systems keep to that, and `SQLite` counts on it when it empties its log.
    fn crash(&self, random: &mut ChaCha8Rng) -> Vec<u8> {
        let moment = some_of(random, self.edits.len());
        let (len, is_whole) = (self.len_after(moment), random.random::<bool>());
        let mut left = Vec::with_capacity(len.next_multiple_of(PAGE));
        while left.len() < len {
            let at = left.len();
            left.extend(if is_whole {
                self.page_after(at, moment, moment)
            } else {
                self.torn_page(at, moment, random)
            });
        }
        left.truncate(len);
        left
    }

    fn torn_page(&self, at: usize, moment: usize, random: &mut ChaCha8Rng) -> Vec<u8> {
        let is_cut = |edit: &Edit| matches!(edit, Edit::SetLen(_));
        let latest = self.edits[moment..].iter().position(is_cut);
        let latest = latest.map_or(self.edits.len(), |cut| moment + cut);
        let mut page = self.page_after(at, some_of(random, latest), moment);
        if random.random_ratio(1, 4) {
            let other = self.page_after(at, some_of(random, latest), moment);
            for (sector, other) in page.chunks_mut(SECTOR).zip(other.chunks(SECTOR)) {
                if random.random() {
                    sector.copy_from_slice(other);
                }
            }
        }
        page
    }

    fn len_after(&self, edits: usize) -> usize {
        self.edits[..edits].iter().fold(self.certain.len(), |len, edit| match edit {
            Edit::Write(offset, data) => len.max(offset + data.len()),
            Edit::SetLen(len) => *len,
        })
    }

    /// One page after the first `written` edits and the cuts among the first `cut`.
    fn page_after(&self, at: usize, written: usize, cut: usize) -> Vec<u8> {
        let mut page = vec![0; PAGE];
        put(&mut page, at, 0, &self.certain);
        for (place, edit) in self.edits[..written.max(cut)].iter().enumerate() {
            match edit {
                Edit::Write(offset, data) if place < written => put(&mut page, at, *offset, data),
                Edit::Write(..) => {}
                Edit::SetLen(len) => page[len.saturating_sub(at).min(PAGE)..].fill(0),
            }
        }
        page
    }
}

/// Puts the part of `data`, which begins at `offset`, into the page that begins at `at`.
fn put(page: &mut [u8], at: usize, offset: usize, data: &[u8]) {
    let (start, end) = (offset.max(at), (offset + data.len()).min(at + page.len()));
    if start < end {
        page[start - at..end - at].copy_from_slice(&data[start - offset..end - offset]);
    }
}

impl Dir {
    /// The names are those of one moment since the last sync or, less kindly, any of the changes since then.
    fn crash(&self, random: &mut ChaCha8Rng) -> Names {
        let mut names = self.certain.clone();
        let (first, in_order) = (some_of(random, self.edits.len()), random.random::<bool>());
        for (place, edit) in self.edits.iter().enumerate() {
            let is_kept = if in_order { place < first } else { random.random() };
            if is_kept {
                edit.apply(&mut names);
            }
        }
        names
    }
}

impl NameEdit {
    fn apply(&self, names: &mut Names) {
        match self {
            Self::Add(name, node) => drop(names.insert(name.clone(), *node)),
            Self::Remove(name) => drop(names.remove(name)),
            Self::Rename(from, to, node) => {
                if names.get(from) == Some(node) {
                    names.remove(from);
                }
                names.insert(to.clone(), *node);
            }
        }
    }
}

/// None of them, all of them or some.
fn some_of(random: &mut ChaCha8Rng, all: usize) -> usize {
    match random.random_range(0..3) {
        0 => 0,
        1 => all,
        _ => random.random_range(0..=all),
    }
}
