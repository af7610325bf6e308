//! `wstail tail` with several logs: patterns, logs that come and go, prefixes, limits.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{Log, Process, Server, serve, serve_with, until, within, wstail};

fn tail(server: &Server, paths: &[&str], arguments: &[&str]) -> Process {
    let mut command = wstail();
    command.arg("tail").args(paths.iter().map(|path| format!("{}/{path}", server.address)));
    command.args(arguments).stdout(Stdio::piped());
    Process::start(command)
}

/// The lines that it prints of what is there, sorted, and its notices.
fn printed(server: &Server, paths: &[&str], arguments: &[&str]) -> (Vec<String>, i32, String) {
    let tail = tail(server, paths, &[&["--no-follow"], arguments].concat());
    let mut lines = tail.lines();
    lines.sort();
    let (code, errors) = tail.end();
    (lines, code, errors)
}

/// `app.log`, two logs of nginx, and a rotated file.
fn tree() -> Log {
    let log = Log::with("old\n");
    log.rotate("app.log.1", "a1\na2\n");
    fs::create_dir_all(log.beside("nginx")).unwrap();
    fs::write(log.beside("nginx/access.log"), "GET /\nGET /x\n").unwrap();
    fs::write(log.beside("nginx/error.log"), "timeout\n").unwrap();
    log
}

/// Reads the lines that were there, in any order: what comes now is followed.
fn is_followed<const N: usize>(tail: &Process, lines: [&str; N]) {
    let mut printed: Vec<_> = lines.iter().map(|_| tail.line()).collect();
    printed.sort();
    assert_eq!(printed, lines);
}

