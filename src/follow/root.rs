//! A name to an open file, never outside the roots. Every open and re-open goes through this one door.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{self, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use crate::error::{Error, Result};
use crate::protocol::request::Address;

/// What may be served.
#[derive(Debug)]
pub struct Roots {
    pub(super) roots: Vec<Arc<Root>>,
    pub(super) hidden: bool,
}

/// A directory below which files may be read, or one file in it.
#[derive(Debug)]
pub(super) struct Root {
    /// The directory, held open: a rename of its path changes nothing.
    directory: OwnedFd,
    /// By which absolute paths the directory is known, as segments: the one given, and the one without links.
    pub(super) paths: Vec<Vec<Vec<u8>>>,
    /// The one file that is served, as it is asked for and as it is opened.
    pub(super) file: Option<(Vec<u8>, Vec<u8>)>,
    walk: AtomicBool,
}

/// A name that was found below a root; it can be opened again and again.
#[derive(Clone, Debug)]
pub struct Log {
    root: Arc<Root>,
    segments: Vec<Vec<u8>>,
}

/// A link inside a root is followed that often when it is followed by hand.
const MAX_HOPS: usize = 8;

impl Roots {
    /// Opens the roots; `hidden`: names that begin with a dot are served, too.
    ///
    /// # Errors
    /// A usage error when a root does not exist or is neither a directory nor a regular file.
    pub fn open<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>, hidden: bool) -> Result<Roots> {
        let roots: Vec<_> = paths.into_iter().map(|path| Root::open(path.as_ref())).collect::<Result<_>>()?;
        if roots.is_empty() {
            return Err(Error::usage("cannot serve: no root was given"));
        }
        Ok(Roots { roots: roots.into_iter().map(Arc::new).collect(), hidden })
    }

    /// Finds the log an address names: as an absolute path beneath a root, then relative to each root in turn. The
    /// first that opens as a regular file is it. Whatever else it is, nothing is told apart: there is no such log.
    ///
    /// # Errors
    /// When the process has no descriptor or memory left to look for it.
    pub fn find(&self, address: &Address) -> io::Result<Option<(Log, File)>> {
        let absolute = self.roots.iter().filter_map(|root| Some((root, root.strip(address.segments())?)));
        let relative = self.roots.iter().map(|root| (root, address.segments()));
        for (root, segments) in absolute.chain(relative) {
            let Some(log) = self.admit(root, segments) else { continue };
            match log.open() {
                Ok(file) => return Ok(Some((log, file))),
                Err(error) if is_shortage(&error) => return Err(error),
                Err(_) => {}
            }
        }
        Ok(None)
    }

    fn admit(&self, root: &Arc<Root>, segments: &[Vec<u8>]) -> Option<Log> {
        let hidden = segments.iter().any(|segment| segment.starts_with(b"."));
        let segments = match (&root.file, segments) {
            (_, []) => return None,
            (Some((asked, opened)), [name]) if name == asked => vec![opened.clone()],
            (Some(_), _) => return None,
            (None, _) if hidden && !self.hidden => return None,
            (None, segments) => segments.to_vec(),
        };
        Some(Log { root: root.clone(), segments })
    }
}

impl Root {
    fn open(path: &Path) -> Result<Root> {
        let failed =
            |cause| Error::usage(format!("cannot serve `{}`: {}", path.display(), crate::error::cause(&cause)));
        let real = path.canonicalize().map_err(failed)?;
        let metadata = real.metadata().map_err(failed)?;
        let given = absolute(path).map_err(failed)?;
        if metadata.is_dir() {
            return Root::hold(&real, &[&given, &real], None).map_err(failed);
        }
        if !metadata.is_file() {
            return Err(failed(io::Error::other("neither a directory nor a regular file")));
        }
        Root::open_file(&given, &real).map_err(failed)
    }

    /// A root that is a file: its directory is held, and a link in it may switch within that directory. A link out of
    /// it is followed once, now, because its user named it; what is served is the file it leads to.
    fn open_file(given: &Path, real: &Path) -> io::Result<Root> {
        let asked = given.file_name().unwrap_or_default().as_bytes().to_vec();
        let parent = given.parent().unwrap_or(Path::new("/"));
        let plain_parent = parent.canonicalize()?;
        let paths = [parent, &plain_parent];
        let root = Root::hold(parent, &paths, Some((asked.clone(), asked.clone())))?;
        if root.open_beneath(std::slice::from_ref(&asked)).is_ok() {
            return Ok(root);
        }
        let opened = real.file_name().unwrap_or_default().as_bytes().to_vec();
        let real_parent = real.parent().unwrap_or(Path::new("/"));
        let root = Root::hold(real_parent, &paths, Some((asked, opened.clone())))?;
        root.open_beneath(&[opened])?;
        Ok(root)
    }

