//! The segments of a file: tables, frame, scans, metadata.

use super::huffman::Table;
use super::{Colours, corrupt, unsupported};
use crate::picture::PictureError;

/// Natural position of each coefficient in the order that it is stored in.
pub(super) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// Size and components of the picture.
pub(super) struct Frame {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) progressive: bool,
    pub(super) components: Vec<Component>,
    /// Pixels that a block of eight gives along each side: fewer than eight where the picture is wanted smaller.
    pub(super) block: usize,
}

/// One channel.
pub(super) struct Component {
    id: u8,
    /// Samples across and down for each unit of the picture.
    pub(super) across: usize,
    pub(super) down: usize,
    quantisation: u8,
    /// Copied when its first scan begins, since a later segment may change the table.
    pub(super) steps: Option<[u16; 64]>,
    /// Samples that belong to the picture.
    pub(super) width: usize,
    pub(super) height: usize,
    /// Blocks in a row and rows of blocks, whole units.
    pub(super) blocks_across: usize,
    pub(super) blocks_down: usize,
    /// 64 for each block, row by row, in natural order.
    pub(super) coefficients: Vec<i16>,
}

/// What a scan holds.
pub(super) struct Scan {
    /// Index of the component, and its tables.
    pub(super) components: Vec<(usize, usize, usize)>,
    /// First and last coefficient.
    pub(super) band: (usize, usize),
    /// Bit that was sent before, and that is sent now.
    pub(super) bits: (u32, u32),
}

/// What a caller has to act on.
pub(super) enum Marker {
    Frame,
    Scan(Scan),
    End,
}

/// Everything that stands outside the scans.
pub(super) struct Headers<'a> {
    pub(super) data: &'a [u8],
    pub(super) at: usize,
    frame: Option<Frame>,
    quantisation: [Option<[u16; 64]>; 4],
    pub(super) dc: [Option<Table>; 4],
    pub(super) ac: [Option<Table>; 4],
    /// Units between restart markers, or 0.
    pub(super) restart: usize,
    jfif: bool,
    adobe: Option<u8>,
    pub(super) exif: Option<&'a [u8]>,
    pub(super) xmp: Option<&'a [u8]>,
}

