//! A small JPEG of a picture, to be shown where the original is not.

use finelens_clip::{Area, Filter, Picture, resample};
use finelens_search::THUMBNAIL_PX;
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;

/// Quality of the JPEG, 1 to 100. Own choice: a 384 px photograph takes some 25 kB, and traces do not show.
const QUALITY: u8 = 80;

/// The picture at most [`THUMBNAIL_PX`] on its longer side, as JPEG; it is never made larger.
///
/// # Errors
/// What the encoder has to report.
pub(crate) fn jpeg(picture: &Picture) -> Result<Vec<u8>, String> {
    let (width, height) = size(picture.width(), picture.height());
    let small = (width != picture.width() || height != picture.height())
        .then(|| resample(picture, Area::of(picture), width, height, Filter::Lanczos));
    let rgb = small.as_ref().unwrap_or(picture).rgb();
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY)
        .encode(rgb, width as u32, height as u32, ExtendedColorType::Rgb8)
        .map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// Width and height of the thumbnail; the shorter side is rounded, and never nothing.
fn size(width: usize, height: usize) -> (usize, usize) {
    let longer = width.max(height);
    if longer <= THUMBNAIL_PX {
        return (width, height);
    }
    let scaled = |side: usize| ((side * THUMBNAIL_PX + longer / 2) / longer).max(1);
    (scaled(width), scaled(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_side_is_shortened_and_small_pictures_stay() {
        assert_eq!(size(1000, 500), (384, 192));
        assert_eq!(size(500, 1001), (192, 384));
        assert_eq!(size(100_000, 1), (384, 1));
        assert_eq!(size(384, 384), (384, 384));
        assert_eq!(size(3, 2), (3, 2));
    }

    #[test]
    fn a_thumbnail_is_a_jpeg_that_looks_like_the_picture() {
        let rgb: Vec<u8> = (0..800 * 400).flat_map(|i| [(i % 800 / 4) as u8, 90, 200]).collect();
        let bytes = jpeg(&Picture::new(800, 400, rgb)).unwrap();
        let image = image::load_from_memory(&bytes).unwrap();
        assert_eq!(image.color(), image::ColorType::Rgb8);
        let image = image.to_rgb8();
        assert_eq!(image.dimensions(), (384, 192));
        let [red, green, blue] = image.get_pixel(192, 96).0;
        assert!(red.abs_diff(100) < 6 && green.abs_diff(90) < 6 && blue.abs_diff(200) < 6);
    }
}
