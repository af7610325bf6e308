//! Notifications from the kernel instead of polling.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Client, Log, Server, serve_by, until, wstail};

/// Polling would find anything too late.
const NEVER: [&str; 4] = ["--poll", "60000", "--heartbeat", "600"];

fn serve(log: &Log, options: &[&str]) -> Server {
    let mut command = wstail();
    command.env_remove("WSTAIL_NO_NOTIFY");
    serve_by(command, &[log.directory()], options)
}

fn serve_unwatched(log: &Log, options: &[&str]) -> Server {
    let mut command = wstail();
    command.env("WSTAIL_NO_NOTIFY", "1");
    serve_by(command, &[log.directory()], options)
}

/// The number of watches: a file, its directory, which is the root, and each directory from `/` to it, which is watched
/// for being moved.
fn watched() -> Option<usize> {
    let above = std::env::temp_dir().canonicalize().unwrap();
    Some(2 + above.components().skip(1).count())
}

/// How many files and directories are watched; `None` without an inotify instance.
fn watches(server: &Server) -> Option<usize> {
    let process = format!("/proc/{}", server.process.pid);
    let fds = fs::read_dir(format!("{process}/fd")).unwrap().flatten();
    let is_inotify = |fd: &fs::DirEntry| fs::read_link(fd.path()).is_ok_and(|to| to.ends_with("anon_inode:inotify"));
    let fd = fds.into_iter().find(is_inotify)?.file_name().into_string().unwrap();
    let info = fs::read_to_string(format!("{process}/fdinfo/{fd}")).unwrap();
    Some(info.lines().filter(|line| line.starts_with("inotify ")).count())
}

/// A follower of the log that has seen its first line and waits.
fn follow(server: &Server) -> Client {
    let mut client = server.follow();
    client.expect(["a"]);
    until("the log is watched", || watches(server) == watched());
    client
}

/// How long the client waits for these lines.
fn time<const N: usize>(client: &mut Client, lines: [&str; N]) -> Duration {
    let begun = Instant::now();
    client.expect(lines);
    begun.elapsed()
}

#[test]
fn an_appended_line_arrives_by_notification() {
    let log = Log::with("a\n");
    let mut client = follow(&serve(&log, &NEVER));
    for line in ["b", "c", "d"] {
        log.append(format!("{line}\n"));
        let time = time(&mut client, [line]);
        assert!(time < Duration::from_secs(1), "{time:?}");
    }
}

#[test]
fn a_log_that_was_busy_is_watched_again() {
    let log = Log::with("a\n");
    let mut client = follow(&serve(&log, &[&NEVER[..], &["--rotate-wait", "60"]].concat()));
    let mut writer = log.writer();
    for _ in 0..3 {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(100) {
            writer.write_all(b"b\n").unwrap();
            client.expect(["b"]);
        }
        // Long enough for the pauses between two polls to grow.
        thread::sleep(Duration::from_millis(300));
        writer.write_all(b"c\n").unwrap();
        let time = time(&mut client, ["c"]);
        assert!(time < Duration::from_secs(1), "{time:?}");
    }
    (0..1000).for_each(|_| writer.write_all(b"d\n").unwrap());
    drop(writer);
    log.rotate("app.log.1", "e\n");
    client.read(2000);
    let time = time(&mut client, ["e"]);
    assert!(time < Duration::from_millis(1800), "{time:?}");
}

#[test]
fn a_rotated_log_is_left_a_second_after_its_writer_closed_it() {
    let log = Log::with("a\n");
    let mut client = follow(&serve(&log, &[&NEVER[..], &["--rotate-wait", "60"]].concat()));
    let writer = log.writer();
    log.rotate("app.log.1", "b\n");
    drop(writer);
    let time = time(&mut client, ["b"]);
    assert!((Duration::from_millis(900)..Duration::from_millis(1800)).contains(&time), "{time:?}");
    log.append("c\n");
    client.expect(["c"]);
}

#[test]
fn a_rotated_log_that_its_writer_holds_is_waited_for() {
    let log = Log::with("a\n");
    let mut client = follow(&serve(&log, &[&NEVER[..], &["--rotate-wait", "2"]].concat()));
    let mut late = log.writer();
    // If another writer closes the file before the last write, that means nothing.
    log.append("b\n");
    late.write_all(b"c\n").unwrap();
    client.expect(["b", "c"]);
    log.rotate("app.log.1", "e\n");
    thread::sleep(Duration::from_millis(1500));
    late.write_all(b"d\n").unwrap();
    client.expect(["d", "e"]);
}

#[test]
fn a_deleted_log_is_polled_for() {
    let log = Log::with("a\n");
    let mut client = follow(&serve(&log, &["--poll", "50"]));
    fs::remove_file(log.path()).unwrap();
    thread::sleep(Duration::from_millis(300));
    log.append("b\n");
    // The old file is held open for this long, because it may still have a writer.
    let time = time(&mut client, ["b"]);
    assert!(time < Duration::from_secs(7), "{time:?}");
}

