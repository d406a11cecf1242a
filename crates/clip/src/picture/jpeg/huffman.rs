//! Huffman tables, looked up a few bits at a time.

use super::bits::{Bits, Damage, FILLED, extend};
use super::corrupt;
use crate::picture::PictureError;

/// Bits that are looked up at once: most codes with their values, in a table that stays in the first cache.
const LOOKAHEAD: u32 = 10;

/// One table of a DHT segment.
#[derive(Clone)]
pub(super) struct Table {
    /// For the next bits: length of the code, 0 if longer, and its symbol.
    short: Vec<(u8, u8)>,
    /// For the next bits: a whole coefficient, if code and value are no longer than that.
    whole: Vec<Coefficient>,
    /// For each length: one more than the last code, and what to add to a code to find its symbol.
    long: [(i32, i32); 17],
    symbols: Vec<u8>,
}

/// What follows in a block: so many zeros, then a value; or that nothing does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Coefficient {
    pub(super) value: i16,
    /// Zeros before it, or [`Coefficient::END`].
    pub(super) run: u8,
    /// Bits of code and value; 0 if they are more than were looked up.
    pub(super) bits: u8,
}

impl Coefficient {
    /// Says that the block has no more coefficients: more zeros than a block has places.
    pub(super) const END: u8 = 64;

    /// So many can be looked up before bits are filled up again.
    pub(super) const IN_ONE_FILL: u32 = FILLED / LOOKAHEAD;
}

impl Table {
    /// `counts`: how many codes have 1 to 16 bits. Source: T.81, annex C.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Result<Self, PictureError> {
        let mut table = Self {
            short: vec![(0, 0); 1 << LOOKAHEAD],
            whole: Vec::new(),
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
        table.whole = (0..1 << LOOKAHEAD).map(|next| table.coefficient(next)).collect();
        Ok(table)
    }

    fn shorten(&mut self, code: usize, length: u32, symbol: u8) {
        if length <= LOOKAHEAD {
            let rest = LOOKAHEAD - length;
            self.short[code << rest..(code + 1) << rest].fill((length as u8, symbol));
        }
    }

    /// The coefficient that these bits begin with, if they hold all of it.
    ///
    /// Source: T.81, F.2.2.2: a symbol is a run of zeros and the size of a value; run 0 of size 0 ends the block.
    fn coefficient(&self, next: usize) -> Coefficient {
        let (length, symbol) = self.short[next];
        let (run, size) = (symbol >> 4, u32::from(symbol & 15));
        let bits = u32::from(length) + size;
        match (length, size) {
            (0, _) => Coefficient::default(),
            // A run of 16 zeros goes on.
            (_, 0) if run == 15 => Coefficient::default(),
            (_, 0) => Coefficient { value: 0, run: Coefficient::END, bits: length },
            _ if bits > LOOKAHEAD => Coefficient::default(),
            _ => {
                let number = (next >> (LOOKAHEAD - bits)) & ((1 << size) - 1);
                Coefficient { value: extend(number as i32, size) as i16, run, bits: bits as u8 }
            }
        }
    }

    /// The next coefficient, if it could be looked up; it is stepped over.
    #[inline(always)]
    pub(super) fn looked_up(&self, bits: &mut Bits<'_>) -> Option<Coefficient> {
        let found = self.whole[bits.peek(LOOKAHEAD)];
        bits.skip(u32::from(found.bits));
        (found.bits > 0).then_some(found)
    }

    /// The next symbol.
    #[inline(always)]
    pub(super) fn symbol(&self, bits: &mut Bits<'_>) -> Result<u8, Damage> {
        bits.fill();
        let (length, symbol) = match self.short[bits.peek(LOOKAHEAD)] {
            (0, _) => self.long_symbol(bits.peek(16)).ok_or(Damage::NoSuchCode)?,
            found => found,
        };
        bits.skip(u32::from(length));
        Ok(symbol)
    }

    /// The code that these sixteen bits begin with. Takes no reader, which then stays in registers.
    #[cold]
    fn long_symbol(&self, next: usize) -> Option<(u8, u8)> {
        let fits = |&length: &u32| ((next >> (16 - length)) as i32) < self.long[length as usize].0;
        let length = (LOOKAHEAD + 1..=16).find(fits)?;
        let place = (next >> (16 - length)) as i32 + self.long[length as usize].1;
        Some((length as u8, *self.symbols.get(place as usize)?))
    }
}
