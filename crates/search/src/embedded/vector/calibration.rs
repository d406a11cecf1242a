//! How deep a search must look for the recall that is wanted, found out on the index itself.
//!
//! One thorough look for each query says for every depth at once what would have been found and what it would have cost,
//! so the cheapest depth is chosen without trying any. It is then confirmed on queries that had no part in the choice.
//!
//! Captions need another depth than pictures: their vectors lie apart, so that more of the rows are almost as near as the
//! nearest. A query that is nearer to a list than every caption of the sample is taken for a picture, and has theirs.

use rand::SeedableRng;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::embedded::vector::exact::exact_for_all;
use crate::embedded::vector::files::{Depth, Depths, LikeRows, Measured};
use crate::embedded::vector::search::{NEIGHBOURS, Prepared, Scan, widest};
use crate::embedded::vector::{SEED, VectorIndex};
use crate::embedded::vectors::Vectors;
use crate::rows::{Row, RowSet};

/// Recall@10 that a search is calibrated for: where nothing else is asked for, and where speed counts for more.
pub(crate) const AIMS: [f32; 2] = [0.99, 0.95];

/// Standard errors by which the recall must be above the aim on queries that had no part in the choice: with these, the
/// recall of all queries like them is below it in one build of twenty.
const CONFIDENCE: f32 = 1.645;

/// Queries of each kind: as many as make so many products, within these bounds. Their exact answers are most of the work.
const QUERIES: (usize, usize, usize) = (100_000_000, 384, 1_000);

/// One query of so many is to choose by, the others are to confirm.
const CHOOSING: usize = 3;

/// Pictures that it takes to choose a depth for their kind by, and captions to tell the kinds apart: of all captions one in so
/// many will be taken for a picture.
const FEWEST: usize = 150;
const FEWEST_TEXTS: usize = 50;

/// Scanning a row once more instead of looking closely at one: what a close look costs, in scanned rows. A row of bytes
/// comes from a random place in memory, while codes of bits are read in order.
const CLOSE_LOOK: f32 = 16.0;

/// How much deeper to look where there are too few captions to choose by: by so much theirs are harder.
const WITHOUT_TEXTS: f32 = 1.3;

/// How much deeper to look when the choice is not confirmed, and how often: in small steps, to stop at the first that is.
const DEEPER: (f32, usize) = (1.04, 40);

/// Shares of what may be lost at all that may be lost because a list is not probed.
const LOSSES: [f32; 10] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/// A margin beyond which lists are only probed because they are of copies, whose spread is nothing.
const WIDEST_MARGIN: f32 = 1e3;

/// A query with its right answers.
#[derive(Clone, Debug)]
struct Probe {
    vector: Vec<f32>,
    right: Vec<Row>,
    /// The row that is the query itself.
    itself: Option<Row>,
    /// The product with the nearest centre, as far as bits tell.
    nearest: f32,
    /// The score of the last right answer.
    last: f32,
}

/// Queries of a kind: those to choose a depth by, and those to confirm it.
#[derive(Clone, Debug)]
struct Kind<'a> {
    choosing: Vec<&'a Probe>,
    confirming: Vec<&'a Probe>,
}

impl<'a> Kind<'a> {
    fn of(mut choosing: Vec<&'a Probe>) -> Self {
        let confirming = choosing.split_off(choosing.len().div_ceil(CHOOSING));
        Self { choosing, confirming }
    }

    fn and(mut self, other: Self) -> Self {
        self.choosing.extend(other.choosing);
        self.confirming.extend(other.confirming);
        self
    }

    fn len(&self) -> usize {
        self.choosing.len() + self.confirming.len()
    }

    /// The least score of a last right answer.
    fn least(&self) -> f32 {
        let all = self.choosing.iter().chain(&self.confirming);
        all.map(|probe| probe.last).fold(f32::INFINITY, f32::min)
    }
}

/// What a thorough look saw for one query.
#[derive(Clone, Debug)]
struct Trace {
    /// Margins from which on each list is probed, and its rows.
    lists: Vec<(f32, usize)>,
    /// Rows that were looked at closely, the best first.
    seen: Vec<Seen>,
    right: usize,
}

/// A row that was looked at closely.
#[derive(Clone, Copy, Debug)]
struct Seen {
    score: f32,
    estimate: f32,
    /// The margin from which on its list is probed.
    margin: f32,
    is_right: bool,
}