    fn hold(directory: &Path, paths: &[&Path], file: Option<(Vec<u8>, Vec<u8>)>) -> io::Result<Root> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = fs::open(directory, flags, Mode::empty())?;
        let mut paths: Vec<_> = paths.iter().map(|path| segments(path)).collect();
        paths.dedup();
        Ok(Root { directory, paths, file, walk: AtomicBool::new(false) })
    }

    /// What remains of an absolute path below this root, compared segment by segment.
    fn strip<'s>(&self, segments: &'s [Vec<u8>]) -> Option<&'s [Vec<u8>]> {
        self.paths.iter().find_map(|path| segments.strip_prefix(&path[..])).filter(|rest| !rest.is_empty())
    }

    /// Opens a regular file for reading.
    fn open_beneath(&self, segments: &[Vec<u8>]) -> io::Result<File> {
        regular(self.resolve(segments, READING)?)
    }

    /// The same, unless a symbolic link leads there; `None`, too, where that cannot be told.
    fn open_directly(&self, segments: &[Vec<u8>]) -> Option<io::Result<File>> {
        if self.walk.load(Ordering::Relaxed) {
            return None;
        }
        let (path, flags) = (segments.join(&b'/'), READING | OFlags::CLOEXEC);
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        fs::openat2(&self.directory, OsStr::from_bytes(&path), flags, Mode::empty(), resolve).ok().map(regular)
    }

    /// Opens a directory for listing; the root itself where no segment is named.
    pub(super) fn open_directory(&self, segments: &[Vec<u8>]) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        match segments {
            [] => Ok(fs::openat(&self.directory, ".", flags | OFlags::CLOEXEC, Mode::empty())?),
            segments => self.resolve(segments, flags),
        }
    }

    fn resolve(&self, segments: &[Vec<u8>], flags: OFlags) -> io::Result<OwnedFd> {
        let flags = flags | OFlags::CLOEXEC;
        if self.walk.load(Ordering::Relaxed) {
            return self.walk(segments, flags);
        }
        match openat2(&self.directory, OsStr::from_bytes(&segments.join(&b'/')), flags) {
            // Before Linux 5.6 there is no openat2, and some sandboxes forbid what they do not know.
            Err(Errno::NOSYS | Errno::PERM) => {
                if !self.walk.swap(true, Ordering::Relaxed) {
                    log::warn!("openat2 is not to be had: paths are walked segment by segment instead");
                }
                self.walk(segments, flags)
            }
            // A link with an absolute target may still lead to a place below this root.
            Err(Errno::XDEV) => self.walk(segments, flags),
            result => Ok(result?),
        }
    }

    /// Resolves one segment after the other, following links by hand, none of them out of this root.
    fn walk(&self, path: &[Vec<u8>], flags: OFlags) -> io::Result<OwnedFd> {
        let mut todo: Vec<Vec<u8>> = path.iter().rev().cloned().collect();
        let mut inside: Vec<OwnedFd> = Vec::new();
        let mut hops = 0;
        while let Some(segment) = todo.pop() {
            if matches!(&segment[..], b"" | b".") {
                continue;
            }
            if segment == b".." {
                inside.pop().ok_or(Errno::XDEV)?;
                continue;
            }
            let directory = inside.last().unwrap_or(&self.directory).as_fd();
            let name = OsStr::from_bytes(&segment);
            let look = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let found = fs::openat(directory, name, look, Mode::empty())?;
            match FileType::from_raw_mode(fs::fstat(&found)?.st_mode) {
                FileType::Symlink => {
                    hops += 1;
                    if hops > MAX_HOPS {
                        return Err(Errno::LOOP.into());
                    }
                    let target = fs::readlinkat(&found, "", Vec::new())?.into_bytes();
                    let mut target_segments: Vec<_> = target.split(|&byte| byte == b'/').map(<[u8]>::to_vec).collect();
                    if target.starts_with(b"/") {
                        target_segments.retain(|segment| !segment.is_empty());
                        target_segments = self.strip(&target_segments).ok_or(Errno::XDEV)?.to_vec();
                        inside.clear();
                    }
                    todo.extend(target_segments.into_iter().rev());
                }
                FileType::Directory => inside.push(found),
                _ if todo.is_empty() => {
                    return Ok(fs::openat(directory, name, flags | OFlags::NOFOLLOW, Mode::empty())?);
                }
                _ => return Err(Errno::NOTDIR.into()),
            }
        }
        let last = inside.last().unwrap_or(&self.directory);
        Ok(fs::openat(last, ".", flags, Mode::empty())?)
    }
}

impl Log {
    /// Opens what the name leads to now.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when there is nothing of that name; another kind when what is there may not be read,
    /// is no regular file, or lies outside the root.
    pub fn open(&self) -> io::Result<File> {
        self.root.open_beneath(&self.segments)
    }

