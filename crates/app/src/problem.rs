//! The one table from an error to what a person is told: code, message, hint, exit status.

use std::io;

use finelens_finetune::{Error as TrainError, eval};
use finelens_search::Error as SearchError;

use crate::error::{Error, PrecisionError};

/// An error as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// A stable name for machines.
    pub(crate) code: &'static str,
    /// What happened, on one line.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
    /// Exit status.
    pub(crate) exit: u8,
}

/// Exit status of every error.
const FAILED: u8 = 2;

impl Problem {
    /// What to tell about an error; nothing where the reader has gone away.
    pub(crate) fn of(error: &anyhow::Error) -> Option<Self> {
        let gone = |cause: &io::Error| cause.kind() == io::ErrorKind::BrokenPipe;
        if find(error).is_some_and(gone) {
            return None;
        }
        let (code, hint) = known(error).unwrap_or(("error", None));
        Some(Self { code, message: chain(error), hint, exit: FAILED })
    }
}

/// The first cause of a type.
fn find<E: std::error::Error + Send + Sync + 'static>(error: &anyhow::Error) -> Option<&E> {
    error.chain().find_map(|cause| cause.downcast_ref())
}

/// All causes on one line. A cause that the message before it has quoted already is not said twice.
fn chain(error: &anyhow::Error) -> String {
    let mut message = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if message.is_empty() {
            message = cause;
        } else if !message.ends_with(&cause) {
            message = format!("{message}: {cause}");
        }
    }
    message.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

type Known = (&'static str, Option<String>);

fn known(error: &anyhow::Error) -> Option<Known> {
    let ours = || find(error).map(of_app);
    let data = || find(error).map(of_data);
    let clip = || find(error).map(of_clip);
    let eval = || find(error).map(of_eval);
    let train = || find(error).map(of_train);
    let search = || find(error).map(of_search);
    let io = || find(error).map(of_io);
    // The innermost cause that has a hint knows best; the order is from the particular to the general.
    ours().or_else(data).or_else(clip).or_else(eval).or_else(train).or_else(search).or_else(io)
}

fn of_app(error: &Error) -> Known {
    let (code, hint) = match error {
        Error::UnknownSetting { nearest: Some(nearest), .. } => {
            ("unknown_setting", format!("did you mean {nearest}?"))
        }
        Error::UnknownSetting { .. } | Error::SettingValue { .. } | Error::SettingType { .. } => {
            ("bad_setting", "docs/cli.md lists every setting with its default".to_owned())
        }
        Error::SetWithoutValue { .. } => {
            ("bad_setting", "write for example --set optimizer.learning_rate=1e-5".to_owned())
        }
        Error::NotToml { .. } => {
            ("bad_setting", "a run.toml of an earlier run is a good start".to_owned())
        }
        Error::Format { .. } => {
            ("bad_format", "write for example --format table,image=path,caption=title".to_owned())
        }
        Error::NotEmpty { .. } => ("folder_not_empty", "name a new folder, or empty this one".to_owned()),
        Error::RunExists { path } => {
            let path = path.display();
            ("run_exists", format!("go on with it: finelens train --resume --out {path}; or name another folder"))
        }
        Error::NoRun { .. } => ("no_run", "--out is the folder that was given as --out when the run began".to_owned()),
        Error::Precision(error) => of_precision(error),
        Error::EmptyRun { .. } => ("no_model", "train it first, or resume it".to_owned()),
        Error::NoModel { .. } => {
            ("no_model", "pass a model folder, a run, or a hub id such as openai/clip-vit-base-patch32".to_owned())
        }
        Error::NotAModel { .. } => {
            ("no_model", "a model folder holds config.json, weights, tokenizer.json; `finelens init` makes one".to_owned())
        }
        Error::Fetch { id, .. } => ("no_network", by_hand(id)),
        Error::TooManyBad { .. } => {
            ("too_many_bad", "mend the rows named above, or allow more with --max-bad, such as --max-bad 5%".to_owned())
        }
        Error::EmptySplit { .. } => ("empty_split", "choose another with --split".to_owned()),
        Error::NoClassFits { .. } => {
            ("bad_classes", "a picture's class is its label, what stands before the last _ of its file name, or its folder".to_owned())
        }
        Error::NoClasses { .. } => ("bad_classes", "write one class name per line".to_owned()),
        Error::Prompt { .. } => ("bad_prompt", "write for example --prompt \"an aerial photo of {}\"".to_owned()),
        Error::FailUnder { .. } => ("bad_metric", "write for example --fail-under t2i_r@10=0.5".to_owned()),
        Error::FailUnderShare { .. } => ("bad_metric", "10 % is 0.1".to_owned()),
        Error::NoData => ("no_data", "name a folder or a file: finelens train photos/".to_owned()),
        Error::NotMeasured { .. } => ("bad_metric", "the zero-shot metrics need --classes".to_owned()),
        Error::NothingAsked => ("no_query", "type words, or name a picture with --image".to_owned()),
        Error::NoFeature => {
            ("no_query", "say what to look for, such as: finelens find port.jpg a boat --index photos.index".to_owned())
        }
        Error::NotLexical { .. } => ("bad_query", "leave it out, or choose --mode hybrid".to_owned()),
        Error::NoPicture { .. } | Error::NoId { .. } => {
            ("no_picture", "check the path; ids are what a search prints under `picture`".to_owned())
        }
        Error::NotAPicture { .. } => ("no_picture", "name a JPEG, PNG, WebP, TIFF, BMP or GIF file".to_owned()),
        Error::Cancelled => ("bad_query", "look away from less: a smaller --weight in place of --subtract".to_owned()),
        Error::ModelMoved { .. } => {
            ("no_model", "say where it is with --model, or search with --mode lexical, which needs none".to_owned())
        }
        Error::FixedSetting { .. } => {
            ("fixed_setting", "leave it out, or make the index anew with --reembed".to_owned())
        }
        Error::Lost { .. } => {
            ("lost_pictures", "bring their originals back (finelens admin relocate, if they moved) and run this again: it goes on where it stopped; or give them up with --reembed=drop-missing".to_owned())
        }
        Error::TakenIds { .. } => {
            ("taken_ids", "index into another folder, or index the folder above both collections".to_owned())
        }
        Error::Root { .. } => ("bad_root", "name one with --root".to_owned()),
        Error::NotThere { .. } => ("not_there", "name the folder that holds what the old one held".to_owned()),
        Error::Token { .. } | Error::SameTokens => {
            ("bad_token", "make one: openssl rand -hex 24 > write.token; chmod 600 write.token".to_owned())
        }
        Error::HostName { .. } => ("bad_host", "write for example --allow-host photos.example".to_owned()),
        Error::Unguarded { .. } => {
            ("unguarded", "give it --write-token-file FILE, and --read-token-file FILE for those who only search; docs/security.md".to_owned())
        }
        Error::Listen { source, .. } => ("cannot_listen", unheard(source)),
        Error::ImageSize { .. } => ("bad_size", "choose a larger picture or another --preset".to_owned()),
    };
    (code, Some(hint))
}

/// How to listen nevertheless.
fn unheard(error: &io::Error) -> String {
    let why = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program listens there, perhaps another finelens; end it, or choose another"
        }
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 are for administrators; choose another"
        }
        _ => "the address must be one of this machine, written HOST:PORT; choose another",
    };
    format!("{why} with --addr, such as --addr 127.0.0.1:7701")
}

