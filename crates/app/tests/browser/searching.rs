//! Searching with words, keys, filters and pictures.

use crate::browser::{DOWN, ENTER, ESCAPE, LEFT, RIGHT};
use crate::stage::{PICTURES, Stage};

/// A word that the drawn scenes have in their captions.
fn word(stage: &Stage) -> String {
    let text = fs_err::read_to_string(stage.folder.path("data/captions.jsonl")).unwrap();
    let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let caption = first["captions"][0].as_str().unwrap();
    caption.split_whitespace().max_by_key(|word| word.len()).unwrap().trim_matches('.').to_owned()
}

#[test]
fn words_are_found_and_the_address_holds_them() {
    let Some(stage) = Stage::set(&[]) else { return };
    let browser = &stage.browser;
    stage.search("/");
    assert!(browser.text("h1").contains(&PICTURES.to_string()), "{}", browser.text("h1"));
    let word = word(&stage);
    browser.press(&["/"]);
    browser.fill("input[name=q]", &word);
    browser.press(&[ENTER]);
    browser.until("location.search.startsWith('?q=')");
    stage.until_found();
    assert_eq!(browser.address(), format!("/?q={word}"));
    browser.back();
    browser.until("location.search === ''");
    browser.until_there("h1");
    stage.assert_quiet();
}

#[test]
fn what_the_server_put_into_the_page_is_not_asked_again() {
    let Some(stage) = Stage::set(&[]) else { return };
    stage.search(&format!("/?q={}", word(&stage)));
    let asked = "performance.getEntriesByType('resource').filter((one) => one.name.includes('/api/search')).length";
    assert_eq!(stage.browser.value(asked), 0);
    stage.assert_quiet();
}

#[test]
fn the_mode_is_in_the_address_and_the_slider_asks_with_a_weight() {
    let Some(stage) = Stage::set(&[]) else { return };
    let browser = &stage.browser;
    stage.search(&format!("/?q={}", word(&stage)));
    browser.until_there(".weight");
    browser.click(".switch .lexical");
    browser.until("new URLSearchParams(location.search).get('mode') === 'lexical'");
    assert_eq!(browser.count(".weight"), 0);
    browser.press(&["3"]);
    browser.until("!location.search.includes('mode')");
    browser.element(".weight input");
    browser.value("document.querySelector('.weight input').focus()");
    browser.press(&[RIGHT, RIGHT]);
    browser.until("Number(new URLSearchParams(location.search).get('weight')) > 0");
    stage.until_found();
    stage.assert_quiet();
}

#[test]
fn pictures_are_walked_and_opened_by_keys_alone() {
    let Some(stage) = Stage::set(&[]) else { return };
    let browser = &stage.browser;
    stage.search("/");
    let id = |index: usize| {
        let tile = format!("document.querySelectorAll('.tiles li[data-id]')[{index}].dataset.id");
        browser.value(&tile).as_str().unwrap().to_owned()
    };
    browser.value("document.querySelector('.tiles li > a').focus()");
    browser.press(&[RIGHT, RIGHT, LEFT]);
    let focused = browser.value("document.activeElement.closest('li').dataset.id");
    assert_eq!(focused, id(1));
    browser.press(&[DOWN]);
    browser.until("document.activeElement.getBoundingClientRect().top > document.querySelectorAll('.tiles li')[1].getBoundingClientRect().bottom");
    browser.value("document.querySelectorAll('.tiles li > a')[1].focus()");
    browser.press(&[ENTER]);
    browser.until_there("dialog.viewer[open] .captions");
    let opened = "new URLSearchParams(location.search).get('open')";
    assert_eq!(browser.value(opened), id(1));
    browser.press(&[RIGHT]);
    browser.until(&format!("{opened} === {:?}", id(2)));
    browser.press(&[ESCAPE]);
    browser.until("!document.querySelector('dialog.viewer')");
    assert_eq!(browser.address(), "/");
    browser.press(&["?"]);
    browser.until_there("dialog[open] .keys");
    browser.press(&[ESCAPE]);
    browser.until("!document.querySelector('dialog')");
    stage.assert_quiet();
}

