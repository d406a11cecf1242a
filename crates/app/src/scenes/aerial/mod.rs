//! Scenes seen from above, as satellites and planes see them.
//!
//! One function per class, in files by family; `land`, `things` and `site` are what they share.

mod air;
mod course;
mod farm;
mod homes;
mod industry;
mod land;
mod nature;
mod roads;
mod site;
mod sport;
mod things;
mod water;

use super::Subject;

/// Every class with the function that draws it.
pub(super) const SUBJECTS: &[Subject] = &[
    ("farmland", farm::farmland),
    ("circular-fields", farm::circular_fields),
    ("orchard", farm::orchard),
    ("crossroads", roads::crossroads),
    ("motorway", roads::motorway),
    ("roundabout", roads::roundabout),
    ("parking-lot", roads::parking_lot),
    ("railway", roads::railway),
    ("runway", air::runway),
    ("airport", air::airport),
    ("river", water::river),
    ("bridge", water::bridge),
    ("lake", water::lake),
    ("beach", water::beach),
    ("port", water::port),
    ("storage-tanks", industry::storage_tanks),
    ("warehouses", industry::warehouses),
    ("solar-farm", industry::solar_farm),
    ("dense-houses", homes::dense_houses),
    ("sparse-houses", homes::sparse_houses),
    ("forest", nature::forest),
    ("desert", nature::desert),
    ("mountains", nature::mountains),
    ("stadium", sport::stadium),
    ("baseball-field", sport::baseball_field),
    ("tennis-courts", sport::tennis_courts),
];

/// The names of all classes, in the order of [`SUBJECTS`].
pub(super) const CLASSES: [&str; SUBJECTS.len()] = {
    let mut names = [""; SUBJECTS.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = SUBJECTS[i].0;
        i += 1;
    }
    names
};
