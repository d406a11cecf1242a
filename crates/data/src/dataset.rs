//! The data set as it comes out: examples, what was skipped, who decided on the splits.
//!
//! Nothing here knows a file format.

use std::path::{Path, PathBuf};

use crate::{
    Error, Layout, Metadata, Skipped, Split, SplitSource, choose, collect::Collector, read, split,
};

/// One picture and everything that was said about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// Unique, and the same whichever file names the picture: its path below the root, without a
    /// leading `images/` or the like where that leaves no doubt.
    pub id: String,
    /// The file with the pixels; it existed when the data set was opened.
    pub image: PathBuf,
    /// At least one, in the order of the data, trimmed. Repeats are kept: where annotators agree,
    /// drawing a caption at random should too.
    pub captions: Vec<String>,
    /// Always set in an opened data set; [`Dataset::split_source`] tells by whom.
    pub split: Option<Split>,
    /// The class folder's name, in class folders.
    pub label: Option<String>,
    /// What else the data says: every column or field that is not the picture, a caption or the split.
    pub metadata: Metadata,
}

/// How to read; the default recognises everything by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Read as this layout instead of recognising one.
    pub format: Option<Layout>,
    /// Where the pictures are, instead of beside the file. Paths in rows must stay below it.
    pub image_root: Option<PathBuf>,
    /// Column or field that names the picture; a dot enters a nested JSON object.
    pub image_column: Option<String>,
    /// Columns or fields that hold captions, all of them used; a dot enters a nested JSON object.
    pub caption_columns: Vec<String>,
    /// Column or field that names the split.
    pub split_column: Option<String>,
    /// Caption for class folders; `{class}` stands for the folder's name with `_` and `-` as
    /// spaces. Default: [`Options::DEFAULT_CAPTION_TEMPLATE`].
    pub caption_template: Option<String>,
}

impl Options {
    /// What is said about a picture of which only the class is known.
    ///
    /// Source: Radford et al., "Learning Transferable Visual Models From Natural Language
    /// Supervision" (2021), section 3.1.4, without its full stop.
    pub const DEFAULT_CAPTION_TEMPLATE: &'static str = "a photo of a {class}";

    /// Whether a column is chosen by name.
    pub(crate) fn name_columns(&self) -> bool {
        self.image_column.is_some()
            || self.split_column.is_some()
            || !self.caption_columns.is_empty()
    }
}

/// A data set that was opened.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The layout that was recognised, or asked for.
    pub layout: Layout,
    /// The files that were read, in order; in class folders the root.
    pub files: Vec<PathBuf>,
    /// The folder that all pictures are below.
    pub root: PathBuf,
    /// One per picture, in the order in which the data first names them.
    pub examples: Vec<Example>,
    /// Rows, or single captions, that were left out.
    pub skipped: Vec<Skipped>,
    /// How many rows were read, the skipped ones included.
    pub rows: usize,
    /// What a person should be told about choices that the data left open.
    pub notes: Vec<String>,
    /// Whether the splits come from the data.
    pub split_source: SplitSource,
}

/// The examples of a data set by split.
#[derive(Clone, Debug, Default)]
pub struct Splits<'a> {
    /// To learn from.
    pub train: Vec<&'a Example>,
    /// To choose by.
    pub valid: Vec<&'a Example>,
    /// To measure on.
    pub test: Vec<&'a Example>,
}

impl Dataset {
    /// All examples, sorted into the three splits.
    pub fn splits(&self) -> Splits<'_> {
        Splits {
            train: self.split(Split::Train),
            valid: self.split(Split::Valid),
            test: self.split(Split::Test),
        }
    }

    /// The examples of one split, in the order of the data; empty if it has none.
    pub fn split(&self, split: Split) -> Vec<&Example> {
        self.examples.iter().filter(|example| example.split == Some(split)).collect()
    }
}

/// Opens the data set at `path`, a folder or the file that holds the captions.
///
/// Pictures are found, not opened: a picture that cannot be decoded is still an example here.
///
/// # Errors
/// A missing or broken file, an unknown layout, a wrong column, or nothing usable at all. A bad
/// row is no error; it is in [`Dataset::skipped`].
pub fn open(path: &Path, options: &Options) -> Result<Dataset, Error> {
    let plan = choose::plan(path, options)?;
    let mut collector = Collector::new(&plan.root)?;
    collector.notes = plan.notes;
    for source in &plan.sources {
        read::read(source, options, &mut collector)?;
    }
    let layout = plan.sources[0].layout;
    let files = plan.sources.into_iter().map(|source| source.path).collect();
    finish(path, layout, files, collector)
}

fn finish(
    path: &Path,
    layout: Layout,
    files: Vec<PathBuf>,
    collector: Collector,
) -> Result<Dataset, Error> {
    let collected = collector.finish();
    let root = collected.locator.root().to_owned();
    let (mut examples, skipped, rows) = (collected.examples, collected.skipped, collected.rows);
    if examples.is_empty() {
        let reasons = skipped.iter().take(3).map(ToString::to_string).collect();
        return Err(Error::Empty { path: path.to_owned(), rows, reasons });
    }
    let mut notes = collected.notes;
    let (split_source, split_notes) = split::assign(&mut examples);
    notes.extend(split_notes);
    Ok(Dataset { layout, files, root, examples, skipped, rows, notes, split_source })
}
