//! Random changes to a training picture: a crop, mirror images, and colours that really jitter.
//!
//! First what is the same each time a picture is visited, and can be kept: it is decoded and made as small as all crops allow.
//! Then what differs: the crop is resized, and everything else is one pass.

use finelens_clip::{
    Area, Decoder, Finish, Picture, PictureError, Preprocess, Recolouring, resample,
};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::config::AugmentConfig;

/// Turns encoded pictures into training input.
#[derive(Debug, Clone)]
pub struct Augment {
    config: AugmentConfig,
    preprocess: Preprocess,
    decoder: Decoder,
}

impl Augment {
    /// As `config` allows, for the model of that preprocessing.
    pub fn new(config: &AugmentConfig, preprocess: &Preprocess, decoder: &Decoder) -> Self {
        let (preprocess, decoder) = (preprocess.clone(), decoder.clone());
        Self { config: config.clone(), preprocess, decoder }
    }

    /// What all visits to a picture begin with. A large one is brought down to where its shorter side is
    /// [`Augment::kept_px`], a JPEG already while it is decoded.
    ///
    /// Without crops it is what evaluation sees, from the whole picture.
    ///
    /// # Errors
    /// When it cannot be decoded.
    pub fn decode(&self, bytes: &[u8]) -> Result<Picture, PictureError> {
        if !self.crops() {
            return Ok(self.preprocess.resized(&self.decoder.decode(bytes)?.picture));
        }
        let kept = self.kept_px();
        let picture = self.decoder.decode_at_least(bytes, kept)?.picture;
        let (width, height) = (picture.width(), picture.height());
        let shorter = width.min(height);
        if shorter <= kept {
            return Ok(picture);
        }
        let scaled = |side: usize| (side * kept + shorter / 2) / shorter;
        let (width, height) = (scaled(width), scaled(height));
        Ok(resample(&picture, Area::of(&picture), width, height, self.preprocess.filter()))
    }

    /// Shorter side of a picture that is kept, where it has more: twice the model's, and no less than the model's in the smallest
    /// crop.
    ///
    /// Own choice: a crop of two thirds then still has a third more pixels along each side than the model takes, and resizing twice
    /// does not show.
    pub fn kept_px(&self) -> usize {
        let smallest = (self.config.crop_area / self.config.crop_ratio).sqrt().min(0.5);
        (self.preprocess.size() as f32 / smallest).ceil() as usize
    }

    /// Writes what the model sees of a decoded picture; `seed` decides what happens to it.
    ///
    /// # Shapes
    /// `pixels`: (3, S, S).
    pub fn write_pixels(&self, decoded: &Picture, seed: u64, pixels: &mut [f32]) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let resized = self.resized(decoded, &mut random);
        let resized = resized.as_ref().unwrap_or(decoded);
        let flip_horizontal = random.random::<f32>() < self.config.flip_horizontal;
        let flip_vertical = random.random::<f32>() < self.config.flip_vertical;
        let colours = jitter(resized, &self.config, &mut random);
        let finish = Finish { flip_horizontal, flip_vertical, colours };
        self.preprocess.finished(resized, &finish, pixels);
    }

    fn crops(&self) -> bool {
        self.config.crop_area < 1.0
    }

    /// At the model's size; none where it has that already.
    fn resized(&self, picture: &Picture, random: &mut ChaCha8Rng) -> Option<Picture> {
        if !self.crops() {
            return None;
        }
        let size = self.preprocess.size();
        Some(match random_area(picture, &self.config, random) {
            Some(area) => resample(picture, area, size, size, self.preprocess.filter()),
            None => self.preprocess.resized(picture),
        })
    }
}

