//! Whole transformer blocks of which nothing is kept.

use finelens_compute::plain::{self, AttentionShape};
use finelens_compute::{
    Activation, Affine, Block, Cpu, Device, Picked, Precision, ScaleShift, Span,
};

use crate::host::{Host, close};

/// Sizes of one case.
#[derive(Debug, Clone, Copy)]
struct Case {
    batch: usize,
    tokens: usize,
    heads: usize,
    head_width: usize,
    mlp: usize,
    causal: bool,
    activation: Activation,
}

const CASES: [Case; 4] = [
    case([1, 1, 1, 4, 5], true, Activation::QuickGelu),
    case([3, 17, 2, 16, 130], false, Activation::QuickGelu),
    case([5, 9, 3, 16, 208], true, Activation::Gelu),
    case([2, 50, 4, 32, 512], false, Activation::Gelu),
];

const fn case(
    [batch, tokens, heads, head_width, mlp]: [usize; 5],
    causal: bool,
    activation: Activation,
) -> Case {
    Case { batch, tokens, heads, head_width, mlp, causal, activation }
}

/// Weights of a norm or of a map, in f64 and on the device.
struct Pair {
    values: [Vec<f64>; 2],
    spans: [Span; 2],
}

impl Pair {
    fn new(host: &mut Host, sizes: [usize; 2], scale: f64) -> Self {
        let mut values = sizes.map(|len| host.random(len));
        values[0].iter_mut().for_each(|value| *value = f64::from((*value * scale) as f32));
        let spans = [host.put(&values[0]), host.put(&values[1])];
        Self { values, spans }
    }

    fn map(host: &mut Host, inputs: usize, outputs: usize) -> Self {
        Self::new(host, [outputs * inputs, outputs], 1.0 / (inputs as f64).sqrt())
    }

    fn affine(&self) -> Affine {
        Affine { weight: self.spans[0], bias: self.spans[1] }
    }

    fn norm(&self) -> ScaleShift {
        ScaleShift { scale: self.spans[0], shift: self.spans[1] }
    }

    fn apply(&self, x: &[f64], activation: Option<Activation>) -> Vec<f64> {
        plain::linear(x, &self.values[0], &self.values[1], activation)
    }

    fn normalise(&self, x: &[f64]) -> Vec<f64> {
        plain::layer_norm(x, &self.values[0], &self.values[1], EPS.into())
    }
}

const EPS: f32 = 1e-5;

/// Weights of a block in the order in which they are used.
struct Weights {
    norm1: Pair,
    query: Pair,
    key_value: Pair,
    out: Pair,
    norm2: Pair,
    fc1: Pair,
    fc2: Pair,
}

impl Weights {
    fn new(host: &mut Host, width: usize, mlp: usize) -> Self {
        Self {
            norm1: Pair::new(host, [width, width], 1.0),
            query: Pair::map(host, width, width),
            key_value: Pair::map(host, width, 2 * width),
            out: Pair::map(host, width, width),
            norm2: Pair::new(host, [width, width], 1.0),
            fc1: Pair::map(host, width, mlp),
            fc2: Pair::map(host, mlp, width),
        }
    }

    /// The block as the sum of its parts, all rows of it.
    fn twin(&self, case: Case, x: &[f64]) -> Vec<f64> {
        let normed = self.norm1.normalise(x);
        let lengths = vec![case.tokens; case.batch];
        let shape = AttentionShape {
            heads: case.heads,
            head_width: case.head_width,
            queries: case.tokens,
            keys: case.tokens,
            causal: case.causal,
            lengths: &lengths,
        };
        let (query, key_value) =
            (self.query.apply(&normed, None), self.key_value.apply(&normed, None));
        let attended = plain::attention(&shape, &query, &key_value);
        let middle = added(&self.out.apply(&attended, None), x);
        let wide = self.fc1.apply(&self.norm2.normalise(&middle), Some(case.activation));
        added(&self.fc2.apply(&wide, None), &middle)
    }

    fn block(&self, case: Case, x: Span, y: Span, picked: Option<Picked>) -> Block {
        Block {
            batch: case.batch,
            tokens: case.tokens,
            width: case.heads * case.head_width,
            heads: case.heads,
            mlp: case.mlp,
            eps: EPS,
            activation: case.activation,
            causal: case.causal,
            picked,
            norm1: self.norm1.norm(),
            query: self.query.affine(),
            key_value: self.key_value.affine(),
            out: self.out.affine(),
            norm2: self.norm2.norm(),
            fc1: self.fc1.affine(),
            fc2: self.fc2.affine(),
            x,
            y,
        }
    }
}

fn added(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

fn check(precision: Precision, tolerance: f64) {
    for (number, case) in CASES.into_iter().enumerate() {
        let mut host = Host::with(number as u64, precision);
        let width = case.heads * case.head_width;
        let rows = case.batch * case.tokens;
        let weights = Weights::new(&mut host, width, case.mlp);
        let x = host.random(rows * width);
        let (x_span, y) = (host.put(&x), host.dirty(rows * width));
        let right = weights.twin(case, &x);
        for _ in 0..2 {
            host.device.block(&weights.block(case, x_span, y, None));
            close("y", &host.get(y), &right, tolerance);
        }

        let chosen: Vec<usize> =
            (0..case.batch).map(|b| b * case.tokens + (b * 5) % case.tokens).collect();
        let lengths = chosen.iter().map(|row| {
            let place = row % case.tokens;
            if case.causal { place as u32 + 1 } else { case.tokens as u32 }
        });
        let picked = Picked {
            rows: host.put_ids(&chosen.iter().map(|row| *row as u32).collect::<Vec<_>>()),
            key_lengths: Some(host.put_ids(&lengths.collect::<Vec<_>>())),
        };
        let y = host.dirty(case.batch * width);
        host.device.block(&weights.block(case, x_span, y, Some(picked)));
        let right: Vec<f64> =
            chosen.iter().flat_map(|row| right[row * width..][..width].to_vec()).collect();
        close("picked rows", &host.get(y), &right, tolerance);
    }
}

#[test]
fn in_bf16_a_block_is_the_sum_of_its_parts() {
    check(Precision::Bf16, 8e-3);
}

/// A step is a 127th of the largest magnitude of a row, so the error is several times that of bf16.
#[test]
fn in_int8_a_block_is_nearly_the_sum_of_its_parts() {
    check(Precision::Int8, 2e-2);
}

#[test]
fn a_changed_weight_is_seen_by_a_block() {
    for precision in [Precision::Bf16, Precision::Int8] {
        let (case, mut host) = (CASES[1], Host::with(9, precision));
        let width = case.heads * case.head_width;
        let mut weights = Weights::new(&mut host, width, case.mlp);
        let x = host.random(case.batch * case.tokens * width);
        let (x_span, y) = (host.put(&x), host.dirty(x.len()));
        host.device.block(&weights.block(case, x_span, y, None));
        let other = Pair::map(&mut host, case.mlp, width);
        let changed: Vec<f32> = other.values[0].iter().map(|value| *value as f32).collect();
        host.device.write(weights.fc2.spans[0], &changed);
        weights.fc2.values[0].clone_from(&other.values[0]);
        host.device.block(&weights.block(case, x_span, y, None));
        close("y", &host.get(y), &weights.twin(case, &x), 2e-2);
    }
}

#[test]
fn in_f32_blocks_are_not_fused() {
    assert!(!Cpu::new().fuses_blocks());
    assert!(Cpu::with(Precision::Bf16).fuses_blocks());
}