impl<'a> Headers<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        let (quantisation, dc, ac) = ([None; 4], [const { None }; 4], [const { None }; 4]);
        let (frame, adobe, exif, xmp) = (None, None, None, None);
        Self { data, at: 2, frame, quantisation, dc, ac, restart: 0, jfif: false, adobe, exif, xmp }
    }

    pub(super) fn frame(&self) -> Result<&Frame, PictureError> {
        self.frame.as_ref().ok_or_else(|| corrupt("it has no frame header"))
    }

    pub(super) fn frame_mut(&mut self) -> Result<&mut Frame, PictureError> {
        self.frame.as_mut().ok_or_else(|| corrupt("it has no frame header"))
    }

    pub(super) fn into_frame(self) -> Result<Frame, PictureError> {
        self.frame.ok_or_else(|| corrupt("it has no frame header"))
    }

    /// Reads segments up to one that the caller has to act on.
    pub(super) fn next(&mut self) -> Result<Marker, PictureError> {
        loop {
            let Some(marker) = self.marker() else { return self.without_end() };
            match marker {
                0xD9 => return Ok(Marker::End),
                0x01 | 0xD0..=0xD8 => {}
                _ => {
                    let segment = self.segment()?;
                    if let Some(found) = self.read(marker, segment)? {
                        return Ok(found);
                    }
                }
            }
        }
    }

    /// The next marker; what stands between segments is skipped, as libjpeg does.
    fn marker(&mut self) -> Option<u8> {
        loop {
            self.at += self.data.get(self.at..)?.iter().position(|&byte| byte == 0xFF)? + 1;
            let marker = *self.data.get(self.at)?;
            if !matches!(marker, 0 | 0xFF) {
                self.at += 1;
                return Some(marker);
            }
        }
    }

    /// Only the end marker is missing: with one pass over each component, nothing else is.
    fn without_end(&self) -> Result<Marker, PictureError> {
        match &self.frame {
            Some(frame)
                if !frame.progressive && frame.components.iter().all(|of| of.steps.is_some()) =>
            {
                Ok(Marker::End)
            }
            _ => Err(corrupt("it ends too early")),
        }
    }

    fn segment(&mut self) -> Result<&'a [u8], PictureError> {
        let short = || corrupt("a segment is cut short");
        let length = self.data.get(self.at..self.at + 2).ok_or_else(short)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        let segment = self.data.get(self.at + 2..self.at + length.max(2)).ok_or_else(short)?;
        self.at += length.max(2);
        Ok(segment)
    }

    fn read(&mut self, marker: u8, segment: &'a [u8]) -> Result<Option<Marker>, PictureError> {
        match marker {
            0xC0..=0xC2 if self.frame.is_some() => return Err(corrupt("it has two frame headers")),
            0xC0..=0xC2 => {
                self.read_frame(segment, marker == 0xC2)?;
                return Ok(Some(Marker::Frame));
            }
            0xDA => return Ok(Some(Marker::Scan(self.read_scan(segment)?))),
            0xC4 => self.read_huffman(segment)?,
            0xDB => self.read_quantisation(segment)?,
            0xDD => self.restart = usize::from(u16_at(segment, 0)?),
            0xE0 => self.jfif |= segment.starts_with(b"JFIF\0"),
            0xE1 => self.read_metadata(segment),
            0xEE if segment.starts_with(b"Adobe") && segment.len() >= 12 => {
                self.adobe = Some(segment[11]);
            }
            0xC3 | 0xC5..=0xC7 => return Err(unsupported("lossless or hierarchical coding")),
            0xC8..=0xCF => return Err(unsupported("arithmetic coding")),
            0xDC => return Err(unsupported("a height that comes after the pixels")),
            _ => {}
        }
        Ok(None)
    }

    fn read_metadata(&mut self, segment: &'a [u8]) {
        if let Some(exif) = segment.strip_prefix(b"Exif\0\0") {
            self.exif.get_or_insert(exif);
        } else if let Some(xmp) = segment.strip_prefix(b"http://ns.adobe.com/xap/1.0/\0") {
            self.xmp.get_or_insert(xmp);
        }
    }

    fn read_quantisation(&mut self, mut segment: &[u8]) -> Result<(), PictureError> {
        while let Some((&head, rest)) = segment.split_first() {
            let (wide, index) = (head >> 4 != 0, usize::from(head & 15));
            let bytes = if wide { 128 } else { 64 };
            let (Some(values), true) = (rest.get(..bytes), index < 4) else {
                return Err(corrupt("a quantisation table is cut short"));
            };
            let mut table = [0; 64];
            for (k, &natural) in ZIGZAG.iter().enumerate() {
                let value = if wide { u16_at(values, 2 * k)? } else { u16::from(values[k]) };
                table[usize::from(natural)] = value;
            }
            self.quantisation[index] = Some(table);
            segment = &rest[bytes..];
        }
        Ok(())
    }

    fn read_huffman(&mut self, mut segment: &[u8]) -> Result<(), PictureError> {
        while let Some((&head, rest)) = segment.split_first() {
            let short = || corrupt("a Huffman table is cut short");
            let counts: &[u8; 16] =
                rest.get(..16).and_then(|of| of.try_into().ok()).ok_or_else(short)?;
            let symbols = counts.iter().map(|&count| usize::from(count)).sum::<usize>();
            let table = Table::new(counts, rest.get(16..16 + symbols).ok_or_else(short)?)?;
            let tables = if head >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            *tables.get_mut(usize::from(head & 15)).ok_or_else(short)? = Some(table);
            segment = &rest[16 + symbols..];
        }
        Ok(())
    }

    fn read_frame(&mut self, segment: &[u8], progressive: bool) -> Result<(), PictureError> {
        if self.frame.is_some() {
            return Err(corrupt("it has two frame headers"));
        }
        let short = || corrupt("the frame header is cut short");
        let (height, width) = (usize::from(u16_at(segment, 1)?), usize::from(u16_at(segment, 3)?));
        if segment[0] != 8 {
            return Err(unsupported(&format!("{} bits a sample", segment[0])));
        }
        let count = usize::from(*segment.get(5).ok_or_else(short)?);
        let listed = segment.get(6..6 + 3 * count).ok_or_else(short)?;
        let components =
            listed.chunks_exact(3).map(Component::new).collect::<Result<Vec<_>, _>>()?;
        if !matches!(count, 1 | 3 | 4) {
            return Err(unsupported(&format!("{count} components")));
        }
        self.frame = Some(Frame { width, height, progressive, components, block: 8 });
        Ok(())
    }

    /// Finds out how large the components are, once the size was found to be acceptable.
    pub(super) fn lay_out(&mut self) -> Result<(), PictureError> {
        let frame = self.frame_mut()?;
        let (across, down) = frame.sampling();
        let (units_across, units_down) = frame.units();
        for component in &mut frame.components {
            if across % component.across != 0 || down % component.down != 0 {
                return Err(unsupported("fractional subsampling"));
            }
            component.width = (frame.width * component.across).div_ceil(across);
            component.height = (frame.height * component.down).div_ceil(down);
            component.blocks_across = units_across * component.across;
            component.blocks_down = units_down * component.down;
        }
        Ok(())
    }

    /// Makes room for the coefficients, where one scan does not hold them all.
    pub(super) fn allocate(&mut self) -> Result<(), PictureError> {
        for component in &mut self.frame_mut()?.components {
            component.coefficients = vec![0; component.blocks_across * component.blocks_down * 64];
        }
        Ok(())
    }

    fn read_scan(&mut self, segment: &[u8]) -> Result<Scan, PictureError> {
        let short = || corrupt("a scan header is cut short");
        let count = usize::from(*segment.first().ok_or_else(short)?);
        let listed = segment.get(1..1 + 2 * count).ok_or_else(short)?;
        let &[first, last, bits] = segment.get(1 + 2 * count..4 + 2 * count).ok_or_else(short)?
        else {
            return Err(short());
        };
        let tables = self.quantisation;
        let frame = self.frame_mut()?;
        let mut components = Vec::new();
        for pair in listed.chunks_exact(2) {
            let index = frame.components.iter().position(|component| component.id == pair[0]);
            let index = index.ok_or_else(|| corrupt("a scan is of an unknown component"))?;
            let component = &mut frame.components[index];
            if component.steps.is_none() {
                component.steps =
                    tables.get(usize::from(component.quantisation)).copied().flatten();
            }
            if component.steps.is_none() {
                return Err(corrupt("a quantisation table is missing"));
            }
            components.push((index, usize::from(pair[1] >> 4), usize::from(pair[1] & 15)));
        }
        let scan = Scan {
            components,
            band: (usize::from(first), usize::from(last)),
            bits: (u32::from(bits >> 4), u32::from(bits & 15)),
        };
        if frame.progressive { scan.check_progressive() } else { scan.sequential() }
    }

    /// Source: libjpeg-turbo, `default_decompress_parms` in `src/jdapimin.c`.
    pub(super) fn colours(&self) -> Result<Colours, PictureError> {
        let ids: Vec<u8> = self.frame()?.components.iter().map(|component| component.id).collect();
        Ok(match (ids.as_slice(), self.adobe) {
            ([_], _) => Colours::Grey,
            ([_, _, _], _) if self.jfif => Colours::YCbCr,
            ([_, _, _], Some(0)) | (b"RGB", None) => Colours::Rgb,
            ([_, _, _], _) => Colours::YCbCr,
            (_, None | Some(0)) => Colours::Cmyk,
            _ => Colours::Ycck,
        })
    }
}

