//! A browser as a person uses it: goes somewhere, looks, types, clicks.

use std::path::Path;
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};

use crate::webdriver::{Driver, Element};

/// Longest that something may take to appear; a machine that builds beside it is slow.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a browser that does not start is started anew.
const ATTEMPTS: usize = 3;

/// Keys that are no letters.
/// Source: W3C, "`WebDriver`", keyboard actions.
pub(crate) const ENTER: &str = "\u{e007}";
pub(crate) const ESCAPE: &str = "\u{e00c}";
pub(crate) const LEFT: &str = "\u{e012}";
pub(crate) const RIGHT: &str = "\u{e014}";
pub(crate) const DOWN: &str = "\u{e015}";

/// One browser with one window.
pub(crate) struct Browser {
    driver: Driver,
    session: String,
    /// `http://HOST:PORT` of the server.
    home: String,
}

impl Browser {
    /// Opens one, if this machine has it. Of many started side by side a driver may end before it listens, so another is tried.
    pub(crate) fn open(server: &str) -> Option<Self> {
        let binaries = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
        let binary = binaries.into_iter().find(|binary| Path::new(binary).exists());
        (0..ATTEMPTS).find_map(|_| {
            let driver = Driver::start()?;
            let session = driver.open(binary);
            let session = session.inspect_err(|error| eprintln!("no browser: {error}")).ok()?;
            Some(Self { driver, session, home: format!("http://{server}") })
        })
    }

    fn command(&self, path: &str, body: &Value) -> Value {
        self.driver.send(&format!("/session/{}{path}", self.session), Some(body)).unwrap()
    }

    fn question(&self, path: &str) -> Value {
        self.driver.send(&format!("/session/{}{path}", self.session), None).unwrap()
    }

    /// Opens an address of the server.
    pub(crate) fn go(&self, path: &str) {
        self.command("/url", &json!({ "url": format!("{}{path}", self.home) }));
    }

    /// Goes one page back in the history.
    pub(crate) fn back(&self) {
        self.command("/back", &json!({}));
    }

    /// Where it is, without the server's name.
    pub(crate) fn address(&self) -> String {
        self.question("/url").as_str().unwrap().replace(&self.home, "")
    }

    /// The value of a JavaScript expression.
    pub(crate) fn value(&self, expression: &str) -> Value {
        self.command(
            "/execute/sync",
            &json!({ "script": format!("return {expression}"), "args": [] }),
        )
    }

    /// Waits until an expression is true.
    pub(crate) fn until(&self, expression: &str) {
        let begun = Instant::now();
        while self.value(&format!("Boolean({expression})")) != true {
            let told =
                || format!("{}: never true: {expression}\n{}", self.address(), self.text("body"));
            assert!(begun.elapsed() < PATIENCE, "{}", told());
            std::thread::sleep(Duration::from_millis(40));
        }
    }

    /// Waits until the page has it.
    pub(crate) fn until_there(&self, selector: &str) {
        self.until(&format!("document.querySelector({selector:?})"));
    }

    /// Number of elements.
    pub(crate) fn count(&self, selector: &str) -> u64 {
        self.value(&format!("document.querySelectorAll({selector:?}).length")).as_u64().unwrap()
    }

    /// The text of the first element, as it is seen.
    pub(crate) fn text(&self, selector: &str) -> String {
        let value = self.value(&format!("document.querySelector({selector:?})?.innerText ?? ''"));
        value.as_str().unwrap().to_owned()
    }

    /// The first element, once it is there.
    pub(crate) fn element(&self, selector: &str) -> Element {
        self.until_there(selector);
        let found =
            self.command("/element", &json!({ "using": "css selector", "value": selector }));
        Element::of(&found).unwrap()
    }

    /// Clicks it where a person would.
    pub(crate) fn click(&self, selector: &str) {
        let element = self.element(selector);
        self.command(&element.path("click"), &json!({}));
    }

    /// Clicks the button or link with this text inside an element.
    pub(crate) fn click_text(&self, within: &str, text: &str) {
        let search = format!(
            "[...document.querySelectorAll({within:?} + ' button, ' + {within:?} + ' a')].find((one) => one.innerText.trim() === {text:?})"
        );
        self.until(&search);
        self.value(&format!("{search}.click()"));
    }

    /// Types into a field, or chooses a file in it.
    pub(crate) fn fill(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.command(&element.path("value"), &json!({ "text": text }));
    }

    /// Chooses files in a field that is hidden behind a button.
    pub(crate) fn choose(&self, selector: &str, files: &[&Path]) {
        self.until_there(selector);
        let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        self.fill(selector, &files.join("\n"));
    }

    /// Presses keys, one after the other, wherever the focus is.
    pub(crate) fn press(&self, keys: &[&str]) {
        let actions: Vec<Value> = keys
            .iter()
            .flat_map(|key| {
                [
                    json!({ "type": "keyDown", "value": key }),
                    json!({ "type": "keyUp", "value": key }),
                ]
            })
            .collect();
        self.command(
            "/actions",
            &json!({ "actions": [{ "type": "key", "id": "keys", "actions": actions }] }),
        );
    }

    /// Asks Chromium itself.
    pub(crate) fn chromium(&self, command: &str, parameters: &Value) {
        self.command("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }));
    }

    /// A window of this size, on paper or in the dark.
    pub(crate) fn window(&self, width: u32, height: u32, dark: bool) {
        let phone = width < 500;
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone });
        self.chromium("Emulation.setDeviceMetricsOverride", &size);
        let scheme = if dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.chromium("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }

    /// Waits until nothing moves and every picture has come.
    pub(crate) fn settle(&self) {
        self.until("document.getAnimations().every((one) => one.playState !== 'running') && [...document.images].every((one) => one.complete)");
    }

    /// The window as a PNG.
    pub(crate) fn screenshot(&self) -> Vec<u8> {
        BASE64_STANDARD.decode(self.question("/screenshot").as_str().unwrap()).unwrap()
    }

    /// What the console said since it was last asked: warnings, errors, and what the policy of the page refused.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.command("/se/log", &json!({ "type": "browser" }));
        let entries = log.as_array().unwrap().iter();
        let loud =
            entries.filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING");
        loud.map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.driver.close(&self.session);
    }
}
