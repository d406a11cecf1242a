//! One state of the lexical index: what it answers does not change.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use crate::embedded::lexical::analysis::{Analysis, Word};
use crate::embedded::lexical::bm25::{length_code, score};
use crate::embedded::lexical::error::of_tantivy;
use crate::embedded::lexical::matcher::{Matcher, Occurrences};
use crate::embedded::lexical::plan::{Plan, plan};
use crate::embedded::lexical::schema::Fields;
use crate::embedded::lexical::segment::Segment;
use crate::embedded::lexical::sweep::{Best, Cursor, sweep};
use crate::embedded::lexical::{columns, facets};
use crate::error::Error;
use crate::facet::Facet;
use crate::filter::Filter;
use crate::metadata::Metadata;
use crate::rows::{Row, RowSet};
use crate::words::Words;

/// A state of the index. Cheap to clone; what is added later is in a later view.
#[derive(Clone, Debug)]
pub(crate) struct View(Arc<Shared>);

/// What the clones of a view share.
#[derive(Debug)]
pub(super) struct Shared {
    /// One after the other from row 0 on.
    pub(super) segments: Vec<Arc<Segment>>,
    pub(super) rows: usize,
    pub(super) analysis: Arc<Analysis>,
    pub(super) fields: Fields,
    /// All words of all documents.
    words: u64,
    dir: PathBuf,
}

/// To look a row up in a list costs about as much as to read this many entries of it.
///
/// A look-up was measured at 15 ns with 200,000 rows; that an entry takes a fifth of it is an estimate.
const SEEK: usize = 5;

/// Byte ranges that a query matches in each caption, and the words in them in lower case, each once.
pub(crate) type Marks = (Vec<Vec<Range<usize>>>, Vec<String>);

impl View {
    pub(super) fn new(
        segments: Vec<Arc<Segment>>,
        analysis: Arc<Analysis>,
        fields: Fields,
        dir: PathBuf,
    ) -> Self {
        let rows = segments.last().map_or(0, |segment| segment.end() as usize);
        let words = segments.iter().map(|segment| segment.stems.total_num_tokens()).sum();
        Self(Arc::new(Shared { segments, rows, analysis, fields, words, dir }))
    }

    /// Rows that it knows, from 0.
    pub(crate) fn rows(&self) -> usize {
        self.0.rows
    }

    /// What a query means here; it is to be used with this view alone.
    pub(crate) fn plan(&self, words: &Words) -> Result<Plan, Error> {
        plan(&self.0, words).map_err(|source| self.error(source))
    }

    /// The best rows among the allowed ones that satisfy what binds and have a word to score by: best first, of equal
    /// scores the lower row.
    pub(crate) fn search(
        &self,
        plan: &Plan,
        wanted: usize,
        allowed: &RowSet,
    ) -> Result<Vec<(Row, f32)>, Error> {
        self.best(plan, wanted, allowed).map_err(|source| self.error(source))
    }

    fn best(
        &self,
        plan: &Plan,
        wanted: usize,
        allowed: &RowSet,
    ) -> tantivy::Result<Vec<(Row, f32)>> {
        let narrowed = plan.binding.as_ref().map(|binding| {
            let mut narrowed = binding.clone();
            narrowed.intersect(allowed);
            narrowed
        });
        let allowed = narrowed.as_ref().unwrap_or(allowed);
        let mut best = Best::new(wanted);
        let segments = self.0.segments.iter().enumerate();
        let cursors = segments.map(|(number, segment)| Cursor::all(plan, number, segment));
        let cursors: Vec<_> = cursors.collect::<tantivy::Result<_>>()?;
        let listed: usize = cursors.iter().flatten().map(Cursor::size).sum();
        if allowed.count() * plan.scored.len() * SEEK < listed {
            let rows: Vec<Row> = allowed.iter().collect();
            for (row, units) in rows.iter().zip(self.units(plan, &rows)?) {
                best.offer(units, *row);
            }
        } else {
            for cursors in cursors {
                sweep(cursors, allowed, &mut best);
            }
        }
        Ok(best.into_sorted())
    }

    /// The scores of these rows, whatever binds; 0 where no word matches.
    pub(crate) fn scores(&self, plan: &Plan, rows: &[Row]) -> Result<Vec<f32>, Error> {
        let units = self.units(plan, rows).map_err(|source| self.error(source))?;
        Ok(units.into_iter().map(score).collect())
    }

