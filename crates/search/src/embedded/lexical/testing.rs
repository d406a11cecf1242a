//! Small collections for tests, and the slow and obvious twin of the lexical leg.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tantivy::fieldnorm::FieldNormReader;

use crate::embedded::lexical::analysis::{Analysis, Word};
use crate::embedded::lexical::{Entry, Lexical};
use crate::rows::{Row, RowSet};
use crate::settings::{Fingerprint, Language, Settings};
use crate::words::{Form, Part, Sign, Words};

pub(super) fn settings(language: Language) -> Settings {
    let model = Fingerprint { hash: String::new(), name: String::new() };
    Settings { dim: 32, model, language, text_fields: vec!["title".to_owned()] }
}

pub(super) fn entry(row: Row, captions: &[&str], metadata: &str) -> Entry {
    let captions = captions.iter().map(ToString::to_string).collect();
    Entry { row, captions, metadata: serde_json::from_str(metadata).unwrap() }
}

/// Words from frequent to rare, with relatives, accents, hyphens and stop words among them.
const VOCABULARY: [&str; 24] = [
    "the", "ship", "red", "harbour", "ships", "river", "x-ray", "running", "run", "runner",
    "cafés", "cafe", "bridge", "on", "bridges", "planes", "plane", "airports", "stadium",
    "staduim", "forest", "forests", "snow", "猫",
];

/// Entries for about nine in ten of the rows, the same for the same seed.
pub(super) fn entries(seed: u64, rows: Row) -> Vec<Entry> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut text = move |longest: usize| {
        let length = random.random_range(0..=longest);
        let word =
            |_| VOCABULARY[(random.random::<f64>().powi(2) * VOCABULARY.len() as f64) as usize];
        (0..length).map(word).collect::<Vec<_>>().join(" ")
    };
    let rows = (0..rows).filter(|row| !(u64::from(*row) * 7 + seed).is_multiple_of(10));
    let entry = |row| {
        let captions = (0..row % 4).map(|_| text(8)).collect();
        let metadata = serde_json::json!({"title": text(2), "row": row});
        Entry { row, captions, metadata: serde_json::from_value(metadata).unwrap() }
    };
    rows.map(entry).collect()
}

/// An index of these entries in memory; a folder that is not there.
pub(super) fn in_memory(entries: Vec<Entry>, rows: usize, language: Language) -> Lexical {
    let mut lexical = Lexical::open("nowhere".as_ref(), &settings(language), false).unwrap();
    lexical.add(entries, rows).unwrap();
    lexical
}

/// Every document as its words.
pub(super) struct Twin {
    documents: Vec<Vec<Word>>,
    analysis: Analysis,
}

impl Twin {
    pub(super) fn new(entries: &[Entry], rows: usize, language: Language) -> Self {
        let analysis = Analysis::new(&settings(language));
        let mut documents = vec![Vec::new(); rows];
        for entry in entries {
            documents[entry.row as usize] = analysis.document(&entry.captions, &entry.metadata);
        }
        Self { documents, analysis }
    }

    /// BM25 of every row.
    pub(super) fn scores(&self, words: &Words) -> Vec<f64> {
        let mut scores = vec![0.0; self.documents.len()];
        let mut known = Vec::new();
        for part in words.parts().iter().filter(|part| part.sign != Sign::Minus) {
            for (what, times, rarity) in self.counted(part, words.is_fuzzy()) {
                if known.contains(&what) {
                    continue;
                }
                known.push(what);
                for (row, times) in times.iter().enumerate().filter(|(_, times)| **times > 0.0) {
                    scores[row] += rarity * self.saturated(row, *times);
                }
            }
        }
        scores
    }

    /// The rows that satisfy what binds.
    pub(super) fn constraint(&self, words: &Words) -> RowSet {
        let mut rows = RowSet::all(self.documents.len());
        for part in words.parts().iter().filter(|part| part.binds()) {
            let counted = self.counted(part, words.is_fuzzy());
            for row in 0..self.documents.len() {
                let has = counted.iter().all(|(_, times, _)| times[row] > 0.0);
                if !counted.is_empty() && has == (part.sign == Sign::Minus) {
                    rows.remove(row as Row);
                }
            }
        }
        rows
    }

