//! In which order the entries of several logs come. It waits for nothing, and prints nothing.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// When an entry was written, in nanoseconds since the epoch. One without a time comes before all others.
pub(super) type Time = Option<i128>;

/// A part of an entry, or all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub time: Time,
    /// It belongs to the entry that came before it in its log.
    pub continues: bool,
    /// Lines were left out before it.
    pub is_apart: bool,
    pub bytes: Vec<u8>,
    pub arrived: Instant,
}

/// What has come of a log and is not printed yet.
#[derive(Debug)]
pub(super) struct Queue {
    /// Decides between equal times: the place on the command line, then the name.
    pub rank: (usize, String),
    pub pieces: VecDeque<Piece>,
    /// The sum of their lengths.
    pub bytes: usize,
    /// Nothing more will come.
    pub is_ended: bool,
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
pub(super) enum Next {
    /// The first piece of this queue.
    Piece(usize),
    /// Nothing before this time, unless something more comes.
    Wait(Option<Instant>),
}

/// How much of a log is held, in bytes. With limited patience, more is printed at once.
pub(super) const MOST_HELD: usize = 1 << 20;

impl Queue {
    pub(super) fn new(rank: (usize, String)) -> Queue {
        Queue { rank, pieces: VecDeque::new(), bytes: 0, is_ended: false }
    }

    pub(super) fn push(&mut self, piece: Piece) {
        self.bytes += piece.bytes.len();
        self.pieces.push_back(piece);
    }

    fn pop(&mut self) -> Option<Piece> {
        let piece = self.pieces.pop_front()?;
        self.bytes -= piece.bytes.len();
        Some(piece)
    }
}

/// The queues of all logs, and what was printed last.
#[derive(Debug)]
pub(super) struct Order {
    pub queues: Vec<Queue>,
    patience: Patience,
    /// The queue of the last piece.
    last: Option<usize>,
    /// The latest time that was printed.
    latest: Time,
}

impl Order {
    pub(super) fn new(patience: Patience) -> Order {
        Order { queues: Vec::new(), patience, last: None, latest: None }
    }

    /// What comes next at `now`.
    pub(super) fn next(&self, now: Instant) -> Next {
        let continues = |index: &usize| self.queues[*index].pieces.front().is_some_and(|piece| piece.continues);
        if let Some(last) = self.last.filter(continues) {
            return Next::Piece(last);
        }
        let heads = || self.queues.iter().enumerate().filter_map(|(index, queue)| Some((index, queue.pieces.front()?)));
        let Some((least, head)) = heads().min_by_key(|(index, head)| (head.time, &self.queues[*index].rank)) else {
            return Next::Wait(None);
        };
        if self.queues.iter().all(|queue| queue.is_ended || !queue.pieces.is_empty()) {
            return Next::Piece(least);
        }
        let Patience::Limited(time) = self.patience else { return Next::Wait(None) };
        let is_full = self.queues.iter().any(|queue| queue.bytes > MOST_HELD);
        let due = heads().map(|(_, head)| head.arrived + time).min().filter(|due| *due > now);
        // There is no use in holding one that comes too late already.
        match due {
            Some(due) if !is_full && head.time > self.latest => Next::Wait(Some(due)),
            _ => Next::Piece(least),
        }
    }

