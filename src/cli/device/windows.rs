//! Stdout on Windows, where nothing tells whether there is room to write, or whether the reader of a pipe has left.

use std::fs::{File, Metadata};
use std::io::{self, Write};
use std::os::windows::io::AsHandle;
use std::time::Duration;

use wstail::Shutdown;

#[derive(Debug)]
pub(super) struct Device {
    file: File,
}

impl Device {
    pub(super) fn stdout() -> io::Result<Device> {
        Ok(Device { file: File::from(io::stdout().as_handle().try_clone_to_owned()?) })
    }

    pub(super) fn metadata(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }

    pub(super) fn has_room(&self, _shutdown: Option<&Shutdown>, _time: Duration) -> io::Result<bool> {
        Ok(true)
    }

    /// Writes through the standard library, which turns UTF-8 into what the console takes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut stdout = io::stdout().lock();
        let written = stdout.write(bytes)?;
        stdout.flush()?;
        Ok(written)
    }
}

/// Only a log that is read without a server can be the output, and there is none here.
pub(super) fn is_stdout(_file: &Metadata) -> bool {
    false
}

/// Blocks until the shutdown is triggered. That the reader has left is noticed at the next write.
pub(super) fn wait_for_reader_to_leave(shutdown: &Shutdown) {
    while !shutdown.sleep(Duration::from_secs(3600)) {}
}
