//! Names and values of a request, wherever they stand: behind the `?` of an address, or in a form.

use std::convert::Infallible;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::serve::failure::Failure;

/// Letters of a wrong value that are shown.
const SHOWN: usize = 80;

/// Names with their values, in order; a name may come more than once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(pub(crate) Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Fields {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of_query(parts.uri.query().unwrap_or_default()))
    }
}

impl Fields {
    /// Those of an address; what is not UTF-8 is replaced, as browsers do.
    pub(crate) fn of_query(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }
}

/// A value of some type.
fn parsed<T: FromStr>(name: &str, value: &str, expected: &str) -> Result<T, Failure> {
    value.parse().map_err(|_| wrong(name, value, expected))
}

/// A finite number between two others.
pub(crate) fn share(name: &str, value: &str, least: f32, most: f32) -> Result<f32, Failure> {
    let expected = format!("a number from {least} to {most}");
    let number: f32 = parsed(name, value, &expected)?;
    if (least..=most).contains(&number) { Ok(number) } else { Err(wrong(name, value, &expected)) }
}

/// A finite number; one beyond what 32 bits hold is the largest of these.
pub(crate) fn finite(name: &str, value: &str) -> Result<f32, Failure> {
    let number: f64 = parsed(name, value, "a number")?;
    if !number.is_finite() {
        return Err(wrong(name, value, "a number"));
    }
    Ok(number.clamp(f32::MIN.into(), f32::MAX.into()) as f32)
}

/// A whole number between two others.
pub(crate) fn between(
    name: &str,
    value: &str,
    least: usize,
    most: usize,
) -> Result<usize, Failure> {
    let expected = format!("a whole number from {least} to {most}");
    let number = parsed(name, value, &expected)?;
    if (least..=most).contains(&number) { Ok(number) } else { Err(wrong(name, value, &expected)) }
}

/// `true` or `false`; a name alone, without a value, is `true`.
pub(crate) fn flag(name: &str, value: &str) -> Result<bool, Failure> {
    match value {
        "" | "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(wrong(name, value, "true or false")),
    }
}

/// A value that is not what was expected.
pub(crate) fn wrong(name: &str, value: &str, expected: &str) -> Failure {
    let shown: String = value.chars().take(SHOWN).collect();
    Failure::bad("bad_parameter", format!("{name}: expected {expected}, found {shown:?}"))
}

/// Likeness from which a name was probably meant to be another. Own choice.
const ALIKE: f64 = 0.8;

/// A name that means nothing here.
pub(crate) fn unknown(name: &str, known: &[&str]) -> Failure {
    let shown: String = name.chars().take(SHOWN).collect();
    let failure = Failure::bad("unknown_parameter", format!("there is no parameter {shown:?}"));
    let nearest = known
        .iter()
        .max_by(|a, b| strsim::jaro_winkler(a, &shown).total_cmp(&strsim::jaro_winkler(b, &shown)));
    match nearest {
        Some(nearest) if strsim::jaro_winkler(nearest, &shown) > ALIKE => {
            failure.hint(format!("did you mean {nearest}?"))
        }
        _ => failure.hint(format!("known: {}", known.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_repeat_and_any_bytes_are_text() {
        let fields = Fields::of_query("q=a+red%20boat&like=a%2Fb.jpg&like=%FF&fold");
        let expected =
            [("q", "a red boat"), ("like", "a/b.jpg"), ("like", "\u{fffd}"), ("fold", "")];
        assert_eq!(fields.0, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn numbers_out_of_range_and_no_numbers_are_refused() {
        assert_eq!(share("weight", "0.5", 0.0, 1.0).unwrap(), 0.5);
        for wrong in ["1.5", "NaN", "inf", "", "half"] {
            assert_eq!(share("weight", wrong, 0.0, 1.0).unwrap_err().code(), "bad_parameter");
        }
        assert_eq!(finite("min_score", "1e300").unwrap(), f32::MAX);
        assert!(finite("min_score", "inf").is_err() && finite("min_score", "NaN").is_err());
        assert!(flag("fold", "").unwrap() && !flag("fold", "false").unwrap());
        assert!(flag("fold", "maybe").is_err() && flag("fold", "0").is_err());
    }
}
