//! Random histories of a log against an oracle that knows every byte: nothing lost, nothing twice, nothing out of order.
//! A failure prints its seed; `WSTAIL_SEED=N cargo test --test it model` plays one history again.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use wstail::follow::follower::{Follower, Step};
use wstail::follow::root::Roots;
use wstail::protocol::MAX_MESSAGE;
use wstail::protocol::request::{Address, Lines};
use wstail::text::ansi::Html;
use wstail::text::lines::LineBuffer;

use crate::random::Random;

const CASES: u64 = 1500;

fn seeds() -> std::ops::Range<u64> {
    match std::env::var("WSTAIL_SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed..seed + 1,
        None => 0..CASES,
    }
}

/// A log, its reader, and all that was ever written to it.
struct History {
    directory: tempfile::TempDir,
    random: Random,
    writer: File,
    follower: Follower,
    written: Vec<u8>,
    read: Vec<u8>,
    rotations: usize,
    numbered: bool,
}

impl History {
    fn new(seed: u64) -> History {
        let directory = tempfile::tempdir().unwrap();
        let writer = append(directory.path().join("app.log"));
        let roots = Roots::open([directory.path()], false).unwrap();
        let (log, file) = roots.find(&Address::parse("/app.log").unwrap()).unwrap().unwrap();
        let follower = Follower::new(log, file, Lines::All, true, std::time::Duration::ZERO).unwrap();
        let mut random = Random::new(seed);
        let numbered = random.below(2) == 0;
        History { directory, random, writer, follower, written: vec![], read: vec![], rotations: 0, numbered }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn step(&mut self) {
        match self.random.below(10) {
            0..4 => self.write(),
            4..6 => self.rotate(),
            6 => {
                self.read_all();
                self.truncate();
            }
            7 => {
                self.read_all();
                self.delete();
            }
            8 => self.read_all(),
            _ => drop(self.read_once()),
        }
    }

    fn write(&mut self) {
        let bytes = self.random.bytes();
        self.writer.write_all(&bytes).unwrap();
        self.written.extend(bytes);
    }

    /// As logrotate does it, by numbers, or as loguru does it, by dates.
    fn rotate(&mut self) {
        self.rotations += 1;
        if self.numbered {
            for number in (1..self.rotations).rev() {
                fs::rename(self.path(&format!("app.log.{number}")), self.path(&format!("app.log.{}", number + 1)))
                    .unwrap();
            }
            fs::rename(self.path("app.log"), self.path("app.log.1")).unwrap();
        } else {
            let name = format!("app.2026-11-23_01-32-27_{:06}.log", self.rotations);
            fs::rename(self.path("app.log"), self.path(&name)).unwrap();
        }
        self.writer = append(self.path("app.log"));
    }

    /// Of a log that was read to its end: what is destroyed unread is gone, and that is another promise.
    fn truncate(&mut self) {
        if self.writer.metadata().unwrap().len() > 0 {
            self.writer.set_len(0).unwrap();
            self.read_all();
        }
    }

    fn delete(&mut self) {
        fs::remove_file(self.path("app.log")).unwrap();
        if self.random.below(2) == 0 {
            self.read_all();
        }
        self.writer = append(self.path("app.log"));
    }

    fn read_once(&mut self) -> Step {
        let mut buffer = vec![0; 1 + self.random.below(40)];
        let step = self.follower.poll(&mut buffer, Instant::now()).unwrap();
        if let Step::Bytes(read) = step {
            self.read.extend(&buffer[..read]);
        }
        step
    }

    fn read_all(&mut self) {
        while self.read_once() != Step::Quiet {}
    }
}

fn append(path: PathBuf) -> File {
    OpenOptions::new().create(true).append(true).open(path).unwrap()
}

#[test]
fn a_follower_reads_every_byte_once_and_in_order() {
    for seed in seeds() {
        let mut history = History::new(seed);
        for _ in 0..40 {
            history.step();
        }
        history.read_all();
        assert!(history.read == history.written, "seed {seed}: {} of {}", history.read.len(), history.written.len());
    }
}

/// Pushes random pieces with random pauses and takes the messages as they come.
fn messages(seed: u64, html: bool) -> (Vec<u8>, Vec<String>) {
    let mut random = Random::new(seed);
    let mut lines = LineBuffer::new(html.then(Html::default), false);
    let (mut now, mut written, mut messages) = (Instant::now(), Vec::new(), Vec::new());
    for _ in 0..60 {
        let times = if random.below(600) == 0 { 5_000 } else { 1 };
        let bytes = random.bytes().repeat(times);
        lines.push(&bytes, random.below(3) == 0, now);
        written.extend(bytes);
        now += Duration::from_millis(random.below(150) as u64);
        messages.extend(std::iter::from_fn(|| lines.next(now)));
        assert!(lines.due().is_none_or(|due| due <= now + Duration::from_secs(1)), "seed {seed}");
    }
    lines.finish();
    messages.extend(std::iter::from_fn(|| lines.next(now)));
    (written, messages)
}

#[test]
fn messages_are_the_text_of_the_log_however_it_came() {
    for seed in seeds() {
        let (written, messages) = messages(seed, false);
        assert!(messages.iter().all(|message| message.len() <= MAX_MESSAGE && message != "ping"), "seed {seed}");
        assert!(messages.concat() == String::from_utf8_lossy(&written), "seed {seed}");
    }
}

#[test]
fn html_is_the_same_text_and_every_message_is_balanced() {
    let visible = |html: &str| {
        let text: String = html.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect();
        text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    };
    for seed in seeds() {
        let (written, messages) = messages(seed, true);
        for message in &messages {
            assert!(message.len() <= MAX_MESSAGE && message != "ping", "seed {seed}");
            assert_eq!(message.matches("<span").count(), message.matches("</span>").count(), "seed {seed}");
        }
        let whole = String::from_utf8_lossy(&written);
        let mut html = Html::default();
        let (at_once, used) = html.render(&whole, usize::MAX);
        assert_eq!(used, whole.len());
        assert!(visible(&messages.concat()) == visible(&at_once), "seed {seed}");
    }
}