    fn units(&self, plan: &Plan, rows: &[Row]) -> tantivy::Result<Vec<u32>> {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_unstable_by_key(|&place| rows[place]);
        let mut units = vec![0; rows.len()];
        let mut rest = order.as_slice();
        for (number, segment) in self.0.segments.iter().enumerate() {
            let here = rest.partition_point(|&place| rows[place] < segment.end());
            let (here, behind) = rest.split_at(here);
            rest = behind;
            if here.is_empty() {
                continue;
            }
            for mut cursor in Cursor::all(plan, number, segment)? {
                for &place in here {
                    units[place] += cursor.share_of(rows[place] - segment.first);
                }
            }
        }
        Ok(units)
    }

    /// The live rows of which a filter holds.
    pub(crate) fn filter(&self, filter: &Filter, live: &RowSet) -> Result<RowSet, Error> {
        columns::rows(&self.0.segments, filter, live).map_err(|source| self.error(source))
    }

    /// What a query matches in the captions of a picture.
    pub(crate) fn marks(&self, plan: &Plan, captions: &[String]) -> Marks {
        if !plan.scores() {
            return (vec![Vec::new(); captions.len()], Vec::new());
        }
        let mut matched: Vec<String> = Vec::new();
        let mut ranges = Vec::with_capacity(captions.len());
        for caption in captions {
            let words = self.0.analysis.words(caption);
            let marked = marked(plan, &words);
            for range in &marked {
                let word = caption[range.clone()].to_lowercase();
                if !matched.contains(&word) {
                    matched.push(word);
                }
            }
            ranges.push(marked);
        }
        (ranges, matched)
    }

    /// The score that a picture would have with these captions alone, by the statistics of the index as it is.
    pub(crate) fn score_without(
        &self,
        plan: &Plan,
        captions_left: &[String],
        metadata: &Metadata,
    ) -> f32 {
        let words = self.0.analysis.document(captions_left, metadata);
        let code = length_code(words.len());
        let share = |scored: &super::plan::Scored| {
            let times = scored.matcher.frequency(&words);
            if times > 0.0 { scored.scale.share(times, code, &plan.lengths) } else { 0 }
        };
        score(plan.scored.iter().map(share).sum())
    }

    /// How often each value of each field occurs in these rows; at most so many values of a field.
    pub(crate) fn facets(&self, rows: &RowSet, most: usize) -> Result<Vec<Facet>, Error> {
        facets::count(&self.0.segments, rows, most).map_err(|source| self.error(source))
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.0
    }

    pub(super) fn error(&self, source: tantivy::TantivyError) -> Error {
        of_tantivy(&self.0.dir, source)
    }
}

/// The ranges of the words that any part of the query matches.
fn marked(plan: &Plan, words: &[Word]) -> Vec<Range<usize>> {
    let mut places: Vec<usize> =
        plan.scored.iter().flat_map(|scored| scored.matcher.marked(words)).collect();
    places.sort_unstable();
    places.dedup();
    places.into_iter().map(|place| words[place].bytes.clone()).collect()
}

impl Shared {
    pub(super) fn documents(&self) -> u64 {
        self.rows as u64
    }

    /// Words of a document on average; 1 where there are none, so that nothing is divided by 0.
    pub(super) fn average_length(&self) -> f32 {
        if self.words == 0 { 1.0 } else { self.words as f32 / self.rows as f32 }
    }

    /// In how many documents a stem is.
    pub(super) fn frequency(&self, stem: &str) -> tantivy::Result<u64> {
        self.segments.iter().map(|segment| segment.frequency(stem)).sum()
    }

    /// Where something occurs, for each segment.
    pub(super) fn occurrences(&self, matcher: &Matcher) -> tantivy::Result<Vec<Occurrences>> {
        self.segments.iter().map(|segment| matcher.occurrences(segment)).collect()
    }

