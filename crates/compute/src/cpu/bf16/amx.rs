//! Products of tiles in the registers that AMX has for them.
//!
//! The intrinsics are not stable, so the instructions are written out. Linux gives the registers to a process
//! that asks for them. Source: kernel documentation, `Documentation/arch/x86/xstate.rst`.
#![expect(unsafe_code, reason = "instructions that have no stable intrinsics")]

use std::arch::asm;
use std::arch::x86_64::{__cpuid_count, _xgetbv};
use std::sync::OnceLock;

use super::kernel::{Block, SIDE, Strips};
use super::tile::Tile;

/// Whether processor and system let this process use tiles; asks for them on the first call.
pub(super) fn is_here() -> bool {
    static HERE: OnceLock<bool> = OnceLock::new();
    *HERE.get_or_init(|| processor_has_tiles() && system_keeps_tiles() && system_permits_tiles())
}

/// Source: Intel SDM volume 2, `CPUID`, leaf 7: EDX bit 22 is AMX-BF16, bit 24 AMX-TILE, bit 25 AMX-INT8.
fn processor_has_tiles() -> bool {
    const WANTED: u32 = 1 << 22 | 1 << 24 | 1 << 25;
    is_x86_feature_detected!("avx512f") && __cpuid_count(7, 0).edx & WANTED == WANTED
}

/// Whether the system saves the registers when it switches threads. Source: Intel SDM volume 1, 13.3: bits 17 and 18.
fn system_keeps_tiles() -> bool {
    #[target_feature(enable = "xsave")]
    fn enabled() -> u64 {
        // SAFETY: register 0 exists wherever `xgetbv` does.
        unsafe { _xgetbv(0) }
    }
    const WANTED: u64 = 0b11 << 17;
    // SAFETY: a processor with AVX-512 that the standard library detected has `xgetbv`, enabled by the system.
    unsafe { enabled() & WANTED == WANTED }
}

#[cfg(target_os = "linux")]
fn system_permits_tiles() -> bool {
    const ARCH_PRCTL: i64 = 158;
    const ARCH_REQ_XCOMP_PERM: u64 = 0x1023;
    const XFEATURE_XTILEDATA: u64 = 18;
    let result: i64;
    // SAFETY: a system call that reads and writes no memory of ours; it changes `rcx` and `r11`, as said here.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") ARCH_PRCTL => result,
            in("rdi") ARCH_REQ_XCOMP_PERM,
            in("rsi") XFEATURE_XTILEDATA,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result == 0
}

#[cfg(not(target_os = "linux"))]
fn system_permits_tiles() -> bool {
    false
}

/// Palette 1 and eight registers of 16 rows by 64 bytes. Source: Intel SDM volume 2, `LDTILECFG`.
#[repr(C, align(64))]
struct Configuration {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    bytes_per_row: [u16; 16],
    rows: [u8; 16],
}

static FULL: Configuration = {
    let (mut bytes_per_row, mut rows) = ([0; 16], [0; 16]);
    let mut i = 0;
    while i < 8 {
        (bytes_per_row[i], rows[i]) = (64, 16);
        i += 1;
    }
    Configuration { palette: 1, start_row: 0, reserved: [0; 14], bytes_per_row, rows }
};

/// Makes the registers of this thread whole tiles.
pub(super) fn configure() {
    // SAFETY: reads the 64 bytes of `FULL`. Callers chose this kernel after `is_here`.
    unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const FULL, options(nostack, readonly)) }
}

/// Empties the registers, so that the system has less to save.
pub(super) fn release() {
    // SAFETY: touches nothing but the tile registers, which no compiled code uses.
    unsafe { asm!("tilerelease", options(nostack, nomem)) }
}

/// See [`super::kernel::Ready::multiply`]; [`configure`] was called on this thread.
pub(super) fn multiply(strips: Strips<'_>, block: &mut Block) {
    match strips {
        Strips::Two(left, right) => two_bf16(left, right, block),
        Strips::One(left, right) => one_bf16(left, right, block),
    }
}