#[test]
fn more_pictures_come_as_one_scrolls() {
    let Some(stage) = Stage::set(&[]) else { return };
    let browser = &stage.browser;
    stage.search("/");
    browser.value("scrollTo(0, document.body.scrollHeight)");
    browser
        .until(&format!("document.querySelectorAll('.tiles li[data-id]').length === {PICTURES}"));
    stage.assert_quiet();
}

#[test]
fn an_opened_picture_says_why_and_leads_on() {
    let Some(stage) = Stage::set(&[]) else { return };
    let browser = &stage.browser;
    let word = word(&stage);
    stage.search(&format!("/?q={word}"));
    browser.click(".tiles li > a");
    browser.until_there(".viewer .why .leg");
    assert!(browser.count(".viewer mark") > 0, "{}", browser.text(".viewer"));
    assert!(browser.text(".why").contains(&word.to_lowercase()), "{}", browser.text(".why"));
    browser.until("document.querySelector('.viewer .original.loaded')");
    browser.click_text(".viewer", "Subtract");
    browser.until_there(".chip.subtract img");
    stage.until_found();
    browser.click(".tiles li > a");
    browser.click_text(".viewer", "More like this");
    browser.until_there(".chip.like");
    browser.until("location.search.startsWith('?like=')");
    stage.until_found();
    stage.assert_quiet();
}

#[test]
fn filters_narrow_and_are_taken_back() {
    let Some(stage) = Stage::set(&[]) else { return };
    let browser = &stage.browser;
    stage.search(&format!("/?q={}", word(&stage)));
    browser.until("document.querySelectorAll('.facet-value .count').length > 2");
    browser.value("[...document.querySelectorAll('.facet-value')].find((one) => one.innerText.includes('summer')).click()");
    browser.until("new URLSearchParams(location.search).get('filter') === 'season = summer'");
    browser.value("[...document.querySelectorAll('.facet-value')].find((one) => one.innerText.includes('autumn')).click()");
    browser.until(
        "new URLSearchParams(location.search).get('filter') === 'season in (summer, autumn)'",
    );
    stage.until_found();
    browser.click_text(".facets", "Clear all");
    browser.until("!location.search.includes('filter')");
    stage.assert_quiet();
}

#[test]
fn a_chosen_picture_is_searched_with_and_its_link_can_be_shared() {
    let Some(stage) = Stage::set(&[]) else { return };
    let browser = &stage.browser;
    stage.search("/");
    let picture = stage.folder.path("shown.png");
    stage.folder.picture("shown.png");
    browser.choose(".box input[type=file]", &[&picture]);
    browser.until("/^\\?picture=[0-9a-f]{64}$/.test(location.search)");
    browser.until("document.querySelector('.chip.like img')?.naturalWidth > 0");
    stage.until_found();
    let shared = browser.address();
    stage.search(&shared);
    browser.until("document.querySelector('.chip.like img')?.naturalWidth > 0");
    stage.assert_quiet();
}

/// Makes a picture in the page, as one drawn elsewhere, and does something with it as `transfer`.
fn with_picture(stage: &Stage, act: &str) {
    stage.browser.value(&format!(
        "new Promise((done) => {{ const canvas = document.createElement('canvas'); canvas.width = canvas.height = 24;
            canvas.getContext('2d').fillRect(0, 0, 12, 24);
            canvas.toBlob((blob) => {{ const transfer = new DataTransfer();
                transfer.items.add(new File([blob], 'drawn.png', {{ type: 'image/png' }})); {act}; done(true); }}, 'image/png'); }})"
    ));
}

const HELD: &str = "const held = (name, over) => over.dispatchEvent(new DragEvent(name, { bubbles: true, cancelable: true, dataTransfer: transfer }))";

