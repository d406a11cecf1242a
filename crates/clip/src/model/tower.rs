//! A stack of blocks, and the head that makes one unit vector of each sequence.

use finelens_compute::{
    Device, LayerNorm, LayerNormBackward, Linear, LinearBackward, Normalize, NormalizeBackward,
    Picked, Span, Update,
};

use super::arena::Plan;
use super::block::{Block, Inner, Passing, Scratch, Shape, fused};
use super::layout::TowerPlaces;

/// Which activations outlive the forward pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// All that takes a product: the backward pass makes none twice.
    Everything,
    /// The inputs of the blocks; the rest is computed again, block by block.
    BlockInputs,
    /// None: there will be no backward pass.
    Nothing,
    /// None, and the device computes each block as one operation.
    Fused,
}

impl Keep {
    /// Where there is no backward pass, as fast as the device can.
    pub(super) fn nothing(device: &dyn Device) -> Self {
        if device.fuses_blocks() { Self::Fused } else { Self::Nothing }
    }

    fn backward(self) -> bool {
        matches!(self, Self::Everything | Self::BlockInputs)
    }
}

/// The activations of one tower on one batch.
#[derive(Debug)]
pub(super) struct Activations {
    pub(super) shape: Shape,
    keep: Keep,
    /// Whether this is part of a training step, even where this tower does not learn.
    pub(super) training: bool,
    /// Input of each block, `(R, C)`.
    streams: Vec<Span>,
    /// What is inside each block; the same for all but the last where it is not kept, none where blocks are fused.
    inner: Vec<Inner>,
    /// The same for all blocks; none where these are fused.
    passing: Option<Passing>,
    pooled: Span,    // (B, C): output of the last block
    normed: Span,    // (B, C)
    moments: Span,   // (B, 2)
    projected: Span, // (B, D)
    scales: Span,    // (B)
    /// `(B, D)`: the unit vectors.
    pub(super) features: Span,
}

impl Activations {
    pub(super) fn plan(
        plan: &mut Plan,
        shape: Shape,
        layers: usize,
        embed_dim: usize,
        keep: Keep,
        training: bool,
    ) -> Self {
        let (batch, width) = (shape.batch, shape.width);
        let stream = |plan: &mut Plan| plan.take(shape.rows() * width);
        let streams = if keep.backward() {
            (0..layers).map(|_| stream(plan)).collect()
        } else {
            let pair = [stream(plan), stream(plan)];
            (0..layers).map(|i| pair[i % 2]).collect()
        };
        let block = |plan: &mut Plan, pick| Inner::plan(plan, &shape, pick, keep.backward());
        let mut inner: Vec<Inner> = match keep {
            Keep::Fused => Vec::new(),
            Keep::Everything => (1..layers).map(|_| block(plan, false)).collect(),
            Keep::BlockInputs | Keep::Nothing => vec![block(plan, false); layers - 1],
        };
        if keep != Keep::Fused {
            inner.push(block(plan, true));
        }
        Self {
            shape,
            keep,
            training,
            streams,
            inner,
            passing: (keep != Keep::Fused).then(|| Passing::plan(plan, &shape)),
            pooled: plan.take(batch * width),
            normed: plan.take(batch * width),
            moments: plan.take(batch * 2),
            projected: plan.take(batch * embed_dim),
            scales: plan.take(batch),
            features: plan.take(batch * embed_dim),
        }
    }

    /// Where the first block's input goes, `(R, C)`.
    pub(super) fn input(&self) -> Span {
        self.streams[0]
    }
}

/// Room for the gradients of one tower.
#[derive(Debug)]
pub(super) struct Gradients {
    /// `(B, D)`: set by the loss.
    pub(super) d_features: Span,
    /// `(R, C)`: after the backward pass, the gradient of the first block's input.
    pub(super) d_stream: Span,
    d_projected: Span, // (B, D)
    d_normed: Span,    // (B, C)
    d_pooled: Span,    // (B, C)
    scratch: Scratch,
}

impl Gradients {
    pub(super) fn plan(plan: &mut Plan, shape: &Shape, embed_dim: usize) -> Self {
        let (batch, width) = (shape.batch, shape.width);
        Self {
            d_features: plan.take(batch * embed_dim),
            d_stream: plan.take(shape.rows() * width),
            d_projected: plan.take(batch * embed_dim),
            d_normed: plan.take(batch * width),
            d_pooled: plan.take(batch * width),
            scratch: Scratch::plan(plan, shape),
        }
    }
}

impl Gradients {
    /// Room of the size of `d_stream` that is free once the blocks are done.
    pub(super) fn spare(&self) -> Span {
        self.scratch.d_narrow
    }
}

