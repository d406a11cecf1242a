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
    insta::assert_snapshot!(told(&Folder::new(), &["eval", "fotos", "--model", "model"]), @"");
}

#[test]
fn a_folder_without_captions() {
    let folder = Folder::new();
    folder.picture("photos/a.png").picture("photos/b.png");
    insta::assert_snapshot!(told(&folder, &["train", "photos", "--out", "run"]), @"");
}

#[test]
fn a_column_with_another_name() {
    let folder = pictures("picture_file,text\na.png,a dog\n");
    insta::assert_snapshot!(told(&folder, &["train", "photos", "--out", "run", "--format", "caption=title"]), @"");
}

#[test]
fn a_picture_that_is_missing_and_a_caption_that_is_empty() {
    let folder = pictures("image,caption\na.png,a dog\nlost.png,a cat\nc.png,\n");
    insta::assert_snapshot!(told(&folder, &["train", "photos", "--out", "run", "--strict"]), @"");
}

#[test]
fn a_preset_that_does_not_exist() {
    let folder = pictures("image,caption\na.png,a dog\n");
    insta::assert_snapshot!(told(&folder, &["init", "model", "--preset", "vit-b-33", "--vocab-from", "photos"]), @"");
}

#[test]
fn a_setting_that_is_misspelt() {
    let folder = pictures("image,caption\na.png,a dog\n");
    insta::assert_snapshot!(told(&folder, &["train", "photos", "--set", "optimizer.learning_rat=1e-5"]), @"");
}

#[test]
fn a_setting_of_another_type() {
    let folder = pictures("image,caption\na.png,a dog\n");
    insta::assert_snapshot!(told(&folder, &["train", "photos", "--set", "epochs=ten"]), @"");
}

#[test]
fn a_setting_out_of_range() {
    let folder = pictures("image,caption\na.png,a dog\n");
    insta::assert_snapshot!(told(&folder, &["train", "photos", "--set", "batch=1"]), @"");
}

#[test]
fn a_file_of_settings_that_is_broken() {
    let folder = pictures("image,caption\na.png,a dog\n");
    folder.write("run.toml", "epochs = 3\nbatch = = 4\n");
    insta::assert_snapshot!(told(&folder, &["train", "photos", "--config", "run.toml"]), @"");
}

#[test]
fn a_metric_that_does_not_exist() {
    let folder = pictures("image,caption\na.png,a dog\n");
    insta::assert_snapshot!(told(&folder, &["train", "photos", "--set", "stop.metric=recall"]), @"");
}

#[test]
fn a_model_folder_without_weights() {
    let folder = Folder::with_scenes(2, 2);
    folder.init();
    fs_err::remove_file(folder.path("model/model.safetensors")).unwrap();
    insta::assert_snapshot!(told(&folder, &["eval", "data", "--model", "model"]), @"");
}

#[test]
fn a_folder_that_is_no_model() {
    let folder = pictures("image,caption,split\na.png,a dog,test\n");
    insta::assert_snapshot!(told(&folder, &["eval", "photos", "--model", "photos"]), @"");
}

#[test]
fn a_model_by_name_without_a_network() {
    let folder = pictures("image,caption,split\na.png,a dog,test\n");
    insta::assert_snapshot!(told(&folder, &["eval", "photos", "--model", "openai/clip-vit-base-patch32"]), @"");
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
    insta::assert_snapshot!(told(&folder, &words), @"");
}

#[test]
fn a_run_that_is_there_already() {
    let folder = pictures("image,caption\na.png,a dog\n");
    folder.write("run/run.toml", "");
    insta::assert_snapshot!(told(&folder, &["train", "photos", "--out", "run"]), @"");
}

#[test]
fn a_run_to_go_on_with_that_is_not_there() {
    insta::assert_snapshot!(told(&Folder::new(), &["train", "--resume", "--out", "run"]), @"");
}

#[test]
fn data_without_the_split_asked_for() {
    let folder = pictures("image,caption,split\na.png,a dog,train\nb.png,a cat,train\n");
    insta::assert_snapshot!(told(&folder, &["eval", "photos", "--model", "model", "--split", "test"]), @"");
}
