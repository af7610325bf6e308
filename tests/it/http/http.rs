//! Plain HTTP: text answers and refusals.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::symlink;
use std::thread;
use std::time::Duration;

use crate::support::{Answer, Log, serve, serve_paths, serve_with, until, within};

fn check(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    let head = answer.head.to_lowercase();
    assert!(head.contains("connection: close\r\n"), "{head}");
    if status >= 400 {
        let body = answer.text();
        assert!(body.ends_with('\n') && body.lines().count() == 1 && body.len() > 5, "{body:?}");
    }
}

#[test]
fn a_log_is_served_as_text() {
    let log = Log::with(b"a\nb\xff\nc");
    let server = serve(&log);
    let answer = server.get("/app.log?lines=2&format=html&heartbeat=frame");
    check(&answer, 200);
    assert_eq!(answer.body, b"b\xff\nc");
    let head = answer.head.to_lowercase();
    for field in ["content-type: text/plain; charset=utf-8", "x-content-type-options: nosniff", "content-length: 4"] {
        assert!(head.contains(&format!("{field}\r\n")), "{head}");
    }
    assert!(!head.contains("access-control"));
}

#[test]
fn head_is_get_without_a_body() {
    let log = Log::with("abc\n");
    let server = serve(&log);
    for (target, status) in [("/app.log", 200), ("/app.log?tail=1", 200), ("/missing", 404), ("/-/healthz", 200)] {
        let answer = server.ask(format!("HEAD {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        assert_eq!((answer.status, answer.body.len()), (status, 0), "{target}");
    }
    assert_eq!(server.ask("HEAD /app.log HTTP/1.1\r\n\r\n").body.len(), 0, "refused before it was understood");
    assert!(server.ask("HEAD /app.log HTTP/1.1\r\nHost: localhost\r\n\r\n").head.contains("Content-Length: 4\r\n"));
}

#[test]
fn a_followed_text_answer_is_chunked_and_endless() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let mut stream = server.connect();
    stream.write_all(b"GET /app.log?tail=1 HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut seen = String::new();
    let mut read_to = |stream: &mut std::net::TcpStream, end: &str| {
        while !seen.ends_with(end) {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            seen.push(byte[0].into());
        }
        seen.clone()
    };
    let head = read_to(&mut stream, "\r\n\r\n");
    assert!(head.contains("Transfer-Encoding: chunked\r\n") && !head.contains("Content-Length"), "{head}");
    read_to(&mut stream, "2\r\na\n\r\n");
    log.append("b c\n");
    read_to(&mut stream, "4\r\nb c\n\r\n");
}

#[test]
fn an_old_client_gets_the_followed_text_unchunked() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let mut stream = server.connect();
    stream.write_all(b"GET /app.log?tail=1 HTTP/1.0\r\n\r\n").unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\na\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        seen.extend(byte);
    }
    assert!(!String::from_utf8(seen).unwrap().contains("chunked"));
}

