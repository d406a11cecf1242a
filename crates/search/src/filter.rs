//! Conditions on metadata.

use crate::error::Error;

/// A condition on metadata.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// All of them hold.
    And(Vec<Filter>),
}

impl Filter {
    /// Reads a condition such as `year >= 2010 and class in (port, "river bank") and not cloudy = true`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        todo!("{text}")
    }
}
