//! A private folder, and the real binary run in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use finelens::scenes;

/// A folder that is deleted when the test ends.
pub(crate) struct Folder {
    dir: tempfile::TempDir,
}

impl Folder {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// One with a drawn data set in `data`.
    pub(crate) fn with_scenes(train: u64, valid: u64) -> Self {
        let folder = Self::new();
        let splits = [("train", 0..train), ("valid", train..train + valid)];
        let draw = |index| scenes::aerial(3, index, 32);
        scenes::write_dataset(&folder.path("data"), &splits, draw).unwrap();
        folder
    }

    /// A path in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file, and the folders above it.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, content).unwrap();
        self
    }

    /// A picture of one colour.
    pub(crate) fn picture(&self, name: &str) -> &Self {
        let mut png = std::io::Cursor::new(Vec::new());
        image::RgbImage::from_pixel(8, 8, image::Rgb([90, 140, 60]))
            .write_to(&mut png, image::ImageFormat::Png)
            .unwrap();
        self.write(name, png.into_inner())
    }

    /// A tiny model in `model`, its vocabulary learned from `data`.
    pub(crate) fn init(&self) -> &Self {
        let words = [
            "init",
            "model",
            "--preset",
            "tiny",
            "--image-size",
            "32",
            "--vocab-from",
            "data",
            "--vocab-size",
            "600",
        ];
        self.succeeds(&words);
        self
    }

    /// The command, ready to be run: in this folder, hub unreachable, no colours, 80 columns.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_finelens"));
        command.args(words).current_dir(self.dir.path()).stdin(Stdio::null());
        command
            .env("HF_HOME", self.path("hub"))
            .env("HF_ENDPOINT", "http://127.0.0.1:9")
            .env_remove("HF_HUB_OFFLINE");
        command.env("NO_COLOR", "1").env("COLUMNS", "80");
        // The same numbers on every processor.
        command.env("FINELENS_PRECISION", "f32");
        command
    }

    /// Runs the command to its end.
    pub(crate) fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// Runs the command and returns what it printed as data.
    pub(crate) fn succeeds(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?}\n{}", self.shown(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Exit status and both streams, with the folder's own path taken out.
    pub(crate) fn shown(&self, output: &Output) -> String {
        let [out, err] = [&output.stdout, &output.stderr].map(|stream| self.without_path(stream));
        format!(
            "exit {}\n-- stdout\n{out}-- stderr\n{err}",
            output.status.code().map_or("by signal".to_owned(), |code| code.to_string())
        )
    }

    fn without_path(&self, stream: &[u8]) -> String {
        let text = String::from_utf8_lossy(stream).into_owned();
        let canonical = fs_err::canonicalize(self.dir.path()).unwrap();
        let without =
            |text: String, path: &Path| text.replace(&path.display().to_string(), "[DIR]");
        without(without(text, &canonical), self.dir.path())
    }
}
