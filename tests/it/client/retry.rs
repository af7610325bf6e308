//! What `tail` retries, when, with which notices, and what ends it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{DEADLINE, Log, Process, Server, serve, until, wstail};

fn tail(url: &str, arguments: &[&str]) -> Process {
    let mut command = wstail();
    command.args(["tail", url]).args(arguments).stdout(Stdio::piped());
    Process::start(command)
}

/// A server that sends these bytes to one connection after the other, once it has a request. The last ones are repeated
/// forever. Also returns the moments at which connections arrive.
fn answers(answers: Vec<Vec<u8>>) -> (String, mpsc::Receiver<Instant>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, moments) = mpsc::channel();
    thread::spawn(move || {
        for number in 0.. {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = sender.send(Instant::now());
            stream.set_read_timeout(Some(DEADLINE)).unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let _ = stream.write_all(&answers[answers.len().min(number + 1) - 1]);
        }
    });
    (address, moments)
}

fn answer(status: u16, fields: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} x\r\n{fields}Content-Length: 5\r\nContent-Type: text/plain\r\n\r\nno: x").into_bytes()
}

fn ended(tail: &Process) -> String {
    tail.signal(Signal::INT);
    let (code, errors) = tail.end();
    assert_eq!(code, 130, "{errors}");
    errors
}

#[test]
fn a_resumed_log_between_two_rotations_is_waited_for() {
    let (log, notes) = (Log::with("a\n"), tempfile::tempdir().unwrap());
    let server = serve(&log);
    let url = format!("{}/app.log", server.address);
    let file = notes.path().join("cursor");
    let file = file.to_str().unwrap();
    let first = tail(&url, &["-n", "all", "--no-follow", "--show-cursor", "--cursor-file", file]);
    assert_eq!(first.lines(), ["a"]);
    let (_, errors) = first.end();
    let cursor = errors.lines().last().unwrap().strip_prefix("-- cursor: ").unwrap();
    log.append("b\n");
    fs::rename(log.path(), log.beside("app.log.1")).unwrap();

    for ends in [&["--no-follow"][..], &["--retry", "never"]] {
        let hint = format!("`wstail ls {}` lists the logs", url.split('/').next().unwrap());
        let expected = format!("wstail: cannot follow ws://{url}: no such log (status 404); {hint}\n");
        let arguments = [&["--after-cursor", cursor], ends].concat();
        assert_eq!(tail(&url, &arguments).end(), (1, expected), "{ends:?}");
    }
    assert_eq!(tail(&url, &[]).end().0, 1, "no such log was ever seen");

    let tails = [["--cursor-file", file], ["--after-cursor", cursor]].map(|arguments| tail(&url, &arguments));
    let mut asked = 0;
    until("each has tried twice", || {
        let metrics = server.get("/-/metrics").text();
        let ended = metrics.lines().filter(|line| line.starts_with("wstail_connections_total{"));
        let ended: u64 = ended.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum();
        asked += 1;
        // In addition to those that ask for the metrics, and to the four runs above.
        ended >= asked + 4 + 4
    });
    log.append("c\n");
    for tail in tails {
        assert_eq!((tail.line(), tail.line()), ("b".to_owned(), "c".to_owned()));
        let errors = ended(&tail);
        assert_eq!(errors.matches("no such log (status 404); reconnecting in 0.").count(), 1, "{errors}");
    }
}

#[test]
fn a_killed_tail_that_is_started_again_between_two_rotations_waits() {
    let (log, notes) = (Log::with("0\n"), tempfile::tempdir().unwrap());
    let server = serve(&log);
    let file = notes.path().join("cursor");
    let start = || {
        let arguments = ["-q", "-n", "all", "--cursor-file", file.to_str().unwrap()];
        tail(&format!("{}/app.log", server.address), &arguments)
    };
    let refused = || {
        let metrics = server.get("/-/metrics").text();
        let count = |line: &str| line.strip_prefix("wstail_connections_total{outcome=\"refused\"} ")?.parse().ok();
        metrics.lines().find_map(count).unwrap_or(0u64)
    };
    let mut following = start();
    assert_eq!(following.line(), "0");
    for number in 1..4 {
        // The next run prints again what was not noted.
        until("what it printed is noted", || fs::read_to_string(&file).is_ok_and(|text| notes_all(&server, &text)));
        following.signal(Signal::KILL);
        following.wait();
        log.append(format!("late {number}\n"));
        fs::rename(log.path(), log.beside(&format!("app.log.{}", 9 - number))).unwrap();
        let before = refused();
        following = start();
        until("it has tried twice", || refused() >= before + 2);
        log.append(format!("{number}\n"));
        assert_eq!([following.line(), following.line()], [format!("late {number}"), number.to_string()]);
    }
    assert!(ended(&following).is_empty());
    // A cursor file in which nothing is noted proves nothing.
    fs::rename(log.path(), log.beside("app.log.1")).unwrap();
    fs::write(&file, "").unwrap();
    let (code, errors) = start().end();
    assert!(code == 1 && errors.contains("no such log (status 404)"), "{errors}");
}

