//! From a cursor on.

use super::{Place, Reader, WAIT, place_in};
use crate::follow::follower::Follower;
use crate::protocol::request::Lines;
use std::fs;
use std::time::Duration;

#[test]
fn a_cursor_continues_in_the_same_file() {
    let place = Place::with("a\n");
    let position = place_in(&place);
    place.append("app.log", "bcd\n");
    assert_eq!(place.resume(&position).read(), "bcd\n");
    assert_eq!(place.resume_after(&position, 2).read(), "d\n");
    assert_eq!(place.resume_after(&position, 5).read(), "<truncated><truncated>a\nbcd\n");
}

#[test]
fn a_cursor_continues_after_three_rotations() {
    let place = Place::with("0\n");
    let position = place_in(&place);
    for number in 1..4 {
        place.append("app.log", "more\n");
        place.rename("app.log", &format!("app.log-2026010{number}"));
        place.append("app.log", &format!("{number}\n"));
    }
    let rest = "more\n<rotated>1\nmore\n<rotated>2\nmore\n<rotated>3\n";
    assert_eq!(place.resume(&position).read(), rest);
    assert_eq!(place.resume_after(&position, 6).read(), "<rotated>\nmore\n<rotated>2\nmore\n<rotated>3\n");
}

#[test]
fn a_cursor_continues_in_the_copy_of_a_truncated_log() {
    let place = Place::with("0\n");
    let position = place_in(&place);
    for number in 1..3 {
        place.append("app.log", "more\n");
        place.copy_and_truncate(&format!("app.log-2026010{number}"));
        place.append("app.log", &format!("{number}\n"));
    }
    assert_eq!(place.resume(&position).read(), "more\n<rotated>1\nmore\n<truncated>2\n");
}

#[test]
fn a_cursor_of_an_empty_log_continues_in_its_copies() {
    let place = Place::with("");
    let position = place_in(&place);
    for number in 1..3 {
        std::thread::sleep(Duration::from_millis(20));
        place.append("app.log", &format!("{number}\n"));
        place.copy_and_truncate(&format!("app.log-2026010{number}"));
    }
    place.append("app.log", "more\n");
    assert_eq!(place.resume(&position).read(), "1\n<rotated>2\n<truncated>more\n");
    assert_eq!(place.resume_after(&position, 2).read(), "<rotated>2\n<truncated>more\n");
    let (log, file) = place.find();
    let mut reader = Reader::new(Follower::resume(log, file, &position, 0, false, WAIT).unwrap());
    assert_eq!((reader.follower.remaining(), reader.read().as_str()), (None, "1\n<rotated>2\n<truncated>more\n<end>"));
}

#[test]
fn a_cursor_of_a_file_that_was_moved_here_with_its_bytes_continues() {
    let place = Place::with(&"a line\n".repeat(100));
    let position = place_in(&place);
    fs::copy(place.path("app.log"), place.path("moved")).unwrap();
    fs::remove_file(place.path("app.log")).unwrap();
    place.rename("moved", "app.log");
    place.append("app.log", "b\n");
    assert_eq!(place.resume(&position).read(), "b\n");
}

#[test]
fn a_cursor_whose_bytes_are_gone_is_told_so() {
    let place = Place::with("a\n");
    let position = place_in(&place);
    place.truncate("app.log");
    place.append("app.log", "bcdef\n");
    assert_eq!(place.resume(&position).read(), "<truncated><truncated>bcdef\n");
    fs::remove_file(place.path("app.log")).unwrap();
    place.append("app.log", "a\nb\n");
    assert_eq!(place.resume(&position).read(), "<cursor>a\nb\n", "the same number perhaps, but not the same file");
}

#[test]
fn a_cursor_of_another_log_never_leads_there() {
    let (place, other) = (Place::with("a\n"), Place::with("secret\n"));
    place.append("other.log", "secret\n");
    assert_eq!(place.resume(&place_in(&other)).read(), "<cursor>a\n");
}

#[test]
fn a_cursor_of_an_empty_log_knows_it_by_its_number_alone() {
    let place = Place::with("");
    let position = place_in(&place);
    place.append("app.log", "a\n");
    assert_eq!(place.resume(&position).read(), "a\n");
    place.rename("app.log", "app.log.1");
    place.append("app.log", "b\n");
    assert_eq!(place.resume(&position).read(), "a\n<rotated>b\n");
    fs::remove_file(place.path("app.log.1")).unwrap();
    assert_eq!(place.resume(&position).read(), "<cursor>b\n");
}

#[test]
fn who_comes_back_while_a_rotated_file_is_waited_for_gets_its_late_writes() {
    let place = Place::with("0\n");
    let position = place_in(&place);
    place.rename("app.log", "app.log.1");
    place.append("app.log", "1\n");
    let mut reader = place.resume(&position);
    assert_eq!(reader.read_now(), "");
    place.append("app.log.1", "late\n");
    assert_eq!(reader.read(), "late\n<rotated>1\n");
}

#[test]
fn bytes_that_are_not_there_are_told_at_the_end_too() {
    let place = Place::with("0\n");
    let position = place_in(&place);
    place.rename("app.log", "app.log.1");
    place.append("app.log", "1\n");
    let (log, file) = place.find();
    let mut reader = Reader::new(Follower::resume(log, file, &position, 1000, false, WAIT).unwrap());
    assert_eq!(reader.read(), "<rotated><cursor><end>");
}

#[test]
fn a_cursor_of_a_log_that_was_emptied_and_rotated_is_a_gap() {
    let place = Place::with("1: a line that is long enough\n");
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    place.append("app.log", "2: unread\n");
    place.truncate("app.log");
    assert_eq!(reader.read_now(), "");
    let position = reader.position();
    place.rename("app.log", "app.log.1");
    place.append("app.log", "3\n");
    assert_eq!(place.resume(&position).read(), "<truncated><truncated><rotated>3\n");
}

#[test]
fn what_a_rotated_file_holds_is_known_when_it_is_resumed() {
    let place = Place::with("0\n");
    let position = place_in(&place);
    place.append("app.log", "1\n");
    place.rename("app.log", "app.log.1");
    place.append("app.log", "");
    let mut reader = place.resume(&position);
    assert!(reader.follower.is_behind());
    assert_eq!(reader.read_now(), "1\n");
    assert!(!reader.follower.is_behind());
}

#[test]
fn a_copy_that_is_compressed_after_it_was_resumed_brings_no_older_one_back() {
    let place = Place::with("0: the first lines of a log\n");
    place.copy_and_truncate("app.log.2");
    place.append("app.log", "1: a line that is long enough to be known by, and then some more of it\n");
    let position = place_in(&place);
    place.copy_and_truncate("app.log.1");
    let mut reader = place.resume(&position);
    assert_eq!(reader.read_now(), "");
    fs::copy(place.path("app.log.1"), place.path("app.log.1.gz")).unwrap();
    fs::remove_file(place.path("app.log.1")).unwrap();
    place.append("app.log", "2\n");
    assert_eq!(reader.read(), "<truncated>2\n");
}
