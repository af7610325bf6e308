//! What is known of the bytes of the open file that were read and not used; `give_back` has what is done with them.

use super::position::Print;

/// The bytes from the place up to the offset of the open file.
#[derive(Debug)]
pub(super) struct Unused {
    /// Where they begin: the place.
    pub start: u64,
    /// The bytes before them.
    pub before: Vec<u8>,
    /// Up to where they have been yielded.
    pub seen: u64,
    pub last: Last,
    /// The buffer was too small for them.
    pub wants_room: bool,
    /// A place after `start` before which nothing is sent, with the fingerprint of the bytes before it: a stream that
    /// begins within a line has to know the line's beginning.
    pub ahead: Option<(u64, Print)>,
}

/// Whether they were yielded as the last of their file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    No,
    Due(LastOf),
    Yielded(LastOf),
}

/// What nothing follows in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastOf {
    /// The file, which was read to its end for good.
    Generation,
    /// The part of the log that was asked for.
    Stream,
}

/// What is read next, and where it goes in the reader's buffer.
pub(super) struct Room {
    /// The new bytes come after so many unused ones. If these leave no room, the new ones are read alone.
    pub at: usize,
    /// The bytes before the new ones.
    pub before: Option<Vec<u8>>,
}

impl Unused {
    /// They are yielded once more, whether anything follows them or not.
    pub fn come_again(&mut self) {
        self.seen = self.start;
        if let Last::Yielded(of) = self.last {
            self.last = Last::Due(of);
        }
    }
}
