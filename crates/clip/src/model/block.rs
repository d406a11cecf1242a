//! One transformer block, forward and backward, written once for both towers.
//!
//! `x + out(attention(norm1(x)))`, then `x + fc2(activation(fc1(norm2(x))))`.

use finelens_compute::{
    Activate, Activated, Activation, Affine, Attention, AttentionBackward, Device, LayerNorm,
    LayerNormBackward, Linear, LinearBackward, Picked, Pool, PoolBackward, ScaleShift, Span,
    Update,
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

/// What the backward pass reads between a block's input and its output, but for [`Passing`].
///
/// Q is R, or B where one row of each sequence is picked, in the last block of a tower: all rows bring keys and values there,
/// but only those need queries and what follows. With twelve blocks that saves a fourteenth of the work, with three a
/// quarter, and changes nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inner {
    moments1: Span,               // (R, 2)
    picked: Option<(Span, Span)>, // (B, C) of the input, (B, C) of norm1
    query: Span,                  // (Q, C)
    key_value: Span,              // (R, 2C)
    log_sums: Span,               // (Q, H)
    attended: Span,               // (Q, C)
    middle: Span,                 // (Q, C)
    moments2: Span,               // (Q, 2)
    before_gelu: Option<Span>,    // (Q, M)
}

impl Inner {
    /// For a block that computes all rows, or for the last one, of which one row per sequence is wanted.
    pub(super) fn plan(plan: &mut Plan, shape: &Shape, pick: bool, backward: bool) -> Self {
        let (rows, width) = (shape.rows(), shape.width);
        let out = if pick { shape.batch } else { rows };
        Self {
            moments1: plan.take(rows * 2),
            picked: pick.then(|| (plan.take(out * width), plan.take(out * width))),
            query: plan.take(out * width),
            key_value: plan.take(rows * 2 * width),
            log_sums: plan.take(out * shape.heads),
            attended: plan.take(out * width),
            middle: plan.take(out * width),
            moments2: plan.take(out * 2),
            before_gelu: backward.then(|| plan.take(out * shape.mlp)),
        }
    }
}

/// What passes between two operations of a block, in room that all blocks share. The backward pass computes it once more from
/// what is kept: there is no product in it, and six parts in sixteen of the activations need not be kept. Where a device
/// fuses the activation with a product, its last bits differ from those of the forward pass.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passing {
    norm: Span,       // (R, C): of the input, then (Q, C) of the middle
    after_gelu: Span, // (R, M), of which (Q, M) is used
}

impl Passing {
    pub(super) fn plan(plan: &mut Plan, shape: &Shape) -> Self {
        let rows = shape.rows();
        Self { norm: plan.take(rows * shape.width), after_gelu: plan.take(rows * shape.mlp) }
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
    pub(super) passing: Passing,
    /// In the last block.
    pub(super) picked: Option<Picked>,
    /// Whether this is part of a training step, even where this tower does not learn.
    pub(super) training: bool,
}

impl Block<'_> {
    /// Writes the block's output to `y`: `(R, C)`, or `(B, C)` of the last block.
    pub(super) fn forward(&self, device: &mut dyn Device, y: Span) {
        let Self { shape, places, inner, passing, .. } = *self;
        let (rows, out, width, mlp) = (shape.rows(), self.out_rows(), shape.width, shape.mlp);
        device.layer_norm(&self.norm1());
        self.pick(device);
        let (x, norm1) = self.asking();
        device.linear(&self.linear(out, norm1, places.query, (width, width), inner.query));
        device.linear(&self.linear(
            rows,
            passing.norm,
            places.key_value,
            (width, 2 * width),
            inner.key_value,
        ));
        device.attention(&self.attention());
        let middle = self.linear(out, inner.attended, places.out, (width, width), inner.middle);
        device.linear(&Linear { residual: Some(x), ..middle });
        let norm2 = self.norm2();
        device.layer_norm(&norm2);
        let fc1 = self.linear(out, norm2.y, places.fc1, (width, mlp), self.after_gelu());
        let (activation, before_activation) = (Some(shape.activation), inner.before_gelu);
        device.linear(&Linear { activation, before_activation, ..fc1 });
        let fc2 = self.linear(out, self.after_gelu(), places.fc2, (mlp, width), y);
        device.linear(&Linear { residual: Some(inner.middle), ..fc2 });
    }

