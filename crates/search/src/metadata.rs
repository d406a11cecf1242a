//! What is known of a picture apart from its captions: named values to filter by.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Values by field name, sorted.
pub type Metadata = BTreeMap<String, Value>;

/// One value of a field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// True or false.
    Bool(bool),
    /// Any number; all of them are compared as `f64`, as JSON does.
    Number(f64),
    /// A word or a sentence, compared to the letter.
    Text(String),
    /// Several values; a filter holds when it holds for one of them.
    List(Vec<Value>),
}

impl Value {
    /// Shows every single value in it, those of lists one by one.
    pub(crate) fn visit<'a>(&'a self, see: &mut impl FnMut(&'a Self)) {
        match self {
            Self::List(values) => {
                for value in values {
                    value.visit(see);
                }
            }
            single => see(single),
        }
    }
}

/// Lists inside each other, the outermost included. JSON that is nested much deeper is not read back.
const MAX_LISTS: usize = 4;

/// Why metadata could not be read back, if it could not.
pub(crate) fn unreadable(metadata: &Metadata) -> Option<&'static str> {
    metadata.values().find_map(|value| unreadable_within(value, 0))
}

/// The same for a value inside this many lists.
fn unreadable_within(value: &Value, lists: usize) -> Option<&'static str> {
    match value {
        Value::Number(number) if !number.is_finite() => {
            Some("its metadata holds a number that is infinite or not a number")
        }
        Value::List(_) if lists == MAX_LISTS => {
            Some("its metadata holds more than 4 lists inside each other")
        }
        Value::List(values) => values.iter().find_map(|value| unreadable_within(value, lists + 1)),
        Value::Bool(_) | Value::Number(_) | Value::Text(_) => None,
    }
}
