//! Start, shutdown, and what remains after clients disconnect.

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::process::Signal;

use crate::support::{Log, Process, serve, serve_by, serve_with, until, wstail};

#[test]
fn every_signal_shuts_down_and_notifies_every_client() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let log = Log::with("a\n");
        // If the test itself was started with SIGHUP ignored, it would stay ignored.
        let mut command = Command::new("env");
        command.args(["--default-signal=HUP", env!("CARGO_BIN_EXE_wstail")]).stdin(Stdio::null());
        let server = serve_by(command, &[log.directory()], &[]);
        let mut clients = [server.follow(), server.follow()];
        clients.iter_mut().for_each(|client| client.expect(["a"]));
        server.process.signal(signal);
        for client in &mut clients {
            assert_eq!(client.close(), (1001, "server is going away".to_owned()));
        }
        assert_eq!(server.process.end().0, 0, "{signal:?}");
    }
}

#[test]
fn shutdown_is_immediate_without_clients() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let begun = Instant::now();
    server.process.signal(Signal::TERM);
    assert_eq!(server.process.wait().code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[test]
fn shutdown_takes_at_most_3_s_with_hanging_clients() {
    let log = Log::with(format!("{}\n", "x".repeat(99)).repeat(500_000));
    let server = serve(&log);
    let _silent = server.connect();
    let _unread = server.upgraded("app.log?tail=1&lines=all");
    let _followed = server.upgraded("app.log?tail=1&lines=0");
    until("all three are served", || server.connections() == 3);
    let begun = Instant::now();
    server.process.signal(Signal::TERM);
    assert_eq!(server.process.wait().code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[test]
fn a_thousand_connections_leave_nothing_behind() {
    let log = Log::with("a\n");
    let server = serve(&log);
    drop(server.follow());
    let rest = || (server.connections(), server.process.descriptors());
    until("the first is gone", || rest().0 == 0);
    let before = rest();
    for round in 0..1000 {
        match round % 4 {
            0 => drop(server.connect()),
            1 => assert_eq!(server.get("/app.log").status, 200),
            2 => drop(server.upgraded("app.log?tail=1")),
            _ => server.follow().expect(["a"]),
        }
    }
    until("threads and descriptors are back to where they were", || rest() == before);
}

#[test]
fn a_port_in_use_is_reported_in_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut command = wstail();
    command.args(["serve", ".", "--port", &port.to_string()]);
    let (code, errors) = Process::start(command).end();
    assert_eq!(
        (code, errors),
        (1, format!("wstail: cannot listen on 127.0.0.1:{port}: address in use (see --port)\n"))
    );
}

#[test]
fn several_addresses_share_one_port_and_each_has_its_line() {
    let log = Log::with("a\n");
    let mut command = wstail();
    command.args(["serve", "--host", "127.0.0.1", "--host=127.0.0.2", "--port=0"]).arg(log.directory());
    command.stdout(Stdio::piped());
    let process = Process::start(command);
    let port = |line: String, host: &str| {
        line.strip_prefix(&format!("listening on http://{host}:")).unwrap().trim_end_matches('/').to_owned()
    };
    assert_eq!(port(process.line(), "127.0.0.1"), port(process.line(), "127.0.0.2"));
}

#[test]
fn two_colons_listen_on_both_families() {
    let log = Log::with("a\n");
    let mut server = serve_with(&log, &["--host", "::"]);
    let port = server.address.strip_prefix("[::]:").unwrap().to_owned();
    for host in ["127.0.0.1", "[::1]"] {
        server.address = format!("{host}:{port}");
        assert_eq!(server.get("/app.log").text(), "a\n");
    }
}

#[test]
fn a_signal_ends_the_server_while_it_reads_a_token_file() {
    let log = Log::with("");
    let fifo = log.beside("tokens");
    mkfifoat(CWD, &fifo, Mode::RUSR | Mode::WUSR).unwrap();
    let mut command = wstail();
    command.arg("serve").arg(log.directory()).arg("--token-file").arg(&fifo);
    let server = Process::start(command);
    // It has opened the other end by then.
    let _writer = fs::File::options().write(true).open(&fifo).unwrap();
    server.signal(Signal::TERM);
    assert_eq!(server.wait().signal(), Some(15));
}
