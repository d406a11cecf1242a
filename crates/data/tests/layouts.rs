//! Every layout, from a few lines written on the spot to the example that comes out.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up should panic")]

use std::path::Path;

use finelens_data::{
    Dataset, Error, Example, Layout, Options, Split, SplitSource, Value, open, tally,
};
use tempfile::TempDir;

/// A folder with empty pictures and the given files.
fn folder(pictures: &[&str], files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let all = pictures.iter().map(|name| (*name, "")).chain(files.iter().copied());
    for (name, text) in all {
        write(folder.path(), name, text.as_bytes());
    }
    folder
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::write(path, bytes).unwrap();
}

fn read(folder: &TempDir) -> Dataset {
    open(folder.path(), &Options::default()).unwrap()
}

/// `id [split]: caption | caption`, a line per example.
fn shown(dataset: &Dataset) -> Vec<String> {
    let line = |example: &Example| {
        format!("{} [{}]: {}", example.id, example.split.unwrap(), example.captions.join(" | "))
    };
    dataset.examples.iter().map(line).collect()
}

fn reasons(dataset: &Dataset) -> Vec<String> {
    dataset.skipped.iter().map(|skipped| format!("{}: {}", skipped.row, skipped.reason)).collect()
}

#[test]
fn karpathy_json() {
    let json = r#"{"dataset": "coco", "images": [
        {"filename": "a.jpg", "split": "restval", "sentences": [{"raw": "one", "tokens": ["x"]}, {"tokens": ["two", "words"]}]},
        {"filename": "b.jpg", "filepath": "val2014", "split": "val", "sentences": [{"raw": "three"}, {"raw": " "}]},
        {"filename": 7, "split": "test"},
        {"filename": "c.jpg", "split": "test", "sentences": []},
        {"filename": "a.jpg", "split": "attic", "sentences": [{"raw": "four"}]}]}"#;
    let folder = folder(
        &["images/a.jpg", "images/val2014/b.jpg", "images/c.jpg"],
        &[("dataset.json", json)],
    );
    let dataset = read(&folder);
    assert_eq!(dataset.layout, Layout::Karpathy);
    assert_eq!(dataset.split_source, SplitSource::Data);
    assert_eq!(shown(&dataset), ["a.jpg [train]: one | two words", "val2014/b.jpg [valid]: three"]);
    let [empty, wrong, none, attic] = &reasons(&dataset)[..] else {
        panic!("{:?}", dataset.skipped)
    };
    assert_eq!(empty, "2: caption 2 is empty");
    assert!(wrong.starts_with("3: not a JSON object"), "{wrong}");
    assert_eq!(none, "4: the caption is empty");
    assert_eq!(attic, "5: unknown split \"attic\", expected train, valid or test");
}

#[test]
fn json_lines_in_files_named_after_their_split() {
    let train = "\u{feff}{\"filename\": \"rsicd_images/a.jpg\", \"captions\": [\"one\", \"one\"]}\r\n\n{\"filename\": 3}\nnonsense\n";
    let valid = "{\"filename\": \"rsicd_images/b.jpg\", \"captions\": \"two\"}\n";
    let files = [("textaug_train_x.jsonl", train), ("textaug_valid_x.jsonl", valid)];
    let dataset = read(&folder(&["train/a.jpg", "valid/b.jpg"], &files));
    assert_eq!(dataset.layout, Layout::Jsonl);
    assert_eq!(shown(&dataset), ["train/a.jpg [train]: one | one", "valid/b.jpg [valid]: two"]);
    assert_eq!(
        reasons(&dataset),
        ["3: the caption is empty", "4: not a JSON object: expected ident at line 1 column 2"]
    );
    assert_eq!(dataset.rows, 4);
    assert!(
        dataset.notes[0].contains("2 pictures are not where the data says"),
        "{:?}",
        dataset.notes
    );
}

#[test]
fn nested_fields_are_found_and_can_be_named() {
    let line = r#"{"image": "a", "Description": {"Caption": "a lung", "Sex": "female"}}"#;
    let folder = folder(&["images/a.png"], &[("cases.jsonl", line)]);
    assert_eq!(read(&folder).examples[0].captions, ["a lung"]);
    let options = Options { caption_columns: vec!["Description.Sex".into()], ..Options::default() };
    assert_eq!(open(folder.path(), &options).unwrap().examples[0].captions, ["female"]);
}

