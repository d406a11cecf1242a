//! What a person types, taken apart without ever failing.
//!
//! Nothing here knows a language: stems and stop words are the index's business.

/// Parts that are kept of one query; whoever pastes a page gets an answer for its beginning, and a note.
pub(crate) const MAX_PARTS: usize = 64;

/// The parts of what was typed.
///
/// `"phrases"`, `+words` and `prefixes*` must be there, `-words` and `-"phrases"` must not, all other words only score. A
/// sign counts where it begins a part: a hyphen inside a word, a sign on its own and a quote without its pair are text.
/// What is repeated counts once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    parts: Vec<Part>,
    fuzzy: bool,
    cut: bool,
}

/// One word or phrase of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) sign: Sign,
    pub(crate) form: Form,
    /// Without sign, quotes and star.
    pub(crate) text: String,
}

/// What stands before a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    None,
    Plus,
    Minus,
}

/// What a part looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Word,
    Phrase,
    Prefix,
}

impl Part {
    /// Whether pictures without it are left out, or those with it.
    pub(crate) fn binds(&self) -> bool {
        self.sign != Sign::None || self.form != Form::Word
    }
}

impl Words {
    /// Takes apart what was typed; every string is a valid query.
    pub fn parse(text: &str) -> Self {
        let mut words = Self::default();
        let mut rest = text.trim_start();
        while !rest.is_empty() && !words.cut {
            let (part, behind) = first_part(rest);
            rest = behind.trim_start();
            words.cut = words.parts.len() == MAX_PARTS;
            words.parts.extend(part.filter(|_| !words.cut));
        }
        words
    }

    /// Words without any sign: for text that nobody typed as a query, such as a caption.
    pub fn plain(text: &str) -> Self {
        let part = |word: &str| Part { sign: Sign::None, form: Form::Word, text: word.to_owned() };
        let mut parts: Vec<Part> = text.split_whitespace().take(MAX_PARTS + 1).map(part).collect();
        let cut = parts.len() > MAX_PARTS;
        parts.truncate(MAX_PARTS);
        Self { parts, cut, fuzzy: false }
    }

    /// The same, but words match others that differ in a letter or two: one from four letters on, two from eight on.
    /// Of many such words the 50 nearest count. Phrases, prefixes and excluded words are meant as they are written.
    #[must_use]
    pub fn fuzzy(self) -> Self {
        Self { fuzzy: true, ..self }
    }