/// A part of the picture to be squeezed into the square; none where nothing fits.
///
/// Area and aspect ratio are drawn as in Szegedy et al. 2014, arXiv:1409.4842, section 6; the ratio is relative
/// to the square. A part that does not fit is drawn again a few times, then the usual crop is taken.
fn random_area(picture: &Picture, config: &AugmentConfig, random: &mut ChaCha8Rng) -> Option<Area> {
    const TRIES: usize = 10;
    let (width, height) = (picture.width() as f64, picture.height() as f64);
    for _ in 0..TRIES {
        let area = width * height * f64::from(random.random_range(config.crop_area..1.0));
        let spread = f64::from(config.crop_ratio).ln();
        let ratio = (random.random_range(-1.0..=1.0) * spread).exp();
        let (w, h) = ((area * ratio).sqrt(), (area / ratio).sqrt());
        let place = (random.random::<f64>(), random.random::<f64>());
        if w <= width && h <= height {
            return Some(Area {
                x: place.0 * (width - w),
                y: place.1 * (height - h),
                width: w,
                height: h,
            });
        }
    }
    None
}

/// Luma of a colour. Source: ITU-R BT.601.
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// Brightness, contrast and saturation by random factors, and a random turn of the hue, as one affine map of colours.
///
/// The order is fixed, since random orders change little. Source of the single steps: Pillow's `ImageEnhance`, which
/// blends with black, with the mean luma and with the grey picture; the hue turns in the plane of equal luma.
fn jitter(
    picture: &Picture,
    config: &AugmentConfig,
    random: &mut ChaCha8Rng,
) -> Option<Recolouring> {
    let mut factor = |spread: f32| 1.0 + spread * random.random_range(-1.0f32..=1.0);
    let (brightness, contrast, saturation) =
        (factor(config.brightness), factor(config.contrast), factor(config.saturation));
    let turn = random.random_range(-1.0f32..=1.0) * config.hue * std::f32::consts::TAU;
    if [brightness, contrast, saturation, turn] == [1.0, 1.0, 1.0, 0.0] {
        return None;
    }
    let matrix = colour_matrix(saturation, turn).map(|row| row.map(|x| x * brightness * contrast));
    Some(Recolouring { matrix, offset: mean_luma(picture) * brightness * (1.0 - contrast) })
}

fn mean_luma(picture: &Picture) -> f32 {
    let mut sums = [0u64; 3];
    for pixel in picture.rgb().as_chunks::<3>().0 {
        for (sum, value) in sums.iter_mut().zip(pixel) {
            *sum += u64::from(*value);
        }
    }
    let luma: f64 = sums.iter().zip(LUMA).map(|(sum, part)| *sum as f64 * f64::from(part)).sum();
    (luma / (picture.width() * picture.height()) as f64) as f32
}

