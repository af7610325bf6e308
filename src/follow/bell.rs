//! What wakes one reader: an eventfd that is rung once, however much happens until the reader looks.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use rustix::event::{EventfdFlags, eventfd};
use rustix::io::{read, write};

pub(super) struct Bell {
    fd: OwnedFd,
    /// It need not be rung again.
    is_rung: AtomicBool,
    /// What was done to the watched file last: [`NOTHING`] of note, [`WRITTEN`], or [`CLOSED`].
    done: AtomicU8,
    /// The watched file is not watched any more.
    is_lost: AtomicBool,
}

const NOTHING: u8 = 0;
const WRITTEN: u8 = 1;
const CLOSED: u8 = 2;

impl Bell {
    pub(super) fn new() -> io::Result<Bell> {
        let fd = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        let (is_rung, done, is_lost) = Default::default();
        Ok(Bell { fd, is_rung, done, is_lost })
    }

    /// It is for another file from now on.
    pub(super) fn reset(&self) {
        self.done.store(NOTHING, Ordering::Release);
        self.is_lost.store(false, Ordering::Release);
    }

    pub(super) fn ring(&self) {
        if !self.is_rung.swap(true, Ordering::AcqRel) {
            let _ = write(&self.fd, &1_u64.to_ne_bytes());
        }
    }

    /// Before a look: what has happened by now will be seen by it.
    pub(super) fn hush(&self) {
        // A word that is still on its way will come, and has to be taken then: until it is the bell counts as rung.
        if self.is_rung.load(Ordering::Acquire) && read(&self.fd, &mut [0; 8]).is_ok() {
            // Only now: a ring between the two would leave a bell that counts as rung and is not. A swap, no store: what
            // a ring before it stands for is seen by the look that comes after it.
            self.is_rung.swap(false, Ordering::AcqRel);
        }
    }

    /// Rings because the file was written to.
    pub(super) fn write(&self) {
        self.done.store(WRITTEN, Ordering::Release);
        self.ring();
    }

    /// Rings because a writer closed the file.
    pub(super) fn close(&self) {
        self.done.store(CLOSED, Ordering::Release);
        self.ring();
    }

    /// Whether a writer has closed the file, or another has written to it, since this was asked last.
    pub(super) fn take_closed(&self) -> Option<bool> {
        let done = self.done.swap(NOTHING, Ordering::AcqRel);
        (done != NOTHING).then_some(done == CLOSED)
    }

    /// Rings for the last time for this file.
    pub(super) fn lose(&self) {
        self.is_lost.store(true, Ordering::Release);
        self.ring();
    }

    pub(super) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Acquire)
    }
}

/// Readable when it was rung.
impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl fmt::Debug for Bell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Bell").field(&self.fd).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    fn is_heard(bell: &Bell) -> bool {
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut [PollFd::new(bell, PollFlags::IN)], Some(&now)).unwrap() == 1
    }

    #[test]
    fn rings_are_heard_once() {
        let bell = Bell::new().unwrap();
        bell.hush();
        assert!(!is_heard(&bell));
        bell.ring();
        bell.ring();
        assert!(is_heard(&bell));
        bell.hush();
        assert!(!is_heard(&bell));
    }

    #[test]
    fn a_hush_in_the_midst_of_a_ring_does_not_leave_it_ringing() {
        let bell = Bell::new().unwrap();
        // As `ring` does it, in two steps.
        assert!(!bell.is_rung.swap(true, Ordering::AcqRel));
        bell.hush();
        write(&bell.fd, &1_u64.to_ne_bytes()).unwrap();
        assert!(is_heard(&bell));
        bell.hush();
        assert!(!is_heard(&bell));
        bell.ring();
        assert!(is_heard(&bell));
    }
}
