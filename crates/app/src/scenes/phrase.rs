//! A small grammar of captions: templates with choices, filled with what was drawn.
//!
//! In a template `[one|two|]` is a choice, `{slot}` a fact (whose text may hold choices again),
//! `<is|are>` agrees with the number of things, and `a(n)` becomes "a" or "an". What is true of a picture is decided by the scene, never here.

use super::dice::Dice;

/// How many captions a picture gets, as in RSICD and Flickr8k.
const CAPTIONS: usize = 5;

/// What can be said about a picture: the texts for the slots of its templates.
#[derive(Debug, Default, Clone)]
pub(crate) struct Facts {
    slots: Vec<(&'static str, String)>,
    plural: bool,
}

impl Facts {
    /// Adds a fact.
    pub(crate) fn with(mut self, slot: &'static str, text: impl Into<String>) -> Self {
        self.slots.push((slot, text.into()));
        self
    }

    /// Adds the number that `<one|many>` agrees with, as `{n}`.
    pub(crate) fn counting(self, count: usize) -> Self {
        Self { plural: count != 1, ..self }.with("n", number(count))
    }

    /// Five different captions, from different templates as long as there are enough.
    pub(crate) fn captions(&self, dice: &mut Dice, templates: &[&str]) -> Vec<String> {
        let mut captions: Vec<String> = Vec::with_capacity(CAPTIONS);
        let mut order = dice.several(templates, templates.len()).into_iter().cycle();
        for _ in 0..CAPTIONS * 8 {
            let template = order.next().expect("a scene has templates");
            let caption = tidy(&self.expand(dice, template));
            if !captions.contains(&caption) {
                captions.push(caption);
            }
            if captions.len() == CAPTIONS {
                break;
            }
        }
        captions
    }

    fn expand(&self, dice: &mut Dice, template: &str) -> String {
        let Some(open) = template.find(['[', '{', '<']) else { return template.to_owned() };
        let (before, rest) = template.split_at(open);
        let close = matching(rest);
        let (inside, after) = (&rest[1..close], &rest[close + 1..]);
        let chosen = match rest.as_bytes()[0] {
            b'{' => self.fact(inside),
            b'<' => choices(inside)[usize::from(self.plural)],
            _ => dice.pick(&choices(inside)),
        };
        format!("{before}{}{}", self.expand(dice, chosen), self.expand(dice, after))
    }

    fn fact(&self, slot: &str) -> &str {
        let found = self.slots.iter().find(|(name, _)| *name == slot);
        &found.unwrap_or_else(|| panic!("a template asks for the unknown fact {slot}")).1
    }
}

/// A number as people write it in a caption; large ones are seldom counted.
pub(crate) fn number(count: usize) -> &'static str {
    const NUMBERS: [&str; 13] = [
        "no",
        "[one|a(n)|a(n)|a single]",
        "[two|two|two|two|a pair of]",
        "[three|three|three|three|several]",
        "[four|four|four|four|several]",
        "[five|five|five|several]",
        "[six|six|six|several]",
        "[seven|seven|many]",
        "[eight|eight|many]",
        "[nine|nine|many]",
        "[ten|many]",
        "[eleven|many]",
        "[twelve|a dozen|many]",
    ];
    NUMBERS.get(count).copied().unwrap_or("[many|a lot of|lots of|rows of]")
}

/// Different words joined as a list: "red", "red and white", "red, white and blue".
pub(crate) fn list(words: &[&str]) -> String {
    let mut seen: Vec<&str> = Vec::new();
    words.iter().filter(|word| !word.is_empty()).for_each(|word| {
        if !seen.contains(word) {
            seen.push(word);
        }
    });
    match seen.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, first)) => format!("{} and {last}", first.join(", ")),
    }
}

/// Where in the picture a point lies, as an adverbial.
pub(crate) fn place((x, y): (f32, f32)) -> &'static str {
    const PLACES: [[&str; 3]; 3] = [
        [
            "[in the upper left|in the top left corner]",
            "at the top",
            "[in the upper right|in the top right corner]",
        ],
        ["on the left", "in the [middle|centre]", "on the right"],
        [
            "[in the lower left|in the bottom left corner]",
            "at the bottom",
            "[in the lower right|in the bottom right corner]",
        ],
    ];
    let third = |t: f32| ((t * 3.0) as usize).min(2);
    PLACES[third(y)][third(x)]
}

/// The index of the bracket that closes the one at the start of `text`.
fn matching(text: &str) -> usize {
    let mut depth = 0;
    for (i, byte) in text.bytes().enumerate() {
        match byte {
            b'[' | b'{' | b'<' => depth += 1,
            b']' | b'}' | b'>' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return i;
        }
    }
    panic!("a bracket is not closed in {text}")
}

/// The parts of a choice, split at the bars outside inner brackets.
fn choices(inside: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (i, byte) in inside.bytes().enumerate() {
        match byte {
            b'[' | b'<' => depth += 1,
            b']' | b'>' => depth -= 1,
            b'|' if depth == 0 => {
                parts.push(&inside[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(&inside[start..]);
    parts
}

/// Single spaces, and the article that the next word wants.
fn tidy(caption: &str) -> String {
    let words: Vec<&str> = caption.split_whitespace().collect();
    let article = |i: usize| match words.get(i + 1) {
        Some(next) if next.starts_with(['a', 'e', 'i', 'o']) || next.starts_with("umb") => "an",
        _ => "a",
    };
    let spelled = |(i, word): (usize, &&str)| {
        if *word == "a(n)" { article(i).to_owned() } else { (*word).to_owned() }
    };
    words.iter().enumerate().map(spelled).collect::<Vec<_>>().join(" ").replace(" ,", ",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_expanded_with_facts_inside_facts() {
        let facts = Facts::default().with("what", "{colour} tank").with("colour", "orange");
        assert_eq!(
            tidy(&facts.expand(&mut Dice::new(1, 1), "a(n)  {what} [stands|stands]")),
            "an orange tank stands"
        );
    }

    #[test]
    fn a_choice_inside_a_choice_stays_whole() {
        assert_eq!(choices("a|[b|c] d|"), ["a", "[b|c] d", ""]);
    }

    #[test]
    fn lists_name_each_word_once() {
        assert_eq!(list(&["red", "red"]), "red");
        assert_eq!(list(&["red", "blue", "red", "grey"]), "red, blue and grey");
    }
}
