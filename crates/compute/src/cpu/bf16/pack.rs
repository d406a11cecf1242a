//! From a matrix in f32 to tiles of bf16, on all threads.
#![expect(
    unsafe_code,
    reason = "tiles are written from several threads, and by newer instructions"
)]

use rayon::prelude::*;

use super::kernel::Kernel;
use super::tile::{DEPTH, LINES, PAIRS, Packed, Side, Tile, round};
use crate::cpu::matmul::Matrix;

/// Tiles that one task fills of each strip where memory goes down the depth: so many that they fill a page, so few
/// that the rows read are not in more pages than the processor remembers. Own choice.
const RUN: usize = 4;

/// Lays out `source`, whose rows are the lines and whose columns are added up.
pub(super) fn pack(kernel: Kernel, source: Matrix<'_>, side: Side, to: &mut Packed) {
    let (lines, depth) = source.shape();
    let tiles = to.reset(lines, depth);
    let tiles = Tiles { first: tiles.as_mut_ptr(), depth: depth.div_ceil(DEPTH) };
    if source.is_across() {
        // Rows of memory go down the depth: a task reads some of them from end to end.
        (0..tiles.depth.div_ceil(RUN)).into_par_iter().for_each(|run| {
            for strip in 0..lines.div_ceil(LINES) {
                for d in run * RUN..tiles.depth.min((run + 1) * RUN) {
                    // SAFETY: the place is inside of what `reset` gave, and no other task has this `d`.
                    fill(kernel, source, side, (strip, d), unsafe { tiles.at(strip, d) });
                }
            }
        });
    } else {
        (0..lines.div_ceil(LINES)).into_par_iter().for_each(|strip| {
            for d in 0..tiles.depth {
                // SAFETY: as above, and no other task has this `strip`.
                fill(kernel, source, side, (strip, d), unsafe { tiles.at(strip, d) });
            }
        });
    }
}

/// A left factor from rows that `fill_rows` computes, 16 at most at a time: the number of the first one, and their room.
pub(super) fn pack_computed(
    kernel: Kernel,
    (rows, width): (usize, usize),
    to: &mut Packed,
    fill_rows: impl Fn(usize, &mut [f32]) + Sync,
) {
    let depth = width.div_ceil(DEPTH);
    let strips = to.reset(rows, width).par_chunks_exact_mut(depth.max(1)).enumerate();
    strips.for_each_init(
        || vec![0.0; LINES * width],
        |room, (strip, tiles)| {
            let first = strip * LINES;
            let here = LINES.min(rows - first);
            let room = &mut room[..here * width];
            fill_rows(first, room);
            for (d, tile) in tiles.iter_mut().enumerate() {
                fill(kernel, Matrix::new(room, here, width), Side::Left, (0, d), tile);
            }
        },
    );
}

/// [`pack`] on the calling thread.
pub(super) fn pack_here(kernel: Kernel, source: Matrix<'_>, side: Side, to: &mut Packed) {
    let (lines, depth) = source.shape();
    let depth = depth.div_ceil(DEPTH);
    let tiles = to.reset(lines, source.shape().1);
    for (i, tile) in tiles.iter_mut().enumerate() {
        fill(kernel, source, side, (i / depth, i % depth), tile);
    }
}

/// Tiles that tasks write side by side.
#[derive(Clone, Copy)]
struct Tiles {
    first: *mut Tile,
    depth: usize,
}

// SAFETY: the pointer is used through `at` only, whose callers share no tile.
unsafe impl Send for Tiles {}
// SAFETY: as above.
unsafe impl Sync for Tiles {}

impl Tiles {
    /// # Safety
    /// `strip` and `d` are inside, the memory is alive, and nobody else has this tile.
    unsafe fn at<'a>(self, strip: usize, d: usize) -> &'a mut Tile {
        // SAFETY: promised by the caller.
        unsafe { &mut *self.first.add(strip * self.depth + d) }
    }
}

fn fill(kernel: Kernel, source: Matrix<'_>, side: Side, (strip, d): (usize, usize), to: &mut Tile) {
    let part = source.part((strip * LINES, LINES), (d * DEPTH, DEPTH));
    #[cfg(target_arch = "x86_64")]
    if kernel != Kernel::Plain {
        // SAFETY: a kernel other than the plain one was chosen because the processor has AVX-512 with bf16.
        unsafe { super::avx512::pack(part, side, to) };
        return;
    }
    let _ = kernel;
    plain(part, side, to);
}

/// The obvious way.
fn plain(part: Matrix<'_>, side: Side, to: &mut Tile) {
    let (lines, depth) = part.shape();
    let value = |line: usize, k: usize| {
        if line < lines && k < depth { u32::from(round(part.at(line, k))) } else { 0 }
    };
    for line in 0..LINES {
        for pair in 0..PAIRS {
            let place = match side {
                Side::Left => line * PAIRS + pair,
                Side::Right => pair * LINES + line,
            };
            to.0[place] = value(line, 2 * pair) | value(line, 2 * pair + 1) << 16;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_those_of_the_plain_twin() {
        let data: Vec<f32> = (0..50 * 70).map(|i| (i as f32 * 0.37).sin() * 3.0).collect();
        for (rows, columns) in [(1, 1), (16, 32), (17, 33), (3, 64), (32, 5), (50, 66)] {
            let matrix = Matrix::strided(&data, rows, columns, 70);
            for kernel in Kernel::all_here() {
                for side in [Side::Left, Side::Right] {
                    check(kernel, matrix, side);
                    check(kernel, matrix.t(), side);
                }
            }
        }
    }

    fn check(kernel: Kernel, matrix: Matrix<'_>, side: Side) {
        let (mut fast, mut here, mut slow) = Default::default();
        pack(kernel, matrix, side, &mut fast);
        pack_here(kernel, matrix, side, &mut here);
        pack(Kernel::Plain, matrix, side, &mut slow);
        for strip in 0..slow.strips() {
            let tiles = |p: &Packed| {
                p.strip(strip, 0, p.depth()).iter().map(|tile| tile.0).collect::<Vec<_>>()
            };
            assert_eq!(tiles(&fast), tiles(&slow), "{kernel:?} {side:?}");
            assert_eq!(tiles(&here), tiles(&slow), "{kernel:?} {side:?}");
        }
    }
}
