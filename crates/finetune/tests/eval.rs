//! The evaluation against two slower twins: obvious full sorting in Rust, and an independent
//! Python.
//!
//! The Python's numbers are committed; `python bench/metrics.py --generate
//! fixtures/eval/features.safetensors` made the features, and the same script without `--generate`,
//! redirected to `metrics.json` beside them, the numbers.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeMap;

use finelens_finetune::eval::{
    Bootstrap, Comparison, Corpus, Direction, Error, Evaluated, EvaluationRecord, Features, Metric,
    RetrievalRanks, compare, evaluate, retrieval, zero_shot,
};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use safetensors::SafeTensors;
use serde_json::Value;

// --- A small world drawn by proptest, rich in ties ---

#[derive(Debug, Clone)]
struct World {
    dim: usize,
    images: Vec<Vec<f32>>,
    texts: Vec<Vec<f32>>,
    wordings: Vec<u32>,
    image_of_text: Vec<u32>,
}

/// Directions with entries -1, 0 and 1: their cosines are either equal up to rounding or far apart.
fn direction() -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(-1i8..=1, 4).prop_map(|mut signs| {
        if signs.iter().all(|&sign| sign == 0) {
            signs[0] = 1;
        }
        let length = f32::from(signs.iter().map(|sign| sign * sign).sum::<i8>()).sqrt();
        signs.into_iter().map(|sign| f32::from(sign) / length).collect()
    })
}

fn world() -> impl Strategy<Value = World> {
    (1usize..12).prop_flat_map(|images| {
        let more = prop::collection::vec(0..images as u32, 0..20);
        (prop::collection::vec(direction(), images), more).prop_flat_map(move |(rows, more)| {
            let image_of_text: Vec<u32> = (0..images as u32).chain(more).collect();
            let texts = image_of_text.len();
            let features = prop::collection::vec(direction(), texts);
            let wordings = prop::collection::vec(0u32..(texts as u32 + 1).div_ceil(2), texts);
            (Just(rows), features, wordings, Just(image_of_text)).prop_map(
                |(images, texts, wordings, image_of_text)| World {
                    dim: 4,
                    images,
                    texts,
                    wordings,
                    image_of_text,
                },
            )
        })
    })
}

impl World {
    fn corpus(&self) -> Corpus {
        let ids = (0..self.images.len()).map(|image| format!("{image}.png")).collect();
        let captions = self.wordings.iter().map(|wording| format!("wording {wording}")).collect();
        Corpus::new(ids, captions, self.image_of_text.clone()).unwrap()
    }

    fn features(&self) -> (Features, Features) {
        let rows = |rows: &[Vec<f32>]| Features::new(self.dim, rows.concat()).unwrap();
        (rows(&self.images), rows(&self.texts))
    }

    fn is_right(&self, image: usize, text: usize, identical: bool) -> bool {
        let own = |text: usize| self.image_of_text[text] as usize == image;
        let same = |other: usize| self.wordings[other] == self.wordings[text];
        own(text) || (identical && (0..self.texts.len()).any(|other| own(other) && same(other)))
    }

    /// Ranks of all right answers of each query: candidates sorted by rounded score, the wrong ones
    /// first in a tie.
    fn sorted(&self, direction: Direction, identical: bool) -> Vec<Vec<usize>> {
        let (queries, keys) = match direction {
            Direction::ImageToText => (&self.images, &self.texts),
            Direction::TextToImage => (&self.texts, &self.images),
        };
        let right = |query: usize, key: usize| match direction {
            Direction::ImageToText => self.is_right(query, key, identical),
            Direction::TextToImage => self.is_right(key, query, identical),
        };
        let ranks_of = |query: usize| {
            let score = |key: usize| {
                let cosine: f64 = queries[query]
                    .iter()
                    .zip(&keys[key])
                    .map(|(a, b)| f64::from(*a) * f64::from(*b))
                    .sum();
                (cosine * 1e5).round() as i64
            };
            let mut order: Vec<usize> = (0..keys.len()).collect();
            order.sort_by_key(|&key| (-score(key), right(query, key)));
            (1..=order.len()).filter(|&rank| right(query, order[rank - 1])).collect()
        };
        (0..queries.len()).map(ranks_of).collect()
    }

