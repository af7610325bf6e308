//! TLS: the cost of handshakes, and the same bytes as without it.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::certificates::{local_certificates, secure_url, tail};
use crate::support::random::Random;
use crate::support::{Log, Process, Server, close_code, frame, read_frame, serve_with, until, wstail};

#[test]
fn a_log_is_followed_over_wss_and_https() {
    let (log, files) = (Log::with("a\nb\n"), local_certificates());
    let server = files.serve(&log, &[]);
    for scheme in ["wss", "https"] {
        let tail =
            tail(&format!("{scheme}://{}/app.log", server.address), &["--ca-file", &files.word("ca.pem"), "-n1"]);
        let last = fs::read_to_string(log.path()).unwrap().lines().last().unwrap().to_owned();
        assert_eq!(tail.line(), last);
        log.append(format!("{scheme}\n"));
        assert_eq!(tail.line(), scheme);
        tail.signal(Signal::INT);
        assert_eq!(tail.end(), (130, format!("wstail: connected to {}\n", secure_url(&server))));
    }
    until("both are gone", || server.connections() == 0);
}

#[test]
fn two_megabytes_arrive_byte_for_byte_with_close_notify() {
    let mut random = Random::new(7);
    let bytes: Vec<u8> = (0..2_000_000).map(|_| random.below(256) as u8).collect();
    let (log, files) = (Log::with(&bytes), local_certificates());
    let server = files.serve(&log, &[]);
    let output = wstail()
        .args(["tail", &secure_url(&server), "--ca-file", &files.word("ca.pem"), "--no-follow", "-n", "all", "-q"])
        .stdout(Stdio::piped())
        .output()
        .unwrap();
    assert!(output.status.success() && output.stdout == bytes, "{} bytes over wss", output.stdout.len());
    let answer = files.get(&server, "/app.log?lines=all", "");
    assert!(answer.ends_with(&bytes), "{} bytes over https", answer.len());
}

#[test]
fn heartbeats_work_over_tls() {
    let (log, files) = (Log::with("a\n"), local_certificates());
    let server = files.serve(&log, &["--heartbeat", "0.3", "--heartbeat-timeout", "0.5"]);
    let tail = tail(&secure_url(&server), &["--ca-file", &files.word("ca.pem")]);
    assert_eq!(tail.line(), "a");
    let mut silent = files.upgraded(&server, "app.log?tail=1&lines=0");
    assert_eq!(close_code(&mut silent), 4408);
    thread::sleep(Duration::from_millis(1200));
    log.append("b\n");
    assert_eq!(tail.line(), "b");
    tail.signal(Signal::INT);
    assert_eq!(
        tail.end(),
        (130, format!("wstail: connected to {}\n", secure_url(&server))),
        "one connection did for it all"
    );
}

#[test]
fn silent_and_dripping_tls_clients_meet_one_deadline() {
    let (log, files) = (Log::with("a\n"), local_certificates());
    let server = files.serve(&log, &[]);
    let begun = Instant::now();
    let silent = server.connect();
    let mut hello = server.connect();
    // A handshake record that is never completed.
    hello.write_all(&[22, 3, 1, 1, 0]).unwrap();
    let shaken = files.connect(&server);
    let mut head = files.connect(&server);
    head.conn.writer().write_all(&[b'x'; 4000]).unwrap();
    let mut record = Vec::new();
    head.conn.write_tls(&mut record).unwrap();
    let mut record = record.into_iter();
    let tail = tail(&secure_url(&server), &["--ca-file", &files.word("ca.pem"), "-q"]);
    assert_eq!(tail.line(), "a");
    until("all are served", || server.connections() == 5);
    while server.connections() > 1 {
        let _ = hello.write_all(&[1]);
        let _ = head.sock.write_all(&[record.next().unwrap()]);
        thread::sleep(Duration::from_millis(20));
        assert!(begun.elapsed() < Duration::from_millis(6500), "{} are left", server.connections());
    }
    assert!(begun.elapsed() > Duration::from_millis(4500), "{:?}", begun.elapsed());
    log.append("b\n");
    assert_eq!(tail.line(), "b");
    drop((silent, shaken));
}

