//! A query as one state of the index understands it.

use std::collections::BTreeMap;

use tantivy::DocId;
use tantivy::query::FuzzyTermQuery;
use tantivy::schema::Term;

use crate::embedded::lexical::analysis::{GAP, Word};
use crate::embedded::lexical::bm25::{Lengths, Scale, rarity};
use crate::embedded::lexical::matcher::{Matcher, Occurrences};
use crate::embedded::lexical::schema::Fields;
use crate::embedded::lexical::view::Shared;
use crate::rows::{Row, RowSet};
use crate::words::{Form, MAX_PARTS, Part, Sign, Words};

/// Words that are looked for: a part may hold many, such as `a-b-c`.
const MAX_WORDS: usize = MAX_PARTS;

// A phrase must not reach from one caption into the next.
const _: () = assert!(MAX_WORDS < GAP as usize);

/// A query, analysed once; it belongs to the view that made it.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(super) scored: Vec<Scored>,
    /// Rows that satisfy what binds; `None` if nothing does.
    pub(super) binding: Option<RowSet>,
    pub(super) lengths: Lengths,
    notes: Vec<String>,
}

/// What adds to scores.
#[derive(Debug)]
pub(super) struct Scored {
    pub(super) matcher: Matcher,
    pub(super) scale: Scale,
    /// For each segment the documents and their shares, where they had to be collected; `None` for a plain word, whose
    /// list is read from the index.
    pub(super) collected: Option<Vec<Vec<(DocId, u32)>>>,
}

impl Plan {
    /// Whether there is a word to score by.
    pub(crate) fn scores(&self) -> bool {
        !self.scored.is_empty()
    }

    /// The rows below `len` that satisfy what binds; `None` if nothing does.
    pub(crate) fn constraint(&self, len: usize) -> Option<RowSet> {
        let binding = self.binding.as_ref()?;
        if binding.len() == len {
            return Some(binding.clone());
        }
        let mut rows = RowSet::none(len);
        for row in binding.iter().take_while(|&row| (row as usize) < len) {
            rows.insert(row);
        }
        Some(rows)
    }

    /// What of the query was not looked for, in sentences.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// What a part of a query is for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Role {
    /// Each of its words scores.
    Optional,
    /// All of it must be there.
    Required,
    /// All of it must not be there.
    Excluded,
}

impl Role {
    fn of(part: &Part) -> Self {
        match part.sign {
            Sign::Minus => Self::Excluded,
            _ if part.binds() => Self::Required,
            _ => Self::Optional,
        }
    }
}

/// Makes the plan for a query.
pub(super) fn plan(view: &Shared, words: &Words) -> tantivy::Result<Plan> {
    let lengths = Lengths::new(view.average_length());
    let mut plan = Plan { scored: Vec::new(), binding: None, lengths, notes: Vec::new() };
    let mut room = Room { left: MAX_WORDS, cut: words.is_cut() };
    let mut unknown = Vec::new();
    for part in words.parts() {
        let role = Role::of(part);
        let matchers = matchers(view, part, words.is_fuzzy(), &mut room)?;
        if matchers.is_empty() && !room.cut {
            unknown.push(part);
        }
        plan.take(view, matchers, role)?;
    }
    plan.note(room.cut, &unknown);
    Ok(plan)
}

impl Plan {
    fn take(&mut self, view: &Shared, matchers: Vec<Matcher>, role: Role) -> tantivy::Result<()> {
        let mut all: Option<RowSet> = None;
        for matcher in matchers {
            let plain = role == Role::Optional && matches!(matcher, Matcher::Word(_));
            let found = if plain { None } else { Some(view.occurrences(&matcher)?) };
            if let Some(found) = found.as_ref().filter(|_| role != Role::Optional) {
                let rows = rows(view, found);
                match &mut all {
                    Some(all) => all.intersect(&rows),
                    None => all = Some(rows),
                }
            }
            if role != Role::Excluded {
                let scale = Scale::new(rarity_of(view, &matcher, found.as_ref())?, &self.lengths);
                let collected = found.map(|found| shares(view, &scale, &self.lengths, &found));
                self.scored.push(Scored { matcher, scale, collected });
            }
        }
        if let Some(all) = all {
            let binding = self.binding.get_or_insert_with(|| RowSet::all(view.rows));
            if role == Role::Required { binding.intersect(&all) } else { binding.subtract(&all) }
        }
        Ok(())
    }

    /// Says what of the query was not looked for. A plain word that is too common is worth a note only if it leaves
    /// nothing to score by.
    fn note(&mut self, cut: bool, unknown: &[&Part]) {
        let nothing = self.scored.is_empty();
        for part in unknown.iter().filter(|part| part.binds() || nothing) {
            let told = format!(
                "`{}` is too common to be looked for, or no word, and was ignored",
                part.text
            );
            self.notes.push(told);
        }
        if cut {
            self.notes.push(format!("only the first {MAX_WORDS} words were looked for"));
        }
    }
}

/// Room for words.
struct Room {
    left: usize,
    /// Whether there were more words than room.
    cut: bool,
}

