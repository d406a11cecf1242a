//! Conditions on metadata.
//!
//! This is their meaning; `embedded/lexical/columns.rs` is the fast way to the same rows.

mod parse;

use std::fmt;

use crate::error::Error;
use crate::metadata::{Metadata, Value};

/// A condition on metadata.
///
/// Metadata is flat: a field's name is its whole key, dots included. A field with several values satisfies a condition
/// when one of them does; one with an empty list has no value at all. `!=` and `not` hold wherever their opposite does
/// not, so a picture without the field satisfies `class != port`.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// All of them hold.
    And(Vec<Filter>),
    /// One of them holds.
    Or(Vec<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// A value of the field compares with this one. Values of different kinds are never equal, less or greater; numbers
    /// are compared as numbers, texts by their letters, so that dates such as `2019-05-01` work; `<` knows no truth values.
    Compare {
        /// Name of the field.
        field: String,
        /// How.
        comparison: Comparison,
        /// With what.
        operand: Operand,
    },
    /// A value of the field is one of these.
    In {
        /// Name of the field.
        field: String,
        /// Which.
        operands: Vec<Operand>,
    },
    /// The field has a value.
    Exists {
        /// Name of the field.
        field: String,
    },
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "a comparison is its name")]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// What a field is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// True or false.
    Bool(bool),
    /// Any number.
    Number(f64),
    /// A text, to the letter.
    Text(String),
}

impl Filter {
    /// Reads a condition such as `year >= 2010 and class in (port, "river bank") and not cloudy = true`.
    ///
    /// `not` binds closer than `and`, `and` closer than `or`. Names and texts with spaces, signs or the words of this
    /// language are put in double quotes, in which `\` stands before `"` and `\`.
    ///
    /// # Errors
    /// [`Error::Filter`] with the place, what was expected there and what was found.
    pub fn parse(text: &str) -> Result<Self, Error> {
        parse::parse(text)
    }

    /// Whether it holds for this metadata.
    pub fn matches(&self, metadata: &Metadata) -> bool {
        match self {
            Self::And(filters) => filters.iter().all(|filter| filter.matches(metadata)),
            Self::Or(filters) => filters.iter().any(|filter| filter.matches(metadata)),
            Self::Not(filter) => !filter.matches(metadata),
            Self::Compare { field, comparison: Comparison::NotEqual, operand } => {
                !values(metadata, field).any(|value| holds(value, Comparison::Equal, operand))
            }
            Self::Compare { field, comparison, operand } => {
                values(metadata, field).any(|value| holds(value, *comparison, operand))
            }
            Self::In { field, operands } => values(metadata, field).any(|value| {
                operands.iter().any(|operand| holds(value, Comparison::Equal, operand))
            }),
            Self::Exists { field } => values(metadata, field).next().is_some(),
        }
    }
}

/// The single values of a field, those of lists one by one.
fn values<'a>(metadata: &'a Metadata, field: &str) -> impl Iterator<Item = &'a Value> {
    let mut single = Vec::new();
    if let Some(value) = metadata.get(field) {
        value.visit(&mut |value| single.push(value));
    }
    single.into_iter()
}

fn holds(value: &Value, comparison: Comparison, operand: &Operand) -> bool {
    match (value, operand) {
        (Value::Bool(value), Operand::Bool(operand)) => {
            comparison == Comparison::Equal && value == operand
        }
        (Value::Number(value), Operand::Number(operand)) => {
            value.partial_cmp(operand).is_some_and(|order| comparison.allows(order))
        }
        (Value::Text(value), Operand::Text(operand)) => comparison.allows(value.cmp(operand)),
        _ => false,
    }
}

impl Comparison {
    fn allows(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::AtLeast => order.is_ge(),
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        }
    }
}

