//! Everything that can be said about a training run, with defaults for 1,000 to 200,000 pairs.
//!
//! This is the file type of `run.toml` too: unknown keys are refused there.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::eval::Metric;

/// One training run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// Passes over the training images (or over `sample` of them).
    ///
    /// Source: clip-image-search run-4 and run-5 (10 epochs, still rising); early stopping ends sooner.
    pub epochs: usize,
    /// Images in a batch; each brings one of its captions.
    ///
    /// Source: CLIP-rsicd and clip-image-search trained on 64 to 128 pairs a device.
    pub batch: usize,
    /// Every random choice follows from it.
    pub seed: u64,
    /// Images drawn in an epoch; 0 means all of them.
    ///
    /// Source: clip-image-search subsamples 20,000 to 50,000 of 148,153 as its regulariser.
    pub sample: usize,
    /// Whether an image may be drawn twice in an epoch when `sample` is set.
    pub replacement: bool,
    /// Blocks keep only their input and compute the rest again backward: less memory, a third more time.
    pub recompute: bool,
    /// Steps between checkpoints inside a long epoch; there is one at the end of each epoch anyway.
    pub save_every_steps: usize,
    /// Memory for decoded pictures that are kept from one epoch to the next, in MiB; never more than half of what is free.
    ///
    /// It changes nothing but the time. Own choice: all of 14,000 pictures of 224 px fit, and a laptop has it.
    pub cache_mib: usize,
    /// Towers that do not learn.
    pub freeze: Vec<TowerName>,
    /// The optimizer.
    pub optimizer: OptimizerConfig,
    /// Changes to the pictures.
    pub augment: AugmentConfig,
    /// When to measure and when to stop.
    pub stop: StopConfig,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch: 64,
            seed: 1,
            sample: 0,
            replacement: false,
            recompute: false,
            save_every_steps: 1000,
            cache_mib: 2048,
            freeze: Vec::new(),
            optimizer: OptimizerConfig::default(),
            augment: AugmentConfig::default(),
            stop: StopConfig::default(),
        }
    }
}

/// One half of a CLIP model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TowerName {
    /// The one that reads pixels.
    Vision,
    /// The one that reads tokens.
    Text,
}

/// AdamW and the course of its learning rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OptimizerConfig {
    /// Learning rate at the top of the schedule.
    ///
    /// Source: clip-image-search's best runs (5e-5; its run at 1e-4 fell below the untouched model), and
    /// FLYP, arXiv:2212.00638 (1e-5), for pretrained models. A model from random weights wants 5e-4.
    pub learning_rate: f32,
    /// Share of all steps in which the rate rises from zero.
    pub warmup: f32,
    /// How it falls afterwards.
    pub schedule: Schedule,
    /// Decoupled weight decay on matrices; biases, norms and the logit scale have none.
    ///
    /// Source: CLIP-rsicd and FLYP, 0.1.
    pub weight_decay: f32,
    /// Decay of the first moments.
    pub beta1: f32,
    /// Decay of the second moments. Source: Radford et al. 2021, table 19 (0.98 for vision transformers).
    pub beta2: f32,
    /// Added to the root of the second moments. Source: the same (1e-6).
    pub eps: f32,
    /// Bound on the length of all gradients together. Source: CLIP-rsicd, 1.0.
    pub max_grad_norm: f32,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self {
            learning_rate: 5e-5,
            warmup: 0.1,
            schedule: Schedule::Cosine,
            weight_decay: 0.1,
            beta1: 0.9,
            beta2: 0.98,
            eps: 1e-6,
            max_grad_norm: 1.0,
        }
    }
}

/// How the learning rate falls to zero after the warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// Half a cosine. Source: Loshchilov & Hutter 2017, arXiv:1608.03983.
    Cosine,
    /// A straight line, as both CLIP-rsicd and clip-image-search did.
    Linear,
    /// It stays at the top.
    Constant,
}

/// Random changes to training pictures; each can be switched off on its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AugmentConfig {
    /// Smallest share of a picture's area that a random crop keeps; 1 switches cropping off.
    ///
    /// Source: CLIP-rsicd crops 0.8 of the side (0.64 of the area) and more.
    pub crop_area: f32,
    /// Largest change of a crop's aspect ratio, as a factor; 1 keeps it.
    pub crop_ratio: f32,
    /// Chance of a mirror image, left and right exchanged; harmful where captions say "left".
    pub flip_horizontal: f32,
    /// Chance of top and bottom exchanged: for pictures from above.
    pub flip_vertical: f32,
    /// Largest relative change of brightness; 0 switches it off.
    pub brightness: f32,
    /// Largest relative change of contrast.
    pub contrast: f32,
    /// Largest relative change of saturation.
    pub saturation: f32,
    /// Largest turn of the colour circle, as a share of it (at most 0.5).
    pub hue: f32,
}