impl Room {
    fn take(&mut self, words: &mut Vec<Word>) {
        let first = words.first().map_or(0, |word| word.position);
        let fit = words.iter().take_while(|word| word.position - first < MAX_WORDS as u32);
        let fit = fit.count().min(self.left);
        self.cut |= fit < words.len();
        words.truncate(fit);
        self.left -= fit;
    }
}

/// What a part of a query looks for; of several matchers that bind all must match.
fn matchers(
    view: &Shared,
    part: &Part,
    fuzzy: bool,
    room: &mut Room,
) -> tantivy::Result<Vec<Matcher>> {
    if part.form == Form::Prefix {
        return Ok(prefix(view, &part.text, room));
    }
    let mut words = view.analysis.words(&part.text);
    room.take(&mut words);
    let adjacent = part.binds() && words.len() > 1;
    if part.form == Form::Phrase || part.sign == Sign::Minus || adjacent {
        return Ok(Matcher::phrase(words).into_iter().collect());
    }
    let matcher = |word| if fuzzy { near(view, word) } else { Ok(Matcher::Word(word.stem)) };
    words.into_iter().map(matcher).collect()
}

/// A prefix such as `riv*`; of `x-ra*` the words before the last are looked for as they are.
fn prefix(view: &Shared, text: &str, room: &mut Room) -> Vec<Matcher> {
    let mut last = view.analysis.all_words(text).pop().into_iter().collect();
    room.take(&mut last);
    let Some(last) = last.pop() else { return Vec::new() };
    let mut words = view.analysis.words(&text[..last.bytes.start]);
    room.take(&mut words);
    let before = words.into_iter().map(|word| Matcher::Word(word.stem));
    before.chain([Matcher::Prefix(last.surface)]).collect()
}

/// Letters from which on a word may differ in one, and in two.
const FUZZY_LETTERS: [usize; 2] = [4, 8];

/// The word, and those that look like it; a letter of difference halves what an occurrence counts.
fn near(view: &Shared, word: Word) -> tantivy::Result<Matcher> {
    let letters = word.surface.chars().count();
    let distance = FUZZY_LETTERS.iter().filter(|&&least| letters >= least).count() as u8;
    let mut surfaces = BTreeMap::new();
    for distance in (1..=distance).rev() {
        let weight = 0.5_f32.powi(distance.into());
        let similar = similar(view, &word.surface, distance)?;
        surfaces.extend(similar.into_iter().map(|surface| (surface, weight)));
    }
    // What has the same stem is found by it.
    surfaces.retain(|surface, _| view.stem(surface).is_none_or(|stem| stem != word.stem));
    Ok(Matcher::Near { stem: word.stem, surfaces: surfaces.into_iter().collect() })
}

/// Surfaces in the index at most that far from this one; swapped neighbours are one step.
fn similar(view: &Shared, surface: &str, distance: u8) -> tantivy::Result<Vec<String>> {
    let Fields { surfaces, .. } = &view.fields;
    let query = FuzzyTermQuery::new(Term::from_field_text(*surfaces, surface), distance, true);
    let mut found = Vec::new();
    for segment in &view.segments {
        let mut words = segment.surfaces.terms().search(query.automaton()?).into_stream()?;
        while words.advance() {
            found.extend(str::from_utf8(words.key()).ok().map(str::to_owned));
        }
    }
    Ok(found)
}

/// How rare something is. A phrase is as rare as its words together, as tantivy and Lucene have it; similar words and
/// those of a prefix are counted as if they were one word.
fn rarity_of(
    view: &Shared,
    matcher: &Matcher,
    found: Option<&Vec<Occurrences>>,
) -> tantivy::Result<f32> {
    match (matcher, found) {
        (Matcher::Phrase(words), _) => {
            let of =
                |(_, stem): &(u32, String)| Ok(rarity(view.frequency(stem)?, view.documents()));
            words.iter().map(of).sum()
        }
        (Matcher::Word(stem), None) => Ok(rarity(view.frequency(stem)?, view.documents())),
        (_, found) => {
            let frequency: usize = found.into_iter().flatten().map(Vec::len).sum();
            Ok(rarity(frequency as u64, view.documents()))
        }
    }
}

fn rows(view: &Shared, found: &[Occurrences]) -> RowSet {
    let mut rows = RowSet::none(view.rows);
    for (segment, found) in view.segments.iter().zip(found) {
        for (document, _) in found {
            rows.insert(segment.first + *document as Row);
        }
    }
    rows
}

fn shares(
    view: &Shared,
    scale: &Scale,
    lengths: &Lengths,
    found: &[Occurrences],
) -> Vec<Vec<(DocId, u32)>> {
    let segments = view.segments.iter().zip(found);
    let of_segment = segments.map(|(segment, found)| {
        let share = |&(document, times): &(DocId, f32)| {
            (document, scale.share(times, segment.codes[document as usize], lengths))
        };
        found.iter().map(share).collect()
    });
    of_segment.collect()
}