#[test]
fn a_recreated_log_is_noticed_at_once() {
    let log = Log::with("a\n");
    let mut client = follow(&serve(&log, &[&NEVER[..], &["--rotate-wait", "0"]].concat()));
    fs::remove_file(log.path()).unwrap();
    // Long enough for the pauses between two polls to grow.
    thread::sleep(Duration::from_secs(3));
    log.append("b\n");
    let time = time(&mut client, ["b"]);
    assert!(time < Duration::from_millis(900), "{time:?}");
}

#[test]
fn a_link_that_is_switched_is_noticed_at_once() {
    let log = Log::with("");
    fs::rename(log.path(), log.beside("one.log")).unwrap();
    fs::write(log.beside("one.log"), "a\n").unwrap();
    symlink("one.log", log.path()).unwrap();
    let server = serve(&log, &[&NEVER[..], &["--rotate-wait", "0"]].concat());
    let mut client = server.follow();
    client.expect(["a"]);
    for (target, line) in [("two.log", "b"), ("three.log", "c")] {
        fs::write(log.beside(target), format!("{line}\n")).unwrap();
        symlink(target, log.beside("new")).unwrap();
        thread::sleep(Duration::from_secs(3));
        fs::rename(log.beside("new"), log.path()).unwrap();
        let time = time(&mut client, [line]);
        assert!(time < Duration::from_millis(900), "{time:?}");
    }
}

#[test]
fn a_truncated_log_is_noticed_at_once() {
    let log = Log::with("a\n");
    let mut client = follow(&serve(&log, &NEVER));
    fs::write(log.path(), "").unwrap();
    log.append("b\n");
    let time = time(&mut client, ["b"]);
    assert!(time < Duration::from_secs(1), "{time:?}");
}

#[test]
fn a_log_behind_a_link_is_polled() {
    let log = Log::with("");
    for (name, text) in [("one.log", "a\n"), ("two.log", "b\n"), ("three.log", "c\n")] {
        fs::write(log.beside(name), text).unwrap();
    }
    let switch = |to: &str| {
        symlink(to, log.beside("new")).unwrap();
        fs::rename(log.beside("new"), log.path()).unwrap();
    };
    fs::rename(log.beside("one.log"), log.path()).unwrap();
    let mut client = follow(&serve(&log, &["--poll", "50", "--rotate-wait", "0"]));
    // First a file, then the same file behind a link.
    fs::rename(log.path(), log.beside("one.log")).unwrap();
    switch("one.log");
    thread::sleep(Duration::from_millis(300));
    for (target, line) in [("two.log", "b"), ("three.log", "c")] {
        switch(target);
        let time = time(&mut client, [line]);
        assert!(time < Duration::from_secs(2), "{time:?}");
    }
}

#[test]
fn a_silent_log_wakes_nobody() {
    let log = Log::with("a\n");
    let server = serve(&log, &["--heartbeat", "600"]);
    let _client = follow(&server);
    thread::sleep(Duration::from_millis(500));
    let before = server.process.switches();
    thread::sleep(Duration::from_secs(3));
    let switches = server.process.switches() - before;
    assert!(switches < 5, "{switches} wake-ups in 3 s");
}

#[test]
fn a_busy_log_wakes_only_its_readers() {
    let log = Log::with("a\n");
    let server = serve(&log, &["--heartbeat", "600"]);
    drop(follow(&server));
    until("nobody is left", || server.connections() == 0 && watches(&server) == Some(0));
    let before = server.process.switches();
    (0..1000).for_each(|number| log.append(format!("{number}\n")));
    let switches = server.process.switches() - before;
    assert!(switches < 5, "{switches} wake-ups");
}

#[test]
fn disconnected_readers_leave_no_watch_behind() {
    let log = Log::with("a\n");
    let server = serve(&log, &["--rotate-wait", "0"]);
    for round in 0..20 {
        let mut clients: Vec<_> = (0..50).map(|_| server.follow()).collect();
        clients.iter_mut().for_each(|client| client.expect(["a"]));
        until("the log is watched", || watches(&server) == watched());
        log.rotate(&format!("app.log.{}", 20 - round), "a\n");
        clients.iter_mut().for_each(|client| client.expect(["a"]));
        until("the next file is watched, and it alone", || watches(&server) == watched());
    }
    until("nothing is watched", || watches(&server) == Some(0));
}

#[test]
fn logs_are_polled_without_notifications() {
    let log = Log::with("a\n");
    let server = serve_unwatched(&log, &["--poll", "50", "--rotate-wait", "0"]);
    let mut client = server.follow();
    client.expect(["a"]);
    assert_eq!((watches(&server), server.process.threads().len()), (None, 3));
    log.append("b\n");
    client.expect(["b"]);
    log.rotate("app.log.1", "c\n");
    client.expect(["c"]);
}
