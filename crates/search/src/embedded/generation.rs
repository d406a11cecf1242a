//! One generation of an index: its truth, and what is derived from it, brought up to date.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::embedded::Progress;
use crate::embedded::lexical::{Entry, Lexical};
use crate::embedded::snapshot::Snapshot;
use crate::embedded::store::{State, Store};
use crate::embedded::vector::VectorIndex;
use crate::embedded::vectors::Vectors;
use crate::error::Error;
use crate::fusion::Rule;
use crate::record::Record;
use crate::rows::{Row, RowSet};
use crate::stats::Fitted;

/// Records that are held at a time while their words are derived; fewer than that go to memory, as added ones do.
const CHUNK: Row = 50_000;

/// A folder that is never there: what is opened from it is empty and stays in memory.
const NOWHERE: &str = "nowhere";

/// Pictures whose words are kept in memory before they are written; writing costs some 100 ms however many there are.
const PENDING_WORDS: usize = 20_000;

/// Rows whose codes are kept in memory before they are written.
pub(super) const PENDING_CODES: usize = 50_000;

/// How often a reader looks again when what is derived does not fit the state that it read: a change may have come between.
const ATTEMPTS: usize = 4;

/// The fact that says how the legs are put together.
pub(super) const FUSION: &str = "fusion";
/// The fact that holds vectors of captions.
pub(super) const PROBES: &str = "probes";
/// The fact that holds what the application noted.
pub(super) const NOTES: &str = "notes";
/// The fact that says where the originals are.
pub(super) const ROOTS: &str = "roots";

/// What is done about something derived that is damaged.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mend {
    /// Nothing: it is an error.
    Never,
    /// It is made again in memory.
    InMemory,
    /// It is made again in its place.
    OnDisk,
}

/// The truth of a generation and where its derived parts are.
#[derive(Debug)]
pub(super) struct Generation {
    dir: PathBuf,
    pub(super) store: Store,
}

impl Generation {
    pub(super) fn new(dir: &Path, store: Store) -> Arc<Self> {
        Arc::new(Self { dir: dir.to_owned(), store })
    }

    /// Opens what is in a folder.
    pub(super) fn open(dir: &Path, writable: bool) -> Result<Arc<Self>, Error> {
        Ok(Self::new(dir, Store::open(dir, writable)?))
    }

    /// Folder of the whole generation.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Folder of the quantised codes.
    pub(super) fn codes_dir(&self) -> PathBuf {
        self.dir.join("codes")
    }

    /// Folder of the lexical index.
    pub(super) fn lexical_dir(&self) -> PathBuf {
        self.dir.join("lexical")
    }

    /// Opens everything derived, and derives what is missing or damaged.
    ///
    /// A writer mends the files; a reader, who may not, holds what is missing in memory.
    pub(super) fn derive(self: &Arc<Self>, writable: bool) -> Result<(Snapshot, Lexical), Error> {
        for fault in self.damaged_facts() {
            tracing::warn!("{fault}; it is taken as not there");
        }
        if writable {
            return self.derive_from(self.store.state()?, Mend::OnDisk);
        }
        for _ in 0..ATTEMPTS {
            let state = self.store.state()?;
            let version = state.version;
            match self.derive_from(state, Mend::Never) {
                // What a change derived meanwhile is ahead of the state.
                Err(Error::Damaged { .. }) if self.store.changed(version)? => {}
                Err(Error::Damaged { .. }) => break,
                derived => return derived,
            }
        }
        self.derive_from(self.store.state()?, Mend::InMemory)
    }

    fn derive_from(
        self: &Arc<Self>,
        state: State,
        mend: Mend,
    ) -> Result<(Snapshot, Lexical), Error> {
        let rows = state.vectors.rows();
        let mut lexical = self.open_lexical(rows, mend)?;
        self.catch_up(&mut lexical, rows)?;
        let codes = self.open_codes(&state, mend)?;
        let (rule, _) = self.rule()?;
        let (generation, State { version, vectors, live }) = (Arc::clone(self), state);
        let view = lexical.view();
        Ok((Snapshot { generation, version, vectors, live, codes, lexical: view, rule }, lexical))
    }

