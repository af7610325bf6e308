//! Ranges of times and history: random logs against a naive oracle, and what the search costs.

use super::*;
use crate::follow::test_times::{Range, time};
use crate::follow::time_range::TimeRange;
use crate::follow::time_search::{Bound, LineTimes};
use crate::random::{Random, seeds};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Generations, oldest first, whose times never decrease.
fn random_log(random: &mut Random) -> Vec<Vec<u8>> {
    let mut now = 10;
    let (steps, timeless) = (1 + random.below(4), 1 + random.below(12));
    let mut generations = Vec::new();
    for number in 0..1 + random.below(4) {
        // Every generation begins with a line that tells it from others.
        let mut text = format!("generation {number} {}\n", "x".repeat(random.below(300))).into_bytes();
        let most = if random.one_in(4) { 900 } else { 60 };
        for _ in 0..random.below(most) {
            if random.one_in(steps) {
                now += random.below(3) as u64;
            }
            if !random.one_in(timeless) {
                text.extend(format!("t{now} ").bytes());
            }
            let length = if random.one_in(60) { random.below(40_000) } else { random.below(90) };
            text.extend(std::iter::repeat_n(b'x', length));
            text.push(b'\n');
        }
        if random.one_in(5) {
            text.pop();
        }
        generations.push(text);
    }
    generations
}

/// A file and an offset in it.
type At = (usize, usize);

fn starts(text: &[u8]) -> impl DoubleEndedIterator<Item = (usize, &[u8])> {
    let mut at = 0;
    let lines: Vec<_> = text
        .split_inclusive(|&byte| byte == b'\n')
        .map(|line| {
            at += line.len();
            (at - line.len(), line)
        })
        .collect();
    lines.into_iter()
}

/// Where that time begins.
fn place(log: &[Vec<u8>], wanted: u64, is_since: bool) -> Option<At> {
    log.iter().enumerate().find_map(|(file, text)| {
        let timed: Vec<_> = starts(text).filter_map(|(at, line)| Some((at, time(line)?))).collect();
        match timed.iter().position(|(_, time)| *time >= wanted) {
            Some(0) => Some((file, 0)),
            Some(line) => Some((file, timed[line].0)),
            None if timed.is_empty() && is_since => Some((file, 0)),
            None => None,
        }
    })
}

/// The part of the log that is asked for; `None` if it has no times.
fn expected(log: &[Vec<u8>], range: Range, lines: Lines, tail: bool) -> Option<(At, At)> {
    let last = (log.len() - 1, log[log.len() - 1].len());
    let has_times = log.iter().any(|text| starts(text).any(|(_, line)| time(line).is_some()));
    let has_range = range.since.is_some() || range.until.is_some();
    if has_range && !has_times && log.iter().map(Vec::len).sum::<usize>() >= 4096 {
        return None;
    }
    let end = range.until.and_then(|until| place(log, until, false)).filter(|_| has_times).unwrap_or(last);
    let mut start = match range.since {
        Some(_) if !has_times => (0, 0),
        // An unfinished line may have got only a part of its time.
        Some(since) if tail => place(log, since, true).unwrap_or((end.0, unfinished(&log[end.0]))),
        Some(since) => place(log, since, true).unwrap_or(end),
        None => (0, 0),
    };
    if let Lines::Last(lines) = lines {
        let mut all: Vec<At> = Vec::new();
        for (file, text) in log.iter().enumerate().take(end.0 + 1) {
            let text = if file == end.0 { &text[..end.1] } else { text };
            all.extend(starts(text).map(|(at, _)| (file, at)));
        }
        let first = all.len().checked_sub(lines as usize).map_or((0, 0), |first| *all.get(first).unwrap_or(&end));
        start = start.max(first);
    }
    Some((start.min(end), end))
}

/// Where the last line begins, if it is not finished; else the end.
fn unfinished(text: &[u8]) -> usize {
    text.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1)
}

fn text_between(log: &[Vec<u8>], start: At, end: At) -> String {
    let mut text = Vec::new();
    for (file, bytes) in log.iter().enumerate().take(end.0 + 1).skip(start.0) {
        let from = if file == start.0 { start.1 } else { 0 };
        let to = if file == end.0 { end.1 } else { bytes.len() };
        text.extend_from_slice(&bytes[from.min(to)..to]);
    }
    String::from_utf8(text).unwrap()
}

fn written(log: &[Vec<u8>]) -> Place {
    written_and_compressed(log, |_| false)
}

