//! Packing and products by AVX-512 with its instructions for bf16.
#![expect(unsafe_code, reason = "newer instructions are used once they were found")]

use std::arch::x86_64::{
    __m512, __m512bh, __m512i, _MM_FROUND_NO_EXC, _mm512_add_ps, _mm512_cvtne2ps_pbh,
    _mm512_dpbf16_ps, _mm512_fmadd_ps, _mm512_fnmadd_ps, _mm512_loadu_ps, _mm512_loadu_si512,
    _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps, _mm512_max_ps, _mm512_min_ps, _mm512_mul_ps,
    _mm512_permutexvar_epi16, _mm512_rcp14_ps, _mm512_roundscale_ps, _mm512_scalef_ps,
    _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_ps, _mm512_setzero_si512,
    _mm512_shuffle_i32x4, _mm512_storeu_ps, _mm512_storeu_si512, _mm512_sub_ps,
    _mm512_unpackhi_epi32, _mm512_unpackhi_epi64, _mm512_unpacklo_epi32, _mm512_unpacklo_epi64,
};
use std::mem::transmute;

use super::kernel::{Block, SIDE, Strips};
use super::output::{Output, Stage};
use super::tile::{LINES, PAIRS, Side, Tile};
use crate::cpu::linear::activated;
use crate::cpu::matmul::Matrix;
use crate::ops::Activation;

/// Whether the processor has what this file uses.
pub(super) fn is_here() -> bool {
    is_x86_feature_detected!("avx512bf16")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512f")
}

/// One tile from at most 16 lines of at most 32 values, the rest zeros.
#[target_feature(enable = "avx512f,avx512bf16,avx512bw,avx512vl")]
pub(super) fn pack(part: Matrix<'_>, side: Side, to: &mut Tile) {
    let (across, memory) = (part.is_across(), if part.is_across() { part.t() } else { part });
    let rows = if across { pairs_of_rows(memory) } else { rows_of_pairs(memory) };
    // Rows of memory give one line each, or one pair each: as the left or the right factor wants it.
    let rows = if across == (side == Side::Left) { transpose(rows) } else { rows };
    for (row, to) in rows.into_iter().zip(to.0.chunks_exact_mut(PAIRS)) {
        // SAFETY: `to` has 16 times 4 bytes.
        unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), row) };
    }
}

/// Up to 16 values of a row, the rest zeros.
#[inline]
#[target_feature(enable = "avx512f")]
fn load(row: &[f32]) -> __m512 {
    if row.len() >= 16 {
        // SAFETY: the row has 16 values.
        return unsafe { _mm512_loadu_ps(row.as_ptr()) };
    }
    // SAFETY: the mask leaves out what is beyond the row.
    unsafe { _mm512_maskz_loadu_ps((1u16 << row.len()) - 1, row.as_ptr()) }
}

/// Each row of memory is a line: its neighbouring values are the pairs.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16,avx512bw")]
fn rows_of_pairs(memory: Matrix<'_>) -> [__m512i; 16] {
    let mut out = [_mm512_setzero_si512(); 16];
    let (lines, depth) = memory.shape();
    for (line, out) in out.iter_mut().enumerate().take(lines) {
        let row = memory.row(line);
        let (low, high) = row.split_at(depth.min(16));
        // SAFETY: both are 64 bytes of plain bits.
        *out =
            unsafe { transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(load(high), load(low))) };
    }
    out
}

/// Two rows of memory are the two halves of one row of pairs.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16,avx512bw")]
fn pairs_of_rows(memory: Matrix<'_>) -> [__m512i; 16] {
    const TAKE_BY_TURNS: [u16; 32] = {
        let (mut order, mut i) = ([0; 32], 0);
        while i < 16 {
            (order[2 * i], order[2 * i + 1]) = (i as u16, i as u16 + 16);
            i += 1;
        }
        order
    };
    // SAFETY: 32 times 2 bytes are read.
    let order = unsafe { _mm512_loadu_si512(TAKE_BY_TURNS.as_ptr().cast()) };
    let mut out = [_mm512_setzero_si512(); 16];
    let depth = memory.shape().0;
    for (pair, out) in out.iter_mut().enumerate().take(depth.div_ceil(2)) {
        let even = load(memory.row(2 * pair));
        let odd =
            if 2 * pair + 1 < depth { load(memory.row(2 * pair + 1)) } else { _mm512_setzero_ps() };
        // SAFETY: both are 64 bytes of plain bits.
        let both = unsafe { transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(odd, even)) };
        *out = _mm512_permutexvar_epi16(order, both);
    }
    out
}

