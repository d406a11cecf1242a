//! Attention over short sequences: one small product per head, its weights never kept.

use rayon::prelude::*;

use super::bf16::Kernel;
use super::matmul::{Into, Matrix, MatrixMut, Products};
use super::memory::Memory;
use super::simd::{dot, exp, maximum, sum, vectorised};
use crate::ops::{Attention, AttentionBackward};

/// The sizes of one item.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// H.
    pub(super) heads: usize,
    /// D, so that C = H D.
    pub(super) head_width: usize,
    pub(super) queries: usize,
    pub(super) keys: usize,
    pub(super) causal: bool,
}

impl Sizes {
    fn of(op: &Attention) -> Self {
        let Attention { heads, head_width, queries, keys, causal, .. } = *op;
        Self { heads, head_width, queries, keys, causal }
    }
}

/// What one item of the batch reads.
#[derive(Clone, Copy)]
struct Item<'a> {
    op: Sizes,
    query: &'a [f32],
    key_value: &'a [f32],
    /// Keys that count for this item.
    length: usize,
}

impl<'a> Item<'a> {
    fn query(self, head: usize) -> Matrix<'a> {
        let (width, d) = (self.op.heads * self.op.head_width, self.op.head_width);
        Matrix::strided(&self.query[head * d..], self.op.queries, d, width)
    }

    fn key(self, head: usize) -> Matrix<'a> {
        self.keys_or_values(head * self.op.head_width)
    }

    fn value(self, head: usize) -> Matrix<'a> {
        self.keys_or_values((self.op.heads + head) * self.op.head_width)
    }

    fn keys_or_values(self, column: usize) -> Matrix<'a> {
        let (width, d) = (2 * self.op.heads * self.op.head_width, self.op.head_width);
        Matrix::strided(&self.key_value[column..], self.op.keys, d, width)
    }

    /// Number of keys that query `row` sees.
    fn visible(self, row: usize) -> usize {
        let causal = row + 1 + self.op.keys - self.op.queries;
        if self.op.causal { causal.min(self.length) } else { self.length }
    }

    /// `weights = query keyᵀ / sqrt(D)`.
    fn scores(self, products: &mut Products, head: usize, weights: &mut [f32]) {
        let out = MatrixMut::new(weights, self.op.queries, self.op.keys);
        let scale = 1.0 / (self.op.head_width as f32).sqrt();
        products.multiply(out, Into::Set, self.query(head), self.key(head).t(), scale);
    }
}

/// Reads the batch apart into its items.
struct Items<'a> {
    op: Sizes,
    query: &'a [f32],
    key_value: &'a [f32],
    lengths: Option<&'a [u32]>,
}

impl<'a> Items<'a> {
    fn item(&self, b: usize) -> Item<'a> {
        let width = self.op.heads * self.op.head_width;
        let (q, kv) = (self.op.queries * width, self.op.keys * 2 * width);
        Item {
            op: self.op,
            query: &self.query[b * q..(b + 1) * q],
            key_value: &self.key_value[b * kv..(b + 1) * kv],
            length: self.lengths.map_or(self.op.keys, |l| (l[b] as usize).clamp(1, self.op.keys)),
        }
    }
}

pub(super) fn forward(memory: &mut Memory, bf16: Option<Kernel>, op: &Attention) {
    let mut open = memory.open();
    let (query, key_value) = (open.read(op.query), open.read(op.key_value));
    let lengths = op.key_lengths.map(|span| open.read_ids(span));
    let to = (open.write(op.y), open.write(op.log_sums));
    attend(bf16, Sizes::of(op), query, key_value, lengths, to);
}

/// The same on views: writes the values attended to, `(B, queries, C)`, and the logarithms of the sums.
pub(super) fn attend(
    bf16: Option<Kernel>,
    op: Sizes,
    query: &[f32],
    key_value: &[f32],
    lengths: Option<&[u32]>,
    (y, log_sums): (&mut [f32], &mut [f32]),
) {
    let items = Items { op, query, key_value, lengths };
    let width = op.heads * op.head_width;
    let tasks =
        y.par_chunks_mut(op.queries * width).zip(log_sums.par_chunks_mut(op.heads * op.queries));
    tasks.enumerate().for_each_init(
        || (Products::new(bf16), vec![0.0; op.queries * op.keys]),
        |(products, weights), (b, (y, log_sums))| {
            let item = items.item(b);
            for (head, log_sums) in log_sums.chunks_exact_mut(op.queries).enumerate() {
                item.scores(products, head, weights);
                softmax_rows(item, weights, log_sums);
                let out = MatrixMut::strided(
                    &mut y[head * op.head_width..],
                    op.queries,
                    op.head_width,
                    width,
                );
                let weights = Matrix::new(weights, op.queries, op.keys);
                products.multiply(out, Into::Set, weights, item.value(head), 1.0);
            }
        },
    );
}

fn softmax_rows(item: Item<'_>, weights: &mut [f32], log_sums: &mut [f32]) {
    for (row, (weights, log_sum)) in
        weights.chunks_exact_mut(item.op.keys).zip(log_sums).enumerate()
    {
        let (seen, hidden) = weights.split_at_mut(item.visible(row));
        hidden.fill(0.0);
        *log_sum = softmax(seen);
    }
}

