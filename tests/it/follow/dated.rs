//! Logs whose files have dates in their names: `access_{date}.log`.

use std::fs::{self, File};
use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::{Log, Process, Server, serve, serve_with, wstail};

/// As it stands in an address; clients may also send the braces as they are.
const TARGET: &str = "access_%7Bdate%7D.log";
const DAYS: [&str; 3] = ["access_2026-11-22.log", "access_2026-11-23.log", "access_2026-11-24.log"];

fn append(log: &Log, name: &str, text: &str) {
    let mut file = File::options().create(true).append(true).open(log.beside(name)).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn story(server: &Server, parameters: &str, end: &str) -> String {
    server.events(&format!("{TARGET}?{parameters}")).story(end)
}

#[test]
fn the_youngest_file_is_the_log_and_the_others_its_history() {
    let log = Log::with("another log\n");
    for day in DAYS {
        append(&log, day, &format!("{day}\n"));
    }
    append(&log, "access_x.log", "no date\n");
    let server = serve(&log);
    assert_eq!(server.get(&format!("/{TARGET}")).text(), "access_2026-11-24.log\n");
    assert_eq!(server.get("/access_{date}.log").text(), "access_2026-11-24.log\n");
    let all: String = DAYS.iter().map(|day| format!("{day}\n")).collect();
    let answer = server.get(&format!("/{TARGET}?lines=all&history=1"));
    assert_eq!(String::from_utf8(answer.chunked()).unwrap(), all);
    assert_eq!(server.get("/access_2026-11-22.log").text(), "access_2026-11-22.log\n");
    assert_eq!(server.get("/error_%7Bdate%7D.log").status, 404);
    assert_eq!(server.get("/%7Bdate%7D/app.log").status, 404, "only the last segment may have a date");
}

#[test]
fn a_file_of_exactly_that_name_comes_first() {
    let log = Log::with("");
    append(&log, DAYS[0], "dated\n");
    let server = serve(&log);
    assert_eq!(server.get(&format!("/{TARGET}")).text(), "dated\n");
    append(&log, "access_{date}.log", "literal\n");
    assert_eq!(server.get(&format!("/{TARGET}")).text(), "literal\n");
}

#[test]
fn the_next_day_is_followed_at_once_and_late_lines_of_the_old_one_come_first() {
    for options in [&["--poll", "600", "--rotate-wait", "0.3"][..], &["--poll", "50", "--rotate-wait", "0.3"]] {
        let log = Log::with("");
        append(&log, DAYS[0], "one\n");
        let server = serve_with(&log, options);
        let mut client = server.events(&format!("{TARGET}?tail=1&lines=all"));
        assert_eq!(client.story("one\n"), "<open>one\n");
        append(&log, DAYS[1], "two\n");
        append(&log, DAYS[0], "late\n");
        assert_eq!(client.story("two\n"), "late\n<rotated>two\n", "{options:?}");
        // Two files of one day.
        append(&log, "access_2026-11-23-1.log", "three\n");
        append(&log, "access_2026-11-23-2.log", "four\n");
        assert_eq!(client.story("four\n"), "<rotated>three\n<rotated>four\n", "{options:?}");
    }
}

#[test]
fn a_cursor_holds_over_several_days_and_compression() {
    let log = Log::with("");
    append(&log, DAYS[0], "one\nand a line that is long enough to know the file by, with its sixty-four bytes\ntwo\n");
    let server = serve(&log);
    let mut client = server.events(&format!("{TARGET}?lines=2"));
    client.story("<1000>");
    let cursor = client.cursor();
    server.process.stop();
    append(&log, DAYS[0], "late\n");
    append(&log, DAYS[1], "three\n");
    append(&log, DAYS[2], "four\n");
    let server = serve(&log);
    let rest = "<open>late\n<rotated>three\n<rotated>four\n<end><1000>";
    assert_eq!(story(&server, &format!("cursor={cursor}"), "<1000>"), rest);
    if cfg!(feature = "gz") {
        for day in &DAYS[..2] {
            assert!(Command::new("gzip").arg(log.beside(day)).status().unwrap().success());
        }
        assert_eq!(story(&server, &format!("cursor={cursor}"), "<1000>"), rest);
    }
}

#[test]
fn a_dated_log_that_is_not_there_yet_is_waited_for() {
    let log = Log::with("");
    append(&log, DAYS[0], "one\n");
    let server = serve_with(&log, &["--poll", "600"]);
    let mut client = server.events(&format!("{TARGET}?tail=1&lines=all"));
    assert_eq!(client.story("one\n"), "<open>one\n");
    fs::remove_file(log.beside(DAYS[0])).unwrap();
    client.story("<waiting>");
    append(&log, DAYS[1], "two\n");
    let story = client.story("two\n");
    assert!(story.contains("gap"), "the first file was deleted, so lines may be missing: {story}");
}

#[test]
fn the_client_follows_a_dated_log() {
    let log = Log::with("");
    append(&log, DAYS[0], "one\n");
    let server = serve(&log);
    let tail = |log: &str| {
        let mut command = wstail();
        command.args(["tail", "-q", &format!("{}/{log}", server.address)]).stdout(Stdio::piped());
        Process::start(command)
    };
    let clients = [tail("access_{date}.log"), tail(TARGET)];
    for client in &clients {
        assert_eq!(client.line(), "one");
    }
    append(&log, DAYS[1], "two\n");
    for client in &clients {
        assert_eq!(client.line(), "two");
    }
}

#[test]
fn a_dated_log_is_as_confined_as_any() {
    let log = Log::with("");
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("secret"), "secret\n").unwrap();
    std::os::unix::fs::symlink(other.path().join("secret"), log.beside(DAYS[2])).unwrap();
    append(&log, DAYS[0], "one\n");
    let server = serve(&log);
    assert_eq!(server.get(&format!("/{TARGET}")).text(), "one\n");
    assert_eq!(server.get("/..%2Faccess_%7Bdate%7D.log").status, 403);
}
