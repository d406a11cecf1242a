//! What can go wrong on a device.

/// An error of a device; wrong shapes are bugs of the caller and panic instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The device has no room for a buffer.
    #[error("out of memory: {needed_bytes} bytes were needed for one buffer")]
    OutOfMemory {
        /// Size of the buffer asked for.
        needed_bytes: usize,
    },
}
