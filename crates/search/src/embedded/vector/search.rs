//! One query through the codes: estimates from bits, better ones from bytes, then the vectors themselves.

use std::ops::Range;

use rayon::prelude::*;

use crate::embedded::vector::VectorIndex;
use crate::embedded::vector::candidates::{Candidate, Candidates};
use crate::embedded::vector::codes::Codes;
use crate::embedded::vector::exact::best_of;
use crate::embedded::vector::files::{Depth, Depths};
use crate::embedded::vector::kernel::{
    LANES, LARGEST_QUERY, Level, Passed, Tables, byte_dots, dot, largest_and_sums, scan, to_bytes,
};
use crate::embedded::vector::sketch::Estimates;
use crate::embedded::vectors::Vectors;
use crate::rows::{Row, RowSet};

/// Places whose bits are scanned before the threshold is raised.
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
pub(crate) const BYTE_NOISE: f32 = 0.02;

/// Standard deviations of the noise of bytes within which a row is looked at again: 4 of a difference of two rows.
const BYTE_DEVIATIONS: f32 = 6.0;

/// Standard deviation of an estimate from bits, times `sqrt(D)`, in units of the residual's length and the query's:
/// `sqrt(pi / 2 - 1)`, since the cosine of a random vector and its signs is `sqrt(2 / pi)`.
///
/// Source: Gao and Long, "`RaBitQ`" (SIGMOD 2024), theorem 3.2.
pub(crate) const BIT_NOISE: f32 = 0.756;

/// Standard deviations of the noise of bits that are practically never exceeded.
const BIT_DEVIATIONS: f32 = 5.0;

/// Lists whose centres are asked for ahead of their turn.
const AHEAD: usize = 2;

/// Lists that are probed before it is seen which of the others may be near at all.
const SORTED_FIRST: usize = 32;

/// Rows whose bytes are looked at before the threshold is raised.
const BATCH: usize = 16;

/// Neighbours that the depth is calibrated for.
pub(crate) const NEIGHBOURS: usize = 10;

/// Neighbours up to which a query that is like the rows looks no deeper than such queries need.
const MOST_LIKE_ROWS: usize = 2 * NEIGHBOURS;

/// Estimates beyond which a query is divided among threads. Below that, several queries at once make better use of them.
const PARALLEL_ROWS: f32 = 1e6;

/// Parts of a divided query: a constant, so that what is found does not depend on the machine.
const STRIPES: usize = 4;

/// A query, made ready for each of the stages.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    rotated: Vec<f32>,
    /// Products with the centres, to within a noise.
    centres: Estimates,
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
        let (bytes, unit) = query_bytes(level, &rotated);
        let tables = index.by_bits().then(|| Tables::new(level, &rotated));
        let centres = index.quantiser.estimates(&rotated, tables.as_ref());
        Self { rotated, centres, tables, bytes, unit }
    }

    /// The product with the nearest centre, as far as bits tell.
    pub(crate) fn nearest(&self) -> f32 {
        self.centres.products.iter().copied().fold(f32::NEG_INFINITY, f32::max)
    }

    /// All lists, the nearest first.
    pub(crate) fn lists(&self) -> Vec<usize> {
        let mut keys = self.keys();
        keys.sort_unstable();
        keys.into_iter().map(|key| (key & u64::from(u32::MAX)) as usize).collect()
    }

    /// The nearest lists, and the others, in no order.
    fn nearest_lists(&self) -> (Vec<u32>, Vec<u32>) {
        let mut keys = self.keys();
        let near = SORTED_FIRST.min(keys.len());
        if near < keys.len() {
            keys.select_nth_unstable(near);
        }
        let (nearest, others) = keys.split_at(near);
        let lists = |keys: &[u64]| keys.iter().map(|key| *key as u32).collect();
        (lists(nearest), lists(others))
    }

    /// What the products with the centres of some lists are at most.
    fn most(&self, index: &VectorIndex, lists: &[u32]) -> Vec<f32> {
        if self.tables.is_none() {
            return lists.iter().map(|list| self.centres.products[*list as usize]).collect();
        }
        index.quantiser.most(&self.centres, (&self.bytes, self.unit), lists)
    }

    /// Numbers in the order of the lists that they end with.
    fn keys(&self) -> Vec<u64> {
        let lists = self.centres.products.iter().enumerate();
        lists.map(|(list, product)| u64::from(descending(*product)) << 32 | list as u64).collect()
    }
}

