//! The engine as a whole, from outside.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod kill;
mod pictures;
mod search;