/// The same for all queries of a kind.
type Traces = Vec<Trace>;

/// Chooses the depth, and measures with it.
pub(crate) fn calibrate(
    index: &mut VectorIndex,
    vectors: &Vectors,
    live: &RowSet,
    texts: &[Vec<f32>],
    progress: &mut dyn FnMut(usize, usize),
) {
    progress(0, 3);
    let rows: Vec<Row> = live.iter().filter(|row| (*row as usize) < vectors.rows()).collect();
    if rows.len() <= NEIGHBOURS {
        return;
    }
    let (images, texts) = probes(index, vectors, &rows, texts);
    progress(1, 3);
    if index.quantiser.lists() > 1 {
        choose_depths(index, vectors, live, &images, &texts);
    }
    progress(2, 3);
    index.manifest.measured = Some(measured(index, vectors, live, &images, &texts));
    progress(3, 3);
}

/// Depths for pictures that are nearer than every caption, and for all other queries.
fn choose_depths(
    index: &mut VectorIndex,
    vectors: &Vectors,
    live: &RowSet,
    images: &[Probe],
    texts: &[Probe],
) {
    let above = texts.iter().map(|text| text.nearest).fold(f32::NEG_INFINITY, f32::max);
    let (like_rows, others) = apart(images, texts, above);
    let factor = if texts.len() < FEWEST_TEXTS { WITHOUT_TEXTS } else { 1.0 };
    let [depth, shallow] = depths(index, vectors, live, &others, factor);
    (index.manifest.depth, index.manifest.shallow) = (depth, Some(shallow));
    index.manifest.like_rows = like_rows.map(|kind| {
        let [depth, shallow] = depths(index, vectors, live, std::slice::from_ref(&kind), 1.0);
        LikeRows { above, least: kind.least(), depth, shallow }
    });
}

/// Pictures that are nearer than every caption, if they are enough to choose a depth by, and the kinds of all other queries.
fn apart<'a>(
    images: &'a [Probe],
    texts: &'a [Probe],
    above: f32,
) -> (Option<Kind<'a>>, Vec<Kind<'a>>) {
    let (near, others): (Vec<&Probe>, Vec<&Probe>) =
        images.iter().partition(|image| image.nearest > above);
    let texts: Vec<&Probe> = texts.iter().collect();
    if near.len() < FEWEST || texts.len() < FEWEST_TEXTS {
        return (None, vec![Kind::of(images.iter().collect()), Kind::of(texts)]);
    }
    let (others, texts) = (Kind::of(others), Kind::of(texts));
    // Few are not enough for a kind of their own, and as far as captions are.
    let others = if others.len() < FEWEST { vec![texts.and(others)] } else { vec![texts, others] };
    (Some(Kind::of(near)), others)
}

