//! One query through the codes: estimates from bits, better ones from bytes, then the vectors themselves.

use std::ops::Range;

use rayon::prelude::*;

use crate::embedded::vector::VectorIndex;
use crate::embedded::vector::candidates::{Candidate, Candidates};
use crate::embedded::vector::codes::Codes;
use crate::embedded::vector::kernel::{
    LANES, LARGEST_QUERY, Passed, Tables, byte_dots, dot, largest_and_sums, scan, to_bytes,
};
use crate::embedded::vectors::Vectors;
use crate::rows::{Row, RowSet};

/// Places that are scanned before the threshold is raised.
const RUN: usize = 16 * LANES;

/// Places in an average list below which a part is read from end to end: a list that does not fill its blocks costs more
/// than it saves.
const SHORT_LIST: usize = 64;

/// Rows within the noise that are looked at again, at most, for each row that is asked for, and at least.
const MOST_CLOSE: (usize, usize) = (64, 16_384);

/// Standard deviation of a product of bytes, times `sqrt(D)`, in units of the residual's length.
///
/// The largest entry of a rotated vector is about four standard deviations, `4 / sqrt(D)`; rounding it to 127 and the
/// query to 64 steps leaves a uniform error of one step each: `4 sqrt((1/127^2 + 1/64^2) / 12)`.
const BYTE_NOISE: f32 = 0.02;

/// Standard deviations of the noise of bytes within which a row is looked at again: 4 of a difference of two rows.
const BYTE_DEVIATIONS: f32 = 6.0;

/// Estimates beyond which a query is divided among threads. Below that, several queries at once make better use of them.
const PARALLEL_ROWS: f32 = 1e6;

/// Parts of a divided query: a constant, so that what is found does not depend on the machine.
const STRIPES: usize = 4;

/// A query, made ready for each of the stages.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    /// Products with the centres.
    pub(crate) scores: Vec<f32>,
    tables: Option<Tables>,
    /// Rotated and rounded.
    bytes: Vec<i8>,
    /// What one unit of these bytes is worth.
    unit: f32,
}

impl Prepared {
    pub(crate) fn new(index: &VectorIndex, query: &[f32]) -> Self {
        let level = index.quantiser.level;
        let rotated = index.quantiser.rotated(query);
        let largest = largest_and_sums(level, &rotated).0.max(f32::MIN_POSITIVE.sqrt());
        let mut bytes = vec![0; rotated.len()];
        to_bytes(level, &rotated, LARGEST_QUERY / largest, &mut bytes);
        let bytes = bytes.iter().map(|byte| byte.wrapping_sub(128) as i8).collect();
        let tables = index.by_bits().then(|| Tables::new(level, &rotated));
        Self {
            scores: index.quantiser.scores(&rotated),
            tables,
            bytes,
            unit: largest / LARGEST_QUERY,
        }
    }

    /// The lists, that of the nearest centre first.
    pub(crate) fn lists(&self) -> Vec<u32> {
        let mut lists: Vec<(u32, u32)> =
            (0..).zip(&self.scores).map(|(list, score)| (descending(*score), list)).collect();
        lists.sort_unstable();
        lists.into_iter().map(|(_, list)| list).collect()
    }
}

/// A number that is smaller for a larger score.
fn descending(score: f32) -> u32 {
    let bits = score.to_bits();
    if bits >> 31 == 1 { bits } else { !bits & 0x7fff_ffff }
}

/// A first look at the rows of an index.
#[derive(Debug)]
pub(crate) struct Scan<'a> {
    index: &'a VectorIndex,
    query: &'a Prepared,
    allowed: &'a RowSet,
    pub(crate) found: Candidates,
    /// Rows whose estimate was computed.
    pub(crate) scanned: usize,
    passed: Vec<Passed>,
    bases: Vec<f32>,
}