/// Scales and turns a colour about the grey axis; grey stays grey.
fn colour_matrix(saturation: f32, turn: f32) -> [[f32; 3]; 3] {
    let (sine, cosine) = turn.sin_cos();
    let axis = 1.0 / 3.0f32.sqrt();
    // Rodrigues' rotation about (1, 1, 1), of the colour's difference from its luma.
    let rotation = |row: usize, column: usize| {
        let same = if row == column { cosine } else { 0.0 };
        let cross = match (column + 3 - row) % 3 {
            0 => 0.0,
            1 => -axis,
            _ => axis,
        };
        same + (1.0 - cosine) / 3.0 + sine * cross
    };
    std::array::from_fn(|row| {
        let turned: f32 = (0..3).map(|k| rotation(row, k)).sum();
        std::array::from_fn(|column| {
            LUMA[column] + saturation * (rotation(row, column) - turned * LUMA[column])
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> Picture {
        Picture::new(3, 2, (0..18).map(|i| (i * 14) as u8).collect())
    }

    fn noise(width: usize, height: usize) -> Picture {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        Picture::new(width, height, (0..width * height * 3).map(|_| random.random()).collect())
    }

    fn augment(config: &AugmentConfig) -> Augment {
        Augment::new(config, &Preprocess::clip(16), &Decoder::default())
    }

    const STILL: AugmentConfig = AugmentConfig {
        crop_area: 1.0,
        crop_ratio: 1.0,
        flip_horizontal: 0.0,
        flip_vertical: 0.0,
        brightness: 0.0,
        contrast: 0.0,
        saturation: 0.0,
        hue: 0.0,
    };

    fn jpeg(picture: &Picture) -> Vec<u8> {
        let mut bytes = Vec::new();
        let (width, height) = (picture.width() as u32, picture.height() as u32);
        image::codecs::jpeg::JpegEncoder::new(&mut bytes)
            .encode(picture.rgb(), width, height, image::ExtendedColorType::Rgb8)
            .unwrap();
        bytes
    }

    #[test]
    fn without_changes_training_sees_what_evaluation_sees() {
        let (augment, bytes) = (augment(&STILL), jpeg(&noise(200, 100)));
        let mut pixels = vec![0.0; augment.preprocess.values()];
        augment.write_pixels(&augment.decode(&bytes).unwrap(), 5, &mut pixels);
        let whole = augment.decoder.decode(&bytes).unwrap().picture;
        assert_eq!(pixels, augment.preprocess.pixels(&whole));
    }

    #[test]
    fn large_pictures_are_kept_small_and_small_ones_as_they_are() {
        let augment = augment(&AugmentConfig { crop_area: 0.5, ..STILL });
        assert_eq!(augment.kept_px(), 32);
        let size = |width, height| {
            let picture = augment.decode(&jpeg(&noise(width, height))).unwrap();
            (picture.width(), picture.height())
        };
        assert_eq!([size(301, 400), size(33, 64), size(20, 90)], [(32, 42), (32, 62), (20, 90)]);
    }

    #[test]
    fn small_crops_keep_more() {
        let kept = |crop_area| augment(&AugmentConfig { crop_area, ..STILL }).kept_px();
        assert_eq!([kept(0.64), kept(0.25), kept(0.04)], [32, 32, 80]);
    }

    #[test]
    fn a_seed_decides_everything() {
        let augment = augment(&AugmentConfig { flip_vertical: 0.5, ..AugmentConfig::default() });
        let picture = noise(40, 30);
        let pixels = |seed| {
            let mut pixels = vec![0.0; augment.preprocess.values()];
            augment.write_pixels(&picture, seed, &mut pixels);
            pixels
        };
        assert_eq!(pixels(1), pixels(1));
        assert_ne!(pixels(1), pixels(2));
    }

    #[test]
    fn without_jitter_colours_stay() {
        assert_eq!(jitter(&picture(), &STILL, &mut ChaCha8Rng::seed_from_u64(1)), None);
    }

    #[test]
    fn the_mean_luma_is_that_of_all_pixels() {
        let luma = |p: &[u8]| (0..3).map(|c| LUMA[c] * f32::from(p[c])).sum::<f32>();
        let picture = picture();
        let mean = picture.rgb().chunks_exact(3).map(luma).sum::<f32>() / 6.0;
        assert!((mean_luma(&picture) - mean).abs() < 1e-3);
    }

    #[test]
    fn grey_stays_grey_under_saturation_and_hue() {
        for (saturation, turn) in [(0.0, 0.0), (1.5, 0.0), (1.0, 1.0), (0.7, -2.0)] {
            for row in colour_matrix(saturation, turn) {
                assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            }
        }
        for (row, right) in
            colour_matrix(1.0, 0.0).iter().zip([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        {
            assert!(row.iter().zip(right).all(|(a, b)| (a - b).abs() < 1e-6));
        }
    }

    #[test]
    fn a_third_of_a_turn_exchanges_the_primary_colours() {
        let matrix = colour_matrix(1.0, std::f32::consts::TAU / 3.0);
        // Red loses its luma first and gets it back as grey, so only differences between channels are compared.
        let red: Vec<f32> = matrix.iter().map(|row| row[0]).collect();
        assert!((red[1] - red[0] - 1.0).abs() < 1e-5, "{red:?}");
    }

    #[test]
    fn crops_stay_inside_and_keep_their_share() {
        let picture = Picture::new(40, 30, vec![0; 3600]);
        let config = AugmentConfig { crop_area: 0.3, crop_ratio: 1.3, ..AugmentConfig::default() };
        for seed in 0..200 {
            let area = random_area(&picture, &config, &mut ChaCha8Rng::seed_from_u64(seed));
            if let Some(Area { x, y, width, height }) = area {
                assert!(
                    x >= 0.0 && y >= 0.0 && x + width <= 40.0 + 1e-9 && y + height <= 30.0 + 1e-9
                );
                assert!((0.3..=1.0).contains(&(width * height / 1200.0)));
            }
        }
    }
}
