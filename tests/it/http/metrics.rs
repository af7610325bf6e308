//! `/-/metrics` counts what happened, in a format that Prometheus accepts.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::{Item, Log, Server, serve, serve_with, until};

fn scrape(server: &Server) -> String {
    let answer = server.get("/-/metrics");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.head.contains("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{answer:?}");
    answer.text()
}

fn value(metrics: &str, name: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in {metrics}")).parse().unwrap()
}

/// Waits until these counters have grown by this much.
fn until_counted(server: &Server, before: &str, grown: &[(&str, f64)]) {
    for &(name, by) in grown {
        let mut counted = 0.0;
        let is_so = crate::support::within(Duration::from_secs(10), || {
            counted = value(&scrape(server), name) - value(before, name);
            counted == by
        });
        assert!(is_so, "{name} grew by {counted}, not by {by}");
    }
}

fn ended(outcome: &str) -> String {
    format!("wstail_connections_total{{outcome=\"{outcome}\"}}")
}

#[test]
fn connections_are_counted_by_outcome() {
    let log = Log::with("a\n");
    let server = serve_with(&log, &["--heartbeat", "0.2", "--heartbeat-timeout", "0.2"]);
    let before = scrape(&server);
    drop(server.connect());
    assert_eq!(server.client("app.log").close().0, 1000);
    assert_eq!(server.get("/missing").status, 404);
    server.upgraded("app.log?tail=1").write_all(&[0x81, 1, b'x']).unwrap();
    let mut mute = server.upgraded("app.log?tail=1&lines=0");
    mute.read_to_end(&mut Vec::new()).unwrap();
    drop(server.follow());
    for (outcome, by) in [("silent", 1.0), ("refused", 1.0), ("fault", 1.0), ("heartbeat_missed", 1.0), ("left", 1.0)] {
        until_counted(&server, &before, &[(&ended(outcome), by)]);
    }
    until_counted(&server, &before, &[("wstail_heartbeats_missed_total", 1.0)]);
    assert!(value(&scrape(&server), &ended("completed")) >= 1.0);
    until("the one that asks is the only one", || value(&scrape(&server), "wstail_connections_open") == 1.0);

    let mut followers: Vec<_> = (0..3).map(|_| server.follow()).collect();
    followers.iter_mut().for_each(|follower| follower.expect(["a"]));
    // Those that asked before may not have left yet.
    let open = || value(&scrape(&server), "wstail_connections_open");
    until("the followers and the one that asks are open", || open() == 4.0);
}

#[test]
fn refused_clients_are_counted() {
    let log = Log::with("a\n");
    let server = serve_with(&log, &["--max-connections", "1"]);
    let before = scrape(&server);
    let mut follower = None;
    until("the place is free", || {
        follower = server.try_client("app.log?tail=1&lines=all").ok();
        follower.is_some()
    });
    let mut turned_away = 0.0;
    for _ in 0..3 {
        turned_away += f64::from(server.get("/app.log").status == 503);
    }
    assert_eq!(turned_away, 3.0);
    drop(follower);
    until("the place is given back", || server.get("/-/healthz").status == 200);
    until("it can be asked", || server.get("/-/metrics").status == 200);
    let mut metrics = String::new();
    until("it can be read", || {
        let answer = server.get("/-/metrics");
        metrics = answer.text();
        answer.status == 200
    });
    assert!(value(&metrics, &ended("overloaded")) - value(&before, &ended("overloaded")) >= 3.0, "{metrics}");
}

#[test]
fn sent_and_missing_bytes_are_counted() {
    let log = Log::with("0123456789\n");
    let server = serve_with(&log, &["--rotate-wait", "0"]);
    let start = scrape(&server);
    let mut client = server.events("app.log?tail=1&lines=all");
    client.story("0123456789\n");
    let place = client.cursor();
    // Messages are counted once they are sent: `open`, the line and a cursor.
    until_counted(&server, &start, &[("wstail_sent_messages_total", 3.0)]);
    let before = scrape(&server);
    log.append("x".repeat(999) + "\n");
    client.story("x\n");
    client.cursor();
    // The line and a cursor, each with the head of its frame.
    until_counted(&server, &before, &[("wstail_sent_messages_total", 2.0)]);
    let sent = value(&scrape(&server), "wstail_sent_bytes_total") - value(&before, "wstail_sent_bytes_total");
    assert!((1000.0..1500.0).contains(&sent), "{sent} bytes");

    log.rotate("app.log.1", "b\n");
    client.story("b\n");
    client.cursor();
    log.writer().set_len(0).unwrap();
    log.append("c\n");
    assert_eq!(client.story("c\n"), "<gap truncated><truncated>c\n");
    let grown = [
        ("wstail_rotations_total", 1.0),
        ("wstail_truncations_total", 1.0),
        ("wstail_gaps_total{reason=\"truncated\"}", 1.0),
        ("wstail_gaps_total{reason=\"expired\"}", 0.0),
        ("wstail_lost_bytes_total", 0.0),
    ];
    until_counted(&server, &before, &grown);

    let before = scrape(&server);
    let resume = || {
        let mut client = server.events(&format!("app.log?cursor={place}"));
        while !matches!(client.next(), Item::Close(..)) {}
    };
    resume();
    std::fs::remove_file(log.beside("app.log.1")).unwrap();
    resume();
    until_counted(
        &server,
        &before,
        &[
            ("wstail_resumes_total{result=\"hit\"}", 1.0),
            ("wstail_resumes_total{result=\"miss\"}", 1.0),
            ("wstail_gaps_total{reason=\"cursor\"}", 1.0),
        ],
    );
}

#[test]
fn lost_bytes_are_counted() {
    let log = Log::with(b"a\n");
    let server = serve_with(&log, &["--rotate-wait", "0"]);
    let mut client = server.events("app.log?tail=1&lines=all");
    client.story("a\n");
    // A writer that does not append leaves a hole when its log is truncated.
    let writer = std::fs::OpenOptions::new().write(true).open(log.path()).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&writer, b"b\n", 2).unwrap();
    client.story("b\n");
    client.cursor();
    let before = scrape(&server);
    writer.set_len(0).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&writer, b"c\n", 4).unwrap();
    client.story("c\n");
    until_counted(&server, &before, &[("wstail_lost_bytes_total", 4.0)]);
}

#[test]
fn process_metrics_are_reported() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let metrics = scrape(&server);
    let resident = value(&metrics, "process_resident_memory_bytes");
    assert!((1e6..100e6).contains(&resident), "{resident}");
    let begun = value(&metrics, "process_start_time_seconds");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    assert!((now - 60.0..now + 2.0).contains(&begun), "{begun}, now {now}");
    let descriptors = value(&metrics, "process_open_fds");
    assert!((5.0..20.0).contains(&descriptors), "{descriptors}");
    assert!(value(&metrics, "process_threads") >= 2.0);
    assert!(value(&metrics, "process_cpu_seconds_total") < 5.0);
}

#[test]
#[ignore = "needs promtool"]
fn promtool_accepts_the_metrics() {
    let log = Log::with("a\n");
    let server = serve(&log);
    server.follow().expect(["a"]);
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut promtool = promtool.spawn().unwrap();
    promtool.stdin.take().unwrap().write_all(scrape(&server).as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success() && said.is_empty(), "{}", String::from_utf8_lossy(&said));
}
