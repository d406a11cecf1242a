//! How CLIP's text is cleaned, split and wrapped, built from files of two kinds.
//!
//! The words of the vocabulary are not its business; they are learnt in `train` or read.
//!
//! Source: `transformers`, `tokenization_clip.py` (5.23).

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};
use tokenizers::models::bpe::BPE;
use tokenizers::normalizers::replace::ReplacePattern;
use tokenizers::normalizers::{Lowercase, NFC, Replace, Sequence as Normalizers};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence as PreTokenizers;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::processors::roberta::RobertaProcessing;
use tokenizers::{AddedToken, Model, ModelWrapper, SplitDelimiterBehavior, Tokenizer};

use crate::Error;

/// CLIP's own names of the two marks.
pub(super) const START: &str = "<|startoftext|>";
pub(super) const END: &str = "<|endoftext|>";
/// What the last symbol of a word carries.
pub(super) const WORD_END: &str = "</w>";

/// Contractions, words, single digits, runs of anything else.
const WORDS: &str =
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";

/// A token that stands for no text.
pub(super) struct Special(AddedToken);

impl Special {
    pub(super) fn start(settings: &Map<String, Value>, special: &Map<String, Value>) -> Self {
        Self::named("bos_token", START, settings, special)
    }

    pub(super) fn end(settings: &Map<String, Value>, special: &Map<String, Value>) -> Self {
        Self::named("eos_token", END, settings, special)
    }

    /// Either file may give a string, or an object that also says how the token is matched in a text.
    fn named(
        key: &str,
        default: &str,
        settings: &Map<String, Value>,
        special: &Map<String, Value>,
    ) -> Self {
        let value = special.get(key).or_else(|| settings.get(key)).unwrap_or(&Value::Null);
        let name = value.as_str().or_else(|| value["content"].as_str()).unwrap_or(default);
        let flag = |flag: &str| value[flag].as_bool().unwrap_or(false);
        let token = AddedToken::from(name, true).normalized(flag("normalized"));
        Self(token.lstrip(flag("lstrip")).rstrip(flag("rstrip")).single_word(flag("single_word")))
    }
}

/// Reads `tokenizer.json`, which holds everything.
pub(super) fn read_combined(path: &Path, marks: &[Special; 2]) -> Result<Tokenizer, Error> {
    let damaged = |reason: String| Error::Damaged { path: path.to_owned(), reason };
    let mut tokenizer =
        Tokenizer::from_bytes(fs_err::read(path)?).map_err(|error| damaged(error.to_string()))?;
    tokenizer
        .with_padding(None)
        .with_truncation(None)
        .map_err(|error| damaged(error.to_string()))?;
    let ModelWrapper::BPE(model) = tokenizer.get_model() else {
        return Err(damaged("expected a BPE model, found another".to_owned()));
    };
    check_unknown(model).map_err(damaged)?;
    if tokenizer.get_post_processor().is_none() {
        wrap(&mut tokenizer, marks).map_err(damaged)?;
    }
    Ok(tokenizer)
}

/// Reads `vocab.json` and `merges.txt`, and builds the rest as CLIP does.
pub(super) fn read_parts(
    vocabulary: &Path,
    merges: &Path,
    marks: &[Special; 2],
) -> Result<Tokenizer, Error> {
    let json = |source| Error::Json { path: vocabulary.to_owned(), source };
    let words = serde_json::from_str(&fs_err::read_to_string(vocabulary)?).map_err(json)?;
    let pairs = read_merges(merges)?;
    build(&words, &pairs, marks)
        .map_err(|reason| Error::Damaged { path: vocabulary.to_owned(), reason })
}

/// One merge a line, two symbols with a space between; a first line with the version is optional.
fn read_merges(path: &Path) -> Result<Vec<(String, String)>, Error> {
    let text = fs_err::read_to_string(path)?;
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.is_empty() && !line.starts_with("#version"));
    let pair = |(index, line): (usize, &str)| match line.split_once(' ') {
        Some((left, right)) if !right.contains(' ') => Ok((left.to_owned(), right.to_owned())),
        _ => Err(Error::Damaged {
            path: path.to_owned(),
            reason: format!("line {}: expected two symbols, found `{line}`", index + 1),
        }),
    };
    lines.map(pair).collect()
}

/// CLIP's pipeline around a vocabulary and its merges.
pub(super) fn build(
    vocabulary: &BTreeMap<String, u32>,
    merges: &[(String, String)],
    marks: &[Special; 2],
) -> Result<Tokenizer, String> {
    let model = json!({
        "type": "BPE",
        "unk_token": marks[1].0.content,
        "continuing_subword_prefix": "",
        "end_of_word_suffix": WORD_END,
        "fuse_unk": false,
        "vocab": vocabulary,
        "merges": merges,
    });
    // Through text: the reader of `tokenizers` borrows from it.
    let model: BPE = serde_json::from_str(&model.to_string()).map_err(|error| error.to_string())?;
    check_unknown(&model)?;
    let mut tokenizer = Tokenizer::new(model);
    tokenizer.with_normalizer(Some(normalizer())).with_pre_tokenizer(Some(pre_tokenizer()));
    tokenizer.with_decoder(Some(ByteLevel::default()));
    wrap(&mut tokenizer, marks)?;
    Ok(tokenizer)
}

/// Puts the marks around every text; both must be in the vocabulary.
fn wrap(tokenizer: &mut Tokenizer, marks: &[Special; 2]) -> Result<(), String> {
    tokenizer.add_special_tokens(&marks.each_ref().map(|mark| mark.0.clone()));
    let [start, end] = marks.each_ref().map(|mark| {
        let name = &mark.0.content;
        let id = tokenizer.get_model().token_to_id(name);
        id.map(|id| (name.clone(), id))
            .ok_or_else(|| format!("the token `{name}` is not in the vocabulary"))
    });
    tokenizer.with_post_processor(Some(
        RobertaProcessing::new(end?, start?).trim_offsets(false).add_prefix_space(false),
    ));
    Ok(())
}

pub(super) fn normalizer() -> Normalizers {
    let spaces =
        Replace::new(ReplacePattern::Regex(r"\s+".to_owned()), " ").expect("a valid pattern");
    Normalizers::new(vec![NFC.into(), spaces.into(), Lowercase.into()])
}

pub(super) fn pre_tokenizer() -> PreTokenizers {
    let words =
        Split::new(SplitPattern::Regex(WORDS.to_owned()), SplitDelimiterBehavior::Removed, true);
    PreTokenizers::new(vec![
        words.expect("a valid pattern").into(),
        ByteLevel::new(false, true, true).into(),
    ])
}

fn check_unknown(model: &BPE) -> Result<(), String> {
    match model.get_unk_token() {
        Some(unknown) if model.token_to_id(unknown).is_none() => {
            Err(format!("the unknown token `{unknown}` is not in the vocabulary"))
        }
        _ => Ok(()),
    }
}

/// Writes `vocab.json` and `merges.txt`.
pub(super) fn write_parts(tokenizer: &Tokenizer, dir: &Path) -> tokenizers::Result<()> {
    tokenizer.get_model().save(dir, None).map(drop)
}
