//! Many bad clients at once, and broken connections: each costs a thread, a buffer and a deadline at most.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_linger;

use crate::support::{Log, Server, frame, serve, until};

/// What the server holds: connections and descriptors.
fn held(server: &Server) -> (u64, usize) {
    (server.connections(), server.process.descriptors())
}

/// The same while nobody is connected, after somebody was.
fn at_rest(server: &Server) -> (u64, usize) {
    drop(server.follow());
    until("the first is gone", || server.connections() == 0);
    held(server)
}

#[test]
fn hundreds_of_silent_and_dripping_clients_delay_nobody() {
    const EACH: usize = 200;
    let log = Log::with("a\n");
    let server = serve(&log);
    let rest = at_rest(&server);
    let mut good = server.follow();
    good.expect(["a"]);
    let begun = Instant::now();
    let silent: Vec<TcpStream> = (0..EACH).map(|_| server.connect()).collect();
    let mut drippers: Vec<TcpStream> = (0..EACH).map(|_| server.connect()).collect();
    until("all are served", || server.connections() == 2 * EACH as u64 + 1);
    let mut slowest = Duration::ZERO;
    let mut number = 0;
    while server.connections() > 1 {
        assert!(begun.elapsed() < Duration::from_secs(12), "{} are still there", server.connections() - 1);
        // Each drips a byte about every 100 ms. One that has its answer fails at the next.
        drippers.retain_mut(|dripper| dripper.write_all(b"G").is_ok());
        let appended = Instant::now();
        log.append(format!("{number}\n"));
        assert_eq!(good.message(), format!("{number}\n"));
        slowest = slowest.max(appended.elapsed());
        number += 1;
        thread::sleep(Duration::from_millis(100));
    }
    assert!(slowest < Duration::from_millis(500), "a line took {slowest:?}");
    assert!(begun.elapsed() > Duration::from_secs(4), "they had {:?} only", begun.elapsed());
    drop(good);
    // The silent clients still have their ends open.
    until("threads and descriptors are back to where they were", || held(&server) == rest);
    drop(silent);
}

#[test]
fn a_broken_connection_leaves_nothing_behind() {
    let log = Log::with(format!("{}\n", "x".repeat(99)).repeat(100_000));
    let server = serve(&log);
    let rest = at_rest(&server);
    let reset = |stream: TcpStream| set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
    for _ in 0..5 {
        let half_closed = server.upgraded("app.log?tail=1&lines=0");
        half_closed.shutdown(Shutdown::Write).unwrap();
        let mut followed = server.connect();
        followed.write_all(b"GET /app.log?tail=1 HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        followed.shutdown(Shutdown::Write).unwrap();
        followed.read_to_end(&mut Vec::new()).unwrap();
        reset(server.connect());
        reset(server.upgraded("app.log?tail=1&lines=0"));
        reset(server.upgraded("app.log?lines=all"));
        let mut half_a_frame = server.upgraded("app.log?tail=1&lines=0");
        half_a_frame.write_all(&frame(0x81, b"pong")[..3]).unwrap();
        reset(half_a_frame);
        until("all are gone, though one still holds its end", || held(&server) == rest);
    }
}
