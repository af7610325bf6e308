//! Debian's logrotate under a writer that does not stop.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use wstail::protocol::event::Event;

use crate::util::{DEADLINE, EventClient, Item, Log, serve_with};

const ROTATIONS: usize = 5;

/// Writes numbered lines, a line a write, until it is told to stop; between two lines it can be held up.
struct Writer<'l> {
    log: &'l Log,
    /// A program that does not learn of the rotation otherwise looks whether its file is still the log.
    reopens: bool,
    turn: Mutex<()>,
    is_over: AtomicBool,
}

impl Writer<'_> {
    /// How many lines it wrote.
    fn run(&self) -> usize {
        let mut file = self.log.writer();
        let (mut number, end) = (0, Instant::now() + DEADLINE);
        while !self.is_over.load(Ordering::Relaxed) && Instant::now() < end {
            let turn = self.turn.lock().unwrap();
            if self.reopens && !is_still(&file, &self.log.path()) {
                file = self.log.writer();
            }
            file.write_all(line(number).as_bytes()).unwrap();
            number += 1;
            drop(turn);
            thread::sleep(Duration::from_micros(300));
        }
        number
    }
}

/// Between the renaming of the old file and the creation of the new one there is none, and the old one is written to.
fn is_still(file: &File, path: &Path) -> bool {
    fs::metadata(path).map_or(true, |found| found.ino() == file.metadata().unwrap().ino())
}

fn line(number: usize) -> String {
    format!("{number:08} 你好 a line of a log that is rotated\n")
}

/// All text up to the line `end`, and how many files it is from, beside the first.
fn read(mut client: EventClient) -> (String, usize) {
    let mut turns = 0;
    while !client.bytes.ends_with(b"end\n") {
        match client.next() {
            Item::Event(Event::Rotated(_) | Event::Truncated(_)) => turns += 1,
            // Between renaming and creating there is no log.
            Item::Event(Event::Waiting { .. } | Event::Cursor(_)) | Item::Bytes(_) => {}
            other => panic!("{other:?} after {} bytes", client.bytes.len()),
        }
    }
    (String::from_utf8(client.bytes).unwrap(), turns)
}

/// Every line comes once and in order while logrotate runs five times with these directives.
/// `copies`: the writer keeps its file, and pauses while logrotate runs, for logrotate itself destroys what is written
/// between the copy and the truncation.
fn check(directives: &str, copies: bool, pause: Duration) {
    let log = Log::with("");
    let server = serve_with(&log, &["--rotate-wait", "0.5"]);
    let (conf, state) = (log.beside("logrotate.conf"), log.beside("logrotate.state"));
    // logrotate wants to be told whose directory it is when it is root.
    let su = if rustix::process::geteuid().is_root() { "su root root\n" } else { "" };
    fs::write(&conf, format!("{:?} {{\n{su}rotate 20\n{directives}\n}}\n", log.path())).unwrap();
    let rotate = || {
        let output = Command::new("logrotate").arg("-f").arg("-s").arg(&state).arg(&conf).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let mut client = server.events("app.log?tail=1&lines=all");
    client.story("<open>");
    let writer = Writer { log: &log, reopens: !copies, turn: Mutex::new(()), is_over: AtomicBool::new(false) };
    let (written, (text, turns)) = thread::scope(|scope| {
        let lines = scope.spawn(|| writer.run());
        let reader = scope.spawn(|| read(client));
        for _ in 0..ROTATIONS {
            thread::sleep(pause);
            let turn = copies.then(|| writer.turn.lock().unwrap());
            rotate();
            drop(turn);
        }
        thread::sleep(pause);
        writer.is_over.store(true, Ordering::Relaxed);
        let written: String = (0..lines.join().unwrap()).map(line).collect();
        log.append("end\n");
        (written + "end\n", reader.join().unwrap())
    });
    for (read, written) in text.lines().zip(written.lines()) {
        assert_eq!(read, written);
    }
    assert_eq!((text.len(), turns), (written.len(), ROTATIONS));
    let names = fs::read_dir(log.directory()).unwrap().count();
    assert_eq!(names, 3 + ROTATIONS, "the log, its generations, and logrotate's two files");
}

#[test]
#[ignore = "needs logrotate"]
fn logrotate_with_create_loses_nothing() {
    check("create", false, Duration::from_millis(300));
}

#[test]
#[ignore = "needs logrotate"]
fn logrotate_with_copytruncate_loses_nothing() {
    check("copytruncate", true, Duration::from_millis(300));
}

#[test]
#[ignore = "needs logrotate"]
fn logrotate_with_dates_loses_nothing() {
    // A date of its own for each.
    check("create\ndateext\ndateformat -%Y%m%d-%s", false, Duration::from_millis(1100));
}

#[test]
#[ignore = "needs logrotate"]
fn logrotate_with_delayed_compression_loses_nothing_that_is_read_before() {
    // Longer than a rotated file is waited for: what is compressed is not read any more.
    check("create\ncompress\ndelaycompress", false, Duration::from_millis(1100));
}
