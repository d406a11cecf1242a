//! Writes down the first batches of a training run, so that another program can train on the same.
//!
//! Each file `batch_00000.safetensors` holds `pixels` (B, 3, S, S), `tokens` (B, T), `groups` (B), `step` (1, from 1) and
//! `learning_rate` (1). Batches are made anew from the run's settings: they are always the same.
//!
//! ```sh
//! cargo run --release -p finelens-finetune --example dump_batches -- DATA MODEL RUN/run.toml COUNT OUT
//! ```
#![allow(clippy::unwrap_used, reason = "an example for developers")]

use std::collections::BTreeMap;
use std::path::Path;

use finelens_clip::{Checkpoint, Embedder};
use finelens_compute::Cpu;
use finelens_data::{Options, Split};
use finelens_finetune::batches::{Batches, Prepared};
use finelens_finetune::{TrainConfig, learning_rate};
use safetensors::Dtype;
use safetensors::tensor::TensorView;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [data, model, settings, count, out] = arguments.as_slice() else {
        return Err("usage: dump_batches DATA MODEL RUN/run.toml COUNT OUT".into());
    };
    let config = read_config(Path::new(settings))?;
    let dataset = finelens_data::open(Path::new(data), &Options::default())?;
    let examples = dataset.split(Split::Train);
    let embedder = Embedder::new(Checkpoint::load(Path::new(model))?, Box::new(Cpu::new()))?;
    let batches = Batches::new(&config, &examples, &embedder);
    let steps = config.epochs * batches.steps_per_epoch();
    fs_err::create_dir_all(out)?;
    for number in 0..steps.min(count.parse()?) {
        let batch = batches.prepare(number, &batches.visits(number));
        let path = Path::new(out).join(format!("batch_{number:05}.safetensors"));
        write(&path, &batch, number, learning_rate(&config.optimizer, number, steps))?;
    }
    Ok(())
}

/// The training settings of a `run.toml`, without its model and data.
fn read_config(path: &Path) -> Result<TrainConfig, Box<dyn std::error::Error>> {
    let mut table: toml::Table = fs_err::read_to_string(path)?.parse()?;
    table.remove("model");
    table.remove("data");
    Ok(table.try_into()?)
}

fn write(
    path: &Path,
    batch: &Prepared,
    number: usize,
    rate: f32,
) -> Result<(), Box<dyn std::error::Error>> {
    let n = batch.groups.len();
    let side = ((batch.pixels.len() / (3 * n)) as f64).sqrt().round() as usize;
    let floats = |values: &[f32]| values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    let integers = |values: &[u32]| {
        values.iter().flat_map(|x| i64::from(*x).to_le_bytes()).collect::<Vec<u8>>()
    };
    let parts = [
        ("pixels", Dtype::F32, vec![n, 3, side, side], floats(&batch.pixels)),
        ("tokens", Dtype::I64, vec![n, batch.tokens.tokens], integers(&batch.tokens.ids)),
        ("groups", Dtype::I64, vec![n], integers(&batch.groups)),
        ("step", Dtype::I64, vec![1], integers(&[number as u32 + 1])),
        ("learning_rate", Dtype::F32, vec![1], floats(&[rate])),
    ];
    let mut views = BTreeMap::new();
    for (name, dtype, shape, bytes) in &parts {
        views.insert(*name, TensorView::new(*dtype, shape.clone(), bytes)?);
    }
    Ok(fs_err::write(path, safetensors::serialize(views, None)?)?)
}
