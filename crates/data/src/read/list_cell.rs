//! A caption cell that is a printed list: `['a' 'b']` as numpy prints an array of strings, and
//! `['a', "b"]` as Python or JSON print a list.
//!
//! Only strings are understood; anything else is an error with its place.

use std::{iter::Peekable, str::CharIndices};

use crate::Reason;

/// Whether a cell looks like a printed list of strings.
pub(super) fn is_list(cell: &str) -> bool {
    let inner = strip_array(cell.trim());
    let Some(first) = inner.strip_prefix('[') else { return false };
    inner.ends_with(']') && first.trim_start().starts_with(['\'', '"'])
}

/// The strings of the list, in order.
pub(super) fn parse(cell: &str) -> Result<Vec<String>, Reason> {
    let text = strip_array(cell.trim());
    let mut letters = text.char_indices().peekable();
    if letters.next_if(|(_, letter)| *letter == '[').is_none() {
        return Err(bad("expected [", 0));
    }
    let mut items = Vec::new();
    loop {
        let apart = skip_separator(&mut letters);
        match letters.next() {
            Some((_, ']')) if letters.peek().is_none() => return Ok(items),
            Some((at, ']')) => return Err(bad("text after the closing ]", at + 1)),
            Some((at, '\'' | '"')) if !items.is_empty() && !apart => {
                return Err(bad("no space between two strings", at));
            }
            Some((at, quote @ ('\'' | '"'))) => items.push(string(&mut letters, quote, at)?),
            Some((at, _)) => return Err(bad("expected a quote or ]", at)),
            None => return Err(bad("no closing ]", text.len())),
        }
    }
}

/// What is inside `array(...)`, without a trailing `dtype`.
fn strip_array(cell: &str) -> &str {
    let Some(inner) = cell.strip_prefix("array(").and_then(|rest| rest.strip_suffix(')')) else {
        return cell;
    };
    inner
        .rsplit_once(", dtype=")
        .or_else(|| inner.rsplit_once(",\n      dtype="))
        .map_or(inner, |(list, _)| list)
        .trim()
}

/// Skips white space with at most one comma in it, and tells whether there was any.
fn skip_separator(letters: &mut Peekable<CharIndices<'_>>) -> bool {
    let mut any = false;
    let mut commas = 0;
    while let Some((_, letter)) =
        letters.next_if(|(_, letter)| letter.is_whitespace() || (*letter == ',' && commas == 0))
    {
        commas += usize::from(letter == ',');
        any = true;
    }
    any
}

/// The rest of a string whose opening quote was just read.
fn string(
    letters: &mut Peekable<CharIndices<'_>>,
    quote: char,
    start: usize,
) -> Result<String, Reason> {
    let mut text = String::new();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => escape(letters, &mut text, at)?,
            letter if letter == quote => return Ok(text),
            letter => text.push(letter),
        }
    }
    Err(bad("a string that is never closed", start))
}

/// What stands for itself after a backslash, in Python's and JSON's spelling.
fn escape(
    letters: &mut Peekable<CharIndices<'_>>,
    text: &mut String,
    at: usize,
) -> Result<(), Reason> {
    let Some((_, letter)) = letters.next() else { return Err(bad("a backslash at the end", at)) };
    match letter {
        'n' => text.push('\n'),
        't' => text.push('\t'),
        'r' => text.push('\r'),
        'x' => text.push(code_point(hex(letters, 2, at)?, at)?),
        'u' => text.push(unicode(letters, at)?),
        'U' => text.push(code_point(hex(letters, 8, at)?, at)?),
        '\\' | '\'' | '"' | '/' => text.push(letter),
        // Python keeps a backslash that escapes nothing.
        other => text.extend(['\\', other]),
    }
    Ok(())
}

/// Four hexadecimal digits, or twice four that make one letter, as JSON writes emoji.
fn unicode(letters: &mut Peekable<CharIndices<'_>>, at: usize) -> Result<char, Reason> {
    let first = hex(letters, 4, at)?;
    if !(0xd800..0xdc00).contains(&first) {
        return code_point(first, at);
    }
    let paired = letters.next_if(|(_, letter)| *letter == '\\').is_some()
        && letters.next().is_some_and(|(_, u)| u == 'u');
    let second = if paired { hex(letters, 4, at)? } else { 0 };
    if !(0xdc00..0xe000).contains(&second) {
        return Err(bad("half a surrogate pair", at));
    }
    code_point(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00), at)
}

