//! What captions tell an index about itself: how well the vector leg finds, and how the two legs are best put together.

use finelens_clip::Embedder;
use finelens_data::{Example, Split};
use finelens_search::{Embedded, Fitted, Trial};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Captions that the recall of the vector leg is measured with.
///
/// Own choice: of 3,000 hits, a recall of 0.99 is known to about 0.002, one standard deviation.
const PROBES: usize = 300;

/// Captions that the weight of the hybrid is fitted on, at most.
///
/// Own choice: over 1,000 queries a mean reciprocal rank is known to about 0.01, one standard deviation; more would only
/// take longer.
const TRIALS: usize = 1_000;

/// Fewer captions than this decide nothing that nobody asked for.
pub(crate) const MEANINGFUL: usize = 50;

/// Seed of the samples; the same index gets the same ones.
const SEED: u64 = 3;

/// Gives the index vectors of some captions to measure its recall with.
pub(crate) fn probe(
    index: &Embedded,
    examples: &[&Example],
    embedder: &mut Embedder,
) -> anyhow::Result<()> {
    let captions: Vec<&str> =
        examples.iter().flat_map(|example| &example.captions).map(String::as_str).collect();
    let sample: Vec<&str> = spread(captions.len(), PROBES).map(|place| captions[place]).collect();
    Ok(index.set_probes(&vectors(embedder, &sample)?)?)
}

/// A caption of a picture that has others: the picture's place among the examples, and the caption's among its own.
pub(crate) type Held = (usize, usize);

/// Captions of the split valid to fit on, of pictures that still say something when one caption is held out.
pub(crate) fn trials(examples: &[&Example]) -> Vec<Held> {
    let usable =
        |example: &Example| example.split == Some(Split::Valid) && example.captions.len() > 1;
    let pictures = examples.iter().enumerate().filter(|(_, example)| usable(example));
    let all: Vec<Held> = pictures
        .flat_map(|(place, example)| {
            (0..example.captions.len()).map(move |caption| (place, caption))
        })
        .collect();
    spread(all.len(), TRIALS).map(|place| all[place]).collect()
}

/// Fits the weight of the hybrid on these captions.
pub(crate) fn tune(
    index: &Embedded,
    examples: &[&Example],
    held: &[Held],
    embedder: &mut Embedder,
) -> anyhow::Result<Fitted> {
    let text = |&(place, caption): &Held| examples[place].captions[caption].as_str();
    let captions: Vec<&str> = held.iter().map(text).collect();
    let vectors = vectors(embedder, &captions)?;
    let trial = |(&(place, caption), vector): (&Held, Vec<f32>)| Trial {
        id: examples[place].id.clone(),
        caption,
        vector,
    };
    let trials: Vec<Trial> = held.iter().zip(vectors).map(trial).collect();
    Ok(index.fit(&trials)?)
}

/// `(N, D)` as rows.
fn vectors(embedder: &mut Embedder, captions: &[&str]) -> anyhow::Result<Vec<Vec<f32>>> {
    let features = embedder.texts(captions)?; // (N, D)
    let dim = embedder.model.config().embed_dim;
    Ok(features.chunks_exact(dim).map(<[f32]>::to_vec).collect())
}

/// At most `wanted` of `count` places, one drawn from each of as many stretches of equal length, in order.
pub(crate) fn spread(count: usize, wanted: usize) -> impl Iterator<Item = usize> {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let stretches = wanted.min(count);
    (0..stretches).map(move |stretch| {
        let [start, end] = [stretch, stretch + 1].map(|stretch| stretch * count / stretches);
        random.random_range(start..end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_spread_over_the_whole_and_names_nobody_twice() {
        let sample: Vec<usize> = spread(1_000, 10).collect();
        assert!(
            sample.iter().zip(0..).all(|(place, stretch)| place / 100 == stretch),
            "{sample:?}"
        );
        assert_ne!(sample[0] % 100, sample[1] % 100);
        assert_eq!(spread(3, 10).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(spread(0, 10).count(), 0);
    }

    #[test]
    fn trials_come_from_valid_pictures_that_have_words_left() {
        let example = |split, captions: usize| Example {
            id: String::new(),
            image: "a.jpg".into(),
            captions: vec!["a boat".to_owned(); captions],
            split: Some(split),
            label: None,
            metadata: finelens_data::Metadata::new(),
        };
        let examples =
            [example(Split::Train, 5), example(Split::Valid, 1), example(Split::Valid, 2)];
        assert_eq!(trials(&examples.iter().collect::<Vec<_>>()), [(2, 0), (2, 1)]);
    }
}