impl Default for AugmentConfig {
    fn default() -> Self {
        Self {
            crop_area: 0.64,
            crop_ratio: 1.1,
            flip_horizontal: 0.5,
            flip_vertical: 0.0,
            brightness: 0.1,
            contrast: 0.1,
            saturation: 0.1,
            hue: 0.0,
        }
    }
}

/// Measuring on the validation split, keeping the best, stopping early.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StopConfig {
    /// Name of the retrieval metric that decides, such as `mean_recall`.
    pub metric: String,
    /// Measurements without a new best after which training ends; 0 never ends early.
    pub patience: usize,
    /// Epochs from one measurement to the next.
    pub every_epochs: usize,
    /// Validation images used for these measurements; 0 means all of them.
    pub images: usize,
}

impl Default for StopConfig {
    fn default() -> Self {
        Self { metric: "mean_recall".to_owned(), patience: 3, every_epochs: 1, images: 2000 }
    }
}

impl TrainConfig {
    /// # Errors
    /// Names the first setting that is out of its range, or a metric that does not exist.
    pub fn check(&self) -> Result<(), Error> {
        at_least("epochs", self.epochs, 1)?;
        at_least("batch", self.batch, 2)?;
        at_least("save_every_steps", self.save_every_steps, 1)?;
        at_least("stop.every_epochs", self.stop.every_epochs, 1)?;
        if self.freeze.contains(&TowerName::Vision) && self.freeze.contains(&TowerName::Text) {
            let (expected, found) = ("one tower at most".to_owned(), "both".to_owned());
            return Err(Error::Setting { key: "freeze", expected, found });
        }
        self.optimizer.check()?;
        self.augment.check()?;
        self.stop.metric().map(|_| ())
    }
}

impl OptimizerConfig {
    fn check(&self) -> Result<(), Error> {
        within("optimizer.learning_rate", self.learning_rate, 0.0, 1.0)?;
        within("optimizer.warmup", self.warmup, 0.0, 1.0)?;
        within("optimizer.weight_decay", self.weight_decay, 0.0, 1.0)?;
        within("optimizer.beta1", self.beta1, 0.0, 0.999_999)?;
        within("optimizer.beta2", self.beta2, 0.0, 0.999_999)?;
        within("optimizer.eps", self.eps, 1e-12, 1.0)?;
        within("optimizer.max_grad_norm", self.max_grad_norm, 1e-6, 1e6)
    }
}

impl AugmentConfig {
    fn check(&self) -> Result<(), Error> {
        within("augment.crop_area", self.crop_area, 0.01, 1.0)?;
        within("augment.crop_ratio", self.crop_ratio, 1.0, 10.0)?;
        within("augment.flip_horizontal", self.flip_horizontal, 0.0, 1.0)?;
        within("augment.flip_vertical", self.flip_vertical, 0.0, 1.0)?;
        within("augment.brightness", self.brightness, 0.0, 1.0)?;
        within("augment.contrast", self.contrast, 0.0, 1.0)?;
        within("augment.saturation", self.saturation, 0.0, 1.0)?;
        within("augment.hue", self.hue, 0.0, 0.5)
    }
}

impl StopConfig {
    /// The metric that decides.
    ///
    /// # Errors
    /// When there is none of that name, or it is not one of full-corpus retrieval.
    pub fn metric(&self) -> Result<Metric, Error> {
        Ok(Metric::parse_among(&self.metric, &Metric::retrieval())?)
    }
}

fn at_least(key: &'static str, found: usize, least: usize) -> Result<(), Error> {
    if found >= least {
        return Ok(());
    }
    Err(Error::Setting { key, expected: format!("at least {least}"), found: found.to_string() })
}

fn within(key: &'static str, found: f32, least: f32, most: f32) -> Result<(), Error> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    Err(Error::Setting {
        key,
        expected: format!("a number from {least} to {most}"),
        found: found.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_in_range() {
        TrainConfig::default().check().unwrap();
    }

    #[test]
    fn a_setting_out_of_range_is_named() {
        let mut config = TrainConfig::default();
        config.augment.hue = f32::NAN;
        assert_eq!(
            config.check().unwrap_err().to_string(),
            "augment.hue: expected a number from 0 to 0.5, found NaN"
        );
    }

    #[test]
    fn an_unknown_metric_is_refused_before_the_first_step() {
        let mut config = TrainConfig::default();
        config.stop.metric = "mean_recal".to_owned();
        assert!(config.check().unwrap_err().to_string().contains("mean_recall"));
    }
}
