//! The one wait of a turn: poll(2) over a socket and the order to stop.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::shutdown::Shutdown;

/// What a socket is waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Interest {
    pub read: bool,
    pub write: bool,
}

/// What the wait ended with; nothing set means that time was up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ready {
    pub read: bool,
    pub write: bool,
    /// The order to stop was given.
    pub stop: bool,
}

/// Waits until `socket` is ready for what is asked, the order to stop is given, or `until` has come.
/// A connection in error counts as ready for both: the next call on it tells.
pub(crate) fn wait(
    socket: BorrowedFd<'_>,
    interest: Interest,
    shutdown: Option<&Shutdown>,
    until: Option<Instant>,
) -> io::Result<Ready> {
    let mut flags = PollFlags::empty();
    flags.set(PollFlags::IN, interest.read);
    flags.set(PollFlags::OUT, interest.write);
    let socket = PollFd::from_borrowed_fd(socket, flags);
    let mut fds = [socket.clone(), socket];
    let count = shutdown.map_or(1, |shutdown| {
        fds[1] = PollFd::from_borrowed_fd(shutdown.as_fd(), PollFlags::IN);
        2
    });
    match poll(&mut fds[..count], timeout(until).as_ref()) {
        Ok(_) => {}
        Err(Errno::INTR) => return Ok(Ready::default()),
        Err(errno) => return Err(errno.into()),
    }
    let socket = fds[0].revents();
    let broken = socket.intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL);
    Ok(Ready {
        read: broken || socket.contains(PollFlags::IN),
        write: broken || socket.contains(PollFlags::OUT),
        stop: shutdown.is_some() && !fds[1].revents().is_empty(),
    })
}

/// The time left, in the form poll(2) takes; `None` waits for ever.
pub(crate) fn timeout(until: Option<Instant>) -> Option<Timespec> {
    let left: Duration = until?.saturating_duration_since(Instant::now());
    Timespec::try_from(left).ok()
}
