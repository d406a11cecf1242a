//! Slow, obvious twins in f64.
