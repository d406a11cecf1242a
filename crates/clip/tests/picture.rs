//! Decoded pixels against Pillow, and what happens to pictures that are damaged or too large.
//!
//! Golden values: `fixtures/make_pictures.py`.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test has no users, and may panic")]

mod pillow;

use finelens_clip::{Decoder, PictureError};
use pillow::{Case, Kind, bytes, cases, decoder, expected};
use proptest::prelude::*;

#[test]
fn every_kind_of_picture_decodes_as_pillow_does() {
    let mut differences = pillow::Tally::default();
    for case in cases() {
        let decoded = decoder(&case)
            .decode(&bytes(&case.file))
            .unwrap_or_else(|error| panic!("{}: {error}", case.file));
        differences.add(&case, "decoded", &decoded.picture, &expected(&case, "decoded"));
    }
    differences.check();
}

#[test]
fn deliberate_differences_are_noted() {
    let notes = |file: &str| {
        let decoded = Decoder::default().decode(&bytes(file)).unwrap();
        decoded.notes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(notes("rgb.png"), "");
    assert!(notes("grey-16.png").contains("16-bit"));
    assert!(notes("transparent.gif").contains("transparent"));
    let both = notes("rgba-16.png");
    assert!(both.contains("16-bit") && both.contains("transparent"), "{both}");
}

#[test]
fn too_many_pixels_are_refused_before_they_are_decoded() {
    let decoder = Decoder { max_pixels: 100, ..Decoder::default() };
    for file in ["444-q75.jpg", "rgb.png", "lossless.webp", "rgb-raw.tif", "rgb.bmp", "rgb.gif"] {
        let whole = bytes(file);
        // The pixels are not even there, so only the header can have been read.
        let header = &whole[..whole.len() * 3 / 4];
        let whole = decoder.decode(&whole).unwrap_err();
        assert!(matches!(whole, PictureError::TooLarge { max_pixels: 100, .. }), "{file}: {whole}");
        if !matches!(file, "rgb-raw.tif" | "lossless.webp") {
            let header = decoder.decode(header).unwrap_err();
            assert!(matches!(header, PictureError::TooLarge { .. }), "{file}: {header}");
        }
    }
}

#[test]
fn a_header_that_promises_the_world_costs_nothing() {
    let mut bomb = bytes("rgb.bmp");
    bomb[18..26].copy_from_slice(&[0xFF, 0xFF, 0xFF, 0x0F, 0xFF, 0xFF, 0xFF, 0x0F]);
    let error = Decoder::default().decode(&bomb).unwrap_err();
    assert!(
        matches!(error, PictureError::TooLarge { .. } | PictureError::Corrupt { .. }),
        "{error}"
    );
}

#[test]
fn cut_pictures_are_errors_wherever_they_are_cut() {
    let formats = [
        "444-q75.jpg",
        "420-progressive.jpg",
        "420-noise.jpg",
        "grey.jpg",
        "rgb.png",
        "grey-16.png",
    ];
    let more = [
        "lossless.webp",
        "lossy.webp",
        "rgb-raw.tif",
        "rgb-lzw.tif",
        "rgb.bmp",
        "rgb.gif",
        "palette.tif",
    ];
    for file in formats.into_iter().chain(more) {
        let whole = bytes(file);
        for twentieth in 0..20 {
            let cut = &whole[..whole.len() * twentieth / 20];
            assert!(
                Decoder::default().decode(cut).is_err(),
                "{file} cut to {} of {}",
                cut.len(),
                whole.len()
            );
        }
    }
}

#[test]
fn what_is_no_picture_says_so() {
    for junk in [
        &b""[..],
        b"\xFF",
        b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
        b"id,caption\n1,a cat\n",
    ] {
        let error = Decoder::default().decode(junk).unwrap_err();
        assert!(matches!(error, PictureError::UnknownFormat { .. }), "{error}");
        assert!(
            error.to_string().starts_with("not a JPEG, PNG, WebP, TIFF, BMP or GIF picture"),
            "{error}"
        );
    }
}

#[test]
fn every_case_is_even_exact() {
    let inexact = |case: &Case| {
        let decoded = decoder(case).decode(&bytes(&case.file)).unwrap();
        decoded.picture != expected(case, "decoded")
    };
    let wrong: Vec<_> = cases().into_iter().filter(inexact).map(|case| case.file).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_pictures_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let decoder = Decoder { max_pixels: 1 << 20, ..Decoder::default() };
        for case in cases() {
            let mut bytes = bytes(&case.file);
            for (at, value) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *value;
            }
            if let Ok(decoded) = decoder.decode(&bytes) {
                prop_assert!(decoded.picture.width() * decoded.picture.height() <= 1 << 20);
            }
        }
    }
}

