//! Rotation and truncation as events of `wstail.v1`.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::stream::events::{ALL, TICK, caught_up, check_cursors, copy_and_truncate, lossy, quick, truncate};
use crate::support::{Log, serve_with};

#[test]
fn the_rotated_event_comes_between_the_files() {
    let log = Log::with("a\n");
    let server = serve_with(&log, &["--rotate-wait", "0.2"]);
    let mut client = server.events(ALL);
    assert_eq!(client.story("a\n"), "<open>a\n");
    log.append("b\n");
    log.rotate("app.log.1", "c\n");
    log.append("d\n");
    assert_eq!(client.story("d\n"), "b\n<rotated>c\nd\n");
    check_cursors(&server, &mut client, 0);
}

#[test]
fn several_rotations_between_polls_are_reported_one_by_one() {
    let log = Log::with("a\n");
    let server = quick(&log);
    let mut client = caught_up(&server, "a\n");
    for number in 1..4 {
        log.rotate(&format!("app.log-2026112{number}"), &format!("{number}\n"));
    }
    assert_eq!(client.story("3\n"), "<rotated>1\n<rotated>2\n<rotated>3\n");
    check_cursors(&server, &mut client, 0);
}

#[test]
fn a_copy_over_the_same_file_is_read_each_time() {
    let long = |name: &str| {
        format!("{name}: a line that is long enough to be known by, as most lines of a log are in the field\n")
    };
    let log = Log::with(long("first"));
    let server = quick(&log);
    let mut client = caught_up(&server, &long("first"));
    for round in 0..3 {
        let (unread, next) = (long(&format!("unread {round}")), long(&format!("next {round}")));
        server.process.stop();
        log.append(&unread);
        fs::copy(log.path(), log.beside("app.log.1")).unwrap();
        truncate(&log);
        log.append(&next);
        server.process.signal(Signal::CONT);
        assert_eq!(client.story(&next), format!("{unread}<truncated>{next}"));
    }
}

#[test]
fn a_deletion_is_a_gap_though_other_generations_followed() {
    let log = Log::with("a\n");
    let server = quick(&log);
    let mut client = caught_up(&server, "a\n");
    log.append("b\n");
    client.story("b\n");
    // The log is watched by now.
    thread::sleep(Duration::from_millis(100));
    server.process.stop();
    fs::remove_file(log.path()).unwrap();
    log.append("c\n");
    log.rotate("app.log.1", "d\n");
    server.process.signal(Signal::CONT);
    let story = client.story("d\n");
    let expected = |reason| format!("<gap {reason}><rotated>c\n<rotated>d\n");
    assert!(story == expected("replaced") || story == expected("expired"), "{story}");
}

/// `app.log` is renamed to a directory that is not searched, and the next file is rotated by a hard link.
#[test]
fn a_gap_stands_for_the_file_that_was_moved_away_and_not_for_one_that_was_linked() {
    if std::env::var_os("WSTAIL_NO_NOTIFY").is_some() {
        // Without reported renames nothing shows what was moved away.
        return;
    }
    let log = Log::with("a\n");
    let server = quick(&log);
    let mut client = caught_up(&server, "a\n");
    // The log is watched by now.
    thread::sleep(Duration::from_millis(100));
    server.process.stop();
    log.rotate("app.log-20261121", "moved\n");
    fs::create_dir_all(log.beside("far/away")).unwrap();
    log.rotate("far/away/gone.txt", "linked\n");
    fs::hard_link(log.path(), log.beside("app.log-20261122")).unwrap();
    fs::write(log.beside("new"), "b\n").unwrap();
    fs::rename(log.beside("new"), log.path()).unwrap();
    server.process.signal(Signal::CONT);
    assert_eq!(client.story("b\n"), "<gap expired><rotated>linked\n<rotated>b\n");
}

#[test]
fn copytruncate_loses_nothing_and_reports_no_gap() {
    let log = Log::with("a\n");
    let server = quick(&log);
    let mut client = caught_up(&server, "a\n");
    for number in 1..4 {
        thread::sleep(TICK);
        log.append(format!("end of {number}\n"));
        copy_and_truncate(&log, &format!("app.log.2026-11-2{number}"));
        log.append(format!("{number}\n"));
        let end = format!("{number}\n");
        assert_eq!(client.story(&format!("<truncated>{end}")), format!("end of {number}\n<truncated>{end}"));
        client.cursor();
    }
    check_cursors(&server, &mut client, 0);
}

