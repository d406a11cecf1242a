//! What else the data says of a picture: values by the name of their column or field.
//!
//! What they mean is nobody's business here; only their kind is recognised.

use std::collections::BTreeMap;

use serde_json::Map;
use serde_json::Value as Json;

/// Values by the name of their column or field, sorted.
pub type Metadata = BTreeMap<String, Value>;

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// True or false.
    Bool(bool),
    /// Any finite number.
    Number(f64),
    /// A word or a sentence; never empty.
    Text(String),
    /// Several values; never empty, and never lists again.
    List(Vec<Value>),
}

/// The longest whole number in a table that is taken for one. A longer one is a name made of digits: as `f64` it could lose
/// its last.
///
/// Source: `DBL_DIG` of IEEE 754 doubles, decimal digits that survive the way there and back.
const EXACT_DIGITS: usize = 15;

/// The largest whole number below which an `f64` has them all.
///
/// Source: `Number.MAX_SAFE_INTEGER` of ECMAScript, the same bound for the same reason.
const EXACT_WHOLE: f64 = 9_007_199_254_740_991.0;

impl Value {
    /// What a cell of a table holds; nothing where it is empty.
    ///
    /// A number is what JSON would call one, so `007` and `+1` stay text.
    pub(crate) fn of_cell(cell: &str) -> Option<Self> {
        let cell = cell.trim();
        let whole = cell.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let exact = !whole || cell.trim_start_matches('-').len() <= EXACT_DIGITS;
        let number = || serde_json::from_str::<f64>(cell).ok().filter(|_| exact);
        match cell {
            "" => None,
            "true" | "True" | "TRUE" => Some(Self::Bool(true)),
            "false" | "False" | "FALSE" => Some(Self::Bool(false)),
            _ => Some(number().map_or_else(|| Self::Text(cell.to_owned()), Self::Number)),
        }
    }

    /// What a field of a JSON object holds; nothing where that is null, empty, or an object.
    fn of_json(json: Json) -> Option<Self> {
        match json {
            Json::Array(items) => {
                let items: Vec<Self> = items.into_iter().filter_map(Self::of_scalar).collect();
                (!items.is_empty()).then_some(Self::List(items))
            }
            scalar => Self::of_scalar(scalar),
        }
    }

    fn of_scalar(json: Json) -> Option<Self> {
        match json {
            Json::Bool(value) => Some(Self::Bool(value)),
            Json::Number(number) => Some(match number.as_f64() {
                Some(value) if number.is_f64() || value.abs() <= EXACT_WHOLE => Self::Number(value),
                _ => Self::Text(number.to_string()),
            }),
            Json::String(text) if !text.trim().is_empty() => {
                Some(Self::Text(text.trim().to_owned()))
            }
            _ => None,
        }
    }

    fn into_items(self) -> Vec<Self> {
        match self {
            Self::List(items) => items,
            single => vec![single],
        }
    }
}

/// The fields of an object, and with a dot those of the objects in it; what lies deeper is left out.
pub(crate) fn of_object(object: Map<String, Json>) -> Metadata {
    let mut metadata = Metadata::new();
    for (name, json) in object {
        match json {
            Json::Object(inner) => {
                let dotted = inner.into_iter().map(|(key, json)| (format!("{name}.{key}"), json));
                metadata
                    .extend(dotted.filter_map(|(name, json)| Some((name, Value::of_json(json)?))));
            }
            json => metadata.extend(Value::of_json(json).map(|value| (name, value))),
        }
    }
    metadata
}

/// Takes in what another row says of the same picture: where rows differ, a field lists what each of them says, once.
pub(crate) fn merge(known: &mut Metadata, more: Metadata) {
    for (name, value) in more {
        match known.remove(&name) {
            Some(first) if first != value => {
                let mut items = first.into_items();
                for item in value.into_items() {
                    if !items.contains(&item) {
                        items.push(item);
                    }
                }
                known.insert(name, Value::List(items));
            }
            _ => drop(known.insert(name, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn object(json: &str) -> Metadata {
        of_object(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn a_cell_is_a_number_where_json_would_call_it_one() {
        let numbers =
            [("7", 7.0), (" -0.5 ", -0.5), ("1e3", 1000.0), ("0.30000000000000004", 0.1 + 0.2)];
        for (cell, number) in numbers {
            assert_eq!(Value::of_cell(cell), Some(Value::Number(number)), "{cell}");
        }
        for cell in ["007", "+1", "1.", ".5", "nan", "-1.-1", "1e999", "2.25.1", "1234567890123456"]
        {
            assert_eq!(Value::of_cell(cell), Some(text(cell)));
        }
        assert_eq!(Value::of_cell("True"), Some(Value::Bool(true)));
        assert_eq!(Value::of_cell(" \t"), None);
    }

    #[test]
    fn an_object_gives_scalars_lists_and_one_level_more() {
        let found = object(
            r#"{"year": 2010, "clear": true, "tags": ["a", null, 3], "none": null, "empty": " ", "void": [],
                "in": {"plane": "axial", "deep": {"x": 1}}, "sensor": 9007199254740993}"#,
        );
        let expected = [
            ("clear", Value::Bool(true)),
            ("in.plane", text("axial")),
            ("sensor", text("9007199254740993")),
            ("tags", Value::List(vec![text("a"), Value::Number(3.0)])),
            ("year", Value::Number(2010.0)),
        ];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value)).into());
    }

    #[test]
    fn rows_that_differ_make_a_list_in_which_nothing_stands_twice() {
        let mut known = object(r#"{"who": "Ann", "year": 2010}"#);
        merge(&mut known, object(r#"{"who": "Ben", "year": 2010, "site": "x"}"#));
        merge(&mut known, object(r#"{"who": ["Ann", "Cem"]}"#));
        let who = Value::List(["Ann", "Ben", "Cem"].map(text).to_vec());
        assert_eq!(known["who"], who);
        assert_eq!((&known["year"], &known["site"]), (&Value::Number(2010.0), &text("x")));
    }
}