/// A query in steps of the number that is returned with it.
pub(crate) fn query_bytes(level: Level, rotated: &[f32]) -> (Vec<i8>, f32) {
    let largest = largest_and_sums(level, rotated).0.max(f32::MIN_POSITIVE.sqrt());
    let mut bytes = vec![0; rotated.len()];
    to_bytes(level, rotated, LARGEST_QUERY / largest, &mut bytes);
    let bytes = bytes.iter().map(|byte| byte.wrapping_sub(128) as i8).collect();
    (bytes, largest / LARGEST_QUERY)
}

/// The length of a vector.
pub(crate) fn length(level: Level, vector: &[f32]) -> f32 {
    dot(level, vector, vector).sqrt()
}

/// A number that is smaller for a larger score.
fn descending(score: f32) -> u32 {
    let bits = score.to_bits();
    if bits >> 31 == 1 { bits } else { !bits & 0x7fff_ffff }
}

/// A list that may be worth probing.
#[derive(Clone, Copy, Debug)]
struct Near {
    list: usize,
    /// The product with its centre is at most this, as far as bytes tell.
    most: f32,
}

/// A look at the rows of an index: first at their bits, then at the bytes of those that may be among the best.
#[derive(Debug)]
pub(crate) struct Scan<'a> {
    index: &'a VectorIndex,
    query: &'a Prepared,
    allowed: &'a RowSet,
    /// How far below the k-th best score an estimate may be.
    width: f32,
    /// The best by bytes.
    pub(crate) found: Candidates,
    /// Rows whose estimate was computed.
    pub(crate) scanned: usize,
    /// Every row whose bytes were looked at, with its estimate, if that is wanted.
    pub(crate) log: Option<Vec<(Candidate, f32)>>,
    /// Products with the centres; not a number until it is needed.
    scores: Vec<f32>,
    passed: Vec<Passed>,
    bases: Vec<f32>,
}

impl<'a> Scan<'a> {
    /// For the best `count`, with estimates that are right to within `width`.
    pub(crate) fn new(
        index: &'a VectorIndex,
        query: &'a Prepared,
        allowed: &'a RowSet,
        count: usize,
        width: f32,
    ) -> Self {
        let found = new_candidates(index, count);
        let (passed, bases) = (Vec::with_capacity(RUN), Vec::with_capacity(RUN));
        let (scanned, log, scores) = (0, None, vec![f32::NAN; index.quantiser.lists()]);
        Self { index, query, allowed, width, found, scanned, log, scores, passed, bases }
    }

    /// Looks at what is not worth probing by list: parts with short lists, and rows that came since.
    pub(crate) fn whole_parts(&mut self) {
        for (number, part) in self.index.parts().enumerate() {
            if is_whole(part, self.index.quantiser.lists()) {
                self.stretch(&Stretch { number, part, places: 0..part.len() });
            }
        }
    }

    /// Looks at the rows of a list, and asks the memory for those of the next one.
    pub(crate) fn list(&mut self, list: usize, next: Option<usize>) {
        for (number, part) in self.index.parts().enumerate() {
            if !is_whole(part, self.index.quantiser.lists()) {
                part.prefetch(next.map_or(0..0, |next| part.places(next)));
                self.stretch(&Stretch { number, part, places: part.places(list) });
            }
        }
    }

    /// Those lists that seem to be near, the nearest first: by the bits of their centres, then by the bytes.
    fn near(&self, lists: impl Iterator<Item = u32>, margin: f32) -> Vec<Near> {
        let centres = &self.query.centres;
        let near = |list: &u32| {
            centres.products[*list as usize] + centres.noise >= self.limit(*list as usize, margin)
        };
        let lists: Vec<u32> = lists.filter(near).collect();
        let near = lists.iter().zip(self.query.most(self.index, &lists));
        let near = near.map(|(list, most)| Near { list: *list as usize, most });
        let mut near: Vec<Near> =
            near.filter(|near| near.most >= self.limit(near.list, margin)).collect();
        near.sort_unstable_by(|a, b| b.most.total_cmp(&a.most).then(a.list.cmp(&b.list)));
        near
    }

