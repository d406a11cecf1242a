//! One scan: from bits to coefficients, sequential or progressive.
//!
//! Source: T.81, annexes F.2 and G.2.

use super::bits::{Bits, Damage, ScanData};
use super::corrupt;
use super::huffman::{Coefficient, Table};
use super::markers::{Frame, Headers, Scan, ZIGZAG};
use crate::picture::PictureError;

type Block = [i16; 64];

/// Reads the scan that the headers stand at into the coefficients, and leaves the headers behind it.
pub(super) fn decode(headers: &mut Headers<'_>, scan: &Scan) -> Result<(), PictureError> {
    let (dc, ac) = (headers.dc.clone(), headers.ac.clone());
    let data = ScanData::collect(headers.data, headers.at);
    let restart = headers.restart;
    let frame = headers.frame_mut()?;
    let reader = Reader::new(&data, scan, &dc, &ac, frame.progressive);
    let read = reader.and_then(|reader| reader.all(frame, scan, restart));
    read.map_err(|damage| corrupt(damage.reason()))?;
    headers.at = data.end;
    Ok(())
}

/// How the blocks of a scan are coded.
#[derive(Clone, Copy)]
enum Coding {
    Sequential,
    DcFirst,
    DcRefine,
    AcFirst,
    AcRefine,
}

