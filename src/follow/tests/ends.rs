//! Where a stream begins and ends that does not follow the log, whatever becomes of its file meanwhile.

use super::*;
use crate::follow::test_times::Range;

/// Lines, each of which bears its number as its time.
fn lines(range: std::ops::Range<u64>) -> String {
    range.map(|time| format!("t{time} line\n")).collect()
}

/// A reader of all generations in that range, or of the current file alone, that has read some of them.
fn begun(place: &Place, times: Option<Range>) -> (Reader, String) {
    let (log, file) = place.find();
    let mut follower = Follower::new(log, file, Lines::All, false, WAIT).unwrap();
    if let Some(times) = times {
        follower.narrow(true, Some(Box::new(times))).unwrap();
    }
    let mut reader = Reader::new(follower);
    let begun = reader.read_bytes(70);
    (reader, begun)
}

#[test]
fn an_end_in_a_file_that_is_copied_and_truncated_is_in_the_copy() {
    for (times, end) in [(Some(Range { since: Some(20), until: Some(60) }), 60), (None, 100)] {
        let place = Place::with(&lines(0..100));
        let (mut reader, mut text) = begun(&place, times);
        place.append("app.log", &lines(100..110));
        place.copy_and_truncate("app.log.1");
        place.append("app.log", &lines(110..300));
        text += &reader.read();
        assert_eq!(text, lines(times.map_or(0, |_| 20)..end) + "<end>");
        assert_eq!(reader.follower.ends_at_time(), times.is_some());
        // The place where it ended is that in the copy.
        assert_eq!(place.resume(&reader.position()).read(), lines(end..110) + "<rotated>" + &lines(110..300));
    }
}

#[test]
fn an_end_in_a_file_that_is_renamed_stays_where_it_is() {
    for (times, end) in [(Some(Range { since: Some(20), until: Some(60) }), 60), (None, 100)] {
        let place = Place::with(&lines(0..100));
        let (mut reader, mut text) = begun(&place, times);
        place.append("app.log", &lines(100..110));
        place.rename("app.log", "app.log.1");
        place.append("app.log", &lines(110..300));
        text += &reader.read();
        assert_eq!(text, lines(times.map_or(0, |_| 20)..end) + "<end>");
    }
}

#[test]
fn an_end_that_was_truncated_without_a_copy_is_a_gap() {
    for times in [Some(Range { since: Some(20), until: Some(60) }), None] {
        let place = Place::with(&lines(0..100));
        let (mut reader, _) = begun(&place, times);
        place.truncate("app.log");
        place.append("app.log", &lines(110..300));
        assert_eq!(reader.read(), "<truncated><end>");
    }
}

#[test]
fn what_a_copy_lacks_before_the_end_is_a_gap() {
    let place = Place::with(&lines(0..1000));
    let (mut reader, mut text) = begun(&place, None);
    fs::write(place.path("app.log.1"), lines(0..990)).unwrap();
    place.truncate("app.log");
    place.append("app.log", &lines(1110..1300));
    text += &reader.read();
    assert_eq!(text, lines(0..990) + "<truncated: 100><end>");
}

#[test]
fn an_end_in_a_later_file_that_is_copied_and_truncated_is_in_the_copy() {
    let place = Place::with("");
    place.append("app.log.1", &lines(0..100));
    place.append("app.log", &lines(100..200));
    let (mut reader, mut text) = begun(&place, Some(Range { since: Some(20), until: Some(160) }));
    place.append("app.log", &lines(200..210));
    place.rename("app.log.1", "app.log.2");
    place.copy_and_truncate("app.log.1");
    place.append("app.log", &lines(210..300));
    text += &reader.read();
    assert_eq!(text, lines(20..100) + "<rotated>" + &lines(100..160) + "<end>");
}