    /// What is wrong with the words on disk; they may not be what is searched.
    pub(super) fn verify_lexical(&self, rows: usize) -> Result<Vec<String>, Error> {
        let opened = Lexical::open(&self.lexical_dir(), self.store.settings(), false);
        match opened.and_then(|lexical| self.not_ahead(lexical, rows)) {
            Ok(lexical) => lexical.verify(),
            Err(fault) => Ok(vec![fault.to_string()]),
        }
    }

    fn open_lexical(&self, rows: usize, mend: Mend) -> Result<Lexical, Error> {
        let (dir, writable) = (self.lexical_dir(), mend == Mend::OnDisk);
        let opened = Lexical::open(&dir, self.store.settings(), writable);
        match opened.and_then(|lexical| self.not_ahead(lexical, rows)) {
            Err(Error::Damaged { path, what }) if mend != Mend::Never => {
                tracing::warn!("{}: {what}; it is made again from the records", path.display());
                if writable {
                    fs_err::remove_dir_all(&dir)?;
                }
                let dir = if writable { dir } else { self.dir.join(NOWHERE) };
                Lexical::open(&dir, self.store.settings(), writable)
            }
            opened => opened,
        }
    }

    /// What is derived never reflects more than the truth has; if it does, the truth was replaced.
    fn not_ahead(&self, lexical: Lexical, rows: usize) -> Result<Lexical, Error> {
        let ahead = lexical.committed_rows() > rows;
        let what = format!("reflects {} rows, the store has {rows}", lexical.committed_rows());
        if ahead { Err(Error::Damaged { path: self.lexical_dir(), what }) } else { Ok(lexical) }
    }

    /// Adds the records that `lexical` does not know yet. One that is damaged is left out: `verify` tells of it.
    pub(super) fn catch_up(&self, lexical: &mut Lexical, rows: usize) -> Result<(), Error> {
        while lexical.rows() < rows {
            let from = lexical.rows() as Row;
            let to = from.saturating_add(CHUNK).min(rows as Row);
            let entries = self.entries(from..to)?;
            if to - from == CHUNK && lexical.writable() {
                lexical.bulk(&mut entries.into_iter().map(Ok), to as usize)?;
            } else {
                lexical.add(entries, to as usize)?;
            }
        }
        Ok(())
    }

    fn entries(&self, rows: Range<Row>) -> Result<Vec<Entry>, Error> {
        let mut entries = Vec::new();
        self.store.each_record(rows, &mut |row, record| {
            match record {
                Ok(Record { captions, metadata, .. }) => {
                    entries.push(Entry { row, captions, metadata });
                }
                Err(error) => tracing::warn!("{error}"),
            }
            Ok(())
        })?;
        Ok(entries)
    }

    fn open_codes(&self, state: &State, mend: Mend) -> Result<VectorIndex, Error> {
        let dir = self.codes_dir();
        match VectorIndex::open(&dir, &state.vectors) {
            Err(Error::Damaged { path, what }) if mend != Mend::Never => {
                tracing::warn!("{}: {what}; it is made again from the vectors", path.display());
                if mend == Mend::InMemory {
                    return VectorIndex::open(&self.dir.join(NOWHERE), &state.vectors);
                }
                fs_err::remove_dir_all(&dir)?;
                self.build_codes(&state.vectors, &state.live, &mut |_, _, _| {})
            }
            opened => opened,
        }
    }

    /// Writes what is derived once there is much of it in memory.
    pub(super) fn keep_small(
        &self,
        lexical: &mut Lexical,
        codes: &mut VectorIndex,
        vectors: &Vectors,
    ) -> Result<(), Error> {
        if lexical.pending() > PENDING_WORDS {
            lexical.commit()?;
        }
        if codes.tail_rows() > PENDING_CODES {
            *codes = codes.flush(&self.codes_dir(), vectors)?;
        }
        Ok(())
    }

