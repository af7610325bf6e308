//! The log's bytes through rotation and truncation, as plain WebSocket clients get them.

use std::fs;
use std::os::unix::fs::symlink;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Log, serve, serve_paths, serve_with, until};

#[test]
fn appended_lines_come_at_once() {
    let log = Log::with("a\n");
    let mut client = serve(&log).follow();
    client.expect(["a"]);
    for line in ["b", "c", "d"] {
        log.append(format!("{line}\n"));
        client.expect([line]);
    }
}

#[test]
fn rotation_loses_nothing() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let mut client = server.follow();
    client.expect(["a"]);
    log.append("b\n");
    log.rotate("app.log.1", "c\n");
    log.append("d\n");
    client.expect(["b", "c", "d"]);
}

#[test]
fn rotations_between_two_polls_lose_nothing() {
    for names in [
        [
            "app.2026-11-23_01-32-27_000001.log",
            "app.2026-11-23_01-32-27_000002.log",
            "app.2026-11-23_01-32-28_000000.log",
        ],
        ["app-2026-11-23T01-32-27.123.log", "app-2026-11-23T01-32-28.123.log", "app-2026-11-24T01-32-27.123.log"],
    ] {
        let log = Log::with("0\n");
        let mut client = serve_with(&log, &["--poll", "1000"]).follow();
        client.expect(["0"]);
        // Sleep long enough for the pauses between two polls to grow.
        thread::sleep(Duration::from_millis(600));
        for (number, name) in names.iter().enumerate() {
            log.rotate(name, &format!("{}\n", number + 1));
        }
        client.expect(["1", "2", "3"]);
    }
}

#[test]
fn a_truncated_log_is_read_from_its_start() {
    let log = Log::with("aaaa\nbbbb\n");
    let mut client = serve(&log).follow();
    client.expect(["aaaa", "bbbb"]);
    fs::write(log.path(), "c\n").unwrap();
    client.expect(["c"]);
}

#[test]
fn a_deleted_log_is_waited_for() {
    let log = Log::with("a\n");
    let mut client = serve(&log).follow();
    client.expect(["a"]);
    fs::remove_file(log.path()).unwrap();
    thread::sleep(Duration::from_millis(400));
    log.append("b\n");
    client.expect(["b"]);
}

#[test]
fn a_switched_link_is_followed() {
    let log = Log::with("");
    fs::write(log.beside("one.log"), "1\n").unwrap();
    fs::write(log.beside("two.log"), "2\n").unwrap();
    symlink("one.log", log.beside("current.log")).unwrap();
    let mut client = serve(&log).client("current.log?tail=1&lines=all");
    client.expect(["1"]);
    symlink("two.log", log.beside("new")).unwrap();
    fs::rename(log.beside("new"), log.beside("current.log")).unwrap();
    client.expect(["2"]);
}

#[test]
fn a_line_cut_by_the_rotation_is_whole_for_the_reader() {
    let log = Log::with("a\nbe");
    let mut client = serve(&log).follow();
    assert_eq!(client.read(4), "a\nbe");
    log.rotate("app.log.1", "gun\nc\n");
    assert_eq!(client.read(6), "gun\nc\n");
}

#[test]
fn a_hundred_followers_get_the_same_bytes() {
    let log = Log::with("");
    let server = serve(&log);
    let mut clients: Vec<_> = (0..100).map(|_| server.client("app.log?tail=1&lines=0")).collect();
    let expected: String = (0..10_000).map(|number| format!("line {number}\n")).collect();
    thread::scope(|scope| {
        let readers: Vec<_> = clients.iter_mut().map(|client| scope.spawn(|| client.read(expected.len()))).collect();
        for lines in expected.as_bytes().chunks(1000) {
            log.append(lines);
        }
        for reader in readers {
            assert!(reader.join().unwrap() == expected);
        }
    });
}

#[test]
fn without_tail_the_stream_ends_where_the_log_ended() {
    let log = Log::with("a\n");
    let mut client = serve(&log).client("app.log?tail=0");
    assert_eq!((client.message().as_str(), client.close().0), ("a\n", 1000));
}

#[test]
fn the_last_lines_of_2_gb_come_as_fast_as_those_of_1_mb() {
    let lines: String = (0..10_000).map(|number| format!("{number:>99}\n")).collect();
    let (small, large) = (Log::with(&lines), Log::with(""));
    fs::File::create(large.path()).unwrap().set_len(2_000_000_000).unwrap();
    large.append("\n");
    large.append(&lines);
    let server = serve_paths(&[small.directory()], &[]);
    let large_server = serve_paths(&[large.directory()], &[]);
    let idle = large_server.process.status("VmRSS");
    let expected = &lines[lines.len() - 100_000..];
    let first = |server: &crate::support::Server| {
        let begun = Instant::now();
        assert!(server.client("app.log?lines=1000").message() == expected);
        begun.elapsed()
    };
    // The best of several alternating rounds, with some tolerance for a busy machine: benches/pure.rs measures it
    // exactly.
    let times: Vec<_> = (0..9).map(|_| (first(&server), first(&large_server))).collect();
    let small = times.iter().map(|(small, _)| small).min().unwrap();
    let large = times.iter().map(|(_, large)| large).min().unwrap();
    assert!(*large < *small * 2 + Duration::from_millis(5), "{times:?}");
    let grown = large_server.process.status("VmRSS").saturating_sub(idle);
    assert!(grown < 4096, "{grown} KiB more than idle");
}

#[test]
fn a_file_as_root_is_followed_through_rotation() {
    let log = Log::with("a\n");
    let server = serve_paths(&[&log.path()], &[]);
    let mut client = server.follow();
    client.expect(["a"]);
    log.rotate("app.log.1", "b\n");
    client.expect(["b"]);
    until("the rotated file is no log of its own", || server.get("/app.log.1").status == 404);
}
