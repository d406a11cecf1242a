//! Models by name, from a hub of our own on this machine's loopback.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};

use crate::folder::Folder;

/// Serves the files of a folder as the only model of a hub, `lab/tiny`; returns the address.
fn hub(model: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let model = model.clone();
            std::thread::spawn(move || answer(stream.unwrap(), &model));
        }
    });
    address
}

/// Answers the requests of one connection, in the way that the real hub does.
fn answer(stream: TcpStream, model: &Path) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    loop {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if line.trim().is_empty() {
                break;
            }
            lines.push(line.trim().to_owned());
        }
        let path = lines[0].split(' ').nth(1).unwrap().to_owned();
        let range = lines
            .iter()
            .find_map(|line| line.to_lowercase().strip_prefix("range: bytes=").map(str::to_owned));
        let (head, body) = respond(&path, range.as_deref(), model);
        write!(writer, "{head}content-length: {}\r\n\r\n", body.len()).unwrap();
        writer.write_all(&body).unwrap();
    }
}

fn respond(path: &str, range: Option<&str>, model: &Path) -> (String, Vec<u8>) {
    if path == "/api/models/lab/tiny/revision/main" {
        let files = fs_err::read_dir(model)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let siblings: Vec<_> = files.map(|name| serde_json::json!({ "rfilename": name })).collect();
        let body = serde_json::json!({ "siblings": siblings, "sha": "0123abcd" }).to_string();
        return (
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n".to_owned(),
            body.into_bytes(),
        );
    }
    let Some(bytes) = path
        .strip_prefix("/lab/tiny/resolve/main/")
        .and_then(|name| fs_err::read(model.join(name)).ok())
    else {
        return ("HTTP/1.1 404 Not Found\r\n".to_owned(), Vec::new());
    };
    let (start, end) = range.and_then(|range| range.split_once('-')).unwrap_or(("0", ""));
    let start: usize = start.parse().unwrap();
    let end = end.parse().map_or(bytes.len(), |end: usize| (end + 1).min(bytes.len()));
    let tag = path.rsplit('/').next().unwrap();
    let head = format!(
        "HTTP/1.1 206 Partial Content\r\netag: \"{tag}\"\r\nx-repo-commit: 0123abcd\r\ncontent-range: bytes {start}-{}/{}\r\n",
        end.max(1) - 1,
        bytes.len()
    );
    (head, bytes[start..end].to_vec())
}

#[test]
fn a_model_is_fetched_once_after_its_size_was_said() {
    let folder = Folder::with_scenes(4, 2);
    folder.init();
    folder.write("model/README.md", "not needed");
    let endpoint = hub(folder.path("model"));
    let export = |out: &str, endpoint: &str| {
        let words = ["export", "lab/tiny", "--to", "hugging-face", "--out", out];
        folder.command(&words).env("HF_ENDPOINT", endpoint).output().unwrap()
    };
    let first = folder.shown(&export("first", &endpoint));
    assert!(first.contains("lab/tiny: fetching 8 files, 5.4 MB, from"), "{first}");
    assert!(first.starts_with("exit 0"), "{first}");
    let weights = |dir: &str| fs_err::read(folder.path(dir).join("model.safetensors")).unwrap();
    assert!(weights("first") == weights("model"));

    let again = folder.shown(&export("again", "http://127.0.0.1:9"));
    assert!(again.starts_with("exit 0") && !again.contains("fetching"), "{again}");
}

#[test]
fn a_name_that_the_hub_does_not_know_says_so() {
    let folder = Folder::new();
    let endpoint = hub(folder.path("nothing"));
    let words = ["export", "lab/other", "--to", "hugging-face", "--out", "out"];
    let output = folder.command(&words).env("HF_ENDPOINT", endpoint).output().unwrap();
    insta::assert_snapshot!(folder.shown(&output), @r"
    exit 2
    -- stdout
    -- stderr
    error: lab/other: cannot fetch the model: the hub has no such model, or it is private (status: 404)

    hint: if lab/other was meant as a folder, it is not there; else download config.json, preprocessor_config.json, tokenizer.json and model.safetensors from https://huggingface.co/lab/other/tree/main into a folder, and pass that folder
    ");
}
