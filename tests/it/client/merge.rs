//! `wstail tail --merge`: entries of several logs in the order of their times.

use std::fs;
use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{Log, Process, Server, serve, serve_with, until, wstail};

fn tail(server: &Server, paths: &[&str], arguments: &[&str]) -> Process {
    let mut command = wstail();
    command.args(["tail", "-q", "--merge"]).args(paths.iter().map(|path| format!("{}/{path}", server.address)));
    command.args(arguments).stdout(Stdio::piped());
    Process::start(command)
}

fn line(second: usize, text: &str) -> String {
    format!("2026-11-23 01:{:02}:{:02} {text}\n", second / 60, second % 60)
}

#[test]
fn entries_of_all_logs_come_in_the_order_of_their_times() {
    let log = Log::with([line(1, "a"), line(4, "b"), "  at x\n  at y\n".to_owned(), line(9, "c")].concat());
    fs::write(log.beside("other.log"), [line(2, "d"), line(4, "e"), line(5, "f")].concat()).unwrap();
    fs::write(log.beside("plain.log"), "no time\nneither\n").unwrap();
    let server = serve(&log);
    let expected = [
        "plain.log: no time",
        "plain.log: neither",
        "app.log: 2026-11-23 01:00:01 a",
        "other.log: 2026-11-23 01:00:02 d",
        "app.log: 2026-11-23 01:00:04 b",
        "app.log:   at x",
        "app.log:   at y",
        "other.log: 2026-11-23 01:00:04 e",
        "other.log: 2026-11-23 01:00:05 f",
        "app.log: 2026-11-23 01:00:09 c",
    ];
    for paths in [&["*"][..], &["app.log", "other.log", "plain.log"]] {
        let tail = tail(&server, paths, &["--no-follow"]);
        assert_eq!(tail.lines(), expected, "{paths:?}");
        assert_eq!(tail.end(), (0, String::new()));
    }
    // Equal times keep the order of the arguments.
    let swapped = tail(&server, &["other.log", "app.log"], &["--no-follow", "-g", "01:00:04", "--prefix", "never"]);
    assert_eq!(swapped.lines(), ["2026-11-23 01:00:04 e", "2026-11-23 01:00:04 b"]);
}

#[test]
fn times_without_a_zone_are_read_as_the_server_says() {
    let log = Log::with(line(2, "a").replace(" 01:", " 03:"));
    fs::write(log.beside("other.log"), "2026-11-23T01:00:01Z b\n2026-11-23T01:00:03Z c\n").unwrap();
    let server = serve_with(&log, &["--zone", "+02:00"]);
    let texts = |arguments: &[&str]| {
        let lines = tail(&server, &["*"], &[&["--no-follow", "--prefix=never"], arguments].concat()).lines();
        lines.iter().map(|line| line.rsplit(' ').next().unwrap().to_owned()).collect::<String>()
    };
    assert_eq!(texts(&[]), "bac");
    assert_eq!(texts(&["--zone", "UTC"]), "bca");
}

#[test]
fn large_logs_are_merged_exactly() {
    let log = Log::with("");
    let mut expected = Vec::new();
    let mut writers: Vec<_> = (0..3)
        .map(|number| std::io::BufWriter::new(fs::File::create(log.beside(&format!("{number}.log"))).unwrap()))
        .collect();
    let mut random = crate::support::random::Random::new(7);
    for second in 0..60_000_usize {
        let (at, text) = (random.below(3), format!("{} {second:06} {}", line(second / 20, "").trim(), "x".repeat(60)));
        writeln!(writers[at], "{text}\n  more of {second}").unwrap();
        expected.push((second / 20, at, text, format!("  more of {second}")));
    }
    drop(writers);
    fs::remove_file(log.path()).unwrap();
    let server = serve(&log);
    let lines = tail(&server, &["*"], &["--no-follow", "-n", "all", "--prefix=never"]).lines();
    // Stable: what one log has within a second stays in its order.
    expected.sort_by_key(|(second, at, ..)| (*second, *at));
    let expected: Vec<_> = expected.into_iter().flat_map(|(.., text, more)| [text, more]).collect();
    assert!(lines == expected, "{} lines, expected {}", lines.len(), expected.len());
}

