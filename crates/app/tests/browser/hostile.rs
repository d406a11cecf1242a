//! Captions, details and names that are attacks are shown as what they are: text.

use crate::stage::{HOSTILE, Stage};

#[test]
fn what_others_wrote_is_never_markup() {
    let Some(stage) = Stage::set(&[]) else { return };
    let browser = &stage.browser;
    for address in ["/?q=harmless&mode=lexical", "/compare?q=harmless", "/about"] {
        browser.go(address);
        browser.until("document.querySelector('.tiles img, .cards img, .facts')");
        assert_eq!(browser.value("window.harmed ?? null"), serde_json::Value::Null, "{address}");
    }
    stage.search("/?q=harmless&mode=lexical");
    browser.click(".tiles li > a");
    browser.until_there(".viewer .captions li");
    assert_eq!(browser.text(".viewer .captions li"), HOSTILE);
    browser.until(&format!(
        "[...document.querySelectorAll('.tag')].some((tag) => tag.innerText === {HOSTILE:?})"
    ));
    assert_eq!(browser.value("window.harmed ?? null"), serde_json::Value::Null);
    stage.assert_quiet();
}

#[test]
fn a_query_that_is_markup_is_text_everywhere() {
    let Some(stage) = Stage::set(&[]) else { return };
    let browser = &stage.browser;
    browser.go("/?q=%3C%2Ftitle%3E%3Cscript%3Ewindow.harmed%3Dtrue%3C%2Fscript%3E%3Cimg+src%3Dx+onerror%3D%22window.harmed%3Dtrue%22%3E&filter=%3Cimg+src%3Dx%3E");
    browser.until_there(".problem");
    assert_eq!(browser.value("window.harmed ?? null"), serde_json::Value::Null);
    assert_eq!(browser.count("img[src='x']"), 0);
    let refused = |line: &String| line.contains("Content Security Policy");
    assert!(!browser.complaints().iter().any(refused));
}

#[test]
fn the_policy_of_the_page_stops_what_would_get_through() {
    let Some(stage) = Stage::set(&[]) else { return };
    let browser = &stage.browser;
    stage.search("/");
    browser.value("document.body.insertAdjacentHTML('beforeend', '<img src=nowhere onerror=\"window.harmed=true\">')");
    browser.until("document.querySelector('img[src=nowhere]').complete");
    assert_eq!(browser.value("window.harmed ?? null"), serde_json::Value::Null);
    assert!(browser.complaints().iter().any(|line| line.contains("Content Security Policy")));
}