    /// The stem of a surface.
    pub(super) fn stem(&self, surface: &str) -> Option<String> {
        self.analysis.words(surface).pop().map(|word| word.stem)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::embedded::lexical::testing::{Twin, entries, entry, in_memory};
    use crate::settings::Language;

    /// What people might type about [`entries`].
    const QUERIES: [&str; 24] = [
        "ship",
        "the ships on a red bridge",
        "harbour river plane stadium forest snow ship red run cafe",
        "ship ship x-ray",
        "+ship red",
        "+ship ships ship +ships",
        "r* x-r* r* -plan* -x-plan* -plan*",
        "+x-ray",
        "\"red ship\"",
        "\"the ship\" harbour",
        "\"ship the ship\"",
        "\"ship ship\" red",
        "-ship red",
        "red -\"red ship\" -plan*",
        "runn* ship",
        "x-ra*",
        "r* -red",
        "-forest",
        "+the",
        "the on",
        "café",
        "nothingofthekind ship",
        "+nothingofthekind ship",
        "猫 -x-rays +snow",
    ];

    fn every_query() -> impl Iterator<Item = Words> {
        let fuzzy = ["stadium airport", "+brigde snow", "ship red", "xairports -stadium"];
        let fuzzy = fuzzy.into_iter().map(|text| Words::parse(text).fuzzy());
        QUERIES.into_iter().map(Words::parse).chain(fuzzy)
    }

    /// Every row that scores, is allowed and satisfies what binds; the best first.
    fn exhaustive(view: &View, plan: &Plan, allowed: &RowSet) -> Vec<(Row, f32)> {
        let mut rows: Vec<Row> = allowed.iter().collect();
        let constraint = plan.constraint(view.rows());
        rows.retain(|row| constraint.as_ref().is_none_or(|rows| rows.contains(*row)));
        let scores = view.scores(plan, &rows).unwrap();
        let mut found: Vec<_> =
            rows.into_iter().zip(scores).filter(|(_, score)| *score > 0.0).collect();
        found.sort_by(|(a, first), (b, second)| second.total_cmp(first).then(a.cmp(b)));
        found
    }

    fn every_third(rows: usize) -> RowSet {
        let mut allowed = RowSet::none(rows);
        (0..rows as Row).step_by(3).for_each(|row| allowed.insert(row));
        allowed
    }

    #[test]
    fn scores_and_constraints_are_those_of_the_twin() {
        for (language, rows) in
            [(Language::English, 400), (Language::None, 150), (Language::German, 150)]
        {
            let entries = entries(rows.into(), rows);
            let twin = Twin::new(&entries, rows as usize, language);
            let view = in_memory(entries, rows as usize, language).view();
            let all: Vec<Row> = (0..rows).rev().collect();
            for words in every_query() {
                let plan = view.plan(&words).unwrap();
                let expected = twin.scores(&words);
                for (row, score) in all.iter().zip(view.scores(&plan, &all).unwrap()) {
                    let expected = expected[*row as usize];
                    assert!(
                        (f64::from(score) - expected).abs() < 1e-4,
                        "{words:?} {row} {score} {expected}"
                    );
                }
                let constraint = plan.constraint(rows as usize);
                let constraint = constraint.unwrap_or_else(|| RowSet::all(rows as usize));
                assert_eq!(constraint, twin.constraint(&words), "{words:?}");
            }
        }
    }

    #[test]
    fn a_search_finds_exactly_the_best_of_the_allowed_rows() {
        let rows = 10_000;
        let view = in_memory(entries(1, rows as Row), rows, Language::English).view();
        let mut few = RowSet::none(rows);
        for row in [3, 4, 5, 4711, 9999] {
            few.insert(row);
        }
        for words in every_query() {
            let plan = view.plan(&words).unwrap();
            for allowed in [&RowSet::all(rows), &every_third(rows), &few, &RowSet::none(rows)] {
                let expected = exhaustive(&view, &plan, allowed);
                for wanted in [0, 1, 10, 200, rows] {
                    let found = view.search(&plan, wanted, allowed).unwrap();
                    assert_eq!(found, expected[..wanted.min(expected.len())], "{words:?}");
                }
            }
        }
    }

    #[test]
    fn seams_between_segments_change_no_score() {
        let rows = 3000;
        let whole = in_memory(entries(2, rows as Row), rows, Language::English).view();
        let mut parts = in_memory(Vec::new(), 0, Language::English);
        let mut rest = entries(2, rows as Row);
        for end in [1, 2, 3, 700, 2000, 2001, 2990, rows] {
            let behind = rest.split_off(rest.partition_point(|entry| (entry.row as usize) < end));
            parts.add(std::mem::replace(&mut rest, behind), end).unwrap();
        }
        let parts = parts.view();
        assert!(parts.0.segments.len() > 3);
        for words in every_query() {
            let (one, other) = (whole.plan(&words).unwrap(), parts.plan(&words).unwrap());
            let all = RowSet::all(rows);
            let found = whole.search(&one, rows, &all).unwrap();
            assert_eq!(found, parts.search(&other, rows, &all).unwrap(), "{words:?}");
            assert_eq!(one.binding, other.binding);
        }
    }

    #[test]
    fn a_picture_scored_by_its_words_has_its_score_in_the_index() {
        let all = entries(3, 300);
        let view = in_memory(all.clone(), 300, Language::English).view();
        for words in every_query() {
            let plan = view.plan(&words).unwrap();
            let rows: Vec<Row> = all.iter().map(|entry| entry.row).collect();
            for (entry, score) in all.iter().zip(view.scores(&plan, &rows).unwrap()) {
                assert_eq!(view.score_without(&plan, &entry.captions, &entry.metadata), score);
                let left = entry.captions.split_last().map_or(&[][..], |(_, left)| left);
                let held_out = view.score_without(&plan, left, &entry.metadata);
                assert!(score > 0.0 || held_out == 0.0);
            }
        }
    }

    fn harbour() -> View {
        let first = entry(
            0,
            &["Red ships, running ashore", "A harbour café"],
            r#"{"title": "Lighthouse"}"#,
        );
        in_memory(vec![first, entry(1, &["A red harbour"], "{}")], 2, Language::English).view()
    }

    fn found(view: &View, words: &Words) -> Vec<Row> {
        let plan = view.plan(words).unwrap();
        view.search(&plan, 10, &RowSet::all(2)).unwrap().into_iter().map(|(row, _)| row).collect()
    }

    #[test]
    fn words_are_found_by_stem_prefix_likeness_and_in_chosen_fields() {
        let view = harbour();
        for text in [
            "ship",
            "runn*",
            "runnin*",
            "cafes",
            "\"ship run\"",
            "lighthouses",
            "\"run the ashore\"",
        ] {
            let gap = text.contains("the");
            assert_eq!(
                found(&view, &Words::parse(text)),
                if gap { vec![] } else { vec![0] },
                "{text}"
            );
        }
        assert!(found(&view, &Words::parse("\"ashore harbour\"")).is_empty(), "two captions");
        assert!(found(&view, &Words::parse("harbuor")).is_empty());
        assert_eq!(found(&view, &Words::parse("harbuor").fuzzy()), [1, 0]);
        assert_eq!(found(&view, &Words::parse("lgihthousse").fuzzy()), [0]);
    }

    #[test]
    fn matches_are_marked_where_they_stand() {
        let view = harbour();
        let marked = |words: Words, caption: &str| {
            let plan = view.plan(&words).unwrap();
            let (ranges, matched) = view.marks(&plan, &[caption.to_owned()]);
            let texts = ranges[0].iter().map(|range| caption[range.clone()].to_owned());
            (texts.collect::<Vec<_>>(), matched)
        };
        let caption = "Red SHIPS run; a ship runs Café-wards. RED ship";
        let (texts, matched) = marked(Words::parse("shipping cafe -run"), caption);
        assert_eq!(texts, ["SHIPS", "ship", "Café", "ship"]);
        assert_eq!(matched, ["ships", "ship", "café"]);
        assert_eq!(
            marked(Words::parse("\"red ship\""), caption).0,
            ["Red", "SHIPS", "RED", "ship"]
        );
        assert_eq!(marked(Words::parse("war*"), caption).0, ["wards"]);
        assert_eq!(marked(Words::parse("harbuor").fuzzy(), "HARBOUR").0, ["HARBOUR"]);
    }

    #[test]
    fn what_is_not_looked_for_is_told() {
        let view = harbour();
        let notes = |text: &str| view.plan(&Words::parse(text)).unwrap().notes().to_vec();
        assert!(notes("the ship").is_empty());
        assert_eq!(notes("+the ship").len(), 1);
        assert!(notes("the on")[1].starts_with("`on` is too common"));
        assert_eq!(notes(&"ship ".repeat(100)), ["only the first 64 words were looked for"]);
        assert_eq!(notes(&"x-y-".repeat(100)), ["only the first 64 words were looked for"]);
        assert!(!view.plan(&Words::parse("-ship")).unwrap().scores());
    }

    #[test]
    fn a_query_that_repeats_itself_costs_as_much_as_once() {
        let view = harbour();
        let plan = |text: &str| view.plan(&Words::parse(text)).unwrap();
        for part in ["a* ", "ships +ship ", "\"red ship\" ", "+x-a* y-a* -a* "] {
            let (once, often) = (plan(part), plan(&part.repeat(16)));
            assert_eq!(often.scored.len(), once.scored.len(), "{part}");
            assert_eq!(often.binding, once.binding);
            assert!(often.notes().is_empty());
        }
        assert_eq!(plan("ship +ship ships").scored.len(), 1);
        let many = plan("a* b* c* d* e* f* g* h* i* j*");
        assert_eq!(many.scored.len(), 8);
        assert_eq!(many.notes(), ["only the first 8 prefixes were looked for"]);
    }

    #[test]
    fn a_prefix_that_is_too_long_for_a_word_is_no_shorter_prefix() {
        let view = in_memory(vec![entry(0, &["x-ray xylophone"], "{}")], 1, Language::English);
        let view = view.view();
        let long = "a".repeat(101);
        for (text, rows) in
            [("x*", 1), ("x-r*", 1), ("x-LONG*", 0), ("LONG*", 0), ("x -x-LONG*", 1)]
        {
            let plan = view.plan(&Words::parse(&text.replace("LONG", &long))).unwrap();
            assert_eq!(view.search(&plan, 9, &RowSet::all(1)).unwrap().len(), rows, "{text}");
            assert_eq!(plan.notes().len(), usize::from(text.contains("LONG")));
        }
    }

    #[test]
    fn the_nearest_and_most_frequent_of_many_similar_words_are_looked_for() {
        let letters = ('a'..='z').flat_map(|one| ('a'..='z').map(move |other| (one, other)));
        let caption = |(one, other): (char, char)| format!("stad{one}u{other}");
        let mut entries: Vec<_> = letters
            .enumerate()
            .map(|(row, two)| entry(row as Row, &[&caption(two)], "{}"))
            .collect();
        let rows = entries.len() + 2;
        entries.push(entry(rows as Row - 2, &["stadyuz"], "{}"));
        entries.push(entry(rows as Row - 1, &["stadixm stadiumx"], "{}"));
        let view = in_memory(entries, rows, Language::None).view();
        let plan = view.plan(&Words::parse("stadiumx").fuzzy()).unwrap();
        let [scored] = plan.scored.as_slice() else { panic!("one word") };
        let Matcher::Near { surfaces, .. } = &scored.matcher else { panic!("{scored:?}") };
        assert_eq!(surfaces.len(), 50);
        assert_eq!(surfaces[0], ("stadium".to_owned(), 0.5));
        assert!(surfaces.is_sorted_by(|one, other| one.1 >= other.1));
    }

    #[test]
    fn an_empty_index_answers() {
        let view = in_memory(Vec::new(), 0, Language::English).view();
        for words in every_query() {
            let plan = view.plan(&words).unwrap();
            assert!(view.search(&plan, 10, &RowSet::all(0)).unwrap().is_empty());
            assert_eq!(view.score_without(&plan, &[], &Metadata::new()), 0.0);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn every_string_is_a_query(
            text in any::<String>(),
            typed in "([-+]?(\"|)(the|ships?|red|x-ray|cafés?|[a-z]{1,9}|猫|.)(\\*|\"|) ?){0,9}",
            caption in "(red ships?|RED|[a-zé猫 ,.\"]|.){0,20}",
        ) {
            let view = harbour();
            for text in [text, typed] {
                for words in [Words::parse(&text), Words::parse(&text).fuzzy()] {
                    let plan = view.plan(&words).unwrap();
                    let all = RowSet::all(view.rows());
                    prop_assert_eq!(view.search(&plan, 10, &all).unwrap(), exhaustive(&view, &plan, &all));
                    let (ranges, _) = view.marks(&plan, std::slice::from_ref(&caption));
                    prop_assert!(ranges[0].iter().all(|range| caption.get(range.clone()).is_some()));
                    prop_assert!(view.score_without(&plan, std::slice::from_ref(&caption), &Metadata::new()) >= 0.0);
                }
            }
        }
    }
}
