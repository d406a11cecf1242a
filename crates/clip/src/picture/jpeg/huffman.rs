//! Huffman tables, looked up nine bits at a time.

use super::bits::{Bits, Damage};
use super::corrupt;
use crate::picture::PictureError;

const LOOKAHEAD: u32 = 9;

/// One table of a DHT segment.
#[derive(Clone)]
pub(super) struct Table {
    /// For the next nine bits: length of the code, 0 if longer, and its symbol.
    short: Vec<(u8, u8)>,
    /// For each length: one more than the last code, and what to add to a code to find its symbol.
    long: [(i32, i32); 17],
    symbols: Vec<u8>,
}

impl Table {
    /// `counts`: how many codes have 1 to 16 bits. Source: T.81, annex C.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Result<Self, PictureError> {
        let mut table = Self {
            short: vec![(0, 0); 1 << LOOKAHEAD],
            long: [(0, 0); 17],
            symbols: symbols.to_vec(),
        };
        let (mut code, mut index) = (0i32, 0usize);
        for (length, &count) in (1u32..).zip(counts) {
            table.long[length as usize].1 = index as i32 - code;
            for &symbol in &symbols[index..index + usize::from(count)] {
                if code >= 1 << length {
                    return Err(corrupt("a Huffman table has too many codes"));
                }
                table.shorten(code as usize, length, symbol);
                code += 1;
            }
            index += usize::from(count);
            table.long[length as usize].0 = code;
            code <<= 1;
        }
        Ok(table)
    }

    fn shorten(&mut self, code: usize, length: u32, symbol: u8) {
        if length <= LOOKAHEAD {
            let rest = LOOKAHEAD - length;
            self.short[code << rest..(code + 1) << rest].fill((length as u8, symbol));
        }
    }

    /// The next symbol.
    #[inline]
    pub(super) fn symbol(&self, bits: &mut Bits<'_>) -> Result<u8, Damage> {
        bits.fill();
        let (length, symbol) = self.short[bits.peek(LOOKAHEAD)];
        if length > 0 {
            bits.skip(u32::from(length))?;
            return Ok(symbol);
        }
        self.long_symbol(bits)
    }

    #[cold]
    fn long_symbol(&self, bits: &mut Bits<'_>) -> Result<u8, Damage> {
        for length in LOOKAHEAD + 1..=16 {
            let (end, offset) = self.long[length as usize];
            let code = bits.peek(length) as i32;
            if code < end {
                bits.skip(length)?;
                let symbol = self.symbols.get((code + offset) as usize);
                return symbol.copied().ok_or(Damage::NoSuchCode);
            }
        }
        Err(Damage::NoSuchCode)
    }
}
