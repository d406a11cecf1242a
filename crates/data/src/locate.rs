//! Finds the file that a row means by `train/airport_10.jpg`, `airport_10.jpg` or `airport_10`.
//!
//! Each folder is listed once, and only when a row needs it, so a million rows cost a million hash
//! look-ups and no system call per row. It never guesses: two files that fit are reported as such.
//! It never leaves the root: a row cannot point at a stranger's file.

use std::{
    collections::{HashMap, HashSet},
    io,
    path::{Path, PathBuf},
    rc::Rc,
};

use crate::{
    Reason, Split,
    listing::{Listing, is_picture, stem_of_picture},
};

/// Folders that hold pictures by their name, which rows may leave out or name wrongly.
const PICTURE_FOLDERS: [&str; 8] =
    ["images", "image", "imgs", "img", "pictures", "photos", "jpegimages", "image_data"];

/// How many folders deep a picture is looked for when nothing else helps.
const DEPTH: usize = 4;

/// Whether a folder of this name is known to hold pictures.
pub(crate) fn is_picture_folder(name: &str) -> bool {
    PICTURE_FOLDERS.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// A picture that was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Path below the root, with `/` on every system.
    pub(crate) relative: String,
    /// Unique and stable name of the picture.
    pub(crate) id: String,
    /// What the row calls it, slashes and dots put right, where it is not in the folder that the row names.
    pub(crate) elsewhere: Option<String>,
}

/// Prefixes to try, the best first; those of one tier are equally good.
type Tiers = Rc<Vec<Vec<String>>>;

/// Finds pictures below one root.
#[derive(Debug)]
pub(crate) struct Locator {
    root: PathBuf,
    roots: Vec<String>,
    listings: HashMap<String, Option<Listing>>,
    picture_folders: Vec<String>,
    split_folders: Vec<(Split, String)>,
    tiers: HashMap<(String, Option<Split>), Tiers>,
    everywhere: Option<HashMap<String, Vec<String>>>,
}