#[test]
fn a_dripped_tls_record_delays_nothing() {
    let (log, files) = (Log::with(""), local_certificates());
    let server = files.serve(&log, &["--heartbeat", "0.3", "--heartbeat-timeout", "60"]);
    let mut stream = files.upgraded(&server, "app.log?tail=1&lines=0");
    stream.conn.writer().write_all(&frame(0x81, &[b'x'; 4000])).unwrap();
    let mut record = Vec::new();
    stream.conn.write_tls(&mut record).unwrap();
    let mut dripping = stream.sock.try_clone().unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            for byte in record {
                if dripping.write_all(&[byte]).is_err() {
                    break;
                }
                thread::sleep(Duration::from_millis(2));
            }
        });
        let (mut pings, mut lines) = (0, 0);
        while pings < 3 || lines < 3 {
            match read_frame(&mut stream).unwrap() {
                (0x81, payload) if payload == b"ping" => {
                    pings += 1;
                    log.append("line\n");
                }
                (0x81, payload) => lines += String::from_utf8(payload).unwrap().lines().count(),
                other => panic!("{other:?}"),
            }
        }
        let begun = Instant::now();
        server.process.signal(Signal::TERM);
        assert_eq!(close_code(&mut stream), 1001);
        assert_eq!(server.process.wait().code(), Some(0));
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    });
}

#[test]
fn many_small_messages_in_one_record_are_all_read() {
    let (log, files) = (Log::with(""), local_certificates());
    let server = files.serve(&log, &[]);
    let mut stream = files.upgraded(&server, "app.log?tail=1&lines=0");
    // More than the server takes in one read, and then nothing more.
    let words: Vec<u8> = (0..1000).flat_map(|_| frame(0x81, b"word")).collect();
    stream.write_all(&[words, frame(0x88, &1000u16.to_be_bytes())].concat()).unwrap();
    assert_eq!(close_code(&mut stream), 1000);
}

#[test]
fn a_head_of_several_reads_that_comes_at_once_is_answered() {
    let (log, files) = (Log::with("a\n"), local_certificates());
    let server = files.serve(&log, &[]);
    let answer = files.get(&server, "/app.log", &format!("x: {}\r\n", "y".repeat(12_000)));
    assert!(answer.ends_with(b"\r\n\r\na\n"), "{}", String::from_utf8_lossy(&answer));
}

