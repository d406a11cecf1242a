//! Clipping and AdamW, against the formulas written out in f64.

use finelens_compute::{AdamW, ClipNorm, Device};

use crate::host::{Host, close};

#[test]
fn long_gradients_are_shortened_and_short_ones_left_alone() {
    let mut host = Host::new(1);
    let gradients = [host.put(&[3.0]), host.put(&[0.0, 4.0])];
    let (norm, factor) = (host.dirty(1), host.dirty(1));
    host.device.clip_norm(&ClipNorm { gradients: &gradients, max_norm: 1.0, norm, factor });
    close("norm", &host.get(norm), &[5.0], 1e-6);
    close("factor", &host.get(factor), &[0.2], 1e-5);
    host.device.clip_norm(&ClipNorm { gradients: &gradients, max_norm: 10.0, norm, factor });
    assert_eq!(host.get(factor), [1.0]);
}

#[test]
fn a_gradient_that_is_not_a_number_is_not_hidden() {
    let mut host = Host::new(1);
    let gradients = [host.put(&[f64::NAN])];
    let (norm, factor) = (host.dirty(1), host.dirty(1));
    host.device.clip_norm(&ClipNorm { gradients: &gradients, max_norm: 1.0, norm, factor });
    assert!(host.get(factor)[0].is_nan());
}

#[test]
fn three_steps_of_adamw_follow_the_formula() {
    let mut host = Host::new(2);
    let (mut weights, gradients) = (host.random(40), host.random(40));
    let (rate, beta1, beta2, eps, decay, factor) = (0.01, 0.9, 0.98, 1e-6, 0.2, 0.5);
    let mut op = AdamW {
        weights: host.put(&weights),
        gradients: host.put(&gradients),
        first_moments: host.zeros(40),
        second_moments: host.zeros(40),
        learning_rate: host.put(&[rate]),
        step: host.zeros(1),
        gradient_factor: host.put(&[factor]),
        beta1: beta1 as f32,
        beta2: beta2 as f32,
        eps: eps as f32,
        weight_decay: decay as f32,
    };
    let (mut m, mut v) = (vec![0.0; 40], vec![0.0; 40]);
    for step in 1..=3 {
        op.step = host.put(&[f64::from(step)]);
        host.device.adamw(&op);
        for i in 0..40 {
            let g = gradients[i] * factor;
            m[i] = beta1 * m[i] + (1.0 - beta1) * g;
            v[i] = beta2 * v[i] + (1.0 - beta2) * g * g;
            let (first, second) =
                (m[i] / (1.0 - f64::powi(beta1, step)), v[i] / (1.0 - f64::powi(beta2, step)));
            weights[i] -= rate * (decay * weights[i] + first / (second.sqrt() + eps));
        }
    }
    close("weights", &host.get(op.weights), &weights, 1e-6);
}
