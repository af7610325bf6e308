//! In which order the entries of several logs come. It waits for nothing, and prints nothing.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// When an entry was written, in nanoseconds since the epoch. One without a time comes before all others.
pub(super) type EntryTime = Option<i128>;

/// A part of an entry, or all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EntryPiece {
    pub time: EntryTime,
    /// It belongs to the entry that came before it in its log.
    pub continues: bool,
    /// Lines were left out before it.
    pub is_apart: bool,
    pub bytes: Vec<u8>,
    pub arrived: Instant,
}

/// Decides between equal times: the place on the command line, then the name.
pub(super) type Rank = (usize, String);

/// What has come of a log and is not printed yet.
#[derive(Debug)]
struct Queue {
    rank: Arc<Rank>,
    pieces: VecDeque<EntryPiece>,
    /// The sum of their lengths.
    bytes: usize,
    /// How many bytes are being printed.
    printing: usize,
    /// Its reader waits for room.
    is_awaited: bool,
    /// The time of the piece that was taken last.
    last: EntryTime,
    /// Nothing more will come.
    is_ended: bool,
}

/// How long an entry is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Patience {
    /// Until it is known what every log has next.
    Unlimited,
    /// At most this long after it came.
    Limited(Duration),
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NextStep {
    /// The first piece of this queue.
    EntryPiece(usize),
    /// Nothing before this time, unless something more comes.
    Wait(Option<Instant>),
}

/// How much of all logs is held, in bytes, and how much of one, at least and at most. With limited patience, more is printed
/// at once.
const MOST_OF_ALL: usize = 64 << 20;
const LEAST_HELD: usize = 64 << 10;
const MOST_HELD: usize = 1 << 20;
/// An entry that is shorter counts as one of that length, for what it takes beside its bytes.
const SHORT: usize = 512;
/// How long the others wait for the end of a line of which the beginning is printed.
const LONGEST_SILENCE: Duration = Duration::from_secs(5);
/// An entry that is so much earlier than another one, in nanoseconds, does not come late: one of the two has a clock that is
/// wrong, or is read in the wrong zone.
const OTHER_CLOCK: i128 = 60_000_000_000;

/// The logs that have not ended, what has come of them, and what was printed last.
///
/// Each log is in one of two sets: in `heads` if something of it is here, else in `silent`. So the next piece is found in a
/// time that hardly grows with the number of logs.
#[derive(Debug)]
pub(super) struct Order {
    /// `None` where a log has ended. Its place is given to another one.
    queues: Vec<Option<Queue>>,
    patience: Patience,
    /// The logs of which something is here, by the time of the first piece, and when that came.
    heads: BTreeSet<(EntryTime, Arc<Rank>, usize)>,
    arrivals: BTreeSet<(Instant, usize)>,
    /// The others, by the time of what they had last.
    silent: BTreeSet<(EntryTime, usize)>,
    /// How many have more than there is room for.
    full: usize,
    /// How much of each log is held.
    room: usize,
    /// The queue of the last piece.
    last: Option<usize>,
    /// A line of this queue has not ended, of which the last part was taken then.
    line: Option<(usize, Instant)>,
    /// The latest time that was taken; but an earlier one, if that was taken later and is of another clock.
    latest: EntryTime,
}

impl Queue {
    fn is_full(&self, room: usize) -> bool {
        // Short entries take more memory than their bytes.
        self.bytes > room || self.pieces.len() > room / SHORT
    }

    fn is_over(&self) -> bool {
        self.is_ended && self.pieces.is_empty() && self.printing == 0
    }
}

impl Order {
    pub(super) fn new(patience: Patience) -> Order {
        Order {
            queues: Vec::new(),
            patience,
            heads: BTreeSet::new(),
            arrivals: BTreeSet::new(),
            silent: BTreeSet::new(),
            full: 0,
            room: MOST_HELD,
            last: None,
            line: None,
            latest: None,
        }
    }

