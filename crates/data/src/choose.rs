//! Decides which files of a folder hold the captions, and where pictures are looked for.
//!
//! What a file's inside looks like is asked of `read`; nothing is read completely here.

use std::path::{Path, PathBuf};

use crate::{
    Error, Layout, Options, Split,
    listing::{Listing, is_picture},
    locate::is_picture_folder,
    read::{self, class_folders},
};

/// Endings of files that can hold captions.
const CAPTION_EXTENSIONS: [&str; 6] = ["json", "jsonl", "ndjson", "csv", "tsv", "txt"];

/// Folders that hold caption files beside a folder of pictures.
const ANNOTATION_FOLDERS: [&str; 5] =
    ["annotations", "annotation", "captions", "labels", "metadata"];

/// One file to read.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) layout: Layout,
    /// What the file's or folder's name says about every row that says nothing itself.
    pub(crate) split: Option<Split>,
    /// The folder below the root that rows' paths start from.
    pub(crate) base: String,
}

/// What to read, and below which folder the pictures are.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) sources: Vec<Source>,
    pub(crate) root: PathBuf,
    pub(crate) notes: Vec<String>,
}

/// A file that could hold the captions.
#[derive(Debug)]
struct Candidate {
    path: PathBuf,
    stem: String,
    layout: Layout,
}

/// The caption files of one folder, and those that looked like some but cannot be read.
#[derive(Debug, Default)]
struct Candidates {
    fit: Vec<Candidate>,
    unfit: Vec<(PathBuf, Error)>,
}

/// Decides how to read `path`.
pub(crate) fn plan(path: &Path, options: &Options) -> Result<Plan, Error> {
    if let Some(template) =
        options.caption_template.as_ref().filter(|template| !template.contains("{class}"))
    {
        return Err(Error::Template { template: template.clone() });
    }
    if let Some(root) = options.image_root.as_ref().filter(|root| !root.is_dir()) {
        return Err(Error::NotFound { path: root.clone() });
    }
    if path.is_dir() {
        return plan_folder(path, options);
    }
    if !path.exists() {
        return Err(Error::NotFound { path: path.to_owned() });
    }
    plan_file(path, options)
}

fn plan_file(path: &Path, options: &Options) -> Result<Plan, Error> {
    let layout = match options.format {
        Some(layout) if fits(layout, path) => layout,
        Some(layout) => {
            return Err(Error::FormatMismatch {
                path: path.into(),
                layout,
                seen: vec![format!("a file ending in {:?}", extension(path))],
            });
        }
        None => read::recognise(path, options)?,
    };
    let source =
        Source { path: path.into(), layout, split: split_of_name(path), base: String::new() };
    finish(&picture_root(path), options, vec![source])
}

/// The folder below which a caption file's pictures are: its own, or the one above `annotations/`.
fn picture_root(file: &Path) -> PathBuf {
    let parent = |path: &Path| path.parent().map(Path::to_owned).unwrap_or_default();
    let folder = parent(file);
    let name = folder.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let root = if ANNOTATION_FOLDERS.contains(&name.as_str()) { parent(&folder) } else { folder };
    // A bare file name has an empty parent, which no system call takes for the current folder.
    if root.as_os_str().is_empty() { PathBuf::from(".") } else { root }
}

fn plan_folder(path: &Path, options: &Options) -> Result<Plan, Error> {
    let listing = Listing::read(path)?;
    let mut candidates = Candidates::default();
    if options.format != Some(Layout::ClassFolders) {
        candidates = caption_files(path, &listing, options)?;
        let found = match settle(path, &candidates)? {
            sources if !sources.is_empty() => sources,
            _ => in_subfolders(path, &listing, options)?,
        };
        if !found.is_empty() {
            return finish(path, options, found);
        }
    }
    let classes = options.format.is_none_or(|format| format == Layout::ClassFolders);
    if classes && class_folders::recognise(options.image_root.as_deref().unwrap_or(path), options)?
    {
        let layout = Layout::ClassFolders;
        return finish(
            path,
            options,
            vec![Source { path: path.into(), layout, split: None, base: String::new() }],
        );
    }
    Err(nothing_found(path, &listing, options, candidates))
}

