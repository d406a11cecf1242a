//! How words that are being typed may go on.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::embedded::lexical::matcher::{behind, each};
use crate::embedded::lexical::view::{Shared, View};
use crate::error::Error;
use crate::rows::{Row, RowSet};
use crate::words::Words;

/// Of so many frequent words it is counted how often they occur beside the words before them. Own choice: rarer ones are
/// rarely meant.
const LOOKED_AT: usize = 64;

impl View {
    /// Words of the live pictures that begin with `prefix`, at best beside all words of `before`; the most frequent first.
    pub(crate) fn completions(
        &self,
        before: &str,
        prefix: &str,
        limit: usize,
        live: &RowSet,
    ) -> Result<Vec<String>, Error> {
        let shared = self.shared();
        let Some(begun) = shared.analysis.all_words(prefix).pop() else { return Ok(Vec::new()) };
        let beside = self.beside(before, live)?;
        let found = shared.completions(&begun.surface, beside.as_ref(), live);
        Ok(found.map_err(|source| self.error(source))?.into_iter().take(limit).collect())
    }

    /// Rows that have all words of a text; `None` if it has no words or no row has them all.
    fn beside(&self, text: &str, live: &RowSet) -> Result<Option<RowSet>, Error> {
        let words = self.shared().analysis.words(text);
        let all: Vec<String> = words.iter().map(|word| format!("+{}", word.surface)).collect();
        let rows = self.plan(&Words::parse(&all.join(" ")))?.constraint(live.len());
        Ok(rows.and_then(|mut rows| {
            rows.intersect(live);
            (rows.count() > 0).then_some(rows)
        }))
    }
}

impl Shared {
    fn completions(
        &self,
        prefix: &str,
        beside: Option<&RowSet>,
        live: &RowSet,
    ) -> tantivy::Result<Vec<String>> {
        let mut words = self.words_beginning(prefix)?;
        words.retain(|word| word != prefix);
        words.truncate(LOOKED_AT);
        let together = self.most_frequent(&words, beside.unwrap_or(live))?;
        if together.is_empty() { self.most_frequent(&words, live) } else { Ok(together) }
    }

    /// Those of the words that the rows have, the most frequent first.
    fn most_frequent(&self, words: &[String], rows: &RowSet) -> tantivy::Result<Vec<String>> {
        let mut counted = Vec::with_capacity(words.len());
        for word in words {
            counted.push((self.occurring(word, rows)?, word));
        }
        counted.retain(|(count, _)| *count > 0);
        counted.sort_by_key(|(count, _)| Reverse(*count));
        Ok(counted.into_iter().map(|(_, word)| word.clone()).collect())
    }

    /// Words that begin so and are not stop words, the most frequent first.
    fn words_beginning(&self, prefix: &str) -> tantivy::Result<Vec<String>> {
        let mut frequencies = BTreeMap::<String, u32>::new();
        for segment in &self.segments {
            let range = segment.surfaces.terms().range().ge(prefix).lt(behind(prefix));
            let mut words = range.into_stream()?;
            while words.advance() {
                let word = String::from_utf8_lossy(words.key()).into_owned();
                *frequencies.entry(word).or_default() += words.value().doc_freq;
            }
        }
        let mut words: Vec<_> = frequencies.into_iter().collect();
        words.sort_by_key(|(_, frequency)| Reverse(*frequency));
        Ok(words.into_iter().map(|(word, _)| word).collect())
    }

    /// How many of the rows have a word as it is written.
    fn occurring(&self, word: &str, rows: &RowSet) -> tantivy::Result<usize> {
        let mut count = 0;
        for segment in &self.segments {
            if let Some(mut postings) = segment.surfaces(word)? {
                let mut see = |document: Row, _| {
                    count += usize::from(rows.contains(segment.first + document));
                };
                each(&mut postings, &mut see);
            }
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::lexical::Entry;
    use crate::embedded::lexical::testing::in_memory;
    use crate::metadata::Metadata;
    use crate::settings::Language;

    fn completions(before: &str, prefix: &str, deleted: &[Row]) -> Vec<String> {
        let captions =
            ["a boat on a river", "the river bank", "a banner", "a banner on a wall", "the bank"];
        let entries = captions.iter().zip(0..).map(|(caption, row)| Entry {
            row,
            captions: vec![(*caption).to_owned()],
            metadata: Metadata::new(),
        });
        let lexical = in_memory(entries.collect(), captions.len(), Language::English);
        let mut live = RowSet::all(captions.len());
        for row in deleted {
            live.remove(*row);
        }
        lexical.view().completions(before, prefix, 8, &live).unwrap()
    }

    #[test]
    fn the_most_frequent_word_comes_first_unless_another_is_beside_what_was_typed() {
        assert_eq!(completions("", "b", &[]), ["bank", "banner", "boat"]);
        assert_eq!(completions("the river", "b", &[]), ["bank", "boat"]);
        assert_eq!(completions("a wall", "Ba", &[]), ["banner"]);
    }

    #[test]
    fn what_goes_together_nowhere_is_completed_all_the_same() {
        assert_eq!(completions("snow", "bo", &[]), ["boat"]);
        assert_eq!(completions("wall", "bo", &[]), ["boat"]);
        assert_eq!(completions("river", "b", &[0, 1]), ["banner", "bank"]);
    }

    #[test]
    fn neither_a_deleted_picture_s_word_nor_the_word_that_is_there_is_offered() {
        assert!(completions("", "bo", &[0]).is_empty());
        assert_eq!(completions("", "bank", &[]), Vec::<String>::new());
        assert_eq!(completions("", "bann", &[]), ["banner"]);
    }

    #[test]
    fn nothing_goes_on_with_nothing() {
        assert!(completions("", "", &[]).is_empty());
        assert!(completions("", "…", &[]).is_empty());
        assert!(completions("", "th", &[]).is_empty());
    }
}