#[test]
fn a_header_says_what_the_picture_turns_out_to_be() {
    for case in cases() {
        let bytes = bytes(&case.file);
        let header = Decoder::default().header(&bytes).unwrap();
        let picture = decoder(&case).decode(&bytes).unwrap().picture;
        let (stored, shown) =
            ([header.width as usize, header.height as usize], [picture.width(), picture.height()]);
        let turned = [stored[1], stored[0]];
        assert!(shown == stored || (!header.upright && shown == turned), "{}", case.file);
        let turned = case.file.starts_with("turned-") && !case.file.starts_with("turned-1");
        assert_eq!(header.upright, !turned, "{}", case.file);
    }
    let small = Decoder { max_pixels: 100, ..Decoder::default() };
    for file in ["444-q75.jpg", "rgb.png", "lossless.webp", "rgb-raw.tif", "rgb.bmp", "rgb.gif"] {
        let error = small.header(&bytes(file)).unwrap_err();
        assert!(matches!(error, PictureError::TooLarge { max_pixels: 100, .. }), "{file}: {error}");
    }
}

#[test]
fn a_frame_header_comes_once() {
    let whole = bytes("444-q75.jpg");
    let frame = whole.windows(2).position(|two| two == [0xFF, 0xC0]).unwrap();
    let length = 2 + usize::from(u16::from_be_bytes([whole[frame + 2], whole[frame + 3]]));
    let twice = [&whole[..frame + length], &whole[frame..]].concat();
    let error = Decoder::default().decode(&twice).unwrap_err().to_string();
    assert!(error.contains("two frame headers"), "{error}");
}

#[test]
fn smaller_jpegs_are_exactly_what_libjpeg_gives_at_that_scale() {
    let mut compared = 0;
    for case in cases().iter().filter(|case| case.kind == Kind::Jpeg) {
        for (scale, word) in [(2, "half"), (4, "quarter"), (8, "eighth")] {
            let name = format!("{}.{word}.png", case.file);
            if !pillow::folder().join("expected").join(name).exists() {
                continue;
            }
            let (wanted, whole) = (expected(case, word), expected(case, "decoded"));
            let shorter = wanted.width().min(wanted.height());
            let next = whole.width().min(whole.height()).div_ceil(2 * scale);
            // Of the smallest pictures several scales have sides of one pixel.
            if next < shorter {
                let found = decoder(case).decode_at_least(&bytes(&case.file), shorter);
                compared += 1;
                assert!(found.unwrap().picture == wanted, "{} {word}", case.file);
            }
        }
    }
    assert!(compared > 80, "only {compared}");
}

#[test]
fn a_smaller_jpeg_is_never_smaller_than_asked_for() {
    let whole = bytes("420-q75.jpg"); // 83 x 61
    for least in 1..=70 {
        let picture = Decoder::default().decode_at_least(&whole, least).unwrap().picture;
        let size = (picture.width(), picture.height());
        let wanted = match least {
            1..=8 => (11, 8),
            9..=16 => (21, 16),
            17..=31 => (42, 31),
            _ => (83, 61),
        };
        assert_eq!(size, wanted, "{least}");
    }
}
