//! What an index offers to choose from while a question is being asked.

use crate::embedded::Embedded;
use crate::embedded::search::allowed;
use crate::embedded::snapshot::Snapshot;
use crate::error::Error;
use crate::facet::Facets;
use crate::query::{Mode, Query};
use crate::rows::RowSet;

impl Embedded {
    /// What the fields hold of the pictures that a query does not rule out: those of which its filter holds, with all that its
    /// words demand. In the lexical mode only those that a word matches. At most `most` values of each field.
    ///
    /// # Errors
    /// What the disk has to report.
    pub fn facets(&self, query: &Query, most: usize) -> Result<Facets, Error> {
        self.ask(|snapshot| {
            let rows = matching(snapshot, query)?;
            let fields = snapshot.lexical.facets(&rows, most)?;
            Ok((Facets { pictures: rows.count(), fields }, true))
        })
    }

    /// Words of the captions that begin with `prefix`, the most frequent first; where there are any, those that occur together
    /// with all words of `before`.
    ///
    /// # Errors
    /// What the disk has to report.
    pub fn completions(
        &self,
        before: &str,
        prefix: &str,
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        let snapshot = self.now()?;
        snapshot.lexical.completions(before, prefix, limit, &snapshot.live)
    }
}

fn matching(snapshot: &Snapshot, query: &Query) -> Result<RowSet, Error> {
    let plan = snapshot.lexical.plan(&query.words)?;
    let allowed = allowed(snapshot, query, &plan)?;
    if query.mode != Mode::Lexical || !plan.scores() {
        return Ok(allowed);
    }
    let mut matched = RowSet::none(allowed.len());
    let found = snapshot.lexical.search(&plan, allowed.count(), &allowed)?;
    for (row, _) in found {
        matched.insert(row);
    }
    Ok(matched)
}