/// Sixteen rows of sixteen as columns: within quarters first, then the quarters themselves.
#[inline]
#[target_feature(enable = "avx512f")]
#[expect(
    clippy::large_types_passed_by_value,
    reason = "sixteen registers, never in memory once inlined"
)]
fn transpose(rows: [__m512i; 16]) -> [__m512i; 16] {
    let zero = _mm512_setzero_si512();
    let mut fours = [zero; 16];
    for i in (0..16).step_by(4) {
        let low = (
            _mm512_unpacklo_epi32(rows[i], rows[i + 1]),
            _mm512_unpacklo_epi32(rows[i + 2], rows[i + 3]),
        );
        let high = (
            _mm512_unpackhi_epi32(rows[i], rows[i + 1]),
            _mm512_unpackhi_epi32(rows[i + 2], rows[i + 3]),
        );
        fours[i] = _mm512_unpacklo_epi64(low.0, low.1);
        fours[i + 1] = _mm512_unpackhi_epi64(low.0, low.1);
        fours[i + 2] = _mm512_unpacklo_epi64(high.0, high.1);
        fours[i + 3] = _mm512_unpackhi_epi64(high.0, high.1);
    }
    let mut out = [zero; 16];
    for i in 0..4 {
        // Quarters of four rows each; a row's quarters belong to the columns i, i + 4, i + 8, i + 12.
        let (a, b, c, d) = (fours[i], fours[4 + i], fours[8 + i], fours[12 + i]);
        let (even_ab, odd_ab) =
            (_mm512_shuffle_i32x4::<0x88>(a, b), _mm512_shuffle_i32x4::<0xdd>(a, b));
        let (even_cd, odd_cd) =
            (_mm512_shuffle_i32x4::<0x88>(c, d), _mm512_shuffle_i32x4::<0xdd>(c, d));
        out[i] = _mm512_shuffle_i32x4::<0x88>(even_ab, even_cd);
        out[i + 4] = _mm512_shuffle_i32x4::<0x88>(odd_ab, odd_cd);
        out[i + 8] = _mm512_shuffle_i32x4::<0xdd>(even_ab, even_cd);
        out[i + 12] = _mm512_shuffle_i32x4::<0xdd>(odd_ab, odd_cd);
    }
    out
}

/// See [`super::kernel::Ready::multiply`].
pub(super) fn multiply(strips: Strips<'_>, block: &mut Block) {
    match strips {
        Strips::Two(left, right) => {
            for (i, left) in left.into_iter().enumerate() {
                for half in 0..2 {
                    let first = i * LINES + half * ROWS;
                    // SAFETY: this kernel was chosen after `is_here`.
                    unsafe { rows::<2>(left, half * ROWS, right, &mut block.0[first * SIDE..]) };
                }
            }
        }
        Strips::One(left, right) => {
            for half in 0..2 {
                let out = &mut block.0[half * ROWS * SIDE..];
                // SAFETY: as above.
                unsafe { rows::<1>(left, half * ROWS, [right], out) };
            }
        }
    }
}

/// Rows whose sums fit into the registers at once, beside those of two strips.
const ROWS: usize = 8;

/// Rows `first..first + ROWS` of the left strip times `N` right strips.
#[target_feature(enable = "avx512f,avx512bf16,avx512bw,avx512vl")]
fn rows<const N: usize>(left: &[Tile], first: usize, right: [&[Tile]; N], out: &mut [f32]) {
    let mut sums = [[_mm512_setzero_ps(); N]; ROWS];
    for (depth, left) in left.iter().enumerate() {
        let left = &left.0[first * PAIRS..][..ROWS * PAIRS];
        let right = right.map(|right| &right[depth].0);
        for pair in 0..PAIRS {
            // SAFETY: 16 pairs are read of a tile's 256, and their bits are those of `__m512bh`.
            let columns = right.map(|right| unsafe {
                transmute::<__m512i, __m512bh>(_mm512_loadu_si512(
                    right[pair * LINES..][..LINES].as_ptr().cast(),
                ))
            });
            for (row, sums) in sums.iter_mut().enumerate() {
                // SAFETY: 64 bytes of plain bits.
                let value = unsafe {
                    transmute::<__m512i, __m512bh>(_mm512_set1_epi32(
                        left[row * PAIRS + pair] as i32,
                    ))
                };
                for (sum, columns) in sums.iter_mut().zip(columns) {
                    *sum = _mm512_dpbf16_ps(*sum, value, columns);
                }
            }
        }
    }
    for (row, sums) in sums.into_iter().enumerate() {
        for (j, sum) in sums.into_iter().enumerate() {
            let to = &mut out[row * SIDE + j * LINES..][..LINES];
            // SAFETY: `to` has 16 values.
            unsafe { _mm512_storeu_ps(to.as_mut_ptr(), sum) };
        }
    }
}

/// Sixteen values, or fewer at the right edge of a matrix.
#[derive(Clone, Copy)]
struct Lane(u16);

