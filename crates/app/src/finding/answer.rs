//! The answer as everyone gets it: the server, the command, its `--json`.

use std::time::Duration;

use finelens_clip::locate::{self, HeatMap};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Asked, Judged, SOFT_MAX_SCALE, Tiled};

/// Whether a feature is in a picture, and where.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Found {
    /// The answer.
    pub found: bool,
    /// The share of what it was compared with that fits worse.
    pub confidence: f64,
    /// How often a picture without the feature fits as well; `null` where no other pictures are known.
    pub false_alarm: Option<f64>,
    /// Why, in a sentence or two.
    pub explanation: String,
    /// Pixels in a row of the picture as it is shown.
    pub width: usize,
    /// Its rows.
    pub height: usize,
    /// How well each place fits: 0 no better than the middle of what it was compared with, and from there the same step for each
    /// time that it would be as much rarer; 1 is better than all of that, or the best place of what was found.
    pub map: Map,
    /// The share of each place in the feature if it is anywhere, the best place being 1.
    pub soft_map: Map,
    /// Where it is, best first, none over another; empty where it is not.
    pub boxes: Vec<Place>,
    /// Squares that were looked at.
    pub tiles: usize,
    /// What it took.
    pub took_ms: u64,
}

/// Values from 0 to 1 over the picture, row by row.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Map {
    /// Cells in a row.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
    /// A value for each cell.
    pub values: Vec<f32>,
}

/// A box in pixels.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Place {
    /// Left edge.
    pub x: usize,
    /// Upper edge.
    pub y: usize,
    /// Extent to the right.
    pub width: usize,
    /// Extent downwards.
    pub height: usize,
    /// The share of what it was compared with that fits worse.
    pub score: f32,
}

/// What a picture was compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Basis {
    /// Pictures of the index whose captions do not name the feature.
    Unsaid,
    /// Pictures of the index, whatever they show.
    Any,
    /// Other things that the picture may show.
    Words,
}

/// Steps of a value in a map: more digits would only make JSON longer.
const STEPS: f32 = 1000.0;

pub(super) fn of(tiled: &Tiled<'_>, judged: &Judged, asked: &Asked<'_>, took: Duration) -> Found {
    let found = judged.rate <= judged.allowed;
    let soft = tiled.map(&locate::soft_max(tiled.cosines, SOFT_MAX_SCALE));
    let most = soft.values.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    Found {
        found,
        confidence: 1.0 - judged.rate,
        false_alarm: (judged.basis != Basis::Words).then_some(judged.rate),
        explanation: explanation(judged, found, asked.feature),
        width: tiled.picture.width(),
        height: tiled.picture.height(),
        map: map(&tiled.warmth(&judged.surprise, found), 1.0),
        soft_map: map(&soft, most),
        boxes: if found { places(tiled, judged, asked.boxes) } else { Vec::new() },
        tiles: tiled.areas.len(),
        took_ms: took.as_millis() as u64,
    }
}

fn map(heat: &HeatMap, most: f32) -> Map {
    let value = |value: &f32| ((value / most).clamp(0.0, 1.0) * STEPS).round() / STEPS;
    let values = heat.values.iter().map(value).collect();
    Map { columns: heat.columns, rows: heat.rows, values }
}

/// The best place, and others that are as unlikely to be chance as the answer has to be.
fn places(tiled: &Tiled<'_>, judged: &Judged, most: usize) -> Vec<Place> {
    let (width, height) = (tiled.picture.width(), tiled.picture.height());
    let boxes = locate::boxes(width, height, tiled.areas, tiled.cosines);
    let stands_out = |tile: usize| f64::from(judged.beaten[tile]) >= 1.0 - judged.allowed;
    let kept =
        boxes.into_iter().enumerate().filter(|(rank, found)| *rank == 0 || stands_out(found.tile));
    kept.take(most).map(|(_, found)| place(&found, judged, width, height)).collect()
}

fn place(found: &locate::Found, judged: &Judged, width: usize, height: usize) -> Place {
    let area = found.area;
    let (x, y) = (area.x.round() as usize, area.y.round() as usize);
    let side =
        |from: usize, length: f64, all: usize| (length.round() as usize).clamp(1, all - from);
    Place {
        x,
        y,
        width: side(x, area.width, width),
        height: side(y, area.height, height),
        score: judged.beaten[found.tile],
    }
}

fn explanation(judged: &Judged, found: bool, feature: &str) -> String {
    let Judged { reaching, of, allowed, .. } = *judged;
    let fit = if reaching == 1 { "fits" } else { "fit" };
    let counted = if reaching == 0 { "none".to_owned() } else { reaching.to_string() };
    let pictures = match judged.basis {
        Basis::Unsaid => format!("{of} pictures of the index that are not captioned with it"),
        Basis::Any => format!("{of} pictures of the index"),
        Basis::Words => format!("{of} other things that a picture may show"),
    };
    let as_well = match judged.basis {
        Basis::Words => format!("{fit} this picture as well as “{feature}”"),
        _ => format!("{fit} “{feature}” as well as this one"),
    };
    // The rate counts the picture itself, so the last that may reach it is one less.
    let most = ((allowed * (of + 1) as f64 + 1e-9).floor() as usize).saturating_sub(1);
    let limit = if found { String::new() } else { format!("; for a yes it may be {most} at most") };
    let caution = match judged.basis {
        Basis::Words => {
            " No other pictures were at hand to compare with, so this is no measured rate of false alarms."
        }
        _ => "",
    };
    format!("Of {pictures}, {counted} {as_well}{limit}.{caution}")
}