    /// The same, and whether no symbolic link leads there that could be switched.
    pub(super) fn reopen(&self) -> io::Result<(File, bool)> {
        match self.root.open_directly(&self.segments) {
            Some(file) => Ok((file?, true)),
            None => Ok((self.open()?, false)),
        }
    }

    /// The name's last segment.
    pub fn name(&self) -> &OsStr {
        OsStr::from_bytes(self.segments.last().map_or(b"", |name| name))
    }

    /// The same place with another last segment.
    pub(super) fn sibling(&self, name: &OsStr) -> Log {
        let mut segments = self.segments.clone();
        segments.pop();
        segments.push(name.as_bytes().to_vec());
        Log { root: self.root.clone(), segments }
    }

    /// Whether it is what that root calls so.
    pub(super) fn is_in(&self, root: &Arc<Root>, segments: &[Vec<u8>]) -> bool {
        Arc::ptr_eq(&self.root, root) && self.segments == segments
    }

    /// The names in the log's directory, and the directory to look at them.
    pub(super) fn neighbours(&self) -> io::Result<(OwnedFd, Vec<OsString>)> {
        let directory = self.root.open_directory(&self.segments[..self.segments.len().saturating_sub(1)])?;
        let names = fs::Dir::read_from(&directory)?
            .map(|entry| Ok(OsString::from_vec(entry?.file_name().to_bytes().to_vec())))
            .collect::<io::Result<_>>()?;
        Ok((directory, names))
    }
}

const READING: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

fn regular(fd: OwnedFd) -> io::Result<File> {
    if FileType::from_raw_mode(fs::fstat(&fd)?.st_mode) != FileType::RegularFile {
        return Err(io::Error::other("not a regular file"));
    }
    Ok(File::from(fd))
}

/// openat2(2) beneath a directory; a race with a rename is tried again a few times.
fn openat2(directory: &OwnedFd, path: &OsStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    const TRIES: usize = 8;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let mut tries = (0..TRIES).map(|_| fs::openat2(directory, path, flags, Mode::empty(), resolve));
    tries.find(|result| !matches!(result, Err(Errno::AGAIN))).unwrap_or(Err(Errno::AGAIN))
}

/// The path as it was given, made absolute. A directory with `..` in its path is the one the file system says it is;
/// the last name stays what it is, for it may be a link that is switched.
fn absolute(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    if !path.components().any(|part| part == Component::ParentDir) {
        return Ok(path);
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => Ok(parent.canonicalize()?.join(name)),
        _ => path.canonicalize(),
    }
}

fn segments(path: &Path) -> Vec<Vec<u8>> {
    let normal = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.as_bytes().to_vec()),
        _ => None,
    });
    normal.collect()
}

