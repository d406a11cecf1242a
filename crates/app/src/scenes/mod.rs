//! Pictures drawn from code, with captions, so that the demonstration needs no download.
//!
//! Two families: [`aerial()`] scenes, the domain that the demonstration learns, and [`general()`]
//! drawings, on which the small base model is trained beforehand. The second family holds no view
//! from above, so the base model has never seen what it is asked to learn. Nothing here knows a model.

mod aerial;
mod canvas;
mod dataset;
mod dice;
mod general;
mod light;
mod noise;
mod palette;
mod phrase;
mod shape;

pub use dataset::write_dataset;

use canvas::Canvas;
use dice::Dice;
use image::RgbImage;
use noise::Noise;

/// A picture, what it shows, and what five people might have said about it.
#[derive(Debug, Clone)]
pub struct Drawing {
    /// Class and index, such as `storage-tanks_00042`; a file name without its ending.
    pub id: String,
    /// The kind of scene, one of [`aerial_classes`] for aerial scenes.
    pub class: &'static str,
    /// The pixels, square.
    pub image: RgbImage,
    /// Different sentences about this picture, lower case, without a full stop.
    pub captions: Vec<String>,
}

/// Draws the aerial scene that belongs to `seed` and `index`, `side_px` pixels wide and high.
///
/// The captions do not depend on `side_px`, nor a drawing on any other index.
pub fn aerial(seed: u64, index: u64, side_px: u32) -> Drawing {
    draw(aerial::SUBJECTS, Dice::new(seed, index * 2), index, side_px)
}

/// Draws the general drawing that belongs to `seed` and `index`: shapes, patterns, things seen from the side.
///
/// The captions do not depend on `side_px`, nor a drawing on any other index.
pub fn general(seed: u64, index: u64, side_px: u32) -> Drawing {
    draw(general::SUBJECTS, Dice::new(seed, index * 2 + 1), index, side_px)
}

/// The classes that [`aerial()`] draws from, all equally likely.
pub fn aerial_classes() -> &'static [&'static str] {
    &aerial::CLASSES
}

/// A class and the function that draws one picture of it and returns its captions.
type Subject = (&'static str, fn(&mut Scene) -> Vec<String>);

/// A picture in the making and everything that is decided once for the whole of it.
struct Scene {
    canvas: Canvas,
    dice: Dice,
    noise: Noise,
    /// How far the shadow of a thing one unit high falls.
    sun: shape::Point,
}

fn draw(subjects: &[Subject], mut dice: Dice, index: u64, side_px: u32) -> Drawing {
    let (class, paint) = dice.pick(subjects);
    let noise = Noise::new(&mut dice);
    let (south, east) = dice.between(0.0, std::f32::consts::TAU).sin_cos();
    let length = dice.between(0.5, 1.1);
    let canvas = Canvas::new(side_px);
    let mut scene = Scene { canvas, dice, noise, sun: (east * length, south * length) };
    let captions = paint(&mut scene);
    scene.develop();
    let image = scene.canvas.into_image();
    Drawing { id: format!("{class}_{index:05}"), class, image, captions }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn drawings(draw: fn(u64, u64, u32) -> Drawing, count: u64) -> Vec<Drawing> {
        (0..count).map(|index| draw(3, index, 48)).collect()
    }

    /// Share of the pictures that have a caption which no other picture has.
    fn distinguished(drawings: &[Drawing]) -> f64 {
        let mut pictures: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for drawing in drawings {
            for caption in &drawing.captions {
                pictures.entry(caption).or_default().insert(&drawing.id);
            }
        }
        let own = |drawing: &&Drawing| {
            drawing.captions.iter().any(|caption| pictures[caption.as_str()].len() == 1)
        };
        drawings.iter().filter(own).count() as f64 / drawings.len() as f64
    }

    /// Standard deviation of the green values, in grey levels.
    fn contrast(image: &RgbImage) -> f64 {
        let greens: Vec<f64> = image.pixels().map(|pixel| f64::from(pixel[1])).collect();
        let mean = greens.iter().sum::<f64>() / greens.len() as f64;
        (greens.iter().map(|green| (green - mean).powi(2)).sum::<f64>() / greens.len() as f64)
            .sqrt()
    }

    fn assert_sound(drawing: &Drawing) {
        assert_eq!(drawing.captions.len(), 5, "{}: {:?}", drawing.id, drawing.captions);
        for caption in &drawing.captions {
            let words = caption.split(' ').count();
            assert!((2..=30).contains(&words), "{}: {caption}", drawing.id);
            assert!(!caption.contains(['[', ']', '{', '}', '<', '>', '|', '(', ')']), "{caption}");
            assert_eq!(*caption, caption.to_lowercase());
            for (article, initials) in [("a", "aeio"), ("an", "bcdfgjklmpqrstvwxyz")] {
                let wrong =
                    caption.split(' ').zip(caption.split(' ').skip(1)).find(|(word, next)| {
                        *word == article && initials.contains(next.chars().next().unwrap_or(' '))
                    });
                assert_eq!(wrong.filter(|(_, next)| !next.starts_with("one")), None, "{caption}");
            }
        }
        assert!(contrast(&drawing.image) > 1.0, "{} is blank", drawing.id);
    }

    #[test]
    fn the_same_seed_and_index_give_the_same_bytes_whatever_was_drawn_before() {
        for draw in [aerial, general] {
            let (first, _, again) = (draw(5, 77, 64), draw(5, 78, 64), draw(5, 77, 64));
            assert_eq!(first.image, again.image);
            assert_eq!(first.captions, again.captions);
            assert_ne!(first.image, draw(6, 77, 64).image);
        }
    }

    #[test]
    fn captions_do_not_depend_on_the_size_of_the_picture() {
        for index in 0..60 {
            assert_eq!(aerial(1, index, 32).captions, aerial(1, index, 200).captions);
            assert_eq!(general(1, index, 32).captions, general(1, index, 200).captions);
        }
    }

    #[test]
    fn aerial_scenes_reach_every_class_and_are_sound() {
        let drawings = drawings(aerial, 600);
        drawings.iter().for_each(assert_sound);
        let reached: BTreeSet<&str> = drawings.iter().map(|drawing| drawing.class).collect();
        assert_eq!(reached, aerial_classes().iter().copied().collect());
    }

    #[test]
    fn general_drawings_are_sound() {
        drawings(general, 1500).iter().for_each(assert_sound);
    }

    #[test]
    fn nearly_every_aerial_scene_has_a_caption_of_its_own() {
        let share = distinguished(&drawings(aerial, 500));
        assert!(share >= 0.9, "{share}");
    }

    #[test]
    fn most_general_drawings_have_a_caption_of_their_own() {
        let share = distinguished(&drawings(general, 2000));
        assert!(share >= 0.9, "{share}");
    }
}
