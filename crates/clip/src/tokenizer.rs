//! A caption in, token ids out: start token, text, end token, cut to what the model can read.
//!
//! Equal to `transformers`' `CLIPTokenizerFast`. There is no padding: batches are cut to their longest caption, and where a
//! caption ends is known from the end token, which comes from the tokenizer's own files and is never guessed.

mod pipeline;
mod train;

use std::fmt;
use std::path::Path;

use fs_err as fs;
use serde_json::{Map, Value, json};

use crate::Error;
use pipeline::Special;

const COMBINED_FILE: &str = "tokenizer.json";
const VOCABULARY_FILE: &str = "vocab.json";
const MERGES_FILE: &str = "merges.txt";
const SETTINGS_FILE: &str = "tokenizer_config.json";
const SPECIAL_FILE: &str = "special_tokens_map.json";

/// Positions that CLIP's text tower was trained with.
///
/// Source: Radford et al., "Learning Transferable Visual Models From Natural Language Supervision" (2021), section 2.4.
const CONTEXT_LENGTH: usize = 77;

/// CLIP's byte-level BPE with lower-casing.
#[derive(Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    start: u32,
    end: u32,
    context_length: usize,
    /// What else the directory said of its tokens, to be written back.
    settings: Map<String, Value>,
    special: Map<String, Value>,
}

impl fmt::Debug for Tokenizer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "Tokenizer({} tokens, {} positions)",
            self.vocab_size(),
            self.context_length
        )
    }
}

impl Tokenizer {
    /// Reads `tokenizer.json`, or `vocab.json` and `merges.txt`, in `dir`.
    ///
    /// `tokenizer_config.json` and `special_tokens_map.json` are used where they are there. The context length
    /// is CLIP's 77 until [`Self::with_context_length`] says otherwise: it belongs to the model.
    pub fn load(dir: &Path) -> Result<Self, Error> {
        let settings = read_object(&dir.join(SETTINGS_FILE))?;
        let special = read_object(&dir.join(SPECIAL_FILE))?;
        let marks = [Special::start(&settings, &special), Special::end(&settings, &special)];
        let combined = dir.join(COMBINED_FILE);
        let path = if combined.exists() { combined } else { dir.join(VOCABULARY_FILE) };
        let inner = if path.ends_with(COMBINED_FILE) {
            pipeline::read_combined(&path, &marks)?
        } else {
            pipeline::read_parts(&path, &dir.join(MERGES_FILE), &marks)?
        };
        let (start, end) =
            start_and_end(&inner).map_err(|reason| Error::Damaged { path, reason })?;
        Ok(Self { inner, start, end, context_length: CONTEXT_LENGTH, settings, special })
    }

