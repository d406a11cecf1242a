//! Draws a grid of pictures into one PNG: `contact_sheet aerial|general OUT [COLUMNS ROWS SIDE SEED]`.
//!
//! The captions go to standard output, one line each.

use anyhow::{Context, Result, bail};
use finelens::scenes::{aerial, general};
use image::{GenericImage, RgbImage};
use std::io::Write;

/// Pixels between two pictures.
const GAP: u32 = 2;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [family, out, numbers @ ..] = arguments.as_slice() else {
        bail!("usage: aerial|general OUT")
    };
    let number = |i: usize, default: u32| numbers.get(i).map_or(Ok(default), |text| text.parse());
    let (columns, rows, side) = (number(0, 8)?, number(1, 6)?, number(2, 112)?);
    let seed = u64::from(number(3, 7)?);
    let draw = match family.as_str() {
        "aerial" => aerial,
        "general" => general,
        other => bail!("{other} is neither aerial nor general"),
    };
    let step = side + GAP;
    let mut sheet =
        RgbImage::from_pixel(columns * step - GAP, rows * step - GAP, image::Rgb([255; 3]));
    let mut listing = std::io::stdout().lock();
    for index in 0..columns * rows {
        let drawing = draw(seed, index.into(), side);
        sheet.copy_from(&drawing.image, index % columns * step, index / columns * step)?;
        for caption in &drawing.captions {
            writeln!(listing, "{}\t{caption}", drawing.id)?;
        }
    }
    sheet.save(out).with_context(|| format!("cannot write {out}"))
}