#[test]
fn a_hole_at_the_start_of_any_generation_is_a_gap() {
    let hole = |name: &str, place: &Place, text: &str| {
        place.writer(name).set_len(70_000).unwrap();
        place.append(name, text);
    };
    for (first, second) in [("<truncated: 70000>", ""), ("", "<truncated: 70000>")] {
        let place = Place::with(&lines(200..300));
        for (name, gap, text) in [("app.log.2", first, lines(0..100)), ("app.log.1", second, lines(100..200))] {
            if gap.is_empty() { place.append(name, &text) } else { hole(name, &place, &text) }
        }
        let (log, file) = place.find();
        let mut follower = Follower::new(log, file, Lines::All, false, WAIT).unwrap();
        follower.narrow(true, None).unwrap();
        let (first, second) = (first.to_owned() + &lines(0..100), second.to_owned() + &lines(100..200));
        let expected = [&first, "<rotated>", &second, "<rotated>", &lines(200..300), "<end>"].concat();
        let text = Reader::new(follower).read();
        assert!(text == expected, "{}", text.replace('\0', ""));
    }
}

#[test]
fn a_range_in_a_log_that_is_truncated_while_it_is_searched_is_in_the_copy_or_a_gap() {
    let since = |time| Range { since: Some(time), until: None };
    for (times, is_copied, history, expected) in [
        (since(90), true, true, lines(90..100) + &lines(100..103)),
        (since(101), true, true, lines(101..103)),
        (since(90), false, true, "<truncated>".to_owned() + &lines(100..103)),
        (since(90), true, false, "<truncated>".to_owned() + &lines(100..103)),
        (Range { since: Some(90), until: Some(95) }, true, true, lines(90..95)),
        (Range { since: None, until: Some(3) }, true, true, lines(0..3)),
    ] {
        for tail in [false, true].into_iter().filter(|tail| !tail || times.until.is_none()) {
            let place = Place::with(&lines(0..100));
            let (log, file) = place.find();
            let mut follower = Follower::new(log, file, Lines::All, tail, WAIT).unwrap();
            follower.narrow(history, Some(Box::new(times))).unwrap();
            assert_eq!(follower.poll(&mut [], Instant::now()).unwrap(), Step::Busy);
            if is_copied {
                place.copy_and_truncate("app.log.1");
            } else {
                place.truncate("app.log");
            }
            place.append("app.log", &lines(100..103));
            let text = Reader::new(follower).read().replace("<end>", "").replace("<rotated>", "");
            assert_eq!(text, expected, "{times:?} copied {is_copied} history {history} tail {tail}");
        }
    }
}

#[test]
fn an_end_that_is_searched_for_in_a_log_that_is_truncated_is_in_the_copy_or_a_gap() {
    // The stream resumes in the log, or in the generation before it.
    for (rotated, is_copied, end) in [(1000, true, 1250), (1200, true, 1250), (1000, false, 1063)] {
        for turns in 0..100 {
            let place = Place::with(&lines(rotated..1300));
            if rotated > 1000 {
                place.append("app.log.2", &lines(1000..rotated));
            }
            let (log, file) = place.find();
            let mut before = Follower::new(log, file, Lines::All, false, WAIT).unwrap();
            before.narrow(true, None).unwrap();
            let mut before = Reader::new(before);
            let mut text = before.read_bytes(693);
            let (log, file) = place.find();
            let mut follower = Follower::resume(log, file, &before.position(), 0, false, WAIT).unwrap();
            follower.narrow(true, Some(Box::new(Range { since: None, until: Some(1250) }))).unwrap();
            let is_begun = (0..turns).any(|_| follower.poll(&mut [], Instant::now()).unwrap() == Step::Started);
            if is_copied {
                place.copy_and_truncate("app.log.1")
            } else {
                place.truncate("app.log")
            }
            place.append("app.log", &lines(1300..1900));
            text += &Reader::new(follower).read().replace("<rotated>", "");
            // The gap, where the stream goes on in the truncated log also the mark of that.
            let text = text.replace("<truncated><truncated>", "<truncated>");
            let gap = if is_copied { "" } else { "<truncated>" };
            let end = lines(1000..end) + gap + "<end>";
            assert!(text == end, "rotated {rotated}, {turns} turns: {}", &text[text.len() - 60..]);
            if is_begun {
                break;
            }
        }
    }
}

