//! Reads one tiny model out of every file format and compares it with what Python wrote.
//!
//! The files are made by `fixtures/make_weights.py`; what is done with the weights is not tested here.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use finelens_clip::Error;
use finelens_clip::config::{Activation, Config, Pooling};
use finelens_clip::tensors::{Tensor, Tensors, expected_tensors};
use finelens_clip::{init, weights};
use proptest::prelude::*;
use serde_json::Value;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/weights")
}

fn load(dir: &Path) -> Result<Tensors, Error> {
    weights::load(dir, &Config::load(dir)?)
}

/// The tensors are those that Python had, by shape, sum and three values.
fn assert_equal_to_python(directory: &str, group: &str) {
    let tensors = load(&fixtures().join(directory)).unwrap();
    let json = fs_err::read_to_string(fixtures().join("expected.json")).unwrap();
    let json: Value = serde_json::from_str(&json).unwrap();
    let facts = json[group].as_object().unwrap();
    assert!(facts.len() >= 8);
    for (name, fact) in facts {
        assert_equal(&tensors[name], fact, &format!("{directory}: {name}"));
    }
}

fn assert_equal(tensor: &Tensor, fact: &Value, which: &str) {
    let data = &tensor.data;
    assert_eq!(serde_json::json!(tensor.shape), fact["shape"], "{which}");
    let some = fact["some"].as_array().unwrap();
    for (index, expected) in [0, data.len() / 3, data.len() - 1].into_iter().zip(some) {
        assert_eq!(data[index].to_bits(), (expected.as_f64().unwrap() as f32).to_bits(), "{which}");
    }
    let sum: f64 = data.iter().map(|x| f64::from(*x)).sum();
    assert!((sum - fact["sum"].as_f64().unwrap()).abs() < 1e-6, "{which}: {sum}");
}

#[test]
fn every_format_of_one_model_gives_the_values_that_python_has() {
    for (directory, group) in [
        ("safetensors", "f32"),
        ("sharded", "f32"),
        ("pickle-views", "f32"),
        ("pickle-f16", "f16"),
        ("pickle-sharded", "f16"),
        ("pickle-before-1.6", "f16"),
        ("pickle-bf16", "bf16"),
        ("safetensors-bf16", "bf16"),
        ("open-clip", "open-clip"),
        ("open-clip-pickle", "open-clip"),
    ] {
        assert_equal_to_python(directory, group);
    }
}

#[test]
fn the_configurations_of_both_libraries_are_understood() {
    let config = Config::load(&fixtures().join("safetensors")).unwrap();
    assert_eq!((config.embed_dim, config.vision.tokens(), config.text.context_length), (24, 5, 12));
    assert_eq!(
        (config.text.tower.activation, config.text.tower.layer_norm_eps),
        (Activation::Gelu, 1e-6)
    );
    assert_eq!(
        (config.vision.tower.activation, config.text.pooling),
        (Activation::QuickGelu, Pooling::EndToken(59))
    );
    let other = Config::load(&fixtures().join("open-clip")).unwrap();
    assert_eq!((other.vision.tower.heads, other.vision.tower.mlp_width), (2, 32));
    assert_eq!((other.text.tower.mlp_width, other.text.pooling), (64, Pooling::ArgMax));
}

#[test]
fn open_clip_weights_in_a_hugging_face_directory_are_recognised_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let other = fixtures().join("open-clip");
    let config = Config::load(&other).unwrap();
    fs_err::write(dir.path().join("config.json"), config.to_json().unwrap()).unwrap();
    fs_err::copy(other.join("open_clip_model.safetensors"), dir.path().join("model.safetensors"))
        .unwrap();
    assert_eq!(load(dir.path()).unwrap(), load(&other).unwrap());
}

#[test]
fn what_is_saved_reads_back_bit_for_bit() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config::load(&fixtures().join("safetensors")).unwrap();
    let tensors = init::random(&config, 3);
    weights::save_safetensors(dir.path(), &tensors).unwrap();
    assert_eq!(weights::load(dir.path(), &config).unwrap(), tensors);
    let names: Vec<_> =
        fs_err::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["model.safetensors"]);
}

/// The error of loading tensors that were changed after they fitted.
fn error_after(change: impl FnOnce(&mut Tensors)) -> String {
    let dir = tempfile::tempdir().unwrap();
    let config = Config::load(&fixtures().join("safetensors")).unwrap();
    let mut tensors = init::random(&config, 3);
    change(&mut tensors);
    weights::save_safetensors(dir.path(), &tensors).unwrap();
    let error = weights::load(dir.path(), &config).unwrap_err().to_string();
    error.replace(&dir.path().display().to_string(), "DIR")
}