impl<'a> Scan<'a> {
    /// For the best `count` by estimates that are right to within `width`.
    pub(crate) fn new(
        index: &'a VectorIndex,
        query: &'a Prepared,
        allowed: &'a RowSet,
        count: usize,
        width: f32,
    ) -> Self {
        let found = Candidates::new(count, width, most_close(count));
        Self {
            index,
            query,
            allowed,
            found,
            scanned: 0,
            passed: Vec::with_capacity(RUN),
            bases: Vec::new(),
        }
    }

    /// Looks at what is not worth probing by list: parts with short lists, and rows that came since.
    pub(crate) fn whole_parts(&mut self) {
        for (number, part) in self.index.parts().enumerate() {
            if is_whole(part, self.index.quantiser.lists()) {
                self.places(number, part, 0..part.len());
            }
        }
    }

    /// Looks at the rows of a list.
    pub(crate) fn list(&mut self, list: usize) {
        for (number, part) in self.index.parts().enumerate() {
            if !is_whole(part, self.index.quantiser.lists()) {
                self.places(number, part, part.places(list));
            }
        }
    }

    /// Whether a list may hold a row that is among the best.
    pub(crate) fn is_near(&self, list: usize, margin: f32) -> bool {
        self.query.scores[list] + margin * self.index.spreads[list] >= self.found.last_of_best()
    }

    fn places(&mut self, number: usize, part: &Codes, places: Range<usize>) {
        self.scanned += places.len();
        let mut first = places.start / LANES * LANES;
        while first < places.end {
            let end = (first + RUN).min(places.end);
            let run = first.max(places.start)..end;
            match &self.query.tables {
                Some(tables) => self.bits(number, part, first, run, tables),
                None => self.bytes(number, part, run),
            }
            first += RUN;
        }
    }

    /// Estimates from bits, for whole blocks from `first` on.
    fn bits(
        &mut self,
        number: usize,
        part: &Codes,
        first: usize,
        run: Range<usize>,
        tables: &Tables,
    ) {
        let blocks = first / LANES..run.end.div_ceil(LANES);
        self.bases.clear();
        // The places of other lists in the outer blocks get a wrong base, and are passed over below.
        match part.lists[run.start] == part.lists[run.end - 1] {
            true => self
                .bases
                .resize(blocks.len() * LANES, self.query.scores[part.lists[run.start] as usize]),
            false => {
                let lists = &part.lists[first..run.end];
                self.bases.extend(lists.iter().map(|list| self.query.scores[*list as usize]));
                self.bases.resize(blocks.len() * LANES, 0.0);
            }
        }
        self.passed.clear();
        let blocks = part.blocks(blocks, &self.bases);
        scan(self.index.quantiser.level, tables, blocks, self.found.threshold(), &mut self.passed);
        for passed in &self.passed {
            let place = first + passed.place as usize;
            if run.contains(&place) && self.allowed.contains(part.rows[place]) {
                let (row, part) = (part.rows[place], number as u32);
                self.found.offer(Candidate {
                    score: passed.estimate,
                    row,
                    part,
                    place: place as u32,
                });
            }
        }
    }

    /// Estimates from bytes.
    fn bytes(&mut self, number: usize, part: &Codes, run: Range<usize>) {
        let allowed = run.filter(|place| self.allowed.contains(part.rows[*place]));
        let places: Vec<u32> = allowed.map(|place| place as u32).collect();
        for candidate in byte_scores(self.index, self.query, number, part, &places) {
            self.found.offer(candidate);
        }
    }
}

/// Whether the rows of a part are always looked at, whatever their list.
fn is_whole(part: &Codes, lists: usize) -> bool {
    part.starts.is_empty() || lists == 1 || part.len() < SHORT_LIST * lists
}

/// How many rows within the noise are kept.
fn most_close(count: usize) -> usize {
    (MOST_CLOSE.0 * count).max(MOST_CLOSE.1)
}

