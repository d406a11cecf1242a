//! One transformer block, forward and backward, written once for both towers.
//!
//! `x + out(attention(norm1(x)))`, then `x + fc2(activation(fc1(norm2(x))))`.

use finelens_compute::{
    Activated, Activation, Attention, AttentionBackward, Device, LayerNorm, LayerNormBackward,
    Linear, LinearBackward, Span, Update,
};

use super::arena::Plan;
use super::layout::{BlockPlaces, LinearPlaces, NormPlaces};
use crate::config::{self, Tower};

/// The sizes of a stack of blocks on one batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// B.
    pub(super) batch: usize,
    /// T.
    pub(super) tokens: usize,
    /// C.
    pub(super) width: usize,
    /// H.
    pub(super) heads: usize,
    /// Width between the two maps of the MLP.
    pub(super) mlp: usize,
    pub(super) eps: f32,
    pub(super) activation: Activation,
    pub(super) causal: bool,
}

impl Shape {
    pub(super) fn new(tower: &Tower, batch: usize, tokens: usize, causal: bool) -> Self {
        let activation = match tower.activation {
            config::Activation::QuickGelu => Activation::QuickGelu,
            config::Activation::Gelu => Activation::Gelu,
        };
        let (width, heads, mlp, eps) =
            (tower.width, tower.heads, tower.mlp_width, tower.layer_norm_eps);
        Self { batch, tokens, width, heads, mlp, eps, activation, causal }
    }

    /// R, rows of all sequences.
    pub(super) fn rows(&self) -> usize {
        self.batch * self.tokens
    }
}

/// Everything between a block's input and its output that the backward pass reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inner {
    norm1: Span,       // (R, C)
    moments1: Span,    // (R, 2)
    query: Span,       // (R, C)
    key_value: Span,   // (R, 2C)
    log_sums: Span,    // (B, H, T)
    attended: Span,    // (R, C)
    middle: Span,      // (R, C)
    norm2: Span,       // (R, C)
    moments2: Span,    // (R, 2)
    before_gelu: Span, // (R, M)
    after_gelu: Span,  // (R, M)
}

impl Inner {
    pub(super) fn plan(plan: &mut Plan, shape: &Shape) -> Self {
        let (rows, width) = (shape.rows(), shape.width);
        Self {
            norm1: plan.take(rows * width),
            moments1: plan.take(rows * 2),
            query: plan.take(rows * width),
            key_value: plan.take(rows * 2 * width),
            log_sums: plan.take(rows * shape.heads),
            attended: plan.take(rows * width),
            middle: plan.take(rows * width),
            norm2: plan.take(rows * width),
            moments2: plan.take(rows * 2),
            before_gelu: plan.take(rows * shape.mlp),
            after_gelu: plan.take(rows * shape.mlp),
        }
    }
}

/// Room for the gradients inside one block, used again by the next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scratch {
    d_wide: Span,              // (R, M), then (R, 3C): queries, keys and values
    pub(super) d_narrow: Span, // (R, C)
}

impl Scratch {
    pub(super) fn plan(plan: &mut Plan, shape: &Shape) -> Self {
        let rows = shape.rows();
        Self {
            d_wide: plan.take(rows * shape.mlp.max(3 * shape.width)),
            d_narrow: plan.take(rows * shape.width),
        }
    }
}

/// One block with its weights at hand.
#[derive(Debug)]
pub(super) struct Block<'a> {
    pub(super) shape: &'a Shape,
    pub(super) places: &'a BlockPlaces,
    /// All weights of the model.
    pub(super) weights: Span,
    /// `(R, C)`.
    pub(super) x: Span,
    pub(super) inner: Inner,
}

