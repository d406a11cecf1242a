//! Quantised rows: one bit and one byte for each entry, sorted by list or in the order in which they came.

use std::ops::Range;
use std::sync::Arc;

use crate::embedded::mapped::{Mapped, as_f32};
use crate::embedded::vector::kernel::{
    Block, LANES, Level, block_bytes, largest_and_sums, prefetch, put_lane, take_lane, to_bytes,
};
use crate::rows::Row;

/// What a residual of zero is divided by, so that it stays zero.
const SMALLEST: f32 = 1e-20;

/// Blocks at the begin of a list that are asked for while the list before is worked on.
const PREFETCHED_BLOCKS: usize = 2;

/// Bytes of a file, or of memory.
#[derive(Clone, Debug)]
pub(crate) enum Bytes {
    /// In memory.
    Held(Vec<u8>),
    /// A part of a file.
    Mapped(Arc<Mapped>, Range<usize>),
}

impl Bytes {
    pub(crate) fn get(&self) -> &[u8] {
        match self {
            Self::Held(bytes) => bytes,
            Self::Mapped(file, range) => &file[range.clone()],
        }
    }
}

/// Numbers of a file, or of memory.
#[derive(Clone, Debug)]
pub(crate) enum Floats {
    /// In memory.
    Held(Vec<f32>),
    /// A part of a file, which begins at a multiple of four.
    Mapped(Arc<Mapped>, Range<usize>),
}

impl Floats {
    pub(crate) fn get(&self) -> &[f32] {
        match self {
            Self::Held(numbers) => numbers,
            Self::Mapped(file, range) => as_f32(&file[range.clone()]),
        }
    }
}

/// Rows of codes. A *place* is the number of a row among these.
#[derive(Clone, Debug)]
pub(crate) struct Codes {
    pub(crate) dim: usize,
    /// The row at each place.
    pub(crate) rows: Vec<Row>,
    /// The list of each place.
    pub(crate) lists: Vec<u16>,
    /// Where each list begins and the last one ends, if the places are sorted by list; or empty.
    pub(crate) starts: Vec<u32>,
    /// Signs, in blocks of [`LANES`] places.
    pub(crate) bits: Bytes,
    /// What turns a product with the signs into one with the residual; for whole blocks, with zeros behind the last place.
    pub(crate) factors: Floats,
    /// What one unit of a byte is worth.
    pub(crate) scales: Floats,
    /// `(N, D)`: the residual, with 128 for zero.
    pub(crate) bytes: Bytes,
}

impl Codes {
    /// Places.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Places of a list; all of them if they are not sorted.
    pub(crate) fn places(&self, list: usize) -> Range<usize> {
        self.starts[list] as usize..self.starts[list + 1] as usize
    }

    /// These blocks with bases for each of their rows, and the codes of those up to `end`, which come next.
    pub(crate) fn blocks<'a>(
        &'a self,
        blocks: Range<usize>,
        end: usize,
        bases: &'a [f32],
    ) -> Block<'a> {
        let size = block_bytes(self.dim);
        Block {
            codes: &self.bits.get()[blocks.start * size..end * size],
            factors: &self.factors.get()[blocks.start * LANES..blocks.end * LANES],
            bases,
        }
    }

    /// Asks for the first codes of these places before they are needed.
    pub(crate) fn prefetch(&self, places: Range<usize>) {
        let size = block_bytes(self.dim);
        let first = places.start / LANES;
        let end = places.end.div_ceil(LANES).min(first + PREFETCHED_BLOCKS);
        prefetch(self.bits.get().get(first * size..end * size).unwrap_or_default());
    }
}

/// Codes that are being written.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    dim: usize,
    bits: Vec<u8>,
    factors: Vec<f32>,
    scales: Vec<f32>,
    bytes: Vec<u8>,
}

/// Room for the codes of up to [`LANES`] neighbouring places.
pub(crate) struct Slot<'a> {
    bits: &'a mut [u8],
    factors: &'a mut [f32],
    scales: &'a mut [f32],
    bytes: &'a mut [u8],
}

impl Writer {
    /// Room for so many rows.
    pub(crate) fn new(dim: usize, rows: usize) -> Self {
        let mut writer = Self {
            dim,
            bits: Vec::new(),
            factors: Vec::new(),
            scales: Vec::new(),
            bytes: Vec::new(),
        };
        writer.grow(rows);
        writer
    }

    /// A copy of codes with room for more rows.
    pub(crate) fn from_codes(codes: &Codes, rows: usize) -> Self {
        let mut writer = Self {
            dim: codes.dim,
            bits: codes.bits.get().to_vec(),
            factors: codes.factors.get().to_vec(),
            scales: codes.scales.get().to_vec(),
            bytes: codes.bytes.get().to_vec(),
        };
        writer.grow(rows);
        writer
    }

    fn grow(&mut self, rows: usize) {
        let blocks = rows.div_ceil(LANES);
        self.bits.resize(blocks * block_bytes(self.dim), 0);
        self.factors.resize(blocks * LANES, 0.0);
        self.scales.resize(rows, 0.0);
        self.bytes.resize(rows * self.dim, 0);
    }

    /// The room, in runs of [`LANES`] places that threads may fill side by side.
    pub(crate) fn slots(&mut self) -> Vec<Slot<'_>> {
        let bits = self.bits.chunks_mut(block_bytes(self.dim)).zip(self.factors.chunks_mut(LANES));
        let bytes = self.scales.chunks_mut(LANES).zip(self.bytes.chunks_mut(LANES * self.dim));
        let slots = bits.zip(bytes).map(|((bits, factors), (scales, bytes))| Slot {
            bits,
            factors,
            scales,
            bytes,
        });
        slots.collect()
    }

    /// What was written, with what it is of.
    pub(crate) fn finish(self, rows: Vec<Row>, lists: Vec<u16>, starts: Vec<u32>) -> Codes {
        Codes {
            dim: self.dim,
            rows,
            lists,
            starts,
            bits: Bytes::Held(self.bits),
            factors: Floats::Held(self.factors),
            scales: Floats::Held(self.scales),
            bytes: Bytes::Held(self.bytes),
        }
    }
}

impl Slot<'_> {
    /// Encodes a rotated residual `r` into a lane that is still empty.
    ///
    /// A product with the signs times `|r|^2 / |r|_1` is an unbiased estimate of a product with `r`.
    ///
    /// Source: Gao and Long, "`RaBitQ`" (SIGMOD 2024), theorem 3.2, where the factor is `|r| / <o, x>` for the unit vectors
    /// `o` of `r` and `x` of its signs.
    pub(crate) fn put(&mut self, level: Level, lane: usize, residual: &[f32]) {
        let (largest, ones, twos) = largest_and_sums(level, residual);
        let largest = largest.max(SMALLEST);
        self.factors[lane] = twos / ones.max(SMALLEST);
        self.scales[lane] = largest / 127.0;
        let dim = residual.len();
        to_bytes(level, residual, 127.0 / largest, &mut self.bytes[lane * dim..][..dim]);
        put_lane(self.bits, lane, residual);
    }

    /// Copies what is at a place of other codes into a lane that is still empty.
    pub(crate) fn copy(&mut self, lane: usize, from: &Codes, place: usize) {
        let (size, dim) = (block_bytes(from.dim), from.dim);
        self.factors[lane] = from.factors.get()[place];
        self.scales[lane] = from.scales.get()[place];
        self.bytes[lane * dim..][..dim].copy_from_slice(&from.bytes.get()[place * dim..][..dim]);
        let block = &from.bits.get()[place / LANES * size..][..size];
        take_lane(block, place % LANES, self.bits, lane);
    }
}