impl Lane {
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load(self, from: &[f32]) -> __m512 {
        debug_assert!(from.len() >= self.0.count_ones() as usize, "a row ends early");
        // SAFETY: the mask leaves out what is beyond the row.
        unsafe { _mm512_maskz_loadu_ps(self.0, from.as_ptr()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn store(self, to: &mut [f32], values: __m512) {
        debug_assert!(to.len() >= self.0.count_ones() as usize, "a row ends early");
        // SAFETY: as above.
        unsafe { _mm512_mask_storeu_ps(to.as_mut_ptr(), self.0, values) }
    }
}

/// See [`Output::store`], whose twin this is.
///
/// # Safety
/// No other thread has these elements of the output.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
pub(super) unsafe fn store(
    output: &Output<'_>,
    (first_row, rows): (usize, usize),
    (first_column, columns): (usize, usize),
    block: &Block,
    stage: Stage,
) {
    for row in 0..rows {
        for from in (0..columns).step_by(LINES) {
            let len = LINES.min(columns - from);
            let lane = Lane(((1u32 << len) - 1) as u16);
            let sums = lane.load(&block.0[row * SIDE + from..][..len]);
            let place = (first_row + row, first_column + from);
            // SAFETY: promised by the caller.
            unsafe { store_lane(output, place, len, lane, sums, stage) };
        }
    }
}

/// # Safety
/// As for [`store`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn store_lane(
    output: &Output<'_>,
    (row, column): (usize, usize),
    len: usize,
    lane: Lane,
    sums: __m512,
    stage: Stage,
) {
    // SAFETY: promised by the caller.
    let cells = unsafe { output.cells.row(row, column, len) };
    let mut sums = _mm512_mul_ps(sums, _mm512_set1_ps(output.scale));
    // SAFETY: as above; the input's memory is another than that of the cells.
    let input = output.activation.as_ref().map(|(a, i)| (*a, unsafe { i.row(row, column, len) }));
    if output.add || !stage.first {
        sums = _mm512_add_ps(sums, lane.load(input.as_ref().map_or(&*cells, |(_, input)| input)));
    }
    if let Some(bias) = output.bias.filter(|_| stage.last) {
        sums = _mm512_add_ps(sums, lane.load(&bias[column..][..len]));
    }
    if let Some((activation, input)) = input {
        lane.store(input, sums);
        if !stage.last {
            return;
        }
        sums = activate(activation, sums);
    }
    if let Some(residual) = output.residual.filter(|_| stage.last) {
        sums = _mm512_add_ps(sums, lane.load(&residual[row * output.columns() + column..][..len]));
    }
    lane.store(cells, sums);
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn activate(activation: Activation, x: __m512) -> __m512 {
    if activation == Activation::QuickGelu {
        return _mm512_mul_ps(x, sigmoid(_mm512_mul_ps(x, _mm512_set1_ps(1.702))));
    }
    let mut values = [0.0f32; LINES];
    // SAFETY: 16 values are written, and read below.
    unsafe { _mm512_storeu_ps(values.as_mut_ptr(), x) };
    for value in &mut values {
        *value = activated(activation, *value);
    }
    // SAFETY: as above.
    unsafe { _mm512_loadu_ps(values.as_ptr()) }
}

/// `1 / (1 + e^-x)` to about 1e-6: two to a whole power times the Taylor polynomial of two to the rest.
#[inline]
#[target_feature(enable = "avx512f")]
fn sigmoid(x: __m512) -> __m512 {
    // The powers of ln 2 over the factorials, from the sixth down.
    const TAYLOR: [f32; 7] = [
        1.540_353e-4,
        1.333_355_8e-3,
        9.618_129e-3,
        5.550_411e-2,
        0.240_226_5,
        std::f32::consts::LN_2,
        1.0,
    ];
    const NEAREST: i32 = _MM_FROUND_NO_EXC;
    // Beyond 126 the power overflows; NaN comes through, since both take the second operand then.
    let bound = |x| _mm512_max_ps(_mm512_set1_ps(-126.0), _mm512_min_ps(_mm512_set1_ps(126.0), x));
    let x = bound(_mm512_mul_ps(x, _mm512_set1_ps(-std::f32::consts::LOG2_E)));
    let whole = _mm512_roundscale_ps::<NEAREST>(x);
    let rest = _mm512_sub_ps(x, whole);
    let mut power = _mm512_set1_ps(TAYLOR[0]);
    for factor in &TAYLOR[1..] {
        power = _mm512_fmadd_ps(power, rest, _mm512_set1_ps(*factor));
    }
    let below = _mm512_add_ps(_mm512_scalef_ps(power, whole), _mm512_set1_ps(1.0));
    // One step of Newton's method on the reciprocal known to 14 bits.
    let rough = _mm512_rcp14_ps(below);
    _mm512_mul_ps(rough, _mm512_fnmadd_ps(below, rough, _mm512_set1_ps(2.0)))
}