/// Whether it is the process that lacks something, and not the name.
pub(super) fn is_shortage(error: &io::Error) -> bool {
    let shortages = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::AGAIN];
    error.raw_os_error().is_some_and(|code| shortages.iter().any(|errno| errno.raw_os_error() == code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::fs::symlink;

    struct Place {
        base: tempfile::TempDir,
    }

    impl Place {
        fn new() -> Place {
            let base = tempfile::tempdir().unwrap();
            let place = Place { base };
            std::fs::create_dir_all(place.path("logs/sub")).unwrap();
            std::fs::create_dir_all(place.path("logs_secret")).unwrap();
            place.write("logs/app.log", "app");
            place.write("logs/sub/deep.log", "deep");
            place.write("logs/.hidden", "hidden");
            place.write("logs_secret/key", "secret");
            place
        }

        fn path(&self, below: &str) -> PathBuf {
            self.base.path().canonicalize().unwrap().join(below)
        }

        fn write(&self, below: &str, text: &str) {
            std::fs::write(self.path(below), text).unwrap();
        }

        fn link(&self, target: impl AsRef<Path>, below: &str) {
            symlink(target, self.path(below)).unwrap();
        }

        /// What each way of opening reads at an address: openat2 and the walk must agree.
        fn read(&self, roots: &Roots, address: &str) -> Option<String> {
            let read = || {
                let address = Address::parse(address).ok()?;
                let (_, mut file) = roots.find(&address).unwrap()?;
                let mut text = String::new();
                file.read_to_string(&mut text).ok()?;
                Some(text)
            };
            let set = |walk| roots.roots.iter().for_each(|root| root.walk.store(walk, Ordering::Relaxed));
            set(false);
            let quick = read();
            set(true);
            assert_eq!(read(), quick, "the walk differs at {address}");
            quick
        }
    }

    #[test]
    fn absolute_and_relative_names_are_found() {
        let place = Place::new();
        let roots = Roots::open([place.path("logs")], false).unwrap();
        let absolute = place.path("logs/app.log");
        for address in ["/app.log", "//./app.log", absolute.to_str().unwrap()] {
            assert_eq!(place.read(&roots, address).as_deref(), Some("app"), "{address}");
        }
        assert_eq!(place.read(&roots, "/sub/deep.log").as_deref(), Some("deep"));
    }

    #[test]
    fn what_is_not_beneath_a_root_is_not_found() {
        let place = Place::new();
        let roots = Roots::open([place.path("logs")], false).unwrap();
        let secret = place.path("logs_secret/key");
        for address in [secret.to_str().unwrap(), "/etc/passwd", "/sub", "/", "/missing", "/app.log/x", "/.hidden"] {
            assert_eq!(place.read(&roots, address), None, "{address}");
        }
        let hidden = Roots::open([place.path("logs")], true).unwrap();
        assert_eq!(place.read(&hidden, "/.hidden").as_deref(), Some("hidden"));
    }

    #[test]
    fn links_inside_work_and_links_out_do_not() {
        let place = Place::new();
        place.link("app.log", "logs/relative");
        place.link("../app.log", "logs/sub/up");
        place.link(place.path("logs/sub/deep.log"), "logs/absolute");
        place.link(place.path("logs/sub"), "logs/directory");
        place.link("../logs_secret/key", "logs/out");
        place.link("../logs/app.log", "logs/out-and-back");
        place.link(place.path("logs_secret"), "logs/outside");
        place.link("loop", "logs/loop");
        place.link("/proc/self/fd/0", "logs/magic");
        let roots = Roots::open([place.path("logs")], false).unwrap();
        for (address, text) in
            [("/relative", "app"), ("/sub/up", "app"), ("/absolute", "deep"), ("/directory/deep.log", "deep")]
        {
            assert_eq!(place.read(&roots, address).as_deref(), Some(text), "{address}");
        }
        for address in ["/out", "/out-and-back", "/outside/key", "/loop", "/magic"] {
            assert_eq!(place.read(&roots, address), None, "{address}");
        }
    }

    #[test]
    fn several_roots_are_tried_in_turn_and_none_leads_to_another() {
        let place = Place::new();
        place.write("logs_secret/app.log", "other");
        place.link(place.path("logs_secret/key"), "logs/other-root");
        let roots = Roots::open([place.path("logs"), place.path("logs_secret")], false).unwrap();
        assert_eq!(place.read(&roots, "/app.log").as_deref(), Some("app"));
        assert_eq!(place.read(&roots, "/key").as_deref(), Some("secret"));
        assert_eq!(place.read(&roots, place.path("logs_secret/app.log").to_str().unwrap()).as_deref(), Some("other"));
        assert_eq!(place.read(&roots, "/other-root"), None);
    }

    #[test]
    fn a_file_as_root_is_found_by_its_name_alone() {
        let place = Place::new();
        place.link("app.log", "logs/current");
        place.link(place.path("logs_secret/key"), "logs/named");
        for (root, text) in [("app.log", "app"), ("current", "app"), ("named", "secret"), (".hidden", "hidden")] {
            let path = place.path("logs").join(root);
            let roots = Roots::open([&path], false).unwrap();
            assert_eq!(place.read(&roots, &format!("/{root}")).as_deref(), Some(text), "{root}");
            assert_eq!(place.read(&roots, path.to_str().unwrap()).as_deref(), Some(text), "{root}");
            assert_eq!(place.read(&roots, "/sub/deep.log"), None);
        }
    }

    #[test]
    fn a_file_as_root_keeps_its_name_when_its_path_goes_up() {
        let place = Place::new();
        place.link("app.log", "logs/current");
        let roots = Roots::open([place.path("logs/sub/../current")], false).unwrap();
        assert_eq!(place.read(&roots, "/current").as_deref(), Some("app"));
        assert_eq!(place.read(&roots, place.path("logs/current").to_str().unwrap()).as_deref(), Some("app"));
        assert_eq!(place.read(&roots, "/app.log"), None);
    }

    #[test]
    fn pipes_and_devices_are_no_logs() {
        let place = Place::new();
        rustix::fs::mkfifoat(rustix::fs::CWD, place.path("logs/fifo"), Mode::RUSR).unwrap();
        let roots = Roots::open([place.path("logs")], false).unwrap();
        assert_eq!(place.read(&roots, "/fifo"), None);
        assert!(Roots::open(["/dev/null"], false).unwrap_err().is_usage());
        let error = Roots::open([place.path("missing")], false).unwrap_err();
        assert!(error.to_string().ends_with("/missing`: no such file or directory"), "{error}");
    }

    #[test]
    fn the_root_directory_itself_may_be_served() {
        let place = Place::new();
        let roots = Roots::open(["/"], false).unwrap();
        let path = place.path("logs/app.log");
        if !path.to_str().unwrap().contains("/.") {
            assert_eq!(place.read(&roots, path.to_str().unwrap()).as_deref(), Some("app"));
        }
    }
}