/// What reads the blocks of a scan in their order.
pub(super) struct Reader<'a> {
    bits: Bits<'a>,
    coding: Coding,
    tables: Vec<(Option<&'a Table>, Option<&'a Table>)>,
    /// Last DC value of each component of the scan.
    last: [i32; 4],
    /// Blocks that are known to have no more coefficients in this band.
    empty: u32,
    band: (usize, usize),
    shift: u32,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        data: &'a ScanData,
        scan: &Scan,
        dc: &'a [Option<Table>; 4],
        ac: &'a [Option<Table>; 4],
        progressive: bool,
    ) -> Result<Self, Damage> {
        let coding = match (progressive, scan.band.0, scan.bits.0) {
            (false, ..) => Coding::Sequential,
            (true, 0, 0) => Coding::DcFirst,
            (true, 0, _) => Coding::DcRefine,
            (true, _, 0) => Coding::AcFirst,
            (true, ..) => Coding::AcRefine,
        };
        let tables: Vec<_> =
            scan.components.iter().map(|&(_, d, a)| (dc[d].as_ref(), ac[a].as_ref())).collect();
        let complete = tables.iter().all(|(dc, ac)| match coding {
            Coding::Sequential => dc.is_some() && ac.is_some(),
            Coding::DcFirst => dc.is_some(),
            Coding::DcRefine => true,
            Coding::AcFirst | Coding::AcRefine => ac.is_some(),
        });
        if !complete {
            return Err(Damage::NoTable);
        }
        let bits = Bits::new(data);
        let (band, shift) = (scan.band, scan.bits.1);
        Ok(Self { bits, coding, tables, last: [0; 4], empty: 0, band, shift })
    }

    /// Reads every block.
    fn all(mut self, frame: &mut Frame, scan: &Scan, restart: usize) -> Result<(), Damage> {
        match scan.components.as_slice() {
            &[(index, ..)] => self.alone(frame, index, restart),
            _ => self.interleaved(frame, scan, restart),
        }
    }

    /// One component: only the blocks that hold some of the picture.
    fn alone(&mut self, frame: &mut Frame, index: usize, restart: usize) -> Result<(), Damage> {
        let component = &mut frame.components[index];
        let (across, down) = component.blocks_alone();
        for unit in 0..across * down {
            self.restart_before(unit, restart)?;
            let block = unit / across * component.blocks_across + unit % across;
            self.block(0, block_at(&mut component.coefficients, block))?;
            self.bits.check()?;
        }
        Ok(())
    }

    /// Several components: units that hold some blocks of each.
    fn interleaved(
        &mut self,
        frame: &mut Frame,
        scan: &Scan,
        restart: usize,
    ) -> Result<(), Damage> {
        let (across, down) = frame.units();
        for unit in 0..across * down {
            self.restart_before(unit, restart)?;
            for (slot, &(index, ..)) in scan.components.iter().enumerate() {
                let component = &mut frame.components[index];
                let (left, top) =
                    (unit % across * component.across, unit / across * component.down);
                for y in top..top + component.down {
                    for x in left..left + component.across {
                        let block = y * component.blocks_across + x;
                        self.block(slot, block_at(&mut component.coefficients, block))?;
                    }
                }
            }
            self.bits.check()?;
        }
        Ok(())
    }

    /// Steps over the restart marker that stands before this unit, if one does.
    #[inline]
    pub(super) fn restart_before(&mut self, unit: usize, restart: usize) -> Result<(), Damage> {
        if restart > 0 && unit > 0 && unit.is_multiple_of(restart) {
            self.bits.restart(unit / restart - 1)?;
            self.last = [0; 4];
            self.empty = 0;
        }
        Ok(())
    }

    /// Fails when more was read than there is.
    #[inline(always)]
    pub(super) fn check(&self) -> Result<(), Damage> {
        self.bits.check()
    }

    #[inline]
    fn block(&mut self, slot: usize, block: &mut Block) -> Result<(), Damage> {
        match self.coding {
            Coding::Sequential => self.sequential(slot, block),
            Coding::DcFirst => {
                block[0] = (self.dc(slot)? << self.shift) as i16;
                Ok(())
            }
            Coding::DcRefine => {
                block[0] |= i16::from(self.bits.bit()) << self.shift;
                Ok(())
            }
            Coding::AcFirst => self.ac_first(block),
            Coding::AcRefine => self.ac_refine(block),
        }
    }

    #[inline(always)]
    fn dc(&mut self, slot: usize) -> Result<i32, Damage> {
        let size = self.dc_table(slot)?.symbol(&mut self.bits)?;
        if size > 15 {
            return Err(Damage::TooLarge);
        }
        let value = self.last[slot].wrapping_add(self.bits.signed(u32::from(size)));
        self.last[slot] = value;
        Ok(value)
    }

    fn sequential(&mut self, slot: usize, block: &mut Block) -> Result<(), Damage> {
        self.whole_block(slot, |k, value| block[k] = value).map(|_| ())
    }

    /// Reads a sequential block, and hands `put` the natural place and the value of each coefficient. Returns the place of the
    /// last in the order of the file.
    #[inline(always)]
    pub(super) fn whole_block(
        &mut self,
        slot: usize,
        mut put: impl FnMut(usize, i16),
    ) -> Result<usize, Damage> {
        put(0, self.dc(slot)? as i16);
        let (table, mut bits) = (self.ac_table(slot)?, self.bits);
        let (mut k, mut last) = (1, 0);
        'block: while k < 64 {
            bits.fill();
            for _ in 0..Coefficient::IN_ONE_FILL {
                let looked_up = table.looked_up(&mut bits);
                let next = match looked_up {
                    Some(next) => next,
                    None => long_coefficient(table, &mut bits)?,
                };
                if next.run == Coefficient::END {
                    break 'block;
                }
                k += usize::from(next.run);
                if next.value != 0 {
                    put(natural(k)?, next.value);
                    last = k;
                }
                k += 1;
                // The long ones have taken what was left for the others.
                if k >= 64 || looked_up.is_none() {
                    break;
                }
            }
        }
        self.bits = bits;
        Ok(last)
    }

    fn ac_first(&mut self, block: &mut Block) -> Result<(), Damage> {
        if self.empty > 0 {
            self.empty -= 1;
            return Ok(());
        }
        let table = self.ac_table(0)?;
        let mut k = self.band.0;
        while k <= self.band.1 {
            let symbol = table.symbol(&mut self.bits)?;
            let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
            if size == 0 {
                if run < 15 {
                    self.empty = self.run_of_empty(run);
                    break;
                }
                k += 16;
                continue;
            }
            k += run;
            block[natural(k)?] = (self.bits.signed(size) << self.shift) as i16;
            k += 1;
        }
        Ok(())
    }

    /// How many blocks after this one are empty.
    fn run_of_empty(&mut self, bits: usize) -> u32 {
        (1u32 << bits) + self.bits.number(bits as u32) as u32 - 1
    }

    fn ac_refine(&mut self, block: &mut Block) -> Result<(), Damage> {
        let table = self.ac_table(0)?;
        let (mut k, last) = self.band;
        if self.empty == 0 {
            while k <= last {
                let symbol = table.symbol(&mut self.bits)?;
                let (run, size) = (usize::from(symbol >> 4), symbol & 15);
                if size == 0 && run < 15 {
                    self.empty = self.run_of_empty(run) + 1;
                    break;
                }
                let fresh = match size {
                    0 => 0,
                    1 if self.bits.bit() => 1 << self.shift,
                    1 => -1 << self.shift,
                    _ => return Err(Damage::TooLarge),
                };
                k = self.refine(block, k, run)?;
                if fresh != 0 {
                    block[natural(k)?] = fresh;
                }
                k += 1;
            }
        }
        if self.empty > 0 {
            self.refine(block, k, usize::MAX)?;
            self.empty -= 1;
        }
        Ok(())
    }

    /// Sends one more bit of every known coefficient from `k` on, until `zeros` unknown ones are passed.
    fn refine(
        &mut self,
        block: &mut Block,
        mut k: usize,
        mut zeros: usize,
    ) -> Result<usize, Damage> {
        let step = 1i16 << self.shift;
        while k <= self.band.1 {
            let value = &mut block[natural(k)?];
            if *value == 0 {
                if zeros == 0 {
                    break;
                }
                zeros -= 1;
            } else if self.bits.bit() && *value & step == 0 {
                *value = value.saturating_add(if *value > 0 { step } else { -step });
            }
            k += 1;
        }
        Ok(k)
    }

    fn dc_table(&self, slot: usize) -> Result<&'a Table, Damage> {
        self.tables[slot].0.ok_or(Damage::NoTable)
    }

    fn ac_table(&self, slot: usize) -> Result<&'a Table, Damage> {
        self.tables[slot].1.ok_or(Damage::NoTable)
    }
}

/// A coefficient whose code and value are too long to be looked up, or sixteen zeros: fifteen and a value of 0.
#[inline(always)]
fn long_coefficient(table: &Table, bits: &mut Bits<'_>) -> Result<Coefficient, Damage> {
    let symbol = table.symbol(bits)?;
    let (run, size) = (symbol >> 4, u32::from(symbol & 15));
    let run = if size == 0 && run < 15 { Coefficient::END } else { run };
    Ok(Coefficient { value: bits.signed(size) as i16, run, bits: 0 })
}

fn block_at(coefficients: &mut [i16], block: usize) -> &mut Block {
    (&mut coefficients[block * 64..][..64]).try_into().expect("64 coefficients")
}

#[inline]
fn natural(k: usize) -> Result<usize, Damage> {
    match ZIGZAG.get(k) {
        // That it is below 64 is known here; the mask tells the compiler.
        Some(&at) => Ok(usize::from(at & 63)),
        None => Err(Damage::TooMany),
    }
}
