//! Wakes readers when something happens to the file they read, or to a name on the route to their log. All readers
//! share one inotify(7) instance. What one reader has registered is its [watch](super::watch).
//!
//! This only shortens waits. Nothing depends on it: what inotify does not report, polling finds.

use std::collections::HashMap;
use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use rustix::fs::fstatfs;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::{Errno, ioctl_fionread};

use super::route::{ITSELF, RouteId, Routes};
use super::waker::Waker;
use crate::error::cause;
use crate::follow::confinement::ANY_NAME;

/// The inotify instance. Whenever it is readable, a thread must call [`Watcher::pass_on`].
#[derive(Debug)]
pub(crate) struct Watcher {
    pub(super) inotify: OwnedFd,
    watches: Mutex<Watches>,
    /// For events. Not on the stack: every reader passes events on, and keeps the pages that its stack has once touched.
    buffer: Mutex<Vec<MaybeUninit<u8>>>,
    /// Woken when the first reader arrives, when the last one leaves, and when a route to a root changes.
    pub(super) notice: Arc<Waker>,
    complaint: Once,
}

/// The readers to wake, by watch descriptor.
#[derive(Debug, Default)]
pub(super) struct Watches {
    pub(super) readers: HashMap<i32, Readers>,
    pub(super) routes: Routes,
    /// How many readers wait on a route to their log.
    waiting: usize,
    is_over: bool,
}

/// The readers of one file.
#[derive(Debug, Default)]
pub(super) struct Readers {
    wakers: Vec<Arc<Waker>>,
    /// How many of them want every write reported.
    listening: usize,
}

/// How much is read from inotify at a time: up to a thousand events.
const BUFFER: usize = 16 * 1024;

/// What is reported about every watched file: a writer closes it, it is renamed or deleted, or its attributes change,
/// which include its link count.
const RARE: WatchFlags =
    WatchFlags::CLOSE_WRITE.union(WatchFlags::ATTRIB).union(WatchFlags::MOVE_SELF).union(WatchFlags::DELETE_SELF);

/// What is reported about a directory: names that come and go, and when the directory itself goes.
const NAMES: WatchFlags = GOING.union(WatchFlags::MOVED_TO).union(WatchFlags::CREATE);

/// Of these, only the names that go, and when the directory itself goes.
const GOING: WatchFlags = LEAVING.union(WatchFlags::MOVED_FROM).union(WatchFlags::DELETE);

/// Only when the directory itself goes. `MASK_ADD` keeps what others watch the same directory for.
const LEAVING: WatchFlags =
    WatchFlags::MOVE_SELF.union(WatchFlags::DELETE_SELF).union(WatchFlags::ONLYDIR).union(WatchFlags::MASK_ADD);

impl Watcher {
    pub(crate) fn new() -> io::Result<Watcher> {
        let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        let (notice, buffer) = (Arc::new(Waker::new()?), Mutex::new(vec![MaybeUninit::uninit(); BUFFER]));
        Ok(Watcher { inotify, watches: Mutex::default(), buffer, notice, complaint: Once::new() })
    }

    /// Reads the pending inotify events and wakes every reader that they concern.
    pub(crate) fn pass_on(&self) -> io::Result<()> {
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut events = inotify::Reader::new(&self.inotify, &mut buffer);
        let mut watches = self.watches();
        loop {
            match events.next() {
                Ok(event) => {
                    watches.report(event.wd(), event.events(), event.file_name().map(CStr::to_bytes), event.cookie())
                }
                Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
                Err(errno) => return Err(errno.into()),
            }
            // Leave later events for the next round: a busy writer would keep this one going forever.
            if events.is_buffer_empty() {
                return Ok(());
            }
        }
    }

    /// Passes on every event that is pending now, however many reads that takes.
    pub(super) fn pass_on_all(&self) -> io::Result<()> {
        // The longest event. One that does not fit into the rest of the buffer is returned by the next read.
        const LONGEST: u64 = 16 + 256;
        let waiting = ioctl_fionread(&self.inotify)?;
        (0..=waiting / (BUFFER as u64 - LONGEST)).try_for_each(|_| self.pass_on())
    }

    /// Whether any reader is watching a log.
    pub(crate) fn is_used(&self) -> bool {
        self.watches().is_used()
    }

