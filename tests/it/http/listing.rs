//! The list of logs: concurrent requests, their parameters, and the list that goes on.

use std::fs;
use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::inotify::{ReadFlags, WatchFlags};
use rustix::process::Signal;
use serde_json::Value;
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};
use wstail::protocol::event::SUBPROTOCOL;
use wstail::protocol::list_event::ListEvent;

use crate::support::{Answer, Inotify, Log, Server, dechunk, serve, serve_with, until, within};

const GET: &[u8] = b"GET /-/files HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A log among so many others.
fn among(count: usize) -> Log {
    let log = Log::with("a\n");
    (0..count).for_each(|number| fs::write(log.beside(&format!("{number}.log")), "").unwrap());
    log
}

/// How long it takes to make the list. The next request finds no list that is fresh.
fn walk(server: &Server) -> Duration {
    let begun = Instant::now();
    assert_eq!(server.get("/-/files").status, 200);
    let walk = begun.elapsed();
    until("that list is of the past", || begun.elapsed() > walk + Duration::from_secs(1));
    walk
}

#[test]
fn clients_that_leave_while_waiting_for_the_list_free_their_places() {
    const PLACES: u64 = 100;
    let log = among(20_000);
    let server = serve_with(&log, &["--max-connections", &PLACES.to_string()]);
    let walk = walk(&server);
    // Three times as many as may wait.
    for _ in 0..3 * PLACES {
        server.connect().write_all(GET).unwrap();
    }
    let begun = Instant::now();
    until("there is a place", || {
        assert!(server.connections() <= PLACES);
        server.get("/app.log").status == 200
    });
    assert!(within(Duration::from_secs(2) + walk * 3, || server.connections() == 0), "one walk takes {walk:?}");
    assert!(begun.elapsed() < Duration::from_secs(4) + walk * 3, "{:?}", begun.elapsed());
}