#[test]
fn a_half_closed_tls_client_is_served() {
    let (log, files) = (Log::with("a\n"), local_certificates());
    let server = files.serve(&log, &[]);
    let streams = [files.upgraded(&server, "app.log?tail=1"), files.connect(&server)];
    until("both are served", || server.connections() == 2);
    // The TCP connections end without a close_notify.
    drop(streams);
    until("both are gone", || server.connections() == 0);
    let mut stream = files.connect(&server);
    stream.write_all(b"GET /app.log?tail=1&lines=all HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    stream.conn.send_close_notify();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(
        answer.ends_with(b"2\r\na\n\r\n") || answer.ends_with(b"0\r\n\r\n"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
}

#[test]
fn a_client_that_stops_reading_catches_up_and_one_that_never_does_is_closed() {
    let line = format!("{}\n", "x".repeat(99));
    let (log, files) = (Log::with(line.repeat(200_000)), local_certificates());
    let server = files.serve(&log, &["--stall-timeout", "1", "--heartbeat", "0.3", "--heartbeat-timeout", "0.3"]);
    let never = files.upgraded(&server, "app.log?tail=1&lines=all");
    let mut slow = files.upgraded(&server, "app.log?lines=all");
    let idle = server.process.status("VmRSS");
    let (mut received, begun) = (0, Instant::now());
    loop {
        match read_frame(&mut slow).unwrap() {
            (0x81, payload) if payload == b"ping" => slow.write_all(&frame(0x81, b"pong")).unwrap(),
            (0x81, payload) => received += payload.len(),
            (_, payload) => break assert_eq!(&payload[..2], 1000u16.to_be_bytes()),
        }
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(received, 20_000_000);
    assert!(begun.elapsed() > Duration::from_secs(1), "{:?}", begun.elapsed());
    until("the other is closed", || server.connections() == 0);
    assert!(server.process.status("VmRSS").saturating_sub(idle) < 8 * 1024);
    drop(never);
    server.process.signal(Signal::TERM);
    let (_, errors) = server.process.end();
    assert!(errors.contains("4410: no data accepted for 1s"), "{errors}");
}

#[test]
fn the_last_bytes_of_a_followed_body_come_though_no_more_are_written() {
    let (log, files) = (Log::with(format!("{}\n", "x".repeat(99)).repeat(100_000)), local_certificates());
    log.append("the end\n");
    let server = files.serve(&log, &[]);
    let mut stream = files.connect(&server);
    stream.write_all(b"GET /app.log?tail=1&lines=all HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"the end\n\r\n") {
        let mut chunk = [0; 16_384];
        let read = stream.read(&mut chunk).unwrap();
        answer.extend(&chunk[..read]);
        thread::sleep(Duration::from_micros(500));
    }
}

#[test]
fn plain_text_on_a_tls_connection_is_explained_on_both_ends() {
    let (log, files) = (Log::with("a\n"), local_certificates());
    let server = files.serve(&log, &[]);
    let answer = server.get("/app.log");
    assert_eq!((answer.status, answer.text().as_str()), (400, "this port speaks TLS: use https:// or wss://\n"));
    let (code, errors) = tail(&format!("ws://{}/app.log", server.address), &[]).end();
    assert!(code == 1 && errors.contains("this port speaks TLS"), "{errors}");
    let plain = serve_with(&log, &[]);
    let (code, errors) = tail(&secure_url(&plain), &["--insecure", "-q", "--retry", "never"]).end();
    let expected = format!(
        "wstail: cannot connect to {}: the server does not speak TLS: try ws:// or http://\n",
        secure_url(&plain)
    );
    assert_eq!((code, errors), (1, expected));
}

#[test]
fn a_stopping_or_full_tls_server_is_reported() {
    let (log, files) = (Log::with("a\n"), local_certificates());
    let server = files.serve(&log, &["--max-connections", "1"]);
    let ca = files.word("ca.pem");
    let served = tail(&secure_url(&server), &["--ca-file", &ca, "--retry", "never", "-q"]);
    assert_eq!(served.line(), "a");
    let refused = tail(&secure_url(&server), &["--ca-file", &ca, "--retry", "never", "-q"]);
    let (code, errors) = refused.end();
    assert!(code == 1 && errors.contains("received fatal alert"), "{errors}");
    server.process.signal(Signal::TERM);
    let (code, errors) = served.end();
    assert!(code == 1 && errors.contains("server is going away (closed with 1001)"), "{errors}");
    assert_eq!(server.process.wait().code(), Some(0));
}

#[test]
fn a_leaving_client_sends_close_notify() {
    let files = local_certificates();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    for (arguments, signal) in [(&["tail"][..], Some(Signal::INT)), (&["healthcheck"], None)] {
        let mut command = wstail();
        command.args(arguments).arg(format!("https://{address}/app.log")).arg("--insecure").stdout(Stdio::piped());
        let client = Process::start(command);
        let mut stream = files.accept(&listener);
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.extend(byte);
        }
        let request = String::from_utf8(request).unwrap();
        match signal {
            None => stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap(),
            Some(signal) => {
                let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
                let accept = tungstenite::handshake::derive_accept_key(key.as_bytes());
                let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept";
                write!(stream, "HTTP/1.1 101 Switching Protocols\r\n{upgrade}: {accept}\r\n\r\n").unwrap();
                stream.write_all(&[0x81, 2, b'a', b'\n']).unwrap();
                assert_eq!(client.line(), "a");
                client.signal(signal);
            }
        }
        // Without close_notify this is an error: the answer may have been cut off.
        stream.read_to_end(&mut Vec::new()).unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
    }
}

#[test]
fn a_full_tls_server_is_retried() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let tail = tail(&format!("wss://{}/app.log", listener.local_addr().unwrap()), &["--insecure", "-q"]);
    for _ in 0..2 {
        listener.accept().unwrap().0.write_all(&[21, 3, 1, 0, 2, 2, 80]).unwrap();
    }
    tail.signal(Signal::INT);
    assert_eq!(tail.end(), (130, String::new()));
}

/// The server's share of memory (PSS), in KiB.
fn memory(server: &Server) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", server.process.pid)).unwrap();
    let line = rollup.lines().find(|line| line.starts_with("Pss:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn hundreds_of_idle_followers_cost_less_than_128_kib_each() {
    const FOLLOWERS: u64 = 300;
    let (log, files) = (Log::with(format!("{}\n", "x".repeat(99)).repeat(1000)), local_certificates());
    let server = files.serve(&log, &["--heartbeat", "60"]);
    let follow = || {
        let mut stream = files.upgraded(&server, "app.log?tail=1&lines=1000");
        assert_eq!(read_frame(&mut stream).unwrap().1.len(), 100_000);
        stream
    };
    drop(follow());
    until("the first is gone", || server.connections() == 0);
    let before = memory(&server);
    let followers: Vec<_> = (0..FOLLOWERS).map(|_| follow()).collect();
    until("their buffers are given back", || memory(&server).saturating_sub(before) / FOLLOWERS < 128);
    assert_eq!(server.connections(), FOLLOWERS);
    drop(followers);
}

#[test]
fn shutdown_takes_at_most_3_s_with_hanging_tls_clients() {
    let (log, files) = (Log::with(format!("{}\n", "x".repeat(99)).repeat(500_000)), local_certificates());
    let server = files.serve(&log, &[]);
    let mut hello = server.connect();
    hello.write_all(&[22, 3, 1, 1, 0]).unwrap();
    let _others = (server.connect(), files.connect(&server), files.upgraded(&server, "app.log?tail=1&lines=all"));
    until("all are served", || server.connections() == 4);
    let begun = Instant::now();
    server.process.signal(Signal::TERM);
    assert_eq!(server.process.wait().code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[test]
fn a_hanging_tls_handshake_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("wss://{}/app.log", listener.local_addr().unwrap());
    let stopped = tail(&silent, &["--insecure", "-q"]);
    let late = tail(&silent, &["--insecure", "-q", "--retry", "never"]);
    let begun = Instant::now();
    let _accepted = [listener.accept().unwrap(), listener.accept().unwrap()];
    stopped.signal(Signal::INT);
    assert_eq!(stopped.end(), (130, String::new()));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let expected = format!("wstail: cannot connect to {silent}: the TLS handshake was not finished within 10 s\n");
    assert_eq!(late.end(), (1, expected));
}

#[test]
fn the_servers_own_origin_is_https() {
    let (log, files) = (Log::with("a\n"), local_certificates());
    let server = files.serve(&log, &[]);
    for (origin, status) in [("https://localhost", "200"), ("http://localhost", "403")] {
        let answer = files.get(&server, "/app.log", &format!("Origin: {origin}\r\n"));
        assert!(answer.starts_with(format!("HTTP/1.1 {status} ").as_bytes()), "{origin}");
    }
}

#[test]
#[ignore = "needs curl"]
fn curl_reads_over_tls_of_both_versions() {
    let (log, files) = (Log::with("a\nb\n"), local_certificates());
    let server = files.serve(&log, &[]);
    for version in [&["--tlsv1.3"][..], &["--tlsv1.2", "--tls-max", "1.2"]] {
        let url = format!("https://{}/app.log?lines=1", server.address);
        let mut command = Command::new("curl");
        command.args(["-sS", "--cacert", &files.word("ca.pem")]).args(version).arg(url).stdout(Stdio::piped());
        let curl = Process::start(command);
        assert_eq!((curl.lines(), curl.end()), (vec!["b".to_owned()], (0, String::new())), "{version:?}");
    }
}

#[test]
#[ignore = "needs websockets from PyPI"]
fn an_asyncio_consumer_follows_over_wss_for_three_heartbeats() {
    let (log, files) = (Log::with(""), local_certificates());
    let server = files.serve(&log, &["--heartbeat=0.5", "--heartbeat-timeout=0.4"]);
    let mut command = wstail();
    command.arg("produce").arg(log.path()).args(["--rate", "50"]);
    let _producer = Process::start(command);
    let url = format!("wss://{}/app.log?tail=1", server.address);
    let mut command = Command::new("python3");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/follow.py");
    // Python's ssl reads the variable, too.
    command.arg(script).args([&url, "pings", "4"]).env("PYTHONUTF8", "1").env("SSL_CERT_FILE", files.path("ca.pem"));
    let client = Process::start({
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command
    });
    let lines = client.lines();
    assert_eq!(client.end(), (0, String::new()));
    assert!(lines.len() > 50 && lines.iter().all(|line| line.ends_with(" - 你好aaa")), "{} lines", lines.len());
}
