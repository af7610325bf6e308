use crate::support::{Client, Log, Server, dechunk, serve};

const LOG: &str = "one a\ntwo\nthree a\nfour\nfive\nsix a\n";

/// Queries, and what they select.
const CASES: [(&str, &str); 21] = [
    ("grep=a", "one a\nthree a\nsix a\n"),
    ("grep=a&exclude=x", "one a\nthree a\n"),
    ("exclude=a", "two\nfour\nfive\n"),
    ("grep=%5Et", "two\nthree a\n"),
    ("grep=o&grep=a&match=all", "one a\n"),
    ("grep=six&context=1,0", "five\nsix a\n"),
    ("grep=two&grep=six&context=0,1", "two\nthree a\n--\nsix a\n"),
    ("grep=two&grep=six&context=0,1&exclude=f", "two\nthree a\nsix a\n"),
    ("grep=a&max=2", "one a\nthree a\n"),
    ("grep=one&context=0,1&max=1", "one a\ntwo\n"),
    ("max=2", "one a\ntwo\n"),
    ("grep=a&lines=1", "six a\n"),
    ("grep=a&lines=2&context=1", "two\nthree a\nfour\nfive\nsix a\n"),
    ("grep=a&lines=1&context=2,0", "four\nfive\nsix a\n"),
    ("exclude=a&lines=2", "four\nfive\n"),
    ("grep=a&from=4", "six a\n"),
    ("grep=a&lines=0", ""),
    ("grep=A&ignore-case=1", "one a\nthree a\nsix a\n"),
    ("grep=A", ""),
    ("grep=.&fixed=1", ""),
    ("grep=.", LOG),
];

fn body(server: &Server, query: &str) -> String {
    let answer = server.get(&format!("/app.log?{query}"));
    assert_eq!(answer.status, 200, "{query}: {answer:?}");
    assert!(answer.head.contains("Transfer-Encoding: chunked"), "{query}");
    String::from_utf8(dechunk(&answer.body).0).unwrap()
}

fn texts(mut client: Client) -> Vec<String> {
    let mut texts = Vec::new();
    loop {
        match client.next() {
            Ok(text) => texts.push(text),
            Err((1000, _)) => return texts,
            Err(close) => panic!("{close:?}"),
        }
    }
}

#[test]
fn plain_http_sends_the_selected_lines() {
    let log = Log::with(LOG);
    let server = serve(&log);
    for (query, expected) in CASES {
        assert_eq!(body(&server, query), expected, "{query}");
    }
    let old = server.ask("GET /app.log?grep=two HTTP/1.0\r\n\r\n");
    assert_eq!(old.body, b"two\n");
}

#[test]
fn plain_websockets_send_the_selected_lines() {
    let log = Log::with(LOG);
    let server = serve(&log);
    for (query, expected) in CASES {
        let texts = texts(server.client(&format!("app.log?{query}")));
        let count = usize::from(!query.contains("lines=0"));
        assert_eq!((texts.concat().as_str(), texts.len()), (expected, count), "{query}: {texts:?}");
    }
}

#[test]
fn events_send_the_selected_lines_and_what_lies_between() {
    let log = Log::with(LOG);
    let server = serve(&log);
    for (query, expected) in CASES {
        let expected = expected.replace("--\n", "<skip 10>");
        let story = server.events(&format!("app.log?{query}")).story("<1000>");
        assert_eq!(story, format!("<open>{expected}<end><1000>"), "{query}");
    }
}

#[test]
fn followed_lines_come_when_they_match() {
    let log = Log::with(LOG);
    let server = serve(&log);
    let mut plain = server.client("app.log?tail=1&grep=a&lines=1");
    let mut events = server.events("app.log?tail=1&grep=a&lines=1");
    assert_eq!(plain.message(), "six a\n");
    assert_eq!(events.story("six a\n"), "<open>six a\n");
    for line in ["none\n", "a\n", "half a", "nother\n", "last a\n"] {
        log.append(line);
    }
    assert_eq!(plain.read(22), "a\nhalf another\nlast a\n");
    assert_eq!(events.story("last a\n"), "a\nhalf another\nlast a\n");
}

#[test]
fn no_line_before_the_place_is_context() {
    let log = Log::with(LOG);
    let server = serve(&log);
    let mut client = server.events("app.log?tail=1&grep=new&lines=0&context=2");
    client.story("<open>");
    log.append("seven\nnew\n");
    assert_eq!(client.story("new\n"), "seven\nnew\n");
}

#[test]
fn max_waits_for_its_context() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let mut client = server.events("app.log?tail=1&grep=a&max=2&context=0,2");
    client.story("a\n");
    log.append("a\nb\n");
    client.story("a\nb\n");
    log.append("a\nc\n");
    assert_eq!(client.story("<1000>"), "a\n<end><1000>");
    let cursor = client.cursor();
    assert_eq!(server.get(&format!("/app.log?cursor={cursor}")).body, b"c\n");
}

