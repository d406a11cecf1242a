//! What turns vectors into codes: a rotation, and the centres from which residuals are taken.

use rayon::prelude::*;

use crate::embedded::vector::codes::{Codes, Writer};
use crate::embedded::vector::kernel::{LANES, Level, Panels, Tables, dot, prefetch, products};
use crate::embedded::vector::rotation::Rotation;
use crate::embedded::vector::sketch::{Estimates, Sketch};
use crate::embedded::vectors::Vectors;
use crate::rows::Row;

/// Rows that one task assigns; a multiple of the rows of a tile of products.
const TASK_ROWS: usize = 240;

/// A rotation and the centres of lists.
#[derive(Clone, Debug)]
pub(crate) struct Quantiser {
    pub(crate) level: Level,
    pub(crate) dim: usize,
    rotation: Rotation,
    /// `(L, D)`, rotated.
    centres: Vec<f32>,
    panels: Panels,
    sketch: Sketch,
    /// Half the squared length of each centre: what a product must lose to be compared as a distance.
    half_squares: Vec<f32>,
}

impl Quantiser {
    /// # Shapes
    /// `centres` is `(L, D)`, rotated by the same seed.
    pub(crate) fn new(level: Level, dim: usize, seed: u64, centres: Vec<f32>) -> Self {
        let squares = centres.chunks_exact(dim).map(|centre| dot(level, centre, centre) / 2.0);
        let (half_squares, panels) = (squares.collect(), Panels::new(dim, &centres));
        let (rotation, sketch) = (Rotation::new(dim, seed), Sketch::new(level, dim, &centres));
        Self { level, dim, rotation, centres, panels, sketch, half_squares }
    }

    /// One that has seen no vector: a single list around zero.
    pub(crate) fn untrained(level: Level, dim: usize, seed: u64) -> Self {
        Self::new(level, dim, seed, vec![0.0; dim])
    }

    /// L.
    pub(crate) fn lists(&self) -> usize {
        self.half_squares.len()
    }

    /// `(L, D)`, rotated.
    pub(crate) fn centres(&self) -> &[f32] {
        &self.centres
    }

    /// The vector, rotated.
    pub(crate) fn rotated(&self, vector: &[f32]) -> Vec<f32> {
        let mut rotated = vector.to_vec();
        self.rotation.apply(self.level, &mut rotated);
        rotated
    }

    /// The product of a rotated query with the centre of a list.
    pub(crate) fn score(&self, rotated: &[f32], list: usize) -> f32 {
        dot(self.level, rotated, &self.centres[list * self.dim..][..self.dim])
    }

    /// Asks the memory for the centre of a list before it is needed.
    pub(crate) fn prefetch(&self, list: usize) {
        prefetch(&self.centres[list * self.dim..][..self.dim]);
    }

    /// Products of a rotated query with the centres: exact ones without tables.
    pub(crate) fn estimates(&self, rotated: &[f32], tables: Option<&Tables>) -> Estimates {
        match tables {
            Some(tables) => self.sketch.estimates(self.level, rotated, tables),
            None => {
                Estimates::exact((0..self.lists()).map(|list| self.score(rotated, list)).collect())
            }
        }
    }

    /// What the products with the centres of some lists are at most, as [`Sketch::most`] has it.
    pub(crate) fn most(
        &self,
        estimates: &Estimates,
        query: (&[i8], f32),
        lists: &[u32],
    ) -> Vec<f32> {
        self.sketch.most(self.level, estimates, query, lists)
    }

    /// The nearest list of each of these rotated rows.
    ///
    /// # Shapes
    /// Each of `rotated` is `(D,)`.
    pub(crate) fn nearest(&self, rotated: &[&[f32]]) -> Vec<u16> {
        let mut scores = vec![0.0; rotated.len() * self.panels.stride()];
        products(self.level, rotated, &self.panels, &mut scores);
        let rows = scores.chunks_exact(self.panels.stride());
        rows.map(|scores| self.best_list(&scores[..self.panels.columns()])).collect()
    }

    /// The list with the highest product, half squares taken off; the first of equals.
    fn best_list(&self, scores: &[f32]) -> u16 {
        let mut best = (0, f32::NEG_INFINITY);
        for (list, (score, half)) in scores.iter().zip(&self.half_squares).enumerate() {
            if score - half > best.1 {
                best = (list, score - half);
            }
        }
        best.0 as u16
    }

