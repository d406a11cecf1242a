//! Values of the metadata counted over rows, by the columns that filters use.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tantivy::columnar::{Column, ColumnType, DynamicColumn, DynamicColumnHandle, StrColumn};
use tantivy::u64_to_f64;

use crate::embedded::lexical::schema::{column, field_of};
use crate::embedded::lexical::segment::Segment;
use crate::facet::{Facet, Numbers};
use crate::metadata::Value;
use crate::rows::RowSet;

/// A column with more different texts than this holds names or sentences, of which nobody chooses one in a list. Own choice.
const MOST_TEXTS: usize = 10_000;

/// Parts of the range of a field's numbers: as many as a small chart can show.
const BINS: usize = 24;

/// How often each value of each field occurs in these rows; at most so many values of each, the most frequent.
pub(super) fn count(
    segments: &[Arc<Segment>],
    rows: &RowSet,
    most: usize,
) -> tantivy::Result<Vec<Facet>> {
    let mut tallies = BTreeMap::<String, Tally>::new();
    for segment in segments {
        for field in fields(segment)? {
            let tally = tallies.entry(field.clone()).or_default();
            for handle in segment.columns.fast_fields().dynamic_column_handles(&column(&field))? {
                tally.add(segment, rows, &handle)?;
            }
        }
    }
    Ok(tallies.into_iter().map(|(field, tally)| tally.into_facet(field, most)).collect())
}

/// Names of the fields that pictures of the segment have.
fn fields(segment: &Segment) -> tantivy::Result<Vec<String>> {
    let mut names: Vec<String> = segment
        .columns
        .fields_metadata()?
        .iter()
        .filter_map(|known| field_of(&known.field_name))
        .collect();
    names.dedup();
    Ok(names)
}

/// How often each value of a field occurs.
#[derive(Default)]
struct Tally {
    bools: HashMap<u64, usize>,
    /// By the place that columns give a number.
    numbers: HashMap<u64, usize>,
    texts: HashMap<String, usize>,
    has_too_many: bool,
}

