//! What the file system says of a file.

use std::io;
use std::os::fd::AsFd;

use rustix::fs::{AtFlags, FileType, StatxFlags, makedev, statx};

use crate::follow::position::Identity;

/// The clock of a file system advances in steps of so many nanoseconds, at worst.
pub(in crate::follow) const TICK: i64 = 10_000_000;

/// One statx(2) of a file. Times are in nanoseconds since the epoch.
#[derive(Clone, Debug)]
pub(in crate::follow) struct Status {
    pub identity: Identity,
    pub is_file: bool,
    /// How many names the file has; 0 when it is deleted and only held open.
    pub links: u32,
    pub size: u64,
    /// The modification time. Anyone who owns the file can set it, so it is a hint and never proof.
    pub written: i64,
    /// The change time: the last write, rename, link or change of attributes. Only the kernel sets it.
    pub changed: i64,
}

impl Status {
    pub fn of(file: impl AsFd) -> io::Result<Status> {
        Status::at(file, c"", AtFlags::EMPTY_PATH)
    }

    /// The status of `name` in a directory, without following a symbolic link.
    pub fn at(directory: impl AsFd, name: impl rustix::path::Arg, flags: AtFlags) -> io::Result<Status> {
        let asked = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
        let stat = statx(directory, name, flags | AtFlags::SYMLINK_NOFOLLOW, asked)?;
        let time = |seconds: i64, nanos: u32| seconds.saturating_mul(1_000_000_000).saturating_add(nanos.into());
        let has_birth = stat.stx_mask & StatxFlags::BTIME.bits() != 0;
        Ok(Status {
            identity: Identity {
                device: makedev(stat.stx_dev_major, stat.stx_dev_minor),
                inode: stat.stx_ino,
                born: has_birth.then(|| time(stat.stx_btime.tv_sec, stat.stx_btime.tv_nsec)),
            },
            is_file: FileType::from_raw_mode(stat.stx_mode.into()) == FileType::RegularFile,
            links: stat.stx_nlink,
            size: stat.stx_size,
            written: time(stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec),
            changed: time(stat.stx_ctime.tv_sec, stat.stx_ctime.tv_nsec),
        })
    }

    /// Whether both are the same file. Reliable only while one of them is held open: the number of a file that is gone
    /// is given to the next one.
    pub fn is_same(&self, other: &Status) -> bool {
        self.identity.is_same_number(&other.identity)
    }

    /// Whether nothing was done to the file between the two, as far as its clock tells.
    pub fn is_unchanged(&self, before: &Status) -> bool {
        self.changed == before.changed && self.size == before.size
    }

    /// Whether nothing was done to the file since it had that change time.
    pub fn is_untouched_since(&self, changed: i64) -> bool {
        self.changed == changed && !Status::is_coarse(changed)
    }

    /// Whether the clock of a file system that has a change time like this counts whole seconds only: then an equal one
    /// tells nothing.
    pub fn is_coarse(changed: i64) -> bool {
        changed % 1_000_000_000 == 0
    }

    /// Whether somebody has set its modification time, to a later one: it tells nothing.
    pub fn is_set(&self) -> bool {
        self.written > self.changed
    }

    /// When the file's first line may have been written. A file that is older than its own inode was copied or restored
    /// with its times; then the modification time is the better guess.
    pub fn start(&self) -> i64 {
        self.identity.born.map_or(self.written, |born| born.min(self.written))
    }

    /// When the file came into being, if its creation time is known and was not outdated by a restore.
    pub fn created(&self) -> Option<i64> {
        self.identity.born.filter(|&born| born <= self.written)
    }

    /// The best guess of when the file came into being: where there is no creation time, or the file is older than that, the
    /// change time, which is later.
    pub fn begun(&self) -> i64 {
        self.created().unwrap_or(self.changed)
    }
}
