//! A directory that is held open, and the resolution of names beneath it: no name and no link leads out of it.

use std::borrow::Cow;
use std::ffi::{CStr, CString, OsStr};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{self, AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, StatxFlags, makedev, statx};
use rustix::io::Errno;

use super::dated;
use super::log::status::Status;
use crate::rotated_name::DatedName;

#[derive(Debug)]
pub(crate) struct Directory {
    fd: OwnedFd,
    /// The absolute paths that the directory is known by, as segments: the given one, and the one without links.
    pub(super) paths: Vec<Vec<Vec<u8>>>,
    /// openat2(2) is unavailable: names are resolved segment by segment instead.
    walks: Arc<AtomicBool>,
}

/// What a path leads to. The number belongs to no other file as long as this one is held open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inode {
    device: u64,
    inode: u64,
    /// The same directory may be mounted twice, with other directories mounted over parts of it.
    mount: u64,
    /// When a file that is not held open was created.
    born: Option<(i64, u32)>,
}

/// A regular file that a name leads to. It is not open for reading yet: opening a FIFO or a device can have effects.
#[derive(Debug)]
pub(super) struct Located<'s> {
    directory: Arc<Directory>,
    segments: Cow<'s, [Vec<u8>]>,
    fd: OwnedFd,
    pub(super) status: Status,
    /// No symbolic link, which could be switched, is part of the path.
    pub(super) is_direct: bool,
}

/// A resolution by hand. It can be asked how far it came, also when it has failed.
#[derive(Debug)]
struct Resolution<'d> {
    directory: &'d Directory,
    /// The names that are still to be looked up, the next one last.
    todo: Vec<Vec<u8>>,
    /// The directories that were entered below the first one, with their names.
    inside: Vec<(Vec<u8>, OwnedFd)>,
    /// The name that was looked up last.
    name: Vec<u8>,
    hops: usize,
    /// The last segment of the path is a symbolic link, or a dated name, which leads to the youngest of its files as a link
    /// would.
    ends_in_link: bool,
}

/// In place of a name (names have no slash): every name in the directory matters.
pub(crate) const ANY_NAME: &[u8] = b"/";

/// How many links a resolution by hand follows.
const MAX_HOPS: usize = 8;
const READING: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);
const LOCATING: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);

impl Directory {
    pub(crate) fn open(path: &Path, known_as: &[&Path], walks: &Arc<AtomicBool>) -> io::Result<Directory> {
        let fd = fs::open(path, LOCATING | OFlags::DIRECTORY, Mode::empty())?;
        let mut paths: Vec<_> = known_as.iter().map(|path| segments(path)).collect();
        paths.dedup();
        Ok(Directory { fd, paths, walks: walks.clone() })
    }

