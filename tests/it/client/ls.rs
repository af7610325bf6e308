//! `wstail ls`, and `tail` with only a host.

use std::fs::{self, File, FileTimes};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::{DEADLINE, Log, serve, serve_with, wstail};

fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = wstail().args(arguments).env("TZ", "CET-1").stdout(Stdio::piped()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn printed(arguments: &[&str]) -> String {
    let (code, printed, errors) = run(arguments);
    assert_eq!((code, errors.as_str()), (0, ""), "{arguments:?}");
    printed
}

fn write(path: &Path, text: &str, time: u64) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    let time = UNIX_EPOCH + Duration::from_secs(time);
    File::options().append(true).open(path).unwrap().set_times(FileTimes::new().set_modified(time)).unwrap();
}

/// Three logs, and their listing.
fn logs() -> (Log, &'static str) {
    let log = Log::with("");
    write(&log.path(), &"x".repeat(1234), 1_700_000_000);
    write(&log.beside("old.log"), "", 1_600_000_000);
    write(&log.beside("sub/ä\u{9b}\u{202e} b%.log"), "12", 1_800_000_000);
    let expected = "   2  2027-01-15 09:00:00  sub/ä\\x9b\\u{202e} b%.log\n\
                    1234  2023-11-14 23:13:20  app.log\n   \
                       0  2020-09-13 13:26:40  old.log\n";
    (log, expected)
}

#[test]
fn the_logs_of_a_server_are_listed_newest_first() {
    let (log, expected) = logs();
    let server = serve(&log);
    let address = server.address.as_str();
    for url in [address.to_owned(), format!("{address}/"), format!("ws://{address}"), format!("http://{address}/")] {
        assert_eq!(printed(&["ls", &url]), expected, "{url}");
    }
    for url in [address.to_owned(), format!("ws://{address}"), format!("http://{address}")] {
        assert_eq!(printed(&["tail", &url]), expected, "{url}");
    }
    for arguments in [["ls", address, "-o", "json"], ["tail", address, "-o", "json"]] {
        let printed = printed(&arguments);
        let objects: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let expected = [
            json!({"path": "sub/ä\u{9b}\u{202e} b%.log", "size": 2, "modified": 1_800_000_000}),
            json!({"path": "app.log", "size": 1234, "modified": 1_700_000_000}),
            json!({"path": "old.log", "size": 0, "modified": 1_600_000_000}),
        ];
        assert_eq!(objects, expected);
        assert!(printed.contains("\\u009b\\u202e"), "{printed}");
    }
}

#[test]
fn a_local_path_lists_what_serve_would_serve() {
    let (log, expected) = logs();
    write(&log.beside(".hidden"), "", 0);
    let path = log.directory().to_str().unwrap();
    assert_eq!(printed(&["ls", path]), expected);
    let file = log.path();
    assert_eq!(printed(&["ls", file.to_str().unwrap()]), "1234  2023-11-14 23:13:20  app.log\n");
    let mut command = wstail();
    command.args(["ls", "sub", "-o", "json"]).current_dir(log.directory());
    let output = command.stdout(Stdio::piped()).output().unwrap();
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(object["path"], "ä\u{9b}\u{202e} b%.log");
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(printed(&["ls", empty.path().to_str().unwrap()]), "");
    for missing in ["/does/not/exist", "./does-not-exist", "../does-not-exist"] {
        let (code, _, errors) = run(&["ls", missing]);
        assert!(code == 2 && errors.contains(missing) && errors.lines().count() == 1, "{errors}");
    }
}

#[test]
fn tokens_and_base_paths_are_understood() {
    let (log, expected) = logs();
    let notes = tempfile::tempdir().unwrap();
    let tokens = notes.path().join("tokens");
    fs::write(&tokens, "secret-secret\n").unwrap();
    let tokens = tokens.to_str().unwrap();
    let server = serve_with(&log, &["--token-file", tokens, "--base-path", "/logs"]);
    let url = format!("{}/logs/", server.address);
    assert_eq!(printed(&["ls", &url, "--token-file", tokens]), expected);
    let (code, _, errors) = run(&["ls", &url]);
    let start = format!("wstail: cannot list the logs of {}: ", server.address);
    assert!(code == 1 && errors.starts_with(&start) && errors.ends_with(" (status 401)\n"), "{errors}");
    assert_eq!(run(&["ls", &server.address]).0, 1);
}

