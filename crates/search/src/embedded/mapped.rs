//! Files seen as memory; the one place where a file is mapped.

use std::fs::File;
use std::ops::Deref;

use memmap2::{Mmap, MmapOptions};

#[cfg(target_endian = "big")]
compile_error!("the files of an index are little endian and are read as they stand");

/// The first bytes of a file, read only.
#[derive(Debug)]
pub(crate) struct Mapped(Mmap);

impl Mapped {
    /// Maps the first `len` bytes, which must be there.
    ///
    /// # Errors
    /// When the file is shorter, or the system refuses.
    #[expect(unsafe_code, reason = "a mapped file is only as constant as its writers")]
    pub(crate) fn open(file: &File, len: usize) -> std::io::Result<Self> {
        if file.metadata()?.len() < len as u64 {
            let told = format!("expected at least {len} bytes");
            return Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, told));
        }
        // SAFETY: files that are mapped are only ever appended to behind `len`, or replaced by renaming: what is mapped
        // does not change. Whoever shortens one from outside ends the program, as with any mapped file.
        Ok(Self(unsafe { MmapOptions::new().len(len).map(file)? }))
    }
}

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// Numbers of a mapped file or of memory.
#[expect(unsafe_code, reason = "bytes are seen as numbers")]
pub(crate) fn as_f32(bytes: &[u8]) -> &[f32] {
    // SAFETY: every pattern of four bytes is an f32, and `align_to` sees to the alignment.
    let (head, numbers, tail) = unsafe { bytes.align_to::<f32>() };
    assert!(head.is_empty() && tail.is_empty(), "a mapped file of numbers is aligned and whole");
    numbers
}
