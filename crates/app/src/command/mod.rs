//! One function per command: what was typed in, a verdict out.

pub(crate) mod demo;
pub(crate) mod eval;
pub(crate) mod export;
pub(crate) mod init;
pub(crate) mod train;
