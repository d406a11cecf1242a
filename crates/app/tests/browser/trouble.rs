//! What is seen where something goes wrong: wrong addresses, a busy server, one that is gone, a mistake of ours.

use crate::client::Server;
use crate::stage::Stage;

#[test]
fn an_address_that_is_none_is_a_page_that_leads_back() {
    let Some(stage) = Stage::set(&[]) else { return };
    let browser = &stage.browser;
    browser.go("/nothing/here");
    browser.until("document.querySelector('.empty h2')?.innerText === 'There is no such page'");
    assert_eq!(browser.value("document.querySelectorAll('header.bar').length"), 1);
    browser.click(".empty a");
    browser.until("location.pathname === '/'");
    stage.until_found();
    // A browser mentions an answer of 404 by itself.
    assert!(browser.complaints().iter().all(|line| line.contains("404")));
}

#[test]
fn a_part_of_the_page_that_breaks_leaves_a_way_on() {
    let Some(stage) = Stage::set(&[]) else { return };
    let browser = &stage.browser;
    stage.search("/");
    browser.value("localStorage.setItem('captions', '{')");
    browser.go("/?q=river");
    browser.until("document.querySelector('.empty h2')?.innerText === 'This page broke'");
    assert!(browser.text(".empty code").contains("JSON"), "{}", browser.text(".empty"));
    browser.value("localStorage.clear()");
    browser.click_text(".empty", "Load it again");
    stage.until_found();
    assert_eq!(browser.address(), "/?q=river");
}

/// Makes the next answers to searches those of a server that has too much to do.
const BUSY: &str = "(() => { const ask = window.fetch; let left = 2; window.fetch = (path, options) => \
    path.startsWith('/api/search') && left-- > 0 \
    ? Promise.resolve(new Response('{\"error\":{\"code\":\"busy\"}}', { status: 429, headers: { 'Retry-After': '1' } })) \
    : ask(path, options); })()";

#[test]
fn a_busy_server_is_asked_again_and_the_page_says_so() {
    let Some(stage) = Stage::set(&[]) else { return };
    let browser = &stage.browser;
    stage.search("/");
    browser.value(BUSY);
    browser.fill("input[name=q]", "river\u{e007}");
    browser.until("document.querySelector('.counted')?.innerText.includes('Busy, trying again')");
    browser.until("/[0-9]+\\+? found/.test(document.querySelector('.counted')?.innerText)");
    stage.until_found();
}

#[test]
fn when_the_server_goes_away_the_page_says_so_and_goes_on_when_it_is_back() {
    let Some(mut stage) = Stage::set(&[]) else { return };
    stage.search("/");
    let address = stage.server.address.clone();
    stage.server.stop();
    let browser = &stage.browser;
    browser.fill("input[name=q]", "river\u{e007}");
    browser.until("document.querySelector('.problem h2')?.innerText === 'The server is gone'");
    let again = ["serve", "--index", "index", "--addr", &address];
    stage.server = Server::spawn(stage.folder.command(&again));
    let browser = &stage.browser;
    browser.click_text(".problem", "Try again");
    stage.until_found();
    assert_eq!(browser.count(".problem"), 0);
}
