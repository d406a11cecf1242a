//! Small products on the calling thread, with room of their own for the factors.

use super::kernel::Kernel;
use super::output::Output;
use super::pack::pack_here;
use super::product::multiply_here;
use super::tile::{Packed, Side};
use crate::cpu::matmul::{Into, Matrix, MatrixMut};

/// Room for the factors of one small product after the other.
#[derive(Debug)]
pub(crate) struct Small {
    kernel: Kernel,
    left: Packed,
    right: Packed,
}

impl Small {
    pub(crate) fn new(kernel: Kernel) -> Self {
        Self { kernel, left: Packed::default(), right: Packed::default() }
    }

    /// `out = scale * a b`, or added to it.
    pub(crate) fn multiply(
        &mut self,
        out: MatrixMut<'_>,
        into: Into,
        a: Matrix<'_>,
        b: Matrix<'_>,
        scale: f32,
    ) {
        pack_here(self.kernel, a, Side::Left, &mut self.left);
        pack_here(self.kernel, b.t(), Side::Right, &mut self.right);
        let output = Output { scale, ..Output::new(out, into == Into::Add) };
        multiply_here(self.kernel, &self.left, &self.right, output);
    }
}
