//! `wstail tail` with a filter, against a server that applies it.

use std::fs;
use std::process::Stdio;

use rustix::process::Signal;

use crate::support::proxy::FaultProxy;
use crate::support::{Log, Process, Server, serve, wstail};

fn start(address: &str, arguments: &[&str]) -> Process {
    let mut command = wstail();
    command.args(["tail", &format!("{address}/app.log")]).args(arguments).stdout(Stdio::piped());
    Process::start(command)
}

/// Searches the log up to its end, without a notice.
fn found(server: &Server, arguments: &[&str]) -> String {
    let tail = start(&server.address, &[&["--no-follow", "-q"], arguments].concat());
    let lines = tail.lines();
    assert_eq!(tail.end(), (0, String::new()), "{arguments:?}");
    lines.join(" ")
}

#[test]
fn options_select_lines() {
    let log = Log::with("alpha\nBeta+\ngamma beta\n\ndelta \x1b[1m\nend");
    let server = serve(&log);
    for (arguments, expected) in [
        (&["-g", "pha$"][..], "alpha"),
        (&["-g", "beta"], "Beta+ gamma beta"),
        (&["-g", "Beta"], "Beta+"),
        (&["-g", "GAMMA", "-i"], "gamma beta"),
        (&["-g", "beta", "-s"], "gamma beta"),
        (&["-g", "alpha", "-g", "beta"], "alpha Beta+ gamma beta"),
        (&["-g", "gamma", "-g", "beta", "--all-match"], "gamma beta"),
        (&["-g", "beta", "-v", "gamma"], "Beta+"),
        (&["-v", "a", "-v", "^$"], "end"),
        (&["-g", "a+", "--fixed-strings"], "Beta+"),
        (&["-g", "^.e", "-m", "1"], "Beta+"),
        (&["-g", "^.e", "-n", "1"], "delta \x1b[1m"),
        (&["-m", "2"], "alpha Beta+"),
        (&["-g", "gamma", "-C", "1"], "Beta+ gamma beta "),
        (&["-g", "gamma", "-B", "1", "-C", "0"], "Beta+ gamma beta"),
        (&["-g", "alpha", "-g", "^end", "-A", "1"], "alpha Beta+ -- end"),
        (&["-g", "alpha", "-g", "^end", "-A", "1", "-o", "raw"], "alpha Beta+ -- end"),
        (&["-g", "alpha", "-g", "delta", "-A", "1", "-v", "gamma|^$"], "alpha Beta+ delta \x1b[1m end"),
    ] {
        assert_eq!(found(&server, arguments), expected, "{arguments:?}");
    }
}

#[test]
fn levels_and_entries_are_those_of_the_log() {
    let log = Log::with(
        "2026-11-23 01:32:27 INFO started\n\
         2026-11-23 01:32:28 ERROR failed\n  at one\n  at two\n\
         2026-11-23 01:32:29 WARN slow\n",
    );
    let server = serve(&log);
    let error = "2026-11-23 01:32:28 ERROR failed   at one   at two";
    assert_eq!(found(&server, &["-l", "error"]), error);
    assert_eq!(found(&server, &["-l", "warn"]), format!("{error} 2026-11-23 01:32:29 WARN slow"));
    assert_eq!(found(&server, &["-g", "at one", "--entry"]), error);
    assert_eq!(found(&server, &["-l", "error", "-g", "two"]), "  at two");
}

#[test]
fn new_lines_are_selected_while_a_log_is_followed() {
    let log = Log::with((0..30).map(|number| format!("old {number}\nother\n")).collect::<String>());
    let server = serve(&log);
    let tail = start(&server.address, &["-q", "-g", "old", "-g", "new", "-v", "newer"]);
    for number in 20..30 {
        assert_eq!(tail.line(), format!("old {number}"));
    }
    log.append("other\nnew 1\nnewer\nnew");
    assert_eq!(tail.line(), "new 1");
    log.append(" 2\n");
    assert_eq!(tail.line(), "new 2");
    log.rotate("app.log.1", "new 3\n");
    assert_eq!(tail.line(), "new 3");
    tail.signal(Signal::INT);
    assert_eq!(tail.end(), (130, String::new()));
}

#[test]
fn max_ends_a_followed_log_with_its_context() {
    let log = Log::with("a1\nb\nc\n");
    let server = serve(&log);
    let tail = start(&server.address, &["-q", "-g", "a", "-A1", "-m2"]);
    assert_eq!([tail.line(), tail.line()], ["a1", "b"]);
    log.append("d\na2\n");
    assert_eq!([tail.line(), tail.line()], ["--", "a2"]);
    log.append("e\nf\na3\n");
    assert_eq!(tail.lines(), ["e"]);
    assert_eq!(tail.end(), (0, String::new()));
}

