//! Without JavaScript one can still search, turn pages, and open a picture.

use serde_json::json;

use crate::browser::Browser;
use crate::stage::Stage;

/// Switches the page's own scripts off; what the test asks still runs.
fn without_scripts(browser: &Browser) {
    browser.chromium("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
}

#[test]
fn a_form_finds_pages_turn_and_pictures_open() {
    let Some(stage) = Stage::set(&[]) else { return };
    let browser = &stage.browser;
    without_scripts(browser);
    browser.go("/");
    assert_eq!(browser.count(".unscripted .tiles img"), 48);
    browser.click("a[rel=next]");
    browser.until("location.search === '?offset=48'");
    assert_eq!(browser.count(".unscripted .tiles img"), 12);
    browser.fill(".unscripted input[name=q]", "harmless");
    browser.click(".unscripted-form button");
    browser.until("location.search.includes('q=harmless')");
    browser.click(".tiles a");
    browser.until("location.search.includes('open=')");
    browser.until("document.querySelector('.unscripted-picture img').naturalWidth > 0");
    assert!(browser.text(".captions").contains("<script>"));
    stage.assert_quiet();
}
