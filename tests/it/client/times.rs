//! `wstail tail` with a range of times.

use std::fs;
use std::process::Stdio;
use std::sync::mpsc;

use tungstenite::Message;

use crate::support::by_hand::{by_hand, end, send};
use crate::support::proxy::FaultProxy;
use crate::support::{Log, Process, Server, serve_with, wstail};

const OLD: &str = "2026-11-22 10:00:00 INFO a\n2026-11-22 11:00:00 ERROR b\n";
const NEW: &str = "2026-11-23 10:00:00 INFO c\n2026-11-23 10:15:00 INFO d\n2026-11-23 10:20:00 ERROR e\n";

fn start(address: &str, arguments: &[&str]) -> Process {
    let mut command = wstail();
    command.args(["tail", &format!("{address}/app.log")]).args(arguments).stdout(Stdio::piped());
    Process::start(command)
}

fn logs() -> (Log, Server) {
    let log = Log::with(NEW);
    fs::write(log.beside("app.log.1"), OLD).unwrap();
    let server = serve_with(&log, &["--zone", "UTC"]);
    (log, server)
}

/// The last letters of the lines that are printed up to the end.
fn found(server: &Server, arguments: &[&str]) -> String {
    let tail = start(&server.address, &[&["-q"], arguments].concat());
    let lines = tail.lines();
    assert_eq!(tail.end(), (0, String::new()), "{arguments:?}");
    lines.iter().filter_map(|line| line.chars().last()).collect()
}

#[test]
fn options_select_a_range() {
    let (_log, server) = logs();
    for (arguments, expected) in [
        (&["-S", "2026-11-22 10:30", "--no-follow"][..], "bcde"),
        (&["-S", "2026-11-23 10:15", "-U", "2026-11-23 10:20"], "d"),
        (&["-S", "2026-11-23 10:15", "-U", "+5m1s"], "de"),
        (&["--since=2026-11-22", "--until=+1d"], "ab"),
        (&["-U", "2026-11-23 10:15"], "abc"),
        (&["-U", "2026-11-23 10:15", "-n", "1"], "c"),
        (&["-S", "2026-11-22", "-l", "error", "--no-follow"], "be"),
        (&["-S", "2026-11-23 11:15", "-U", "+5m", "--zone", "+01:00"], ""),
        (&["-S", "2026-11-23T11:15+01:00", "-U", "+5m"], "d"),
        (&["--history", "-n", "4", "--no-follow"], "bcde"),
        (&["--history", "-n", "all", "--no-follow"], "abcde"),
        (&["--history", "-g", "INFO", "--no-follow"], "acd"),
        (&["-n", "all", "--no-follow"], "cde"),
        (&["-S", "10m", "--no-follow", "-n", "2"], ""),
    ] {
        assert_eq!(found(&server, arguments), expected, "{arguments:?}");
    }
}

#[test]
fn a_log_is_followed_from_a_time_on() {
    let (log, server) = logs();
    let tail = start(&server.address, &["-S", "2026-11-22 10:30"]);
    assert_eq!(["b", "c", "d", "e"].map(|_| tail.line().pop().unwrap()), ['b', 'c', 'd', 'e']);
    log.append("f\n");
    assert_eq!(tail.line(), "f");
}

#[test]
fn a_cursor_file_resumes_a_range() {
    let (log, server) = logs();
    let notes = tempfile::tempdir().unwrap();
    let file = notes.path().join("cursor");
    let run = |arguments: &[&str]| {
        found(&server, &[&["-S", "2026-11-22 10:30", "--cursor-file", file.to_str().unwrap()], arguments].concat())
    };
    assert_eq!(run(&["-U", "2026-11-23 10:15"]), "bc");
    assert_eq!(run(&["-U", "2026-11-23 10:15"]), "");
    log.append("2026-11-23 11:00:00 INFO f\n");
    assert_eq!(run(&["-U", "2026-11-23 10:20"]), "d");
    assert_eq!(run(&["--no-follow"]), "ef");
}

#[test]
fn an_empty_range_is_a_notice() {
    let (_log, server) = logs();
    let notices = |arguments: &[&str]| {
        let tail = start(&server.address, arguments);
        assert!(tail.lines().is_empty(), "{arguments:?}");
        let (code, errors) = tail.end();
        assert_eq!(code, 0, "{arguments:?}: {errors}");
        errors.lines().filter(|line| !line.contains("connected")).map(|line| format!("{line}\n")).collect::<String>()
    };
    let empty = "wstail: no lines are in this range of times\n";
    for arguments in [
        &["-S", "2026-11-23 10:30", "--no-follow"][..],
        &["-U", "2026-11-22"],
        &["-S", "2026-11-23 10:16", "-U", "+1m"],
        &["-S", "2026-11-23 10:20", "-U", "2026-11-23 10:15"],
    ] {
        assert_eq!(notices(arguments), empty, "{arguments:?}");
        assert_eq!(notices(&[arguments, &["-q"]].concat()), "", "{arguments:?}");
    }
    assert_eq!(notices(&["-S", "2026-11-23", "-g", "nothing", "--no-follow"]), "wstail: no lines match\n");
    assert_eq!(notices(&["-S", "2026-11-23", "-n", "0", "--no-follow"]), "");
}

