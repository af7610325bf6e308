//! What a plain WebSocket connection gets.

use std::io::Write;

use crate::support::{Log, serve, serve_with};

const MAX_MESSAGE: usize = 256 * 1024;

#[test]
fn the_last_lines_come_first_in_one_message() {
    let log = Log::with("a\nb\nc");
    let server = serve_with(&log, &["--lines", "2"]);
    for (target, expected) in [
        ("app.log?lines=1", "c"),
        ("app.log", "b\nc"),
        ("app.log?lines=all", "a\nb\nc"),
        ("app.log?lines=9", "a\nb\nc"),
    ] {
        let mut client = server.client(target);
        assert_eq!(client.message(), expected, "{target}");
        assert_eq!(client.close().0, 1000, "{target}");
    }
    let mut following = server.client("app.log?tail=1&lines=2");
    assert_eq!(following.message(), "b\nc");
}

#[test]
fn an_empty_log_sends_one_empty_message_unless_lines_is_0() {
    let log = Log::with("");
    let server = serve(&log);
    let mut client = server.client("app.log");
    assert_eq!((client.next(), client.close().0), (Ok(String::new()), 1000));
    assert_eq!(server.client("app.log?lines=0").next().unwrap_err().0, 1000);
    let mut client = server.client("app.log?tail=1");
    assert_eq!(client.message(), "");
    log.append("a\n");
    assert_eq!(client.message(), "a\n");
}

#[test]
fn a_large_log_comes_whole_in_messages_that_are_not_too_large() {
    let text: String = (0..200_000).map(|number| format!("line {number} 你好\n")).collect();
    let log = Log::with(&text);
    let mut client = serve(&log).client("app.log?lines=all");
    let mut received = String::new();
    while let Ok(message) = client.next() {
        assert!(message.len() <= MAX_MESSAGE && message.ends_with('\n'));
        received += &message;
    }
    assert!(received == text);
}

#[test]
fn invalid_utf8_becomes_replacement_characters() {
    let log = Log::with(b"\xff\xe4\xbd\n");
    let mut client = serve(&log).follow();
    assert_eq!(client.message(), "\u{fffd}\u{fffd}\n");
    log.append(b"\xe4\xbd");
    log.append(b"\xa0\n");
    assert_eq!(client.read(4), "你\n");
}

#[test]
fn a_character_left_unfinished_waits_for_its_rest() {
    let log = Log::with("a\n");
    let mut client = serve(&log).follow();
    client.expect(["a"]);
    log.append(b"x\xe4\xbd");
    assert_eq!(client.message(), "x", "the unfinished line without its unfinished character");
    log.append(b"\xa0\n");
    assert_eq!(client.message(), "你\n");
}

#[test]
fn a_line_finished_within_200_ms_is_not_cut() {
    let log = Log::with("a\n");
    let mut client = serve(&log).follow();
    client.expect(["a"]);
    let mut writer = log.writer();
    for piece in ["one ", "line ", "in ", "pieces\n"] {
        writer.write_all(piece.as_bytes()).unwrap();
    }
    assert_eq!(client.message(), "one line in pieces\n");
}

#[test]
fn no_log_message_is_exactly_ping() {
    let log = Log::with("ping");
    let server = serve(&log);
    for target in ["app.log", "app.log?format=html", "app.log?heartbeat=frame"] {
        let mut client = server.client(target);
        let messages = [client.raw().unwrap(), client.raw().unwrap()];
        assert_eq!(messages.map(|message| message.to_string()).concat(), "ping", "{target}");
    }
}

#[test]
fn html_is_escaped_balanced_and_keeps_its_colour() {
    let log = Log::with("<b>\x1b[31mred\n");
    let mut client = serve_with(&log, &["--format", "html"]).follow();
    assert_eq!(client.message(), "&lt;b&gt;<span style=\"color:#cd0000;\">red\n</span>");
    log.append("still\x1b[0m \x1b]0;title\x07plain\n");
    assert_eq!(client.message(), "<span style=\"color:#cd0000;\">still</span> plain\n");
    let mut text = serve(&log).client("app.log?format=text&lines=1");
    assert_eq!(text.message(), "still\x1b[0m \x1b]0;title\x07plain\n");
}

#[test]
fn carriage_returns_and_other_separators_end_no_line() {
    let log = Log::with("a\rb\u{2028}c\u{b}d\r\ne\n");
    let mut client = serve(&log).client("app.log?lines=2");
    assert_eq!(client.message(), "a\rb\u{2028}c\u{b}d\r\ne\n");
}
