//! A CPU device with values moved in and out as f64, for comparing with the twins.

use finelens_compute::{Cpu, DType, Device, Precision, Span};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The device under test, and random numbers.
pub(crate) struct Host {
    pub(crate) device: Cpu,
    random: ChaCha8Rng,
}

impl Host {
    pub(crate) fn new(seed: u64) -> Self {
        Self::with(seed, Precision::F32)
    }

    pub(crate) fn with(seed: u64, precision: Precision) -> Self {
        Self { device: Cpu::with(precision), random: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// Values between -1.5 and 1.5 that are exact in f32.
    pub(crate) fn random(&mut self, len: usize) -> Vec<f64> {
        (0..len).map(|_| f64::from(self.random.random_range(-1.5f32..1.5))).collect()
    }

    pub(crate) fn put(&mut self, values: &[f64]) -> Span {
        let span = self.device.alloc(values.len(), DType::F32).unwrap();
        self.device.write(span, &values.iter().map(|x| *x as f32).collect::<Vec<_>>());
        span
    }

    pub(crate) fn put_ids(&mut self, ids: &[u32]) -> Span {
        let span = self.device.alloc(ids.len(), DType::U32).unwrap();
        self.device.write_ids(span, ids);
        span
    }

    /// A buffer full of a value that no correct operation leaves behind, unless it adds.
    pub(crate) fn dirty(&mut self, len: usize) -> Span {
        self.put(&vec![77.0; len])
    }

    pub(crate) fn zeros(&mut self, len: usize) -> Span {
        self.device.alloc(len, DType::F32).unwrap()
    }

    pub(crate) fn get(&mut self, span: Span) -> Vec<f64> {
        let mut values = vec![0.0; span.len()];
        self.device.read(span, &mut values).unwrap();
        values.into_iter().map(f64::from).collect()
    }
}

/// Fails unless `|ours - right| <= tolerance * |right|` over the whole tensor.
#[track_caller]
pub(crate) fn close(what: &str, ours: &[f64], right: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), right.len(), "{what}: length");
    let size = right.iter().map(|x| x * x).sum::<f64>().sqrt();
    let difference = ours.iter().zip(right).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
    assert!(
        difference <= tolerance * (size + 1e-6),
        "{what}: {difference} off {size}\n{ours:?}\n{right:?}"
    );
}

/// Sum of products: a scalar whose gradient with respect to `y` is `weights`.
pub(crate) fn weigh(y: &[f64], weights: &[f64]) -> f64 {
    finelens_compute::plain::dot(y, weights)
}
