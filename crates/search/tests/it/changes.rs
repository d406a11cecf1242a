//! Changes of an index that follow from a number, and what they make of its pictures.

use std::collections::BTreeMap;

use finelens_search::{Backend, Embedded, Error, Item, Record, Trial};

use crate::pictures::{id, item, mix, vector};

/// The pictures that there are: number, and the versions of words and vector.
pub(crate) type Pictures = BTreeMap<u64, (u64, u64)>;

/// Pictures that come and go have numbers below this.
pub(crate) const NUMBERS: u64 = 60;

/// The first number of the pictures that stay. There are so many that a search looks at the codes: few would be compared
/// directly.
const BASE: u64 = 10_000;
/// How many pictures stay.
const STAY: u64 = 540;

/// Pictures that are put in one transaction when an index is renewed.
const BATCH: usize = 200;

/// One change. The whole sequence follows from the seed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// Numbers, all of this version.
    Put(Vec<u64>, u64),
    /// The same for those of them that are there, and their vectors stay.
    Update(Vec<u64>, u64),
    Delete(Vec<u64>),
    Optimise,
    Compact,
    Renew,
    Fit,
    Probes(u64),
}

impl Step {
    /// What every sequence begins with.
    pub(crate) fn first() -> Self {
        Self::Put((BASE..BASE + STAY).chain(0..NUMBERS / 2).collect(), 1)
    }

    pub(crate) fn of(seed: u64, place: u64) -> Self {
        let dice = mix(seed, place);
        let start = mix(dice, 1) % NUMBERS;
        let numbers = |most: u64| -> Vec<u64> {
            (start..start + 1 + mix(dice, 2) % most).map(|number| number % NUMBERS).collect()
        };
        let version = mix(dice, 3) % 1_000_000;
        match dice % 40 {
            0 | 1 => Self::Compact,
            2 => Self::Renew,
            3 | 4 => Self::Optimise,
            5 => Self::Fit,
            6 => Self::Probes(version),
            7..15 => Self::Delete(numbers(6)),
            15..22 => Self::Update(numbers(8), version),
            _ => Self::Put(numbers(12), version),
        }
    }

    /// Does it; `pictures` are those that there are before.
    pub(crate) fn run(&self, index: &Embedded, pictures: &Pictures) -> Result<(), Error> {
        match self {
            Self::Put(numbers, version) => {
                let items: Vec<_> = numbers.iter().map(|number| item(*number, *version)).collect();
                index.put(&items)
            }
            Self::Update(numbers, version) => {
                let known = numbers.iter().filter(|number| pictures.contains_key(number));
                let records = known.map(|number| item(*number, *version).record);
                index.update(&records.collect::<Vec<Record>>())
            }
            Self::Delete(numbers) => {
                let ids: Vec<String> = numbers.iter().map(|number| id(*number)).collect();
                index.delete(&ids.iter().map(String::as_str).collect::<Vec<_>>()).map(|_| ())
            }
            Self::Optimise => index.optimise(&mut |_, _, _| {}).map(|_| ()),
            Self::Compact => index.compact(&mut |_, _, _| {}).map(|_| ()),
            Self::Renew => renew(index),
            Self::Fit => index.fit(&trials(pictures)).map(|_| ()),
            Self::Probes(version) => {
                index.set_probes(&(0..8).map(|n| vector(version + n)).collect::<Vec<_>>())
            }
        }
    }

    /// What it makes of the pictures that there are.
    pub(crate) fn apply(&self, pictures: &mut Pictures) {
        match self {
            Self::Put(numbers, version) => {
                pictures.extend(numbers.iter().map(|number| (*number, (*version, *version))));
            }
            Self::Update(numbers, version) => {
                for number in numbers {
                    pictures.entry(*number).and_modify(|(words, _)| *words = *version);
                }
            }
            Self::Delete(numbers) => pictures.retain(|number, _| !numbers.contains(number)),
            Self::Optimise | Self::Compact | Self::Renew | Self::Fit | Self::Probes(_) => {}
        }
    }
}

/// What there is after so many steps of a sequence, beside the first.
pub(crate) fn after(seed: u64, steps: u64) -> Pictures {
    let mut pictures = Pictures::new();
    Step::first().apply(&mut pictures);
    (0..steps).for_each(|place| Step::of(seed, place).apply(&mut pictures));
    pictures
}

/// A picture as it is in the index.
pub(crate) fn picture(number: u64, (words, vector): (u64, u64)) -> Item {
    Item { record: item(number, words).record, vector: item(number, vector).vector }
}

fn trials(pictures: &Pictures) -> Vec<Trial> {
    let trial = |(number, versions): (&u64, &(u64, u64))| Trial {
        id: id(*number),
        caption: 0,
        vector: picture(*number, *versions).vector,
    };
    pictures.iter().rev().take(40).map(trial).collect()
}

/// A new generation with the same pictures, as embedding anew makes it.
fn renew(index: &Embedded) -> Result<(), Error> {
    let successor = index.successor(&index.settings())?;
    let (here, done) = (index.known()?, successor.known()?);
    let gone: Vec<&str> =
        done.keys().map(String::as_str).filter(|id| !here.contains_key(*id)).collect();
    successor.delete(&gone)?;
    let missing: Vec<&String> =
        here.iter().filter(|(id, known)| done.get(*id) != Some(known)).map(|(id, _)| id).collect();
    for ids in missing.chunks(BATCH) {
        let items = ids.iter().filter_map(|id| index.get(id).transpose());
        successor.put(&items.collect::<Result<Vec<_>, _>>()?)?;
    }
    index.succeed(successor)
}
