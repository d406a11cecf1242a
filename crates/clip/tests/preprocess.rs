//! Preprocessed pixels against `transformers`, and configuration files in all their spellings.
//!
//! Golden values: `fixtures/make_pictures.py`.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test has no users, and may panic")]

mod pillow;

use finelens_clip::{Area, Error, Filter, Picture, Preprocess, resample};
use pillow::{bytes, cases, decoder, expected, folder};

fn config(name: &str) -> Preprocess {
    Preprocess::load(&folder().join("configs").join(name)).unwrap()
}

/// Preprocessing from the text of a `preprocessor_config.json`.
fn parse(text: &str) -> Result<Preprocess, Error> {
    let dir = tempfile::tempdir().unwrap();
    fs_err::write(dir.path().join("preprocessor_config.json"), text).unwrap();
    Preprocess::load(dir.path())
}

fn noise(width: usize, height: usize) -> Picture {
    let mut state = 1u32;
    let mut byte = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    Picture::new(width, height, (0..width * height * 3).map(|_| byte()).collect())
}

#[test]
fn resized_pixels_equal_those_of_transformers() {
    let mut differences = pillow::Tally::default();
    for case in cases() {
        let decoded = decoder(&case).decode(&bytes(&case.file)).unwrap();
        for name in &case.configs {
            differences.add(
                &case,
                name,
                &config(name).resized(&decoded.picture),
                &expected(&case, name),
            );
        }
    }
    differences.check();
}

#[test]
fn from_the_same_pixels_every_resize_is_exact() {
    for case in &cases() {
        let picture = expected(case, "decoded");
        for name in &case.configs {
            let resized = config(name).resized(&picture);
            assert!(resized == expected(case, name), "{} under {name}", case.file);
        }
    }
}

#[test]
fn normalised_values_equal_those_of_transformers() {
    let case = cases().into_iter().find(|case| case.file == "rgb.png").unwrap();
    let golden: Vec<f32> = bytes("expected/rgb.png.clip.f32")
        .chunks_exact(4)
        .map(|of| f32::from_le_bytes(of.try_into().unwrap()))
        .collect();
    let preprocess = config("clip");
    let pixels = preprocess.pixels(&expected(&case, "decoded"));
    assert_eq!(pixels.len(), 3 * 32 * 32);
    assert!(pixels == golden, "bit for bit");
    assert_eq!(Preprocess::clip(32).pixels(&expected(&case, "decoded")), golden);
}

