//! Products in f32 of few rows with a weight that is laid out in panels, once between two changes.
//!
//! `gemm` lays both factors out for each product. With the rows of one picture or one sentence that takes longer than
//! multiplying. Here the rows are read as they lie, and of the weight 16 neighbouring outputs stand side by side for each
//! input. Many rows are left to `gemm`: it is about as fast there, and nothing has to be kept.
#![expect(
    unsafe_code,
    reason = "newer instructions are used once they were found, and threads write columns of one matrix"
)]

use std::ops::Range;

use rayon::prelude::*;

use super::linear::activate_row;
use super::matmul::{Cells, Matrix, MatrixMut};
use super::simd::add;
#[cfg(not(target_arch = "aarch64"))]
use super::simd::{Level, level};
use crate::ops::Activation;

/// Up to how many rows this is used. Own choice: at 200 rows this embeds 31 pictures a second on two cores with AVX-512, and
/// `gemm` does 30 to 34 at 800 (bench/README.md).
pub(super) const MOST_ROWS: usize = 256;
/// Outputs in a strip.
const WIDTH: usize = 16;
/// Strips that are multiplied at once, where there are registers for that.
const STRIPS: usize = 2;
/// Rows that are multiplied at once, where there are registers for that.
const ROWS: usize = 14;
/// Tasks for each thread: enough that none waits long for the last.
const TASKS_EACH: usize = 4;

/// One input's weights for the outputs of a strip.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; WIDTH]);

impl Line {
    const ZERO: Self = Self([0.0; WIDTH]);
}

/// A weight `(outputs, inputs)` in strips of 16 outputs, filled up with zeros: a line for each input.
#[derive(Debug, Default)]
pub(super) struct Panels {
    lines: Vec<Line>,
    outputs: usize,
    inputs: usize,
}

impl Panels {
    /// Lays out `weight` in the place of what was here.
    pub(super) fn lay_out(&mut self, weight: Matrix<'_>) {
        (self.outputs, self.inputs) = weight.shape();
        self.lines.resize(self.strips() * self.inputs, Line::ZERO);
        let strips = self.lines.par_chunks_exact_mut(self.inputs.max(1));
        strips.enumerate().for_each(|(i, lines)| lay_out_strip(weight, i * WIDTH, lines));
    }

    fn strips(&self) -> usize {
        self.outputs.div_ceil(WIDTH)
    }

    fn strip(&self, i: usize) -> &[Line] {
        &self.lines[i * self.inputs..][..self.inputs]
    }
}

/// The outputs from `first` on.
fn lay_out_strip(weight: Matrix<'_>, first: usize, lines: &mut [Line]) {
    let outputs = WIDTH.min(weight.shape().0 - first);
    // So many lines at once as stay in the first cache while they are written column by column.
    for (i, lines) in lines.chunks_mut(WIDTH).enumerate() {
        lines.fill(Line::ZERO);
        for output in 0..outputs {
            let values = &weight.row(first + output)[i * WIDTH..];
            for (line, value) in lines.iter_mut().zip(values) {
                line.0[output] = *value;
            }
        }
    }
}

/// What becomes of the sums: `activation(sums + bias) + residual`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Finish<'a> {
    pub(super) bias: Option<&'a [f32]>,
    pub(super) activation: Option<Activation>,
    /// Rows that follow each other.
    pub(super) residual: Option<&'a [f32]>,
}

/// `y = activation(x weightᵀ + bias) + residual` on all threads.
pub(super) fn multiply(y: MatrixMut<'_>, x: Matrix<'_>, weight: &Panels, finish: Finish<'_>) {
    multiply_by(Kernel::best(), y, x, weight, finish);
}