fn append(path: &Path, text: &str) {
    OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

#[test]
fn a_pattern_stands_for_all_logs_that_match() {
    let log = tree();
    let server = serve(&log);
    let nginx = ["nginx/access.log: GET /", "nginx/access.log: GET /x", "nginx/error.log: timeout"];
    for path in ["nginx/*.log", "nginx/", "nginx/**", "n*/*", "nginx/?*.log?lines=all"] {
        let (lines, code, errors) = printed(&server, &[path], &[]);
        assert_eq!((lines, code), (nginx.map(str::to_owned).to_vec(), 0), "{path}: {errors}");
        assert!(errors.starts_with("wstail: 2 logs match ws://"), "{errors}");
    }
    let (lines, ..) = printed(&server, &[""], &["-n", "1", "-q"]);
    assert_eq!(lines, ["app.log: a2", "nginx/access.log: GET /x", "nginx/error.log: timeout"]);
    // What is named and what is matched come once.
    let (lines, ..) = printed(&server, &["app.log", "*.log", "app*"], &["-q"]);
    assert_eq!(lines, ["app.log: a1", "app.log: a2"]);
}

#[test]
fn nothing_that_matches_is_not_a_failure() {
    let log = tree();
    let server = serve(&log);
    let expected = format!("wstail: no log matches ws://{}/*.txt\n", server.address);
    assert_eq!(printed(&server, &["*.txt"], &[]), (vec![], 0, expected));
}

#[test]
fn a_prefix_is_printed_when_it_is_wanted() {
    let log = tree();
    let server = serve(&log);
    for (paths, arguments, expected) in [
        (&["app.log"][..], &["--prefix", "always"][..], &["app.log: a1", "app.log: a2"][..]),
        (&["app.log"], &["--prefix", "auto"], &["a1", "a2"]),
        (&["app?log"], &[], &["app.log: a1", "app.log: a2"]),
        (&["app?log", "nginx/error.log"], &["--prefix=never"], &["a1", "a2", "timeout"]),
        (&["app?log"], &["-o", "raw"], &["a1", "a2"]),
        (&["nginx/e*"], &["-o", "json"], &[r#"{"log":"nginx/error.log","line":"timeout"}"#]),
    ] {
        let (lines, code, _) = printed(&server, paths, &[arguments, &["-q"]].concat());
        assert_eq!((&lines[..], code), (&expected.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>()[..], 0));
    }
}

#[test]
fn a_filter_is_for_every_log() {
    let log = tree();
    let server = serve(&log);
    let (lines, ..) = printed(&server, &["**"], &["-q", "-g", "x$", "-g", "timeout"]);
    assert_eq!(lines, ["nginx/access.log: GET /x", "nginx/error.log: timeout"]);
}

#[test]
fn more_logs_than_allowed_are_an_error_with_the_options_name() {
    let log = Log::with("");
    (0..50).for_each(|number| fs::write(log.beside(&format!("{number}x.log")), "x\n").unwrap());
    let server = serve(&log);
    let cause = "there would be 51 logs, and --max-logs allows 50";
    let expected = format!("wstail: cannot follow ws://{}/*.log: {cause}\n", server.address);
    assert_eq!(printed(&server, &["*.log"], &[]), (vec![], 1, expected.clone()));
    let following = tail(&server, &["*.log"], &[]);
    assert_eq!(following.end(), (1, expected));
    let (lines, code, _) = printed(&server, &["*.log"], &["--max-logs", "51"]);
    assert_eq!((lines.len(), code), (50, 0));
    let (_, code, errors) = printed(&server, &["0x.log", "1x.log"], &["--max-logs=1"]);
    assert_eq!((code, &errors[..]), (1, "wstail: cannot follow 2 logs: --max-logs allows 1\n"));
}

#[test]
fn a_log_that_appears_later_is_read_from_its_first_byte() {
    let log = tree();
    let server = serve(&log);
    let tail = tail(&server, &["nginx/*.log"], &["-n", "1"]);
    is_followed(&tail, ["nginx/access.log: GET /x", "nginx/error.log: timeout"]);
    let long: String = (0..100).map(|number| format!("{number}\n")).collect();
    append(&log.beside("nginx/new.log"), &long);
    for number in 0..100 {
        assert_eq!(tail.line(), format!("nginx/new.log: {number}"));
    }
    append(&log.beside("nginx/error.log"), "more\n");
    assert_eq!(tail.line(), "nginx/error.log: more");
    tail.signal(Signal::INT);
    let (code, errors) = tail.end();
    assert_eq!(code, 130);
    assert!(errors.contains("wstail: nginx/new.log: a new log\n"), "{errors}");
}

#[test]
fn a_range_of_times_is_also_that_of_a_log_that_appears_later() {
    let log = Log::with("2026-11-23T10:30:00Z a\n");
    let server = serve(&log);
    let tail = tail(&server, &["*.log"], &["-S", "2026-11-23T10:00:00Z"]);
    assert_eq!(tail.line(), "app.log: 2026-11-23T10:30:00Z a");
    append(&log.beside("new.log"), "2026-11-23T09:00:00Z early\n2026-11-23T11:00:00Z b\n");
    assert_eq!(tail.line(), "new.log: 2026-11-23T11:00:00Z b");
}

#[test]
fn a_rotation_is_followed_and_its_files_are_not_new_logs() {
    let log = tree();
    let server = serve(&log);
    let tail = tail(&server, &["*"], &["-q", "-n", "1"]);
    is_followed(&tail, ["app.log: a2"]);
    log.append("a3\n");
    fs::rename(log.beside("app.log.1"), log.beside("app.log.2")).unwrap();
    log.rotate("app.log.1", "b1\n");
    fs::write(log.beside("new.log"), "new\n").unwrap();
    let mut lines = [tail.line(), tail.line(), tail.line()];
    lines.sort();
    assert_eq!(lines, ["app.log: a3", "app.log: b1", "new.log: new"]);
    fs::write(log.beside("newer.log"), "newer\n").unwrap();
    assert_eq!(tail.line(), "newer.log: newer");
}

#[test]
fn a_log_beyond_the_limit_that_appears_later_is_left_out() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let mut command = Command::new("sh");
    // Its notices, too.
    command.args(["-c", "exec \"$0\" \"$@\" 2>&1", env!("CARGO_BIN_EXE_wstail"), "tail", "--max-logs", "1"]);
    command.arg(format!("{}/*", server.address)).stdin(Stdio::null()).stdout(Stdio::piped());
    let tail = Process::start(command);
    assert_eq!(tail.line(), format!("wstail: 1 log matches ws://{}/*", server.address));
    assert_eq!(tail.line(), "app.log: a");
    fs::write(log.beside("new.log"), "new\n").unwrap();
    assert_eq!(tail.line(), "wstail: new.log is left out: as many logs are followed as --max-logs allows");
    log.append("b\n");
    assert_eq!(tail.line(), "app.log: b");
}

#[test]
fn a_pattern_is_heard_of_again_after_a_restart_of_the_server() {
    let log = tree();
    let server = serve(&log);
    let port = server.address.rsplit(':').next().unwrap().to_owned();
    let tail = tail(&server, &["*.log"], &["-q"]);
    assert_eq!([tail.line(), tail.line()], ["app.log: a1", "app.log: a2"]);
    server.process.signal(Signal::TERM);
    server.process.wait();
    append(&log.beside("new.log"), "new\n");
    log.append("a3\n");
    let mut command = wstail();
    command.args(["serve", "--port", &port]).arg(log.directory()).stdout(Stdio::piped());
    let again = Process::start(command);
    again.line();
    let mut lines = [tail.line(), tail.line()];
    lines.sort();
    assert_eq!(lines, ["app.log: a3", "new.log: new"]);
}

#[test]
fn a_pattern_works_below_a_base_path_and_with_several_servers() {
    let (log, other) = (tree(), Log::with("b\n"));
    let (server, beside) = (serve_with(&log, &["--base-path", "/logs"]), serve(&other));
    let (lines, code, errors) = printed(&server, &["logs/nginx/e*"], &["-q"]);
    assert_eq!((lines, code), (vec!["logs/nginx/error.log: timeout".to_owned()], 0), "{errors}");
    let mut command = wstail();
    command.args(["tail", "-q", "--no-follow", &format!("{}/logs/*", server.address)]);
    command.arg(format!("{}/*", beside.address)).stdout(Stdio::piped());
    let mut lines = Process::start(command).lines();
    lines.sort();
    let mut expected = ["a1", "a2"].map(|line| format!("{}/logs/app.log: {line}", server.address)).to_vec();
    expected.push(format!("{}/app.log: b", beside.address));
    expected.sort();
    assert_eq!(lines, expected);
}

#[test]
fn what_the_server_refuses_ends_a_pattern() {
    let log = tree();
    let server = serve_with(&log, &["--base-path", "/logs"]);
    let (lines, code, errors) = printed(&server, &["nginx/*"], &[]);
    assert_eq!((lines.len(), code), (0, 1));
    assert!(errors.contains("everything is below the base path (status 404)"), "{errors}");
}

#[test]
fn each_log_has_a_cursor_file_of_its_own() {
    let (log, cursors) = (tree(), tempfile::tempdir().unwrap());
    let server = serve(&log);
    let dir = cursors.path().join("cursors");
    let arguments = ["-q", "-n", "all", "--cursor-dir", dir.to_str().unwrap()];
    let (lines, code, errors) = printed(&server, &["nginx/*", "app.log"], &arguments);
    assert_eq!((lines.len(), code), (5, 0), "{errors}");
    let mut names: Vec<_> =
        fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let name = |path: &str| format!("{}%2F{path}", server.address.replace(':', "%3A"));
    assert_eq!(names, [name("app.log"), name("nginx%2Faccess.log"), name("nginx%2Ferror.log")]);
    append(&log.beside("nginx/error.log"), "more\n");
    log.rotate("app.log.1", "a3\n");
    fs::write(log.beside("nginx/new.log"), "new\n").unwrap();
    until("it is listed", || server.get("/-/files").text().contains("new.log"));
    for merge in [&["--merge"][..], &[]] {
        let (lines, code, errors) = printed(&server, &["nginx/*", "app.log"], &[&arguments, merge].concat());
        let expected = ["app.log: a3", "nginx/error.log: more", "nginx/new.log: new"];
        assert_eq!(
            (lines, code),
            (if merge.is_empty() { vec![] } else { expected.map(str::to_owned).to_vec() }, 0),
            "{errors}"
        );
    }
    // Another filter would leave lines out for ever.
    let (_, code, errors) = printed(&server, &["app.log"], &[&arguments[..], &["-g", "x"]].concat());
    assert!(code == 2 && errors.ends_with("the cursor file is of another filter\n"), "{errors}");
}

#[test]
fn a_cursor_directory_of_another_filter_ends_a_pattern_that_is_followed() {
    let (log, cursors) = (tree(), tempfile::tempdir().unwrap());
    let server = serve(&log);
    let arguments = ["-q", "-n", "all", "--cursor-dir", cursors.path().to_str().unwrap()];
    assert_eq!(printed(&server, &["nginx/*"], &arguments).0.len(), 3);
    let tail = tail(&server, &["nginx/*", "app.log"], &[&arguments[..], &["-g", "."]].concat());
    let name = format!("{}%2Fnginx%2Faccess.log", server.address.replace(':', "%3A"));
    let file = cursors.path().join(name);
    let expected = format!("wstail: cannot use `{}`: the cursor file is of another filter\n", file.display());
    assert_eq!(tail.end(), (2, expected));
}

#[test]
fn a_cursor_directory_is_for_one_run_at_a_time() {
    let (log, cursors) = (tree(), tempfile::tempdir().unwrap());
    let server = serve(&log);
    let arguments = ["-q", "--cursor-dir", cursors.path().to_str().unwrap()];
    let first = tail(&server, &["app?log"], &arguments);
    assert_eq!(first.line(), "app.log: a1");
    let (lines, code, errors) = printed(&server, &["app.log"], &arguments);
    assert_eq!((lines.len(), code), (0, 1));
    assert!(errors.ends_with("app.log is in use\n"), "{errors}");
    drop(first);
    let file = cursors.path().join("file");
    fs::write(&file, "").unwrap();
    let (_, code, errors) = printed(&server, &["app.log"], &["--cursor-dir", file.to_str().unwrap()]);
    assert_eq!(
        (code, errors),
        (1, format!("wstail: cannot use the cursor directory `{}`: file exists\n", file.display()))
    );
}

#[test]
#[ignore = "needs a minute"]
fn a_deleted_log_is_left_after_a_minute_and_a_new_one_of_its_name_is_read_from_its_first_byte() {
    let log = tree();
    let server = serve_with(&log, &["--heartbeat", "1"]);
    let tail = tail(&server, &["nginx/*"], &["-n", "1"]);
    is_followed(&tail, ["nginx/access.log: GET /x", "nginx/error.log: timeout"]);
    fs::remove_file(log.beside("nginx/error.log")).unwrap();
    let begun = Instant::now();
    let longest = Duration::from_secs(90);
    assert!(within(longest, || server.connections() == 2), "it is followed for too long");
    assert!(begun.elapsed() > Duration::from_secs(55), "{:?}", begun.elapsed());
    append(&log.beside("nginx/error.log"), "again\n");
    assert_eq!(tail.line(), "nginx/error.log: again");
    tail.signal(Signal::INT);
    let (code, errors) = tail.end();
    assert_eq!(code, 130);
    assert!(errors.contains("wstail: nginx/error.log: the log was deleted\n"), "{errors}");
}