/// As it would be typed: what was parsed is printed so that it parses to an equal filter.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(filters) => joined(f, filters, " and "),
            Self::Or(filters) => joined(f, filters, " or "),
            Self::Not(filter) => write!(f, "not {}", Inner(filter)),
            Self::Compare { field, comparison, operand } => {
                write!(f, "{} {} {operand}", Quoted(field), comparison.sign())
            }
            Self::In { field, operands } => {
                let operands: Vec<_> = operands.iter().map(Operand::to_string).collect();
                write!(f, "{} in ({})", Quoted(field), operands.join(", "))
            }
            Self::Exists { field } => write!(f, "{} exists", Quoted(field)),
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Text(text) => write!(f, "{}", Quoted(text)),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, filters: &[Filter], between: &str) -> fmt::Result {
    for (place, filter) in filters.iter().enumerate() {
        let between = if place > 0 { between } else { "" };
        write!(f, "{between}{}", Inner(filter))?;
    }
    Ok(())
}

/// A filter inside another, with parentheses where it needs them.
struct Inner<'a>(&'a Filter);

impl fmt::Display for Inner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Filter::And(_) | Filter::Or(_) => write!(f, "({})", self.0),
            single => write!(f, "{single}"),
        }
    }
}

/// A name or text, in quotes unless it reads as the same text without.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if parse::reads_as_text(self.0) {
            return f.write_str(self.0);
        }
        write!(f, "\"{}\"", self.0.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn picture() -> Metadata {
        let json = r#"{"year": 2012, "class": ["port", "river bank"], "cloudy": false,
                       "taken": "2019-05-01", "a.b/c": 1, "none": [], "deep": [[1], ["x", true]]}"#;
        serde_json::from_str(json).unwrap()
    }

    fn holds(text: &str) -> bool {
        Filter::parse(text).unwrap().matches(&picture())
    }

    #[test]
    fn comparisons_mean_what_they_say() {
        for text in [
            "year = 2012",
            "year >= 2012 and year < 2013.5",
            "class = port",
            "class in (forest, \"river bank\")",
            "cloudy = false",
            "taken >= 2019-05 and taken < 2019-06",
            "a.b/c = 1",
            "class exists",
            "deep = 1 and deep = x and deep = true",
            "year = 2 or year > 2000",
            "not (year = 2 or year = 3)",
        ] {
            assert!(holds(text), "{text}");
        }
        for text in
            ["year = \"2012\"", "year < 2012", "cloudy < true", "class = Port", "none exists"]
        {
            assert!(!holds(text), "{text}");
        }
    }

    #[test]
    fn what_is_not_there_is_unequal() {
        assert!(holds("missing != port"));
        assert!(holds("not missing = port"));
        assert!(!holds("missing exists"));
        assert!(!holds("class != port"), "one of its values is port");
    }

    fn operand() -> impl Strategy<Value = Operand> {
        prop_oneof![
            any::<bool>().prop_map(Operand::Bool),
            (-1e300..1e300).prop_map(Operand::Number),
            (-3i32..3).prop_map(|number| Operand::Number(number.into())),
            any::<String>().prop_map(Operand::Text),
            "(and|OR|true|12|-0|1e5|x y|\\\\\"|)".prop_map(Operand::Text),
        ]
    }

    fn filter() -> impl Strategy<Value = Filter> {
        let field = || prop_oneof![any::<String>(), "[a-c. /]{0,3}", "(in|exists|not)"];
        let comparison = prop_oneof![
            Just(Comparison::Equal),
            Just(Comparison::NotEqual),
            Just(Comparison::Less),
            Just(Comparison::AtMost),
            Just(Comparison::Greater),
            Just(Comparison::AtLeast),
        ];
        let single = prop_oneof![
            (field(), comparison, operand()).prop_map(|(field, comparison, operand)| {
                Filter::Compare { field, comparison, operand }
            }),
            (field(), prop::collection::vec(operand(), 1..4))
                .prop_map(|(field, operands)| Filter::In { field, operands }),
            field().prop_map(|field| Filter::Exists { field }),
        ];
        single.prop_recursive(4, 16, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::And),
                prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::Or),
                inner.prop_map(|filter| Filter::Not(Box::new(filter))),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_to_the_same(filter in filter()) {
            let text = filter.to_string();
            prop_assert_eq!(Filter::parse(&text).unwrap(), filter, "{}", text);
        }
    }
}
