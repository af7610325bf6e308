//! `wstail tail` with a pattern: what becomes of logs that are new, deleted, missing for a moment, or too many.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use tungstenite::protocol::CloseFrame;

use crate::support::by_hand::{by_many_hands, end, open, send, tell};
use crate::support::{Log, Process, Server, serve_with, until, wstail};

/// A tail whose notices are on stdout, too.
fn noisy(server: &Server, arguments: &[&str]) -> Process {
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" \"$@\" 2>&1", env!("CARGO_BIN_EXE_wstail"), "tail"]);
    command.arg(format!("{}/*", server.address)).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
    Process::start(command)
}

fn tail(address: &str, arguments: &[&str]) -> Process {
    let mut command = wstail();
    command.args(["tail", &format!("{address}/*")]).args(arguments).stdout(Stdio::piped());
    Process::start(command)
}

/// Serves the log again, at the port that it had.
fn serve_again(log: &Log, server: &Server) -> Process {
    let port = server.address.rsplit(':').next().unwrap();
    let mut command = wstail();
    command.args(["serve", "--port", port]).arg(log.directory()).stdout(Stdio::piped());
    let again = Process::start(command);
    again.line();
    again
}

/// A log that is left out, and the tail that follows another one until that has two lines.
fn left_out() -> (Log, Server, Process) {
    let log = Log::with("a\n");
    let server = serve_with(&log, &["--heartbeat", "0.2"]);
    let tail = noisy(&server, &["--max-logs", "1", "-m", "2"]);
    assert_eq!(tail.line(), format!("wstail: 1 log matches ws://{}/*", server.address));
    assert_eq!(tail.line(), "app.log: a");
    fs::write(log.beside("new.log"), "new\n").unwrap();
    assert_eq!(tail.line(), "wstail: new.log is left out: as many logs are followed as --max-logs allows");
    (log, server, tail)
}

#[test]
fn a_log_that_was_left_out_is_followed_when_another_one_ends() {
    let (log, _server, tail) = left_out();
    log.append("b\n");
    assert_eq!(tail.line(), "app.log: b");
    assert_eq!(tail.line(), "wstail: new.log: a new log");
    assert_eq!(tail.line(), "new.log: new");
}

#[test]
fn a_new_log_that_is_rotated_before_it_is_opened_is_read_from_its_first_byte() {
    let (log, _server, tail) = left_out();
    fs::rename(log.beside("new.log"), log.beside("new.log.1")).unwrap();
    fs::write(log.beside("new.log"), "newer\n").unwrap();
    log.append("b\n");
    assert_eq!(tail.line(), "app.log: b");
    assert_eq!(tail.line(), "wstail: new.log: a new log");
    assert_eq!(tail.line(), "new.log: new");
    assert_eq!(tail.line(), "wstail: new.log: the log was rotated");
    assert_eq!(tail.line(), "new.log: newer");
}

#[test]
fn a_log_that_was_created_and_rotated_while_the_server_was_away_is_read_from_its_first_byte() {
    let log = Log::with("a\n");
    let server = serve_with(&log, &[]);
    let tail = tail(&server.address, &["-q"]);
    assert_eq!(tail.line(), "app.log: a");
    server.process.signal(Signal::TERM);
    server.process.wait();
    fs::write(log.beside("new.log.1"), "new\n").unwrap();
    fs::write(log.beside("new.log"), "newer\n").unwrap();
    let _again = serve_again(&log, &server);
    assert_eq!([tail.line(), tail.line()], ["new.log: new", "new.log: newer"]);
}

#[cfg(feature = "gz")]
#[test]
fn a_new_log_whose_first_file_is_compressed_already_is_read_from_its_first_byte() {
    let log = Log::with("a\n");
    let server = serve_with(&log, &[]);
    let tail = tail(&server.address, &["-q"]);
    assert_eq!(tail.line(), "app.log: a");
    server.process.signal(Signal::TERM);
    server.process.wait();
    fs::write(log.beside("new.log.2"), "new\n").unwrap();
    assert!(Command::new("gzip").arg(log.beside("new.log.2")).status().unwrap().success());
    fs::write(log.beside("new.log.1"), "newer\n").unwrap();
    fs::write(log.beside("new.log"), "newest\n").unwrap();
    let _again = serve_again(&log, &server);
    assert_eq!([(); 3].map(|()| tail.line()), ["new.log: new", "new.log: newer", "new.log: newest"]);
}