#[test]
fn others_are_served_while_clients_ask_for_the_list_and_leave() {
    let log = among(20_000);
    let server = serve_with(&log, &["--max-connections", "105", "--heartbeat", "600"]);
    let mut follower = server.events("app.log?tail=1&lines=all");
    follower.story("a\n");
    for number in 0..2 {
        walk(&server);
        until("the follower is alone", || server.connections() == 1);
        // They arrive together, in this order.
        server.process.stop();
        for _ in 0..100 {
            server.connect().write_all(GET).unwrap();
        }
        let mut patient = server.connect();
        patient.write_all(GET).unwrap();
        let mut reader = server.connect();
        reader.write_all(b"GET /app.log?lines=1 HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let line = format!("line {number}\n");
        log.append(&line);
        server.process.signal(Signal::CONT);
        thread::scope(|scope| {
            let list = scope.spawn(|| Answer::read(patient));
            let text = scope.spawn(|| Answer::read(reader));
            assert_eq!(follower.story(&line), line);
            let text = text.join().unwrap();
            assert_eq!((text.status, text.text()), (200, line.clone()));
            let list = list.join().unwrap();
            assert_eq!(list.status, 200);
            assert_eq!(list.text().matches("\"path\"").count(), 20_001, "whoever stays gets the whole list");
        });
    }
}

#[test]
fn one_walk_a_second_serves_all_who_ask_for_the_list() {
    let log = among(1000);
    let server = serve(&log);
    let time = Duration::from_millis(3500) + 3 * walk(&server);
    // A walk opens each file once.
    let one = Inotify::watch(&log.beside("500.log"), WatchFlags::OPEN | WatchFlags::CLOSE_NOWRITE);
    let begun = Instant::now();
    let is_over = || begun.elapsed() > time;
    let answers = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while !is_over() {
                    assert_eq!(server.get("/-/files").status, 200);
                    answers.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let most = begun.elapsed().as_secs() as usize + 1;
    let walks = one.events().iter().filter(|(event, _)| event.contains(ReadFlags::OPEN)).count();
    let answers = answers.into_inner();
    assert!((2..=most).contains(&walks) && answers >= 3 * walks, "{answers} answers of {walks} walks");
}

#[test]
fn concurrent_requests_share_the_list() {
    let log = among(300);
    let server = serve(&log);
    let expected = server.get("/-/files").body;
    let listed = Instant::now();
    until("that list is of the past", || listed.elapsed() > Duration::from_secs(1));
    let begun = Instant::now();
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
    for (number, stream) in waiting.into_iter().enumerate() {
        let answer = Answer::read(stream);
        // One that may have disconnected waits for a second at most.
        let may_be_late = number % 2 == 0 && begun.elapsed() > Duration::from_secs(1);
        let is_late = answer.status == 503 && answer.text() == "listing the logs took too long\n";
        assert!(answer.status == 200 && answer.body == expected || may_be_late && is_late, "{number}: {answer:?}");
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

fn paths(server: &Server, query: &str) -> Vec<String> {
    let answer = server.get(&format!("/-/files?{query}"));
    assert_eq!(answer.status, 200, "{query}: {answer:?}");
    let list: Value = serde_json::from_slice(&answer.body).unwrap();
    let files = list["files"].as_array().unwrap();
    let mut paths: Vec<_> = files.iter().map(|file| file["path"].as_str().unwrap().to_owned()).collect();
    paths.sort();
    paths
}

fn tree() -> Log {
    let log = Log::with("a\n");
    fs::create_dir_all(log.beside("nginx/old")).unwrap();
    for name in
        ["app.log.1", "app.log.2.gz", "nginx/access.log", "nginx/error.log", "nginx/old/access.log.1", "x[1].log"]
    {
        fs::write(log.beside(name), "").unwrap();
    }
    log
}

#[test]
fn a_glob_chooses_logs_without_their_rotated_files() {
    let log = tree();
    let server = serve(&log);
    assert_eq!(paths(&server, "").len(), 7);
    assert_eq!(paths(&server, "match=*.log"), ["app.log", "x[1].log"]);
    assert_eq!(paths(&server, "match=nginx/**"), ["nginx/access.log", "nginx/error.log"]);
    assert_eq!(paths(&server, "match=**/[ae]*.log"), ["app.log", "nginx/access.log", "nginx/error.log"]);
    assert_eq!(paths(&server, "match=app*&generations=1"), ["app.log", "app.log.1", "app.log.2.gz"]);
    assert_eq!(paths(&server, "match=x%5B%5B%5D1].lo?"), ["x[1].log"]);
    assert_eq!(paths(&server, "match=nothing"), [""; 0]);
    assert_eq!(paths(&server, "generations=0").len(), 4);
}

#[test]
fn a_glob_that_is_malformed_is_refused() {
    let log = Log::with("a\n");
    let server = serve(&log);
    for (query, cause) in [
        ("match=", "the parameter `match` is not a pattern for paths: it is empty"),
        ("match=a[b", "a `[` is not closed"),
        ("match=a&match=b", "the parameter `match` is repeated"),
        ("generations=2", "the parameter `generations` takes 1 or 0, not `2`"),
    ] {
        let answer = server.get(&format!("/-/files?{query}"));
        assert!(answer.status == 400 && answer.text().contains(cause), "{query}: {answer:?}");
    }
}

/// A live list, and the cursor of the last log. What it says next: `file PATH`, `listed`, `gone PATH`.
struct Live(WebSocket<TcpStream>, Option<String>);

impl Live {
    fn of(server: &Server, query: &str) -> Live {
        let mut request = format!("ws://{}/-/files?{query}", server.address).into_client_request().unwrap();
        request.headers_mut().insert("Sec-WebSocket-Protocol", SUBPROTOCOL.parse().unwrap());
        Live(tungstenite::client(request, server.connect()).unwrap().0, None)
    }

    fn next(&mut self) -> String {
        loop {
            let Message::Text(text) = self.0.read().unwrap() else { continue };
            match ListEvent::parse(&text).unwrap_or_else(|| panic!("not an event: {text}")) {
                ListEvent::File { path, cursor, .. } => {
                    self.1 = cursor.map(|cursor| cursor.to_string());
                    return format!("file {path}");
                }
                ListEvent::Listed { .. } => return "listed".to_owned(),
                ListEvent::Gone { path } => return format!("gone {path}"),
                ListEvent::End { reason } => return format!("end {reason}"),
                _ => {}
            }
        }
    }

    fn expect(&mut self, expected: &str) {
        assert_eq!(self.next(), expected);
    }
}

#[test]
fn a_live_list_goes_on_with_the_logs_that_come_and_go() {
    let log = tree();
    let server = serve(&log);
    let (mut all, mut some) = (Live::of(&server, ""), Live::of(&server, "match=nginx/*"));
    let mut files: Vec<_> = (0..7).map(|_| all.next()).collect();
    files.sort();
    assert_eq!(files[0], "file app.log");
    all.expect("listed");
    let mut files = [some.next(), some.next()];
    files.sort();
    assert_eq!(files, ["file nginx/access.log", "file nginx/error.log"]);
    some.expect("listed");
    fs::write(log.beside("nginx/new.log"), "").unwrap();
    all.expect("file nginx/new.log");
    some.expect("file nginx/new.log");
    fs::remove_file(log.beside("nginx/error.log")).unwrap();
    all.expect("gone nginx/error.log");
    some.expect("gone nginx/error.log");
    server.process.signal(Signal::TERM);
    some.expect("end server is going away");
    assert!(matches!(some.0.read(), Ok(Message::Close(Some(frame))) if frame.code == 1001.into()));
}

#[test]
fn a_rotation_is_no_news_in_a_live_list() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let mut live = Live::of(&server, "match=*");
    live.expect("file app.log");
    live.expect("listed");
    for number in (1..4).rev() {
        log.rotate(&format!("app.log.{number}"), "b\n");
    }
    fs::rename(log.path(), log.beside("app.log.4")).unwrap();
    live.expect("gone app.log");
    log.append("c\n");
    live.expect("file app.log");
    fs::write(log.beside("last.log"), "").unwrap();
    live.expect("file last.log");
}

#[test]
fn a_new_log_in_a_live_list_has_a_cursor_for_its_first_byte() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let mut live = Live::of(&server, "match=*.log");
    live.expect("file app.log");
    assert_eq!(live.1, None, "it was there at the beginning");
    live.expect("listed");
    // In one step, so that no walk comes in between.
    fs::create_dir(log.beside("logs")).unwrap();
    fs::write(log.beside("logs/1"), "first\n").unwrap();
    fs::rename(log.beside("logs/1"), log.beside("new.log")).unwrap();
    live.expect("file new.log");
    let cursor = live.1.take().unwrap();
    fs::rename(log.beside("new.log"), log.beside("new.log.1")).unwrap();
    fs::write(log.beside("new.log"), "second\n").unwrap();
    let answer = server.get(&format!("/new.log?cursor={cursor}"));
    assert_eq!(dechunk(&answer.body).0, b"first\nsecond\n");
}

#[test]
fn a_live_list_needs_the_subprotocol() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let error = server.try_client("-/files").unwrap_err();
    assert!(error.contains("400"), "{error}");
    let answer = server.ask(
        "GET /-/files HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    );
    assert_eq!(answer.text(), "the list over WebSocket needs the subprotocol wstail.v1\n");
}

#[test]
fn a_client_that_leaves_a_live_list_frees_its_place() {
    let log = Log::with("a\n");
    let server = serve_with(&log, &["--heartbeat", "0.2", "--heartbeat-timeout", "0.2"]);
    let mut live = Live::of(&server, "");
    live.expect("file app.log");
    live.expect("listed");
    drop(live);
    until("it is gone", || server.connections() == 0);
    // One that answers no ping is given up.
    let silent = Live::of(&server, "");
    until("it is given up", || server.connections() == 0);
    drop(silent);
    // One that does stays.
    let mut live = Live::of(&server, "");
    live.expect("file app.log");
    live.expect("listed");
    fs::write(log.beside("new.log"), "").unwrap();
    live.expect("file new.log");
}
