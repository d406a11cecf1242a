//! Text becomes words: the same way when indexing, when asking and when marking.
//!
//! Every word is kept twice. Its *stem* is what words and phrases are found by; its *surface*, lower case without accents,
//! is what prefixes and fuzzy words are compared with, since `runnin*` begins no stem.

use std::fmt;
use std::ops::Range;

use tantivy::tokenizer::{
    AsciiFoldingFilter, LowerCaser, RemoveLongFilter, SimpleTokenizer, Stemmer, StopWordFilter,
    TextAnalyzer,
};

use crate::metadata::{Metadata, Value};
use crate::settings::{Language, Settings};

/// Longer words are not words but data, and are left out. In bytes.
const MAX_WORD_BYTES: usize = 100;

/// Empty places between two captions of a picture, so that no phrase reaches from one into the next. A phrase is shorter.
pub(super) const GAP: u32 = 128;

/// A word of a text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Word {
    pub(super) stem: String,
    pub(super) surface: String,
    /// Its place among the words of the text; words that are left out leave theirs empty.
    pub(super) position: u32,
    /// Where it stands in the text, in bytes.
    pub(super) bytes: Range<usize>,
}

/// How text becomes words.
#[derive(Clone)]
pub(super) struct Analysis {
    stems: TextAnalyzer,
    surfaces: TextAnalyzer,
    /// Surfaces with stop words among them.
    all: TextAnalyzer,
    has_stems: bool,
    text_fields: Vec<String>,
}

impl Analysis {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            stems: analyzer(settings.language, &Kept::Stems),
            surfaces: analyzer(settings.language, &Kept::Surfaces),
            all: analyzer(settings.language, &Kept::AllSurfaces),
            has_stems: settings.language != Language::None,
            text_fields: settings.text_fields.clone(),
        }
    }

    /// Whether a stem can differ from its surface.
    pub(super) fn has_stems(&self) -> bool {
        self.has_stems
    }

    /// The words of a text, without stop words.
    pub(super) fn words(&self, text: &str) -> Vec<Word> {
        let mut words = split(&self.stems, text);
        if self.has_stems {
            let surfaces = split(&self.surfaces, text);
            for (word, surface) in words.iter_mut().zip(surfaces) {
                word.surface = surface.surface;
            }
        }
        words
    }

    /// The words of a text, stop words among them, as they are.
    pub(super) fn all_words(&self, text: &str) -> Vec<Word> {
        split(&self.all, text)
    }

    /// The words of a picture: of its captions, and of the metadata that is searched like one.
    pub(super) fn document(&self, captions: &[String], metadata: &Metadata) -> Vec<Word> {
        let mut texts: Vec<&str> = captions.iter().map(String::as_str).collect();
        for field in &self.text_fields {
            if let Some(value) = metadata.get(field) {
                value.visit(&mut |value| {
                    if let Value::Text(text) = value {
                        texts.push(text);
                    }
                });
            }
        }
        let mut words = Vec::new();
        for text in texts {
            let first = words.last().map_or(0, |word: &Word| word.position + GAP);
            let moved = |word: Word| Word { position: first + word.position, ..word };
            words.extend(self.words(text).into_iter().map(moved));
        }
        words
    }
}

impl fmt::Debug for Analysis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Analysis").field("text_fields", &self.text_fields).finish_non_exhaustive()
    }
}

/// Which words are kept, and in which form.
enum Kept {
    Stems,
    Surfaces,
    AllSurfaces,
}

/// Accents go last: stop words and stemmers know their language with them.
fn analyzer(language: Language, kept: &Kept) -> TextAnalyzer {
    let words = TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(RemoveLongFilter::limit(MAX_WORD_BYTES))
        .filter(LowerCaser);
    let rules = language.rules();
    let stop_words = rules.and_then(StopWordFilter::new);
    match (kept, rules, stop_words) {
        (Kept::Stems, Some(rules), Some(stop_words)) => {
            words.filter(stop_words).filter(Stemmer::new(rules)).filter(AsciiFoldingFilter).build()
        }
        (Kept::Surfaces, _, Some(stop_words)) => {
            words.filter(stop_words).filter(AsciiFoldingFilter).build()
        }
        _ => words.filter(AsciiFoldingFilter).build(),
    }
}

fn split(analyzer: &TextAnalyzer, text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut analyzer = analyzer.clone();
    analyzer.token_stream(text).process(&mut |token| {
        words.push(Word {
            stem: token.text.clone(),
            surface: token.text.clone(),
            position: token.position as u32,
            bytes: token.offset_from..token.offset_to,
        });
    });
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::embedded::lexical::testing::settings;

    fn shown(language: Language, text: &str) -> Vec<String> {
        let words = Analysis::new(&settings(language)).words(text);
        words
            .iter()
            .map(|word| format!("{}/{}@{}", word.stem, word.surface, word.position))
            .collect()
    }

    #[test]
    fn words_are_stemmed_folded_and_without_stop_words() {
        let text = "The Cafés, running on X-rays";
        let english = ["cafe/cafes@1", "run/running@2", "x/x@4", "ray/rays@5"];
        assert_eq!(shown(Language::English, text), english);
        let none =
            ["the/the@0", "cafes/cafes@1", "running/running@2", "on/on@3", "x/x@4", "rays/rays@5"];
        assert_eq!(shown(Language::None, text), none);
    }

    #[test]
    fn captions_and_text_fields_are_far_apart() {
        let mut settings = settings(Language::None);
        settings.text_fields = vec!["title".to_owned()];
        let metadata: Metadata =
            serde_json::from_str(r#"{"title": ["port", 3], "other": "sea"}"#).unwrap();
        let captions = ["a b".to_owned(), String::new(), "c".to_owned()];
        let words = Analysis::new(&settings).document(&captions, &metadata);
        let shown: Vec<_> = words.iter().map(|word| (word.stem.as_str(), word.position)).collect();
        assert_eq!(shown, [("a", 0), ("b", 1), ("c", 1 + GAP), ("port", 1 + 2 * GAP)]);
    }

    proptest! {
        #[test]
        fn stems_and_surfaces_are_of_the_same_words(text in "(the|running|Ünder|ß|İ|ﬁ|[a-zé猫 .]|.){0,20}") {
            let analysis = Analysis::new(&settings(Language::English));
            let stems = split(&analysis.stems, &text);
            let surfaces = split(&analysis.surfaces, &text);
            let places = |words: &[Word]| words.iter().map(|word| word.bytes.clone()).collect::<Vec<_>>();
            prop_assert_eq!(places(&stems), places(&surfaces));
            prop_assert!(stems.iter().all(|word| text.get(word.bytes.clone()).is_some()));
        }
    }
}
