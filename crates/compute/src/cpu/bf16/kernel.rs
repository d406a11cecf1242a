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
        if super::avx512::is_here() {
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
#[repr(C, align(64))]
pub(super) struct Block(pub(super) [f32; SIDE * SIDE]);

/// The tiles that give one block.
#[derive(Debug, Clone, Copy)]
pub(super) enum Strips<'a> {
    /// Two strips of each factor.
    Two([&'a [Tile]; 2], [&'a [Tile]; 2]),
    /// One strip of each.
    One(&'a [Tile], &'a [Tile]),
}

/// Makes the instructions ready on this thread, and gives their state back in the end.
pub(super) struct Ready(Kernel);

impl Ready {
    pub(super) fn new(kernel: Kernel) -> Self {
        #[cfg(target_arch = "x86_64")]
        if kernel == Kernel::Amx {
            super::amx::configure();
        }
        Self(kernel)
    }

    pub(super) fn kernel(&self) -> Kernel {
        self.0
    }

    /// Writes the products of `strips` to `block`.
    #[inline]
    pub(super) fn multiply(&self, strips: Strips<'_>, block: &mut Block) {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kernel::Amx => super::amx::multiply(strips, block),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => super::avx512::multiply(strips, block),
            _ => plain(strips, block),
        }
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        #[cfg(target_arch = "x86_64")]
        if self.0 == Kernel::Amx {
            super::amx::release();
        }
    }
}

fn plain(strips: Strips<'_>, block: &mut Block) {
    match strips {
        Strips::One(left, right) => plain_quarter(left, right, &mut block.0),
        Strips::Two(left, right) => {
            for (i, left) in left.into_iter().enumerate() {
                for (j, right) in right.into_iter().enumerate() {
                    plain_quarter(left, right, &mut block.0[i * LINES * SIDE + j * LINES..]);
                }
            }
        }
    }
}

fn plain_quarter(left: &[Tile], right: &[Tile], out: &mut [f32]) {
    for row in 0..LINES {
        let mut sums = [0.0f32; LINES];
        for (left, right) in left.iter().zip(right) {
            for pair in 0..PAIRS {
                let (a, b) = values(left.0[row * PAIRS + pair]);
                for (column, sum) in sums.iter_mut().enumerate() {
                    let (c, d) = values(right.0[pair * LINES + column]);
                    *sum += a * c + b * d;
                }
            }
        }
        out[row * SIDE..row * SIDE + LINES].copy_from_slice(&sums);
    }
}