    /// What remains of an absolute path beneath this directory, compared segment by segment.
    pub(super) fn strip<'s>(&self, segments: &'s [Vec<u8>]) -> Option<&'s [Vec<u8>]> {
        self.paths.iter().find_map(|path| segments.strip_prefix(&path[..])).filter(|rest| !rest.is_empty())
    }

    /// Finds a regular file without opening it for reading.
    pub(super) fn locate<'s>(self: Arc<Directory>, segments: Cow<'s, [Vec<u8>]>) -> io::Result<Located<'s>> {
        let is_walked = self.walks.load(Ordering::Relaxed) || is_dated(&segments);
        let direct = if is_walked { None } else { self.resolve_directly(&segments) };
        let (fd, is_direct) = match direct {
            Some(fd) => (fd?, true),
            None => (self.resolve(&segments, LOCATING)?, false),
        };
        let status = Status::of(&fd)?;
        if !status.is_file {
            return Err(io::Error::other("not a regular file"));
        }
        Ok(Located { directory: self, segments, fd, status, is_direct })
    }

    /// The status of a regular file directly in this directory, in one system call. `None` for anything else (a longer
    /// path, a link, nothing): use [`Directory::locate`].
    pub(super) fn status_of(&self, segments: &[Vec<u8>]) -> Option<Status> {
        let [name] = segments else { return None };
        let status = Status::at(&self.fd, OsStr::from_bytes(name), AtFlags::empty()).ok()?;
        status.is_file.then_some(status)
    }

    /// Resolves a path without symbolic links; `None` where there are some, or where that cannot be told.
    fn resolve_directly(&self, segments: &[Vec<u8>]) -> Option<io::Result<OwnedFd>> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        match fs::openat2(&self.fd, OsStr::from_bytes(&segments.join(&b'/')), LOCATING, Mode::empty(), resolve) {
            Ok(fd) => Some(Ok(fd)),
            // Had there been a link before the missing name, that would have been the error.
            Err(Errno::NOENT) => Some(Err(Errno::NOENT.into())),
            Err(_) => None,
        }
    }

    /// Opens a directory for listing; this one where no segment is named.
    pub(super) fn open_directory(&self, segments: &[Vec<u8>]) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match segments {
            [] => Ok(fs::openat(&self.fd, ".", flags, Mode::empty())?),
            segments => self.resolve(segments, flags),
        }
    }

    fn resolve(&self, segments: &[Vec<u8>], flags: OFlags) -> io::Result<OwnedFd> {
        if self.walks.load(Ordering::Relaxed) || is_dated(segments) {
            return self.resolve_by_hand(segments, flags);
        }
        match openat2(&self.fd, OsStr::from_bytes(&segments.join(&b'/')), flags) {
            // Before Linux 5.6 there is no openat2, and some sandboxes forbid what they do not know.
            Err(Errno::NOSYS | Errno::PERM) => {
                if !self.walks.swap(true, Ordering::Relaxed) {
                    log::warn!("openat2(2) is unavailable: walking paths segment by segment instead");
                }
                self.resolve_by_hand(segments, flags)
            }
            // A link with an absolute target may still lead to a place below this directory.
            Err(Errno::XDEV) => self.resolve_by_hand(segments, flags),
            result => Ok(result?),
        }
    }

    fn resolve_by_hand(&self, segments: &[Vec<u8>], flags: OFlags) -> io::Result<OwnedFd> {
        Resolution::new(self, segments).run(flags, |_, _| Ok(()))
    }

    /// Resolves a path by hand and shows each directory with the name that is looked up in it next, before it is: who
    /// watches the directory from then on for that name misses nothing. Links' targets are part of the path.
    ///
    /// # Errors
    /// As for any resolution, after what came before was shown; and what `show` returns.
    pub(crate) fn trace(
        &self,
        segments: &[Vec<u8>],
        show: impl FnMut(BorrowedFd<'_>, &[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        Resolution::new(self, segments).run(LOCATING, show).map(drop)
    }

    /// Where a path leads in the end, as a path without links, if its last segment is a symbolic link; there need not be
    /// anything.
    pub(super) fn target(&self, segments: &[Vec<u8>]) -> io::Result<Option<Vec<Vec<u8>>>> {
        let mut resolution = Resolution::new(self, segments);
        match resolution.run(LOCATING, |_, _| Ok(())) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && resolution.todo.is_empty() => {}
            result => drop(result?),
        }
        Ok(resolution.ends_in_link.then(|| resolution.place()))
    }
}

impl Inode {
    pub(super) fn of(path: &Path) -> Result<Inode, Errno> {
        Inode::at(CWD, &named(path)?, AtFlags::STATX_DONT_SYNC, StatxFlags::INO)
    }

    pub(super) fn of_file(path: &Path) -> Result<Inode, Errno> {
        Inode::at(CWD, &named(path)?, AtFlags::STATX_DONT_SYNC, StatxFlags::INO | StatxFlags::BTIME)
    }

    pub(super) fn of_directory(directory: &Directory) -> Result<Inode, Errno> {
        Inode::at(directory, c"", AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC, StatxFlags::INO)
    }

    fn at(directory: impl AsFd, path: &CStr, flags: AtFlags, asked: StatxFlags) -> Result<Inode, Errno> {
        let stat = statx(directory, path, flags, asked | StatxFlags::MNT_ID)?;
        let knows = |field: StatxFlags| asked.contains(field) && stat.stx_mask & field.bits() != 0;
        Ok(Inode {
            device: makedev(stat.stx_dev_major, stat.stx_dev_minor),
            inode: stat.stx_ino,
            mount: stat.stx_mnt_id,
            born: knows(StatxFlags::BTIME).then_some((stat.stx_btime.tv_sec, stat.stx_btime.tv_nsec)),
        })
    }
}

/// The path with a NUL at its end. On the heap: every check of a root asks for one, deep in the stack of a reader.
fn named(path: &Path) -> Result<CString, Errno> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| Errno::INVAL)
}

impl Located<'_> {
    /// Opens the file for reading.
    ///
    /// # Errors
    /// [`io::ErrorKind::Interrupted`] when the name has led elsewhere meanwhile; another kind when the file may not be read.
    pub(super) fn open(self) -> io::Result<File> {
        match fs::open(format!("/proc/self/fd/{}", self.fd.as_raw_fd()), READING, Mode::empty()) {
            // There is no /proc: the name has to lead there once more.
            Err(Errno::NOENT | Errno::NOTDIR) => {
                let file = File::from(self.directory.resolve(&self.segments, READING)?);
                let is_same = Status::of(&file)?.is_same(&self.status);
                if is_same { Ok(file) } else { Err(io::ErrorKind::Interrupted.into()) }
            }
            result => Ok(File::from(result?)),
        }
    }
}

