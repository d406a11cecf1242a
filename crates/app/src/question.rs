//! What was typed becomes a query: words as they are, and a vector of all that can be embedded.

use std::path::{Path, PathBuf};

use finelens_clip::{Checkpoint, Embedder, Picture};
use finelens_search::{Backend, Embedded, Filter, Mode, Query, Words};

use crate::cli::{Extra, Search};
use crate::error::Error;
use crate::model;
use crate::printer::Printer;
use crate::rounding;
use crate::stamp::StampedModel;

/// Cosine from which two pictures count as the same.
///
/// Own choice, with a model that was trained on both kinds. Copies at half the size or as JPEG of quality 75 lie above it
/// (all but one of 1,200), of quality 40 nine in ten. Of different pictures it joins 87 pairs among 1,094 aerial views and
/// 86 among 1,653 slices of CT and MR, where 88 % are of one case. At 0.97 it would be 3,542 pairs of slices, 83 % of them
/// from different cases: a head on a page would hide the other heads.
pub(crate) const ALIKE: f32 = 0.995;

/// Recall@10 of a search: what is calibrated for, or less where that is enough.
pub(crate) fn recall(fast: bool) -> f32 {
    if fast { 0.95 } else { 0.99 }
}

/// A sum of unit vectors that is shorter than this has no direction to speak of.
const NOTHING: f64 = 1e-3;

/// A part of the query vector; `P` is how a picture is named where the question comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Part<P> {
    /// Its share; below nothing to look away from it.
    pub(crate) weight: f32,
    /// What it is of.
    pub(crate) what: What<P>,
}

/// What can be looked for by its vector.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What<P> {
    /// A sentence to embed.
    Text(String),
    /// A picture to embed.
    Picture(P),
    /// A picture of the index, which is embedded already.
    Id(String),
}

impl<P> Part<P> {
    /// The sentence that is asked for; nothing where the words only demand.
    pub(crate) fn of_words(words: &Words) -> Option<Self> {
        let text = Some(words.to_embed()).filter(|text| !text.is_empty());
        text.map(|text| Self { weight: 1.0, what: What::Text(text) })
    }
}

/// A picture is found by itself first, which nobody needs to be told.
pub(crate) fn ids<P>(parts: &[Part<P>]) -> Vec<String> {
    let id = |part: &Part<P>| match &part.what {
        What::Id(id) => Some(id.clone()),
        _ => None,
    };
    parts.iter().filter_map(id).collect()
}

/// The weighted sum of unit vectors, of length 1.
#[derive(Debug)]
pub(crate) struct Sum(Vec<f64>);

impl Sum {
    /// Nothing so far.
    pub(crate) fn new(dim: usize) -> Self {
        Self(vec![0.0; dim])
    }

    /// Adds a vector with its share.
    pub(crate) fn add(&mut self, weight: f32, vector: &[f32]) {
        for (sum, value) in self.0.iter_mut().zip(vector) {
            *sum += f64::from(weight) * f64::from(*value);
        }
    }

    /// `(D,)`: the direction of the sum.
    ///
    /// # Errors
    /// Where the parts leave nothing.
    pub(crate) fn unit(&self) -> Result<Vec<f32>, Error> {
        let length = self.0.iter().map(|value| value * value).sum::<f64>().sqrt();
        if length <= NOTHING {
            return Err(Error::Cancelled);
        }
        Ok(self.0.iter().map(|value| (value / length) as f32).collect())
    }
}

/// Reads the query; a model is loaded only where something has to be embedded.
pub(crate) fn read(words: &Search, index: &Embedded, printer: &Printer) -> anyhow::Result<Query> {
    let mut parsed = Words::parse(&words.words.join(" "));
    if words.with.contains(&Extra::Fuzzy) {
        parsed = parsed.fuzzy();
    }
    let parts = parts(words, &parsed, index)?;
    let filter = words.filter.as_deref().map(Filter::parse).transpose()?;
    if parsed.is_empty() && parts.is_empty() && filter.is_none() {
        return Err(Error::NothingAsked.into());
    }
    let vector = if parts.is_empty() { None } else { Some(vector(words, &parts, index, printer)?) };
    Ok(Query {
        mode: words.mode.mode(),
        filter,
        offset: words.offset,
        limit: words.limit,
        exact: words.with.contains(&Extra::Exact),
        recall: recall(words.with.contains(&Extra::Fast)),
        fold_duplicates: words.with.contains(&Extra::Fold).then_some(ALIKE),
        without: ids(&parts),
        ..Query::new(parsed, vector)
    })
}

/// Everything that the query vector is made of.
fn parts(typed: &Search, words: &Words, index: &Embedded) -> anyhow::Result<Vec<Part<PathBuf>>> {
    let flags = [
        ("--image", typed.image.is_empty()),
        ("--add", typed.add.is_empty()),
        ("--subtract", typed.subtract.is_empty()),
        ("--weight", typed.weight.is_empty()),
    ];
    if typed.mode.mode() == Mode::Lexical {
        return match flags.iter().find(|(_, empty)| !empty) {
            Some((flag, _)) => Err(Error::NotLexical { flag }.into()),
            None => Ok(Vec::new()),
        };
    }
    let mut parts: Vec<Part<PathBuf>> = Part::of_words(words).into_iter().collect();
    for name in &typed.image {
        parts.push(Part { weight: 1.0, what: picture(name, index, &typed.index)? });
    }
    let weighted = [(&typed.add, 1.0), (&typed.subtract, -1.0)];
    for (named, weight) in weighted {
        parts.extend(named.iter().map(|name| Part { weight, what: anything(name) }));
    }
    let own = typed.weight.iter();
    parts.extend(own.map(|part| Part { weight: part.weight, what: anything(&part.what) }));
    Ok(parts)
}

