//! The files of the page: in the binary, and kept by browsers for as long as they are the same.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::LazyLock;

use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::serve::failure::Failure;

/// A file by its name in `page/`.
macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/page/", $name)) as &[u8])),*]
    };
}

/// Everything that a browser may ask for.
const FILES: &[(&str, &[u8])] = files![
    "theme.js",
    "app.js",
    "api.js",
    "compare.js",
    "dialogs.js",
    "dropping.js",
    "header.js",
    "icons.js",
    "login.js",
    "query.js",
    "route.js",
    "states.js",
    "wording.js",
    "about/about.js",
    "about/charts.js",
    "about/evaluation.js",
    "find/find.js",
    "find/heat.js",
    "search/adding.js",
    "search/box.js",
    "search/editing.js",
    "search/facets.js",
    "search/filter.js",
    "search/modes.js",
    "search/results.js",
    "search/search.js",
    "search/shapes.js",
    "search/steer.js",
    "search/tiles.js",
    "search/viewer.js",
    "search/why.js",
    "vendor/preact-htm.js",
    "style/tokens.css",
    "style/elements.css",
    "style/frame.css",
    "style/search.css",
    "style/viewer.css",
    "style/pages.css",
    "style/unscripted.css",
    "favicon.svg",
];

/// One name for all files together: modules name each other, so that a change of one changes the address of all.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    for (name, bytes) in FILES {
        hash.update(name);
        hash.update(bytes.len().to_le_bytes());
        hash.update(bytes);
    }
    let digest = hash.finalize();
    digest.iter().take(6).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
});

/// Where a file of the page is.
pub(super) fn address(name: &str) -> String {
    format!("/assets/{name}?v={}", *VERSION)
}

/// Names of all files with an ending, such as `js`.
pub(super) fn names(ending: &str) -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, _)| *name).filter(move |name| ending_of(name) == ending)
}

fn ending_of(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, ending)| ending)
}

/// A file; its address with the right version never means another one.
pub(super) async fn get(
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Some((_, bytes)) = FILES.iter().find(|(known, _)| *known == name) else {
        return Failure::nothing_here().into_response();
    };
    let tag = format!("\"{}\"", *VERSION);
    let fixed = query.is_some_and(|query| query == format!("v={}", *VERSION));
    let caching = if fixed { "public, max-age=31536000, immutable" } else { "no-cache" };
    let head = [(header::CACHE_CONTROL, caching.to_owned()), (header::ETAG, tag.clone())];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, head).into_response();
    }
    (head, [(header::CONTENT_TYPE, kind(&name))], contents(&name, bytes)).into_response()
}

fn kind(name: &str) -> &'static str {
    match ending_of(name) {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        _ => "image/svg+xml",
    }
}

/// A module's imports get the version, so that they are kept as long as it is.
fn contents(name: &str, bytes: &'static [u8]) -> Cow<'static, [u8]> {
    match std::str::from_utf8(bytes) {
        Ok(text) if ending_of(name) == "js" => {
            let versioned = text.replace(".js';\n", &format!(".js?v={}';\n", *VERSION));
            Cow::Owned(versioned.into_bytes())
        }
        _ => Cow::Borrowed(bytes),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn folder() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("page")
    }

    #[test]
    fn every_file_of_the_page_is_served() {
        let mut folders = vec![folder()];
        while let Some(inside) = folders.pop() {
            for entry in fs_err::read_dir(inside).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_none_or(|ending| ending != "md") {
                    let name = path.strip_prefix(folder()).unwrap().to_str().unwrap().to_owned();
                    assert!(
                        FILES.iter().any(|(known, _)| *known == name),
                        "{name} is not in FILES"
                    );
                }
            }
        }
    }

    #[test]
    fn modules_name_each_other_with_the_version_and_only_known_files() {
        for (name, bytes) in FILES.iter().filter(|(name, _)| ending_of(name) == "js") {
            let text = String::from_utf8(contents(name, bytes).into_owned()).unwrap();
            for import in text.lines().filter(|line| line.starts_with("import ")) {
                let from = import.split_once("from '").unwrap().1;
                let (file, version) =
                    from.split_once("?v=").unwrap_or_else(|| panic!("{name}: {import}"));
                assert_eq!(version, format!("{}';", *VERSION), "{name}: {import}");
                let beside = std::path::Path::new(name).parent().unwrap().join(file);
                assert!(
                    folder().join(beside).exists(),
                    "{name} imports {file}, which is not there"
                );
            }
        }
    }

    #[test]
    fn nothing_is_fetched_from_elsewhere() {
        for (name, bytes) in FILES.iter().filter(|(name, _)| !name.starts_with("vendor/")) {
            let text = std::str::from_utf8(bytes).unwrap();
            let text = text.replace("http://www.w3.org/", "");
            assert!(!text.contains("://"), "{name} names an address outside");
        }
    }
}
