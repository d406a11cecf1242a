//! Adding pictures, changing what is said of them, taking them out.

use crate::stage::{PICTURES, Stage};

#[test]
fn a_picture_is_added_found_changed_and_taken_out() {
    let Some(stage) = Stage::set(&[]) else { return };
    let browser = &stage.browser;
    stage.search("/");
    browser.until_there("button[aria-label='Add pictures']");
    let picture = stage.folder.path("new.png");
    stage.folder.picture("new.png");
    browser.choose("input[type=file][multiple]", &[&picture]);
    browser.fill(".new-picture textarea", "a zeppelin over the harbour");
    browser.fill("#new-metadata", "year: 2026");
    browser.click(".adding .primary");
    browser.until("!document.querySelector('.adding')");

    stage.search("/?q=zeppelin&mode=lexical");
    assert_eq!(browser.count(".tiles li[data-id]"), 1);
    browser.click(".tiles li > a");
    browser.click_text(".viewer", "Edit captions");
    browser.value("document.querySelector('#captions').value = ''");
    browser.fill("#captions", "an airship over the harbour");
    browser.click(".edit .primary");
    browser.until("document.querySelector('.viewer .captions li')?.textContent === 'an airship over the harbour'");

    browser.click_text(".viewer", "Delete");
    browser.click_text(".small-dialog", "Take it out");
    browser.until("!document.querySelector('.viewer')");
    stage.search("/");
    browser.until(&format!("document.querySelector('h1').innerText.includes('{PICTURES}')"));
    stage.assert_quiet();
}

#[test]
fn a_server_that_only_reads_offers_no_changes() {
    let Some(stage) = Stage::set(&["--read-only"]) else { return };
    let browser = &stage.browser;
    stage.search("/");
    browser.click(".tiles li > a");
    browser.until_there(".viewer .captions");
    assert_eq!(browser.count(".editing, button[aria-label='Add pictures']"), 0);
    stage.assert_quiet();
}
