//! DATA on the command line: opened, summed up, and refused where too much of it is bad.
//!
//! The layouts themselves are the business of `finelens_data`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use finelens_data::{Dataset, Example, Layout, Options, Split, SplitSource};
use serde::{Deserialize, Serialize};

use crate::cli::DataArgs;
use crate::error::Error;
use crate::number::{counted, grouped};
use crate::printer::Printer;

/// How many skipped rows are named; the others are counted.
const NAMED: usize = 5;

/// Where the data is and how it is read, as recorded in `run.toml`. Empty means: not said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DataSettings {
    /// Folder or file.
    pub(crate) path: String,
    /// Layout and columns, as `--format` takes them.
    pub(crate) format: String,
    /// Folder of the pictures.
    pub(crate) image_root: String,
    /// Bad rows to put up with, as `--max-bad` takes them.
    pub(crate) max_bad: String,
}

impl DataSettings {
    /// Takes over what was typed; what was not is left as it is.
    pub(crate) fn overlay(&mut self, path: Option<&Path>, typed: &DataArgs) {
        let set = |field: &mut String, value: Option<String>| {
            if let Some(value) = value {
                *field = value;
            }
        };
        let text = |path: &Path| path.display().to_string();
        set(&mut self.path, path.map(text));
        set(&mut self.format, typed.format.clone());
        set(&mut self.image_root, typed.image_root.as_deref().map(text));
        let strict = typed.strict.then_some(MaxBad::Rows(0));
        set(&mut self.max_bad, strict.or(typed.max_bad).map(|max_bad| max_bad.to_string()));
    }

    /// The same with absolute paths, so that a run can be gone on with from any folder.
    pub(crate) fn with_absolute_paths(&self) -> std::io::Result<Self> {
        let absolute = |path: &String| {
            let said = Some(path).filter(|path| !path.is_empty());
            let path = said.map(std::path::absolute).transpose()?;
            Ok::<_, std::io::Error>(path.map_or(String::new(), |path| path.display().to_string()))
        };
        let (path, image_root) = (absolute(&self.path)?, absolute(&self.image_root)?);
        Ok(Self { path, image_root, ..self.clone() })
    }

    fn options(&self) -> anyhow::Result<Options> {
        let mut options = parse_format(&self.format)?;
        options.image_root = (!self.image_root.is_empty()).then(|| PathBuf::from(&self.image_root));
        Ok(options)
    }

    /// Bad rows to put up with.
    pub(crate) fn max_bad(&self) -> anyhow::Result<MaxBad> {
        let told = |reason| Error::SettingValue { origin: "max_bad".to_owned(), reason };
        Ok(if self.max_bad.is_empty() {
            MaxBad::DEFAULT
        } else {
            self.max_bad.parse().map_err(told)?
        })
    }
}

/// How many bad rows are put up with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum MaxBad {
    /// This many.
    Rows(usize),
    /// This share of all rows, but at least ten rows.
    Share(f64),
}

impl MaxBad {
    /// One row in a hundred.
    const DEFAULT: Self = Self::Share(0.01);
    /// A share of a few rows would be none.
    const LEAST: usize = 10;

    fn of(self, rows: usize) -> usize {
        match self {
            Self::Rows(rows) => rows,
            Self::Share(share) => ((rows as f64 * share) as usize).max(Self::LEAST),
        }
    }
}

impl FromStr for MaxBad {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let share =
            |number: &str| number.trim().parse().ok().filter(|share| (0.0..=100.0).contains(share));
        let parsed = match text.strip_suffix('%') {
            Some(number) => share(number).map(|percent: f64| Self::Share(percent / 100.0)),
            None => text.parse().ok().map(Self::Rows),
        };
        parsed.ok_or_else(|| {
            "expected a number of rows, such as 20, or a share, such as 5%".to_owned()
        })
    }
}

impl std::fmt::Display for MaxBad {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rows(rows) => write!(f, "{rows}"),
            Self::Share(share) => write!(f, "{}%", share * 100.0),
        }
    }
}

/// Reads `LAYOUT[,ROLE=NAME]...`.
fn parse_format(text: &str) -> anyhow::Result<Options> {
    let mut options = Options::default();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        match part.split_once('=') {
            None => options.format = Some(part.parse::<Layout>()?),
            Some((role, name)) => set_role(&mut options, role.trim(), name.trim())?,
        }
    }
    Ok(options)
}

fn set_role(options: &mut Options, role: &str, name: &str) -> Result<(), Error> {
    let name = name.to_owned();
    match role {
        "image" => options.image_column = Some(name),
        "caption" => options.caption_columns.push(name),
        "split" => options.split_column = Some(name),
        "template" => options.caption_template = Some(name),
        _ => {
            let reason = format!(
                "expected image, caption, split or template before the `=`, found {role:?}"
            );
            return Err(Error::Format { reason });
        }
    }
    Ok(())
}

/// Opens the data set and tells what it is; an error if more rows are bad than may be.
pub(crate) fn open(settings: &DataSettings, printer: &Printer) -> anyhow::Result<Dataset> {
    let dataset = finelens_data::open(Path::new(&settings.path), &settings.options()?)?;
    tell(&dataset, Path::new(&settings.path), printer);
    let skipped: Vec<String> = dataset.skipped.iter().map(ToString::to_string).collect();
    tell_skipped("row", &skipped, printer);
    check_bad(skipped.len(), dataset.rows, settings.max_bad()?)?;
    Ok(dataset)
}

/// An error if more rows are bad than may be.
pub(crate) fn check_bad(bad: usize, rows: usize, max_bad: MaxBad) -> Result<(), Error> {
    let allowed = max_bad.of(rows);
    if bad > allowed { Err(Error::TooManyBad { bad, rows, allowed }) } else { Ok(()) }
}

