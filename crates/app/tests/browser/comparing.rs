//! One query, two answers.

use crate::folder::Folder;
use crate::stage::Stage;

/// A second index of the same pictures, by a model with other weights.
fn other_index(folder: &Folder) {
    folder.succeeds(&[
        "init",
        "other-model",
        "--preset",
        "tiny",
        "--image-size",
        "32",
        "--vocab-from",
        "data",
        "--vocab-size",
        "600",
        "--seed",
        "9",
    ]);
    folder.succeeds(&["index", "data", "--model", "other-model", "--into", "other", "--quiet"]);
}

#[test]
fn two_indexes_answer_side_by_side_and_what_both_found_is_linked() {
    let Some(stage) = Stage::set_in(other_index, &["--compare", "other"]) else { return };
    let browser = &stage.browser;
    browser.go("/compare?q=a+river");
    browser.until("document.querySelectorAll('.compare-side').length === 2 && [...document.querySelectorAll('.compare-side')].every((side) => side.querySelectorAll('.cards li').length === 24)");
    let twin = "[...document.querySelectorAll('.compare-side:first-child li')].find((card) => !card.querySelector('.only'))";
    browser.until(twin);
    browser.value(&format!("{twin}.querySelector('a').focus()"));
    browser.until("document.querySelectorAll('.cards .linked').length === 2");
    browser.until("document.querySelector('.thread path').getAttribute('d').startsWith('M')");
    assert!(browser.text(".counted").contains("on both sides"));
    stage.assert_quiet();
}

#[test]
fn with_one_index_two_modes_are_compared() {
    let Some(stage) = Stage::set(&[]) else { return };
    let browser = &stage.browser;
    browser.go("/compare");
    browser.until_there(".empty");
    browser.fill("input[name=q]", "river\u{e007}");
    browser.until("document.querySelectorAll('.compare-side .cards li').length > 0");
    browser.until("location.search.includes('left=main%3Alexical')");
    stage.assert_quiet();
}
