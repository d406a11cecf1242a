//! How many operations one pass through a tower takes, to compare a speed with what a processor can do.

use super::{Config, Tower};

impl Config {
    /// Multiplications and additions for the features of one picture, counted apart.
    ///
    /// Matrix products only, as models are usually compared: everything else is a few hundredths. A block that is spared
    /// for rows that nobody reads counts whole.
    pub fn image_operations(&self) -> f64 {
        let (vision, width) = (&self.vision, self.vision.tower.width);
        let patches = vision.patches() * 3 * vision.patch_size.pow(2) * width;
        2.0 * (patches + vision.tower.multiplications(vision.tokens()) + width * self.embed_dim)
            as f64
    }

    /// The same for one text of `tokens` tokens.
    pub fn text_operations(&self, tokens: usize) -> f64 {
        let tower = &self.text.tower;
        2.0 * (tower.multiplications(tokens) + tower.width * self.embed_dim) as f64
    }

    /// The same for one pair of a training step.
    ///
    /// Backward, every product is made twice: for the gradient of the input and for that of the weight.
    pub fn pair_operations(&self, tokens: usize) -> f64 {
        3.0 * (self.image_operations() + self.text_operations(tokens))
    }
}

impl Tower {
    /// Multiplications for one sequence: four maps of the width and two of the MLP for each token, and twice every token with every token.
    fn multiplications(&self, tokens: usize) -> usize {
        let maps = 4 * self.width.pow(2) + 2 * self.width * self.mlp_width;
        self.layers * (tokens * maps + 2 * tokens.pow(2) * self.width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: open_clip, `docs/model_profile.csv`: 8.82 and 5.96 GFLOP, 14.78 together.
    #[test]
    fn the_numbers_are_those_that_others_tell() {
        let config = Config::preset("vit-b-32", 49_408).unwrap();
        assert!((config.image_operations() / 1e9 - 8.82).abs() < 0.02);
        assert!((config.text_operations(77) / 1e9 - 5.96).abs() < 0.02);
        assert!((config.pair_operations(77) / 1e9 - 3.0 * 14.78).abs() < 0.1);
    }
}
