//! Features, loss and every gradient, against values computed by transformers in f64.
//!
//! The values are made by `fixtures/make_golden.py`.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;

use finelens_clip::config::Config;
use finelens_clip::tensors::Tensors;
use finelens_clip::{Batch, Learning, Model, TokenBatch, weights};
use finelens_compute::{Cpu, DType, Precision};
use safetensors::SafeTensors;

const ALL: Learning = Learning { vision: true, text: true, recompute: false };

struct Golden {
    dir: PathBuf,
    bytes: Vec<u8>,
}

impl Golden {
    fn open(case: &str) -> Self {
        let dir =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/golden").join(case);
        let bytes = fs_err::read(dir.join("golden.safetensors")).unwrap();
        Self { dir, bytes }
    }

    fn model(&self) -> Model {
        self.model_in(Precision::F32)
    }

    fn model_in(&self, precision: Precision) -> Model {
        let config = Config::load(&self.dir).unwrap();
        let tensors = weights::load(&self.dir, &config).unwrap();
        Model::new(config, tensors, Box::new(Cpu::with(precision))).unwrap()
    }

    fn floats(&self, name: &str) -> Vec<f32> {
        let file = SafeTensors::deserialize(&self.bytes).unwrap();
        let bytes = file.tensor(name).unwrap().data().to_vec();
        bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
    }

    fn integers(&self, name: &str) -> Vec<u32> {
        let file = SafeTensors::deserialize(&self.bytes).unwrap();
        let bytes = file.tensor(name).unwrap().data().to_vec();
        bytes.chunks_exact(8).map(|b| i64::from_le_bytes(b.try_into().unwrap()) as u32).collect()
    }

    fn tokens(&self, model: &Model) -> TokenBatch {
        let file = SafeTensors::deserialize(&self.bytes).unwrap();
        let length = file.tensor("input_ids").unwrap().shape()[1];
        let ids = self.integers("input_ids");
        let sequences: Vec<&[u32]> = ids.chunks(length).collect();
        TokenBatch::padded(&sequences, length, &model.config().text)
    }

    /// Loss and gradients of one pass.
    fn pass(&self, groups: &[u32], learning: Learning) -> (f32, Tensors) {
        self.pass_in(Precision::F32, groups, learning)
    }

    fn pass_in(&self, precision: Precision, groups: &[u32], learning: Learning) -> (f32, Tensors) {
        let mut model = self.model_in(precision);
        let (pixels, tokens) = (self.floats("pixel_values"), self.tokens(&model));
        let loss = model.device().alloc(1, DType::F32).unwrap();
        model
            .forward_backward(&Batch { pixels: &pixels, tokens: &tokens, groups }, learning, loss)
            .unwrap();
        let mut value = [0.0];
        model.device().read(loss, &mut value).unwrap();
        let gradients = model.gradients().unwrap();
        (value[0], model.named(gradients).unwrap())
    }

    fn compare(&self, prefix: &str, gradients: &Tensors) {
        let right = |name: &String| self.floats(&format!("{prefix}{name}"));
        let square = |x: &[f32]| x.iter().map(|x| f64::from(x * x)).sum::<f64>();
        let all: f64 = gradients.keys().map(|name| square(&right(name))).sum::<f64>().sqrt();
        for (name, ours) in gradients {
            let right = right(name);
            let difference: Vec<f32> = ours.data.iter().zip(&right).map(|(a, b)| a - b).collect();
            let (off, size) = (square(&difference).sqrt(), square(&right).sqrt());
            // A gradient that is zero in theory has no direction: it is held to the size of all together.
            let bound = if size < 1e-6 * all { 1e-6 * all } else { 1e-4 * size };
            assert!(off <= bound, "{name}: {off} off {size}");
        }
    }
}

fn distinct(golden: &Golden) -> Vec<u32> {
    (0..golden.integers("groups").len() as u32).collect()
}

#[test]
fn features_agree_with_transformers() {
    for case in ["end_by_id", "end_by_arg_max"] {
        let golden = Golden::open(case);
        let mut model = golden.model();
        let tokens = golden.tokens(&model);
        let images = model.image_features(&golden.floats("pixel_values")).unwrap();
        close(&images, &golden.floats("image_features"));
        close(&model.text_features(&tokens).unwrap(), &golden.floats("text_features"));
    }
}