#[test]
fn lines_before_a_cursor_are_a_gap_if_the_log_is_truncated_while_they_are_searched() {
    for turns in 0.. {
        let place = Place::with(&lines(0..100));
        let (log, file) = place.find();
        let mut reader = Reader::new(Follower::new(log, file, Lines::All, true, WAIT).unwrap());
        reader.read_bytes(500);
        let (log, file) = place.find();
        let mut before = Follower::before(log, file, &reader.position(), Lines::Last(3)).unwrap();
        before.narrow(true, None).unwrap();
        if (0..turns).any(|_| before.poll(&mut [], Instant::now()).unwrap() == Step::Started) {
            assert!(turns > 1);
            break;
        }
        place.truncate("app.log");
        place.append("app.log", &lines(100..300));
        assert_eq!(Reader::new(before).read(), "<truncated><end>", "after {turns} turns");
    }
}

#[test]
fn a_log_that_is_rewritten_faster_than_it_is_searched_begins_after_one_gap() {
    for (times, last) in [(Some(Range { since: Some(1), until: None }), Lines::All), (None, Lines::Last(3))] {
        let place = Place::with(&lines(0..100));
        let (log, file) = place.find();
        let mut follower = Follower::new(log, file, last, true, WAIT).unwrap();
        follower.narrow(true, times.map(|times| Box::new(times) as Box<_>)).unwrap();
        let mut rewrite = |number: u64| {
            fs::write(place.path("app.log"), lines(number * 1000..number * 1000 + 100)).unwrap();
            follower.poll(&mut [], Instant::now()).unwrap() == Step::Started
        };
        let last = (1..200).find(|number| rewrite(*number)).expect("the search ends");
        let text = Reader::new(follower).read();
        assert_eq!(text, "<truncated>".to_owned() + &lines(last * 1000..last * 1000 + 100));
    }
}

#[test]
fn a_log_that_is_copied_and_truncated_at_any_turn_of_a_search_loses_nothing() {
    let (old, new) = (lines(1000..1300), lines(1300..1900));
    let range = |since, until| Some(Range { since, until });
    // What comes if the search begins again, and what if the stream had begun.
    for (times, last, again, begun) in [
        (range(Some(1290), None), Lines::All, 1290..1900, 1290..1900),
        (range(Some(1280), Some(1290)), Lines::All, 1280..1290, 1280..1290),
        (range(Some(1100), Some(1290)), Lines::Last(10), 1280..1290, 1280..1290),
        (None, Lines::Last(10), 1890..1900, 1290..1900),
    ] {
        for turns in 0..100 {
            let place = Place::with(&old);
            let (log, file) = place.find();
            let tail = times.is_none_or(|times| times.until.is_none());
            let mut follower = Follower::new(log, file, last, tail, WAIT).unwrap();
            follower.narrow(true, times.map(|times| Box::new(times) as Box<_>)).unwrap();
            let is_begun = (0..turns).any(|_| follower.poll(&mut [], Instant::now()).unwrap() == Step::Started);
            place.copy_and_truncate("app.log.1");
            place.append("app.log", &new);
            let text = Reader::new(follower).read().replace("<end>", "");
            assert!(!text.contains("<truncated><truncated>"), "a gap after {turns} turns");
            let text = text.replace("<rotated>", "").replace("<truncated>", "");
            let expected = lines(if is_begun { begun.clone() } else { again.clone() });
            assert!(text == expected, "{times:?} {last:?} after {turns} turns: {text:.300}");
            if is_begun {
                break;
            }
        }
    }
}
