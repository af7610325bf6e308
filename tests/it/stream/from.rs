//! The parameter `from`: streams that start at a line counted from the start of the file.

use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

use wstail::protocol::event::Event;

use crate::support::{Item, Log, serve};

fn lines(range: std::ops::RangeInclusive<u64>) -> String {
    range.map(|number| format!("line {number}\n")).collect()
}

#[test]
fn a_stream_starts_at_the_requested_line() {
    let log = Log::with(lines(1..=20));
    let server = serve(&log);
    for from in [1, 2, 19, 20] {
        let expected = lines(from..=20);
        assert_eq!(server.get(&format!("/app.log?from={from}")).text(), expected);
        let mut plain = server.client(&format!("app.log?from={from}"));
        assert_eq!((plain.message(), plain.close().0), (expected.clone(), 1000));
        let mut events = server.events(&format!("app.log?from={from}"));
        assert_eq!(events.story("<1000>"), format!("<open>{expected}<end><1000>"));
    }
    assert_eq!(server.get("/app.log?from=21").text(), "");
    assert!(server.get("/app.log?from=21").head.contains("Content-Length: 0\r\n"));
    assert_eq!(server.client("app.log?from=22").close().0, 1000, "no message, not even an empty one");
    assert_eq!(server.events("app.log?from=18446744073709551615").story("<1000>"), "<open><end><1000>");
}

#[test]
fn nothing_is_sent_before_a_line_that_does_not_exist_yet() {
    let log = Log::with("1\n2\n");
    let server = serve(&log);
    let mut plain = server.client("app.log?from=5&tail=1");
    let mut events = server.events("app.log?from=5&tail=1");
    assert_eq!(events.story("<open>"), "<open>");
    let mut text = server.connect();
    text.write_all(b"GET /app.log?from=5&tail=1 HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        let mut byte = [0];
        std::io::Read::read_exact(&mut text, &mut byte).unwrap();
        head.push(byte[0].into());
    }
    ["3\n", "4", " and more", "\n5\n"].iter().for_each(|part| log.append(part));
    assert_eq!(plain.message(), "5\n");
    assert_eq!(events.story("\n"), "5\n");
    let mut chunk = [0; 7];
    std::io::Read::read_exact(&mut text, &mut chunk).unwrap();
    assert_eq!(&chunk, b"2\r\n5\n\r\n");
    let place = events.cursor();
    drop(events);
    log.append("6\n");
    plain.expect(["6"]);
    log.append("7\n");
    assert_eq!(server.events(&format!("app.log?cursor={place}")).story("<1000>"), "<open>6\n7\n<end><1000>");
}

#[test]
fn cursors_are_exact_after_skipped_lines() {
    let log = Log::with("1\n");
    let server = serve(&log);
    let mut events = server.events("app.log?from=3&tail=1");
    events.story("<open>");
    log.append("2\n3\n");
    while !matches!(events.next(), Item::Bytes(_)) {}
    let (cursor, at) = events.cursors.iter().rev().find(|(_, at)| *at == 0).cloned().unwrap();
    let place = format!("{cursor}.{}", events.bytes.len() - at);
    log.append("4\n");
    assert_eq!(server.events(&format!("app.log?cursor={place}")).story("<1000>"), "<open>4\n<end><1000>");
}

#[test]
fn a_rotated_in_file_is_sent_from_its_start() {
    for truncates in [false, true] {
        let log = Log::with("1\n2\n");
        let server = serve(&log);
        let mut events = server.events("app.log?from=9&tail=1");
        events.story("<open>");
        match truncates {
            true => fs::write(log.path(), "x\n").unwrap(),
            false => log.rotate("app.log.1", "x\n"),
        }
        let story = events.story("x\n");
        assert!(story.ends_with("<rotated>x\n") || story.ends_with("<truncated>x\n"), "{story}");
    }
}

#[test]
fn seeking_a_distant_line_keeps_the_server_responsive() {
    let log = Log::with("");
    let block = "x\n".repeat(1 << 20);
    let mut writer = log.writer();
    (0..100).for_each(|_| writer.write_all(block.as_bytes()).unwrap());
    let server = serve(&log);
    let begun = Instant::now();
    let mut events = server.events("app.log?from=104857600&tail=1");
    events.socket.send(tungstenite::Message::Ping(Vec::new().into())).unwrap();
    assert!(matches!(events.socket.read(), Ok(tungstenite::Message::Pong(_))), "before the place is found");
    match events.next() {
        Item::Event(Event::Open { size, .. }) => assert_eq!(size, 100 << 21),
        item => panic!("{item:?}"),
    }
    assert_eq!(events.story("\n"), "x\n");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn from_cannot_be_combined_with_other_places() {
    let log = Log::with("1\n");
    let server = serve(&log);
    for query in ["from=0", "from=-1", "from=x", "from=1&lines=1", "from=1&cursor=abc", "from=1&before=abc"] {
        let answer = server.get(&format!("/app.log?{query}"));
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.text().contains("`from`"), "{query}: {}", answer.text());
    }
}