impl<'d> Resolution<'d> {
    fn new(directory: &'d Directory, segments: &[Vec<u8>]) -> Resolution<'d> {
        let todo = segments.iter().rev().cloned().collect();
        Resolution { directory, todo, inside: Vec::new(), name: Vec::new(), hops: 0, ends_in_link: false }
    }

    /// Resolves one segment after the other, following links by hand, none of them out of the directory.
    fn run(
        &mut self,
        flags: OFlags,
        mut show: impl FnMut(BorrowedFd<'_>, &[u8]) -> io::Result<()>,
    ) -> io::Result<OwnedFd> {
        let mut is_given = true;
        while let Some(segment) = self.todo.pop() {
            // The last of the segments that were given lies below all others.
            let is_last = self.todo.is_empty() && std::mem::take(&mut is_given);
            if matches!(&segment[..], b"" | b".") {
                continue;
            }
            if segment == b".." {
                self.inside.pop().ok_or(Errno::XDEV)?;
                continue;
            }
            self.name = segment;
            let directory = self.inside.last().map_or(&self.directory.fd, |(_, fd)| fd).as_fd();
            show(directory, &self.name)?;
            let name = OsStr::from_bytes(&self.name);
            let found = match fs::openat(directory, name, LOCATING | OFlags::NOFOLLOW, Mode::empty()) {
                Err(Errno::NOENT) if is_last && let Some(log) = DatedName::of(&self.name) => {
                    show(directory, ANY_NAME)?;
                    self.todo.push(dated::youngest(directory, &log)?.ok_or(Errno::NOENT)?);
                    self.ends_in_link = true;
                    self.name.clear();
                    continue;
                }
                result => result?,
            };
            match FileType::from_raw_mode(fs::fstat(&found)?.st_mode) {
                FileType::Symlink => {
                    self.ends_in_link |= is_last;
                    self.turn(&found)?;
                }
                FileType::Directory => self.inside.push((std::mem::take(&mut self.name), found)),
                _ if !self.todo.is_empty() => return Err(Errno::NOTDIR.into()),
                _ if flags.contains(OFlags::PATH) => return Ok(found),
                _ => return Ok(fs::openat(directory, name, flags | OFlags::NOFOLLOW, Mode::empty())?),
            }
        }
        let last = self.inside.last().map_or(&self.directory.fd, |(_, fd)| fd);
        Ok(fs::openat(last, ".", flags, Mode::empty())?)
    }

    /// Goes where a link leads.
    fn turn(&mut self, link: &OwnedFd) -> io::Result<()> {
        self.hops += 1;
        if self.hops > MAX_HOPS {
            return Err(Errno::LOOP.into());
        }
        self.name.clear();
        let target = fs::readlinkat(link, "", Vec::new())?.into_bytes();
        let mut segments: Vec<_> = target.split(|&byte| byte == b'/').map(<[u8]>::to_vec).collect();
        if target.starts_with(b"/") {
            segments.retain(|segment| !segment.is_empty());
            segments = self.directory.strip(&segments).ok_or(Errno::XDEV)?.to_vec();
            self.inside.clear();
        }
        self.todo.extend(segments.into_iter().rev());
        Ok(())
    }

    /// The path without links that the resolution has led to.
    fn place(&self) -> Vec<Vec<u8>> {
        let directories = self.inside.iter().map(|(name, _)| name);
        directories.chain([&self.name]).filter(|name| !name.is_empty()).cloned().collect()
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// openat2(2) beneath a directory; a race with a rename is tried again a few times.
fn openat2(directory: &OwnedFd, path: &OsStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    const TRIES: usize = 8;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let mut tries = (0..TRIES).map(|_| fs::openat2(directory, path, flags, Mode::empty(), resolve));
    tries.find(|result| !matches!(result, Err(Errno::AGAIN))).unwrap_or(Err(Errno::AGAIN))
}

fn is_dated(segments: &[Vec<u8>]) -> bool {
    segments.last().is_some_and(|name| DatedName::of(name).is_some())
}

fn segments(path: &Path) -> Vec<Vec<u8>> {
    let normal = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.as_bytes().to_vec()),
        _ => None,
    });
    normal.collect()
}