/// Whether nothing comes after the place that a cursor file holds.
fn notes_all(server: &Server, record: &str) -> bool {
    let cursor = record.lines().next().unwrap_or_default();
    !cursor.is_empty() && server.get(&format!("/app.log?cursor={cursor}")).body.is_empty()
}

#[test]
fn retryable_answers_are_retried() {
    for status in [408, 425, 429, 500, 502, 503, 504, 599] {
        let (address, moments) = answers(vec![answer(status, "")]);
        let tail = tail(&format!("{address}/a"), &[]);
        for _ in 0..2 {
            moments.recv_timeout(DEADLINE).unwrap_or_else(|_| panic!("{status} is not retried"));
        }
        let errors = ended(&tail);
        let expected = format!("cannot follow ws://{address}/a: no: x (status {status}); reconnecting in ");
        assert_eq!(errors.matches(&expected).count(), 1, "{errors}");
    }
    for status in [400, 401, 403, 404, 405, 410, 421, 422, 426, 451, 499] {
        let (address, _moments) = answers(vec![answer(status, "Retry-After: 1\r\n")]);
        let expected = format!("wstail: cannot follow ws://{address}/a: no: x (status {status})\n");
        assert_eq!(tail(&format!("{address}/a"), &[]).end(), (1, expected));
    }
    let (address, _moments) = answers(vec![answer(503, "")]);
    assert_eq!(tail(&format!("{address}/a"), &["--retry=never"]).end().0, 1);
}

#[test]
fn retry_after_is_respected() {
    for fields in
        ["Retry-After: 3\r\n", "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:49:40 GMT\r\n"]
    {
        let (address, moments) = answers(vec![answer(429, fields), answer(404, "")]);
        let (code, errors) = tail(&format!("{address}/a"), &[]).end();
        assert!(code == 1 && errors.contains("(status 429); reconnecting in 3.00 s\n"), "{errors}");
        let first = moments.recv_timeout(DEADLINE).unwrap();
        let pause = moments.recv_timeout(DEADLINE).unwrap() - first;
        assert!(pause >= Duration::from_millis(2900), "{pause:?} after {fields:?}");
    }
    let (address, _moments) = answers(vec![answer(503, "Retry-After: 86400\r\n")]);
    let mut command = wstail();
    command.args(["tail", &format!("{address}/a")]);
    let tail = Process::start(command);
    until("it waits", || tail.catches(Signal::INT));
    thread::sleep(Duration::from_millis(300));
    assert!(ended(&tail).contains("reconnecting in 60.00 s"));
}

#[test]
fn a_redirect_ends_tail_and_is_explained() {
    for (status, location) in [(301, "https://logs.example.com/a?tail=1"), (302, "/login"), (308, "//h/a")] {
        let (address, _moments) = answers(vec![answer(status, &format!("Location: {location}\r\n"))]);
        let expected =
            format!("wstail: cannot follow ws://{address}/a: the server redirects to `{location}` (status {status})\n");
        assert_eq!(tail(&format!("{address}/a"), &[]).end(), (1, expected));
    }
    let (address, _moments) = answers(vec![answer(301, "Location: http://h/\u{9b}2J\u{202e}\r\n")]);
    let (code, errors) = tail(&format!("{address}/a"), &[]).end();
    assert!(code == 1 && errors.contains("redirects to `http://h/\\x9b2J\\u{202e}`"), "{errors}");
}

#[test]
fn a_server_that_is_not_http_is_reported_once() {
    let alert = b"\x15\x03\x01\x00\x02\x02\x46";
    for (bytes, hint) in [(&b"SSH-2.0-x\r\n"[..], ""), (alert, ": it looks like TLS, try wss://HOST"), (b"\0\xff", "")]
    {
        let (address, moments) = answers(vec![bytes.to_vec()]);
        let tail = tail(&format!("{address}/a"), &[]);
        for _ in 0..3 {
            moments.recv_timeout(DEADLINE).expect("it is retried");
        }
        let errors = ended(&tail);
        let hint = hint.replace("HOST", &address);
        let expected = format!("wstail: cannot follow ws://{address}/a: the server does not speak HTTP{hint}; ");
        assert!(errors.starts_with(&expected) && errors.lines().count() == 1, "{errors}");
    }
}
