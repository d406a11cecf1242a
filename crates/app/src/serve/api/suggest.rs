//! What somebody may be about to type.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::fields::{Fields, between, unknown};
use super::question::which;
use crate::serve::failure::{Failure, FailureBody};
use crate::serve::state::{Served, Which};

/// Suggestions at most.
const MOST: usize = 50;

/// What was typed so far.
#[derive(Debug, Clone, PartialEq, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Typed {
    /// The words so far; the last one is completed.
    #[param(required = false)]
    q: String,
    /// Suggestions wanted. Default: 8.
    #[param(required = false, minimum = 1, maximum = 50)]
    limit: usize,
    /// Which index. Default: main.
    #[param(required = false, inline)]
    index: Which,
}

impl Typed {
    fn read(fields: Fields) -> Result<Self, Failure> {
        let mut typed = Self { q: String::new(), limit: 8, index: Which::Main };
        for (name, value) in fields.0 {
            match name.as_str() {
                "q" => typed.q = value,
                "limit" => typed.limit = between(&name, &value, 1, MOST)?,
                "index" => typed.index = which(&value)?,
                _ => return Err(unknown(&name, &["q", "limit", "index"])),
            }
        }
        Ok(typed)
    }
}

/// How what was typed may go on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Suggestions {
    /// Whole questions, the likeliest first.
    suggestions: Vec<String>,
}

/// Words of the captions that go on with what was typed.
#[utoipa::path(
    get, path = "/api/suggest", operation_id = "suggest", tag = "search", params(Typed),
    responses(
        (status = 200, body = Suggestions),
        (status = 400, body = FailureBody, description = "a parameter that cannot be understood"),
        (status = 404, body = FailureBody, description = "no other index is served"),
        (status = 429, body = FailureBody, description = "too much is asked; see Retry-After"),
    )
)]
pub(crate) async fn get(
    State(served): State<Arc<Served>>,
    fields: Fields,
) -> Result<Json<Suggestions>, Failure> {
    let typed = Typed::read(fields)?;
    let reader = Arc::clone(&served.collection(typed.index)?.reader);
    let (head, last) = parted(&typed.q);
    if last.is_empty() {
        return Ok(Json(Suggestions { suggestions: Vec::new() }));
    }
    let (head, last) = (head.to_owned(), last.to_owned());
    let before = head.clone();
    let complete = move || reader.completions(&before, &last, typed.limit);
    let (words, _) = served.gate.enter()?.work(complete).await?;
    let whole = |word: String| format!("{head}{word}");
    Ok(Json(Suggestions { suggestions: words?.into_iter().map(whole).collect() }))
}

/// What is typed to its end, and the word that is not; signs such as `+` belong to the former.
fn parted(typed: &str) -> (&str, &str) {
    let begins = typed.rfind(|letter: char| !letter.is_alphanumeric());
    let letter = |at: usize| typed[at..].chars().next().map_or(0, char::len_utf8);
    typed.split_at(begins.map_or(0, |at| at + letter(at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_word_is_completed() {
        assert_eq!(parted("a red bo"), ("a red ", "bo"));
        assert_eq!(parted("+riv"), ("+", "riv"));
        assert_eq!(parted("a red "), ("a red ", ""));
        assert_eq!(parted("höh"), ("", "höh"));
        assert_eq!(parted("…é"), ("…", "é"));
        assert_eq!(parted(""), ("", ""));
    }
}
