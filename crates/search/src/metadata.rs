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
