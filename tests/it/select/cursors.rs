use std::thread;
use std::time::{Duration, Instant};

use wstail::protocol::event::Event;

use crate::support::{EventClient, Item, Log, Server, serve};

const LOG: &str = "a one\nb\nc hit\nd\ne\nf\ng hit\nh hit\ni\nunfinished hit";
const FILTER: &str = "grep=hit&context=1";

fn rest(server: &Server, place: &str, filter: &str) -> EventClient {
    let mut client = server.events(&format!("app.log?cursor={place}&{filter}"));
    while !matches!(client.next(), Item::Close(..)) {}
    client
}

fn first_cursor(client: &mut EventClient) -> String {
    while client.cursors.is_empty() {
        client.next();
    }
    client.cursors[0].0.clone()
}

#[test]
fn a_stream_resumes_after_every_byte() {
    let log = Log::with(LOG);
    let server = serve(&log);
    for filter in [FILTER, "grep=hit", "exclude=hit", "grep=%5E.%20&grep=hit&context=2,0"] {
        let mut client = server.events(&format!("app.log?lines=all&{filter}"));
        let start = first_cursor(&mut client);
        client.story("<1000>");
        for received in 0..=client.bytes.len() {
            let rest = rest(&server, &format!("{start}.{received}"), filter).bytes;
            let (rest, expected) = [&rest, &client.bytes[received..]].map(String::from_utf8_lossy).into();
            assert_eq!(rest, expected, "{filter} after {received}");
        }
        for (cursor, at) in &client.cursors {
            assert_eq!(rest(&server, cursor, filter).bytes, client.bytes[*at..], "{filter} after {at}");
        }
    }
}

/// Nor does a line of which it has the beginning.
#[test]
fn lines_that_the_client_has_do_not_count() {
    let log = Log::with("a1\nb\na2\na3\na4\n");
    let server = serve(&log);
    let start = first_cursor(&mut server.events("app.log?lines=all"));
    let story = |received: usize| {
        let place = format!("{start}.{received}");
        server.events(&format!("app.log?cursor={place}&grep=a&max=1&tail=1")).story("<1000>")
    };
    for (received, text) in [(0, "a1\n"), (3, "a2\n"), (4, "2\na3\n"), (6, "a3\n"), (8, "\na4\n"), (9, "a4\n")] {
        let story = story(received);
        assert!(story.contains(text) && story.contains("<end>"), "after {received}: {story}");
        let sent: String = story.split(['<', '>']).step_by(2).collect();
        assert_eq!(sent, text, "after {received}");
    }
}

#[test]
fn plain_http_resumes_after_every_byte() {
    let log = Log::with(LOG);
    let server = serve(&log);
    let start = first_cursor(&mut server.events("app.log?lines=all"));
    let body = |place: &str| server.ask(format!("GET /app.log?cursor={place}&grep=hit HTTP/1.0\r\n\r\n")).body;
    let whole = body(&start);
    for received in 0..=whole.len() {
        assert_eq!(body(&format!("{start}.{received}")), whole[received..]);
    }
}

#[test]
fn a_cursor_passes_lines_that_do_not_match() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let mut client = server.events("app.log?tail=1&lines=all&grep=hit");
    client.story("<open>");
    for _ in 0..3 {
        log.append("none\n");
        let count = client.cursors.len();
        while client.cursors.len() == count {
            client.next();
        }
    }
    let cursor = client.cursors.last().unwrap().0.clone();
    log.append("more\nhit\n");
    assert_eq!(server.get(&format!("/app.log?cursor={cursor}")).body, b"more\nhit\n");
    assert_eq!(rest(&server, &cursor, "grep=hit").bytes, b"hit\n");
}

#[test]
fn a_cursor_stays_before_what_may_be_context() {
    let log = Log::with("a\nb\n");
    let server = serve(&log);
    let mut client = server.events("app.log?tail=1&lines=all&grep=hit&context=2,0");
    client.story("<open>");
    log.append("c\nhalf");
    while client.cursors.len() < 2 {
        client.next();
    }
    let cursor = client.cursors.last().unwrap().0.clone();
    log.append(" hit\n");
    assert_eq!(client.story("hit\n"), "b\nc\nhalf hit\n");
    assert_eq!(rest(&server, &cursor, "grep=hit&context=2,0").bytes, b"b\nc\nhalf hit\n");
}

