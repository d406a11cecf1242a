//! Line ends of Windows and old Macs as plain `\n`, while reading.
//!
//! The `csv` crate counts lines by `\n` and ends records at `\r`, so without this every line number
//! of a Windows file would be off by one.

use std::io::{self, Read};

/// Reads `\r\n` and a lone `\r` as `\n`.
pub(super) struct Newlines<R> {
    inner: R,
    after_return: bool,
}

impl<R> Newlines<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, after_return: false }
    }
}

impl<R: Read> Read for Newlines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let filled = self.inner.read(buffer)?;
            let mut kept = 0;
            for index in 0..filled {
                let byte = buffer[index];
                if byte != b'\n' || !self.after_return {
                    buffer[kept] = if byte == b'\r' { b'\n' } else { byte };
                    kept += 1;
                }
                self.after_return = byte == b'\r';
            }
            // Nothing kept of something read must not pass for the end of the file.
            if kept > 0 || filled == 0 {
                return Ok(kept);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_end_becomes_a_newline_in_pieces_of_any_size() {
        let text = b"a\r\nb\rc\nd\r\r\n\ne\r";
        for size in 1..=text.len() {
            let mut reader = Newlines::new(&text[..]);
            let (mut read, mut piece) = (Vec::new(), vec![0; size]);
            while let count @ 1.. = reader.read(&mut piece).unwrap() {
                read.extend_from_slice(&piece[..count]);
            }
            assert_eq!(read, b"a\nb\nc\nd\n\n\ne\n");
        }
    }
}