    /// From `d_y`, the gradient of the output, to `d`, that of the input; adds the weights' to `gradients`.
    ///
    /// `d_y` is used up. Where all rows are computed it is `d` itself.
    pub(super) fn backward(
        &self,
        device: &mut dyn Device,
        gradients: Span,
        scratch: &Scratch,
        d_y: Span,
        d: Span,
    ) {
        let Self { shape, places, inner, .. } = *self;
        let (rows, out, width) = (shape.rows(), self.out_rows(), shape.width);
        self.mlp_backward(device, gradients, scratch, d_y);

        let d_attended = scratch.d_narrow.part(0, out * width);
        let d_query = scratch.d_wide.part(0, out * width);
        let d_key_value = scratch.d_wide.part(rows * width, rows * 2 * width);
        let linear = |rows, x, places, sizes, d_y, d_x| {
            self.linear_backward(gradients, rows, (x, places, sizes), d_y, d_x)
        };
        let square = (width, width);
        device.linear_backward(&linear(
            out,
            inner.attended,
            places.out,
            square,
            d_y,
            (d_attended, Update::Set),
        ));
        let forward = self.attention();
        device.attention_backward(&AttentionBackward {
            forward,
            d_y: d_attended,
            d_query,
            d_key_value,
        });
        device.layer_norm(&self.norm1());
        let (d_norm1, (_, asking)) = (scratch.d_narrow, self.asking());
        if let Some(Picked { rows: picked, .. }) = self.picked {
            let d_asking = scratch.d_wide.part(out * width, out * width);
            let query = linear(out, asking, places.query, square, d_query, (d_asking, Update::Set));
            device.linear_backward(&query);
            let back = |d_y, d_x| PoolBackward { batch: out, width, rows: picked, d_y, d_x };
            device.pool_backward(&back(d_asking, d_norm1));
            device.pool_backward(&back(d_y, d));
        } else {
            let query = linear(out, asking, places.query, square, d_query, (d_norm1, Update::Set));
            device.linear_backward(&query);
        }
        let sizes = (width, 2 * width);
        let key_value = linear(
            rows,
            self.passing.norm,
            places.key_value,
            sizes,
            d_key_value,
            (d_norm1, Update::Add),
        );
        device.linear_backward(&key_value);
        let norm1 = (self.x, places.norm1, inner.moments1);
        device.layer_norm_backward(&self.norm_backward(gradients, rows, norm1, d_norm1, d));
    }

    /// Turns `d`, the gradient of the output, into that of the middle, in place.
    fn mlp_backward(&self, device: &mut dyn Device, gradients: Span, scratch: &Scratch, d: Span) {
        let Self { shape, places, inner, .. } = *self;
        let (out, width, mlp) = (self.out_rows(), shape.width, shape.mlp);
        let (d_gelu, d_norm2) =
            (scratch.d_wide.part(0, out * mlp), scratch.d_narrow.part(0, out * width));
        let (activated, norm2) = (self.activated(), self.norm2());
        let after_gelu = self.after_gelu();
        let Activated { activation, input } = activated;
        device.activate(&Activate { activation, x: input, y: after_gelu });
        let fc2 = (after_gelu, places.fc2, (mlp, width));
        device.linear_backward(&self.linear_backward(
            gradients,
            out,
            fc2,
            d,
            (d_gelu, Update::Set),
        ));
        device.layer_norm(&norm2);
        let fc1 = (norm2.y, places.fc1, (width, mlp));
        let fc1 = self.linear_backward(gradients, out, fc1, d_gelu, (d_norm2, Update::Set));
        device.linear_backward(&LinearBackward { activation: Some(activated), ..fc1 });
        let norm2 = (inner.middle, places.norm2, inner.moments2);
        device.layer_norm_backward(&self.norm_backward(gradients, out, norm2, d_norm2, d));
    }

    /// Rows of the output: Q.
    fn out_rows(&self) -> usize {
        if self.picked.is_some() { self.shape.batch } else { self.shape.rows() }
    }

    /// The rows that ask: of the input and of its norm, `(Q, C)` each.
    fn asking(&self) -> (Span, Span) {
        self.inner.picked.unwrap_or((self.x, self.passing.norm))
    }

