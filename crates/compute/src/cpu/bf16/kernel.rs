//! Which instructions multiply tiles, and one block of the result.

use super::tile::{LINES, PAIRS, Tile, values};

/// A way to multiply tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kernel {
    /// Tiles in registers of their own; packing by AVX-512.
    Amx,
    /// AVX-512 with products of pairs.
    Avx512,
    /// Plain loops, the twin of the others.
    Plain,
}

impl Kernel {
    /// The fastest that this machine has.
    pub(crate) fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        if super::avx512::is_here() && super::vnni::is_here() {
            return if super::amx::is_here() { Self::Amx } else { Self::Avx512 };
        }
        Self::Plain
    }

    /// All that this machine has, for tests, which say what they leave out.
    #[cfg(test)]
    pub(super) fn all_here() -> Vec<Self> {
        let all = match Self::best() {
            Self::Amx => vec![Self::Amx, Self::Avx512, Self::Plain],
            Self::Avx512 => vec![Self::Avx512, Self::Plain],
            Self::Plain => vec![Self::Plain],
        };
        if all.len() < 3 {
            println!("this machine has {all:?} only: the other kernels are not tested");
        }
        all
    }

    /// What the four bytes of the right factor in int8 are combined with by exclusive or.
    pub(super) fn right_int8_shift(self) -> u32 {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => super::vnni::SHIFT,
            _ => 0,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Amx => "AMX",
            Self::Avx512 => "AVX512_BF16",
            Self::Plain => "plain loops",
        }
    }
}

/// Two strips by two: the largest block that a kernel gives at once.
pub(super) const SIDE: usize = 2 * LINES;

/// One block of the result, `SIDE` values a row; one strip by one fills the upper left quarter.
///
/// The bits of f32 sums, or of i32 sums where the tiles are int8.
#[repr(C, align(64))]
pub(super) struct Block(pub(super) [u32; SIDE * SIDE]);

/// What tiles hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Values {
    /// Pairs of bf16.
    Bf16,
    /// Fours of int8.
    Int8,
}

/// The tiles that give one block.
#[derive(Debug, Clone, Copy)]
pub(super) enum Strips<'a> {
    /// Two strips of each factor.
    Two([&'a [Tile]; 2], [&'a [Tile]; 2]),
    /// One strip of each.
    One(&'a [Tile], &'a [Tile]),
}

/// Makes the instructions ready on this thread, and gives their state back in the end.
pub(super) struct Ready {
    kernel: Kernel,
    values: Values,
}

impl Ready {
    pub(super) fn new(kernel: Kernel, values: Values) -> Self {
        #[cfg(target_arch = "x86_64")]
        if kernel == Kernel::Amx {
            super::amx::configure();
        }
        Self { kernel, values }
    }

    pub(super) fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// Writes the products of `strips` to `block`.
    #[inline]
    pub(super) fn multiply(&self, strips: Strips<'_>, block: &mut Block) {
        match (self.kernel, self.values) {
            #[cfg(target_arch = "x86_64")]
            (Kernel::Amx, Values::Bf16) => super::amx::multiply(strips, block),
            #[cfg(target_arch = "x86_64")]
            (Kernel::Amx, Values::Int8) => super::amx::multiply_int8(strips, block),
            #[cfg(target_arch = "x86_64")]
            (Kernel::Avx512, Values::Bf16) => super::avx512::multiply(strips, block),
            #[cfg(target_arch = "x86_64")]
            (Kernel::Avx512, Values::Int8) => super::vnni::multiply(strips, block),
            (_, Values::Bf16) => plain(strips, block, quarter_bf16),
            (_, Values::Int8) => plain(strips, block, quarter_int8),
        }
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        #[cfg(target_arch = "x86_64")]
        if self.kernel == Kernel::Amx {
            super::amx::release();
        }
    }
}

fn plain(strips: Strips<'_>, block: &mut Block, quarter: fn(&[Tile], &[Tile], &mut [u32])) {
    match strips {
        Strips::One(left, right) => quarter(left, right, &mut block.0),
        Strips::Two(left, right) => {
            for (i, left) in left.into_iter().enumerate() {
                for (j, right) in right.into_iter().enumerate() {
                    quarter(left, right, &mut block.0[i * LINES * SIDE + j * LINES..]);
                }
            }
        }
    }
}

fn quarter_bf16(left: &[Tile], right: &[Tile], out: &mut [u32]) {
    let add = |sum: f32, left: u32, right: u32| {
        let ((a, b), (c, d)) = (values(left), values(right));
        sum + (a * c + b * d)
    };
    quarter(left, right, out, add, f32::to_bits);
}

fn quarter_int8(left: &[Tile], right: &[Tile], out: &mut [u32]) {
    let byte = |four: u32, i: usize| i32::from(four.to_le_bytes()[i] as i8);
    let add = |sum: i32, left: u32, right: u32| {
        sum + (0..4).map(|i| byte(left, i) * byte(right, i)).sum::<i32>()
    };
    quarter(left, right, out, add, |sum| sum as u32);
}

fn quarter<S: Copy + Default>(
    left: &[Tile],
    right: &[Tile],
    out: &mut [u32],
    add: impl Fn(S, u32, u32) -> S,
    bits: impl Fn(S) -> u32,
) {
    for row in 0..LINES {
        let mut sums = [S::default(); LINES];
        for (left, right) in left.iter().zip(right) {
            for pair in 0..PAIRS {
                let value = left.0[row * PAIRS + pair];
                for (sum, right) in sums.iter_mut().zip(&right.0[pair * LINES..]) {
                    *sum = add(*sum, value, *right);
                }
            }
        }
        out[row * SIDE..row * SIDE + LINES].copy_from_slice(&sums.map(&bits));
    }
}
