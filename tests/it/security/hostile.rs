//! Clients that break the protocol, drip, flood or stop reading do not affect others.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_recv_buffer_size;
use rustix::process::Signal;

use crate::support::{Log, Server, close_code, frame, read_frame, serve, serve_with};

#[test]
fn a_broken_protocol_is_closed_with_its_code() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let unmasked = vec![0x81, 1, b'x'];
    let cases = [
        (unmasked, 1002),
        (frame(0x83, b""), 1002),
        (frame(0xc1, b"reserved bit"), 1002),
        (frame(0x80, b"continues nothing"), 1002),
        (frame(0x09, b"a fragmented ping"), 1002),
        (frame(0x81, b"\xff"), 1007),
        (frame(0x81, &[b'x'; 4097]), 1009),
        ([frame(0x01, &[b'x'; 4000]), frame(0x80, &[b'x'; 97])].concat(), 1009),
    ];
    for (bytes, code) in cases {
        let mut stream = server.upgraded("app.log?tail=1");
        stream.write_all(&bytes).unwrap();
        assert_eq!(close_code(&mut stream), code, "{:x?}", &bytes[..2]);
    }
    let mut announced = server.upgraded("app.log?tail=1");
    announced.write_all(&[0x82, 0xff, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]).unwrap();
    assert_eq!(close_code(&mut announced), 1009, "16 MiB announced");
}

#[test]
fn a_close_is_answered_in_kind() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let mut stream = server.upgraded("app.log?tail=1");
    stream.write_all(&frame(0x88, &1000u16.to_be_bytes())).unwrap();
    assert_eq!(close_code(&mut stream), 1000);
    assert_eq!(stream.read(&mut [0; 9]).unwrap(), 0, "and the connection ends");
}

/// Sends bytes again and again until it is stopped.
fn pester<'s>(
    scope: &'s thread::Scope<'s, '_>,
    mut stream: TcpStream,
    bytes: Vec<u8>,
    pause: Duration,
    stop: &'s AtomicBool,
) {
    scope.spawn(move || {
        stream.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
        while !stop.load(Ordering::Relaxed) {
            match stream.write_all(&bytes) {
                Err(error) if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
                _ => thread::sleep(pause),
            }
        }
    });
}

/// While one client does its worst, another client's lines and heartbeats arrive, and the server stops at a shutdown.
fn worst(target: &str, first: &[u8], again: &[u8], pause: Duration) {
    let log = Log::with("");
    let server: Server = serve_with(&log, &["--heartbeat", "0.3", "--heartbeat-timeout", "60"]);
    let mut stream = server.upgraded(target);
    stream.write_all(first).unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        pester(scope, stream.try_clone().unwrap(), again.to_vec(), pause, &stop);
        let (mut pings, mut lines) = (0, 0);
        while pings < 3 || lines < 3 {
            match read_frame(&mut stream).unwrap() {
                (0x81, payload) if payload == b"ping" => {
                    pings += 1;
                    log.append("line\n");
                }
                (0x81, payload) => lines += String::from_utf8(payload).unwrap().lines().count(),
                (0x8a, _) => {}
                other => panic!("{other:?}"),
            }
        }
        let begun = Instant::now();
        server.process.signal(Signal::TERM);
        assert_eq!(server.process.wait().code(), Some(0));
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
        stop.store(true, Ordering::Relaxed);
    });
}

const TARGET: &str = "app.log?tail=1&lines=0";

#[test]
fn a_dripped_half_frame_stops_nothing() {
    worst(TARGET, &[0x81, 0xfe, 0x0f, 0xff, 0, 0, 0, 0], b"x", Duration::from_millis(50));
}

#[test]
fn endless_empty_fragments_stop_nothing() {
    worst(TARGET, &frame(0x01, b""), &frame(0x00, b"").repeat(1000), Duration::ZERO);
}

#[test]
fn a_ping_flood_stops_nothing() {
    worst(TARGET, b"", &frame(0x89, b"flood").repeat(300), Duration::ZERO);
}

#[test]
fn a_client_that_stops_reading_costs_little_and_catches_up() {
    let log = Log::with("");
    let server = serve_with(&log, &["--heartbeat", "0.5", "--heartbeat-timeout", "0.5"]);
    let mut client = server.client("app.log?tail=1&lines=0");
    crate::support::until("it is being served", || server.connections() == 1);
    let idle = server.process.status("VmRSS");
    let line = format!("{}\n", "x".repeat(9_999));
    for _ in 0..300 {
        log.append(line.repeat(100));
    }
    thread::sleep(Duration::from_millis(1500));
    let grown = server.process.status("VmRSS").saturating_sub(idle);
    assert!(grown < 16 * 1024, "{grown} KiB more than idle");
    let mut received = 0;
    while received < 300_000_000 {
        let message = client.message();
        assert!(message.split_inclusive('\n').all(|got| got == line));
        received += message.len();
    }
    assert_eq!(received, 300_000_000);
}