impl Block<'_> {
    /// Writes the block's output, `(R, C)`, to `y`.
    pub(super) fn forward(&self, device: &mut dyn Device, y: Span) {
        let Self { shape, places, x, inner, .. } = *self;
        let (width, mlp) = (shape.width, shape.mlp);
        device.layer_norm(&self.norm(x, places.norm1, inner.norm1, inner.moments1));
        device.linear(&self.linear(inner.norm1, places.query, width, width, inner.query));
        device.linear(&self.linear(
            inner.norm1,
            places.key_value,
            width,
            2 * width,
            inner.key_value,
        ));
        device.attention(&self.attention());
        let out = self.linear(inner.attended, places.out, width, width, inner.middle);
        device.linear(&Linear { residual: Some(x), ..out });
        device.layer_norm(&self.norm(inner.middle, places.norm2, inner.norm2, inner.moments2));
        let fc1 = self.linear(inner.norm2, places.fc1, width, mlp, inner.after_gelu);
        device.linear(&Linear { activation: Some(self.activated()), ..fc1 });
        let fc2 = self.linear(inner.after_gelu, places.fc2, mlp, width, y);
        device.linear(&Linear { residual: Some(inner.middle), ..fc2 });
    }

    /// Turns `d`, the gradient of the output, into that of the input in place, and adds the weights' to `gradients`.
    pub(super) fn backward(
        &self,
        device: &mut dyn Device,
        gradients: Span,
        scratch: &Scratch,
        d: Span,
    ) {
        let Self { shape, places, x, inner, .. } = *self;
        let (rows, width, mlp) = (shape.rows(), shape.width, shape.mlp);
        let (d_narrow, d_gelu) = (scratch.d_narrow, scratch.d_wide.part(0, rows * mlp));
        let linear = |x, places, sizes, d_y, d_x| {
            self.linear_backward(gradients, x, places, sizes, d_y, d_x)
        };

        device.linear_backward(&linear(
            inner.after_gelu,
            places.fc2,
            (mlp, width),
            d,
            (d_gelu, Update::Set),
        ));
        let fc1 = linear(inner.norm2, places.fc1, (width, mlp), d_gelu, (d_narrow, Update::Set));
        device.linear_backward(&LinearBackward { activation: Some(self.activated()), ..fc1 });
        let norm2 =
            self.norm_backward(gradients, inner.middle, places.norm2, inner.moments2, d_narrow, d);
        device.layer_norm_backward(&norm2);

        let d_query = scratch.d_wide.part(0, rows * width);
        let d_key_value = scratch.d_wide.part(rows * width, rows * 2 * width);
        device.linear_backward(&linear(
            inner.attended,
            places.out,
            (width, width),
            d,
            (d_narrow, Update::Set),
        ));
        let forward = self.attention();
        device.attention_backward(&AttentionBackward {
            forward,
            d_y: d_narrow,
            d_query,
            d_key_value,
        });
        let query =
            linear(inner.norm1, places.query, (width, width), d_query, (d_narrow, Update::Set));
        device.linear_backward(&query);
        let key_value = linear(
            inner.norm1,
            places.key_value,
            (width, 2 * width),
            d_key_value,
            (d_narrow, Update::Add),
        );
        device.linear_backward(&key_value);
        device.layer_norm_backward(&self.norm_backward(
            gradients,
            x,
            places.norm1,
            inner.moments1,
            d_narrow,
            d,
        ));
    }

    fn norm(&self, x: Span, places: NormPlaces, y: Span, moments: Span) -> LayerNorm {
        let (scale, shift) = (places.scale.of(self.weights), places.shift.of(self.weights));
        let Shape { width, eps, .. } = *self.shape;
        LayerNorm { rows: self.shape.rows(), width, eps, x, scale, shift, y, moments }
    }

    fn norm_backward(
        &self,
        gradients: Span,
        x: Span,
        places: NormPlaces,
        moments: Span,
        d_y: Span,
        d_x: Span,
    ) -> LayerNormBackward {
        let d_scale_shift = Some((places.scale.of(gradients), places.shift.of(gradients)));
        let scale = places.scale.of(self.weights);
        LayerNormBackward {
            rows: self.shape.rows(),
            width: self.shape.width,
            x,
            scale,
            moments,
            d_y,
            d_x,
            d_scale_shift,
        }
    }

    fn linear(
        &self,
        x: Span,
        places: LinearPlaces,
        inputs: usize,
        outputs: usize,
        y: Span,
    ) -> Linear {
        let (weight, bias) = (places.weight.of(self.weights), Some(places.bias.of(self.weights)));
        Linear {
            rows: self.shape.rows(),
            inputs,
            outputs,
            x,
            weight,
            bias,
            activation: None,
            residual: None,
            y,
        }
    }

    fn linear_backward(
        &self,
        gradients: Span,
        x: Span,
        places: LinearPlaces,
        (inputs, outputs): (usize, usize),
        d_y: Span,
        d_x: (Span, Update),
    ) -> LinearBackward {
        LinearBackward {
            rows: self.shape.rows(),
            inputs,
            outputs,
            x,
            weight: places.weight.of(self.weights),
            activation: None,
            d_y,
            d_x: Some(d_x),
            d_weight: Some(places.weight.of(gradients)),
            d_bias: Some(places.bias.of(gradients)),
        }
    }

    fn activated(&self) -> Activated {
        Activated { activation: self.shape.activation, input: self.inner.before_gelu }
    }

    fn attention(&self) -> Attention {
        let Shape { batch, tokens, width, heads, causal, .. } = *self.shape;
        Attention {
            batch,
            heads,
            head_width: width / heads,
            queries: tokens,
            keys: tokens,
            causal,
            key_lengths: None,
            query: self.inner.query,
            key_value: self.inner.key_value,
            y: self.inner.attended,
            log_sums: self.inner.log_sums,
        }
    }
}
