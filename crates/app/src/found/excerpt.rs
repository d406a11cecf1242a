//! A caption on one line of a given width, its matched words marked.

use std::ops::Range;

use finelens_search::Hit;

use crate::printer::Emphasis;

/// The letter that says: something was left out here.
const LEFT_OUT: char = '…';

/// A letter, and whether it belongs to a word that matched.
type Letter = (char, bool);

/// The caption in which the most letters match; the first of several. With its marks.
pub(crate) fn best_caption(hit: &Hit) -> Option<(&str, &[Range<usize>])> {
    let marks = |place: usize| hit.marks.get(place).map_or(&[][..], Vec::as_slice);
    let marked = |place: usize| marks(place).iter().map(ExactSizeIterator::len).sum::<usize>();
    let places = 0..hit.record.captions.len();
    let best = places.max_by_key(|&place| (marked(place), std::cmp::Reverse(place)))?;
    Some((&hit.record.captions[best], marks(best)))
}

/// The text in at most `width` columns; where it is longer, the part with the first match.
pub(crate) fn excerpt(
    text: &str,
    marks: &[Range<usize>],
    width: usize,
    emphasis: Emphasis,
) -> String {
    let letters = letters(text, marks);
    let start = start(&letters, width);
    let head = usize::from(start > 0);
    let rest = &letters[start..];
    let mut shown = rest.len().min(width - head);
    let columns = |shown: usize| {
        let tail = usize::from(shown < rest.len());
        head + shown + runs(&rest[..shown]) * emphasis.width() + tail
    };
    while shown > 0 && columns(shown) > width {
        shown -= 1;
    }
    let mut line = String::new();
    line.extend((start > 0).then_some(LEFT_OUT));
    write_marked(&rest[..shown], emphasis, &mut line);
    line.extend((shown < rest.len()).then_some(LEFT_OUT));
    line
}

/// The end of a text in at most `width` columns: of a path, the file's name.
pub(crate) fn ending(text: &str, width: usize) -> String {
    let letters = letters(text, &[]);
    let left_out = letters.len().saturating_sub(width);
    let cut = if left_out > 0 { left_out + 1 } else { 0 };
    let head = (cut > 0).then_some(LEFT_OUT);
    head.into_iter().chain(letters[cut..].iter().map(|letter| letter.0)).collect()
}

/// White space and control letters, which could move the cursor, are spaces.
fn letters(text: &str, marks: &[Range<usize>]) -> Vec<Letter> {
    let plain =
        |letter: char| if letter.is_control() || letter.is_whitespace() { ' ' } else { letter };
    let is_marked = |at: usize| marks.iter().any(|range| range.contains(&at));
    text.char_indices().map(|(at, letter)| (plain(letter), is_marked(at))).collect()
}

/// Where an excerpt begins: at the front, unless the first match would be out of sight there.
fn start(letters: &[Letter], width: usize) -> usize {
    let first = letters.iter().position(|letter| letter.1).unwrap_or_default();
    if letters.len() <= width || first < width * 2 / 3 {
        return 0;
    }
    let before = first - width / 3;
    // A word is not cut where one begins nearby.
    let word = letters[before - 1..first].iter().position(|letter| letter.0 == ' ');
    before + word.unwrap_or_default()
}

/// Stretches of marked letters.
fn runs(letters: &[Letter]) -> usize {
    letters.chunk_by(|a, b| a.1 == b.1).filter(|run| run[0].1).count()
}

fn write_marked(letters: &[Letter], emphasis: Emphasis, line: &mut String) {
    let [before, after] = emphasis.marks();
    for run in letters.chunk_by(|a, b| a.1 == b.1) {
        let words = run.iter().map(|letter| letter.0);
        if run[0].1 {
            line.push_str(before);
            line.extend(words);
            line.push_str(after);
        } else {
            line.extend(words);
        }
    }
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "a caption often has one mark")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str, marks: &[Range<usize>], width: usize) -> String {
        excerpt(text, marks, width, Emphasis::Stars)
    }

    #[test]
    fn matched_words_stand_between_stars_or_in_bold() {
        assert_eq!(shown("a red boat", &[2..5, 6..10], 40), "a *red* *boat*");
        assert_eq!(excerpt("a boat", &[2..6], 40, Emphasis::Bold), "a \u{1b}[1;4mboat\u{1b}[0m");
        assert_eq!(shown("a\nboat\u{1b}[2J", &[], 40), "a boat [2J");
    }

    #[test]
    fn a_long_caption_is_cut_and_still_shows_its_first_match() {
        let caption = "many planes are parked next to a long building in an airport";
        assert_eq!(shown(caption, &[], 20), "many planes are par…");
        assert_eq!(shown(caption, &[5..11], 20), "many *planes* are p…");
        assert_eq!(shown(caption, &[53..60], 20), "…in an *airport*");
        assert_eq!(shown("über élan", &[0..5], 40), "*über* élan");
        assert_eq!(ending("folder/airport_1.jpg", 12), "…rport_1.jpg");
        assert_eq!(ending("a.jpg", 12), "a.jpg");
    }

    proptest! {
        #[test]
        fn no_caption_is_wider_than_its_line(text in "\\PC{0,80}", start in 0usize..90, len in 0usize..30, width in 12usize..60) {
            let line = shown(&text, &[start..start + len], width);
            prop_assert!(line.chars().count() <= width, "{line}");
        }
    }
}
