//! A copy of an index that others may be changing.

use std::path::Path;

use crate::embedded::folder::Folder;
use crate::embedded::{Embedded, Progress, renew};
use crate::error::Error;

impl Embedded {
    /// Copies the index into a new folder: what there is at one moment, whatever is changed meanwhile, each picture compared
    /// with its checksums. What is damaged is left out; returns what that is, in words.
    ///
    /// # Errors
    /// A folder that holds something, or what the disk has to report; then there is no index in the folder.
    pub fn copy(&self, into: &Path, on_progress: Progress<'_>) -> Result<Vec<String>, Error> {
        let folder = Folder::create(into)?;
        loop {
            let (held, dir) = (self.now()?, folder.begin()?);
            let copied = renew::compacted(&held, &dir, on_progress).map(|(.., faults)| faults);
            // Once another generation takes the place of this one, its files are gone: copying fails, or finds pictures
            // without vectors, and is begun anew.
            let is_clean = copied.as_ref().is_ok_and(Vec::is_empty);
            let is_current = self.folder.current()? == held.generation.dir();
            if held.store().is_still() && (is_clean || is_current) {
                let done = copied.and_then(|faults| folder.swap(&dir).map(|()| faults));
                if done.is_err() {
                    // It may be what fills the disk.
                    fs_err::remove_dir_all(&dir)?;
                }
                folder.clean();
                return done;
            }
            fs_err::remove_dir_all(&dir)?;
        }
    }
}
