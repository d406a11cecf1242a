//! Draws what a search finds before and after fine-tuning: `hits DEMO OUT.png [ROWS]`.
//!
//! DEMO is what `finelens demo --dir DEMO` keeps. A row is a caption of a held-out scene: its best four pictures by the
//! base on the left, by the fine-tuned model on the right, the right one framed. The captions go to stdout.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use finelens_clip::{Checkpoint, Embedder};
use finelens_compute::Cpu;
use finelens_data::{Example, Options, Split};
use finelens_finetune::{Embedded, embed};
use image::{Rgb, RgbImage, imageops};

const HITS: usize = 4;
const GAP: u32 = 6;
/// Between before and after.
const MIDDLE: u32 = 40;
const FRAME: Rgb<u8> = Rgb([0, 170, 60]);

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [demo, out, rows @ ..] = arguments.as_slice() else {
        anyhow::bail!("usage: hits DEMO OUT.png [ROWS]");
    };
    let rows: usize =
        rows.first().map_or(Ok(4), |text| text.parse()).context("ROWS is a number")?;
    let demo = Path::new(demo);
    let dataset = finelens_data::open(&demo.join("data"), &Options::default())?;
    let test = dataset.split(Split::Test);
    let models = [demo.join("base"), demo.join("run/best")];
    let embedded: Vec<Embedded> =
        models.iter().map(|dir| features(dir, &test)).collect::<Result<_>>()?;
    let captions = embedded[0].corpus.captions();
    let queries: Vec<usize> =
        (0..rows).map(|row| (2 * row + 1) * captions.len() / (2 * rows)).collect();
    sheet(&embedded, &test, &queries)?.save(out)?;
    for query in queries {
        writeln!(std::io::stdout(), "{}", captions[query])?;
    }
    Ok(())
}

fn features(dir: &Path, examples: &[&Example]) -> Result<Embedded> {
    let mut embedder = Embedder::new(Checkpoint::load(dir)?, Box::new(Cpu::new()))?;
    Ok(embed(&mut embedder, examples, |_| ())?)
}

fn sheet(embedded: &[Embedded], examples: &[&Example], queries: &[usize]) -> Result<RgbImage> {
    let side = image::open(&examples[0].image)?.width() + GAP;
    let half = HITS as u32 * side;
    let white = Rgb([255, 255, 255]);
    let mut sheet = RgbImage::from_pixel(2 * half + MIDDLE, queries.len() as u32 * side, white);
    for (row, &query) in queries.iter().enumerate() {
        let right = embedded[0].corpus.image_of_text()[query] as usize;
        for (model, left) in embedded.iter().zip([0, half + MIDDLE]) {
            for (place, hit) in best(model, query).into_iter().enumerate() {
                let (x, y) = (left + place as u32 * side, row as u32 * side);
                if hit == right {
                    let frame = RgbImage::from_pixel(side, side, FRAME);
                    imageops::replace(&mut sheet, &frame, i64::from(x), i64::from(y));
                }
                let picture = image::open(&examples[model.examples[hit]].image)?.to_rgb8();
                imageops::replace(
                    &mut sheet,
                    &picture,
                    i64::from(x + GAP / 2),
                    i64::from(y + GAP / 2),
                );
            }
        }
    }
    Ok(sheet)
}

/// The pictures nearest to caption `query`, best first.
fn best(embedded: &Embedded, query: usize) -> Vec<usize> {
    let words = embedded.texts.rows(query..query + 1);
    let score = |i: usize| {
        embedded.images.rows(i..i + 1).iter().zip(words).map(|(a, b)| a * b).sum::<f32>()
    };
    let mut hits: Vec<usize> = (0..embedded.images.len()).collect();
    hits.sort_by(|a, b| score(*b).total_cmp(&score(*a)));
    hits.truncate(HITS);
    hits
}