fn hex(letters: &mut Peekable<CharIndices<'_>>, digits: usize, at: usize) -> Result<u32, Reason> {
    (0..digits).try_fold(0u32, |number, _| {
        let digit = letters.next().and_then(|(_, letter)| letter.to_digit(16));
        Ok((number << 4) | digit.ok_or_else(|| bad("a broken escape", at))?)
    })
}

fn code_point(number: u32, at: usize) -> Result<char, Reason> {
    char::from_u32(number).ok_or_else(|| bad("an escape that is no letter", at))
}

fn bad(what: &'static str, offset: usize) -> Reason {
    Reason::BadList { what, offset }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use proptest::prelude::*;

    /// Python's `repr` of a string, written from its documentation.
    fn repr(text: &str) -> String {
        let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
        let mut printed = String::from(quote);
        for letter in text.chars() {
            match letter {
                '\\' => printed.push_str("\\\\"),
                '\n' => printed.push_str("\\n"),
                '\t' => printed.push_str("\\t"),
                '\r' => printed.push_str("\\r"),
                letter if letter == quote => printed.extend(['\\', letter]),
                letter if u32::from(letter) < 0x20 => {
                    write!(printed, "\\x{:02x}", u32::from(letter)).unwrap();
                }
                letter => printed.push(letter),
            }
        }
        printed.push(quote);
        printed
    }

    fn error(cell: &str) -> String {
        parse(cell).unwrap_err().to_string()
    }

    #[test]
    fn numpy_python_and_json_lists_are_read() {
        let numpy = "['some planes .'\n \"a plane's wing\"\n 'it\\'s \"big\"']";
        assert_eq!(parse(numpy).unwrap(), ["some planes .", "a plane's wing", "it's \"big\""]);
        assert_eq!(parse("['a', \"b\"]").unwrap(), ["a", "b"]);
        assert_eq!(parse(r#"["a\u00e9", "\ud83d\ude00"]"#).unwrap(), ["aé", "😀"]);
        assert_eq!(parse("array(['a', 'b'],\n      dtype='<U85')").unwrap(), ["a", "b"]);
        assert_eq!(parse("array(['a'], dtype=object)").unwrap(), ["a"]);
        assert_eq!(parse("[]").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_is_broken_is_named_with_its_place() {
        assert_eq!(error("['a' 'b'"), "caption list: no closing ] at offset 8");
        assert_eq!(error("['a"), "caption list: a string that is never closed at offset 1");
        assert_eq!(error("['a''b']"), "caption list: no space between two strings at offset 4");
        assert_eq!(error("['a' ... 'b']"), "caption list: expected a quote or ] at offset 5");
        assert_eq!(error("['a'] b"), "caption list: text after the closing ] at offset 5");
        assert_eq!(error("['\\ud83d']"), "caption list: half a surrogate pair at offset 2");
        assert_eq!(error("a caption"), "caption list: expected [ at offset 0");
    }

    #[test]
    fn a_caption_is_no_list() {
        assert!(is_list("['a'\n 'b']"));
        assert!(!is_list("[left] a lung"));
        assert!(!is_list("a caption"));
    }

    proptest! {
        #[test]
        fn what_python_prints_is_read_back(items in proptest::collection::vec("\\PC*|[ -~\n\t]{0,20}", 0..6)) {
            let printed: Vec<String> = items.iter().map(|item| repr(item)).collect();
            for separator in ["\n ", ", ", " "] {
                let cell = format!("[{}]", printed.join(separator));
                prop_assert_eq!(&parse(&cell).unwrap(), &items);
            }
        }

        #[test]
        fn no_cell_panics(cell in "[\\[\\]'\"\\\\ ,a-fxuU0-9é\n]{0,40}") {
            let _ = is_list(&cell);
            let _ = parse(&cell);
        }
    }
}
