//! An index from its making to its moving, on drawings small enough for a test.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::folder::Folder;

/// A folder with 6 pictures, a tiny model, and an index of them.
fn indexed() -> Folder {
    let folder = Folder::with_scenes(4, 2);
    folder.init();
    folder.succeeds(&INDEX);
    folder
}

const INDEX: [&str; 6] = ["index", "data", "--model", "model", "--into", "index"];

fn index(folder: &Folder, more: &[&str]) -> String {
    folder.succeeds(&[&["index", "data", "--into", "index"], more].concat())
}

/// What `--json` says.
fn found(folder: &Folder, words: &[&str]) -> Value {
    let json =
        folder.succeeds(&[&["search", "--index", "index", "--json", "--quiet"], words].concat());
    serde_json::from_str(&json).unwrap()
}

fn ids(document: &Value) -> Vec<String> {
    let hits = document["hits"].as_array().unwrap();
    hits.iter().map(|hit| hit["id"].as_str().unwrap().to_owned()).collect()
}

/// The lines of the data set.
fn rows(folder: &Folder) -> Vec<Value> {
    let text = fs_err::read_to_string(folder.path("data/captions.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn write_rows(folder: &Folder, rows: &[Value]) {
    let lines: Vec<String> = rows.iter().map(ToString::to_string).collect();
    folder.write("data/captions.jsonl", lines.join("\n"));
}

/// The id of a row: its picture without the folder.
fn id(row: &Value) -> String {
    row["image"].as_str().unwrap().trim_start_matches("images/").to_owned()
}

#[test]
fn a_caption_finds_its_picture_by_its_words_and_a_picture_finds_itself() {
    let folder = indexed();
    let row = &rows(&folder)[2];
    let caption = row["captions"][0].as_str().unwrap();
    let lexical = found(&folder, &["--mode", "lexical", caption]);
    assert_eq!(ids(&lexical)[0], id(row));
    assert!(lexical["hits"][0]["scores"]["vector"].is_null());
    assert!(!lexical["hits"][0]["matched"].as_array().unwrap().is_empty());

    let image = format!("data/{}", row["image"].as_str().unwrap());
    let vector = found(&folder, &["--mode", "vector", "--image", &image]);
    assert_eq!(ids(&vector)[0], id(row));
    assert!(vector["hits"][0]["scores"]["vector"].as_f64().unwrap() > 0.999);

    assert_eq!(vector["hits"][0]["metadata"]["split"], "train");
    assert_eq!(vector["hits"][0]["original_exists"], true);
}

#[test]
fn a_hybrid_has_both_scores_of_every_hit() {
    let folder = indexed();
    let caption = rows(&folder)[2]["captions"][0].as_str().unwrap().to_owned();
    // Which picture is first says nothing: half of the order is by a model of random weights.
    let hybrid = found(&folder, &[&caption]);
    let hits = hybrid["hits"].as_array().unwrap();
    let score = |hit: &Value, name: &str| hit["scores"][name].as_f64().unwrap();
    assert_eq!((hits.len(), hybrid["rule"].as_str()), (6, Some("rrf")));
    assert!(hits.iter().all(|hit| score(hit, "vector") <= 1.0 && score(hit, "lexical") >= 0.0));
    assert!(hits.is_sorted_by(|a, b| score(a, "fused") >= score(b, "fused")), "{hybrid}");
    let lexical = found(&folder, &["--mode", "lexical", &caption]);
    let of_best = hits.iter().find(|hit| hit["id"] == lexical["hits"][0]["id"]).unwrap();
    assert_eq!(of_best["scores"]["lexical"], lexical["hits"][0]["scores"]["lexical"]);
}

#[test]
fn the_table_marks_the_words_and_pages_go_on() {
    let folder = indexed();
    let row = &rows(&folder)[0];
    let caption = row["captions"][0].as_str().unwrap();
    let words = ["search", "--index", "index", "--mode", "lexical", "-k", "1", caption];
    let table = folder.succeeds(&words);
    assert!(table.starts_with("#  words  picture\n1"), "{table}");
    assert!(table.contains(&id(row)) && table.contains('*'), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    let all = ids(&found(&folder, &[caption]));
    let page = ids(&found(&folder, &[caption, "--offset", "4"]));
    assert_eq!(page, all[4..]);
}

#[test]
fn a_picture_of_the_index_is_not_among_those_that_are_like_it() {
    let folder = indexed();
    let row = &rows(&folder)[1];
    let like = found(&folder, &["--like", &id(row)]);
    assert_eq!(ids(&like).len(), 5);
    assert!(!ids(&like).contains(&id(row)));
    let other = format!("id:{}", id(&rows(&folder)[3]));
    let away = found(&folder, &["--like", &id(row), "--subtract", &other, "--weight", "-0.1=snow"]);
    assert_eq!(ids(&away).len(), 4);
}

#[test]
fn conditions_and_signs_bind_every_mode() {
    let folder = indexed();
    let all = rows(&folder);
    let caption = all[4]["captions"][0].as_str().unwrap();
    let expected: Vec<String> = all[4..].iter().map(id).collect();
    for mode in ["lexical", "vector", "hybrid"] {
        let valid = found(&folder, &[caption, "--mode", mode, "--filter", "split = valid"]);
        let valid = ids(&valid);
        assert!(valid.iter().all(|found| expected.contains(found)), "{mode}: {valid:?}");
        assert!(valid.contains(&expected[0]), "{mode}: {valid:?}");
    }
    let none = folder.run(&["search", "+xyzzy", "--index", "index"]);
    assert_eq!(folder.shown(&none), "exit 1\n-- stdout\n-- stderr\nno picture found\n");
}

#[test]
fn a_second_run_does_only_what_is_needed() {
    let folder = indexed();
    let counts = |printed: &str| printed.lines().nth(1).unwrap_or_default().to_owned();
    assert_eq!(counts(&index(&folder, &[])), "0 new, 0 changed, 6 the same, 0 gone");

    let mut all = rows(&folder);
    let gone = all.remove(0);
    all[0]["captions"][0] = "a zeppelin over a field".into();
    all[1]["season"] = "winter".into();
    let drawn = fs_err::read(folder.path("data").join(all[2]["image"].as_str().unwrap())).unwrap();
    folder.write("data/images/new.png", drawn);
    all.push(
        serde_json::json!({ "image": "images/new.png", "captions": ["a copy"], "split": "train" }),
    );
    write_rows(&folder, &all);
    // Touched, but not changed.
    let touched = folder.path("data").join(all[3]["image"].as_str().unwrap());
    let bytes = fs_err::read(&touched).unwrap();
    fs_err::write(&touched, bytes).unwrap();
    assert_eq!(counts(&index(&folder, &[])), "1 new, 2 changed, 3 the same, 1 gone");

    assert_eq!(ids(&found(&folder, &["+zeppelin"])), [id(&all[0])]);
    assert_eq!(ids(&found(&folder, &["--filter", "season = winter", "a"])), [id(&all[1])]);
    let copies = found(&folder, &["--like", "new.png", "-k", "1"]);
    assert_eq!(ids(&copies), [id(&all[2])]);
    let folded = found(&folder, &["--image", "data/images/new.png", "--with", "fold"]);
    assert_eq!(folded["hits"][0]["duplicates"].as_array().unwrap().len(), 1, "{folded}");

    let everything = ["--mode", "vector", "a"];
    assert!(ids(&found(&folder, &everything)).contains(&id(&gone)));
    assert_eq!(counts(&index(&folder, &["--prune"])), "0 new, 0 changed, 6 the same, 1 taken out");
    assert!(!ids(&found(&folder, &everything)).contains(&id(&gone)));
    assert_eq!(counts(&index(&folder, &["--prune"])), "0 new, 0 changed, 6 the same, 0 taken out");
}

/// What an index says of itself; `null` while it is not there.
fn stats(folder: &Folder, index: &str) -> Value {
    let output = folder.run(&["admin", "stats", index, "--json"]);
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

#[test]
fn indexing_that_was_killed_goes_on_to_the_same_index() {
    let folder = Folder::with_scenes(690, 10);
    folder.init();
    let words = |into| ["index", "data", "--model", "model", "--into", into];
    folder.succeeds(&words("whole"));

    let mut killed = folder.command(&words("killed"));
    let mut child = killed.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    while stats(&folder, "killed")["pictures"].as_u64().unwrap_or(0) == 0 {
        assert!(began.elapsed() < Duration::from_mins(1), "no picture in a minute");
    }
    child.kill().unwrap();
    assert!(child.wait().unwrap().code().is_none(), "it ended before it was killed");

    let done = stats(&folder, "killed")["pictures"].as_u64().unwrap();
    assert!(0 < done && done < 700, "{done} pictures were done");
    let printed = folder.succeeds(&words("killed"));
    let counts = format!("{} new, 0 changed, {done} the same, 0 gone", 700 - done);
    assert_eq!(printed.lines().nth(1), Some(counts.as_str()));

    for part in ["pictures", "recall", "weight", "fitted", "dead_rows"] {
        assert_eq!(stats(&folder, "killed")[part], stats(&folder, "whole")[part], "{part}");
    }
    let image = format!("data/{}", rows(&folder)[650]["image"].as_str().unwrap());
    for asked in [&["river"][..], &["--mode", "lexical", "river"], &["--image", &image]] {
        let [killed, whole] = ["killed", "whole"].map(|index| {
            let words = [&["search", "--index", index, "--json", "-q", "-k", "700"], asked];
            let document: Value = serde_json::from_str(&folder.succeeds(&words.concat())).unwrap();
            document["hits"].clone()
        });
        assert_eq!(killed, whole, "{asked:?}");
    }
    assert_eq!(folder.succeeds(&["admin", "verify", "killed"]), "killed: whole, 700 pictures\n");
}

#[test]
fn the_weight_is_fitted_where_somebody_asks() {
    let folder = indexed();
    let printed = index(&folder, &["--fit"]);
    assert!(printed.contains("on 10 captions that are held out one at a time"), "{printed}");
    let stats = stats(&folder, "index");
    assert_eq!(stats["pictures"], 6);
    assert_eq!(stats["fitted"]["queries"], 10);
}

#[test]
fn an_index_is_looked_after() {
    let folder = indexed();
    let mut all = rows(&folder);
    all.remove(0);
    write_rows(&folder, &all);
    index(&folder, &["--prune"]);
    assert!(folder.succeeds(&["admin", "compact", "index"]).contains("given back"));
    assert_eq!(folder.succeeds(&["admin", "verify", "index"]), "index: whole, 5 pictures\n");
    let table = folder.succeeds(&["admin", "stats", "index"]);
    assert!(table.contains("pictures    5") && table.contains("to compact  0"), "{table}");
}

#[test]
fn pictures_that_moved_are_found_again() {
    let folder = indexed();
    fs_err::rename(folder.path("data"), folder.path("moved")).unwrap();
    let told = folder.shown(&folder.run(&["search", "a", "--mode", "vector", "--index", "index"]));
    assert!(told.starts_with("exit 0"), "{told}");
    assert!(told.contains("finelens admin relocate index FOLDER --root data"), "{told}");
    folder.write("elsewhere/a.txt", "");
    let wrong = folder.run(&["admin", "relocate", "index", "elsewhere"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", folder.shown(&wrong));
    let told = folder.succeeds(&["admin", "relocate", "index", "moved"]);
    assert!(told.ends_with("6 of 6 pictures looked for are there\n"), "{told}");
    let told = folder.shown(&folder.run(&["search", "a", "--mode", "vector", "--index", "index"]));
    assert!(told.ends_with("-- stderr\n"), "{told}");
}

#[test]
fn another_model_is_refused_until_everything_is_embedded_anew() {
    let folder = indexed();
    folder.succeeds(&[
        "init",
        "other",
        "--preset",
        "tiny",
        "--image-size",
        "32",
        "--vocab-from",
        "data",
        "--vocab-size",
        "600",
        "--seed",
        "2",
    ]);
    let other = ["index", "data", "--model", "other", "--into", "index"];
    let refused = folder.run(&other);
    assert_eq!(refused.status.code(), Some(2), "{}", folder.shown(&refused));
    assert!(folder.shown(&refused).contains("--reembed"), "{}", folder.shown(&refused));

    // What only the index knows is taken over, too.
    let mut all = rows(&folder);
    all.truncate(5);
    write_rows(&folder, &all);
    folder.succeeds(&[&other[..], &["--reembed"]].concat());
    let image = format!("data/{}", all[0]["image"].as_str().unwrap());
    let document = found(&folder, &["--image", &image]);
    assert_eq!(ids(&document).len(), 6);
    assert!(document["hits"][0]["scores"]["vector"].as_f64().unwrap() > 0.999, "{document}");
    let old = folder.run(&["search", "a", "--index", "index", "--model", "model"]);
    assert_eq!(old.status.code(), Some(2), "{}", folder.shown(&old));
}

#[test]
fn vectors_of_pictures_whose_originals_are_gone_are_not_dropped_unasked() {
    let folder = indexed();
    let init = ["init", "other", "--preset", "tiny", "--image-size", "32", "--vocab-from", "data"];
    folder.succeeds(&[&init[..], &["--vocab-size", "600", "--seed", "2"]].concat());
    let all = rows(&folder);
    fs_err::remove_file(folder.path("data").join(all[5]["image"].as_str().unwrap())).unwrap();
    write_rows(&folder, &all[..5]);
    let reembed = ["index", "data", "--model", "other", "--into", "index", "--reembed"];
    let refused = folder.shown(&folder.run(&reembed));
    assert!(refused.starts_with("exit 2"), "{refused}");
    let told = format!("1 of its pictures cannot be embedded anew, such as {}", id(&all[5]));
    assert!(refused.contains(&told) && refused.contains("--reembed=drop-missing"), "{refused}");
    assert!(stats(&folder, "index")["model"].as_str().unwrap().ends_with("model"), "{refused}");
    assert_eq!(stats(&folder, "index")["pictures"], 6);

    let told = folder.run(&[&reembed[..6], &["--reembed=drop-missing"]].concat());
    let told = folder.shown(&told);
    assert!(told.starts_with("exit 0") && told.contains("1 picture dropped"), "{told}");
    assert!(stats(&folder, "index")["model"].as_str().unwrap().ends_with("other"), "{told}");
    assert_eq!(folder.succeeds(&["admin", "verify", "index"]), "index: whole, 5 pictures\n");
}

#[test]
fn a_copy_is_an_index_of_its_own() {
    let folder = indexed();
    folder.write("index/uploads/pictures/added.jpg", "from elsewhere");
    let told = folder.succeeds(&["admin", "copy", "index", "backup/index"]);
    assert!(told.starts_with("backup/index: 6 pictures, "), "{told}");
    assert_eq!(
        folder.succeeds(&["admin", "verify", "backup/index"]),
        "backup/index: whole, 6 pictures\n"
    );
    let added = fs_err::read(folder.path("backup/index/uploads/pictures/added.jpg")).unwrap();
    assert_eq!(added, b"from elsewhere");
    let again = folder.run(&["admin", "copy", "index", "backup/index"]);
    assert_eq!(again.status.code(), Some(2), "{}", folder.shown(&again));
    fs_err::remove_dir_all(folder.path("index")).unwrap();
    fs_err::rename(folder.path("backup/index"), folder.path("index")).unwrap();
    assert_eq!(ids(&found(&folder, &["a", "--mode", "vector", "--with", "fast"])).len(), 6);
}

#[test]
fn the_page_behind_the_last_number_is_empty() {
    let folder = indexed();
    let last = usize::MAX.to_string();
    for extra in [&["--json"][..], &[]] {
        let words = ["search", "a", "--index", "index", "-k", "10000", "--offset", &last];
        let told = folder.shown(&folder.run(&[&words[..], extra].concat()));
        assert!(told.starts_with("exit 1") && told.contains("no more pictures"), "{told}");
    }
    let beyond =
        folder.run(&["search", "a", "--index", "index", "--offset", "99999999999999999999"]);
    assert_eq!(beyond.status.code(), Some(2), "{}", folder.shown(&beyond));
}

#[test]
fn a_broken_picture_is_named_and_the_rest_is_indexed() {
    let folder = Folder::with_scenes(4, 2);
    folder.init();
    let image = rows(&folder)[1]["image"].as_str().unwrap().to_owned();
    folder.write(&format!("data/{image}"), "not a picture");
    let told = folder.shown(&folder.run(&INDEX));
    assert!(told.starts_with("exit 0") && told.contains("1 picture skipped"), "{told}");
    assert_eq!(ids(&found(&folder, &["a", "--mode", "vector"])).len(), 5);
    let strict = folder.run(&[&INDEX[..], &["--strict"]].concat());
    assert_eq!(strict.status.code(), Some(2), "{}", folder.shown(&strict));
}

/// What a newcomer gets wrong, and what each of it prints.
mod mistakes {
    use super::*;

    fn told(folder: &Folder, words: &[&str]) -> String {
        folder.shown(&folder.run(words))
    }

    #[test]
    fn an_index_that_is_not_there() {
        insta::assert_snapshot!(told(&Folder::new(), &["search", "a boat", "--index", "photos.index"]), @r"
        exit 2
        -- stdout
        -- stderr
        error: photos.index: no index in this folder

        hint: make one: finelens index DATA --model MODEL --into photos.index
        ");
    }

    #[test]
    fn a_search_for_nothing() {
        insta::assert_snapshot!(told(&indexed(), &["search", "--index", "index"]), @r"
        exit 2
        -- stdout
        -- stderr
        error: nothing to look for: neither words nor a picture nor a condition

        hint: type words, or name a picture with --image
        ");
    }

    #[test]
    fn a_condition_that_cannot_be_understood() {
        let words = ["search", "a", "--index", "index", "--filter", "year >"];
        insta::assert_snapshot!(told(&indexed(), &words), @r#"
        exit 2
        -- stdout
        -- stderr
        error: filter: expected a value, found the end, at character 7: year >

        hint: write for example --filter 'year >= 2010 and class in (port, "river bank")'
        "#);
    }

    #[test]
    fn a_condition_on_a_field_that_is_not_there_or_holds_other_values() {
        let folder = indexed();
        let asked = |filter| told(&folder, &["search", "--index", "index", "--filter", filter]);
        insta::assert_snapshot!(asked("Split = valid"), @r#"
        exit 1
        -- stdout
        -- stderr
        warning: no picture has a field "Split"; fields: split
        no picture found
        "#);
        insta::assert_snapshot!(asked("split > 3"), @r#"
        exit 1
        -- stdout
        -- stderr
        warning: "split" holds texts, no numbers: write them in quotes, as "valid"
        no picture found
        "#);
    }

    #[test]
    fn a_picture_where_only_words_count() {
        let words = ["search", "a", "--index", "index", "--mode", "lexical", "--like", "x.png"];
        insta::assert_snapshot!(told(&indexed(), &words), @r"
        exit 2
        -- stdout
        -- stderr
        error: --mode lexical goes by the words alone: --image has no part in it

        hint: leave it out, or choose --mode hybrid
        ");
    }

    #[test]
    fn a_picture_that_is_nowhere() {
        insta::assert_snapshot!(told(&indexed(), &["search", "--index", "index", "--image", "lost.png"]), @r"
        exit 2
        -- stdout
        -- stderr
        error: lost.png: neither a file nor the id of a picture in index

        hint: check the path; ids are what a search prints under `picture`
        ");
    }

    #[test]
    fn a_model_that_is_not_where_it_was() {
        let folder = indexed();
        fs_err::rename(folder.path("model"), folder.path("moved")).unwrap();
        insta::assert_snapshot!(told(&folder, &["search", "a", "--index", "index"]), @r"
        exit 2
        -- stdout
        -- stderr
        error: index: its model is not at [DIR]/model any more

        hint: say where it is with --model, or search with --mode lexical, which needs none
        ");
        folder.succeeds(&["search", "a", "--index", "index", "--model", "moved"]);
    }

    #[test]
    fn an_index_that_somebody_else_is_writing() {
        let folder = indexed();
        let lock = fs_err::File::open(folder.path("index/write.lock")).unwrap();
        lock.file().try_lock().unwrap();
        insta::assert_snapshot!(told(&folder, &INDEX), @r"
        exit 2
        -- stdout
        -- stderr
        data: 6 pictures, 30 captions (jsonl)
          train 4, valid 2, test 0, as the data says
        error: index: another process has this index open for writing

        hint: wait until it is done; the index can be searched meanwhile
        ");
        assert!(told(&folder, &["search", "a", "--index", "index"]).starts_with("exit 0"));
    }

    #[test]
    fn another_language_for_an_index_that_has_one() {
        let words = [&INDEX[..], &["--language", "german"]].concat();
        insta::assert_snapshot!(told(&indexed(), &words), @r"
        exit 2
        -- stdout
        -- stderr
        data: 6 pictures, 30 captions (jsonl)
          train 4, valid 2, test 0, as the data says
        error: index: the index was made with --language english, not german

        hint: leave it out, or make the index anew with --reembed
        ");
    }

    #[test]
    fn a_folder_for_the_index_that_holds_something_else() {
        let folder = Folder::with_scenes(2, 2);
        folder.init().write("index/notes.txt", "mine");
        insta::assert_snapshot!(told(&folder, &INDEX), @r"
        exit 2
        -- stdout
        -- stderr
        data: 4 pictures, 20 captions (jsonl)
          train 2, valid 2, test 0, as the data says
        error: index: expected an empty folder for a new index, found notes.txt in it

        hint: name a new folder, or empty this one
        ");
    }
}
