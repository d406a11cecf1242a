//! Every page as pictures, for people to look at: made only where `FINELENS_SCREENSHOTS` names a folder.

use std::env;
use std::path::PathBuf;

use crate::browser::Browser;
use crate::stage::Stage;

/// Name, address, and what must be there before it is worth a picture.
fn pages(id: &str) -> [(&'static str, String, &'static str); 8] {
    let tiles = "document.querySelector('.tiles[aria-busy=false] li[data-id] img')?.complete";
    [
        ("home", "/".into(), tiles),
        ("search", "/?q=a+river+with+boats".into(), tiles),
        (
            "nothing",
            "/?q=%2Bxylophone&filter=year+%3E+1990".into(),
            "document.querySelector('.empty')",
        ),
        (
            "viewer",
            format!("/?q=a+river+with+boats&open={id}"),
            "document.querySelector('.viewer .original.loaded')",
        ),
        (
            "compare",
            "/compare?q=a+river".into(),
            "document.querySelectorAll('.cards img').length > 8",
        ),
        (
            "find",
            format!("/find?text=a+river&id={id}"),
            "document.querySelector('canvas.heat')?.width > 1",
        ),
        ("about", "/about".into(), "document.querySelector('.facts')"),
        ("login", "/login".into(), "document.querySelector('#token')"),
    ]
}

/// Width, height, dark.
const WINDOWS: [(u32, u32, bool); 4] =
    [(1280, 800, false), (1280, 800, true), (390, 844, false), (390, 844, true)];

#[test]
fn no_page_is_wider_than_its_window_and_each_has_its_picture() {
    let Some(stage) = Stage::set(&[]) else { return };
    let browser = &stage.browser;
    stage.search("/?q=a+river+with+boats");
    let id = browser.value("encodeURIComponent(document.querySelector('.tiles li').dataset.id)");
    for (width, height, dark) in WINDOWS {
        browser.window(width, height, dark);
        for (name, address, ready) in pages(id.as_str().unwrap()) {
            browser.go(&address);
            browser.until(ready);
            let wide = browser.value("document.documentElement.scrollWidth").as_u64().unwrap();
            assert!(wide <= u64::from(width), "{name} is {wide} wide in a window of {width}");
            keep(browser, &format!("{name}-{width}-{}", if dark { "dark" } else { "light" }));
        }
    }
    stage.assert_quiet();
}

fn keep(browser: &Browser, name: &str) {
    let Some(folder) = env::var_os("FINELENS_SCREENSHOTS").map(PathBuf::from) else { return };
    fs_err::create_dir_all(&folder).unwrap();
    browser.settle();
    fs_err::write(folder.join(format!("{name}.png")), browser.screenshot()).unwrap();
}
