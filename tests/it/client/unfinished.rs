//! Unfinished lines where `tail` works line by line: beside other logs, as JSON, and with `--verify`.

use std::fs;
use std::process::Stdio;

use rustix::process::Signal;

use crate::support::{Log, Process, Server, serve, serve_with, wstail};

/// A client that prints these logs of a server.
fn tail(server: &Server, logs: &[&str], arguments: &[&str]) -> Process {
    let mut command = wstail();
    let urls = logs.iter().map(|log| format!("{}/{log}", server.address));
    command.arg("tail").args(urls).args(arguments).stdout(Stdio::piped());
    Process::start(command)
}

/// Stops a client and returns what it has printed since.
fn stop(tail: Process) -> Vec<String> {
    tail.signal(Signal::INT);
    let lines = tail.lines();
    assert_eq!(tail.end(), (130, String::new()));
    lines
}

#[test]
fn shutdown_prints_an_unfinished_line() {
    let log = Log::with("a\nbegun");
    fs::write(log.beside("other.log"), "b\nbegun, too").unwrap();
    let server = serve(&log);
    for form in ["text", "raw", "json"] {
        let tail = tail(&server, &["app.log", "other.log"], &["-q", "-o", form]);
        let mut lines = vec![tail.line(), tail.line()];
        lines.extend(stop(tail));
        lines.sort();
        let expected = [("app.log", "a"), ("app.log", "begun"), ("other.log", "b"), ("other.log", "begun, too")];
        let mut expected = expected.map(|(log, line)| line_of(form, log, line));
        expected.sort();
        assert_eq!(lines, expected, "{form}");
    }
    let tail = tail(&server, &["app.log"], &["-q", "-o", "json"]);
    assert_eq!(tail.line(), line_of("json", "app.log", "a"));
    assert_eq!(stop(tail), [line_of("json", "app.log", "begun")]);
}

#[test]
fn a_rotation_ends_the_line_that_is_verified() {
    let log = Log::with("");
    let status = wstail().args(["produce", "--rate=0", "--count=2", "--stamp"]).arg(log.path()).status();
    assert!(status.unwrap().success());
    let text = fs::read_to_string(log.path()).unwrap();
    let (first, second) = text.split_once('\n').unwrap();
    fs::write(log.path(), format!("a\n{first}")).unwrap();
    let server = serve_with(&log, &["--rotate-wait", "0"]);
    let tail = tail(&server, &["app.log"], &["-q", "--verify"]);
    assert_eq!(tail.line(), "a");
    log.rotate("app.log.1", second);
    assert_eq!(tail.line(), format!("{first}{}", second.trim_end()), "what is printed stays as it is");
    tail.signal(Signal::INT);
    assert_eq!(tail.end(), (1, "verify: 3 lines, 0 lost, 0 duplicated, 1 corrupt\n".to_owned()));
}

fn line_of(form: &str, log: &str, line: &str) -> String {
    match form {
        "text" => format!("{log}: {line}"),
        "json" => format!(r#"{{"log":"{log}","line":"{line}"}}"#),
        _ => line.to_owned(),
    }
}

#[test]
fn with_a_cursor_file_the_next_run_prints_the_line_whole() {
    let (log, notes) = (Log::with("a\nbegun"), tempfile::tempdir().unwrap());
    let server = serve(&log);
    let file = notes.path().join("cursor");
    let arguments = ["-q", "-o", "json", "--cursor-file", file.to_str().unwrap()];
    let first = tail(&server, &["app.log"], &arguments);
    assert_eq!(first.line(), line_of("json", "app.log", "a"));
    assert!(stop(first).is_empty());
    log.append(" and ended\n");
    let next = tail(&server, &["app.log"], &arguments);
    assert_eq!(next.line(), line_of("json", "app.log", "begun and ended"));
    assert!(stop(next).is_empty());
}

#[test]
fn a_rotation_ends_the_line_where_lines_are_printed() {
    for (logs, form, expected) in [
        (&["app.log", "other.log"][..], "text", &["app.log: abc", "app.log: def"][..]),
        (&["app.log"], "json", &[r#"{"log":"app.log","line":"abc"}"#, r#"{"log":"app.log","line":"def"}"#]),
        (&["app.log"], "text", &["abcdef"]),
        (&["app.log", "other.log"], "raw", &["abcdef"]),
    ] {
        let log = Log::with("a\nabc");
        fs::write(log.beside("other.log"), "").unwrap();
        let server = serve_with(&log, &["--rotate-wait", "0"]);
        let tail = tail(&server, logs, &["-q", "-o", form]);
        tail.line();
        log.rotate("app.log.1", "def\n");
        let lines: Vec<_> = expected.iter().map(|_| tail.line()).collect();
        assert_eq!(lines, expected, "{form}");
        assert!(stop(tail).is_empty(), "{form}");
    }
}
