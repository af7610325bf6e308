//! Bytes that are not used come again.

use super::*;
use crate::follow::unused::LastOf;

/// A reader that uses whole lines only, in a small buffer while there is room in it.
struct LineReader {
    reader: Reader,
}

impl Place {
    fn follow_lines(&self, tail: bool) -> LineReader {
        let mut reader = self.follow(Lines::All, tail);
        reader.follower.expect_use();
        LineReader { reader }
    }
}

impl LineReader {
    /// The lines up to the next silence, each block in brackets with what it does not use after a bar.
    fn read_now(&mut self) -> String {
        let Reader { follower, now } = &mut self.reader;
        let mut out = String::new();
        loop {
            let mut buffer = vec![0; if follower.wants_room() { 64 } else { 8 }];
            let (read, last) = match follower.poll(&mut buffer, *now).unwrap() {
                Step::Bytes(read) => (read, None),
                Step::Last(read, last) => (read, Some(last)),
                Step::Rotated => {
                    out += "<rotated>";
                    continue;
                }
                Step::Truncated => {
                    out += "<truncated>";
                    continue;
                }
                Step::Gap(missing, _) => {
                    out += &format!("<{}>", missing.word());
                    continue;
                }
                Step::Quiet | Step::Waiting => return out,
                Step::Ended => return out + "<end>",
                Step::Busy | Step::Awaiting | Step::Started => continue,
            };
            let block = &buffer[..read];
            let whole = memchr::memrchr(b'\n', block).map_or(0, |newline| newline + 1);
            let used = if last == Some(LastOf::Generation) { read } else { whole };
            follower.use_up(&block[..used]);
            let [used, rest] = [&block[..used], &block[used..]].map(String::from_utf8_lossy);
            let mark = if last.is_some() { "!" } else { "" };
            out += &format!("[{used}|{rest}{mark}]");
        }
    }

    fn read(&mut self) -> String {
        let mut out = self.read_now();
        while let Some(due) = self.reader.follower.due() {
            self.reader.now = due;
            out += &self.read_now();
        }
        out
    }
}

#[test]
fn unused_bytes_come_again_with_news_only() {
    let place = Place::with("a\nb");
    let mut lines = place.follow_lines(true);
    assert_eq!((lines.read(), lines.read()), ("[a\n|b]".into(), String::new()));
    let position = lines.reader.position();
    assert_eq!(place.resume(&position).read(), "b");
    place.append("app.log", "c");
    assert_eq!(lines.read(), "[|bc]");
    assert_eq!(place.resume(&lines.reader.position()).read(), "bc");
    place.append("app.log", "\nd\n");
    assert_eq!(lines.read(), "[bc\nd\n|]");
    assert_eq!(place.resume(&lines.reader.position()).read(), "");
}

#[test]
fn news_is_seen_although_the_buffer_has_no_room_for_what_comes_again() {
    let place = Place::with("a\n");
    let mut lines = place.follow_lines(true);
    assert_eq!(lines.read(), "[a\n|]");
    for piece in ["12345", "6789", "abcdef", "ghi\nj"] {
        place.append("app.log", piece);
        lines.read();
    }
    assert_eq!(place.resume(&lines.reader.position()).read(), "j");
}

#[test]
fn unused_bytes_are_the_last_of_a_rotated_file() {
    let place = Place::with("a\nb");
    let mut lines = place.follow_lines(true);
    lines.read();
    place.rename("app.log", "app.log.1");
    place.append("app.log", "c\n");
    assert_eq!(lines.read(), "[b|!]<rotated>[c\n|]");
    place.append("app.log", "d");
    lines.read();
    place.rename("app.log", "app.log.2");
    place.append("app.log.2", "late\n");
    place.append("app.log", "e\n");
    assert_eq!(lines.read(), "[dlate\n|]<rotated>[e\n|]");
}

#[test]
fn unused_bytes_are_the_last_before_the_end() {
    let place = Place::with("a\nb");
    let mut lines = place.follow_lines(false);
    assert_eq!((lines.read_now(), lines.read_now()), ("[a\n|b][|b!]<end>".into(), "<end>".into()));
    assert_eq!(place.resume(&lines.reader.position()).read(), "b");
}

#[test]
fn unused_bytes_of_a_truncated_log_come_from_its_copy() {
    let place = Place::with(&"a line by which the log is known again\n".repeat(20));
    let mut lines = place.follow_lines(true);
    lines.read();
    place.append("app.log", "half");
    assert_eq!(lines.read(), "[|half]");
    place.append("app.log", " more");
    place.copy_and_truncate("app.log.1");
    place.append("app.log", "new\n");
    assert_eq!(lines.read(), "[|half mor][|half more][half more|!]<truncated>[new\n|]");
}

#[test]
fn unused_bytes_of_a_truncated_log_without_a_copy_are_gone() {
    let place = Place::with(&"a line by which the log is known again\n".repeat(20));
    let mut lines = place.follow_lines(true);
    lines.read();
    place.append("app.log", "half");
    lines.read();
    place.truncate("app.log");
    place.append("app.log", "new\n");
    assert_eq!(lines.read(), "<truncated><truncated>[new\n|]");
}
