//! Tells a reader that something happened to the file it holds: inotify(7), one instance for all readers.
//! It shortens a wait and nothing depends on it: what it does not tell is found by looking.

use std::collections::HashMap;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use rustix::fs::fstatfs;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;

use super::bell::Bell;
use super::follower::Follower;
use super::position::Identity;
use crate::error::cause;

/// The inotify instance. Somebody has to [`Watcher::pass_on`] what it says whenever it is readable.
#[derive(Debug)]
pub(crate) struct Watcher {
    inotify: OwnedFd,
    watches: Mutex<Watches>,
    complaint: Once,
}

/// Who is to be woken, by watch descriptor.
#[derive(Debug, Default)]
struct Watches {
    readers: HashMap<i32, Readers>,
    is_over: bool,
}

/// Those who hold the same file.
#[derive(Debug, Default)]
struct Readers {
    bells: Vec<Arc<Bell>>,
    /// How many of them are to know of every write.
    listening: usize,
}

/// One reader's place among those who are woken: for one file at a time, or none.
#[derive(Debug)]
pub(crate) struct Watch {
    watcher: Arc<Watcher>,
    bell: Option<Arc<Bell>>,
    watched: Option<Watched>,
}

#[derive(Debug)]
struct Watched {
    descriptor: i32,
    file: Identity,
    /// Nothing is done to the file unseen.
    is_local: bool,
    /// Every write is told.
    is_listening: bool,
}

/// How much is read of what the kernel has to say at a time: a thousand events.
const BUFFER: usize = 16 * 1024;

/// What is told of every file: a writer's close, a rename, another number of names.
const RARE: WatchFlags =
    WatchFlags::CLOSE_WRITE.union(WatchFlags::ATTRIB).union(WatchFlags::MOVE_SELF).union(WatchFlags::DELETE_SELF);

impl Watcher {
    pub(crate) fn new() -> io::Result<Watcher> {
        let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        Ok(Watcher { inotify, watches: Mutex::default(), complaint: Once::new() })
    }

    /// Wakes everybody whom what the kernel has said by now concerns.
    pub(crate) fn pass_on(&self) -> io::Result<()> {
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut events = inotify::Reader::new(&self.inotify, &mut buffer);
        let mut watches = self.watches();
        loop {
            match events.next() {
                Ok(event) => watches.tell(event.wd(), event.events()),
                Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
                Err(errno) => return Err(errno.into()),
            }
            // What is said from now on is for the next round: a busy writer would hold this one for ever.
            if events.is_buffer_empty() {
                return Ok(());
            }
        }
    }

    /// Nobody will pass anything on any more: every reader has to look for itself.
    pub(crate) fn end(&self) {
        // Who calls this has said why.
        self.complaint.call_once(|| {});
        let mut watches = self.watches();
        watches.is_over = true;
        watches.readers.drain().flat_map(|(_, readers)| readers.bells).for_each(|bell| bell.lose());
    }

    /// Rings for a file from now on, for every write, too.
    fn add(&self, file: BorrowedFd<'_>, bell: &Arc<Bell>) -> io::Result<i32> {
        let mut watches = self.watches();
        if watches.is_over {
            return Err(io::Error::other("the watcher has ended"));
        }
        let descriptor = self.ask(file, RARE | WatchFlags::MODIFY)?;
        bell.reset();
        let readers = watches.readers.entry(descriptor).or_default();
        readers.bells.push(bell.clone());
        readers.listening += 1;
        Ok(descriptor)
    }

    fn remove(&self, watched: &Watched, bell: &Arc<Bell>) {
        let mut watches = self.watches();
        // What is not known any more was removed by the kernel, and its descriptor may be another file's some day.
        let Some(readers) = watches.readers.get_mut(&watched.descriptor) else { return };
        let Some(place) = readers.bells.iter().position(|other| Arc::ptr_eq(other, bell)) else { return };
        readers.bells.swap_remove(place);
        readers.listening -= usize::from(watched.is_listening);
        if readers.bells.is_empty() {
            watches.readers.remove(&watched.descriptor);
            // The kernel may have been faster, and has queued the word of it.
            let _ = inotify::remove_watch(&self.inotify, watched.descriptor);
        }
    }