fn multiply_by(
    kernel: Kernel,
    y: MatrixMut<'_>,
    x: Matrix<'_>,
    weight: &Panels,
    finish: Finish<'_>,
) {
    let y = Cells::new(y);
    let (rows, inputs) = x.shape();
    assert_eq!(
        (rows, inputs, weight.outputs),
        (y.rows(), weight.inputs, y.columns()),
        "shapes of a product"
    );
    let share = weight.strips().div_ceil(TASKS_EACH * rayon::current_num_threads());
    let share = share.next_multiple_of(STRIPS);
    let tasks = weight.strips().div_ceil(share.max(1));
    (0..tasks).into_par_iter().with_max_len(1).for_each(|task| {
        let strips = task * share..weight.strips().min((task + 1) * share);
        // SAFETY: the tasks' strips do not overlap.
        unsafe { columns(kernel, &y, x, weight, strips, finish) };
    });
}

/// The columns of some strips.
///
/// # Safety
/// No other thread has these columns meanwhile.
unsafe fn columns(
    kernel: Kernel,
    y: &Cells<'_>,
    x: Matrix<'_>,
    weight: &Panels,
    strips: Range<usize>,
    finish: Finish<'_>,
) {
    let mut sums = [[Line::ZERO; STRIPS]; ROWS];
    let (most_rows, most_strips) = kernel.at_once();
    let groups = y.rows().div_ceil(most_rows);
    for first in strips.clone().step_by(most_strips) {
        let here = first..strips.end.min(first + most_strips);
        for group in 0..groups {
            let rows = y.rows() * group / groups..y.rows() * (group + 1) / groups;
            // Each group of rows fetches one of the strips that come next, so that memory is read while others multiply.
            let next = (here.end + group).min(strips.end - 1);
            kernel.multiply(rows.clone(), x, weight, here.clone(), next, &mut sums);
            for (row, sums) in rows.zip(&sums) {
                for (strip, line) in here.clone().zip(sums) {
                    let (from, len) = extent(weight, strip..strip + 1);
                    // SAFETY: promised by the caller.
                    unsafe { y.row(row, from, len) }.copy_from_slice(&line.0[..len]);
                }
            }
        }
    }
    let (from, len) = extent(weight, strips);
    for row in 0..y.rows() {
        // SAFETY: promised by the caller.
        finish.row(unsafe { y.row(row, from, len) }, row * y.columns() + from, from);
    }
}

/// The first column of some strips, and how many they have.
fn extent(weight: &Panels, strips: Range<usize>) -> (usize, usize) {
    let from = strips.start * WIDTH;
    (from, weight.outputs.min(strips.end * WIDTH) - from)
}

impl Finish<'_> {
    /// A part of a row of sums, which begins at element `place` of the residual and at `column`.
    fn row(&self, sums: &mut [f32], place: usize, column: usize) {
        if let Some(bias) = self.bias {
            add(sums, &bias[column..][..sums.len()]);
        }
        if let Some(activation) = self.activation {
            activate_row(activation, sums);
        }
        if let Some(residual) = self.residual {
            add(sums, &residual[place..][..sums.len()]);
        }
    }
}

/// Which instructions multiply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kernel {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// A plain loop, the twin of the others.
    #[cfg_attr(
        all(target_arch = "aarch64", not(test)),
        expect(dead_code, reason = "NEON belongs to every one")
    )]
    Plain,
}

/// Sums of some rows, of which the first strips are filled.
type Sums = [[Line; STRIPS]; ROWS];

/// What a kernel reads beside the strips that it multiplies.
struct Left<'a> {
    /// From the first row on.
    x: &'a [f32],
    /// Elements from one row to the next.
    stride: usize,
    rows: usize,
    /// A strip that will be needed soon.
    next: &'a [Line],
}

/// Whether this machine has instructions that make it worth while; `gemm` has more of its own.
pub(super) fn are_fast() -> bool {
    !matches!(Kernel::best(), Kernel::Plain)
}

impl Kernel {
    fn best() -> Self {
        #[cfg(target_arch = "aarch64")]
        return Self::Neon;
        #[cfg(not(target_arch = "aarch64"))]
        match level() {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => Self::Avx512,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => Self::Avx2,
            _ => Self::Plain,
        }
    }