#[test]
fn lines_that_match_come_once_over_a_bad_network() {
    const COUNT: usize = 20_000;
    let log = Log::with((0..COUNT).map(|number| format!("{number} {}\n", number % 7)).collect::<String>());
    let server = serve(&log);
    for (seed, arguments) in [(1, &["-g", " 3$"][..]), (2, &["-g", " 3$", "-C1"]), (3, &["-v", " [0-46]$", "-m1000"])] {
        let proxy = FaultProxy::start(server.address.clone(), seed);
        let tail = start(&proxy.address(), &[&["-q", "--no-follow"], arguments].concat());
        let mut lines = tail.lines();
        assert_eq!(tail.end(), (0, String::new()));
        // A stream that is resumed between two groups has no separator there.
        lines.retain(|line| line != "--");
        let expected = (0..COUNT).filter(|number| match seed {
            1 => number % 7 == 3,
            2 => (2..=4).contains(&(number % 7)),
            _ => number % 7 == 5,
        });
        let expected = expected.take(if seed == 3 { 1000 } else { COUNT });
        assert!(lines.into_iter().eq(expected.map(|number| format!("{number} {}", number % 7))), "{arguments:?}");
    }
}

#[test]
fn a_restarted_server_sends_the_matches_that_are_missing() {
    let log = Log::with("a1\nb\na2\n");
    let server = serve(&log);
    let proxy = FaultProxy::start(server.address.clone(), 0);
    proxy.calm();
    let tail = start(&proxy.address(), &["-g", "a", "-m4"]);
    assert_eq!([tail.line(), tail.line()], ["a1", "a2"]);
    server.process.signal(Signal::KILL);
    server.process.wait();
    log.append("c\na3\n");
    log.rotate("app.log.1", "d\na4\na5\n");
    let server = serve(&log);
    proxy.set_target(server.address.clone());
    assert_eq!(tail.lines(), ["a3", "a4"]);
    assert_eq!(tail.end().0, 0);
}

#[test]
fn a_cursor_file_resumes_a_filtered_log() {
    let log = Log::with("a1\nb\nc\n");
    let server = serve(&log);
    let notes = tempfile::tempdir().unwrap();
    let file = notes.path().join("cursor");
    let run = |arguments: &[&str]| {
        let file = file.to_str().unwrap();
        found(&server, &[&["-g", "^a", "--cursor-file", file], arguments].concat())
    };
    assert_eq!(run(&[]), "a1");
    assert_eq!(run(&[]), "");
    log.append("a2\na3\nd\n");
    assert_eq!(run(&["-m1"]), "a2");
    log.append("a4\n");
    log.rotate("app.log.1", "e\na5\n");
    assert_eq!(run(&[]), "a3 a4 a5");
    let noted = fs::read_to_string(&file).unwrap();
    let tail = start(&server.address, &["-g", "^b", "--no-follow", "--cursor-file", file.to_str().unwrap()]);
    let expected = format!("wstail: cannot use `{}`: the cursor file is of another filter\n", file.display());
    assert_eq!(tail.end(), (2, expected));
    assert_eq!(fs::read_to_string(&file).unwrap(), noted);
}

#[test]
fn nothing_found_is_a_notice_and_no_failure() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let tail = start(&server.address, &["--no-follow", "-g", "b"]);
    assert!(tail.lines().is_empty());
    let (code, errors) = tail.end();
    assert!(code == 0 && errors.ends_with("\nwstail: no lines match\n"), "{errors}");
}

#[test]
fn a_pattern_in_the_url_that_the_server_refuses_is_a_failure() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let mut command = wstail();
    command.args(["tail", &format!("{}/app.log?grep=a(", server.address)]);
    let (code, errors) = Process::start(command).end();
    assert!(code == 1 && errors.contains("`grep`") && errors.ends_with("(status 400)\n"), "{errors}");
    assert_eq!(errors.lines().count(), 1);
}

#[test]
fn groups_of_several_logs_are_separated() {
    let log = Log::with("a\nx\nb\nc\nd\nx\n");
    fs::write(log.beside("other.log"), "x\n").unwrap();
    let server = serve(&log);
    let mut command = wstail();
    command.args(["tail", "-q", "--no-follow", "-B1", "-g", "x"]).stdout(Stdio::piped());
    command.args(["app.log", "other.log"].map(|name| format!("{}/{name}", server.address)));
    let tail = Process::start(command);
    let (others, lines): (Vec<_>, Vec<_>) = tail.lines().into_iter().partition(|line| line.starts_with("other.log"));
    assert_eq!(others, ["other.log: x"]);
    assert_eq!(lines, ["app.log: a", "app.log: x", "--", "app.log: d", "app.log: x"]);
    assert_eq!(tail.end(), (0, String::new()));
}

#[test]
fn a_filtered_log_keeps_up_with_its_writer() {
    let log = Log::with("");
    let server = serve(&log);
    let tail = start(&server.address, &["-q", "-n", "all", "-g", "0$", "-m", "100"]);
    (1..=1000).for_each(|number| log.append(format!("{number}\n")));
    assert!(tail.lines().into_iter().eq((1..=100).map(|ten| format!("{ten}0"))));
    assert_eq!(tail.end(), (0, String::new()));
}
