//! A disk that fails while the kernel moves a log's bytes to a client.

use std::thread;
use std::time::Duration;

use crate::security::limits::{end_traced, serve_injected};
use crate::support::{Item, Log, Server};
use wstail::protocol::event::Event;

/// How many connections ended with this outcome.
fn ended(server: &Server, outcome: &str) -> u64 {
    let text = server.get("/-/metrics").text();
    let name = format!("wstail_connections_total{{outcome=\"{outcome}\"}} ");
    text.lines().find_map(|line| line.strip_prefix(&name)).unwrap().parse().unwrap()
}

fn numbered(lines: usize) -> String {
    (0..lines).map(|number| format!("{number:09}\n")).collect()
}

#[test]
#[ignore = "needs strace"]
fn a_read_error_within_a_frame_is_retried_and_the_frame_completed() {
    let text = numbered(400_000);
    let log = Log::with(&text);
    let filters = ["trace=sendfile", "inject=sendfile:error=EIO:when=3..9"];
    let server = serve_injected(&log, &filters, "WSTAIL_NO_NOTIFY");
    let mut client = server.events("app.log?tail=1&lines=all");
    let mut waiting = 0;
    while client.bytes.len() < text.len() {
        match client.next() {
            Item::Event(Event::Waiting { reason }) => {
                assert!(reason.contains("input/output error"), "{reason}");
                waiting += 1;
            }
            Item::Close(code, reason) => panic!("closed with {code} ({reason}) after {} bytes", client.bytes.len()),
            _ => {}
        }
    }
    assert!(client.bytes == text.as_bytes(), "the log's bytes, each once");
    assert_eq!(waiting, 1);
    log.append("more\n");
    client.story("more\n");
    assert_eq!(ended(&server, "left"), 0);
    drop(client);
    end_traced(&server);
    let errors = server.process.end().1;
    assert!(errors.contains("cannot read `app.log`, retrying: "), "{errors}");
}

#[test]
#[ignore = "needs strace"]
fn a_text_answer_is_whole_after_a_read_error_in_the_middle() {
    let text = numbered(400_000);
    let log = Log::with(&text);
    let filters = ["trace=sendfile", "inject=sendfile:error=EIO:when=2..8"];
    let server = serve_injected(&log, &filters, "WSTAIL_NO_NOTIFY");
    let answer = server.get("/app.log?lines=all");
    assert!(answer.body == text.as_bytes(), "{} of {} bytes", answer.body.len(), text.len());
    let is_booked = || server.get("/-/metrics").text().contains("\nwstail_connections_open 1\n");
    crate::support::until("only the one that asks is connected", is_booked);
    assert_eq!((ended(&server, "left"), ended(&server, "unreadable")), (0, 0));
    end_traced(&server);
    let errors = server.process.end().1;
    assert_eq!(errors.matches("cannot read `app.log`, retrying: ").count(), 1, "it did fail: {errors}");
}

#[test]
#[ignore = "needs strace, and a minute"]
fn a_disk_that_fails_for_a_minute_ends_the_connection_as_unreadable() {
    let text = numbered(400_000);
    let log = Log::with(&text);
    let filters = ["trace=sendfile", "inject=sendfile:error=EIO:when=3+"];
    let server = serve_injected(&log, &filters, "WSTAIL_NO_NOTIFY");
    let mut client = server.events("app.log?tail=1&lines=all");
    thread::sleep(Duration::from_secs(58));
    assert_eq!((ended(&server, "left"), ended(&server, "unreadable")), (0, 0));
    client.deadline += Duration::from_secs(60);
    while !matches!(client.next(), Item::Close(..)) {}
    assert!(text.as_bytes().starts_with(&client.bytes) && client.bytes.len() < text.len());
    crate::support::until("it is booked", || ended(&server, "unreadable") == 1);
    assert_eq!(ended(&server, "left"), 0);
    end_traced(&server);
    assert!(server.process.end().1.contains("with 4500: the log could not be read for a minute"));
}
