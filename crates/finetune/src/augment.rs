//! Random changes to a training picture: a crop, mirror images, and colours that really jitter.

use finelens_clip::{Area, Picture, Preprocess, resample};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::config::AugmentConfig;

/// A picture as the model takes it, `(S, S)`, changed as `config` allows; `seed` decides how.
pub fn augment(
    picture: &Picture,
    preprocess: &Preprocess,
    config: &AugmentConfig,
    seed: u64,
) -> Picture {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut picture = match random_area(picture, config, &mut random) {
        Some(area) => {
            resample(picture, area, preprocess.size(), preprocess.size(), preprocess.filter())
        }
        None => preprocess.resized(picture),
    };
    if random.random::<f32>() < config.flip_horizontal {
        flip_horizontal(&mut picture);
    }
    if random.random::<f32>() < config.flip_vertical {
        flip_vertical(&mut picture);
    }
    jitter(&mut picture, config, &mut random);
    picture
}

/// A part of the picture to be squeezed into the square; none when cropping is off.
///
/// Area and aspect ratio are drawn as in Szegedy et al. 2014, arXiv:1409.4842, section 6; the ratio is relative
/// to the square. A part that does not fit is drawn again a few times, then the usual crop is taken.
fn random_area(picture: &Picture, config: &AugmentConfig, random: &mut ChaCha8Rng) -> Option<Area> {
    const TRIES: usize = 10;
    if config.crop_area >= 1.0 {
        return None;
    }
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

fn flip_horizontal(picture: &mut Picture) {
    let width = picture.width();
    for row in picture.rgb_mut().chunks_exact_mut(3 * width) {
        for x in 0..width / 2 {
            for channel in 0..3 {
                row.swap(3 * x + channel, 3 * (width - 1 - x) + channel);
            }
        }
    }
}

fn flip_vertical(picture: &mut Picture) {
    let (row, height) = (3 * picture.width(), picture.height());
    let rgb = picture.rgb_mut();
    for y in 0..height / 2 {
        let (top, bottom) = rgb.split_at_mut((height - 1 - y) * row);
        top[y * row..(y + 1) * row].swap_with_slice(&mut bottom[..row]);
    }
}

/// Luma of a colour. Source: ITU-R BT.601.
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// Brightness, contrast and saturation by random factors, and a random turn of the hue, as one affine map of colours.
///
/// The order is fixed, since random orders change little. Source of the single steps: Pillow's `ImageEnhance`, which
/// blends with black, with the mean luma and with the grey picture; the hue turns in the plane of equal luma.
fn jitter(picture: &mut Picture, config: &AugmentConfig, random: &mut ChaCha8Rng) {
    let mut factor = |spread: f32| 1.0 + spread * random.random_range(-1.0f32..=1.0);
    let (brightness, contrast, saturation) =
        (factor(config.brightness), factor(config.contrast), factor(config.saturation));
    let turn = random.random_range(-1.0f32..=1.0) * config.hue * std::f32::consts::TAU;
    if [brightness, contrast, saturation, turn] == [1.0, 1.0, 1.0, 0.0] {
        return;
    }
    let matrix = colour_matrix(saturation, turn).map(|row| row.map(|x| x * brightness * contrast));
    let offset = mean_luma(picture) * brightness * (1.0 - contrast);
    for pixel in picture.rgb_mut().chunks_exact_mut(3) {
        let colour = [f32::from(pixel[0]), f32::from(pixel[1]), f32::from(pixel[2])];
        for (to, row) in pixel.iter_mut().zip(&matrix) {
            let value = row[0] * colour[0] + row[1] * colour[1] + row[2] * colour[2] + offset;
            *to = value.round().clamp(0.0, 255.0) as u8;
        }
    }
}

fn mean_luma(picture: &Picture) -> f32 {
    let luma = |p: &[u8]| (0..3).map(|c| LUMA[c] * f32::from(p[c])).sum::<f32>();
    picture.rgb().chunks_exact(3).map(|p| f64::from(luma(p))).sum::<f64>() as f32
        / (picture.width() * picture.height()) as f32
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

    #[test]
    fn two_flips_are_none() {
        let mut flipped = picture();
        flip_horizontal(&mut flipped);
        assert_eq!(flipped.rgb()[..3], picture().rgb()[6..9]);
        flip_horizontal(&mut flipped);
        flip_vertical(&mut flipped);
        assert_eq!(flipped.rgb()[..9], picture().rgb()[9..]);
        flip_vertical(&mut flipped);
        assert_eq!(flipped.rgb(), picture().rgb());
    }

    #[test]
    fn colours_jitter_within_bounds_and_differ_by_seed() {
        let config = AugmentConfig {
            brightness: 0.2,
            contrast: 0.2,
            saturation: 0.2,
            hue: 0.1,
            ..AugmentConfig::default()
        };
        let jittered = |seed| {
            let mut changed = picture();
            jitter(&mut changed, &config, &mut ChaCha8Rng::seed_from_u64(seed));
            changed
        };
        assert_ne!(jittered(1).rgb(), picture().rgb());
        assert_ne!(jittered(1).rgb(), jittered(2).rgb());
        assert_eq!(jittered(3).rgb(), jittered(3).rgb());
    }

    #[test]
    fn without_jitter_no_byte_changes() {
        let mut same = picture();
        let off = AugmentConfig {
            brightness: 0.0,
            contrast: 0.0,
            saturation: 0.0,
            hue: 0.0,
            ..AugmentConfig::default()
        };
        jitter(&mut same, &off, &mut ChaCha8Rng::seed_from_u64(1));
        assert_eq!(same.rgb(), picture().rgb());
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
