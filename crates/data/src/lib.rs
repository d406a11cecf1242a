//! Rows in: an id, where the pixels are, what was said about them.
//!
//! This crate never decodes a picture, never downloads and never prints. A bad row is data: it is
//! counted, named and left out ([`Dataset::skipped`]). A bad file or setting is an [`Error`].
//!
//! ```
//! use finelens_data::{Options, Split};
//!
//! let folder = tempfile::tempdir()?;
//! std::fs::create_dir(folder.path().join("images"))?;
//! for name in ["field.jpg", "port.jpg"] {
//!     std::fs::File::create(folder.path().join("images").join(name))?;
//! }
//! let table = "image,caption,split\n\
//!              field.jpg,a green field,train\n\
//!              port.jpg,ships in a port,valid\n\
//!              lost.jpg,a picture that is not there,train\n";
//! std::io::Write::write_all(&mut std::fs::File::create(folder.path().join("captions.csv"))?, table.as_bytes())?;
//!
//! let dataset = finelens_data::open(folder.path(), &Options::default())?;
//! assert_eq!(dataset.layout.to_string(), "table");
//! assert_eq!(dataset.split(Split::Train)[0].captions, ["a green field"]);
//! assert_eq!(dataset.skipped[0].to_string().rsplit_once("captions.csv").unwrap().1, ":4: image \"lost.jpg\" not found");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod choose;
mod collect;
mod columns;
mod dataset;
mod error;
mod layout;
mod listing;
mod locate;
mod metadata;
mod read;
mod split;
mod tally;

pub use dataset::{Dataset, Example, Options, Splits, open};
pub use error::Error;
pub use layout::Layout;
pub use metadata::{Metadata, Value};
pub use split::{Split, SplitSource};
pub use tally::{Reason, Skipped, tally};