impl Frame {
    /// The finest sampling of any component.
    pub(super) fn sampling(&self) -> (usize, usize) {
        let across = self.components.iter().map(|component| component.across).max().unwrap_or(1);
        (across, self.components.iter().map(|component| component.down).max().unwrap_or(1))
    }

    /// Interleaved units (MCUs) across and down.
    pub(super) fn units(&self) -> (usize, usize) {
        let (across, down) = self.sampling();
        (self.width.div_ceil(8 * across), self.height.div_ceil(8 * down))
    }

    /// Whether a scan holds every block of the picture, in one go.
    pub(super) fn is_all_in(&self, scan: &Scan) -> bool {
        !self.progressive && scan.components.len() == self.components.len()
    }

    /// Units of a scan across and down: of one component alone, a unit is a block.
    pub(super) fn units_of(&self, scan: &Scan) -> (usize, usize) {
        match scan.components.as_slice() {
            &[(index, ..)] => self.components[index].blocks_alone(),
            _ => self.units(),
        }
    }

    /// Blocks of a component across and down in a unit of a scan.
    pub(super) fn blocks_of_unit(&self, scan: &Scan, index: usize) -> (usize, usize) {
        let component = &self.components[index];
        if scan.components.len() == 1 { (1, 1) } else { (component.across, component.down) }
    }

