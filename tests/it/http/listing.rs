//! Concurrent requests for the list of logs, and their parameters.

use std::fs;
use std::io::Write;
use std::net::Shutdown;
use std::time::{Duration, Instant};

use crate::support::{Log, serve, serve_with, until, within};

const GET: &[u8] = b"GET /-/files HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[test]
fn clients_that_leave_while_waiting_for_the_list_free_their_places() {
    let log = Log::with("a\n");
    (0..20_000).for_each(|number| fs::write(log.beside(&format!("{number}.log")), "").unwrap());
    let server = serve_with(&log, &["--max-connections", "100"]);
    let begun = Instant::now();
    assert_eq!(server.get("/-/files").status, 200);
    let walk = begun.elapsed();
    until("that list is of the past", || begun.elapsed() > walk + Duration::from_secs(1));
    for _ in 0..100 {
        server.connect().write_all(GET).unwrap();
    }
    let begun = Instant::now();
    until("there is a place", || server.get("/app.log").status == 200);
    assert!(within(Duration::from_secs(2) + walk * 3, || server.connections() == 0), "one walk takes {walk:?}");
    assert!(begun.elapsed() < Duration::from_secs(4) + walk * 3, "{:?}", begun.elapsed());
}

#[test]
fn concurrent_requests_share_the_list() {
    let log = Log::with("a\n");
    (0..3000).for_each(|number| fs::write(log.beside(&format!("{number}.log")), "").unwrap());
    let server = serve(&log);
    let expected = server.get("/-/files").body;
    std::thread::sleep(Duration::from_millis(1100));
    let waiting: Vec<_> = (0..20)
        .map(|number| {
            let mut stream = server.connect();
            stream.write_all(GET).unwrap();
            // Half of them shut down their sending side.
            if number % 2 == 0 {
                stream.shutdown(Shutdown::Write).unwrap();
            }
            stream
        })
        .collect();
    for mut stream in waiting {
        let mut answer = Vec::new();
        std::io::Read::read_to_end(&mut stream, &mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200 ") && answer.ends_with(&expected));
    }
}

#[test]
fn a_list_is_a_second_old_at_most() {
    let log = Log::with("a\n");
    let server = serve(&log);
    assert!(!server.get("/-/files").text().contains("new.log"));
    fs::write(log.beside("new.log"), "").unwrap();
    let is_new = || server.get("/-/files").text().contains("new.log");
    assert!(within(Duration::from_millis(1500), is_new));
}

#[test]
fn an_unknown_parameter_of_the_list_is_refused() {
    let log = Log::with("a\n");
    let server = serve(&log);
    for (query, name) in [("bogus=1", "bogus"), ("lines=1", "lines"), ("view=x", "view"), ("%zz", "%zz")] {
        let answer = server.get(&format!("/-/files?{query}"));
        assert!(answer.status == 400 && answer.text().contains(name), "{query}: {answer:?}");
    }
    for query in ["", "&", "view=text"] {
        assert_eq!(server.get(&format!("/-/files?{query}")).status, 200, "{query}");
    }
}