/// What `--image` takes: a file goes before an id of the same name.
fn picture(name: &str, index: &Embedded, path: &Path) -> anyhow::Result<What<PathBuf>> {
    if let Some(id) = name.strip_prefix(ID) {
        return Ok(What::Id(id.to_owned()));
    }
    if Path::new(name).is_file() {
        return Ok(What::Picture(name.into()));
    }
    match index.get(name)? {
        Some(_) => Ok(What::Id(name.to_owned())),
        None => Err(Error::NoPicture { name: name.to_owned(), index: path.to_owned() }.into()),
    }
}

/// What stands before the id of a picture in the index.
const ID: &str = "id:";

/// What `--add` and the like take: most are words.
fn anything(text: &str) -> What<PathBuf> {
    match text.strip_prefix(ID) {
        Some(id) => What::Id(id.to_owned()),
        None if Path::new(text).is_file() => What::Picture(text.into()),
        None => What::Text(text.to_owned()),
    }
}

/// `(D,)`: the weighted sum of the parts, of length 1.
fn vector(
    words: &Search,
    parts: &[Part<PathBuf>],
    index: &Embedded,
    printer: &Printer,
) -> anyhow::Result<Vec<f32>> {
    let needs_model = parts.iter().any(|part| !matches!(part.what, What::Id(_)));
    let mut embedder = if needs_model {
        Some(embedder(&words.index, words.model.as_deref(), index, printer)?)
    } else {
        None
    };
    let mut sum = Sum::new(index.settings().dim);
    for part in parts {
        let vector = match (&part.what, &mut embedder) {
            (What::Text(text), Some(embedder)) => embedder.texts(&[text.as_str()])?,
            (What::Picture(path), Some(embedder)) => of_file(path, embedder)?,
            (What::Id(id), _) => of_id(id, index, &words.index)?,
            (_, None) => unreachable!("whatever has no id has a model"),
        };
        sum.add(part.weight, &vector);
    }
    Ok(sum.unit()?)
}

/// The model of the index, from where it was, or from where it is said to be, where it computes.
pub(crate) fn embedder(
    path: &Path,
    said: Option<&str>,
    index: &Embedded,
    printer: &Printer,
) -> anyhow::Result<Embedder> {
    rounding::must_be_good(index, path)?;
    model::embedder(checkpoint(path, said, index, printer)?)
}

/// The same, only read.
pub(crate) fn checkpoint(
    path: &Path,
    said: Option<&str>,
    index: &Embedded,
    printer: &Printer,
) -> anyhow::Result<Checkpoint> {
    let expected = index.settings().model;
    let name = said.unwrap_or(&expected.name);
    let model = StampedModel::find(name, printer).map_err(|error| match error.downcast() {
        Ok(Error::NoModel { name }) if said.is_none() => {
            Error::ModelMoved { index: path.to_owned(), name }.into()
        }
        Ok(other) => other.into(),
        Err(other) => other,
    })?;
    model.must_be(&expected)?;
    model.checkpoint()
}

fn of_file(path: &Path, embedder: &mut Embedder) -> anyhow::Result<Vec<f32>> {
    let picture = decoded(path, embedder)?;
    Ok(embedder.images(&[picture])?)
}

/// The picture in a file.
pub(crate) fn decoded(path: &Path, embedder: &Embedder) -> anyhow::Result<Picture> {
    let bytes = fs_err::read(path)?;
    let decoded = embedder
        .decoder
        .decode(&bytes)
        .map_err(|error| Error::NotAPicture { path: path.to_owned(), reason: error.to_string() })?;
    Ok(decoded.picture)
}

fn of_id(id: &str, index: &Embedded, path: &Path) -> Result<Vec<f32>, anyhow::Error> {
    let item = index.get(id)?;
    let told = || Error::NoId { id: id.to_owned(), index: path.to_owned() };
    Ok(item.ok_or_else(told)?.vector)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_has_length_one_or_there_is_none() {
        let mut sum = Sum::new(2);
        sum.add(3.0, &[1.0, 0.0]);
        sum.add(-4.0, &[0.0, 1.0]);
        assert_eq!(sum.unit().unwrap(), [0.6, -0.8]);
        sum.add(-3.0, &[1.0, 0.0]);
        sum.add(4.0, &[0.0, 1.0]);
        assert!(matches!(sum.unit(), Err(Error::Cancelled)));
    }

    #[test]
    fn what_is_neither_an_id_nor_a_file_is_words() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().display().to_string();
        assert_eq!(anything("id:a.jpg"), What::Id("a.jpg".to_owned()));
        assert_eq!(anything(&path), What::Picture(path.into()));
        assert_eq!(anything("a river"), What::Text("a river".to_owned()));
    }
}
