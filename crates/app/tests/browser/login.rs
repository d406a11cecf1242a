//! Where a token is asked for.

use crate::stage::Stage;

const TOKEN: &str = "a-token-that-is-long-enough-0123456789";

#[test]
fn one_logs_in_once_and_comes_to_where_one_wanted() {
    let write = |folder: &crate::folder::Folder| {
        folder.write("token", TOKEN);
    };
    let Some(stage) = Stage::set_in(write, &["--write-token-file", "token"]) else { return };
    let browser = &stage.browser;
    browser.go("/?q=harmless&mode=lexical");
    browser.until("location.pathname === '/login'");
    browser.fill("#token", "wrong-token-that-is-long-enough-0123\u{e007}");
    browser.until("document.querySelector('.field-problem').innerText !== ''");
    browser.value("document.querySelector('#token').value = ''");
    browser.fill("#token", &format!("{TOKEN}\u{e007}"));
    browser.until("location.pathname === '/' && location.search.includes('harmless')");
    stage.until_found();
    assert!(
        !browser.value("document.cookie").as_str().unwrap().contains("finelens"),
        "scripts cannot read the cookie"
    );
    browser.until_there("button[aria-label='Add pictures']");
}
