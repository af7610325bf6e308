//! The list of logs contains what can be opened, by its path.

use std::fs::{self, File, FileTimes};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::{Answer, Log, Server, serve, serve_paths, serve_with, until};

fn list(server: &Server) -> Vec<Value> {
    files(&server.get("/-/files"))
}

fn files(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer: Value = serde_json::from_slice(&answer.body).unwrap();
    answer["files"].as_array().unwrap().clone()
}

fn paths(server: &Server) -> Vec<String> {
    list(server).iter().map(|file| file["path"].as_str().unwrap().to_owned()).collect()
}

fn write(path: &Path, text: &str, time: u64) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    let time = UNIX_EPOCH + Duration::from_secs(time);
    File::options().append(true).open(path).unwrap().set_times(FileTimes::new().set_modified(time)).unwrap();
}

#[test]
fn logs_are_listed_newest_first_with_size_and_time() {
    let log = Log::with("");
    write(&log.path(), "four", 1_700_000_000);
    write(&log.beside("old.log"), "", 1_600_000_000);
    write(&log.beside("sub/ä b%.log"), "1", 1_800_000_000);
    let server = serve(&log);
    let answer = server.get("/-/files");
    assert_eq!(
        files(&answer),
        [
            json!({"path": "sub/ä b%.log", "size": 1, "modified": 1_800_000_000}),
            json!({"path": "app.log", "size": 4, "modified": 1_700_000_000}),
            json!({"path": "old.log", "size": 0, "modified": 1_600_000_000}),
        ]
    );
    let head = answer.head.to_lowercase();
    for field in ["content-type: application/json", "cache-control: no-store", "x-content-type-options: nosniff"] {
        assert!(head.contains(&format!("{field}\r\n")), "{head}");
    }
    assert!(server.ask("HEAD /-/files HTTP/1.1\r\nHost: x\r\n\r\n").body.is_empty());
}

#[test]
fn a_list_that_has_not_changed_is_not_sent_again() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let answer = server.get("/-/files");
    let etag = answer.head.lines().find_map(|line| line.strip_prefix("ETag: ")).expect("a list has an ETag").to_owned();
    let again = || server.ask(format!("GET /-/files HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: {etag}\r\n\r\n"));
    let known = again();
    assert_eq!((known.status, known.body.len()), (304, 0));
    write(&log.beside("other.log"), "", 1_600_000_000);
    until("the change is listed", || again().status == 200);
}

#[test]
fn unreachable_files_are_not_listed() {
    let log = Log::with("");
    for name in [".hidden", ".git/config", "a\nb.log"] {
        write(&log.beside(name), "", 0);
    }
    fs::write(log.directory().join(std::ffi::OsStr::from_bytes(b"\xff.log")), "").unwrap();
    fs::create_dir(log.beside("empty")).unwrap();
    symlink("/etc/passwd", log.beside("out.log")).unwrap();
    symlink("nowhere", log.beside("dangling.log")).unwrap();
    symlink(".", log.beside("loop")).unwrap();
    let fifo = log.beside("fifo");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RUSR).unwrap();
    symlink("app.log", log.beside("current.log")).unwrap();
    let mut listed = paths(&serve(&log));
    listed.sort();
    assert_eq!(listed, ["app.log", "current.log"]);
    let mut listed = paths(&serve_with(&log, &["--hidden"]));
    listed.sort();
    assert_eq!(listed, [".git/config", ".hidden", "app.log", "current.log"]);
}

#[test]
fn every_path_is_listed_once_and_leads_to_its_log() {
    let [one, two] = ["one", "two"].map(Log::with);
    write(&two.beside("sub/deep.log"), "deep", 9);
    write(&two.beside("-/files"), "dash", 9);
    let (file, sub) = (two.path(), two.beside("sub"));
    let server = serve_paths(&[one.directory(), two.directory(), one.directory(), &sub, &file], &[]);
    let mut listed = paths(&server);
    let read = |path: &String| {
        let answer = server.get(&format!("/{path}"));
        assert_eq!(answer.status, 200, "{path}");
        answer.text()
    };
    let mut texts: Vec<_> = listed.iter().map(read).collect();
    texts.sort();
    assert_eq!(texts, ["dash", "deep", "deep", "one", "two"], "{listed:?}");
    listed.sort();
    listed.dedup();
    assert_eq!(listed.len(), texts.len(), "unique");
    let absolute = two.path().to_str().unwrap().trim_start_matches('/').to_owned();
    assert!(listed.contains(&absolute) && listed.contains(&"app.log".to_owned()), "{listed:?}");
}

#[test]
fn a_slow_client_gets_the_whole_list() {
    let log = Log::with("");
    for number in 0..8000 {
        fs::write(log.beside(&format!("{number}{}", "x".repeat(200))), "").unwrap();
    }
    let server = serve(&log);
    let mut stream = server.connect();
    rustix::net::sockopt::set_socket_recv_buffer_size(&stream, 64 * 1024).unwrap();
    stream.write_all(b"GET /-/files HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    std::thread::sleep(Duration::from_secs(3));
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.ends_with(b"]}"), "{} bytes", answer.len());
}
