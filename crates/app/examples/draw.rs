//! Writes a drawn data set: `draw aerial|general TRAIN VALID DIR [SIDE] [SEED]`.
//!
//! The embedded base model is trained on `draw general`; `assets/base/base.toml` says how.

use anyhow::{Context, Result, bail};
use finelens::scenes::{aerial, general, write_dataset};
use std::io::Write;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [family, train, valid, dir, numbers @ ..] = arguments.as_slice() else {
        bail!("usage: draw aerial|general TRAIN VALID DIR [SIDE] [SEED]")
    };
    let draw = match family.as_str() {
        "aerial" => aerial,
        "general" => general,
        other => bail!("{other} is neither aerial nor general"),
    };
    let (train, valid): (u64, u64) = (number(train)?, number(valid)?);
    let side = numbers.first().map_or(Ok(64), |text| number(text))? as u32;
    let seed = numbers.get(1).map_or(Ok(1), |text| number(text))?;
    let splits = [("train", 0..train), ("valid", train..train + valid)];
    let written = write_dataset(dir.as_ref(), &splits, |index| draw(seed, index, side))?;
    writeln!(std::io::stdout(), "{written} drawings in {dir}")?;
    Ok(())
}

fn number(text: &str) -> Result<u64> {
    text.parse().with_context(|| format!("{text}: expected a number"))
}