/// Those of the rotated files are compressed for which `is_compressed` says so, given their numbers.
#[cfg_attr(not(feature = "gz"), expect(unused))]
fn written_and_compressed(log: &[Vec<u8>], mut is_compressed: impl FnMut(usize) -> bool) -> Place {
    let place = Place { directory: tempfile::tempdir().unwrap() };
    for (number, text) in log.iter().rev().enumerate() {
        match number {
            0 => place.append("app.log", std::str::from_utf8(text).unwrap()),
            #[cfg(feature = "gz")]
            _ if is_compressed(number) => place.append_gzip(&format!("app.log.{number}.gz"), text),
            _ => place.append(&format!("app.log.{number}"), std::str::from_utf8(text).unwrap()),
        }
    }
    place
}

/// Reads in blocks of that size, up to so many bytes or to the end. The text, without marks.
fn read_to(follower: &mut Follower, block: usize, most: usize) -> String {
    let (mut buffer, mut text, now) = (vec![0; block], String::new(), Instant::now());
    let mut is_begun = false;
    while text.len() < most || !is_begun {
        match follower.poll(&mut buffer, now).unwrap() {
            Step::Started => is_begun = true,
            Step::Bytes(read) => text.push_str(std::str::from_utf8(&buffer[..read]).unwrap()),
            Step::Quiet | Step::Ended => return text,
            Step::Gap(missing, _) => panic!("a gap: {}", missing.word()),
            _ => {}
        }
    }
    text
}

fn shown(text: &str) -> String {
    let short: String = text.chars().filter(|&letter| letter != 'x').collect();
    short.chars().take(2000).collect()
}

fn run(seed: u64) {
    let mut random = Random::new(seed);
    let mut log = random_log(&mut random);
    let place = written_and_compressed(&log, |_| random.one_in(2));
    let last = 12 + log.iter().map(|text| starts(text).count()).sum::<usize>();
    let bound = |random: &mut Random| (!random.one_in(3)).then(|| random.below(last) as u64);
    let (history, tail) = (!random.one_in(4), random.one_in(3));
    let range = Range { since: bound(&mut random), until: bound(&mut random).filter(|_| !tail) };
    let lines = if random.one_in(3) { Lines::Last(random.below(40) as u64) } else { Lines::All };
    if !history {
        log.drain(..log.len() - 1);
    }
    let (name, file) = place.find();
    let mut follower = Follower::new(name, file, lines, tail, Duration::ZERO).unwrap();
    let has_range = range.since.is_some() || range.until.is_some();
    follower.narrow(history, has_range.then(|| Box::new(range) as Box<dyn TimeRange>)).unwrap();
    let story = format!("seed {seed}: {range:?} {lines:?} history {history} tail {tail}");
    let Some((start, end)) = expected(&log, range, lines, tail) else {
        assert_eq!(read_to(&mut follower, 9, usize::MAX), "", "{story}");
        assert!(follower.lacks_times(), "{story}");
        return;
    };
    let expected = text_between(&log, start, end);
    let (block, cut) = (1 + random.below(5000), random.below(expected.len() + 2));
    let mut text = read_to(&mut follower, block, cut);
    if text.len() < cut {
        assert_eq!(shown(&text), shown(&expected), "{story}");
        assert!(text == expected, "{story}");
        let is_time = range.until.is_some() && end != (log.len() - 1, log[log.len() - 1].len());
        assert!(!is_time || follower.ends_at_time(), "{story}");
    }
    // What comes after any place is the rest, with the same end.
    let position = Position::parse(&follower.position().cursor()).unwrap();
    let (name, file) = place.find();
    let mut follower = Follower::resume(name, file, &position, 0, tail, Duration::ZERO).unwrap();
    follower.narrow(history, has_range.then(|| Box::new(range) as Box<dyn TimeRange>)).unwrap();
    text += &read_to(&mut follower, block, usize::MAX);
    assert_eq!(shown(&text), shown(&expected), "{story}, cut after {cut}");
    assert!(text == expected, "{story}, cut after {cut}");
}

/// How often the follower is asked until it has found the first line.
fn polls(follower: &mut Follower) -> usize {
    let is_started = |step| matches!(step, Step::Started);
    (1..).find(|_| is_started(follower.poll(&mut [0; 9], Instant::now()).unwrap())).unwrap()
}