#[test]
fn a_truncation_without_a_copy_is_a_gap() {
    let log = Log::with("aaaa\n");
    let server = quick(&log);
    let mut client = caught_up(&server, "aaaa\n");
    truncate(&log);
    log.append("b\n");
    assert_eq!(client.story("b\n"), "<gap truncated><truncated>b\n");
    check_cursors(&server, &mut client, 1);
}

#[test]
fn truncation_is_noticed_after_growing_past_the_old_offset() {
    let log = Log::with("aaaa\n");
    let server = quick(&log);
    let mut client = caught_up(&server, "aaaa\n");
    fs::write(log.path(), "b\n".repeat(100)).unwrap();
    assert_eq!(client.story(&"b\n".repeat(100)), format!("<gap truncated><truncated>{}", "b\n".repeat(100)));
    check_cursors(&server, &mut client, 1);
}

#[test]
fn a_deleted_log_is_waited_for_and_read_from_its_start() {
    let log = Log::with("a\n");
    let server = quick(&log);
    let mut client = caught_up(&server, "a\n");
    fs::remove_file(log.path()).unwrap();
    assert_eq!(client.story("<waiting>"), "<waiting>");
    log.append("b\n");
    assert_eq!(client.story("b\n"), "<gap replaced><rotated>b\n");
    check_cursors(&server, &mut client, 1);
}

#[test]
fn a_log_recreated_late_loses_nothing() {
    let log = Log::with("a\n");
    let server = quick(&log);
    let mut client = caught_up(&server, "a\n");
    fs::rename(log.path(), log.beside("app.log.1")).unwrap();
    assert_eq!(client.story("<waiting>"), "<waiting>");
    log.append("b\n");
    assert_eq!(client.story("b\n"), "<rotated>b\n");
    check_cursors(&server, &mut client, 0);
}

#[test]
fn the_hole_of_a_writer_that_does_not_append_is_one_gap() {
    let log = Log::with("");
    let writer = OpenOptions::new().write(true).open(log.path()).unwrap();
    let server = quick(&log);
    let mut client = server.events(ALL);
    let old = "a line\n".repeat(10_000);
    writer.write_all_at(old.as_bytes(), 0).unwrap();
    client.story(&old);
    client.cursor();
    let first = client.cursors.len();
    truncate(&log);
    writer.write_all_at(b"new\n", old.len() as u64).unwrap();
    assert_eq!(client.story("new\n"), "<gap truncated><truncated><gap truncated 70000>new\n");
    check_cursors(&server, &mut client, first);
    for (cursor, _) in &client.cursors[first - 1..client.cursors.len() - 1] {
        let answer = server.get(&format!("/app.log?cursor={cursor}"));
        let body = if answer.head.contains("Content-Length: 4\r\n") { answer.body } else { answer.chunked() };
        assert_eq!(lossy(&body), "new\n");
    }
}

#[test]
fn without_rotate_wait_late_writes_are_a_gap() {
    let log = Log::with("a\n");
    let server = quick(&log);
    let mut client = caught_up(&server, "a\n");
    let first = client.cursors.len();
    let mut writer = log.writer();
    let begun = Instant::now();
    log.rotate("app.log.1", "b\n");
    assert_eq!(client.story("b\n"), "<rotated>b\n");
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    client.cursor();
    writer.write_all(b"too late\n").unwrap();
    assert_eq!(client.story(">"), "<gap replaced 9>");
    log.append("c\n");
    assert_eq!(client.story("c\n"), "c\n");
    check_cursors(&server, &mut client, first);
}

#[test]
fn late_writes_within_rotate_wait_lose_nothing() {
    let log = Log::with("");
    let server = serve_with(&log, &["--rotate-wait", "3"]);
    let mut client = server.events(ALL);
    let mut writer = log.writer();
    writer.write_all(b"a\n").unwrap();
    client.story("a\n");
    let begun = Instant::now();
    log.rotate("app.log.1", "new\n");
    for number in 0..4 {
        writer.write_all(format!("late {number}\n").as_bytes()).unwrap();
        let late = format!("late {number}\n");
        assert_eq!(client.story("\n"), late);
        thread::sleep(Duration::from_millis(500));
    }
    client.cursor();
    let first = client.cursors.len();
    assert_eq!(client.story("new\n"), "<rotated>new\n");
    assert!(begun.elapsed() >= Duration::from_secs(3), "{:?}", begun.elapsed());
    writer.write_all(b"too late\n").unwrap();
    assert_eq!(client.story(">"), "<gap replaced 9>");
    check_cursors(&server, &mut client, first);
}
