//! A name to an open file, never outside the roots. Every open and re-open goes through this one door. How a
//! path is walked without leaving its root is in `confinement`.
//!
//! A root is a path, and what the path leads to is held open. Each time a name is looked up, one statx(2) shows whether
//! the path still leads there. A deployment may have switched a link, somebody may have made the directory anew or mounted
//! another one over it: then the root is opened anew, and all logs below it follow, for they only hold the root.

use std::borrow::Cow;
use std::ffi::{CString, OsString};
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, PoisonError, RwLock};

use rustix::fs::{self, CWD};
use rustix::io::Errno;

use super::confinement::{Directory, Inode, Located};
use super::log::archives::{ArchiveHeads, Archives};
use super::log::file::File;
use super::log::status::Status;
use crate::error::{Error, Result, cause};
use crate::protocol::address::Address;
use crate::text::sanitize;

/// What may be served.
#[derive(Debug)]
pub struct Roots {
    pub(crate) roots: Vec<Arc<Root>>,
    pub(super) hidden: bool,
}

/// A directory below which files may be read, or one file in it.
#[derive(Debug)]
pub(crate) struct Root {
    /// As it was given, made absolute.
    pub(crate) path: PathBuf,
    kind: RootKind,
    opened: RwLock<Arc<Opened>>,
    pub(crate) walks: Arc<AtomicBool>,
    /// What the compressed files below it begin with.
    heads: ArchiveHeads,
}

/// What the path of a root led to when the server was started. It stays that, so that nobody who may write to a served
/// directory can replace a file in it by a link to another place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RootKind {
    Directory,
    /// A file, or a link within its directory.
    File,
    /// A link out of its directory. It is followed, wherever it leads, because its user named it.
    Link,
}

/// What the path of a root leads to.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) directory: Arc<Directory>,
    /// The one file that is served.
    pub(super) file: Option<OneFile>,
    led_to: Inode,
    /// The target of a link within its directory; not known while there was nothing.
    link: Option<Target>,
    /// How often the root was replaced before. Not a generation of a log.
    generation: u64,
}

/// The names of a root that is a file.
#[derive(Debug)]
pub(super) struct OneFile {
    /// The name that clients ask for.
    pub(super) asked: Vec<u8>,
    /// The name in the directory, which differs behind a link.
    name: Vec<u8>,
}

/// The target of a symbolic link; none of what is no link.
type Target = Option<CString>;

/// A name that was found below a root; it can be opened again and again.
#[derive(Clone, Debug)]
pub struct Log {
    root: Arc<Root>,
    /// None stand for the file of a root that is a file, whose name may change.
    segments: Vec<Vec<u8>>,
    /// The compressed files among its generations that were opened.
    archives: Archives,
}

