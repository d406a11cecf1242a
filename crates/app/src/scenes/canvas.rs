//! A square of pixels addressed in the unit square: thin helpers over `tiny-skia`.
//!
//! It knows outlines and colours; what they depict is the business of the scenes.

use super::palette::Colour;
use super::shape::{Point, distance};
use image::RgbImage;
use tiny_skia::{
    FillRule, LineCap, LineJoin, Mask, Paint, Path, PathBuilder, Pixmap, PremultipliedColorU8,
    Shader, Stroke, StrokeDash, Transform,
};

/// The picture being drawn; later strokes cover earlier ones.
pub(crate) struct Canvas {
    pixels: Pixmap,
    side: f32,
}

impl Canvas {
    /// A black square.
    pub(crate) fn new(side_px: u32) -> Self {
        let pixels = Pixmap::new(side_px, side_px).expect("a picture is at least one pixel wide");
        Self { pixels, side: side_px as f32 }
    }

    /// The size of a pixel in the unit square.
    pub(crate) fn pixel(&self) -> f32 {
        1.0 / self.side
    }

    /// Gives every pixel the colour of its centre.
    pub(crate) fn cover(&mut self, colour_at: impl Fn(f32, f32) -> Colour) {
        let side = self.side as usize;
        let scale = self.pixel();
        for (i, pixel) in self.pixels.pixels_mut().iter_mut().enumerate() {
            let (x, y) = ((i % side) as f32 + 0.5, (i / side) as f32 + 0.5);
            *pixel = opaque(colour_at(x * scale, y * scale));
        }
    }

    /// Changes every pixel as a function of its place and colour.
    pub(crate) fn adjust(&mut self, change: impl Fn(f32, f32, Colour) -> Colour) {
        let side = self.side as usize;
        let scale = self.pixel();
        for (i, pixel) in self.pixels.pixels_mut().iter_mut().enumerate() {
            let (x, y) = ((i % side) as f32 + 0.5, (i / side) as f32 + 0.5);
            *pixel = opaque(change(x * scale, y * scale, colour_of(*pixel)));
        }
    }

    /// Fills one outline.
    pub(crate) fn fill(&mut self, outline: &[Point], colour: Colour) {
        self.fill_all(&[outline], colour);
    }

    /// Fills the union of several outlines, evenly even where the colour is transparent.
    pub(crate) fn fill_all<O: AsRef<[Point]>>(&mut self, outlines: &[O], colour: Colour) {
        if let Some(path) = union(outlines) {
            let zoom = Transform::from_scale(self.side, self.side);
            self.pixels.fill_path(&path, &paint(colour), FillRule::Winding, zoom, None);
        }
    }

    /// Fills one outline with a colour that varies from place to place.
    pub(crate) fn texture(&mut self, outline: &[Point], colour_at: impl Fn(f32, f32) -> Colour) {
        let Some(path) = union(&[outline]) else { return };
        let side = self.side as u32;
        let mut mask = Mask::new(side, side).expect("the canvas has the same size");
        mask.fill_path(&path, FillRule::Winding, true, Transform::from_scale(self.side, self.side));
        let scale = self.pixel();
        for (i, &cover) in mask.data().iter().enumerate() {
            if cover > 0 {
                let (x, y) = (i % side as usize, i / side as usize);
                let colour = colour_at((x as f32 + 0.5) * scale, (y as f32 + 0.5) * scale);
                let pixel = &mut self.pixels.pixels_mut()[i];
                *pixel = over(*pixel, colour, f32::from(cover) / 255.0);
            }
        }
    }

    /// Draws a line through `points`.
    pub(crate) fn line(&mut self, points: &[Point], width: f32, colour: Colour) {
        self.stroke(points, width, colour, LineCap::Round, None);
    }

    /// Draws a line through `points` that ends square, for roads and beams.
    pub(crate) fn bar(&mut self, points: &[Point], width: f32, colour: Colour) {
        self.stroke(points, width, colour, LineCap::Butt, None);
    }

    /// Draws a broken line with dashes and gaps of the given lengths.
    pub(crate) fn dashes(
        &mut self,
        points: &[Point],
        width: f32,
        (dash, gap): Point,
        colour: Colour,
    ) {
        let pattern = StrokeDash::new(vec![dash, gap], 0.0);
        self.stroke(points, width, colour, LineCap::Butt, pattern);
    }