fn of_precision(error: &PrecisionError) -> (&'static str, String) {
    let (code, hint) = match error {
        PrecisionError::NotAsBegun { .. } => (
            "other_precision",
            "leave --precision and FINELENS_PRECISION out: the run goes on as it began",
        ),
        PrecisionError::Int8Elsewhere => {
            ("no_int8", "leave --precision out: it takes the fastest that is good enough")
        }
        PrecisionError::NoInt8 => {
            ("no_int8", "leave --precision out: it takes the fastest there is")
        }
        PrecisionError::Int8Unseen { index } => {
            let into = index.display();
            return (
                "int8_unseen",
                format!(
                    "finelens index DATA --into {into} --precision int8 looks, and the index keeps the answer"
                ),
            );
        }
        PrecisionError::Int8Differs { .. } => {
            ("int8_differs", "leave --precision out: bf16 is nearly as fast")
        }
    };
    (code, hint.to_owned())
}

/// How to do without the hub.
fn by_hand(id: &str) -> String {
    format!(
        "if {id} was meant as a folder, it is not there; else download config.json, preprocessor_config.json, \
         tokenizer.json and model.safetensors from https://huggingface.co/{id}/tree/main into a folder, and pass that folder"
    )
}

fn of_data(error: &finelens_data::Error) -> Known {
    use finelens_data::Error;
    let hint = match error {
        // Here the columns are named by one flag.
        Error::MissingColumn { role, .. } => format!("name it: --format {role}=COLUMN"),
        _ => error.hint(),
    };
    ("bad_data", Some(hint))
}