    /// Adds a log, and returns its number.
    pub(super) fn add(&mut self, rank: Rank) -> usize {
        let rank = Arc::new(rank);
        let pieces = VecDeque::new();
        let queue = Queue { rank, pieces, bytes: 0, printing: 0, is_awaited: false, last: None, is_ended: false };
        let free = self.queues.iter().position(Option::is_none);
        let index = free.unwrap_or(self.queues.len());
        match free {
            Some(free) => self.queues[free] = Some(queue),
            None => self.queues.push(Some(queue)),
        }
        self.silent.insert((None, index));
        self.share_room();
        index
    }

    /// Nothing more will come of this log.
    pub(super) fn end(&mut self, index: usize) {
        let queue = self.queue(index);
        queue.is_ended = true;
        let (last, is_over) = (queue.last, queue.is_over());
        self.silent.remove(&(last, index));
        if is_over {
            self.remove(index);
        }
    }

    /// Whether all logs have ended, and nothing of them is left.
    pub(super) fn is_over(&self) -> bool {
        self.queues.iter().all(Option::is_none)
    }

    fn remove(&mut self, index: usize) {
        self.queues[index] = None;
        self.last = self.last.filter(|last| *last != index);
        self.line = self.line.filter(|(line, _)| *line != index);
        self.share_room();
    }

    fn share_room(&mut self) {
        let queues = || self.queues.iter().flatten();
        self.room = (MOST_OF_ALL / queues().count().max(1)).clamp(LEAST_HELD, MOST_HELD);
        self.full = queues().filter(|queue| queue.is_full(self.room)).count();
    }

    /// How much of each log is held, in bytes.
    pub(super) fn room(&self) -> usize {
        self.room
    }

    /// Whether more of a log is here than there is room for.
    pub(super) fn is_full(&self, index: usize) -> bool {
        self.queues[index].as_ref().is_some_and(|queue| queue.is_full(self.room))
    }

    /// Whether there is room for more of a log that was full. If not, [`Order::note_printed`] will tell.
    pub(super) fn has_room(&mut self, index: usize) -> bool {
        let room = self.room / 2;
        let queue = self.queue(index);
        queue.is_awaited = queue.is_full(room);
        !queue.is_awaited
    }

    /// How many bytes of a log are not printed yet.
    pub(super) fn held(&self, index: usize) -> usize {
        self.queues[index].as_ref().map_or(0, |queue| queue.bytes + queue.printing)
    }

    fn queue(&mut self, index: usize) -> &mut Queue {
        self.queues[index].as_mut().expect("a log has a queue until it has ended and is printed")
    }

    pub(super) fn push(&mut self, index: usize, piece: EntryPiece) {
        let room = self.room;
        let queue = self.queue(index);
        let was_full = queue.is_full(room);
        let head = queue.pieces.is_empty().then(|| (piece.time, piece.arrived, queue.rank.clone(), queue.last));
        queue.bytes += piece.bytes.len();
        queue.pieces.push_back(piece);
        let is_full = queue.is_full(room);
        if let Some((time, arrived, rank, last)) = head {
            self.silent.remove(&(last, index));
            self.heads.insert((time, rank, index));
            self.arrivals.insert((arrived, index));
        }
        self.full += usize::from(is_full && !was_full);
    }

    fn pop(&mut self, index: usize, now: Instant) -> Option<EntryPiece> {
        let room = self.room;
        let queue = self.queue(index);
        let was_full = queue.is_full(room);
        let piece = queue.pieces.pop_front()?;
        queue.bytes -= piece.bytes.len();
        queue.printing += piece.bytes.len();
        queue.last = piece.time;
        let is_full = queue.is_full(room);
        let (rank, is_ended) = (queue.rank.clone(), queue.is_ended);
        let next = queue.pieces.front().map(|next| (next.time, next.arrived));
        self.heads.remove(&(piece.time, rank.clone(), index));
        self.arrivals.remove(&(piece.arrived, index));
        match next {
            Some((time, arrived)) => {
                self.heads.insert((time, rank, index));
                self.arrivals.insert((arrived, index));
            }
            None if is_ended => {}
            None => {
                self.silent.insert((piece.time, index));
            }
        }
        self.full -= usize::from(was_full && !is_full);
        self.last = Some(index);
        if !self.is_late(piece.time) {
            self.latest = piece.time.or(self.latest);
        }
        self.line = (piece.bytes.last() != Some(&b'\n')).then_some((index, now));
        Some(piece)
    }