    /// Rows and strips whose sums fit into the registers, beside what they are made of.
    fn at_once(self) -> (usize, usize) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => (14, 2),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => (6, 1),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => (6, 1),
            Self::Plain => (2, 1),
        }
    }

    fn multiply(
        self,
        rows: Range<usize>,
        x: Matrix<'_>,
        weight: &Panels,
        strips: Range<usize>,
        next: usize,
        sums: &mut Sums,
    ) {
        let (stride, next) = (weight.inputs, weight.strip(next));
        let left = Left { x: x.rows_from(rows.start), stride, rows: rows.len(), next };
        let panel = |i| weight.strip(strips.start + i);
        match self {
            // SAFETY: `level` found these instructions on this machine.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 if strips.len() == 2 => unsafe {
                avx512::multiply(&left, [panel(0), panel(1)], sums);
            },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => unsafe { avx512::multiply(&left, [panel(0)], sums) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { avx2::multiply(&left, [panel(0)], sums) },
            // SAFETY: every 64-bit Arm has them.
            #[cfg(target_arch = "aarch64")]
            Self::Neon => unsafe { neon::multiply(&left, [panel(0)], sums) },
            Self::Plain => plain(&left, panel(0), sums),
        }
    }
}

/// The obvious way.
fn plain(left: &Left<'_>, strip: &[Line], sums: &mut Sums) {
    for (row, sums) in sums.iter_mut().enumerate().take(left.rows) {
        let sums = &mut sums[0].0;
        sums.fill(0.0);
        for (x, line) in left.x[row * left.stride..].iter().zip(strip) {
            for (sum, weight) in sums.iter_mut().zip(line.0) {
                *sum += x * weight;
            }
        }
    }
}

