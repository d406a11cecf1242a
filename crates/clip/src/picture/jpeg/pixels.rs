//! From coefficients to the samples of pixels: transform, upsampling, colour.
//!
//! Source: libjpeg-turbo, `src/jdcolor.c`, for the fixed-point colour conversion.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined is compiled for the instructions found at run time"
)]

use super::markers::{Component, Frame};
use super::upsample::Plane;
use super::{Colours, corrupt, idct};
use crate::picture::PictureError;

/// All samples, pixel by pixel; of YCbCr and YCCK the conversion is done, CMYK stays as it is stored.
pub(super) fn assemble(frame: &Frame, colours: Colours) -> Result<Vec<u8>, PictureError> {
    if frame.components.iter().any(|component| component.steps.is_none()) {
        return Err(corrupt("a component has no scan"));
    }
    Ok(pulp::Arch::new().dispatch(Assembly { frame, colours }))
}

/// Plain loops, compiled for each level of vector instructions, chosen at run time.
struct Assembly<'a> {
    frame: &'a Frame,
    colours: Colours,
}

impl pulp::NullaryFnOnce for Assembly<'_> {
    type Output = Vec<u8>;

    #[inline(always)]
    fn call(self) -> Vec<u8> {
        let frame = self.frame;
        let sampling = frame.sampling();
        // A loop, since what `collect` calls would not be compiled for the instructions found.
        let mut planes = Vec::with_capacity(frame.components.len());
        for component in &frame.components {
            planes.push(plane(component, sampling));
        }
        let channels = planes.len();
        // Rows are upsampled whole, so they may be a little longer than the picture.
        let room = planes.iter().map(|plane| plane.width * plane.across).max().unwrap_or(0);
        let mut rows = vec![vec![0; room]; channels];
        let mut out = vec![0; frame.width * frame.height * channels];
        let mut sums = vec![0; room];
        for (y, out) in out.chunks_exact_mut(frame.width * channels).enumerate() {
            for (plane, row) in planes.iter().zip(&mut rows) {
                plane.upsampled(y, &mut sums, row);
            }
            colour(self.colours, &rows, out);
        }
        out
    }
}

#[inline(always)]
fn plane(component: &Component, (across, down): (usize, usize)) -> Plane {
    let stride = component.blocks_across * 8;
    let mut samples = vec![0; stride * component.blocks_down * 8];
    let steps = component.steps.unwrap_or([1; 64]);
    let rows =
        samples.chunks_exact_mut(stride * 8).zip(component.coefficients.chunks_exact(stride * 8));
    for (samples, coefficients) in rows {
        for (x, block) in coefficients.as_chunks::<64>().0.iter().enumerate() {
            let out = &mut samples[x * 8..];
            if block[1..].iter().fold(0, |all, of| all | of) == 0 {
                idct::flat(block[0], steps[0], out, stride);
            } else {
                idct::block(block, &steps, out, stride);
            }
        }
    }
    let (width, height) = (component.width, component.height);
    Plane {
        samples,
        stride,
        width,
        height,
        across: across / component.across,
        down: down / component.down,
    }
}

/// One row of the picture.
#[inline(always)]
fn colour(colours: Colours, rows: &[Vec<u8>], out: &mut [u8]) {
    match (colours, rows) {
        (Colours::YCbCr, [y, cb, cr]) => {
            for (out, ((&y, &cb), &cr)) in out.chunks_exact_mut(3).zip(y.iter().zip(cb).zip(cr)) {
                out.copy_from_slice(&rgb(y, cb, cr));
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
