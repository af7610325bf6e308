//! What the kernel reports about a file or a directory, whichever process does it.

use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

/// A watch on a file or a directory. Opening a file with O_PATH is not reported.
pub struct Inotify(OwnedFd);

impl Inotify {
    pub fn watch(path: &Path, events: WatchFlags) -> Inotify {
        let queue = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).unwrap();
        inotify::add_watch(&queue, path, events).unwrap();
        Inotify(queue)
    }

    /// What has happened since the last call, and to which name in a directory that is watched.
    pub fn events(&self) -> Vec<(ReadFlags, String)> {
        let (mut buffer, mut events) = ([MaybeUninit::uninit(); 4096], Vec::new());
        let mut reader = Reader::new(&self.0, &mut buffer);
        loop {
            match reader.next() {
                Err(Errno::AGAIN) => return events,
                event => {
                    let event = event.unwrap();
                    assert!(!event.events().contains(ReadFlags::QUEUE_OVERFLOW), "events are missing");
                    let name = event.file_name().map(|name| name.to_string_lossy().into_owned());
                    events.push((event.events(), name.unwrap_or_default()));
                }
            }
        }
    }
}