impl Tally {
    fn add(
        &mut self,
        segment: &Segment,
        rows: &RowSet,
        handle: &DynamicColumnHandle,
    ) -> tantivy::Result<()> {
        let Some(values) = handle.open_u64_lenient()? else { return Ok(()) };
        let see = |tally: &mut HashMap<u64, usize>| {
            each(&values, segment, rows, |value| *tally.entry(value).or_default() += 1);
        };
        match handle.column_type() {
            ColumnType::F64 => see(&mut self.numbers),
            ColumnType::Bool => see(&mut self.bools),
            ColumnType::Str => {
                if let DynamicColumn::Str(texts) = handle.open()? {
                    self.add_texts(&texts, &values, segment, rows)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn add_texts(
        &mut self,
        texts: &StrColumn,
        places: &Column<u64>,
        segment: &Segment,
        rows: &RowSet,
    ) -> tantivy::Result<()> {
        let different = texts.dictionary().num_terms();
        if different > MOST_TEXTS {
            self.has_too_many = true;
            return Ok(());
        }
        let mut counts = vec![0; different];
        each(places, segment, rows, |place| counts[place as usize] += 1);
        let mut text = String::new();
        for (place, count) in counts.into_iter().enumerate().filter(|(_, count)| *count > 0) {
            text.clear();
            texts.ord_to_str(place as u64, &mut text)?;
            *self.texts.entry(text.clone()).or_default() += count;
        }
        Ok(())
    }

    fn into_facet(self, field: String, most: usize) -> Facet {
        let numbers: Vec<(f64, usize)> =
            self.numbers.into_iter().map(|(place, count)| (u64_to_f64(place), count)).collect();
        let bools = self.bools.into_iter().map(|(value, count)| (Value::Bool(value != 0), count));
        let has_too_many = self.has_too_many || self.texts.len() > MOST_TEXTS;
        let texts = self.texts.into_iter().filter(|_| !has_too_many);
        let texts = texts.map(|(text, count)| (Value::Text(text), count));
        let mut values: Vec<(Value, usize)> = bools
            .chain(numbers.iter().map(|&(number, count)| (Value::Number(number), count)))
            .chain(texts)
            .collect();
        values.sort_by(|(a, first), (b, second)| second.cmp(first).then_with(|| in_order(a, b)));
        let more = has_too_many || values.len() > most;
        values.truncate(most);
        Facet { field, values, more, numbers: spread(&numbers) }
    }
}

/// Shows the different values of each row that is in the set.
fn each(column: &Column<u64>, segment: &Segment, rows: &RowSet, mut see: impl FnMut(u64)) {
    let mut different = Vec::new();
    for document in
        (0..column.num_docs()).filter(|document| rows.contains(segment.first + document))
    {
        different.extend(column.values_for_doc(document));
        different.sort_unstable();
        different.dedup();
        different.drain(..).for_each(&mut see);
    }
}

/// Values that are equally frequent: truth values, then numbers, then texts.
fn in_order(a: &Value, b: &Value) -> std::cmp::Ordering {
    let kind = |value: &Value| match value {
        Value::Bool(_) => 0,
        Value::Number(_) => 1,
        Value::Text(_) | Value::List(_) => 2,
    };
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => a.total_cmp(b),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        _ => kind(a).cmp(&kind(b)),
    }
}

/// How the finite numbers are spread; `None` without any.
fn spread(numbers: &[(f64, usize)]) -> Option<Numbers> {
    let finite = || numbers.iter().filter(|(number, _)| number.is_finite());
    let min = finite().map(|(number, _)| *number).min_by(f64::total_cmp)?;
    let max = finite().map(|(number, _)| *number).max_by(f64::total_cmp)?;
    // Halves, since the difference of two finite numbers may not be finite.
    let width = (max / 2.0 - min / 2.0) / BINS as f64;
    let mut bins = vec![0; BINS];
    for (number, count) in finite() {
        let place = if width > 0.0 { (number / 2.0 - min / 2.0) / width } else { 0.0 };
        bins[(place as usize).min(BINS - 1)] += count;
    }
    Some(Numbers { min, max, bins })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::lexical::Entry;
    use crate::embedded::lexical::testing::in_memory;
    use crate::metadata::Metadata;
    use crate::rows::Row;
    use crate::settings::Language;

    fn metadata(json: &str) -> Metadata {
        serde_json::from_str(json).unwrap()
    }

    /// Facets of the rows that are not among `without`, in two segments.
    fn facets(pictures: &[&str], without: &[Row], most: usize) -> Vec<Facet> {
        let entry = |(row, json): (usize, &&str)| Entry {
            row: row as Row,
            captions: Vec::new(),
            metadata: metadata(json),
        };
        let entries: Vec<Entry> = pictures.iter().enumerate().map(entry).collect();
        let (first, second) = entries.into_iter().partition(|entry| entry.row < 2);
        let mut lexical = in_memory(first, 2, Language::None);
        lexical.add(second, pictures.len()).unwrap();
        let mut rows = RowSet::all(pictures.len());
        for row in without {
            rows.remove(*row);
        }
        lexical.view().facets(&rows, most).unwrap()
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    const PICTURES: [&str; 4] = [
        r#"{"class": "port", "year": 2001, "a.b": true}"#,
        r#"{"class": ["port", "port", "bay"], "year": 2003}"#,
        r#"{"class": "bay", "year": 2011}"#,
        r#"{"class": 7}"#,
    ];

    #[test]
    fn values_are_counted_once_a_picture_over_all_segments() {
        let found = facets(&PICTURES[..3], &[], 10);
        let names: Vec<&str> = found.iter().map(|facet| facet.field.as_str()).collect();
        assert_eq!(names, ["a.b", "class", "year"]);
        assert_eq!(found[0].values, [(Value::Bool(true), 1)]);
        assert_eq!(found[1].values, [(text("bay"), 2), (text("port"), 2)]);
        assert!(found[1].numbers.is_none() && !found[1].more);
        let years = found[2].numbers.as_ref().unwrap();
        assert_eq!((years.min, years.max, years.bins.iter().sum::<usize>()), (2001.0, 2011.0, 3));
        assert_eq!((years.bins[0], years.bins[4], years.bins[23]), (1, 1, 1));
    }

    #[test]
    fn only_the_rows_that_are_asked_for_count() {
        let found = facets(&PICTURES[..3], &[0], 10);
        assert_eq!(found[0].values, []);
        assert_eq!(found[1].values, [(text("bay"), 2), (text("port"), 1)]);
    }

    #[test]
    fn what_is_not_listed_is_told_of() {
        let found = facets(&PICTURES[..3], &[0], 1);
        assert_eq!((found[1].values.len(), found[1].more), (1, true));
    }

    #[test]
    fn kinds_may_be_mixed() {
        let pictures = [PICTURES[0], PICTURES[3], r#"{"class": 7}"#];
        let found = facets(&pictures, &[], 10);
        assert_eq!(found[1].values, [(Value::Number(7.0), 2), (text("port"), 1)]);
        assert_eq!(found[1].numbers.as_ref().map(|numbers| numbers.bins[0]), Some(2));
    }

    #[test]
    fn thousands_of_names_are_no_facet() {
        let pictures: Vec<String> = (0..=MOST_TEXTS + 2)
            .map(|row| format!(r#"{{"file": "{row}.jpg", "kind": "x"}}"#))
            .collect();
        let pictures: Vec<&str> = pictures.iter().map(String::as_str).collect();
        let found = facets(&pictures, &[], 10);
        assert_eq!((found[0].values.len(), found[0].more), (0, true));
        assert_eq!(found[1].values, [(text("x"), pictures.len())]);
    }

    #[test]
    fn numbers_without_an_end_have_no_place_in_a_chart() {
        assert_eq!(spread(&[(f64::INFINITY, 2), (f64::NAN, 1)]), None);
        let wide = spread(&[(-f64::MAX, 1), (f64::MAX, 2), (f64::INFINITY, 4)]).unwrap();
        assert_eq!((wide.bins[0], wide.bins[23]), (1, 2));
    }
}