fn tell(dataset: &Dataset, path: &Path, printer: &Printer) {
    let captions = dataset.examples.iter().map(|example| example.captions.len()).sum();
    let (pictures, captions) =
        (counted(dataset.examples.len(), "picture"), counted(captions, "caption"));
    printer.say(format_args!("{}: {pictures}, {captions} ({})", path.display(), dataset.layout));
    let by = match dataset.split_source {
        SplitSource::Data => "as the data says",
        _ => "by a hash of each picture's id",
    };
    printer.say(format_args!("  {}, {by}", split_sizes(dataset)));
    for note in &dataset.notes {
        printer.say(format_args!("  note: {note}"));
    }
}

/// `train 800, valid 100, test 100`.
fn split_sizes(dataset: &Dataset) -> String {
    let size = |split: Split| format!("{split} {}", grouped(dataset.split(split).len()));
    Split::ALL.map(size).join(", ")
}

/// Names the first of what could not be used, and counts the rest.
pub(crate) fn tell_skipped(noun: &str, skipped: &[String], printer: &Printer) {
    if skipped.is_empty() {
        return;
    }
    printer.warn(format_args!("{} skipped", counted(skipped.len(), noun)));
    for line in skipped.iter().take(NAMED) {
        printer.say(format_args!("  {line}"));
    }
    if skipped.len() > NAMED {
        printer.say(format_args!("  and {} more", grouped(skipped.len() - NAMED)));
    }
}

/// The pictures to measure on: the split by name, or test, or valid where there is no test. With the split's name.
pub(crate) fn to_measure<'a>(
    dataset: &'a Dataset,
    path: &Path,
    wanted: Option<&str>,
) -> anyhow::Result<(String, Vec<&'a Example>)> {
    let (name, examples) = match wanted {
        Some("all") => ("all".to_owned(), dataset.examples.iter().collect()),
        Some(name) => named(dataset, name.parse()?),
        None if dataset.split(Split::Test).is_empty() => named(dataset, Split::Valid),
        None => named(dataset, Split::Test),
    };
    if examples.is_empty() {
        let (path, found) = (path.to_owned(), split_sizes(dataset));
        return Err(Error::EmptySplit { path, split: name, found }.into());
    }
    Ok((name, examples))
}

fn named(dataset: &Dataset, split: Split) -> (String, Vec<&Example>) {
    (split.to_string(), dataset.split(split))
}

/// The class of each picture by the rule of CLIP-rsicd: its label, else its file name up to the last `_`, else its
/// folder. Classes are compared as words: `dense-residential`, `Dense Residential` and `dense_residential` are one.
///
/// Returns, for every picture of a class in the list, its place among `examples` and that of its class in the list.
pub(crate) fn classes_of(examples: &[&Example], classes: &[String]) -> Vec<(usize, u32)> {
    let places: BTreeMap<String, u32> =
        classes.iter().enumerate().map(|(place, class)| (as_words(class), place as u32)).collect();
    let class = |example: &Example| {
        candidates(example).into_iter().find_map(|name| places.get(&as_words(&name)).copied())
    };
    let each = examples.iter().enumerate();
    each.filter_map(|(place, example)| Some((place, class(example)?))).collect()
}

/// What may be a picture's class, best first.
pub(crate) fn candidates(example: &Example) -> Vec<String> {
    let text =
        |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned());
    let stem = text(example.image.file_stem());
    let head = stem.and_then(|stem| stem.rsplit_once('_').map(|(head, _)| head.to_owned()));
    let folder = text(example.image.parent().and_then(Path::file_name));
    example.label.clone().into_iter().chain(head).chain(folder).collect()
}

/// Letters and digits, lower case: how class names are compared.
fn as_words(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(image: &str, label: Option<&str>) -> Example {
        Example {
            id: image.to_owned(),
            image: image.into(),
            captions: vec!["a".to_owned()],
            split: None,
            label: label.map(str::to_owned),
            metadata: finelens_data::Metadata::new(),
        }
    }

    #[test]
    fn a_share_of_bad_rows_allows_ten_at_least() {
        let allowed = |text: &str, rows| text.parse::<MaxBad>().unwrap().of(rows);
        assert_eq!(
            [allowed("1%", 100), allowed("1%", 5_000), allowed("3", 5_000), allowed("0", 9)],
            [10, 50, 3, 0]
        );
        assert!("many".parse::<MaxBad>().is_err() && "-1%".parse::<MaxBad>().is_err());
    }

    #[test]
    fn a_limit_reads_back_as_it_was_written() {
        for limit in [MaxBad::Rows(3), MaxBad::Share(0.025)] {
            assert_eq!(limit.to_string().parse(), Ok(limit));
        }
    }

    #[test]
    fn a_format_is_a_layout_and_columns() {
        let options = parse_format("table,image=path,caption=title,caption=alt").unwrap();
        assert_eq!(options.format, Some(Layout::Table));
        assert_eq!(options.image_column.as_deref(), Some("path"));
        assert_eq!(options.caption_columns, ["title", "alt"]);
        assert!(parse_format("picture=path").is_err());
        assert_eq!(parse_format("").unwrap(), Options::default());
    }

    #[test]
    fn a_class_is_the_label_or_the_head_of_the_file_name_or_the_folder() {
        let examples = [
            example("x/dense_residential_12.jpg", None),
            example("x/1.jpg", Some("River")),
            example("port/2.jpg", None),
            example("x/3.jpg", None),
        ];
        let classes = ["river", "Dense Residential", "port"].map(str::to_owned);
        let found = classes_of(&examples.iter().collect::<Vec<_>>(), &classes);
        assert_eq!(found, [(0, 1), (1, 0), (2, 2)]);
    }
}
