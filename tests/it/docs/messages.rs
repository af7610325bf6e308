//! docs/troubleshooting.md quotes messages exactly as they are printed.

use std::process::Command;

use super::read;
use crate::support::{Log, Process, Server, serve, serve_with, wstail};

/// Asserts that the page quotes the message, with the port of its examples.
fn check_quoted(message: &str, port: &str) {
    let message = message.trim_end().replace(&format!(":{port}"), ":8765");
    assert!(read("docs/troubleshooting.md").contains(&format!("\n{message}\n")), "not quoted: {message}");
}

fn port(server: &Server) -> &str {
    server.address.rsplit(':').next().unwrap()
}

/// What `wstail tail` says about a URL.
fn complaint(url: &str) -> String {
    let mut command: Command = wstail();
    command.args(["tail", "--retry", "never", url]);
    let (code, errors) = Process::start(command).end();
    assert_eq!(code, 1, "{errors}");
    errors
}

#[test]
fn messages_of_tail_are_quoted_as_printed() {
    let log = Log::with("a\n");
    let open = serve(&log);
    check_quoted(&complaint(&format!("{}/other.log", open.address)).replace("other.log", "app.log"), port(&open));
    let tokens = log.beside("tokens");
    std::fs::write(&tokens, "secret\n").unwrap();
    let guarded = serve_with(&log, &["--token-file", tokens.to_str().unwrap()]);
    check_quoted(&complaint(&format!("{}/app.log", guarded.address)), port(&guarded));
    let full = serve_with(&log, &["--max-connections", "1"]);
    let _taken = full.follow();
    check_quoted(&complaint(&format!("{}/app.log", full.address)), port(&full));
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    check_quoted(&complaint(&format!("{closed}/app.log")), &closed.port().to_string());
}

#[test]
#[cfg(feature = "tls")]
fn messages_about_tls_are_quoted_as_printed() {
    let log = Log::with("a\n");
    let server = serve(&log);
    check_quoted(&complaint(&format!("wss://{}/app.log", server.address)), port(&server));
    let files = crate::support::certificates::local_certificates();
    let server = serve_with(
        &log,
        &[
            "--tls-cert",
            &files.path("cert.pem").to_string_lossy(),
            "--tls-key",
            &files.path("key.pem").to_string_lossy(),
        ],
    );
    check_quoted(&complaint(&format!("ws://{}/app.log", server.address)), port(&server));
}

#[test]
fn refusals_are_quoted_as_sent() {
    let log = Log::with("a\n");
    let server = serve(&log);
    for fields in ["Host: logs.example.com\r\n", "Host: localhost\r\nOrigin: https://evil.example\r\n"] {
        let answer = server.ask(format!("GET /app.log HTTP/1.1\r\n{fields}\r\n"));
        assert_eq!(answer.status, 403);
        check_quoted(&answer.text(), port(&server));
    }
}

#[test]
fn the_notice_of_a_gap_is_quoted_as_printed() {
    let log = Log::with("a line\nanother line\n");
    let server = serve(&log);
    let tail = |options: &[&str]| {
        let mut command: Command = wstail();
        command.args(["tail", "--no-follow"]).args(options).arg(format!("{}/app.log", server.address));
        let (code, errors) = Process::start(command).end();
        assert_eq!(code, 0, "{errors}");
        errors
    };
    let shown = tail(&["--show-cursor"]);
    let cursor = shown.lines().find_map(|line| line.strip_prefix("-- cursor: ")).unwrap().to_owned();
    std::fs::write(log.path(), "new\n").unwrap();
    let errors = tail(&["--after-cursor", &cursor]);
    let notice = errors.lines().find(|line| line.contains("gap: ")).unwrap();
    check_quoted(notice, port(&server));
}
