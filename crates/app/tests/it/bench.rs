//! `finelens bench` at a tiny size: every part measures something.

use serde_json::Value;

use crate::folder::Folder;

#[test]
fn every_part_is_measured_and_told_as_json_lines() {
    let words = [
        "bench",
        "--quick",
        "--preset",
        "tiny",
        "--batch",
        "2",
        "--tokens",
        "8",
        "--repeats",
        "1",
        "--json",
    ];
    let printed = Folder::new().succeeds(&words);
    let lines: Vec<Value> =
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["machine"]["precision"], "f32");
    for part in ["ceiling", "image", "text", "step", "files", "decode", "search"] {
        let of_part: Vec<&Value> = lines.iter().filter(|line| line["what"] == part).collect();
        assert!(!of_part.is_empty(), "{part}:\n{printed}");
        let positive = |line: &&Value| line["per_second"].as_f64().is_some_and(|rate| rate > 0.0);
        assert!(of_part.iter().all(positive), "{part}:\n{printed}");
    }
}

#[test]
fn one_part_alone_is_a_table_that_fits_80_columns() {
    let words = ["bench", "--preset", "tiny", "--only", "step", "--batch", "2", "--repeats", "2"];
    let table = Folder::new().succeeds(&words);
    assert!(table.contains("training step, batch 2") && !table.contains("images"), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
}

#[test]
fn files_that_are_no_pictures_are_named_and_left_out() {
    let folder = Folder::new();
    folder.picture("pictures/a.png").picture("pictures/b.png").write("pictures/broken.jpg", "none");
    for (part, told) in
        [("files", "2 files of yours, embedded"), ("decode", "2 files of yours, decoded")]
    {
        let words =
            ["bench", "--preset", "tiny", "--only", part, "--pictures", "pictures", "--quick"];
        let output = folder.run(&words);
        assert!(output.status.success());
        let shown = folder.shown(&output);
        assert!(shown.contains(told), "{shown}");
        assert!(shown.contains("1 file skipped") && shown.contains("broken.jpg"), "{shown}");
    }
}
