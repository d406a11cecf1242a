//! Why a condition holds for no picture: most often a field is called or written otherwise.

use std::collections::BTreeSet;

use finelens_search::{
    Backend, Comparison, Embedded, Error, Filter, Mode, Operand, Query, Value, Words,
};

/// Pictures that are asked which fields there are.
const ASKED: usize = 100;

/// What is wrong with the fields of a condition; empty if each is there and holds values of the kind it is compared with.
pub(crate) fn reasons(index: &Embedded, filter: &Filter) -> Result<Vec<String>, Error> {
    let mut conditions = Vec::new();
    collect(filter, &mut conditions);
    let told = conditions
        .into_iter()
        .filter_map(|(field, operand)| reason(index, field, operand).transpose());
    told.collect()
}

/// The single conditions: each field with what it is compared with.
fn collect<'a>(filter: &'a Filter, conditions: &mut Vec<(&'a str, Option<&'a Operand>)>) {
    match filter {
        Filter::And(filters) | Filter::Or(filters) => {
            for filter in filters {
                collect(filter, conditions);
            }
        }
        Filter::Not(filter) => collect(filter, conditions),
        Filter::Compare { field, operand, .. } => conditions.push((field, Some(operand))),
        Filter::In { field, operands } => conditions.push((field, operands.first())),
        Filter::Exists { field } => conditions.push((field, None)),
    }
}

fn reason(
    index: &Embedded,
    field: &str,
    operand: Option<&Operand>,
) -> Result<Option<String>, Error> {
    let has = Filter::Exists { field: field.to_owned() };
    let Some(example) = values(index, has, field)?.pop() else {
        return Ok(Some(format!("no picture has a field {field:?}; fields: {}", fields(index)?)));
    };
    if !matches!(operand, Some(Operand::Number(_)))
        || !values(index, numeric(field), field)?.is_empty()
    {
        return Ok(None);
    }
    let Value::Text(text) = example else { return Ok(None) };
    Ok(Some(format!("{field:?} holds texts, no numbers: write them in quotes, as {text:?}")))
}

/// Holds where the field has any number.
fn numeric(field: &str) -> Filter {
    let compare = |comparison| {
        let (field, operand) = (field.to_owned(), Operand::Number(0.0));
        Filter::Compare { field, comparison, operand }
    };
    Filter::Or(vec![compare(Comparison::Less), compare(Comparison::AtLeast)])
}

/// A value of the field, of the first picture that the filter holds for.
fn values(index: &Embedded, filter: Filter, field: &str) -> Result<Vec<Value>, Error> {
    let query = Query { mode: Mode::Lexical, filter: Some(filter), limit: 1, ..anything() };
    let hits = index.search(&query)?.hits;
    Ok(hits.into_iter().filter_map(|mut hit| hit.record.metadata.remove(field)).collect())
}

/// Names of fields, of the first pictures.
fn fields(index: &Embedded) -> Result<String, Error> {
    let hits = index.search(&Query { mode: Mode::Lexical, limit: ASKED, ..anything() })?.hits;
    let names: BTreeSet<String> =
        hits.into_iter().flat_map(|hit| hit.record.metadata.into_keys()).collect();
    let quoted = |name: &String| if plain(name) { name.clone() } else { format!("{name:?}") };
    let names: Vec<String> = names.iter().map(quoted).collect();
    Ok(if names.is_empty() { "none".to_owned() } else { names.join(", ") })
}

/// Whether a name can be typed without quotes.
fn plain(name: &str) -> bool {
    name.chars().all(|letter| letter.is_alphanumeric() || "._-".contains(letter))
}

fn anything() -> Query {
    Query::new(Words::default(), None)
}