    /// Width and height of the picture as it is wanted.
    pub(super) fn shown(&self) -> (usize, usize) {
        ((self.width * self.block).div_ceil(8), (self.height * self.block).div_ceil(8))
    }
}

impl Component {
    /// Blocks that hold some of the picture, across and down.
    pub(super) fn blocks_alone(&self) -> (usize, usize) {
        (self.width.div_ceil(8), self.height.div_ceil(8))
    }

    /// Samples that a block gives along each side: of a coarse component more than of a fine one, where the picture is wanted
    /// smaller, so that less has to be made up.
    ///
    /// Source: libjpeg-turbo, `jpeg_calc_output_dimensions` in `src/jdmaster.c`.
    pub(super) fn side(&self, frame: &Frame) -> usize {
        let (across, down) = frame.sampling();
        let fits = |side: usize| {
            (across * frame.block).is_multiple_of(self.across * side)
                && (down * frame.block).is_multiple_of(self.down * side)
        };
        let mut side = frame.block;
        while side < 8 && fits(2 * side) {
            side *= 2;
        }
        side
    }

    /// Samples across and down that belong to the picture as it is wanted.
    pub(super) fn size(&self, frame: &Frame) -> (usize, usize) {
        let ((across, down), side) = (frame.sampling(), self.side(frame));
        let width = (frame.width * self.across * side).div_ceil(8 * across);
        (width, (frame.height * self.down * side).div_ceil(8 * down))
    }

    fn new(listed: &[u8]) -> Result<Self, PictureError> {
        let (across, down) = (usize::from(listed[1] >> 4), usize::from(listed[1] & 15));
        if !(1..=4).contains(&across) || !(1..=4).contains(&down) {
            return Err(corrupt("a component has an impossible sampling"));
        }
        let (id, quantisation, coefficients) = (listed[0], listed[2], Vec::new());
        let (width, height, blocks_across, blocks_down) = (0, 0, 0, 0);
        Ok(Self {
            id,
            across,
            down,
            quantisation,
            steps: None,
            width,
            height,
            blocks_across,
            blocks_down,
            coefficients,
        })
    }
}

impl Scan {
    /// Sequential scans hold everything, whatever their header says.
    fn sequential(self) -> Result<Self, PictureError> {
        Ok(Self { band: (0, 63), bits: (0, 0), ..self.checked()? })
    }

    fn check_progressive(self) -> Result<Self, PictureError> {
        let scan = self.checked()?;
        let ((first, last), (before, now)) = (scan.band, scan.bits);
        let band = if first == 0 {
            last == 0
        } else {
            first <= last && last < 64 && scan.components.len() == 1
        };
        let bits = now <= 13 && (before == 0 || before == now + 1);
        if band && bits { Ok(scan) } else { Err(corrupt("a scan header makes no sense")) }
    }

    fn checked(self) -> Result<Self, PictureError> {
        let count = self.components.len();
        let tables = self.components.iter().all(|&(_, dc, ac)| dc < 4 && ac < 4);
        let twice =
            (1..count).any(|i| self.components[..i].iter().any(|of| of.0 == self.components[i].0));
        if (1..=4).contains(&count) && tables && !twice {
            Ok(self)
        } else {
            Err(corrupt("a scan header makes no sense"))
        }
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, PictureError> {
    let pair = bytes.get(at..at + 2).ok_or_else(|| corrupt("a segment is cut short"))?;
    Ok(u16::from_be_bytes([pair[0], pair[1]]))
}
