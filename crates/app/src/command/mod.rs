//! One function per command: what was typed in, a verdict out.

pub(crate) mod admin;
pub(crate) mod bench;
pub(crate) mod demo;
pub(crate) mod eval;
pub(crate) mod export;
pub(crate) mod find;
pub(crate) mod index;
pub(crate) mod init;
pub(crate) mod search;
pub(crate) mod serve;
pub(crate) mod train;