    /// What to embed: the words without signs and without what is excluded; empty if nothing is left.
    pub fn to_embed(&self) -> String {
        let wanted = self.parts.iter().filter(|part| part.sign != Sign::Minus);
        wanted.map(|part| part.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// Whether nothing was asked for.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Whether some part leaves pictures out, in every mode.
    pub fn constrains(&self) -> bool {
        self.parts.iter().any(Part::binds)
    }

    /// The parts in order.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Whether words match others that differ a little.
    pub(crate) fn is_fuzzy(&self) -> bool {
        self.fuzzy
    }

    /// Whether there was more than [`MAX_PARTS`].
    pub(crate) fn is_cut(&self) -> bool {
        self.cut
    }
}

/// The part at the beginning, none for a phrase without text, and what is behind it.
fn first_part(text: &str) -> (Option<Part>, &str) {
    let (sign, unsigned) = sign_of(text);
    if let Some((phrase, behind)) = quoted(unsigned) {
        let phrase = phrase.trim();
        let part = Part { sign, form: Form::Phrase, text: phrase.to_owned() };
        return (Some(part).filter(|_| !phrase.is_empty()), behind);
    }
    let end = unsigned.find(char::is_whitespace).unwrap_or(unsigned.len());
    let (word, behind) = unsigned.split_at(end);
    let (form, word) = match word.strip_suffix('*') {
        Some(stem) if stem.ends_with(char::is_alphanumeric) => (Form::Prefix, stem),
        _ => (Form::Word, word),
    };
    (Some(Part { sign, form, text: word.to_owned() }), behind)
}

/// The sign before a word or a whole phrase; before anything else it is text.
fn sign_of(text: &str) -> (Sign, &str) {
    let (sign, rest) = match text.as_bytes().first() {
        Some(b'+') => (Sign::Plus, &text[1..]),
        Some(b'-') => (Sign::Minus, &text[1..]),
        _ => return (Sign::None, text),
    };
    let counts = rest.starts_with(char::is_alphanumeric) || quoted(rest).is_some();
    if counts { (sign, rest) } else { (Sign::None, text) }
}

/// What is between the quotes at the beginning, and what is behind them. Telephones type curly quotes.
fn quoted(text: &str) -> Option<(&str, &str)> {
    const QUOTES: [char; 4] = ['"', '“', '”', '„'];
    let inside = text.strip_prefix(QUOTES)?;
    inside.split_once(QUOTES)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Each part as it could have been typed.
    fn shown(text: &str) -> Vec<String> {
        let show = |part: &Part| {
            let sign = match part.sign {
                Sign::None => "",
                Sign::Plus => "+",
                Sign::Minus => "-",
            };
            match part.form {
                Form::Word => format!("{sign}{}", part.text),
                Form::Phrase => format!("{sign}\"{}\"", part.text),
                Form::Prefix => format!("{sign}{}*", part.text),
            }
        };
        Words::parse(text).parts().iter().map(show).collect()
    }

    fn forms(text: &str) -> Vec<(Sign, Form)> {
        Words::parse(text).parts().iter().map(|part| (part.sign, part.form)).collect()
    }

    #[test]
    fn signs_quotes_and_stars_are_told_apart() {
        use {Form::*, Sign::*};
        let text =
            r#"ship "river bank" +port +"red  roof" -cloud -"snow field" har* +plan* -tree*"#;
        let expected = [
            (None, Word),
            (None, Phrase),
            (Plus, Word),
            (Plus, Phrase),
            (Minus, Word),
            (Minus, Phrase),
            (None, Prefix),
            (Plus, Prefix),
            (Minus, Prefix),
        ];
        assert_eq!(forms(text), expected);
        assert_eq!(Words::parse(text).to_embed(), "ship river bank port red  roof har plan");
    }

    #[test]
    fn what_does_not_begin_a_part_is_text() {
        for text in
            ["x-ray", "c++", "-", "+", "*", "--word", "+-word", "wo*rd", "word**", "5\"", "\"open"]
        {
            assert_eq!(forms(text), [(Sign::None, Form::Word)], "{text}");
            assert_eq!(Words::parse(text).to_embed(), text);
        }
        assert_eq!(shown("+\"open end"), ["+\"open", "end"]);
    }

    #[test]
    fn text_goes_on_behind_a_closing_quote_and_curly_quotes_are_quotes() {
        assert_eq!(shown("\"a b\"c"), ["\"a b\"", "c"]);
        assert_eq!(shown("-“a b” „c d“"), ["-\"a b\"", "\"c d\""]);
        assert!(Words::parse("\"\" \"  \"").is_empty());
    }

    #[test]
    fn nothing_is_empty_and_only_binding_parts_constrain() {
        assert!(Words::parse(" \t\n").is_empty());
        assert!(!Words::parse("🚢").is_empty());
        assert!(!Words::parse("ship at sea").constrains());
        for text in ["+ship", "-ship", "\"ship\"", "shi*"] {
            assert!(Words::parse(text).constrains(), "{text}");
        }
    }

    #[test]
    fn a_page_of_text_is_cut() {
        let page = "word ".repeat(200_000);
        let words = Words::parse(&page);
        assert!(words.is_cut());
        assert_eq!(words.parts().len(), MAX_PARTS);
        assert!(!Words::parse(&"word ".repeat(MAX_PARTS)).is_cut());
    }

    proptest! {
        #[test]
        fn every_string_is_a_query(text in any::<String>(), signs in "[-+*\" aé猫\u{5d0}\u{1F6A2}\0]{0,40}") {
            for text in [text, signs] {
                let words = Words::parse(&text);
                prop_assert_eq!(words.constrains(), words.parts().iter().any(Part::binds));
                prop_assert!(words.parts().iter().all(|part| !part.text.trim().is_empty()));
                if text.chars().any(char::is_alphanumeric) {
                    prop_assert!(!words.is_empty());
                }
            }
        }
    }
}