/// The same with tiles of int8.
pub(super) fn multiply_int8(strips: Strips<'_>, block: &mut Block) {
    match strips {
        Strips::Two(left, right) => two_int8(left, right, block),
        Strips::One(left, right) => one_int8(left, right, block),
    }
}

/// Bytes from one row of a block to the next.
const BLOCK_STRIDE: usize = SIDE * size_of::<u32>();

/// Defines two functions that multiply by one instruction.
macro_rules! products {
    ($two:ident, $one:ident, $instruction:literal) => {
        fn $two(left: [&[Tile]; 2], right: [&[Tile]; 2], block: &mut Block) {
            let depth = left[0].len();
            assert!(left[1].len() == depth && right.iter().all(|right| right.len() == depth));
            if depth == 0 {
                block.0.fill(0);
                return;
            }
            // SAFETY: each of the four pointers walks over `depth` tiles of 1024 bytes, the length of its slice, and
            // the stores write the four quarters of the block, rows `BLOCK_STRIDE` apart. No compiled code uses tile
            // registers.
            unsafe {
                asm!(
                    "tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3",
                    "2:",
                    "tileloadd tmm4, [{a0} + {stride}]",
                    "tileloadd tmm5, [{a1} + {stride}]",
                    "tileloadd tmm6, [{b0} + {stride}]",
                    "tileloadd tmm7, [{b1} + {stride}]",
                    concat!($instruction, " tmm0, tmm4, tmm6"),
                    concat!($instruction, " tmm1, tmm4, tmm7"),
                    concat!($instruction, " tmm2, tmm5, tmm6"),
                    concat!($instruction, " tmm3, tmm5, tmm7"),
                    "add {a0}, 1024", "add {a1}, 1024", "add {b0}, 1024", "add {b1}, 1024",
                    "dec {depth}",
                    "jnz 2b",
                    "tilestored [{out} + {out_stride}], tmm0",
                    "tilestored [{out} + {out_stride} + 64], tmm1",
                    "tilestored [{low} + {out_stride}], tmm2",
                    "tilestored [{low} + {out_stride} + 64], tmm3",
                    a0 = inout(reg) left[0].as_ptr() => _,
                    a1 = inout(reg) left[1].as_ptr() => _,
                    b0 = inout(reg) right[0].as_ptr() => _,
                    b1 = inout(reg) right[1].as_ptr() => _,
                    depth = inout(reg) depth => _,
                    stride = in(reg) 64usize,
                    out = in(reg) block.0.as_mut_ptr(),
                    low = in(reg) block.0[SIDE * SIDE / 2..].as_mut_ptr(),
                    out_stride = in(reg) BLOCK_STRIDE,
                    out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                    out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                    options(nostack),
                );
            }
        }

        /// One quarter, for the last strip of an odd number: slower, since each product waits for the one before.
        fn $one(left: &[Tile], right: &[Tile], block: &mut Block) {
            let depth = left.len();
            assert_eq!(right.len(), depth, "tiles of two strips");
            if depth == 0 {
                block.0.fill(0);
                return;
            }
            // SAFETY: as above, with one quarter.
            unsafe {
                asm!(
                    "tilezero tmm0",
                    "2:",
                    "tileloadd tmm4, [{a} + {stride}]",
                    "tileloadd tmm6, [{b} + {stride}]",
                    concat!($instruction, " tmm0, tmm4, tmm6"),
                    "add {a}, 1024", "add {b}, 1024",
                    "dec {depth}",
                    "jnz 2b",
                    "tilestored [{out} + {out_stride}], tmm0",
                    a = inout(reg) left.as_ptr() => _,
                    b = inout(reg) right.as_ptr() => _,
                    depth = inout(reg) depth => _,
                    stride = in(reg) 64usize,
                    out = in(reg) block.0.as_mut_ptr(),
                    out_stride = in(reg) BLOCK_STRIDE,
                    out("tmm0") _, out("tmm4") _, out("tmm6") _,
                    options(nostack),
                );
            }
        }
    };
}

products!(two_bf16, one_bf16, "tdpbf16ps");
products!(two_int8, one_int8, "tdpbssd");
