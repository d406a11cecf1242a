//! Drawings on disk: a folder that `finelens` opens like any other data set.
//!
//! `images/ID.png` and one line per picture in `captions.jsonl`, with `image`, `captions` and `split`.

use super::Drawing;
use anyhow::{Context, Result};
use rayon::prelude::*;
use serde::Serialize;
use std::{io::Write, ops::Range, path::Path};

/// One line of `captions.jsonl`.
#[derive(Serialize)]
struct Row<'a> {
    image: String,
    captions: Vec<String>,
    split: &'a str,
}

/// Draws the indices of every named split and writes pictures and captions under `dir`.
///
/// Pictures are PNG, so that a data set has the same bytes wherever its pixels do. Drawing and writing
/// use all threads of the current rayon pool; the lines come in the order of the indices. Returns how
/// many pictures were written.
pub fn write_dataset(
    dir: &Path,
    splits: &[(&str, Range<u64>)],
    draw: impl Fn(u64) -> Drawing + Sync,
) -> Result<usize> {
    let images = dir.join("images");
    fs_err::create_dir_all(&images)?;
    let mut lines = std::io::BufWriter::new(fs_err::File::create(dir.join("captions.jsonl"))?);
    let mut written = 0;
    for (split, indices) in splits {
        let write = |index| write_picture(&images, split, draw(index));
        let rows: Vec<Row> = indices.clone().into_par_iter().map(write).collect::<Result<_>>()?;
        for row in &rows {
            serde_json::to_writer(&mut lines, row)?;
            lines.write_all(b"\n")?;
        }
        written += rows.len();
    }
    lines.flush()?;
    Ok(written)
}

fn write_picture<'a>(images: &Path, split: &'a str, drawing: Drawing) -> Result<Row<'a>> {
    let name = format!("{}.png", drawing.id);
    let path = images.join(&name);
    drawing.image.save(&path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(Row { image: format!("images/{name}"), captions: drawing.captions, split })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_picture_has_a_file_and_a_line_with_its_split() {
        let dir = tempfile::tempdir().unwrap();
        let draw = |index| crate::scenes::aerial(1, index, 32);
        let written = write_dataset(dir.path(), &[("train", 0..3), ("test", 3..5)], draw).unwrap();
        assert_eq!(written, 5);
        let text = fs_err::read_to_string(dir.path().join("captions.jsonl")).unwrap();
        let rows: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows.iter().filter(|row| row["split"] == "train").count(), 3);
        for (index, row) in rows.iter().enumerate() {
            let image = image::open(dir.path().join(row["image"].as_str().unwrap())).unwrap();
            assert_eq!(image.to_rgb8(), draw(index as u64).image);
            assert_eq!(row["captions"].as_array().unwrap().len(), 5);
        }
    }
}
