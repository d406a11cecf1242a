//! What becomes of the sums of a block: bias, activation, residual, and where they are written.
#![expect(unsafe_code, reason = "blocks of one matrix are written from several threads")]

use std::marker::PhantomData;

use super::kernel::{Block, Kernel, SIDE};
use super::tile::{DEPTH, LINES, PAIRS, Packed, Tile, round};
use crate::cpu::linear::activated;
use crate::cpu::matmul::{Cells, MatrixMut};
use crate::cpu::simd::add_to;
use crate::ops::Activation;

/// Tiles in bf16 that will be the left factor of another product, written by several threads.
#[derive(Debug)]
pub(super) struct LeftTiles<'a> {
    first: *mut Tile,
    rows: usize,
    columns: usize,
    depth: usize,
    life: PhantomData<&'a mut [Tile]>,
}

// SAFETY: the pointer is used through `half_row` only, whose callers share no element.
unsafe impl Send for LeftTiles<'_> {}
// SAFETY: as above.
unsafe impl Sync for LeftTiles<'_> {}

/// Pairs in half a row of a tile: what one strip of the right factor fills.
const HALF: usize = PAIRS / 2;

impl<'a> LeftTiles<'a> {
    /// Room for a factor of that shape in `to`.
    pub(super) fn new(to: &'a mut Packed, rows: usize, columns: usize) -> Self {
        let depth = columns.div_ceil(DEPTH);
        let tiles = to.reset(rows, columns);
        if !columns.is_multiple_of(DEPTH) {
            // What is beyond the last column counts as zero.
            tiles.chunks_exact_mut(depth).for_each(|strip| strip[depth - 1] = Tile::ZERO);
        }
        Self { first: tiles.as_mut_ptr(), rows, columns, depth, life: PhantomData }
    }

    /// The pairs of 16 columns of a row.
    ///
    /// # Safety
    /// Nobody else holds one of them meanwhile.
    pub(super) unsafe fn half_row(&self, row: usize, column: usize) -> &'a mut [u32] {
        assert!(row < self.rows && column < self.columns, "a block reaches beyond its tiles");
        let (tile, half) = (row / LINES * self.depth + column / DEPTH, column % DEPTH / LINES);
        // SAFETY: `reset` gave as many tiles as rows and columns need, and half a row is inside of a tile. That
        // nobody else holds it is promised by the caller.
        unsafe {
            let pairs = self.first.add(tile).cast::<u32>();
            std::slice::from_raw_parts_mut(pairs.add(row % LINES * PAIRS + half * HALF), HALF)
        }
    }
}

/// Where a product goes.
#[derive(Debug)]
pub(super) enum Target<'a> {
    /// To a matrix in f32.
    Cells(Cells<'a>),
    /// To the left factor of another product; its sums are taken in one go.
    Tiles(LeftTiles<'a>),
}

/// A product on its way out: `scale * sums + bias`, through the activation, plus the residual.
#[derive(Debug)]
pub(super) struct Output<'a> {
    pub(super) target: Target<'a>,
    /// Whether the sums are added to what is there.
    pub(super) add: bool,
    pub(super) scale: f32,
    /// In int8: what one step is worth in each row and in each column.
    pub(super) steps: Option<(&'a [f32], &'a [f32])>,
    pub(super) bias: Option<&'a [f32]>,
    pub(super) activation: Option<Activation>,
    /// Where the activation's input is kept.
    pub(super) before_activation: Option<Cells<'a>>,
    /// Rows that follow each other.
    pub(super) residual: Option<&'a [f32]>,
}

/// Which part of the depth a block has sums of; the parts come in order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stage {
    pub(super) first: bool,
    pub(super) last: bool,
}

impl<'a> Output<'a> {
    pub(super) fn new(matrix: MatrixMut<'a>, add: bool) -> Self {
        Self { add, ..Self::to(Target::Cells(Cells::new(matrix))) }
    }

    pub(super) fn to(target: Target<'a>) -> Self {
        Self {
            target,
            add: false,
            scale: 1.0,
            steps: None,
            bias: None,
            activation: None,
            before_activation: None,
            residual: None,
        }
    }

    pub(super) fn rows(&self) -> usize {
        match &self.target {
            Target::Cells(cells) => cells.rows(),
            Target::Tiles(tiles) => tiles.rows,
        }
    }

