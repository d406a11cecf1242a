//! What an index is told when it is made.

use serde::{Deserialize, Serialize};

/// Choices that shape an index; they stay as they are for its life.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Width of a vector.
    pub dim: usize,
    /// The model whose vectors these are.
    pub model: Fingerprint,
    /// Stemming and stop words of the captions.
    pub language: Language,
    /// Metadata fields whose text is searched like a caption.
    pub text_fields: Vec<String>,
}

impl Settings {
    /// Whether an index of the one can be gone on with as one of the other; a model may have been moved or renamed.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let renamed = Fingerprint { name: self.model.name.clone(), ..other.model.clone() };
        *self == Self { model: renamed, ..other.clone() }
    }
}

/// What tells one model from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Hash over everything that decides what a vector is: weights, shape, preprocessing, tokens.
    pub hash: String,
    /// What people call it.
    pub name: String,
}

/// Language of the captions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "a language is its name")]
pub enum Language {
    /// Words as they stand: no stemming, no stop words.
    None,
    Danish,
    Dutch,
    #[default]
    English,
    Finnish,
    French,
    German,
    Hungarian,
    Italian,
    Norwegian,
    Portuguese,
    Russian,
    Spanish,
    Swedish,
}

impl Language {
    /// The stemmer and the stop words of this language.
    pub(crate) fn rules(self) -> Option<tantivy::tokenizer::Language> {
        use tantivy::tokenizer::Language as Rules;
        Some(match self {
            Self::None => return None,
            Self::Danish => Rules::Danish,
            Self::Dutch => Rules::Dutch,
            Self::English => Rules::English,
            Self::Finnish => Rules::Finnish,
            Self::French => Rules::French,
            Self::German => Rules::German,
            Self::Hungarian => Rules::Hungarian,
            Self::Italian => Rules::Italian,
            Self::Norwegian => Rules::Norwegian,
            Self::Portuguese => Rules::Portuguese,
            Self::Russian => Rules::Russian,
            Self::Spanish => Rules::Spanish,
            Self::Swedish => Rules::Swedish,
        })
    }
}