    /// Takes what comes next at `now`: pieces of one log, of about `most` bytes.
    ///
    /// # Errors
    /// Nothing comes before that time.
    pub(super) fn take(&mut self, now: Instant, most: usize) -> Result<(usize, Vec<Piece>), Option<Instant>> {
        let index = match self.next(now) {
            Next::Piece(index) => index,
            Next::Wait(until) => return Err(until),
        };
        let (mut pieces, mut bytes) = (Vec::new(), 0);
        while bytes < most
            && self.next(now) == Next::Piece(index)
            && let Some(piece) = self.queues[index].pop()
        {
            bytes += piece.bytes.len();
            (self.last, self.latest) = (Some(index), self.latest.max(piece.time));
            pieces.push(piece);
        }
        Ok((index, pieces))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Play {
        order: Order,
        begun: Instant,
        now: Instant,
    }

    impl Play {
        fn of(logs: usize, patience: Patience) -> Play {
            let mut order = Order::new(patience);
            order.queues.extend((0..logs).map(|rank| Queue::new((rank, String::new()))));
            let now = Instant::now();
            Play { order, begun: now, now }
        }

        fn following(logs: usize) -> Play {
            Play::of(logs, Patience::Limited(Duration::from_millis(500)))
        }

        fn at(&mut self, millis: u64) -> &mut Play {
            self.now = self.begun + Duration::from_millis(millis);
            self
        }

        /// `3a` is an entry of time 3, `+b` continues it, and `-c` has no time.
        fn push(&mut self, log: usize, pieces: &str) -> &mut Play {
            let mut time = None;
            for piece in pieces.split_whitespace() {
                let (number, text) = piece.split_at(piece.len() - 1);
                let continues = number == "+";
                if !continues {
                    time = number.parse().ok();
                }
                let (bytes, arrived) = (text.as_bytes().to_vec(), self.now);
                self.order.queues[log].push(Piece { time, continues, is_apart: false, bytes, arrived });
            }
            self
        }

        fn end(&mut self, log: usize) -> &mut Play {
            self.order.queues[log].is_ended = true;
            self
        }

        /// What is printed now.
        fn take(&mut self) -> String {
            let mut text = String::new();
            while let Ok((_, pieces)) = self.order.take(self.now, 1) {
                pieces.iter().for_each(|piece| text += std::str::from_utf8(&piece.bytes).unwrap());
            }
            text
        }
    }

    #[test]
    fn without_following_entries_come_in_the_order_of_their_times() {
        let mut play = Play::of(2, Patience::Unlimited);
        assert_eq!(play.push(0, "1a 4b").take(), "");
        assert_eq!(play.at(100_000).take(), "");
        assert_eq!(play.push(1, "2c 3d").take(), "acd");
        assert_eq!(play.push(1, "5e").end(1).take(), "b");
        assert_eq!(play.end(0).take(), "e");
    }

    #[test]
    fn equal_times_keep_the_order_of_the_arguments_and_entries_stay_whole() {
        let mut play = Play::of(2, Patience::Unlimited);
        assert_eq!(play.push(1, "1a +b").push(0, "1c +d 1e").end(0).take(), "cdeab");
        let mut play = Play::of(2, Patience::Unlimited);
        play.push(0, "1a 2c").push(1, "1b");
        assert_eq!(play.take(), "ab");
        let rest = Piece { time: Some(1), continues: true, is_apart: false, bytes: b"x".to_vec(), arrived: play.now };
        play.order.queues[1].push(rest);
        assert_eq!(play.end(1).take(), "xc", "the rest of the second log's entry");
    }

    #[test]
    fn a_log_out_of_order_stays_in_its_own() {
        let mut play = Play::of(2, Patience::Unlimited);
        assert_eq!(play.push(0, "5a 1b 6c").push(1, "2d 3e 7f").end(0).end(1).take(), "deabcf");
    }

    #[test]
    fn a_log_without_times_does_not_wait() {
        let mut play = Play::following(2);
        assert_eq!(play.push(0, "-a -b").take(), "ab");
        assert_eq!(play.push(1, "7c").push(0, "-d").take(), "d");
    }

    #[test]
    fn while_following_an_entry_is_held_for_a_while() {
        let mut play = Play::following(3);
        assert_eq!(play.push(0, "5a").take(), "");
        assert_eq!(play.at(400).push(1, "3b 9c").take(), "");
        assert_eq!(play.at(499).take(), "");
        assert_eq!(play.at(500).take(), "ba");
        assert_eq!(play.at(899).take(), "");
        assert_eq!(play.at(900).take(), "c");
        // Too late, and what belongs to it.
        assert_eq!(play.at(901).push(2, "4d +e").take(), "de");
        assert_eq!(play.push(2, "10f").take(), "");
        assert_eq!(play.at(1401).take(), "f");
    }

    #[test]
    fn the_rest_of_an_entry_that_was_printed_does_not_wait() {
        let mut play = Play::following(2);
        assert_eq!(play.push(0, "5a").at(500).take(), "a");
        let piece = Piece { time: Some(5), continues: true, is_apart: false, bytes: b"b".to_vec(), arrived: play.now };
        play.order.queues[0].push(piece);
        assert_eq!(play.take(), "b");
    }

    #[test]
    fn no_more_is_held_than_there_is_room_for() {
        let mut play = Play::following(2);
        let piece = |time| Piece {
            time: Some(time),
            continues: false,
            is_apart: false,
            bytes: vec![b'x'; MOST_HELD / 4],
            arrived: Instant::now(),
        };
        (0..10).for_each(|time| play.order.queues[0].push(piece(time)));
        assert_eq!(play.take().len(), 6 * (MOST_HELD / 4));
    }
}
