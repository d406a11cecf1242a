//! Loops over floats: products, the Hadamard transform, and what encoding a row takes.

use super::{Level, vectorised};

/// Partial sums of a dot product. Four registers of AVX-512 hide the latency of an addition, and since the sums are
/// always added in this order without fusing, every level gives the same bits.
const SUMS: usize = 64;

/// Columns of a panel: one register of AVX-512, two of AVX2.
const COLUMNS: usize = 16;

/// Rows multiplied at once: with one accumulator each, enough to keep two multipliers busy.
const TILE_ROWS: usize = 12;

vectorised! {
    /// Dot product, the same to the bit on every level.
    pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
        let mut sums = [0.0f32; SUMS];
        let (blocks_a, rest_a) = a.as_chunks::<SUMS>();
        let (blocks_b, rest_b) = b.as_chunks::<SUMS>();
        for (x, y) in blocks_a.iter().zip(blocks_b) {
            for lane in 0..SUMS {
                sums[lane] += x[lane] * y[lane];
            }
        }
        for (lane, (x, y)) in rest_a.iter().zip(rest_b).enumerate() {
            sums[lane] += x * y;
        }
        let mut width = SUMS / 2;
        while width > 0 {
            for lane in 0..width {
                sums[lane] += sums[lane + width];
            }
            width /= 2;
        }
        sums[0]
    }
}

vectorised! {
    /// Walsh-Hadamard transform in place, scaled so that lengths stay. The length is a power of two, at least 16.
    pub(crate) fn hadamard(x: &mut [f32]) {
        debug_assert!(x.len().is_power_of_two() && x.len() >= 16);
        let scale = 1.0 / (x.len() as f32).sqrt();
        for block in x.as_chunks_mut::<16>().0 {
            for value in block.iter_mut() {
                *value *= scale;
            }
            butterflies::<1>(block);
            butterflies::<2>(block);
            butterflies::<4>(block);
            butterflies::<8>(block);
        }
        let mut half = 16;
        while half < x.len() {
            for pair in x.chunks_exact_mut(2 * half) {
                let (low, high) = pair.split_at_mut(half);
                for (a, b) in low.iter_mut().zip(high) {
                    (*a, *b) = (*a + *b, *a - *b);
                }
            }
            half *= 2;
        }
    }
}

/// Sums and differences of the entries that are `STEP` apart.
#[inline(always)]
fn butterflies<const STEP: usize>(block: &mut [f32; 16]) {
    let old = *block;
    for (i, value) in block.iter_mut().enumerate() {
        let other = old[i ^ STEP];
        *value = if i & STEP == 0 { old[i] + other } else { other - old[i] };
    }
}

vectorised! {
    /// Of a row: the largest magnitude, the sum of magnitudes, the sum of squares.
    pub(crate) fn largest_and_sums(row: &[f32]) -> (f32, f32, f32) {
        let (mut largest, mut ones, mut twos) = ([0.0f32; 16], [0.0f32; 16], [0.0f32; 16]);
        let mut add = |lane: usize, x: f32| {
            let size = x.abs();
            largest[lane] = if size > largest[lane] { size } else { largest[lane] };
            ones[lane] += size;
            twos[lane] += x * x;
        };
        let (blocks, rest) = row.as_chunks::<16>();
        for block in blocks {
            for (lane, x) in block.iter().enumerate() {
                add(lane, *x);
            }
        }
        for (lane, x) in rest.iter().enumerate() {
            add(lane, *x);
        }
        let most = largest.iter().copied().fold(0.0, f32::max);
        (most, ones.iter().sum(), twos.iter().sum())
    }
}

vectorised! {
    /// `round(x * scale) + 128`, for `x * scale` within -127 and 127.
    pub(crate) fn to_bytes(row: &[f32], scale: f32, bytes: &mut [u8]) {
        // Adding 1.5 * 2^23 leaves the rounded integer in the low bits, which needs no conversion instruction.
        const ROUND: f32 = 12_582_912.0;
        for (x, byte) in row.iter().zip(bytes) {
            *byte = ((x * scale + (ROUND + 128.0)).to_bits() & 0xff) as u8;
        }
    }
}

/// Vectors laid out so that many can be multiplied with one row at once.
#[derive(Clone, Debug)]
pub(crate) struct Panels {
    dim: usize,
    columns: usize,
    /// Panels of 16 vectors, entry by entry.
    numbers: Vec<f32>,
}

impl Panels {
    /// # Shapes
    /// `vectors` is `(N, D)`.
    pub(crate) fn new(dim: usize, vectors: &[f32]) -> Self {
        let columns = vectors.len() / dim;
        let mut numbers = vec![0.0; columns.div_ceil(COLUMNS) * COLUMNS * dim];
        for (column, vector) in vectors.chunks_exact(dim).enumerate() {
            let panel = &mut numbers[column / COLUMNS * COLUMNS * dim..];
            for (entry, value) in vector.iter().enumerate() {
                panel[entry * COLUMNS + column % COLUMNS] = *value;
            }
        }
        Self { dim, columns, numbers }
    }

    /// N.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// N, rounded up to whole panels: the width of a row of products.
    pub(crate) fn stride(&self) -> usize {
        self.columns.div_ceil(COLUMNS) * COLUMNS
    }
}

