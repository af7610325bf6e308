//! Service managers and shells: readiness, and ignored signals.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{DEADLINE, Log, Process, Server, serve_by, until, wstail};

fn receive(socket: &UnixDatagram) -> String {
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut datagram = [0; 64];
    let length = socket.recv(&mut datagram).expect("a datagram in time");
    String::from_utf8(datagram[..length].to_vec()).unwrap()
}

#[test]
fn the_service_manager_is_notified_of_start_and_stop() {
    let log = Log::with("a\n");
    let path = log.beside(".notify");
    let name = format!("wstail-test-{}", std::process::id());
    let sockets = [
        (UnixDatagram::bind(&path).unwrap(), path.to_str().unwrap().to_owned()),
        (UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap(), format!("@{name}")),
    ];
    for (socket, place) in sockets {
        let mut command = wstail();
        command.env("NOTIFY_SOCKET", &place);
        let server = serve_by(command, &[log.directory()], &[]);
        assert_eq!(receive(&socket), "READY=1", "{place}");
        assert_eq!(server.get("/app.log").text(), "a\n");
        let _client = server.follow();
        server.process.signal(Signal::TERM);
        assert_eq!(receive(&socket), "STOPPING=1", "{place}");
        assert_eq!(server.process.wait().code(), Some(0));
    }
}

#[test]
fn a_missing_service_manager_is_ignored() {
    let log = Log::with("a\n");
    for place in ["/does/not/exist", "@nobody-listens-here", "relative", "vsock:2:1234"] {
        let mut command = wstail();
        command.env("NOTIFY_SOCKET", place);
        let server = serve_by(command, &[log.directory()], &[]);
        assert_eq!(server.get("/app.log").text(), "a\n");
        server.process.signal(Signal::TERM);
        let (code, errors) = server.process.end();
        assert_eq!((code, errors.lines().count()), (0, 1), "{place}: {errors}");
    }
}

/// A server started by a shell that ignores these signals.
fn serve_ignoring(log: &Log, signals: &str) -> Server {
    let mut command = Command::new("sh");
    let script = format!("trap '' {signals}; exec \"$0\" \"$@\"");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_wstail"), "serve", "--port=0"]).arg(log.directory());
    command.stdout(Stdio::piped()).stdin(Stdio::null()).env_remove("RUST_LOG");
    let process = Process::start(command);
    let address = process.line().replace("listening on http://", "").trim_end_matches('/').to_owned();
    Server { process: Arc::new(process), address }
}

#[test]
fn a_signal_that_was_ignored_at_the_start_stays_ignored() {
    let log = Log::with("a\n");
    for (signals, ignored, obeyed) in [("HUP", Signal::HUP, Signal::TERM), ("HUP INT", Signal::INT, Signal::TERM)] {
        let server = serve_ignoring(&log, signals);
        let mut client = server.follow();
        client.expect(["a"]);
        server.process.signal(ignored);
        let begun = Instant::now();
        until("it had the time to stop", || begun.elapsed() > Duration::from_millis(500));
        assert_eq!(server.get("/app.log").text(), "a\n", "{signals}");
        drop(client);
        server.process.signal(obeyed);
        assert_eq!(server.process.end().0, 0, "{signals}");
    }
}
