//! Pictures drawn from code, with captions, so that the demonstration needs no download.
//!
//! Two families: [`aerial`] scenes, the domain that the demonstration learns, and [`general`]
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

/// The classes that [`aerial`] draws from, all equally likely.
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
