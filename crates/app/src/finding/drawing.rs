//! The picture with a heat map over it, numbered boxes, and a bar that says what the colours mean.

mod glyphs;

use anyhow::Context;
use finelens_clip::{Area, Filter, Picture, resample};
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use tiny_skia::{
    Color, FillRule, GradientStop, LinearGradient, Paint, PathBuilder, Pixmap, Point, Rect,
    SpreadMode, Stroke, Transform,
};

use super::answer::{Found, Map, Place};

/// The longer side of the drawing lies between these.
const SIDES: [usize; 2] = [768, 1600];

/// Height of the bar beneath the picture.
const LEGEND: f32 = 64.0;

/// Colours of the map's values: a value, red, green, blue, and how much of the picture they cover.
///
/// Own choice, in the order of matplotlib's "inferno", which stays in order for those who see few colours.
const COLOURS: [(f32, [u8; 3], f32); 6] = [
    (0.0, [10, 8, 38], 0.5),
    (0.3, [66, 10, 104], 0.46),
    (0.55, [147, 38, 103], 0.42),
    (0.75, [221, 81, 58], 0.42),
    (0.9, [252, 165, 10], 0.45),
    (1.0, [252, 255, 164], 0.5),
];

/// A PNG of the picture with what was found.
///
/// # Errors
/// A picture too long and thin to be drawn.
pub(crate) fn drawn(picture: &Picture, found: &Found) -> anyhow::Result<Vec<u8>> {
    let picture = enlarged(picture);
    let (width, height) = (picture.width(), picture.height());
    let mut canvas = Pixmap::new(width as u32, height as u32 + LEGEND as u32)
        .context("the picture is too large to be drawn")?;
    canvas.fill(Color::from_rgba8(24, 24, 27, 255));
    under_heat(&mut canvas, &picture, &found.map);
    let scale = width as f32 / found.width as f32;
    for (rank, place) in found.boxes.iter().enumerate().rev() {
        outline(&mut canvas, place, rank + 1, scale);
    }
    legend(&mut canvas, height as f32);
    png(&canvas)
}

/// Nothing shows through, so colours need not be divided by anything.
fn png(canvas: &Pixmap) -> anyhow::Result<Vec<u8>> {
    let rgb: Vec<u8> = canvas
        .pixels()
        .iter()
        .flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()])
        .collect();
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes).write_image(
        &rgb,
        canvas.width(),
        canvas.height(),
        ExtendedColorType::Rgb8,
    )?;
    Ok(bytes)
}

/// At a size at which lines and numbers can be read.
fn enlarged(picture: &Picture) -> Picture {
    let longer = picture.width().max(picture.height());
    let wanted = longer.clamp(SIDES[0], SIDES[1]);
    let side = |side: usize| (side * wanted).div_ceil(longer);
    resample(
        picture,
        Area::of(picture),
        side(picture.width()),
        side(picture.height()),
        Filter::Bicubic,
    )
}

fn under_heat(canvas: &mut Pixmap, picture: &Picture, map: &Map) {
    let width = picture.width();
    for (at, (pixel, rgb)) in
        canvas.pixels_mut().iter_mut().zip(picture.rgb().chunks_exact(3)).enumerate()
    {
        let across = (at % width) as f32 / width as f32;
        let down = (at / width) as f32 / picture.height() as f32;
        let (colour, cover) = heat(between(map, across, down));
        let mixed = |channel: usize| {
            let (below, above) = (f32::from(rgb[channel]), f32::from(colour[channel]));
            (below + (above - below) * cover) as u8
        };
        *pixel = tiny_skia::ColorU8::from_rgba(mixed(0), mixed(1), mixed(2), 255).premultiply();
    }
}

/// The map between its cells' centres.
fn between(map: &Map, across: f32, down: f32) -> f32 {
    let place = |share: f32, cells: usize| {
        let at = (share * cells as f32 - 0.5).clamp(0.0, (cells - 1) as f32);
        (at as usize, (at as usize + 1).min(cells - 1), at.fract())
    };
    let (left, right, x) = place(across, map.columns);
    let (top, bottom, y) = place(down, map.rows);
    let value = |row: usize, column: usize| map.values[row * map.columns + column];
    let row = |row: usize| value(row, left) * (1.0 - x) + value(row, right) * x;
    row(top) * (1.0 - y) + row(bottom) * y
}

