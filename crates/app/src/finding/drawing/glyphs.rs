//! Digits and the percent sign as strokes: all the letters that a drawing needs, without a font.

use std::f32::consts::PI;

use tiny_skia::{LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Stroke, Transform};

/// Width of a letter as a share of its height.
const WIDTH: f32 = 0.56;

/// Room between letters, as a share of their height.
const GAP: f32 = 0.2;

/// Thickness of a stroke, as a share of the height.
const WEIGHT: f32 = 0.13;

/// How wide a text is at this height.
pub(super) fn width(text: &str, height: f32) -> f32 {
    let advances = text.chars().map(|letter| advance(letter) + GAP);
    (advances.sum::<f32>() - GAP).max(0.0) * height
}

fn advance(letter: char) -> f32 {
    match letter {
        '%' => 0.9,
        '1' => 0.34,
        _ => WIDTH,
    }
}

/// Draws a text with its upper left corner at a place.
pub(super) fn draw(
    canvas: &mut Pixmap,
    text: &str,
    at: (f32, f32),
    height: f32,
    paint: &Paint<'_>,
) {
    let stroke = Stroke {
        width: WEIGHT * height,
        line_cap: LineCap::Round,
        line_join: LineJoin::Round,
        ..Stroke::default()
    };
    let mut left = at.0;
    for letter in text.chars() {
        if let Some(path) = glyph(letter).and_then(|path| {
            path.transform(Transform::from_scale(height, height).post_translate(left, at.1))
        }) {
            canvas.stroke_path(&path, paint, &stroke, Transform::identity(), None);
        }
        left += (advance(letter) + GAP) * height;
    }
}

/// The strokes of a letter, in a box of height 1.
fn glyph(letter: char) -> Option<Path> {
    let mut pen = Pen(PathBuilder::new());
    match letter {
        '0' => pen.oval((0.28, 0.5), (0.28, 0.5), 0.0, 2.0),
        '1' => pen.line(&[(0.02, 0.22), (0.24, 0.0), (0.24, 1.0)]),
        '2' => {
            pen.oval((0.28, 0.28), (0.26, 0.28), -1.0, 0.22);
            pen.on(&[(0.02, 1.0), (0.56, 1.0)]);
        }
        '3' => {
            pen.oval((0.27, 0.25), (0.24, 0.25), -0.9, 0.5);
            pen.oval((0.27, 0.74), (0.28, 0.26), -0.5, 0.9);
        }
        '4' => pen.line(&[(0.56, 0.72), (0.0, 0.72), (0.4, 0.0), (0.4, 1.0)]),
        '5' => {
            pen.line(&[(0.5, 0.0), (0.08, 0.0), (0.05, 0.46)]);
            pen.oval((0.26, 0.69), (0.3, 0.31), -0.72, 0.82);
        }
        '6' => {
            pen.oval((0.28, 0.69), (0.27, 0.31), 0.0, 2.0);
            pen.line(&[(0.04, 0.58), (0.4, 0.0)]);
        }
        '7' => pen.line(&[(0.0, 0.0), (0.55, 0.0), (0.18, 1.0)]),
        '8' => {
            pen.oval((0.28, 0.25), (0.23, 0.24), 0.0, 2.0);
            pen.oval((0.28, 0.74), (0.28, 0.26), 0.0, 2.0);
        }
        '9' => {
            pen.oval((0.28, 0.31), (0.27, 0.31), 0.0, 2.0);
            pen.line(&[(0.52, 0.42), (0.16, 1.0)]);
        }
        '%' => {
            pen.oval((0.19, 0.24), (0.17, 0.22), 0.0, 2.0);
            pen.oval((0.71, 0.76), (0.17, 0.22), 0.0, 2.0);
            pen.line(&[(0.74, 0.02), (0.16, 0.98)]);
        }
        _ => return None,
    }
    pen.0.finish()
}

struct Pen(PathBuilder);

impl Pen {
    fn line(&mut self, points: &[(f32, f32)]) {
        if let Some((first, rest)) = points.split_first() {
            self.0.move_to(first.0, first.1);
            self.on(rest);
        }
    }

    fn on(&mut self, points: &[(f32, f32)]) {
        for (x, y) in points {
            self.0.line_to(*x, *y);
        }
    }

    /// Part of an ellipse; angles in half turns, clockwise from the right.
    fn oval(&mut self, centre: (f32, f32), radius: (f32, f32), from: f32, to: f32) {
        const STEPS: usize = 24;
        let point = |step: usize| {
            let angle = PI * (from + (to - from) * step as f32 / STEPS as f32);
            (centre.0 + radius.0 * angle.cos(), centre.1 + radius.1 * angle.sin())
        };
        let points: Vec<(f32, f32)> = (0..=STEPS).map(point).collect();
        self.line(&points);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_that_is_drawn_has_strokes() {
        assert!("0123456789%".chars().all(|letter| glyph(letter).is_some()));
        assert!(glyph('x').is_none());
    }

    #[test]
    fn a_text_is_as_wide_as_its_letters() {
        assert!(width("10", 10.0) < width("20", 10.0));
        assert_eq!(width("", 10.0), 0.0);
    }
}