#[test]
fn what_cannot_be_used_is_reported_in_one_line() {
    let (log, server) = logs();
    fs::write(log.beside("timeless.log"), "no time here\n".repeat(1000)).unwrap();
    for (arguments, code, words) in [
        (&["-S", "soon"][..], 2, &["cannot use `-S soon`", "not a time", "character 1"][..]),
        (&["--until=2026-02-30"], 2, &["cannot use `--until 2026-02-30`", "day"]),
        (&["--zone", "../../etc/passwd"], 2, &["cannot use `--zone ../../etc/passwd`", "Europe/Berlin"]),
        // Only the server knows these.
        (&["--zone", "Mars/Olympus"], 2, &["cannot use `--zone Mars/Olympus`", "unknown time zone", "(status 400)"]),
        (&["-U", "+5m"], 2, &["--until", "--since"]),
        (&["-S", "1h", "-n", "+5"], 2, &["--since", "-n +N"]),
    ] {
        let (status, errors) = start(&server.address, arguments).end();
        assert!(status == code && words.iter().all(|word| errors.contains(word)), "{arguments:?}: {status} {errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
    }
    let mut command = wstail();
    command.args(["tail", "-q", "-S", "1h", &format!("{}/timeless.log", server.address)]);
    let expected = format!(
        "wstail: cannot follow ws://{}/timeless.log: no times are recognised in this log (status 422)\n",
        server.address
    );
    assert_eq!(Process::start(command).end(), (1, expected));
    let mut command = wstail();
    command.args(["serve", "--zone", "Mars/Olympus"]).arg(log.directory());
    let expected = "wstail: cannot serve: unknown time zone `Mars/Olympus` (see --zone)\n";
    assert_eq!(Process::start(command).end(), (2, expected.to_owned()));
}

#[test]
fn a_time_means_the_same_after_a_lost_connection() {
    let (sender, targets) = mpsc::channel();
    let address = by_hand(move |number, target, socket| {
        sender.send(target.to_owned()).unwrap();
        let open = r#"{"event":"open","path":"app.log","size":0,"heartbeat":0.2,"cursor":"abc","zone":"UTC","since":"2026-11-23T10:00:00Z","until":"2026-11-23T10:05:00.5Z"}"#;
        socket.send(Message::text(open)).unwrap();
        match number {
            0 => send(socket, "one\n"),
            _ => end(socket),
        }
    });
    let tail = start(&address, &["-q", "-S", "10m", "-U", "+5m"]);
    assert_eq!(tail.lines(), ["one"]);
    assert_eq!(tail.end(), (0, String::new()));
    let targets: Vec<String> = targets.try_iter().collect();
    let [first, second] = &targets[..] else { panic!("{targets:?}") };
    for part in ["since=10m", "until=%2B5m", "tail=0", "lines=all"] {
        assert!(first.contains(part), "{first}");
    }
    for part in ["since=2026-11-23T10%3A00%3A00Z", "until=2026-11-23T10%3A05%3A00.5Z", "cursor=abc.4"] {
        assert!(second.contains(part), "{second}");
    }
}

#[test]
fn a_range_comes_once_over_a_bad_network() {
    let line = |number: usize| {
        format!("2026-11-23 {:02}:{:02}:{:02} {number}\n", number / 3600, number / 60 % 60, number % 60)
    };
    let log = Log::with((40_000..60_000).step_by(9).map(line).collect::<String>());
    fs::write(log.beside("app.log.1"), (20_002..40_000).step_by(9).map(line).collect::<String>()).unwrap();
    let server = serve_with(&log, &["--zone", "UTC"]);
    for (seed, filter) in [(1, &[][..]), (2, &["-g", "7$"])] {
        let proxy = FaultProxy::start(server.address.clone(), seed);
        let arguments = [&["-q", "-S", "2026-11-23 08:00", "-U", "2026-11-23 16:00"], filter].concat();
        let tail = start(&proxy.address(), &arguments);
        let lines = tail.lines();
        assert_eq!(tail.end(), (0, String::new()));
        let expected = (20_002..60_000)
            .step_by(9)
            .filter(|number| (28_800..57_600).contains(number))
            .filter(|number| filter.is_empty() || number % 10 == 7);
        assert!(lines.into_iter().eq(expected.map(|number| line(number).trim_end().to_owned())), "seed {seed}");
    }
}
