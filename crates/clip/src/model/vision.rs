//! The vision tower with its stem: pixels to patches, class token, positions, norm.

use finelens_compute::{
    EmbedPatches, EmbedPatchesBackward, LayerNorm, LayerNormBackward, Linear, LinearBackward,
    Picked, Span, UnfoldPatches,
};

use super::Run;
use super::arena::Plan;
use super::block::Shape;
use super::layout::Places;
use super::tower::{Activations, Gradients, Keep, Tower};
use crate::config::Config;

/// What the vision tower has on one batch.
#[derive(Debug)]
pub(super) struct Vision {
    pixels: Span,   // (B, 3, S, S)
    patches: Span,  // (B, T, 3 patch²)
    embedded: Span, // (B, T, C)
    moments: Span,  // (B T, 2)
    pub(super) activations: Activations,
    /// Planned where there is a backward pass.
    pub(super) gradients: Option<Gradients>,
}

impl Vision {
    pub(super) fn plan(
        plan: &mut Plan,
        config: &Config,
        batch: usize,
        keep: Keep,
        backward: bool,
    ) -> Self {
        let vision = &config.vision;
        let shape = Shape::new(&vision.tower, batch, vision.tokens(), false);
        Self {
            pixels: plan.take(batch * 3 * vision.image_size.pow(2)),
            patches: plan.take(shape.rows() * 3 * vision.patch_size.pow(2)),
            embedded: plan.take(shape.rows() * shape.width),
            moments: plan.take(shape.rows() * 2),
            activations: Activations::plan(
                plan,
                shape,
                vision.tower.layers,
                config.embed_dim,
                keep,
                backward,
            ),
            gradients: backward.then(|| Gradients::plan(plan, &shape, config.embed_dim)),
        }
    }

    /// `picked`: the class token of each sequence.
    pub(super) fn forward(&self, run: &mut Run<'_>, pixels: &[f32], picked: Picked) {
        let Shape { batch, tokens, width, .. } = self.activations.shape;
        let (config, places, weights) = (&run.config.vision, run.places, run.weights);
        let (side_px, patch_px) = (config.image_size, config.patch_size);
        run.device.write(self.pixels, pixels);
        let (pixels, patches) = (self.pixels, self.patches);
        run.device.unfold_patches(&UnfoldPatches { batch, side_px, patch_px, pixels, patches });
        run.device.linear(&Linear {
            rows: batch * tokens,
            inputs: 3 * patch_px * patch_px,
            outputs: width,
            x: patches,
            weight: places.patch.of(weights),
            bias: None,
            activation: None,
            before_activation: None,
            training: self.activations.training,
            residual: None,
            y: self.embedded,
        });
        let (class, positions) = (places.class.of(weights), places.vision_positions.of(weights));
        run.device.embed_patches(&EmbedPatches {
            batch,
            tokens,
            width,
            class,
            positions,
            x: self.embedded,
        });
        run.device.layer_norm(&LayerNorm {
            rows: batch * tokens,
            width,
            eps: self.activations.shape.eps,
            x: self.embedded,
            scale: places.first_norm.scale.of(weights),
            shift: places.first_norm.shift.of(weights),
            y: self.activations.input(),
            moments: self.moments,
        });
        self.tower(run.places, run.weights, picked).forward(run.device);
    }

    pub(super) fn backward(&self, run: &mut Run<'_>, picked: Picked, gradients: Span) {
        let Shape { batch, tokens, width, .. } = self.activations.shape;
        let (places, weights) = (run.places, run.weights);
        let d = self.gradients.as_ref().expect("planned for a backward pass");
        self.tower(run.places, run.weights, picked).backward(run.device, gradients, d);
        let (d_x, rows) = (d.spare(), batch * tokens);
        run.device.fill(d_x, 0.0);
        run.device.layer_norm_backward(&LayerNormBackward {
            rows,
            width,
            x: self.embedded,
            scale: places.first_norm.scale.of(weights),
            moments: self.moments,
            d_y: d.d_stream,
            d_x,
            d_scale_shift: Some((
                places.first_norm.scale.of(gradients),
                places.first_norm.shift.of(gradients),
            )),
        });
        let (d_class, d_positions) =
            (places.class.of(gradients), places.vision_positions.of(gradients));
        let embed = EmbedPatchesBackward { batch, tokens, width, d_x, d_class, d_positions };
        run.device.embed_patches_backward(&embed);
        run.device.linear_backward(&LinearBackward {
            rows,
            inputs: 3 * run.config.vision.patch_size.pow(2),
            outputs: width,
            x: self.patches,
            weight: places.patch.of(weights),
            activation: None,
            d_y: d_x,
            d_x: None,
            d_weight: Some(places.patch.of(gradients)),
            d_bias: None,
        });
    }

    fn tower<'a>(&'a self, places: &'a Places, weights: Span, picked: Picked) -> Tower<'a> {
        Tower { places: &places.vision, weights, picked, activations: &self.activations }
    }
}
