//! The one wait of a turn: poll(2) on a socket, the shutdown, and the waker that reports changes in a log.

use std::io;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::io::Errno;

use crate::shutdown::Shutdown;

/// What to wait for on a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Interest {
    pub read: bool,
    pub write: bool,
}

/// How the wait ended. If nothing is set, time was up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ready {
    pub read: bool,
    pub write: bool,
    /// The shutdown was triggered.
    pub stop: bool,
    /// The waker is readable.
    pub waker: bool,
}

/// Waits until `socket` is ready for `interest`, the shutdown is triggered, or `until` has come. A connection in error
/// counts as ready for both: the next call on it returns the error.
pub(crate) fn wait(
    socket: BorrowedFd<'_>,
    interest: Interest,
    shutdown: Option<&Shutdown>,
    until: Option<Instant>,
) -> io::Result<Ready> {
    wait_beside(socket, interest, shutdown, None, until)
}

/// Like [`wait`], but also until `waker` is readable.
pub(crate) fn wait_beside(
    socket: BorrowedFd<'_>,
    interest: Interest,
    shutdown: Option<&Shutdown>,
    waker: Option<BorrowedFd<'_>>,
    until: Option<Instant>,
) -> io::Result<Ready> {
    let mut flags = PollFlags::empty();
    flags.set(PollFlags::IN, interest.read);
    flags.set(PollFlags::OUT, interest.write);
    let beside = [shutdown.map(Shutdown::as_fd), waker];
    // If one is missing, pass the socket again without any events.
    let [stop, waker] = beside.map(|fd| match fd {
        Some(fd) => PollFd::from_borrowed_fd(fd, PollFlags::IN),
        None => PollFd::from_borrowed_fd(socket, PollFlags::empty()),
    });
    let mut fds = [PollFd::from_borrowed_fd(socket, flags), stop, waker];
    match poll(&mut fds, timeout(until).as_ref()) {
        Ok(_) => {}
        Err(Errno::INTR) => return Ok(Ready::default()),
        Err(errno) => return Err(errno.into()),
    }
    // On Windows each flag is several bits.
    let socket = fds[0].revents();
    let broken = socket.intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL);
    Ok(Ready {
        read: broken || socket.intersects(PollFlags::IN),
        write: broken || socket.intersects(PollFlags::OUT),
        stop: beside[0].is_some() && !fds[1].revents().is_empty(),
        waker: beside[1].is_some() && !fds[2].revents().is_empty(),
    })
}

/// The time left, in the form that poll(2) takes; `None` waits forever.
pub(crate) fn timeout(until: Option<Instant>) -> Option<Timespec> {
    let left: Duration = until?.saturating_duration_since(Instant::now());
    Timespec::try_from(left).ok()
}