    /// Makes the codes anew, and calibrates them.
    pub(super) fn build_codes(
        &self,
        vectors: &Vectors,
        live: &RowSet,
        on_progress: Progress<'_>,
    ) -> Result<VectorIndex, Error> {
        VectorIndex::build(&self.codes_dir(), vectors, live, &self.probes()?, on_progress)
    }

    /// What is wrong with facts that pictures are found without: each is taken as not there until it is written anew.
    pub(super) fn damaged_facts(&self) -> Vec<Error> {
        let facts = [
            self.whole_json::<(Rule, Option<Fitted>)>(FUSION).err(),
            self.whole_json::<BTreeMap<String, String>>(NOTES).err(),
            self.whole_json::<BTreeMap<String, PathBuf>>(ROOTS).err(),
            self.store.fact(PROBES).err(),
        ];
        let is_damage = |error: &Error| matches!(error, Error::Damaged { .. });
        facts.into_iter().flatten().filter(is_damage).collect()
    }

    /// How the legs are put together, and on what that was fitted; by rank where that is not known.
    pub(super) fn rule(&self) -> Result<(Rule, Option<Fitted>), Error> {
        Ok(self.json(FUSION)?.unwrap_or((Rule::Rrf, None)))
    }

    /// Keeps how the legs are put together.
    pub(super) fn set_rule(&self, rule: Rule, fitted: &Fitted) -> Result<(), Error> {
        self.set_json(FUSION, &(rule, Some(fitted)))
    }

    /// Vectors of captions that the vector leg is calibrated by.
    pub(super) fn probes(&self) -> Result<Vec<Vec<f32>>, Error> {
        let bytes = if_whole(self.store.fact(PROBES))?.unwrap_or_default();
        let number = |bytes: &[u8]| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let numbers: Vec<f32> = bytes.chunks_exact(4).map(number).collect();
        Ok(numbers.chunks_exact(self.store.settings().dim).map(<[f32]>::to_vec).collect())
    }

    /// Keeps vectors of captions.
    pub(super) fn set_probes(&self, probes: &[Vec<f32>]) -> Result<(), Error> {
        let bytes: Vec<u8> = probes.iter().flatten().flat_map(|x| x.to_le_bytes()).collect();
        self.store.set_fact(PROBES, &bytes)
    }

    /// Bytes on disk by part.
    pub(super) fn disk(&self) -> Result<Vec<(&'static str, u64)>, Error> {
        let mut parts = self.store.disk()?;
        parts.push(("codes", bytes(&self.codes_dir())?));
        parts.push(("words", bytes(&self.lexical_dir())?));
        Ok(parts)
    }

    /// A fact that is kept as JSON; nothing where it is damaged.
    pub(super) fn json<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        if_whole(self.whole_json(key))
    }

    fn whole_json<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        let Some(bytes) = self.store.fact(key)? else { return Ok(None) };
        let damaged = |told: serde_json::Error| Error::Damaged {
            path: self.dir.clone(),
            what: format!("the fact {key:?} cannot be read: {told}"),
        };
        serde_json::from_slice(&bytes).map(Some).map_err(damaged)
    }

    /// Keeps a fact as JSON.
    pub(super) fn set_json<T: serde::Serialize>(&self, key: &str, fact: &T) -> Result<(), Error> {
        let bytes = serde_json::to_vec(fact).map_err(std::io::Error::from)?;
        self.store.set_fact(key, &bytes)
    }
}

/// A fact without which pictures are found all the same is as good as not there when it is damaged.
fn if_whole<T>(fact: Result<Option<T>, Error>) -> Result<Option<T>, Error> {
    match fact {
        Err(Error::Damaged { .. }) => Ok(None),
        fact => fact,
    }
}

/// Bytes of all files in a folder; none where it is not there.
fn bytes(dir: &Path) -> Result<u64, Error> {
    if !dir.is_dir() {
        return Ok(0);
    }
    let mut total = 0;
    for entry in fs_err::read_dir(dir)? {
        total += entry?.metadata()?.len();
    }
    Ok(total)
}
