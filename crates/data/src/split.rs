//! Which part of the data a picture belongs to, by the data's own word or else by a hash of its id.
//!
//! Nothing here draws random numbers: the same id is in the same split on every machine, and adding
//! pictures never moves one that was there before.

use std::{fmt, ops::Range, str::FromStr};

use crate::{Error, Example};

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Split {
    /// To learn from.
    Train,
    /// To choose by: early stopping, settings.
    Valid,
    /// To measure on, once.
    Test,
}

/// The band of the unit interval that means [`Split::Valid`]; below is train (80 %), above test (10 %).
const VALID: Range<f64> = 0.8..0.9;

impl Split {
    /// All three, in the order in which they are listed.
    pub const ALL: [Self; 3] = [Self::Train, Self::Valid, Self::Test];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Valid => "valid",
            Self::Test => "test",
        }
    }

    /// The split of an id where the data is silent: 80 % train, 10 % valid, 10 % test.
    pub fn of_id(id: &str) -> Self {
        let place = unit_interval(id);
        if place < VALID.start {
            Self::Train
        } else if place < VALID.end {
            Self::Valid
        } else {
            Self::Test
        }
    }

    /// The split that a word means; digits after it are allowed (`train2014`).
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_lowercase();
        match word.trim_end_matches(|letter: char| letter.is_ascii_digit()) {
            "train" | "training" | "restval" => Some(Self::Train),
            "valid" | "val" | "validation" | "dev" => Some(Self::Valid),
            "test" | "testing" => Some(Self::Test),
            _ => None,
        }
    }

    /// The split that a file stem names (`textaug_train_rsicd`), and the stem with `*` in that place.
    ///
    /// A stem that names two different splits names none.
    pub(crate) fn of_stem(stem: &str) -> Option<(Self, String)> {
        let mut words = stem.split(|letter: char| !letter.is_alphanumeric());
        let (split, word) = words.by_ref().find_map(|word| Some((Self::of_word(word)?, word)))?;
        let contradicted =
            words.any(|word| Self::of_word(word).is_some_and(|other| other != split));
        (!contradicted).then(|| (split, stem.replacen(word, "*", 1)))
    }
}

impl fmt::Display for Split {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Split {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::of_word(name).ok_or_else(|| Error::UnknownSplit { name: name.to_owned() })
    }
}

/// Who decided on the splits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SplitSource {
    /// The data, for every picture.
    Data,
    /// The data, but valid was hashed off the data's train because there was none.
    DataWithHashedValid,
    /// The hash of the id, for every picture.
    Hash,
}

/// Gives every example a split and returns who decided, with notes on what the data did not say.
pub(crate) fn assign(examples: &mut [Example]) -> (SplitSource, Vec<String>) {
    let mut notes = Vec::new();
    let unmarked = examples.iter().filter(|example| example.split.is_none()).count();
    if unmarked == examples.len() {
        for example in examples.iter_mut() {
            example.split = Some(Split::of_id(&example.id));
        }
        notes.extend(Split::ALL.into_iter().filter(|split| !holds(examples, *split)).map(|split| {
            format!("the data names no splits and is so small that {split} got no picture; add a split column")
        }));
        return (SplitSource::Hash, notes);
    }
    if unmarked > 0 {
        notes.push(format!("{unmarked} pictures have no split and count as train"));
        for example in examples.iter_mut() {
            example.split = example.split.or(Some(Split::Train));
        }
    }
    if holds(examples, Split::Valid) || !holds(examples, Split::Train) {
        return (SplitSource::Data, notes);
    }
    let moved = hash_off_valid(examples);
    notes.push(format!("the data has no valid split: {moved} train pictures (one in ten, by hash of the id) serve as one"));
    (SplitSource::DataWithHashedValid, notes)
}

fn holds(examples: &[Example], split: Split) -> bool {
    examples.iter().any(|example| example.split == Some(split))
}

/// Moves the train examples whose hash falls into the band of valid, and counts them.
fn hash_off_valid(examples: &mut [Example]) -> usize {
    let train = examples.iter_mut().filter(|example| example.split == Some(Split::Train));
    train
        .filter(|example| VALID.contains(&unit_interval(&example.id)))
        .map(|example| example.split = Some(Split::Valid))
        .count()
}