#[test]
fn a_server_that_is_started_amid_a_rotation_lists_no_new_log() {
    let log = Log::with("a\n");
    let server = serve_with(&log, &[]);
    let tail = tail(&server.address, &["-q"]);
    assert_eq!(tail.line(), "app.log: a");
    server.process.signal(Signal::TERM);
    server.process.wait();
    fs::rename(log.path(), log.beside("app.log.1")).unwrap();
    fs::write(log.beside("last.log"), "last\n").unwrap();
    let _again = serve_again(&log, &server);
    assert_eq!(tail.line(), "last.log: last");
    log.append("b\n");
    assert_eq!(tail.line(), "app.log: b");
    fs::write(log.beside("z.log"), "z\n").unwrap();
    assert_eq!(tail.line(), "z.log: z");
}

#[test]
fn a_limit_of_matches_is_for_each_log_and_a_pattern_goes_on() {
    let log = Log::with("a\nb\n");
    let server = serve_with(&log, &[]);
    let tail = tail(&server.address, &["-q", "-m", "1"]);
    assert_eq!(tail.line(), "app.log: a");
    fs::write(log.beside("new.log"), "new\nmore\n").unwrap();
    assert_eq!(tail.line(), "new.log: new");
    tail.signal(Signal::INT);
    assert_eq!(tail.lines(), [""; 0]);
    assert_eq!(tail.end().0, 130);
}

#[test]
fn a_log_of_which_enough_is_printed_is_not_begun_again_when_it_comes_again() {
    let log = Log::with("a\n");
    let server = serve_with(&log, &[]);
    let tail = tail(&server.address, &["-q", "-m", "1"]);
    assert_eq!(tail.line(), "app.log: a");
    fs::remove_file(log.path()).unwrap();
    fs::write(log.beside("gone.log"), "gone\n").unwrap();
    assert_eq!(tail.line(), "gone.log: gone");
    fs::write(log.path(), "b\n").unwrap();
    for name in ["one.log", "two.log"] {
        fs::write(log.beside(name), "new\n").unwrap();
        assert_eq!(tail.line(), format!("{name}: new"));
    }
    tail.signal(Signal::INT);
    assert_eq!(tail.lines(), [""; 0]);
}

const FILE: &str = r#"{"event":"file","path":"app.log","size":2,"modified":1}"#;
const LISTED: &str = r#"{"event":"listed","heartbeat":1}"#;

#[test]
fn a_listed_log_that_is_missing_when_it_is_asked_for_again_is_waited_for() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    // The log is there, is amid a rotation twice, and is there again.
    let accepts =
        move |target: &str| target.starts_with("/-/") || !matches!(counted.fetch_add(1, Ordering::Relaxed), 1 | 2);
    let address = by_many_hands(accepts, move |target, socket| {
        if target.starts_with("/-/") {
            tell(socket, FILE);
            tell(socket, LISTED);
            while socket.read().is_ok() {}
        } else if target.contains("cursor=") {
            open(socket);
            send(socket, "b\n");
            end(socket);
        } else {
            open(socket);
            send(socket, "a\n");
        }
    });
    let tail = tail(&address, &["-q", "--no-follow"]);
    assert_eq!(tail.lines(), ["app.log: a", "app.log: b"]);
    assert_eq!(tail.end(), (0, String::new()));
}

