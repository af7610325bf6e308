//! A log's life as a follower sees it, on real files, with a time of the test's own.

#[cfg(feature = "gz")]
mod archives;
mod ends;
mod many;
mod resume;
mod root;
mod rotation;
mod time_search;
mod times;
mod truncation;
mod unused;

use super::follower::{Follower, Step};
use super::position::Position;
use super::root::Log;
use crate::follow::root::Roots;
use crate::protocol::address::Address;
use crate::protocol::request::Lines;
use std::fs::{self, File};
use std::io::Write;
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

    #[cfg(feature = "gz")]
    fn append_gzip(&self, name: &str, text: &[u8]) {
        let mut gzip = flate2::write::GzEncoder::new(self.writer(name), flate2::Compression::fast());
        gzip.write_all(text).unwrap();
        gzip.finish().unwrap();
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

    fn find(&self) -> (Log, crate::follow::File) {
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
        Reader::new(Follower::resume(log, file, position, skip, true, WAIT).unwrap())
    }
}

/// A follower and the time it is told.
struct Reader {
    follower: Box<Follower>,
    now: Instant,
}

impl Reader {
    fn new(follower: Box<Follower>) -> Reader {
        Reader { follower, now: Instant::now() }
    }

    /// Everything up to the next silence, with the turns marked.
    fn read_now(&mut self) -> String {
        let (mut buffer, mut out) = ([0; 7], String::new());
        loop {
            match self.follower.poll(&mut buffer, self.now).unwrap() {
                Step::Bytes(read) => out.push_str(std::str::from_utf8(&buffer[..read]).unwrap()),
                Step::Last(..) => unreachable!("every byte is used"),
                Step::Rotated => out.push_str("<rotated>"),
                Step::Truncated => out.push_str("<truncated>"),
                Step::Gap(missing, Some(bytes)) => out.push_str(&format!("<{}: {bytes}>", missing.word())),
                Step::Gap(missing, None) => out.push_str(&format!("<{}>", missing.word())),
                Step::Waiting => out.push_str("<waiting>"),
                Step::Quiet => return out,
                Step::Ended => return out + "<end>",
                Step::Busy | Step::Awaiting | Step::Started => {}
            }
        }
    }

    /// So many bytes, or a few more.
    fn read_bytes(&mut self, least: usize) -> String {
        let (mut buffer, mut out) = ([0; 7], String::new());
        while out.len() < least {
            match self.follower.poll(&mut buffer, self.now).unwrap() {
                Step::Bytes(read) => out.push_str(std::str::from_utf8(&buffer[..read]).unwrap()),
                Step::Busy | Step::Awaiting | Step::Started => {}
                step => panic!("{step:?} after {out}"),
            }
        }
        out
    }

    /// Everything up to the next silence; the time passes for which a rotated file is waited for.
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

/// A reader's place after all that the log holds.
fn place_in(place: &Place) -> Position {
    let mut reader = place.follow(Lines::All, true);
    reader.read();
    reader.position()
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
