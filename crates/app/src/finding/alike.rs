//! Whether a text speaks of a feature, as far as letters tell.

/// Words that name nothing.
const EMPTY: [&str; 12] =
    ["the", "and", "with", "from", "some", "many", "there", "this", "that", "for", "are", "its"];

/// Letters that may follow what two forms of a word share, as in `park` and `parking`.
const ENDING: usize = 3;

/// Whether a word of `feature` is in `text`, in whatever form: `planes` in `a plane`, `city` in `two cities`.
///
/// It errs on the side of yes. It goes by the beginnings of words, so it serves most European languages.
pub(super) fn mentions(text: &str, feature: &str) -> bool {
    let wanted = words(feature);
    words(text).iter().any(|word| wanted.iter().any(|wanted| same(word, wanted)))
}

fn words(text: &str) -> Vec<Vec<char>> {
    let text = text.to_lowercase();
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    let says = |word: &&str| word.chars().count() > 2 && !EMPTY.contains(word);
    words.filter(says).map(|word| word.chars().collect()).collect()
}

fn same(a: &[char], b: &[char]) -> bool {
    let shared = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (shorter, longer) = (a.len().min(b.len()), a.len().max(b.len()));
    // One letter of a stem may change (`city`, `cities`), but not of a word of three.
    shared + 1 >= shorter.max(4) && longer - shared <= ENDING
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_are_the_word() {
        for (text, feature) in [
            ("many planes are parked", "a plane"),
            ("two cities", "city"),
            ("a parking lot", "park"),
            ("Cars on a road", "a CAR"),
            ("a white church.", "churches"),
            ("ein Haus", "haus"),
        ] {
            assert!(mentions(text, feature), "{text}: {feature}");
        }
    }

    #[test]
    fn other_words_are_not() {
        for (text, feature) in [
            ("an airport", "a port"),
            ("the desert", "the sea"),
            ("a map", "a man"),
            ("a carpenter", "a car"),
            ("", "boat"),
            ("boat", ""),
        ] {
            assert!(!mentions(text, feature), "{text}: {feature}");
        }
    }
}
