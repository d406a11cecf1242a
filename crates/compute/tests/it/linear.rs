//! Linear maps.

use finelens_compute::plain;
use finelens_compute::{
    Activate, Activated, Activation, Device, Linear, LinearBackward, Precision, Span, Update,
};

use crate::host::{Host, close, weigh};

const KINDS: [Option<Activation>; 3] = [None, Some(Activation::QuickGelu), Some(Activation::Gelu)];

/// A product and nothing else.
fn bare((rows, inputs, outputs): (usize, usize, usize), x: Span, weight: Span, y: Span) -> Linear {
    Linear {
        rows,
        inputs,
        outputs,
        x,
        weight,
        bias: None,
        activation: None,
        before_activation: None,
        training: false,
        residual: None,
        y,
    }
}

#[test]
fn forward_and_backward_agree_with_the_twin() {
    for (case, (rows, inputs, outputs)) in
        [(1, 1, 1), (3, 5, 7), (33, 17, 40), (300, 8, 3)].into_iter().enumerate()
    {
        for activation in KINDS {
            check(Host::new(case as u64), (rows, inputs, outputs), activation, [1e-5, 1e-4]);
        }
    }
}

/// Rounding to eight bits of mantissa: each factor is off by at most 2^-9 of itself, and errors average out.
#[test]
fn in_bf16_forward_and_backward_agree_with_the_twin() {
    let sizes = [(1, 1, 1), (3, 5, 7), (33, 17, 40), (16, 64, 32), (101, 8, 3), (300, 70, 130)];
    for (case, (rows, inputs, outputs)) in sizes.into_iter().enumerate() {
        for activation in KINDS {
            let host = Host::with(case as u64, Precision::Bf16);
            check(host, (rows, inputs, outputs), activation, [6e-3, 1e-2]);
        }
    }
}

#[test]
fn in_bf16_a_changed_weight_is_seen_and_the_same_call_gives_the_same_bits() {
    let mut host = Host::with(1, Precision::Bf16);
    let (rows, inputs, outputs) = (40, 70, 50);
    let (x, weight) = (host.random(rows * inputs), host.random(outputs * inputs));
    let (x_span, weight_span, y) = (host.put(&x), host.put(&weight), host.dirty(rows * outputs));
    let op = bare((rows, inputs, outputs), x_span, weight_span, y);
    let result = |host: &mut Host| {
        host.device.linear(&op);
        host.get(y)
    };
    let first = result(&mut host);
    for _ in 0..5 {
        assert_eq!(result(&mut host), first);
    }
    let other = host.random(outputs * inputs);
    let values: Vec<f32> = other.iter().map(|x| *x as f32).collect();
    host.device.write(weight_span, &values);
    let right = plain::linear(&x, &other, &vec![0.0; outputs], None);
    close("y", &result(&mut host), &right, 6e-3);
}

fn check(
    mut host: Host,
    (rows, inputs, outputs): (usize, usize, usize),
    activation: Option<Activation>,
    [near, nearly]: [f64; 2],
) {
    let (x, weight) = (host.random(rows * inputs), host.random(outputs * inputs));
    let (bias, residual) = (host.random(outputs), host.random(rows * outputs));
    let d_y = host.random(rows * outputs);

    let spans = (host.put(&x), host.put(&weight), host.put(&bias), host.put(&residual));
    let y = host.dirty(rows * outputs);
    let activated =
        activation.map(|activation| Activated { activation, input: host.dirty(rows * outputs) });
    host.device.linear(&Linear {
        rows,
        inputs,
        outputs,
        x: spans.0,
        weight: spans.1,
        bias: Some(spans.2),
        activation,
        before_activation: activated.map(|activated| activated.input),
        training: true,
        residual: Some(spans.3),
        y,
    });
    let twin = |x: &[f64], weight: &[f64], bias: &[f64]| plain::linear(x, weight, bias, activation);
    let right: Vec<f64> =
        twin(&x, &weight, &bias).iter().zip(&residual).map(|(a, b)| a + b).collect();
    close("y", &host.get(y), &right, near);

    let (d_x, before) = (host.put(&x), x.clone());
    let (d_weight, d_bias, d_y_span) =
        (host.zeros(outputs * inputs), host.zeros(outputs), host.put(&d_y));
    host.device.linear_backward(&LinearBackward {
        rows,
        inputs,
        outputs,
        x: spans.0,
        weight: spans.1,
        activation: activated,
        d_y: d_y_span,
        d_x: Some((d_x, Update::Add)),
        d_weight: Some(d_weight),
        d_bias: Some(d_bias),
    });
    if rows > 100 {
        return; // The large case is there for the blocks of the sums, below.
    }
    let right_x = plain::gradient(&x, |x| weigh(&twin(x, &weight, &bias), &d_y));
    let added: Vec<f64> = right_x.iter().zip(&before).map(|(a, b)| a + b).collect();
    close("d_x", &host.get(d_x), &added, nearly);
    let right_weight = plain::gradient(&weight, |weight| weigh(&twin(&x, weight, &bias), &d_y));
    close("d_weight", &host.get(d_weight), &right_weight, nearly);
    let right_bias = plain::gradient(&bias, |bias| weigh(&twin(&x, &weight, bias), &d_y));
    close("d_bias", &host.get(d_bias), &right_bias, nearly);
}

