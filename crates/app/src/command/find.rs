//! `finelens find`: where in a picture is a feature, or: it is not there.

use std::path::Path;

use finelens_clip::{Embedder, Picture};
use finelens_search::{Backend, Embedded};

use crate::Verdict;
use crate::cli::Find;
use crate::error::Error;
use crate::finding::{self, Asked, Finder};
use crate::hub::DEFAULT_MODEL;
use crate::model;
use crate::printer::Printer;
use crate::progress::Stages;
use crate::question;

/// Runs the command.
pub(crate) fn run(words: &Find, printer: &Printer) -> anyhow::Result<Verdict> {
    let feature = words.feature.join(" ");
    if feature.trim().is_empty() {
        return Err(Error::NoFeature.into());
    }
    let index = words
        .index
        .as_deref()
        .map(|dir| Ok::<_, anyhow::Error>((Embedded::open_read_only(dir)?, dir)));
    let index = index.transpose()?;
    let index = index.as_ref().map(|(index, dir)| (index, *dir));
    let mut embedder = embedder(words, index, printer)?;
    let (picture, id) = picture(words, index, &embedder)?;
    let mut finder = finder(index, &mut embedder, printer)?;
    let asked = Asked {
        feature: feature.trim(),
        id: id.as_deref(),
        boxes: words.boxes,
        false_alarm: words.false_alarm,
    };
    let found = finder.find(&mut embedder, &picture, &asked)?;
    if let Some(path) = &words.out {
        fs_err::write(path, finding::drawn(&picture, &found)?)?;
        printer.say(format_args!("drawn in {}", path.display()));
    }
    printer.data(if words.json {
        serde_json::to_string_pretty(&found)?
    } else {
        finding::told(asked.feature, &found, printer.emphasis())
    })?;
    Ok(if found.found { Verdict::Done } else { Verdict::No })
}

/// An index with its folder.
type Opened<'a> = (&'a Embedded, &'a Path);

fn embedder(
    words: &Find,
    index: Option<Opened<'_>>,
    printer: &Printer,
) -> anyhow::Result<Embedder> {
    let said = words.model.as_deref();
    match index {
        Some((index, dir)) => question::embedder(dir, said, index, printer),
        None => model::embedder(model::load(said.unwrap_or(DEFAULT_MODEL), printer)?),
    }
}

/// The picture in question, and its id if it is in the index: a file goes before an id of the same name.
fn picture(
    words: &Find,
    index: Option<Opened<'_>>,
    embedder: &Embedder,
) -> anyhow::Result<(Picture, Option<String>)> {
    let path = Path::new(&words.image);
    let Some((index, dir)) = index.filter(|_| !path.is_file()) else {
        return Ok((question::decoded(path, embedder)?, None));
    };
    let missing = || Error::NoPicture { name: words.image.clone(), index: dir.to_owned() };
    let item = index.get(&words.image)?.ok_or_else(missing)?;
    let picture = finding::picture_of(&item, &index.roots()?, embedder).ok_or_else(missing)?;
    Ok((picture, Some(item.record.id)))
}

fn finder(
    index: Option<Opened<'_>>,
    embedder: &mut Embedder,
    printer: &Printer,
) -> anyhow::Result<Finder> {
    let mut finder = Finder::new();
    let Some((index, dir)) = index else { return Ok(finder) };
    let mut bar = Stages::new(printer);
    let mut is_first = true;
    finder.learn(index, dir, embedder, &mut |done, of| {
        if std::mem::take(&mut is_first) {
            printer.say("looking at some pictures of the index; this is done once");
        }
        bar.see("looking at the index", done, of);
    })?;
    bar.finish();
    if !finder.knows_pictures() {
        printer.warn("the index has too few pictures to compare with; going by words");
    }
    Ok(finder)
}