impl Roots {
    /// Opens the roots; `hidden`: names that begin with a dot are served, too.
    ///
    /// # Errors
    /// A usage error when a root does not exist or is neither a directory nor a regular file.
    pub fn open<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>, hidden: bool) -> Result<Roots> {
        let root = |path: P| {
            let failed = |error| Error::usage(format!("cannot serve `{}`: {}", path.as_ref().display(), cause(&error)));
            Root::open(path.as_ref()).map_err(failed)
        };
        let roots: Vec<_> = paths.into_iter().map(root).collect::<Result<_>>()?;
        if roots.is_empty() {
            return Err(Error::usage("cannot serve: no PATH was given, for example `wstail serve /var/log`"));
        }
        Ok(Roots { roots: roots.into_iter().map(Arc::new).collect(), hidden })
    }

    /// Opens a single root.
    ///
    /// # Errors
    /// As the system reports them: nothing of that name is [`io::ErrorKind::NotFound`].
    pub(crate) fn open_one(path: &Path, hidden: bool) -> io::Result<Roots> {
        Ok(Roots { roots: vec![Arc::new(Root::open(path)?)], hidden })
    }

    /// Finds the log an address names: as an absolute path beneath a root, then relative to each root in turn. The
    /// first that opens as a regular file is it. Whatever else it is, nothing is told apart: there is no such log.
    ///
    /// # Errors
    /// When the process has no descriptor or memory left to look for it; [`io::ErrorKind::PermissionDenied`], or an error
    /// of the disk, when there is no log of that name that can be read, but one that cannot.
    pub fn find(&self, address: &Address) -> io::Result<Option<(Log, File)>> {
        let mut unreadable = None;
        let absolute = self.roots.iter().map(|root| (root, true));
        let relative = self.roots.iter().map(|root| (root, false));
        for (root, is_absolute) in absolute.chain(relative) {
            match self.find_below(root, address.segments(), is_absolute) {
                Err(error) if is_shortage(&error) => return Err(error),
                Err(error) if is_refusal(&error) => unreadable = unreadable.or(Some(error)),
                Ok(Some(found)) => return Ok(Some(found)),
                Ok(None) | Err(_) => {}
            }
        }
        unreadable.map_or(Ok(None), Err)
    }

    fn find_below(&self, root: &Arc<Root>, segments: &[Vec<u8>], is_absolute: bool) -> io::Result<Option<(Log, File)>> {
        let opened = root.current()?;
        let segments = if is_absolute { opened.directory.strip(segments) } else { Some(segments) };
        let Some(log) = segments.and_then(|segments| self.admit(root, &opened, segments)) else { return Ok(None) };
        let file = log.open()?;
        Ok(Some((log, file)))
    }

    fn admit(&self, root: &Arc<Root>, opened: &Opened, segments: &[Vec<u8>]) -> Option<Log> {
        let hidden = segments.iter().any(|segment| segment.starts_with(b"."));
        let segments = match (&opened.file, segments) {
            (_, []) => return None,
            (Some(file), [name]) if *name == file.asked => Vec::new(),
            (Some(_), _) => return None,
            (None, _) if hidden && !self.hidden => return None,
            (None, segments) => segments.to_vec(),
        };
        Some(Log { root: root.clone(), segments, archives: Archives::default() })
    }

    /// What the roots' paths lead to: each root's number changes when the root is replaced, and there is none while its
    /// path leads nowhere.
    pub(crate) fn generations(&self) -> Vec<Option<u64>> {
        self.roots.iter().map(|root| root.current().ok().map(|opened| opened.generation)).collect()
    }
}

impl Root {
    fn open(path: &Path) -> io::Result<Root> {
        let metadata = path.metadata()?;
        if !metadata.is_dir() && !metadata.is_file() {
            return Err(io::Error::other("neither a directory nor a regular file"));
        }
        Root::open_as(std::path::absolute(path)?, metadata.is_dir())
    }

    fn open_as(path: PathBuf, is_directory: bool) -> io::Result<Root> {
        let walks = Arc::default();
        let open = |kind| Opened::open(&path, kind, &walks);
        let (kind, opened) = match is_directory {
            true => (RootKind::Directory, open(RootKind::Directory)?),
            false => match open(RootKind::File) {
                Ok(opened) if opened.locate().is_ok() => (RootKind::File, opened),
                _ => (RootKind::Link, open(RootKind::Link)?),
            },
        };
        if !is_directory {
            opened.locate()?.open()?;
        }
        Ok(Root { path, kind, opened: RwLock::new(Arc::new(opened)), walks, heads: ArchiveHeads::default() })
    }

    /// What the path leads to now.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] while it leads nowhere; another kind when that cannot be found out.
    pub(super) fn current(&self) -> io::Result<Arc<Opened>> {
        let opened = self.held();
        if self.leads_to(&opened)? { Ok(opened) } else { self.renew() }
    }

    fn leads_to(&self, opened: &Opened) -> io::Result<bool> {
        let link = self.kind.link(&self.path);
        Ok(self.kind.lead(&self.path)? == opened.led_to && (link.is_none() || link == opened.link))
    }

