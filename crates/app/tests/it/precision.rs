//! What matrix products are computed in, from end to end.

use crate::folder::Folder;

fn trained(folder: &Folder, more: &[&str]) -> std::process::Output {
    let words = ["train", "data", "--model", "model", "--out", "run", "--set", "batch=8"];
    folder.run(&[&words[..], &["--set", "epochs=1"], more].concat())
}

#[test]
fn a_run_keeps_the_precision_that_it_began_with() {
    let folder = Folder::with_scenes(16, 4);
    folder.init();
    let output = trained(&folder, &["--precision", "bf16"]);
    assert!(output.status.success(), "{}", folder.shown(&output));
    let settings = fs_err::read_to_string(folder.path("run/run.toml")).unwrap();
    assert!(settings.contains("precision = \"bf16\""), "{settings}");

    let resume = ["train", "--resume", "--out", "run"];
    let output = folder.run(&[&resume[..], &["--precision", "f32"]].concat());
    insta::assert_snapshot!(folder.shown(&output), @r"
    exit 2
    -- stdout
    -- stderr
    error: --precision f32: the run began in bf16

    hint: leave --precision and FINELENS_PRECISION out: the run goes on as it began
    ");
    let mut command = folder.command(&resume);
    let output = command.env_remove("FINELENS_PRECISION").output().unwrap();
    assert!(output.status.success(), "{}", folder.shown(&output));
}

#[test]
fn a_setting_says_the_precision_where_nothing_is_typed() {
    let folder = Folder::with_scenes(16, 4);
    folder.init();
    let words = ["train", "data", "--model", "model", "--out", "run", "--set", "batch=8"];
    let words = [&words[..], &["--set", "epochs=1", "--set", "precision=bf16"]].concat();
    let output = folder.command(&words).env_remove("FINELENS_PRECISION").output().unwrap();
    assert!(output.status.success(), "{}", folder.shown(&output));
    let settings = fs_err::read_to_string(folder.path("run/run.toml")).unwrap();
    assert!(settings.contains("precision = \"bf16\""), "{settings}");
}

#[test]
fn training_in_int8_is_refused() {
    let folder = Folder::with_scenes(4, 4);
    folder.init();
    let output = trained(&folder, &["--precision", "int8"]);
    insta::assert_snapshot!(folder.shown(&output), @r"
    exit 2
    -- stdout
    -- stderr
    error: --precision int8: only index, eval, search, serve and bench compute in int8

    hint: leave --precision out: it takes the fastest that is good enough
    ");
    assert!(!folder.path("run").exists());
}

/// How near a random model's vectors are is for the check to say; that it looked is seen either way.
#[test]
fn int8_is_checked_on_the_pictures_before_it_is_used() {
    let folder = Folder::with_scenes(4, 12);
    folder.init();
    let output = folder.run(&["eval", "data", "--model", "model", "--precision", "int8"]);
    let shown = folder.shown(&output);
    let looked = shown.contains("mean cosine to f32");
    assert!(looked || shown.contains("this processor has no instructions for bf16"), "{shown}");
}

/// Which way it was found is again for the check to say; a question is answered or refused accordingly.
#[test]
fn a_question_in_int8_goes_by_what_was_found_when_its_index_was_made() {
    let folder = Folder::with_scenes(4, 12);
    folder.init();
    let index = ["index", "data", "--model", "model", "--into", "photos.index"];
    folder.succeeds(&index);
    let search = ["search", "a river", "--index", "photos.index", "--precision", "int8"];
    let unseen = folder.shown(&folder.run(&search));
    if unseen.contains("this processor has no instructions for bf16") {
        return;
    }
    assert!(unseen.contains("never looked at on the pictures of photos.index"), "{unseen}");
    assert!(unseen.contains("hint: finelens index DATA --into photos.index"), "{unseen}");
    let serve = ["serve", "--index", "photos.index", "--precision", "int8"];
    assert_eq!(folder.run(&serve).status.code(), Some(2));

    let looked = folder.run(&[&index[..], &["--precision", "int8"]].concat());
    let found = folder.shown(&looked);
    assert!(found.contains("mean cosine to f32"), "{found}");
    let again = folder.run(&[&index[..], &["--precision", "int8"]].concat());
    assert_eq!(again.status.code(), looked.status.code());
    let answer = folder.run(&search);
    if looked.status.success() {
        assert_eq!(answer.status.code(), Some(0), "{}", folder.shown(&answer));
    } else {
        assert_eq!(folder.shown(&answer), found);
    }
}

#[test]
fn an_index_tells_what_its_vectors_were_computed_in() {
    let folder = Folder::with_scenes(4, 4);
    folder.init();
    let index = ["index", "data", "--model", "model", "--into", "photos.index"];
    folder.succeeds(&index);
    let precisions = || {
        let stats = folder.succeeds(&["admin", "stats", "photos.index", "--json"]);
        let stats: serde_json::Value = serde_json::from_str(&stats).unwrap();
        stats["precisions"].clone()
    };
    assert_eq!(precisions(), serde_json::json!(["f32"]));
    let picture = fs_err::read_dir(folder.path("data/images")).unwrap().next().unwrap().unwrap();
    let name = format!("data/images/{}", picture.file_name().display());
    // Its time changes, its bytes do not: nothing is embedded.
    let bytes = fs_err::read(picture.path()).unwrap();
    folder.write(&name, bytes);
    let bf16 = [&index[..], &["--precision", "bf16"]].concat();
    folder.succeeds(&bf16);
    assert_eq!(precisions(), serde_json::json!(["f32"]));
    folder.picture(&name);
    folder.succeeds(&bf16);
    assert_eq!(precisions(), serde_json::json!(["f32", "bf16"]));
}