/// Scores of these places from bytes.
fn byte_scores(
    index: &VectorIndex,
    query: &Prepared,
    number: usize,
    part: &Codes,
    places: &[u32],
) -> Vec<Candidate> {
    let mut products = vec![0; places.len()];
    byte_dots(index.quantiser.level, &query.bytes, part.bytes.get(), places, &mut products);
    let scales = part.scales.get();
    let score = |place: u32, product: i32| {
        let base = query.scores[part.lists[place as usize] as usize];
        base + scales[place as usize] * query.unit * product as f32
    };
    let candidates = places.iter().zip(products).map(|(&place, product)| Candidate {
        score: score(place, product),
        row: part.rows[place as usize],
        part: number as u32,
        place,
    });
    candidates.collect()
}

/// How far below the k-th best by bytes a row may be and yet be among the best.
fn byte_width(index: &VectorIndex) -> f32 {
    BYTE_DEVIATIONS * BYTE_NOISE * index.spread / (index.quantiser.dim as f32).sqrt()
}

/// The width of the first look, where it needs no calibration because that look is at bytes.
pub(crate) fn fixed_width(index: &VectorIndex) -> Option<f32> {
    (!index.by_bits()).then(|| byte_width(index))
}

/// The best `count` of the allowed rows by their vectors, as far as the stages before let them through.
pub(crate) fn best(
    index: &VectorIndex,
    vectors: &Vectors,
    query: &[f32],
    count: usize,
    allowed: &RowSet,
) -> Vec<(Row, f32)> {
    let prepared = Prepared::new(index, query);
    let found = first_stage(index, &prepared, allowed, count);
    let close = match &prepared.tables {
        Some(_) => second_stage(index, &prepared, found.into_close(), count),
        None => found,
    };
    by_vectors(index, vectors, query, close.into_close(), count)
}

/// All rows that may be among the best by the first estimates.
fn first_stage<'a>(
    index: &'a VectorIndex,
    query: &'a Prepared,
    allowed: &'a RowSet,
    count: usize,
) -> Candidates {
    let width = fixed_width(index).unwrap_or(index.manifest.depth.width);
    let lists = query.lists();
    let stripe = |number: usize, step: usize| {
        let mut scan = Scan::new(index, query, allowed, count, width);
        if number == 0 {
            scan.whole_parts();
        }
        for list in lists.iter().skip(number).step_by(step) {
            if scan.is_near(*list as usize, index.manifest.depth.margin) {
                scan.list(*list as usize);
            }
        }
        scan.found
    };
    if index.expected_scan(allowed) < PARALLEL_ROWS {
        return stripe(0, 1);
    }
    let stripes: Vec<Candidates> =
        (0..STRIPES).into_par_iter().map(|number| stripe(number, STRIPES)).collect();
    let mut found = Candidates::new(count, width, most_close(count));
    for other in stripes {
        found.merge(other);
    }
    found
}

/// All rows that may be among the best by their bytes.
pub(crate) fn second_stage(
    index: &VectorIndex,
    query: &Prepared,
    mut close: Vec<Candidate>,
    count: usize,
) -> Candidates {
    let mut found = Candidates::new(count, byte_width(index), most_close(count));
    // Neighbours in memory one after the other.
    close.sort_unstable_by_key(|candidate| (candidate.part, candidate.place));
    for run in close.chunk_by(|a, b| a.part == b.part) {
        let number = run[0].part as usize;
        let places: Vec<u32> = run.iter().map(|candidate| candidate.place).collect();
        for candidate in byte_scores(index, query, number, index.part(number), &places) {
            found.offer(candidate);
        }
    }
    found
}

/// The best by their vectors.
fn by_vectors(
    index: &VectorIndex,
    vectors: &Vectors,
    query: &[f32],
    close: Vec<Candidate>,
    count: usize,
) -> Vec<(Row, f32)> {
    let mut found = Candidates::new(count, 0.0, count);
    for candidate in close {
        let score = dot(index.quantiser.level, query, vectors.row(candidate.row));
        found.offer(Candidate { score, ..candidate });
    }
    found.into_best()
}
