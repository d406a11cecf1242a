//! The settings of a run: defaults, under a file, under `--set`, under flags.
//!
//! Every layer is a TOML table that may only change what the defaults have: an unknown key is an error with the nearest
//! name, a value of another type says which was expected. What the values mean is checked by `finelens_finetune`.

use std::path::Path;

use finelens_finetune::TrainConfig;
use serde::Serialize;
use toml::{Table, Value};

use crate::cli::Precision;
use crate::error::Error;
use crate::input::DataSettings;
use crate::model::RUN_FILE;

/// Everything that `run.toml` holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Settings {
    /// Model to start from.
    pub(crate) model: String,
    /// What matrix products are computed in: `auto`, `f32` or `bf16`; a run keeps what it began with.
    pub(crate) precision: Precision,
    /// How to train.
    #[serde(flatten)]
    pub(crate) train: TrainConfig,
    /// What to train on.
    pub(crate) data: DataSettings,
}

impl Default for Settings {
    fn default() -> Self {
        let model = crate::hub::DEFAULT_MODEL.to_owned();
        Self {
            model,
            precision: Precision::default(),
            train: TrainConfig::default(),
            data: DataSettings::default(),
        }
    }
}

impl Settings {
    /// The defaults under a file under single settings.
    pub(crate) fn resolve(file: Option<&Path>, sets: &[String]) -> anyhow::Result<Self> {
        let mut table = Self::default().table();
        if let Some(path) = file {
            overlay(&mut table, &read(path)?, "", &path.display().to_string())?;
        }
        for text in sets {
            overlay(&mut table, &parse_set(text)?, "", &format!("--set {text}"))?;
        }
        let origin = file.map_or_else(|| "--set".to_owned(), |path| path.display().to_string());
        Ok(Self::from_table(table, &origin)?)
    }

    /// Keeps them in the folder of a run.
    pub(crate) fn keep(&self, run: &Path) -> std::io::Result<()> {
        fs_err::write(run.join(RUN_FILE), self.with_absolute_paths()?.to_toml())
    }

    /// The same with absolute paths, so that a run can be gone on with from any folder.
    fn with_absolute_paths(&self) -> std::io::Result<Self> {
        let mut settings = Self { data: self.data.with_absolute_paths()?, ..self.clone() };
        // A name on the hub is no path.
        if Path::new(&self.model).exists() {
            settings.model = std::path::absolute(&self.model)?.display().to_string();
        }
        Ok(settings)
    }

    /// The text of `run.toml`.
    pub(crate) fn to_toml(&self) -> String {
        // Straight from the struct: it keeps the order of the fields, and 0.1 as f32 is 0.1.
        toml::to_string(self).expect("settings are numbers, words and lists")
    }

    fn table(&self) -> Table {
        Table::try_from(self).expect("settings are numbers, words and lists")
    }

    fn from_table(mut table: Table, origin: &str) -> Result<Self, Error> {
        let mut take = |key: &str| table.remove(key).expect("the defaults have it");
        let (model, precision, data) = (take("model"), take("precision"), take("data"));
        let told = |error: toml::de::Error| Error::SettingValue {
            origin: origin.to_owned(),
            reason: error.to_string().trim().replace('\n', " "),
        };
        Ok(Self {
            model: model.try_into().map_err(told)?,
            precision: precision.try_into().map_err(told)?,
            data: data.try_into().map_err(told)?,
            train: table.try_into().map_err(told)?,
        })
    }
}

fn read(path: &Path) -> anyhow::Result<Table> {
    let text = fs_err::read_to_string(path)?;
    let told = |error: toml::de::Error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text[..start.min(text.len())].lines().count().max(1);
        Error::NotToml { path: path.to_owned(), line, reason: error.message().to_owned() }
    };
    Ok(text.parse::<Table>().map_err(told)?)
}

/// `a.b=3` as a table; a value that is not TOML is taken as a word.
fn parse_set(text: &str) -> Result<Table, Error> {
    let (key, value) = text
        .split_once('=')
        .filter(|(key, _)| !key.trim().is_empty())
        .ok_or_else(|| Error::SetWithoutValue { text: text.to_owned() })?;
    let word = Value::String(value.trim().to_owned());
    let value = format!("value = {value}")
        .parse::<Table>()
        .ok()
        .and_then(|mut table| table.remove("value"));
    let nest = |inner: Value, name: &str| {
        Value::Table(Table::from_iter([(name.trim().to_owned(), inner)]))
    };
    match key.rsplit('.').fold(value.unwrap_or(word), nest) {
        Value::Table(table) => Ok(table),
        _ => Err(Error::SetWithoutValue { text: text.to_owned() }),
    }
}

