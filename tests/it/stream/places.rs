//! How soon a place is free again after the server decided to close a connection.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::support::{Log, Server, frame, read_frame, serve_with, until, within};

/// What the server may take, and what a busy machine may.
const PLACE: Duration = Duration::from_millis(2000 + 400);

fn big() -> Log {
    Log::with(format!("{}\n", "x".repeat(99)).repeat(400_000))
}

fn is_free(server: &Server, since: Instant, decided: Duration) {
    assert!(
        within((decided + PLACE).saturating_sub(since.elapsed()), || server.connections() == 0),
        "not free after {:?}",
        since.elapsed()
    );
}

#[test]
fn a_stalled_client_frees_its_place_within_2_s() {
    let log = big();
    let server = serve_with(&log, &["--stall-timeout", "1"]);
    let begun = Instant::now();
    let _websocket = server.upgraded("app.log?tail=1&lines=all");
    let mut text = server.connect();
    text.write_all(b"GET /app.log?lines=all HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    until("both are served", || server.connections() == 2);
    // What the kernels hold between them is full after a moment.
    is_free(&server, begun, Duration::from_millis(1500));
}

#[test]
#[cfg(feature = "tls")]
fn a_stalled_tls_client_frees_its_place_within_2_s() {
    let (log, files) = (big(), crate::support::certificates::local_certificates());
    let server = files.serve(&log, &["--stall-timeout", "1"]);
    let begun = Instant::now();
    let _stalled = files.upgraded(&server, "app.log?tail=1&lines=all");
    let dripping = files.upgraded(&server, "app.log?tail=1&lines=all");
    until("both are served", || server.connections() == 2);
    // The close was decided for both by then.
    let mut socket = &dripping.sock;
    until("it is time to wake up", || begun.elapsed() > Duration::from_millis(2000));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while begun.elapsed() < Duration::from_secs(5) {
                let _ = std::io::Read::read(&mut socket, &mut [0; 1]);
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        is_free(&server, begun, Duration::from_millis(1500));
    });
}

#[test]
fn a_client_that_missed_a_heartbeat_frees_its_place_within_2_s() {
    let log = Log::with("a\n");
    let server = serve_with(&log, &["--heartbeat", "0.3", "--heartbeat-timeout", "0.5"]);
    let begun = Instant::now();
    let _silent = server.upgraded("app.log?tail=1");
    until("it is served", || server.connections() == 1);
    is_free(&server, begun, Duration::from_millis(900));
}

#[test]
fn an_unanswered_close_frees_the_place_within_2_s() {
    let log = Log::with("a\n");
    let server = serve_with(&log, &[]);
    let begun = Instant::now();
    let mut silent = server.upgraded("app.log");
    while read_frame(&mut silent).unwrap().0 != 0x88 {}
    is_free(&server, begun, Duration::ZERO);
}

#[test]
fn a_refused_client_frees_its_place_within_2_s() {
    let log = Log::with("a\n");
    let server = serve_with(&log, &[]);
    let begun = Instant::now();
    let mut refused = server.connect();
    refused.write_all(b"GET /missing HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    until("it is served", || server.newest() == 1);
    is_free(&server, begun, Duration::ZERO);
}

#[test]
fn the_last_bytes_reach_a_late_reader() {
    let log = Log::with(format!("{}\n", "x".repeat(99)).repeat(20_000));
    let server = serve_with(&log, &[]);
    let mut late = server.upgraded("app.log?lines=all");
    std::thread::sleep(Duration::from_secs(3));
    let mut received = 0;
    loop {
        match read_frame(&mut late).unwrap() {
            (0x88, payload) => break assert_eq!(&payload[..2], 1000u16.to_be_bytes()),
            (_, payload) => received += payload.len(),
        }
        late.write_all(&frame(0x81, b"pong")).unwrap();
    }
    assert_eq!(received, 2_000_000);
    let read = Instant::now();
    is_free(&server, read, Duration::ZERO);
}
