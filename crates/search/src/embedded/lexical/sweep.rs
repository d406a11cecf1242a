//! The best documents of a segment, without scoring all of them.
//!
//! Documents are taken in windows. In each the rare words are added up, list by list; frequent words, which even together
//! cannot lift a document to the worst of the best, are looked up only for documents that are already near.
//!
//! Source: Turtle, Flood, "Query Evaluation: Strategies and Optimizations" (1995), max-score; in windows as in Lucene's
//! `MaxScoreBulkScorer`.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use tantivy::postings::BlockSegmentPostings;
use tantivy::{DocId, TERMINATED};

use crate::embedded::lexical::bm25::{Lengths, Scale, score};
use crate::embedded::lexical::matcher::Matcher;
use crate::embedded::lexical::plan::{Plan, Scored};
use crate::embedded::lexical::segment::Segment;
use crate::rows::{Row, RowSet};

/// Documents in a window: their sums stay in the first cache.
const WINDOW: usize = 4096;

/// Documents that are passed over together when none of them is good enough.
const STRIDE: usize = 16;

/// The best so far. Rows must come in ascending order: of equal scores the first stays.
pub(super) struct Best {
    heap: BinaryHeap<Reverse<(u32, Reverse<Row>)>>,
    wanted: usize,
}

impl Best {
    pub(super) fn new(wanted: usize) -> Self {
        Self { heap: BinaryHeap::new(), wanted }
    }

    /// Whoever has no more than this is not among the best.
    pub(super) fn floor(&self) -> u32 {
        let full = self.heap.len() >= self.wanted;
        self.heap.peek().filter(|_| full).map_or(0, |Reverse((score, _))| *score)
    }

    pub(super) fn offer(&mut self, units: u32, row: Row) {
        if self.wanted > 0 && units > self.floor() {
            if self.heap.len() == self.wanted {
                self.heap.pop();
            }
            self.heap.push(Reverse((units, Reverse(row))));
        }
    }

    /// Best first, of equal scores the lower row.
    pub(super) fn into_sorted(self) -> Vec<(Row, f32)> {
        let sorted = self.heap.into_sorted_vec().into_iter();
        sorted.map(|Reverse((units, Reverse(row)))| (row, score(units))).collect()
    }
}

/// Where one part of the query stands in a segment. It only moves forward.
pub(super) struct Cursor<'a> {
    list: List<'a>,
    place: usize,
    /// No share is higher.
    peak: u32,
    scale: &'a Scale,
    lengths: &'a Lengths,
    segment: &'a Segment,
}

enum List<'a> {
    Postings(Box<BlockSegmentPostings>),
    Collected(&'a [(DocId, u32)]),
}

impl<'a> Cursor<'a> {
    /// Cursors of all parts that occur in the segment.
    pub(super) fn all(
        plan: &'a Plan,
        number: usize,
        segment: &'a Segment,
    ) -> tantivy::Result<Vec<Self>> {
        let mut cursors = Vec::with_capacity(plan.scored.len());
        for scored in &plan.scored {
            cursors.extend(Self::new(scored, &plan.lengths, number, segment)?);
        }
        Ok(cursors)
    }

    fn new(
        scored: &'a Scored,
        lengths: &'a Lengths,
        number: usize,
        segment: &'a Segment,
    ) -> tantivy::Result<Option<Self>> {
        let Scored { matcher, scale, collected } = scored;
        let (list, peak) = match (collected, matcher) {
            (Some(collected), _) => {
                let collected = &collected[number];
                let peak = collected.iter().map(|&(_, share)| share).max();
                (List::Collected(collected), peak.unwrap_or(0))
            }
            (None, Matcher::Word(stem)) => {
                let Some(postings) = segment.postings(stem)? else { return Ok(None) };
                let reach = segment.reach(stem, &postings);
                let share = |times, code| scale.share(times as f32, code, lengths);
                let peak = reach.map_or(scale.peak(), |reach| reach.peak(share));
                (List::Postings(Box::new(postings)), peak)
            }
            (None, _) => return Ok(None),
        };
        Ok(Some(Self { list, place: 0, peak, scale, lengths, segment }))
    }

    /// Documents in the list.
    pub(super) fn size(&self) -> usize {
        match &self.list {
            List::Postings(postings) => postings.doc_freq() as usize,
            List::Collected(collected) => collected.len(),
        }
    }

    fn document(&self) -> DocId {
        match &self.list {
            List::Postings(postings) => postings.doc(self.place),
            List::Collected(collected) => {
                collected.get(self.place).map_or(TERMINATED, |&(document, _)| document)
            }
        }
    }

