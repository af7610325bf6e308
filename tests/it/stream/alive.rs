//! `alive` events on silent streams; requests that only check a stream are not counted as resumes.

use std::time::Duration;

use tungstenite::Message;

use crate::support::{Log, serve_with};

/// The next message, by its kind: `ping`, an event's name, or `bytes`.
fn next(client: &mut crate::support::EventClient) -> String {
    match client.socket.read().unwrap() {
        Message::Ping(_) => "ping".to_owned(),
        Message::Binary(_) => "bytes".to_owned(),
        Message::Text(text) => {
            let event: serde_json::Value = serde_json::from_str(&text).unwrap();
            event["event"].as_str().unwrap().to_owned()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_silent_stream_gets_an_alive_event_with_each_ping() {
    let log = Log::with("a\n");
    let server = serve_with(&log, &["--heartbeat", "0.3"]);
    let mut client = server.events("app.log?tail=1");
    let started: Vec<_> = (0..3).map(|_| next(&mut client)).collect();
    assert_eq!(started, ["open", "bytes", "cursor"]);
    // Something else was sent before the first one.
    let silent: Vec<_> = (0..7).map(|_| next(&mut client)).collect();
    assert_eq!(silent, ["ping", "ping", "alive", "ping", "alive", "ping", "alive"]);
    log.append("b\n");
    let spoken: Vec<_> = (0..5).map(|_| next(&mut client)).collect();
    assert_eq!(spoken, ["bytes", "cursor", "ping", "ping", "alive"]);
}

#[test]
fn a_plain_stream_gets_no_alive_events() {
    let log = Log::with("a\n");
    let server = serve_with(&log, &["--heartbeat", "0.2"]);
    let mut client = server.client("app.log?tail=1&heartbeat=frame");
    client.expect(["a"]);
    for _ in 0..5 {
        assert!(matches!(client.raw().unwrap(), Message::Ping(_)));
    }
}

#[test]
fn a_head_request_does_not_count_as_a_resume() {
    let log = Log::with("a\n");
    let server = serve_with(&log, &[]);
    let cursor = server.events("app.log?tail=1").cursor();
    let resumes = || {
        let text = server.get("/-/metrics").text();
        let line = text.lines().find(|line| line.starts_with("wstail_resumes_total{result=\"hit\"}")).unwrap();
        line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()
    };
    server.ask(format!("HEAD /app.log?cursor={cursor} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    assert_eq!(resumes(), 0);
    assert_eq!(server.get(&format!("/app.log?cursor={cursor}")).status, 200);
    drop(server.events(&format!("app.log?tail=1&cursor={cursor}")));
    crate::support::within(Duration::from_secs(5), || resumes() == 2);
    assert_eq!(resumes(), 2);
}
