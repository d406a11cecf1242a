//! The page in a real browser: headless Chromium, driven through chromedriver.
//!
//! Where there is none, the tests say so and pass; with `FINELENS_REQUIRE_BROWSER=1` they fail instead. With
//! `FINELENS_SCREENSHOTS=FOLDER` every page is kept as pictures there, 1280 and 390 wide, light and dark.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on should stop here"
)]
#![allow(clippy::print_stderr, reason = "a test that was skipped must say so")]

mod adding;
mod browser;
#[path = "../it/serve/client.rs"]
#[allow(dead_code, reason = "these tests need less of it")]
mod client;
mod colours;
mod comparing;
mod finding;
#[path = "../it/folder.rs"]
#[allow(dead_code, reason = "these tests need less of it")]
mod folder;
mod hostile;
mod login;
mod pieces;
mod screenshots;
mod searching;
mod stage;
mod trouble;
mod unscripted;
mod webdriver;
