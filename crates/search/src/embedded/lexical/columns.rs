//! Filters by the columns of the metadata. [`Filter::matches`] is the slow twin.

use std::collections::HashSet;
use std::ops::{Bound, RangeInclusive};
use std::sync::Arc;

use tantivy::DocId;
use tantivy::columnar::{Column, ColumnType, DynamicColumn, StrColumn};
use tantivy::f64_to_u64;

use crate::embedded::lexical::schema::{column, unsigned_zero};
use crate::embedded::lexical::segment::Segment;
use crate::filter::{Comparison, Filter, Operand};
use crate::rows::{Row, RowSet};

/// So many operands of an `in` are looked for one by one; for more of them every value is looked at once.
const FEW_OPERANDS: usize = 8;

/// The live rows of which a filter holds.
pub(super) fn rows(
    segments: &[Arc<Segment>],
    filter: &Filter,
    live: &RowSet,
) -> tantivy::Result<RowSet> {
    match filter {
        Filter::And(filters) => {
            filters.iter().try_fold(live.clone(), |left, filter| rows(segments, filter, &left))
        }
        Filter::Or(filters) => {
            let mut left = live.clone();
            for filter in filters {
                let found = rows(segments, filter, &left)?;
                left.subtract(&found);
            }
            Ok(without(live, &left))
        }
        Filter::Not(filter) => Ok(without(live, &rows(segments, filter, live)?)),
        Filter::Compare { field, comparison: Comparison::NotEqual, operand } => {
            let equal = each(segments, live, |segment, found| {
                compare(segment, field, Comparison::Equal, operand, found)
            });
            Ok(without(live, &equal?))
        }
        Filter::Compare { field, comparison, operand } => each(segments, live, |segment, found| {
            compare(segment, field, *comparison, operand, found)
        }),
        Filter::In { field, operands } if operands.len() > FEW_OPERANDS => {
            let operands = Operands::of(operands);
            each(segments, live, |segment, found| among(segment, field, &operands, found))
        }
        Filter::In { field, operands } => each(segments, live, |segment, found| {
            operands
                .iter()
                .try_for_each(|operand| compare(segment, field, Comparison::Equal, operand, found))
        }),
        Filter::Exists { field } => {
            each(segments, live, |segment, found| exists(segment, field, found))
        }
    }
}

fn without(rows: &RowSet, others: &RowSet) -> RowSet {
    let mut left = rows.clone();
    left.subtract(others);
    left
}

/// The live rows among the documents that are found in each segment.
fn each(
    segments: &[Arc<Segment>],
    live: &RowSet,
    find: impl Fn(&Segment, &mut Found) -> tantivy::Result<()>,
) -> tantivy::Result<RowSet> {
    let mut found = Found { rows: RowSet::none(live.len()), first: 0, buffer: Vec::new() };
    for segment in segments {
        found.first = segment.first;
        find(segment, &mut found)?;
    }
    found.rows.intersect(live);
    Ok(found.rows)
}

/// Rows as they are found.
struct Found {
    rows: RowSet,
    /// First row of the segment.
    first: Row,
    buffer: Vec<DocId>,
}

impl Found {
    /// Takes in the documents that have a value in this range.
    fn take(&mut self, column: &Column<u64>, range: RangeInclusive<u64>) {
        // A range that ends below all values is taken for the lowest of them by tantivy's columns.
        let (low, high) = range.into_inner();
        let (low, high) = (low.max(column.min_value()), high.min(column.max_value()));
        if low > high {
            return;
        }
        self.buffer.clear();
        column.get_docids_for_value_range(low..=high, 0..column.num_docs(), &mut self.buffer);
        for document in &self.buffer {
            insert(&mut self.rows, self.first + document);
        }
    }

    /// Takes in the documents that have one of these values.
    fn take_any(&mut self, column: &Column<u64>, places: &HashSet<u64>) {
        for document in 0..column.num_docs() {
            if column.values_for_doc(document).any(|place| places.contains(&place)) {
                insert(&mut self.rows, self.first + document);
            }
        }
    }
}

/// Inserts a row if there is room for it: the caller may know fewer rows than the index.
fn insert(rows: &mut RowSet, row: Row) {
    if (row as usize) < rows.len() {
        rows.insert(row);
    }
}