fn finish(root: &Path, options: &Options, sources: Vec<Source>) -> Result<Plan, Error> {
    if let Some(source) =
        sources.iter().find(|source| options.name_columns() && !source.layout.has_columns())
    {
        return Err(Error::NoColumns { path: source.path.clone(), layout: source.layout });
    }
    let root = options.image_root.clone().unwrap_or_else(|| root.to_owned());
    let mut notes = Vec::new();
    if let [Source { path, split: Some(split), .. }] = sources.as_slice() {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        notes.push(format!("{name}: by its name, rows that do not say otherwise are {split}"));
    }
    Ok(Plan { sources, root, notes })
}

/// Caption files in the folder of each split, else in a folder for annotations.
fn in_subfolders(path: &Path, listing: &Listing, options: &Options) -> Result<Vec<Source>, Error> {
    let mut sources = Vec::new();
    for name in &listing.folders {
        let Some(split) = Split::of_word(name) else { continue };
        for source in settle_folder(&path.join(name), options)? {
            sources.push(Source { split: Some(split), base: name.clone(), ..source });
        }
    }
    let annotations =
        |name: &&String| ANNOTATION_FOLDERS.contains(&name.to_ascii_lowercase().as_str());
    match listing.folders.iter().find(annotations) {
        Some(name) if sources.is_empty() => settle_folder(&path.join(name), options),
        _ => Ok(sources),
    }
}

fn settle_folder(folder: &Path, options: &Options) -> Result<Vec<Source>, Error> {
    settle(folder, &caption_files(folder, &Listing::read(folder)?, options)?)
}

/// The files of a folder that can be read, judged by their names and first lines.
fn caption_files(folder: &Path, listing: &Listing, options: &Options) -> Result<Candidates, Error> {
    let mut candidates = Candidates::default();
    for name in listing.names() {
        let path = folder.join(name);
        if !is_caption_file(&path) || options.format.is_some_and(|layout| !fits(layout, &path)) {
            continue;
        }
        let stem = stem(&path);
        match read::recognise(&path, options) {
            Ok(layout) => candidates.fit.push(Candidate {
                path,
                stem,
                layout: options.format.unwrap_or(layout),
            }),
            Err(Error::Io(error)) => return Err(error.into()),
            Err(error) if is_said_to_hold_captions(&stem) => return Err(error),
            Err(error) => candidates.unfit.push((path, error)),
        }
    }
    Ok(candidates)
}

/// Chooses among the files that can be read; none where there are none.
fn settle(folder: &Path, candidates: &Candidates) -> Result<Vec<Source>, Error> {
    let fit = &candidates.fit;
    let chosen = [
        only(fit, |candidate| candidate.layout == Layout::Karpathy),
        only(fit, |candidate| candidate.stem == "metadata"),
        only(fit, |candidate| candidate.stem == "captions"),
        split_files(fit),
        only(fit, |_| true),
        only(fit, |candidate| candidate.stem.contains("caption")),
    ];
    for choice in chosen {
        match choice {
            Choice::Nothing => {}
            Choice::These(files) => return Ok(files.into_iter().map(source).collect()),
            Choice::Undecided => break,
        }
    }
    if fit.is_empty() { Ok(Vec::new()) } else { Err(ambiguous(folder, fit)) }
}

/// The outcome of one rule for choosing.
enum Choice<'a> {
    /// The rule does not apply.
    Nothing,
    /// The rule decides.
    These(Vec<&'a Candidate>),
    /// The rule applies to several that exclude each other.
    Undecided,
}

/// The one file that fits. `Undecided` is left to rules where another could still decide.
fn only(candidates: &[Candidate], fits: impl Fn(&Candidate) -> bool) -> Choice<'_> {
    let mut found = candidates.iter().filter(|candidate| fits(candidate));
    match (found.next(), found.next()) {
        (Some(candidate), None) => Choice::These(vec![candidate]),
        _ => Choice::Nothing,
    }
}

