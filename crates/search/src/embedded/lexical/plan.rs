//! A query as one state of the index understands it.

use std::cmp::Reverse;
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

/// Prefixes that are looked for: one such as `a*` goes through a good part of the index.
const MAX_PREFIXES: usize = 8;

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

    /// Matchers that go together: what is excluded only as a whole, everything else one by one.
    fn apart(self, matchers: Vec<Matcher>) -> Vec<Vec<Matcher>> {
        match self {
            Self::Excluded => vec![matchers],
            Self::Optional | Self::Required => matchers.into_iter().map(|one| vec![one]).collect(),
        }
    }
}

/// Makes the plan for a query. What is asked for twice counts once: a query costs what is different in it.
pub(super) fn plan(view: &Shared, words: &Words) -> tantivy::Result<Plan> {
    let lengths = Lengths::new(view.average_length());
    let mut plan = Plan { scored: Vec::new(), binding: None, lengths, notes: Vec::new() };
    let mut room = Room::new(words);
    let mut unknown = Vec::new();
    let mut taken = Vec::new();
    for (place, part) in words.parts().iter().enumerate() {
        if words.parts()[..place].contains(part) {
            continue;
        }
        let role = Role::of(part);
        let matchers = matchers(view, part, words.is_fuzzy(), &mut room)?;
        if matchers.is_empty() && !room.is_cut() {
            unknown.push(part);
        }
        for together in role.apart(matchers) {
            if !taken.contains(&(role, together.clone())) {
                plan.take(view, &together, role)?;
                taken.push((role, together));
            }
        }
    }
    plan.note(&room, &unknown);
    Ok(plan)
}

impl Plan {
    fn take(&mut self, view: &Shared, matchers: &[Matcher], role: Role) -> tantivy::Result<()> {
        let mut all: Option<RowSet> = None;
        for matcher in matchers {
            let known = self.scored.iter().any(|scored| scored.matcher == *matcher);
            let scores = role != Role::Excluded && !known;
            let binds = role != Role::Optional;
            let found = if binds || (scores && !matcher.is_word()) {
                view.occurrences(matcher)?
            } else {
                Vec::new()
            };
            if binds {
                let rows = rows(view, &found);
                match &mut all {
                    Some(all) => all.intersect(&rows),
                    None => all = Some(rows),
                }
            }
            if scores {
                self.score(view, matcher, &found)?;
            }
        }
        if let Some(all) = all {
            let binding = self.binding.get_or_insert_with(|| RowSet::all(view.rows));
            if role == Role::Required { binding.intersect(&all) } else { binding.subtract(&all) }
        }
        Ok(())
    }

    fn score(
        &mut self,
        view: &Shared,
        matcher: &Matcher,
        found: &[Occurrences],
    ) -> tantivy::Result<()> {
        let scale = Scale::new(rarity_of(view, matcher, found)?, &self.lengths);
        let collected = (!matcher.is_word()).then(|| shares(view, &scale, &self.lengths, found));
        self.scored.push(Scored { matcher: matcher.clone(), scale, collected });
        Ok(())
    }

    /// Says what of the query was not looked for. A plain word that is too common is worth a note only if it leaves
    /// nothing to score by.
    fn note(&mut self, room: &Room, unknown: &[&Part]) {
        let nothing = self.scored.is_empty();
        for part in unknown.iter().filter(|part| part.binds() || nothing) {
            let told = format!(
                "`{}` is too common to be looked for, or no word, and was ignored",
                part.text
            );
            self.notes.push(told);
        }
        if room.cut {
            self.notes.push(format!("only the first {MAX_WORDS} words were looked for"));
        }
        if room.cut_prefixes {
            self.notes.push(format!("only the first {MAX_PREFIXES} prefixes were looked for"));
        }
        if room.too_long {
            let told = "a prefix is longer than any word that is indexed, and matches nothing";
            self.notes.push(told.to_owned());
        }
    }
}

/// Room for words.
struct Room {
    left: usize,
    prefixes: usize,
    /// Whether there were more words than room.
    cut: bool,
    cut_prefixes: bool,
    /// Whether there was a prefix that no word is long enough for.
    too_long: bool,
}