fn close(ours: &[f32], right: &[f32]) {
    assert_eq!(ours.len(), right.len());
    let largest = ours.iter().zip(right).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(largest < 5e-6, "largest difference {largest}");
}

#[test]
fn loss_and_all_gradients_agree_with_transformers() {
    for case in ["end_by_id", "end_by_arg_max"] {
        let golden = Golden::open(case);
        let (loss, gradients) = golden.pass(&distinct(&golden), ALL);
        assert!((loss - golden.floats("loss")[0]).abs() < 1e-5);
        golden.compare("grad.", &gradients);
        let (loss, gradients) = golden.pass(&golden.integers("groups"), ALL);
        assert!((loss - golden.floats("grouped.loss")[0]).abs() < 1e-5);
        golden.compare("grouped.grad.", &gradients);
    }
}

#[test]
fn computing_blocks_again_changes_no_bit() {
    let golden = Golden::open("end_by_id");
    for precision in [Precision::F32, Precision::Bf16] {
        let pass = |learning| golden.pass_in(precision, &distinct(&golden), learning);
        assert_eq!(pass(Learning { recompute: true, ..ALL }), pass(ALL));
    }
}

#[test]
fn a_frozen_tower_gets_no_gradients_and_the_other_the_same() {
    let golden = Golden::open("end_by_id");
    let (_, all) = golden.pass(&distinct(&golden), ALL);
    let (_, text) = golden.pass(&distinct(&golden), Learning { vision: false, ..ALL });
    for (name, gradient) in &text {
        if name.starts_with("visi") || name.starts_with("visual") {
            assert!(gradient.data.iter().all(|g| *g == 0.0), "{name}");
        } else {
            assert_eq!(gradient, &all[name], "{name}");
        }
    }
}

#[test]
fn trimming_a_batch_changes_no_feature() {
    let golden = Golden::open("end_by_id");
    let mut model = golden.model();
    let end = 98; // Whatever ends them: the same sequences once short, once padded to the whole context.
    let sequences = [vec![97, 5, 6, end], vec![97, end], vec![97, 1, 2, 3, 4, end]];
    let text = model.config().text.clone();
    let (short, full) = (
        TokenBatch::new(&sequences, &text),
        TokenBatch::padded(&sequences, text.context_length, &text),
    );
    assert!(short.tokens < full.tokens);
    close(&model.text_features(&short).unwrap(), &model.text_features(&full).unwrap());
}

#[test]
fn weights_come_back_as_they_went_in() {
    let golden = Golden::open("end_by_arg_max");
    let mut model = golden.model();
    let (weights, config) = (model.weights(), model.config().clone());
    assert_eq!(
        model.named(weights).unwrap(),
        finelens_clip::weights::load(&golden.dir, &config).unwrap()
    );
}

#[test]
fn larger_and_smaller_batches_follow_each_other() {
    let golden = Golden::open("end_by_id");
    let mut model = golden.model();
    let pixels = golden.floats("pixel_values");
    let each = pixels.len() / 6;
    let one = model.image_features(&pixels[..each]).unwrap();
    let all = model.image_features(&pixels).unwrap();
    close(&one, &all[..one.len()]);
    close(&model.image_features(&pixels[..2 * each]).unwrap(), &all[..2 * one.len()]);
}

#[test]
fn in_bf16_features_point_where_those_of_transformers_do() {
    for case in ["end_by_id", "end_by_arg_max"] {
        let golden = Golden::open(case);
        let mut model = golden.model_in(Precision::Bf16);
        let images = model.image_features(&golden.floats("pixel_values")).unwrap();
        let tokens = golden.tokens(&model);
        let texts = model.text_features(&tokens).unwrap();
        let dim = model.config().embed_dim;
        for (ours, right) in
            [(images, golden.floats("image_features")), (texts, golden.floats("text_features"))]
        {
            for (ours, right) in ours.chunks(dim).zip(right.chunks(dim)) {
                let cosine: f32 = ours.iter().zip(right).map(|(a, b)| a * b).sum();
                assert!(cosine > 0.999, "{case}: {cosine}");
            }
        }
    }
}