    /// What the path led to when a name was looked up last.
    fn held(&self) -> Arc<Opened> {
        self.opened.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The path leads elsewhere: all who notice come here, and the first of them opens the root anew.
    fn renew(&self) -> io::Result<Arc<Opened>> {
        let mut held = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        if self.leads_to(&held)? {
            return Ok(held.clone());
        }
        let mut opened = Opened::open(&self.path, self.kind, &self.walks)?;
        let is_replaced = !opened.is_same_place(&held);
        opened.generation = held.generation + u64::from(is_replaced);
        if is_replaced {
            let path = sanitize::escape(&self.path.to_string_lossy());
            log::info!("the root `{path}` was replaced: opened it again");
        }
        *held = Arc::new(opened);
        Ok(held.clone())
    }

    /// Opens a directory for listing; the root itself where no segment is named.
    pub(super) fn open_directory(&self, segments: &[Vec<u8>]) -> io::Result<OwnedFd> {
        let opened = match self.current() {
            // While a rotation has renamed the file, and its writer has not created the next one, a link to it leads
            // nowhere. Its directory is still where it was.
            Err(error) if self.kind == RootKind::Link && error.kind() == io::ErrorKind::NotFound => self.held(),
            result => result?,
        };
        opened.directory.open_directory(segments)
    }
}

impl RootKind {
    /// What the part of a root's path leads to that its directory depends on.
    fn lead(self, path: &Path) -> io::Result<Inode> {
        let inode = match self {
            RootKind::Directory => Inode::of(path),
            RootKind::File => Inode::of(parent(path)),
            RootKind::Link => Inode::of_file(path),
        };
        match inode {
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Err(io::ErrorKind::NotFound.into()),
            result => Ok(result?),
        }
    }

    /// The target that a link within its directory has. If it is switched, nothing needs to be opened anew, but the change is logged.
    fn link(self, path: &Path) -> Option<Target> {
        if self != RootKind::File {
            return None;
        }
        match fs::readlinkat(CWD, path, Vec::new()) {
            Ok(target) => Some(Some(target)),
            Err(Errno::INVAL) => Some(None),
            Err(_) => None,
        }
    }
}

impl Opened {
    fn open(path: &Path, kind: RootKind, walks: &Arc<AtomicBool>) -> io::Result<Opened> {
        let given = absolute(path)?;
        let (led_to, link) = (kind.lead(path)?, kind.link(path));
        let (directory, file) = match kind {
            RootKind::Directory => (Directory::open(path, &[&given, &path.canonicalize()?], walks)?, None),
            RootKind::File | RootKind::Link => {
                let asked = given.file_name().unwrap_or_default();
                let known_as = [parent(&given), &parent(&given).canonicalize()?];
                let real = if kind == RootKind::Link { path.canonicalize()? } else { parent(path).join(asked) };
                let name = real.file_name().unwrap_or_default().as_bytes().to_vec();
                let file = OneFile { asked: asked.as_bytes().to_vec(), name };
                (Directory::open(parent(&real), &known_as, walks)?, Some(file))
            }
        };
        // Should the path have been switched in between, the next check shows that it leads elsewhere.
        let led_to = if kind == RootKind::Link { led_to } else { Inode::of_directory(&directory)? };
        Ok(Opened { directory: Arc::new(directory), file, led_to, link, generation: 0 })
    }

    /// A link to a file leads elsewhere, too, when the file is rotated.
    fn is_same_place(&self, other: &Opened) -> bool {
        let name = |opened: &Opened| opened.file.as_ref().map(|file| file.name.clone());
        let directory = |opened: &Opened| Inode::of_directory(&opened.directory).ok();
        let is_switched = self.link.is_some() && other.link.is_some() && self.link != other.link;
        !is_switched && name(self) == name(other) && directory(self).is_some() && directory(self) == directory(other)
    }

    /// The file that is served.
    fn locate(&self) -> io::Result<Located<'_>> {
        let name = self.file.as_ref().map(|file| file.name.clone());
        self.directory.clone().locate(Cow::Owned(name.into_iter().collect()))
    }
}

impl Log {
    /// Opens what the name leads to now.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when there is nothing of that name; another kind when what is there may not be read,
    /// is no regular file, or lies outside the root.
    pub fn open(&self) -> io::Result<File> {
        self.open_located(self.locate()?)
    }

    /// Opens a file that was located.
    ///
    /// # Errors
    /// As for [`Log::open`].
    pub(super) fn open_located(&self, located: Located<'_>) -> io::Result<File> {
        self.archives.open(located.open()?, &self.root.heads)
    }

    /// From now on the file is read from a place of its own: what opens it again does not move that.
    pub(super) fn release(&self, file: &File) {
        self.archives.release(file);
    }

    /// A search among the files beside the log is over.
    pub(super) fn rest(&self) {
        self.archives.rest(&self.root.heads);
    }

    /// How many archives are half unpacked though nothing reads them now.
    #[cfg(all(test, feature = "gz"))]
    pub(super) fn half_unpacked(&self) -> usize {
        self.archives.half_unpacked()
    }

