//! The thread that wakes connections when inotify reports a change in their logs, when a root is replaced, or when a
//! file system is mounted, which inotify does not report. It sleeps while nothing is reported. Roots and mounts are
//! watched only while a log is. Roots that cannot be watched are checked at every poll.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use super::shared::Shared;
use crate::error::cause;
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

/// Starts the thread if there is a watcher. It ends at shutdown.
pub(super) fn start(shared: &Arc<Shared>, shutdown: Shutdown) -> Option<JoinHandle<()>> {
    let watcher = shared.watcher.clone()?;
    let builder = thread::Builder::new().name("notifier".to_owned()).stack_size(STACK);
    let (notifier, shared) = (watcher.clone(), shared.clone());
    let thread = builder.spawn(move || {
        if let Err(error) = run(&notifier, &shared, &shutdown) {
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

fn run(watcher: &Arc<Watcher>, shared: &Shared, shutdown: &Shutdown) -> io::Result<()> {
    let mut roots_and_mounts = RootsAndMounts::new(watcher, shared);
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
    shared: &'s Shared,
    generations: Vec<Option<u64>>,
    root_routes: RootRoutes,
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
    fn new<'s>(watcher: &'s Arc<Watcher>, shared: &'s Shared) -> RootsAndMounts<'s> {
        let (root_routes, generations) = (RootRoutes::new(watcher.clone()), shared.roots.generations());
        let mounts = File::open("/proc/self/mountinfo").ok();
        RootsAndMounts { watcher, shared, generations, root_routes, is_covered: false, mounts, rests: None, due: None }
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
        if noticed || mounted {
            self.is_covered = self.root_routes.follow(&self.shared.roots) && self.mounts.is_some();
        }
        let generations = self.shared.roots.generations();
        if generations != self.generations {
            self.generations = generations;
            self.watcher.wake_all();
        }
        let now = Instant::now();
        self.rests = Some(now + REST);
        self.due = (!self.is_covered).then(|| now + self.shared.config.poll);
    }

    /// No log is watched any more.
    fn leave(&mut self) {
        self.root_routes.leave();
        self.due = None;
    }
}

fn complain(error: &io::Error) {
    log::warn!("cannot use inotify, polling logs instead: {}", cause(error));
}
