//! The small base model that ships inside the binary.
//!
//! Trained by this program on general drawings, none of them seen from above; `assets/base/base.toml` says how.

use std::path::Path;

use finelens_clip::Checkpoint;

/// The files of its folder. The weights are f16, half the size.
const FILES: [(&str, &[u8]); 4] = [
    ("config.json", include_bytes!("../assets/base/config.json")),
    ("preprocessor_config.json", include_bytes!("../assets/base/preprocessor_config.json")),
    ("tokenizer.json", include_bytes!("../assets/base/tokenizer.json")),
    ("model.safetensors", include_bytes!("../assets/base/model.safetensors")),
];

/// Writes the folder and reads it, like any other model.
pub(crate) fn unpack(dir: &Path) -> anyhow::Result<Checkpoint> {
    fs_err::create_dir_all(dir)?;
    for (name, bytes) in FILES {
        fs_err::write(dir.join(name), bytes)?;
    }
    Ok(Checkpoint::load(dir)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_is_a_whole_model() {
        let dir = tempfile::tempdir().unwrap();
        let base = unpack(dir.path()).unwrap();
        assert_eq!(base.preprocess.size(), base.config.vision.image_size);
    }
}
