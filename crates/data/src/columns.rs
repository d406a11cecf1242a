//! Which column is the picture, which are captions, which is the split.
//!
//! Works on names alone, so tables and JSON lines share it.

use std::path::Path;

use crate::{Error, Options};

/// Names of the picture's column, the most telling first; compared without case, `_`, `-` and spaces.
const IMAGE: [&str; 16] = [
    "filename",
    "image",
    "imagepath",
    "filepath",
    "path",
    "imagefile",
    "imagefilename",
    "imagename",
    "img",
    "imgpath",
    "imagefilepath",
    "file",
    "imageid",
    "imgid",
    "id",
    "name",
];

/// Names of caption columns without number and plural; the first that occurs is taken, with all its numbers.
const CAPTION: [&str; 8] =
    ["caption", "text", "sentence", "raw", "description", "comment", "report", "title"];

/// Names of the column that tells the split.
const SPLIT: [&str; 3] = ["split", "subset", "partition"];

/// Places of the columns in a list of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Columns {
    pub(crate) image: usize,
    pub(crate) captions: Vec<usize>,
    pub(crate) split: Option<usize>,
}

impl Columns {
    /// Finds the columns among `names`, those named in the options first.
    pub(crate) fn find(path: &Path, names: &[String], options: &Options) -> Result<Self, Error> {
        let missing = |role, expected: &[&str]| Error::MissingColumn {
            path: path.to_owned(),
            role,
            expected: expected.iter().map(ToString::to_string).collect(),
            found: names.to_vec(),
        };
        let named =
            |role, wanted: &str| position(names, wanted).ok_or_else(|| missing(role, &[wanted]));
        let image = match &options.image_column {
            Some(wanted) => named("image", wanted)?,
            None => first_known(names, &IMAGE).ok_or_else(|| missing("image", &IMAGE))?,
        };
        let split = match &options.split_column {
            Some(wanted) => Some(named("split", wanted)?),
            None => first_known(names, &SPLIT),
        };
        let wanted = options.caption_columns.iter().map(|wanted| named("caption", wanted));
        let mut captions = wanted.collect::<Result<Vec<_>, _>>()?;
        if captions.is_empty() {
            captions = known_captions(names, image);
        }
        if captions.is_empty() {
            Err(missing("caption", &CAPTION))
        } else {
            Ok(Self { image, captions, split })
        }
    }

    /// Place and name of the columns that have no part here, but have a name.
    pub(crate) fn others(&self, names: &[String]) -> Vec<(usize, String)> {
        let taken = |place: &usize| {
            *place == self.image || self.captions.contains(place) || self.split == Some(*place)
        };
        let others = names.iter().cloned().enumerate();
        others.filter(|(place, name)| !taken(place) && !name.is_empty()).collect()
    }
}

/// The column of exactly this name, else the one that differs only in case.
fn position(names: &[String], wanted: &str) -> Option<usize> {
    let exact = names.iter().position(|name| name == wanted);
    exact.or_else(|| names.iter().position(|name| name.eq_ignore_ascii_case(wanted)))
}

fn first_known(names: &[String], known: &[&str]) -> Option<usize> {
    known.iter().find_map(|known| names.iter().position(|name| plain(name) == *known))
}

/// All columns of the first caption word that occurs: `caption`, or `caption_0` to `caption_4`.
fn known_captions(names: &[String], image: usize) -> Vec<usize> {
    let all = |known: &&str| -> Vec<usize> {
        let fits =
            |(index, name): &(usize, &String)| *index != image && caption_word(name) == **known;
        names.iter().enumerate().filter(fits).map(|(index, _)| index).collect()
    };
    CAPTION.iter().map(all).find(|found| !found.is_empty()).unwrap_or_default()
}

/// The last part of a dotted name, without number and plural.
fn caption_word(name: &str) -> String {
    let plain = plain(name.rsplit('.').next().unwrap_or(name));
    let word = plain.trim_end_matches(|letter: char| letter.is_ascii_digit());
    word.strip_suffix('s').unwrap_or(word).to_owned()
}

fn plain(name: &str) -> String {
    name.chars()
        .filter(|letter| !matches!(letter, '_' | '-' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(names: &[&str], options: &Options) -> Result<Columns, Error> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        Columns::find(Path::new("a.csv"), &names, options)
    }

    #[test]
    fn common_names_are_found() {
        let columns = |image, captions: &[usize], split| Columns {
            image,
            captions: captions.to_vec(),
            split,
        };
        let default = Options::default();
        assert_eq!(find(&["ID", "Caption"], &default).unwrap(), columns(0, &[1], None));
        assert_eq!(find(&["captions", "filepath"], &default).unwrap(), columns(1, &[0], None));
        assert_eq!(
            find(&["image_name", " comment_number", " comment"], &default).unwrap(),
            columns(0, &[2], None)
        );
        let numbered = ["caption_0", "caption_1", "split", "File Name", "raw"];
        assert_eq!(find(&numbered, &default).unwrap(), columns(3, &[0, 1], Some(2)));
        assert_eq!(
            find(&["image", "Description.Caption"], &default).unwrap(),
            columns(0, &[1], None)
        );
    }

    #[test]
    fn options_win_and_a_wrong_one_lists_what_is_there() {
        let options = Options { caption_columns: vec!["Notes".into()], ..Options::default() };
        assert_eq!(find(&["image", "caption", "notes"], &options).unwrap().captions, [2]);
        let error = find(&["image", "caption"], &options).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a.csv: no caption column: expected Notes; found image, caption"
        );
        assert_eq!(error.hint(), "name it with --caption-column");
        assert!(
            find(&["a", "b"], &Options::default())
                .unwrap_err()
                .to_string()
                .contains("no image column")
        );
    }
}
