//! What there is to choose from: the fields of the pictures, with how often each value occurs.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use finelens_search::{Facet, Value};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::fields::{Fields, unknown};
use super::question::{Legs, Question, legs, which};
use crate::serve::failure::{Failure, FailureBody};
use crate::serve::state::{Served, Which};

/// Values of a field that are listed at most: more than that nobody reads.
const VALUES: usize = 100;

/// Which pictures are counted.
#[derive(Debug, Clone, PartialEq, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Counted {
    /// Words, of which those bind that bind a search; with mode=lexical a picture must have one of the others, too.
    #[param(required = false)]
    q: String,
    /// What decides on the order. Default: hybrid.
    #[param(required = false, inline)]
    mode: Legs,
    /// Condition, as in `year >= 2010 and class in (port, "river bank")`.
    #[param(value_type = String, required = false)]
    filter: Option<String>,
    /// Which index. Default: main.
    #[param(required = false, inline)]
    index: Which,
}

/// Names of all parameters.
const NAMES: [&str; 4] = ["q", "mode", "filter", "index"];

impl Counted {
    fn read(fields: Fields) -> Result<Question, Failure> {
        let mut question = Question::default();
        for (name, value) in fields.0 {
            match name.as_str() {
                "q" => question.q = value,
                "mode" => question.mode = legs(&value)?,
                "filter" => question.filter = Some(value).filter(|text| !text.trim().is_empty()),
                "index" => question.index = which(&value)?,
                _ => return Err(unknown(&name, &NAMES)),
            }
        }
        Ok(question)
    }
}

/// The fields of the pictures that a search does not rule out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Facets {
    /// Pictures that were counted.
    total: usize,
    /// Fields by name; those that none of these pictures has are left out.
    facets: Vec<FacetBody>,
}

/// The values of one field.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FacetBody {
    field: String,
    kind: Kind,
    /// The most frequent first.
    values: Vec<Count>,
    /// Whether there are values that are not listed.
    more: bool,
    /// The least number, where there are numbers.
    min: Option<f64>,
    /// The greatest number.
    max: Option<f64>,
    /// Numbers in each of equally wide parts between the two.
    bins: Vec<usize>,
}

/// What the values of a field are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// Nothing but numbers
    Number,
    /// Nothing but truth values
    Bool,
    /// Anything else
    Text,
}

/// A value with the pictures that have it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Count {
    /// A text, a number or a truth value.
    #[schema(value_type = serde_json::Value)]
    value: Value,
    count: usize,
}

/// Which values the fields have, and how many pictures each: of those that the filter and the binding words leave.
#[utoipa::path(
    get, path = "/api/facets", operation_id = "facets", tag = "search", params(Counted),
    responses(
        (status = 200, body = Facets),
        (status = 400, body = FailureBody, description = "a parameter that cannot be understood"),
        (status = 404, body = FailureBody, description = "no other index is served"),
        (status = 422, body = FailureBody, description = "a filter that cannot be understood"),
        (status = 429, body = FailureBody, description = "too much is asked; see Retry-After"),
    )
)]
pub(crate) async fn get(
    State(served): State<Arc<Served>>,
    fields: Fields,
) -> Result<Json<Facets>, Failure> {
    let question = Counted::read(fields)?;
    let (query, _) = question.query()?;
    let reader = Arc::clone(&served.collection(question.index)?.reader);
    let count = move || reader.facets(&query, VALUES);
    let (counted, _) = served.gate.enter()?.work(count).await?;
    let counted = counted?;
    let facets = counted.fields.into_iter().filter_map(body).collect();
    Ok(Json(Facets { total: counted.pictures, facets }))
}

/// A field as it is told; `None` where none of the pictures has it.
fn body(facet: Facet) -> Option<FacetBody> {
    if facet.values.is_empty() && !facet.more {
        return None;
    }
    let kind = kind(&facet);
    let numbers = facet.numbers;
    Some(FacetBody {
        field: facet.field,
        kind,
        values: facet.values.into_iter().map(|(value, count)| Count { value, count }).collect(),
        more: facet.more,
        min: numbers.as_ref().map(|numbers| numbers.min),
        max: numbers.as_ref().map(|numbers| numbers.max),
        bins: numbers.map(|numbers| numbers.bins).unwrap_or_default(),
    })
}

fn kind(facet: &Facet) -> Kind {
    let all = |is: fn(&Value) -> bool| {
        !facet.values.is_empty() && facet.values.iter().all(|(value, _)| is(value))
    };
    if all(|value| matches!(value, Value::Number(_))) {
        Kind::Number
    } else if all(|value| matches!(value, Value::Bool(_))) {
        Kind::Bool
    } else {
        Kind::Text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facet(values: Vec<Value>, more: bool) -> Facet {
        let values = values.into_iter().map(|value| (value, 1)).collect();
        Facet { field: "f".to_owned(), values, more, numbers: None }
    }

    #[test]
    fn a_field_is_of_the_kind_that_all_its_values_are() {
        let number = || Value::Number(1.0);
        let text = || Value::Text("a".to_owned());
        assert_eq!(kind(&facet(vec![number(), number()], false)), Kind::Number);
        assert_eq!(kind(&facet(vec![Value::Bool(true)], false)), Kind::Bool);
        assert_eq!(kind(&facet(vec![number(), text()], false)), Kind::Text);
        assert_eq!(kind(&facet(Vec::new(), true)), Kind::Text);
    }

    #[test]
    fn a_field_that_no_picture_has_is_left_out() {
        assert!(body(facet(Vec::new(), false)).is_none());
        assert!(body(facet(Vec::new(), true)).is_some());
    }

    #[test]
    fn every_parameter_that_is_described_is_read_and_no_other() {
        let described: Vec<String> =
            Counted::into_params(|| None).into_iter().map(|parameter| parameter.name).collect();
        assert_eq!(described, NAMES);
        assert!(Counted::read(Fields::of_query("q=a&mode=lexical&filter=b+exists")).is_ok());
        assert_eq!(Counted::read(Fields::of_query("x=1")).unwrap_err(), unknown("x", &NAMES));
    }
}