    /// The nearest list of each of these rows.
    pub(crate) fn assign(&self, vectors: &Vectors, rows: &[Row]) -> Vec<u16> {
        let assigned = rows.par_chunks(TASK_ROWS).map(|rows| {
            let rotated: Vec<Vec<f32>> =
                rows.iter().map(|row| self.rotated(vectors.row(*row))).collect();
            let rotated: Vec<&[f32]> = rotated.iter().map(Vec::as_slice).collect();
            self.nearest(&rotated)
        });
        assigned.flatten_iter().collect()
    }

    /// The residual of a vector, rotated.
    pub(crate) fn residual(&self, vector: &[f32], list: u16) -> Vec<f32> {
        let mut residual = self.rotated(vector);
        let centre = &self.centres[list as usize * self.dim..][..self.dim];
        for (value, centre) in residual.iter_mut().zip(centre) {
            *value -= centre;
        }
        residual
    }

    /// Codes of rows, sorted by list and then by row.
    ///
    /// # Shapes
    /// `lists` has the list of each of `rows`, which ascend.
    pub(crate) fn sorted_codes(&self, vectors: &Vectors, rows: &[Row], lists: &[u16]) -> Codes {
        let (order, starts) = by_list(lists, self.lists());
        let rows: Vec<Row> = order.iter().map(|place| rows[*place as usize]).collect();
        let lists: Vec<u16> = order.iter().map(|place| lists[*place as usize]).collect();
        let mut writer = Writer::new(self.dim, rows.len());
        let runs = rows.par_chunks(LANES).zip(lists.par_chunks(LANES));
        runs.zip(writer.slots()).for_each(|((rows, lists), mut slot)| {
            for (lane, (row, list)) in rows.iter().zip(lists).enumerate() {
                slot.put(self.level, lane, &self.residual(vectors.row(*row), *list));
            }
        });
        writer.finish(rows, lists, starts)
    }

    /// Codes of further rows behind those of `before`, in the order in which they come.
    pub(crate) fn appended_codes(
        &self,
        before: Option<&Codes>,
        vectors: &Vectors,
        rows: &[Row],
    ) -> Codes {
        let rotated: Vec<Vec<f32>> =
            rows.iter().map(|row| self.rotated(vectors.row(*row))).collect();
        let rotated: Vec<&[f32]> = rotated.iter().map(Vec::as_slice).collect();
        let new_lists = self.nearest(&rotated);
        let first = before.map_or(0, Codes::len);
        let mut writer = match before {
            Some(codes) => Writer::from_codes(codes, first + rows.len()),
            None => Writer::new(self.dim, rows.len()),
        };
        let mut slots = writer.slots();
        for (number, (row, list)) in rows.iter().zip(&new_lists).enumerate() {
            let place = first + number;
            let residual = self.residual(vectors.row(*row), *list);
            slots[place / LANES].put(self.level, place % LANES, &residual);
        }
        let mut all_rows = before.map_or_else(Vec::new, |codes| codes.rows.clone());
        let mut all_lists = before.map_or_else(Vec::new, |codes| codes.lists.clone());
        all_rows.extend(rows);
        all_lists.extend(new_lists);
        writer.finish(all_rows, all_lists, Vec::new())
    }

    /// The codes of several parts as one, sorted by list and then in the order of the parts.
    pub(crate) fn merged_codes(&self, parts: &[&Codes]) -> Codes {
        let places: Vec<(usize, usize)> = (0..parts.len())
            .flat_map(|part| (0..parts[part].len()).map(move |place| (part, place)))
            .collect();
        let lists: Vec<u16> = parts.iter().flat_map(|part| part.lists.iter().copied()).collect();
        let (order, starts) = by_list(&lists, self.lists());
        let places: Vec<(usize, usize)> =
            order.iter().map(|number| places[*number as usize]).collect();
        let mut writer = Writer::new(self.dim, places.len());
        places.par_chunks(LANES).zip(writer.slots()).for_each(|(places, mut slot)| {
            for (lane, (part, place)) in places.iter().enumerate() {
                slot.copy(lane, parts[*part], *place);
            }
        });
        let rows = places.iter().map(|(part, place)| parts[*part].rows[*place]).collect();
        let lists = order.iter().map(|number| lists[*number as usize]).collect();
        writer.finish(rows, lists, starts)
    }
}

/// Numbers 0 to N in the order of their lists, and where each list begins and the last one ends.
pub(crate) fn by_list(lists: &[u16], count: usize) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0u32; count + 1];
    for list in lists {
        starts[*list as usize + 1] += 1;
    }
    for list in 0..count {
        starts[list + 1] += starts[list];
    }
    let (mut next, mut order) = (starts.clone(), vec![0; lists.len()]);
    for (number, list) in lists.iter().enumerate() {
        order[next[*list as usize] as usize] = number as u32;
        next[*list as usize] += 1;
    }
    (order, starts)
}
