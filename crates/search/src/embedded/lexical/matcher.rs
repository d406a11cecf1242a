//! What one part of a query looks for in a picture's words.
//!
//! [`Matcher::occurrences`] finds it in the index, [`Matcher::frequency`] and [`Matcher::marked`] in the words themselves.

use tantivy::postings::{BlockSegmentPostings, Postings, SegmentPostings};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet, TERMINATED};

use crate::embedded::lexical::analysis::Word;
use crate::embedded::lexical::segment::Segment;

/// What is looked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Matcher {
    /// A word, by its stem.
    Word(String),
    /// A word by its stem, or others that look like it; those count for less.
    Near { stem: String, surfaces: Vec<(String, f32)> },
    /// Any word whose surface begins so.
    Prefix(String),
    /// Words, by their stems, each at its distance from the first.
    Phrase(Vec<(u32, String)>),
}

/// Documents, ascending, and how often something occurs in them.
pub(super) type Occurrences = Vec<(DocId, f32)>;

impl Matcher {
    /// A phrase, or the word where there is only one.
    pub(super) fn phrase(words: Vec<Word>) -> Option<Self> {
        let first = words.first()?.position;
        let mut words: Vec<_> =
            words.into_iter().map(|word| (word.position - first, word.stem)).collect();
        if words.len() == 1 {
            return words.pop().map(|(_, stem)| Self::Word(stem));
        }
        Some(Self::Phrase(words))
    }

    /// Whether it is a plain word, whose list is in the index as it is.
    pub(super) fn is_word(&self) -> bool {
        matches!(self, Self::Word(_))
    }

    /// Where it occurs in a segment.
    pub(super) fn occurrences(&self, segment: &Segment) -> tantivy::Result<Occurrences> {
        match self {
            Self::Word(stem) => word(segment, stem),
            Self::Near { stem, surfaces } => near(segment, stem, surfaces),
            Self::Prefix(prefix) => words_beginning(segment, prefix),
            Self::Phrase(words) => phrase(segment, words),
        }
    }

    /// How often it occurs among the words of a document.
    pub(super) fn frequency(&self, words: &[Word]) -> f32 {
        let count =
            |is: &dyn Fn(&Word) -> bool| words.iter().filter(|word| is(word)).count() as f32;
        match self {
            Self::Word(stem) => count(&|word| word.stem == *stem),
            Self::Near { stem, surfaces } => {
                let near = surfaces.iter();
                let near = near.map(|(near, weight)| weight * count(&|word| word.surface == *near));
                near.fold(count(&|word| word.stem == *stem), |sum, share| sum + share)
            }
            Self::Prefix(prefix) => count(&|word| word.surface.starts_with(prefix)),
            Self::Phrase(phrase) => starts(phrase, words).len() as f32,
        }
    }

    /// Which words of a text it matches.
    pub(super) fn marked(&self, words: &[Word]) -> Vec<usize> {
        let those = |is: &dyn Fn(&Word) -> bool| {
            (0..words.len()).filter(|&place| is(&words[place])).collect()
        };
        match self {
            Self::Word(stem) => those(&|word| word.stem == *stem),
            Self::Near { stem, surfaces } => those(&|word| {
                word.stem == *stem || surfaces.iter().any(|(near, _)| word.surface == *near)
            }),
            Self::Prefix(prefix) => those(&|word| word.surface.starts_with(prefix)),
            Self::Phrase(phrase) => {
                let starts = starts(phrase, words);
                let within = |word: &Word, start: u32| {
                    phrase.iter().any(|(offset, _)| start + offset == word.position)
                };
                those(&|word| starts.iter().any(|&start| within(word, start)))
            }
        }
    }
}

/// Where a phrase begins among words.
fn starts(phrase: &[(u32, String)], words: &[Word]) -> Vec<u32> {
    let has = |position: u32, stem: &str| {
        let place = words.binary_search_by_key(&position, |word| word.position);
        place.is_ok_and(|place| words[place].stem == stem)
    };
    let begins = |start: u32| phrase.iter().all(|(offset, stem)| has(start + offset, stem));
    words.iter().map(|word| word.position).filter(|&start| begins(start)).collect()
}

/// Shows every document of a list.
pub(super) fn each(postings: &mut BlockSegmentPostings, mut see: impl FnMut(DocId, u32)) {
    while postings.block_len() > 0 {
        for (&document, &times) in postings.docs().iter().zip(postings.freqs()) {
            see(document, times);
        }
        postings.advance();
    }
}

