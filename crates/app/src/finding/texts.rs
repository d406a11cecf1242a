//! Vectors of the features that were asked about last.

use std::collections::VecDeque;

use finelens_clip::{Embedder, Error, locate};

/// Features that are remembered.
const FEATURES: usize = 64;

/// Features with their vectors, newest first.
#[derive(Debug, Default)]
pub(super) struct Texts {
    features: VecDeque<(String, Vec<f32>)>,
}

impl Texts {
    /// `(D,)`: the vector of a feature.
    pub(super) fn vector(
        &mut self,
        feature: &str,
        embedder: &mut Embedder,
    ) -> Result<Vec<f32>, Error> {
        let place = self.features.iter().position(|(known, _)| known == feature);
        let vector = match place.and_then(|place| self.features.remove(place)) {
            Some((_, vector)) => vector,
            None => locate::feature_vector(embedder, feature)?,
        };
        self.features.truncate(FEATURES - 1);
        self.features.push_front((feature.to_owned(), vector.clone()));
        Ok(vector)
    }
}
