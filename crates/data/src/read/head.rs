//! The first bytes of a file: enough to tell what it is, without reading it all.
//!
//! Nothing here yields rows.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
};

use fs_err::File;

use super::{karpathy, unknown};
use crate::{Error, Layout};

/// How much of a file decides what it is.
const HEAD_BYTES: u64 = 64 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Opens a file behind its byte order mark, if it has one.
pub(super) fn open(path: &Path) -> Result<BufReader<File>, Error> {
    let mut reader = BufReader::with_capacity(1 << 16, File::open(path)?);
    if reader.fill_buf()?.starts_with(BYTE_ORDER_MARK) {
        reader.consume(BYTE_ORDER_MARK.len());
    }
    Ok(reader)
}

/// The first 64 KiB as text; what is not UTF-8 is replaced, what is UTF-16 or binary is an error.
pub(super) fn read(path: &Path) -> Result<String, Error> {
    let mut bytes = Vec::new();
    open(path)?.take(HEAD_BYTES).read_to_end(&mut bytes)?;
    let what = match bytes.as_slice() {
        [] => "the file is empty",
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "the file is UTF-16, expected UTF-8",
        bytes if bytes.contains(&0) => "the file is binary, expected UTF-8 text",
        _ => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
    };
    Err(Error::Broken { path: path.to_owned(), row: 1, what: what.to_owned() })
}

/// Tells Karpathy's JSON from JSON lines that are merely called `.json`.
pub(super) fn recognise_json(path: &Path) -> Result<Layout, Error> {
    let head = read(path)?;
    if head.contains("\"images\"")
        && (head.contains("\"sentences\"") || head.contains("\"sentids\""))
    {
        return Ok(Layout::Karpathy);
    }
    let first = head.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let object = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(first);
    if object.is_ok_and(|object| !object.contains_key("images")) {
        return Ok(Layout::Jsonl);
    }
    let keys = karpathy::top_level_keys(path)?;
    Err(unknown(path, &format!("JSON with {keys}")))
}
