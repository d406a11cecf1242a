//! Number formats of stored weights, and their way into `f32`.
//!
//! Only floating-point formats are converted; a weight in integers is a quantised one, whose scale
//! would be needed too.

use half::{bf16, f16};

/// Format of one stored number, little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    F64,
    F32,
    F16,
    Bf16,
    /// Anything else, by its size in bytes.
    Other(usize),
}

impl Format {
    /// Bytes of one number.
    pub(super) fn size(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::Other(size) => size,
        }
    }

    /// The numbers in `bytes` as `f32`, or `None` where the format is no floating-point one.
    pub(super) fn decode(self, bytes: &[u8]) -> Option<Vec<f32>> {
        Some(match self {
            Self::F64 => each(bytes, |b| f64::from_le_bytes(b) as f32),
            Self::F32 => each(bytes, f32::from_le_bytes),
            Self::F16 => each(bytes, |b| f16::from_le_bytes(b).to_f32()),
            Self::Bf16 => each(bytes, |b| bf16::from_le_bytes(b).to_f32()),
            Self::Other(_) => return None,
        })
    }
}

fn each<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    let (numbers, _) = bytes.as_chunks::<N>();
    numbers.iter().map(|bytes| number(*bytes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_and_a_half_is_the_same_in_every_format() {
        let bytes: [(Format, &[u8]); 4] = [
            (Format::F64, &1.5_f64.to_le_bytes()),
            (Format::F32, &1.5_f32.to_le_bytes()),
            (Format::F16, &[0x00, 0x3e]),
            (Format::Bf16, &[0xc0, 0x3f]),
        ];
        for (format, bytes) in bytes {
            assert_eq!(format.decode(bytes), Some(vec![1.5]), "{format:?}");
            assert_eq!(bytes.len(), format.size());
        }
        assert_eq!(Format::Other(8).decode(&[0; 8]), None);
    }
}
