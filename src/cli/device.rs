//! Stdout as the system sees it: whether there is room to write, and whether its reader has left.

use std::fs::{File, Metadata};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::fstat;
use rustix::io::Errno;
use wstail::Shutdown;

/// A pipe that is ready accepts this much at once (PIPE_BUF, pipe(7)).
const PIPE_ROOM: usize = 4096;

/// Stdout, without a buffer: a line is on the terminal when it is printed.
#[derive(Debug)]
pub(super) struct Device {
    file: File,
    /// Whether it is a file, which never blocks.
    is_file: bool,
}

impl Device {
    pub(super) fn stdout() -> io::Result<Device> {
        let file = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let is_file = file.metadata()?.is_file();
        Ok(Device { file, is_file })
    }

    pub(super) fn metadata(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }

    /// Waits for room to write, for this time at most; a shutdown ends the wait. Returns whether there is room.
    pub(super) fn has_room(&self, shutdown: Option<&Shutdown>, time: Duration) -> io::Result<bool> {
        let stdout = PollFd::new(&self.file, PollFlags::OUT);
        let time = Timespec::try_from(time).ok();
        let waited = |fds: &mut [PollFd<'_>]| match poll(fds, time.as_ref()) {
            Err(Errno::INTR) => Ok(false),
            result => result.map(|_| !fds[0].revents().is_empty()),
        };
        let waited = match shutdown {
            Some(shutdown) => waited(&mut [stdout, PollFd::new(shutdown, PollFlags::IN)]),
            None => waited(&mut [stdout]),
        };
        Ok(waited?)
    }

    /// Writes as much as there is room for, after [`Device::has_room`].
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_file { self.file.write(bytes) } else { self.write_now(bytes) }
    }

    #[cfg(target_os = "linux")]
    fn write_now(&mut self, bytes: &[u8]) -> io::Result<usize> {
        use rustix::io::{ReadWriteFlags, pwritev2};
        // The current position, which is the only one that a pipe has.
        const NEXT: u64 = u64::MAX;
        match pwritev2(&self.file, &[io::IoSlice::new(bytes)], NEXT, ReadWriteFlags::NOWAIT) {
            // Pipes support this since Linux 6.5, terminals do not.
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => self.write_little(bytes),
            result => Ok(result?),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn write_now(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_little(bytes)
    }

    fn write_little(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(&bytes[..bytes.len().min(PIPE_ROOM)])
    }
}

/// Whether stdout is this file.
#[allow(clippy::unnecessary_cast, reason = "macOS has other types")]
pub(super) fn is_stdout(file: &Metadata) -> bool {
    fstat(io::stdout()).is_ok_and(|stdout| (file.dev(), file.ino()) == (stdout.st_dev as u64, stdout.st_ino as u64))
}

/// Blocks until the reader of a pipe that stdout is has left, or the shutdown is triggered.
pub(super) fn wait_for_reader_to_leave(shutdown: &Shutdown) {
    let stdout = io::stdout();
    let stdout = PollFd::from_borrowed_fd(stdout.as_fd(), PollFlags::empty());
    let mut fds = [stdout, PollFd::new(shutdown, PollFlags::IN)];
    while poll(&mut fds, None).is_err_and(|errno| errno == Errno::INTR) {}
}
