//! The surroundings of a scene: open ground, and along one edge a road, a wood, water or houses.
//!
//! A class draws its own subject on the free part and mixes the facts into its captions.

use super::land::{GRASS, Land};
use crate::scenes::{
    Scene,
    palette::{CROPS, Named, WATERS},
    phrase::Facts,
    shape::{Point, Pose, smooth, upright},
};

/// The free part of the ground, and what captions can say about the rest.
pub(crate) struct Site {
    pub(crate) left: f32,
    pub(crate) top: f32,
    pub(crate) right: f32,
    pub(crate) bottom: f32,
    /// `{ground}`, `{beside}` (as in "beside a road") and `{with}` (as in "with a road on the left");
    /// the last two may be empty.
    pub(crate) facts: Facts,
}

impl Site {
    /// The place at the shares `u` and `v` of the free part.
    pub(crate) fn at(&self, u: f32, v: f32) -> Point {
        (self.left + (self.right - self.left) * u, self.top + (self.bottom - self.top) * v)
    }

    /// The shorter side of the free part.
    pub(crate) fn extent(&self) -> f32 {
        (self.right - self.left).min(self.bottom - self.top)
    }
}

/// An edge of the picture.
#[derive(Debug, Clone, Copy)]
enum Edge {
    Left,
    Right,
    Top,
    Bottom,
}

impl Edge {
    fn words(self) -> &'static str {
        match self {
            Self::Left => "on the left",
            Self::Right => "on the right",
            Self::Top => "[at the top|above]",
            Self::Bottom => "[at the bottom|below]",
        }
    }

    /// The place at the share `t` along this edge, `depth` inside.
    fn at(self, t: f32, depth: f32) -> Point {
        match self {
            Self::Left => (depth, t),
            Self::Right => (1.0 - depth, t),
            Self::Top => (t, depth),
            Self::Bottom => (t, 1.0 - depth),
        }
    }

    fn angle(self) -> f32 {
        match self {
            Self::Left | Self::Right => std::f32::consts::FRAC_PI_2,
            Self::Top | Self::Bottom => 0.0,
        }
    }
}

impl Scene {
    /// Any ground with any surroundings.
    pub(crate) fn site(&mut self) -> Site {
        let land = self.any_ground();
        self.site_on(land)
    }

    /// Ground that is already drawn, with any surroundings.
    pub(crate) fn site_on(&mut self, land: Land) -> Site {
        let bushes = self.dice.whole(0, 14);
        self.bushes(bushes);
        let facts = Facts::default().with("ground", land.words);
        let mut site = Site { left: 0.0, top: 0.0, right: 1.0, bottom: 1.0, facts };
        if self.dice.chance(0.2) {
            site.facts = site.facts.with("beside", "").with("with", "");
            return site;
        }
        let edge = self.dice.pick(&[Edge::Left, Edge::Right, Edge::Top, Edge::Bottom]);
        let depth = self.dice.between(0.2, 0.28);
        match edge {
            Edge::Left => site.left = depth,
            Edge::Right => site.right = 1.0 - depth,
            Edge::Top => site.top = depth,
            Edge::Bottom => site.bottom = 1.0 - depth,
        }
        let what = self.neighbour(edge, depth);
        let beside = format!("[beside|next to|near|close to] {what}");
        let with = format!("and {what} {}", edge.words());
        site.facts = site.facts.with("beside", beside).with("with", with);
        site
    }

    /// Draws what lies along an edge and returns its name.
    fn neighbour(&mut self, edge: Edge, depth: f32) -> String {
        match self.dice.whole(0, 5) {
            0 => self.road_along(edge, depth).into(),
            1 => self.wood_along(edge, depth).into(),
            2 => self.water_along(edge, depth),
            3 => self.houses_along(edge, depth).into(),
            4 => self.field_along(edge, depth),
            _ => self.tree_row_along(edge, depth).into(),
        }
    }

    fn road_along(&mut self, edge: Edge, depth: f32) -> &'static str {
        let (near, far) =
            (depth * self.dice.between(0.35, 0.5), depth * self.dice.between(0.45, 0.6));
        let line = [edge.at(-0.1, near), edge.at(1.1, far)];
        self.road(&line, 0.1);
        let cars = self.dice.whole(0, 6);
        self.traffic(&line, 0.025, 0.05, cars);
        "a road"
    }

    fn wood_along(&mut self, edge: Edge, depth: f32) -> &'static str {
        for _ in 0..90 {
            let at = edge.at(self.dice.between(0.0, 1.0), self.dice.between(-0.02, depth * 0.9));
            let radius = self.dice.between(0.02, 0.042);
            self.tree(at, radius, super::land::LEAVES);
        }
        "[a(n) forest|a(n) wood|many green trees|dense trees]"
    }

    fn tree_row_along(&mut self, edge: Edge, depth: f32) -> &'static str {
        let radius = self.dice.between(0.025, 0.04);
        let leaves = super::land::LEAVES.lit(1.3);
        for i in 0..10 {
            let at = edge.at((i as f32 + 0.5) / 10.0, depth * 0.5 + self.dice.spread(0.01));
            self.tree(at, radius, leaves);
        }
        "[a row of trees|a line of trees|some trees]"
    }

    fn water_along(&mut self, edge: Edge, depth: f32) -> String {
        let water = self.dice.pick(WATERS);
        let mut bank: Vec<Point> = (0..6)
            .map(|i| edge.at(i as f32 * 0.26 - 0.15, depth * self.dice.between(0.6, 0.95)))
            .collect();
        bank = smooth(&bank);
        bank.extend([edge.at(1.2, -0.1), edge.at(-0.2, -0.1)]);
        self.pool(&bank, water.colour);
        format!("[a(n) {0} river|a(n) river|{0} water]", water.word)
    }

    fn houses_along(&mut self, edge: Edge, depth: f32) -> &'static str {
        let count = self.dice.whole(4, 6);
        for i in 0..count {
            let at = edge.at((i as f32 + 0.5) / count as f32, depth * 0.45);
            self.any_house(at, edge.angle(), 0.12);
        }
        "[a row of houses|some houses|some buildings|several small houses]"
    }

    fn field_along(&mut self, edge: Edge, depth: f32) -> String {
        let crop: Named = self.dice.pick(CROPS);
        let (a, b) = (edge.at(-0.1, -0.1), edge.at(1.1, depth * 0.85));
        let outline = upright(a.0.min(b.0), a.1.min(b.1), a.0.max(b.0), a.1.max(b.1));
        let noise = self.noise;
        let rows = self.dice.between(90.0, 160.0);
        self.canvas.texture(&outline, |x, y| {
            let across = Pose::new((0.0, 0.0), edge.angle(), 1.0).at(y, x).0;
            crop.colour
                .lit(1.0 + 0.1 * (across * rows).sin() + 0.1 * noise.fractal(x * 9.0, y * 9.0, 3))
        });
        format!("[a(n) {0} field|{0} farmland|a(n) {0} field]", crop.word)
    }

    /// A few bushes on open ground; not worth a word.
    pub(crate) fn bushes(&mut self, count: usize) {
        let leaves = GRASS.at(self.noise, 0.5, 0.5).lit(0.7);
        for _ in 0..count {
            let (at, radius) = (self.dice.point(0.0), self.dice.between(0.006, 0.016));
            self.tree(at, radius, leaves);
        }
    }
}