    pub(super) fn columns(&self) -> usize {
        match &self.target {
            Target::Cells(cells) => cells.columns(),
            Target::Tiles(tiles) => tiles.columns,
        }
    }

    /// Where sums stand until the last part is added: before the activation, or in the result itself. Tiles hold none.
    ///
    /// # Safety
    /// Nobody else holds one of these elements meanwhile.
    pub(super) unsafe fn held(&self, row: usize, from: usize, len: usize) -> &'a mut [f32] {
        match (&self.before_activation, &self.target) {
            // SAFETY: promised by the caller.
            (Some(cells), _) | (None, Target::Cells(cells)) => unsafe { cells.row(row, from, len) },
            (None, Target::Tiles(_)) => &mut [],
        }
    }

    /// Asks the memory for the residual and for the place of the result, which [`Output::store`] is about to use.
    pub(super) fn prefetch(&self, kernel: Kernel, (row, column): (usize, usize), extent: usize) {
        #[cfg(target_arch = "x86_64")]
        if kernel != Kernel::Plain {
            let rows = row..self.rows().min(row + extent);
            super::store::prefetch(self, rows, column..self.columns().min(column + extent));
        }
        let _ = (kernel, row, column, extent);
    }

    /// Writes the upper left `extent` by `extent` sums of `block`, the first of which belongs at `corner`.
    ///
    /// # Safety
    /// No other thread writes a block that overlaps this one.
    pub(super) unsafe fn store(
        &self,
        kernel: Kernel,
        (row, column): (usize, usize),
        extent: usize,
        block: &Block,
        stage: Stage,
    ) {
        let rows = extent.min(self.rows() - row);
        let columns = extent.min(self.columns() - column);
        #[cfg(target_arch = "x86_64")]
        if kernel != Kernel::Plain {
            // SAFETY: such a kernel was chosen because the processor has AVX-512 with bf16; the rest is the caller's
            // promise.
            unsafe { super::store::store(self, (row, rows), (column, columns), block, stage) };
            return;
        }
        let _ = kernel;
        for (i, sums) in block.0.chunks_exact(SIDE).enumerate().take(rows) {
            store_row(self, row + i, column, &sums[..columns], stage);
        }
    }
}

/// The obvious way.
fn store_row(output: &Output<'_>, row: usize, from: usize, bits: &[u32], stage: Stage) {
    let mut sums: Vec<f32> = bits.iter().map(|bits| f32::from_bits(*bits) * output.scale).collect();
    if let Some((rows, columns)) = output.steps {
        for ((sum, bits), column) in sums.iter_mut().zip(bits).zip(&columns[from..]) {
            *sum = *bits as i32 as f32 * (rows[row] * output.scale) * column;
        }
    }
    // SAFETY: the caller of `Output::store` promised that no other thread has this block.
    let held = unsafe { output.held(row, from, bits.len()) };
    if output.add || !stage.first {
        add_to(&mut sums, held);
    }
    if !stage.last {
        held.copy_from_slice(&sums);
        return;
    }
    if let Some(bias) = output.bias {
        add_to(&mut sums, &bias[from..][..bits.len()]);
    }
    if let Some(activation) = output.activation {
        if output.before_activation.is_some() {
            held.copy_from_slice(&sums);
        }
        for sum in &mut sums {
            *sum = activated(activation, *sum);
        }
    }
    if let Some(residual) = output.residual {
        add_to(&mut sums, &residual[row * output.columns() + from..][..bits.len()]);
    }
    match &output.target {
        // SAFETY: as above.
        Target::Cells(cells) => {
            unsafe { cells.row(row, from, bits.len()) }.copy_from_slice(&sums);
        }
        Target::Tiles(tiles) => put_pairs(tiles, row, from, &sums),
    }
}

fn put_pairs(tiles: &LeftTiles<'_>, row: usize, from: usize, sums: &[f32]) {
    for (strip, sums) in sums.chunks(LINES).enumerate() {
        // SAFETY: the caller of `Output::store` promised that no other thread has this block.
        let pairs = unsafe { tiles.half_row(row, from + strip * LINES) };
        let value = |i: usize| sums.get(i).map_or(0, |sum| u32::from(round(*sum)));
        for (i, pair) in pairs.iter_mut().enumerate() {
            *pair = value(2 * i) | value(2 * i + 1) << 16;
        }
    }
}
