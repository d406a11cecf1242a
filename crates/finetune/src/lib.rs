//! Data and a model in, a better model and the proof out.

pub mod eval;
