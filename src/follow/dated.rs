//! The current file of a log whose files have dates in their names: `access_{date}.log`.

use std::cmp::Ordering;
use std::io;
use std::os::fd::BorrowedFd;

use rustix::fs::{self, AtFlags, Dir, Mode, OFlags};

use super::log::status::Status;
use crate::rotated_name::{Counting, DatedName, Rotated};

/// The name of the youngest file of the log in a directory, by its creation time, then by its number or date. `None` if
/// there is no file of the log.
///
/// # Errors
/// When the directory cannot be listed.
pub(super) fn youngest(directory: BorrowedFd<'_>, log: &DatedName<'_>) -> io::Result<Option<Vec<u8>>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let listed = fs::openat(directory, ".", flags, Mode::empty())?;
    let mut youngest: Option<DatedFile> = None;
    for entry in Dir::read_from(&listed)? {
        let entry = entry?;
        let name = entry.file_name();
        // A compressed file is never the current one.
        let Some(rotated) = log.parse(name.to_bytes()).filter(|rotated| !rotated.is_compressed) else { continue };
        let status = Status::at(directory, name, AtFlags::empty()).ok().filter(|status| status.is_file);
        let Some(status) = status else { continue };
        let file = DatedFile { born: status.identity.born, rotated, name: name.to_bytes().to_vec() };
        if youngest.as_ref().is_none_or(|other| file.compare(other) == Ordering::Greater) {
            youngest = Some(file);
        }
    }
    Ok(youngest.map(|file| file.name))
}

struct DatedFile {
    born: Option<i64>,
    rotated: Rotated,
    name: Vec<u8>,
}

impl DatedFile {
    fn compare(&self, other: &DatedFile) -> Ordering {
        let by_stamp = || self.rotated.stamp.compare(&other.rotated.stamp, || Counting::Up);
        self.born.cmp(&other.born).then_with(by_stamp).then_with(|| self.name.cmp(&other.name))
    }
}
