//! Random logs, filters, blocks and cuts against a naive oracle over lines.

use std::fmt::Write;
use std::num::NonZeroU64;

use super::*;
use crate::protocol::criteria::{Criteria, Level};
use crate::random::{Random, seeds};
use crate::select::entry::{FindTime, REACH};
use crate::select::level::level_of;

fn random_generation(random: &mut Random) -> Vec<u8> {
    let mut log = Vec::new();
    let longest = random.pick(&[3, 8, 8, 60]);
    for _ in 0..random.below(30) {
        log.extend_from_slice(random.pick(&[b"".as_slice(), b"", b"", b"@", b"@ERROR ", b"@ INFO ", b"ERROR "]));
        let length = if random.one_in(25) { 100 + random.below(300) } else { random.below(longest) };
        log.extend((0..length).map(|_| random.pick(b"abxxy\0\xff\r")));
        log.extend_from_slice(random.pick(&[b"\n".as_slice(), b"\n", b"\n", b"\r\n"]));
    }
    if random.one_in(3) {
        log.truncate(log.len().saturating_sub(1 + random.below(3)));
    }
    log
}

fn random_criteria(random: &mut Random) -> Criteria {
    let mut patterns = |odds: &[usize]| -> Vec<String> {
        let count = random.pick(odds);
        (0..count).map(|_| random.pick(&["a", "b", "ab", "xa", "y", "ERR"]).to_owned()).collect()
    };
    let (grep, exclude) = (patterns(&[0, 1, 1, 1, 2]), patterns(&[0, 0, 1, 2]));
    let lines = |random: &mut Random| random.pick(&[0, 0, 1, 2, 3, 1000]);
    let context = match random.one_in(4) {
        true => Context::Entry,
        false => Context::Lines { before: lines(random), after: lines(random) },
    };
    Criteria {
        grep,
        exclude,
        match_all: random.one_in(3),
        fixed: true,
        case: crate::protocol::criteria::Case::Sensitive,
        context,
        level: random.one_in(4).then_some(Level::Error),
        max: random.one_in(4).then(|| NonZeroU64::new(1 + random.below(5) as u64).unwrap()),
    }
}

fn find_time(line: &[u8]) -> Option<usize> {
    line.starts_with(b"@").then_some(1)
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct OracleLine<'l> {
    generation: usize,
    start: usize,
    end: usize,
    bytes: &'l [u8],
    /// The first line of its entry.
    entry: Option<usize>,
    is_kept: bool,
    is_match: bool,
}

/// The lines that are left, with what is known of each.
fn kept<'l>(generations: &'l [Vec<u8>], criteria: &Criteria, is_timed: bool) -> Vec<OracleLine<'l>> {
    let mut lines = Vec::new();
    for (generation, log) in generations.iter().enumerate() {
        let (mut start, mut time) = (0, None);
        for bytes in log.split_inclusive(|&byte| byte == b'\n') {
            let end = start + bytes.len();
            let text = Line::new(bytes).text();
            let has = |pattern: &String| text.windows(pattern.len()).any(|window| window == pattern.as_bytes());
            if is_timed && find_time(text).is_some() {
                time = Some((start, level_of(text, 1)));
            }
            let (entry, level) = match time {
                Some((first, level)) if first == start || end - first <= REACH => (Some(first), level),
                None if !is_timed || end <= REACH => (None, level_of(text, 0)),
                _ => (None, None),
            };
            let is_match = match criteria.match_all {
                true => criteria.grep.iter().all(has),
                false => criteria.grep.is_empty() || criteria.grep.iter().any(has),
            };
            let is_kept =
                criteria.level.is_none_or(|lowest| level >= Some(lowest)) && !criteria.exclude.iter().any(has);
            lines.push(OracleLine { generation, start, end, bytes, entry, is_kept, is_match });
            start = end;
        }
    }
    lines.retain(|line| line.is_kept);
    lines
}

/// What is sent, with `<N>` for a gap of N bytes.
fn expected(generations: &[Vec<u8>], criteria: &Criteria, is_timed: bool, with_gaps: bool) -> String {
    let lines = kept(generations, criteria, is_timed);
    let limit = criteria.max.map_or(usize::MAX, |max| max.get() as usize);
    let matches: Vec<_> = (0..lines.len()).filter(|&index| lines[index].is_match).take(limit).collect();
    let belongs = |index: usize, found: usize| {
        let (line, found_line) = (&lines[index], &lines[found]);
        let is_near = line.generation == found_line.generation && found_line.start.abs_diff(line.start) <= REACH;
        index == found
            || !criteria.grep.is_empty()
                && is_near
                && match criteria.context {
                    Context::Entry => line.entry.is_some() && line.entry == found_line.entry,
                    Context::Lines { before, .. } if index < found => found - index <= before as usize,
                    Context::Lines { after, .. } => index - found <= after as usize,
                }
    };
    let offset = |line: &OracleLine| generations[..line.generation].iter().map(Vec::len).sum::<usize>() + line.start;
    let has_context = !criteria.grep.is_empty() && criteria.context != Context::default();
    let (mut out, mut last) = (String::new(), None::<usize>);
    for index in (0..lines.len()).filter(|&index| matches.iter().any(|&found| belongs(index, found))) {
        if let Some(last) = last.filter(|&last| with_gaps && has_context && last + 1 < index) {
            let end = offset(&lines[last]) + lines[last].bytes.len();
            write!(out, "<{}>", offset(&lines[index]) - end).unwrap();
        }
        out.push_str(&show(lines[index].bytes));
        last = Some(index);
    }
    out
}