#[test]
fn cursors_come_every_second_while_nothing_matches() {
    let log = Log::with("");
    let server = serve(&log);
    let mut client = server.events("app.log?tail=1&lines=all&grep=hit");
    client.story("<open>");
    let end = Instant::now() + Duration::from_millis(2500);
    thread::scope(|scope| {
        scope.spawn(|| {
            while Instant::now() < end {
                log.append("none\n");
                thread::sleep(Duration::from_micros(50));
            }
            log.append("hit\n");
        });
        client.story("hit\n");
    });
    assert!(client.cursors.len() >= 3, "{} cursors", client.cursors.len());
}

#[test]
fn a_stream_resumes_after_a_restart() {
    let log = Log::with("one hit\nnone\n");
    let mut client = serve(&log).events("app.log?tail=1&lines=all&grep=hit");
    client.story("hit\n");
    let cursor = client.cursor();
    drop(client);
    log.rotate("app.log.1", "two hit\nnone\n");
    let mut client = serve(&log).events(&format!("app.log?cursor={cursor}&grep=hit"));
    assert_eq!(client.story("<1000>"), "<open><rotated>two hit\n<end><1000>");
}

#[test]
fn a_hit_is_shown_in_its_surroundings() {
    let log = Log::with(LOG);
    let server = serve(&log);
    let start = first_cursor(&mut server.events("app.log?lines=all&grep=hit"));
    for (received, before, after) in [(6, "c hit\n", "d\n"), (12, "g hit\n", "h hit\n"), (18, "h hit\n", "i\n")] {
        let target = format!("app.log?cursor={start}.{received}&grep=hit&lines=0");
        let mut client = server.events(&target);
        let cursor = loop {
            if let Item::Event(Event::Open { cursor, .. }) = client.next() {
                break cursor;
            }
        };
        let page = server.get(&format!("/app.log?before={cursor}&lines=1")).body;
        assert_eq!(String::from_utf8_lossy(&page), before);
        let rest = server.get(&format!("/app.log?cursor={cursor}")).text().to_owned();
        assert!(rest.starts_with(after), "{rest}");
    }
}

#[test]
fn older_lines_are_those_that_match() {
    let log = Log::with(LOG);
    let server = serve(&log);
    let cursor = server.events("app.log?lines=0").cursor();
    let page = |filter: &str| server.events(&format!("app.log?before={cursor}&{filter}")).story("<1000>");
    assert_eq!(page("grep=hit&lines=2"), "<open>h hit\nunfinished hit<end><1000>");
    assert_eq!(page("grep=hit&lines=1&context=1"), "<open>i\nunfinished hit<end><1000>");
    assert_eq!(page("grep=hit&lines=9"), "<open>c hit\ng hit\nh hit\nunfinished hit<end><1000>");
}

/// Appends to a log that a client follows with a filter, and waits for the line that is selected.
fn append(log: &Log, client: &mut EventClient, text: &str, selected: &str) {
    log.append(text);
    assert_eq!(client.story(selected), selected);
}

#[test]
fn an_entry_that_is_written_line_by_line_is_one_entry() {
    let log = Log::with("");
    let server = serve(&log);
    let mut client = server.events("app.log?tail=1&level=error");
    client.story("<open>");
    append(&log, &mut client, "2026-11-23 01:32:28 ERROR broken\n", "2026-11-23 01:32:28 ERROR broken\n");
    append(&log, &mut client, "  at x\n", "  at x\n");
    append(
        &log,
        &mut client,
        "2026-11-23 01:32:29 INFO fine\n  at y\n2026-11-23 01:32:30 FATAL z\n",
        "2026-11-23 01:32:30 FATAL z\n",
    );
}

#[test]
fn what_a_follower_cannot_have_is_a_gap_and_hides_nothing() {
    let log = Log::with("a1\nb\na2\n");
    let server = serve(&log);
    let start = first_cursor(&mut server.events("app.log?lines=all"));
    let mut client = server.events(&format!("app.log?cursor={start}.99&grep=a&tail=1"));
    client.story("<gap cursor>");
    log.append("a3\n");
    assert!(client.story("a3\n").ends_with("a3\n"));
}

#[test]
fn bytes_that_are_not_utf8_are_named_as_such() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let answer = server.get("/app.log?grep=%FF");
    assert!(answer.text().contains("the parameter `grep` is not UTF-8"), "{}", answer.text());
}