    /// Readable when the roots must be checked, or no longer need to be. [`Watcher::clear`] resets it.
    pub(crate) fn notice(&self) -> BorrowedFd<'_> {
        self.notice.as_fd()
    }

    pub(crate) fn clear(&self) {
        self.notice.clear();
    }

    /// There are other roots: they must be checked.
    pub(crate) fn note_roots(&self) {
        self.notice.wake();
    }

    /// Wakes every reader, after a change that inotify does not report.
    pub(crate) fn wake_all(&self) {
        let mut watches = self.watches();
        watches.readers.values().flat_map(|readers| &readers.wakers).for_each(|waker| waker.wake());
        watches.routes.wake_all();
    }

    /// Ends the watcher: nothing is passed on any more, so every reader has to poll.
    pub(crate) fn end(&self) {
        // The cause was logged by the caller, or it is a shutdown: do not complain again.
        self.complaint.call_once(|| {});
        let mut watches = self.watches();
        watches.is_over = true;
        watches.readers.drain().flat_map(|(_, readers)| readers.wakers).for_each(|waker| waker.mark_lost());
        watches.routes.wake_all();
        watches.routes = Routes::default();
    }

    /// Starts waking a reader of a file, at every write, too.
    pub(super) fn add(&self, file: BorrowedFd<'_>, waker: &Arc<Waker>) -> io::Result<i32> {
        let mut watches = self.usable()?;
        let descriptor = self.ask(file, RARE | WatchFlags::MODIFY)?;
        waker.reset();
        if !watches.is_used() {
            self.notice.wake();
        }
        let readers = watches.readers.entry(descriptor).or_default();
        readers.wakers.push(waker.clone());
        readers.listening += 1;
        Ok(descriptor)
    }

    /// Stops waking a reader of a file.
    pub(super) fn remove(&self, descriptor: i32, is_listening: bool, waker: &Arc<Waker>) {
        let mut watches = self.watches();
        // An unknown descriptor was removed by the kernel, which may reuse it for another file some day.
        let Some(readers) = watches.readers.get_mut(&descriptor) else { return };
        let Some(place) = readers.wakers.iter().position(|other| Arc::ptr_eq(other, waker)) else { return };
        readers.wakers.swap_remove(place);
        readers.listening -= usize::from(is_listening);
        if readers.wakers.is_empty() {
            watches.readers.remove(&descriptor);
            // The kernel may have removed the watch first; then the event that reports it is queued already.
            let _ = inotify::remove_watch(&self.inotify, descriptor);
        }
        if !watches.is_used() {
            self.notice.wake();
        }
    }

    /// Counts one more reader that wants every write reported, or one less.
    pub(super) fn listen(&self, file: BorrowedFd<'_>, descriptor: i32, more: bool) -> io::Result<()> {
        let mut watches = self.watches();
        let readers = watches.readers.get_mut(&descriptor).ok_or(io::ErrorKind::NotFound)?;
        let answer = match (readers.listening, more) {
            (0, true) => self.ask(file, RARE | WatchFlags::MODIFY)?,
            (1, false) => self.ask(file, RARE)?,
            _ => descriptor,
        };
        if answer != descriptor {
            // The kernel had removed the watch, and the event that reports it is queued already.
            return Err(io::ErrorKind::NotFound.into());
        }
        readers.listening = if more { readers.listening + 1 } else { readers.listening - 1 };
        Ok(())
    }

    /// Follows a route, and wakes the reader when something on it changes from now on. `None` if there is no route to
    /// follow.
    pub(super) fn trace(
        &self,
        waker: &Arc<Waker>,
        follow: impl FnOnce(&mut dyn FnMut(BorrowedFd<'_>, &[u8]) -> io::Result<()>) -> io::Result<()>,
    ) -> io::Result<Option<RouteId>> {
        let id = self.usable()?.routes.begin();
        let (mut watched, mut length) = (Ok(()), 0);
        let traced = follow(&mut |directory, name| {
            length += 1;
            watched = self.watch_name(id, directory, name);
            // The error only stops the walk: its cause is in `watched`.
            watched.as_ref().map_or(Err(io::ErrorKind::Other.into()), |()| Ok(()))
        });
        let mut watches = self.watches();
        // If a name is missing, the watch reports when it appears. After any other failure, changes may go unreported.
        if traced.is_err_and(|error| error.kind() != io::ErrorKind::NotFound) {
            watches.routes.uncover(id);
        }
        let (route, unused) = match &watched {
            Ok(()) if length > 0 => {
                let (id, unused) = watches.routes.enter(id, waker);
                (Some(id), unused)
            }
            _ => (None, watches.routes.remove(id)),
        };
        self.remove_all(&unused);
        watched.map(|()| route)
    }

    fn watch_name(&self, id: RouteId, directory: BorrowedFd<'_>, name: &[u8]) -> io::Result<()> {
        let mut watches = self.usable()?;
        let descriptor = self.ask(
            directory,
            if name == ITSELF {
                LEAVING
            } else if name == ANY_NAME {
                GOING
            } else {
                NAMES
            },
        )?;
        watches.routes.push(id, descriptor, name, is_local(directory));
        Ok(())
    }

    pub(super) fn leave(&self, route: RouteId, waker: &Arc<Waker>) {
        let mut watches = self.watches();
        let unused = watches.routes.leave(route, waker);
        self.remove_all(&unused);
    }

    /// Counts one more reader that waits on a route, or one less.
    pub(super) fn count(&self, waits: bool) {
        let mut watches = self.watches();
        let was_used = watches.is_used();
        watches.waiting = if waits { watches.waiting + 1 } else { watches.waiting - 1 };
        if watches.is_used() != was_used {
            self.notice.wake();
        }
    }

    /// Call this with the watches locked: once they are unlocked, a descriptor may stand for another directory.
    fn remove_all(&self, descriptors: &[i32]) {
        for &descriptor in descriptors {
            let _ = inotify::remove_watch(&self.inotify, descriptor);
        }
    }

    /// Watches a file through its descriptor, because its name may lead to another file by now.
    fn ask(&self, file: BorrowedFd<'_>, events: WatchFlags) -> io::Result<i32> {
        Ok(inotify::add_watch(&self.inotify, format!("/proc/self/fd/{}", file.as_raw_fd()), events)?)
    }

    pub(super) fn complain(&self, error: &io::Error) {
        self.complaint.call_once(|| log::warn!("cannot watch every log, polling some instead: {}", cause(error)));
    }

    fn usable(&self) -> io::Result<MutexGuard<'_, Watches>> {
        let watches = self.watches();
        if watches.is_over { Err(io::Error::other("the watcher has ended")) } else { Ok(watches) }
    }

    pub(super) fn watches(&self) -> MutexGuard<'_, Watches> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Readable when there are events to pass on.
impl AsFd for Watcher {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

impl Watches {
    fn is_used(&self) -> bool {
        !self.readers.is_empty() || self.waiting > 0
    }

    fn report(&mut self, descriptor: i32, events: ReadFlags, name: Option<&[u8]>, cookie: u32) {
        let arrives = events.intersects(ReadFlags::CREATE | ReadFlags::MOVED_TO);
        if let Some(name) = name.filter(|_| arrives || events.intersects(ReadFlags::DELETE | ReadFlags::MOVED_FROM)) {
            self.routes.note(descriptor, name, arrives, cookie);
        }
        if events.contains(ReadFlags::QUEUE_OVERFLOW) {
            self.routes.overflow();
            self.readers.values().flat_map(|readers| &readers.wakers).for_each(|waker| waker.write());
        } else if events.contains(ReadFlags::IGNORED) {
            let readers = self.readers.remove(&descriptor).unwrap_or_default();
            readers.wakers.iter().for_each(|waker| waker.mark_lost());
            self.routes.forget(descriptor);
        } else if let Some(readers) = self.readers.get(&descriptor) {
            readers.wakers.iter().for_each(|waker| match events {
                _ if events.contains(ReadFlags::CLOSE_WRITE) => waker.close(),
                _ if events.contains(ReadFlags::MODIFY) => waker.write(),
                _ => waker.wake(),
            });
        } else {
            self.routes.report(descriptor, name);
        }
    }
}

/// Whether every change to the file goes through this kernel, as far as is known. Network file systems and FUSE do not
/// report changes made elsewhere.
pub(super) fn is_local(file: impl AsFd) -> bool {
    const EXT: u32 = 0xef53;
    const XFS: u32 = 0x5846_5342;
    const BTRFS: u32 = 0x9123_683e;
    const TMPFS: u32 = 0x0102_1994;
    const ZFS: u32 = 0x2fc1_2fc1;
    const F2FS: u32 = 0xf2f5_2010;
    const OVERLAY: u32 = 0x794c_7630;
    let local = [EXT, XFS, BTRFS, TMPFS, ZFS, F2FS, OVERLAY];
    fstatfs(file).is_ok_and(|system| local.contains(&(system.f_type as u32)))
}
