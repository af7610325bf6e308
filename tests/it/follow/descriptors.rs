//! How many files of a log a follower holds open: one at rest; during a rotation, those that are still to be read; and
//! briefly one more while it checks where the log's name leads.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::process::Signal;
use wstail::protocol::event::Event;

use crate::support::{DEADLINE, Item, Log, Process, serve_with, until};

/// The files below the log's directory that the server holds open for reading.
fn held(process: &Process, log: &Log) -> Vec<PathBuf> {
    let directory = log.directory().canonicalize().unwrap();
    let links = fs::read_dir(format!("/proc/{}/fd", process.pid)).unwrap();
    // A file is also opened with O_PATH for a moment, to find out what it is.
    let is_place = |name: &OsStr| {
        let info = fs::read_to_string(format!("/proc/{}/fdinfo/{}", process.pid, name.display())).unwrap_or_default();
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap_or("0").trim();
        u32::from_str_radix(flags, 8).unwrap() & OFlags::PATH.bits() != 0
    };
    let links = links.map(Result::unwrap).filter(|link| !is_place(&link.file_name()));
    let targets = links.filter_map(|link| fs::read_link(link.path()).ok());
    targets.filter(|target| target.starts_with(&directory) && *target != directory).collect()
}

/// The same at one moment: the process is stopped meanwhile.
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
fn an_idle_follower_holds_one_file_open() {
    for wait in ["0", "0.02"] {
        let log = Log::with("");
        let server = serve_with(&log, &["--rotate-wait", wait]);
        let mut client = server.events("app.log?tail=1&lines=all");
        client.story("<open>");
        assert_eq!(held(&server.process, &log).len(), 1);
        let (is_over, samples) = (AtomicBool::new(false), AtomicUsize::new(0));
        let most = thread::scope(|scope| {
            let sampler = scope.spawn(|| {
                let (mut most, end) = (Vec::new(), Instant::now() + 2 * DEADLINE);
                while !is_over.load(Ordering::Relaxed) && Instant::now() < end {
                    let begun = Instant::now();
                    let held = held_at_once(&server.process, &log);
                    samples.fetch_add(1, Ordering::Relaxed);
                    // Let the server run for at least as long as it was stopped, however busy the machine is.
                    thread::sleep(begun.elapsed().max(Duration::from_micros(200)));
                    if held.len() > most.len() {
                        most = held;
                    }
                }
                most
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
                // At least one sample for each rotation.
                until("a sample is taken", || samples.load(Ordering::Relaxed) > number);
            }
            is_over.store(true, Ordering::Relaxed);
            sampler.join().unwrap()
        });
        assert!(most.len() <= 4, "wait {wait}: {most:?}");
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
    // Nothing unread is deleted: finding its way through a thousand files takes the follower some time.
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

#[test]
fn sixteen_waiting_generations_are_held_whatever_they_are_called() {
    let log = Log::with("0\n");
    let server = serve_with(&log, &["--rotate-wait", "5", "--poll", "20"]);
    let mut client = server.events("app.log?tail=1&lines=all");
    client.story("0\n");
    // While the old file may still be written to, the others wait.
    let _writer = log.writer();
    for number in 1..=20 {
        fs::rename(log.path(), log.beside(&format!("old-{number}.txt"))).unwrap();
        log.append(format!("{number}\n"));
        let path = log.path().canonicalize().unwrap();
        until("the new file is held", || held(&server.process, &log).contains(&path));
    }
    // Those whose first bytes are compared are open for a moment, too.
    until("the open file and sixteen that wait are held", || held(&server.process, &log).len() == 17);
    let held: String = (1..=15).map(|number| format!("<rotated>{number}\n")).collect();
    assert_eq!(client.story("20\n"), held + "<gap expired 12><rotated>20\n");
    until("one file is left", || crate::follow::descriptors::held(&server.process, &log).len() == 1);
}
