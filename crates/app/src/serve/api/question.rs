//! What a search is asked, as it stands in an address or a form.

use finelens_search::{Filter, Mode, Query, Words};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::fields::{Fields, between, finite, flag, share, unknown, wrong};
use crate::question::{ALIKE, Part, What, ids, recall};
use crate::serve::failure::Failure;
use crate::serve::state::Which;

/// Hits on a page at most.
pub(crate) const LONGEST_PAGE: usize = 200;

/// Hits on a page unless somebody asks for another number: a grid of two, three, four and six columns is full.
const PAGE: usize = 24;

/// Deepest hit that is shown. Own choice: whoever looks further should ask otherwise, and a search has to rank all before it.
const DEEPEST: usize = 100_000;

/// Parts of a query vector at most. Own choice: each may have to go through the model.
const PARTS: usize = 32;

/// What a search is asked.
#[derive(Debug, Clone, PartialEq, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(clippy::struct_excessive_bools, reason = "switches are asked for or not, each by itself")]
pub(crate) struct Question {
    /// Words; any text is valid. `"phrases"`, `+words`, `-words` and `begin*` bind every mode.
    #[param(required = false)]
    pub(crate) q: String,
    /// What decides on the order. Default: hybrid.
    #[param(required = false, inline)]
    pub(crate) mode: Legs,
    /// Share of the vector in the hybrid. Default: as it was fitted to the index.
    #[param(value_type = f32, required = false, minimum = 0, maximum = 1)]
    pub(crate) weight: Option<f32>,
    /// Condition, as in `year >= 2010 and class in (port, "river bank")`.
    #[param(value_type = String, required = false)]
    pub(crate) filter: Option<String>,
    /// Hits to leave out at the top.
    #[param(required = false, maximum = 100_000)]
    pub(crate) offset: usize,
    /// Hits wanted. Default: 24.
    #[param(required = false, minimum = 1, maximum = 200)]
    pub(crate) limit: usize,
    /// Leave out hits whose fused score is below this.
    #[param(value_type = f64, required = false)]
    pub(crate) min_score: Option<f32>,
    /// Like this uploaded picture: what `POST /api/uploads` returned; may be repeated.
    #[param(required = false)]
    pub(crate) picture: Vec<String>,
    /// Like the picture of this id; may be repeated.
    #[param(required = false)]
    pub(crate) like: Vec<String>,
    /// Also look for this: words, `id:ID` or `picture:HASH`; may be repeated.
    #[param(required = false)]
    pub(crate) add: Vec<String>,
    /// Look away from this: words, `id:ID` or `picture:HASH`; may be repeated.
    #[param(required = false)]
    pub(crate) subtract: Vec<String>,
    /// Fold pictures that look the same into the best of them.
    #[param(required = false)]
    pub(crate) fold: bool,
    /// Words match others that differ in a letter or two.
    #[param(required = false)]
    pub(crate) fuzzy: bool,
    /// Find 95 of 100 of what comparing with every vector finds instead of 99, in less time.
    #[param(required = false)]
    pub(crate) fast: bool,
    /// Compare with every vector, slowly, to check the fast way.
    #[param(required = false)]
    pub(crate) exact: bool,
    /// Which index. Default: main.
    #[param(required = false, inline)]
    pub(crate) index: Which,
}

impl Default for Question {
    fn default() -> Self {
        Self {
            q: String::new(),
            mode: Legs::Hybrid,
            weight: None,
            filter: None,
            offset: 0,
            limit: PAGE,
            min_score: None,
            picture: Vec::new(),
            like: Vec::new(),
            add: Vec::new(),
            subtract: Vec::new(),
            fold: false,
            fuzzy: false,
            fast: false,
            exact: false,
            index: Which::Main,
        }
    }
}

/// What decides on the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Legs {
    /// The words alone
    Lexical,
    /// What the pictures show alone
    Vector,
    /// Both
    Hybrid,
}

/// Names of all parameters.
pub(crate) const NAMES: [&str; 16] = [
    "q",
    "mode",
    "weight",
    "filter",
    "offset",
    "limit",
    "min_score",
    "picture",
    "like",
    "add",
    "subtract",
    "fold",
    "fuzzy",
    "fast",
    "exact",
    "index",
];

impl Question {
    /// Reads the fields of an address or a form.
    pub(crate) fn read(fields: Fields) -> Result<Self, Failure> {
        let mut question = Self::default();
        for (name, value) in fields.0 {
            question.take(&name, value)?;
        }
        Ok(question)
    }

    fn take(&mut self, name: &str, value: String) -> Result<(), Failure> {
        match name {
            "q" => self.q = value,
            "mode" => self.mode = legs(&value)?,
            "weight" => self.weight = Some(share(name, &value, 0.0, 1.0)?),
            "filter" => self.filter = Some(value).filter(|text| !text.trim().is_empty()),
            "offset" => self.offset = between(name, &value, 0, DEEPEST)?,
            "limit" => self.limit = between(name, &value, 1, LONGEST_PAGE)?,
            "min_score" => self.min_score = Some(finite(name, &value)?),
            "picture" => self.picture.push(value),
            "like" => self.like.push(value),
            "add" => self.add.push(value),
            "subtract" => self.subtract.push(value),
            "fold" => self.fold = flag(name, &value)?,
            "fuzzy" => self.fuzzy = flag(name, &value)?,
            "fast" => self.fast = flag(name, &value)?,
            "exact" => self.exact = flag(name, &value)?,
            "index" => self.index = which(&value)?,
            _ => return Err(unknown(name, &NAMES)),
        }
        Ok(())
    }