impl Room {
    fn new(words: &Words) -> Self {
        let (left, prefixes, cut) = (MAX_WORDS, MAX_PREFIXES, words.is_cut());
        Self { left, prefixes, cut, cut_prefixes: false, too_long: false }
    }

    fn is_cut(&self) -> bool {
        self.cut || self.cut_prefixes
    }

    /// Whether there is room for a prefix.
    fn take_prefix(&mut self) -> bool {
        self.cut_prefixes |= self.prefixes == 0;
        self.prefixes = self.prefixes.saturating_sub(1);
        !self.cut_prefixes
    }

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
    if !room.take_prefix() {
        return Vec::new();
    }
    let (before, last) = text.split_at(text.trim_end_matches(char::is_alphanumeric).len());
    let mut words = view.analysis.all_words(last);
    if words.is_empty() {
        // It is too long to be a word, so no word of the index begins so.
        room.too_long = true;
        return vec![Matcher::Prefix(last.to_owned())];
    }
    room.take(&mut words);
    let Some(last) = words.pop() else { return Vec::new() };
    let mut words = view.analysis.words(before);
    room.take(&mut words);
    let before = words.into_iter().map(|word| Matcher::Word(word.stem));
    before.chain([Matcher::Prefix(last.surface)]).collect()
}

/// Letters from which on a word may differ in one, and in two.
const FUZZY_LETTERS: [usize; 2] = [4, 8];

/// Similar words that are looked for beside a word.
///
/// Source: Lucene's `FuzzyQuery.defaultMaxExpansions`.
const MAX_SIMILAR: usize = 50;

/// The word, and those that look like it, the nearest and of these the most frequent; a letter of difference halves what an
/// occurrence counts.
fn near(view: &Shared, word: Word) -> tantivy::Result<Matcher> {
    let letters = word.surface.chars().count();
    let distance = FUZZY_LETTERS.iter().filter(|&&least| letters >= least).count() as u8;
    let mut similar = BTreeMap::new();
    for distance in (1..=distance).rev() {
        let found = surfaces_near(view, &word.surface, distance)?;
        similar.extend(found.into_iter().map(|(surface, times)| (surface, (distance, times))));
    }
    let mut similar: Vec<_> = similar.into_iter().collect();
    similar.sort_by_key(|&(_, (distance, times))| (distance, Reverse(times)));
    // What has the same stem is found by it.
    let others = similar
        .into_iter()
        .filter(|(surface, _)| view.stem(surface).is_none_or(|stem| stem != word.stem));
    let surfaces: Vec<_> = others
        .take(MAX_SIMILAR)
        .map(|(surface, (distance, _))| (surface, 0.5_f32.powi(distance.into())))
        .collect();
    Ok(if surfaces.is_empty() {
        Matcher::Word(word.stem)
    } else {
        Matcher::Near { stem: word.stem, surfaces }
    })
}

/// Surfaces in the index at most that far from this one, and in how many documents each is; swapped neighbours are one
/// step.
fn surfaces_near(
    view: &Shared,
    surface: &str,
    distance: u8,
) -> tantivy::Result<BTreeMap<String, u64>> {
    let Fields { surfaces, .. } = &view.fields;
    let query = FuzzyTermQuery::new(Term::from_field_text(*surfaces, surface), distance, true);
    let automaton = query.automaton()?;
    let mut found = BTreeMap::new();
    for segment in &view.segments {
        let mut words = segment.surfaces.terms().search(&automaton).into_stream()?;
        while words.advance() {
            if let Ok(word) = str::from_utf8(words.key()) {
                *found.entry(word.to_owned()).or_default() += u64::from(words.value().doc_freq);
            }
        }
    }
    Ok(found)
}

/// How rare something is. A phrase is as rare as its words together, as tantivy and Lucene have it; similar words and
/// those of a prefix are counted as if they were one word.
fn rarity_of(view: &Shared, matcher: &Matcher, found: &[Occurrences]) -> tantivy::Result<f32> {
    let of = |stem: &str| Ok(rarity(view.frequency(stem)?, view.documents()));
    match matcher {
        Matcher::Phrase(words) => words.iter().map(|(_, stem)| of(stem)).sum(),
        Matcher::Word(stem) => of(stem),
        Matcher::Near { .. } | Matcher::Prefix(_) => {
            let frequency: usize = found.iter().map(Vec::len).sum();
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
