//! Sentences around a feature, and other things that a picture may show.

use crate::embedder::Embedder;
use crate::error::Error;

/// Sentences whose vectors are averaged for one feature: a single word is not what captions look like.
///
/// Source of the idea: Radford et al., "Learning Transferable Visual Models From Natural Language Supervision" (2021),
/// 3.1.4. The sentences are an own choice; they say nothing about the kind of picture.
pub const TEMPLATES: [&str; 5] =
    ["{}", "a photo of {}", "a picture of {}", "there is {} in the picture", "a view of {}"];

/// Things of all kinds, from streets to scans, that a picture is compared with where no other pictures are known.
///
/// Own choice: common nouns of photographs, views from above, interiors, documents, materials and medical pictures.
pub const BACKGROUND: [&str; 96] = [
    "a person",
    "a crowd",
    "a face",
    "a hand",
    "a child",
    "a dog",
    "a cat",
    "a horse",
    "a bird",
    "a cow",
    "a fish",
    "an insect",
    "a tree",
    "a flower",
    "grass",
    "a leaf",
    "a forest",
    "a mountain",
    "a rock",
    "sand",
    "the sea",
    "a river",
    "a lake",
    "snow",
    "the sky",
    "a cloud",
    "the sun",
    "the night",
    "fire",
    "smoke",
    "a road",
    "a street",
    "a bridge",
    "a tunnel",
    "a railway",
    "an airport",
    "a harbour",
    "a car",
    "a truck",
    "a bus",
    "a train",
    "a bicycle",
    "a boat",
    "a plane",
    "a house",
    "a tower",
    "a castle",
    "a church",
    "a school",
    "a factory",
    "a shop",
    "a window",
    "a door",
    "a wall",
    "a fence",
    "stairs",
    "a garden",
    "a park",
    "a farm",
    "a field",
    "a desert",
    "an island",
    "a village",
    "a square",
    "a market",
    "a stadium",
    "a playground",
    "a table",
    "a chair",
    "a bed",
    "a lamp",
    "a clock",
    "a book",
    "a computer",
    "a toy",
    "a ball",
    "a bottle",
    "a plate of food",
    "fruit",
    "clothes",
    "shoes",
    "a coin",
    "a painting",
    "a map",
    "a diagram",
    "text",
    "a bone",
    "the brain",
    "the lungs",
    "the heart",
    "a tooth",
    "cells under a microscope",
    "a machine",
    "fabric",
    "wood",
    "metal",
];

/// A feature as a unit vector: the mean over [`TEMPLATES`].
///
/// # Shapes
/// (D,).
///
/// # Errors
/// What the device has to report.
pub fn feature_vector(embedder: &mut Embedder, feature: &str) -> Result<Vec<f32>, Error> {
    vectors(embedder, &[feature])
}

/// [`BACKGROUND`] as unit vectors, made as a feature's is.
///
/// # Shapes
/// (N, D).
///
/// # Errors
/// What the device has to report.
pub fn background_vectors(embedder: &mut Embedder) -> Result<Vec<f32>, Error> {
    vectors(embedder, &BACKGROUND)
}

fn vectors(embedder: &mut Embedder, features: &[&str]) -> Result<Vec<f32>, Error> {
    let sentence = |feature: &str, template: &str| template.replace("{}", feature);
    let sentences: Vec<String> = features
        .iter()
        .flat_map(|feature| TEMPLATES.map(|template| sentence(feature.trim(), template)))
        .collect();
    let sentences: Vec<&str> = sentences.iter().map(String::as_str).collect();
    let dim = embedder.model.config().embed_dim;
    let features = embedder.texts(&sentences)?;
    Ok(features.chunks_exact(TEMPLATES.len() * dim).flat_map(|rows| mean(rows, dim)).collect())
}

/// The mean of rows, of length 1.
fn mean(rows: &[f32], dim: usize) -> Vec<f32> {
    let sum: Vec<f32> =
        (0..dim).map(|column| rows[column..].iter().step_by(dim).sum::<f32>()).collect();
    let length = sum.iter().map(|value| value * value).sum::<f32>().sqrt();
    sum.into_iter().map(|value| value / length.max(f32::MIN_POSITIVE)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_has_length_one() {
        assert_eq!(mean(&[1.0, 0.0, 0.2, 1.6], 2), [0.6, 0.8]);
        assert_eq!(mean(&[1.0, 0.0, -1.0, 0.0], 2), [0.0, 0.0]);
    }

    #[test]
    fn each_sentence_has_a_place_for_the_feature() {
        assert!(TEMPLATES.iter().all(|template| template.matches("{}").count() == 1));
    }

    #[test]
    fn no_background_is_named_twice() {
        let distinct: std::collections::BTreeSet<_> = BACKGROUND.iter().collect();
        assert_eq!(distinct.len(), BACKGROUND.len());
    }
}
