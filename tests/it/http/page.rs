//! The page and its parts as an HTTP client sees them.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::support::{Answer, Log, Server, serve, serve_with};

fn browse(server: &Server, target: &str, fields: &str) -> Answer {
    server.ask(format!(
        "GET {target} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html,application/xhtml+xml,*/*;q=0.8\r\n{fields}\r\n"
    ))
}

fn field<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let mut lines = answer.head.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
}

/// The addresses of the page's parts.
fn parts(page: &Answer) -> Vec<String> {
    let text = page.text();
    let quoted = text.split(['"', '\'']).filter(|part| part.contains("-/viewer/"));
    quoted.map(str::to_owned).collect()
}

#[test]
fn a_browser_gets_the_same_page_for_every_address() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let page = browse(&server, "/", "");
    assert_eq!((page.status, field(&page, "content-type")), (200, "text/html; charset=utf-8"));
    for target in ["/app.log", "/app.log?tail=1&lines=5", "/missing", "/any/where"] {
        assert_eq!(browse(&server, target, "").body, page.body, "{target}");
    }
    assert_eq!(server.get("/").body, page.body);
    assert_eq!(server.get("/app.log").body, b"a\n", "a client that does not ask for HTML gets the text");
    let head = server.ask("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!((head.status, head.body.len()), (200, 0));
}

fn kind(answer: &Answer) -> &str {
    assert_eq!(answer.status, 200, "{answer:?}");
    field(answer, "content-type").split(';').next().unwrap()
}

#[test]
fn accept_and_navigation_decide_between_page_and_text() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let java = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2";
    for (fields, expected) in [
        ("", "text/plain"),
        ("Accept: */*\r\n", "text/plain"),
        (&format!("Accept: {java}\r\n"), "text/plain"),
        ("Accept: text/plain, text/html;q=0.5\r\n", "text/plain"),
        ("Accept: text/html\r\n", "text/html"),
        ("Accept: */*\r\nSec-Fetch-Mode: navigate\r\n", "text/html"),
        ("Accept: */*\r\nSec-Fetch-Mode: cors\r\n", "text/plain"),
    ] {
        let answer = server.ask(format!("GET /app.log HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n"));
        assert_eq!(kind(&answer), expected, "{fields:?}");
    }
    assert!(field(&browse(&server, "/app.log", ""), "vary").contains("Sec-Fetch-Mode"));
}

#[test]
fn view_forces_the_text_or_the_page_of_a_log() {
    let log = Log::with("a\n");
    std::fs::write(log.beside("tokens"), "secret\n").unwrap();
    let server = serve(&log);
    let text = browse(&server, "/app.log?view=text&lines=1", "Sec-Fetch-Mode: navigate\r\n");
    assert_eq!((kind(&text), text.text().as_str()), ("text/plain", "a\n"));
    assert_eq!(kind(&server.get("/app.log?view=page")), "text/html");
    assert_eq!(kind(&server.get("/missing?view=page")), "text/html");
    assert_eq!(browse(&server, "/missing?view=text", "").status, 404);
    // For other pages it changes nothing.
    assert_eq!(kind(&server.get("/?view=text")), "text/html");
    assert_eq!(kind(&server.get("/-/files?view=page")), "application/json");
    server.client("app.log?view=page&tail=1").expect(["a"]);
    let bad = server.get("/app.log?view=html");
    assert!(bad.status == 400 && bad.text().contains("`view`"), "{bad:?}");
    let guarded = serve_with(&log, &["--token-file", log.beside("tokens").to_str().unwrap()]);
    assert_eq!(guarded.get("/app.log?view=page").status, 200);
    assert_eq!(browse(&guarded, "/app.log?view=text", "").status, 401);
    assert_eq!(guarded.get("/app.log?view=page&bogus=1").status, 401, "not a page that could be asked for");
}

#[test]
fn the_page_accepts_the_parameters_of_a_log_only() {
    let server = serve(&Log::with("a\n"));
    for (target, name) in [("/?bogus=1", "bogus"), ("/app.log?token=x", "token"), ("/app.log?lines=few", "lines")] {
        let answer = browse(&server, target, "");
        assert!(answer.status == 400 && answer.text().contains(name), "{target}: {answer:?}");
    }
    assert_eq!(server.get("/?bogus=1").status, 400);
}

#[test]
fn the_content_security_policy_allows_only_own_files() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let page = browse(&server, "/", "");
    let policy = field(&page, "content-security-policy");
    let names = ["default-src", "base-uri", "form-action", "frame-ancestors"];
    for none in names.map(|name| format!("{name} 'none'")) {
        assert!(policy.contains(&none), "{policy}");
    }
    let sources = policy.split(';').flat_map(|directive| directive.split_whitespace().skip(1));
    assert!(sources.into_iter().all(|source| ["'none'", "'self'"].contains(&source)), "{policy}");
    assert_eq!(field(&page, "referrer-policy"), "no-referrer");
    assert_eq!(field(&page, "x-content-type-options"), "nosniff");
    let text = page.text();
    assert!(!text.contains("<style") && !text.contains(" style="), "nothing inline");
    assert!(text.contains("<html lang=") && text.contains("name=\"viewport\""));
    assert_eq!(field(&server.get("/app.log"), "cache-control"), "no-store");
}

