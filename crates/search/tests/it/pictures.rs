//! Pictures made up from a number: everything about them can be told from their id and version.

use finelens_search::{Fingerprint, Item, Language, Metadata, Place, Record, Settings, Value};

/// Width of the vectors.
pub(crate) const DIM: usize = 48;

/// Settings of an index of such pictures.
pub(crate) fn settings(model: &str) -> Settings {
    Settings {
        dim: DIM,
        model: Fingerprint { hash: model.to_owned(), name: model.to_owned() },
        language: Language::English,
        text_fields: Vec::new(),
    }
}

/// A number that looks random, from two others.
///
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014), the finaliser of `SplitMix64`.
pub(crate) fn mix(a: u64, b: u64) -> u64 {
    let mut x = a.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(b);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// A unit vector that only this number has.
pub(crate) fn vector(number: u64) -> Vec<f32> {
    let part = |i: usize| (mix(number, i as u64) >> 40) as f32 / (1 << 23) as f32 - 1.0;
    let raw: Vec<f32> = (0..DIM).map(part).collect();
    let length = raw.iter().map(|x| x * x).sum::<f32>().sqrt();
    raw.iter().map(|x| x / length).collect()
}

/// The id of a picture.
pub(crate) fn id(number: u64) -> String {
    format!("folder/picture-{number}.jpg")
}

/// A word that only this version of this picture has in its caption.
pub(crate) fn own_word(number: u64, version: u64) -> String {
    format!("own{number}v{version}")
}

/// A picture; another version of it has another vector and other words.
pub(crate) fn item(number: u64, version: u64) -> Item {
    let colour = ["red", "green", "blue"][(mix(number, version) % 3) as usize];
    let metadata = Metadata::from([
        ("number".to_owned(), Value::Number(number as f64)),
        ("colour".to_owned(), Value::Text(colour.to_owned())),
    ]);
    let place = Place {
        root: "pictures".to_owned(),
        path: id(number),
        bytes: number,
        modified_ns: version as i64,
        crc: 7,
    };
    let record = Record {
        id: id(number),
        place: Some(place),
        captions: vec![
            format!("a {colour} field {}", own_word(number, version)),
            "seen from above".to_owned(),
        ],
        metadata,
        thumbnail: Some(vec![number as u8; 40 + (number % 60) as usize]),
    };
    Item { record, vector: vector(mix(number, version)) }
}