    fn pick(&self, device: &mut dyn Device) {
        let Some((Picked { rows, .. }, (x, norm1))) = self.picked.zip(self.inner.picked) else {
            return;
        };
        let Shape { batch, width, .. } = *self.shape;
        device.pool(&Pool { batch, width, rows, x: self.x, y: x });
        device.pool(&Pool { batch, width, rows, x: self.passing.norm, y: norm1 });
    }

    fn norm1(&self) -> LayerNorm {
        let (places, moments) = (self.places.norm1, self.inner.moments1);
        self.norm(self.shape.rows(), self.x, places, self.passing.norm, moments)
    }

    fn norm2(&self) -> LayerNorm {
        let (rows, places) = (self.out_rows(), self.places.norm2);
        let y = self.passing.norm.part(0, rows * self.shape.width);
        self.norm(rows, self.inner.middle, places, y, self.inner.moments2)
    }

    fn after_gelu(&self) -> Span {
        self.passing.after_gelu.part(0, self.out_rows() * self.shape.mlp)
    }

    fn norm(&self, rows: usize, x: Span, places: NormPlaces, y: Span, moments: Span) -> LayerNorm {
        let (scale, shift) = (places.scale.of(self.weights), places.shift.of(self.weights));
        let Shape { width, eps, .. } = *self.shape;
        LayerNorm { rows, width, eps, x, scale, shift, y, moments }
    }

    fn norm_backward(
        &self,
        gradients: Span,
        rows: usize,
        (x, places, moments): (Span, NormPlaces, Span),
        d_y: Span,
        d_x: Span,
    ) -> LayerNormBackward {
        let d_scale_shift = Some((places.scale.of(gradients), places.shift.of(gradients)));
        let (width, scale) = (self.shape.width, places.scale.of(self.weights));
        LayerNormBackward { rows, width, x, scale, moments, d_y, d_x, d_scale_shift }
    }

    fn linear(
        &self,
        rows: usize,
        x: Span,
        places: LinearPlaces,
        (inputs, outputs): (usize, usize),
        y: Span,
    ) -> Linear {
        let (weight, bias) = (places.weight.of(self.weights), Some(places.bias.of(self.weights)));
        Linear {
            rows,
            inputs,
            outputs,
            x,
            weight,
            bias,
            activation: None,
            before_activation: None,
            training: self.training,
            residual: None,
            y,
        }
    }

    fn linear_backward(
        &self,
        gradients: Span,
        rows: usize,
        (x, places, (inputs, outputs)): (Span, LinearPlaces, (usize, usize)),
        d_y: Span,
        d_x: (Span, Update),
    ) -> LinearBackward {
        LinearBackward {
            rows,
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
        let input = self.inner.before_gelu.expect("planned for a backward pass");
        Activated { activation: self.shape.activation, input }
    }

    fn attention(&self) -> Attention {
        let Shape { batch, tokens, width, heads, causal, .. } = *self.shape;
        Attention {
            batch,
            heads,
            head_width: width / heads,
            queries: if self.picked.is_some() { 1 } else { tokens },
            keys: tokens,
            // A picked row says itself how far it sees.
            causal: causal && self.picked.is_none(),
            key_lengths: self.picked.and_then(|picked| picked.key_lengths),
            query: self.inner.query,
            key_value: self.inner.key_value,
            y: self.inner.attended,
            log_sums: self.inner.log_sums,
        }
    }
}

/// The whole block as one operation of a device that fuses blocks, from `x` to `y`.
pub(super) fn fused(
    shape: &Shape,
    places: &BlockPlaces,
    weights: Span,
    picked: Option<Picked>,
    (x, y): (Span, Span),
) -> finelens_compute::Block {
    let norm =
        |n: NormPlaces| ScaleShift { scale: n.scale.of(weights), shift: n.shift.of(weights) };
    let map = |m: LinearPlaces| Affine { weight: m.weight.of(weights), bias: m.bias.of(weights) };
    let Shape { batch, tokens, width, heads, mlp, eps, activation, causal } = *shape;
    finelens_compute::Block {
        batch,
        tokens,
        width,
        heads,
        mlp,
        eps,
        activation,
        causal,
        picked,
        norm1: norm(places.norm1),
        query: map(places.query),
        key_value: map(places.key_value),
        out: map(places.out),
        norm2: norm(places.norm2),
        fc1: map(places.fc1),
        fc2: map(places.fc2),
        x,
        y,
    }
}
