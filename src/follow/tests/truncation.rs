//! The log shrinks.

use super::Place;
use crate::protocol::request::Lines;
use std::fs;
use std::os::unix::fs::FileExt;
use std::time::Duration;

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
fn a_generation_after_a_truncated_one_is_found_though_that_is_changed_later() {
    let place = Place::with("a\n");
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    place.truncate("app.log");
    place.rename("app.log", "app.log.1");
    place.append("app.log", "b\n");
    place.rename("app.log.1", "app.log.2");
    place.rename("app.log", "app.log.1");
    place.append("app.log", "c\n");
    // The clock of a file system may tick only every 10 ms.
    std::thread::sleep(Duration::from_millis(12));
    place.writer("app.log.2").set_modified(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(reader.read(), "<truncated><truncated><rotated>b\n<rotated>c\n");
}

/// A rotation renames `app.log.1` before it makes the next copy.
#[test]
fn a_copy_that_has_no_name_for_a_moment_is_no_gap() {
    let place = Place::with("a line that is long enough to be known by, as most lines of a log are in the field\n");
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    place.copy_and_truncate("app.log.1");
    place.append("app.log", "b\n");
    place.rename("app.log.1", "app.log.2");
    assert_eq!(reader.read_now(), "");
    place.copy_and_truncate("app.log.1");
    place.append("app.log", "c\n");
    assert_eq!(reader.read(), "<rotated>b\n<truncated>c\n");
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
fn space_in_a_trimmed_file_is_filled_before_it_is_read() {
    let place = Place::with(&"a line that is cut off\n".repeat(20));
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    fs::write(place.path("app.log"), "a line that is cut off\nkept\n").unwrap();
    assert_eq!(reader.read(), "<truncated>kept\n");
    let file = fs::OpenOptions::new().write(true).open(place.path("app.log")).unwrap();
    file.write_all_at(b"\n", 32).unwrap();
    assert_eq!(reader.read_now(), "");
    file.write_all_at(b"more", 28).unwrap();
    assert_eq!(reader.read(), "more\n");
}

#[test]
fn bytes_that_appear_out_of_order_are_not_sent_as_a_range() {
    let place = Place::with(&"a line\n".repeat(1000));
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    let file = fs::OpenOptions::new().write(true).open(place.path("app.log")).unwrap();
    file.write_all_at(&[b'2'; 4000], 20_000).unwrap();
    assert!(reader.follower.file_range(16_000, reader.now).unwrap().is_none());
    file.write_all_at(&[b'1'; 13_000], 7000).unwrap();
    assert_eq!(reader.read(), "1".repeat(13_000) + &"2".repeat(4000));
}

#[test]
fn a_log_that_is_trimmed_in_two_steps_beside_a_copy_repeats_nothing() {
    let lines: Vec<String> = (0..4).map(|number| format!("{number}: {}\n", "a line of the log ".repeat(3))).collect();
    let place = Place::with(&lines.concat());
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    // Truncated, with a copy beside it, as `copytruncate` leaves it; the last lines come back.
    place.copy_and_truncate("app.log.1");
    assert_eq!(reader.read_now(), "");
    place.append("app.log", &(lines[2..].concat() + "new\n"));
    assert_eq!(reader.read(), "<truncated><truncated>new\n");
}

#[test]
fn a_copy_that_is_deleted_once_it_was_read_is_no_gap() {
    let place = Place::with("a\n");
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    place.append("app.log", "b\n");
    place.copy_and_truncate("app.log.1");
    assert_eq!(reader.read_now(), "b\n");
    fs::remove_file(place.path("app.log.1")).unwrap();
    assert_eq!(reader.read(), "<truncated>");
}

#[test]
fn a_log_that_begins_with_a_line_that_it_ended_with_is_read_whole_after_copytruncate() {
    let separator = "=".repeat(80) + "\n";
    let place = Place::with(&format!("{separator}first\n{separator}"));
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    place.copy_and_truncate("app.log.1");
    assert_eq!(reader.read_now(), "");
    place.append("app.log", &format!("{separator}second\n{separator}"));
    assert_eq!(reader.read(), format!("<truncated>{separator}second\n{separator}"));
}

#[test]
fn a_log_that_is_copied_and_trimmed_before_all_was_read_repeats_nothing() {
    let lines: Vec<String> = (0..4).map(|number| format!("{number}: {}\n", "a line of the log ".repeat(5))).collect();
    let place = Place::with(&lines[..2].concat());
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    place.append("app.log", &lines[2..].concat());
    fs::copy(place.path("app.log"), place.path("app.log.1")).unwrap();
    fs::write(place.path("app.log"), &lines[3]).unwrap();
    assert_eq!(reader.read(), lines[2..].concat() + "<truncated><truncated>");
    place.append("app.log", "new\n");
    assert_eq!(reader.read(), "new\n");
}

#[test]
fn what_is_kept_of_a_log_that_is_copied_and_trimmed_is_not_repeated() {
    let lines: Vec<String> = (0..2000).map(|number| format!("{number}: {}\n", "as lines are ".repeat(8))).collect();
    // Two lines of the same second begin alike.
    let doubled: Vec<String> = (0..400).map(|number| format!("{:70}: {number}\n", number / 2)).collect();
    let (text, doubled) = (lines.concat(), doubled.concat());
    let half = &text[text.len() - lines[1000..].concat().len()..];
    let in_mid_line = &text[text.len() - 50_000..];
    let of_doubled = &doubled[doubled.len() / 2..];
    assert!(half.len() > 100_000);
    for (all, kept) in [(&text, half), (&text, in_mid_line), (&doubled, of_doubled)] {
        let place = Place::with(all);
        let mut reader = place.follow(Lines::Last(1), true);
        reader.read();
        fs::copy(place.path("app.log"), place.path("app.log.bak")).unwrap();
        fs::write(place.path("app.log"), kept).unwrap();
        assert_eq!(reader.read(), "<truncated><truncated>");
        place.append("app.log", "new\n");
        assert_eq!(reader.read(), "new\n");
    }
}

#[test]
fn a_log_that_is_trimmed_in_several_writes_beside_a_copy_repeats_nothing() {
    let lines: Vec<String> = (0..400).map(|number| format!("{number}: {}\n", "as lines are ".repeat(8))).collect();
    let place = Place::with(&lines.concat());
    let mut reader = place.follow(Lines::Last(1), true);
    reader.read();
    fs::copy(place.path("app.log"), place.path("app.log.bak")).unwrap();
    fs::write(place.path("app.log"), lines[300..350].concat()).unwrap();
    assert_eq!(reader.read_now(), "");
    place.append("app.log", &lines[350..].concat());
    assert_eq!(reader.read(), "<truncated><truncated>");
}

#[test]
fn a_log_of_equal_lines_is_read_whole_after_copytruncate() {
    let text = "heartbeat\n".repeat(200);
    let place = Place::with(&text);
    let mut reader = place.follow(Lines::Last(1), true);
    reader.read();
    place.copy_and_truncate("app.log.1");
    assert_eq!(reader.read_now(), "");
    place.append("app.log", &text[..1000]);
    assert_eq!(reader.read(), format!("<truncated>{}", &text[..1000]));
}
