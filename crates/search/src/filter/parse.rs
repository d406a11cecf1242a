//! A filter from what was typed, by recursive descent.

use std::iter::Peekable;
use std::vec::IntoIter;

use crate::error::Error;
use crate::filter::{Comparison, Filter, Operand};

/// Parentheses and `not`s inside each other; the parser calls itself for each.
const MAX_DEPTH: usize = 64;

/// Conditions on fields: each is looked up in the whole index. What is in the list of an `in` is looked up together.
const MAX_CONDITIONS: usize = 256;

/// One word or sign of a filter.
#[derive(Clone, Debug, PartialEq)]
enum Token {
    Open,
    Close,
    Comma,
    Comparison(Comparison),
    /// A word as it stands, perhaps a keyword, a number or a truth value.
    Bare(String),
    Quoted(String),
    /// What cannot stand anywhere.
    Stray(String),
    End,
}

/// A token and the character at which it begins, from 1.
type Placed = (Token, usize);

/// Why it cannot be understood: where, what was expected, what was found.
struct Trouble {
    at: usize,
    expected: &'static str,
    found: String,
}

struct Parser {
    tokens: Peekable<IntoIter<Placed>>,
    depth: usize,
    conditions: usize,
}

/// See [`Filter::parse`].
pub(super) fn parse(text: &str) -> Result<Filter, Error> {
    let mut parser =
        Parser { tokens: tokens(text).into_iter().peekable(), depth: 0, conditions: 0 };
    let filter = parser.any().and_then(|filter| match parser.peek() {
        Token::End => Ok(filter),
        _ => Err(parser.trouble("`and`, `or` or the end")),
    });
    filter.map_err(|Trouble { at, expected, found }| Error::Filter {
        text: text.to_owned(),
        at,
        reason: format!("expected {expected}, found {found}"),
    })
}

/// Whether a bare word would be read as this text, and not as something else.
pub(super) fn reads_as_text(text: &str) -> bool {
    let plain = !text.is_empty() && text.chars().all(is_bare);
    plain && keyword(text).is_none() && matches!(operand(text), Operand::Text(_))
}

impl Parser {
    /// `all or all or ...`
    fn any(&mut self) -> Result<Filter, Trouble> {
        self.chain("or", Self::all, Filter::Or)
    }

    /// `one and one and ...`
    fn all(&mut self) -> Result<Filter, Trouble> {
        self.chain("and", Self::one, Filter::And)
    }

    fn chain(
        &mut self,
        word: &str,
        part: fn(&mut Self) -> Result<Filter, Trouble>,
        join: fn(Vec<Filter>) -> Filter,
    ) -> Result<Filter, Trouble> {
        let first = part(self)?;
        let mut rest = Vec::new();
        while self.take_keyword(word) {
            rest.push(part(self)?);
        }
        Ok(if rest.is_empty() { first } else { join([vec![first], rest].concat()) })
    }

    /// `not one`, `( any )` or a condition on a field.
    fn one(&mut self) -> Result<Filter, Trouble> {
        if self.take_keyword("not") {
            return self.deeper(Self::one).map(|filter| Filter::Not(Box::new(filter)));
        }
        if self.take(&Token::Open) {
            let filter = self.deeper(Self::any)?;
            return self.expect(&Token::Close, "`and`, `or` or `)`").map(|()| filter);
        }
        if self.conditions == MAX_CONDITIONS {
            return Err(self.trouble("at most 256 conditions"));
        }
        self.conditions += 1;
        let field = self.name()?;
        self.condition(field)
    }