/// The colour of a value, and how much of the picture it covers.
fn heat(value: f32) -> ([u8; 3], f32) {
    let next =
        COLOURS.iter().position(|colour| colour.0 >= value).unwrap_or(COLOURS.len() - 1).max(1);
    let (from, to) = (COLOURS[next - 1], COLOURS[next]);
    let share = ((value - from.0) / (to.0 - from.0)).clamp(0.0, 1.0);
    let mix = |a: f32, b: f32| a + (b - a) * share;
    let rgb = std::array::from_fn(|i| mix(f32::from(from.1[i]), f32::from(to.1[i])) as u8);
    (rgb, mix(from.2, to.2))
}

/// A white frame with a dark rim, which shows on any ground, and its number on a plate.
fn outline(canvas: &mut Pixmap, place: &Place, rank: usize, scale: f32) {
    let [x, y, width, height] =
        [place.x, place.y, place.width, place.height].map(|side| side as f32 * scale);
    let inset = 3.0_f32.min(width / 4.0).min(height / 4.0);
    let Some(frame) =
        Rect::from_xywh(x + inset, y + inset, width - 2.0 * inset, height - 2.0 * inset)
    else {
        return;
    };
    let path = PathBuilder::from_rect(frame);
    for (grey, thickness) in [(0, 6.0), (255, 3.0)] {
        let stroke = Stroke { width: thickness, ..Stroke::default() };
        canvas.stroke_path(&path, &plain(grey, 1.0), &stroke, Transform::identity(), None);
    }
    let text = rank.to_string();
    let plate_width = glyphs::width(&text, 18.0) + 16.0;
    let Some(plate) = Rect::from_xywh(frame.x(), frame.y(), plate_width, 30.0) else { return };
    canvas.fill_rect(plate, &plain(255, 1.0), Transform::identity(), None);
    glyphs::draw(canvas, &text, (frame.x() + 8.0, frame.y() + 6.0), 18.0, &plain(20, 1.0));
}

fn plain(grey: u8, alpha: f32) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(grey, grey, grey, (alpha * 255.0) as u8);
    paint
}

/// The bar of colours: how many of a hundred others fit worse, from the middle of them on.
fn legend(canvas: &mut Pixmap, top: f32) {
    let margin = 24.0;
    let width = canvas.width() as f32 - 2.0 * margin;
    let Some(bar) = Rect::from_xywh(margin, top + 14.0, width.max(1.0), 14.0) else { return };
    let stop = |(place, [r, g, b], _): (f32, [u8; 3], f32)| {
        GradientStop::new(place, Color::from_rgba8(r, g, b, 255))
    };
    let ends = [Point::from_xy(margin, 0.0), Point::from_xy(margin + width, 0.0)];
    let stops = COLOURS.map(stop).to_vec();
    let shader =
        LinearGradient::new(ends[0], ends[1], stops, SpreadMode::Pad, Transform::identity());
    let Some(shader) = shader else { return };
    canvas.fill_path(
        &PathBuilder::from_rect(bar),
        &Paint { shader, ..Paint::default() },
        FillRule::Winding,
        Transform::identity(),
        None,
    );
    for percent in [50, 75, 90, 100] {
        let x = margin + width * (percent - 50) as f32 / 50.0;
        let tick = Rect::from_xywh(x - 0.5, top + 28.0, 1.0, 6.0);
        if let Some(tick) = tick {
            canvas.fill_rect(tick, &plain(200, 1.0), Transform::identity(), None);
        }
        let text = format!("{percent}%");
        let wide = glyphs::width(&text, 13.0);
        let left = (x - wide / 2.0).clamp(4.0, canvas.width() as f32 - wide - 4.0);
        glyphs::draw(canvas, &text, (left, top + 38.0), 13.0, &plain(220, 1.0));
    }
}