    /// The query without its vector, and what the vector is made of.
    pub(crate) fn query(&self) -> Result<(Query, Vec<Part<String>>), Failure> {
        let mut words = Words::parse(&self.q);
        if self.fuzzy {
            words = words.fuzzy();
        }
        let parts = self.parts(&words)?;
        let query = Query {
            mode: self.mode.mode(),
            weight: self.weight,
            filter: self.filter.as_deref().map(Filter::parse).transpose()?,
            offset: self.offset,
            limit: self.limit,
            exact: self.exact,
            recall: recall(self.fast),
            fold_duplicates: self.fold.then_some(ALIKE),
            without: ids(&parts),
            ..Query::new(words, None)
        };
        Ok((query, parts))
    }

    /// What the vector is made of; an uploaded picture is named by its hash.
    fn parts(&self, words: &Words) -> Result<Vec<Part<String>>, Failure> {
        let named = [
            ("picture", &self.picture),
            ("like", &self.like),
            ("add", &self.add),
            ("subtract", &self.subtract),
        ];
        if self.mode == Legs::Lexical {
            return match named.iter().find(|(_, values)| !values.is_empty()) {
                Some((name, _)) => Err(not_lexical(name)),
                None => Ok(Vec::new()),
            };
        }
        let mut parts: Vec<Part<String>> = Part::of_words(words).into_iter().collect();
        parts.extend(self.picture.iter().map(|hash| part(1.0, What::Picture(hash.clone()))));
        parts.extend(self.like.iter().map(|id| part(1.0, What::Id(id.clone()))));
        parts.extend(self.add.iter().filter_map(|text| anything(1.0, text)));
        parts.extend(self.subtract.iter().filter_map(|text| anything(-1.0, text)));
        if parts.len() > PARTS {
            let told =
                format!("expected at most {PARTS} texts and pictures, found {}", parts.len());
            return Err(Failure::senseless("bad_query", told).hint("ask for less at once"));
        }
        Ok(parts)
    }
}

/// Refuses something to compare pictures with where pictures are not compared.
pub(crate) fn not_lexical(name: &str) -> Failure {
    let told = format!("mode=lexical goes by the words alone: {name} has no part in it");
    Failure::senseless("bad_query", told).hint("leave it out, or choose mode=hybrid")
}

fn part(weight: f32, what: What<String>) -> Part<String> {
    Part { weight, what }
}

/// What `add` and `subtract` take; nothing where nothing is said.
fn anything(weight: f32, text: &str) -> Option<Part<String>> {
    let what = match (text.strip_prefix("id:"), text.strip_prefix("picture:")) {
        (Some(id), _) => What::Id(id.to_owned()),
        (_, Some(hash)) => What::Picture(hash.to_owned()),
        _ if text.trim().is_empty() => return None,
        _ => What::Text(text.to_owned()),
    };
    Some(part(weight, what))
}

impl Legs {
    fn mode(self) -> Mode {
        match self {
            Self::Lexical => Mode::Lexical,
            Self::Vector => Mode::Vector,
            Self::Hybrid => Mode::Hybrid,
        }
    }
}

pub(crate) fn legs(value: &str) -> Result<Legs, Failure> {
    match value {
        "lexical" => Ok(Legs::Lexical),
        "vector" => Ok(Legs::Vector),
        "hybrid" => Ok(Legs::Hybrid),
        _ => Err(wrong("mode", value, "lexical, vector or hybrid")),
    }
}

/// Which index is meant.
pub(crate) fn which(value: &str) -> Result<Which, Failure> {
    match value {
        "main" => Ok(Which::Main),
        "other" => Ok(Which::Other),
        _ => Err(wrong("index", value, "main or other")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Question, Failure> {
        Question::read(Fields::of_query(query))
    }

    #[test]
    fn every_parameter_that_is_described_is_read_and_no_other() {
        let described: Vec<String> =
            Question::into_params(|| None).into_iter().map(|parameter| parameter.name).collect();
        assert_eq!(described, NAMES);
        for name in NAMES {
            let failure = read(&format!("{name}=%00")).err();
            assert!(failure.is_none_or(|failure| failure.code() == "bad_parameter"), "{name}");
        }
        assert_eq!(read("limt=3").unwrap_err(), unknown("limt", &NAMES));
    }

    #[test]
    fn parts_come_from_words_pictures_and_what_is_added() {
        let question =
            read("q=a+boat&like=a.jpg&add=snow&add=id:b&subtract=picture:ff&add=+").unwrap();
        let (query, parts) = question.query().unwrap();
        let text = |text: &str| What::Text(text.to_owned());
        let expected = [
            part(1.0, text("a boat")),
            part(1.0, What::Id("a.jpg".to_owned())),
            part(1.0, text("snow")),
            part(1.0, What::Id("b".to_owned())),
            part(-1.0, What::Picture("ff".to_owned())),
        ];
        assert_eq!(parts, expected);
        assert_eq!(query.without, ["a.jpg", "b"]);
        assert_eq!(read("mode=lexical&like=a").unwrap().query().unwrap_err().code(), "bad_query");
    }
}
