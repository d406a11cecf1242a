//! The formula of the lexical leg, in fixed point.
//!
//! Contributions are whole numbers, so that a score does not depend on the order in which it is added up: pictures with
//! the same words have the same score, however they are found and wherever the index has its seams.

use tantivy::fieldnorm::FieldNormReader;

/// Source: Robertson, Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), section 3.5, and
/// tantivy's `query/bm25.rs`, whose values these are.
pub(super) const K1: f32 = 1.2;

/// Source: as [`K1`].
pub(super) const B: f32 = 0.75;

/// Units in a score of 1. A query has at most 64 words of at most 51 each: the sum stays below 2^30.
const UNITS: f32 = (1 << 18) as f32;

/// How much a document's length counts, by the code under which the index keeps the length in one byte.
#[derive(Clone, Debug)]
pub(super) struct Lengths([f32; 256]);

impl Lengths {
    /// For documents of that many words on average.
    pub(super) fn new(average: f32) -> Self {
        let norm = |code: usize| {
            let length = FieldNormReader::id_to_fieldnorm(code as u8) as f32;
            K1 * (1.0 - B + B * length / average)
        };
        Self(std::array::from_fn(norm))
    }
}

/// The code of a length.
pub(super) fn length_code(length: usize) -> u8 {
    FieldNormReader::fieldnorm_to_id(u32::try_from(length).unwrap_or(u32::MAX))
}

/// Rarity of a word that `frequency` of `documents` have.
pub(super) fn rarity(frequency: u64, documents: u64) -> f32 {
    let without = documents.saturating_sub(frequency) as f32;
    ((without + 0.5) / (frequency as f32 + 0.5)).ln_1p()
}

/// What occurrences of one part of a query add to a score.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    weight: f32,
    /// By code of length, for one occurrence: captions rarely repeat a word.
    once: Box<[u32; 256]>,
}

impl Scale {
    pub(super) fn new(rarity: f32, lengths: &Lengths) -> Self {
        let weight = rarity * (K1 + 1.0) * UNITS;
        Self { weight, once: Box::new(lengths.0.map(|norm| units(weight / (1.0 + norm)))) }
    }

    /// The share of `occurrences` in a document whose length has this code, in units.
    #[inline]
    pub(super) fn share(&self, occurrences: f32, code: u8, lengths: &Lengths) -> u32 {
        if occurrences == 1.0 { self.one(code) } else { self.several(occurrences, code, lengths) }
    }

    /// The share of one occurrence.
    #[inline]
    pub(super) fn one(&self, code: u8) -> u32 {
        self.once[code as usize]
    }

    fn several(&self, occurrences: f32, code: u8, lengths: &Lengths) -> u32 {
        units(self.weight * (occurrences / (occurrences + lengths.0[code as usize])))
    }

    /// More than this no document gets.
    pub(super) fn peak(&self) -> u32 {
        units(self.weight)
    }
}

/// Whatever occurs counts, if only a little.
fn units(share: f32) -> u32 {
    (share.round() as u32).max(1)
}

/// The score that a sum of shares is.
pub(super) fn score(units: u32) -> f32 {
    units as f32 / UNITS
}

#[cfg(test)]
mod tests {
    use tantivy::query::Bm25Weight;

    use super::*;

    #[test]
    fn shares_are_those_of_tantivy() {
        for (frequency, documents, average) in
            [(1, 1, 1.0), (3, 200_000, 9.7), (150_000, 200_000, 40.0)]
        {
            let theirs = Bm25Weight::for_one_term(frequency, documents, average);
            let lengths = Lengths::new(average);
            let ours = Scale::new(rarity(frequency, documents), &lengths);
            for (code, occurrences) in [(1, 1), (9, 1), (9, 2), (40, 7), (255, 100)] {
                let share = score(ours.share(occurrences as f32, code, &lengths));
                let expected = theirs.score(code, occurrences);
                assert!((share - expected).abs() < 1e-5 * expected.max(1.0), "{share} {expected}");
                assert!(ours.share(occurrences as f32, code, &lengths) <= ours.peak());
            }
        }
    }

    #[test]
    fn a_word_of_every_document_still_counts() {
        let lengths = Lengths::new(10.0);
        assert!(Scale::new(rarity(1 << 31, 1 << 31), &lengths).one(255) > 0);
    }
}
