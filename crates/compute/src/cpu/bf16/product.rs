//! A whole product: which thread computes which blocks, and in what order the memory is read.
#![expect(unsafe_code, reason = "blocks of one matrix are written from several threads")]

use std::ops::Range;

use rayon::prelude::*;

use super::kernel::{Block, Kernel, Ready, SIDE, Strips, Values};
use super::output::{Output, Stage, Target};
use super::tile::{LINES, Packed};

/// Tiles of depth that are multiplied in one go: beyond it, two strips of each factor outgrow the second cache.
const DEPTH_RUN: usize = 128;
/// Tiles of the right factor that a task goes back to for every two strips of the left one: 1 MiB, half of a usual second cache.
///
/// A task goes along the rows of the result. Down its columns, every row of a block would be in another page of
/// memory, and looking up pages takes longer than the products. Own choice, measured.
const TILES_AT_HAND: usize = 1024;
/// Strips of the left factor for one task: each task reads its tiles of the right one anew. Own choice, measured.
const ROW_STRIPS: usize = 50;
/// Tasks for each thread: enough that none waits long for the last.
const TASKS_EACH: usize = 4;

/// `output = left right` on all threads. The order of the sums does not depend on their number.
pub(super) fn multiply(kernel: Kernel, left: &Packed, right: &Packed, output: Output<'_>) {
    let (values, output) = checked(left, right, output);
    let (rows, columns) = (left.strips(), right.strips());
    let row_tasks = rows.div_ceil(ROW_STRIPS).max(1);
    let wanted = TASKS_EACH * rayon::current_num_threads();
    let at_hand = (TILES_AT_HAND / left.depth().clamp(1, DEPTH_RUN)).max(2);
    let column_tasks = wanted.div_ceil(row_tasks).max(columns.div_ceil(at_hand));
    let column_tasks = column_tasks.min(columns.div_ceil(4)).max(1);
    (0..row_tasks * column_tasks).into_par_iter().with_max_len(1).for_each(|task| {
        let rows = share(rows, row_tasks, task / column_tasks);
        let columns = share(columns, column_tasks, task % column_tasks);
        // SAFETY: the tasks' shares of rows and columns do not overlap.
        unsafe { rectangle(&Ready::new(kernel, values), left, right, &output, rows, columns) };
    });
}

/// The same on the calling thread, for small products inside a parallel loop.
pub(super) fn multiply_here(kernel: Kernel, left: &Packed, right: &Packed, output: Output<'_>) {
    let (values, output) = checked(left, right, output);
    let (rows, columns) = (0..left.strips(), 0..right.strips());
    // SAFETY: there is no other thread.
    unsafe { rectangle(&Ready::new(kernel, values), left, right, &output, rows, columns) };
}

/// What the tiles hold, and the output that knows what their steps are worth.
fn checked<'a>(left: &'a Packed, right: &'a Packed, output: Output<'a>) -> (Values, Output<'a>) {
    assert_eq!(
        (left.lines(), right.lines(), left.depth()),
        (output.rows(), output.columns(), right.depth()),
        "shapes of a product"
    );
    let steps = left.steps().zip(right.steps());
    assert_eq!(left.steps().is_some(), right.steps().is_some(), "one factor only in int8");
    let values = if steps.is_some() { Values::Int8 } else { Values::Bf16 };
    (values, Output { steps, ..output })
}

/// Share number `i` of `total` strips, an even number but for the last.
fn share(total: usize, shares: usize, i: usize) -> Range<usize> {
    let pairs = total.div_ceil(2);
    let edge = |i: usize| (2 * (pairs * i / shares)).min(total);
    edge(i)..edge(i + 1)
}

/// # Safety
/// No other thread has one of these rows and columns at once.
unsafe fn rectangle(
    ready: &Ready,
    left: &Packed,
    right: &Packed,
    output: &Output<'_>,
    rows: Range<usize>,
    columns: Range<usize>,
) {
    let mut block = Block([0; SIDE * SIDE]);
    let depth = left.depth();
    let run = if matches!(output.target, Target::Tiles(_)) { depth.max(1) } else { DEPTH_RUN };
    for from in (0..depth.max(1)).step_by(run) {
        let to = depth.min(from + run);
        let stage = Stage { first: from == 0, last: to == depth };
        let (left, right) = (|i| left.strip(i, from, to), |j| right.strip(j, from, to));
        for i in rows.clone().step_by(2) {
            for j in columns.clone().step_by(2) {
                let mut put = |strips, (i, j): (usize, usize), extent| {
                    output.prefetch(ready.kernel(), (i * LINES, j * LINES), extent);
                    ready.multiply(strips, &mut block);
                    // SAFETY: promised by the caller.
                    unsafe {
                        output.store(ready.kernel(), (i * LINES, j * LINES), extent, &block, stage);
                    };
                };
                if i + 1 < rows.end && j + 1 < columns.end {
                    let two = Strips::Two([left(i), left(i + 1)], [right(j), right(j + 1)]);
                    put(two, (i, j), SIDE);
                    continue;
                }
                for i in i..rows.end.min(i + 2) {
                    for j in j..columns.end.min(j + 2) {
                        put(Strips::One(left(i), right(j)), (i, j), LINES);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::super::pack::pack;
    use super::super::tile::{Side, round, values};
    use super::*;
    use crate::cpu::matmul::{Matrix, MatrixMut};

    fn rounded(x: f32) -> f64 {
        f64::from(values(u32::from(round(x))).0)
    }

    #[test]
    fn products_agree_with_those_of_rounded_values_in_f64() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let sizes =
            [(1, 1, 1), (16, 32, 32), (33, 47, 65), (70, 10, 1100), (5, 130, 40), (50, 96, 64)];
        for (rows, columns, depth) in sizes {
            let mut values =
                |len| (0..len).map(|_| random.random_range(-1.0..1.0)).collect::<Vec<f32>>();
            let (a, b) = (values(rows * depth), values(columns * depth));
            let before = values(rows * columns);
            for kernel in Kernel::all_here() {
                let mut out = before.clone();
                let (mut left, mut right) = Default::default();
                pack(kernel, Matrix::new(&a, rows, depth), Side::Left, &mut left);
                pack(kernel, Matrix::new(&b, columns, depth), Side::Right, &mut right);
                let output = Output::new(MatrixMut::new(&mut out, rows, columns), true);
                multiply(kernel, &left, &right, output);
                for (i, out) in out.iter().enumerate() {
                    let (row, column) = (i / columns, i % columns);
                    let terms = (0..depth)
                        .map(|k| rounded(a[row * depth + k]) * rounded(b[column * depth + k]));
                    let right = f64::from(before[i]) + terms.sum::<f64>();
                    let difference = (f64::from(*out) - right).abs();
                    assert!(difference < 1e-4, "{kernel:?} {row} {column}: {out} {right}");
                }
            }
        }
    }

    #[test]
    fn shares_cover_all_strips_once() {
        for total in 0..40 {
            for shares in 1..9 {
                let all: Vec<usize> = (0..shares).flat_map(|i| share(total, shares, i)).collect();
                assert_eq!(all, (0..total).collect::<Vec<_>>());
            }
        }
    }
}
