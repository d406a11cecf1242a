//! What is said before anything is done: help, version, wrong words.

use crate::folder::Folder;

#[test]
fn help_names_every_command_and_fits_80_columns() {
    let folder = Folder::new();
    for words in [
        &["--help"][..],
        &["init", "--help"],
        &["train", "--help"],
        &["eval", "--help"],
        &["export", "--help"],
        &["demo", "--help"],
        &["index", "--help"],
        &["search", "--help"],
        &["find", "--help"],
        &["serve", "--help"],
        &["admin", "--help"],
        &["bench", "--help"],
    ] {
        let help = folder.succeeds(words);
        assert!(
            help.contains("xample") || help.contains("Start here"),
            "{words:?} shows no example:\n{help}"
        );
        for line in help.lines() {
            // Examples are meant to be copied in one piece.
            assert!(
                line.chars().count() <= 80 || line.trim_start().starts_with("finelens"),
                "{words:?}: {line}"
            );
        }
    }
}

#[test]
fn the_short_help_lists_the_presets() {
    let help = Folder::new().succeeds(&["init", "-h"]);
    for preset in finelens_clip::config::PRESETS {
        assert!(help.contains(preset.name), "{help}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = Folder::new();
    let mut child =
        folder.command(&["--help"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_misspelt_command_is_answered_with_the_nearest() {
    let folder = Folder::new();
    insta::assert_snapshot!(folder.shown(&folder.run(&["trian"])), @r"
    exit 2
    -- stdout
    -- stderr
    error: unrecognized subcommand 'trian'

      tip: a similar subcommand exists: 'train'

    Usage: finelens [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
}