#[test]
fn tables_group_the_rows_of_a_picture() {
    let table = "image,caption\na.jpg,one\nb.jpg,\"two, and\nmore\"\na.jpg,three\n";
    let dataset = read(&folder(&["Images/a.jpg", "Images/b.jpg"], &[("captions.txt", table)]));
    assert_eq!(dataset.layout, Layout::Table);
    let captions: Vec<_> =
        dataset.examples.iter().map(|example| example.captions.join(" | ")).collect();
    assert_eq!(captions, ["one | three", "two, and\nmore"]);
    assert_eq!(dataset.split_source, SplitSource::Hash);
}

#[test]
fn numbered_captions_other_delimiters_and_flickr_numbers() {
    let semicolons = "file_name;caption_0;caption_1;split\na.jpg;one;two;test\nb.jpg;three;;train\nc.jpg; ;;train\n";
    let dataset = read(&folder(&["a.jpg", "b.jpg", "c.jpg"], &[("list.csv", semicolons)]));
    assert_eq!(shown(&dataset), ["a.jpg [test]: one | two", "b.jpg [train]: three"]);
    assert_eq!(reasons(&dataset), ["4: the caption is empty"]);
    let token = "a.jpg#0\tone\na.jpg#1\t\"two\" of them\n";
    let dataset = read(&folder(&["a.jpg"], &[("token.tsv", token)]));
    assert_eq!(dataset.layout, Layout::ImageClef);
    assert_eq!(dataset.examples[0].captions, ["one", "\"two\" of them"]);
}

#[test]
fn imageclef_with_and_without_header() {
    let pictures = ["images/PMC_1.2.JPG", "images/PMC_2.tif", "originals/PMC_2.png"];
    let with = read(&folder(
        &pictures,
        &[("train_captions.csv", "ID,Caption\nPMC_1.2,a \"CT\"\nPMC_2,\"an MR, axial\"\n")],
    ));
    let without =
        read(&folder(&pictures, &[("x.csv", "PMC_1.2\ta \"CT\"\nPMC_2\tan MR, axial\n")]));
    assert_eq!(with.layout, Layout::Table);
    assert_eq!(without.layout, Layout::ImageClef);
    for dataset in [with, without] {
        let ids: Vec<_> = dataset.examples.iter().map(|example| example.id.as_str()).collect();
        assert_eq!(ids, ["PMC_1.2.JPG", "PMC_2.tif"]);
        assert_eq!(dataset.examples[0].captions, ["a \"CT\""]);
        assert_eq!(dataset.examples[1].captions, ["an MR, axial"]);
    }
}

#[test]
fn printed_numpy_arrays_in_a_cell() {
    let table = "captions,filepath\r\n\"['it''s' 'x']\",train/a.jpg\r\n\"['one'\n \"\"plane's\"\"]\",train/a.jpg\r\n\"['open\",train/a.jpg\r\n";
    let dataset = read(&folder(&["train/a.jpg", "valid/b.jpg"], &[("pairs.csv", table)]));
    assert_eq!(dataset.layout, Layout::RsicdCsv);
    assert_eq!(dataset.examples[0].captions, ["one", "plane's"]);
    assert_eq!(dataset.examples[0].split, Some(Split::Train));
    let expected = [
        "2: caption list: no space between two strings at offset 5",
        "5: caption list: a string that is never closed at offset 1",
    ];
    assert_eq!(reasons(&dataset), expected);
}

#[test]
fn imagefolder_metadata_in_split_folders() {
    let files = [
        ("train/metadata.jsonl", "{\"file_name\": \"1.jpg\", \"text\": \"one\"}\n"),
        ("test/metadata.csv", "file_name,text\n1.jpg,two\n"),
    ];
    let dataset = read(&folder(&["train/1.jpg", "test/1.jpg"], &files));
    assert_eq!(dataset.layout, Layout::ImageFolder);
    let mut lines = shown(&dataset);
    lines.sort();
    assert_eq!(lines, ["test/1.jpg [test]: two", "train/1.jpg [train]: one"]);
}

#[test]
fn a_picture_is_one_however_rows_write_its_path() {
    let table = |root: &str| {
        format!(
            "image,caption\na/1.jpg,one\na//1.jpg,two\n./a/./1.jpg,three\n{root}//a///1.jpg,four\n\
             b/../a/1.jpg,five\na\\1.jpg,six\n//elsewhere//2.jpg,seven\n/elsewhere/2.jpg,eight\n"
        )
    };
    let folder = folder(&["a/1.jpg", "2.jpg"], &[]);
    let root = folder.path().display().to_string();
    write(folder.path(), "captions.csv", table(&root).as_bytes());
    let dataset = read(&folder);
    assert_eq!(reasons(&dataset), [""; 0]);
    let captions = |place: usize| dataset.examples[place].captions.join(" ");
    assert_eq!(
        (dataset.examples[0].id.as_str(), captions(0).as_str()),
        ("a/1.jpg", "one two three four five six")
    );
    assert_eq!((dataset.examples[1].id.as_str(), captions(1).as_str()), ("2.jpg", "seven eight"));
    assert_eq!(dataset.examples.len(), 2);
}