#[test]
fn the_bias_gradient_is_the_sum_of_many_rows() {
    let mut host = Host::new(5);
    let d_y = host.random(1000 * 3);
    let (x, weight, span) = (host.zeros(1000), host.zeros(3), host.put(&d_y));
    let d_bias = host.zeros(3);
    host.device.linear_backward(&LinearBackward {
        rows: 1000,
        inputs: 1,
        outputs: 3,
        x,
        weight,
        activation: None,
        d_y: span,
        d_x: None,
        d_weight: None,
        d_bias: Some(d_bias),
    });
    let right: Vec<f64> = (0..3).map(|o| d_y.iter().skip(o).step_by(3).sum()).collect();
    close("d_bias", &host.get(d_bias), &right, 1e-5);
}

#[test]
fn without_bias_and_residual_the_product_replaces_what_was_there() {
    let mut host = Host::new(6);
    let (x, weight) = (host.random(4 * 6), host.random(5 * 6));
    let (spans, y) = ((host.put(&x), host.put(&weight)), host.dirty(4 * 5));
    host.device.linear(&bare((4, 6, 5), spans.0, spans.1, y));
    close("y", &host.get(y), &plain::linear(&x, &weight, &[0.0; 5], None), 1e-5);
}

#[test]
fn an_activation_alone_is_that_of_a_linear_map() {
    for activation in KINDS.into_iter().flatten() {
        let mut host = Host::new(9);
        let x = host.random(70_000);
        let (span, y) = (host.put(&x), host.dirty(x.len()));
        host.device.activate(&Activate { activation, x: span, y });
        let right: Vec<f64> =
            x.iter().flat_map(|x| plain::linear(&[*x], &[1.0], &[0.0], Some(activation))).collect();
        close("y", &host.get(y), &right, 1e-6);
    }
}

#[test]
#[should_panic(expected = "is written and used otherwise")]
fn an_output_may_not_be_an_input() {
    let mut host = Host::new(7);
    let x = host.zeros(4);
    let weight = host.zeros(4);
    host.device.linear(&bare((2, 2, 2), x, weight, x));
}

#[test]
fn a_weight_that_rests_gives_the_same_and_a_changed_one_is_seen() {
    let mut host = Host::new(8);
    let (rows, inputs, outputs) = (7, 40, 33);
    let (x, weight) = (host.random(rows * inputs), host.random(outputs * inputs));
    let (x_span, weight_span, y) = (host.put(&x), host.put(&weight), host.dirty(rows * outputs));
    let op = bare((rows, inputs, outputs), x_span, weight_span, y);
    let right = |weight: &[f64]| plain::linear(&x, weight, &vec![0.0; outputs], None);
    for _ in 0..5 {
        host.device.linear(&op);
        close("y", &host.get(y), &right(&weight), 1e-5);
        host.device.fill(y, 77.0);
    }
    let other = host.random(outputs * inputs);
    let changed: Vec<f32> = other.iter().map(|value| *value as f32).collect();
    host.device.write(weight_span, &changed);
    host.device.linear(&op);
    close("y after a change", &host.get(y), &right(&other), 1e-5);
}
