//! Values of overlapping tiles as one smooth map over the picture.

use crate::picture::Area;

/// Cells along the longer side of a map. Own choice: finer than the finest tiles' overlap, small as JSON.
const CELLS: usize = 48;

/// Values over a picture, row by row from the upper left.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatMap {
    /// Cells in a row.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
    /// A value for each cell.
    pub values: Vec<f32>,
}

/// In each cell the weighted mean of the tiles that cover it.
///
/// A tile counts more where its centre is near, and more the finer it is: a coarse one knows that
/// something is in it, not where. The weight is a squared cosine from rim to rim over the tile's side. Own choice.
///
/// # Panics
/// When there are not as many values as tiles, or no tile covers a cell at all.
pub fn heat_map(width: usize, height: usize, tiles: &[Area], values: &[f32]) -> HeatMap {
    assert_eq!(tiles.len(), values.len(), "a value for each tile");
    let longer = width.max(height);
    let cells = |side: usize| (side * CELLS).div_ceil(longer);
    let (columns, rows) = (cells(width), cells(height));
    let mut map = Vec::with_capacity(columns * rows);
    for row in 0..rows {
        let y = (row as f64 + 0.5) / rows as f64 * height as f64;
        for column in 0..columns {
            let x = (column as f64 + 0.5) / columns as f64 * width as f64;
            map.push(at(x, y, tiles, values));
        }
    }
    HeatMap { columns, rows, values: map }
}

fn at(x: f64, y: f64, tiles: &[Area], values: &[f32]) -> f32 {
    let (mut total, mut weights) = (0.0, 0.0);
    for (tile, value) in tiles.iter().zip(values) {
        let weight =
            nearness(x, tile.x, tile.width) * nearness(y, tile.y, tile.height) / tile.width;
        total += weight * f64::from(*value);
        weights += weight;
    }
    (total / weights) as f32
}

/// 1 in the middle of an edge, nearly 0 at its ends, and nothing beyond.
fn nearness(at: f64, start: f64, length: f64) -> f64 {
    /// Keeps the corners of a picture, where only rims lie, from dividing by nothing.
    const RIM: f64 = 1e-3;
    let place = (at - start) / length;
    if !(0.0..=1.0).contains(&place) {
        return 0.0;
    }
    (std::f64::consts::PI * (place - 0.5)).cos().powi(2) + RIM
}

#[cfg(test)]
mod tests {
    use super::super::tiles;
    use super::*;

    #[test]
    fn equal_tiles_make_an_even_map() {
        let tiles = tiles(400, 300, 100);
        let map = heat_map(400, 300, &tiles, &vec![0.5; tiles.len()]);
        assert_eq!((map.columns, map.rows), (48, 36));
        assert!(map.values.iter().all(|value| (value - 0.5).abs() < 1e-6));
    }

    #[test]
    fn a_map_is_hottest_where_the_hot_tile_is() {
        let tiles = tiles(300, 300, 100);
        let mut values = vec![0.0; tiles.len()];
        *values.last_mut().unwrap() = 1.0;
        let map = heat_map(300, 300, &tiles, &values);
        let hottest =
            (0..map.values.len()).max_by(|a, b| map.values[*a].total_cmp(&map.values[*b]));
        let (row, column) = (hottest.unwrap() / map.columns, hottest.unwrap() % map.columns);
        assert!(row > 36 && column > 36, "{row} {column}");
        assert_eq!(map.values[0], 0.0);
    }

    #[test]
    fn a_strip_has_one_row_at_least() {
        let tiles = tiles(1000, 3, 100);
        let map = heat_map(1000, 3, &tiles, &vec![1.0; tiles.len()]);
        assert_eq!((map.columns, map.rows), (48, 1));
    }
}
