//! Rows in: an id, where the pixels are, what was said about them.