#[test]
fn names_and_shapes_that_do_not_fit_are_listed() {
    let error = error_after(|tensors| {
        tensors.retain(|name, _| !name.starts_with("text_model.encoder.layers.1.mlp"));
        tensors.insert("logit_bias".to_owned(), Tensor { shape: vec![1], data: vec![0.0] });
        let positions = "vision_model.embeddings.position_embedding.weight";
        tensors.insert(positions.to_owned(), Tensor { shape: vec![10, 16], data: vec![0.0; 160] });
    });
    assert_eq!(
        error,
        "DIR/model.safetensors: the weights do not fit the configuration: \
         4 missing: text_model.encoder.layers.1.mlp.fc1.bias, text_model.encoder.layers.1.mlp.fc1.weight, \
         text_model.encoder.layers.1.mlp.fc2.bias, …; 1 unexpected: logit_bias; 1 of another shape: \
         vision_model.embeddings.position_embedding.weight (expected [5, 16], found [10, 16]) \
         (positions follow from image_size and patch_size, or from the context length; they are not resized)"
    );
}

#[test]
fn a_weight_that_is_not_a_number_is_named() {
    let error = error_after(|tensors| {
        tensors.get_mut("text_projection.weight").unwrap().data[7] = f32::NAN;
    });
    assert_eq!(
        error,
        "DIR/model.safetensors: text_projection.weight: expected finite numbers, found NaN at position 7"
    );
}

/// A copy of a fixture directory in which one file is replaced.
fn with_file(directory: &str, file: &str, bytes: &[u8]) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs_err::read_dir(fixtures().join(directory)).unwrap() {
        let entry = entry.unwrap();
        fs_err::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    fs_err::write(copy.path().join(file), bytes).unwrap();
    copy
}

fn error_of(dir: &tempfile::TempDir) -> String {
    load(dir.path()).unwrap_err().to_string().replace(&dir.path().display().to_string(), "DIR")
}

#[test]
fn wrong_files_are_told_apart() {
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 605247071\n";
    assert_eq!(
        error_of(&with_file("safetensors", "model.safetensors", pointer)),
        "DIR/model.safetensors: it is a Git LFS pointer and not the file itself; run `git lfs pull` where it came from"
    );
    let error = error_of(&with_file("safetensors", "model.safetensors", b"<!doctype html>"));
    assert!(error.starts_with("DIR/model.safetensors: not a whole safetensors file: "), "{error}");
    let error = error_of(&with_file("pickle-f16", "pytorch_model.bin", b"<!doctype html>"));
    assert!(
        error.starts_with("DIR/pytorch_model.bin: not a file that torch.save wrote: "),
        "{error}"
    );
    let outside = br#"{"weight_map": {"logit_scale": "../../etc/passwd"}}"#;
    assert_eq!(
        error_of(&with_file("sharded", "model.safetensors.index.json", outside)),
        "DIR/model.safetensors.index.json: weight_map names \"../../etc/passwd\", which is not a file in the same directory"
    );
}

#[test]
fn a_directory_without_weights_says_what_was_looked_for() {
    let dir = tempfile::tempdir().unwrap();
    let error =
        weights::load(dir.path(), &Config::preset("tiny", 9).unwrap()).unwrap_err().to_string();
    assert!(
        error.contains("no weights: none of model.safetensors, model.safetensors.index.json,"),
        "{error}"
    );
}

/// The error for a `config.json` in which one line of a good one is exchanged.
fn config_error(from: &str, to: &str) -> String {
    let good = fs_err::read_to_string(fixtures().join("safetensors/config.json")).unwrap();
    assert!(good.contains(from), "{from}");
    Config::from_json(&good.replacen(from, to, 1), Path::new("config.json"))
        .unwrap_err()
        .to_string()
}

#[test]
fn configurations_of_other_models_are_refused_by_key() {
    for (from, to, expected) in [
        (
            "\"model_type\": \"clip\"",
            "\"model_type\": \"siglip\"",
            "config.json: model_type: expected \"clip\", found \"siglip\"",
        ),
        (
            "\"hidden_act\": \"gelu\"",
            "\"hidden_act\": \"gelu_new\"",
            "config.json: text_config.hidden_act: expected \"quick_gelu\" or \"gelu\", found \"gelu_new\"",
        ),
        (
            "\"num_channels\": 3",
            "\"num_channels\": 4",
            "config.json: vision_config.num_channels: expected 3, since pictures are RGB, found 4",
        ),
        (
            "\"num_attention_heads\": 4",
            "\"num_attention_heads\": 3",
            "config.json: text_config.num_attention_heads: expected a divisor of hidden_size, which is 16, found 3",
        ),
        (
            "\"eos_token_id\": 59",
            "\"eos_token_id\": 60",
            "config.json: text_config.eos_token_id: expected an id below vocab_size, which is 60, found 60",
        ),
        (
            "\"num_hidden_layers\": 2",
            "\"num_hidden_layers\": 1e99",
            "config.json: text_config.num_hidden_layers: expected a whole number from 1 to 1024, found 1e+99",
        ),
        (
            "\"patch_size\": 8",
            "\"patch_size\": [8, 4]",
            "config.json: vision_config.patch_size: expected one side, since pictures and patches are square, found [8,4]",
        ),
    ] {
        assert_eq!(config_error(from, to), expected);
    }
}