    /// Another one is to know of every write, or one less.
    fn listen(&self, file: BorrowedFd<'_>, descriptor: i32, more: bool) -> io::Result<()> {
        let mut watches = self.watches();
        let readers = watches.readers.get_mut(&descriptor).ok_or(io::ErrorKind::NotFound)?;
        let answer = match (readers.listening, more) {
            (0, true) => self.ask(file, RARE | WatchFlags::MODIFY)?,
            (1, false) => self.ask(file, RARE)?,
            _ => descriptor,
        };
        if answer != descriptor {
            // The kernel had removed it, and has queued the word of it.
            return Err(io::ErrorKind::NotFound.into());
        }
        readers.listening = if more { readers.listening + 1 } else { readers.listening - 1 };
        Ok(())
    }

    /// The file is addressed by its descriptor: its name may lead to another one by now.
    fn ask(&self, file: BorrowedFd<'_>, events: WatchFlags) -> io::Result<i32> {
        Ok(inotify::add_watch(&self.inotify, format!("/proc/self/fd/{}", file.as_raw_fd()), events)?)
    }

    fn complain(&self, error: &io::Error) {
        self.complaint.call_once(|| log::warn!("not every log can be watched, some are polled: {}", cause(error)));
    }

    fn watches(&self) -> MutexGuard<'_, Watches> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Readable when there is something to pass on.
impl AsFd for Watcher {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

impl Watches {
    fn tell(&mut self, descriptor: i32, events: ReadFlags) {
        if events.contains(ReadFlags::QUEUE_OVERFLOW) {
            self.readers.values().flat_map(|readers| &readers.bells).for_each(|bell| bell.write());
        } else if events.contains(ReadFlags::IGNORED) {
            let readers = self.readers.remove(&descriptor).unwrap_or_default();
            readers.bells.iter().for_each(|bell| bell.lose());
        } else if let Some(readers) = self.readers.get(&descriptor) {
            readers.bells.iter().for_each(|bell| match events {
                _ if events.contains(ReadFlags::CLOSE_WRITE) => bell.close(),
                _ if events.contains(ReadFlags::MODIFY) => bell.write(),
                _ => bell.ring(),
            });
        }
    }
}

impl Watch {
    pub(crate) fn new(watcher: Arc<Watcher>) -> Watch {
        Watch { watcher, bell: None, watched: None }
    }

    /// Watches the file that is held, unless it is watched already. Whether it has been watched since before: what was
    /// done to it until now may have gone unseen.
    pub(crate) fn follow(&mut self, follower: &Follower) -> bool {
        let is_listening = self.watched(follower).map(|watched| watched.is_listening);
        if is_listening == Some(true) {
            return true;
        }
        if is_listening.is_some() && self.listen(follower, true) {
            return false;
        }
        self.leave();
        if let Err(error) = self.begin(follower) {
            self.watcher.complain(&error);
        }
        false
    }

    /// Writes need not be told for now, as the reader keeps looking: telling costs the writer time, and the server.
    pub(crate) fn rest(&mut self, follower: &Follower) {
        if self.watched(follower).is_some_and(|watched| watched.is_listening) {
            self.listen(follower, false);
        }
    }

    fn begin(&mut self, follower: &Follower) -> io::Result<()> {
        let bell = match &self.bell {
            Some(bell) => bell,
            None => self.bell.insert(Arc::new(Bell::new()?)),
        };
        let descriptor = self.watcher.add(follower.file().as_fd(), bell)?;
        let (file, is_local) = (follower.identity(), is_local(follower.file()));
        self.watched = Some(Watched { descriptor, file, is_local, is_listening: true });
        Ok(())
    }

    /// Whether that could be done for the file, which is watched.
    fn listen(&mut self, follower: &Follower, more: bool) -> bool {
        let Some(watched) = &mut self.watched else { return false };
        let is_done = self.watcher.listen(follower.file().as_fd(), watched.descriptor, more).is_ok();
        if is_done {
            watched.is_listening = more;
        }
        is_done
    }

    fn leave(&mut self) {
        if let (Some(watched), Some(bell)) = (self.watched.take(), &self.bell) {
            self.watcher.remove(&watched, bell);
        }
    }

    /// The watch on the file that is held.
    fn watched(&self, follower: &Follower) -> Option<&Watched> {
        let is_lost = self.bell.as_ref().is_none_or(|bell| bell.is_lost());
        self.watched.as_ref().filter(|watched| !is_lost && watched.file == follower.identity())
    }