/// Changes `known` to what `layer` says; `above` is the dotted key of both.
fn overlay(known: &mut Table, layer: &Table, above: &str, origin: &str) -> Result<(), Error> {
    let whole = known.clone();
    for (name, value) in layer {
        let key = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        let Some(place) = known.get_mut(name) else { return Err(unknown(&whole, key, origin)) };
        match (place, value) {
            (Value::Table(place), Value::Table(value)) => overlay(place, value, &key, origin)?,
            (place, value) => *place = fitting(place, value, &key, origin)?,
        }
    }
    Ok(())
}

/// The value, if it has the type of the default. A whole number is a number.
fn fitting(default: &Value, value: &Value, key: &str, origin: &str) -> Result<Value, Error> {
    match (default, value) {
        (Value::Float(_), Value::Integer(number)) => Ok(Value::Float(*number as f64)),
        _ if default.same_type(value) => Ok(value.clone()),
        _ => Err(Error::SettingType {
            origin: origin.to_owned(),
            key: key.to_owned(),
            expected: kind(default),
            found: format!("{} {value}", kind(value)),
        }),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a word",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}

/// The error for a key that is not there, with the known key that is spelt most alike.
fn unknown(siblings: &Table, key: String, origin: &str) -> Error {
    let mut known = keys(&Settings::default().table(), "");
    // In a table, the siblings come first: what is misspelt there is rarely meant for elsewhere.
    let above = key.rsplit_once('.').map_or("", |(above, _)| above);
    known.splice(0..0, keys(siblings, above));
    let nearest = nearest(&key, &known);
    Error::UnknownSetting { origin: origin.to_owned(), key, nearest }
}

/// All dotted keys of a table.
fn keys(table: &Table, above: &str) -> Vec<String> {
    let join =
        |name: &String| if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
    let each = table.iter().flat_map(|(name, value)| match value {
        Value::Table(inner) => keys(inner, &join(name)),
        _ => vec![join(name)],
    });
    each.collect()
}

/// The most similar name, judged by the whole and by its last part; none if nothing is similar.
pub(crate) fn nearest(name: &str, known: &[String]) -> Option<String> {
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    let likeness = |candidate: &String| {
        strsim::jaro_winkler(name, candidate)
            .max(strsim::jaro_winkler(&last(name), &last(candidate)))
    };
    let best = known.iter().rev().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(best) > 0.75).then(|| best.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(texts: &[&str]) -> anyhow::Result<Settings> {
        let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
        Settings::resolve(None, &texts)
    }

    fn told(texts: &[&str]) -> String {
        set(texts).unwrap_err().to_string()
    }

    #[test]
    fn later_settings_win() {
        let settings = set(&[
            "epochs=3",
            "epochs=5",
            "optimizer.learning_rate=1e-4",
            "optimizer.schedule=linear",
        ])
        .unwrap();
        assert_eq!(settings.train.epochs, 5);
        assert!((settings.train.optimizer.learning_rate - 1e-4).abs() < 1e-9);
        assert_eq!(settings.train.optimizer.schedule, finelens_finetune::config::Schedule::Linear);
    }

    #[test]
    fn a_file_changes_defaults_and_set_changes_the_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), "batch = 16\nepochs = 2\n[augment]\nhue = 0\n").unwrap();
        let settings = Settings::resolve(Some(file.path()), &["epochs=4".to_owned()]).unwrap();
        assert_eq!((settings.train.batch, settings.train.epochs), (16, 4));
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let settings = set(&["freeze=[\"text\"]", "seed=9", "data.path=\"photos\""]).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), settings.to_toml()).unwrap();
        assert_eq!(Settings::resolve(Some(file.path()), &[]).unwrap(), settings);
    }

    #[test]
    fn a_misspelt_key_is_answered_with_the_nearest() {
        let nearest = |text| match set(&[text]).unwrap_err().downcast() {
            Ok(Error::UnknownSetting { nearest, .. }) => nearest,
            other => panic!("{other:?}"),
        };
        assert_eq!(nearest("optimizer.learning_rat=1").as_deref(), Some("optimizer.learning_rate"));
        assert_eq!(nearest("learning_rate=1").as_deref(), Some("optimizer.learning_rate"));
        assert_eq!(nearest("epoch=1").as_deref(), Some("epochs"));
        assert_eq!(nearest("xyzzy=1"), None);
    }

    #[test]
    fn a_value_of_another_type_names_both_types() {
        assert_eq!(
            told(&["epochs=many"]),
            "--set epochs=many: epochs: expected a whole number, found a word \"many\""
        );
        assert_eq!(
            told(&["replacement=1"]),
            "--set replacement=1: replacement: expected true or false, found a whole number 1"
        );
        assert_eq!(
            told(&["optimizer=1"]),
            "--set optimizer=1: optimizer: expected a table, found a whole number 1"
        );
        assert_eq!(told(&["epochs"]), "--set \"epochs\": expected KEY=VALUE");
        assert!(told(&["epochs=-1"]).contains("epochs"), "{}", told(&["epochs=-1"]));
        assert!(
            told(&["optimizer.schedule=cosin"]).contains("cosine"),
            "{}",
            told(&["optimizer.schedule=cosin"])
        );
    }
}