/// The depth for each aim, so much deeper than was chosen, and confirmed.
fn depths(
    index: &VectorIndex,
    vectors: &Vectors,
    live: &RowSet,
    kinds: &[Kind<'_>],
    factor: f32,
) -> [Depth; 2] {
    let traces: Vec<Traces> =
        kinds.iter().map(|kind| traces(index, live, &kind.choosing)).collect();
    AIMS.map(|aim| {
        let chosen = deeper(choose(&traces, widest(index), aim), factor);
        confirmed(index, vectors, live, kinds, chosen, aim)
    })
}

fn deeper(depth: Depth, factor: f32) -> Depth {
    Depth { margin: depth.margin * factor, width: depth.width * factor }
}

/// Rows of the index as queries, and the texts; each with its exact neighbours.
fn probes(
    index: &VectorIndex,
    vectors: &Vectors,
    rows: &[Row],
    texts: &[Vec<f32>],
) -> (Vec<Probe>, Vec<Probe>) {
    let mut dice = ChaCha8Rng::seed_from_u64(SEED);
    let count = (QUERIES.0 / rows.len()).clamp(QUERIES.1, QUERIES.2);
    let own: Vec<Row> =
        sample(&mut dice, rows.len(), rows.len().min(count)).iter().map(|at| rows[at]).collect();
    let chosen: Vec<usize> = sample(&mut dice, texts.len(), texts.len().min(count)).into_vec();
    let images = own.iter().map(|row| vectors.row(*row));
    let queries: Vec<&[f32]> =
        images.chain(chosen.iter().map(|at| texts[*at].as_slice())).collect();
    let found = exact_for_all(index.quantiser.level, vectors, &queries, NEIGHBOURS + 1, rows);
    let itself = own.iter().copied().map(Some).chain(std::iter::repeat(None));
    let mut probes: Vec<Probe> = queries
        .iter()
        .zip(found)
        .zip(itself)
        .map(|((vector, found), itself)| {
            let others = found.into_iter().filter(|(row, _)| Some(*row) != itself);
            let others: Vec<(Row, f32)> = others.take(NEIGHBOURS).collect();
            let last = others.last().map_or(f32::NEG_INFINITY, |(_, score)| *score);
            let right = others.into_iter().map(|(row, _)| row).collect();
            let nearest = Prepared::new(index, vector).nearest();
            Probe { vector: vector.to_vec(), right, itself, nearest, last }
        })
        .collect();
    let texts = probes.split_off(own.len());
    (probes, texts)
}

/// `live` without the query itself: it would be too easy to find.
fn others(live: &RowSet, probe: &Probe) -> RowSet {
    let mut others = live.clone();
    if let Some(row) = probe.itself {
        others.remove(row);
    }
    others
}

fn traces(index: &VectorIndex, live: &RowSet, probes: &[&Probe]) -> Traces {
    probes.par_iter().map(|probe| trace(index, &others(live, probe), probe)).collect()
}

/// Looks at everything in the order of a search.
fn trace(index: &VectorIndex, allowed: &RowSet, probe: &Probe) -> Trace {
    let query = Prepared::new(index, &probe.vector);
    let mut scan = Scan::new(index, &query, allowed, NEIGHBOURS, widest(index));
    scan.log = Some(Vec::new());
    scan.whole_parts();
    let mut margins = vec![f32::NEG_INFINITY; index.quantiser.lists()];
    let mut lists = vec![(f32::NEG_INFINITY, scan.scanned)];
    for list in query.lists() {
        let before = scan.scanned;
        margins[list] = (scan.found.last_of_best() - scan.score(list)) / index.spreads[list];
        scan.list(list, None);
        lists.push((margins[list], scan.scanned - before));
    }
    let log = scan.log.into_iter().flatten().map(|(candidate, estimate)| {
        let list = index.part(candidate.part as usize).lists[candidate.place as usize];
        let (margin, is_right) = (margins[list as usize], probe.right.contains(&candidate.row));
        Seen { score: candidate.score, estimate, margin, is_right }
    });
    let mut seen: Vec<Seen> = log.collect();
    seen.sort_unstable_by(|a, b| b.score.total_cmp(&a.score));
    Trace { lists, seen, right: probe.right.len() }
}

impl Trace {
    /// What is seen with this margin, the best first.
    fn with(&self, margin: f32) -> impl Iterator<Item = &Seen> {
        self.seen.iter().filter(move |seen| seen.margin <= margin)
    }

    /// How far below the k-th best score the estimate of each right answer is that is seen with this margin.
    fn deficits(&self, margin: f32) -> impl Iterator<Item = f32> {
        let last = self.last_of_best(margin);
        self.with(margin).filter(|seen| seen.is_right).map(move |seen| last - seen.estimate)
    }

    fn last_of_best(&self, margin: f32) -> f32 {
        self.with(margin).nth(NEIGHBOURS - 1).map_or(f32::NEG_INFINITY, |seen| seen.score)
    }

    /// Lists probed, rows scanned and rows looked at closely.
    fn work(&self, depth: Depth) -> (usize, usize, usize) {
        let probed =
            self.lists.iter().filter(|(needed, rows)| *needed <= depth.margin && *rows > 0);
        let (lists, rows) =
            probed.fold((0, 0), |(lists, rows), (_, more)| (lists + 1, rows + more));
        let limit = self.last_of_best(depth.margin) - depth.width;
        (lists, rows, self.with(depth.margin).filter(|seen| seen.estimate >= limit).count())
    }

    fn cost(&self, depth: Depth) -> f32 {
        let (_, rows, close) = self.work(depth);
        rows as f32 + CLOSE_LOOK * close as f32
    }
}

/// The cheapest depth with which all kinds of queries meet the aim.
fn choose(kinds: &[Traces], widest: f32, aim: f32) -> Depth {
    let margin = |loss: f32| {
        kinds.iter().map(|kind| margin_for(kind, loss)).fold(0.0, f32::max).min(WIDEST_MARGIN)
    };
    let depths = LOSSES.iter().map(|loss| {
        let margin = margin(*loss * (1.0 - aim));
        let width = kinds.iter().map(|kind| width_for(kind, margin, aim)).fold(0.0, f32::max);
        Depth { margin, width: width.min(widest) }
    });
    let cost = |depth: &Depth| kinds.iter().flatten().map(|trace| trace.cost(*depth)).sum::<f32>();
    depths
        .min_by(|a, b| cost(a).total_cmp(&cost(b)))
        .unwrap_or(Depth { margin: 0.0, width: widest })
}

/// The margin with which no more than this share of the right answers is in lists that are not probed.
fn margin_for(traces: &Traces, loss: f32) -> f32 {
    let right = traces.iter().flat_map(|trace| trace.seen.iter().filter(|seen| seen.is_right));
    smallest_for(right.map(|seen| seen.margin).collect(), traces, 1.0 - loss)
}

/// The width with which the aim is met, given a margin.
fn width_for(traces: &Traces, margin: f32, aim: f32) -> f32 {
    smallest_for(traces.iter().flat_map(|trace| trace.deficits(margin)).collect(), traces, aim)
}

/// The least number that is not exceeded by that share of all right answers.
fn smallest_for(mut needed: Vec<f32>, traces: &Traces, share: f32) -> f32 {
    let all: usize = traces.iter().map(|trace| trace.right).sum();
    let count = (share * all as f32).ceil() as usize;
    needed.sort_unstable_by(f32::total_cmp);
    needed.get(count.max(1) - 1).or(needed.last()).map_or(0.0, |value| value.max(0.0))
}

/// The least depth from this one on with which queries that had no part in the choice meet the aim.
fn confirmed(
    index: &VectorIndex,
    vectors: &Vectors,
    live: &RowSet,
    kinds: &[Kind<'_>],
    chosen: Depth,
    aim: f32,
) -> Depth {
    let mut depth = chosen;
    let is_met = |depth: Depth| {
        kinds.iter().filter(|kind| !kind.confirming.is_empty()).all(|kind| {
            let (recall, error) = recall(index, vectors, live, &kind.confirming, depth.into());
            recall - CONFIDENCE * error >= aim
        })
    };
    for _ in 0..DEEPER.1 {
        if is_met(depth) {
            break;
        }
        depth = deeper(depth, DEEPER.0);
    }
    depth
}

/// Share of the right answers that a search finds, and its standard error.
fn recall(
    index: &VectorIndex,
    vectors: &Vectors,
    live: &RowSet,
    probes: &[&Probe],
    depths: Depths,
) -> (f32, f32) {
    let share = |probe: &&Probe| {
        let allowed = others(live, probe);
        let found = index.search_to(depths, vectors, &probe.vector, NEIGHBOURS, &allowed);
        let right = found.iter().filter(|(row, _)| probe.right.contains(row)).count();
        right as f32 / probe.right.len().max(1) as f32
    };
    let shares: Vec<f32> = probes.par_iter().map(share).collect();
    let count = shares.len().max(1) as f32;
    let mean = shares.iter().sum::<f32>() / count;
    let squares: f32 = shares.iter().map(|share| (share - mean).powi(2)).sum();
    (mean, squares.sqrt() / count)
}

/// What the depths that are usual find, and what they cost.
fn measured(
    index: &VectorIndex,
    vectors: &Vectors,
    live: &RowSet,
    images: &[Probe],
    texts: &[Probe],
) -> Measured {
    let depths = index.manifest.depths();
    let kinds = [images, texts].map(|probes| Kind::of(probes.iter().collect()).confirming);
    let few: Vec<&Probe> = kinds.iter().flat_map(|kind| kind.iter().take(16).copied()).collect();
    let traces = traces(index, live, &few);
    let work = traces.iter().zip(&few).map(|(trace, probe)| trace.work(depths.of(probe.nearest).0));
    let work: Vec<_> = work.collect();
    let mean = |of: fn(&(usize, usize, usize)) -> usize| {
        work.iter().map(of).sum::<usize>() as f32 / work.len() as f32
    };
    let of_kind = |kind: &Vec<&Probe>| recall(index, vectors, live, kind, depths).0;
    Measured {
        images: of_kind(&kinds[0]),
        texts: (!kinds[1].is_empty()).then(|| of_kind(&kinds[1])),
        queries: kinds[0].len(),
        probed: mean(|work| work.0),
        scanned: mean(|work| work.1),
        rescored: mean(|work| work.2),
    }
}
