//! What tells one file from another: what the file system says of it, and its bytes.

use std::cmp::Ordering;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;

use rustix::fs::{AtFlags, FileType, StatxFlags, makedev, statx};

use super::position::{BEFORE, HEAD, Identity, Position, Print};

/// What the file system says of a file.
#[derive(Clone, Debug)]
pub(super) struct Status {
    pub identity: Identity,
    pub is_file: bool,
    /// How many names it has; none when it is deleted and only held open.
    pub links: u32,
    pub size: u64,
    /// In nanoseconds since the epoch.
    pub written: i64,
}

impl Status {
    pub(super) fn of(file: impl AsFd) -> io::Result<Status> {
        Status::at(file, "", AtFlags::EMPTY_PATH)
    }

    /// What `name` in a directory is, without following a link.
    pub(super) fn at(directory: impl AsFd, name: impl rustix::path::Arg, flags: AtFlags) -> io::Result<Status> {
        let asked = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
        let stat = statx(directory, name, flags | AtFlags::SYMLINK_NOFOLLOW, asked)?;
        let time = |seconds: i64, nanos: u32| seconds.saturating_mul(1_000_000_000).saturating_add(nanos.into());
        let is_born = stat.stx_mask & StatxFlags::BTIME.bits() != 0;
        Ok(Status {
            identity: Identity {
                device: makedev(stat.stx_dev_major, stat.stx_dev_minor),
                inode: stat.stx_ino,
                born: is_born.then(|| time(stat.stx_btime.tv_sec, stat.stx_btime.tv_nsec)),
            },
            is_file: FileType::from_raw_mode(stat.stx_mode.into()) == FileType::RegularFile,
            links: stat.stx_nlink,
            size: stat.stx_size,
            written: time(stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec),
        })
    }

    /// Whether it is the same file, as long as one of the two is held open.
    pub(super) fn is_same(&self, other: &Status) -> bool {
        (self.identity.device, self.identity.inode) == (other.identity.device, other.identity.inode)
    }

    pub(super) fn age(&self) -> Age {
        let start = self.identity.born.map_or(self.written, |born| born.min(self.written));
        Age { start, written: self.written, stamp: None }
    }
}

/// What tells which of two generations is older.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Age {
    /// When its first line may have been written: its birth, or, of a copy that kept its times, its last write.
    pub start: i64,
    pub written: i64,
    /// The number or date in its name. What has not been rotated yet has none and is the youngest.
    pub stamp: Option<super::siblings::Stamp>,
}

impl Age {
    /// Older first: the start decides, and names where that is equal; the last write may be a late one.
    pub(super) fn compare(&self, other: &Age) -> Ordering {
        self.start.cmp(&other.start).then(self.compare_names(other)).then(self.written.cmp(&other.written))
    }

    pub(super) fn is_named_before(&self, other: &Age) -> bool {
        self.compare_names(other) == Ordering::Less
    }

    pub(super) fn compare_names(&self, other: &Age) -> Ordering {
        match (&self.stamp, &other.stamp) {
            (Some(left), Some(right)) => left.cmp(right),
            (left, right) => left.is_none().cmp(&right.is_none()),
        }
    }

    pub(super) fn is_older(&self, other: &Age) -> bool {
        self.compare(other) == Ordering::Less
    }
}

/// The fingerprint of a file's first bytes, of at most `length`.
pub(super) fn head(file: &File, length: usize) -> io::Result<Print> {
    Ok(Print::of(&read_up_to(file, 0, length)?))
}

/// The bytes before `offset` by which the place will be known again.
pub(super) fn before(file: &File, offset: u64) -> io::Result<Vec<u8>> {
    let start = offset.saturating_sub(BEFORE as u64);
    read_up_to(file, start, (offset - start) as usize)
}

/// Whether the file holds what was read up to `position`, and `beyond` bytes more.
pub(super) fn holds(file: &File, position: &Position, beyond: u64) -> io::Result<bool> {
    let size = Status::of(file)?.size;
    if size < position.offset.saturating_add(beyond) || head(file, position.head.length.into())? != position.head {
        return Ok(false);
    }
    let start = position.offset - u64::from(position.before.length);
    Ok(Print::of(&read_up_to(file, start, position.before.length.into())?) == position.before)
}

/// Whether `file` is a copy of what `original` holds, or held when the copy was made. A short one is none: a generation
/// may begin as every other does and end there.
pub(super) fn is_copy(file: &File, original: &File) -> io::Result<bool> {
    let size = Status::of(file)?.size;
    if size <= HEAD as u64 || size > Status::of(original)?.size {
        return Ok(false);
    }
    Ok(head(file, HEAD)? == head(original, HEAD)? && before(file, size)? == before(original, size)?)
}

fn read_up_to(file: &File, start: u64, length: usize) -> io::Result<Vec<u8>> {
    let (mut bytes, mut read) = (vec![0; length], 0);
    while read < length {
        match file.read_at(&mut bytes[read..], start + read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(read);
    Ok(bytes)
}