    /// Whether all that can happen to the log next will be told.
    pub(crate) fn tells_all(&self, follower: &Follower) -> bool {
        let watched = self.watched(follower).filter(|watched| watched.is_listening && watched.is_local);
        watched.is_some() && follower.is_settled()
    }

    /// Readable when something has happened.
    pub(crate) fn bell(&self) -> Option<BorrowedFd<'_>> {
        self.bell.as_ref().map(|bell| bell.as_fd())
    }

    /// Before a look: what has happened by now will be seen by it.
    pub(crate) fn hush(&self, follower: &mut Follower) {
        let Some(bell) = &self.bell else { return };
        bell.hush();
        if self.watched(follower).is_some()
            && let Some(is_closed) = bell.take_closed()
        {
            follower.writer_closed(is_closed);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Whether all that is done to the file is done through this kernel, as far as is known: network file systems and FUSE
/// say nothing of what others do.
fn is_local(file: impl AsFd) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follow::root::Roots;
    use crate::protocol::request::{Address, Lines};
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use std::fs::{self, File};
    use std::io::Write;
    use std::path::PathBuf;
    use std::time::{Duration, Instant};

    struct Place {
        directory: tempfile::TempDir,
        watcher: Arc<Watcher>,
    }

    impl Place {
        fn new() -> Place {
            Place { directory: tempfile::tempdir().unwrap(), watcher: Arc::new(Watcher::new().unwrap()) }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.directory.path().join(name)
        }

        fn writer(&self, name: &str) -> File {
            fs::OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap()
        }

        /// A reader at the end of the log, and its watch.
        fn reader(&self, name: &str) -> (Follower, Watch) {
            let roots = Roots::open([self.directory.path()], false).unwrap();
            let (log, file) = roots.find(&Address::parse(&format!("/{name}")).unwrap()).unwrap().unwrap();
            let mut follower = Follower::new(log, file, Lines::Last(0), true, Duration::ZERO).unwrap();
            let mut watch = Watch::new(self.watcher.clone());
            read(&mut follower);
            assert!(!watch.follow(&follower) && watch.follow(&follower));
            (follower, watch)
        }

        fn count(&self) -> usize {
            let info = format!("/proc/self/fdinfo/{}", self.watcher.inotify.as_raw_fd());
            fs::read_to_string(info).unwrap().lines().filter(|line| line.starts_with("inotify ")).count()
        }

        fn is_rung(&self, watch: &Watch) -> bool {
            self.watcher.pass_on().unwrap();
            let now = Timespec { tv_sec: 0, tv_nsec: 0 };
            poll(&mut [PollFd::new(&watch.bell().unwrap(), PollFlags::IN)], Some(&now)).unwrap() == 1
        }
    }

    fn read(follower: &mut Follower) {
        while follower.poll(&mut [0; 64], Instant::now()).unwrap() != super::super::follower::Step::Quiet {}
    }

    #[test]
    fn a_write_rings_for_every_reader_of_the_file_and_no_other() {
        let place = Place::new();
        let [mut one, mut other] = ["one", "other"].map(|name| place.writer(name));
        let (mut first, second, third) = (place.reader("one"), place.reader("one"), place.reader("other"));
        assert_eq!(place.count(), 2);
        one.write_all(b"a\n").unwrap();
        assert!(place.is_rung(&first.1) && place.is_rung(&second.1) && !place.is_rung(&third.1));
        first.1.hush(&mut first.0);
        assert!(!place.is_rung(&first.1) && place.is_rung(&second.1));
        other.write_all(b"a\n").unwrap();
        assert!(!place.is_rung(&first.1) && place.is_rung(&third.1));
        one.write_all(b"b\n").unwrap();
        assert!(place.is_rung(&first.1));
    }

    #[test]
    fn what_befalls_the_name_rings_too() {
        let place = Place::new();
        let changes: [fn(&Place); 4] = [
            |place| fs::rename(place.path("log"), place.path("log.1")).unwrap(),
            |place| fs::rename(place.path("new"), place.path("log")).unwrap(),
            |place| fs::remove_file(place.path("log")).unwrap(),
            |place| place.writer("log").set_len(0).unwrap(),
        ];
        for change in changes {
            ["log", "new"].iter().for_each(|name| place.writer(name).write_all(b"a\n").unwrap());
            let (_follower, watch) = place.reader("log");
            assert!(!place.is_rung(&watch));
            change(&place);
            assert!(place.is_rung(&watch));
        }
    }

    #[test]
    fn a_close_counts_until_the_next_write() {
        let place = Place::new();
        let mut writer = place.writer("log");
        let (_follower, watch) = place.reader("log");
        let bell = watch.bell.as_ref().unwrap();
        assert_eq!(bell.take_closed(), None);
        place.writer("log").write_all(b"a\n").unwrap();
        assert!(place.is_rung(&watch));
        assert_eq!((bell.take_closed(), bell.take_closed()), (Some(true), None));
        place.writer("log").write_all(b"b\n").unwrap();
        writer.write_all(b"c\n").unwrap();
        assert!(place.is_rung(&watch));
        assert_eq!(bell.take_closed(), Some(false));
    }

    #[test]
    fn a_reader_that_rests_hears_no_writes_and_every_close() {
        let place = Place::new();
        let mut writer = place.writer("log");
        let (mut one, mut other) = (place.reader("log"), place.reader("log"));
        one.1.rest(&one.0);
        writer.write_all(b"a\n").unwrap();
        assert!(place.is_rung(&other.1), "the other listens");
        other.1.rest(&other.0);
        for (follower, watch) in [&mut one, &mut other] {
            watch.hush(follower);
        }
        writer.write_all(b"b\n").unwrap();
        assert!(!place.is_rung(&one.1) && !place.is_rung(&other.1) && !one.1.tells_all(&one.0));
        assert!(!one.1.follow(&one.0) && one.1.follow(&one.0), "what was written meanwhile was not told");
        writer.write_all(b"c\n").unwrap();
        assert!(place.is_rung(&one.1));
        one.1.rest(&one.0);
        one.1.hush(&mut one.0);
        drop(writer);
        assert!(place.is_rung(&one.1) && place.count() == 1);
    }

    #[test]
    fn the_watch_moves_on_with_the_reader() {
        let place = Place::new();
        place.writer("log").write_all(b"a\n").unwrap();
        let (mut follower, mut watch) = place.reader("log");
        fs::rename(place.path("log"), place.path("log.1")).unwrap();
        place.writer("log").write_all(b"b\n").unwrap();
        read(&mut follower);
        assert!(!watch.tells_all(&follower) && !watch.follow(&follower) && watch.follow(&follower));
        assert_eq!((place.count(), place.is_rung(&watch)), (1, false));
        place.writer("log.1").write_all(b"c\n").unwrap();
        assert!(!place.is_rung(&watch));
    }

    #[test]
    fn a_log_that_is_gone_or_behind_a_link_is_not_told_all_of() {
        let place = Place::new();
        place.writer("log");
        let (mut follower, watch) = place.reader("log");
        assert_eq!(watch.tells_all(&follower), is_local(follower.file()));
        fs::rename(place.path("log"), place.path("target")).unwrap();
        read(&mut follower);
        assert!(!watch.tells_all(&follower), "gone");
        std::os::unix::fs::symlink("target", place.path("log")).unwrap();
        read(&mut follower);
        assert!(!watch.tells_all(&follower), "a link");
    }

    #[test]
    fn thousands_of_watches_leave_nothing() {
        let place = Place::new();
        let names: Vec<_> = (0..8).map(|number| number.to_string()).collect();
        names.iter().for_each(|name| place.writer(name).write_all(b"a\n").unwrap());
        for _ in 0..50 {
            let readers: Vec<_> = (0..64).map(|number| place.reader(&names[number % names.len()])).collect();
            assert_eq!(place.count(), names.len());
            drop(readers);
        }
        assert_eq!(place.count(), 0);
        place.watcher.pass_on().unwrap();
        assert!(place.watcher.watches().readers.is_empty());
    }

    #[test]
    fn after_its_end_nothing_is_watched() {
        let place = Place::new();
        place.writer("log");
        let (follower, mut watch) = place.reader("log");
        place.watcher.end();
        assert!(place.is_rung(&watch));
        assert!(!watch.tells_all(&follower) && !watch.follow(&follower) && !watch.follow(&follower));
    }
}
