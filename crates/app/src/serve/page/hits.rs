//! What was found, read from the answer that the API gives: the page knows no more than any other client.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Hits, and the text that they came in.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) hits: Vec<Hit>,
    pub(super) more: bool,
    pub(super) notes: Vec<String>,
    /// The answer as the script reads it.
    pub(super) json: String,
}

#[derive(Debug, Deserialize)]
struct Answer {
    hits: Vec<Hit>,
    more: bool,
    notes: Vec<String>,
}

/// A picture that was found.
#[derive(Debug, Deserialize)]
pub(super) struct Hit {
    pub(super) id: String,
    pub(super) captions: Vec<String>,
    pub(super) marks: Vec<Vec<[usize; 2]>>,
    pub(super) scores: Scores,
    pub(super) metadata: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Scores {
    pub(super) vector: Option<f64>,
    pub(super) lexical: Option<f64>,
    pub(super) vector_rank: Option<usize>,
    pub(super) lexical_rank: Option<usize>,
}

impl Found {
    /// Reads an answer.
    pub(super) fn of(answer: &impl Serialize) -> serde_json::Result<Self> {
        let json = serde_json::to_string(answer)?;
        let Answer { hits, more, notes } = serde_json::from_str(&json)?;
        Ok(Self { hits, more, notes, json })
    }
}

impl Hit {
    /// What a picture is called where one line must do: its first caption, or its id.
    pub(super) fn name(&self) -> &str {
        self.captions.first().map_or(&self.id, String::as_str)
    }

    /// A caption in pieces, each with whether it matched.
    pub(super) fn pieces(&self, caption: usize) -> Vec<(&str, bool)> {
        let text = self.captions.get(caption).map_or("", String::as_str);
        let marks = self.marks.get(caption).map_or(&[][..], Vec::as_slice);
        let mut pieces = Vec::new();
        let mut end = 0;
        for &[from, to] in marks {
            let (Some(before), Some(marked)) = (text.get(end..from), text.get(from..to)) else {
                continue;
            };
            pieces.extend([(before, false), (marked, true)]);
            end = to;
        }
        pieces.push((text.get(end..).unwrap_or_default(), false));
        pieces.retain(|(piece, _)| !piece.is_empty());
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(caption: &str, marks: Vec<[usize; 2]>) -> Hit {
        let scores = Scores { vector: None, lexical: None, vector_rank: None, lexical_rank: None };
        Hit {
            id: "1".into(),
            captions: vec![caption.into()],
            marks: vec![marks],
            scores,
            metadata: Map::new(),
        }
    }

    #[test]
    fn marks_count_bytes_and_those_inside_a_letter_are_left_out() {
        let river = hit("ein grüner Fluß", vec![[4, 11], [12, 17], [90, 95]]);
        assert_eq!(
            river.pieces(0),
            [("ein ", false), ("grüner", true), (" ", false), ("Fluß", true)][..]
        );
        let inside = |text: &str| hit(text, vec![[1, 2]]).pieces(0).iter().any(|piece| piece.1);
        assert!(inside("ab") && !inside("ü"));
    }
}
