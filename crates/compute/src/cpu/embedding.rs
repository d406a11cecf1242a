//! Tokens and patches in, rows out; and one row for each item out.

use rayon::prelude::*;

use super::memory::Memory;
use super::simd::add_to;
use crate::ops::{
    EmbedPatches, EmbedPatchesBackward, EmbedTokens, EmbedTokensBackward, Pool, PoolBackward,
    UnfoldPatches,
};

pub(super) fn embed_tokens(memory: &mut Memory, op: &EmbedTokens) {
    let mut open = memory.open();
    let (ids, table, positions) =
        (open.read_ids(op.ids), open.read(op.table), open.read(op.positions));
    let (x, width) = (open.write(op.x), op.width);
    assert_eq!(x.len(), op.batch * op.tokens * width, "rows of embedded tokens");
    for (row, x) in x.chunks_exact_mut(width).enumerate() {
        let (id, position) = (ids[row] as usize, row % op.tokens);
        x.copy_from_slice(&table[id * width..(id + 1) * width]);
        add_to(x, &positions[position * width..(position + 1) * width]);
    }
}

/// A row of the table may be wanted by many tokens: they are added in the order of the text.
pub(super) fn embed_tokens_backward(memory: &mut Memory, op: &EmbedTokensBackward) {
    let mut open = memory.open();
    let (ids, d_x) = (open.read_ids(op.ids), open.read(op.d_x));
    let (d_table, d_positions, width) =
        (open.write(op.d_table), open.write(op.d_positions), op.width);
    assert_eq!(d_x.len(), op.batch * op.tokens * width, "rows of embedded tokens");
    for (row, d_x) in d_x.chunks_exact(width).enumerate() {
        let (id, position) = (ids[row] as usize, row % op.tokens);
        add_to(&mut d_table[id * width..(id + 1) * width], d_x);
        add_to(&mut d_positions[position * width..(position + 1) * width], d_x);
    }
}

pub(super) fn unfold_patches(memory: &mut Memory, op: &UnfoldPatches) {
    let mut open = memory.open();
    let (pixels, patches) = (open.read(op.pixels), open.write(op.patches));
    let across = op.side_px / op.patch_px;
    let width = 3 * op.patch_px * op.patch_px;
    let (picture, sequence) = (3 * op.side_px * op.side_px, (1 + across * across) * width);
    assert_eq!(
        (pixels.len(), patches.len()),
        (op.batch * picture, op.batch * sequence),
        "sizes of patches"
    );
    patches.par_chunks_mut(sequence).zip(pixels.par_chunks(picture)).for_each(
        |(patches, pixels)| {
            let (class, patches) = patches.split_at_mut(width);
            class.fill(0.0);
            for (i, patch) in patches.chunks_exact_mut(width).enumerate() {
                let corner = (i / across * op.side_px + i % across) * op.patch_px;
                for (line, to) in patch.chunks_exact_mut(op.patch_px).enumerate() {
                    let (channel, y) = (line / op.patch_px, line % op.patch_px);
                    let from = channel * op.side_px * op.side_px + corner + y * op.side_px;
                    to.copy_from_slice(&pixels[from..from + op.patch_px]);
                }
            }
        },
    );
}

pub(super) fn embed_patches(memory: &mut Memory, op: &EmbedPatches) {
    let mut open = memory.open();
    let (class, positions, x) = (open.read(op.class), open.read(op.positions), open.write(op.x));
    assert_eq!(
        (x.len(), positions.len()),
        (op.batch * positions.len(), op.tokens * op.width),
        "sizes of patches"
    );
    x.par_chunks_mut(positions.len()).for_each(|x| {
        add_to(x, positions);
        add_to(&mut x[..op.width], class);
    });
}

pub(super) fn embed_patches_backward(memory: &mut Memory, op: &EmbedPatchesBackward) {
    let mut open = memory.open();
    let (d_x, d_class, d_positions) =
        (open.read(op.d_x), open.write(op.d_class), open.write(op.d_positions));
    assert_eq!(
        (d_x.len(), d_positions.len()),
        (op.batch * d_positions.len(), op.tokens * op.width),
        "sizes"
    );
    for d_x in d_x.chunks_exact(op.tokens * op.width) {
        add_to(d_positions, d_x);
        add_to(d_class, &d_x[..op.width]);
    }
}

pub(super) fn pool(memory: &mut Memory, op: &Pool) {
    let mut open = memory.open();
    let (rows, x, y) = (open.read_ids(op.rows), open.read(op.x), open.write(op.y));
    for (row, y) in rows[..op.batch].iter().zip(y.chunks_exact_mut(op.width)) {
        let start = *row as usize * op.width;
        y.copy_from_slice(&x[start..start + op.width]);
    }
}

pub(super) fn pool_backward(memory: &mut Memory, op: &PoolBackward) {
    let mut open = memory.open();
    let (rows, d_y, d_x) = (open.read_ids(op.rows), open.read(op.d_y), open.write(op.d_x));
    d_x.fill(0.0);
    for (row, d_y) in rows[..op.batch].iter().zip(d_y.chunks_exact(op.width)) {
        let start = *row as usize * op.width;
        d_x[start..start + op.width].copy_from_slice(d_y);
    }
}