    /// Every retrieval metric, each query counted as often as its image was drawn.
    fn metrics(&self, identical: bool, weights: &[u32]) -> BTreeMap<String, f64> {
        let mut all = BTreeMap::new();
        for (name, direction) in [("i2t", Direction::ImageToText), ("t2i", Direction::TextToImage)]
        {
            let times = |query: usize| match direction {
                Direction::ImageToText => weights[query],
                Direction::TextToImage => weights[self.image_of_text[query] as usize],
            };
            let ranked = self.sorted(direction, identical).into_iter().enumerate();
            let queries: Vec<Vec<usize>> =
                ranked.flat_map(|(query, ranks)| vec![ranks; times(query) as usize]).collect();
            all.extend(direction_metrics(name, &queries));
        }
        let recalls = all.iter().filter(|(name, _)| name.contains("_r@")).map(|(_, value)| value);
        let mean_recall = recalls.sum::<f64>() / 6.0;
        all.insert("mean_recall".into(), mean_recall);
        all
    }
}

fn direction_metrics(name: &str, queries: &[Vec<usize>]) -> BTreeMap<String, f64> {
    let mean = |value: &dyn Fn(&[usize]) -> f64| {
        queries.iter().map(|ranks| value(ranks)).sum::<f64>() / queries.len() as f64
    };
    let mut all = BTreeMap::new();
    for k in [1, 5, 10] {
        all.insert(format!("{name}_r@{k}"), mean(&|ranks| f64::from(u8::from(ranks[0] <= k))));
    }
    for k in [1, 3, 5, 10, 20] {
        let reciprocal = |ranks: &[usize]| if ranks[0] <= k { 1.0 / ranks[0] as f64 } else { 0.0 };
        all.insert(format!("{name}_mrr@{k}"), mean(&reciprocal));
    }
    let gain = |ranks: &mut dyn Iterator<Item = usize>| {
        ranks.filter(|&rank| rank <= 10).map(|rank| 1.0 / (rank as f64 + 1.0).log2()).sum::<f64>()
    };
    let ndcg = |ranks: &[usize]| gain(&mut ranks.iter().copied()) / gain(&mut (1..=ranks.len()));
    all.insert(format!("{name}_ndcg@10"), mean(&ndcg));
    all.insert(format!("{name}_mean_rank"), mean(&|ranks| ranks[0] as f64));
    let mut first: Vec<usize> = queries.iter().map(|ranks| ranks[0]).collect();
    first.sort_unstable();
    let middle = first[(first.len() - 1) / 2] + first[first.len() / 2];
    all.insert(format!("{name}_median_rank"), middle as f64 / 2.0);
    all
}

fn values(ranks: &RetrievalRanks) -> BTreeMap<String, f64> {
    Metric::retrieval()
        .into_iter()
        .map(|metric| (metric.to_string(), ranks.value(metric).unwrap()))
        .collect()
}