vectorised! {
    /// Turns scores into weights that add up to one, and gives the logarithm of the sum of exponentials.
    fn softmax(scores: &mut [f32]) -> f32 {
        let largest = maximum(scores);
        for score in scores.iter_mut() {
            *score = exp(*score - largest);
        }
        let total = sum(scores, scores, |x, _| x);
        let inverse = 1.0 / total;
        for score in scores.iter_mut() {
            *score *= inverse;
        }
        largest + total.ln()
    }
}

/// The weights once more, from the sums kept.
fn softmax_again(
    item: Item<'_>,
    products: &mut Products,
    head: usize,
    log_sums: &[f32],
    weights: &mut [f32],
) {
    item.scores(products, head, weights);
    for (row, (weights, log_sum)) in
        weights.chunks_exact_mut(item.op.keys).zip(log_sums).enumerate()
    {
        let (seen, hidden) = weights.split_at_mut(item.visible(row));
        hidden.fill(0.0);
        exponentials(seen, *log_sum);
    }
}

vectorised! {
    /// `e^(x - shift)` in place.
    fn exponentials(x: &mut [f32], shift: f32) {
        for x in x {
            *x = exp(*x - shift);
        }
    }
}

pub(super) fn backward(memory: &mut Memory, bf16: Option<Kernel>, backward: &AttentionBackward) {
    let (mut open, op) = (memory.open(), &backward.forward);
    let (query, key_value) = (open.read(op.query), open.read(op.key_value));
    let lengths = op.key_lengths.map(|span| open.read_ids(span));
    let (log_sums, d_y) = (open.read(op.log_sums), open.read(backward.d_y));
    let (d_query, d_key_value) = (open.write(backward.d_query), open.write(backward.d_key_value));
    let op = Sizes::of(op);
    let items = Items { op, query, key_value, lengths };
    let width = op.heads * op.head_width;
    let queries =
        d_query.par_chunks_mut(op.queries * width).zip(d_y.par_chunks(op.queries * width));
    let rest = d_key_value
        .par_chunks_mut(op.keys * 2 * width)
        .zip(log_sums.par_chunks(op.heads * op.queries));
    queries.zip(rest).enumerate().for_each_init(
        || (Products::new(bf16), vec![0.0; op.queries * op.keys], vec![0.0; op.queries * op.keys]),
        |(products, weights, d_scores), (b, ((d_query, d_y), (d_key_value, log_sums)))| {
            let item = items.item(b);
            for (head, log_sums) in log_sums.chunks_exact(op.queries).enumerate() {
                softmax_again(item, products, head, log_sums, weights);
                let gradients = Gradients { y: d_y, query: d_query, key_value: d_key_value };
                head_backward(item, products, head, weights, d_scores, gradients);
            }
        },
    );
}

/// What the backward pass of one item reads last and writes.
struct Gradients<'a> {
    y: &'a [f32],
    query: &'a mut [f32],
    key_value: &'a mut [f32],
}

fn head_backward(
    item: Item<'_>,
    products: &mut Products,
    head: usize,
    weights: &[f32],
    d_scores: &mut [f32],
    gradients: Gradients<'_>,
) {
    let op = item.op;
    let (d, width, column) = (op.head_width, op.heads * op.head_width, head * op.head_width);
    let Gradients { y: d_y, query: d_query, key_value: d_key_value } = gradients;
    let d_y = Matrix::strided(&d_y[column..], op.queries, d, width);
    let (weights_matrix, scale) =
        (Matrix::new(weights, op.queries, op.keys), 1.0 / (d as f32).sqrt());

    let d_value = MatrixMut::strided(&mut d_key_value[width + column..], op.keys, d, 2 * width);
    products.multiply(d_value, Into::Set, weights_matrix.t(), d_y, 1.0);
    products.multiply(
        MatrixMut::new(d_scores, op.queries, op.keys),
        Into::Set,
        d_y,
        item.value(head).t(),
        1.0,
    );
    softmax_backward(op.keys, weights, d_scores);
    let d_scores = Matrix::new(d_scores, op.queries, op.keys);
    let d_query = MatrixMut::strided(&mut d_query[column..], op.queries, d, width);
    products.multiply(d_query, Into::Set, d_scores, item.key(head), scale);
    let d_key = MatrixMut::strided(&mut d_key_value[column..], op.keys, d, 2 * width);
    products.multiply(d_key, Into::Set, d_scores.t(), item.query(head), scale);
}

vectorised! {
    /// From gradients of the weights to gradients of the scores, in place; hidden keys have weight zero and stay so.
    fn softmax_backward(keys: usize, weights: &[f32], d_weights: &mut [f32]) {
        for (weights, d_weights) in weights.chunks_exact(keys).zip(d_weights.chunks_exact_mut(keys)) {
            let along = dot(weights, d_weights);
            for (d, weight) in d_weights.iter_mut().zip(weights) {
                *d = weight * (*d - along);
            }
        }
    }
}
