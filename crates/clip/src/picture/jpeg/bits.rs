//! Bits of entropy-coded data, after the zero bytes behind 0xFF are taken out; a marker ends them.

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

/// Zeros between two stretches of data: as many bytes as are read at once, so that none reads into the next.
const GAP: usize = 8;

/// Bytes that may be left over before a restart marker. Own choice: as many as are read at once.
const LEFT_OVER: usize = 8;

/// The data of one scan as it was meant: without stuffed bytes and without markers.
pub(super) struct ScanData {
    bytes: Vec<u8>,
    /// Where each stretch begins and ends; a restart marker stands between two.
    stretches: Vec<Stretch>,
    /// Where the file goes on.
    pub(super) end: usize,
}

struct Stretch {
    start: usize,
    end: usize,
    /// Number of the restart marker behind it.
    restart: Option<u8>,
}

impl ScanData {
    /// Collects the data of the scan that begins at `at`.
    pub(super) fn collect(file: &[u8], mut at: usize) -> Self {
        let (mut bytes, mut stretches, mut start) = (Vec::new(), Vec::new(), 0);
        loop {
            at = copy_to_ff(file, at, &mut bytes);
            let restart = match file.get(at..at + 2) {
                Some([_, 0]) => {
                    bytes.push(0xFF);
                    at += 2;
                    continue;
                }
                // Any number of 0xFF may stand before a marker.
                Some([_, 0xFF]) if marker_after(file, at).is_some() => {
                    at += 1;
                    continue;
                }
                Some(&[_, marker @ 0xD0..=0xD7]) => Some(marker - 0xD0),
                _ => None,
            };
            stretches.push(Stretch { start, end: bytes.len(), restart });
            bytes.extend([0; GAP]);
            if restart.is_none() {
                return Self { bytes, stretches, end: at };
            }
            (start, at) = (bytes.len(), at + 2);
        }
    }
}

/// Copies up to the next 0xFF, or to the end; returns where that is.
fn copy_to_ff(file: &[u8], mut at: usize, bytes: &mut Vec<u8>) -> usize {
    while let Some(next) = file.get(at..at + 8) {
        let next: [u8; 8] = next.try_into().expect("eight bytes");
        if has_ff(u64::from_ne_bytes(next)) {
            break;
        }
        bytes.extend(next);
        at += 8;
    }
    let rest = file.get(at..).unwrap_or_default();
    let length = rest.iter().position(|&byte| byte == 0xFF).unwrap_or(rest.len());
    bytes.extend(&rest[..length]);
    at + length
}

/// The restart marker behind any number of 0xFF.
fn marker_after(file: &[u8], at: usize) -> Option<u8> {
    file[at..]
        .iter()
        .copied()
        .find(|&byte| byte != 0xFF)
        .filter(|byte| (0xD0..=0xD7).contains(byte))
}

/// Whether any of the eight bytes is 0xFF.
#[inline]
fn has_ff(word: u64) -> bool {
    let inverted = !word;
    inverted.wrapping_sub(0x0101_0101_0101_0101) & word & 0x8080_8080_8080_8080 != 0
}

/// Bits that there are after [`Bits::fill`], at least.
pub(super) const FILLED: u32 = 56;

