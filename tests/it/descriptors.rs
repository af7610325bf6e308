//! How many files of a log a follower holds open: one at rest, three at most while it is rotated.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use wstail::protocol::event::Event;

use crate::util::{DEADLINE, Item, Log, Process, serve_with, until};

/// What lies beneath the log's directory and is held open by the server.
fn held(process: &Process, log: &Log) -> Vec<PathBuf> {
    let directory = log.directory().canonicalize().unwrap();
    let links = fs::read_dir(format!("/proc/{}/fd", process.pid)).unwrap();
    let targets = links.filter_map(|link| fs::read_link(link.unwrap().path()).ok());
    targets.filter(|target| target.starts_with(&directory) && *target != directory).collect()
}

/// The same of one moment: while it is looked at nothing moves.
fn held_at_once(process: &Process, log: &Log) -> Vec<PathBuf> {
    process.signal(Signal::STOP);
    let is_stopped = |task: fs::DirEntry| {
        let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('T'))
    };
    let deadline = Instant::now() + DEADLINE;
    let tasks = || fs::read_dir(format!("/proc/{}/task", process.pid)).unwrap().map(Result::unwrap);
    while !tasks().all(is_stopped) {
        assert!(Instant::now() < deadline, "the server does not stop");
    }
    let held = held(process, log);
    process.signal(Signal::CONT);
    held
}

fn name(number: usize) -> String {
    format!("app.2026-11-23_01-32-27_{number:06}.log")
}

#[test]
fn a_follower_holds_three_files_at_most_and_one_at_rest() {
    for wait in ["0", "0.02"] {
        let log = Log::with("");
        let server = serve_with(&log, &["--rotate-wait", wait]);
        let mut client = server.events("app.log?tail=1&lines=all");
        client.story("<open>");
        assert_eq!(held(&server.process, &log).len(), 1);
        let is_over = AtomicBool::new(false);
        let (most, samples) = thread::scope(|scope| {
            let sampler = scope.spawn(|| {
                let (mut most, mut samples, end) = (Vec::new(), 0, Instant::now() + DEADLINE);
                while !is_over.load(Ordering::Relaxed) && Instant::now() < end {
                    let held = held_at_once(&server.process, &log);
                    samples += 1;
                    thread::sleep(Duration::from_micros(200));
                    if held.len() > most.len() {
                        most = held;
                    }
                }
                (most, samples)
            });
            for number in 0..60 {
                let after = format!("after {number}\n");
                log.append("before\n");
                match number % 3 {
                    0 => log.rotate(&name(number), &after),
                    1 => {
                        log.rotate(&name(number), "between\n");
                        log.rotate(&format!("{}1.log", name(number).trim_end_matches(".log")), &after);
                    }
                    _ => {
                        fs::copy(log.path(), log.beside(&name(number))).unwrap();
                        log.writer().set_len(0).unwrap();
                        log.append(&after);
                    }
                }
                client.story(&after);
            }
            is_over.store(true, Ordering::Relaxed);
            sampler.join().unwrap()
        });
        assert!(most.len() <= 3, "wait {wait}: {most:?}");
        assert!(samples > 60, "{samples} samples");
        until("one file is left", || held(&server.process, &log).len() == 1);
    }
}

#[test]
fn a_thousand_rotations_at_full_speed_lose_no_line_and_leave_one_file_open() {
    let log = Log::with("");
    let server = serve_with(&log, &["--rotate-wait", "0"]);
    let mut client = server.events("app.log?tail=1&lines=all");
    client.story("<open>");
    let mut expected = Vec::new();
    // What is not read yet is not deleted: to find its way through a thousand files takes a follower its time.
    for burst in 0..20 {
        for number in burst * 50..(burst + 1) * 50 {
            let lines: String = (0..10).map(|line| format!("{}\n", number * 10 + line)).collect();
            expected.extend_from_slice(lines.as_bytes());
            log.append(lines);
            fs::rename(log.path(), log.beside(&name(number))).unwrap();
        }
        log.append("burst\n");
        expected.extend_from_slice(b"burst\n");
        while client.bytes.len() < expected.len() {
            match client.next() {
                Item::Close(code, reason) => panic!("closed with {code}: {reason}"),
                Item::Event(event) => assert!(!matches!(event, Event::Gap { .. }), "{event}"),
                Item::Bytes(_) => {}
            }
        }
        assert!(client.bytes == expected, "the lines are not those that were written");
        until("one file is left", || held(&server.process, &log).len() == 1);
        for number in burst * 50..(burst + 1) * 50 {
            fs::remove_file(log.beside(&name(number))).unwrap();
        }
    }
}
