//! A batch of token sequences, trimmed to the longest and padded to it.

use crate::config::{Pooling, TextConfig};

/// Lengths are rounded up to a multiple of this, so that few shapes occur.
const ROUND: usize = 8;

/// Token ids of a batch, `(B, T)`.
///
/// Attention is causal and only the pooled position is read, so what follows it changes nothing:
/// the trimmed batch has the features of the full context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenBatch {
    /// B.
    pub batch: usize,
    /// T: the longest sequence, rounded up to a multiple of 8 within the context.
    pub tokens: usize,
    /// `(B, T)`; short sequences repeat their last token.
    pub ids: Vec<u32>,
    /// Position of each sequence that stands for it.
    pub pooled: Vec<usize>,
}

impl TokenBatch {
    /// Pads `sequences`, each from start to end token and within the context length.
    ///
    /// # Panics
    /// If a sequence is empty or longer than the context.
    pub fn new<S: AsRef<[u32]>>(sequences: &[S], config: &TextConfig) -> Self {
        let longest = sequences.iter().map(|s| s.as_ref().len()).max().unwrap_or(1);
        let tokens = longest.next_multiple_of(ROUND).min(config.context_length);
        Self::padded(sequences, tokens, config)
    }

    /// The same, padded to `tokens`.
    ///
    /// # Panics
    /// If a sequence is empty or longer.
    pub fn padded<S: AsRef<[u32]>>(sequences: &[S], tokens: usize, config: &TextConfig) -> Self {
        let mut ids = Vec::with_capacity(sequences.len() * tokens);
        for sequence in sequences {
            let sequence = sequence.as_ref();
            let last = *sequence.last().expect("a sequence has a start and an end token");
            assert!(sequence.len() <= tokens, "{} tokens where {tokens} fit", sequence.len());
            ids.extend(sequence);
            ids.extend(std::iter::repeat_n(last, tokens - sequence.len()));
        }
        let pooled =
            sequences.iter().map(|s| pooled_position(s.as_ref(), config.pooling)).collect();
        Self { batch: sequences.len(), tokens, ids, pooled }
    }

    /// The same sequences, `count` at a time.
    pub(super) fn chunks(&self, count: usize) -> impl Iterator<Item = Self> {
        let both = self.ids.chunks(count * self.tokens).zip(self.pooled.chunks(count));
        both.map(|(ids, pooled)| Self {
            batch: pooled.len(),
            tokens: self.tokens,
            ids: ids.to_vec(),
            pooled: pooled.to_vec(),
        })
    }
}

/// Source: transformers `models/clip/modeling_clip.py`, `CLIPTextTransformer.forward`; position 0 where no end token is.
fn pooled_position(sequence: &[u32], pooling: Pooling) -> usize {
    let wanted = match pooling {
        Pooling::EndToken(end) => Some(end),
        Pooling::ArgMax => sequence.iter().copied().max(),
    };
    sequence.iter().position(|id| Some(*id) == wanted).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn text(pooling: Pooling) -> TextConfig {
        TextConfig { pooling, context_length: 20, ..Config::preset("tiny", 100).unwrap().text }
    }

    #[test]
    fn chunks_are_the_same_sequences_in_order() {
        let batch =
            TokenBatch { batch: 3, tokens: 2, ids: vec![1, 2, 3, 4, 5, 6], pooled: vec![1, 0, 1] };
        let chunks: Vec<TokenBatch> = batch.chunks(2).collect();
        assert_eq!(chunks.iter().map(|chunk| chunk.batch).collect::<Vec<_>>(), [2, 1]);
        assert_eq!((chunks[0].ids.len(), &chunks[1].ids[..]), (4, &[5, 6][..]));
        assert_eq!(chunks[1].pooled, [1]);
    }

    #[test]
    fn batches_are_trimmed_to_a_multiple_of_eight_within_the_context() {
        let config = text(Pooling::EndToken(99));
        let tokens = |len: usize| TokenBatch::new(&[vec![1; len], vec![1]], &config).tokens;
        assert_eq!([1, 8, 9, 17, 20].map(tokens), [8, 8, 16, 20, 20]);
    }

    #[test]
    fn the_first_end_token_stands_for_the_sentence() {
        let batch = TokenBatch::new(&[[98, 3, 99, 99]], &text(Pooling::EndToken(99)));
        assert_eq!(batch.pooled, [2]);
        assert_eq!(batch.ids, [98, 3, 99, 99, 99, 99, 99, 99]);
    }

    #[test]
    fn the_legacy_rule_takes_the_first_highest_id() {
        assert_eq!(TokenBatch::new(&[[5, 90, 3, 90]], &text(Pooling::ArgMax)).pooled, [1]);
    }
}