#[test]
fn the_end_says_why() {
    let log = Log::with("a\nb\n");
    let server = serve(&log);
    for (query, reason) in [
        ("grep=a&max=1", "1 line has matched"),
        ("max=2", "2 lines have matched"),
        ("grep=a&max=2", "the end of the log is reached"),
    ] {
        assert_eq!(server.client(&format!("app.log?{query}")).close(), (1000, reason.to_owned()), "{query}");
    }
}

#[test]
fn odd_bytes_are_judged_as_they_are() {
    let log = Log::with(b"crlf\r\n\xff\xfeerror\n\0\0nul\n\n".as_slice());
    let server = serve(&log);
    let bytes = |query: &str| dechunk(&server.get(&format!("/app.log?{query}")).body).0;
    assert_eq!(bytes("grep=crlf$"), b"crlf\r\n");
    assert_eq!(bytes("grep=%5Cs%2B$"), b"");
    assert_eq!(bytes("grep=error"), b"\xff\xfeerror\n");
    assert_eq!(bytes("grep=%5E..error"), b"\xff\xfeerror\n");
    assert_eq!(bytes("grep=nul"), b"\0\0nul\n");
    assert_eq!(bytes("grep=%5E$"), b"\n");
}

#[test]
fn a_level_takes_whole_entries() {
    let log = Log::with(
        "2026-11-23 01:32:27 INFO start\n  more\n2026-11-23 01:32:28 ERROR broken\n  at x\n  at y\n\
         2026-11-23 01:32:29 WARN slow\n2026-11-23 01:32:30 DEBUG x\n",
    );
    let server = serve(&log);
    let error = "2026-11-23 01:32:28 ERROR broken\n  at x\n  at y\n";
    assert_eq!(body(&server, "level=error"), error);
    assert_eq!(body(&server, "level=warn&grep=at&context=entry"), error);
    assert_eq!(body(&server, "level=error&lines=1"), "  at y\n");
    assert_eq!(
        body(&server, "grep=slow&grep=start&context=entry&lines=2"),
        "2026-11-23 01:32:27 INFO start\n  more\n--\n2026-11-23 01:32:29 WARN slow\n"
    );
}

#[test]
fn times_are_learned_from_a_log_that_was_empty() {
    let log = Log::with("");
    let server = serve(&log);
    let mut client = server.events("app.log?tail=1&level=error");
    client.story("<open>");
    log.append("2026-11-23 01:32:27 INFO start\n  ERROR in a detail\n2026-11-23 01:32:28 ERROR broken\n  at x\n");
    assert_eq!(client.story("at x\n"), "2026-11-23 01:32:28 ERROR broken\n  at x\n");
}

#[test]
fn long_lines_are_judged_by_their_beginning_and_sent_whole() {
    let (long, other) = ("l".repeat(300 << 10), "o".repeat(300 << 10));
    let text = format!("hit {long}\nnone {other} hit\nshort hit\n");
    let log = Log::with(&text);
    let server = serve(&log);
    let expected = format!("hit {long}\nshort hit\n");
    assert!(body(&server, "grep=hit") == expected);
    assert!(body(&server, "grep=hit&lines=2") == expected);
    let texts = texts(server.client("app.log?grep=hit"));
    assert!(texts.concat() == expected && texts.iter().all(|text| text.len() <= 256 << 10));
    assert_eq!(body(&server, "grep=hit&exclude=%5Ehit"), "short hit\n");
}

#[test]
fn a_line_number_that_is_not_there_yet_is_awaited() {
    let log = Log::with(LOG);
    let server = serve(&log);
    let mut client = server.events("app.log?tail=1&grep=a&from=9&context=1");
    client.story("<open>");
    log.append("seven a\neight a\nnine\nten a\n");
    assert_eq!(client.story("ten a\n"), "nine\nten a\n");
    let cursor = client.cursor();
    assert_eq!(server.events(&format!("app.log?cursor={cursor}&grep=a")).story("<1000>"), "<open><end><1000>");
}

#[test]
fn colours_begin_anew_after_lines_that_are_left_out() {
    let log = Log::with("\x1b[31mred a\nstill a\nnone\nplain a\n");
    let server = serve(&log);
    let text = texts(server.client("app.log?grep=a&format=html")).concat();
    assert_eq!(text.matches("<span").count(), 2, "{text}");
    assert!(text.ends_with("plain a\n"), "{text}");
}

#[test]
fn bytes_that_a_client_cannot_have_are_a_gap() {
    let log = Log::with(LOG);
    let server = serve(&log);
    let cursor = server.events("app.log?lines=all").cursor();
    let story = server.events(&format!("app.log?cursor={cursor}.99&grep=a")).story("<1000>");
    assert_eq!(story, "<open><gap cursor><end><1000>");
}

#[test]
fn a_head_request_gets_the_head_of_a_filtered_answer() {
    let log = Log::with(LOG);
    let server = serve(&log);
    let answer = server.ask("HEAD /app.log?grep=a HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(answer.status == 200 && answer.body.is_empty() && !answer.head.contains("Content-Length"), "{answer:?}");
}
