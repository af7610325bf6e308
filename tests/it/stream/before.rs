//! Paging back from a cursor, on every kind of connection.

use std::fs;

use wstail::protocol::event::Event;

use crate::support::random::{Random, seeds};
use crate::support::{Item, Log, Server, serve};

/// A cursor at the end of the log.
fn end(server: &Server) -> String {
    let mut client = server.events("app.log?lines=1");
    client.story("<1000>");
    client.cursors.last().expect("an open event has one").0.clone()
}

/// The page before a cursor, and the cursor of its first byte.
fn page(server: &Server, cursor: &str, lines: usize) -> (Vec<u8>, String) {
    let mut client = server.events(&format!("app.log?before={cursor}&lines={lines}"));
    let Item::Event(Event::Open { cursor, .. }) = client.next() else { panic!("no open event") };
    client.story("<1000>");
    (client.bytes, cursor.to_string())
}

#[test]
fn before_sends_the_preceding_lines_and_ends() {
    let log = Log::with("a\nb\nc\n");
    let server = serve(&log);
    let cursor = end(&server);
    log.append("d\n");
    let (target, text) = (format!("app.log?before={cursor}&lines=2"), "b\nc\n");
    assert_eq!(server.events(&target).story("<1000>"), format!("<open>{text}<end><1000>"));
    assert_eq!(server.get(&format!("/{target}")).body, text.as_bytes());
    assert!(server.get(&format!("/{target}")).head.contains("Content-Length: 4\r\n"));
    let mut plain = server.client(&target);
    assert_eq!((plain.message(), plain.close().0), (text.to_owned(), 1000));
    assert_eq!(server.get(&format!("/app.log?before={cursor}&lines=0")).body, b"");
    assert_eq!(server.get(&format!("/app.log?before={cursor}&lines=all&tail=0")).body, b"a\nb\nc\n");
    assert_eq!(server.get(&format!("/app.log?before={cursor}")).body, b"a\nb\nc\n");
}

#[test]
fn before_cannot_be_combined_with_tail_or_cursor() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let cursor = end(&server);
    for query in [format!("before={cursor}&tail=1"), format!("before={cursor}&cursor={cursor}"), "before=abc".into()] {
        let answer = server.get(&format!("/app.log?{query}"));
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.text().contains("`before`"), "{answer:?}");
    }
}

#[test]
fn paging_back_in_a_rotated_file_stays_in_that_file() {
    let log = Log::with("a\nb\n".repeat(100));
    let server = serve(&log);
    let cursor = end(&server);
    log.rotate("app.log.1", "c\n");
    assert_eq!(page(&server, &cursor, 3).0, b"b\na\nb\n");
}

#[test]
fn before_a_missing_place_reports_a_gap() {
    let log = Log::with("a\nb\n".repeat(100));
    let server = serve(&log);
    let cursor = end(&server);
    let target = format!("app.log?before={cursor}");
    fs::write(log.path(), "new\n").unwrap();
    assert_eq!(server.events(&target).story("<1000>"), "<open><gap truncated><end><1000>");
    fs::remove_file(log.path()).unwrap();
    log.append("newer\n");
    assert_eq!(server.events(&target).story("<1000>"), "<open><gap cursor><end><1000>");
    assert_eq!(server.get(&format!("/{target}")).body, b"");
}

#[test]
fn plain_http_reports_a_missing_place_in_a_header() {
    let log = Log::with("a\nb\n".repeat(100));
    let server = serve(&log);
    let cursor = end(&server);
    let targets = ["before", "cursor"].map(|parameter| format!("/app.log?{parameter}={cursor}"));
    let heads = || targets.each_ref().map(|target| server.get(target).head);
    for head in heads() {
        assert!(!head.to_lowercase().contains("wstail-gap"), "{head}");
    }
    fs::write(log.path(), "new\n").unwrap();
    for head in heads() {
        assert!(head.contains("\r\nWstail-Gap: truncated\r\n"), "{head}");
    }
    fs::remove_file(log.path()).unwrap();
    log.append("newer\n");
    for head in heads() {
        assert!(head.contains("\r\nWstail-Gap: cursor\r\n"), "{head}");
    }
    let head = server.ask(format!("HEAD {} HTTP/1.0\r\n\r\n", targets[0])).head;
    assert!(head.contains("\r\nWstail-Gap: cursor\r\n"), "{head}");
}

#[test]
fn paging_back_with_any_page_size_gives_the_whole_file() {
    for seed in seeds(40) {
        let mut random = Random::new(seed);
        let mut bytes = Vec::new();
        for _ in 0..random.below(20) {
            let times = if random.below(20) == 0 { 5_000 } else { 1 };
            bytes.extend(random.bytes().repeat(times));
        }
        let log = Log::with(&bytes);
        let server = serve(&log);
        let mut cursor = end(&server);
        let mut expected = &bytes[..];
        while !expected.is_empty() {
            let lines = 1 + random.below(expected.len() / 2 + 2);
            let (got, first) = page(&server, &cursor, lines);
            let whole = expected.strip_suffix(&got[..]).unwrap_or_else(|| panic!("seed {seed}: other bytes"));
            let count = got.split_inclusive(|&byte| byte == b'\n').count();
            assert!(count == lines || count < lines && whole.is_empty(), "seed {seed}: {count} of {lines} lines");
            (expected, cursor) = (whole, first);
        }
        assert_eq!(page(&server, &cursor, 5).0, b"", "seed {seed}");
    }
}
