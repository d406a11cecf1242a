//! The tests of the real binary and of the house rules, in one program.
//!
//! Each test runs in a folder of its own, without network and without a terminal.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on should stop here"
)]

mod bench;
mod docs;
mod find;
mod folder;
mod help;
mod hub;
mod journey;
mod mistakes;
mod precision;
mod search;
mod serve;
mod tidy;
