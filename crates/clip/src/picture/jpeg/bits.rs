//! Bits of entropy-coded data: zero bytes after 0xFF are dropped, a marker ends it.

/// What can be wrong inside a scan; small, because it is part of every result of the inner loops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Damage {
    Ended,
    NoRestart,
    NoSuchCode,
    TooLarge,
    TooMany,
    NoTable,
}

impl Damage {
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Ended => "its pixels end too early",
            Self::NoRestart => "a restart marker is missing",
            Self::NoSuchCode => "a Huffman code is not in its table",
            Self::TooLarge => "a coefficient is too large",
            Self::TooMany => "a block has too many coefficients",
            Self::NoTable => "a Huffman table is missing",
        }
    }
}

/// Reads the data of one scan.
pub(super) struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    /// The next bits, from the highest down; below `count` all are zero.
    ahead: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(data: &'a [u8], at: usize) -> Self {
        Self { data, at, ahead: 0, count: 0 }
    }

    /// Where the data goes on; what was read ahead never reaches beyond the next marker.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Makes sure of as many bits as a code and its value need, where the data has them.
    #[inline]
    pub(super) fn fill(&mut self) {
        if self.count < 32 {
            self.refill();
        }
    }

    #[inline]
    fn refill(&mut self) {
        if let Some(next) = self.data.get(self.at..self.at + 8) {
            let word = u64::from_be_bytes(next.try_into().expect("eight bytes"));
            if !has_ff(word) {
                let bytes = (64 - self.count) / 8;
                let kept = word & (u64::MAX << (64 - 8 * bytes));
                self.ahead |= kept >> self.count;
                self.count += 8 * bytes;
                self.at += bytes as usize;
                return;
            }
        }
        self.refill_slowly();
    }

    fn refill_slowly(&mut self) {
        while self.count <= 56 {
            let byte = match self.data.get(self.at..) {
                Some([0xFF, 0, ..]) => {
                    self.at += 2;
                    0xFF
                }
                None | Some([] | [0xFF, ..]) => return,
                Some([byte, ..]) => {
                    self.at += 1;
                    *byte
                }
            };
            self.ahead |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    /// The next `n` bits, 1 to 16; zeros where the data has ended.
    #[inline]
    pub(super) fn peek(&self, n: u32) -> usize {
        (self.ahead >> (64 - n)) as usize
    }

    /// Steps over `n` bits that must be there.
    #[inline]
    pub(super) fn skip(&mut self, n: u32) -> Result<(), Damage> {
        if n > self.count {
            return Err(Damage::Ended);
        }
        self.ahead <<= n;
        self.count -= n;
        Ok(())
    }

    #[inline]
    pub(super) fn bit(&mut self) -> Result<bool, Damage> {
        self.fill();
        let bit = self.peek(1) == 1;
        self.skip(1)?;
        Ok(bit)
    }

    /// `n` bits as a number, 0 to 16 of them.
    #[inline]
    pub(super) fn number(&mut self, n: u32) -> Result<i32, Damage> {
        if n == 0 {
            return Ok(0);
        }
        self.fill();
        let number = self.peek(n) as i32;
        self.skip(n)?;
        Ok(number)
    }

    /// A signed value of `n` bits. Source: T.81, figure F.12, EXTEND.
    #[inline]
    pub(super) fn signed(&mut self, n: u32) -> Result<i32, Damage> {
        let number = self.number(n)?;
        Ok(if n > 0 && number < 1 << (n - 1) { number - (1 << n) + 1 } else { number })
    }

    /// Steps over restart marker `index` modulo 8, which must come next.
    pub(super) fn restart(&mut self, index: usize) -> Result<(), Damage> {
        self.ahead = 0;
        self.count = 0;
        while self.data.get(self.at..self.at + 2) == Some(&[0xFF, 0xFF]) {
            self.at += 1;
        }
        if self.data.get(self.at..self.at + 2) != Some(&[0xFF, 0xD0 + (index % 8) as u8]) {
            return Err(Damage::NoRestart);
        }
        self.at += 2;
        Ok(())
    }
}

/// Whether any of the eight bytes is 0xFF.
#[inline]
fn has_ff(word: u64) -> bool {
    let inverted = !word;
    inverted.wrapping_sub(0x0101_0101_0101_0101) & word & 0x8080_8080_8080_8080 != 0
}
