//! Things that a child would draw, each from the side, in the colour it is asked for.
//!
//! An object fills the square from -0.5 to 0.5 around its pose and stands on the lower edge.

use super::{nature, toys, vehicles};
use crate::scenes::{
    Scene,
    palette::Colour,
    shape::{Point, Pose},
};

/// A thing with its names and the function that draws it.
#[derive(Clone, Copy)]
pub(crate) struct Object {
    /// With choices, as in `[car|automobile]`; an s makes the plural.
    pub(crate) name: &'static str,
    pub(crate) draw: fn(&mut Scene, Pose, Colour),
    /// Where it is at home.
    pub(crate) place: Place,
}

/// Where a thing can be without surprise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Ground,
    Road,
    Rail,
    Water,
    Sky,
}

const fn object(name: &'static str, place: Place, draw: fn(&mut Scene, Pose, Colour)) -> Object {
    Object { name, draw, place }
}

/// Everything there is.
pub(crate) const OBJECTS: &[Object] = &[
    object("car", Place::Road, vehicles::car),
    object("[lorry|truck|truck]", Place::Road, vehicles::lorry),
    object("van", Place::Road, vehicles::van),
    object("train", Place::Rail, vehicles::train),
    object("[sailing boat|sailboat|boat]", Place::Water, vehicles::sailing_boat),
    object("[ship|cargo ship|large ship]", Place::Water, vehicles::ship),
    object("[plane|airplane|aeroplane]", Place::Sky, vehicles::plane),
    object("[balloon|hot air balloon]", Place::Sky, toys::air_balloon),
    object("kite", Place::Sky, toys::kite),
    object("rocket", Place::Sky, vehicles::rocket),
    object("bird", Place::Sky, nature::bird),
    object("[house|building|house]", Place::Ground, toys::house),
    object("[tower|skyscraper]", Place::Ground, toys::tower),
    object("tent", Place::Ground, toys::tent),
    object("[tree|round tree]", Place::Ground, nature::tree),
    object("[fir tree|fir|pine tree]", Place::Ground, nature::fir),
    object("flower", Place::Ground, nature::flower),
    object("mushroom", Place::Ground, nature::mushroom),
    object("moth", Place::Sky, nature::moth),
    object("[shark|whale]", Place::Water, nature::whale),
    object("[cup|mug]", Place::Ground, toys::cup),
    object("umbrella", Place::Ground, toys::umbrella),
    object("[ball|striped ball]", Place::Ground, toys::ball),
    object("apple", Place::Ground, nature::apple),
    object("candle", Place::Ground, toys::candle),
    object("bottle", Place::Ground, toys::bottle),
    object("lamp", Place::Ground, toys::lamp),
    object("chair", Place::Ground, toys::chair),
    object("[barrel|tank|round tank]", Place::Ground, toys::barrel),
    object("[container|crate|chest]", Place::Ground, toys::container),
    object("flag", Place::Ground, toys::flag),
    object("hat", Place::Ground, toys::hat),
    object("cactus plant", Place::Ground, nature::cactus),
    object("book", Place::Ground, toys::book),
];

impl Scene {
    /// Fills an outline given from a pose.
    pub(crate) fn part(&mut self, pose: Pose, points: &[Point], colour: Colour) {
        self.canvas.fill(&pose.points(points), colour);
    }

    /// Fills a rectangle given by two corners from a pose.
    pub(crate) fn block(&mut self, pose: Pose, a: Point, b: Point, colour: Colour) {
        self.part(pose, &[(a.0, a.1), (b.0, a.1), (b.0, b.1), (a.0, b.1)], colour);
    }

    /// Fills a disc given from a pose.
    pub(crate) fn dot(&mut self, pose: Pose, at: Point, radius: f32, colour: Colour) {
        self.canvas.disc(pose.at(at.0, at.1), radius * pose.size, colour);
    }

    /// Fills an ellipse given from a pose.
    pub(crate) fn oval(&mut self, pose: Pose, at: Point, (length, height): Point, colour: Colour) {
        self.canvas.fill(&pose.ellipse(at, length, height), colour);
    }

    /// Draws a line given from a pose.
    pub(crate) fn stick(&mut self, pose: Pose, points: &[Point], width: f32, colour: Colour) {
        self.canvas.line(&pose.points(points), width * pose.size, colour);
    }
}