/// Files that differ only in the name of the split: `train.csv` and `valid.csv`.
fn split_files(candidates: &[Candidate]) -> Choice<'_> {
    let mut groups: Vec<(String, Vec<(Split, &Candidate)>)> = Vec::new();
    for candidate in candidates {
        let Some((split, pattern)) = Split::of_stem(&candidate.stem) else { continue };
        let key = format!("{pattern}.{}", extension(&candidate.path));
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, members)) => members.push((split, candidate)),
            None => groups.push((key, vec![(split, candidate)])),
        }
    }
    groups.retain(|(_, members)| members.iter().any(|(split, _)| *split != members[0].0));
    match groups.len() {
        0 => Choice::Nothing,
        1 => {
            let mut members = groups.swap_remove(0).1;
            members.sort_by_key(|(split, _)| *split);
            Choice::These(members.into_iter().map(|(_, candidate)| candidate).collect())
        }
        _ => Choice::Undecided,
    }
}

fn source(candidate: &Candidate) -> Source {
    let split = split_of_name(&candidate.path);
    Source { path: candidate.path.clone(), layout: candidate.layout, split, base: String::new() }
}

fn ambiguous(folder: &Path, candidates: &[Candidate]) -> Error {
    let name = |candidate: &Candidate| {
        format!(
            "{} ({})",
            candidate.path.file_name().unwrap_or_default().to_string_lossy(),
            candidate.layout
        )
    };
    Error::Ambiguous { path: folder.to_owned(), candidates: candidates.iter().map(name).collect() }
}

/// The most telling error: what is wrong with the only caption file, else what the folder holds.
fn nothing_found(
    path: &Path,
    listing: &Listing,
    options: &Options,
    candidates: Candidates,
) -> Error {
    let mut unfit: Vec<_> =
        candidates.unfit.into_iter().filter(|(path, _)| extension(path) != "txt").collect();
    if unfit.len() == 1 {
        return unfit.swap_remove(0).1;
    }
    let (path, seen) = (path.to_owned(), seen(listing));
    if let Some(layout) = options.format {
        return Error::FormatMismatch { path, layout, seen };
    }
    let looked_for =
        Layout::ALL.iter().map(|layout| format!("{} ({layout})", layout.description()));
    Error::UnknownLayout { path, looked_for: looked_for.collect(), seen }
}

/// What a folder holds, in a few words: folders, files that are no pictures, and how many pictures.
fn seen(listing: &Listing) -> Vec<String> {
    let names = listing.names();
    let pictures = names.iter().filter(|name| is_picture(name)).count();
    let folders = listing.folders.iter().map(|name| format!("{name}/"));
    let files = names.iter().filter(|name| !is_picture(name)).map(ToString::to_string);
    folders.chain(files).chain((pictures > 0).then(|| format!("{pictures} pictures"))).collect()
}

/// Whether the layout can be in a file with this ending.
fn fits(layout: Layout, path: &Path) -> bool {
    let allowed: &[&str] = match layout {
        Layout::Karpathy => &["json"],
        Layout::Jsonl => &["jsonl", "ndjson", "json"],
        Layout::Table | Layout::RsicdCsv | Layout::ImageClef => &["csv", "tsv", "txt"],
        Layout::ImageFolder => &["jsonl", "csv"],
        Layout::ClassFolders => &[],
    };
    allowed.contains(&extension(path).as_str())
}

fn is_caption_file(path: &Path) -> bool {
    CAPTION_EXTENSIONS.contains(&extension(path).as_str())
}

/// A file of this name that cannot be read is an error, not a bystander.
fn is_said_to_hold_captions(stem: &str) -> bool {
    stem == "captions" || stem == "metadata"
}

fn split_of_name(path: &Path) -> Option<Split> {
    Split::of_stem(&stem(path)).map(|(split, _)| split)
}

/// The name without its ending, lower case.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase()
}

/// The ending, lower case, without the dot.
pub(crate) fn extension(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
}

/// Whether a folder's name says nothing about what its pictures show.
pub(crate) fn is_neutral_folder(name: &str) -> bool {
    is_picture_folder(name) || Split::of_word(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_looked_for_beside_the_file_or_beside_its_annotation_folder() {
        let root = |file| picture_root(Path::new(file)).display().to_string();
        assert_eq!(root("a.csv"), ".");
        assert_eq!(root("annotations/a.csv"), ".");
        assert_eq!(root("coco/Annotations/a.csv"), "coco");
        assert_eq!(root("/data/rsicd/a.csv"), "/data/rsicd");
    }
}
