//! `finelens index`: a data set becomes searchable, or its index is brought up to date.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use finelens_clip::Embedder;
use finelens_data::{Dataset, Example};
use finelens_search::{Backend, Embedded, Error as SearchError, Known, Settings};

use crate::Verdict;
use crate::cli::{Index, Reembed};
use crate::error::Error;
use crate::hub::DEFAULT_MODEL;
use crate::indexing::{self, Filled, Plan, Unreadable};
use crate::input::{self, DataSettings, check_bad, tell_skipped, to_measure};
use crate::interrupt;
use crate::number::counted;
use crate::printer::Printer;
use crate::progress::Stages;
use crate::rounding;
use crate::stamp::StampedModel;
use crate::summary;

/// Runs the command.
pub(crate) fn run(words: &Index, printer: &Printer) -> anyhow::Result<Verdict> {
    let mut settings = DataSettings::default();
    settings.overlay(Some(&words.data), &words.read);
    let dataset = input::open(&settings, printer)?;
    let (_, examples) = to_measure(&dataset, &words.data, Some(&words.split))?;
    interrupt::listen(printer.clone(), "saving after this step")?;
    let target = Target::open(words, printer)?;
    let named = dataset.examples.iter().map(|example| example.id.as_str()).collect();
    let job = Job { words, dataset: &dataset, examples: &examples, named, printer };
    let Some(done) = job.run(&target)? else {
        printer.say("stopped; what is done is kept, and the same command goes on");
        return Ok(Verdict::No);
    };
    check_bad(job.bad(&done), dataset.rows, settings.max_bad()?)?;
    let index = target.settle()?;
    printer.data(summary::indexed(&words.into, &done, &index.stats()?))?;
    Ok(Verdict::Done)
}

/// What came of a run.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// Pictures that went through the reader.
    pub(crate) filled: Filled,
    /// Pictures that are as they were.
    pub(crate) same: usize,
    /// Pictures of the index that are not in the data.
    pub(crate) gone: usize,
    /// Whether those were taken out.
    pub(crate) pruned: bool,
    /// Whether the weight of the hybrid was fitted in this run.
    pub(crate) fitted: bool,
}

impl Done {
    /// Pictures that the index now knows otherwise.
    fn changed(&self) -> usize {
        let pruned = if self.pruned { self.gone } else { 0 };
        self.filled.new + self.filled.replaced + self.filled.reworded + pruned
    }
}

/// The index that is filled, and the model that fills it.
struct Target {
    index: Embedded,
    /// The next generation, where the model changes.
    successor: Option<Embedded>,
    model: StampedModel,
}

impl Target {
    fn open(words: &Index, printer: &Printer) -> anyhow::Result<Self> {
        match Embedded::open(&words.into) {
            Ok(index) => Self::of_known(index, words, printer),
            Err(SearchError::NoIndex { .. }) => Self::new(words, printer),
            Err(error) => Err(error.into()),
        }
    }

    fn new(words: &Index, printer: &Printer) -> anyhow::Result<Self> {
        let model = StampedModel::find(words.model.as_deref().unwrap_or(DEFAULT_MODEL), printer)?;
        let settings = Settings {
            dim: model.dim()?,
            model: model.fingerprint.clone(),
            language: words.language.unwrap_or_default(),
            text_fields: words.text_field.clone(),
        };
        Ok(Self { index: Embedded::create(&words.into, &settings)?, successor: None, model })
    }

    fn of_known(index: Embedded, words: &Index, printer: &Printer) -> anyhow::Result<Self> {
        let known = index.settings();
        let name = words.model.as_deref().unwrap_or(&known.model.name);
        let model = StampedModel::find(name, printer)?;
        let mut wanted = known.clone();
        wanted.language = words.language.unwrap_or(known.language);
        if !words.text_field.is_empty() {
            wanted.text_fields.clone_from(&words.text_field);
        }
        if words.reembed.is_none() {
            model.must_be(&known.model)?;
            must_be_as_made(&words.into, &known, &wanted)?;
            return Ok(Self { index, successor: None, model });
        }
        if model.fingerprint.hash == known.model.hash && wanted == known {
            printer.say("the index has vectors of this model already");
            return Ok(Self { index, successor: None, model });
        }
        (wanted.dim, wanted.model) = (model.dim()?, model.fingerprint.clone());
        let successor = Some(index.successor(&wanted)?);
        Ok(Self { index, successor, model })
    }

    /// Where pictures are put.
    fn filling(&self) -> &Embedded {
        self.successor.as_ref().unwrap_or(&self.index)
    }

    /// The index as it is from now on.
    fn settle(self) -> anyhow::Result<Embedded> {
        if let Some(successor) = self.successor {
            self.index.succeed(successor)?;
        }
        Ok(self.index)
    }
}

