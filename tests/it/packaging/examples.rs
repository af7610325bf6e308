//! The programs in `examples/`, run together: the embedded server serves what the two clients read.

use std::net::TcpStream;

use crate::support::Log;

#[allow(dead_code)]
#[path = "../../../examples/embed_server.rs"]
mod embed_server;
#[allow(dead_code)]
#[path = "../../../examples/follow_one.rs"]
mod follow_one;
#[allow(dead_code)]
#[path = "../../../examples/several_logs.rs"]
mod several_logs;

#[test]
fn follow_one_prints_what_embed_server_serves() {
    let log = Log::with("a\nb\n");
    let server = embed_server::serve(log.directory()).unwrap();
    let mut out = Vec::new();
    follow_one::follow(&format!("{}/app.log?lines=1", server.addresses()[0]), &mut out).unwrap();
    assert_eq!(out, b"b\n");
    let error = follow_one::follow(&format!("{}/other.log", server.addresses()[0]), Vec::new()).unwrap_err();
    assert_eq!(
        error.downcast::<wstail::Error>().unwrap().status(),
        Some(404),
        "the first connection's error is returned"
    );
    server.stop().unwrap();
}

#[test]
fn several_logs_prints_whole_lines_of_each() {
    let log = Log::with("a\nb\n");
    std::fs::write(log.beside("web.log"), "c\n").unwrap();
    let server = embed_server::serve(log.directory()).unwrap();
    let url = |name: &str| format!("{}/{name}", server.addresses()[0]).parse().unwrap();
    let mut out = Vec::new();
    several_logs::follow(vec![url("app.log"), url("web.log")], &mut out).unwrap();
    let mut lines: Vec<_> = str::from_utf8(&out).unwrap().lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["app.log: a", "app.log: b", "web.log: c"]);
}

#[test]
fn a_server_stops_when_its_handle_is_dropped() {
    let log = Log::with("a\n");
    let server = embed_server::serve(log.directory()).unwrap();
    let address = server.addresses()[0];
    let _idle = TcpStream::connect(address).unwrap();
    drop(server);
    assert!(TcpStream::connect(address).is_err(), "nothing listens any more");
}