    fn deeper(
        &mut self,
        part: fn(&mut Self) -> Result<Filter, Trouble>,
    ) -> Result<Filter, Trouble> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.trouble("at most 64 levels of parentheses and `not`"));
        }
        let filter = part(self);
        self.depth -= 1;
        filter
    }

    /// What comes behind the name of a field.
    fn condition(&mut self, field: String) -> Result<Filter, Trouble> {
        if self.take_keyword("exists") {
            return Ok(Filter::Exists { field });
        }
        if self.take_keyword("in") {
            return self.list().map(|operands| Filter::In { field, operands });
        }
        let &Token::Comparison(comparison) = self.peek() else {
            return Err(self.trouble("`=`, `!=`, `<`, `<=`, `>`, `>=`, `in` or `exists`"));
        };
        self.tokens.next();
        Ok(Filter::Compare { field, comparison, operand: self.operand()? })
    }

    /// `( operand , operand ... )`
    fn list(&mut self) -> Result<Vec<Operand>, Trouble> {
        self.expect(&Token::Open, "`(`")?;
        let mut operands = vec![self.operand()?];
        while self.take(&Token::Comma) {
            operands.push(self.operand()?);
        }
        self.expect(&Token::Close, "`,` or `)`").map(|()| operands)
    }

    fn name(&mut self) -> Result<String, Trouble> {
        let name = match self.peek() {
            Token::Bare(word) if keyword(word).is_none() => word.clone(),
            Token::Quoted(name) => name.clone(),
            _ => return Err(self.trouble("the name of a field, `not` or `(`")),
        };
        self.tokens.next();
        Ok(name)
    }

    fn operand(&mut self) -> Result<Operand, Trouble> {
        let value = match self.peek() {
            Token::Bare(word) if keyword(word).is_none() => operand(word),
            Token::Quoted(text) => Operand::Text(text.clone()),
            _ => return Err(self.trouble("a value")),
        };
        self.tokens.next();
        Ok(value)
    }

    fn peek(&mut self) -> &Token {
        self.tokens.peek().map_or(&Token::End, |(token, _)| token)
    }

    fn take(&mut self, wanted: &Token) -> bool {
        self.tokens.next_if(|(token, _)| token == wanted).is_some()
    }

    fn take_keyword(&mut self, wanted: &str) -> bool {
        let is = |(token, _): &Placed| matches!(token, Token::Bare(word) if keyword(word) == Some(wanted));
        self.tokens.next_if(is).is_some()
    }

    fn expect(&mut self, wanted: &Token, told: &'static str) -> Result<(), Trouble> {
        if self.take(wanted) { Ok(()) } else { Err(self.trouble(told)) }
    }

    fn trouble(&mut self, expected: &'static str) -> Trouble {
        let (token, at) = self.tokens.peek().cloned().unwrap_or((Token::End, 0));
        Trouble { at, expected, found: token.told() }
    }
}

impl Token {
    fn told(&self) -> String {
        match self {
            Self::Open => "`(`".to_owned(),
            Self::Close => "`)`".to_owned(),
            Self::Comma => "`,`".to_owned(),
            Self::Comparison(comparison) => format!("`{}`", comparison.sign()),
            Self::Bare(word) => format!("`{word}`"),
            Self::Quoted(text) => format!("\"{text}\""),
            Self::Stray(what) => what.clone(),
            Self::End => "the end".to_owned(),
        }
    }
}

/// The keyword that a word is, in lower case.
fn keyword(word: &str) -> Option<&'static str> {
    ["and", "or", "not", "in", "exists"].into_iter().find(|known| word.eq_ignore_ascii_case(known))
}

/// What a bare word means as a value. A number begins as numbers do: `inf` and `nan` are words.
fn operand(word: &str) -> Operand {
    for (name, value) in [("true", true), ("false", false)] {
        if word.eq_ignore_ascii_case(name) {
            return Operand::Bool(value);
        }
    }
    let digits = word.trim_start_matches(['+', '-']);
    let number = word.parse().ok().filter(|number: &f64| number.is_finite());
    match number.filter(|_| digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')) {
        Some(number) => Operand::Number(number),
        None => Operand::Text(word.to_owned()),
    }
}

fn is_bare(c: char) -> bool {
    !c.is_whitespace() && !"()\",=!<>".contains(c)
}

/// All tokens with their places; the last one is the end.
fn tokens(text: &str) -> Vec<Placed> {
    let mut characters = text.chars().enumerate().peekable();
    let mut tokens = Vec::new();
    while let Some((place, c)) = characters.next() {
        let mut followed_by = |wanted: char| characters.next_if(|&(_, c)| c == wanted).is_some();
        let token = match c {
            _ if c.is_whitespace() => continue,
            '(' => Token::Open,
            ')' => Token::Close,
            ',' => Token::Comma,
            '=' => Token::Comparison(Comparison::Equal),
            '<' if followed_by('=') => Token::Comparison(Comparison::AtMost),
            '<' => Token::Comparison(Comparison::Less),
            '>' if followed_by('=') => Token::Comparison(Comparison::AtLeast),
            '>' => Token::Comparison(Comparison::Greater),
            '!' if followed_by('=') => Token::Comparison(Comparison::NotEqual),
            '!' => Token::Stray("`!`".to_owned()),
            '"' => quoted(&mut characters),
            _ => {
                let mut word = String::from(c);
                word.extend(std::iter::from_fn(|| {
                    characters.next_if(|&(_, c)| is_bare(c)).map(|(_, c)| c)
                }));
                Token::Bare(word)
            }
        };
        tokens.push((token, place + 1));
    }
    tokens.push((Token::End, text.chars().count() + 1));
    tokens
}