#[test]
fn lines_are_not_counted_beyond_the_start_of_a_range() {
    let line = |time: u64| format!("t{time} {}\n", "x".repeat(90));
    let log = [(0..100_000).map(line).collect::<String>(), (100_000..200_000).map(line).collect()];
    let place = written(&log.map(String::into_bytes));
    for (since, most) in [(199_000, 60), (99_000, 250)] {
        let (name, file) = place.find();
        let mut follower = Follower::new(name, file, Lines::Last(1_000_000), false, Duration::ZERO).unwrap();
        follower.narrow(true, Some(Box::new(Range { since: Some(since), until: None }))).unwrap();
        let polls = polls(&mut follower);
        assert!(polls < most, "{polls} polls");
        let text = read_to(&mut follower, 9000, usize::MAX);
        assert!(text.starts_with(&line(since)) && text.ends_with(&line(199_999)));
    }
}

/// Counts the lines that are judged or learned from. None of them bears a time.
#[derive(Clone, Debug, Default)]
struct Counted(Arc<AtomicUsize>);

impl TimeRange for Counted {
    fn has(&self, _: Bound) -> bool {
        true
    }

    fn is_before(&self, _: i128, _: Bound) -> bool {
        false
    }

    fn learn(&self, samples: [&[u8]; 2], _: i64) -> Box<dyn LineTimes> {
        self.0.fetch_add(samples.into_iter().flatten().filter(|byte| **byte == b'\n').count(), Relaxed);
        Box::new(self.clone())
    }
}

impl LineTimes for Counted {
    fn has_reached(&self, line: &[u8], _: Bound) -> Option<bool> {
        self.0.fetch_add(1, Relaxed);
        // The only one with a time is in the middle of the second file.
        (line == b"time\n").then_some(true)
    }
}

#[test]
fn a_poll_judges_few_lines_even_if_they_are_empty() {
    const MOST: usize = 128 * 1024;
    let newlines = "\n".repeat(700_000);
    let log = [newlines.clone(), format!("{newlines}time\n{}", &newlines[..200_000])];
    let place = written(&log.map(String::into_bytes));
    let (name, file) = place.find();
    let mut follower = Follower::new(name, file, Lines::All, false, Duration::ZERO).unwrap();
    let counted = Counted::default();
    follower.narrow(true, Some(Box::new(counted.clone()))).unwrap();
    let mut judged = 0;
    while !matches!(follower.poll(&mut [0; 9], Instant::now()).unwrap(), Step::Started) {
        let lines = counted.0.swap(0, Relaxed);
        assert!(lines <= MOST, "{lines} lines");
        judged += lines;
    }
    assert!(judged > 700_000, "{judged} lines");
}

#[test]
fn random_ranges_of_random_logs_are_those_of_an_oracle() {
    seeds(50).for_each(run);
}

/// The place is found only after some polls, and what the range is can be searched for only then.
#[cfg(feature = "gz")]
#[test]
fn a_reader_that_resumes_far_within_a_compressed_file_ends_where_the_range_does() {
    let line = |time: u64| format!("t{time} {}\n", "x".repeat(90));
    let text = |from: u64, to: u64| (from..to).map(line).collect::<String>();
    let log = [text(0, 20), text(20, 100_000), text(100_000, 100_010)];
    let place = written_and_compressed(&log.map(String::into_bytes), |_| true);
    for until in [95_000, 100_005] {
        let range = || Some(Box::new(Range { since: Some(90_000), until: Some(until) }) as Box<dyn TimeRange>);
        let (name, file) = place.find();
        let mut follower = Follower::new(name, file, Lines::All, false, Duration::ZERO).unwrap();
        follower.narrow(true, range()).unwrap();
        let mut read = read_to(&mut follower, 9000, 200_000);
        let position = Position::parse(&follower.position().cursor()).unwrap();
        let (name, file) = place.find();
        let mut follower = Follower::resume(name, file, &position, 0, false, Duration::ZERO).unwrap();
        follower.narrow(true, range()).unwrap();
        let whole = text(90_000, until);
        let before = read.len();
        read += &read_to(&mut follower, 9000, usize::MAX);
        assert!(read == whole, "{before} and {} of {} bytes", read.len() - before, whole.len());
        let (name, file) = place.find();
        let mut follower = Follower::before(name, file, &position, Lines::Last(99_000)).unwrap();
        follower.narrow(true, None).unwrap();
        let earlier = text(0, 90_000) + &whole[..before];
        let lines: Vec<&str> = earlier.split_inclusive('\n').collect();
        let expected = lines[lines.len().saturating_sub(99_000)..].concat();
        assert!(read_to(&mut follower, 9000, usize::MAX) == expected);
    }
}