    /// Of how many archives something is remembered besides the heads.
    #[cfg(all(test, feature = "gz"))]
    pub(super) fn remembered(&self) -> usize {
        self.archives.remembered()
    }

    /// As [`Log::open`], but finds the file and its status without opening it for reading.
    pub(super) fn locate(&self) -> io::Result<Located<'_>> {
        let opened = self.root.current()?;
        let segments = self.below(&opened);
        opened.directory.clone().locate(segments)
    }

    /// As [`Log::locate`], but `None` if the name leads to `known` with no link on the way, which takes fewer system calls.
    pub(super) fn locate_other(&self, known: &Status) -> io::Result<Option<Located<'_>>> {
        let opened = self.root.current()?;
        let segments = self.below(&opened);
        match opened.directory.status_of(&segments) {
            Some(status) if status.is_same(known) => Ok(None),
            _ => opened.directory.clone().locate(segments).map(Some),
        }
    }

    /// The name's last segment, as it is in the log's directory.
    pub fn name(&self) -> OsString {
        let opened = self.root.held();
        OsString::from_vec(self.below(&opened).last().cloned().unwrap_or_default())
    }

    /// The path below the root.
    pub(super) fn segments(&self) -> Cow<'_, [Vec<u8>]> {
        self.below(&self.root.held())
    }

    fn below(&self, opened: &Opened) -> Cow<'_, [Vec<u8>]> {
        match &opened.file {
            Some(file) if self.segments.is_empty() => Cow::Owned(vec![file.name.clone()]),
            _ => Cow::Borrowed(&self.segments),
        }
    }

    /// The same root's log at another place.
    pub(super) fn at(&self, segments: Vec<Vec<u8>>) -> Log {
        Log { root: self.root.clone(), segments, archives: self.archives.clone() }
    }

    /// The log that this one leads to in the end, if its last segment is a symbolic link; there need not be a file.
    ///
    /// # Errors
    /// When the link leads out of the root, or cannot be followed.
    pub(super) fn target(&self) -> io::Result<Option<Log>> {
        let opened = self.root.current()?;
        let target = opened.directory.target(&self.below(&opened))?;
        Ok(target.map(|segments| self.at(segments)))
    }

    /// Shows the directories that the name is looked up in, see [`Directory::trace`].
    pub(crate) fn trace(&self, show: impl FnMut(BorrowedFd<'_>, &[u8]) -> io::Result<()>) -> io::Result<()> {
        let opened = self.root.current()?;
        opened.directory.trace(&self.below(&opened), show)
    }

    /// Whether it is what that root calls so.
    pub(super) fn is_in(&self, root: &Arc<Root>, segments: &[Vec<u8>]) -> bool {
        Arc::ptr_eq(&self.root, root) && self.segments == segments
    }

    /// The status of the log's directory, without another check of what the root's path leads to.
    ///
    /// # Errors
    /// When the directory cannot be opened.
    pub(super) fn directory_status(&self) -> io::Result<Status> {
        let opened = self.root.held();
        match &self.below(&opened)[..] {
            [] | [_] => Status::of(&opened.directory),
            [directory @ .., _] => opened.directory.open_directory(directory).and_then(Status::of),
        }
    }

    /// Opens a directory of the log's root for listing; the root itself where no segment is named.
    pub(super) fn open_directory(&self, segments: &[Vec<u8>]) -> io::Result<OwnedFd> {
        self.root.open_directory(segments)
    }
}

/// The path as it was given, which is absolute. A directory with `..` in its path is the one the file system says it is;
/// the last name stays what it is, for it may be a link that is switched.
fn absolute(path: &Path) -> io::Result<Cow<'_, Path>> {
    if !path.components().any(|part| part == Component::ParentDir) {
        return Ok(Cow::Borrowed(path));
    }
    Ok(Cow::Owned(match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => parent.canonicalize()?.join(name),
        _ => path.canonicalize()?,
    }))
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

/// Whether it is the process that lacks something, and not the name.
pub(crate) fn is_shortage(error: &io::Error) -> bool {
    let shortages = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::AGAIN];
    error.raw_os_error().is_some_and(|code| shortages.iter().any(|errno| errno.raw_os_error() == code))
}

/// Whether there is something of that name that may not or cannot be read.
fn is_refusal(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied || error.raw_os_error() == Some(Errno::IO.raw_os_error())
}
