//! The answer as a person reads it in a terminal.

use super::answer::{Found, Map};
use crate::number::percent;
use crate::printer::Emphasis;
use crate::table::Table;

/// Columns of a terminal that sentences may take.
const LINE: usize = 79;

/// Letters of the map: above 19 of 20 others, 9 of 10, 3 of 4, and a little above half of them.
const SHADES: [(f32, char); 4] = [(0.9, '█'), (0.8, '▓'), (0.5, '▒'), (0.2, '░')];

/// Letters across a map. Own choice: with the boxes it fits on a screen.
const WIDE: usize = 32;

/// The verdict, why, a small map and the boxes.
pub(crate) fn told(feature: &str, found: &Found, emphasis: Emphasis) -> String {
    let [bold, plain] = match emphasis {
        Emphasis::Bold => emphasis.marks(),
        Emphasis::Stars => ["", ""],
    };
    let (yes, no) = ("in this picture", "not in this picture");
    let verdict = if found.found { yes } else { no };
    let rate = found.false_alarm.map(|rate| format!(" (false alarm {} %)", percent(rate)));
    let mut text = format!("{bold}{feature}: {verdict}{plain}{}\n", rate.unwrap_or_default());
    text.push_str(&wrapped(&found.explanation));
    if !found.boxes.is_empty() {
        text = format!("{text}\n{}\n{}", map(&found.map), boxes(found));
    }
    text
}

fn boxes(found: &Found) -> String {
    let titles = ["#", "beats", "left", "top", "width", "height"];
    let mut table = titles.into_iter().fold(Table::new(), Table::numbers);
    for (place, rank) in found.boxes.iter().zip(1..) {
        let sides =
            [place.x, place.y, place.width, place.height].map(|side: usize| side.to_string());
        let beats = format!("{} %", percent(f64::from(place.score)));
        table.row([rank.to_string(), beats].into_iter().chain(sides));
    }
    table.to_string()
}

/// The map in letters; a letter is about twice as high as wide.
fn map(map: &Map) -> String {
    let wide = map.columns.min(WIDE);
    let high = (map.rows * wide).div_ceil(map.columns * 2).max(1);
    let mut text = String::new();
    for row in 0..high {
        let letters =
            (0..wide).map(|column| shade(map, column * map.columns / wide, row * map.rows / high));
        let line: String = letters.collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn shade(map: &Map, column: usize, row: usize) -> char {
    let value = map.values[row * map.columns + column];
    SHADES.iter().find(|(least, _)| value >= *least).map_or('·', |(_, letter)| *letter)
}

/// Lines that break between words.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is one from the start");
        if line.chars().count() + 1 + word.chars().count() > LINE {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n") + "\n"
}
