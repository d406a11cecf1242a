//! From a data set to an index: what is new or changed is read, embedded and put, all else stays.

mod changes;
mod fill;
mod plan;
mod precision;
mod read;
mod roots;
mod tune;

pub(crate) use changes::{add_changes, changes, forget_changes};
pub(crate) use fill::{Filled, fill, reword};
pub(crate) use plan::{Plan, carried, of_data, size_and_time};
pub(crate) use precision::{note_precision, precisions};
pub(crate) use read::{Reader, Unreadable};
pub(crate) use roots::{UPLOADS, folders, must_not_replace, register};
pub(crate) use tune::{Held, MEANINGFUL, probe, spread, trials, tune};
