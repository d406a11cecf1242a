//! Every operation against its plain twin, and every backward against numeric differences.
#![allow(clippy::unwrap_used, reason = "tests")]

mod attention;
mod block;
mod contrastive;
mod embedding;
mod host;
mod linear;
mod norm;
mod optimizer;