fn word(segment: &Segment, stem: &str) -> tantivy::Result<Occurrences> {
    let mut found = Vec::new();
    if let Some(mut postings) = segment.postings(stem)? {
        found.reserve(postings.doc_freq() as usize);
        each(&mut postings, |document, times| found.push((document, times as f32)));
    }
    Ok(found)
}

fn near(segment: &Segment, stem: &str, surfaces: &[(String, f32)]) -> tantivy::Result<Occurrences> {
    let mut sums = Sums::new(segment);
    if let Some(mut postings) = segment.postings(stem)? {
        sums.add(&mut postings, 1.0);
    }
    for (surface, weight) in surfaces {
        if let Some(mut postings) = segment.surfaces(surface)? {
            sums.add(&mut postings, *weight);
        }
    }
    Ok(sums.into_occurrences())
}

fn words_beginning(segment: &Segment, prefix: &str) -> tantivy::Result<Occurrences> {
    let mut sums = Sums::new(segment);
    let mut words = segment.surfaces.terms().range().ge(prefix).lt(behind(prefix)).into_stream()?;
    let mut postings: Option<BlockSegmentPostings> = None;
    while words.advance() {
        let info = words.value();
        // One reader goes through all lists: to make one takes longer than to read most of them.
        let list = if let Some(list) = postings.as_mut() {
            segment.surfaces.reset_block_postings_from_terminfo(info, list)?;
            list
        } else {
            let with = IndexRecordOption::WithFreqs;
            postings.insert(segment.surfaces.read_block_postings_from_terminfo(info, with)?)
        };
        sums.add(list, 1.0);
    }
    Ok(sums.into_occurrences())
}

/// Less than this are all words that begin so: no text has the byte 255.
pub(super) fn behind(prefix: &str) -> Vec<u8> {
    [prefix.as_bytes(), &[u8::MAX]].concat()
}

/// Occurrences of several words, one sum for each document.
struct Sums(Vec<f32>);

impl Sums {
    fn new(segment: &Segment) -> Self {
        Self(vec![0.0; segment.documents as usize])
    }

    fn add(&mut self, postings: &mut BlockSegmentPostings, weight: f32) {
        each(postings, |document, times| self.0[document as usize] += weight * times as f32);
    }

    fn into_occurrences(self) -> Occurrences {
        let sums = self.0.into_iter().enumerate();
        sums.filter(|&(_, sum)| sum > 0.0).map(|(document, sum)| (document as DocId, sum)).collect()
    }
}

fn phrase(segment: &Segment, words: &[(u32, String)]) -> tantivy::Result<Occurrences> {
    let mut lists = Vec::with_capacity(words.len());
    for (offset, stem) in words {
        let Some(postings) = segment.positions(stem)? else { return Ok(Vec::new()) };
        lists.push((*offset, postings));
    }
    lists.sort_by_key(|(_, postings)| postings.doc_freq());
    let mut found = Vec::new();
    let mut document = lists[0].1.doc();
    while document != TERMINATED {
        let furthest = lists.iter_mut().map(|(_, postings)| reach(postings, document)).max();
        let furthest = furthest.unwrap_or(TERMINATED);
        if furthest == document {
            let times = times_together(&mut lists);
            found.extend((times > 0).then_some((document, times as f32)));
            document = lists[0].1.advance();
        } else {
            document = furthest;
        }
    }
    Ok(found)
}

/// The first document of the list that is not before this one.
fn reach(postings: &mut SegmentPostings, document: DocId) -> DocId {
    let here = postings.doc();
    if here < document { postings.seek(document) } else { here }
}

/// How often the words stand at their distances, in the document where all lists are.
fn times_together(lists: &mut [(u32, SegmentPostings)]) -> usize {
    let mut positions = Vec::new();
    let mut starts: Option<Vec<u32>> = None;
    for (offset, postings) in lists {
        postings.positions(&mut positions);
        let here: Vec<u32> = positions.iter().filter_map(|at| at.checked_sub(*offset)).collect();
        starts = Some(match starts {
            None => here,
            Some(starts) => {
                starts.into_iter().filter(|start| here.binary_search(start).is_ok()).collect()
            }
        });
    }
    starts.map_or(0, |starts| starts.len())
}