    /// Probes those of the lists that are still near when their turn comes.
    fn probe(&mut self, lists: &[Near], margin: f32) {
        for (place, near) in lists.iter().enumerate() {
            if let Some(later) = lists.get(place + AHEAD) {
                self.index.quantiser.prefetch(later.list);
            }
            let limit = self.limit(near.list, margin);
            if near.most >= limit && self.score(near.list) >= limit {
                self.list(near.list, lists.get(place + 1).map(|next| next.list));
            }
        }
    }

    /// What the product with the centre of a list must reach for it to hold a row that may be among the best.
    fn limit(&self, list: usize, margin: f32) -> f32 {
        self.found.last_of_best() - margin * self.index.spreads[list]
    }

    /// The product with the centre of a list.
    pub(crate) fn score(&mut self, list: usize) -> f32 {
        if self.scores[list].is_nan() {
            self.scores[list] = self.index.quantiser.score(&self.query.rotated, list);
        }
        self.scores[list]
    }

    fn stretch(&mut self, stretch: &Stretch<'_>) {
        self.scanned += stretch.places.len();
        let first = stretch.places.start / LANES * LANES;
        for first in (first..stretch.places.end).step_by(RUN) {
            match &self.query.tables {
                _ if stretch.places.is_empty() => {}
                Some(tables) => self.bits(stretch, first, tables),
                None => self.all_bytes(stretch, first),
            }
        }
    }

    /// Estimates from the bits of a run from `first` on, then the bytes of what passed.
    fn bits(&mut self, stretch: &Stretch<'_>, first: usize, tables: &Tables) {
        let (part, run) = (stretch.part, stretch.run(first));
        let blocks = first / LANES..run.end.div_ceil(LANES);
        self.fill_bases(part, first, &run, blocks.len() * LANES);
        self.passed.clear();
        let blocks = part.blocks(blocks, stretch.places.end.div_ceil(LANES), &self.bases);
        scan(self.index.quantiser.level, tables, blocks, self.threshold(), &mut self.passed);
        self.passed.retain(|passed| {
            let place = first + passed.place as usize;
            run.contains(&place) && self.allowed.contains(part.rows[place])
        });
        // The best first: they raise the threshold for the others.
        self.passed.sort_unstable_by(|a, b| b.estimate.total_cmp(&a.estimate));
        let passed = std::mem::take(&mut self.passed);
        for batch in passed.chunks(BATCH) {
            let threshold = self.threshold();
            let count = batch.partition_point(|passed| passed.estimate >= threshold);
            self.bytes(stretch, first, &batch[..count]);
            if count < batch.len() {
                break;
            }
        }
        self.passed = passed;
    }

    /// The scores of the centres, for each place from `first` on. Those of other lists in the outer blocks get a wrong
    /// one, but they are passed over.
    fn fill_bases(&mut self, part: &Codes, first: usize, run: &Range<usize>, count: usize) {
        self.bases.clear();
        if part.lists[run.start] == part.lists[run.end - 1] && !part.starts.is_empty() {
            let score = self.score(part.lists[run.start] as usize);
            self.bases.resize(count, score);
        } else {
            for list in &part.lists[first..run.end] {
                let score = self.score(*list as usize);
                self.bases.push(score);
            }
            self.bases.resize(count, 0.0);
        }
    }

    /// What an estimate must reach.
    fn threshold(&self) -> f32 {
        self.found.last_of_best() - self.width
    }

    /// Scores of all allowed places of a run from bytes.
    fn all_bytes(&mut self, stretch: &Stretch<'_>, first: usize) {
        let allowed =
            stretch.run(first).filter(|place| self.allowed.contains(stretch.part.rows[*place]));
        let places = allowed.map(|place| Passed { place: (place - first) as u32, estimate: 0.0 });
        for batch in places.collect::<Vec<_>>().chunks(BATCH) {
            self.bytes(stretch, first, batch);
        }
    }

