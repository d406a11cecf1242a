//! Squares at several scales that together cover a picture, each half over its neighbours.

use crate::picture::Area;

/// Sides of the squares as shares of the picture's shorter side, from coarse to fine.
///
/// Own choice: each step shrinks the area by about a half, so a feature of any size nearly fills some square.
const SCALES: [f64; 7] = [1.0, 2.0 / 3.0, 1.0 / 2.0, 1.0 / 3.0, 1.0 / 4.0, 1.0 / 6.0, 1.0 / 8.0];

/// Squares that a picture is cut into at most.
///
/// Own choice: a photograph of 4 to 3 gets its four coarsest scales, 58 squares.
pub const MOST_TILES: usize = 64;

/// The squares of a picture, coarse ones first, row by row.
///
/// None is smaller than `input`, the side of the model's picture, unless the whole picture is: enlarging
/// shows the model nothing new, and made the answers worse (docs/find.md). A finer scale is left out when it would make
/// more than [`MOST_TILES`]. Neighbours overlap by half a side or more, but in a strip more than some thirty times as
/// long as wide, where the squares are spread evenly.
pub fn tiles(width: usize, height: usize, input: usize) -> Vec<Area> {
    let (width, height) = (width as f64, height as f64);
    let short = width.min(height);
    let mut areas = Vec::new();
    for (rank, side) in SCALES.map(|scale| scale * short).into_iter().enumerate() {
        let (columns, rows) = (starts(width, side), starts(height, side));
        let fits = side >= input as f64 && areas.len() + columns.len() * rows.len() <= MOST_TILES;
        if rank > 0 && !fits {
            break;
        }
        let place = |y: f64| columns.iter().map(move |&x| Area { x, y, width: side, height: side });
        areas.extend(rows.into_iter().flat_map(place));
    }
    areas
}

/// Where squares begin along an edge: evenly from end to end.
fn starts(length: f64, side: f64) -> Vec<f64> {
    let room = length - side;
    // What rounding leaves over is no step.
    let steps = (2.0 * room / side - 1e-6).ceil().clamp(0.0, (MOST_TILES - 1) as f64) as usize;
    (0..=steps).map(|step| room * step as f64 / steps.max(1) as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_square_picture_is_seen_whole_and_in_overlapping_parts() {
        let areas = tiles(224, 224, 112);
        assert_eq!(areas.len(), 1 + 4 + 9);
        assert_eq!(areas[0], Area { x: 0.0, y: 0.0, width: 224.0, height: 224.0 });
        assert_eq!(areas[6], Area { x: 56.0, y: 0.0, width: 112.0, height: 112.0 });
        assert_eq!(areas[13], Area { x: 112.0, y: 112.0, width: 112.0, height: 112.0 });
    }

    #[test]
    fn nothing_is_enlarged_but_a_picture_that_is_too_small_as_a_whole() {
        assert_eq!(tiles(50, 50, 112).len(), 1);
        assert_eq!(tiles(300, 224, 224).len(), 2);
        assert!(tiles(900, 700, 224).iter().all(|area| area.width >= 224.0));
    }

    #[test]
    fn a_photograph_gets_four_scales() {
        assert_eq!(tiles(4000, 3000, 224).len(), 2 + 6 + 15 + 35);
    }

    proptest! {
        #[test]
        fn squares_lie_inside_and_are_few(width in 1usize..5000, height in 1usize..5000, input in 16usize..400) {
            let areas = tiles(width, height, input);
            prop_assert!(!areas.is_empty() && areas.len() <= MOST_TILES);
            for area in &areas {
                prop_assert!(area.x >= 0.0 && area.x + area.width <= width as f64 + 1e-6);
                prop_assert!(area.y >= 0.0 && area.y + area.height <= height as f64 + 1e-6);
            }
        }

        #[test]
        fn every_point_is_in_a_square(width in 1usize..3000, height in 1usize..3000, across in 0.0..1.0f64, down in 0.0..1.0f64) {
            prop_assume!(width.max(height) < 30 * width.min(height));
            let (x, y) = (across * width as f64, down * height as f64);
            let inside = |area: &Area| (area.x..=area.x + area.width).contains(&x) && (area.y..=area.y + area.height).contains(&y);
            prop_assert!(tiles(width, height, 32).iter().any(inside));
        }
    }
}
