//! `wstail.v1` on the wire: bytes, events, and cursors that continue exactly, over every way to ask for a log.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tungstenite::Message;
use wstail::protocol::event::Event;

use crate::util::{EventClient, Item, Log, Server, dechunk, read_frame, serve, serve_with, until};

/// Follows from the first line on.
const ALL: &str = "app.log?tail=1&lines=all";
/// Files are told from one another by their times, too, and the kernel's clock for them ticks every 10 ms at worst.
const TICK: Duration = Duration::from_millis(11);

/// A server that leaves a rotated file at once.
fn quick(log: &Log) -> Server {
    serve_with(log, &["--rotate-wait", "0"])
}

/// A client that follows and has got all that there is so far.
fn caught_up(server: &Server, text: &str) -> EventClient {
    let mut client = server.events(ALL);
    assert_eq!(client.story(text), format!("<open>{text}"));
    client.cursor();
    client
}

fn copy_and_truncate(log: &Log, name: &str) {
    fs::copy(log.path(), log.beside(name)).unwrap();
    truncate(log);
}

fn truncate(log: &Log) {
    log.writer().set_len(0).unwrap();
}

/// A line that is no UTF-8, and different every time.
fn line(number: usize) -> Vec<u8> {
    [format!("line {number} ").as_bytes(), b"\xff\xe4\xbd\x00\xa0 \x1b[31mping\n"].concat()
}

/// All that a stream brings that goes on at `place`, up to the end of the log.
fn rest(server: &Server, place: &str) -> EventClient {
    let mut client = server.events(&format!("app.log?cursor={place}"));
    while !matches!(client.next(), Item::Close(..)) {}
    client
}