#[test]
fn a_dropped_picture_is_searched_with_or_added_wherever_it_is_let_go() {
    let Some(stage) = Stage::set(&[]) else { return };
    let browser = &stage.browser;
    stage.search("/");
    with_picture(&stage, &format!("{HELD}; held('dragenter', document.body)"));
    browser.until("document.querySelectorAll('.drop-zones [data-drop]').length === 2");
    with_picture(
        &stage,
        &format!("{HELD}; held('drop', document.querySelector('[data-drop=search]'))"),
    );
    browser.until("/^\\?picture=[0-9a-f]{64}$/.test(location.search)");
    stage.until_found();
    assert_eq!(browser.count(".drop-zones"), 0);
    browser.until("document.querySelector('.chip.like img')?.naturalWidth === 24");
    with_picture(&stage, &format!("{HELD}; held('dragenter', document.body)"));
    browser.until_there("[data-drop=add]");
    with_picture(
        &stage,
        &format!("{HELD}; held('drop', document.querySelector('[data-drop=add]'))"),
    );
    browser.until_there(".adding .new-picture img");
    stage.assert_quiet();
}

#[test]
fn a_pasted_picture_is_searched_with() {
    let Some(stage) = Stage::set(&[]) else { return };
    let browser = &stage.browser;
    stage.search("/");
    let paste = "document.querySelector('input[name=q]').dispatchEvent(new ClipboardEvent('paste', { bubbles: true, cancelable: true, clipboardData: transfer }))";
    with_picture(&stage, paste);
    browser.until("/^\\?picture=[0-9a-f]{64}$/.test(location.search)");
    stage.until_found();
    // Text is pasted into the box as ever.
    browser.value("document.querySelector('input[name=q]').focus()");
    stage.assert_quiet();
}

#[test]
fn what_begins_like_a_caption_is_suggested() {
    let Some(stage) = Stage::set(&[]) else { return };
    let browser = &stage.browser;
    stage.search("/");
    browser.fill("input[name=q]", &word(&stage)[..3]);
    browser.until("!document.querySelector('#suggestions').hidden");
    browser.press(&[DOWN]);
    browser.until_there("#suggestions [aria-selected=true]");
    let chosen = browser.text("#suggestions [aria-selected=true]");
    browser.press(&[ENTER]);
    browser.until(&format!("new URLSearchParams(location.search).get('q') === {chosen:?}"));
    stage.assert_quiet();
}

#[test]
fn where_nothing_fits_the_page_says_what_to_loosen() {
    let Some(stage) = Stage::set(&[]) else { return };
    let browser = &stage.browser;
    browser.go("/?q=%2Bxylophone&filter=year+%3E+1990");
    browser.until_there(".empty");
    browser.click_text(".empty", "Without the filters");
    browser.until("!location.search.includes('filter')");
    browser.go("/?filter=year+%3E%3E+1");
    browser.until_there(".problem");
    // A condition that cannot be read is an answer of 422, which a browser mentions by itself.
    assert!(browser.complaints().iter().all(|line| line.contains("422")));
}

#[test]
fn options_are_in_the_address_and_stay_with_the_query() {
    let Some(stage) = Stage::set(&[]) else { return };
    let browser = &stage.browser;
    stage.search(&format!("/?q={}&fast=true&exact=true", word(&stage)));
    browser.until_there(".facets input[type=checkbox]");
    let boxes = "[...document.querySelectorAll('.facets .facet-value')].filter((label) => label.textContent.includes('Faster'))";
    assert_eq!(browser.value(&format!("{boxes}[0].querySelector('input').checked")), true);
    browser.value(&format!("{boxes}[0].click()"));
    browser.until("!location.search.includes('fast')");
    assert_eq!(browser.value("location.search.includes('exact=true')"), true);
    browser.value(&format!("{boxes}[0].click()"));
    browser.until("location.search.includes('fast=true')");
    stage.until_found();
    stage.assert_quiet();
}
