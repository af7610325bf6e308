//! Clients can cause a bounded number of lines in the server's own log; the rest is counted.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{Log, Server, serve, serve_with, until};

const CLIENTS: usize = 300;

/// Ends the server and returns the lines of its log.
fn lines(server: &Server) -> Vec<String> {
    server.process.signal(Signal::TERM);
    let (code, errors) = server.process.end();
    assert_eq!(code, 0, "{errors}");
    errors.lines().map(str::to_owned).collect()
}

/// How many lines contain the word, and how many more were reported as left out.
fn told(lines: &[String], word: &str, topic: &str) -> (usize, u64) {
    let summary = format!(" more in the last minute, not logged: {topic}");
    let number = |line: &String| line.strip_suffix(&summary)?.rsplit(' ').next()?.parse::<u64>().ok();
    let left_out = lines.iter().filter_map(number);
    (lines.iter().filter(|line| line.contains(word)).count(), left_out.sum())
}

#[test]
fn unknown_cursors_cannot_flood_the_log() {
    let (log, other) = (Log::with("a\n"), Log::with("something else\n"));
    let cursor = {
        let server = serve(&other);
        let mut client = server.events("app.log?tail=1");
        client.story("something else\n");
        client.cursor()
    };
    let server = serve(&log);
    let begun = Instant::now();
    for _ in 0..CLIENTS {
        assert_eq!(server.get(&format!("/app.log?cursor={cursor}")).status, 200);
    }
    assert!(begun.elapsed() < Duration::from_secs(50), "{:?}", begun.elapsed());
    let lines = lines(&server);
    assert!(lines.len() < 100, "{} lines", lines.len());
    let (said, left_out) = told(&lines, "gap in `app.log`:", "gaps in streams");
    assert!(said > 0 && said as u64 + left_out == CLIENTS as u64, "{said} and {left_out}: {lines:?}");
}

#[test]
fn missed_heartbeats_cannot_flood_the_log() {
    let log = Log::with("a\n");
    let server = serve_with(&log, &["--heartbeat", "0.1", "--heartbeat-timeout", "0.1"]);
    let silent: Vec<_> = (0..CLIENTS).map(|_| server.upgraded("app.log?tail=1")).collect();
    until("all are gone", || server.connections() == 0);
    drop(silent);
    let lines = lines(&server);
    assert!(lines.len() < 100, "{} lines", lines.len());
    let (said, left_out) = told(&lines, "closing a stream of `app.log` with 4408", "streams that were closed");
    assert!(said > 0 && said as u64 + left_out == CLIENTS as u64, "{said} and {left_out}: {lines:?}");
}

#[test]
fn each_topic_has_its_own_limit() {
    let log = Log::with("a\n");
    let server = serve_with(&log, &["--heartbeat", "0.1", "--heartbeat-timeout", "0.1"]);
    let silent: Vec<_> = (0..50).map(|_| server.upgraded("app.log?tail=1")).collect();
    until("all are gone", || server.connections() == 0);
    drop(silent);
    let mut client = server.events("app.log?tail=1&lines=all");
    client.story("a\n");
    fs::write(log.path(), "").unwrap();
    client.story("<truncated>");
    let lines = lines(&server);
    assert_eq!(told(&lines, "gap in `app.log`:", "gaps in streams"), (1, 0), "{lines:?}");
}