#[test]
fn while_following_entries_are_held_for_a_moment() {
    // Without times, so that they are printed at once.
    let log = Log::with("first\n");
    fs::write(log.beside("other.log"), "first\n").unwrap();
    let server = serve(&log);
    let tail = tail(&server, &["app.log", "other.log"], &["--merge-wait", "4", "--prefix=never"]);
    assert_eq!([tail.line(), tail.line()], ["first", "first"]);
    let begun = Instant::now();
    log.append(line(5, "later"));
    let mut other = fs::OpenOptions::new().append(true).open(log.beside("other.log")).unwrap();
    other.write_all(line(3, "earlier").as_bytes()).unwrap();
    assert_eq!(tail.line(), line(3, "earlier").trim());
    assert_eq!(tail.line(), line(5, "later").trim());
    assert!(begun.elapsed() >= Duration::from_secs(4), "{:?}", begun.elapsed());
    // One that comes too late is printed at once, and so is what has no time.
    let begun = Instant::now();
    log.append(line(4, "too late"));
    assert_eq!(tail.line(), line(4, "too late").trim());
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

/// How many bytes the server has sent.
fn sent(server: &Server) -> usize {
    let metrics = server.get("/-/metrics").text();
    metrics.lines().find_map(|line| line.strip_prefix("wstail_sent_bytes_total ")?.parse().ok()).unwrap()
}

#[test]
fn a_long_line_is_not_interrupted_by_another_log() {
    let log = Log::with("first\n");
    fs::write(log.beside("other.log"), "first\n").unwrap();
    let server = serve(&log);
    let tail = tail(&server, &["app.log", "other.log"], &["--merge-wait", "0", "--prefix=never"]);
    assert_eq!([tail.line(), tail.line()], ["first", "first"]);
    let (before, long, other) = (sent(&server), line(5, &"x".repeat(3 << 20)), line(6, "other"));
    let (beginning, rest) = long.split_at(2 << 20);
    log.append(beginning);
    until("its beginning is sent", || sent(&server) >= before + beginning.len());
    fs::OpenOptions::new().append(true).open(log.beside("other.log")).unwrap().write_all(other.as_bytes()).unwrap();
    until("the other line is sent", || sent(&server) >= before + beginning.len() + other.len());
    log.append(rest);
    // Whichever was read first.
    let mut printed = [tail.line(), tail.line()];
    printed.sort_by_key(String::len);
    let [short, whole] = printed;
    assert!(whole == long.trim_end(), "{} bytes, then {short:?}", whole.len());
    assert_eq!(short, other.trim_end());
}

#[test]
fn one_entry_of_the_future_does_not_end_a_merge() {
    let log = Log::with(line(1, "a").replace("2026", "2076"));
    for name in ["one.log", "two.log"] {
        fs::write(log.beside(name), line(1, "a")).unwrap();
    }
    let server = serve(&log);
    let tail = tail(&server, &["app.log", "one.log", "two.log"], &["--merge-wait", "3", "--prefix=never"]);
    for _ in 0..3 {
        assert!(tail.line().ends_with(" a"));
    }
    let append = |name: &str, text: String| {
        fs::OpenOptions::new().append(true).open(log.beside(name)).unwrap().write_all(text.as_bytes()).unwrap();
    };
    let before = sent(&server);
    append("one.log", line(5, "later"));
    until("it is sent", || sent(&server) >= before + line(5, "later").len());
    append("two.log", line(3, "earlier"));
    assert_eq!([tail.line(), tail.line()], [line(3, "earlier").trim(), line(5, "later").trim()]);
}

#[test]
fn a_reader_that_leaves_ends_a_merge_quietly() {
    let every_other =
        |first: usize| (first..3600).step_by(2).map(|second| line(second, "a").repeat(12)).collect::<String>();
    let log = Log::with(every_other(0));
    fs::write(log.beside("other.log"), every_other(1)).unwrap();
    let server = serve(&log);
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut command = wstail();
    command
        .args(["tail", "-q", "--merge", "--no-follow", "-n", "all", &format!("{}/*", server.address)])
        .stdout(writer);
    let tail = Process::start(command);
    std::io::Read::read_exact(&mut reader, &mut [0; 100]).unwrap();
    drop(reader);
    assert_eq!(tail.end(), (0, String::new()));
}