    /// Learns a vocabulary of at most `vocab_size` tokens from captions.
    ///
    /// Laid out as CLIP's: 256 bytes, 256 bytes that end a word, what was merged, start and end token. All bytes are
    /// there, so nothing is ever unknown. The same captions in any order give the same vocabulary; it is smaller
    /// than asked for when the captions have no pair left that occurs twice.
    ///
    /// # Panics
    /// When `vocab_size` is below 514, the size without any merge.
    pub fn train<'a>(captions: impl Iterator<Item = &'a str>, vocab_size: usize) -> Self {
        let inner = train::train(captions, vocab_size);
        let (start, end) = start_and_end(&inner).expect("a trained vocabulary has both");
        let (settings, special) = (Map::new(), Map::new());
        Self { inner, start, end, context_length: CONTEXT_LENGTH, settings, special }
    }

    /// The same tokenizer for a model with this many positions.
    ///
    /// # Panics
    /// When there is not even room for the start and the end token.
    #[must_use]
    pub fn with_context_length(mut self, context_length: usize) -> Self {
        assert!(context_length >= 2, "room for start and end, got {context_length}");
        self.context_length = context_length;
        self
    }

    /// Ids from the start to the end token; of a longer text the front is kept, and the end token.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let encoding = self.inner.encode_fast(text, true).expect(CANNOT_FAIL);
        self.cut(encoding.get_ids())
    }

    /// [`Self::encode`] for many texts, on all cores.
    pub fn encode_batch(&self, texts: &[&str]) -> Vec<Vec<u32>> {
        let encodings = self.inner.encode_batch_fast(texts.to_vec(), true).expect(CANNOT_FAIL);
        encodings.iter().map(|encoding| self.cut(encoding.get_ids())).collect()
    }

    fn cut(&self, ids: &[u32]) -> Vec<u32> {
        if ids.len() <= self.context_length {
            return ids.to_vec();
        }
        let mut kept = ids[..self.context_length - 1].to_vec();
        kept.push(self.end);
        kept
    }

    /// Id of the token that begins every text.
    pub fn start_token(&self) -> u32 {
        self.start
    }

    /// Id of the token that ends every text, and whose position the model pools.
    pub fn end_token(&self) -> u32 {
        self.end
    }

    /// One more than the highest id.
    pub fn vocab_size(&self) -> usize {
        self.inner.get_vocab(true).into_values().max().map_or(0, |id| id as usize + 1)
    }

    /// The longest sequence that [`Self::encode`] returns.
    pub fn context_length(&self) -> usize {
        self.context_length
    }

    /// Writes all five files, so that any version of `transformers` finds those that it reads.
    pub fn save(&self, dir: &Path) -> Result<(), Error> {
        let damaged = |error: tokenizers::Error| Error::Damaged {
            path: dir.to_owned(),
            reason: error.to_string(),
        };
        pipeline::write_parts(&self.inner, dir).map_err(damaged)?;
        let combined = self.inner.to_string(true).map_err(damaged)?;
        fs::write(dir.join(COMBINED_FILE), combined)?;
        write_object(&self.special_tokens(), &dir.join(SPECIAL_FILE))?;
        write_object(&self.tokenizer_config(), &dir.join(SETTINGS_FILE))
    }

    fn special_tokens(&self) -> Map<String, Value> {
        let mut special = self.special.clone();
        for (key, id) in [
            ("bos_token", self.start),
            ("eos_token", self.end),
            ("unk_token", self.end),
            ("pad_token", self.end),
        ] {
            special.entry(key).or_insert_with(|| json!(self.inner.id_to_token(id)));
        }
        special
    }

    fn tokenizer_config(&self) -> Map<String, Value> {
        let mut settings = self.settings.clone();
        for (key, token) in self.special_tokens() {
            settings.entry(key).or_insert(token);
        }
        settings.entry("tokenizer_class").or_insert_with(|| json!("CLIPTokenizer"));
        settings.insert("model_max_length".to_owned(), json!(self.context_length));
        settings
    }
}

/// The one failure of BPE, an unknown token outside the vocabulary, is ruled out when it is read.
const CANNOT_FAIL: &str = "the unknown token was checked when the tokenizer was read";

/// What the tokenizer itself puts around an empty text.
fn start_and_end(inner: &tokenizers::Tokenizer) -> Result<(u32, u32), String> {
    let empty = inner.encode_fast("", true).map_err(|error| error.to_string())?;
    match empty.get_ids() {
        &[start, end] => Ok((start, end)),
        other => Err(format!(
            "expected a start and an end token around a text, found {} tokens",
            other.len()
        )),
    }
}

/// A file that need not be there.
fn read_object(path: &Path) -> Result<Map<String, Value>, Error> {
    if !path.exists() {
        return Ok(Map::new());
    }
    serde_json::from_str(&fs::read_to_string(path)?)
        .map_err(|source| Error::Json { path: path.to_owned(), source })
}

fn write_object(keys: &Map<String, Value>, path: &Path) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(keys)
        .map_err(|source| Error::Json { path: path.to_owned(), source })?;
    Ok(fs::write(path, text + "\n")?)
}
