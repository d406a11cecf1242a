//! Everything that prints, exits, listens or downloads.

fn main() {}
