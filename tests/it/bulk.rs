//! A log that is far ahead of its reader: it is moved by the kernel, and is the file's bytes all the same.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpStream;

use wstail::protocol::event::Event;

use crate::random::Random;
use crate::util::{Log, read_frame, serve, serve_with, until};

const FIELD: &str = "Sec-WebSocket-Protocol: wstail.v1\r\n";

fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    (0..length).map(|_| random.below(256) as u8).collect()
}

/// What comes of a log until its end, or until the connection ends in the midst of a message; and where to go on.
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
fn a_log_that_is_far_ahead_comes_byte_for_byte() {
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
fn a_log_truncated_in_the_midst_of_a_message_costs_nothing_to_who_goes_on() {
    let text = bytes(2, 30_000_000);
    let log = Log::with(&text);
    let server = serve_with(&log, &["--rotate-wait", "0"]);
    let (mut stream, _) = server.upgraded_with("app.log?lines=all", FIELD);
    // The kernel has taken what it takes for a client that does not read.
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
    // It ends where the log ended when it was asked for last.
    let rest = taken.strip_prefix(&text[..]).expect("every byte");
    assert!([&b""[..], b"new\n"].contains(&rest), "{} bytes more", rest.len());
}