    /// The share of a document, 0 if it is not in the list. Documents must be asked for in ascending order.
    pub(super) fn share_of(&mut self, document: DocId) -> u32 {
        if self.document() < document {
            self.seek(document);
        }
        if self.document() == document { self.share() } else { 0 }
    }

    fn seek(&mut self, document: DocId) {
        match &mut self.list {
            List::Postings(postings) => self.place = postings.seek(document),
            List::Collected(collected) => {
                let rest = &collected[self.place..];
                self.place += rest.partition_point(|&(other, _)| other < document);
            }
        }
    }

    /// The share of the document it stands on.
    fn share(&self) -> u32 {
        match &self.list {
            List::Postings(postings) => {
                let code = self.segment.codes[postings.doc(self.place) as usize];
                self.scale.share(postings.freq(self.place) as f32, code, self.lengths)
            }
            List::Collected(collected) => collected[self.place].1,
        }
    }

    /// Adds the shares of all documents before `end` to sums that begin at `start`, and stands behind them.
    fn add_until(&mut self, start: DocId, end: DocId, sums: &mut [u32; WINDOW]) {
        let Self { list, place, scale, lengths, segment, .. } = self;
        match list {
            List::Collected(collected) => {
                let rest = collected[*place..].iter().take_while(|&&(document, _)| document < end);
                *place += rest.map(|&(at, share)| sums[(at - start) as usize] += share).count();
            }
            List::Postings(postings) => loop {
                let documents = &postings.docs()[*place..];
                let here = documents.partition_point(|&document| document < end);
                let times = &postings.freqs()[*place..];
                for (&document, &times) in documents[..here].iter().zip(times) {
                    let code = segment.codes[document as usize];
                    let share = match times {
                        1 => scale.one(code),
                        _ => scale.share(times as f32, code, lengths),
                    };
                    sums[(document - start) as usize] += share;
                }
                *place += here;
                if here < documents.len() || postings.block_len() == 0 {
                    return;
                }
                postings.advance();
                *place = 0;
            },
        }
    }
}

/// Offers the documents of a segment that are allowed.
pub(super) fn sweep(mut cursors: Vec<Cursor<'_>>, allowed: &RowSet, best: &mut Best) {
    let Some(first) = cursors.first().map(|cursor| cursor.segment.first) else { return };
    // Frequent words have low peaks and come first.
    cursors.sort_by_key(|cursor| cursor.peak);
    let mut sums = Box::new([0; WINDOW]);
    loop {
        let frequent = negligible(&cursors, best.floor());
        let (frequent, rare) = cursors.split_at_mut(frequent);
        let start = rare.iter().map(Cursor::document).min().unwrap_or(TERMINATED);
        if start == TERMINATED {
            return;
        }
        for cursor in rare {
            cursor.add_until(start, start.saturating_add(WINDOW as DocId), &mut sums);
        }
        offer(first + start, start, &mut sums, frequent, allowed, best);
    }
}

/// How many of the first cursors together do not lift a document above the floor.
fn negligible(cursors: &[Cursor<'_>], floor: u32) -> usize {
    let mut sum = 0;
    let fits = |cursor: &&Cursor<'_>| {
        sum += cursor.peak;
        sum <= floor
    };
    cursors.iter().take_while(fits).count()
}

/// Offers the documents of a window, with what the frequent words add, and clears the sums.
fn offer(
    first: Row,
    start: DocId,
    sums: &mut [u32; WINDOW],
    frequent: &mut [Cursor<'_>],
    allowed: &RowSet,
    best: &mut Best,
) {
    let most: u32 = frequent.iter().map(|cursor| cursor.peak).sum();
    let mut needed = best.floor().saturating_sub(most);
    for (stride, sums) in sums.chunks_exact_mut(STRIDE).enumerate() {
        let highest = sums.iter().copied().max().unwrap_or(0);
        if highest > needed {
            for (place, &sum) in sums.iter().enumerate() {
                let place = (stride * STRIDE + place) as u32;
                if sum > needed && allowed.contains(first + place) {
                    let units = complete(sum, most, start + place, frequent, best.floor());
                    best.offer(units, first + place);
                    needed = best.floor().saturating_sub(most);
                }
            }
        }
        if highest > 0 {
            sums.fill(0);
        }
    }
}

/// Adds what the frequent words add, the weightiest first, as long as the floor is within reach.
fn complete(sum: u32, most: u32, document: DocId, frequent: &mut [Cursor<'_>], floor: u32) -> u32 {
    let (mut sum, mut most) = (sum, most);
    for cursor in frequent.iter_mut().rev() {
        if sum + most <= floor {
            break;
        }
        most -= cursor.peak;
        sum += cursor.share_of(document);
    }
    sum
}
