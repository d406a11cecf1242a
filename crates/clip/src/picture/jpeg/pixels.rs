//! From coefficients to the samples of pixels: transform, upsampling, colour, a row of units after the other.
//!
//! What is between coefficients and pixels is kept for two rows of units only, so that it stays in the second cache. Where one
//! scan holds everything, its coefficients are not kept either.
//!
//! Source: libjpeg-turbo, `src/jdcolor.c`, for the fixed-point colour conversion.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined is compiled for the instructions found at run time"
)]

use super::bits::Damage;
use super::idct::{self, Coefficients};
use super::markers::{Frame, Scan};
use super::scan::Reader;
use super::upsample::Plane;
use super::{Colours, corrupt};
use crate::picture::PictureError;

/// All samples, pixel by pixel, of coefficients that were kept; of YCbCr and YCCK the conversion is done, CMYK stays as it is
/// stored.
pub(super) fn assemble(frame: &Frame, colours: Colours) -> Result<Vec<u8>, PictureError> {
    if frame.components.iter().any(|component| component.steps.is_none()) {
        return Err(corrupt("a component has no scan"));
    }
    Ok(pulp::Arch::new().dispatch(Kept { frame, colours }))
}

/// The same of a scan that holds every block.
pub(super) fn stream(
    frame: &Frame,
    colours: Colours,
    (reader, scan, restart): (Reader<'_>, &Scan, usize),
) -> Result<Vec<u8>, Damage> {
    pulp::Arch::new().dispatch(Streamed { frame, colours, reader, scan, restart })
}

/// Plain loops, compiled for each level of vector instructions, chosen at run time.
struct Kept<'a> {
    frame: &'a Frame,
    colours: Colours,
}

impl pulp::NullaryFnOnce for Kept<'_> {
    type Output = Vec<u8>;

    #[inline(always)]
    fn call(self) -> Vec<u8> {
        let frame = self.frame;
        let mut pixels = Pixels::new(frame, self.colours, frame.sampling().1);
        for unit in 0..frame.units().1 {
            for (index, component) in frame.components.iter().enumerate() {
                let steps = component.steps.unwrap_or([1; 64]);
                for y in unit * component.down..(unit + 1) * component.down {
                    let length = component.blocks_across * 64;
                    let row =
                        component.coefficients[y * length..(y + 1) * length].as_chunks::<64>();
                    for (x, block) in row.0.iter().enumerate() {
                        let value =
                            |k: usize| i32::from(block[k]).wrapping_mul(i32::from(steps[k]));
                        let is_flat = block[1..].iter().fold(0, |all, of| all | of) == 0;
                        let last = if is_flat { 0 } else { 63 };
                        pixels.block(index, (x, y), &std::array::from_fn(value), last);
                    }
                }
            }
            pixels.unit_done(unit);
        }
        pixels.finish()
    }
}

/// The same, for each block as it is read.
struct Streamed<'a> {
    frame: &'a Frame,
    colours: Colours,
    reader: Reader<'a>,
    scan: &'a Scan,
    restart: usize,
}

impl pulp::NullaryFnOnce for Streamed<'_> {
    type Output = Result<Vec<u8>, Damage>;

    #[inline(always)]
    fn call(self) -> Self::Output {
        let Self { frame, mut reader, scan, restart, .. } = self;
        let (across, down) = frame.units_of(scan);
        let alone = scan.components.len() == 1;
        let blocks_down = if alone { 1 } else { frame.sampling().1 };
        let mut pixels = Pixels::new(frame, self.colours, blocks_down);
        let steps: Vec<[u16; 64]> =
            frame.components.iter().map(|component| component.steps.unwrap_or([1; 64])).collect();
        for unit in 0..across * down {
            reader.restart_before(unit, restart)?;
            let (column, row) = (unit % across, unit / across);
            for (slot, &(index, ..)) in scan.components.iter().enumerate() {
                let (wide, high) = frame.blocks_of_unit(scan, index);
                let steps = &steps[index];
                for y in row * high..(row + 1) * high {
                    for x in column * wide..(column + 1) * wide {
                        let mut block = [0; 64];
                        let last = reader.whole_block(slot, |k, value| {
                            block[k] = i32::from(value).wrapping_mul(i32::from(steps[k]));
                        })?;
                        pixels.block(index, (x, y), &block, last);
                    }
                }
            }
            reader.check()?;
            if column + 1 == across {
                pixels.unit_done(row);
            }
        }
        Ok(pixels.finish())
    }
}