#[test]
fn a_gap_after_a_log_was_unreadable_is_reported() {
    let streams = Arc::new(AtomicUsize::new(0));
    let counted = streams.clone();
    let address = by_many_hands(
        |_| true,
        move |target, socket| {
            if target.starts_with("/-/") {
                tell(socket, FILE);
                tell(socket, LISTED);
                // It is begun again as soon as its first stream has failed.
                while counted.load(Ordering::Relaxed) < 2 {
                    tell(socket, r#"{"event":"gone","path":"app.log"}"#);
                    tell(socket, FILE);
                    thread::sleep(Duration::from_millis(50));
                }
                while socket.read().is_ok() {}
                return;
            }
            open(socket);
            if counted.fetch_add(1, Ordering::Relaxed) == 0 {
                send(socket, "a\n");
                tell(socket, r#"{"event":"waiting","reason":"the log cannot be read: permission denied"}"#);
                let (code, reason) = (4500.into(), "the log could not be read for a minute".into());
                let _ = socket.close(Some(CloseFrame { code, reason }));
            } else {
                tell(socket, r#"{"event":"gap","reason":"cursor","cursor":"def"}"#);
                send(socket, "b\n");
            }
            while socket.read().is_ok() {}
        },
    );
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "exec \"$0\" tail --retry never \"$1\" 2>&1",
        env!("CARGO_BIN_EXE_wstail"),
        &format!("{address}/*"),
    ]);
    let tail = Process::start({
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command
    });
    while tail.line() != "app.log: a" {}
    let mut lines = Vec::new();
    while lines.last().is_none_or(|line| line != "app.log: b") {
        lines.push(tail.line());
    }
    assert!(lines.iter().any(|line| line.contains("the place to resume at was not found")), "{lines:?}");
}

#[test]
fn a_list_without_end_is_an_error() {
    let address = by_many_hands(
        |_| true,
        |_, socket| {
            let long = "x".repeat(60_000);
            let file = |number: usize| format!(r#"{{"event":"file","path":"{number}{long}","size":1,"modified":1}}"#);
            let _ = (0..).take_while(|number| tell(socket, &file(*number))).last();
        },
    );
    let (code, errors) = tail(&address, &[]).end();
    let cause = "the server lists more than 131072 logs, or more than 32 MiB of paths";
    assert_eq!((code, errors), (1, format!("wstail: cannot follow ws://{address}/-/files: {cause}\n")));
}

#[test]
fn many_logs_are_followed_with_a_low_limit_of_open_files() {
    let log = Log::with("a\n");
    (0..40).for_each(|number| fs::write(log.beside(&format!("{number}x.log")), "a\n").unwrap());
    let server = serve_with(&log, &[]);
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -Sn 40 && exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_wstail"), "tail"]);
    command.args(["-q", &format!("{}/*", server.address)]).stdin(Stdio::null()).stdout(Stdio::piped());
    let tail = Process::start(command);
    let mut lines: Vec<_> = (0..41).map(|_| tail.line()).collect();
    lines.sort();
    lines.dedup();
    assert_eq!(lines.len(), 41);
    tail.signal(Signal::INT);
    assert_eq!(tail.end(), (130, String::new()));
}

#[test]
#[ignore = "needs a minute"]
fn a_log_that_is_created_again_just_before_it_is_left_is_printed_once() {
    let targets = Arc::new(Mutex::new(Vec::new()));
    let seen = targets.clone();
    let address = by_many_hands(
        |_| true,
        move |target, socket| {
            if target.starts_with("/-/") {
                tell(socket, FILE);
                tell(socket, LISTED);
                until("it is printed", || seen.lock().unwrap().len() == 1);
                tell(socket, r#"{"event":"gone","path":"app.log"}"#);
                // After a minute it is given up, while the list does not have it yet.
                (0..64).for_each(|_| {
                    thread::sleep(Duration::from_secs(1));
                    tell(socket, r#"{"event":"alive"}"#);
                });
                tell(socket, FILE);
                while socket.read().is_ok() {}
                return;
            }
            open(socket);
            let number = {
                let mut targets = seen.lock().unwrap();
                targets.push(target.to_owned());
                targets.len()
            };
            if number > 1 {
                send(socket, if target.contains("cursor=def") { "c\n" } else { "b\nc\n" });
                while socket.read().is_ok() {}
                return;
            }
            send(socket, "a\n");
            tell(socket, r#"{"event":"waiting","reason":"no such log"}"#);
            (0..58).for_each(|_| {
                thread::sleep(Duration::from_secs(1));
                tell(socket, r#"{"event":"alive"}"#);
            });
            tell(socket, r#"{"event":"rotated","cursor":"def"}"#);
            send(socket, "b\n");
            while socket.read().is_ok() {}
        },
    );
    let tail = tail(&address, &["-q"]);
    assert_eq!([tail.line(), tail.line(), tail.line()], ["app.log: a", "app.log: b", "app.log: c"]);
    assert!(targets.lock().unwrap()[1].contains("cursor=def.2"), "{targets:?}");
}
