//! Tokens, patches and pooling.

use finelens_compute::{
    Device, EmbedPatches, EmbedPatchesBackward, EmbedTokens, EmbedTokensBackward, Pool,
    PoolBackward, UnfoldPatches,
};

use crate::host::{Host, close};

#[test]
fn tokens_are_looked_up_and_their_gradients_gathered() {
    let (batch, tokens, width) = (2, 3, 2);
    let mut host = Host::new(1);
    let ids = host.put_ids(&[1, 0, 1, 1, 2, 2]);
    let table = host.put(&[0.0, 1.0, 10.0, 11.0, 20.0, 21.0]);
    let positions = host.put(&[0.5, 0.5, 0.25, 0.25, 0.0, 0.0, 9.0, 9.0]);
    let x = host.dirty(12);
    host.device.embed_tokens(&EmbedTokens { batch, tokens, width, ids, table, positions, x });
    let right = [10.5, 11.5, 0.25, 1.25, 10.0, 11.0, 10.5, 11.5, 20.25, 21.25, 20.0, 21.0];
    close("x", &host.get(x), &right, 1e-6);

    let d_x = host.put(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0]);
    let (d_table, d_positions) = (host.zeros(6), host.zeros(8));
    host.device.embed_tokens_backward(&EmbedTokensBackward {
        batch,
        tokens,
        width,
        ids,
        d_x,
        d_table,
        d_positions,
    });
    close("d_table", &host.get(d_table), &[3.0, 4.0, 13.0, 16.0, 20.0, 22.0], 1e-6);
    close(
        "d_positions",
        &host.get(d_positions),
        &[8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 0.0, 0.0],
        1e-6,
    );
}

#[test]
fn patches_are_cut_row_by_row_behind_a_class_row() {
    let mut host = Host::new(2);
    let side = 5; // One column and one row remain unused.
    let values: Vec<f64> = (0..3 * side * side).map(|i| i as f64).collect();
    let (pixels, patches) = (host.put(&values), host.dirty(5 * 12));
    host.device.unfold_patches(&UnfoldPatches {
        batch: 1,
        side_px: side,
        patch_px: 2,
        pixels,
        patches,
    });
    let cell = |channel: usize, y: usize, x: usize| values[(channel * side + y) * side + x];
    let mut right = vec![0.0; 12];
    for (top, left) in [(0, 0), (0, 2), (2, 0), (2, 2)] {
        for channel in 0..3 {
            right.extend(
                [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(y, x)| cell(channel, top + y, left + x)),
            );
        }
    }
    assert_eq!(host.get(patches), right);
}

#[test]
fn positions_and_the_class_token_are_added_and_get_their_gradients() {
    let (batch, tokens, width) = (2, 2, 1);
    let mut host = Host::new(3);
    let (class, positions) = (host.put(&[100.0]), host.put(&[10.0, 20.0]));
    let x = host.put(&[1.0, 2.0, 3.0, 4.0]);
    host.device.embed_patches(&EmbedPatches { batch, tokens, width, class, positions, x });
    assert_eq!(host.get(x), [111.0, 22.0, 113.0, 24.0]);

    let (d_class, d_positions) = (host.zeros(1), host.put(&[0.5, 0.5]));
    host.device.embed_patches_backward(&EmbedPatchesBackward {
        batch,
        tokens,
        width,
        d_x: x,
        d_class,
        d_positions,
    });
    assert_eq!(host.get(d_class), [224.0]);
    assert_eq!(host.get(d_positions), [224.5, 46.5]);
}

#[test]
fn pooling_takes_rows_and_gives_their_gradients_back() {
    let (batch, width) = (2, 2);
    let mut host = Host::new(4);
    let (x, rows, y) =
        (host.put(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), host.put_ids(&[2, 0]), host.dirty(4));
    host.device.pool(&Pool { batch, width, rows, x, y });
    assert_eq!(host.get(y), [5.0, 6.0, 1.0, 2.0]);
    let d_x = host.dirty(6);
    host.device.pool_backward(&PoolBackward { batch, width, rows, d_y: y, d_x });
    assert_eq!(host.get(d_x), [1.0, 2.0, 0.0, 0.0, 5.0, 6.0]);
}
