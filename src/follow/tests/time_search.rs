//! The search for a time in one file, where times increase and where they do not, and how much it reads.

use std::os::unix::fs::FileExt;

use crate::follow::line_search::SearchProgress;
use crate::follow::log::file::File;
use crate::follow::time_search::{Bound, LineTimes, PROBE, TimeSearch};

/// A line that begins with digits bears that time.
#[derive(Debug)]
struct Numbers(u64);

impl LineTimes for Numbers {
    fn has_reached(&self, line: &[u8], _: Bound) -> Option<bool> {
        time(line).map(|time| time >= self.0)
    }
}

fn time(line: &[u8]) -> Option<u64> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&line[..digits]).ok()?.parse().ok()
}

/// Where a time begins, and in how many steps that was found. A step reads once.
fn find(file: &File, wanted: u64) -> (Option<u64>, usize) {
    let size = file.size().unwrap();
    let (mut search, times) = (TimeSearch::new(size, Bound::Since), Numbers(wanted));
    for steps in 1.. {
        match search.step(file, &times).unwrap() {
            SearchProgress::Busy => {}
            SearchProgress::Found(place) => return (Some(place), steps),
            SearchProgress::Absent(end) => {
                assert_eq!(end, size);
                return (None, steps);
            }
        }
    }
    unreachable!()
}

fn file(text: &[u8]) -> File {
    let file = tempfile::tempfile().unwrap();
    file.write_all_at(text, 0).unwrap();
    file.into()
}

fn place(text: &str, wanted: u64) -> Option<u64> {
    find(&file(text.as_bytes()), wanted).0
}

/// The first line that has reached the time; with it come the lines without a time before the first one.
fn expected(text: &str, wanted: u64) -> Option<u64> {
    let (mut at, mut is_first) = (0, true);
    for line in text.split_inclusive('\n') {
        if let Some(time) = time(line.as_bytes()) {
            if time >= wanted {
                return Some(if is_first { 0 } else { at });
            }
            is_first = false;
        }
        at += line.len() as u64;
    }
    None
}

#[test]
fn a_time_begins_at_its_first_line() {
    for text in ["", "none\n", "1 a\n", "1", "x\n1 a\nx\n2 b\nx\n2 c\n5 d\nx", "\n\n3\n\n4\n"] {
        for wanted in 0..7 {
            assert_eq!(place(text, wanted), expected(text, wanted), "{text:?} {wanted}");
        }
    }
}

#[test]
fn equal_times_over_many_blocks_begin_at_the_first() {
    let text = format!("{}{}{}", "1 before\n".repeat(3000), "2 equal\n".repeat(90_000), "3 after\n".repeat(10));
    for wanted in 0..5 {
        assert_eq!(place(&text, wanted), expected(&text, wanted), "{wanted}");
    }
}

#[test]
fn lines_may_be_longer_than_any_block_and_lack_a_time() {
    let long = "x".repeat(300_000);
    let text = format!("{long}\n1 {long}\n{long}\n2 {long}\n3\n{}4 {long}\n5\n", "no time\n".repeat(100_000));
    for wanted in 0..7 {
        assert_eq!(place(&text, wanted), expected(&text, wanted), "{wanted}");
    }
}

#[test]
fn a_search_reads_few_blocks() {
    let text: String = (0..60_000).map(|number| format!("{number} {}\n", "x".repeat(number % 300))).collect();
    let file = file(text.as_bytes());
    // Twice the number of times that the size can be halved, and the first and the last block.
    let most = 2 * (text.len() as u64 / PROBE).ilog2() as usize + 8;
    for wanted in [0, 1, 2, 777, 30_000, 59_999, 60_000] {
        let (found, steps) = find(&file, wanted);
        assert_eq!(found, expected(&text, wanted), "{wanted}");
        assert!(steps <= most, "{wanted}: {steps} steps");
    }
}

#[test]
fn holes_of_a_sparse_file_are_not_read() {
    const SIZE: u64 = 100 << 30;
    let part =
        |times: std::ops::Range<u64>| -> String { times.map(|time| format!("{time} {}\n", "x".repeat(160))).collect() };
    let file = file(part(0..3000).as_bytes());
    let parts = [(SIZE / 2, part(10_000..13_000)), (SIZE - (1 << 20), part(20_000..23_000))];
    for (at, text) in &parts {
        // What lies before a newline belongs to the hole.
        file.raw().write_all_at(format!("\n{text}").as_bytes(), *at).unwrap();
    }
    for (wanted, at, text) in [
        (1500, 0, &part(0..3000)),
        (5000, parts[0].0 + 1, &parts[0].1),
        (11_000, parts[0].0 + 1, &parts[0].1),
        (20_001, parts[1].0 + 1, &parts[1].1),
        (22_999, parts[1].0 + 1, &parts[1].1),
    ] {
        let (found, steps) = find(&file, wanted);
        let line = text.split_inclusive('\n').take_while(|line| time(line.as_bytes()) < Some(wanted));
        assert_eq!(found, Some(at + line.map(|line| line.len() as u64).sum::<u64>()), "{wanted}");
        assert!(steps <= 60, "{wanted}: {steps} steps");
    }
    assert_eq!(find(&file, 30_000).0, None);
}

#[test]
fn a_clock_that_was_set_back_is_looked_for_on_the_left() {
    let hours = |hours: std::ops::Range<u64>| -> String {
        hours.flat_map(|hour| (0..200).map(move |_| format!("{hour} {}\n", "x".repeat(90)))).collect()
    };
    // The second half of the log is an hour early.
    let text = hours(0..100) + &hours(80..180);
    for wanted in [0, 10, 79, 90, 120, 179] {
        assert_eq!(place(&text, wanted), expected(&text, wanted), "{wanted}");
    }
    // A machine without a battery begins in 1970, until its clock is set.
    let text = hours(1000..1100) + &hours(0..3) + &hours(1100..1200);
    for wanted in [1000, 1050, 1099, 1100, 1150] {
        assert_eq!(place(&text, wanted), expected(&text, wanted), "{wanted}");
    }
    // One odd line among thousands hides nothing.
    let text = hours(0..50) + "99999 odd\n" + &hours(50..100);
    for wanted in [1, 25, 49] {
        assert_eq!(place(&text, wanted), expected(&text, wanted), "{wanted}");
    }
}
