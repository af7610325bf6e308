//! The thread that wakes connections when inotify reports a change in their logs, when a root is replaced, or when a
//! file system is mounted, which inotify does not report. It sleeps while nothing is reported. Roots and mounts are
//! watched only while a log is. Roots that cannot be watched are checked at every poll.

use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use crate::error::cause;
use crate::follow::root::Roots;
use crate::shutdown::Shutdown;
use crate::wait::timeout;
use crate::wake::root_routes::RootRoutes;
use crate::wake::watcher::Watcher;

/// The pause between two rounds. Without it, a writer that never pauses would wake its readers for every line.
const PAUSE: Duration = Duration::from_millis(1);
/// The pause between two checks of the roots, in case something above them changes all the time, or the mounts do.
const REST: Duration = Duration::from_millis(50);
const STACK: usize = 128 * 1024;

/// An inotify instance, or `None` if it is unavailable.
pub(super) fn watcher() -> Option<Arc<Watcher>> {
    Watcher::new().map(Arc::new).map_err(|error| complain(&error)).ok()
}

/// Roots whose logs are to be watched, on their way to the thread. Those that are not used any more are forgotten there.
#[derive(Debug, Default)]
pub(super) struct NewRoots(Mutex<Vec<WatchedRoots>>);

impl NewRoots {
    /// If the thread has been started already, call [`Watcher::note_roots`] after this.
    pub(super) fn add(&self, roots: &Arc<Roots>) {
        let (generations, roots) = (roots.generations(), Arc::downgrade(roots));
        self.lock().push(WatchedRoots { roots, generations, routes: None });
    }

    fn lock(&self) -> MutexGuard<'_, Vec<WatchedRoots>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Roots as of the last check.
#[derive(Debug)]
struct WatchedRoots {
    roots: Weak<Roots>,
    generations: Vec<Option<u64>>,
    routes: Option<RootRoutes>,
}

impl WatchedRoots {
    /// Watches the routes to the roots. Returns whether every change to them will be noticed.
    fn follow(&mut self, watcher: &Arc<Watcher>) -> bool {
        let routes = self.routes.get_or_insert_with(|| RootRoutes::new(watcher.clone()));
        self.roots.upgrade().is_none_or(|roots| routes.follow(&roots))
    }

    fn leave(&mut self) {
        self.routes.iter_mut().for_each(RootRoutes::leave);
    }

    /// Whether one of the roots was replaced since the last check.
    fn were_replaced(&mut self) -> bool {
        let Some(roots) = self.roots.upgrade() else { return false };
        let generations = roots.generations();
        let before = std::mem::replace(&mut self.generations, generations);
        before != self.generations
    }
}

/// Starts the watcher's thread. It ends at shutdown. Roots that cannot be watched are checked every `poll`.
pub(super) fn start(
    watcher: &Arc<Watcher>,
    new: Arc<NewRoots>,
    poll: Duration,
    shutdown: Shutdown,
) -> Option<JoinHandle<()>> {
    let builder = thread::Builder::new().name("notifier".to_owned()).stack_size(STACK);
    let notifier = watcher.clone();
    let thread = builder.spawn(move || {
        if let Err(error) = run(RootsAndMounts::new(&notifier, &new, poll), &shutdown) {
            complain(&error);
        }
        notifier.end();
    });
    let failed = |error: io::Error| {
        complain(&error);
        watcher.end();
    };
    thread.map_err(failed).ok()
}

fn run(mut roots_and_mounts: RootsAndMounts<'_>, shutdown: &Shutdown) -> io::Result<()> {
    let watcher = roots_and_mounts.watcher;
    loop {
        let [stop, is_reported, noticed, mounted] = roots_and_mounts.wait(shutdown)?;
        if stop {
            return Ok(());
        }
        if noticed {
            // Reset the notice before asking whether the watcher is used: a later notice is for the next round.
            watcher.clear();
        }
        if is_reported {
            watcher.pass_on()?;
        }
        if !watcher.is_used() {
            roots_and_mounts.leave();
        } else if noticed || mounted || roots_and_mounts.is_due() {
            roots_and_mounts.check(noticed, mounted);
        }
        if is_reported {
            thread::sleep(PAUSE);
        }
    }
}

/// What all logs depend on, the roots and the mounts, as of the last check.
struct RootsAndMounts<'s> {
    watcher: &'s Arc<Watcher>,
    new: &'s NewRoots,
    poll: Duration,
    watched: Vec<WatchedRoots>,
    /// Every change to the roots will be noticed.
    is_covered: bool,
    /// This process's mounts. poll(2) reports an error on the file when they have changed, see proc_pid_mountinfo(5).
    mounts: Option<File>,
    /// No check before this time.
    rests: Option<Instant>,
    /// A check at this time even if nothing is noticed, because not everything can be.
    due: Option<Instant>,
}

impl RootsAndMounts<'_> {
    fn new<'s>(watcher: &'s Arc<Watcher>, new: &'s NewRoots, poll: Duration) -> RootsAndMounts<'s> {
        let mounts = File::open("/proc/self/mountinfo").ok();
        let (watched, is_covered, rests, due) = Default::default();
        RootsAndMounts { watcher, new, poll, watched, is_covered, mounts, rests, due }
    }

    /// Waits for shutdown, for events to pass on, for a notice, or for a change in the mounts.
    fn wait(&mut self, shutdown: &Shutdown) -> io::Result<[bool; 4]> {
        self.rests = self.rests.filter(|rests| *rests > Instant::now());
        let mut fds = vec![PollFd::new(shutdown, PollFlags::IN), PollFd::new(&**self.watcher, PollFlags::IN)];
        if self.rests.is_none() {
            fds.push(PollFd::from_borrowed_fd(self.watcher.notice(), PollFlags::IN));
            // Nothing depends on the mounts while no log is watched. The first reader's notice brings about the first
            // check.
            let mounts = self.mounts.as_ref().filter(|_| self.watcher.is_used());
            fds.extend(mounts.map(|mounts| PollFd::new(mounts, PollFlags::PRI)));
        }
        let until = self.rests.into_iter().chain(self.due).min();
        match poll(&mut fds, timeout(until).as_ref()) {
            Ok(_) => Ok(std::array::from_fn(|place| fds.get(place).is_some_and(|fd| !fd.revents().is_empty()))),
            Err(Errno::INTR) => Ok([false; 4]),
            Err(errno) => Err(errno.into()),
        }
    }

    fn is_due(&self) -> bool {
        self.due.is_some_and(|due| due <= Instant::now())
    }

    fn check(&mut self, noticed: bool, mounted: bool) {
        if mounted {
            self.watcher.wake_all();
        }
        self.watched.append(&mut self.new.lock());
        self.watched.retain_mut(|watched| {
            let is_used = watched.roots.strong_count() > 0;
            if !is_used {
                watched.leave();
            }
            is_used
        });
        if noticed || mounted {
            self.is_covered = self.mounts.is_some();
            for watched in &mut self.watched {
                self.is_covered &= watched.follow(self.watcher);
            }
        }
        let mut were_replaced = false;
        for watched in &mut self.watched {
            were_replaced |= watched.were_replaced();
        }
        if were_replaced {
            self.watcher.wake_all();
        }
        let now = Instant::now();
        self.rests = Some(now + REST);
        self.due = (!self.is_covered).then(|| now + self.poll);
    }

    /// No log is watched any more.
    fn leave(&mut self) {
        self.watched.iter_mut().for_each(WatchedRoots::leave);
        self.due = None;
    }
}

fn complain(error: &io::Error) {
    log::warn!("cannot use inotify, polling logs instead: {}", cause(error));
}
