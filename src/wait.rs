//! The one wait of a turn: poll(2) over a socket, the order to stop, and what tells of changes in a log.

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
    /// The bell has rung.
    pub bell: bool,
}

/// Waits until `socket` is ready for what is asked, the order to stop is given, or `until` has come.
/// A connection in error counts as ready for both: the next call on it tells.
pub(crate) fn wait(
    socket: BorrowedFd<'_>,
    interest: Interest,
    shutdown: Option<&Shutdown>,
    until: Option<Instant>,
) -> io::Result<Ready> {
    wait_beside(socket, interest, shutdown, None, until)
}

/// The same, or until `bell` is readable.
pub(crate) fn wait_beside(
    socket: BorrowedFd<'_>,
    interest: Interest,
    shutdown: Option<&Shutdown>,
    bell: Option<BorrowedFd<'_>>,
    until: Option<Instant>,
) -> io::Result<Ready> {
    let mut flags = PollFlags::empty();
    flags.set(PollFlags::IN, interest.read);
    flags.set(PollFlags::OUT, interest.write);
    let beside = [shutdown.map(Shutdown::as_fd), bell];
    // Where there is none, the socket stands in and is asked for nothing.
    let [stop, bell] = beside.map(|fd| match fd {
        Some(fd) => PollFd::from_borrowed_fd(fd, PollFlags::IN),
        None => PollFd::from_borrowed_fd(socket, PollFlags::empty()),
    });
    let mut fds = [PollFd::from_borrowed_fd(socket, flags), stop, bell];
    match poll(&mut fds, timeout(until).as_ref()) {
        Ok(_) => {}
        Err(Errno::INTR) => return Ok(Ready::default()),
        Err(errno) => return Err(errno.into()),
    }
    let socket = fds[0].revents();
    let broken = socket.intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL);
    Ok(Ready {
        read: broken || socket.contains(PollFlags::IN),
        write: broken || socket.contains(PollFlags::OUT),
        stop: beside[0].is_some() && !fds[1].revents().is_empty(),
        bell: beside[1].is_some() && !fds[2].revents().is_empty(),
    })
}

/// The time left, in the form poll(2) takes; `None` waits for ever.
pub(crate) fn timeout(until: Option<Instant>) -> Option<Timespec> {
    let left: Duration = until?.saturating_duration_since(Instant::now());
    Timespec::try_from(left).ok()
}