#[test]
fn assets_are_cached_and_the_page_is_revalidated() {
    let server = serve(&Log::with("a\n"));
    let page = browse(&server, "/", "");
    assert_eq!(field(&page, "cache-control"), "no-cache");
    let known = format!("If-None-Match: {}\r\n", field(&page, "etag"));
    let again = browse(&server, "/app.log", &known);
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert!(parts(&page).len() > 30, "the page names all its parts, so that a browser asks for them at once");
    for address in parts(&page) {
        let part = server.get(&address);
        assert_eq!(part.status, 200, "{address}");
        assert!(field(&part, "cache-control").contains("immutable"), "{part:?}");
        assert!(!field(&part, "etag").is_empty() && field(&part, "x-content-type-options") == "nosniff");
        let known =
            format!("GET {address} HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: {}\r\n\r\n", field(&part, "etag"));
        assert_eq!(server.ask(known).status, 304);
    }
    assert_eq!(server.get("/-/viewer/00000000/main.js").status, 404);
}

#[test]
fn a_browser_gets_the_parts_over_one_connection() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let parts = parts(&browse(&server, "/", ""));
    // The answer to the last request, for a log, ends the connection.
    let ask = |address: &str, connection: &str| {
        format!("GET {address} HTTP/1.1\r\nHost: localhost\r\nConnection: {connection}\r\n\r\n")
    };
    let mut stream = server.connect();
    for address in &parts[..3] {
        stream.write_all(ask(address, "keep-alive").as_bytes()).unwrap();
        let (head, body) = read_one(&mut stream);
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("\r\nConnection: keep-alive\r\n"), "{head}");
        assert_eq!(body, server.get(address).body);
    }
    stream.write_all(ask("/app.log", "keep-alive").as_bytes()).unwrap();
    let last = Answer::read(stream);
    assert!(last.head.contains("\r\nConnection: close\r\n") && last.body == b"a\n", "{last:?}");
}

/// An answer with a Content-Length.
fn read_one(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    (head, body)
}

#[test]
fn assets_are_below_the_base_path() {
    let server = serve_with(&Log::with("a\n"), &["--base-path=/deep/logs"]);
    let page = browse(&server, "/deep/logs/app.log", "");
    assert_eq!(page.status, 200);
    for address in parts(&page) {
        assert!(address.starts_with("/deep/logs/-/viewer/"), "{address}");
        assert_eq!(server.get(&address).status, 200);
    }
    assert_eq!(server.get("/deep/logs/-/files").status, 200);
}

#[test]
fn the_page_needs_no_token_but_the_list_does() {
    let log = Log::with("a\n");
    std::fs::write(log.beside("tokens"), "secret\n").unwrap();
    let server = serve_with(&log, &["--token-file", log.beside("tokens").to_str().unwrap()]);
    let page = browse(&server, "/app.log", "");
    assert_eq!(page.status, 200);
    for address in parts(&page) {
        assert_eq!(server.get(&address).status, 200);
    }
    for target in ["/-/files", "/app.log"] {
        assert_eq!(server.get(target).status, 401, "{target}");
    }
    assert_eq!(browse(&server, "/-/files", "").status, 401);
    assert_eq!(browse(&server, "/-/files", "Authorization: Bearer secret\r\n").status, 200);
}

/// What gunzip makes of it.
#[cfg(feature = "gz")]
fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut text).unwrap();
    text
}

#[cfg(feature = "gz")]
#[test]
fn the_page_its_parts_and_the_list_are_compressed_if_the_client_accepts_it() {
    let log = Log::with("a\n");
    for number in 0..100 {
        std::fs::write(log.beside(&format!("service-{number}.log")), "a\n").unwrap();
    }
    let server = serve(&log);
    let page = browse(&server, "/", "");
    let mut sent = 0;
    for target in ["/", "/-/files"].into_iter().map(str::to_owned).chain(parts(&page)) {
        let plain = browse(&server, &target, "Accept-Encoding: br, gzip;q=0\r\n");
        let packed = browse(&server, &target, "Accept-Encoding: gzip, deflate, br\r\n");
        assert_eq!((plain.status, field(&plain, "content-encoding")), (200, ""), "{target}");
        sent += packed.body.len();
        if plain.body.len() >= 512 {
            assert_eq!(field(&packed, "content-encoding"), "gzip", "{target}");
            assert!(packed.body.len() < plain.body.len() * 3 / 4 && unpacked(&packed.body) == plain.body, "{target}");
            assert_ne!(field(&packed, "etag"), field(&plain, "etag"), "{target}");
        }
        assert!(packed.head.to_lowercase().contains("vary: accept-encoding"), "{}", packed.head);
        for answer in [plain, packed] {
            let known = format!("Accept-Encoding: gzip\r\nIf-None-Match: {}\r\n", field(&answer, "etag"));
            let again = browse(&server, &target, &known);
            assert_eq!((again.status, again.body.len()), (304, 0), "{target}");
            assert_eq!(field(&again, "etag"), field(&answer, "etag"), "{target}");
        }
    }
    assert!(sent < 50_000, "{sent}");
}
