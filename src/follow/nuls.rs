//! NULs that are not data yet. A file that is preallocated, or written to out of order (NFS, pwrite), holds NULs where
//! bytes will be; a log may also really contain NULs. Only time tells.

use std::io;
use std::time::{Duration, Instant};

use super::log::open::{Hold, OpenLog};

#[derive(Debug, Default)]
pub(super) struct Nuls {
    waiting: Option<Waiting>,
    /// NULs before this offset are data.
    released: u64,
    /// The log has shown that NULs between its bytes are data.
    are_data: bool,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    since: Instant,
    patience: Duration,
    /// The file's size and modification time when it was last found that nothing follows the NULs.
    idle: Option<(u64, i64)>,
}

/// How long NULs are waited on to become bytes.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long NULs at the start of a truncated log are waited on before they are taken for a hole.
const HOLE: Duration = Duration::from_millis(200);
/// A longer run at the end of a file is space that was allocated in advance: it is never data while the file is current.
const ALLOCATED: u64 = 512;

impl Nuls {
    /// Which NULs to hold back when reading at `offset`, and how many bytes to read at most. `holds`: the file may still
    /// be written to. `opened`: its size when it was opened.
    pub fn hold(&self, holds: bool, offset: u64, opened: u64) -> (Hold, u64) {
        match () {
            () if !holds => (Hold::Nothing, u64::MAX),
            () if offset < self.released => (Hold::Nothing, self.released - offset),
            () if self.are_data => (Hold::Trailing, u64::MAX),
            () => (Hold::From(opened), u64::MAX),
        }
    }

    /// There is nothing but NULs. Whether they are to be waited on; otherwise they are data.
    pub fn wait(&mut self, open: &OpenLog, now: Instant) -> io::Result<bool> {
        let waiting = self.waiting.get_or_insert(Waiting { since: now, patience: PATIENCE, idle: None });
        if now < waiting.since + waiting.patience {
            return Ok(true);
        }
        let status = open.file.status()?;
        if waiting.idle == Some((status.size, status.written)) {
            return Ok(true);
        }
        let released = match open.behind_nuls()? {
            Some(data) => data,
            None if status.size - open.offset.min(status.size) < ALLOCATED => status.size,
            None => {
                *waiting = Waiting { since: now, idle: Some((status.size, status.written)), ..*waiting };
                return Ok(true);
            }
        };
        *self = Nuls { waiting: None, released, are_data: true };
        Ok(false)
    }

    /// The file will not be written to any more: what is left of it is data. Whether anything is.
    pub fn release(&mut self, open: &OpenLog) -> io::Result<bool> {
        let size = open.file.status()?.size;
        let is_any = self.is_waiting() && size > open.offset;
        if is_any {
            *self = Nuls { waiting: None, released: u64::MAX, are_data: true };
        }
        Ok(is_any)
    }

    /// There are NULs before the first bytes of a truncated log. Whether they have been there for so long that they are a
    /// hole, and not the place of bytes that are still to come.
    pub fn is_hole(&mut self, now: Instant) -> bool {
        let waiting = self.waiting.get_or_insert(Waiting { since: now, patience: HOLE, idle: None });
        let is_over = now >= waiting.since + waiting.patience;
        if is_over {
            self.waiting = None;
        }
        is_over
    }

    pub fn note_bytes(&mut self) {
        self.waiting = None;
    }

    pub fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// When it may be known whether they are data.
    pub fn due(&self) -> Option<Instant> {
        self.waiting.filter(|waiting| waiting.idle.is_none()).map(|waiting| waiting.since + waiting.patience)
    }
}
