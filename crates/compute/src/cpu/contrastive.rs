//! The contrastive loss and its gradients.

use rayon::prelude::*;

use super::matmul::{Into, Matrix, MatrixMut, multiply};
use super::memory::Memory;
use super::simd::{add, exp, maximum, product, sum, vectorised};
use crate::ops::Contrastive;

pub(super) fn contrastive(memory: &mut Memory, op: &Contrastive) {
    let mut open = memory.open();
    let (images, texts) = (open.read(op.image_features), open.read(op.text_features));
    let (image_groups, text_groups) =
        (open.read_ids(op.image_groups), open.read_ids(op.text_groups));
    let scale = open.read(op.logit_scale)[0].exp();

    let image_matrix = Matrix::new(images, op.images, op.width);
    let text_matrix = Matrix::new(texts, op.texts, op.width);
    let mut cosines = vec![0.0; op.images * op.texts]; // (N, M)
    multiply(
        MatrixMut::new(&mut cosines, op.images, op.texts),
        Into::Set,
        image_matrix,
        text_matrix.t(),
    );

    let mut d_logits = vec![0.0; cosines.len()];
    let mut loss = terms(&cosines, scale, image_groups, text_groups, op.image_terms, &mut d_logits);
    let turned = transposed(&cosines, op.images, op.texts); // (M, N)
    let mut d_turned = vec![0.0; cosines.len()];
    loss += terms(&turned, scale, text_groups, image_groups, op.text_terms, &mut d_turned);
    add(&mut d_logits, &transposed(&d_turned, op.texts, op.images));

    let d_scale = product(&d_logits, &cosines) * scale;
    open.write(op.d_logit_scale)[0] += d_scale;
    open.write(op.loss)[0] = loss;
    d_logits.par_iter_mut().for_each(|d| *d *= scale);
    let d_logits = Matrix::new(&d_logits, op.images, op.texts);
    let d_images = MatrixMut::new(open.write(op.d_image_features), op.images, op.width);
    multiply(d_images, Into::Set, d_logits, text_matrix);
    let d_texts = MatrixMut::new(open.write(op.d_text_features), op.texts, op.width);
    multiply(d_texts, Into::Set, d_logits.t(), image_matrix);
}

/// Half the mean cross-entropy of the rows `first..first + count`, and its gradient; other rows' is zero.
fn terms(
    cosines: &[f32],
    scale: f32,
    row_groups: &[u32],
    column_groups: &[u32],
    (first, count): (usize, usize),
    d_logits: &mut [f32],
) -> f32 {
    let (rows, columns) = (row_groups.len(), column_groups.len());
    let share = 0.5 / rows as f32;
    let here = first * columns..(first + count) * columns;
    let pairs =
        d_logits[here.clone()].par_chunks_mut(columns).zip(cosines[here].par_chunks(columns));
    let losses: Vec<f32> = pairs
        .zip(&row_groups[first..first + count])
        .map(|((d_logits, cosines), group)| {
            cross_entropy(cosines, scale, *group, column_groups, share, d_logits)
        })
        .collect();
    losses.iter().sum::<f32>() * share
}

vectorised! {
    /// Cross-entropy of one row against a target spread evenly over the columns of its group.
    fn cross_entropy(
        cosines: &[f32],
        scale: f32,
        group: u32,
        column_groups: &[u32],
        share: f32,
        d_logits: &mut [f32],
    ) -> f32 {
        let largest = maximum(cosines) * scale;
        for (d, cosine) in d_logits.iter_mut().zip(cosines) {
            *d = exp(cosine * scale - largest);
        }
        let total = sum(d_logits, d_logits, |x, _| x);
        let right = column_groups.iter().filter(|&&other| other == group).count();
        let target = 1.0 / right.max(1) as f32;
        let mut right_logits = 0.0;
        for ((d, cosine), other) in d_logits.iter_mut().zip(cosines).zip(column_groups) {
            let wanted = if *other == group { target } else { 0.0 };
            right_logits += wanted * cosine * scale;
            *d = share * (*d / total - wanted);
        }
        largest + total.ln() - right_logits
    }
}

fn transposed(x: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    out.par_chunks_mut(rows.max(1)).enumerate().for_each(|(column, out)| {
        for (row, out) in out.iter_mut().enumerate() {
            *out = x[row * columns + column];
        }
    });
    out
}