    /// So many bytes of what was taken of a log are printed. Returns whether its reader goes on: there is room again, or
    /// nothing is left.
    pub(super) fn note_printed(&mut self, index: usize, bytes: usize) -> bool {
        let room = self.room / 2;
        let queue = self.queue(index);
        queue.printing -= bytes;
        let has_room = queue.is_awaited && !queue.is_full(room);
        queue.is_awaited &= !has_room;
        let (is_over, is_empty) = (queue.is_over(), queue.bytes + queue.printing == 0);
        if is_over {
            self.remove(index);
        }
        has_room || is_empty
    }

    /// What comes next at `now`.
    fn next(&self, now: Instant) -> NextStep {
        let front = |index: usize| self.queues[index].as_ref().and_then(|queue| queue.pieces.front());
        if let Some((index, since)) = self.line {
            // Another log must not print in the middle of a line.
            let is_ended = self.queues[index].as_ref().is_none_or(|queue| queue.is_ended);
            match (front(index), self.patience) {
                (Some(_), _) => return NextStep::EntryPiece(index),
                (None, _) if is_ended => {}
                (None, Patience::Unlimited) => return NextStep::Wait(None),
                (None, Patience::Limited(_)) if now < since + LONGEST_SILENCE => {
                    return NextStep::Wait(Some(since + LONGEST_SILENCE));
                }
                (None, Patience::Limited(_)) => {}
            }
        }
        if let Some(last) = self.last.filter(|last| front(*last).is_some_and(|piece| piece.continues)) {
            return NextStep::EntryPiece(last);
        }
        let Some((time, _, least)) = self.heads.first() else { return NextStep::Wait(None) };
        if self.silent.is_empty() {
            return NextStep::EntryPiece(*least);
        }
        let Patience::Limited(wait) = self.patience else { return NextStep::Wait(None) };
        let due = self.arrivals.first().map(|(arrived, _)| *arrived + wait).filter(|due| *due > now);
        match due {
            Some(due) if self.full == 0 && self.may_be_preceded(*time, *least) => NextStep::Wait(Some(due)),
            _ => NextStep::EntryPiece(*least),
        }
    }

    /// Whether there is any use in holding a piece: it does not come late, neither in its own log nor beside the others, and
    /// another log may have an earlier one. A log in order has nothing that is earlier than what it had last.
    fn may_be_preceded(&self, time: EntryTime, index: usize) -> bool {
        let is_in_order = self.queues[index].as_ref().is_some_and(|queue| queue.last <= time);
        let may_come = || self.silent.first().is_some_and(|(last, _)| *last < time);
        time.is_some() && is_in_order && !self.is_late(time) && may_come()
    }

    /// Whether what comes after it is printed already.
    fn is_late(&self, time: EntryTime) -> bool {
        let (Some(time), Some(latest)) = (time, self.latest) else { return false };
        (latest - OTHER_CLOCK..latest).contains(&time)
    }

    /// Takes what comes next at `now`, of about `most` bytes: pieces, each with the number of its log.
    ///
    /// # Errors
    /// Nothing comes before that time.
    pub(super) fn take(&mut self, now: Instant, most: usize) -> Result<Vec<(usize, EntryPiece)>, Option<Instant>> {
        let (mut pieces, mut bytes) = (Vec::new(), 0);
        while bytes < most {
            match self.next(now) {
                NextStep::EntryPiece(index) => {
                    let piece = self.pop(index, now).expect("the log has a piece");
                    bytes += piece.bytes.len();
                    pieces.push((index, piece));
                }
                NextStep::Wait(until) if pieces.is_empty() => return Err(until),
                NextStep::Wait(_) => break,
            }
        }
        Ok(pieces)
    }
}

#[cfg(test)]
mod tests;
