//! What the fields of pictures hold, and how often.

use crate::metadata::Value;

/// The fields of some pictures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facets {
    /// Pictures that were counted.
    pub pictures: usize,
    /// Fields that any picture of the index has, by name.
    pub fields: Vec<Facet>,
}

/// The values of one field.
#[derive(Clone, Debug, PartialEq)]
pub struct Facet {
    /// Name of the field.
    pub field: String,
    /// Single values, each with how many of the pictures have it, the most frequent first.
    pub values: Vec<(Value, usize)>,
    /// Whether there are values that are not listed. A field with thousands of different texts lists none: they are names, not
    /// kinds.
    pub more: bool,
    /// The numbers among the values, where there are any.
    pub numbers: Option<Numbers>,
}

/// How the numbers of a field are spread.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbers {
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// Values in each of equally wide parts between the two, a picture counting once for each of its different values.
    pub bins: Vec<usize>,
}
