//! Decoded pictures that are kept in memory from one epoch to the next.
//!
//! An epoch visits every picture once, so there is nothing to be said for one picture and against another: what comes first is
//! kept until the room is used up, and stays. Whether a picture is kept changes nothing but the time.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use finelens_clip::Picture;

/// A place for each picture, and room for some.
#[derive(Debug)]
pub(crate) struct Cache {
    kept: Vec<OnceLock<Picture>>,
    room_bytes: usize,
    used_bytes: AtomicUsize,
}

impl Cache {
    /// Places for `pictures`, room for `mib`, but for no more than half of the memory that is free now.
    pub(crate) fn new(pictures: usize, mib: usize) -> Self {
        let wanted = mib.saturating_mul(1 << 20);
        Self::with_room(pictures, free_bytes().map_or(wanted, |free| wanted.min(free / 2)))
    }

    fn with_room(pictures: usize, room_bytes: usize) -> Self {
        let kept = (0..pictures).map(|_| OnceLock::new()).collect();
        Self { kept, room_bytes, used_bytes: AtomicUsize::new(0) }
    }

    /// Hands picture number `index` to `work`; `read` makes it where it is not kept.
    ///
    /// # Errors
    /// What `read` returns.
    pub(crate) fn with<T>(
        &self,
        index: usize,
        read: impl FnOnce() -> Result<Picture, String>,
        work: impl FnOnce(&Picture) -> T,
    ) -> Result<T, String> {
        if let Some(picture) = self.kept[index].get() {
            return Ok(work(picture));
        }
        let picture = read()?;
        let done = work(&picture);
        if self.take_room(picture.rgb().len()) {
            // Somebody else may have been faster; then the room stays taken, which does no harm.
            let _ = self.kept[index].set(picture);
        }
        Ok(done)
    }

    fn take_room(&self, bytes: usize) -> bool {
        let fits = |used: usize| (used + bytes <= self.room_bytes).then_some(used + bytes);
        self.used_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok()
    }
}

/// Memory that can be taken without taking it from others, where the system tells. Source: `man 5 proc_meminfo`.
fn free_bytes() -> Option<usize> {
    let told = fs_err::read_to_string("/proc/meminfo").ok()?;
    let line = told.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.split_whitespace().next()?.parse::<usize>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(value: u8) -> Picture {
        Picture::new(2, 1, vec![value; 6])
    }

    #[test]
    fn what_fits_is_read_once_and_the_rest_each_time() {
        let cache = Cache::with_room(3, 12);
        let mut reads = 0;
        for _ in 0..3 {
            for index in 0..3 {
                let read = || {
                    reads += 1;
                    Ok(picture(index as u8))
                };
                assert_eq!(cache.with(index, read, |of| of.rgb()[0]), Ok(index as u8));
            }
        }
        assert_eq!(reads, 2 + 3);
    }

    #[test]
    fn a_picture_that_cannot_be_read_is_tried_again() {
        let cache = Cache::with_room(1, 100);
        assert!(cache.with(0, || Err("gone".to_owned()), |_| ()).is_err());
        assert_eq!(cache.with(0, || Ok(picture(7)), |of| of.rgb()[0]), Ok(7));
    }

    #[test]
    fn without_room_nothing_is_kept() {
        let cache = Cache::new(1, 0);
        for value in [1, 2] {
            assert_eq!(cache.with(0, || Ok(picture(value)), |of| of.rgb()[0]), Ok(value));
        }
    }
}