/// The id's place in [0, 1): the upper 53 bits of its hash.
fn unit_interval(id: &str) -> f64 {
    (finalise(fnv1a(id.as_bytes())) >> 11) as f64 / (1u64 << 53) as f64
}

/// 64-bit FNV-1a.
///
/// Source: Fowler, Noll, Vo; RFC 9923 (offset basis and prime).
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Spreads the entropy over all bits: FNV-1a's upper bits barely feel the last letters of an id.
///
/// Source: the finaliser of `SplitMix64` (Steele, Lea, Flood 2014; constants by Stafford, variant 13).
fn finalise(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Metadata;
    use proptest::prelude::*;

    fn examples(splits: &[Option<Split>]) -> Vec<Example> {
        let example = |(row, split): (usize, &Option<Split>)| Example {
            id: format!("{row}.jpg"),
            image: format!("{row}.jpg").into(),
            captions: vec!["a field".into()],
            split: *split,
            label: None,
            metadata: Metadata::new(),
        };
        splits.iter().enumerate().map(example).collect()
    }

    fn count(examples: &[Example], split: Split) -> usize {
        examples.iter().filter(|example| example.split == Some(split)).count()
    }

    #[test]
    fn the_hash_equals_its_published_values() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    /// The expected words come from a second implementation of the hash, in Python.
    #[test]
    fn the_split_of_an_id_never_changes() {
        let ids = [
            "airport_1.jpg",
            "airport_3.jpg",
            "airport_6.jpg",
            "airport_33.jpg",
            "airport_35.jpg",
            "ça.png",
        ];
        let splits = ids.map(|id| Split::of_id(id).name());
        assert_eq!(splits.join(" "), "train valid test valid test train");
    }

    #[test]
    fn shares_are_eighty_ten_ten() {
        let mut many = examples(&vec![None; 20_000]);
        assert_eq!(assign(&mut many).0, SplitSource::Hash);
        assert!((15_800..16_200).contains(&count(&many, Split::Train)));
        assert!((1_850..2_150).contains(&count(&many, Split::Valid)));
        assert!((1_850..2_150).contains(&count(&many, Split::Test)));
    }

    #[test]
    fn valid_is_hashed_off_train_when_the_data_has_none() {
        let mut many = examples(&vec![Some(Split::Train); 2_000]);
        let (source, notes) = assign(&mut many);
        assert_eq!(source, SplitSource::DataWithHashedValid);
        assert!((150..250).contains(&count(&many, Split::Valid)));
        assert_eq!(count(&many, Split::Test), 0);
        assert!(notes[0].contains("no valid split"), "{notes:?}");
    }

    #[test]
    fn the_data_has_the_last_word() {
        let mut three = examples(&[Some(Split::Test), Some(Split::Valid), None]);
        let (source, notes) = assign(&mut three);
        assert_eq!(source, SplitSource::Data);
        assert_eq!(three[2].split, Some(Split::Train));
        assert_eq!(notes, ["1 pictures have no split and count as train"]);
    }

    #[test]
    fn words_and_stems_name_splits() {
        assert_eq!(Split::of_word("restval"), Some(Split::Train));
        assert_eq!("Val".parse::<Split>().unwrap(), Split::Valid);
        assert!("foo".parse::<Split>().is_err());
        assert_eq!(
            Split::of_stem("textaug_valid_rsicd"),
            Some((Split::Valid, "textaug_*_rsicd".into()))
        );
        assert_eq!(Split::of_stem("train2014"), Some((Split::Train, "*".into())));
        assert_eq!(Split::of_stem("train_test"), None);
        assert_eq!(Split::of_stem("trainers"), None);
    }

    proptest! {
        #[test]
        fn adding_rows_moves_nobody(ids in proptest::collection::hash_set("[a-z0-9/]{1,12}", 1..60), more in 0usize..60) {
            let named = |id: &String| Example { id: id.clone(), ..examples(&[None]).remove(0) };
            let mut all: Vec<_> = ids.iter().map(named).collect();
            let mut fewer: Vec<_> = all.iter().take(more.max(1)).cloned().collect();
            assign(&mut all);
            assign(&mut fewer);
            prop_assert_eq!(&all[..fewer.len()], &fewer[..]);
            let total: usize = Split::ALL.iter().map(|split| count(&all, *split)).sum();
            prop_assert_eq!(total, all.len());
        }
    }
}