#[test]
fn the_subprotocol_is_picked_when_it_is_offered_and_only_then() {
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
fn open_comes_first_and_says_what_is_opened() {
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
fn bytes_are_those_of_the_file_whatever_they_are() {
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
fn a_cursor_comes_when_the_stream_falls_silent_and_none_while_it_is_idle() {
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
            assert!(matches!(message, Message::Ping(_)), "{message:?}");
        }
    }
}

#[test]
fn while_bytes_flow_a_cursor_comes_after_1_mib() {
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
fn while_bytes_flow_a_cursor_comes_every_second() {
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
        assert!(matches!(message, Message::Ping(_)), "{message:?}");
    }
    log.append("<b>\n");
    assert_eq!(client.story("\n"), "<b>\n", "the format is for plain connections");
}

#[test]
fn who_does_not_answer_is_told_the_end_and_closed_with_4408() {
    let log = Log::with("");
    let server = serve_with(&log, &["--heartbeat", "0.2", "--heartbeat-timeout", "0.3"]);
    let target = "app.log?tail=1&lines=0";
    let (mut stream, _) = server.upgraded_with(target, "Sec-WebSocket-Protocol: wstail.v1\r\n");
    let begun = Instant::now();
    let mut texts = Vec::new();
    let close = loop {
        match read_frame(&mut stream).unwrap() {
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
fn a_rotation_is_told_between_the_files() {
    let log = Log::with("a\n");
    let server = serve_with(&log, &["--rotate-wait", "0.2"]);
    let mut client = server.events(ALL);
    assert_eq!(client.story("a\n"), "<open>a\n");
    log.append("b\n");
    log.rotate("app.log.1", "c\n");
    log.append("d\n");
    assert_eq!(client.story("d\n"), "b\n<rotated>c\nd\n");
    check_cursors(&server, &mut client, 0);
}

#[test]
fn several_rotations_while_nobody_looks_are_told_one_by_one() {
    let log = Log::with("a\n");
    let server = quick(&log);
    let mut client = caught_up(&server, "a\n");
    for number in 1..4 {
        log.rotate(&format!("app.log-2026112{number}"), &format!("{number}\n"));
    }
    assert_eq!(client.story("3\n"), "<rotated>1\n<rotated>2\n<rotated>3\n");
    check_cursors(&server, &mut client, 0);
}

#[test]
fn copytruncate_loses_nothing_and_tells_no_gap() {
    let log = Log::with("a\n");
    let server = quick(&log);
    let mut client = caught_up(&server, "a\n");
    for number in 1..4 {
        thread::sleep(TICK);
        log.append(format!("end of {number}\n"));
        copy_and_truncate(&log, &format!("app.log.2026-11-2{number}"));
        log.append(format!("{number}\n"));
        let end = format!("{number}\n");
        assert_eq!(client.story(&format!("<truncated>{end}")), format!("end of {number}\n<truncated>{end}"));
        client.cursor();
    }
    check_cursors(&server, &mut client, 0);
}

#[test]
fn a_cursor_of_an_empty_log_continues_in_the_copies_of_what_came_then() {
    let log = Log::with("a\n");
    let server = quick(&log);
    let mut client = caught_up(&server, "a\n");
    for number in 1..4 {
        thread::sleep(TICK);
        copy_and_truncate(&log, &format!("app.log.2026-11-2{number}"));
        assert_eq!(client.story(">"), "<truncated>", "it is seen empty");
        log.append(format!("{number}\n"));
        client.story("\n");
        client.cursor();
    }
    check_cursors(&server, &mut client, 0);
    let (cursor, at) = client.cursors.iter().rfind(|(_, at)| *at == 2).unwrap();
    for skip in 0..3 {
        let answer = server.get(&format!("/app.log?cursor={cursor}.{skip}"));
        assert_eq!(answer.chunked(), &client.bytes[at + skip..]);
    }
}

#[test]
fn a_truncation_without_a_copy_is_a_gap() {
    let log = Log::with("aaaa\n");
    let server = quick(&log);
    let mut client = caught_up(&server, "aaaa\n");
    truncate(&log);
    log.append("b\n");
    assert_eq!(client.story("b\n"), "<gap truncated><truncated>b\n");
    check_cursors(&server, &mut client, 1);
}

#[test]
fn a_log_that_was_truncated_and_has_grown_past_the_old_place_is_noticed() {
    let log = Log::with("aaaa\n");
    let server = quick(&log);
    let mut client = caught_up(&server, "aaaa\n");
    fs::write(log.path(), "b\n".repeat(100)).unwrap();
    assert_eq!(client.story(&"b\n".repeat(100)), format!("<gap truncated><truncated>{}", "b\n".repeat(100)));
    check_cursors(&server, &mut client, 1);
}

#[test]
fn a_deleted_log_is_waited_for_and_begun_anew() {
    let log = Log::with("a\n");
    let server = quick(&log);
    let mut client = caught_up(&server, "a\n");
    fs::remove_file(log.path()).unwrap();
    assert_eq!(client.story("<waiting>"), "<waiting>");
    log.append("b\n");
    assert_eq!(client.story("b\n"), "<gap replaced><rotated>b\n");
    check_cursors(&server, &mut client, 1);
}

#[test]
fn a_log_that_was_moved_away_and_begun_later_loses_nothing() {
    let log = Log::with("a\n");
    let server = quick(&log);
    let mut client = caught_up(&server, "a\n");
    fs::rename(log.path(), log.beside("app.log.1")).unwrap();
    assert_eq!(client.story("<waiting>"), "<waiting>");
    log.append("b\n");
    assert_eq!(client.story("b\n"), "<rotated>b\n");
    check_cursors(&server, &mut client, 0);
}

#[test]
fn a_server_that_stops_says_so_and_closes_with_1001() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let mut client = caught_up(&server, "a\n");
    server.process.signal(Signal::TERM);
    assert_eq!(client.next(), Item::Event(Event::End { reason: "server is going away".into() }));
    assert_eq!(client.next(), Item::Close(1001, "server is going away".into()));
}

#[test]
fn without_tail_the_last_cursor_comes_then_the_end_then_1000() {
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

/// Every cursor a client got, from the `first` on, leads to what it got after it.
fn check_cursors(server: &Server, client: &mut EventClient, first: usize) {
    client.cursor();
    for (number, (cursor, at)) in client.cursors.iter().enumerate().skip(first) {
        let rest = rest(server, cursor);
        let expected = &client.bytes[*at..];
        assert!(rest.bytes == expected, "cursor {number}: {}, not {}", start(&rest.bytes), start(expected));
    }
}

fn start(bytes: &[u8]) -> String {
    format!("{} bytes that begin with {:?}", bytes.len(), String::from_utf8_lossy(&bytes[..bytes.len().min(100)]))
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A follower's run through a log that is appended to, rotated both ways, under two kinds of names.
fn run(server: &Server, log: &Log) -> EventClient {
    let mut client = server.events(ALL);
    let (mut written, mut number) = (Vec::new(), 0);
    let mut append = |client: &mut EventClient, lines: usize| {
        for _ in 0..lines {
            log.append(line(number));
            written.extend(line(number));
            number += 1;
        }
        while client.bytes.len() < written.len() {
            client.next();
        }
        assert!(client.bytes == written);
        client.cursor();
        thread::sleep(TICK);
    };
    for round in 1..4 {
        append(&mut client, 1);
        append(&mut client, 20);
        fs::rename(log.path(), log.beside(&format!("app.log-2026112{round}"))).unwrap();
        append(&mut client, 2);
        append(&mut client, 3);
    }
    for round in 4..7 {
        append(&mut client, 5);
        copy_and_truncate(log, &format!("app.log-2026112{round}"));
        append(&mut client, 2);
        append(&mut client, 1);
    }
    client
}

#[test]
fn every_cursor_continues_exactly_however_it_is_asked() {
    let log = Log::with("");
    let server = quick(&log);
    let client = run(&server, &log);
    let all = &client.bytes;
    assert!(client.cursors.len() > 25, "{} cursors", client.cursors.len());
    let restarted = quick(&log);
    for (number, (cursor, at)) in client.cursors.iter().enumerate() {
        let expected = &all[*at..];
        for server in [&server, &restarted] {
            let rest = rest(server, cursor);
            assert!(rest.bytes == expected, "{number}: {}, not {}", start(&rest.bytes), start(expected));
        }
        let target = format!("app.log?cursor={cursor}");
        let answer = server.get(&format!("/{target}"));
        let body = if answer.head.contains("Content-Length") { answer.body.clone() } else { answer.chunked() };
        assert!(body == expected, "{number} over HTTP: {}", start(&body));
        let answer = server.ask(format!("GET /{target} HTTP/1.0\r\n\r\n"));
        assert!(answer.body == expected, "{number} over HTTP/1.0: {}", start(&answer.body));
        assert!(followed(&server, &target, expected.len()) == expected, "{number} over HTTP, followed");
        let mut client = server.client(&target);
        let mut text = String::new();
        let close = loop {
            match client.next() {
                Ok(message) => text += &message,
                Err((code, _)) => break code,
            }
        };
        assert_eq!((text, close), (lossy(expected), 1000), "{number} over a plain WebSocket");
        let mut client = restarted.client(&format!("{target}&tail=1"));
        if !expected.is_empty() {
            assert_eq!(client.read(lossy(expected).len()), lossy(expected), "{number}, followed");
        }
    }
}

/// The first bytes of an endless response.
fn followed(server: &Server, target: &str, length: usize) -> Vec<u8> {
    let mut stream = server.connect();
    stream.write_all(format!("GET /{target}&tail=1 HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).unwrap();
    let mut answer = Vec::new();
    loop {
        let mut more = [0; 4096];
        let read = stream.read(&mut more).unwrap();
        assert!(read > 0, "an endless response has ended");
        answer.extend_from_slice(&more[..read]);
        let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let (payload, end) = dechunk(&answer[head + 4..]);
        assert_eq!(end, None, "an endless response has a last chunk");
        if payload.len() >= length {
            return payload;
        }
    }
}

#[test]
fn a_cursor_and_a_number_continue_that_many_bytes_after_it() {
    let log = Log::with("");
    let server = quick(&log);
    let client = run(&server, &log);
    let next = client.cursors.iter().map(|(_, at)| *at).skip(1).chain([client.bytes.len()]);
    for (number, ((cursor, at), end)) in client.cursors.iter().zip(next).enumerate() {
        let covered = end - at;
        for skip in [0, 1, covered / 2, covered.saturating_sub(1), covered] {
            let skip = skip.min(covered);
            let rest = rest(&server, &format!("{cursor}.{skip}"));
            let expected = &client.bytes[at + skip..];
            assert!(rest.bytes == expected, "{number}.{skip}: {}, not {}", start(&rest.bytes), start(expected));
        }
    }
    let (cursor, _) = client.cursors.last().unwrap();
    let story = server.events(&format!("app.log?cursor={cursor}.1000000")).story("<1000>");
    assert!(story.starts_with("<open><gap "), "so much has never come: {story}");
}

#[test]
fn a_response_that_crosses_generations_ends_as_its_version_of_http_ends_it() {
    let log = Log::with("a\n");
    let server = quick(&log);
    let cursor = caught_up(&server, "a\n").cursor();
    log.append("b\n");
    log.rotate("app.log.2", "c\n");
    log.rotate("app.log.1", "d\n");
    let answer = server.get(&format!("/app.log?cursor={cursor}&tail=0"));
    assert_eq!((answer.status, answer.chunked()), (200, b"b\nc\nd\n".to_vec()));
    assert!(!answer.head.contains("Content-Length"), "{}", answer.head);
    let answer = server.ask(format!("GET /app.log?cursor={cursor} HTTP/1.0\r\n\r\n"));
    assert_eq!((answer.status, answer.text().as_str()), (200, "b\nc\nd\n"));
    let head = answer.head.to_lowercase();
    assert!(!head.contains("content-length") && !head.contains("transfer-encoding"), "{head}");
}

#[test]
fn what_is_no_cursor_is_refused_and_named() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let good = caught_up(&server, "a\n").cursor();
    let flipped = |at: usize| {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
        String::from_utf8(bytes).unwrap()
    };
    let mut bad: Vec<String> = ["", "0", "abc", ".", ".5", "%00", "a%20b", "%ff", "%zz", "%"].map(str::to_owned).into();
    bad.extend((0..good.len()).step_by(7).map(flipped));
    bad.extend([flipped(good.len() - 1), good.to_uppercase(), format!("{good}0"), good[1..].to_owned()]);
    bad.extend(["", "x", "-1", "+1", "1.2", "99999999999999999999", "%201"].map(|skip| format!("{good}.{skip}")));
    bad.extend([161, 7 * 1024, 1_000_000].map(|length| "a".repeat(length)));
    bad.extend([161, 7 * 1024].map(|length| good.repeat(length / good.len() + 1)));
    for cursor in &bad {
        let start: String = cursor.chars().take(200).collect();
        let answer = server.get(&format!("/app.log?tail=1&cursor={cursor}"));
        assert_eq!(answer.status, 400, "{start:?} of {}: {}", cursor.len(), answer.text());
        assert!(answer.text().contains("cursor"), "{start:?} of {}: {}", cursor.len(), answer.text());
        assert!(answer.text().len() < 300, "{}", answer.text().len());
        if cursor.len() < 8000 {
            let error = server.try_client(&format!("app.log?tail=1&cursor={cursor}")).unwrap_err();
            assert!(error.contains("400"), "{start:?}: {error}");
        }
    }
    let repeated = server.get(&format!("/app.log?cursor={good}&cursor={good}"));
    assert_eq!(repeated.status, 400);
    assert!(repeated.text().contains("cursor"), "{}", repeated.text());
}

#[test]
fn lines_say_nothing_beside_a_cursor() {
    let log = Log::with("a\nb\n");
    let server = serve(&log);
    let mut first = server.events("app.log?tail=1&lines=1");
    first.story("b\n");
    let cursor = first.cursors[0].0.clone();
    for lines in ["0", "1", "9", "all"] {
        for target in [format!("lines={lines}&cursor={cursor}"), format!("cursor={cursor}&lines={lines}")] {
            assert_eq!(server.get(&format!("/app.log?{target}")).text(), "b\n", "{target}");
            assert_eq!(server.events(&format!("app.log?{target}")).story("<1000>"), "<open>b\n<end><1000>");
        }
    }
    assert_eq!(server.get(&format!("/app.log?lines=x&cursor={cursor}")).status, 400);
}

#[test]
fn a_cursor_of_another_log_is_a_gap_and_leads_nowhere_else() {
    let log = Log::with("a\nb\n");
    fs::write(log.beside("other.log"), "secret\n".repeat(100)).unwrap();
    let elsewhere = Log::with("elsewhere\n".repeat(100));
    let server = serve(&log);
    let others = [server.events("other.log?tail=1&lines=9"), serve(&elsewhere).events("app.log?tail=1")];
    for mut other in others {
        other.story("\n");
        let cursor = other.cursor();
        let mut client = server.events(&format!("app.log?cursor={cursor}"));
        assert_eq!(client.story("<1000>"), "<open><gap cursor>a\nb\n<end><1000>");
        check_cursors(&server, &mut client, 0);
        assert_eq!(server.get(&format!("/app.log?cursor={cursor}")).text(), "a\nb\n");
        assert_eq!(server.get(&format!("/app.log?cursor={cursor}.3")).text(), "a\nb\n");
    }
}

#[test]
fn a_cursor_whose_file_is_deleted_is_a_gap_and_then_what_is_younger() {
    let log = Log::with("older\n");
    thread::sleep(TICK);
    log.rotate("app.log-20261121", "0\n");
    let server = quick(&log);
    let cursor = caught_up(&server, "0\n").cursor();
    until("nobody holds the log", || server.connections() == 0);
    for number in 2..5 {
        thread::sleep(TICK);
        log.rotate(&format!("app.log-2026112{number}"), &format!("{number}\n"));
    }
    fs::remove_file(log.beside("app.log-20261122")).unwrap();
    let mut client = server.events(&format!("app.log?cursor={cursor}&tail=1"));
    assert_eq!(client.story("4\n"), "<open><gap cursor>2\n<rotated>3\n<rotated>4\n");
    check_cursors(&server, &mut client, 0);
}

#[test]
fn a_new_file_with_the_number_of_the_old_is_not_mistaken_for_it() {
    let log = Log::with("a\n");
    let server = quick(&log);
    let cursor = caught_up(&server, "a\n").cursor();
    until("nobody holds the log", || server.connections() == 0);
    let old = fs::metadata(log.path()).unwrap().ino();
    for _ in 0..100 {
        fs::remove_file(log.path()).unwrap();
        log.append("a\nb\n");
        if fs::metadata(log.path()).unwrap().ino() == old {
            break;
        }
    }
    if fs::metadata(log.path()).unwrap().ino() != old {
        eprintln!("this file system does not give numbers back: the harder half of the fact is not seen here");
    }
    let mut client = server.events(&format!("app.log?cursor={cursor}"));
    assert_eq!(client.story("<1000>"), "<open><gap cursor>a\nb\n<end><1000>");
}

#[test]
fn the_hole_of_a_writer_that_does_not_append_is_one_gap() {
    let log = Log::with("");
    let writer = OpenOptions::new().write(true).open(log.path()).unwrap();
    let server = quick(&log);
    let mut client = server.events(ALL);
    let old = "a line\n".repeat(10_000);
    writer.write_all_at(old.as_bytes(), 0).unwrap();
    client.story(&old);
    client.cursor();
    let first = client.cursors.len();
    truncate(&log);
    writer.write_all_at(b"new\n", old.len() as u64).unwrap();
    assert_eq!(client.story("new\n"), "<gap truncated><truncated><gap truncated 70000>new\n");
    check_cursors(&server, &mut client, first);
    for (cursor, _) in &client.cursors[first - 1..client.cursors.len() - 1] {
        let answer = server.get(&format!("/app.log?cursor={cursor}"));
        let body = if answer.head.contains("Content-Length: 4\r\n") { answer.body } else { answer.chunked() };
        assert_eq!(lossy(&body), "new\n");
    }
}

#[test]
fn without_a_wait_a_rotated_file_is_left_at_once_and_what_is_added_is_told() {
    let log = Log::with("a\n");
    let server = quick(&log);
    let mut client = caught_up(&server, "a\n");
    let first = client.cursors.len();
    let mut writer = log.writer();
    let begun = Instant::now();
    log.rotate("app.log.1", "b\n");
    assert_eq!(client.story("b\n"), "<rotated>b\n");
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    client.cursor();
    writer.write_all(b"too late\n").unwrap();
    assert_eq!(client.story(">"), "<gap replaced 9>");
    log.append("c\n");
    assert_eq!(client.story("c\n"), "c\n");
    check_cursors(&server, &mut client, first);
}

#[test]
fn within_the_wait_a_late_writer_loses_nothing_and_after_it_is_told() {
    let log = Log::with("");
    let server = serve_with(&log, &["--rotate-wait", "3"]);
    let mut client = server.events(ALL);
    let mut writer = log.writer();
    writer.write_all(b"a\n").unwrap();
    client.story("a\n");
    let begun = Instant::now();
    log.rotate("app.log.1", "new\n");
    for number in 0..4 {
        writer.write_all(format!("late {number}\n").as_bytes()).unwrap();
        let late = format!("late {number}\n");
        assert_eq!(client.story("\n"), late);
        thread::sleep(Duration::from_millis(500));
    }
    client.cursor();
    let first = client.cursors.len();
    assert_eq!(client.story("new\n"), "<rotated>new\n");
    assert!(begun.elapsed() >= Duration::from_secs(3), "{:?}", begun.elapsed());
    writer.write_all(b"too late\n").unwrap();
    assert_eq!(client.story(">"), "<gap replaced 9>");
    check_cursors(&server, &mut client, first);
}