/// Products of rows with all vectors of the panels.
///
/// # Shapes
/// Each of `rows` is `(D,)`; `out` is `(rows, stride)`.
pub(crate) fn products(level: Level, rows: &[&[f32]], panels: &Panels, out: &mut [f32]) {
    let stride = panels.stride();
    for (rows, out) in rows.chunks(TILE_ROWS).zip(out.chunks_mut(TILE_ROWS * stride)) {
        let tile: [&[f32]; TILE_ROWS] = std::array::from_fn(|i| rows[i.min(rows.len() - 1)]);
        for (number, panel) in panels.numbers.chunks_exact(COLUMNS * panels.dim).enumerate() {
            let mut products = [[0.0; COLUMNS]; TILE_ROWS];
            multiply(level, &tile, panel, &mut products);
            for (products, out) in products.iter().zip(out.chunks_exact_mut(stride)) {
                out[number * COLUMNS..][..COLUMNS].copy_from_slice(products);
            }
        }
    }
}

/// One tile of products.
#[cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "fused multiplication is used once it was found")
)]
fn multiply(
    level: Level,
    rows: &[&[f32]; TILE_ROWS],
    panel: &[f32],
    out: &mut [[f32; COLUMNS]; TILE_ROWS],
) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
        fn avx512(
            rows: &[&[f32]; TILE_ROWS],
            panel: &[f32],
            out: &mut [[f32; COLUMNS]; TILE_ROWS],
        ) {
            tile::<true, TILE_ROWS>(rows, panel, out);
        }
        // AVX2 has sixteen registers, and a row of a tile takes two.
        #[target_feature(enable = "avx2,fma")]
        fn avx2(rows: &[&[f32]; TILE_ROWS], panel: &[f32], out: &mut [[f32; COLUMNS]; TILE_ROWS]) {
            let (rows, out) = (rows.as_chunks::<6>().0, out.as_chunks_mut::<6>().0);
            for (rows, out) in rows.iter().zip(out) {
                tile::<true, 6>(rows, panel, out);
            }
        }
        match level.0 {
            // SAFETY: a level is only made where its instructions were found.
            super::Kind::Avx512 => return unsafe { avx512(rows, panel, out) },
            // SAFETY: as above.
            super::Kind::Avx2 => return unsafe { avx2(rows, panel, out) },
            super::Kind::Plain => {}
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = level;
    tile::<{ cfg!(target_arch = "aarch64") }, TILE_ROWS>(rows, panel, out);
}

/// The loop of [`multiply`]; without the instruction a fused product is a slow function call.
#[inline(always)]
fn tile<const FUSED: bool, const ROWS: usize>(
    rows: &[&[f32]; ROWS],
    panel: &[f32],
    out: &mut [[f32; COLUMNS]; ROWS],
) {
    let mut sums = [[0.0f32; COLUMNS]; ROWS];
    let columns = panel.as_chunks::<COLUMNS>().0;
    let rows = rows.map(|row| &row[..columns.len()]);
    for (entry, column) in columns.iter().enumerate() {
        for (row, sums) in rows.iter().zip(&mut sums) {
            let x = row[entry];
            for (sum, y) in sums.iter_mut().zip(column) {
                *sum = if FUSED { x.mul_add(*y, *sum) } else { x * y + *sum };
            }
        }
    }
    *out = sums;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::vector::kernel::bits::tests::{SHAPES, numbers};

    #[test]
    fn products_of_rows_are_the_same_bits_on_every_level() {
        for dim in SHAPES {
            let (a, b) = (numbers(dim, 1), numbers(dim, 2));
            let right: f64 = a.iter().zip(&b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
            let bits: Vec<u32> =
                Level::all().iter().map(|level| dot(*level, &a, &b).to_bits()).collect();
            assert!(bits.iter().all(|found| *found == bits[0]), "{dim}");
            assert!((f64::from(f32::from_bits(bits[0])) - right).abs() < 1e-4, "{dim}");
        }
    }

    #[test]
    fn tiles_multiply_like_single_products() {
        for (dim, rows, columns) in [(32, 1, 1), (33, 13, 17), (100, 25, 40), (512, 12, 16)] {
            let (a, b) = (numbers(dim * rows, 1), numbers(dim * columns, 2));
            let panels = Panels::new(dim, &b);
            let slices: Vec<&[f32]> = a.chunks_exact(dim).collect();
            for level in Level::all() {
                let mut out = vec![0.0; rows * panels.stride()];
                products(level, &slices, &panels, &mut out);
                for (row, out) in slices.iter().zip(out.chunks_exact(panels.stride())) {
                    for (column, found) in b.chunks_exact(dim).zip(out) {
                        assert!((dot(level, row, column) - found).abs() < 1e-3, "{level:?} {dim}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_transform_is_its_own_inverse() {
        for level in Level::all() {
            for length in [16, 32, 64, 1024] {
                let start = numbers(length, 3);
                let mut x = start.clone();
                hadamard(level, &mut x);
                hadamard(level, &mut x);
                assert!(
                    start.iter().zip(&x).all(|(a, b)| (a - b).abs() < 1e-5),
                    "{level:?} {length}"
                );
            }
        }
    }

    #[test]
    fn sums_and_bytes_are_those_of_the_plain_formula() {
        for dim in SHAPES {
            let row = numbers(dim, 4);
            let most = row.iter().fold(0.0f32, |most, x| most.max(x.abs()));
            for level in Level::all() {
                let (largest, ones, twos) = largest_and_sums(level, &row);
                assert_eq!(largest, most);
                assert!((ones - row.iter().map(|x| x.abs()).sum::<f32>()).abs() < 1e-2);
                assert!((twos - row.iter().map(|x| x * x).sum::<f32>()).abs() < 1e-2);
                let mut bytes = vec![0; dim];
                to_bytes(level, &row, 127.0 / most, &mut bytes);
                for (x, byte) in row.iter().zip(&bytes) {
                    let exact = x * 127.0 / most + 128.0;
                    assert!((f32::from(*byte) - exact).abs() <= 0.501, "{level:?} {exact} {byte}");
                }
            }
        }
    }
}
