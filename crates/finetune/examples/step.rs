//! Times training steps or embeddings of a fresh model, one JSON line for each repeat.
//!
//! `bench/torch_step.py` prints the same lines for PyTorch, and `bench/interleave.py` compares them.
//!
//! ```sh
//! cargo run --release -p finelens-finetune --example step -- step vit-b-32 16 32 5 bf16
//! ```
#![allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::time::Instant;

use finelens_clip::{Batch, Config, Learning, Model, TokenBatch, init};
use finelens_compute::{Cpu, DType, Precision};
use finelens_finetune::Optimizer;
use finelens_finetune::config::OptimizerConfig;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What CLIP's own vocabulary has.
const VOCAB_SIZE: usize = 49_408;
const ALL: Learning = Learning { vision: true, text: true, recompute: false };

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, preset, batch, tokens, repeats, precision] = arguments.as_slice() else {
        return Err("usage: step step|image|text PRESET BATCH TOKENS REPEATS f32|bf16".into());
    };
    let precision = if precision == "bf16" { Precision::Bf16 } else { Precision::F32 };
    let (batch, tokens, repeats): (usize, usize, usize) =
        (batch.parse()?, tokens.parse()?, repeats.parse()?);
    let config = Config::preset(preset, VOCAB_SIZE).ok_or("no such preset")?;
    let mut run = Run::new(&config, batch, tokens, precision)?;
    run.once(what)?;
    for _ in 0..repeats {
        let began = Instant::now();
        run.once(what)?;
        let seconds = began.elapsed().as_secs_f64();
        let (rate, rss) = (batch as f64 / seconds, peak_rss_mib());
        println!(
            r#"{{"what":"{what}","batch":{batch},"tokens":{tokens},"seconds":{seconds:.4},"per_second":{rate:.3},"peak_rss_mib":{rss:.0}}}"#
        );
    }
    Ok(())
}

/// A model and a random batch.
struct Run {
    model: Model,
    optimizer: Option<Optimizer>,
    pixels: Vec<f32>,
    tokens: TokenBatch,
    groups: Vec<u32>,
    steps: usize,
}

impl Run {
    fn new(
        config: &Config,
        batch: usize,
        tokens: usize,
        precision: Precision,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let pixels = (0..batch * 3 * config.vision.image_size.pow(2))
            .map(|_| random.random_range(-2.0..2.0))
            .collect();
        let sequence = |_| (0..tokens).map(|_| random.random_range(0..VOCAB_SIZE as u32)).collect();
        let sequences: Vec<Vec<u32>> = (0..batch).map(sequence).collect();
        let tokens = TokenBatch::padded(&sequences, tokens, &config.text);
        let model =
            Model::new(config.clone(), init::random(config, 1), Box::new(Cpu::with(precision)))?;
        Ok(Self {
            model,
            optimizer: None,
            pixels,
            tokens,
            groups: (0..batch as u32).collect(),
            steps: 0,
        })
    }

    fn once(&mut self, what: &str) -> Result<(), Box<dyn std::error::Error>> {
        match what {
            "step" => self.step()?,
            "image" => drop(self.model.image_features(&self.pixels)?),
            "text" => drop(self.model.text_features(&self.tokens)?),
            _ => return Err("expected step, image or text".into()),
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), Box<dyn std::error::Error>> {
        let gradients = self.model.gradients()?;
        if self.optimizer.is_none() {
            self.optimizer =
                Some(Optimizer::new(&mut self.model, &OptimizerConfig::default(), ALL)?);
        }
        let loss = self.model.device().alloc(1, DType::F32)?;
        self.model.device().fill(gradients, 0.0);
        let batch = Batch { pixels: &self.pixels, tokens: &self.tokens, groups: &self.groups };
        self.model.forward_backward(&batch, ALL, loss)?;
        self.steps += 1;
        if let Some(optimizer) = &self.optimizer {
            optimizer.step(&mut self.model, self.steps, 1e-5)?;
        }
        let mut value = [0.0];
        self.model.device().read(loss, &mut value)?;
        self.model.device().free(loss);
        Ok(())
    }
}

/// The most memory that this process held, where the system tells.
fn peak_rss_mib() -> f64 {
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|l| l.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}
