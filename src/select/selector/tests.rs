use std::num::NonZeroU64;

use super::*;
use crate::protocol::criteria::{Criteria, Level};
use crate::select::entry::{FindTime, REACH};

fn criteria(grep: &str, before: u32, after: u32) -> Criteria {
    let grep = grep.split_whitespace().map(str::to_owned).collect();
    Criteria { grep, context: Context::Lines { before, after }, ..Criteria::default() }
}

fn selector(criteria: &Criteria) -> Selector {
    let time: Arc<FindTime> = Arc::new(|line| line.starts_with(b"@").then_some(1));
    Selector::new(Arc::new(Filter::new(criteria).unwrap()), Entries::Timed(time))
}

/// What is selected of a block, `--` between groups, and how much of it is used.
fn judge(selector: &mut Selector, block: &str, ending: Follows) -> (String, usize) {
    let judged = selector.judge(block.as_bytes(), ending);
    let show = |piece| match piece {
        Piece::Lines(lines) => block[lines].to_owned(),
        Piece::Skip(bytes) => format!("-- {bytes}\n"),
    };
    (judged.pieces.into_iter().map(show).collect(), judged.used)
}

fn selected(criteria: &Criteria, log: &str) -> String {
    judge(&mut selector(criteria), log, Follows::Generation).0
}

#[test]
fn groups_that_touch_are_one() {
    assert_eq!(selected(&criteria("x", 1, 1), "a\nx\nb\nc\nx\nd\ne\nf\nx\n"), "a\nx\nb\nc\nx\nd\n-- 2\nf\nx\n");
    assert_eq!(selected(&criteria("x", 2, 2), "x\na\nx\nb\nx\n"), "x\na\nx\nb\nx\n");
    assert_eq!(selected(&criteria("x", 0, 0), "x\na\nx\n"), "x\nx\n");
}

#[test]
fn excluded_lines_neither_come_nor_part() {
    let mut criteria = criteria("x", 1, 1);
    criteria.exclude = vec!["no".to_owned()];
    assert_eq!(selected(&criteria, "a\nno\nx\nno\nx no\nb\nno\nc\nx\n"), "a\nx\nb\nc\nx\n");
    assert_eq!(selected(&criteria, "x\na\nno\nb\nno\nc\nx\n"), "x\na\n-- 8\nc\nx\n");
    criteria.grep.clear();
    assert_eq!(selected(&criteria, "a\nno\nb\nc"), "a\nb\nc");
}

#[test]
fn the_last_match_has_its_context_and_no_more() {
    let mut criteria = criteria("x", 1, 2);
    criteria.max = NonZeroU64::new(2);
    let log = "a\nx\nx\nx\nx\nx\n";
    let judged = selector(&criteria).judge(log.as_bytes(), Follows::Open);
    assert_eq!((judged.pieces, judged.used), (vec![Piece::Lines(0..10)], 10));
    assert_eq!((judged.matches, judged.is_done), (2, true));
    // The context may come later, or not at all.
    let mut selector = selector(&criteria);
    assert!(!selector.judge(b"x\nx\n", Follows::Open).is_done);
    assert!(!selector.judge(b"a\n", Follows::Open).is_done);
    assert!(selector.judge(b"b", Follows::Generation).is_done);
    // Without a pattern every line counts.
    criteria.grep.clear();
    assert_eq!(selected(&criteria, "a\nb\nc\n"), "a\nb\n");
}

#[test]
fn a_place_stays_before_what_may_be_context() {
    let mut selector = selector(&criteria("x", 2, 0));
    assert_eq!(judge(&mut selector, "a\nb\nc\nd", Follows::Open), (String::new(), 2));
    assert_eq!(judge(&mut selector, "b\nc\nd\n", Follows::Open), (String::new(), 2));
    assert_eq!(judge(&mut selector, "c\nd\nx\n", Follows::Open), ("c\nd\nx\n".to_owned(), 6));
    assert_eq!(judge(&mut selector, "a\nb\nc\n", Follows::Generation), (String::new(), 6));
    assert_eq!(judge(&mut selector, "x\n", Follows::Open), ("-- 6\nx\n".to_owned(), 2));
}

