//! What the machine can do at most: registers, memory, and one large product.

use std::time::Instant;

use finelens_compute::ceiling::{self, Registers};
use finelens_compute::{DType, Linear, Precision};
use rayon::prelude::*;

use super::Session;
use super::clock::{Clock, Times};
use super::record::Measurement;
use crate::cli::Part;
use crate::model;

/// Measurements of this part.
pub(super) const COUNT: usize = 5;

/// A repeat takes about as long. Own choice: long beside waking the threads, short beside everything else.
const REPEAT_S: f64 = 0.05;

/// Side of the product's factors. Own choice: beyond it the rate grows no more.
const SIDE: usize = 2048;

/// Words that are read, 256 MiB, or a quarter of them: more than the caches of most machines.
const WORDS: usize = 1 << 25;

/// Operations a second of all registers together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ceiling {
    f32: f64,
    bf16: Option<f64>,
    int8: Option<f64>,
}

impl Ceiling {
    /// Reads it; where the part is wanted, everything in it is recorded.
    pub(super) fn read(session: &mut Session<'_>) -> anyhow::Result<Self> {
        let f32 = registers(session, "f32", Some(Registers::f32()))?.unwrap_or(f64::INFINITY);
        let bf16 = registers(session, "bf16", Registers::bf16())?;
        let int8 = registers(session, "int8", Registers::int8())?;
        if session.wants(Part::Ceiling) {
            product(session)?;
            memory(session)?;
        }
        Ok(Self { f32, bf16, int8 })
    }

    /// In the precision that is computed in.
    pub(super) fn of_precision(&self) -> f64 {
        match model::precision() {
            Precision::F32 => self.f32,
            // A processor without instructions for bf16 computes it in f32.
            Precision::Bf16 => self.bf16.unwrap_or(self.f32),
            Precision::Int8 => self.int8.unwrap_or(self.f32),
        }
    }

    /// The same once more, to see whether the machine was busy meanwhile.
    pub(super) fn again(session: &mut Session<'_>) -> anyhow::Result<f64> {
        let registers = match model::precision() {
            Precision::F32 => Registers::f32(),
            Precision::Bf16 => Registers::bf16().unwrap_or_else(Registers::f32),
            Precision::Int8 => Registers::int8().unwrap_or_else(Registers::f32),
        };
        Ok(rate(registers, session.clock)?.1)
    }
}

/// The best rate of these registers, if they are there.
fn registers(
    session: &mut Session<'_>,
    factors: &str,
    registers: Option<Registers>,
) -> anyhow::Result<Option<f64>> {
    let Some(registers) = registers else { return Ok(None) };
    let ((times, each), best) = rate(registers, session.clock)?;
    if session.wants(Part::Ceiling) {
        session.next("ceiling");
        let name = format!("{factors} in registers, {}", registers.instructions);
        let counted = (each / 1e9, "GFLOP");
        session.add(Measurement::new(Part::Ceiling, name, counted, &times));
    }
    Ok(Some(best))
}

/// Times on all threads with the operations of a repeat, and the best rate.
fn rate(registers: Registers, clock: Clock) -> anyhow::Result<((Times, f64), f64)> {
    const TRIED: u64 = 100_000;
    registers.run(TRIED);
    let start = Instant::now();
    registers.run(TRIED);
    let rounds = (TRIED as f64 * REPEAT_S / start.elapsed().as_secs_f64()) as u64;
    let times = clock.time(|| {
        rayon::broadcast(|_| registers.run(rounds));
        Ok(())
    })?;
    let threads = rayon::current_num_threads() as f64;
    let each = rounds as f64 * registers.operations as f64 * threads;
    let best = each / times.shortest();
    Ok(((times, each), best))
}

/// A product as large as registers and caches like it, in the precision that is computed in.
fn product(session: &mut Session<'_>) -> anyhow::Result<()> {
    session.next("ceiling");
    let mut device = model::device();
    let mut ones = || {
        let span = device.alloc(SIDE * SIDE, DType::F32)?;
        device.fill(span, 1.0);
        Ok::<_, finelens_compute::Error>(span)
    };
    let (x, weight, y) = (ones()?, ones()?, ones()?);
    let sides = (SIDE, SIDE, SIDE);
    let (rows, inputs, outputs) = sides;
    let op = Linear {
        rows,
        inputs,
        outputs,
        x,
        weight,
        bias: None,
        activation: None,
        before_activation: None,
        training: false,
        residual: None,
        y,
    };
    let times = session.clock.time(|| {
        device.linear(&op);
        Ok(device.sync()?)
    })?;
    let precision = model::precision_name();
    let each = 2.0 * (SIDE as f64).powi(3) / 1e9;
    let name = format!("{precision} product, {SIDE} x {SIDE} x {SIDE}");
    let one = Measurement::new(Part::Ceiling, name, (each, "GFLOP"), &times);
    session.add(one.with_operations(1e9));
    Ok(())
}

/// Reading of memory by all threads.
fn memory(session: &mut Session<'_>) -> anyhow::Result<()> {
    session.next("ceiling");
    let words = vec![1u64; if session.words.quick { WORDS / 4 } else { WORDS }];
    let share = words.len().div_ceil(rayon::current_num_threads());
    let times = session.clock.time(|| {
        let sum: u64 = words.par_chunks(share).map(ceiling::read).sum();
        anyhow::ensure!(sum == words.len() as u64, "memory does not hold what was written to it");
        Ok(())
    })?;
    let bytes = size_of_val(words.as_slice());
    let name = format!("memory, reading {} MiB", bytes >> 20);
    let one = Measurement::new(Part::Ceiling, name, (bytes as f64 / 1e9, "GB"), &times);
    session.add(one);
    Ok(())
}
