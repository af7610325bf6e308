//! The log's name comes to lead elsewhere, or nowhere.

use super::{Place, Reader, WAIT};
use crate::follow::arrivals::{Arrival, Count, NameCount};
use crate::follow::follower::SILENCE;
use crate::protocol::request::Lines;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fmt, fs, thread};

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

/// Does something in the middle of the next check of the log's name, once, and counts nothing.
struct Meanwhile(Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl Meanwhile {
    fn new(action: impl FnOnce() + Send + 'static) -> Meanwhile {
        Meanwhile(Mutex::new(Some(Box::new(action))))
    }
}

impl fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meanwhile")
    }
}

impl NameCount for Meanwhile {
    fn count(&self) -> Option<Count> {
        let action = self.0.lock().unwrap().take();
        action.into_iter().for_each(|action| action());
        None
    }

    fn departed(&self, _: u32) -> Option<Vec<Arrival>> {
        None
    }

    fn was_renamed(&self, _: u32) -> bool {
        false
    }
}

#[test]
fn a_replacement_in_the_middle_of_a_check_is_a_gap() {
    let place = Place::with("a\n");
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    let log = place.path("app.log");
    let (old, new) = (place.path("old.txt"), place.path("new"));
    reader.follower.count_names(Some(Arc::new(Meanwhile::new(move || {
        fs::rename(&log, &old).unwrap();
        fs::write(&log, "lost\n").unwrap();
        thread::sleep(Duration::from_millis(50));
        fs::write(&new, "b\n").unwrap();
        fs::rename(&new, &log).unwrap();
    }))));
    assert_eq!(reader.read(), "<replaced><rotated>b\n");
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
    std::thread::sleep(Duration::from_millis(20));
    fs::remove_file(place.path("app.log-20260101")).unwrap();
    fs::remove_file(place.path("app.log-20260102")).unwrap();
    assert_eq!(reader.read(), "<expired><rotated>2\n<rotated>3\n");
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
fn a_link_that_is_switched_back_leads_to_what_was_written_meanwhile() {
    let place = Place::with("");
    fs::remove_file(place.path("app.log")).unwrap();
    let switch = |target: &str| {
        std::os::unix::fs::symlink(target, place.path("new")).unwrap();
        place.rename("new", "app.log");
    };
    place.append("app-1", "1\n");
    place.append("app-2", "2\n");
    switch("app-1");
    let mut reader = place.follow(Lines::All, true);
    assert_eq!(reader.read(), "1\n");
    switch("app-2");
    assert_eq!(reader.read(), "<rotated>2\n");
    place.append("app-1", "more\n");
    switch("app-1");
    assert_eq!(reader.read(), "<rotated>more\n");
    assert_eq!(reader.pass(SILENCE).read(), "");
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
    assert_eq!(reader.read(), "<replaced: 2>");
    place.append("app.log", "more\n");
    assert_eq!(reader.read(), "more\n");
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

/// Between two renames of a rotation: `app.log.1` seems to be missing before the new log, which holds `b`.
fn in_doubt() -> (Place, Reader) {
    let place = Place::with("a\n");
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    place.rename("app.log", "app.log.2");
    place.append("app.log", "b\n");
    assert_eq!(reader.read_now(), "");
    (place, reader)
}

#[test]
fn a_file_that_loses_the_name_while_a_gap_is_in_doubt_is_read() {
    let (place, mut reader) = in_doubt();
    place.rename("app.log.2", "app.log.1");
    place.rename("app.log", "elsewhere");
    place.append("app.log", "c\n");
    assert_eq!(reader.read(), "<rotated>b\n<rotated>c\n");
}

#[test]
fn a_copy_of_a_log_that_an_editor_rewrites_is_not_read() {
    let text = "a line of some length\n".repeat(20);
    let place = Place::with(&text);
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    place.append("app.log.1", &text);
    place.append("new", &(text + "one more\n"));
    place.rename("new", "app.log");
    assert_eq!(reader.read(), "<replaced><rotated>one more\n");
}

#[test]
fn a_file_whose_name_leads_nowhere_while_a_gap_is_in_doubt_is_read() {
    let (place, mut reader) = in_doubt();
    place.rename("app.log.2", "app.log.1");
    fs::remove_file(place.path("app.log")).unwrap();
    assert_eq!(reader.read(), "<rotated>b\n<waiting>");
}

#[test]
fn bytes_that_were_read_are_not_reported_when_a_rotation_is_undone() {
    let place = Place::with("a\n");
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    place.rename("app.log", "app.log.1");
    place.append("app.log", "b\n");
    assert_eq!(reader.read(), "<rotated>b\n");
    place.rename("app.log", "app.log.2");
    place.rename("app.log.1", "app.log");
    place.append("app.log", "late\n");
    assert_eq!(reader.read_now(), "");
    place.rename("app.log", "app.log.1");
    place.rename("app.log.2", "app.log");
    assert_eq!(reader.read(), "<replaced: 5>");
    assert_eq!(reader.pass(SILENCE).read(), "", "it is reported once");
}

#[test]
fn a_file_that_is_given_the_name_twice_before_it_is_read_is_read_once() {
    let place = Place::with("0\n");
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    place.rename("app.log", "app.log.3");
    place.append("app.log", "1\n");
    assert_eq!(reader.read_now(), "");
    place.rename("app.log", "app.log.2");
    place.append("app.log", "2\n");
    assert_eq!(reader.read_now(), "");
    place.rename("app.log", "app.log.1");
    place.rename("app.log.2", "app.log");
    assert_eq!(reader.read(), "<rotated>1\n<rotated>2\n<rotated>");
    place.append("app.log", "more\n");
    assert_eq!(reader.read(), "more\n");
    place.rename("app.log", "app.log.0");
    place.append("app.log", "3\n");
    let story = reader.read();
    assert!(story.ends_with("<rotated>3\n") && !story.contains(": "), "no bytes are reported: {story}");
}

#[test]
fn a_directory_that_is_gone_while_a_gap_is_in_doubt_leaves_the_held_file() {
    let (place, mut reader) = in_doubt();
    fs::remove_dir_all(place.directory.path()).unwrap();
    let story = reader.read();
    assert!(story.ends_with("<rotated>b\n<waiting>"), "{story}");
}

#[test]
fn a_new_log_that_is_truncated_while_the_old_one_is_waited_for_is_a_gap() {
    let place = Place::with("a\n");
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    place.rename("app.log", "app.log.1");
    place.append("app.log", "");
    assert_eq!(reader.read_now(), "");
    place.append("app.log", "b\n");
    assert_eq!(reader.pass(WAIT / 4).read_now(), "");
    place.truncate("app.log");
    place.append("app.log", "c\n");
    assert_eq!(reader.read(), "<rotated><truncated>c\n");
}

#[test]
fn a_new_log_that_is_copied_and_truncated_while_the_old_one_is_waited_for_is_read() {
    let place = Place::with("a\n");
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    place.rename("app.log", "app.log.2");
    place.append("app.log", "");
    reader.pass(WAIT / 8).read_now();
    place.append("app.log", "b\n");
    place.copy_and_truncate("app.log.1");
    place.append("app.log", "c\n");
    reader.pass(WAIT / 8).read_now();
    let story = reader.read();
    assert!(story.contains("b\n") && story.ends_with("c\n"), "{story}");
}
