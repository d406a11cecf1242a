//! The loops that take the time, for each set of instructions that a machine may have.
//!
//! Loops over floats are plain Rust compiled several times; the two over codes use the instructions by name, because no
//! compiler finds a table lookup in registers. Each has a plain twin, and all integer results are equal to the bit.

mod bits;
mod bytes;
mod floats;

pub(crate) use bits::{Block, LANES, Passed, Tables, block_bytes, put_lane, scan, take_lane};
pub(crate) use bytes::{LARGEST_QUERY, byte_dots, prefetch};
pub(crate) use floats::{Panels, dot, hadamard, largest_and_sums, products, to_bytes};

/// A set of instructions that this machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Level(Kind);

/// What the loops are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "made on x86-64 only"))]
enum Kind {
    /// AVX-512 with bytes, short vectors and the products of neural networks.
    Avx512,
    /// AVX2 with fused multiplication.
    Avx2,
    /// What every processor of the target has; on 64-bit Arm that includes NEON.
    Plain,
}

impl Level {
    /// The fastest one.
    pub(crate) fn best() -> Self {
        Self::all()[0]
    }

    /// All that this machine has, the fastest first. There is no other way to make one, so a level is always there.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let wide = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
            let short =
                is_x86_feature_detected!("avx512vl") && is_x86_feature_detected!("avx512dq");
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            if wide && short && avx2 && is_x86_feature_detected!("avx512vnni") {
                all.push(Self(Kind::Avx512));
            }
            if avx2 {
                all.push(Self(Kind::Avx2));
            }
        }
        all.push(Self(Kind::Plain));
        all
    }
}

/// Defines a function whose first parameter says for which level its body, a plain loop, shall have been compiled.
macro_rules! vectorised {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $out:ty)? $body:block) => {
        $(#[$doc])*
        #[cfg_attr(
            target_arch = "x86_64",
            expect(unsafe_code, reason = "a newer instruction is used once it was found")
        )]
        $vis fn $name(level: $crate::embedded::vector::kernel::Level, $($arg: $type),*) $(-> $out)? {
            #[inline(always)]
            fn plain($($arg: $type),*) $(-> $out)? $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
                fn avx512($($arg: $type),*) $(-> $out)? {
                    plain($($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $type),*) $(-> $out)? {
                    plain($($arg),*)
                }
                match level.0 {
                    // SAFETY: a level is only made where its instructions were found.
                    $crate::embedded::vector::kernel::Kind::Avx512 => return unsafe { avx512($($arg),*) },
                    // SAFETY: as above.
                    $crate::embedded::vector::kernel::Kind::Avx2 => return unsafe { avx2($($arg),*) },
                    $crate::embedded::vector::kernel::Kind::Plain => {}
                }
            }
            #[cfg(not(target_arch = "x86_64"))]
            let _ = level;
            plain($($arg),*)
        }
    };
}
pub(crate) use vectorised;
