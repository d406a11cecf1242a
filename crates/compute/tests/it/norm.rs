//! Layer norm and rows of length one.

use finelens_compute::plain;
use finelens_compute::{Device, LayerNorm, LayerNormBackward, Normalize, NormalizeBackward};

use crate::host::{Host, close, weigh};

#[test]
fn layer_norm_agrees_with_the_twin() {
    for (rows, width) in [(1, 2), (3, 16), (5, 37), (300, 8)] {
        layer_norm(rows, width);
    }
}

fn layer_norm(rows: usize, width: usize) {
    let mut host = Host::new(width as u64);
    let (x, scale, shift) = (host.random(rows * width), host.random(width), host.random(width));
    let (d_y, earlier) = (host.random(rows * width), host.random(rows * width));
    let (x_span, scale_span, shift_span) = (host.put(&x), host.put(&scale), host.put(&shift));
    let (y, moments) = (host.dirty(rows * width), host.dirty(rows * 2));
    let eps = 1e-5;
    host.device.layer_norm(&LayerNorm {
        rows,
        width,
        eps,
        x: x_span,
        scale: scale_span,
        shift: shift_span,
        y,
        moments,
    });
    let twin = |x: &[f64], scale: &[f64], shift: &[f64]| {
        plain::layer_norm(x, scale, shift, f64::from(eps))
    };
    close("y", &host.get(y), &twin(&x, &scale, &shift), 1e-5);

    let (d_y_span, d_x) = (host.put(&d_y), host.put(&earlier));
    let (d_scale, d_shift) = (host.zeros(width), host.zeros(width));
    host.device.layer_norm_backward(&LayerNormBackward {
        rows,
        width,
        x: x_span,
        scale: scale_span,
        moments,
        d_y: d_y_span,
        d_x,
        d_scale_shift: Some((d_scale, d_shift)),
    });
    let right = plain::gradient(&scale, |scale| weigh(&twin(&x, scale, &shift), &d_y));
    close("d_scale", &host.get(d_scale), &right, 1e-4);
    let right = plain::gradient(&shift, |shift| weigh(&twin(&x, &scale, shift), &d_y));
    close("d_shift", &host.get(d_shift), &right, 1e-4);
    if rows < 100 {
        let right = plain::gradient(&x, |x| weigh(&twin(x, &scale, &shift), &d_y));
        let added: Vec<f64> = right.iter().zip(&earlier).map(|(a, b)| a + b).collect();
        close("d_x", &host.get(d_x), &added, 1e-3);
    }
}

#[test]
fn rows_of_length_one_agree_with_the_twin() {
    let (rows, width) = (4, 19);
    let mut host = Host::new(1);
    let (x, d_y) = (host.random(rows * width), host.random(rows * width));
    let (x_span, y, scales) = (host.put(&x), host.dirty(rows * width), host.dirty(rows));
    host.device.normalize(&Normalize { rows, width, x: x_span, y, scales });
    close("y", &host.get(y), &plain::normalize(&x, width), 1e-6);

    let (d_y_span, d_x) = (host.put(&d_y), host.dirty(rows * width));
    host.device.normalize_backward(&NormalizeBackward {
        rows,
        width,
        y,
        scales,
        d_y: d_y_span,
        d_x,
    });
    let right = plain::gradient(&x, |x| weigh(&plain::normalize(x, width), &d_y));
    close("d_x", &host.get(d_x), &right, 1e-5);
}

#[test]
fn a_row_of_zeros_stays_one() {
    let mut host = Host::new(2);
    let (x, y, scales) = (host.zeros(4), host.dirty(4), host.dirty(1));
    host.device.normalize(&Normalize { rows: 1, width: 4, x, y, scales });
    assert_eq!(host.get(y), [0.0; 4]);
}