/// Other systems refuse such names, so there is nothing to read there.
#[test]
#[cfg(target_os = "linux")]
fn pictures_that_no_text_can_name_are_counted_and_named() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let folder = folder(&["port/1.jpg", "lake/2.jpg"], &[]);
    let odd = |bytes: &'static [u8]| folder.path().join(OsStr::from_bytes(bytes));
    fs_err::create_dir(odd(b"caf\xe9")).unwrap();
    for path in [&b"port/\xe9t\xe9.jpg"[..], b"caf\xe9/3.jpg", b"caf\xe9/notes.txt", b"\xe9.jpg"] {
        fs_err::write(odd(path), "").unwrap();
    }
    let dataset = read(&folder);
    assert_eq!((dataset.examples.len(), dataset.rows), (2, 4));
    assert_eq!(
        reasons(&dataset),
        [
            r#"3: the name "caf\xE9/3.jpg" is not UTF-8; rename it"#,
            r#"4: the name "port/\xE9t\xE9.jpg" is not UTF-8; rename it"#,
        ]
    );
    assert_eq!(dataset.notes[0], "1 pictures lie in no class folder and are left out");
}

#[test]
fn class_folders_make_captions_from_names() {
    let pictures = ["train/storage_tanks/1.jpg", "train/port/2.PNG", "val/port/3.jpg", "stray.jpg"];
    let folder = folder(&pictures, &[("train/port/notes.md", "")]);
    let options = Options {
        caption_template: Some("a satellite photo of {class}".into()),
        ..Options::default()
    };
    let dataset = open(folder.path(), &options).unwrap();
    assert_eq!(dataset.layout, Layout::ClassFolders);
    let expected = [
        "train/port/2.PNG [train]: a satellite photo of port",
        "train/storage_tanks/1.jpg [train]: a satellite photo of storage tanks",
        "val/port/3.jpg [valid]: a satellite photo of port",
    ];
    assert_eq!(shown(&dataset), expected);
    assert_eq!(dataset.examples[1].label.as_deref(), Some("storage_tanks"));
    assert_eq!(dataset.notes, ["1 pictures lie in no class folder and are left out"]);
    let template = Options { caption_template: Some("a photo".into()), ..Options::default() };
    assert!(matches!(open(folder.path(), &template), Err(Error::Template { .. })));
}

#[test]
fn annotations_beside_a_folder_of_pictures() {
    let folder =
        folder(&["images/a.jpg"], &[("annotations/captions.csv", "image,caption\na.jpg,one\n")]);
    assert_eq!(shown(&read(&folder))[0].split(' ').next(), Some("a.jpg"));
    let file = folder.path().join("annotations/captions.csv");
    assert_eq!(open(&file, &Options::default()).unwrap().examples, read(&folder).examples);
}

#[test]
fn bad_rows_are_named_by_line_and_the_rest_is_read() {
    let mut table = b"image,caption\r\na.jpg,one\r\nb.jpg,caf\xe9\r\n\r\nc.jpg,a, b\r\nlost.jpg,x\r\n../../etc/passwd,x\r\n,x\r\na.jpg,\r\n".to_vec();
    table.extend_from_slice(b"\"b.jpg\",\"two\r\nlines\"\r\nc.jpg\r\nb.jpg,last");
    let folder = folder(&["a.jpg", "b.jpg", "c.jpg"], &[]);
    write(folder.path(), "captions.csv", &table);
    let dataset = read(&folder);
    let root = folder.path().display();
    let expected = [
        "3: byte 0xe9 at offset 3 of field 2 is not UTF-8".to_owned(),
        "5: expected 2 fields, found 3".into(),
        "6: image \"lost.jpg\" not found".into(),
        format!(
            "7: image \"../../etc/passwd\" lies outside {root}; say --image-root to allow another folder"
        ),
        "8: the row names no image".into(),
        "9: the caption is empty".into(),
        "12: expected 2 fields, found 1".into(),
    ];
    assert_eq!(reasons(&dataset), expected);
    assert_eq!(dataset.rows, 10);
    assert_eq!(dataset.examples[1].captions, ["two\nlines", "last"]);
    assert_eq!(tally(&dataset.skipped)[0], ("wrong number of fields", 2));
}

