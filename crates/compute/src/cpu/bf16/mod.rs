//! Matrix products whose factors are rounded to bf16 and whose sums are f32.
//!
//! Both factors are first laid out in tiles (`tile`, `pack`), then multiplied by blocks on all threads
//! (`product`), each block by the best kernel that the processor has (`kernel`, `amx`, `avx512`).
//! Weights are laid out once between two changes (`prepared`).

#[cfg(target_arch = "x86_64")]
mod amx;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod ceiling;
mod kernel;
mod linear;
mod output;
mod pack;
mod prepared;
mod product;
mod small;
mod tile;

pub(crate) use ceiling::{Factors, tile_registers};
pub(super) use kernel::Kernel;
pub(super) use linear::{backward, forward};
pub(super) use small::Small;

use prepared::Prepared;
use tile::Packed;

/// What bf16 products keep from one operation to the next.
#[derive(Debug)]
pub(super) struct Bf16 {
    pub(super) kernel: Kernel,
    weights: Prepared,
    room: Room,
}

/// Room for factors that are laid out anew for each product.
#[derive(Debug, Default)]
struct Room {
    left: Packed,
    turned: Packed,
    right: Packed,
}

impl Bf16 {
    pub(super) fn new(kernel: Kernel) -> Self {
        Self { kernel, weights: Prepared::default(), room: Room::default() }
    }
}
