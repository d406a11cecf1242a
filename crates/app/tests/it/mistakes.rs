//! What a newcomer gets wrong, and what each of it prints.

use crate::folder::Folder;

/// A folder with three pictures, the captions given, and nothing else.
fn pictures(captions: &str) -> Folder {
    let folder = Folder::new();
    for name in ["a.png", "b.png", "c.png"] {
        folder.picture(&format!("photos/{name}"));
    }
    folder.write("photos/captions.csv", captions);
    folder
}

fn told(folder: &Folder, words: &[&str]) -> String {
    folder.shown(&folder.run(words))
}

#[test]
fn data_that_is_not_there() {
    insta::assert_snapshot!(told(&Folder::new(), &["eval", "fotos", "--model", "model"]), @r"
    exit 2
    -- stdout
    -- stderr
    error: fotos: no such file or folder

    hint: pass a folder, or a .csv, .tsv, .txt, .json or .jsonl file
    ");
}

#[test]
fn a_folder_without_captions() {
    let folder = Folder::new();
    folder.picture("photos/a.png").picture("photos/b.png");
    insta::assert_snapshot!(told(&folder, &["train", "photos", "--out", "run"]), @r#"
    exit 2
    -- stdout
    -- stderr
    error: photos: no known layout; looked for a .json with images[].filename and images[].sentences[].raw (karpathy), a .jsonl with lines like {"filename": ..., "captions": [...]} (jsonl), a .csv, .tsv or .txt with a header like image,caption (table), a .csv whose caption cell is a printed list ['...' '...'] (rsicd-csv), a .csv, .tsv or .txt without a header: id<TAB>caption (imageclef), metadata.jsonl or metadata.csv with file_name (imagefolder), a folder of pictures per class (class-folders); found 2 pictures

    hint: pass the file that holds the captions, or name the layout with --format
    "#);
}

#[test]
fn a_column_with_another_name() {
    let folder = pictures("picture_file,text\na.png,a dog\n");
    insta::assert_snapshot!(told(&folder, &["train", "photos", "--out", "run", "--format", "caption=title"]), @r"
    exit 2
    -- stdout
    -- stderr
    error: photos/captions.csv: no image column: expected filename, image, imagepath, filepath, path, imagefile, imagefilename, imagename, img, imgpath, imagefilepath, file, imageid, imgid, id, name; found picture_file, text

    hint: name it: --format image=COLUMN
    ");
}

#[test]
fn a_picture_that_is_missing_and_a_caption_that_is_empty() {
    let folder = pictures("image,caption\na.png,a dog\nlost.png,a cat\nc.png,\n");
    insta::assert_snapshot!(told(&folder, &["train", "photos", "--out", "run", "--strict"]), @r#"
    exit 2
    -- stdout
    -- stderr
    photos: 1 picture, 1 caption (table)
      train 0, valid 1, test 0, by a hash of each picture's id
      note: the data names no splits and is so small that train got no picture; add a split column
      note: the data names no splits and is so small that test got no picture; add a split column
    warning: 2 rows skipped
      photos/captions.csv:3: image "lost.png" not found
      photos/captions.csv:4: the caption is empty
    error: 2 of 3 rows could not be used, and 0 may be

    hint: mend the rows named above, or allow more with --max-bad, such as --max-bad 5%
    "#);
}

#[test]
fn a_preset_that_does_not_exist() {
    let folder = pictures("image,caption\na.png,a dog\n");
    insta::assert_snapshot!(told(&folder, &["init", "model", "--preset", "vit-b-33", "--vocab-from", "photos"]), @r"
    exit 2
    -- stdout
    -- stderr
    error: invalid value 'vit-b-33' for '--preset <PRESET>'
      [possible values: tiny, small, medium, vit-b-32, vit-b-16, vit-l-14]

      tip: a similar value exists: 'vit-b-32'

    For more information, try '--help'.
    ");
}

#[test]
fn a_setting_that_is_misspelt() {
    let folder = pictures("image,caption\na.png,a dog\n");
    insta::assert_snapshot!(told(&folder, &["train", "photos", "--set", "optimizer.learning_rat=1e-5"]), @r#"
    exit 2
    -- stdout
    -- stderr
    error: --set optimizer.learning_rat=1e-5: unknown setting "optimizer.learning_rat"

    hint: did you mean optimizer.learning_rate?
    "#);
}

#[test]
fn a_setting_of_another_type() {
    let folder = pictures("image,caption\na.png,a dog\n");
    insta::assert_snapshot!(told(&folder, &["train", "photos", "--set", "epochs=ten"]), @r#"
    exit 2
    -- stdout
    -- stderr
    error: --set epochs=ten: epochs: expected a whole number, found a word "ten"

    hint: docs/cli.md lists every setting with its default
    "#);
}

#[test]
fn a_setting_out_of_range() {
    let folder = pictures("image,caption\na.png,a dog\n");
    insta::assert_snapshot!(told(&folder, &["train", "photos", "--set", "batch=1"]), @r"
    exit 2
    -- stdout
    -- stderr
    error: batch: expected at least 2, found 1

    hint: docs/cli.md lists every setting with its default
    ");
}

#[test]
fn a_file_of_settings_that_is_broken() {
    let folder = pictures("image,caption\na.png,a dog\n");
    folder.write("run.toml", "epochs = 3\nbatch = = 4\n");
    insta::assert_snapshot!(told(&folder, &["train", "photos", "--config", "run.toml"]), @r"
    exit 2
    -- stdout
    -- stderr
    error: run.toml:2: extra `=`, expected nothing

    hint: a run.toml of an earlier run is a good start
    ");
}

#[test]
fn a_metric_that_does_not_exist() {
    let folder = pictures("image,caption\na.png,a dog\n");
    insta::assert_snapshot!(told(&folder, &["train", "photos", "--set", "stop.metric=recall"]), @r#"
    exit 2
    -- stdout
    -- stderr
    error: unknown metric "recall", nearest is "mean_recall"; known: mean_recall, i2t_r@1, i2t_r@5, i2t_r@10, i2t_mrr@1, i2t_mrr@3, i2t_mrr@5, i2t_mrr@10, i2t_mrr@20, i2t_ndcg@10, i2t_median_rank, i2t_mean_rank, t2i_r@1, t2i_r@5, t2i_r@10, t2i_mrr@1, t2i_mrr@3, t2i_mrr@5, t2i_mrr@10, t2i_mrr@20, t2i_ndcg@10, t2i_median_rank, t2i_mean_rank

    hint: did you mean mean_recall?
    "#);
}

#[test]
fn a_model_folder_without_weights() {
    let folder = Folder::with_scenes(2, 2);
    folder.init();
    fs_err::remove_file(folder.path("model/model.safetensors")).unwrap();
    insta::assert_snapshot!(told(&folder, &["eval", "data", "--model", "model"]), @r"
    exit 2
    -- stdout
    -- stderr
    data: 4 pictures, 20 captions (jsonl)
      train 2, valid 2, test 0, as the data says
    measuring model on split valid, 2 pictures
    error: model: no weights: none of model.safetensors, model.safetensors.index.json, open_clip_model.safetensors, pytorch_model.bin, pytorch_model.bin.index.json, open_clip_pytorch_model.bin is there

    hint: the folder has a configuration but no weights; copy model.safetensors into it
    ");
}

#[test]
fn a_folder_that_is_no_model() {
    let folder = pictures("image,caption,split\na.png,a dog,test\n");
    insta::assert_snapshot!(told(&folder, &["eval", "photos", "--model", "photos"]), @r"
    exit 2
    -- stdout
    -- stderr
    photos: 1 picture, 1 caption (table)
      train 0, valid 0, test 1, as the data says
    measuring photos on split test, 1 picture
    error: photos: no model: neither config.json nor open_clip_config.json is there; found a.png, b.png, c.png, captions.csv

    hint: a model folder holds config.json, weights, tokenizer.json; `finelens init` makes one
    ");
}

#[test]
fn a_model_by_name_without_a_network() {
    let folder = pictures("image,caption,split\na.png,a dog,test\n");
    insta::assert_snapshot!(told(&folder, &["eval", "photos", "--model", "openai/clip-vit-base-patch32"]), @r"
    exit 2
    -- stdout
    -- stderr
    photos: 1 picture, 1 caption (table)
      train 0, valid 0, test 1, as the data says
    measuring openai/clip-vit-base-patch32 on split test, 1 picture
    error: openai/clip-vit-base-patch32: cannot fetch the model: request error: io: Connection refused (os error 111)

    hint: if openai/clip-vit-base-patch32 was meant as a folder, it is not there; else download config.json, preprocessor_config.json, tokenizer.json and model.safetensors from https://huggingface.co/openai/clip-vit-base-patch32/tree/main into a folder, and pass that folder
    ");
}

#[test]
fn a_picture_that_is_cut_short() {
    let folder = Folder::with_scenes(2, 3);
    folder.init();
    let first = fs_err::read_dir(folder.path("data/images"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .max()
        .unwrap();
    let bytes = fs_err::read(&first).unwrap();
    fs_err::write(&first, &bytes[..bytes.len() / 2]).unwrap();
    let words = ["eval", "data", "--model", "model", "--split", "all", "--strict"];
    insta::assert_snapshot!(told(&folder, &words), @r"
    exit 2
    -- stdout
    -- stderr
    data: 5 pictures, 25 captions (jsonl)
      train 2, valid 3, test 0, as the data says
    measuring model on split all, 5 pictures
    warning: 1 picture skipped
      data/images/river_00001.png: corrupt or truncated PNG: unexpected end of file
    error: 1 of 5 rows could not be used, and 0 may be

    hint: mend the rows named above, or allow more with --max-bad, such as --max-bad 5%
    ");
}

#[test]
fn a_run_that_is_there_already() {
    let folder = pictures("image,caption\na.png,a dog\n");
    folder.write("run/run.toml", "");
    insta::assert_snapshot!(told(&folder, &["train", "photos", "--out", "run"]), @r"
    exit 2
    -- stdout
    -- stderr
    error: run: there is a run in this folder already

    hint: go on with it: finelens train --resume --out run; or name another folder
    ");
}

#[test]
fn a_run_to_go_on_with_that_is_not_there() {
    insta::assert_snapshot!(told(&Folder::new(), &["train", "--resume", "--out", "run"]), @r"
    exit 2
    -- stdout
    -- stderr
    error: run: there is no run in this folder: no run.toml

    hint: --out is the folder that was given as --out when the run began
    ");
}

#[test]
fn data_without_the_split_asked_for() {
    let folder = pictures("image,caption,split\na.png,a dog,train\nb.png,a cat,train\n");
    insta::assert_snapshot!(told(&folder, &["eval", "photos", "--model", "model", "--split", "test"]), @r"
    exit 2
    -- stdout
    -- stderr
    photos: 2 pictures, 2 captions (table)
      train 1, valid 1, test 0, by a hash of each picture's id
      note: the data has no valid split: 1 train pictures (one in ten, by hash of the id) serve as one
    error: photos: no pictures in split test; found train 1, valid 1, test 0

    hint: choose another with --split
    ");
}

#[test]
fn a_word_to_leave_out_that_looks_like_a_flag_is_told_how_to_be_typed() {
    let folder = Folder::new();
    let told = folder.shown(&folder.run(&["search", "boat", "-sail", "--index", "photos.index"]));
    assert!(told.contains("tip: put words to leave out into quotes, as in 'boat -sail'"), "{told}");
    let told = folder.shown(&folder.run(&["search", "boat", "--fitler", "x"]));
    assert!(told.contains("'--filter'"), "{told}");
    let told = folder.shown(&folder.run(&["eval", "data", "-x"]));
    assert!(!told.contains("quotes"), "{told}");
}
