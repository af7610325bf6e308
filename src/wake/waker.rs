//! Wakes one reader: an eventfd(2) that is written to once, no matter how much happens before the reader polls its log.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use rustix::event::{EventfdFlags, eventfd};
use rustix::io::{read, write};

pub(super) struct Waker {
    fd: OwnedFd,
    /// [`Waker::wake`] was called since the last [`Waker::clear`]: there is no need to write again.
    is_woken: AtomicBool,
    /// The last thing that happened to the watched file: [`NOTHING`] that matters, [`WRITTEN`], or [`CLOSED`].
    done: AtomicU8,
    /// The file is no longer watched.
    is_lost: AtomicBool,
}

const NOTHING: u8 = 0;
const WRITTEN: u8 = 1;
const CLOSED: u8 = 2;

impl Waker {
    pub(super) fn new() -> io::Result<Waker> {
        let fd = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        let (is_woken, done, is_lost) = Default::default();
        Ok(Waker { fd, is_woken, done, is_lost })
    }

    /// Prepares the waker for another file.
    pub(super) fn reset(&self) {
        self.done.store(NOTHING, Ordering::Release);
        self.is_lost.store(false, Ordering::Release);
    }

    pub(super) fn wake(&self) {
        if !self.is_woken.swap(true, Ordering::AcqRel) {
            let _ = write(&self.fd, &1_u64.to_ne_bytes());
        }
    }

    /// Makes the eventfd unreadable again. Call this before polling the log: the poll then finds whatever happened
    /// before.
    pub(super) fn clear(&self) {
        // `wake` sets the flag before it writes. If that write is still to come, keep the flag: a later `clear` reads
        // it.
        if self.is_woken.load(Ordering::Acquire) && read(&self.fd, &mut [0; 8]).is_ok() {
            // Clear the flag after the read. In the other order, a `wake` between the two would leave the flag set and
            // the eventfd empty, and nothing would wake the reader again. A swap rather than a store, so that the poll
            // that follows sees everything that happened before an earlier `wake`.
            self.is_woken.swap(false, Ordering::AcqRel);
        }
    }

    /// The file was written to.
    pub(super) fn write(&self) {
        self.done.store(WRITTEN, Ordering::Release);
        self.wake();
    }

    /// A writer closed the file.
    pub(super) fn close(&self) {
        self.done.store(CLOSED, Ordering::Release);
        self.wake();
    }

    /// Whether the last thing that happened was a close (`true`) or a write (`false`). `None` if neither happened since
    /// the last call.
    pub(super) fn take_closed(&self) -> Option<bool> {
        let done = self.done.swap(NOTHING, Ordering::AcqRel);
        (done != NOTHING).then_some(done == CLOSED)
    }

    /// The file is no longer watched: wakes the reader for the last time.
    pub(super) fn mark_lost(&self) {
        self.is_lost.store(true, Ordering::Release);
        self.wake();
    }

    pub(super) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Acquire)
    }
}

/// Readable after [`Waker::wake`].
impl AsFd for Waker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl fmt::Debug for Waker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Waker").field(&self.fd).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    fn is_readable(waker: &Waker) -> bool {
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut [PollFd::new(waker, PollFlags::IN)], Some(&now)).unwrap() == 1
    }

    #[test]
    fn wakes_are_heard_once() {
        let waker = Waker::new().unwrap();
        waker.clear();
        assert!(!is_readable(&waker));
        waker.wake();
        waker.wake();
        assert!(is_readable(&waker));
        waker.clear();
        assert!(!is_readable(&waker));
    }

    #[test]
    fn a_clear_during_a_wake_leaves_nothing_pending() {
        let waker = Waker::new().unwrap();
        // The first of the two steps of `wake`.
        assert!(!waker.is_woken.swap(true, Ordering::AcqRel));
        waker.clear();
        write(&waker.fd, &1_u64.to_ne_bytes()).unwrap();
        assert!(is_readable(&waker));
        waker.clear();
        assert!(!is_readable(&waker));
        waker.wake();
        assert!(is_readable(&waker));
    }
}
