//! The best tiles that do not overlap.

use crate::picture::Area;

/// A place in the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// Where it is.
    pub area: Area,
    /// Which of the tiles it is.
    pub tile: usize,
}

/// A tile that covers more of the picture than this says nothing about where. Own choice.
const NEARLY_ALL: f64 = 0.8;

/// The tiles of the highest scores, best first, none over another.
///
/// Tiles that cover nearly all of the picture are left out where there are smaller ones.
///
/// Source: greedy non-maximum suppression, as in Felzenszwalb et al., "Object Detection with Discriminatively Trained
/// Part-Based Models" (2010), 7.3, with any overlap too much: half of each tile is its neighbour's.
pub fn boxes(width: usize, height: usize, tiles: &[Area], scores: &[f32]) -> Vec<Found> {
    let picture = (width * height) as f64;
    let says_where = |tile: &Area| tile.width * tile.height < NEARLY_ALL * picture;
    let any = tiles.iter().any(says_where);
    let mut order: Vec<usize> =
        (0..tiles.len()).filter(|i| !any || says_where(&tiles[*i])).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    let mut kept: Vec<Found> = Vec::new();
    for tile in order {
        let area = tiles[tile];
        if kept.iter().all(|found| !overlap(&found.area, &area)) {
            kept.push(Found { area, tile });
        }
    }
    kept
}

fn overlap(a: &Area, b: &Area) -> bool {
    let shared = |a: f64, a_length: f64, b: f64, b_length: f64| {
        (a + a_length).min(b + b_length) - a.max(b) > 1e-6
    };
    shared(a.x, a.width, b.x, b.width) && shared(a.y, a.height, b.y, b.height)
}

#[cfg(test)]
mod tests {
    use super::super::tiles;
    use super::*;

    #[test]
    fn the_best_come_first_and_none_overlap() {
        let tiles = tiles(400, 300, 100);
        let scores: Vec<f32> = (0..tiles.len()).map(|i| (i * 7 % 13) as f32).collect();
        let found = boxes(400, 300, &tiles, &scores);
        assert!(found.len() > 1);
        assert!(found.windows(2).all(|pair| scores[pair[0].tile] >= scores[pair[1].tile]));
        for (i, a) in found.iter().enumerate() {
            assert!(found[i + 1..].iter().all(|b| !overlap(&a.area, &b.area)));
        }
    }

    #[test]
    fn the_whole_picture_is_a_box_only_where_there_is_no_smaller_one() {
        let all = tiles(100, 100, 40);
        let mut scores = vec![0.0; all.len()];
        scores[0] = 1.0;
        assert!(boxes(100, 100, &all, &scores).iter().all(|found| found.tile != 0));
        assert_eq!(boxes(100, 100, &all[..1], &[1.0]).len(), 1);
    }
}