fn assert_close(found: &BTreeMap<String, f64>, expected: &BTreeMap<String, f64>, tolerance: f64) {
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (name, value) in expected {
        assert!(
            (found[name] - value).abs() <= tolerance,
            "{name}: expected {value}, found {}",
            found[name]
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_metric_equals_that_of_obvious_sorting(world in world()) {
        let (images, texts) = world.features();
        let [own, identical] = retrieval::rank_both(&world.corpus(), &images, &texts).unwrap();
        let once = vec![1; world.images.len()];
        assert_close(&values(&own), &world.metrics(false, &once), 1e-12);
        assert_close(&values(&identical), &world.metrics(true, &once), 1e-12);
        prop_assert_eq!(retrieval::rank(&world.corpus(), &images, &texts).unwrap(), own);
    }

    #[test]
    fn the_order_of_the_captions_changes_nothing(world in world()) {
        let mut turned = world.clone();
        turned.texts.reverse();
        turned.wordings.reverse();
        turned.image_of_text.reverse();
        let measured = |world: &World| {
            let (images, texts) = world.features();
            retrieval::rank_both(&world.corpus(), &images, &texts).unwrap().map(|ranks| values(&ranks))
        };
        for (one, other) in measured(&world).iter().zip(&measured(&turned)) {
            assert_close(one, other, 1e-12);
        }
    }

    /// A mean or median over drawn images lies between those of the images alone. (Mean recall adds
    /// two means of different weights, so the bound does not hold for it.)
    #[test]
    fn intervals_stay_within_what_the_images_allow(world in world()) {
        let (images, texts) = world.features();
        let evaluated = evaluate(&world.corpus(), &images, &texts).unwrap();
        let bootstrap = Bootstrap { resamples: 50, seed: 3 };
        let record = EvaluationRecord::new(&world.corpus(), &evaluated, &[], &bootstrap);
        let metrics = record.retrieval.metrics.iter();
        for (metric, estimate) in metrics.filter(|(metric, _)| **metric != Metric::MeanRecall) {
            let alone: Vec<f64> = (0..world.images.len()).map(|image| {
                let mut weights = vec![0; world.images.len()];
                weights[image] = 1;
                world.metrics(false, &weights)[&metric.to_string()]
            }).collect();
            let least = alone.iter().copied().fold(f64::MAX, f64::min) - 1e-12;
            let most = alone.iter().copied().fold(f64::MIN, f64::max) + 1e-12;
            prop_assert!(estimate.low >= least && estimate.high <= most, "{metric}: {estimate:?}");
            prop_assert!(estimate.low <= estimate.high);
        }
    }
}

// --- The independent Python ---

fn fixture(name: &str) -> Vec<u8> {
    fs_err::read(format!("{}/../../fixtures/eval/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

struct Fixture {
    corpus: Corpus,
    images: Features,
    texts: Features,
    classes: Features,
    class_of_image: Vec<u32>,
}

fn read_fixture() -> Fixture {
    let bytes = fixture("features.safetensors");
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let integers = |name: &str| -> Vec<u32> {
        let data = tensors.tensor(name).unwrap();
        data.data()
            .chunks_exact(8)
            .map(|b| i64::from_le_bytes(b.try_into().unwrap()) as u32)
            .collect()
    };
    let features = |name: &str| {
        let tensor = tensors.tensor(name).unwrap();
        let values = tensor
            .data()
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
            .collect();
        Features::new(tensor.shape()[1], values).unwrap()
    };
    let images = features("image_features");
    let ids = (0..images.len()).map(|image| format!("{image}.png")).collect();
    let captions =
        integers("text_wording").iter().map(|wording| format!("Wording {wording} .")).collect();
    Fixture {
        corpus: Corpus::new(ids, captions, integers("text_image")).unwrap(),
        images,
        texts: features("text_features"),
        classes: features("class_features"),
        class_of_image: integers("class_of_image"),
    }
}

fn evaluate_fixture(fixture: &Fixture) -> Evaluated {
    let mut evaluated = evaluate(&fixture.corpus, &fixture.images, &fixture.texts).unwrap();
    let zero_shot =
        zero_shot::rank(&fixture.images, &fixture.class_of_image, &fixture.classes).unwrap();
    evaluated.zero_shot = Some(zero_shot);
    evaluated
}

/// Compares one table of metrics with what the Python wrote; it computes no chance for the median.
fn assert_agrees(found: &BTreeMap<Metric, finelens_finetune::eval::Estimate>, python: &Value) {
    let expected = python["metrics"].as_object().unwrap();
    assert_eq!(found.len(), expected.len());
    for (metric, estimate) in found {
        let name = metric.to_string();
        let close = |what: &str, found: f64, expected: &Value, tolerance: f64| {
            let expected = expected.as_f64().unwrap();
            assert!(
                (found - expected).abs() <= tolerance,
                "{name} {what}: expected {expected}, found {found}"
            );
        };
        close("value", estimate.value, &expected[&name], 1e-9);
        if !python["chance"][&name].is_null() {
            close("chance", estimate.chance, &python["chance"][&name], 1e-9);
        }
        // The draws differ, so the intervals agree only as well as two bootstraps of the same data do.
        if let Some(interval) = python["intervals"].get(&name) {
            let width = interval[1].as_f64().unwrap() - interval[0].as_f64().unwrap();
            close("low", estimate.low, &interval[0], 0.15 * width);
            close("high", estimate.high, &interval[1], 0.15 * width);
        }
    }
}

#[test]
fn an_independent_python_finds_the_same_numbers() {
    let python: Value = serde_json::from_slice(&fixture("metrics.json")).unwrap();
    let fixture = read_fixture();
    let record = EvaluationRecord::new(
        &fixture.corpus,
        &evaluate_fixture(&fixture),
        &[],
        &Bootstrap::default(),
    );
    let count =
        |found: usize, expected: &Value| assert_eq!(found as u64, expected.as_u64().unwrap());

    assert_agrees(&record.retrieval.metrics, &python["retrieval"]);
    assert_agrees(&record.identical_captions.metrics, &python["identical_captions"]);
    count(record.shared_captions, &python["shared_captions"]);
    count(record.retrieval.image_to_text.tied, &python["retrieval"]["tied"]["i2t"]);
    count(record.retrieval.text_to_image.tied, &python["retrieval"]["tied"]["t2i"]);
    count(
        record.identical_captions.image_to_text.tied,
        &python["identical_captions"]["tied"]["i2t"],
    );

    assert_agrees(&record.in_batch.metrics, &python["in_batch"]);
    count(record.in_batch.pool.tied, &python["in_batch"]["tied"]);

    let zero_shot = record.zero_shot.unwrap();
    assert_agrees(&zero_shot.metrics, &python["zero_shot"]);
    count(zero_shot.pool.tied, &python["zero_shot"]["tied"]);
    let expected = python["zero_shot"]["mean_per_class_accuracy"].as_f64().unwrap();
    assert!((zero_shot.mean_per_class_accuracy - expected).abs() < 1e-9);
}

// --- The record and the comparison ---

#[test]
fn a_record_survives_json() {
    let fixture = read_fixture();
    let bootstrap = Bootstrap { resamples: 20, seed: 0 };
    let names = ["farm", "port"].map(String::from);
    let record =
        EvaluationRecord::new(&fixture.corpus, &evaluate_fixture(&fixture), &names, &bootstrap);
    let json = serde_json::to_value(&record).unwrap();
    assert_eq!(json["protocol"], 1);
    assert_eq!(json["retrieval"]["text_to_image"]["candidates"], 90);
    assert!(json["retrieval"]["metrics"]["i2t_r@1"]["chance"].is_number());
    assert_eq!(json["zero_shot"]["classes"][1]["name"], "port");
    let metric: Metric = "in_batch_mrr@10".parse().unwrap();
    assert_eq!(
        record.value(metric),
        json["in_batch"]["metrics"]["in_batch_mrr@10"]["value"].as_f64()
    );
    let again: EvaluationRecord = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(again, record);
}

/// Moves some captions onto their images and one away from its own.
fn tuned(fixture: &Fixture) -> Evaluated {
    let rows = |features: &Features, row: usize| features.rows(row..row + 1).to_vec();
    let owner = |text: usize| fixture.corpus.image_of_text()[text] as usize;
    let moved = (0..fixture.texts.len()).flat_map(|text| match text {
        0 => rows(&fixture.images, owner(0)).into_iter().map(|value| -value).collect(),
        _ if text % 2 == 0 => rows(&fixture.images, owner(text)),
        _ => rows(&fixture.texts, text),
    });
    let texts = Features::new(fixture.texts.dim(), moved.collect()).unwrap();
    let mut after = evaluate(&fixture.corpus, &fixture.images, &texts).unwrap();
    after.zero_shot = evaluate_fixture(fixture).zero_shot;
    after
}

fn compare_with_tuned(fixture: &Fixture) -> Comparison {
    let bootstrap = Bootstrap { resamples: 500, seed: 0 };
    compare(&fixture.corpus, &evaluate_fixture(fixture), &tuned(fixture), &bootstrap, 5).unwrap()
}

#[test]
fn a_better_model_is_found_better() {
    let fixture = read_fixture();
    let found = compare_with_tuned(&fixture);
    let mean_recall = found.metrics[&Metric::MeanRecall];
    assert!(mean_recall.low > 0.0 && mean_recall.p_value < 0.005, "{mean_recall:?}");
    assert!(mean_recall.low < mean_recall.difference && mean_recall.difference < mean_recall.high);
    assert!(found.metrics[&"in_batch_mrr@10".parse().unwrap()].difference > 0.0);
    assert!(found.metrics[&"t2i_mean_rank".parse().unwrap()].difference < 0.0);
    let unchanged = found.metrics[&"zero_shot_hits@1".parse().unwrap()];
    assert_eq!((unchanged.difference, unchanged.p_value), (0.0, 1.0));
}

#[test]
fn the_queries_that_changed_most_are_named() {
    let fixture = read_fixture();
    let changes = compare_with_tuned(&fixture).text_to_image;
    assert_eq!(changes.better + changes.same + changes.worse, fixture.corpus.texts());
    assert_eq!(changes.most_improved.len(), 5);
    let ratios: Vec<f64> = changes
        .most_improved
        .iter()
        .map(|change| f64::from(change.before) / f64::from(change.after))
        .collect();
    assert!(ratios.is_sorted_by(|a, b| a >= b) && ratios[4] > 1.0, "{ratios:?}");
    let worst = &changes.most_worsened[0];
    assert_eq!((worst.image.as_str(), worst.caption.as_deref()), ("0.png", Some("Wording 0 .")));
    assert_eq!(worst.after, 90);
}

#[test]
fn evaluations_of_other_queries_are_not_compared() {
    let fixture = read_fixture();
    let evaluated = evaluate_fixture(&fixture);
    let mut other = evaluated.clone();
    other.own.text_to_image.queries.pop();
    let found = compare(&fixture.corpus, &evaluated, &other, &Bootstrap::default(), 1).unwrap_err();
    assert_eq!(found, Error::DifferentQueries { what: "images or captions" });
}

#[test]
#[ignore = "about 20 seconds: 10,000 images against 50,000 captions, 512 wide"]
fn long_a_large_corpus_is_ranked_in_bounded_memory() {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(0);
    let mut noise = |rows: usize| {
        let mut values: Vec<f32> =
            (0..rows * 512).map(|_| random.random_range(-1.0..1.0)).collect();
        for row in values.chunks_exact_mut(512) {
            let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
            for value in row {
                *value /= length;
            }
        }
        Features::new(512, values).unwrap()
    };
    let (images, texts) = (noise(10_000), noise(50_000));
    let names = |count: usize| (0..count).map(|i| i.to_string()).collect::<Vec<_>>();
    let owners = (0..50_000).map(|text| text / 5).collect();
    let corpus = Corpus::new(names(10_000), names(50_000), owners).unwrap();
    let start = std::time::Instant::now();
    let evaluated = evaluate(&corpus, &images, &texts).unwrap();
    let ranked = start.elapsed();
    let record = EvaluationRecord::new(&corpus, &evaluated, &[], &Bootstrap::default());
    eprintln!("ranked in {ranked:?}, with intervals {:?}", start.elapsed());
    for name in ["i2t_mean_rank", "t2i_mean_rank"] {
        let found = record.retrieval.metrics[&name.parse().unwrap()];
        assert!((found.value / found.chance - 1.0).abs() < 0.03, "{name}: {found:?}");
    }
}
