//! What becomes of the sums of a block: bias, activation, residual, and where they are written.
#![expect(unsafe_code, reason = "blocks of one matrix are written from several threads")]

use std::marker::PhantomData;

use super::kernel::{Block, Kernel, SIDE};
use crate::cpu::linear::activated;
use crate::cpu::matmul::MatrixMut;
use crate::cpu::simd::add_to;
use crate::ops::Activation;

/// A matrix that several threads write, each its own blocks.
#[derive(Debug)]
pub(super) struct Cells<'a> {
    first: *mut f32,
    rows: usize,
    columns: usize,
    row_stride: usize,
    life: PhantomData<&'a mut [f32]>,
}

// SAFETY: the pointer is used through `row` only, whose callers share no element.
unsafe impl Send for Cells<'_> {}
// SAFETY: as above.
unsafe impl Sync for Cells<'_> {}

impl<'a> Cells<'a> {
    pub(super) fn new(matrix: MatrixMut<'a>) -> Self {
        let (data, rows, columns, row_stride) = matrix.parts();
        Self { first: data.as_mut_ptr(), rows, columns, row_stride, life: PhantomData }
    }

    /// # Safety
    /// Nobody else holds one of these elements meanwhile.
    pub(super) unsafe fn row(&self, row: usize, from: usize, len: usize) -> &'a mut [f32] {
        assert!(row < self.rows && from + len <= self.columns, "a block reaches beyond its matrix");
        // SAFETY: the view was checked when it was made: row `row` has `columns` elements from there on. That
        // nobody else holds them is promised by the caller.
        unsafe { std::slice::from_raw_parts_mut(self.first.add(row * self.row_stride + from), len) }
    }
}

/// A product on its way out: `scale * sums + bias`, through the activation, plus the residual.
#[derive(Debug)]
pub(super) struct Output<'a> {
    pub(super) cells: Cells<'a>,
    /// Whether the sums are added to what is there.
    pub(super) add: bool,
    pub(super) scale: f32,
    pub(super) bias: Option<&'a [f32]>,
    /// Which one, and where its input goes.
    pub(super) activation: Option<(Activation, Cells<'a>)>,
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
        let cells = Cells::new(matrix);
        Self { cells, add, scale: 1.0, bias: None, activation: None, residual: None }
    }

    pub(super) fn rows(&self) -> usize {
        self.cells.rows
    }

    pub(super) fn columns(&self) -> usize {
        self.cells.columns
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
        block: &mut Block,
        stage: Stage,
    ) {
        let rows = extent.min(self.cells.rows - row);
        let columns = extent.min(self.cells.columns - column);
        #[cfg(target_arch = "x86_64")]
        if kernel != Kernel::Plain {
            // SAFETY: such a kernel was chosen because the processor has AVX-512; the rest is the caller's promise.
            unsafe { super::avx512::store(self, (row, rows), (column, columns), block, stage) };
            return;
        }
        let _ = kernel;
        store_rows(self, (row, rows), (column, columns), block, stage);
    }
}

/// The obvious way.
fn store_rows(
    output: &Output<'_>,
    (first_row, rows): (usize, usize),
    (first, width): (usize, usize),
    block: &mut Block,
    stage: Stage,
) {
    for (row, sums) in block.0.chunks_exact_mut(SIDE).enumerate().take(rows) {
        store_row(output, first_row + row, first, &mut sums[..width], stage);
    }
}

fn store_row(output: &Output<'_>, row: usize, from: usize, sums: &mut [f32], stage: Stage) {
    let width = sums.len();
    // SAFETY: the caller of `Output::store` promised that no other thread has this block.
    let cells = unsafe { output.cells.row(row, from, width) };
    for sum in sums.iter_mut() {
        *sum *= output.scale;
    }
    let Some((activation, input)) = &output.activation else {
        finish_row(output, row, from, sums, cells, stage);
        return;
    };
    // SAFETY: as above; the input's memory is another than that of the cells.
    let input = unsafe { input.row(row, from, width) };
    let linear = Stage { last: false, ..stage };
    finish_row(output, row, from, sums, input, linear);
    if stage.last {
        if let Some(bias) = output.bias {
            add_to(input, &bias[from..from + width]);
        }
        for (cell, x) in cells.iter_mut().zip(&*input) {
            *cell = activated(*activation, *x);
        }
        add_residual(output, row, from, cells);
    }
}

/// Adds what the parts before have left, and in the last one bias and residual.
fn finish_row(
    output: &Output<'_>,
    row: usize,
    from: usize,
    sums: &mut [f32],
    to: &mut [f32],
    stage: Stage,
) {
    let width = sums.len();
    if output.add || !stage.first {
        add_to(sums, to);
    }
    if stage.last {
        if let Some(bias) = output.bias {
            add_to(sums, &bias[from..from + width]);
        }
        add_residual(output, row, from, sums);
    }
    to.copy_from_slice(sums);
}

fn add_residual(output: &Output<'_>, row: usize, from: usize, to: &mut [f32]) {
    if let Some(residual) = output.residual {
        add_to(to, &residual[row * output.cells.columns + from..][..to.len()]);
    }
}
