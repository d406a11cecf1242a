//! What a test of the page needs: pictures, a model, an index of them, a server and a browser.

use std::env;

use serde_json::json;

use crate::browser::Browser;
use crate::client::Server;
use crate::folder::Folder;

/// All of it; it goes away when the test ends.
pub(crate) struct Stage {
    pub(crate) browser: Browser,
    pub(crate) server: Server,
    pub(crate) folder: Folder,
}

/// Pictures of the index.
pub(crate) const PICTURES: u64 = 60;

/// A caption and an id that would do harm where they were not escaped.
pub(crate) const HOSTILE: &str =
    "<img src=x onerror=\"window.harmed=true\"> <script>window.harmed=true</script> & \"harmless\"";

impl Stage {
    /// Drawn pictures, served with more words on the command line; nothing where there is no browser.
    pub(crate) fn set(more: &[&str]) -> Option<Self> {
        Self::set_in(|_| (), more)
    }

    /// The same after something was done in the folder.
    pub(crate) fn set_in(prepare: impl FnOnce(&Folder), more: &[&str]) -> Option<Self> {
        let folder = Folder::with_scenes(PICTURES - 10, 10);
        add_details(&folder);
        folder.init();
        folder.succeeds(&["index", "data", "--model", "model", "--into", "index", "--quiet"]);
        prepare(&folder);
        let server = Server::start(&folder, more);
        let Some(browser) = Browser::open(&server.address) else {
            let required =
                env::var_os("FINELENS_REQUIRE_BROWSER").is_some_and(|value| value == "1");
            assert!(
                !required,
                "FINELENS_REQUIRE_BROWSER is set, and there is no chromium with chromedriver"
            );
            eprintln!(
                "SKIPPED: the page was not tested, since there is no chromium with chromedriver here"
            );
            return None;
        };
        browser.window(1280, 900, false);
        Some(Self { browser, server, folder })
    }

    /// Opens the search and waits for its pictures.
    pub(crate) fn search(&self, address: &str) {
        self.browser.go(address);
        self.until_found();
    }

    /// Waits for pictures that belong to what is asked.
    pub(crate) fn until_found(&self) {
        self.browser
            .until("document.querySelector('.tiles[aria-busy=false] li[data-id] img')?.complete");
    }

    /// The browser complained about nothing: no error, no file missing, nothing that the policy refused.
    pub(crate) fn assert_quiet(&self) {
        assert_eq!(self.browser.complaints(), Vec::<String>::new());
    }
}

/// Gives the drawn pictures details to filter by, and one of them a caption that is an attack.
fn add_details(folder: &Folder) {
    let text = fs_err::read_to_string(folder.path("data/captions.jsonl")).unwrap();
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mut row: serde_json::Value = serde_json::from_str(line).unwrap();
        row["year"] = json!(2000 + index % 20);
        row["season"] = json!(["spring", "summer", "autumn"][index % 3]);
        if index == 7 {
            row["captions"] = json!([HOSTILE]);
            row["note"] = json!(HOSTILE);
        }
        lines.push(row.to_string());
    }
    folder.write("data/captions.jsonl", lines.join("\n"));
}