/// Many operands, as columns of each kind keep them.
#[derive(Default)]
struct Operands<'a> {
    bools: HashSet<u64>,
    numbers: HashSet<u64>,
    texts: HashSet<&'a [u8]>,
}

impl<'a> Operands<'a> {
    fn of(operands: &'a [Operand]) -> Self {
        let mut kinds = Self::default();
        for operand in operands {
            match operand {
                Operand::Bool(value) => kinds.bools.insert(u64::from(*value)),
                // What is not a number is equal to nothing.
                Operand::Number(number) => {
                    !number.is_nan() && kinds.numbers.insert(f64_to_u64(unsigned_zero(*number)))
                }
                Operand::Text(text) => kinds.texts.insert(text.as_bytes()),
            };
        }
        kinds
    }

    /// The places of the texts in the column's dictionary.
    fn places(&self, column: &StrColumn) -> tantivy::Result<HashSet<u64>> {
        let mut places = HashSet::new();
        let mut terms = column.dictionary().stream()?;
        while terms.advance() {
            if self.texts.contains(terms.key()) {
                places.insert(terms.term_ord());
            }
        }
        Ok(places)
    }
}

/// The documents that have one of many values, in one pass over each column.
fn among(
    segment: &Segment,
    field: &str,
    operands: &Operands<'_>,
    found: &mut Found,
) -> tantivy::Result<()> {
    for handle in segment.columns.fast_fields().dynamic_column_handles(&column(field))? {
        let Some(values) = handle.open_u64_lenient()? else { continue };
        match handle.column_type() {
            ColumnType::F64 => found.take_any(&values, &operands.numbers),
            ColumnType::Bool => found.take_any(&values, &operands.bools),
            ColumnType::Str => {
                if let DynamicColumn::Str(texts) = handle.open()? {
                    found.take_any(&values, &operands.places(&texts)?);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn exists(segment: &Segment, field: &str, found: &mut Found) -> tantivy::Result<()> {
    for handle in segment.columns.fast_fields().dynamic_column_handles(&column(field))? {
        if let Some(values) = handle.open_u64_lenient()? {
            found.take(&values, 0..=u64::MAX);
        }
    }
    Ok(())
}

fn compare(
    segment: &Segment,
    field: &str,
    comparison: Comparison,
    operand: &Operand,
    found: &mut Found,
) -> tantivy::Result<()> {
    for handle in segment.columns.fast_fields().dynamic_column_handles(&column(field))? {
        let range = match (handle.column_type(), operand) {
            (ColumnType::F64, Operand::Number(number)) => numbers(comparison, *number),
            (ColumnType::Bool, Operand::Bool(value)) if comparison == Comparison::Equal => {
                Some(u64::from(*value)..=u64::from(*value))
            }
            (ColumnType::Str, Operand::Text(text)) => match handle.open()? {
                DynamicColumn::Str(values) => texts(&values, comparison, text)?,
                _ => None,
            },
            _ => None,
        };
        if let (Some(range), Some(values)) = (range, handle.open_u64_lenient()?) {
            found.take(&values, range);
        }
    }
    Ok(())
}

/// The numbers that compare so with this one, as columns keep them. What is not a number compares with nothing.
fn numbers(comparison: Comparison, number: f64) -> Option<RangeInclusive<u64>> {
    if number.is_nan() {
        return None;
    }
    let place = f64_to_u64(unsigned_zero(number));
    let (low, high) = (f64_to_u64(f64::NEG_INFINITY), f64_to_u64(f64::INFINITY));
    Some(match comparison {
        Comparison::Equal | Comparison::NotEqual => place..=place,
        Comparison::Less => low..=place - 1,
        Comparison::AtMost => low..=place,
        Comparison::Greater => place + 1..=high,
        Comparison::AtLeast => place..=high,
    })
}

/// The places, in the column's dictionary, of texts that compare so with this one.
fn texts(
    column: &StrColumn,
    comparison: Comparison,
    text: &str,
) -> tantivy::Result<Option<RangeInclusive<u64>>> {
    let (low, high) = match comparison {
        Comparison::Equal | Comparison::NotEqual => (Bound::Included(text), Bound::Included(text)),
        Comparison::Less => (Bound::Unbounded, Bound::Excluded(text)),
        Comparison::AtMost => (Bound::Unbounded, Bound::Included(text)),
        Comparison::Greater => (Bound::Excluded(text), Bound::Unbounded),
        Comparison::AtLeast => (Bound::Included(text), Bound::Unbounded),
    };
    let terms = column.dictionary().num_terms() as u64;
    let (low, high) = column.dictionary().term_bounds_to_ord(low, high)?;
    let low = match low {
        Bound::Included(place) => place,
        Bound::Excluded(place) => place + 1,
        Bound::Unbounded => 0,
    };
    let behind = match high {
        Bound::Included(place) => place + 1,
        Bound::Excluded(place) => place,
        Bound::Unbounded => terms,
    };
    let behind = behind.min(terms);
    Ok((low < behind).then(|| low..=behind - 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::embedded::lexical::Entry;
    use crate::embedded::lexical::testing::in_memory;
    use crate::metadata::{Metadata, Value};
    use crate::settings::Language;

    /// Few values, of mixed kinds under the same names, so that filters often hold.
    fn single() -> impl Strategy<Value = Value> {
        let numbers =
            [-1.5, -0.0, 0.0, 1.0, 2.0, 1e300, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
        prop_oneof![
            any::<bool>().prop_map(Value::Bool),
            prop::sample::select(numbers.to_vec()).prop_map(Value::Number),
            "(a|b|ab|é|1|true|)".prop_map(Value::Text),
        ]
    }

    fn name() -> impl Strategy<Value = String> {
        "(a|a\\.b|a%2eb|\\\\|\u{1}|)"
    }

    fn metadata() -> impl Strategy<Value = Metadata> {
        let list = || prop::collection::vec(single(), 0..4).prop_map(Value::List);
        let nested = prop::collection::vec(list(), 0..3).prop_map(Value::List);
        let value = prop_oneof![4 => single(), 2 => list(), 1 => nested];
        prop::collection::btree_map(name(), value, 0..4)
    }

    fn operand() -> impl Strategy<Value = Operand> {
        single().prop_map(|value| match value {
            Value::Bool(value) => Operand::Bool(value),
            Value::Number(number) => Operand::Number(number),
            Value::Text(text) => Operand::Text(text),
            Value::List(_) => unreachable!("a single value"),
        })
    }

    fn operands(number: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Operand>> {
        prop::collection::vec(operand(), number)
    }

    fn filter() -> impl Strategy<Value = Filter> {
        use Comparison::{AtLeast, AtMost, Equal, Greater, Less, NotEqual};
        let comparisons = vec![Equal, NotEqual, Less, AtMost, Greater, AtLeast];
        let single = prop_oneof![
            3 => (name(), prop::sample::select(comparisons), operand()).prop_map(
                |(field, comparison, operand)| Filter::Compare { field, comparison, operand }
            ),
            1 => (name(), prop_oneof![operands(0..3), operands(7..12)])
                .prop_map(|(field, operands)| Filter::In { field, operands }),
            1 => name().prop_map(|field| Filter::Exists { field }),
        ];
        single.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Filter::And),
                prop::collection::vec(inner.clone(), 0..3).prop_map(Filter::Or),
                inner.prop_map(|filter| Filter::Not(Box::new(filter))),
            ]
        })
    }

    proptest! {
        #[test]
        fn columns_find_the_rows_that_match(
            pictures in prop::collection::vec(prop::option::of(metadata()), 1..40),
            filters in prop::collection::vec(filter(), 8),
            seam in 0..40_usize,
        ) {
            let rows = pictures.len();
            let seam = seam.min(rows);
            let entries = pictures.iter().enumerate().filter_map(|(row, metadata)| {
                let metadata = metadata.clone()?;
                Some(Entry { row: row as Row, captions: Vec::new(), metadata })
            });
            let (first, second) = entries.partition(|entry| (entry.row as usize) < seam);
            let mut lexical = in_memory(first, seam, Language::None);
            lexical.add(second, rows).unwrap();
            let mut live = RowSet::all(rows);
            live.remove(1);
            for filter in filters {
                let found = lexical.view().filter(&filter, &live).unwrap();
                let holds = |row: Row| {
                    let metadata = pictures[row as usize].clone().unwrap_or_default();
                    live.contains(row) && filter.matches(&metadata)
                };
                let expected: Vec<Row> = (0..rows as Row).filter(|row| holds(*row)).collect();
                prop_assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{}", filter);
            }
        }
    }
}
