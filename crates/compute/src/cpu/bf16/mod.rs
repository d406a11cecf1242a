//! Matrix products whose factors are rounded to bf16, or to int8, and whose sums are f32.
//!
//! Both factors are first laid out in tiles (`tile`, `pack`, `int8`), then multiplied by blocks on all threads
//! (`product`), each block by the best kernel that the processor has (`kernel`, `amx`, `avx512`, `vnni`), and leave through
//! bias, activation and residual (`output`, `store`), on request straight into the tiles of the next product (`block`).
//! Weights are laid out once between two changes (`cpu/prepared.rs`).

#[cfg(target_arch = "x86_64")]
mod amx;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod block;
mod ceiling;
mod int8;
mod kernel;
mod linear;
mod output;
mod pack;
mod product;
mod small;
#[cfg(target_arch = "x86_64")]
mod store;
mod tile;
#[cfg(target_arch = "x86_64")]
mod vnni;

pub(super) use block::block;
pub(crate) use ceiling::{Factors, tile_registers};
pub(super) use kernel::Kernel;
pub(super) use linear::{backward, forward};
pub(super) use small::Small;

use super::prepared::Prepared;
use tile::Packed;

/// What bf16 products keep from one operation to the next.
#[derive(Debug)]
pub(super) struct Bf16 {
    pub(super) kernel: Kernel,
    /// Whether the linear maps of fused blocks are in int8.
    pub(super) int8: bool,
    weights: Prepared<Packed>,
    room: Room,
    block_room: block::Room,
}

/// Room for factors that are laid out anew for each product.
#[derive(Debug, Default)]
struct Room {
    left: Packed,
    turned: Packed,
    right: Packed,
}

impl Bf16 {
    pub(super) fn new(kernel: Kernel, int8: bool) -> Self {
        let (weights, room, block_room) = Default::default();
        Self { kernel, int8, weights, room, block_room }
    }
}