    /// Scores from bytes of some places behind `first`.
    fn bytes(&mut self, stretch: &Stretch<'_>, first: usize, batch: &[Passed]) {
        let (mut places, mut products) = ([0; BATCH], [0; BATCH]);
        for (place, passed) in places.iter_mut().zip(batch) {
            *place = first as u32 + passed.place;
        }
        let (part, query, places) = (stretch.part, self.query, &places[..batch.len()]);
        byte_dots(
            self.index.quantiser.level,
            &query.bytes,
            part.bytes.get(),
            places,
            &mut products,
        );
        let scales = part.scales.get();
        for ((&place, product), passed) in places.iter().zip(products).zip(batch) {
            let base = self.score(part.lists[place as usize] as usize);
            let score = base + scales[place as usize] * query.unit * product as f32;
            let row = part.rows[place as usize];
            let candidate = Candidate { score, row, part: stretch.number as u32, place };
            self.found.offer(candidate);
            if let Some(log) = &mut self.log {
                log.push((candidate, passed.estimate));
            }
        }
    }
}

/// Neighbouring places of a part.
#[derive(Debug)]
struct Stretch<'a> {
    /// The number of the part.
    number: usize,
    part: &'a Codes,
    places: Range<usize>,
}

impl Stretch<'_> {
    /// The places of the run that begins with the block at `first`.
    fn run(&self, first: usize) -> Range<usize> {
        first.max(self.places.start)..self.places.end.min(first + RUN)
    }
}

/// Whether the rows of a part are always looked at, whatever their list.
fn is_whole(part: &Codes, lists: usize) -> bool {
    part.starts.is_empty() || lists == 1 || part.len() < SHORT_LIST * lists
}

/// An empty collection of the best by bytes.
fn new_candidates(index: &VectorIndex, count: usize) -> Candidates {
    let width = BYTE_DEVIATIONS * BYTE_NOISE * index.spread / (index.quantiser.dim as f32).sqrt();
    Candidates::new(count, width, (MOST_CLOSE.0 * count).max(MOST_CLOSE.1))
}

/// An estimate from bits is practically never further from the score than this.
pub(crate) fn widest(index: &VectorIndex) -> f32 {
    BIT_DEVIATIONS * BIT_NOISE * index.spread / (index.quantiser.dim as f32).sqrt()
}

/// The best `count` of the allowed rows by their vectors, as far as the stages before let them through.
pub(crate) fn best(
    index: &VectorIndex,
    depths: Depths,
    vectors: &Vectors,
    query: &[f32],
    count: usize,
    allowed: &RowSet,
) -> Vec<(Row, f32)> {
    let stripes = if index.expected_scan(allowed) < PARALLEL_ROWS { 1 } else { STRIPES };
    best_in(stripes, index, depths, vectors, query, count, allowed)
}

/// The same, with the first stage divided into so many parts.
pub(crate) fn best_in(
    stripes: usize,
    index: &VectorIndex,
    depths: Depths,
    vectors: &Vectors,
    query: &[f32],
    count: usize,
    allowed: &RowSet,
) -> Vec<(Row, f32)> {
    let prepared = Prepared::new(index, query);
    // The depth was calibrated for the best ten; the very first are further above the rest.
    let wanted = count.max(NEIGHBOURS);
    let look = |depth| close(stripes, index, depth, &prepared, allowed, wanted);
    let (depth, least) = depths.of(prepared.nearest());
    let mut found = if wanted > MOST_LIKE_ROWS { look(depths.any) } else { look(depth) };
    if depth != depths.any && found.last_of_best() < least {
        found = look(depths.any);
    }
    let rows: Vec<Row> = found.into_close().iter().map(|candidate| candidate.row).collect();
    best_of(index.quantiser.level, vectors, query, count, &rows).into_best()
}

/// All rows that may be among the best by their bytes.
fn close(
    stripes: usize,
    index: &VectorIndex,
    depth: Depth,
    query: &Prepared,
    allowed: &RowSet,
    count: usize,
) -> Candidates {
    let (nearest, others) = query.nearest_lists();
    let stripe = |number: usize| {
        let mut scan = Scan::new(index, query, allowed, count, depth.width);
        if number == 0 {
            scan.whole_parts();
        }
        for lists in [&nearest, &others] {
            let own = lists.iter().skip(number).step_by(stripes).copied();
            let near = scan.near(own, depth.margin);
            scan.probe(&near, depth.margin);
        }
        scan.found
    };
    if stripes == 1 {
        return stripe(0);
    }
    let parts: Vec<Candidates> = (0..stripes).into_par_iter().map(stripe).collect();
    let mut found = new_candidates(index, count);
    for part in parts {
        found.merge(part);
    }
    found
}
