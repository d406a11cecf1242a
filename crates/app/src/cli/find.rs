//! What can be typed after `find`.

use std::path::PathBuf;

use clap::Args;

/// `finelens find`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Find {
    /// Picture to look into: a file, or with `--index` the id of a picture in it.
    #[arg(value_name = "IMAGE")]
    pub(crate) image: String,
    /// What to look for, in words; best a thing, such as `a red boat`.
    #[arg(required = true, value_name = "FEATURE")]
    pub(crate) feature: Vec<String>,
    /// Compare with pictures of this index, with its model: the answer then has a known rate of false alarms.
    ///
    /// The first time, some of its pictures go through the model, which is kept in its folder.
    #[arg(long, value_name = "INDEX")]
    pub(crate) index: Option<PathBuf>,
    /// Model to look with: a folder, a run, or a hub id `org/name[@revision]`.
    ///
    /// Default: the index's own, or without an index openai/clip-vit-base-patch32. Without an index the feature is
    /// compared with other things that a picture may show.
    #[arg(long, value_name = "DIR|RUN|HUB-ID")]
    pub(crate) model: Option<String>,
    /// Places to show.
    #[arg(short = 'k', long, value_name = "N", default_value_t = 5,
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(0..=64))]
    pub(crate) boxes: usize,
    /// How often the answer may be "found" for a picture without the feature, from 0 to 1; needs `--index`.
    #[arg(long, value_name = "RATE", requires = "index", default_value_t = crate::finding::FALSE_ALARM, value_parser = rate)]
    pub(crate) false_alarm: f64,
    /// Write the picture with a heat map and numbered boxes to this PNG file.
    #[arg(long, value_name = "FILE.png")]
    pub(crate) out: Option<PathBuf>,
    /// Print everything as one JSON object instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

const EXAMPLES: &str = "\
Examples:
  finelens find port.jpg a boat --index photos.index
  finelens find port.jpg a boat --index photos.index --out boat.png
  finelens find photo.jpg \"a red umbrella\" --model openai/clip-vit-base-patch32

Exit status 1 says that it is not in the picture.";

fn rate(text: &str) -> Result<f64, &'static str> {
    let told = "expected a rate above 0 and below 1, such as 0.05";
    let rate: f64 = text.parse().map_err(|_| told)?;
    if rate > 0.0 && rate < 1.0 { Ok(rate) } else { Err(told) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_lies_between_never_and_always() {
        assert_eq!(rate("0.05"), Ok(0.05));
        for text in ["0", "1", "5%", "NaN", "-0.1"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }
}
