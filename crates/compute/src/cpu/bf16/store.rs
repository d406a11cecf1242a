//! What becomes of the sums of a block, by AVX-512: the twin of the plain way in `output`.
#![expect(unsafe_code, reason = "newer instructions are used once they were found")]

use std::arch::x86_64::{
    __m256bh, __m256i, __m512, _MM_FROUND_NO_EXC, _MM_HINT_T0, _mm_prefetch, _mm256_storeu_si256,
    _mm512_add_ps, _mm512_castps_si512, _mm512_cvtepi32_ps, _mm512_cvtneps_pbh, _mm512_fmadd_ps,
    _mm512_fnmadd_ps, _mm512_loadu_ps, _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps, _mm512_max_ps,
    _mm512_min_ps, _mm512_mul_ps, _mm512_rcp14_ps, _mm512_roundscale_ps, _mm512_scalef_ps,
    _mm512_set1_ps, _mm512_storeu_ps, _mm512_sub_ps,
};
use std::mem::transmute;
use std::ops::Range;

use super::kernel::{Block, SIDE};
use super::output::{Output, Stage, Target};
use super::tile::LINES;
use crate::cpu::linear::activated;
use crate::ops::Activation;

/// Sixteen values of a row, or fewer at the right edge of a matrix.
#[derive(Clone, Copy)]
struct Lane {
    row: usize,
    column: usize,
    len: usize,
    mask: u16,
}

impl Lane {
    fn new(row: usize, column: usize, len: usize) -> Self {
        Self { row, column, len, mask: ((1u32 << len) - 1) as u16 }
    }

    /// Those of a slice that begins at this lane's place.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load(self, from: &[f32]) -> __m512 {
        debug_assert!(from.len() >= self.len, "a row ends early");
        // SAFETY: the mask leaves out what is beyond the row.
        unsafe { _mm512_maskz_loadu_ps(self.mask, from.as_ptr()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn store(self, to: &mut [f32], values: __m512) {
        debug_assert!(to.len() >= self.len, "a row ends early");
        // SAFETY: as above.
        unsafe { _mm512_mask_storeu_ps(to.as_mut_ptr(), self.mask, values) }
    }
}

/// See [`Output::prefetch`]: a product takes long enough for the memory to answer meanwhile.
pub(super) fn prefetch(output: &Output<'_>, rows: Range<usize>, columns: Range<usize>) {
    // SAFETY: asking neither reads nor writes, whatever the address.
    let ask = |place: *const f32| unsafe { _mm_prefetch::<_MM_HINT_T0>(place.cast()) };
    for row in rows {
        for column in columns.clone().step_by(LINES) {
            if let Some(residual) = output.residual {
                ask(std::ptr::from_ref(&residual[row * output.columns() + column]));
            }
            if let Target::Cells(cells) = &output.target {
                ask(cells.place(row, column));
            }
        }
    }
}

/// See [`Output::store`], whose twin this is.
///
/// # Safety
/// No other thread has these elements of the output.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
pub(super) unsafe fn store(
    output: &Output<'_>,
    (first_row, rows): (usize, usize),
    (first_column, columns): (usize, usize),
    block: &Block,
    stage: Stage,
) {
    for row in 0..rows {
        for from in (0..columns).step_by(LINES) {
            let lane = Lane::new(first_row + row, first_column + from, LINES.min(columns - from));
            let bits = &block.0[row * SIDE + from..][..LINES];
            // SAFETY: 16 values are read.
            let bits = unsafe { _mm512_loadu_ps(bits.as_ptr().cast()) };
            let sums = scaled(output, lane, bits);
            // SAFETY: promised by the caller.
            unsafe { store_lane(output, lane, sums, stage) };
        }
    }
}

/// Sums as they come out of a kernel, as numbers.
#[inline]
#[target_feature(enable = "avx512f")]
fn scaled(output: &Output<'_>, lane: Lane, bits: __m512) -> __m512 {
    let Some((rows, columns)) = output.steps else {
        return _mm512_mul_ps(bits, _mm512_set1_ps(output.scale));
    };
    let sums = _mm512_cvtepi32_ps(_mm512_castps_si512(bits));
    let row = _mm512_mul_ps(sums, _mm512_set1_ps(rows[lane.row] * output.scale));
    _mm512_mul_ps(row, lane.load(&columns[lane.column..][..lane.len]))
}

/// # Safety
/// As for [`store`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
unsafe fn store_lane(output: &Output<'_>, lane: Lane, mut sums: __m512, stage: Stage) {
    // SAFETY: promised by the caller.
    let held = unsafe { output.held(lane.row, lane.column, lane.len) };
    if output.add || !stage.first {
        sums = _mm512_add_ps(sums, lane.load(held));
    }
    if !stage.last {
        lane.store(held, sums);
        return;
    }
    if let Some(bias) = output.bias {
        sums = _mm512_add_ps(sums, lane.load(&bias[lane.column..][..lane.len]));
    }
    if let Some(activation) = output.activation {
        if output.before_activation.is_some() {
            lane.store(held, sums);
        }
        sums = activate(activation, sums);
    }
    if let Some(residual) = output.residual {
        let from = lane.row * output.columns() + lane.column;
        sums = _mm512_add_ps(sums, lane.load(&residual[from..][..lane.len]));
    }
    match &output.target {
        Target::Cells(cells) => {
            // SAFETY: promised by the caller.
            let to = unsafe { cells.row(lane.row, lane.column, lane.len) };
            lane.store(to, sums);
        }
        Target::Tiles(tiles) => {
            // SAFETY: promised by the caller.
            let to = unsafe { tiles.half_row(lane.row, lane.column) };
            let pairs = _mm512_cvtneps_pbh(sums);
            // SAFETY: eight pairs are 32 bytes; both types are 32 bytes of plain bits.
            unsafe {
                _mm256_storeu_si256(to.as_mut_ptr().cast(), transmute::<__m256bh, __m256i>(pairs));
            }
        }
    }
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
