//! Clients, servers and loggers written by others.

use std::path::Path;
use std::process::{Command, Stdio};

use wstail::protocol::event::Event;

use crate::support::{Item, Log, Process, serve_with, until, wstail};

fn python(script: &str, arguments: &[&str]) -> Process {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script);
    let mut command = Command::new("python3");
    command.arg(script).args(arguments).env("PYTHONUTF8", "1").stdin(Stdio::null()).stdout(Stdio::piped());
    Process::start(command)
}

#[test]
#[ignore = "needs websockets from PyPI"]
fn an_asyncio_consumer_follows_for_three_heartbeats() {
    let log = Log::with("");
    let server = serve_with(&log, &["--heartbeat=0.5", "--heartbeat-timeout=0.4"]);
    let mut command = wstail();
    command.arg("produce").arg(log.path()).args(["--rate", "50"]);
    let _producer = Process::start(command);
    let client = python("follow.py", &[&format!("ws://{}/app.log?tail=1", server.address), "pings", "4"]);
    let lines = client.lines();
    assert_eq!(client.end(), (0, String::new()));
    assert!(lines.len() > 50 && lines.iter().all(|line| line.ends_with(" - 你好aaa")), "{} lines", lines.len());
}

#[test]
#[ignore = "needs websockets from PyPI"]
fn a_python_server_with_text_pings_is_followed() {
    let server = python("serve.py", &[]);
    let port = server.line();
    let mut command = wstail();
    command.args(["tail", &format!("ws://127.0.0.1:{port}/any"), "-q"]).stdout(Stdio::piped());
    let tail = Process::start(command);
    assert_eq!(tail.lines(), ["first", "second", "after ping 0", "after ping 1", "after ping 2"]);
    assert_eq!(tail.end(), (0, String::new()));
    assert_eq!(server.line(), "3");
}

#[test]
#[ignore = "needs websockets and loguru from PyPI"]
fn loguru_is_followed_across_all_its_rotations() {
    const COUNT: usize = 50_000;
    let log = Log::with("");
    let server = serve_with(&log, &[]);
    let url = format!("ws://{}/app.log?tail=1", server.address);
    let client = python("follow.py", &[&url, "lines", &COUNT.to_string()]);
    until("the client is served", || server.connections() == 1);
    let writer = python("loguru_write.py", &[log.path().to_str().unwrap(), &COUNT.to_string()]);
    for number in 0..COUNT {
        let line = client.line();
        assert!(line.ends_with(&format!(" | 你好aaa {number}")), "expected {number}: {line}");
    }
    assert_eq!(writer.wait().code(), Some(0));
    assert_eq!(client.end(), (0, String::new()));
    assert!(std::fs::read_dir(log.directory()).unwrap().count() > 20, "it did rotate");
}

/// Also by a reader that was away meanwhile.
#[cfg(feature = "gz")]
#[test]
#[ignore = "needs loguru from PyPI"]
fn what_loguru_has_rotated_and_compressed_is_read() {
    const COUNT: usize = 40_000;
    let log = Log::with("a line that was there before loguru, and is long enough to be known by it again\n");
    let server = serve_with(&log, &[]);
    let mut early = server.events("app.log?lines=all");
    early.story("<1000>");
    let cursor = early.cursor();
    let mut follower = server.events(&format!("app.log?tail=1&cursor={cursor}"));
    follower.story("<open>");
    let writer = python("loguru_write.py", &[log.path().to_str().unwrap(), &COUNT.to_string(), "gz"]);
    assert_eq!(writer.end(), (0, String::new()));
    let mut late = server.events(&format!("app.log?tail=1&cursor={cursor}"));
    for client in [&mut follower, &mut late] {
        let mut lines = 0;
        while lines < COUNT {
            match client.next() {
                Item::Event(Event::Gap { reason, bytes, .. }) => panic!("a gap: {reason:?} {bytes:?}"),
                Item::Close(code, reason) => panic!("closed with {code}: {reason}"),
                _ => lines = client.bytes.iter().filter(|&&byte| byte == b'\n').count(),
            }
        }
        let text = String::from_utf8_lossy(&client.bytes);
        for (number, line) in text.lines().enumerate() {
            assert!(line.ends_with(&format!(" | 你好aaa {number}")), "expected {number}: {line}");
        }
    }
    let names = std::fs::read_dir(log.directory()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.filter(|name| name.to_str().unwrap().ends_with(".log.gz")).count() > 10, "it did compress");
}

#[test]
#[ignore = "needs Python"]
fn pythons_rotating_handler_is_followed_across_all_its_rotations() {
    const COUNT: usize = 20_000;
    let log = Log::with("");
    let server = serve_with(&log, &[]);
    let mut client = server.events("app.log?tail=1&lines=all");
    client.story("<open>");
    let writer = python("rotating_write.py", &[log.path().to_str().unwrap(), &COUNT.to_string()]);
    let expected: String = (0..COUNT).map(|number| format!("INFO 你好aaa {number}\n")).collect();
    while client.bytes.len() < expected.len() {
        match client.next() {
            Item::Event(Event::Gap { reason, bytes, .. }) => panic!("a gap: {reason:?} {bytes:?}"),
            Item::Close(code, reason) => panic!("closed with {code}: {reason}"),
            _ => {}
        }
    }
    for (read, written) in client.bytes.split(|&byte| byte == b'\n').zip(expected.lines()) {
        assert_eq!(String::from_utf8_lossy(read), written);
    }
    assert_eq!(client.bytes.len(), expected.len());
    assert_eq!(writer.end(), (0, String::new()));
    let generations = std::fs::read_dir(log.directory()).unwrap().count() - 1;
    assert!((50..100).contains(&generations), "it rotates, and keeps all: {generations} generations");
}
