//! The engine as a whole, from outside.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

mod changes;
mod check;
mod damage;
mod disk_full;
mod formats;
mod kill;
mod pictures;
#[path = "../power/mod.rs"]
mod power;
mod power_loss;
mod search;
mod together;