/// Defines a module whose `multiply` does the same by newer instructions, all sums in registers.
macro_rules! kernel {
    (
        $module:ident, $features:literal, $vector:ty, rows: [$($rows:literal)*], zero: $zero:expr, same: $same:expr,
        load: $load:expr, add: $add:expr, store: $store:expr, fetch: $fetch:expr
    ) => {
        mod $module {
            #[cfg(target_arch = "aarch64")]
            use std::arch::aarch64::*;
            #[cfg(target_arch = "x86_64")]
            use std::arch::x86_64::*;

            use super::{Left, Line, Sums, WIDTH};

            const LANES: usize = size_of::<$vector>() / size_of::<f32>();
            const PARTS: usize = WIDTH / LANES;

            #[target_feature(enable = $features)]
            pub(super) fn multiply<const N: usize>(left: &Left<'_>, panel: [&[Line]; N], to: &mut Sums) {
                match left.rows {
                    $($rows => rows::<$rows, N>(left, panel, to),)*
                    other => unreachable!("{other} rows at once"),
                }
            }

            #[target_feature(enable = $features)]
            fn rows<const R: usize, const N: usize>(left: &Left<'_>, panel: [&[Line]; N], to: &mut Sums) {
                let (depth, stride) = (left.next.len(), left.stride);
                assert!(panel.iter().all(|strip| strip.len() == depth), "strips of one weight");
                assert!((R - 1) * stride + depth <= left.x.len(), "rows reach beyond their memory");
                let mut sums = [[[$zero; PARTS]; N]; R];
                for k in 0..depth {
                    $fetch(left.next[k].0.as_ptr());
                    let mut weights = [[$zero; PARTS]; N];
                    for (weights, strip) in weights.iter_mut().zip(panel) {
                        for (part, weights) in weights.iter_mut().enumerate() {
                            // SAFETY: each strip has `depth` lines, a line has all its parts.
                            *weights = unsafe { $load(strip.as_ptr().add(k).cast::<f32>().add(part * LANES)) };
                        }
                    }
                    for (row, sums) in sums.iter_mut().enumerate() {
                        // SAFETY: the last row has `depth` elements, as asserted; those before have more behind them.
                        let x = $same(unsafe { *left.x.as_ptr().add(row * stride + k) });
                        for (sums, weights) in sums.iter_mut().zip(weights) {
                            for (sum, weights) in sums.iter_mut().zip(weights) {
                                *sum = $add(*sum, x, weights);
                            }
                        }
                    }
                }
                for (to, sums) in to.iter_mut().zip(sums) {
                    for (to, sums) in to.iter_mut().zip(sums) {
                        for (to, sum) in to.0.chunks_exact_mut(LANES).zip(sums) {
                            // SAFETY: a chunk takes one vector.
                            unsafe { $store(to.as_mut_ptr(), sum) };
                        }
                    }
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
kernel!(
    avx512, "avx512f", __m512, rows: [1 2 3 4 5 6 7 8 9 10 11 12 13 14], zero: _mm512_setzero_ps(), same: _mm512_set1_ps,
    load: _mm512_load_ps, add: |sum, x, weight| _mm512_fmadd_ps(x, weight, sum), store: _mm512_store_ps,
    fetch: |line: *const f32| _mm_prefetch::<_MM_HINT_T1>(line.cast())
);

#[cfg(target_arch = "x86_64")]
kernel!(
    avx2, "avx2,fma", __m256, rows: [1 2 3 4 5 6], zero: _mm256_setzero_ps(), same: _mm256_set1_ps,
    load: _mm256_load_ps, add: |sum, x, weight| _mm256_fmadd_ps(x, weight, sum), store: _mm256_store_ps,
    fetch: |line: *const f32| _mm_prefetch::<_MM_HINT_T1>(line.cast())
);

// Fetching ahead has no stable intrinsic there.
#[cfg(target_arch = "aarch64")]
kernel!(
    neon, "neon", float32x4_t, rows: [1 2 3 4 5 6], zero: vdupq_n_f32(0.0), same: vdupq_n_f32,
    load: vld1q_f32, add: |sum, x, weight| vfmaq_f32(sum, x, weight), store: vst1q_f32, fetch: |_: *const f32| ()
);

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::plain;

    fn kernels() -> Vec<Kernel> {
        #[cfg(target_arch = "x86_64")]
        match level() {
            Level::Avx512 => return vec![Kernel::Avx512, Kernel::Avx2, Kernel::Plain],
            Level::Avx2 => {
                println!("this machine has no AVX-512: that kernel is not tested");
                return vec![Kernel::Avx2, Kernel::Plain];
            }
            Level::Plain => println!("this machine has neither AVX2 nor AVX-512: not tested"),
        }
        #[cfg(target_arch = "aarch64")]
        return vec![Kernel::Neon, Kernel::Plain];
        #[cfg(not(target_arch = "aarch64"))]
        vec![Kernel::Plain]
    }

    #[test]
    fn products_are_those_of_the_plain_twin_in_f64() {
        let mut random = ChaCha8Rng::seed_from_u64(8);
        let sizes =
            [(1, 1, 1), (1, 512, 64), (32, 48, 70), (50, 33, 17), (15, 130, 96), (64, 7, 300)];
        let activations = [None, Some(Activation::QuickGelu), Some(Activation::Gelu)];
        for (case, (rows, outputs, inputs)) in sizes.into_iter().enumerate() {
            let mut values =
                |len| (0..len).map(|_| random.random_range(-1.0..1.0)).collect::<Vec<f32>>();
            let (x, weight, bias) =
                (values(rows * inputs), values(outputs * inputs), values(outputs));
            let residual = values(rows * outputs);
            let exact = |values: &[f32]| values.iter().map(|v| f64::from(*v)).collect::<Vec<_>>();
            let activation = activations[case % 3];
            let right = plain::linear(&exact(&x), &exact(&weight), &exact(&bias), activation);
            let mut panels = Panels::default();
            // What stood here before must not be seen.
            panels.lay_out(Matrix::new(&[9.0; 40 * 40], 40, 40));
            panels.lay_out(Matrix::new(&weight, outputs, inputs));
            for kernel in kernels() {
                let mut y = vec![77.0; rows * outputs];
                let finish = Finish { bias: Some(&bias), activation, residual: Some(&residual) };
                let to = MatrixMut::new(&mut y, rows, outputs);
                multiply_by(kernel, to, Matrix::new(&x, rows, inputs), &panels, finish);
                for (i, y) in y.iter().enumerate() {
                    let right = right[i] + f64::from(residual[i]);
                    assert!((f64::from(*y) - right).abs() < 2e-5, "{kernel:?} {i}: {y} {right}");
                }
            }
        }
    }
}