#[test]
fn a_picture_in_two_splits_stays_in_the_first() {
    let table = "image,caption,split\na.jpg,one,train\na.jpg,two,test\nb.jpg,x,\nc.jpg,y,valid\n";
    let dataset = read(&folder(&["a.jpg", "b.jpg", "c.jpg"], &[("captions.csv", table)]));
    assert_eq!(shown(&dataset), ["a.jpg [train]: one", "b.jpg [train]: x", "c.jpg [valid]: y"]);
    assert_eq!(
        reasons(&dataset),
        ["3: image \"a.jpg\" is already in split train, this row says test"]
    );
    assert_eq!(dataset.notes, ["1 pictures have no split and count as train"]);
}

#[test]
fn two_names_for_one_file_are_not_merged() {
    let table = "image,caption\nfarm/1.jpg,one\nport/1.jpg,two\n";
    let dataset = read(&folder(&["all/1.jpg"], &[("captions.csv", table)]));
    assert_eq!(dataset.examples[0].captions, ["one"]);
    assert!(reasons(&dataset)[0].starts_with("3: image \"port/1.jpg\" could only be all/1.jpg"));
}

#[test]
fn pictures_elsewhere_need_the_image_root() {
    let pictures = folder(&["deep/a.jpg"], &[]);
    let absolute = pictures.path().join("deep/a.jpg").display().to_string();
    let table = folder(&[], &[("captions.csv", &format!("image,caption\n{absolute},one\n"))]);
    let refused = open(table.path(), &Options::default()).unwrap_err();
    assert!(
        matches!(&refused, Error::Empty { reasons, .. } if reasons[0].contains("lies outside")),
        "{refused}"
    );
    let options = Options { image_root: Some(pictures.path().into()), ..Options::default() };
    assert_eq!(open(table.path(), &options).unwrap().examples[0].id, "deep/a.jpg");
}

/// `field = value`, a line per field of the first example.
fn metadata(dataset: &Dataset) -> Vec<String> {
    let field = |(name, value): (&String, &Value)| format!("{name} = {value:?}");
    dataset.examples[0].metadata.iter().map(field).collect()
}

#[test]
fn further_columns_are_metadata() {
    let table = ",image,caption,year,clear,code,split,by,note\n\
                 0,a.jpg,one,2010,true,007,train,Ann,\n1,a.jpg,two,2010,true,007,train,Ben,\n";
    let dataset = read(&folder(&["a.jpg"], &[("captions.csv", table)]));
    let expected = [
        "by = List([Text(\"Ann\"), Text(\"Ben\")])",
        "clear = Bool(true)",
        "code = Text(\"007\")",
        "year = Number(2010.0)",
    ];
    assert_eq!(metadata(&dataset), expected);
}

#[test]
fn a_stray_letter_in_metadata_costs_the_letter_and_not_the_row() {
    let folder = folder(&["a.jpg"], &[]);
    write(folder.path(), "captions.csv", b"image,caption,place\na.jpg,one,Orl\xe9ans\n");
    let dataset = read(&folder);
    assert_eq!(metadata(&dataset), ["place = Text(\"Orl\u{fffd}ans\")"]);
    assert!(dataset.skipped.is_empty());
}

#[test]
fn further_fields_of_json_lines_are_metadata() {
    let line = r#"{"file_name": "a.jpg", "text": "one", "split": "train", "year": 2010, "tags": ["x", "y"],
                   "Description": {"Plane": "axial", "Age": "60"}, "boxes": [[1, 2]], "none": null}"#;
    let line = line.replace('\n', " ");
    let dataset = read(&folder(&["a.jpg"], &[("metadata.jsonl", &line)]));
    let expected = [
        "Description.Age = Text(\"60\")",
        "Description.Plane = Text(\"axial\")",
        "tags = List([Text(\"x\"), Text(\"y\")])",
        "year = Number(2010.0)",
    ];
    assert_eq!(metadata(&dataset), expected);
}

#[test]
fn further_fields_of_karpathy_images_are_metadata_but_for_its_own_keys() {
    let json = r#"{"images": [{"filename": "a.jpg", "imgid": 4, "sentids": [1], "cocoid": 391895, "place": "port",
        "split": "train", "sentences": [{"raw": "one", "tokens": ["one"], "sentid": 1}]}]}"#;
    let dataset = read(&folder(&["a.jpg"], &[("dataset.json", json)]));
    assert_eq!(metadata(&dataset), ["cocoid = Number(391895.0)", "place = Text(\"port\")"]);
    assert_eq!(dataset.root, dataset.examples[0].image.parent().unwrap());
}