impl Locator {
    pub(crate) fn new(root: &Path) -> io::Result<Self> {
        let listing = Listing::read(root)?;
        let picture_folders: Vec<String> =
            listing.folders.iter().filter(|name| is_picture_folder(name)).cloned().collect();
        let mut locator = Self {
            root: root.to_owned(),
            roots: spellings(root),
            listings: HashMap::from([(String::new(), Some(listing))]),
            picture_folders,
            split_folders: Vec::new(),
            tiers: HashMap::new(),
            everywhere: None,
        };
        locator.split_folders = locator.find_split_folders();
        Ok(locator)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Finds the picture that a row calls `written`, in `base` (a folder below the root) first.
    pub(crate) fn locate(
        &mut self,
        written: &str,
        base: &str,
        split: Option<Split>,
    ) -> Result<Found, Reason> {
        let path = self.normalise(written)?;
        let tiers = self.tiers(base, split);
        let mut rest = path.as_str();
        loop {
            let elsewhere = (rest.len() < path.len()).then_some(path.as_str());
            if let Some(found) = self.in_tiers(&tiers, rest, written, elsewhere)? {
                return Ok(found);
            }
            let Some((folder, shorter)) = rest.split_once('/') else { break };
            // A folder that is there and lacks the file is an answer; one that is not there is
            // only the memory of another machine.
            if self.holds_folder(base, folder) && !is_picture_folder(folder) {
                return Err(Reason::MissingImage { image: written.into() });
            }
            rest = shorter;
        }
        self.anywhere(rest, written, &path)
    }

    /// The split whose folder the picture lies in, if the folders tell several splits apart.
    pub(crate) fn split_of(&self, relative: &str) -> Option<Split> {
        let first = self.split_folders.first()?.0;
        if self.split_folders.iter().all(|(split, _)| *split == first) {
            return None;
        }
        let inside =
            |folder: &str| relative.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        self.split_folders.iter().find(|(_, folder)| inside(folder)).map(|(split, _)| *split)
    }

    /// Every picture below the root, sorted, hidden folders left out.
    pub(crate) fn walk(&mut self) -> Vec<String> {
        let mut found = Vec::new();
        let mut visited = HashSet::new();
        let mut open = vec![(String::new(), 0)];
        while let Some((folder, depth)) = open.pop() {
            // A link that leads back up would show every picture twice.
            let target = fs_err::canonicalize(self.root.join(&folder));
            if depth > DEPTH || !target.is_ok_and(|target| visited.insert(target)) {
                continue;
            }
            let Some(listing) = self.listing(&folder) else { continue };
            found.extend(
                listing
                    .names()
                    .into_iter()
                    .filter(|name| is_picture(name))
                    .map(|name| join(&folder, name)),
            );
            let inner =
                listing.folders.iter().filter(|name| !name.starts_with('.') && *name != "__MACOSX");
            open.extend(inner.map(|name| (join(&folder, name), depth + 1)));
        }
        found.sort_unstable();
        found
    }

    /// Pictures below the root that no text can name, in the folders that were listed so far; sorted.
    pub(crate) fn unnamed(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for (folder, listing) in &self.listings {
            for name in listing.iter().flat_map(|listing| &listing.unnamed) {
                gather(&self.root, &Path::new(folder).join(name), DEPTH, &mut found);
            }
        }
        found.sort_unstable();
        found
    }

    /// The stable name of the file at `relative`: without a leading picture folder, unless another
    /// file would have the same name then.
    pub(crate) fn id(&mut self, relative: &str) -> String {
        let Some((folder, rest)) = relative.split_once('/') else { return relative.to_owned() };
        let nested = rest.split_once('/').is_some_and(|(inner, _)| is_picture_folder(inner));
        if nested || !self.picture_folders.iter().any(|known| known == folder) {
            return relative.to_owned();
        }
        let rivals: Vec<String> =
            self.picture_folders.iter().filter(|known| *known != folder).cloned().collect();
        let taken =
            self.contains("", rest) || rivals.iter().any(|rival| self.contains(rival, rest));
        if taken { relative.to_owned() } else { rest.to_owned() }
    }

    fn find_split_folders(&mut self) -> Vec<(Split, String)> {
        let tops: Vec<String> =
            std::iter::once(String::new()).chain(self.picture_folders.iter().cloned()).collect();
        let mut found = Vec::new();
        for top in tops {
            let Some(listing) = self.listing(&top) else { continue };
            let splits = listing
                .folders
                .iter()
                .filter_map(|name| Some((Split::of_word(name)?, join(&top, name))));
            found.extend(splits);
        }
        found
    }

    /// The path below the root, or far below it where the row names a place on another machine.
    fn normalise(&self, written: &str) -> Result<String, Reason> {
        let path = written.trim().replace('\\', "/");
        if path.is_empty() {
            return Err(Reason::EmptyImage);
        }
        if path.starts_with("http://") || path.starts_with("https://") {
            return Err(Reason::WebAddress { image: written.into() });
        }
        let path = squeezed(&path);
        let below = self.roots.iter().find_map(|root| path.strip_prefix(root.as_str()));
        let absolute = path.starts_with('/') || path.as_bytes().get(1) == Some(&b':');
        let outside = || Reason::OutsideRoot { image: written.into(), root: self.root.clone() };
        let mut parts: Vec<&str> = Vec::new();
        for part in below.unwrap_or(&path).split('/').filter(|part| !matches!(*part, "" | ".")) {
            if part == ".." {
                parts.pop().ok_or_else(outside)?;
            } else {
                parts.push(part);
            }
        }
        // Without the leading slash an absolute path of another machine is looked for by its tail.
        if absolute && below.is_none() && parts.len() > 1 && Path::new(&path).exists() {
            return Err(outside());
        }
        if parts.is_empty() { Err(Reason::EmptyImage) } else { Ok(parts.join("/")) }
    }

    fn in_tiers(
        &mut self,
        tiers: &Tiers,
        rest: &str,
        written: &str,
        elsewhere: Option<&str>,
    ) -> Result<Option<Found>, Reason> {
        for tier in tiers.iter() {
            let mut hits = Vec::new();
            for prefix in tier {
                hits.extend(self.matches(prefix, rest));
            }
            if !hits.is_empty() {
                return self.only(hits, written, elsewhere).map(Some);
            }
        }
        Ok(None)
    }

    /// The files below the folder `prefix` that `relative` can mean.
    fn matches(&mut self, prefix: &str, relative: &str) -> Vec<String> {
        let (inner, name) = relative.rsplit_once('/').unwrap_or(("", relative));
        let folder = join(prefix, inner);
        let Some(listing) = self.listing(&folder) else { return Vec::new() };
        listing.matching(name).into_iter().map(|name| join(&folder, name)).collect()
    }

    /// The last resort: a file of that name, or stem, wherever it is.
    fn anywhere(&mut self, name: &str, written: &str, path: &str) -> Result<Found, Reason> {
        if self.everywhere.is_none() {
            self.everywhere = Some(index_by_name(self.walk()));
        }
        let hits =
            self.everywhere.as_ref().and_then(|index| index.get(name)).cloned().unwrap_or_default();
        self.only(hits, written, Some(path))
    }

    fn only(
        &mut self,
        mut hits: Vec<String>,
        written: &str,
        elsewhere: Option<&str>,
    ) -> Result<Found, Reason> {
        hits.sort_unstable();
        hits.dedup();
        match hits.len() {
            0 => Err(Reason::MissingImage { image: written.into() }),
            1 => {
                let relative = hits.swap_remove(0);
                let elsewhere = elsewhere.map(str::to_owned);
                Ok(Found { id: self.id(&relative), relative, elsewhere })
            }
            _ => {
                hits.truncate(3);
                Err(Reason::AmbiguousImage { image: written.into(), candidates: hits })
            }
        }
    }

    fn holds_folder(&mut self, base: &str, folder: &str) -> bool {
        [base, ""].iter().any(|top| {
            self.listing(top)
                .is_some_and(|listing| listing.folders.iter().any(|known| known == folder))
        })
    }

    fn contains(&mut self, prefix: &str, relative: &str) -> bool {
        let (inner, name) = relative.rsplit_once('/').unwrap_or(("", relative));
        self.listing(&join(prefix, inner)).is_some_and(|listing| listing.contains(name))
    }

    /// The folder's listing, read at the first call; nothing where there is no such folder.
    fn listing(&mut self, folder: &str) -> Option<&Listing> {
        if !self.listings.contains_key(folder) {
            let listing = Listing::read(&self.root.join(folder)).ok();
            self.listings.insert(folder.to_owned(), listing);
        }
        self.listings.get(folder)?.as_ref()
    }

    fn tiers(&mut self, base: &str, split: Option<Split>) -> Tiers {
        if let Some(tiers) = self.tiers.get(&(base.to_owned(), split)) {
            return Rc::clone(tiers);
        }
        let tiers = Rc::new(self.plan_tiers(base, split));
        self.tiers.insert((base.to_owned(), split), Rc::clone(&tiers));
        tiers
    }

    /// Beside the file, in a picture folder, in the row's own split's folder, in any split's folder.
    fn plan_tiers(&mut self, base: &str, split: Option<Split>) -> Vec<Vec<String>> {
        let mut tiers = vec![vec![base.to_owned()], self.picture_folders_in(base)];
        if !base.is_empty() {
            tiers.push(vec![String::new()]);
        }
        let picture_folders = self.picture_folders.clone();
        let (mine, others): (Vec<_>, Vec<_>) = self
            .split_folders
            .clone()
            .into_iter()
            .partition(|(folder_split, _)| Some(*folder_split) == split);
        let mut expand = |folders: Vec<(Split, String)>| -> Vec<String> {
            folders
                .into_iter()
                .flat_map(|(_, folder)| {
                    let inner = self.picture_folders_in(&folder);
                    std::iter::once(folder).chain(inner)
                })
                .collect()
        };
        let (mine, others) = (expand(mine), expand(others));
        tiers.extend([picture_folders, mine, others]);
        tiers
    }

    fn picture_folders_in(&mut self, folder: &str) -> Vec<String> {
        let Some(listing) = self.listing(folder) else { return Vec::new() };
        listing
            .folders
            .iter()
            .filter(|name| is_picture_folder(name))
            .map(|name| join(folder, name))
            .collect()
    }
}

/// The picture at `relative`, or all pictures in the folder there; links to folders may lead back, so they are passed over.
fn gather(root: &Path, relative: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let path = root.join(relative);
    if !path.symlink_metadata().is_ok_and(|entry| entry.is_dir()) {
        found.extend(is_picture(&path.to_string_lossy()).then(|| relative.to_owned()));
        return;
    }
    let entries = fs_err::read_dir(path).ok().filter(|_| depth > 0);
    for entry in entries.into_iter().flatten().flatten() {
        gather(root, &relative.join(entry.file_name()), depth - 1, found);
    }
}

/// How rows may spell the root: as given, absolute, and with links resolved; each ends in a slash.
fn spellings(root: &Path) -> Vec<String> {
    let candidates = [std::path::absolute(root).ok(), fs_err::canonicalize(root).ok()];
    let texts =
        candidates.into_iter().flatten().filter_map(|path| Some(path.to_str()?.replace('\\', "/")));
    let mut spellings: Vec<String> =
        texts.map(|text| format!("{}/", squeezed(&text).trim_end_matches('/'))).collect();
    spellings.dedup();
    spellings
}

/// Slashes that follow each other count as one.
fn squeezed(path: &str) -> String {
    let mut squeezed = String::with_capacity(path.len());
    for letter in path.chars() {
        if letter != '/' || !squeezed.ends_with('/') {
            squeezed.push(letter);
        }
    }
    squeezed
}

/// Paths by file name and by stem.
fn index_by_name(paths: Vec<String>) -> HashMap<String, Vec<String>> {
    let mut index: HashMap<String, Vec<String>> = HashMap::new();
    for path in paths {
        let name = path.rsplit_once('/').map_or(path.as_str(), |(_, name)| name).to_owned();
        if let Some(stem) = stem_of_picture(&name) {
            index.entry(stem.to_owned()).or_default().push(path.clone());
        }
        index.entry(name).or_default().push(path);
    }
    index
}

fn join(folder: &str, name: &str) -> String {
    match (folder.is_empty(), name.is_empty()) {
        (true, _) => name.to_owned(),
        (_, true) => folder.to_owned(),
        _ => format!("{folder}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, "").unwrap();
        }
        folder
    }

    fn found(files: &[&str], written: &str, split: Option<Split>) -> Result<Found, Reason> {
        let folder = tree(files);
        Locator::new(folder.path()).unwrap().locate(written, "", split)
    }

    fn path(files: &[&str], written: &str) -> String {
        found(files, written, None).unwrap().relative
    }

    #[test]
    fn a_picture_is_found_beside_in_picture_folders_and_in_split_folders() {
        assert_eq!(path(&["a.jpg", "images/a.jpg"], "a.jpg"), "a.jpg");
        assert_eq!(path(&["Images/a.jpg"], "./a.jpg"), "Images/a.jpg");
        assert_eq!(path(&["train/a.jpg", "valid/b.jpg"], "b.jpg"), "valid/b.jpg");
        assert_eq!(path(&["images/train/a.jpg"], "train\\a.jpg"), "images/train/a.jpg");
        assert_eq!(path(&["valid/a.jpg"], "rsicd_images/a.jpg"), "valid/a.jpg");
        assert_eq!(path(&["x/y/a.jpg"], "a.jpg"), "x/y/a.jpg");
        assert_eq!(path(&["train/a.jpg"], "/elsewhere/rsicd/train/a.jpg"), "train/a.jpg");
    }

    #[test]
    fn the_ending_is_found_in_any_case() {
        assert_eq!(path(&["images/1.2.840.JPEG"], "1.2.840"), "images/1.2.840.JPEG");
        assert_eq!(path(&["images/a.tif", "originals/a.png"], "a"), "images/a.tif");
        assert!(matches!(
            found(&["images/a.jpg", "imgs/a.jpg"], "a.jpg", None),
            Err(Reason::AmbiguousImage { .. })
        ));
        let error = found(&["a.jpg", "a.png"], "a", None).unwrap_err();
        assert_eq!(error.to_string(), "image \"a\" could be a.jpg or a.png");
    }

    #[test]
    fn the_rows_own_split_decides_between_folders() {
        let files = ["train/1.jpg", "valid/1.jpg"];
        assert_eq!(found(&files, "1.jpg", Some(Split::Valid)).unwrap().relative, "valid/1.jpg");
        assert!(matches!(found(&files, "1.jpg", None), Err(Reason::AmbiguousImage { .. })));
    }

    #[test]
    fn a_folder_that_lacks_the_file_is_an_answer() {
        assert!(matches!(
            found(&["a/1.jpg", "b/2.jpg"], "b/1.jpg", None),
            Err(Reason::MissingImage { .. })
        ));
    }

    #[test]
    fn no_row_leads_out_of_the_root() {
        let outer = tree(&["secret.jpg", "data/a.jpg"]);
        let mut locator = Locator::new(&outer.path().join("data")).unwrap();
        let absolute = outer.path().join("secret.jpg").display().to_string();
        for written in ["../secret.jpg", "b/../../secret.jpg", absolute.as_str()] {
            let error = locator.locate(written, "", None).unwrap_err();
            assert!(matches!(error, Reason::OutsideRoot { .. }), "{written}: {error}");
        }
        let inside = outer.path().join("data/a.jpg").display().to_string();
        assert_eq!(locator.locate(&inside, "", None).unwrap().relative, "a.jpg");
        assert_eq!(locator.locate("x/../a.jpg", "", None).unwrap().relative, "a.jpg");
        assert!(matches!(
            locator.locate("https://a/b.jpg", "", None),
            Err(Reason::WebAddress { .. })
        ));
        assert!(matches!(locator.locate(" ", "", None), Err(Reason::EmptyImage)));
    }

    #[test]
    fn ids_drop_the_picture_folder_only_where_that_is_clear() {
        let id = |files: &[&str], written| found(files, written, None).unwrap().id;
        assert_eq!(id(&["images/a.jpg"], "images/a.jpg"), "a.jpg");
        assert_eq!(id(&["images/a.jpg", "a.jpg"], "images/a.jpg"), "images/a.jpg");
        assert_eq!(id(&["images/a.jpg", "imgs/a.jpg"], "imgs/a.jpg"), "imgs/a.jpg");
        assert_eq!(id(&["train/a.jpg"], "a.jpg"), "train/a.jpg");
    }

    #[test]
    fn a_folder_of_a_split_tells_the_split_when_there_are_two() {
        let split =
            |files: &[&str], relative| Locator::new(tree(files).path()).unwrap().split_of(relative);
        assert_eq!(split(&["train/a.jpg", "val/b.jpg"], "val/b.jpg"), Some(Split::Valid));
        assert_eq!(
            split(&["images/train/a.jpg", "images/test/b.jpg"], "images/test/b.jpg"),
            Some(Split::Test)
        );
        assert_eq!(split(&["train/a.jpg", "plane/b.jpg"], "train/a.jpg"), None);
    }
}
