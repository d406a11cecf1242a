//! A loop of products in tile registers; `crate::ceiling` says what for.
#![cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "instructions that have no stable intrinsics")
)]

use crate::ceiling::Registers;

/// What tiles hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Factors {
    /// Pairs of bf16.
    Bf16,
    /// Fours of integers.
    Int8,
}

/// Products of tiles, where processor and system have them.
#[cfg(target_arch = "x86_64")]
pub(crate) fn tile_registers(factors: Factors) -> Option<Registers> {
    if !super::amx::is_here() || (factors == Factors::Int8 && !x86::has_integers()) {
        return None;
    }
    let (instructions, depth, run): (_, _, fn(u64)) = match factors {
        Factors::Bf16 => ("AMX", 32, x86::bf16),
        Factors::Int8 => ("AMX", 64, x86::int8),
    };
    // Four products of 16 lines by 16 in a round.
    Some(Registers { instructions, operations: 4 * 2 * 16 * 16 * depth, run })
}

/// Only x86 has them.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn tile_registers(_: Factors) -> Option<Registers> {
    None
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::asm;
    use std::arch::x86_64::__cpuid_count;

    use super::super::amx::{configure, release};

    /// Source: Intel SDM volume 2, `CPUID`, leaf 7: EDX bit 25 is AMX-INT8.
    pub(super) fn has_integers() -> bool {
        __cpuid_count(7, 0).edx & 1 << 25 != 0
    }

    /// Four sums that do not wait for each other, on empty tiles.
    macro_rules! tile_loop {
        ($name:ident, $product:literal) => {
            pub(super) fn $name(rounds: u64) {
                if rounds == 0 {
                    return;
                }
                configure();
                // SAFETY: touches the tile registers only, which no compiled code uses and which were configured.
                unsafe {
                    asm!(
                        "tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3",
                        "tilezero tmm4", "tilezero tmm5",
                        "2:",
                        concat!($product, " tmm0, tmm4, tmm5"),
                        concat!($product, " tmm1, tmm4, tmm5"),
                        concat!($product, " tmm2, tmm4, tmm5"),
                        concat!($product, " tmm3, tmm4, tmm5"),
                        "dec {rounds}",
                        "jnz 2b",
                        rounds = inout(reg) rounds => _,
                        out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                        out("tmm4") _, out("tmm5") _,
                        options(nostack, nomem),
                    );
                }
                release();
            }
        };
    }

    tile_loop!(bf16, "tdpbf16ps");
    tile_loop!(int8, "tdpbssd");
}
