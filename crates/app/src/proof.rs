//! What an evaluation leaves behind: the document that `--json` prints and a run keeps as `eval.json`.

use std::path::Path;

use finelens_finetune::eval::record::EvaluationRecord;
use finelens_finetune::eval::{Bootstrap, Comparison, compare};
use serde::Serialize;

use crate::measure::{Classes, Measured};

/// File of a run with its evaluation.
pub(crate) const EVALUATION_FILE: &str = "eval.json";

/// Queries listed each way in a comparison.
const TOP_CHANGES: usize = 5;

/// One model measured, and perhaps compared with another.
#[derive(Debug, Serialize)]
pub(crate) struct Proof {
    /// The data set.
    pub(crate) data: String,
    /// The split of it.
    pub(crate) split: String,
    /// The model.
    pub(crate) model: String,
    /// Its numbers.
    pub(crate) evaluation: EvaluationRecord,
    /// The model before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) against: Option<Against>,
}

/// The model before, measured on the same pictures.
#[derive(Debug, Serialize)]
pub(crate) struct Against {
    /// Its name.
    pub(crate) model: String,
    /// Its numbers.
    pub(crate) evaluation: EvaluationRecord,
    /// What changed, tested in pairs.
    pub(crate) comparison: Comparison,
}

impl Against {
    /// Compares the model called `name` with the one after it.
    pub(crate) fn new(
        name: &str,
        before: &Measured,
        after: &Measured,
        classes: Option<&Classes>,
    ) -> anyhow::Result<Self> {
        let corpus = &after.embedded.corpus;
        let comparison = compare(
            corpus,
            &before.evaluated,
            &after.evaluated,
            &Bootstrap::default(),
            TOP_CHANGES,
        )?;
        Ok(Self { model: name.to_owned(), evaluation: before.record(classes), comparison })
    }
}

impl Proof {
    /// The document.
    pub(crate) fn to_json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(self)?)
    }

    /// Keeps the document in the folder of a run.
    pub(crate) fn keep(&self, run: &Path) -> anyhow::Result<()> {
        Ok(fs_err::write(run.join(EVALUATION_FILE), self.to_json()? + "\n")?)
    }
}
