//! The thread that wakes connections when the kernel tells of changes in their logs. It sleeps while none is told.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::error::cause;
use crate::follow::watch::Watcher;
use crate::shutdown::Shutdown;
use crate::wait::{Interest, wait};

/// Between two rounds: a writer that does not pause would wake its readers for every line.
const PAUSE: Duration = Duration::from_millis(1);
const STACK: usize = 128 * 1024;

/// An inotify instance, unless there is none to be had.
pub(super) fn watcher() -> Option<Arc<Watcher>> {
    Watcher::new().map(Arc::new).map_err(|error| complain(&error)).ok()
}

/// Starts the thread; it ends when the order to stop is given.
pub(super) fn start(watcher: Arc<Watcher>, shutdown: Shutdown) -> Option<JoinHandle<()>> {
    let builder = thread::Builder::new().name("notifier".to_owned()).stack_size(STACK);
    let notifier = watcher.clone();
    let thread = builder.spawn(move || {
        if let Err(error) = run(&notifier, &shutdown) {
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

fn run(watcher: &Watcher, shutdown: &Shutdown) -> io::Result<()> {
    let interest = Interest { read: true, write: false };
    loop {
        let ready = wait(watcher.as_fd(), interest, Some(shutdown), None)?;
        if ready.stop {
            return Ok(());
        }
        if ready.read {
            watcher.pass_on()?;
            thread::sleep(PAUSE);
        }
    }
}

fn complain(error: &io::Error) {
    log::warn!("no word of changes, logs are polled: {}", cause(error));
}