/// A tower's blocks and head with their weights at hand.
#[derive(Debug)]
pub(super) struct Tower<'a> {
    pub(super) places: &'a TowerPlaces,
    /// All weights of the model.
    pub(super) weights: Span,
    /// Which row of the stream stands for each sequence.
    pub(super) picked: Picked,
    pub(super) activations: &'a Activations,
}

impl Tower<'_> {
    /// From the first block's input to unit vectors.
    pub(super) fn forward(&self, device: &mut dyn Device) {
        for i in 0..self.places.blocks.len() {
            if self.activations.keep == Keep::Fused {
                device.block(&self.fused_block(i));
            } else {
                self.block(i).forward(device, self.output(i));
            }
        }
        self.head(device);
    }

    /// From the gradients of the unit vectors to those of the first block's input.
    pub(super) fn backward(&self, device: &mut dyn Device, gradients: Span, room: &Gradients) {
        let last = self.places.blocks.len() - 1;
        self.head_backward(device, gradients, room);
        self.block(last).backward(device, gradients, &room.scratch, room.d_pooled, room.d_stream);
        for i in (0..last).rev() {
            let block = self.block(i);
            // What is inside the last two blocks still stands there.
            if self.activations.keep == Keep::BlockInputs && i + 1 < last {
                block.forward(device, self.output(i));
            }
            block.backward(device, gradients, &room.scratch, room.d_stream, room.d_stream);
        }
    }

    fn output(&self, i: usize) -> Span {
        *self.activations.streams.get(i + 1).unwrap_or(&self.activations.pooled)
    }

    fn block(&self, i: usize) -> Block<'_> {
        let Activations { shape, streams, inner, passing, .. } = self.activations;
        Block {
            shape,
            places: &self.places.blocks[i],
            weights: self.weights,
            x: streams[i],
            inner: inner[i],
            passing: passing.expect("planned where blocks are not fused"),
            picked: self.picked_in(i),
            training: self.activations.training,
        }
    }

    fn fused_block(&self, i: usize) -> finelens_compute::Block {
        let Activations { shape, streams, .. } = self.activations;
        let span = (streams[i], self.output(i));
        fused(shape, &self.places.blocks[i], self.weights, self.picked_in(i), span)
    }

    /// One row of each sequence is wanted of the last block.
    fn picked_in(&self, i: usize) -> Option<Picked> {
        (i + 1 == self.activations.streams.len()).then_some(self.picked)
    }

    /// Norm, projection and length of the picked rows.
    fn head(&self, device: &mut dyn Device) {
        let a = self.activations;
        let Shape { batch, width, eps, .. } = a.shape;
        let embed_dim = a.features.len() / batch;
        let norm = self.places.last_norm;
        device.layer_norm(&LayerNorm {
            rows: batch,
            width,
            eps,
            x: a.pooled,
            scale: norm.scale.of(self.weights),
            shift: norm.shift.of(self.weights),
            y: a.normed,
            moments: a.moments,
        });
        device.linear(&Linear {
            rows: batch,
            inputs: width,
            outputs: embed_dim,
            x: a.normed,
            weight: self.places.projection.of(self.weights),
            bias: None,
            activation: None,
            before_activation: None,
            training: a.training,
            residual: None,
            y: a.projected,
        });
        device.normalize(&Normalize {
            rows: batch,
            width: embed_dim,
            x: a.projected,
            y: a.features,
            scales: a.scales,
        });
    }

    fn head_backward(&self, device: &mut dyn Device, gradients: Span, room: &Gradients) {
        let a = self.activations;
        let Shape { batch, width, .. } = a.shape;
        let embed_dim = a.features.len() / batch;
        device.normalize_backward(&NormalizeBackward {
            rows: batch,
            width: embed_dim,
            y: a.features,
            scales: a.scales,
            d_y: room.d_features,
            d_x: room.d_projected,
        });
        device.linear_backward(&LinearBackward {
            rows: batch,
            inputs: width,
            outputs: embed_dim,
            x: a.normed,
            weight: self.places.projection.of(self.weights),
            activation: None,
            d_y: room.d_projected,
            d_x: Some((room.d_normed, Update::Set)),
            d_weight: Some(self.places.projection.of(gradients)),
            d_bias: None,
        });
        let norm = self.places.last_norm;
        device.fill(room.d_pooled, 0.0);
        device.layer_norm_backward(&LayerNormBackward {
            rows: batch,
            width,
            x: a.pooled,
            scale: norm.scale.of(self.weights),
            moments: a.moments,
            d_y: room.d_normed,
            d_x: room.d_pooled,
            d_scale_shift: Some((norm.scale.of(gradients), norm.shift.of(gradients))),
        });
    }
}
