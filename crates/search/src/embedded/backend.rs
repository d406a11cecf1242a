//! What every back end offers, for an index in a folder.

use crate::backend::Backend;
use crate::embedded::snapshot::Snapshot;
use crate::embedded::store::Change;
use crate::embedded::{Embedded, search};
use crate::error::Error;
use crate::hit::Results;
use crate::query::Query;
use crate::record::{Item, check_vector};
use crate::stats::Stats;

impl Backend for Embedded {
    fn put(&self, items: &[Item]) -> Result<(), Error> {
        let dim = self.settings().dim;
        items.iter().try_for_each(|item| item.check(dim))?;
        self.write(&items.iter().map(Change::Put).collect::<Vec<_>>()).map(|_| ())
    }

    fn delete(&self, ids: &[&str]) -> Result<usize, Error> {
        let changes: Vec<Change<'_>> = ids.iter().map(|id| Change::Delete(id)).collect();
        Ok(self.write(&changes)?.deleted)
    }

    fn get(&self, id: &str) -> Result<Option<Item>, Error> {
        self.ask(|snapshot| Ok((snapshot.store().item_of(id)?, true)))
    }

    fn search(&self, query: &Query) -> Result<Results, Error> {
        if let Some(vector) = &query.vector {
            check_vector("the query", vector, self.now()?.store().settings().dim)?;
        }
        check_share("the weight of the vector", query.weight, 0.0)?;
        check_share("the cosine from which hits are folded", query.fold_duplicates, -1.0)?;
        self.ask(|snapshot| search::search(snapshot, query))
    }

    fn stats(&self) -> Result<Stats, Error> {
        self.ask(|snapshot| Ok((stats(snapshot)?, true)))
    }
}

fn stats(snapshot: &Snapshot) -> Result<Stats, Error> {
    let (rule, fitted) = snapshot.generation.rule()?;
    let settings = snapshot.store().settings();
    let pictures = snapshot.live.count();
    Ok(Stats {
        pictures,
        dim: settings.dim,
        model: settings.model.name.clone(),
        dead_rows: snapshot.live.len() - pictures,
        vector_leg: snapshot.codes.describe(),
        recall: snapshot.codes.recall(),
        rule,
        fitted,
        disk: snapshot.generation.disk()?,
    })
}

fn check_share(what: &str, share: Option<f32>, least: f32) -> Result<(), Error> {
    match share {
        Some(share) if !(least..=1.0).contains(&share) => {
            Err(Error::Query { reason: format!("{what}: expected {least} to 1, found {share}") })
        }
        _ => Ok(()),
    }
}

/// Least and most numbers in a vector: wider ones would overflow the sums of the scan.
const DIMENSIONS: (usize, usize) = (16, 4_096);

/// Fails for vectors that the scan cannot search.
pub(super) fn check_dimension(found: usize) -> Result<(), Error> {
    let (least, most) = DIMENSIONS;
    if (least..=most).contains(&found) {
        Ok(())
    } else {
        Err(Error::Dimension { found, least, most })
    }
}
