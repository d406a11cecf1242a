//! Attention.

use finelens_compute::plain::{self, AttentionShape};
use finelens_compute::{Attention, AttentionBackward, Device, Precision};

use crate::host::{Host, close, weigh};

#[test]
fn attention_agrees_with_the_twin() {
    let full = AttentionShape {
        heads: 2,
        head_width: 3,
        queries: 5,
        keys: 5,
        causal: false,
        lengths: &[5, 5],
    };
    check(&full);
    check(&AttentionShape { causal: true, ..full });
    check(&AttentionShape { lengths: &[2, 5], ..full });
    check(&AttentionShape { causal: true, lengths: &[4, 1], ..full });
    check(&AttentionShape { queries: 1, ..full });
    check(&AttentionShape { queries: 2, causal: true, ..full });
    check(&AttentionShape {
        heads: 1,
        head_width: 8,
        queries: 20,
        keys: 20,
        lengths: &[20, 17, 3],
        causal: true,
    });
}

fn check(shape: &AttentionShape<'_>) {
    compare(shape, Precision::F32, [1e-5, 1e-4]);
    compare(shape, Precision::Bf16, [1e-2, 2e-2]);
}

/// Against the twin, to a bound on values and one on gradients.
fn compare(shape: &AttentionShape<'_>, precision: Precision, [near, nearly]: [f64; 2]) {
    let (batch, width) = (shape.lengths.len(), shape.heads * shape.head_width);
    let mut host = Host::with(width as u64, precision);
    let (query, d_y) =
        (host.random(batch * shape.queries * width), host.random(batch * shape.queries * width));
    let key_value = host.random(batch * shape.keys * 2 * width);
    let lengths: Vec<u32> = shape.lengths.iter().map(|l| *l as u32).collect();
    let op = Attention {
        batch,
        heads: shape.heads,
        head_width: shape.head_width,
        queries: shape.queries,
        keys: shape.keys,
        causal: shape.causal,
        key_lengths: Some(host.put_ids(&lengths)),
        query: host.put(&query),
        key_value: host.put(&key_value),
        y: host.dirty(query.len()),
        log_sums: host.dirty(batch * shape.heads * shape.queries),
    };
    host.device.attention(&op);
    close("y", &host.get(op.y), &plain::attention(shape, &query, &key_value), near);

    let (d_query, d_key_value) = (host.dirty(query.len()), host.dirty(key_value.len()));
    let d_y_span = host.put(&d_y);
    host.device.attention_backward(&AttentionBackward {
        forward: op,
        d_y: d_y_span,
        d_query,
        d_key_value,
    });
    let right =
        plain::gradient(&query, |query| weigh(&plain::attention(shape, query, &key_value), &d_y));
    close("d_query", &host.get(d_query), &right, nearly);
    let right = plain::gradient(&key_value, |kv| weigh(&plain::attention(shape, &query, kv), &d_y));
    close("d_key_value", &host.get(d_key_value), &right, nearly);
}