#[test]
fn an_entry_comes_whole() {
    let entries = "@ ERROR x\n at a\n at b\n@ INFO\n at c\n@ INFO\n at x\n";
    let entry = Criteria { context: Context::Entry, ..criteria("x", 0, 0) };
    assert_eq!(selected(&entry, entries), "@ ERROR x\n at a\n at b\n-- 13\n@ INFO\n at x\n");
    let grave = Criteria { level: Some(Level::Error), ..criteria("", 0, 0) };
    assert_eq!(selected(&grave, entries), "@ ERROR x\n at a\n at b\n");
    let mut selector = selector(&entry);
    assert_eq!(judge(&mut selector, "@ x\n", Follows::Open), ("@ x\n".to_owned(), 4));
    assert_eq!(judge(&mut selector, " a\n@ b\n c\n", Follows::Open), (" a\n".to_owned(), 3));
    assert_eq!(judge(&mut selector, "@ b\n c\n x\n", Follows::Open), ("@ b\n c\n x\n".to_owned(), 10));
}

#[test]
fn a_long_line_is_judged_by_its_head() {
    let long = "y".repeat(JUDGED_HEAD * 3);
    for (head, tail, is_sent) in [("x", "", true), ("y", "x", false)] {
        let log = [head, &long, tail, "\r\nx\n"].concat();
        let (mut selector, mut sent, mut at) = (selector(&criteria("x", 0, 0)), String::new(), 0);
        while at < log.len() {
            let block = &log[at..log.len().min(at + WARM_UP)];
            let (text, used) = judge(&mut selector, block, Follows::Open);
            sent += &text;
            at += used;
            assert!(used > 0);
        }
        assert_eq!(sent, if is_sent { &log } else { "x\n" }, "{head}");
    }
}

#[test]
fn context_is_not_far_from_its_match() {
    let far = |lines: usize| "12\n".repeat(lines);
    let near = far(REACH / 3);
    assert_eq!(selected(&criteria("x", 1000, 0), &[&far(1000), "x\n"].concat()), [&near, "x\n"].concat());
    let after = selected(&criteria("x", 0, 1000), &["x\n", &far(1000)].concat());
    assert_eq!(after, ["x\n", &near, "12\n"].concat()[..after.len()]);
    assert!(after.len().abs_diff(REACH) <= 5);
}

#[test]
fn a_stream_resumes_within_its_last_line() {
    let mut criteria = criteria("x", 0, 1);
    criteria.max = NonZeroU64::new(2);
    let mut first = selector(&criteria);
    assert_eq!(judge(&mut first, "a\nx 1", Follows::Stream), ("x 1".to_owned(), 5));
    criteria.max = NonZeroU64::new(1);
    let mut second = selector(&criteria);
    assert_eq!(second.warm_up(b"a\nx 1", true), 3);
    assert_eq!(second.sent_ahead(), 3);
    // The line is not counted again.
    assert_eq!(judge(&mut second, "x 12\nb\nc\nx\n", Follows::Open), ("2\nb\n-- 2\nx\n".to_owned(), 11));
    // One that was not selected is read again as a whole.
    assert_eq!(judge(&mut selector(&criteria), "a\nb", Follows::Stream), (String::new(), 2));
}

#[test]
fn a_resumed_stream_knows_what_is_still_to_come() {
    let mut resumed = selector(&criteria("x", 0, 2));
    assert_eq!(resumed.warm_up(b"rest of a line\nx\na\n", false), 0);
    assert_eq!(judge(&mut resumed, "b\nc\nx\n", Follows::Open), ("b\n-- 2\nx\n".to_owned(), 6));
}

#[test]
fn holes_and_carriage_returns_are_bytes() {
    let hole = ["\0".repeat(300), "x\0\r\n".to_owned()].concat();
    assert_eq!(selected(&criteria("\0x", 0, 0), &["\0\0x\r\n", &hole].concat()), "\0\0x\r\n");
    assert_eq!(selected(&criteria("x", 0, 0), "\r\n\nx\r\n\r\n"), "x\r\n");
}