    fn saturated(&self, row: usize, times: f64) -> f64 {
        let all: usize = self.documents.iter().map(Vec::len).sum();
        let average = all as f64 / self.documents.len() as f64;
        let code = FieldNormReader::fieldnorm_to_id(self.documents[row].len() as u32);
        let length = f64::from(FieldNormReader::id_to_fieldnorm(code));
        2.2 * times / (times + 1.2 * (0.25 + 0.75 * length / average))
    }

    /// Everything that is looked for, how often each row has it, and how rare it is.
    fn counted(&self, part: &Part, fuzzy: bool) -> Vec<(String, Vec<f64>, f64)> {
        let named = |what: String, (times, rarity)| (what, times, rarity);
        let words = self.analysis.words(&part.text);
        let single =
            |stem: &str| named(stem.to_owned(), self.with(|word| f64::from(word.stem == stem)));
        if part.form == Form::Prefix {
            let all = self.analysis.all_words(&part.text);
            let (last, before) = all.split_last().unwrap();
            let before =
                self.analysis.words(&part.text[..before.last().map_or(0, |word| word.bytes.end)]);
            let counted = before.iter().map(|word| single(&word.stem));
            let prefix = self.with(|word| f64::from(word.surface.starts_with(&last.surface)));
            return counted.chain([named(format!("{}*", last.surface), prefix)]).collect();
        }
        let whole = part.form == Form::Phrase || part.binds();
        if whole && words.len() > 1 {
            let stems: Vec<_> = words.iter().map(|word| word.stem.as_str()).collect();
            return vec![named(stems.join(" "), self.phrase(&words))];
        }
        if fuzzy && part.form == Form::Word && part.sign != Sign::Minus {
            let near = |word: &Word| named(format!("{}~", word.surface), self.near(word));
            return words.iter().map(near).collect();
        }
        words.iter().map(|word| single(&word.stem)).collect()
    }

    fn with(&self, weight: impl Fn(&Word) -> f64) -> (Vec<f64>, f64) {
        let times = |document: &Vec<Word>| document.iter().map(&weight).sum();
        let times: Vec<f64> = self.documents.iter().map(times).collect();
        let rarity = rarity(&times);
        (times, rarity)
    }

    fn near(&self, wanted: &Word) -> (Vec<f64>, f64) {
        let letters = wanted.surface.chars().count();
        let farthest = usize::from(letters >= 4) + usize::from(letters >= 8);
        self.with(|word| {
            let distance = distance(&word.surface, &wanted.surface);
            match distance {
                _ if word.stem == wanted.stem => 1.0,
                0 => 0.5,
                _ if distance <= farthest => 0.5_f64.powi(distance as i32),
                _ => 0.0,
            }
        })
    }

    fn phrase(&self, phrase: &[Word]) -> (Vec<f64>, f64) {
        let begins = |document: &[Word], start: &Word| {
            phrase.iter().all(|wanted| {
                let position = start.position + wanted.position - phrase[0].position;
                document.iter().any(|word| word.position == position && word.stem == wanted.stem)
            })
        };
        let times = |document: &Vec<Word>| {
            document.iter().filter(|start| begins(document, start)).count() as f64
        };
        let rarities =
            phrase.iter().map(|word| self.with(|other| f64::from(other.stem == word.stem)).1);
        (self.documents.iter().map(times).collect(), rarities.sum())
    }
}

fn rarity(times: &[f64]) -> f64 {
    let frequency = times.iter().filter(|times| **times > 0.0).count() as f64;
    (1.0 + (times.len() as f64 - frequency + 0.5) / (frequency + 0.5)).ln()
}

/// Steps from one word to another: a letter more, less or other, or two neighbours swapped.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut steps = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            steps[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let same = usize::from(a[i - 1] != b[j - 1]);
                let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                let swap = if swapped { steps[i - 2][j - 2] + 1 } else { usize::MAX };
                (steps[i - 1][j - 1] + same)
                    .min(steps[i - 1][j] + 1)
                    .min(steps[i][j - 1] + 1)
                    .min(swap)
            };
        }
    }
    steps[a.len()][b.len()]
}
