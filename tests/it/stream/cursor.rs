//! Cursors resume exactly, over every transport.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::thread;

use crate::stream::events::{ALL, TICK, caught_up, check_cursors, copy_and_truncate, line, lossy, quick, rest, start};
use crate::support::{EventClient, Log, Server, dechunk, serve, until};

/// Follows a log that is appended to and rotated in both ways, with two kinds of names.
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
fn every_cursor_resumes_exactly_over_every_transport() {
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
fn a_cursor_with_a_byte_count_resumes_after_those_bytes() {
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
    assert!(story.starts_with("<open><gap "), "there were never that many bytes: {story}");
}

#[test]
fn a_cursor_of_an_empty_log_resumes_in_copies_of_it() {
    let log = Log::with("a\n");
    let server = quick(&log);
    let mut client = caught_up(&server, "a\n");
    for number in 1..4 {
        thread::sleep(TICK);
        copy_and_truncate(&log, &format!("app.log.2026-11-2{number}"));
        assert_eq!(client.story(">"), "<truncated>", "the follower sees it empty");
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
fn malformed_cursors_get_400() {
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
fn lines_is_ignored_with_a_cursor() {
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
fn a_cursor_of_another_log_is_a_gap() {
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
fn a_cursor_of_a_deleted_file_is_a_gap_before_younger_files() {
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
fn a_reused_inode_number_is_not_mistaken_for_the_old_file() {
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
