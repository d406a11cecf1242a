//! AdamW over the weights of a model: the moments live on the device beside them.

use finelens_clip::tensors::Tensors;
use finelens_clip::{Learning, Model, Segment};
use finelens_compute::{AdamW, ClipNorm, DType, Span};

use crate::config::OptimizerConfig;
use crate::error::Error;

/// Upper bound of the logit scale: a factor of 100 on the cosines.
///
/// Source: Radford et al. 2021, arXiv:2103.00020, section 2.5.
const MAX_LOGIT_SCALE: f32 = 4.605_170_2;

/// The optimizer's memory on the device.
#[derive(Debug)]
pub struct Optimizer {
    config: OptimizerConfig,
    segments: Vec<Segment>,
    first_moments: Span,
    second_moments: Span,
    learning_rate: Span,
    step: Span,
    factor: Span,
    norm: Span,
}

impl Optimizer {
    /// Moments of zero for the parts of `model` that learn.
    ///
    /// # Errors
    /// When the device has no room.
    pub fn new(
        model: &mut Model,
        config: &OptimizerConfig,
        learning: Learning,
    ) -> Result<Self, Error> {
        let (len, segments) = (model.weights().len(), model.segments(learning));
        let device = model.device();
        let mut floats = |len| device.alloc(len, DType::F32).map_err(finelens_clip::Error::from);
        Ok(Self {
            config: config.clone(),
            segments,
            first_moments: floats(len)?,
            second_moments: floats(len)?,
            learning_rate: floats(1)?,
            step: floats(1)?,
            factor: floats(1)?,
            norm: floats(1)?,
        })
    }

    /// Clips the gradients together and takes step number `step`, counted from 1.
    ///
    /// # Errors
    /// When the model has no gradients and the device no room for them.
    pub fn step(&self, model: &mut Model, step: usize, learning_rate: f32) -> Result<(), Error> {
        let (weights, gradients, logit_scale) =
            (model.weights(), model.gradients()?, model.logit_scale());
        let here =
            |flat: Span, segment: &Segment| flat.part(segment.range.start, segment.range.len());
        let device = model.device();
        device.write(self.learning_rate, &[learning_rate]);
        device.write(self.step, &[step as f32]);
        let wanted: Vec<Span> = self.segments.iter().map(|s| here(gradients, s)).collect();
        let max_norm = self.config.max_grad_norm;
        device.clip_norm(&ClipNorm {
            gradients: &wanted,
            max_norm,
            norm: self.norm,
            factor: self.factor,
        });
        for segment in &self.segments {
            device.adamw(&AdamW {
                weights: here(weights, segment),
                gradients: here(gradients, segment),
                first_moments: here(self.first_moments, segment),
                second_moments: here(self.second_moments, segment),
                learning_rate: self.learning_rate,
                step: self.step,
                gradient_factor: self.factor,
                beta1: self.config.beta1,
                beta2: self.config.beta2,
                eps: self.config.eps,
                weight_decay: if segment.decays { self.config.weight_decay } else { 0.0 },
            });
        }
        device.clamp_max(logit_scale, MAX_LOGIT_SCALE);
        Ok(())
    }

    /// `(1)`: length of the last step's gradients before clipping.
    pub fn grad_norm(&self) -> Span {
        self.norm
    }

    /// Both moments by the weights' names, read back.
    ///
    /// # Errors
    /// What the device has to report.
    pub fn moments(&self, model: &mut Model) -> Result<[Tensors; 2], Error> {
        Ok([model.named(self.first_moments)?, model.named(self.second_moments)?])
    }

    /// Puts moments back that [`Optimizer::moments`] gave.
    pub fn restore(&self, model: &mut Model, [first, second]: &[Tensors; 2]) {
        model.write_named(self.first_moments, first);
        model.write_named(self.second_moments, second);
    }
}