/// An error where settings are asked for that an index cannot change.
fn must_be_as_made(path: &Path, known: &Settings, wanted: &Settings) -> Result<(), Error> {
    let told = |setting, expected: String, found: String| {
        Err(Error::FixedSetting { path: path.to_owned(), setting, expected, found })
    };
    if known.language != wanted.language {
        let [known, wanted] =
            [known, wanted].map(|settings| crate::cli::language_name(settings.language));
        return told("--language", known.to_owned(), wanted.to_owned());
    }
    if known.text_fields != wanted.text_fields {
        let list = |settings: &Settings| match &settings.text_fields[..] {
            [] => "none".to_owned(),
            fields => fields.join(", "),
        };
        return told("--text-field", list(known), list(wanted));
    }
    Ok(())
}

/// What is to be indexed.
struct Job<'a> {
    words: &'a Index,
    dataset: &'a Dataset,
    examples: &'a [&'a Example],
    /// Ids of all splits.
    named: HashSet<&'a str>,
    printer: &'a Printer,
}

/// What the index knew before.
struct Before {
    pictures: BTreeMap<String, Known>,
    /// The root that the folder of the data has in it.
    root: String,
}

impl Job<'_> {
    /// Fills, prunes and tunes; nothing where somebody stopped it.
    fn run(&self, target: &Target) -> anyhow::Result<Option<Done>> {
        let pictures = target.index.known()?;
        let root = indexing::register(&target.index, &self.dataset.root, &pictures)?;
        let before = Before { pictures, root };
        let plan = self.plan(target, &before)?;
        let index = target.filling();
        let mut embedder = Lazy { job: self, index, model: &target.model, embedder: None };
        if rounding::is_unproven(index)? {
            embedder.get()?;
        }
        let mut done = Done { same: plan.same, ..Done::default() };
        indexing::add_changes(index, plan.to_read.len() + plan.to_reword.len())?;
        if !plan.to_read.is_empty() {
            done.filled = indexing::fill(index, &plan.to_read, embedder.get()?, self.printer)?;
            if done.filled.interrupted {
                return Ok(None);
            }
        }
        let to_reword = plan.to_reword.len();
        let refused = indexing::reword(index, plan.to_reword)?;
        done.filled.reworded += to_reword - refused.len();
        done.filled.unreadable.extend(refused);
        self.tell_unreadable(&done);
        self.prune(index, &before, &mut done)?;
        self.give_up(target, &before)?;
        self.tune(index, &mut embedder, &mut done)?;
        Ok(Some(done))
    }

    fn tell_unreadable(&self, done: &Done) {
        let told: Vec<String> = done.filled.unreadable.iter().map(|bad| bad.what.clone()).collect();
        tell_skipped("picture", &told, self.printer);
    }

    /// Rows of the data that could not be used.
    fn bad(&self, done: &Done) -> usize {
        let of_data = |bad: &&Unreadable| self.named.contains(bad.id.as_str());
        self.dataset.skipped.len() + done.filled.unreadable.iter().filter(of_data).count()
    }

    fn plan(&self, target: &Target, before: &Before) -> anyhow::Result<Plan> {
        let ids: HashSet<&str> = self.examples.iter().map(|example| example.id.as_str()).collect();
        let Before { pictures, root } = before;
        indexing::must_not_replace(&target.index, root, ids.iter().copied(), pictures)?;
        let mut candidates = indexing::of_data(self.examples, root, &self.dataset.root);
        let Some(successor) = &target.successor else {
            return Ok(Plan::new(candidates, pictures));
        };
        for (name, folder) in target.index.roots()? {
            successor.set_root(&name, &folder)?;
        }
        let begun = successor.known()?;
        self.forget_deleted(before, successor, &begun)?;
        // What only the index knows goes on to be known.
        let stays = pictures.iter().filter(|(id, known)| {
            let is_gone = self.words.prune && self.is_gone(before, id, known);
            !is_gone && !ids.contains(id.as_str())
        });
        let stays = stays.map(|(id, _)| id);
        candidates.extend(indexing::carried(&target.index, &self.words.into, stays)?);
        Ok(Plan::new(candidates, &begun))
    }

    /// What was deleted since a successor was begun must not come back with it.
    fn forget_deleted(
        &self,
        before: &Before,
        successor: &Embedded,
        begun: &BTreeMap<String, Known>,
    ) -> anyhow::Result<()> {
        let is_gone = |id: &&str| !before.pictures.contains_key(*id) && !self.named.contains(id);
        let gone: Vec<&str> = begun.keys().map(String::as_str).filter(is_gone).collect();
        if !gone.is_empty() {
            successor.delete(&gone)?;
        }
        Ok(())
    }

    /// Pictures of other splits are not gone, nor are those of other collections in the same index: only what lies in this
    /// folder, and the whole data does not name.
    fn is_gone(&self, before: &Before, id: &str, known: &Known) -> bool {
        let is_here = known.place.as_ref().is_none_or(|place| place.root == before.root);
        is_here && !self.named.contains(id)
    }

    fn prune(&self, index: &Embedded, before: &Before, done: &mut Done) -> anyhow::Result<()> {
        let known = before.pictures.iter();
        let gone = known.filter(|(id, known)| self.is_gone(before, id, known));
        let gone: Vec<&str> = gone.map(|(id, _)| id.as_str()).collect();
        done.gone = gone.len();
        done.pruned = self.words.prune;
        if gone.is_empty() {
            return Ok(());
        }
        if self.words.prune {
            indexing::add_changes(index, gone.len())?;
            index.delete(&gone)?;
        } else {
            self.printer.warn(format_args!(
                "{} of the index not in {} any more; --prune takes them out",
                counted(gone.len(), "picture"),
                self.words.data.display()
            ));
        }
        Ok(())
    }

    /// An error where pictures would go with the old vectors, as they could not be embedded anew, unless they may.
    fn give_up(&self, target: &Target, before: &Before) -> anyhow::Result<()> {
        let Some(successor) = &target.successor else { return Ok(()) };
        let lost = self.lost(&target.index, successor, before)?;
        let (count, Some(first)) = (lost.len(), lost.into_iter().next()) else { return Ok(()) };
        if self.words.reembed != Some(Reembed::DropMissing) {
            return Err(Error::Lost { index: self.words.into.clone(), count, first }.into());
        }
        let told = counted(count, "picture");
        self.printer.warn(format_args!("{told} dropped, not embedded anew, such as {first}"));
        Ok(())
    }

    /// Pictures that the index has and its successor has not, but for those that are to be taken out; damaged ones by what
    /// is wrong with them, where their ids cannot be read.
    fn lost(
        &self,
        index: &Embedded,
        successor: &Embedded,
        before: &Before,
    ) -> anyhow::Result<Vec<String>> {
        let after = successor.known()?;
        let is_lost = |(id, known): &(&String, &Known)| {
            !(after.contains_key(*id) || self.words.prune && self.is_gone(before, id, known))
        };
        let lost = before.pictures.iter().filter(is_lost).map(|(id, _)| id.clone());
        let damaged = index.damaged()?.into_iter();
        let damaged = damaged
            .filter(|damage| damage.id.as_ref().is_none_or(|id| !after.contains_key(id)))
            .map(|damage| damage.what);
        Ok(lost.chain(damaged).collect())
    }

    /// Calibrates where anything changed, and fits where much did or somebody asked for it.
    fn tune(
        &self,
        index: &Embedded,
        embedder: &mut Lazy<'_>,
        done: &mut Done,
    ) -> anyhow::Result<()> {
        let stats = index.stats()?;
        let held = self.held(done);
        let enough = held.len() >= indexing::MEANINGFUL;
        let changed = indexing::changes(index)?;
        let unfitted = stats.fitted.is_none() && enough && changed > 0;
        let much = unfitted || MUCH * changed > stats.pictures;
        if much {
            indexing::probe(index, self.examples, embedder.get()?)?;
        }
        if much || done.changed() > 0 || stats.recall.is_none() {
            let mut stages = Stages::new(self.printer);
            index.optimise(&mut |what, so_far, total| stages.see(what, so_far, total))?;
            stages.finish();
        }
        if self.words.fit && held.is_empty() {
            self.printer.warn("nothing to fit on: no picture of the split valid has two captions");
        } else if self.words.fit || much && enough {
            self.printer.say(format_args!("fitting on {}", counted(held.len(), "caption")));
            indexing::tune(index, self.examples, &held, embedder.get()?)?;
            done.fitted = true;
        }
        if much || done.fitted { indexing::forget_changes(index) } else { Ok(()) }
    }

    /// Captions to fit on. A picture that could not be read cannot be found.
    fn held(&self, done: &Done) -> Vec<indexing::Held> {
        let unreadable: HashSet<&str> =
            done.filled.unreadable.iter().map(|bad| bad.id.as_str()).collect();
        let mut held = indexing::trials(self.examples);
        held.retain(|&(place, _)| !unreadable.contains(self.examples[place].id.as_str()));
        held
    }
}

/// One picture in so many, changed, makes it worth the time to fit anew.
const MUCH: usize = 10;

/// A model that is read when somebody needs it.
struct Lazy<'a> {
    job: &'a Job<'a>,
    index: &'a Embedded,
    model: &'a StampedModel,
    embedder: Option<Embedder>,
}

impl Lazy<'_> {
    fn get(&mut self) -> anyhow::Result<&mut Embedder> {
        let embedder = if let Some(embedder) = self.embedder.take() {
            embedder
        } else {
            let checkpoint = self.model.checkpoint()?;
            let Job { examples, printer, .. } = *self.job;
            rounding::embedder(Some(self.index), checkpoint, examples, printer)?
        };
        Ok(self.embedder.insert(embedder))
    }
}