#[test]
fn open_clip_settings_beyond_clip_are_refused_by_key() {
    let good = fs_err::read_to_string(fixtures().join("open-clip/open_clip_config.json")).unwrap();
    let error = |from: &str, to: &str| {
        let json = good.replacen(from, to, 1);
        assert_ne!(json, good);
        Config::from_open_clip_json(&json, Path::new("c.json")).unwrap_err().to_string()
    };
    assert_eq!(
        error("\"patch_size\"", "\"timm_model_name\": \"vit_small\", \"patch_size\""),
        "c.json: model_cfg.vision_cfg.timm_model_name: expected no such setting: it is not part of a plain CLIP model, found \"vit_small\""
    );
    assert_eq!(
        error("\"layers\": 2", "\"layers\": [3, 4, 6, 3]"),
        "c.json: model_cfg.vision_cfg.layers: expected a whole number from 1 to 1024, found [3,4,6,3]"
    );
    assert!(
        error("\"context_length\"", "\"no_causal_mask\": true, \"context_length\"")
            .contains("no_causal_mask")
    );
}

#[test]
fn a_configuration_survives_writing_and_reading() {
    let mut config = Config::load(&fixtures().join("safetensors")).unwrap();
    let again = |config: &Config| {
        Config::from_json(&config.to_json().unwrap(), Path::new("config.json")).unwrap()
    };
    assert_eq!(again(&config), config);
    config.text.pooling = Pooling::ArgMax;
    assert_eq!(again(&config), config);
    config.text.pooling = Pooling::EndToken(2);
    let error = config.to_json().unwrap_err().to_string();
    assert!(error.contains("an end token other than 2"), "{error}");
}

#[test]
fn missing_keys_have_the_defaults_of_transformers() {
    let read = |json| Config::from_json(json, Path::new("config.json")).unwrap();
    let mut expected = Config::preset("vit-b-32", 49_408).unwrap();
    assert_eq!(read(r#"{"model_type": "clip"}"#), expected);
    assert_eq!(
        read(r#"{"model_type": "clip", "text_config": null, "vision_config": {}}"#),
        expected
    );
    expected.text.pooling = Pooling::ArgMax;
    expected.vision.patch_size = 16;
    let older = r#"{"model_type": "clip", "text_config": {"eos_token_id": 7}, "text_config_dict": {"eos_token_id": 2},
        "vision_config_dict": {"patch_size": 16}}"#;
    assert_eq!(read(older), expected);
}

#[test]
fn the_number_of_tensors_is_that_of_transformers() {
    let dir = fixtures().join("safetensors");
    let expected = expected_tensors(&Config::load(&dir).unwrap());
    let json = fs_err::read_to_string(fixtures().join("expected.json")).unwrap();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(expected.len(), json["f32"].as_object().unwrap().len());
}

/// A damaged file is read or refused, but nothing panics and nothing is asked for beyond its size.
fn survives(directory: &str, file: &str, damage: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs_err::read(fixtures().join(directory).join(file)).unwrap();
    damage(&mut bytes);
    let _ = load(with_file(directory, file, &bytes).path());
}

const FILES: [(&str, &str); 6] = [
    ("safetensors", "model.safetensors"),
    ("sharded", "model.safetensors.index.json"),
    ("pickle-f16", "pytorch_model.bin"),
    ("pickle-before-1.6", "pytorch_model.bin"),
    ("safetensors", "config.json"),
    ("open-clip", "open_clip_config.json"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn truncated_files_are_refused_without_a_panic((directory, file) in prop::sample::select(&FILES[..]), part in 0.0..1.0) {
        survives(directory, file, |bytes| bytes.truncate((bytes.len() as f64 * part) as usize));
    }

    #[test]
    fn flipped_bits_are_survived(
        (directory, file) in prop::sample::select(&FILES[..]),
        // Headers stand at the start of some formats and at the end of others.
        flips in prop::collection::vec((0.0..1.0_f64, 0..8, prop::sample::select(&[1, 3, 9][..])), 1..6),
        from_end in any::<bool>(),
    ) {
        survives(directory, file, |bytes| {
            for (place, bit, power) in flips {
                let index = (place.powi(power) * (bytes.len() - 1) as f64) as usize;
                let index = if from_end { bytes.len() - 1 - index } else { index };
                bytes[index] ^= 1_u8 << bit;
            }
        });
    }
}
