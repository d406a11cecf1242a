//! A folder of pictures per class; the caption is made from the folder's name.
//!
//! `train/`, `valid/` and `test/` above the classes are splits; pictures in no class are left out.

use std::path::Path;

use crate::{
    Error, Layout, Options, Reason, Split,
    choose::{Source, is_neutral_folder},
    collect::{Collector, Row},
    locate::Locator,
};

/// Whether there are at least two classes, or one where the user says so.
pub(crate) fn recognise(root: &Path, options: &Options) -> Result<bool, Error> {
    let mut locator = Locator::new(root)?;
    let mut pictures = locator.walk();
    pictures.extend(locator.unnamed().iter().map(|path| path.to_string_lossy().into_owned()));
    let mut classes: Vec<&str> = pictures.iter().filter_map(|path| class_of(path)).collect();
    classes.sort_unstable();
    classes.dedup();
    Ok(classes.len() >= if options.format == Some(Layout::ClassFolders) { 1 } else { 2 })
}

/// Makes a row of every picture in a class.
pub(super) fn read(source: &Source, options: &Options, collector: &mut Collector) {
    let template = options.caption_template.as_deref().unwrap_or(Options::DEFAULT_CAPTION_TEMPLATE);
    let pictures = collector.locator.walk();
    let (mut outside, named) = (0, pictures.len() as u64);
    for (number, image) in (1..).zip(pictures) {
        let Some(class) = class_of(&image).map(str::to_owned) else {
            outside += 1;
            continue;
        };
        let captions = vec![template.replace("{class}", class.replace(['_', '-'], " ").trim())];
        let split = split_of(&image).map(|split| split.name().to_owned());
        let label = Some(class);
        collector.add(source, Row { number, image, captions, split, label, ..Row::default() });
    }
    for (number, image) in (named + 1..).zip(collector.locator.unnamed()) {
        if class_of(&image.to_string_lossy()).is_some() {
            collector.reject(source, number, Reason::NameNotUtf8 { image });
        } else {
            outside += 1;
        }
    }
    if outside > 0 {
        collector.notes.push(format!("{outside} pictures lie in no class folder and are left out"));
    }
}

/// The folder that the picture lies in, unless its name says nothing about the picture.
fn class_of(path: &str) -> Option<&str> {
    let mut folders = path.rsplit('/').skip(1);
    let class = folders.next()?;
    // A class may well be called `train` where other classes stand beside it, below a split.
    let below_split = folders.any(|folder| Split::of_word(folder).is_some());
    (below_split || !is_neutral_folder(class)).then_some(class)
}

/// The split above the class.
fn split_of(path: &str) -> Option<Split> {
    let folders: Vec<&str> = path.split('/').collect();
    folders.iter().rev().skip(2).find_map(|folder| Split::of_word(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_folder_is_the_class() {
        assert_eq!(class_of("airport/1.jpg"), Some("airport"));
        assert_eq!(class_of("train/airport/1.jpg"), Some("airport"));
        assert_eq!(class_of("valid/train/1.jpg"), Some("train"));
        assert_eq!(class_of("train/1.jpg"), None);
        assert_eq!(class_of("images/1.jpg"), None);
        assert_eq!(class_of("1.jpg"), None);
    }

    #[test]
    fn the_split_stands_above_the_class() {
        assert_eq!(split_of("images/val/airport/1.jpg"), Some(Split::Valid));
        assert_eq!(split_of("airport/test/1.jpg"), None);
    }
}
