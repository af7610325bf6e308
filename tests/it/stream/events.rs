//! `wstail.v1` on the wire: bytes, events, cursors, heartbeats and ends.

use std::fs;
use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tungstenite::Message;
use wstail::protocol::event::Event;

use crate::support::{EventClient, Item, Log, Server, read_frame, serve, serve_with};

/// Follows from the first line.
pub const ALL: &str = "app.log?tail=1&lines=all";

/// Files are also distinguished by their times, and the kernel's clock for these may tick only every 10 ms.
pub const TICK: Duration = Duration::from_millis(11);

/// A server that does not wait for late writes to a rotated file.
pub fn quick(log: &Log) -> Server {
    serve_with(log, &["--rotate-wait", "0"])
}

/// A client that follows and has received everything so far.
pub fn caught_up(server: &Server, text: &str) -> EventClient {
    let mut client = server.events(ALL);
    assert_eq!(client.story(text), format!("<open>{text}"));
    client.cursor();
    client
}

pub fn copy_and_truncate(log: &Log, name: &str) {
    fs::copy(log.path(), log.beside(name)).unwrap();
    truncate(log);
}

pub fn truncate(log: &Log) {
    log.writer().set_len(0).unwrap();
}

/// A line that is not UTF-8, and a different one for every number.
pub fn line(number: usize) -> Vec<u8> {
    [format!("line {number} ").as_bytes(), b"\xff\xe4\xbd\x00\xa0 \x1b[31mping\n"].concat()
}

/// Everything in a stream that resumes at `place`, up to the end of the log.
pub fn rest(server: &Server, place: &str) -> EventClient {
    let mut client = server.events(&format!("app.log?cursor={place}"));
    while !matches!(client.next(), Item::Close(..)) {}
    client
}

/// From each cursor the client got, beginning with the `first`, a stream resumes with what the client got after it.
pub fn check_cursors(server: &Server, client: &mut EventClient, first: usize) {
    client.cursor();
    for (number, (cursor, at)) in client.cursors.iter().enumerate().skip(first) {
        let rest = rest(server, cursor);
        let expected = &client.bytes[*at..];
        assert!(rest.bytes == expected, "cursor {number}: {}, not {}", start(&rest.bytes), start(expected));
    }
}

pub fn start(bytes: &[u8]) -> String {
    format!("{} bytes that begin with {:?}", bytes.len(), String::from_utf8_lossy(&bytes[..bytes.len().min(100)]))
}

pub fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_subprotocol_is_selected_only_when_offered() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let offer = |value: &str| format!("Sec-WebSocket-Protocol: {value}\r\n");
    let offered = [
        offer("wstail.v1"),
        offer("chat, wstail.v1"),
        offer("wstail.v1,chat"),
        offer("  wstail.v1\t, wstail.v2"),
        offer("chat") + &offer("bearer.YQ, wstail.v1"),
        "sec-websocket-protocol: wstail.v1\r\n".to_owned(),
    ];
    for fields in offered {
        let (_, head) = server.upgraded_with("app.log", &fields);
        let answers: Vec<_> = head.lines().filter_map(|line| line.split_once(": ")).collect();
        let picked = answers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-protocol"));
        assert_eq!(picked.map(|(_, value)| *value).collect::<Vec<_>>(), ["wstail.v1"], "{fields:?}");
    }
    let others =
        ["", "chat", "WSTAIL.V1", "Wstail.v1", "wstail.v10", "wstail.v", "xwstail.v1", "wstail.v1;q=1", "wstail"];
    for other in others {
        let fields = if other.is_empty() { String::new() } else { offer(other) };
        let (mut stream, head) = server.upgraded_with("app.log?heartbeat=text", &fields);
        assert!(!head.to_lowercase().contains("sec-websocket-protocol"), "{other}: {head}");
        assert_eq!(read_frame(&mut stream).unwrap(), (0x81, b"a\n".to_vec()), "{other}");
    }
}

#[test]
fn the_open_event_comes_first() {
    let log = Log::with("a\nb\nc\n");
    fs::write(log.beside("my log"), "d\n").unwrap();
    let server = serve_with(&log, &["--heartbeat", "0.75"]);
    let mut client = server.events("/./app.log?tail=1&lines=2");
    let Message::Text(open) = client.socket.read().unwrap() else { panic!("no text") };
    let open: serde_json::Value = serde_json::from_str(&open).unwrap();
    assert_eq!((&open["event"], &open["path"]), (&"open".into(), &"app.log".into()));
    assert_eq!((&open["size"], &open["heartbeat"]), (&6.into(), &0.75.into()));
    let cursor = open["cursor"].as_str().unwrap();
    assert!(cursor.len() <= 160 && cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)));
    assert_eq!(rest(&server, cursor).bytes, b"b\nc\n", "the cursor is where the first byte comes from");
    let Item::Event(Event::Open { path, size, .. }) = server.events("my%20log").next() else { panic!("no open") };
    assert_eq!((path.as_str(), size), ("my log", 2));
}

