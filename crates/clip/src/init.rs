//! Weights of a model that has not seen anything yet.
//!
//! Every tensor draws from a stream of its own, so that a tensor does not change when another one is
//! added before it or drawn on another thread.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use crate::config::{Config, Tower};
use crate::tensors::{Tensor, Tensors, expected_tensors};

/// Fresh weights; the same seed gives the same bits.
///
/// Source: `CLIP.initialize_parameters` and `VisionTransformer.__init__` in openai/CLIP,
/// `clip/model.py`, with the rule of the text tower's blocks for both towers, as in transformers. The
/// patch embedding has the spread that PyTorch gives a convolution, in normal form.
pub fn random(config: &Config, seed: u64) -> Tensors {
    let draw = |(stream, (name, shape)): (usize, (String, Vec<usize>))| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream as u64);
        let count = shape.iter().product();
        let data = match start(config, &name) {
            Start::Constant(value) => vec![value; count],
            Start::Normal(deviation) => normal(&mut rng, deviation, count),
        };
        (name, Tensor { shape, data })
    };
    expected_tensors(config).into_iter().enumerate().map(draw).collect()
}

/// How the values of a tensor start.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Start {
    Constant(f32),
    /// Normal around zero with this standard deviation.
    Normal(f64),
}

fn start(config: &Config, name: &str) -> Start {
    let tower = if name.starts_with("vision") || name.starts_with("visual") {
        &config.vision.tower
    } else {
        &config.text.tower
    };
    let by_width = (tower.width as f64).powf(-0.5);
    let patch_inputs = (3 * config.vision.patch_size.pow(2)) as f64;
    match name {
        "logit_scale" => Start::Constant(config.logit_scale_init),
        "visual_projection.weight" | "text_projection.weight" => Start::Normal(by_width),
        "vision_model.embeddings.patch_embedding.weight" => {
            Start::Normal((3.0 * patch_inputs).powf(-0.5))
        }
        "text_model.embeddings.token_embedding.weight" => Start::Normal(0.02),
        "text_model.embeddings.position_embedding.weight" => Start::Normal(0.01),
        _ if name.starts_with("vision_model.embeddings.") => Start::Normal(by_width),
        _ if name.ends_with("bias") => Start::Constant(0.0),
        _ => block_start(tower, name),
    }
}

/// Weights inside a block; what is left besides are the layer norms.
fn block_start(tower: &Tower, name: &str) -> Start {
    let by_width = (tower.width as f64).powf(-0.5);
    // What is added to the residual stream, twice in every block, shrinks with depth.
    let by_depth = (2.0 * tower.layers as f64).powf(-0.5);
    let ends_with = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    if ends_with(&["q_proj.weight", "k_proj.weight", "v_proj.weight"]) {
        Start::Normal(by_width)
    } else if ends_with(&["out_proj.weight", "fc2.weight"]) {
        Start::Normal(by_width * by_depth)
    } else if ends_with(&["fc1.weight"]) {
        Start::Normal((2.0 * tower.width as f64).powf(-0.5))
    } else {
        Start::Constant(1.0)
    }
}

/// Normal samples.
///
/// Source: Box and Muller, "A Note on the Generation of Random Normal Deviates" (1958).
fn normal(rng: &mut ChaCha8Rng, deviation: f64, count: usize) -> Vec<f32> {
    let pair = |_| {
        // In (0, 1], so that the logarithm is finite.
        let radius = (-2.0 * (1.0 - uniform(rng)).ln()).sqrt() * deviation;
        let angle = std::f64::consts::TAU * uniform(rng);
        [(radius * angle.cos()) as f32, (radius * angle.sin()) as f32]
    };
    let mut values: Vec<f32> = (0..count.div_ceil(2)).flat_map(pair).collect();
    values.truncate(count);
    values
}

/// A number in [0, 1) with 53 random bits.
fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 * (0.5_f64).powi(53)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deviation(tensor: &Tensor) -> f64 {
        let squares: f64 = tensor.data.iter().map(|x| f64::from(*x).powi(2)).sum();
        (squares / tensor.data.len() as f64).sqrt()
    }

    #[test]
    fn the_same_seed_gives_the_same_bits_and_another_seed_others() {
        let config = Config::preset("tiny", 300).unwrap();
        assert_eq!(random(&config, 7), random(&config, 7));
        assert_ne!(random(&config, 7), random(&config, 8));
    }

    #[test]
    fn no_two_tensors_start_alike() {
        let tensors = random(&Config::preset("tiny", 300).unwrap(), 1);
        let layer = "vision_model.encoder.layers.0.self_attn";
        assert_ne!(
            tensors[&format!("{layer}.q_proj.weight")],
            tensors[&format!("{layer}.k_proj.weight")]
        );
    }

    #[test]
    fn deviations_are_those_of_the_original() {
        let tensors = random(&Config::preset("tiny", 300).unwrap(), 1);
        for (name, expected) in [
            ("text_model.embeddings.token_embedding.weight", 0.02),
            ("vision_model.embeddings.patch_embedding.weight", 1.0 / 576.0_f64.sqrt()),
            ("vision_model.encoder.layers.0.self_attn.q_proj.weight", 1.0 / 128.0_f64.sqrt()),
            ("vision_model.encoder.layers.3.self_attn.out_proj.weight", 1.0 / 1024.0_f64.sqrt()),
            ("text_model.encoder.layers.1.mlp.fc2.weight", 1.0 / 512.0_f64.sqrt()),
            ("text_model.encoder.layers.1.mlp.fc1.weight", 1.0 / 256.0_f64.sqrt()),
            ("visual_projection.weight", 1.0 / 128.0_f64.sqrt()),
        ] {
            let ratio = deviation(&tensors[name]) / expected;
            assert!((ratio - 1.0).abs() < 0.03, "{name}: {ratio}");
        }
        assert_eq!(tensors["logit_scale"].data, [2.6592]);
        assert!(tensors["vision_model.pre_layrnorm.weight"].data.iter().all(|x| *x == 1.0));
        assert!(tensors["text_model.encoder.layers.0.mlp.fc1.bias"].data.iter().all(|x| *x == 0.0));
    }

    #[test]
    fn samples_are_normal() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let values = normal(&mut rng, 1.0, 100_001);
        let share =
            |limit: f32| values.iter().filter(|x| x.abs() < limit).count() as f64 / 100_001.0;
        assert!((share(1.0) - 0.6827).abs() < 0.01 && (share(2.0) - 0.9545).abs() < 0.005);
        assert!(values.iter().sum::<f32>().abs() / 1e5 < 0.02);
    }
}