/// Reads the data of one scan.
///
/// Small and copied, so that the inner loops keep it in registers. Bits beyond the end are zeros; whoever reads asks [`Bits::check`] from time to time whether it came to that.
#[derive(Clone, Copy)]
pub(super) struct Bits<'a> {
    data: &'a ScanData,
    /// The stretch that is read.
    stretch: usize,
    at: usize,
    /// The next bits, from the highest down: `count` of them, and behind those some that are read again.
    ahead: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(data: &'a ScanData) -> Self {
        Self { data, stretch: 0, at: 0, ahead: 0, count: 0 }
    }

    /// Makes sure of [`FILLED`] bits: more than a code and its value need.
    ///
    /// Source: Giesen, "Reading bits in far too many ways, part 2" (2018), variant 4.
    #[inline(always)]
    pub(super) fn fill(&mut self) {
        // Beyond the end are zeros only.
        if let Some(next) = self.data.bytes.get(self.at..).and_then(|rest| rest.first_chunk()) {
            self.ahead |= u64::from_be_bytes(*next) >> self.count;
        }
        self.at += ((63 - self.count) >> 3) as usize;
        self.count |= FILLED;
    }

    /// The next `n` bits, 1 to 16.
    #[inline(always)]
    pub(super) fn peek(&self, n: u32) -> usize {
        (self.ahead >> (64 - n)) as usize
    }

    /// Steps over `n` of the bits that were made sure of.
    #[inline(always)]
    pub(super) fn skip(&mut self, n: u32) {
        self.ahead <<= n;
        self.count -= n;
    }

    #[inline(always)]
    pub(super) fn bit(&mut self) -> bool {
        self.fill();
        let bit = self.peek(1) == 1;
        self.skip(1);
        bit
    }

    /// `n` of the bits that were made sure of as a number, 0 to 16 of them.
    #[inline(always)]
    pub(super) fn number(&mut self, n: u32) -> i32 {
        if n == 0 {
            return 0;
        }
        let number = self.peek(n) as i32;
        self.skip(n);
        number
    }

    /// The same as a signed value.
    #[inline(always)]
    pub(super) fn signed(&mut self, n: u32) -> i32 {
        extend(self.number(n), n)
    }

    /// Fails when more was read than there is.
    #[inline(always)]
    pub(super) fn check(&self) -> Result<(), Damage> {
        let end = self.data.stretches[self.stretch].end;
        if self.at * 8 - self.count as usize > end * 8 { Err(Damage::Ended) } else { Ok(()) }
    }

    /// Steps over restart marker `index` modulo 8, which must come next.
    pub(super) fn restart(&mut self, index: usize) -> Result<(), Damage> {
        let here = self.data.stretches.get(self.stretch..self.stretch + 2);
        let Some([before, after]) = here else { return Err(Damage::NoRestart) };
        let read = (self.at * 8 - self.count as usize).div_ceil(8);
        let expected = Some((index % 8) as u8);
        if before.restart != expected || read + LEFT_OVER < before.end {
            return Err(Damage::NoRestart);
        }
        (self.stretch, self.at) = (self.stretch + 1, after.start);
        (self.ahead, self.count) = (0, 0);
        Ok(())
    }
}

/// A number of `n` bits as the signed value that it stands for. Source: T.81, figure F.12, EXTEND.
#[inline(always)]
pub(super) fn extend(number: i32, n: u32) -> i32 {
    if n > 0 && number < 1 << (n - 1) { number - (1 << n) + 1 } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stuffed_bytes_are_taken_out_and_markers_end_a_stretch() {
        let file = [9, 1, 2, 0xFF, 0, 3, 4, 5, 6, 7, 8, 9, 10, 0xFF, 0xFF, 0xD1, 11, 0xFF, 0xD9];
        let data = ScanData::collect(&file, 1);
        let stretch = |i: usize| &data.bytes[data.stretches[i].start..data.stretches[i].end];
        assert_eq!(stretch(0), [1, 2, 0xFF, 3, 4, 5, 6, 7, 8, 9, 10]);
        assert_eq!(stretch(1), [11]);
        assert_eq!((data.stretches[0].restart, data.end), (Some(1), 17));
    }

    #[test]
    fn bits_come_from_the_highest_down_and_their_end_is_noticed() {
        let data = ScanData::collect(&[0b1010_0000, 0xFF, 0, 0xFF, 0xD9], 0);
        let mut bits = Bits::new(&data);
        assert!(bits.bit() && !bits.bit() && bits.bit());
        bits.fill();
        assert_eq!(bits.number(13), 255);
        assert_eq!(bits.check(), Ok(()));
        assert!(!bits.bit());
        assert_eq!(bits.check(), Err(Damage::Ended));
        (0..1000).for_each(|_| assert!(!bits.bit()));
    }

    #[test]
    fn a_restart_needs_its_marker() {
        let data = ScanData::collect(&[0xAA, 0xFF, 0xD0, 0x55, 0xFF, 0xD9], 0);
        let mut bits = Bits::new(&data);
        bits.fill();
        bits.skip(4);
        assert_eq!(bits.restart(1), Err(Damage::NoRestart));
        assert_eq!(bits.restart(0), Ok(()));
        bits.fill();
        assert_eq!(bits.number(8), 0x55);
        assert_eq!(bits.restart(1), Err(Damage::NoRestart));
    }

    #[test]
    fn numbers_below_the_middle_are_negative() {
        assert_eq!(
            [(0, 0), (0, 1), (1, 1), (0, 3), (3, 3), (4, 3)].map(|(v, n)| extend(v, n)),
            [0, -1, 1, -7, -4, 4]
        );
    }
}