#[test]
fn a_window_of_a_resize_is_the_crop_of_the_whole() {
    let picture = noise(50, 40);
    for filter in [
        Filter::Nearest,
        Filter::Box,
        Filter::Bilinear,
        Filter::Hamming,
        Filter::Bicubic,
        Filter::Lanczos,
    ] {
        let number = [
            Filter::Nearest,
            Filter::Lanczos,
            Filter::Bilinear,
            Filter::Bicubic,
            Filter::Box,
            Filter::Hamming,
        ]
        .iter()
        .position(|of| *of == filter)
        .unwrap();
        for (edge, crop) in [(16, 11), (64, 33)] {
            let text = format!(r#"{{"size": {edge}, "crop_size": {crop}, "resample": {number}}}"#);
            let whole = resample(&picture, Area::of(&picture), edge * 50 / 40, edge, filter);
            let (left, top) = ((whole.width() - crop) / 2, (edge - crop) / 2);
            let cropped = whole.crop(left..left + crop, top..top + crop);
            assert!(parse(&text).unwrap().resized(&picture) == cropped, "{filter:?} {edge} {crop}");
        }
    }
}

#[test]
fn an_area_between_pixels_is_resampled_from_all_around_it() {
    let picture =
        Picture::new(4, 1, [0, 80, 160, 240].iter().flat_map(|&grey| [grey; 3]).collect());
    let area = Area { x: 0.5, y: 0.0, width: 3.0, height: 1.0 };
    let halfway = resample(&picture, area, 3, 1, Filter::Bilinear);
    assert_eq!(halfway.rgb().iter().step_by(3).copied().collect::<Vec<_>>(), [40, 120, 200]);
}

#[test]
fn a_picture_of_one_by_65535_costs_no_memory() {
    for (width, height) in [(1, 65_535), (65_535, 1)] {
        let pixels = Preprocess::clip(224).pixels(&noise(width, height));
        assert_eq!(pixels.len(), 3 * 224 * 224);
    }
}

#[test]
fn the_same_file_is_written_back() {
    let source = folder().join("configs/saved/preprocessor_config.json");
    let dir = tempfile::tempdir().unwrap();
    config("saved").save(dir.path()).unwrap();
    let read = |path| {
        serde_json::from_str::<serde_json::Value>(&fs_err::read_to_string(path).unwrap()).unwrap()
    };
    let written = dir.path().join("preprocessor_config.json");
    assert_eq!(read(written), read(source));
    assert_eq!(Preprocess::load(dir.path()).unwrap(), config("saved"));
}

#[test]
fn every_spelling_of_a_size_is_understood() {
    let size = |text: &str| parse(text).unwrap().size();
    assert_eq!(size("{}"), 224);
    assert_eq!(size(r#"{"size": 336, "crop_size": 336}"#), 336);
    assert_eq!(
        size(r#"{"size": {"shortest_edge": 40, "height": null}, "crop_size": [30, 30]}"#),
        30
    );
    assert_eq!(size(r#"{"size": {"height": 50, "width": 50}, "do_center_crop": false}"#), 50);
    assert_eq!(size(r#"{"feature_extractor_type": "CLIPFeatureExtractor", "size": 224}"#), 224);
    assert_eq!(parse(r#"{"background": [1, 2, 3]}"#).unwrap().decoder().background, [1, 2, 3]);
}

#[test]
fn the_combined_file_of_newer_versions_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let text =
        r#"{"processor_class": "CLIPProcessor", "image_processor": {"size": 48, "crop_size": 48}}"#;
    fs_err::write(dir.path().join("processor_config.json"), text).unwrap();
    assert_eq!(Preprocess::load(dir.path()).unwrap().size(), 48);
}

#[test]
fn what_is_not_known_is_refused_by_name() {
    let refused = [
        (r#"{"size": {"longest_edge": 224}}"#, "size"),
        (r#"{"size": {"shortest_edge": 224, "longest_edge": 500}}"#, "size"),
        (r#"{"size": 0}"#, "size"),
        (r#"{"crop_size": {"height": 224, "width": 200}}"#, "crop_size"),
        (r#"{"crop_size": {"shortest_edge": 224}}"#, "crop_size"),
        (r#"{"do_center_crop": false}"#, "do_center_crop"),
        (r#"{"do_center_crop": false, "size": {"height": 1, "width": 2}}"#, "size"),
        (r#"{"do_center_crop": "yes"}"#, "do_center_crop"),
        (r#"{"resample": 9}"#, "resample"),
        (r#"{"resample": "bicubic"}"#, "resample"),
        (r#"{"image_mean": [0.5, 0.5]}"#, "image_mean"),
        (r#"{"image_std": [1, 0, 1]}"#, "image_std"),
        (r#"{"rescale_factor": "x"}"#, "rescale_factor"),
        (r#"{"image_processor_type": "ViTImageProcessor"}"#, "image_processor_type"),
        (r#"{"do_pad": true}"#, "do_pad"),
        (r#"{"background": [300, 0, 0]}"#, "background"),
        ("[]", "the file"),
    ];
    for (text, wrong) in refused {
        match parse(text).unwrap_err() {
            Error::Config { path, key, .. } => {
                assert!(path.ends_with("preprocessor_config.json"), "{text}");
                assert_eq!(key, wrong, "{text}");
            }
            other => panic!("{text}: {other}"),
        }
    }
}