/// The text up to the closing quote.
fn quoted(characters: &mut impl Iterator<Item = (usize, char)>) -> Token {
    let mut text = String::new();
    while let Some((_, c)) = characters.next() {
        match c {
            '"' => return Token::Quoted(text),
            '\\' => text.extend(characters.next().map(|(_, c)| c)),
            _ => text.push(c),
        }
    }
    Token::Stray("a quote that is not closed".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal(text: &str) -> String {
        Filter::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn not_binds_closer_than_and_and_and_closer_than_or() {
        let shown = |text: &str| Filter::parse(text).unwrap().to_string();
        assert_eq!(shown("a=1 OR b=2 And not c=3"), "a = 1 or (b = 2 and not c = 3)");
        assert_eq!(shown("not (a=1 or b=2) and (c exists)"), "not (a = 1 or b = 2) and c exists");
    }

    #[test]
    fn words_are_numbers_truth_values_or_text() {
        let value = |text: &str| match Filter::parse(&format!("a = {text}")).unwrap() {
            Filter::Compare { operand, .. } => operand,
            other => panic!("{other}"),
        };
        assert_eq!(value("-1.5e3"), Operand::Number(-1500.0));
        assert_eq!(value(".5"), Operand::Number(0.5));
        assert_eq!(value("TRUE"), Operand::Bool(true));
        for text in ["inf", "nan", "2019-05-01", "1e999", "Übersee"] {
            assert_eq!(value(text), Operand::Text(text.to_owned()));
        }
        assert_eq!(value(r#""say \"a\\b\"""#), Operand::Text(r#"say "a\b""#.to_owned()));
    }

    #[test]
    fn refusals_name_the_place_and_what_was_expected() {
        let expected = "filter: expected a value, found the end, at character 7: year >";
        assert_eq!(refusal("year >"), expected);
        assert!(refusal("é é").contains("found `é`, at character 3"));
        assert!(refusal("a = \"x").contains("a quote that is not closed, at character 5"));
        assert!(refusal("a = and").contains("expected a value, found `and`, at character 5"));
        assert!(refusal("(a = 1").contains("expected `and`, `or` or `)`, found the end"));
        assert!(refusal("a = 1 b = 2").contains("expected `and`, `or` or the end, found `b`"));
        assert!(refusal("a in (1 2)").contains("expected `,` or `)`, found `2`"));
        assert!(refusal("").contains("expected the name of a field, `not` or `(`, found the end"));
        assert!(refusal("a ! 2").contains("found `!`"));
    }

    #[test]
    fn nesting_without_end_is_refused() {
        for part in ["(", "not "] {
            assert!(refusal(&part.repeat(100_000)).contains("at most 64 levels"));
        }
    }

    #[test]
    fn conditions_without_end_are_refused_and_lists_are_not() {
        for word in ["and", "or"] {
            let conditions = |number: usize| vec!["a = 1"; number].join(&format!(" {word} "));
            assert!(Filter::parse(&conditions(256)).is_ok());
            let told = refusal(&conditions(257));
            assert!(told.contains("expected at most 256 conditions, found `a`, at character"));
        }
        let nested = "a = 1 and (b = 2 or ".repeat(50) + "c = 3" + &")".repeat(50);
        let nested = vec![nested; 3].join(" or ");
        assert!(refusal(&nested).contains("at most 256 conditions"));
        assert!(Filter::parse(&format!("a in ({})", vec!["1"; 30_000].join(","))).is_ok());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), signs in "[a1 \"\\\\()<>=!,notinadrexs]{0,40}") {
            for text in [text, signs] {
                if let Ok(filter) = Filter::parse(&text) {
                    prop_assert_eq!(Filter::parse(&filter.to_string()).unwrap(), filter);
                }
            }
        }
    }
}
