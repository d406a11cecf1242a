//! Ten steps of AdamW, against PyTorch's in f64; the values are made by `fixtures/make_golden.py`.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;

use finelens_clip::config::Config;
use finelens_clip::{Batch, Learning, Model, TokenBatch, weights};
use finelens_compute::{Cpu, DType, Span};
use finelens_finetune::Optimizer;
use finelens_finetune::config::OptimizerConfig;
use safetensors::SafeTensors;

const ALL: Learning = Learning { vision: true, text: true, recompute: false };
const LEARNING_RATE: f32 = 1e-3;

fn floats(file: &SafeTensors<'_>, name: &str) -> Vec<f32> {
    let bytes = file.tensor(name).unwrap().data().to_vec();
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
}

fn tokens(file: &SafeTensors<'_>, config: &Config) -> TokenBatch {
    let view = file.tensor("input_ids").unwrap();
    let ids: Vec<u32> = view
        .data()
        .chunks_exact(8)
        .map(|b| i64::from_le_bytes(b.try_into().unwrap()) as u32)
        .collect();
    let length = view.shape()[1];
    TokenBatch::padded(&ids.chunks(length).collect::<Vec<_>>(), length, &config.text)
}

fn value(model: &mut Model, span: Span) -> f32 {
    let mut value = [0.0];
    model.device().read(span, &mut value).unwrap();
    value[0]
}

#[test]
fn ten_steps_of_adamw_agree_with_pytorch() {
    for case in ["end_by_id", "end_by_arg_max"] {
        let dir =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/golden").join(case);
        let bytes = fs_err::read(dir.join("golden.safetensors")).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let config = Config::load(&dir).unwrap();
        let tokens = tokens(&file, &config);
        let pixels = floats(&file, "pixel_values");
        let groups: Vec<u32> = (0..tokens.batch as u32).collect();
        let batch = Batch { pixels: &pixels, tokens: &tokens, groups: &groups };
        let tensors = weights::load(&dir, &config).unwrap();
        let mut model = Model::new(config, tensors, Box::new(Cpu::new())).unwrap();
        let optimizer = Optimizer::new(&mut model, &OptimizerConfig::default(), ALL).unwrap();
        let loss = model.device().alloc(1, DType::F32).unwrap();

        let (losses, norms) = (floats(&file, "adamw.losses"), floats(&file, "adamw.norms"));
        for (i, right) in losses.iter().enumerate() {
            let gradients = model.gradients().unwrap();
            model.device().fill(gradients, 0.0);
            model.forward_backward(&batch, ALL, loss).unwrap();
            let ours = value(&mut model, loss);
            assert!((ours - right).abs() < 2e-5, "{case}, step {i}: {ours} off {right}");
            if let Some(right) = norms.get(i) {
                optimizer.step(&mut model, i + 1, LEARNING_RATE).unwrap();
                let ours = value(&mut model, optimizer.grad_norm());
                assert!(
                    (ours - right).abs() < 1e-3 * right,
                    "{case}, step {i}: norm {ours} off {right}"
                );
            }
        }
        compare_weights(&file, &mut model);
    }
}

fn compare_weights(file: &SafeTensors<'_>, model: &mut Model) {
    let weights = model.weights();
    let ours = model.named(weights).unwrap();
    let names: Vec<String> = file
        .names()
        .into_iter()
        .filter_map(|n| n.strip_prefix("adamw.after.").map(Into::into))
        .collect();
    assert!(!names.is_empty());
    for name in names {
        let right = floats(file, &format!("adamw.after.{name}"));
        for (a, b) in ours[&name].data.iter().zip(&right) {
            assert!((a - b).abs() < 1e-4 * b.abs().max(1.0), "{name}: {a} off {b}");
        }
    }
}
