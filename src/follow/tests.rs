//! A log's life as a follower sees it, on real files, with a time of the test's own.

use super::evidence::Status;
use super::follower::{Follower, SILENCE, Step};
use super::position::Position;
use super::root::Log;
use super::siblings::{self, Order};
use crate::follow::root::Roots;
use crate::protocol::request::Address;
use crate::protocol::request::Lines;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const WAIT: Duration = Duration::from_secs(5);

struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn with(text: &str) -> Place {
        let place = Place { directory: tempfile::tempdir().unwrap() };
        place.append("app.log", text);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn writer(&self, name: &str) -> File {
        fs::OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap()
    }

    fn append(&self, name: &str, text: &str) {
        self.writer(name).write_all(text.as_bytes()).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    fn truncate(&self, name: &str) {
        self.writer(name).set_len(0).unwrap();
    }

    fn copy_and_truncate(&self, name: &str) {
        fs::copy(self.path("app.log"), self.path(name)).unwrap();
        self.truncate("app.log");
    }

    fn find(&self) -> (Log, File) {
        let roots = Roots::open([self.directory.path()], false).unwrap();
        roots.find(&Address::parse("/app.log").unwrap()).unwrap().unwrap()
    }

    fn follow(&self, lines: Lines, tail: bool) -> Reader {
        let (log, file) = self.find();
        Reader::new(Follower::new(log, file, lines, tail, WAIT).unwrap())
    }

    fn resume(&self, position: &Position) -> Reader {
        self.resume_after(position, 0)
    }

    fn resume_after(&self, position: &Position, skip: u64) -> Reader {
        let (log, file) = self.find();
        Reader::new(Follower::resume(log, file, (position, skip), true, WAIT).unwrap())
    }
}

/// A follower and the time it is told.
struct Reader {
    follower: Follower,
    now: Instant,
}

impl Reader {
    fn new(follower: Follower) -> Reader {
        Reader { follower, now: Instant::now() }
    }

    /// Everything up to the next silence, with the turns marked.
    fn read_now(&mut self) -> String {
        let (mut buffer, mut out) = ([0; 7], String::new());
        loop {
            match self.follower.poll(&mut buffer, self.now).unwrap() {
                Step::Bytes(read) => out.push_str(std::str::from_utf8(&buffer[..read]).unwrap()),
                Step::Rotated => out.push_str("<rotated>"),
                Step::Truncated => out.push_str("<truncated>"),
                Step::Gap(missing, Some(bytes)) => out.push_str(&format!("<{}: {bytes}>", missing.word())),
                Step::Gap(missing, None) => out.push_str(&format!("<{}>", missing.word())),
                Step::Waiting => out.push_str("<waiting>"),
                Step::Quiet => return out,
                Step::Ended => return out + "<end>",
                Step::Busy | Step::Started => {}
            }
        }
    }

    /// The same, and the time passes for which a rotated file is waited for.
    fn read(&mut self) -> String {
        let mut out = self.read_now();
        while let Some(due) = self.follower.due() {
            self.now = due;
            out += &self.read_now();
        }
        out
    }

    fn pass(&mut self, time: Duration) -> &mut Reader {
        self.now += time;
        self
    }

    fn position(&self) -> Position {
        Position::parse(&self.follower.position().cursor()).unwrap()
    }
}

#[test]
fn appended_bytes_come_once() {
    let place = Place::with("a\nb\n");
    let mut reader = place.follow(Lines::Last(1), true);
    assert_eq!(reader.read(), "b\n");
    place.append("app.log", "c");
    place.append("app.log", "d\n");
    assert_eq!((reader.read(), reader.read()), ("cd\n".into(), String::new()));
}

#[test]
fn without_tail_it_ends_where_the_log_ended_when_it_was_opened() {
    let place = Place::with("a\nb\n");
    let mut reader = place.follow(Lines::All, false);
    place.append("app.log", "later\n");
    assert_eq!(reader.read(), "a\nb\n<end>");
}

#[test]
fn a_rotated_file_is_read_for_late_writes_before_the_next() {
    let place = Place::with("a\n");
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    let mut writer = place.writer("app.log");
    place.rename("app.log", "app.log.1");
    place.append("app.log", "c\n");
    assert_eq!(reader.read_now(), "");
    writer.write_all(b"late\n").unwrap();
    assert_eq!(reader.pass(WAIT / 2).read_now(), "late\n");
    assert_eq!(reader.read(), "<rotated>c\n");
}

#[test]
fn a_rotated_file_that_its_writer_closed_is_left_after_a_second_of_silence() {
    let place = Place::with("a\n");
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    place.rename("app.log", "app.log.1");
    place.append("app.log", "b\n");
    assert_eq!(reader.read_now(), "");
    reader.follower.writer_closed(true);
    assert_eq!(reader.pass(SILENCE / 2).read_now(), "");
    place.append("app.log.1", "late\n");
    reader.follower.writer_closed(true);
    assert_eq!(reader.read_now(), "late\n");
    assert_eq!(reader.pass(SILENCE / 2).read_now(), "");
    assert_eq!(reader.pass(SILENCE / 2).read_now(), "<rotated>b\n");
}

#[test]
fn what_is_written_after_the_wait_is_told_as_a_gap() {
    let place = Place::with("a\n");
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    place.rename("app.log", "app.log.1");
    place.append("app.log", "b\n");
    assert_eq!(reader.read(), "<rotated>b\n");
    place.append("app.log.1", "too late\n");
    assert_eq!(reader.pass(SILENCE).read(), "<replaced: 9>");
    assert_eq!(reader.pass(10 * SILENCE).read(), "");
    place.append("app.log.1", "again\n");
    place.rename("app.log", "app.log.2");
    place.append("app.log", "c\n");
    assert_eq!(reader.pass(100 * SILENCE).read(), "<replaced: 6><rotated>c\n");
}

#[test]
fn every_generation_between_two_looks_is_read_in_order() {
    for names in [["app.log.3", "app.log.2", "app.log.1"], ["app.log-20260101", "app.log-20260102", "app.log-20260103"]]
    {
        let place = Place::with("0\n");
        let mut reader = place.follow(Lines::All, true);
        reader.read();
        for (number, name) in names.iter().enumerate() {
            place.rename("app.log", name);
            place.append("app.log", &format!("{}\n", number + 1));
        }
        place.append("app.error.log", "not mine\n");
        assert_eq!(reader.read(), "<rotated>1\n<rotated>2\n<rotated>3\n");
        assert_eq!(reader.read(), "");
    }
}

#[test]
fn a_log_that_is_rotated_in_the_midst_of_a_look_is_not_passed_over() {
    let place = Place::with("0\n");
    place.rename("app.log", "app.log-20260101");
    place.append("app.log", "1\n");
    let (log, current) = place.find();
    for number in 2..4 {
        place.rename("app.log", &format!("app.log-2026010{number}"));
        place.append("app.log", &format!("{number}\n"));
    }
    let oldest = fs::File::open(place.path("app.log-20260101")).unwrap();
    for order in [Order::After(0), Order::Names] {
        let before = siblings::list(&log).unwrap().before(&Status::of(&current).unwrap(), order);
        assert_eq!(before.list.len(), 1);
        assert!(before.list[0].status.is_same(&Status::of(&oldest).unwrap()));
    }
}

#[test]
fn only_the_first_of_several_generations_is_waited_for() {
    let place = Place::with("0\n");
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    for number in 1..4 {
        place.rename("app.log", &format!("app.log-2026010{number}"));
        place.append("app.log", &format!("{number}\n"));
    }
    assert_eq!(reader.read_now(), "");
    assert_eq!(reader.pass(WAIT).read_now(), "<rotated>1\n<rotated>2\n<rotated>3\n");
}

#[test]
fn generations_older_than_the_held_one_are_not_read() {
    let place = Place::with("old\n");
    place.rename("app.log", "app.log.1");
    place.append("app.log", "a\n");
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    place.rename("app.log.1", "app.log.2");
    place.rename("app.log", "app.log.1");
    place.append("app.log", "b\n");
    assert_eq!(reader.read(), "<rotated>b\n");
}

#[test]
fn a_copy_beside_the_log_is_no_generation() {
    let place = Place::with(&"a line\n".repeat(1000));
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    fs::copy(place.path("app.log"), place.path("app.log.7")).unwrap();
    place.append("app.log", "b\n");
    place.rename("app.log", "app.log.1");
    place.append("app.log", "c\n");
    assert_eq!(reader.read(), "b\n<rotated>c\n");
}

#[test]
fn a_generation_that_is_only_the_banner_of_all_is_read() {
    let place = Place::with("banner\n");
    let mut reader = place.follow(Lines::All, true);
    place.append("app.log", "0\n");
    reader.read();
    std::thread::sleep(Duration::from_millis(20));
    for name in ["app.log.2", "app.log.1"] {
        place.rename("app.log", name);
        place.append("app.log", "banner\n");
    }
    assert_eq!(reader.read(), "<rotated>banner\n<rotated>banner\n");
}

#[test]
fn generations_that_expired_unread_are_told() {
    let place = Place::with("0\n");
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    for number in 1..4 {
        place.rename("app.log", &format!("app.log-2026010{number}"));
        place.append("app.log", &format!("{number}\n"));
    }
    fs::remove_file(place.path("app.log-20260101")).unwrap();
    fs::remove_file(place.path("app.log-20260102")).unwrap();
    assert_eq!(reader.read(), "<expired><rotated>2\n<rotated>3\n");
}

#[test]
fn a_shrunk_file_is_read_from_its_start() {
    let place = Place::with("aaaa\nbbbb\n");
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    fs::write(place.path("app.log"), "c\n").unwrap();
    assert_eq!(reader.read(), "<truncated><truncated>c\n");
}

#[test]
fn a_file_that_was_truncated_and_has_grown_beyond_is_noticed() {
    let place = Place::with("aaaa\nbbbb\n");
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    fs::write(place.path("app.log"), "cccc\ndddd\neeee\n").unwrap();
    assert_eq!(reader.read(), "<truncated><truncated>cccc\ndddd\neeee\n");
}

#[test]
fn what_was_not_read_before_a_truncation_comes_from_the_copy() {
    let place = Place::with("a\n");
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    place.append("app.log", "b\n");
    place.copy_and_truncate("app.log.1");
    place.append("app.log", "c\n");
    assert_eq!(reader.read(), "b\n<truncated>c\n");
}

#[test]
fn several_copies_are_read_in_order() {
    let place = Place::with("0\n");
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    for number in 1..4 {
        place.append("app.log", &format!("end of {number}\n"));
        place.copy_and_truncate(&format!("app.log-2026010{number}"));
        place.append("app.log", &format!("{number}\n"));
    }
    let copies = "end of 1\n<rotated>1\nend of 2\n<rotated>2\nend of 3\n<truncated>3\n";
    assert_eq!(reader.read(), copies);
}

#[test]
fn an_old_copy_that_begins_alike_is_not_taken_for_the_rest() {
    let place = Place::with("banner\n");
    place.append("app.log.1", "banner\nold\n");
    std::thread::sleep(Duration::from_millis(20));
    place.append("app.log", "0\n");
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    place.truncate("app.log");
    place.append("app.log", "1\n");
    assert_eq!(reader.read(), "<truncated><truncated>1\n");
}

#[test]
fn the_hole_before_what_a_writer_without_append_goes_on_with_is_one_gap() {
    let place = Place::with("");
    let file = fs::OpenOptions::new().write(true).open(place.path("app.log")).unwrap();
    let old = "a line\n".repeat(10_000);
    file.write_all_at(old.as_bytes(), 0).unwrap();
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    place.truncate("app.log");
    file.write_all_at(b"new\n", old.len() as u64).unwrap();
    assert_eq!(reader.read(), "<truncated><truncated><truncated: 70000>new\n");
}

#[test]
fn a_hole_is_no_log_to_who_comes_later_either() {
    let place = Place::with("");
    let file = fs::OpenOptions::new().write(true).open(place.path("app.log")).unwrap();
    file.write_all_at(b"a line\n", 0).unwrap();
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    let before = reader.position();
    place.truncate("app.log");
    assert_eq!(reader.read(), "<truncated><truncated>");
    file.write_all_at(b"new\n", 70_000).unwrap();
    assert_eq!(place.resume(&before).read(), "<truncated><truncated><truncated: 70000>new\n");
    assert_eq!(place.resume(&reader.position()).read(), "<truncated: 70000>new\n");
    place.rename("app.log", "app.log.1");
    place.append("app.log", "b\n");
    assert_eq!(place.resume(&reader.position()).read(), "<truncated: 70000>new\n<rotated>b\n");
}

#[test]
fn a_deleted_log_is_waited_for() {
    let place = Place::with("a\n");
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    fs::remove_file(place.path("app.log")).unwrap();
    assert_eq!((reader.read(), reader.read()), ("<waiting>".into(), String::new()));
    place.append("app.log", "b\n");
    assert_eq!(reader.read(), "<replaced><rotated>b\n");
}

#[test]
fn a_switched_link_leads_to_the_new_target_after_the_old_ones_rest() {
    let place = Place::with("");
    fs::remove_file(place.path("app.log")).unwrap();
    place.append("one.log", "1\n");
    place.append("two.log", "2\n");
    std::os::unix::fs::symlink("one.log", place.path("app.log")).unwrap();
    let mut reader = place.follow(Lines::All, true);
    assert_eq!(reader.read(), "1\n");
    place.append("one.log", "rest\n");
    std::os::unix::fs::symlink("two.log", place.path("new")).unwrap();
    place.rename("new", "app.log");
    assert_eq!(reader.read(), "rest\n<rotated>2\n");
}

#[test]
fn what_is_there_but_no_log_is_an_error_and_may_become_one_again() {
    let place = Place::with("a\n");
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    fs::remove_file(place.path("app.log")).unwrap();
    fs::create_dir(place.path("app.log")).unwrap();
    assert!(reader.follower.poll(&mut [0; 9], reader.now).is_err());
    fs::remove_dir(place.path("app.log")).unwrap();
    place.append("app.log", "b\n");
    assert_eq!(reader.read(), "<replaced><rotated>b\n");
}

/// A reader's place after all that the log holds.
fn place_in(place: &Place) -> Position {
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    reader.position()
}

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
    let mut reader = Reader::new(Follower::resume(log, file, (&position, 0), false, WAIT).unwrap());
    assert_eq!((reader.follower.left(), reader.read().as_str()), (None, "1\n<rotated>2\n<truncated>more\n<end>"));
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
fn a_clock_that_is_set_back_loses_no_generation() {
    let place = Place::with("0\n");
    let future = std::time::SystemTime::now() + Duration::from_secs(3600);
    place.writer("app.log").set_modified(future).unwrap();
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    for number in 1..3 {
        place.rename("app.log", &format!("app.log-2026010{number}"));
        place.append("app.log", &format!("{number}\n"));
    }
    assert_eq!(reader.read(), "<rotated>1\n<rotated>2\n");
}

#[test]
fn a_rotation_that_is_taken_back_repeats_nothing() {
    let place = Place::with("0\n");
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    place.rename("app.log", "app.log.1");
    place.append("app.log", "1\n");
    assert_eq!(reader.read_now(), "");
    place.rename("app.log.1", "app.log");
    assert_eq!(reader.read(), "");
    place.append("app.log", "more\n");
    assert_eq!(reader.read(), "more\n");
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
    let mut reader = Reader::new(Follower::resume(log, file, (&position, 1000), false, WAIT).unwrap());
    assert_eq!(reader.read(), "<rotated><cursor><end>");
}

#[test]
fn a_close_says_nothing_of_a_writer_that_goes_on() {
    let place = Place::with("a\n");
    let mut reader = place.follow(Lines::All, true);
    let mut late = place.writer("app.log");
    reader.read();
    place.append("app.log", "seven..and more\n");
    reader.follower.writer_closed(true);
    assert_eq!(reader.read(), "seven..and more\n");
    place.rename("app.log", "app.log.1");
    place.append("app.log", "new\n");
    assert_eq!(reader.read_now(), "");
    assert_eq!(reader.follower.due(), Some(reader.now + SILENCE), "closed after the last write");
    late.write_all(b"late\n").unwrap();
    assert_eq!(reader.read_now(), "late\n");
    assert_eq!(reader.follower.due(), Some(reader.now + WAIT), "another writer goes on");
}
