//! A whole transformer block of which nothing is kept, its activations in tiles from one product to the next.
//!
//! The same as the operations that it is made of, but for this: norms and the MLP's middle never exist in f32, so that
//! little is written and read between two products.

use super::int8::{quantise, quantise_weight};
use super::output::{LeftTiles, Output, Target};
use super::pack::{pack, pack_computed};
use super::product::multiply;
use super::tile::{Packed, Side};
use super::{Bf16, Kernel};
use crate::cpu::attention::{self, Sizes};
use crate::cpu::matmul::{Matrix, MatrixMut};
use crate::cpu::memory::{Access, Memory};
use crate::cpu::norm::normalised_rows;
use crate::cpu::prepared::{Form, Prepared};
use crate::ops::{Affine, Block, Picked, ScaleShift};

/// Room for what stands between the products.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// In f32, one after the other.
    floats: Vec<f32>,
    normed: Packed,
    attended: Packed,
    middle: Packed,
    /// One of these in int8.
    quantised: Packed,
}

/// Whether and how products are rounded, and the weights laid out that way.
struct Maps<'a, 'b> {
    kernel: Kernel,
    int8: bool,
    weights: &'a mut Prepared<Packed>,
    open: &'a mut Access<'b>,
}

pub(crate) fn block(memory: &mut Memory, bf16: &mut Bf16, op: &Block) {
    let Bf16 { kernel, int8, weights, block_room: room, .. } = bf16;
    let affine = [op.query, op.key_value, op.out, op.fc1, op.fc2];
    for map in affine {
        weights.follow(memory, map.weight);
    }
    let mut open = memory.open();
    let (x, y) = (open.read(op.x), open.write(op.y));
    let mut maps = Maps { kernel: *kernel, int8: *int8, weights, open: &mut open };
    maps.block(op, x, y, room);
}

impl Maps<'_, '_> {
    fn block(&mut self, op: &Block, x: &[f32], y: &mut [f32], room: &mut Room) {
        let Room { floats, normed, attended, middle, quantised } = room;
        let (rows, width) = (op.batch * op.tokens, op.width);
        let out = if op.picked.is_some() { op.batch } else { rows };
        let mut floats = Floats::new(floats, [3 * rows * width, 4 * out * width, out * op.heads]);
        let key_value = floats.take(2 * rows * width);
        let (query, attention) = (floats.take(out * width), floats.take(out * width));
        let (sums, log_sums) = (floats.take(out * width), floats.take(out * op.heads));
        let asking = floats.take(if op.picked.is_some() { out * width } else { 0 });

        self.norm(op, x, op.norm1, normed);
        let mut factor = self.factor(normed, quantised);
        self.map(factor, op.key_value, cells(key_value, rows));
        let asking: &[f32] = if let Some(picked) = op.picked {
            self.pick(picked, width, x, asking);
            self.norm(op, asking, op.norm1, normed);
            factor = self.factor(normed, quantised);
            asking
        } else {
            x
        };
        self.map(factor, op.query, cells(query, out));
        self.attend(op, query, key_value, (attention, log_sums));

        pack(self.kernel, Matrix::new(attention, out, width), Side::Left, attended);
        let factor = self.factor(attended, quantised);
        let to = Output { residual: Some(asking), ..cells(sums, out) };
        self.map(factor, op.out, to);

        self.norm(op, sums, op.norm2, normed);
        let factor = self.factor(normed, quantised);
        let to = Output::to(Target::Tiles(LeftTiles::new(middle, out, op.mlp)));
        self.map(factor, op.fc1, Output { activation: Some(op.activation), ..to });
        let factor = self.factor(middle, quantised);
        self.map(factor, op.fc2, Output { residual: Some(sums), ..cells(y, out) });
    }

    /// The norm of all rows as a factor.
    fn norm(&mut self, op: &Block, x: &[f32], places: ScaleShift, to: &mut Packed) {
        let (scale, shift) = (self.open.read(places.scale), self.open.read(places.shift));
        let (width, eps) = (op.width, op.eps);
        pack_computed(self.kernel, (x.len() / width, width), to, |first, room| {
            let x = &x[first * width..][..room.len()];
            normalised_rows(x, scale, shift, eps, room);
        });
    }

    /// The factor itself, or the same in int8.
    fn factor<'p>(&self, bf16: &'p Packed, quantised: &'p mut Packed) -> &'p Packed {
        if !self.int8 {
            return bf16;
        }
        quantise(bf16, quantised);
        quantised
    }

    fn map(&mut self, x: &Packed, affine: Affine, output: Output<'_>) {
        let (weight, bias) = (self.open.read(affine.weight), self.open.read(affine.bias));
        let weight = Matrix::new(weight, bias.len(), weight.len() / bias.len());
        let (kernel, span) = (self.kernel, affine.weight);
        let weight = if self.int8 {
            self.weights.keep(span, Form::Int8, |to| quantise_weight(kernel, weight, to))
        } else {
            self.weights.keep(span, Form::Forward, |to| pack(kernel, weight, Side::Right, to))
        };
        multiply(kernel, x, weight, Output { bias: Some(bias), ..output });
    }

    fn attend(
        &mut self,
        op: &Block,
        query: &[f32],
        key_value: &[f32],
        to: (&mut [f32], &mut [f32]),
    ) {
        let sizes = Sizes {
            heads: op.heads,
            head_width: op.width / op.heads,
            queries: if op.picked.is_some() { 1 } else { op.tokens },
            keys: op.tokens,
            causal: op.causal && op.picked.is_none(),
        };
        let lengths = op.picked.and_then(|picked| picked.key_lengths);
        let lengths = lengths.map(|span| self.open.read_ids(span));
        attention::attend(Some(self.kernel), sizes, query, key_value, lengths, to);
    }

    fn pick(&mut self, picked: Picked, width: usize, x: &[f32], to: &mut [f32]) {
        let rows = self.open.read_ids(picked.rows);
        for (row, to) in rows.iter().zip(to.chunks_exact_mut(width)) {
            to.copy_from_slice(&x[*row as usize * width..][..width]);
        }
    }
}

fn cells(matrix: &mut [f32], rows: usize) -> Output<'_> {
    let columns = matrix.len() / rows.max(1);
    Output::new(MatrixMut::new(matrix, rows, columns), false)
}

/// Pieces of one buffer that only grows.
struct Floats<'a>(&'a mut [f32]);

impl<'a> Floats<'a> {
    fn new(buffer: &'a mut Vec<f32>, wanted: [usize; 3]) -> Self {
        let wanted = wanted.iter().sum();
        if buffer.len() < wanted {
            *buffer = vec![0.0; wanted];
        }
        Self(buffer)
    }

    fn take(&mut self, len: usize) -> &'a mut [f32] {
        let (piece, rest) = std::mem::take(&mut self.0).split_at_mut(len);
        self.0 = rest;
        piece
    }
}