    /// Draws the closed line around an outline.
    pub(crate) fn outline(&mut self, points: &[Point], width: f32, colour: Colour) {
        let mut closed = points.to_vec();
        closed.extend(points.iter().take(2));
        self.bar(&closed, width, colour);
    }

    /// Fills a disc; a hundred small ones cost less than one path of that many circles.
    pub(crate) fn disc(&mut self, centre: Point, radius: f32, colour: Colour) {
        let (x, y, r) = (centre.0 * self.side, centre.1 * self.side, radius * self.side);
        let limit = self.side as i32;
        let rows = ((y - r - 1.0) as i32).max(0)..((y + r + 2.0) as i32).min(limit);
        let columns = ((x - r - 1.0) as i32).max(0)..((x + r + 2.0) as i32).min(limit);
        for row in rows {
            for column in columns.clone() {
                let away = distance((column as f32 + 0.5, row as f32 + 0.5), (x, y));
                let cover = (r + 0.5 - away).clamp(0.0, 1.0);
                if cover > 0.0 {
                    let pixel = &mut self.pixels.pixels_mut()[(row * limit + column) as usize];
                    *pixel = over(*pixel, colour, cover);
                }
            }
        }
    }

    /// The finished picture.
    pub(crate) fn into_image(self) -> RgbImage {
        let (width, height) = (self.pixels.width(), self.pixels.height());
        let bytes =
            self.pixels.pixels().iter().flat_map(|p| [p.red(), p.green(), p.blue()]).collect();
        RgbImage::from_raw(width, height, bytes).expect("three bytes per pixel")
    }

    fn stroke(
        &mut self,
        points: &[Point],
        width: f32,
        colour: Colour,
        cap: LineCap,
        dash: Option<StrokeDash>,
    ) {
        let stroke =
            Stroke { width, line_cap: cap, line_join: LineJoin::Round, dash, ..Stroke::default() };
        let zoom = Transform::from_scale(self.side, self.side);
        let mut builder = PathBuilder::new();
        points.iter().take(1).for_each(|p| builder.move_to(p.0, p.1));
        points.iter().skip(1).for_each(|p| builder.line_to(p.0, p.1));
        if let Some(path) = builder.finish() {
            self.pixels.stroke_path(&path, &paint(colour), &stroke, zoom, None);
        }
    }
}

/// One path around all outlines, all turned the same way, so that overlaps never cancel out.
fn union<O: AsRef<[Point]>>(outlines: &[O]) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for outline in outlines.iter().map(AsRef::as_ref).filter(|outline| outline.len() > 2) {
        let flip = signed_area(outline) < 0.0;
        let corner = |i: usize| outline[if flip { outline.len() - 1 - i } else { i }];
        builder.move_to(corner(0).0, corner(0).1);
        (1..outline.len()).for_each(|i| builder.line_to(corner(i).0, corner(i).1));
        builder.close();
    }
    builder.finish()
}

fn signed_area(outline: &[Point]) -> f32 {
    let next = outline.iter().cycle().skip(1);
    outline.iter().zip(next).map(|(a, b)| a.0 * b.1 - b.0 * a.1).sum()
}

fn paint(colour: Colour) -> Paint<'static> {
    let [r, g, b, a] = [colour.r, colour.g, colour.b, colour.a].map(|part| part.clamp(0.0, 1.0));
    let solid = tiny_skia::Color::from_rgba(r, g, b, a).expect("every part lies in 0..=1");
    Paint { shader: Shader::SolidColor(solid), anti_alias: true, ..Paint::default() }
}

fn opaque(colour: Colour) -> PremultipliedColorU8 {
    let byte = |part: f32| (part.clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
    PremultipliedColorU8::from_rgba(byte(colour.r), byte(colour.g), byte(colour.b), 255)
        .expect("opaque colours are always valid")
}

fn colour_of(pixel: PremultipliedColorU8) -> Colour {
    let part = |byte: u8| f32::from(byte) / 255.0;
    Colour { r: part(pixel.red()), g: part(pixel.green()), b: part(pixel.blue()), a: 1.0 }
}

fn over(below: PremultipliedColorU8, colour: Colour, cover: f32) -> PremultipliedColorU8 {
    opaque(colour_of(below).mix(colour, cover * colour.a))
}