fn show(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

/// Whether the unfinished line at the end of `log[..end]` is judged as the whole line is.
fn is_stable(log: &[u8], end: usize, criteria: &Criteria, is_timed: bool) -> bool {
    let start = log[..end].iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    let judge = |log: &[u8]| {
        let lines = [log.to_vec()];
        let lines = kept(&lines, criteria, is_timed);
        let line = lines.iter().find(|line| line.start == start);
        line.map(|line| (line.entry, line.is_kept, line.is_match))
    };
    start < end && judge(&log[..end]) == judge(log)
}

/// Sends the generations in random blocks, and begins a new stream at some places.
fn sent(random: &mut Random, generations: &[Vec<u8>], criteria: &Criteria, is_timed: bool, cuts: bool) -> String {
    let time: Arc<FindTime> = Arc::new(find_time);
    let entries = if is_timed { Entries::Timed(time) } else { Entries::Lines };
    let mut criteria = criteria.clone();
    let new = |criteria: &Criteria| Selector::new(Arc::new(Filter::new(criteria).unwrap()), entries.clone());
    let mut selector = new(&criteria);
    let mut out = String::new();
    for (index, log) in generations.iter().enumerate() {
        let (mut at, mut size) = (0, 1);
        // A place to resume at, what was sent up to there, and how many lines had matched.
        let mut place = (at, out.len(), selector.judging.matches);
        loop {
            // A block has at least what was given back, and a byte more.
            size = if random.one_in(2) { size + 1 + random.below(9) } else { 1 + size + random.below(WARM_UP) };
            let block = &log[at..log.len().min(at + size)];
            let ending = match at + block.len() == log.len() {
                true if index + 1 < generations.len() => Follows::Generation,
                true => random.pick(&[Follows::Generation, Follows::Stream]),
                false if cuts && criteria.max.is_none() && random.one_in(15) => Follows::Stream,
                false => Follows::Open,
            };
            let is_stopped = ending == Follows::Stream && at + block.len() < log.len();
            let is_stopped = is_stopped && is_stable(log, at + block.len(), &criteria, is_timed);
            let ending = if is_stopped || at + block.len() == log.len() { ending } else { Follows::Open };
            let judged = selector.judge(block, ending);
            assert!(
                judged.used > 0 || block.len() < WARM_UP || judged.is_done || ending != Follows::Open,
                "no progress"
            );
            for piece in judged.pieces {
                match piece {
                    Piece::Lines(lines) => out.push_str(&show(&block[lines])),
                    Piece::Skip(bytes) if !cuts => write!(out, "<{bytes}>").unwrap(),
                    Piece::Skip(_) => (),
                }
            }
            at += judged.used;
            size = block.len() - judged.used;
            if judged.is_done {
                return out;
            }
            if ending != Follows::Open && !is_stopped {
                break;
            }
            if !selector.is_within_line() || is_stopped && selector.inside == Some(true) {
                place = (at + selector.sent_ahead(), out.len(), selector.judging.matches);
            }
            if is_stopped || cuts && random.one_in(3) && !selector.judging.is_closing {
                at = place.0;
                out.truncate(place.1);
                criteria.max = criteria.max.map(|max| NonZeroU64::new(max.get() - place.2).unwrap());
                selector = new(&criteria);
                selector.sample(log);
                at -= selector.warm_up(&log[at.saturating_sub(WARM_UP)..at], at <= WARM_UP);
                size = 1;
                place.2 = 0;
            }
        }
    }
    out
}

#[test]
fn any_blocks_and_cuts_give_what_the_filter_selects() {
    for seed in seeds(500) {
        let mut random = Random::new(seed);
        let generations: Vec<_> = (0..1 + random.below(3)).map(|_| random_generation(&mut random)).collect();
        let (criteria, is_timed, cuts) = (random_criteria(&mut random), random.one_in(2), random.one_in(2));
        let expected = expected(&generations, &criteria, is_timed, !cuts);
        let sent = sent(&mut random, &generations, &criteria, is_timed, cuts);
        let same = sent.bytes().zip(expected.bytes()).take_while(|(left, right)| left == right).count();
        let (left, right) = (&sent[same.saturating_sub(80)..], &expected[same.saturating_sub(80)..]);
        assert_eq!(left, right, "seed {seed}, timed {is_timed}, cuts {cuts}, {criteria:#?}");
    }
}
