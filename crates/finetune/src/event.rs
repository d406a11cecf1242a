//! What training tells the world: one closed list, read by the bar, the log and the report.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Training begins or goes on.
    Started {
        /// Weights that learn.
        parameters: usize,
        /// Training images.
        train_images: usize,
        /// Validation images measured at each evaluation.
        valid_images: usize,
        /// Captions of the training images.
        train_captions: usize,
        /// Steps in all.
        steps: usize,
        /// Steps done before, when resumed.
        done_steps: usize,
        /// Steps in an epoch.
        steps_per_epoch: usize,
        /// What computes.
        device: String,
    },
    /// A row or a picture could not be used.
    Skipped {
        /// Which file, and what is wrong with it.
        what: String,
    },
    /// A step was taken.
    Step {
        /// Counted from 1.
        step: usize,
        /// Counted from 1.
        epoch: usize,
        /// Before this step's update.
        loss: f32,
        /// Of this step.
        learning_rate: f32,
        /// Length of the gradients before clipping.
        grad_norm: f32,
        /// Factor on the cosines (not its logarithm).
        logit_scale: f32,
        /// Pairs in the batch.
        pairs: usize,
        /// Pairs off the diagonal that count as right because their captions are identical.
        false_negatives: usize,
        /// Tokens of the longest caption, rounded up.
        tokens: usize,
        /// Time of the whole step.
        #[serde(rename = "seconds", serialize_with = "seconds")]
        time: Duration,
        /// Part of it spent waiting for pictures.
        #[serde(rename = "wait_seconds", serialize_with = "seconds")]
        wait: Duration,
    },
    /// An evaluation begins.
    Evaluating {
        /// Images to embed.
        images: usize,
    },
    /// The model was measured on the validation split.
    Evaluated {
        /// Steps done.
        step: usize,
        /// Epochs done; 0 before training.
        epoch: usize,
        /// Name of the metric that decides.
        metric: String,
        /// Its value.
        value: f64,
        /// Whether it is the best so far.
        best: bool,
        /// Measurements left before training ends early; none when it never does.
        patience_left: Option<usize>,
        /// Text to image R@1, R@5, R@10.
        text_to_image: [f64; 3],
        /// Image to text R@1, R@5, R@10.
        image_to_text: [f64; 3],
        /// Time taken.
        #[serde(rename = "seconds", serialize_with = "seconds")]
        time: Duration,
    },
    /// A checkpoint is on the disk.
    Saved {
        /// `best` or `last`.
        name: String,
        /// Where.
        path: PathBuf,
        /// Steps done.
        step: usize,
    },
    /// Training is over.
    Stopped {
        /// Why.
        reason: StopReason,
        /// Steps done.
        step: usize,
        /// Step of the best checkpoint.
        best_step: usize,
        /// Its metric.
        best_value: f64,
        /// Pairs seen.
        pairs: usize,
        /// Time taken by this run, evaluations included.
        #[serde(rename = "seconds", serialize_with = "seconds")]
        time: Duration,
    },
}

/// Why training is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// The schedule ended.
    Finished,
    /// No new best for as long as patience allows.
    OutOfPatience,
    /// Whoever listens said so; the run can be resumed.
    Interrupted,
}

fn seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}