#[test]
fn binary_messages_are_the_bytes_of_the_file() {
    let text: Vec<u8> = (0..600_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let log = Log::with(&text);
    let server = serve(&log);
    let mut client = server.events(ALL);
    while client.bytes.len() < text.len() {
        if let Item::Bytes(bytes) = client.next() {
            assert!((1..=256 * 1024).contains(&bytes.len()), "{} bytes", bytes.len());
        }
    }
    for piece in [&b"\xe4"[..], b"\xbd\xa0", b"ping", b"\n"] {
        log.append(piece);
        let came = std::iter::from_fn(|| Some(client.next())).find(|item| matches!(item, Item::Bytes(_))).unwrap();
        assert_eq!(came, Item::Bytes(piece.to_vec()), "at once, without waiting for a line's end");
    }
    assert!(client.bytes == [&text[..], b"\xe4\xbd\xa0ping\n"].concat());
}

#[test]
fn a_cursor_arrives_when_the_stream_falls_silent() {
    let log = Log::with("");
    let server = serve_with(&log, &["--heartbeat", "0.2", "--poll", "20"]);
    let mut client = server.events(ALL);
    client.story("<open>");
    log.append("first\n");
    client.story("first\n");
    client.cursor();
    for number in 0..3 {
        log.append(line(number));
        let begun = Instant::now();
        assert!(matches!(client.next(), Item::Bytes(_)));
        assert!(matches!(client.next(), Item::Event(Event::Cursor(_))));
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        for _ in 0..3 {
            let message = client.socket.read().unwrap();
            assert!(is_beat(&message), "{message:?}");
        }
    }
}

/// Whether it is a Ping frame or what is sent along with it.
fn is_beat(message: &Message) -> bool {
    matches!(message, Message::Ping(_)) || *message == Message::text(Event::Alive.to_string())
}

#[test]
fn a_cursor_arrives_every_mib() {
    let log = Log::with(b"0123456789\n".repeat(800_000));
    let server = serve(&log);
    let mut client = server.events(ALL);
    client.story("<open>");
    while client.bytes.len() < 8_800_000 {
        client.next();
        let uncovered = client.bytes.len() - client.cursors.last().unwrap().1;
        assert!(uncovered < (1 << 20) + 256 * 1024, "{uncovered} bytes without a cursor");
    }
    client.cursor();
    assert!((8..16).contains(&client.cursors.len()), "{} cursors", client.cursors.len());
    for (cursor, at) in &client.cursors {
        assert_eq!(rest(&server, cursor).bytes.len(), 8_800_000 - at);
    }
}

#[test]
fn a_cursor_arrives_every_second() {
    let log = Log::with("");
    let server = serve(&log);
    let mut client = server.events(ALL);
    client.story("<open>");
    let end = Instant::now() + Duration::from_millis(2500);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut writer = log.writer();
            while Instant::now() < end {
                writer.write_all(&[b'.'; 50]).unwrap();
                thread::sleep(Duration::from_micros(50));
            }
            writer.write_all(b"\n").unwrap();
        });
        let mut covered = Instant::now();
        while !client.bytes.ends_with(b"\n") {
            if let Item::Event(Event::Cursor(_)) = client.next() {
                covered = Instant::now();
            }
            assert!(covered.elapsed() < Duration::from_millis(1400), "no cursor for {:?}", covered.elapsed());
        }
    });
    assert!(client.bytes.len() < 2 << 20, "it was not the bytes that brought the cursors: {}", client.bytes.len());
}

#[test]
fn heartbeats_are_ping_frames_whatever_the_query_says() {
    let log = Log::with("a\n");
    let server = serve_with(&log, &["--heartbeat", "0.2", "--heartbeat-timeout", "0.5"]);
    let mut client = server.events("app.log?tail=1&lines=0&heartbeat=text&format=html");
    client.story("<open>");
    for _ in 0..5 {
        let message = client.socket.read().unwrap();
        assert!(is_beat(&message), "{message:?}");
    }
    log.append("<b>\n");
    assert_eq!(client.story("\n"), "<b>\n", "the format is for plain connections");
}

#[test]
fn a_missed_heartbeat_gets_an_end_event_and_4408() {
    let log = Log::with("");
    let server = serve_with(&log, &["--heartbeat", "0.2", "--heartbeat-timeout", "0.3"]);
    let target = "app.log?tail=1&lines=0";
    let begun = Instant::now();
    let (mut stream, _) = server.upgraded_with(target, "Sec-WebSocket-Protocol: wstail.v1\r\n");
    let mut texts = Vec::new();
    let close = loop {
        match read_frame(&mut stream).unwrap() {
            (0x81, text) if text == br#"{"event":"alive"}"# => {}
            (0x81, text) => texts.push(String::from_utf8(text).unwrap()),
            (0x89, _) => {}
            (0x88, close) => break close,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((&close[..2], &close[2..]), (&4408_u16.to_be_bytes()[..], &b"no pong within 0.3s"[..]));
    assert!(begun.elapsed() >= Duration::from_millis(490), "{:?}", begun.elapsed());
    assert!(matches!(Event::parse(&texts[0]), Some(Event::Open { .. })), "{texts:?}");
    assert_eq!(Event::parse(&texts[1]), Some(Event::End { reason: "no pong within 0.3s".into() }), "{texts:?}");
    assert_eq!(texts.len(), 2, "{texts:?}");
}

#[test]
fn shutdown_sends_an_end_event_and_1001() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let mut client = caught_up(&server, "a\n");
    server.process.signal(Signal::TERM);
    assert_eq!(client.next(), Item::Event(Event::End { reason: "server is going away".into() }));
    assert_eq!(client.next(), Item::Close(1001, "server is going away".into()));
}

#[test]
fn without_tail_a_final_cursor_and_an_end_event_come_before_1000() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let mut client = server.events("app.log?tail=0");
    assert!(matches!(client.next(), Item::Event(Event::Open { .. })));
    assert_eq!(client.next(), Item::Bytes(b"a\n".to_vec()));
    assert!(matches!(client.next(), Item::Event(Event::Cursor(_))));
    assert!(matches!(client.next(), Item::Event(Event::End { .. })));
    assert!(matches!(client.next(), Item::Close(1000, _)));
    log.append("b\n");
    let mut client = server.events(&format!("app.log?cursor={}", client.cursors.last().unwrap().0));
    assert_eq!(client.story("<1000>"), "<open>b\n<end><1000>");
}
