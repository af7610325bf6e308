//! What the server's own log contains of a client's request.

use rustix::process::Signal;

use crate::support::{Log, serve_by, wstail};

#[test]
fn queries_and_header_values_are_not_logged_and_names_are_escaped() {
    let log = Log::with("a\n");
    std::fs::write(log.beside("od\u{202e}d\u{9b}.log"), "b\n").unwrap();
    let mut command = wstail();
    command.env("RUST_LOG", "trace");
    let server = serve_by(command, &[log.directory()], &[]);
    for target in ["/app.log?lines=s3cret", "/app.log?cursor=s3cret", "/app.log?s3cret=1", "/app.log?lines=%s3cret"] {
        assert_eq!(server.get(target).status, 400);
    }
    for (host, status) in [("s3cret", 403), ("localhost", 426)] {
        let fields = "Cookie: s3cret\r\nSec-WebSocket-Protocol: s3cret\r\nUpgrade: websocket\r\n";
        let answer = server.ask(format!("GET /app.log?s3cret HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n"));
        assert_eq!(answer.status, status);
    }
    assert_eq!(server.get("/od%e2%80%aed%c2%9b.log").text(), "b\n");
    server.process.signal(Signal::TERM);
    let (_, errors) = server.process.end();
    assert!(!errors.contains("s3cret"), "{errors}");
    assert!(errors.contains("refused with 400") && errors.contains(r"serving `od\u{202e}d\x9b.log`"), "{errors}");
    assert!(!errors.chars().any(|c| c != '\n' && c.is_control()), "{errors:?}");
}
