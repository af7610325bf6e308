//! A place in a log: which file, how far, and what stood just before. It is what a cursor contains
//! (`cursor_format`), and the server keeps nothing else.

/// How many of a file's first bytes tell it from others, at most.
pub(super) const HEAD: usize = 1024;
/// How many of the bytes before a place are remembered, at most: a log that was truncated and has grown again differs
/// in them.
pub(super) const BEFORE: usize = 512;

/// A place in a file that may have another name by now, or be gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    pub(super) identity: Identity,
    /// The file's change time when the log's name was last seen to lead to it: what came into being later comes after it. A
    /// hint only: the kernel sets it by a clock that may be set back.
    pub(super) changed: i64,
    /// The file's first bytes, also those beyond `offset`.
    pub(super) head: Print,
    pub(super) offset: u64,
    /// The bytes just before `offset`.
    pub(super) before: Print,
    /// The file was truncated, and nothing of it has come since: a hole at its start is no log.
    pub(super) is_fresh: bool,
}

/// What a file system calls a file. The number alone is given to another one as soon as the file is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    pub device: u64,
    pub inode: u64,
    /// In nanoseconds since the epoch; not every file system knows it.
    pub born: Option<i64>,
}

impl Identity {
    /// Whether both bear the same number on the same device.
    pub fn is_same_number(&self, other: &Identity) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

/// A fingerprint of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Print {
    pub length: u16,
    pub hash: u64,
}

impl Print {
    /// FNV-1a, 64 bits: it need not withstand an enemy, since no cursor opens another log than its request names.
    pub(super) fn of(bytes: &[u8]) -> Print {
        let mix = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Print { length: bytes.len() as u16, hash: bytes.iter().fold(0xcbf2_9ce4_8422_2325, mix) }
    }
}

impl Position {
    /// Whether no byte speaks for it: the file was empty.
    pub fn is_bare(&self) -> bool {
        self.evidence() == 0
    }

    /// The place at the start of the file, if this place is that many bytes behind it.
    pub fn start(&self, bytes: usize) -> Option<Position> {
        let start = Position { offset: 0, before: Print::of(b""), ..self.clone() };
        (self.offset == bytes as u64).then_some(start)
    }

    /// How many bytes speak for it.
    pub(super) fn evidence(&self) -> u64 {
        self.offset.max(self.head.length.into())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A place that many bytes into a file, of which nothing else is known.
    pub(crate) fn place(offset: u64) -> Position {
        let empty = Print::of(b"");
        Position { offset, head: empty, before: empty, ..position() }
    }

    pub(in crate::follow) fn position() -> Position {
        Position {
            identity: Identity { device: 1, inode: 2, born: Some(-3) },
            changed: 4,
            head: Print::of(b"head"),
            offset: 5,
            before: Print::of(b"fore"),
            is_fresh: false,
        }
    }
}
