//! Large backlogs, which the kernel sends directly from the file.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpStream;

use wstail::protocol::event::Event;

use crate::support::random::Random;
use crate::support::{Log, read_frame, serve, serve_with, until};

const FIELD: &str = "Sec-WebSocket-Protocol: wstail.v1\r\n";

fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    (0..length).map(|_| random.below(256) as u8).collect()
}

/// Reads a log until its end, or until the connection ends in the middle of a message. Returns where to resume.
fn take(stream: &mut TcpStream, taken: &mut Vec<u8>) -> Option<String> {
    let (mut cursor, mut beyond) = (String::new(), 0);
    loop {
        match read_frame(stream) {
            Ok((0x82, payload)) => {
                beyond += payload.len();
                taken.extend(payload);
            }
            Ok((0x81, payload)) => {
                let event = Event::parse(std::str::from_utf8(&payload).unwrap());
                if let Some(place) = event.as_ref().and_then(Event::cursor) {
                    (cursor, beyond) = (place.to_string(), 0);
                }
            }
            Ok((0x88, _)) => return None,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Some(format!("{cursor}.{beyond}")),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_large_backlog_arrives_byte_for_byte() {
    let text = bytes(1, 20_000_000);
    let log = Log::with(&text);
    let server = serve(&log);
    let mut taken = Vec::new();
    let (mut stream, _) = server.upgraded_with("app.log?lines=all", FIELD);
    assert_eq!(take(&mut stream, &mut taken), None);
    assert!(taken == text, "{} bytes over WebSocket", taken.len());
    let body = server.get("/app.log?lines=all").body;
    assert!(body == text, "{} bytes over HTTP", body.len());
}

#[test]
fn truncation_within_a_message_loses_nothing_on_resume() {
    let text = bytes(2, 30_000_000);
    let log = Log::with(&text);
    let server = serve_with(&log, &["--rotate-wait", "0"]);
    let (mut stream, _) = server.upgraded_with("app.log?lines=all", FIELD);
    // The kernel accepts only so much for a client that does not read.
    let mut before = 0;
    until("the server waits", || {
        let now = server.process.switches();
        now == std::mem::replace(&mut before, now)
    });
    fs::copy(log.path(), log.beside("app.log.1")).unwrap();
    log.writer().set_len(0).unwrap();
    log.append("new\n");
    let mut taken = Vec::new();
    while let Some(place) = take(&mut stream, &mut taken) {
        (stream, _) = server.upgraded_with(&format!("app.log?cursor={place}"), FIELD);
    }
    // The stream ends where the log ended when it was last checked.
    let rest = taken.strip_prefix(&text[..]).expect("every byte");
    assert!([&b""[..], b"new\n"].contains(&rest), "{} bytes more", rest.len());
}
