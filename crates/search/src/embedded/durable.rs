//! Folders and small files that outlast a loss of power.
//!
//! A name is only certain once its folder has been written through; every function here ends with that.

use std::io::{self, Write};
use std::path::Path;

/// Writes a folder's names through to the disk.
///
/// Windows has no such call, and does it on its own.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    if cfg!(unix) { fs_err::File::open(dir)?.sync_all() } else { Ok(()) }
}

/// Makes a folder and the folders above it, as far as they are missing.
pub(crate) fn create_dirs(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let above = parent(dir);
    create_dirs(above)?;
    fs_err::create_dir_all(dir)?;
    sync_dir(above)
}

/// Puts a file in the place of another, so that one of them is there and whole at any moment.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_by(path, |file| file.write_all(bytes))
}

/// The same with a file that is written piece by piece.
pub(crate) fn replace_by(
    path: &Path,
    write: impl FnOnce(&mut fs_err::File) -> io::Result<()>,
) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = fs_err::File::create(&new)?;
    write(&mut file)?;
    file.sync_all()?;
    fs_err::rename(&new, path)?;
    sync_dir(parent(path))
}

/// The folder that a name is in; that of a bare name is the one we are in.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
