//! Which way up a picture is, from its EXIF or XMP metadata.
//!
//! Malformed metadata means upright: a broken tag is no reason to lose a picture.

use super::Picture;

/// The eight values of the EXIF orientation tag.
///
/// Source: EXIF 2.32, tag 0x0112; the transposes are those of Pillow's `ImageOps.exif_transpose`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Orientation(u8);

impl Orientation {
    pub(super) const UPRIGHT: Self = Self(1);

    /// Any other value than 1 to 8 means upright.
    pub(super) fn from_tag(value: u16) -> Self {
        match value {
            1..=8 => Self(value as u8),
            _ => Self::UPRIGHT,
        }
    }

    /// From raw EXIF (a TIFF header and what follows), or, where that is silent, from raw XMP.
    pub(super) fn from_metadata(exif: Option<&[u8]>, xmp: Option<&[u8]>) -> Self {
        let tag = exif.and_then(exif_tag).or_else(|| xmp.and_then(xmp_tag));
        tag.map_or(Self::UPRIGHT, Self::from_tag)
    }

    /// Turns the picture upright.
    pub(super) fn apply(self, picture: Picture) -> Picture {
        let (width, height) = (picture.width(), picture.height());
        let (right, bottom) = (width - 1, height - 1);
        match self.0 {
            2 => remap(&picture, width, height, |x, y| (right - x, y)),
            3 => remap(&picture, width, height, |x, y| (right - x, bottom - y)),
            4 => remap(&picture, width, height, |x, y| (x, bottom - y)),
            5 => remap(&picture, height, width, |x, y| (y, x)),
            6 => remap(&picture, height, width, |x, y| (y, bottom - x)),
            7 => remap(&picture, height, width, |x, y| (right - y, bottom - x)),
            8 => remap(&picture, height, width, |x, y| (right - y, x)),
            _ => picture,
        }
    }
}

/// The new picture's pixel at (x, y) is the old one's at `from(x, y)`.
fn remap(
    picture: &Picture,
    width: usize,
    height: usize,
    from: impl Fn(usize, usize) -> (usize, usize),
) -> Picture {
    let mut rgb = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            let (x, y) = from(x, y);
            rgb.extend_from_slice(&picture.row(y)[x * 3..x * 3 + 3]);
        }
    }
    Picture::new(width, height, rgb)
}

fn exif_tag(exif: &[u8]) -> Option<u16> {
    let raw = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    image::metadata::Orientation::from_exif_chunk(raw)
        .map(|orientation| u16::from(orientation.to_exif()))
}

/// Finds `tiff:Orientation="6"` or `<tiff:Orientation>6<`, as Pillow does.
fn xmp_tag(xmp: &[u8]) -> Option<u16> {
    const NAME: &[u8] = b"tiff:Orientation";
    let values = xmp.windows(NAME.len()).enumerate().filter(|(_, at)| *at == NAME);
    values.map(|(at, _)| &xmp[at + NAME.len()..]).find_map(|rest| {
        let digit = rest.strip_prefix(b"=\"").or_else(|| rest.strip_prefix(b">"))?.first()?;
        digit.is_ascii_digit().then(|| u16::from(digit - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(width: usize, height: usize) -> Picture {
        Picture::new(width, height, (0..width * height).flat_map(|i| [i as u8; 3]).collect())
    }

    fn first_bytes(picture: &Picture) -> Vec<u8> {
        picture.rgb().iter().step_by(3).copied().collect()
    }

    #[test]
    fn every_orientation_of_a_three_by_two_picture() {
        let turned = |tag| first_bytes(&Orientation::from_tag(tag).apply(numbered(3, 2)));
        assert_eq!(turned(1), [0, 1, 2, 3, 4, 5]);
        assert_eq!(turned(2), [2, 1, 0, 5, 4, 3]);
        assert_eq!(turned(3), [5, 4, 3, 2, 1, 0]);
        assert_eq!(turned(4), [3, 4, 5, 0, 1, 2]);
        assert_eq!(turned(5), [0, 3, 1, 4, 2, 5]);
        assert_eq!(turned(6), [3, 0, 4, 1, 5, 2]);
        assert_eq!(turned(7), [5, 2, 4, 1, 3, 0]);
        assert_eq!(turned(8), [2, 5, 1, 4, 0, 3]);
        assert_eq!(turned(0), [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn xmp_speaks_where_exif_is_silent() {
        let xmp = Some(b"<rdf:Description tiff:Orientation=\"6\"/>".as_slice());
        assert_eq!(Orientation::from_metadata(None, xmp), Orientation::from_tag(6));
        assert_eq!(
            Orientation::from_metadata(Some(b"II*\0 broken"), xmp),
            Orientation::from_tag(6)
        );
        assert_eq!(
            Orientation::from_metadata(None, Some(b"tiff:Orientation")),
            Orientation::UPRIGHT
        );
    }
}