fn of_clip(error: &finelens_clip::Error) -> Known {
    use finelens_clip::Error;
    let hint = match error {
        Error::NoWeights { .. } => {
            "the folder has a configuration but no weights; copy model.safetensors into it"
        }
        Error::ForbiddenObject { .. } => {
            "convert the model to model.safetensors with the program that made it"
        }
        Error::WeightsDoNotFit { .. } => {
            "config.json and the weights must come from the same model"
        }
        Error::Damaged { .. } | Error::NotFinite { .. } => "copy or download the file again",
        Error::NotInOpenClip { .. } => "export it with --to hugging-face instead",
        Error::Json { .. } | Error::Config { .. } => {
            "copy the file again from where the model came from"
        }
        _ => return ("bad_model", None),
    };
    ("bad_model", Some(hint.to_owned()))
}

fn of_eval(error: &eval::Error) -> Known {
    match error {
        eval::Error::UnknownMetric { nearest, .. } => {
            ("bad_metric", Some(format!("did you mean {nearest}?")))
        }
        _ => ("bad_evaluation", None),
    }
}

fn of_train(error: &TrainError) -> Known {
    let hint = match error {
        TrainError::Eval(inner) => return of_eval(inner),
        TrainError::Clip(inner) => return of_clip(inner),
        TrainError::Setting { .. } => "docs/cli.md lists every setting with its default",
        TrainError::TooFewImages { .. } => {
            "say which pictures are for what, with a split column or folders named train and valid"
        }
        TrainError::Diverged { .. } => "a tenth of the learning rate is a good next try",
        TrainError::RunExists { .. } => "name another folder with --out",
        TrainError::NoCheckpoint { .. } => {
            "nothing was saved yet: delete the folder and start again"
        }
        TrainError::DamagedRun { .. } => {
            "the run cannot go on; RUN/best may still be a whole model"
        }
        _ => return ("training", None),
    };
    ("training", Some(hint.to_owned()))
}

fn of_search(error: &SearchError) -> Known {
    let hint = match error {
        SearchError::Io(inner) => return of_io(inner),
        SearchError::NoIndex { path } => {
            format!("make one: finelens index DATA --model MODEL --into {}", path.display())
        }
        SearchError::NotEmpty { .. } => "name a new folder, or empty this one".to_owned(),
        SearchError::Format { .. } => {
            "a later finelens wrote it: use that one, or index into a new folder".to_owned()
        }
        SearchError::Locked { .. } => {
            "wait until it is done; the index can be searched meanwhile".to_owned()
        }
        SearchError::OtherModel { .. } => {
            "name the index's own model with --model; finelens index --reembed changes it"
                .to_owned()
        }
        SearchError::Filter { .. } => {
            "write for example --filter 'year >= 2010 and class in (port, \"river bank\")'"
                .to_owned()
        }
        SearchError::Unseen { .. } => {
            "nothing has to be done again: it is found once the index is opened anew".to_owned()
        }
        SearchError::Damaged { .. } | SearchError::Store { .. } | SearchError::Lexical { .. } => {
            "finelens admin verify tells what else is wrong; check the disk".to_owned()
        }
        SearchError::Query { .. } => "type words, or name a picture with --image".to_owned(),
        SearchError::NotUnit { .. } => {
            "the model gives no sensible vectors; measure it with finelens eval".to_owned()
        }
        _ => return ("index", None),
    };
    ("index", Some(hint))
}

fn of_io(error: &io::Error) -> Known {
    let hint = match error.kind() {
        io::ErrorKind::NotFound => Some("check the path"),
        io::ErrorKind::PermissionDenied => Some("check who may read and write there"),
        io::ErrorKind::StorageFull => Some(
            "free some space; what was saved is whole: the same command goes on, train with --resume",
        ),
        _ => None,
    };
    ("io", hint.map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn a_reader_that_has_gone_away_is_no_problem() {
        let error = anyhow::Error::from(io::Error::from(io::ErrorKind::BrokenPipe))
            .context("writing the table");
        assert_eq!(Problem::of(&error), None);
    }

    #[test]
    fn a_chain_stands_on_one_line_and_says_nothing_twice() {
        let inner = Err::<(), _>(io::Error::other("line one\n  line two"));
        let error =
            inner.context("opening: line one\n  line two").context("cannot start").unwrap_err();
        let problem = Problem::of(&error).unwrap();
        assert_eq!(problem.message, "cannot start: opening: line one line two");
        assert_eq!((problem.code, problem.exit), ("io", 2));
    }

    #[test]
    fn a_hint_is_found_under_any_context() {
        let error = anyhow::Error::from(Error::SetWithoutValue { text: "x".to_owned() })
            .context("cannot start");
        assert!(Problem::of(&error).unwrap().hint.unwrap().contains("--set"));
    }
}
