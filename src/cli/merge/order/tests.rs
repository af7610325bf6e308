use super::*;

struct Play {
    order: Order,
    begun: Instant,
    now: Instant,
}

impl Play {
    fn of(logs: usize, patience: Patience) -> Play {
        let mut order = Order::new(patience);
        (0..logs).for_each(|rank| assert_eq!(order.add((rank, String::new())), rank));
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

    /// `3a` is an entry of second 3, `+b` continues it, and `-c` has no time.
    fn push(&mut self, log: usize, pieces: &str) -> &mut Play {
        let mut time = None;
        for piece in pieces.split_whitespace() {
            let (number, text) = piece.split_at(piece.len() - 1);
            let continues = number == "+";
            if !continues {
                time = number.parse().ok().map(|second: i128| second * 1_000_000_000);
            }
            let (bytes, arrived) = (format!("{text}\n").into_bytes(), self.now);
            self.order.push(log, EntryPiece { time, continues, is_apart: false, bytes, arrived });
        }
        self
    }

    fn end(&mut self, log: usize) -> &mut Play {
        self.order.end(log);
        self
    }

    /// What is printed now.
    fn take(&mut self) -> String {
        let mut text = String::new();
        while let Ok(pieces) = self.order.take(self.now, 1) {
            for (log, piece) in pieces {
                text += std::str::from_utf8(&piece.bytes).unwrap().trim_end();
                self.order.note_printed(log, piece.bytes.len());
            }
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
    let rest =
        EntryPiece { time: Some(1), continues: true, is_apart: false, bytes: b"x\n".to_vec(), arrived: play.now };
    play.order.push(1, rest);
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
fn what_comes_too_late_is_not_held_though_a_silent_log_may_have_an_earlier_entry() {
    let mut play = Play::following(3);
    assert_eq!(play.push(0, "5a").push(1, "3b").push(2, "1c").at(500).take(), "cba");
    assert_eq!(play.at(600).push(1, "4d").take(), "d");
    assert_eq!(play.push(1, "6e").take(), "");
    assert_eq!(play.at(1100).take(), "e");
}

#[test]
fn the_rest_of_an_entry_that_was_printed_does_not_wait() {
    let mut play = Play::following(2);
    assert_eq!(play.push(0, "5a").at(500).take(), "a");
    let piece =
        EntryPiece { time: Some(5), continues: true, is_apart: false, bytes: b"b\n".to_vec(), arrived: play.now };
    play.order.push(0, piece);
    assert_eq!(play.take(), "b");
}

#[test]
fn no_more_is_held_than_there_is_room_for() {
    let mut play = Play::following(2);
    let piece = |time| EntryPiece {
        time: Some(time),
        continues: false,
        is_apart: false,
        bytes: [&vec![b'x'; MOST_HELD / 4 - 1][..], b"\n"].concat(),
        arrived: Instant::now(),
    };
    (0..10).for_each(|time| play.order.push(0, piece(time)));
    assert_eq!(play.take().len(), 6 * (MOST_HELD / 4 - 1));
    // Many logs share the room of 64.
    let play = Play::following(256);
    assert_eq!(play.order.room(), MOST_HELD / 4);
    assert_eq!(Play::following(5000).order.room(), LEAST_HELD);
}

#[test]
fn one_entry_of_the_future_does_not_end_the_merge() {
    let mut play = Play::following(3);
    assert_eq!(play.push(0, "1a 999b").push(1, "1c").push(2, "1d").at(500).take(), "acdb");
    assert_eq!(play.push(1, "5e").take(), "", "the third log may have an earlier one");
    assert_eq!(play.at(600).push(2, "4f").take(), "f");
    assert_eq!(play.at(1000).take(), "e");
    // The log itself goes on, too.
    assert_eq!(play.push(0, "6g 8h").take(), "g");
    assert_eq!(play.at(1100).push(1, "7i").take(), "");
    assert_eq!(play.at(1500).take(), "ih");
}

#[test]
fn a_line_is_printed_to_its_end_before_another_log_goes_on() {
    let mut play = Play::following(2);
    let part = |text: &str, continues, arrived| {
        let bytes = text.as_bytes().to_vec();
        EntryPiece { time: Some(1), continues, is_apart: false, bytes, arrived }
    };
    play.order.push(0, part("lo", false, play.now));
    play.push(1, "2a");
    assert_eq!(play.at(1000).take(), "lo");
    play.order.push(0, part("ng\n", true, play.now));
    assert_eq!(play.take(), "nga");
    // One that does not end is not waited for for ever.
    play.order.push(0, part("lo", false, play.now));
    play.push(1, "3b");
    assert_eq!(play.at(2000).take(), "lo");
    assert_eq!(play.at(6999).take(), "");
    assert_eq!(play.at(7000).take(), "b");
}

#[test]
fn a_log_that_has_ended_leaves_its_place_to_another() {
    let mut play = Play::of(2, Patience::Unlimited);
    assert_eq!(play.push(0, "1a").push(1, "2b").end(0).take(), "ab");
    assert_eq!(play.order.add((7, String::new())), 0);
    assert_eq!(play.end(1).push(0, "3c").take(), "c");
    assert!(!play.order.is_over());
    assert!(play.end(0).order.is_over());
}