/// A server that sends these bytes in answer to one request. Returns its address, and the request.
fn once(answer: &'static str) -> (String, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let head = lines.map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
        stream.write_all(answer.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let _ = stream.read(&mut [0]);
        head
    });
    (address, asked)
}

#[test]
fn answers_of_other_servers_are_reported() {
    const OK: &str = "HTTP/1.1 200 OK\r\n";
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const ONE: &str = r#"{"files":[{"path":"a","size":1,"modified":0}],"cut":true}"#;
    let chunked: &str = Box::leak(format!("{CHUNKED}a\r\n{}\r\n2f\r\n{}\r\n0\r\n\r\n", &ONE[..10], &ONE[10..]).into());
    for (answer, code, expected) in [
        (chunked, 0, "the list is incomplete: the server has more logs"),
        (Box::leak(format!("{CHUNKED}a\r\n{}\r\n", &ONE[..10]).into()), 1, "the answer was cut off"),
        (Box::leak(format!("{OK}Content-Length: 99\r\n\r\n{ONE}").into()), 1, "the answer was cut off"),
        (Box::leak(format!("{OK}\r\n<html>").into()), 1, "the answer is not a list of logs"),
        ("HTTP/1.1 301 x\r\nLocation: https://h/\r\n\r\n", 1, "the server redirects to `https://h/` (status 301)"),
        ("SSH-2.0\r\n", 1, "the server does not speak HTTP"),
    ] {
        let (address, asked) = once(answer);
        let (found, printed, errors) = run(&["ls", &address]);
        assert_eq!((found, errors.lines().count()), (code, 1), "{errors}");
        assert!(errors.contains(expected), "{errors}");
        assert_eq!(printed.is_empty(), code == 1);
        assert_eq!(asked.join().unwrap()[0], "GET /-/files HTTP/1.1");
    }
}

#[test]
fn a_busy_server_is_retried() {
    let (address, asked) = once("HTTP/1.1 404 x\r\n\r\n");
    assert_eq!(run(&["tail", &format!("{address}/a?lines=3"), "-n", "+5"]).0, 1);
    assert_eq!(asked.join().unwrap()[0], "GET /a?tail=1&heartbeat=frame&from=5 HTTP/1.1");
    let notes = tempfile::tempdir().unwrap();
    let file = notes.path().join("cursor");
    fs::write(&file, "abc\n").unwrap();
    let (address, asked) = once("HTTP/1.1 404 x\r\n\r\n");
    let arguments = ["-n+5", "--no-follow", "--cursor-file", file.to_str().unwrap()];
    assert_eq!(run(&[&["tail", &format!("{address}/a")], &arguments[..]].concat()).0, 1);
    assert_eq!(asked.join().unwrap()[0], "GET /a?tail=0&heartbeat=frame&cursor=abc HTTP/1.1");
}

#[test]
fn a_zone_is_not_sent() {
    let listener = TcpListener::bind("[::1]:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    for host in ["[::1%25lo]", "[::1%lo]", "[::1%1]"] {
        let asking = thread::spawn({
            let url = format!("ws://{host}:{port}/a");
            move || run(&["tail", &url])
        });
        let (mut stream, _) = listener.accept().unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let head: Vec<_> = lines.map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
        stream.write_all(b"HTTP/1.1 404 x\r\n\r\n").unwrap();
        drop(stream);
        assert!(head.contains(&format!("Host: [::1]:{port}")), "{head:?}");
        assert_eq!(asking.join().unwrap().0, 1);
    }
    let (code, _, errors) = run(&["tail", "[fe80::1%nowhere]:1/a", "--retry=never"]);
    let expected = "wstail: cannot connect to [fe80::1%nowhere]:1: there is no network interface `nowhere`\n";
    assert_eq!((code, errors.as_str()), (1, expected));
}