/// A picture in the making.
struct Pixels {
    planes: Vec<Plane>,
    colours: Colours,
    width: usize,
    height: usize,
    /// Rows of the picture in a row of units.
    unit_rows: usize,
    /// One row of each plane at full width, and room for sums on the way.
    rows: Vec<Vec<u8>>,
    sums: Vec<u16>,
    /// Rows that are done, in `out`.
    done: usize,
    out: Vec<u8>,
}

impl Pixels {
    /// A row of units is `blocks_down` blocks of the finest component.
    #[inline(always)]
    fn new(frame: &Frame, colours: Colours, blocks_down: usize) -> Self {
        // A loop, since what `collect` calls would not be compiled for the instructions found.
        let mut planes = Vec::with_capacity(frame.components.len());
        for component in &frame.components {
            planes.push(Plane::new(frame, component));
        }
        let (width, height) = frame.shown();
        // Rows are upsampled whole, so they may be a little longer than the picture.
        let room = planes.iter().map(|plane| plane.width * plane.across).max().unwrap_or(0);
        Self {
            colours,
            width,
            height,
            unit_rows: blocks_down * frame.block,
            rows: vec![vec![0; room]; planes.len()],
            sums: vec![0; room],
            done: 0,
            out: vec![0; width * height * planes.len()],
            planes,
        }
    }

    /// Takes the block in column `x` and row `y` of a plane.
    #[inline(always)]
    fn block(&mut self, plane: usize, (x, y): (usize, usize), block: &Coefficients, last: usize) {
        let plane = &mut self.planes[plane];
        let side = plane.side;
        let (out, stride) = plane.block(x, y);
        idct::block(block, last, side, out, stride);
    }

    /// All blocks of a row of units are there: the rows of its pixels can be made, but for the last, which needs what follows.
    #[inline(always)]
    fn unit_done(&mut self, unit: usize) {
        self.rows_until((unit + 1) * self.unit_rows - 1);
    }

    #[inline(always)]
    fn finish(mut self) -> Vec<u8> {
        self.rows_until(self.height);
        self.out
    }

    #[inline(always)]
    fn rows_until(&mut self, end: usize) {
        let stride = self.width * self.planes.len();
        for y in self.done..end.min(self.height) {
            for (plane, row) in self.planes.iter().zip(&mut self.rows) {
                plane.upsampled(y, &mut self.sums, row);
            }
            colour(self.colours, &self.rows, &mut self.out[y * stride..(y + 1) * stride]);
        }
        self.done = self.done.max(end.min(self.height));
    }
}

/// One row of the picture.
#[inline(always)]
fn colour(colours: Colours, rows: &[Vec<u8>], out: &mut [u8]) {
    match (colours, rows) {
        (Colours::YCbCr, [y, cb, cr]) => {
            let out = out.as_chunks_mut::<3>().0;
            for (out, ((&y, &cb), &cr)) in out.iter_mut().zip(y.iter().zip(cb).zip(cr)) {
                // Three stores; one of three bytes would be put together of them first.
                [out[0], out[1], out[2]] = rgb(y, cb, cr);
            }
        }
        (Colours::Ycck, [y, cb, cr, black]) => {
            for (out, (((&y, &cb), &cr), &black)) in
                out.chunks_exact_mut(4).zip(y.iter().zip(cb).zip(cr).zip(black))
            {
                let [cyan, magenta, yellow] = rgb(y, cb, cr).map(|light| 255 - light);
                out.copy_from_slice(&[cyan, magenta, yellow, black]);
            }
        }
        _ => {
            for (channel, row) in rows.iter().enumerate() {
                for (out, &value) in out.iter_mut().skip(channel).step_by(rows.len()).zip(row) {
                    *out = value;
                }
            }
        }
    }
}

/// 16 bits after the point; 1.402, 0.71414, 0.34414 and 1.772.
#[inline(always)]
fn rgb(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let [y, cb, cr] = [i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128];
    let red = y + ((91_881 * cr + HALF) >> 16);
    let green = y + ((-22_554 * cb - 46_802 * cr + HALF) >> 16);
    let blue = y + ((116_130 * cb + HALF) >> 16);
    [red, green, blue].map(|value| value.clamp(0, 255) as u8)
}
