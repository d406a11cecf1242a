//! Find in picture.

use crate::stage::Stage;

#[test]
fn a_feature_is_looked_for_and_the_answer_is_drawn() {
    let Some(stage) = Stage::set(&[]) else { return };
    let browser = &stage.browser;
    stage.search("/");
    browser.click(".tiles li > a");
    browser.click_text(".viewer", "Find in this picture");
    browser.until("location.pathname === '/find'");
    browser.fill("input[name=text]", "a river\u{e007}");
    browser.until("document.querySelector('.verdict h2')");
    browser.until("document.querySelector('canvas.heat').width > 1");
    let verdict = browser.text(".verdict h2");
    assert!(["Found", "Not in this picture"].contains(&verdict.trim()), "{verdict}");
    browser.value("document.querySelector('.view input[type=range]').focus()");
    assert_eq!(browser.count(".find-picture > img"), 1);
    stage.assert_quiet();
}

#[test]
fn a_picture_of_ones_own_is_looked_into() {
    let Some(stage) = Stage::set(&[]) else { return };
    let browser = &stage.browser;
    browser.go("/find");
    browser.until_there(".empty");
    let picture = stage.folder.path("own.png");
    stage.folder.picture("own.png");
    browser.choose("input[type=file]", &[&picture]);
    browser.until("location.search.includes('picture=')");
    browser.until("document.querySelector('.find-picture > img').naturalWidth > 0");
    stage.assert_quiet();
}
