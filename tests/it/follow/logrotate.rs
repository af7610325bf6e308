//! Debian's logrotate with a writer that does not stop.

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

use crate::support::{DEADLINE, EventClient, Item, Log, serve_with};

const ROTATIONS: usize = 5;

/// Writes numbered lines, one a write, until it is stopped. It can be paused between two lines.
struct Writer<'l> {
    log: &'l Log,
    /// Checks whether its file is still the log, as a program does that is not notified of the rotation.
    reopens: bool,
    turn: Mutex<()>,
    is_over: AtomicBool,
}

impl Writer<'_> {
    /// Returns how many lines it wrote.
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

/// Whether the file is still the log. Between the renaming of the old file and the creation of the new one there is no
/// log, and the old file is still written to.
fn is_still(file: &File, path: &Path) -> bool {
    fs::metadata(path).map_or(true, |found| found.ino() == file.metadata().unwrap().ino())
}

fn line(number: usize) -> String {
    format!("{number:08} 你好 a line of a log that is rotated\n")
}

/// All text up to the line `end`, and the number of files after the first that it comes from.
fn read(mut client: EventClient) -> (String, usize) {
    let mut turns = 0;
    while !client.bytes.ends_with(b"end\n") {
        match client.next() {
            Item::Event(Event::Rotated(_) | Event::Truncated(_)) => turns += 1,
            // There is no log between renaming and creating.
            Item::Event(Event::Waiting { .. } | Event::Cursor(_)) | Item::Bytes(_) => {}
            other => panic!("{other:?} after {} bytes", client.bytes.len()),
        }
    }
    (String::from_utf8(client.bytes).unwrap(), turns)
}

/// Runs logrotate with these directives, whether a rotation is due or not.
fn logrotate(log: &Log, directives: &str) -> impl Fn() + use<> {
    let (conf, state) = (log.beside("logrotate.conf"), log.beside("logrotate.state"));
    // When run as root, logrotate must be told who owns the directory.
    let su = if rustix::process::geteuid().is_root() { "su root root\n" } else { "" };
    fs::write(&conf, format!("{:?} {{\n{su}rotate 20\n{directives}\n}}\n", log.path())).unwrap();
    move || {
        let output = Command::new("logrotate").arg("-f").arg("-s").arg(&state).arg(&conf).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Every line arrives once and in order while logrotate runs five times with these directives. `copies`: the writer
/// keeps its file, and pauses while logrotate runs, because logrotate itself destroys what is written between copying
/// and truncating.
fn check(directives: &str, copies: bool, pause: Duration) {
    let log = Log::with("");
    let server = serve_with(&log, &["--rotate-wait", "0.5"]);
    let rotate = logrotate(&log, directives);
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
    // Each generation gets a different date.
    check("create\ndateext\ndateformat -%Y%m%d-%s", false, Duration::from_millis(1100));
}

#[test]
#[ignore = "needs logrotate"]
fn logrotate_with_delayed_compression_loses_nothing_that_is_read_before() {
    // Longer than a rotated file is kept open.
    check("create\ncompress\ndelaycompress", false, Duration::from_millis(1100));
}

#[test]
#[ignore = "needs logrotate"]
fn logrotate_with_compression_loses_nothing() {
    check("create\ncompress", false, Duration::from_millis(1100));
}

/// The same while the reader is away: most of its log is rotated and compressed before it comes back.
#[cfg(feature = "gz")]
#[test]
#[ignore = "needs logrotate"]
fn what_logrotate_has_compressed_while_a_reader_is_away_is_read() {
    let mut ways = vec!["", "delaycompress\n", "dateext\ndateformat -%Y%m%d-%s\n", "copytruncate\n"];
    for (program, end, is_built_in) in [("xz", ".xz", cfg!(feature = "xz")), ("zstd", ".zst", cfg!(feature = "zstd"))] {
        let with = format!("compresscmd /usr/bin/{program}\ncompressext {end}\ncompressoptions -q\n");
        ways.extend(is_built_in.then(|| &*with.leak()));
    }
    for directives in ways {
        let text = |from: usize| (from..from + 500).map(line).collect::<String>();
        let log = Log::with(text(0));
        let server = serve_with(&log, &["--rotate-wait", "0.2"]);
        let mut client = server.events("app.log?lines=all");
        client.story("<1000>");
        let cursor = client.cursor();
        let how = if directives.starts_with("copy") { "" } else { "create\n" };
        let rotate = logrotate(&log, &format!("{how}compress\n{directives}"));
        let mut expected = text(500);
        log.append(text(500));
        for round in 2..6 {
            rotate();
            log.append(text(500 * round));
            expected += &text(500 * round);
            if directives.starts_with("date") {
                thread::sleep(Duration::from_millis(1100));
            }
        }
        for _ in 0..2 {
            let story = server.events(&format!("app.log?cursor={cursor}")).story("<1000>");
            let read = story.replace("<rotated>", "").replace("<truncated>", "");
            let turns = (story.len() - read.len()) / "<rotated>".len();
            assert!(
                read == format!("<open>{expected}<end><1000>"),
                "{directives}: {} of {} bytes",
                read.len(),
                expected.len()
            );
            assert!(turns >= 4, "{directives}: {turns}");
        }
    }
}

/// Each generation is renamed before the wait for the previous one is over.
#[test]
#[ignore = "needs logrotate"]
fn quick_rotations_to_an_olddir_lose_nothing() {
    let log = Log::with("A\n");
    fs::create_dir(log.beside("archive")).unwrap();
    let server = serve_with(&log, &["--rotate-wait", "1"]);
    let mut client = server.events("app.log?tail=1&lines=all");
    client.story("A\n");
    let rotate = logrotate(&log, "olddir archive\ncreate\nsize 1");
    for text in ["B\n", "C\n", "D\n", "E\nend\n"] {
        rotate();
        log.append(text);
        thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(read(client), ("A\nB\nC\nD\nE\nend\n".to_owned(), 4));
    assert_eq!(fs::read_dir(log.beside("archive")).unwrap().count(), 4);
}
