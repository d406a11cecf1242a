//! The cases of `fixtures/pictures`, and how far from Pillow is still equal.
#![allow(dead_code, reason = "not every test uses every part")]
#![allow(clippy::print_stderr, reason = "a test says how close it came")]

use std::path::{Path, PathBuf};

use finelens_clip::{Decoder, Picture};
use serde::Deserialize;

/// How the pixels were stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Lossless,
    Jpeg,
    Webp,
}

/// One picture.
#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    pub(crate) file: String,
    pub(crate) kind: Kind,
    pub(crate) configs: Vec<String>,
    pub(crate) background: Option<[u8; 3]>,
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/pictures")
}

pub(crate) fn cases() -> Vec<Case> {
    #[derive(Deserialize)]
    struct File {
        cases: Vec<Case>,
    }
    let file: File = serde_json::from_slice(&bytes("cases.json")).unwrap();
    assert!(file.cases.len() > 70, "only {} cases", file.cases.len());
    file.cases
}

pub(crate) fn bytes(file: &str) -> Vec<u8> {
    fs_err::read(folder().join(file)).unwrap()
}

pub(crate) fn decoder(case: &Case) -> Decoder {
    Decoder { background: case.background.unwrap_or([0; 3]), ..Decoder::default() }
}

/// What Pillow made of it; read by `image` alone, not by the code under test.
pub(crate) fn expected(case: &Case, what: &str) -> Picture {
    let path = folder().join("expected").join(format!("{}.{what}.png", case.file));
    let image = image::open(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .into_rgb8();
    Picture::new(image.width() as usize, image.height() as usize, image.into_raw())
}

/// How many values differ by how much, for each kind.
#[derive(Default)]
pub(crate) struct Tally([Vec<u64>; 3]);

impl Tally {
    pub(crate) fn add(&mut self, case: &Case, what: &str, picture: &Picture, expected: &Picture) {
        let (size, wanted) =
            ((picture.width(), picture.height()), (expected.width(), expected.height()));
        assert_eq!(size, wanted, "{} {what}", case.file);
        let of = &mut self.0[case.kind as usize];
        of.resize(256, 0);
        let mut worst = 0;
        for (a, b) in picture.rgb().iter().zip(expected.rgb()) {
            worst = worst.max(a.abs_diff(*b));
            of[usize::from(a.abs_diff(*b))] += 1;
        }
        let most = [0, 4, 4][case.kind as usize];
        if worst > most {
            eprintln!("{} {what}: off by up to {worst}", case.file);
        }
    }

    /// Lossless within 1 for 99.9 % of values; JPEG within 2 for 99.9 % and never more than 4; lossy WebP like JPEG.
    pub(crate) fn check(&self) {
        let [lossless, jpeg, webp] = &self.0;
        for (name, counts, near) in
            [("lossless", lossless, 1), ("JPEG", jpeg, 2), ("WebP", webp, 2)]
        {
            let total: u64 = counts.iter().sum();
            let within: u64 = counts.iter().take(near + 1).sum();
            let worst = counts.iter().rposition(|&count| count > 0).unwrap_or(0);
            let exact = counts.first().copied().unwrap_or(0) as f64 / total as f64;
            eprintln!("{name}: {total} values, {:.4} % exact, worst {worst}", exact * 100.0);
            assert!(total > 0, "no {name} values");
            assert!(
                within as f64 >= total as f64 * 0.999,
                "{name}: only {within} of {total} within {near}"
            );
            assert!(worst <= 4, "{name}: off by {worst}");
        }
    }
}
