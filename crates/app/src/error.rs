//! What can be wrong with the words typed and the folders named, by what the user must change.
//!
//! What can be wrong with data, models and training is said by their own crates; hints for all of them are in `problem`.

use std::path::PathBuf;

/// A mistake that only the application can see.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    /// An address that nothing can be served at.
    #[error("cannot listen at {address}")]
    Listen { address: String, source: std::io::Error },
    /// A setting has a name that means nothing.
    #[error("{origin}: unknown setting {key:?}")]
    UnknownSetting { origin: String, key: String, nearest: Option<String> },
    /// A setting has a value of another kind.
    #[error("{origin}: {key}: expected {expected}, found {found}")]
    SettingType { origin: String, key: String, expected: &'static str, found: String },
    /// A setting has a value of the right kind that makes no sense.
    #[error("{origin}: {reason}")]
    SettingValue { origin: String, reason: String },
    /// `--set` without `=`.
    #[error("--set {text:?}: expected KEY=VALUE")]
    SetWithoutValue { text: String },
    /// A file of settings is not TOML.
    #[error("{}:{line}: {reason}", path.display())]
    NotToml { path: PathBuf, line: usize, reason: String },
    /// A part of `--format` that cannot be understood.
    #[error("--format: {reason}")]
    Format { reason: String },
    /// A folder to be written holds something.
    #[error("{}: the folder is not empty", path.display())]
    NotEmpty { path: PathBuf },
    /// A run to be started is there already.
    #[error("{}: there is a run in this folder already", path.display())]
    RunExists { path: PathBuf },
    /// A run to be gone on with is not there.
    #[error("{}: there is no run in this folder: no run.toml", path.display())]
    NoRun { path: PathBuf },
    /// A precision that cannot be had.
    #[error("--precision {0}")]
    Precision(#[from] PrecisionError),
    /// A run that was started but never saved a model.
    #[error("{}: this run has saved no model yet", path.display())]
    EmptyRun { path: PathBuf },
    /// A model that is neither a folder nor a name on the hub.
    #[error("{name}: no such folder")]
    NoModel { name: String },
    /// A folder without a model's configuration.
    #[error("{}: no model: neither config.json nor open_clip_config.json is there; found {found}", path.display())]
    NotAModel { path: PathBuf, found: String },
    /// A model could not be fetched.
    #[error("{id}: cannot fetch the model: {reason}")]
    Fetch { id: String, reason: String },
    /// More rows are bad than may be.
    #[error("{bad} of {rows} rows could not be used, and {allowed} may be")]
    TooManyBad { bad: usize, rows: usize, allowed: usize },
    /// A split has nothing in it.
    #[error("{}: no pictures in split {split}; found {found}", path.display())]
    EmptySplit { path: PathBuf, split: String, found: String },
    /// Pictures whose class is not in the list.
    #[error("{}: no picture is of a class in this file; the first would be {found:?}", path.display())]
    NoClassFits { path: PathBuf, found: String },
    /// A file of classes without classes.
    #[error("{}: no class in this file", path.display())]
    NoClasses { path: PathBuf },
    /// A prompt without a place for the class.
    #[error("--prompt {prompt:?}: expected {{}} or {{class}} in it")]
    Prompt { prompt: String },
    /// `--fail-under` without a number.
    #[error("--fail-under {text:?}: expected METRIC=VALUE")]
    FailUnder { text: String },
    /// A share given as a percentage.
    #[error("--fail-under {text:?}: expected a share from 0 to 1")]
    FailUnderShare { text: String },
    /// No data set was named.
    #[error("no DATA: neither on the command line nor as data.path in the settings")]
    NoData,
    /// A metric that this evaluation does not have.
    #[error("--fail-under {metric}: it is not measured here")]
    NotMeasured { metric: String },
    /// A search that asks for nothing.
    #[error("nothing to look for: neither words nor a picture nor a condition")]
    NothingAsked,
    /// A find without words.
    #[error("no feature to look for")]
    NoFeature,
    /// Something to compare pictures with, where pictures are not compared.
    #[error("--mode lexical goes by the words alone: {flag} has no part in it")]
    NotLexical { flag: &'static str },
    /// A picture to look for that is nowhere.
    #[error("{name}: neither a file nor the id of a picture in {}", index.display())]
    NoPicture { name: String, index: PathBuf },
    /// An id that the index does not have.
    #[error("id:{id}: no picture of this id in {}", index.display())]
    NoId { id: String, index: PathBuf },
    /// A file that is to be looked for and is no picture.
    #[error("{}: {reason}", path.display())]
    NotAPicture { path: PathBuf, reason: String },
    /// Parts of a query vector that leave nothing.
    #[error("the parts of what is looked for cancel each other out")]
    Cancelled,
    /// The model of an index is not where it was.
    #[error("{}: its model is not at {name} any more", index.display())]
    ModelMoved { index: PathBuf, name: String },
    /// A setting that an index has for life.
    #[error("{}: the index was made with {setting} {expected}, not {found}", path.display())]
    FixedSetting { path: PathBuf, setting: &'static str, expected: String, found: String },
    /// Pictures of two collections under the same ids.
    #[error("{} of the ids belong to other pictures in the index, of {}: the first is {first}", count, folder.display())]
    TakenIds { count: usize, first: String, folder: PathBuf },
    /// Pictures that another model cannot be shown.
    #[error("{}: {count} of its pictures cannot be embedded anew, such as {first}; it stays as it is", index.display())]
    Lost { index: PathBuf, count: usize, first: String },
    /// A root that the index does not have, or no word on which.
    #[error("{}: expected one of the roots {known}, found {found}", index.display())]
    Root { index: PathBuf, known: String, found: String },
    /// A folder without the pictures that should be in it.
    #[error("{}: none of {looked_for} pictures looked for is there, such as {first}", folder.display())]
    NotThere { folder: PathBuf, looked_for: usize, first: String },
    /// A picture size that the model's patches do not fit.
    #[error("--image-size {found}: expected {patch} pixels or more, the side of a patch")]
    ImageSize { found: usize, patch: usize },
    /// A token that cannot be one.
    #[error("{origin}: expected a token of {least} letters or more, without spaces, found {found}")]
    Token { origin: String, least: usize, found: String },
    /// One token for two things.
    #[error("the tokens for reading and for writing are the same")]
    SameTokens,
    /// A name that no server can have.
    #[error("--allow-host {name:?}: expected NAME or NAME:PORT")]
    HostName { name: String },
    /// A server that anybody may use.
    #[error("{address}: others can reach this server, and no token is asked for")]
    Unguarded { address: String },
}

/// Why a precision cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrecisionError {
    /// A run is resumed in another than it began with.
    #[error("{typed}: the run began in {began}")]
    NotAsBegun { began: &'static str, typed: &'static str },
    /// int8 where its results would not be checked, or where weights learn.
    #[error("int8: only index, eval, search, serve and bench compute in int8")]
    Int8Elsewhere,
    /// int8 on a processor that has neither `AVX512_BF16` nor AMX.
    #[error("int8: this processor has no instructions for bf16, which it builds on")]
    NoInt8,
    /// int8 for an index on whose pictures nobody has looked at it.
    #[error("int8: it was never looked at on the pictures of {}", index.display())]
    Int8Unseen { index: PathBuf },
    /// int8 changes the vectors of this model too much.
    #[error("int8 changes this model's vectors too much: {found}, expected {expected}")]
    Int8Differs { found: String, expected: String },
}
