//! The server over real HTTP.

mod about;
mod attack;
mod attack_files;
mod attack_limits;
mod attack_pictures;
mod attack_tokens;
pub(crate) mod client;
mod load;
mod pictures;
mod search;
#[cfg(unix)]
mod stop;

use serde_json::Value;

use crate::folder::Folder;

/// A folder with 6 pictures, a tiny model, and an index of them.
pub(crate) fn indexed() -> Folder {
    let folder = Folder::with_scenes(4, 2);
    folder.init();
    folder.succeeds(&["index", "data", "--model", "model", "--into", "index"]);
    folder
}

/// The lines of the data set.
pub(crate) fn rows(folder: &Folder) -> Vec<Value> {
    let text = fs_err::read_to_string(folder.path("data/captions.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The id of a row: its picture without the folder.
pub(crate) fn id(row: &Value) -> String {
    row["image"].as_str().unwrap().trim_start_matches("images/").to_owned()
}

/// Ids of the hits.
pub(crate) fn ids(answer: &Value) -> Vec<String> {
    let hits = answer["hits"].as_array().unwrap();
    hits.iter().map(|hit| hit["id"].as_str().unwrap().to_owned()).collect()
}

/// Text as it may stand behind the `?` of an address.
pub(crate) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