#[test]
fn a_half_closed_client_gets_the_whole_answer() {
    let text = "line\n".repeat(200_000);
    let log = Log::with(&text);
    let server = serve(&log);
    let mut stream = server.connect();
    stream.write_all(b"GET /app.log?lines=all HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.ends_with(text.as_bytes()) && answer.len() > text.len());
}

#[test]
fn a_half_closed_client_gets_a_followed_log() {
    let log = Log::with("a\nb\n");
    let server = serve(&log);
    let mut stream = server.connect();
    stream.write_all(b"GET /app.log?tail=1&lines=all HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("4\r\na\nb\n\r\n"), "{answer}");
}

#[test]
fn a_half_closed_client_that_resumes_gets_every_generation() {
    for tail in ["", "&tail=1"] {
        let log = Log::with("a\n");
        let server = serve(&log);
        let mut client = server.events("app.log?tail=1&lines=all");
        client.story("a\n");
        let cursor = client.cursor();
        drop(client);
        log.append("rest of a\n");
        log.rotate("app.log-20261122", "b\n");
        log.rotate("app.log-20261123", "c\n");
        let mut stream = server.connect();
        write!(stream, "GET /app.log?cursor={cursor}{tail} HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with("\r\n\r\nrest of a\nb\nc\n"), "{answer}");
    }
}

#[test]
fn healthz_answers_200() {
    let log = Log::with("");
    let server = serve(&log);
    for target in ["/-/healthz", "/-/healthz?from=probe"] {
        let answer = server.get(target);
        check(&answer, 200);
        assert_eq!(answer.text(), "ok");
    }
}

#[test]
fn every_refusal_has_its_status_and_a_reason() {
    let log = Log::with("a\n");
    fs::write(log.beside(".hidden"), "x").unwrap();
    fs::create_dir(log.beside("directory")).unwrap();
    let server = serve(&log);
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let cases = [
        (get("/%zz"), 400),
        (get("/app.log%00"), 400),
        (get("/app.log?tail=2"), 400),
        (get("/app.log?lines=1&lines=1"), 400),
        (get("/app.log?colour=1"), 400),
        (get("/../etc/passwd"), 403),
        (get("/missing"), 404),
        (get("/directory"), 404),
        (get("/.hidden"), 404),
        (get("/etc/passwd"), 404),
        (get("/-/nothing"), 404),
        ("DELETE /app.log HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), 405),
        ("GET /app.log HTTP/1.1\r\n\r\n".to_owned(), 400),
        ("GET /app.log HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".to_owned(), 400),
        ("garbage\r\n\r\n".to_owned(), 400),
        ("GET /app.log HT".to_owned() + "\r\n", 400),
        (format!("GET /{} HTTP/1.1\r\n", "a".repeat(20_000)), 414),
        (format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "a: b\r\n".repeat(65)), 431),
        // A reset would lose the answer, so the server must read and drop what is too much.
        (format!("GET / HTTP/1.1\r\nHost: localhost\r\na: {}\r\n\r\n", "b".repeat(5_000_000)), 431),
    ];
    for (request, status) in &cases {
        check(&server.ask(request), *status);
    }
    assert!(
        server
            .get("/app.log?colour=1")
            .text()
            .contains("tail, lines, from, cursor, before, grep, match, exclude, fixed,")
    );
    assert!(server.ask("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n").head.contains("Allow: GET, HEAD\r\n"));
}

#[test]
fn an_incomplete_head_is_answered_after_5_s() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let mut dripping = server.connect();
    let drip = thread::spawn(move || {
        for byte in b"GET /app.log HTTP/1.1\r\nHost: ".iter().chain([b'x'; 999].iter()) {
            if dripping.write_all(&[*byte]).is_err() {
                break;
            }
            thread::sleep(Duration::from_millis(250));
            dripping.set_nonblocking(true).unwrap();
            let mut answer = [0; 1000];
            if let Ok(read) = dripping.read(&mut answer) {
                return String::from_utf8_lossy(&answer[..read]).into_owned();
            }
            dripping.set_nonblocking(false).unwrap();
        }
        String::new()
    });
    assert_eq!(server.get("/-/healthz").status, 200, "other clients do not wait");
    assert!(drip.join().unwrap().starts_with("HTTP/1.1 408 "));
}

#[test]
fn a_bad_handshake_is_answered() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let shake = |fields: &str| {
        server.ask(format!("GET /app.log HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n{fields}\r\n"))
    };
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let answer = shake(&format!("Connection: Upgrade\r\nSec-WebSocket-Version: 8\r\n{key}"));
    check(&answer, 426);
    assert!(answer.head.contains("Sec-WebSocket-Version: 13\r\n"));
    check(&shake("Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"), 400);
    check(&shake(&format!("Sec-WebSocket-Version: 13\r\n{key}")), 400);
    check(&server.ask("GET /app.log HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"), 200);
    assert!(server.try_client("missing?tail=1").unwrap_err().contains("404"));
}

#[test]
fn connections_beyond_the_limit_get_503() {
    let log = Log::with("a\n");
    let server = serve_with(&log, &["--max-connections", "2"]);
    let mut clients = [server.follow(), server.follow()];
    for _ in 0..10 {
        let answer = server.get("/app.log");
        check(&answer, 503);
        assert!(answer.head.contains("Retry-After: "), "{}", answer.head);
    }
    clients.iter_mut().for_each(|client| client.expect(["a"]));
    let [first, second] = clients;
    drop(first);
    crate::support::until("the place is given back", || server.connections() == 1);
    let third = server.follow();
    assert_eq!(server.newest(), 3, "no thread was started for those that were refused");
    drop((second, third));
}

#[test]
fn logs_are_found_by_absolute_and_relative_names_beneath_their_roots() {
    let log = Log::with("a\n");
    let other = Log::with("other\n");
    let secret =
        log.directory().with_file_name(format!("{}_secret", log.directory().file_name().unwrap().to_str().unwrap()));
    fs::create_dir(&secret).unwrap();
    fs::write(secret.join("key"), "secret\n").unwrap();
    fs::write(other.beside("only"), "only\n").unwrap();
    symlink("app.log", log.beside("inside")).unwrap();
    symlink(log.path(), log.beside("absolute")).unwrap();
    symlink(secret.join("key"), log.beside("out")).unwrap();
    let server = serve_paths(&[log.directory(), other.directory()], &[]);
    let absolute = |path: &std::path::Path| server.get(path.to_str().unwrap());
    assert_eq!(server.get("/app.log").text(), "a\n");
    assert_eq!(absolute(&log.path()).text(), "a\n");
    assert_eq!(absolute(&other.path()).text(), "other\n");
    assert_eq!(server.get("/only").text(), "only\n");
    assert_eq!(server.get("/inside").text(), "a\n");
    assert_eq!(server.get("/absolute").text(), "a\n");
    assert_eq!(server.get("/out").status, 404);
    assert_eq!(absolute(&secret.join("key")).status, 404);
    fs::remove_dir_all(secret).unwrap();
}

#[test]
fn hidden_names_are_served_with_hidden_only() {
    let log = Log::with("");
    fs::write(log.beside(".hidden"), "x\n").unwrap();
    assert_eq!(serve(&log).get("/.hidden").status, 404);
    assert_eq!(serve_with(&log, &["--hidden"]).get("/.hidden").text(), "x\n");
}

#[test]
fn a_disconnected_follower_frees_its_place_at_once() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let mut stream = server.connect();
    stream.write_all(b"GET /app.log?tail=1 HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"a\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        answer.extend(byte);
    }
    let mut woken = 0;
    until("the log is silent", || {
        let now = server.process.switches();
        now == std::mem::replace(&mut woken, now)
    });
    drop(stream);
    assert!(within(Duration::from_secs(3), || server.connections() == 0), "the next poll would be due after 10 s");
    assert!(server.get("/-/metrics").text().contains("wstail_connections_total{outcome=\"left\"} 1\n"));
}