#[test]
fn a_client_that_never_reads_again_is_closed() {
    let log = Log::with("x".repeat(99).as_str().to_owned() + "\n");
    for _ in 0..300 {
        log.append(format!("{}\n", "x".repeat(99)).repeat(1000));
    }
    let server = serve_with(&log, &["--stall-timeout", "0.5"]);
    let stream = server.upgraded("app.log?tail=1&lines=all");
    crate::support::until("it is being served", || server.connections() == 1);
    let begun = Instant::now();
    crate::support::until("it is closed", || server.connections() == 0);
    assert!(begun.elapsed() > Duration::from_millis(400));
    drop(stream);
    server.process.signal(Signal::TERM);
    let (code, errors) = server.process.end();
    assert_eq!(code, 0);
    assert!(errors.contains("4410: no data accepted for 0.5s"), "{errors}");
}

#[test]
fn a_stalled_client_that_wakes_up_in_time_reads_why() {
    let log = Log::with(format!("{}\n", "x".repeat(99)).repeat(200_000));
    let server = serve_with(&log, &["--stall-timeout", "0.5"]);
    let mut stream = server.upgraded("app.log?tail=1&lines=all");
    thread::sleep(Duration::from_millis(1200));
    assert_eq!(close_code(&mut stream), 4410);
}

#[test]
fn a_100_mb_line_is_streamed_in_pieces() {
    let log = Log::with("");
    let server = serve(&log);
    let mut client = server.client("app.log?tail=1&lines=0");
    crate::support::until("it is being served", || server.connections() == 1);
    let idle = server.process.status("VmRSS");
    for _ in 0..100 {
        log.append("x".repeat(1_000_000));
    }
    log.append("\n");
    let (mut received, mut most) = (0, 0);
    while received < 100_000_001 {
        received += client.message().len();
        most = most.max(server.process.status("VmRSS").saturating_sub(idle));
    }
    assert_eq!(received, 100_000_001);
    assert!(most < 16 * 1024, "{most} KiB more than idle");
}

#[test]
fn a_slow_reader_is_not_taken_for_a_dead_one() {
    let log = Log::with(format!("{}\n", "x".repeat(99)).repeat(60_000));
    let server = serve_with(&log, &["--heartbeat", "0.3", "--heartbeat-timeout", "1", "--stall-timeout", "1"]);
    let mut stream = server.upgraded("app.log?tail=1&lines=all");
    // The server cannot know what the client's own kernel holds for it, so keep that small.
    set_socket_recv_buffer_size(&stream, 16 * 1024).unwrap();
    let mut received = 0;
    while received < 6_000_000 {
        match read_frame(&mut stream).unwrap() {
            (0x81, payload) if payload == b"ping" => stream.write_all(&frame(0x81, b"pong")).unwrap(),
            (0x81, payload) => received += payload.len(),
            (first, payload) => panic!("{first:x}: {}", String::from_utf8_lossy(&payload)),
        }
        thread::sleep(Duration::from_millis(120));
    }
    assert_eq!(received, 6_000_000);
}

#[test]
fn a_client_reading_a_few_bytes_at_a_time_is_not_stalled() {
    let log = Log::with(format!("{}\n", "x".repeat(99)).repeat(60_000));
    let server = serve_with(&log, &["--stall-timeout", "1"]);
    let mut stream = server.upgraded("app.log?tail=1&lines=all");
    set_socket_recv_buffer_size(&stream, 16 * 1024).unwrap();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(4) {
        stream.read_exact(&mut [0; 10_000]).unwrap();
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_slow_reader_that_answers_late_loses_nothing() {
    let log = Log::with(format!("{}\n", "x".repeat(99)).repeat(20_000));
    let server = serve(&log);
    let mut stream = server.upgraded("app.log?lines=all");
    let mut received = 0;
    thread::sleep(Duration::from_millis(2500));
    loop {
        match read_frame(&mut stream).unwrap() {
            (0x88, payload) => break assert_eq!(&payload[..2], 1000u16.to_be_bytes()),
            (_, payload) => received += payload.len(),
        }
        // An answer to a ping from long ago.
        stream.write_all(&frame(0x81, b"pong")).unwrap();
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(received, 2_000_000);
}
