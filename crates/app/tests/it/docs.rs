//! `docs/cli.md` is what the binary says about itself.

use std::fmt::Write;
use std::path::Path;

use finelens_finetune::TrainConfig;

use crate::folder::Folder;

const COMMANDS: [&str; 15] = [
    "demo",
    "init",
    "train",
    "eval",
    "export",
    "index",
    "search",
    "find",
    "serve",
    "admin",
    "admin stats",
    "admin verify",
    "admin compact",
    "admin relocate",
    "bench",
];

/// Run with `UPDATE_DOCS=1` to write the page anew.
#[test]
fn the_page_about_the_command_line_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs_err::write(&path, &page).unwrap();
    }
    let found = fs_err::read_to_string(&path).unwrap_or_default();
    assert!(
        found == page,
        "docs/cli.md is out of date: run with UPDATE_DOCS=1 and look at the difference"
    );
}

fn page() -> String {
    let folder = Folder::new();
    let mut page =
        "# The command line\n\nWritten by `UPDATE_DOCS=1 cargo test -p finelens`; do not edit.\n"
            .to_owned();
    let mut section = |title: &str, words: &[&str]| {
        let help = folder.succeeds(words);
        let help = help.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        write!(page, "\n## {title}\n\n```text\n{}\n```\n", help.trim_end()).unwrap();
    };
    section("finelens", &["--help"]);
    for command in COMMANDS {
        let words: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        section(&format!("finelens {command}"), &words);
    }
    page + &settings()
}

fn settings() -> String {
    let defaults = toml::to_string(&TrainConfig::default()).unwrap();
    format!(
        "\n## Settings of `finelens train`\n\n\
         For `--config FILE` (the `run.toml` of any run is one) and `--set KEY=VALUE`, where `optimizer.learning_rate` \
         means `learning_rate` under `[optimizer]`. These are the defaults; \
         `crates/finetune/src/config.rs` says what each means and where it comes from.\n\n```toml\n{defaults}```\n"
    )
}
