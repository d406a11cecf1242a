//! Drawings of anything but the view from above: shapes, patterns, things and landscapes.
//!
//! Words for colours, numbers, places and relations are those of the aerial captions; no drawing
//! here is a scene from above.

mod landscapes;
mod nature;
mod object;
mod patterns;
mod shapes;
mod signs;
mod stage;
mod toys;
mod vehicles;
mod views;

use super::Subject;

/// Every kind of drawing with the function that draws it; the more varied ones stand here twice.
pub(super) const SUBJECTS: &[Subject] = &[
    ("shape", shapes::one),
    ("shapes", shapes::several),
    ("shapes", shapes::several),
    ("relation", shapes::relation),
    ("nested", shapes::nested),
    ("mixture", shapes::mixture),
    ("stripes", patterns::stripes),
    ("checks", patterns::checks),
    ("dots", patterns::dots),
    ("rings", patterns::rings),
    ("waves", patterns::waves),
    ("bands", patterns::bands),
    ("crossing", patterns::crossing),
    ("material", patterns::material),
    ("bricks", patterns::bricks),
    ("things", views::counted),
    ("things", views::counted),
    ("things", views::counted),
    ("things", views::counted),
    ("pair", views::pair),
    ("pair", views::pair),
    ("collection", views::collection),
    ("collection", views::collection),
    ("village", landscapes::village),
    ("woods", landscapes::woods),
    ("hills", landscapes::hills),
    ("shore", landscapes::shore),
    ("weather", landscapes::weather),
    ("street", landscapes::street),
    ("bridge", landscapes::bridge),
    ("face", signs::face),
    ("digits", signs::digits),
    ("clock", signs::clock),
    ("traffic-lights", signs::traffic_lights),
    ("dice", signs::spots),
    ("bookshelf", signs::bookshelf),
    ("snowman", signs::snowman),
    ("flag", signs::banner),
    ("balloons", signs::balloons),
];
