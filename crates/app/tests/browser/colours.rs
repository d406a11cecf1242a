//! Text can be read, in light and in dark.

use crate::stage::Stage;

/// What is written with which colour on which.
const PAIRS: &[[&str; 2]] = &[
    ["ink", "paper"],
    ["ink", "raised"],
    ["ink-quiet", "paper"],
    ["ink-quiet", "raised"],
    ["ink-quiet", "sunk"],
    ["accent", "paper"],
    ["accent", "raised"],
    ["accent-strong", "accent-wash"],
    ["on-accent", "accent"],
    ["words", "paper"],
    ["words", "raised"],
    ["words", "words-wash"],
    ["ink-quiet", "words-wash"],
    ["danger", "raised"],
    ["on-danger", "danger"],
];

/// Least contrast of text, and of the edge of a control.
/// Source: W3C, "Web Content Accessibility Guidelines 2.2", 1.4.3 (level AA) and 1.4.11.
const TEXT: f64 = 4.5;
const EDGE: f64 = 3.0;

/// The contrast of two colours of the page, as the same guidelines define it.
const CONTRAST: &str = "((names) => {
    const lights = names.map((name) => {
        const probe = document.body.appendChild(document.createElement('i'));
        probe.style.color = `var(--${name})`;
        const parts = getComputedStyle(probe).color.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255);
        probe.remove();
        const [red, green, blue] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05;
    });
    return Math.max(...lights) / Math.min(...lights);
})";

#[test]
fn colours_contrast_enough_in_light_and_dark() {
    let Some(stage) = Stage::set(&[]) else { return };
    for dark in [false, true] {
        stage.browser.window(1280, 800, dark);
        stage.search("/");
        let contrast = |pair: &[&str; 2]| {
            stage.browser.value(&format!("{CONTRAST}({pair:?})")).as_f64().unwrap()
        };
        for pair in PAIRS {
            assert!(contrast(pair) >= TEXT, "dark {dark}: {pair:?} {}", contrast(pair));
        }
        for paper in ["paper", "raised"] {
            assert!(contrast(&["edge", paper]) >= EDGE, "dark {dark}: edge on {paper}");
        }
    }
}

#[test]
fn the_chosen_colours_stay() {
    let Some(stage) = Stage::set(&[]) else { return };
    let browser = &stage.browser;
    stage.search("/");
    let paper = "getComputedStyle(document.body).backgroundColor";
    let light = browser.value(paper);
    browser.click("button[aria-label^=Colours]");
    browser.click("button[aria-label^=Colours]");
    browser.until("document.documentElement.dataset.theme === 'dark'");
    assert_ne!(browser.value(paper), light);
    browser.go("/about");
    assert_eq!(browser.value("document.documentElement.dataset.theme"), "dark");
}
