//! Learns a BPE vocabulary from captions.
//!
//! Its own few lines rather than `tokenizers`' trainer, whose ties depend on the order of a hash map: here the same
//! captions give the same vocabulary on every run and every machine. It does not read files.
//!
//! Source: Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units" (2016), algorithm 1.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};

use serde_json::Map;
use tokenizers::tokenizer::{
    Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer,
    normalizer::NormalizedString,
};

use super::pipeline::{self, END, START, Special, WORD_END};

/// Two neighbouring symbols.
type Pair = (u32, u32);

/// A pair that occurs fewer times than this saves nothing.
const LEAST: i64 = 2;

pub(super) fn train<'a>(
    captions: impl Iterator<Item = &'a str>,
    vocab_size: usize,
) -> tokenizers::Tokenizer {
    let mut symbols = alphabet();
    let merged = symbols.len() + 2;
    assert!(
        vocab_size >= merged,
        "a vocabulary has at least {merged} tokens, asked for {vocab_size}"
    );
    let merges = Merging::new(&count_words(captions), &symbols).run(&mut symbols, vocab_size - 2);
    symbols.extend([START.to_owned(), END.to_owned()]);
    let vocabulary = symbols.into_iter().zip(0..).collect();
    let marks = [Special::start(&Map::new(), &Map::new()), Special::end(&Map::new(), &Map::new())];
    pipeline::build(&vocabulary, &merges, &marks).expect("every merge is of symbols that are there")
}

/// The 256 bytes as printable characters, then the same as ends of words.
///
/// Source: OpenAI CLIP, `bytes_to_unicode` in `clip/simple_tokenizer.py`; the order of its vocabulary.
fn alphabet() -> Vec<String> {
    let printable = (b'!'..=b'~').chain(0xA1..=0xAC).chain(0xAE..=0xFF).map(char::from);
    let rest = (256..).map_while(char::from_u32).take(256 - printable.clone().count());
    let bytes: Vec<String> = printable.chain(rest).map(String::from).collect();
    let ends = bytes.iter().map(|byte| byte.clone() + WORD_END).collect();
    [bytes, ends].concat()
}

/// How often each word occurs, in byte characters, sorted.
fn count_words<'a>(captions: impl Iterator<Item = &'a str>) -> BTreeMap<String, i64> {
    let (normalizer, pre_tokenizer) = (pipeline::normalizer(), pipeline::pre_tokenizer());
    let mut counts = BTreeMap::new();
    for caption in captions {
        let mut text = NormalizedString::from(caption);
        normalizer.normalize(&mut text).expect("normalisation has no failure");
        let mut text = PreTokenizedString::from(text);
        pre_tokenizer.pre_tokenize(&mut text).expect("splitting has no failure");
        for (word, _, _) in text.get_splits(OffsetReferential::Normalized, OffsetType::None) {
            *counts.entry(word.to_owned()).or_default() += 1;
        }
    }
    counts
}

/// Words as symbols, and where each pair occurs.
struct Merging {
    words: Vec<(Vec<u32>, i64)>,
    pairs: HashMap<Pair, Occurrences>,
    /// The most frequent pair first, the older one where two are alike; counts may be out of date.
    queue: BinaryHeap<(i64, Reverse<Pair>)>,
}

#[derive(Default)]
struct Occurrences {
    count: i64,
    words: BTreeSet<usize>,
}

impl Merging {
    fn new(counts: &BTreeMap<String, i64>, symbols: &[String]) -> Self {
        let ids: HashMap<&str, u32> = symbols.iter().map(String::as_str).zip(0..).collect();
        let spell = |word: &String| {
            let mut letters: Vec<String> = word.chars().map(String::from).collect();
            if let Some(last) = letters.last_mut() {
                last.push_str(WORD_END);
            }
            letters.iter().map(|letter| ids[letter.as_str()]).collect()
        };
        let words = counts.iter().map(|(word, &count)| (spell(word), count)).collect::<Vec<_>>();
        let mut merging = Self { words, pairs: HashMap::new(), queue: BinaryHeap::new() };
        for index in 0..merging.words.len() {
            merging.count(index, 1);
        }
        merging.queue = merging.pairs.iter().map(|(&pair, of)| (of.count, Reverse(pair))).collect();
        merging
    }

    /// Merges the most frequent pair until there are `wanted` symbols.
    fn run(mut self, symbols: &mut Vec<String>, wanted: usize) -> Vec<(String, String)> {
        let mut ids: HashMap<String, u32> = symbols.iter().cloned().zip(0..).collect();
        let mut merges = Vec::new();
        while symbols.len() < wanted {
            let Some(pair) = self.next() else { break };
            let (left, right) =
                (symbols[pair.0 as usize].clone(), symbols[pair.1 as usize].clone());
            let whole = format!("{left}{right}");
            // Two ways of cutting a word may lead to the same symbol, which is then one token.
            let symbol = *ids.entry(whole.clone()).or_insert(symbols.len() as u32);
            if symbol as usize == symbols.len() {
                symbols.push(whole);
            }
            self.merge(pair, symbol);
            merges.push((left, right));
        }
        merges
    }

    fn next(&mut self) -> Option<Pair> {
        while let Some((count, Reverse(pair))) = self.queue.pop() {
            let current = self.pairs.get(&pair).map_or(0, |of| of.count);
            if current == count && count >= LEAST {
                return Some(pair);
            }
            if current >= LEAST && current < count {
                self.queue.push((current, Reverse(pair)));
            }
        }
        None
    }

    fn merge(&mut self, pair: Pair, symbol: u32) {
        let words = std::mem::take(&mut self.pairs.entry(pair).or_default().words);
        let mut changed = BTreeSet::new();
        for index in words {
            self.count(index, -1);
            self.words[index].0 = joined(&self.words[index].0, pair, symbol);
            changed.extend(self.count(index, 1));
        }
        for pair in changed {
            self.queue.push((self.pairs[&pair].count, Reverse(pair)));
        }
        self.pairs.remove(&pair);
    }

    /// Adds (1) or takes away (-1) the pairs of one word, and tells which they were.
    fn count(&mut self, index: usize, sign: i64) -> Vec<Pair> {
        let (word, count) = &self.words[index];
        let pairs: Vec<Pair> = word.windows(2).map(|two| (two[0], two[1])).collect();
        for &pair in &pairs {
            let of = self.pairs.entry(pair).or_default();
            of.count += sign * count;
            of.words.insert(index);
        }
        pairs
    }
}

/// The word with every occurrence of the pair replaced, from the left.
fn joined(word: &[u32], pair: Pair, symbol: u32) -> Vec<u32> {
    let mut joined = Vec::with_capacity(word.len());
    let mut rest = word;
    while let [first, tail @ ..] = rest {
        let hit = tail.first().is_some_and(|&second| (*first, second) == pair);
        joined.push(if hit { symbol } else { *first });
        rest = if hit { &tail[1..] } else { tail };
    }
    joined
}
