//! Both kinds of heartbeat, answered and unanswered.

use std::time::{Duration, Instant};

use tungstenite::Message;

use crate::support::{Log, serve_with, until};

const QUICK: [&str; 4] = ["--heartbeat", "0.3", "--heartbeat-timeout", "0.5"];

#[test]
fn a_client_that_answers_stays_and_logs_flow_meanwhile() {
    let log = Log::with("");
    let mut client = serve_with(&log, &QUICK).client("app.log?tail=1&lines=0");
    let mut pings = 0;
    while pings < 4 {
        match client.raw().unwrap() {
            Message::Text(text) if text == "ping" => {
                pings += 1;
                // Lines arrive between the ping and its answer.
                log.append("line\n");
                while client.raw().unwrap() != Message::text("line\n") {
                    pings += 1;
                }
                client.socket.send(Message::text("pong")).unwrap();
            }
            message => panic!("{message:?}"),
        }
    }
}

#[test]
fn a_client_that_does_not_answer_is_closed() {
    let log = Log::with("");
    let server = serve_with(&log, &QUICK);
    for target in ["app.log?tail=1&lines=0", "app.log?tail=1&lines=0&heartbeat=frame"] {
        let begun = Instant::now();
        let mut stream = server.upgraded(target);
        let close = loop {
            let (first, payload) = crate::support::read_frame(&mut stream).unwrap();
            match first {
                0x81 => assert_eq!(payload, b"ping", "{target}"),
                0x89 => assert!(target.contains("frame")),
                0x88 => break payload,
                other => panic!("{other:x}"),
            }
        };
        assert_eq!(u16::from_be_bytes([close[0], close[1]]), 4408);
        assert_eq!(&close[2..], b"no pong within 0.5s");
        assert!(begun.elapsed() >= Duration::from_millis(800));
    }
}

#[test]
fn a_frame_heartbeat_is_answered_by_any_client() {
    let log = Log::with("");
    let mut client = serve_with(&log, &QUICK).client("app.log?tail=1&lines=0&heartbeat=frame");
    let mut pings = 0;
    until("four pings were answered", || {
        pings += usize::from(matches!(client.raw().unwrap(), Message::Ping(_)));
        pings == 4
    });
}

#[test]
fn unsolicited_messages_are_harmless() {
    let log = Log::with("");
    let mut client = serve_with(&log, &QUICK).client("app.log?tail=1&lines=0");
    for word in ["pong", "pong", "PONG", "", "hello"] {
        client.socket.send(Message::text(word)).unwrap();
    }
    client.socket.send(Message::text("x".repeat(4096))).unwrap();
    client.socket.send(Message::binary(vec![0xff; 4096])).unwrap();
    client.socket.send(Message::Ping(b"you?".to_vec().into())).unwrap();
    until("the ping was answered", || client.raw().unwrap() == Message::Pong(b"you?".to_vec().into()));
    log.append("line\n");
    assert_eq!(client.message(), "line\n");
}
