//! `tail` with paths of this machine, without a server.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use rustix::system::uname;

use crate::support::{Log, Process, serve, until, wstail};

/// `wstail tail` in the log's directory.
fn command(log: &Log, arguments: &[&str]) -> Command {
    let mut command = wstail();
    command.arg("tail").args(arguments).current_dir(log.directory()).stdout(Stdio::piped());
    command.env_remove("WSTAIL_NO_NOTIFY");
    command
}

fn tail(log: &Log, arguments: &[&str]) -> Process {
    Process::start(command(log, arguments))
}

/// What it prints of what is there, sorted, its exit code and its notices.
fn printed(log: &Log, arguments: &[&str]) -> (Vec<String>, i32, String) {
    let tail = tail(log, &[&["--no-follow"], arguments].concat());
    let mut lines = tail.lines();
    lines.sort();
    let (code, errors) = tail.end();
    (lines, code, errors)
}

fn interrupt(tail: &Process) -> String {
    tail.signal(Signal::INT);
    let (code, errors) = tail.end();
    assert_eq!(code, 130, "{errors}");
    errors
}

/// How many files and directories the process watches.
fn watches(tail: &Process) -> usize {
    let process = format!("/proc/{}", tail.pid);
    let fds = fs::read_dir(format!("{process}/fd")).unwrap().flatten();
    let infos = fds.map(|fd| process.clone() + "/fdinfo/" + fd.file_name().to_str().unwrap());
    let watches = |info| fs::read_to_string(info).map_or(0, |info| info.matches("\ninotify ").count());
    infos.map(watches).sum()
}

fn is_waiting(tail: &Process) {
    until("it waits for a path", || watches(tail) > 0);
}

/// `app.log`, a rotated file of it, and `logs` with two logs and a hidden one.
fn tree() -> Log {
    let log = Log::with("old\n");
    log.rotate("app.log.1", "a1\na2\n");
    fs::create_dir_all(log.beside("logs/deep")).unwrap();
    fs::write(log.beside("logs/one.log"), "1\n").unwrap();
    fs::write(log.beside("logs/deep/two.log"), "2\n").unwrap();
    fs::write(log.beside("logs/.hidden.log"), "h\n").unwrap();
    log
}

#[test]
fn a_file_is_followed_through_whatever_is_done_to_it() {
    let log = Log::with("a\n");
    let tail = tail(&log, &["./app.log"]);
    assert_eq!(tail.line(), "a");
    log.append("b\n");
    assert_eq!(tail.line(), "b");
    // Renamed, and the writer goes on for a moment.
    let mut late = log.writer();
    log.rotate("app.log.1", "d\n");
    late.write_all(b"c\n").unwrap();
    drop(late);
    assert_eq!([tail.line(), tail.line()], ["c", "d"]);
    // Copied and truncated.
    fs::copy(log.path(), log.beside("app.log.2")).unwrap();
    log.writer().set_len(0).unwrap();
    log.append("e\n");
    assert_eq!(tail.line(), "e");
    // Deleted and created.
    fs::remove_file(log.path()).unwrap();
    log.append("f\n");
    assert_eq!(tail.line(), "f");
    let errors = interrupt(&tail);
    assert!(errors.starts_with("wstail: following ./app.log\nwstail: the log was rotated\n"), "{errors}");
    assert!(errors.contains("wstail: the log was truncated\n") && !errors.contains("connect"), "{errors}");
}

#[test]
fn a_directory_that_is_replaced_is_followed() {
    let log = Log::with("");
    fs::create_dir(log.beside("logs")).unwrap();
    fs::write(log.beside("logs/app.log"), "a\n").unwrap();
    let tail = tail(&log, &["./logs/app.log"]);
    assert_eq!(tail.line(), "a");
    fs::rename(log.beside("logs"), log.beside("logs.old")).unwrap();
    fs::create_dir(log.beside("logs")).unwrap();
    fs::write(log.beside("logs/app.log"), "b\n").unwrap();
    assert_eq!(tail.line(), "b");
    interrupt(&tail);
}

#[test]
fn no_rotation_of_many_is_left_out() {
    let log = Log::with("0\n");
    let tail = tail(&log, &["-n", "all", "./app.log"]);
    assert_eq!(tail.line(), "0");
    for number in 1..=50 {
        for older in (1..number).rev() {
            fs::rename(log.beside(&format!("app.log.{older}")), log.beside(&format!("app.log.{}", older + 1))).unwrap();
        }
        log.rotate("app.log.1", &format!("{number}\n"));
    }
    for number in 1..=50 {
        assert_eq!(tail.line(), number.to_string());
    }
    interrupt(&tail);
}

#[test]
fn a_missing_file_is_waited_for_and_read_from_its_first_byte() {
    let log = Log::with("");
    for path in ["./new.log", "./sub/deep/new.log"] {
        let tail = tail(&log, &["-n", "1", path]);
        is_waiting(&tail);
        let place = log.directory().join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        // What is created elsewhere is not it.
        fs::write(log.beside("other.log"), "other\n").unwrap();
        fs::write(log.beside("unfinished"), "1\n2\n3\n").unwrap();
        fs::rename(log.beside("unfinished"), &place).unwrap();
        assert_eq!([tail.line(), tail.line(), tail.line()], ["1", "2", "3"]);
        let errors = interrupt(&tail);
        let missing = format!("wstail: cannot open `{path}`: no such file or directory; waiting for it\n");
        assert_eq!(errors, format!("{missing}wstail: following {path}\n"));
    }
}

#[test]
fn a_missing_file_that_is_rotated_before_it_is_opened_is_read_from_its_first_byte() {
    let log = Log::with("");
    fs::rename(log.path(), log.beside("app.log.9")).unwrap();
    fs::write(log.beside("app.log.8"), "of a log before this one\n").unwrap();
    until("files that are created now are younger", || {
        fs::write(log.beside("now"), "").unwrap();
        let created = |name| log.beside(name).metadata().unwrap().created().unwrap();
        let is_younger = created("now") > created("app.log.8");
        fs::remove_file(log.beside("now")).unwrap();
        is_younger
    });
    let tail = tail(&log, &["-n", "1", "-q", "./app.log"]);
    is_waiting(&tail);
    tail.stop();
    log.append("1\n");
    for number in 2..=4 {
        for older in (1..number - 1).rev() {
            fs::rename(log.beside(&format!("app.log.{older}")), log.beside(&format!("app.log.{}", older + 1))).unwrap();
        }
        log.rotate("app.log.1", &format!("{number}\n"));
    }
    tail.signal(Signal::CONT);
    assert_eq!([tail.line(), tail.line(), tail.line(), tail.line()], ["1", "2", "3", "4"]);
    interrupt(&tail);
}

#[test]
fn a_missing_file_is_not_polled() {
    let log = Log::with("");
    let tail = tail(&log, &["./new.log"]);
    is_waiting(&tail);
    let before = tail.switches();
    std::thread::sleep(Duration::from_secs(3));
    let switches = tail.switches() - before;
    assert!(switches < 5, "{switches} wake-ups in 3 s");
}

#[test]
fn a_missing_file_is_found_without_notifications_too() {
    let log = Log::with("");
    let mut command = command(&log, &["./new.log"]);
    command.env("WSTAIL_NO_NOTIFY", "1");
    let tail = Process::start(command);
    until("it runs", || tail.threads().len() > 1);
    fs::write(log.beside("new.log"), "1\n").unwrap();
    assert_eq!((tail.line(), watches(&tail)), ("1".to_owned(), 0));
    interrupt(&tail);
}

#[test]
fn a_missing_file_ends_what_does_not_follow() {
    let log = Log::with("");
    for (path, shown) in [("./new.log", "./new.log"), ("./new/", "./new"), ("./new/*.log", "./new")] {
        let missing = format!("wstail: cannot open `{shown}`: no such file or directory\n");
        assert_eq!(printed(&log, &[path]), (vec![], 1, missing.clone()));
        let tail = tail(&log, &["--retry", "never", path]);
        assert_eq!(tail.end(), (1, missing));
    }
}

#[test]
fn what_is_no_file_is_an_error() {
    let log = tree();
    for (path, shown, cause) in [
        ("./app.log/", "./app.log", "not a directory"),
        ("./app.log/x", "./app.log/x", "not a directory"),
        ("/dev/null", "/dev/null", "neither a directory nor a regular file"),
    ] {
        assert_eq!(tail(&log, &[path]).end(), (1, format!("wstail: cannot open `{shown}`: {cause}\n")));
    }
    let tail = tail(&log, &["-q", "./new"]);
    is_waiting(&tail);
    fs::create_dir(log.beside("new")).unwrap();
    assert_eq!(tail.end(), (1, "wstail: cannot open `./new`: is a directory\n".to_owned()));
}

#[test]
#[ignore = "needs root and setpriv(1)"]
fn an_unreadable_file_is_waited_for() {
    let log = Log::with("1\n2\n");
    fs::set_permissions(log.directory(), Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(log.path(), Permissions::from_mode(0o000)).unwrap();
    let notices = || fs::read_to_string(log.beside("notices")).unwrap_or_default();
    let unprivileged = |arguments: &str| {
        let user = "setpriv --reuid=65534 --regid=65534 --clear-groups";
        let mut command = Command::new("sh");
        command.args(["-c", &format!("exec {user} {} tail {arguments} 2> notices", env!("CARGO_BIN_EXE_wstail"))]);
        Process::start({
            command.current_dir(log.directory()).stdout(Stdio::piped());
            command
        })
    };
    let denied = "wstail: cannot open `./app.log`: permission denied";
    assert_eq!(unprivileged("--no-follow ./app.log").end().0, 1);
    assert_eq!(notices(), format!("{denied}\n"));
    let tail = unprivileged("./app.log");
    until("it has tried", || notices() == format!("{denied}; trying again\n"));
    fs::set_permissions(log.path(), Permissions::from_mode(0o644)).unwrap();
    assert_eq!([tail.line(), tail.line()], ["1", "2"]);
    interrupt(&tail);
    assert_eq!(notices(), format!("{denied}; trying again\nwstail: following ./app.log\n"));
}

#[test]
fn a_directory_and_a_glob_stand_for_the_logs_below() {
    let log = tree();
    let (one, two) = ("one.log: 1", "deep/two.log: 2");
    let absolute = log.beside("logs").to_str().unwrap().to_owned();
    for (path, expected) in [
        ("./logs", &[two, one][..]),
        ("./logs/", &[two, one]),
        (&absolute, &[two, one]),
        ("./logs/*.log", &[one]),
        ("./logs/**/t?o.log", &[two]),
        ("./logs/d*/", &[two]),
        ("./l*s/*.log", &["logs/one.log: 1"]),
        ("./logs/.h*", &[".hidden.log: h"]),
        ("./logs/.hidden.log", &["h"]),
        ("./*.log", &["app.log: a1", "app.log: a2"]),
        ("./*.txt", &[]),
    ] {
        let (lines, code, errors) = printed(&log, &[path]);
        assert_eq!((&lines[..], code), (&expected.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>()[..], 0));
        assert!(!errors.contains("connect"), "{errors}");
    }
    let mut command = command(&log, &["--no-follow", "-q", "."]);
    command.current_dir(log.beside("logs/deep"));
    assert_eq!(Process::start(command).lines(), ["two.log: 2"]);
    // A file may have such a name.
    fs::write(log.beside("a[*]?lines=1#b%20.log"), "odd\n").unwrap();
    assert_eq!(printed(&log, &["./a[*]?lines=1#b%20.log"]).0, ["odd"]);
    assert_eq!(printed(&log, &["./a*%20.log"]).0, ["a[*]?lines=1#b%20.log: odd"]);
    let name = Path::new(std::ffi::OsStr::from_bytes(b"./\xff.log"));
    fs::write(log.directory().join(name), "bytes\n").unwrap();
    let mut command = wstail();
    command.args(["tail", "--no-follow"]).arg(name).current_dir(log.directory()).stdout(Stdio::piped());
    assert_eq!(Process::start(command).lines(), ["bytes"]);
}

#[test]
fn a_log_that_appears_in_a_directory_is_read_from_its_first_byte() {
    let log = Log::with("");
    let tail = tail(&log, &["-n", "1", "./logs/", "./app.log"]);
    is_waiting(&tail);
    fs::create_dir(log.beside("unfinished")).unwrap();
    fs::write(log.beside("unfinished/one.log"), "1\n2\n").unwrap();
    fs::rename(log.beside("unfinished"), log.beside("logs")).unwrap();
    assert_eq!([tail.line(), tail.line()], ["./logs/one.log: 1", "./logs/one.log: 2"]);
    fs::write(log.beside("logs/two.log"), "3\n4\n").unwrap();
    assert_eq!([tail.line(), tail.line()], ["./logs/two.log: 3", "./logs/two.log: 4"]);
    log.append("a\n");
    assert_eq!(tail.line(), "./app.log: a");
    let errors = interrupt(&tail);
    assert!(errors.contains("wstail: cannot open `./logs`: no such file or directory; waiting for it\n"), "{errors}");
    assert!(errors.contains("wstail: ./logs/two.log: a new log\n"), "{errors}");
}

#[test]
fn paths_and_servers_can_be_mixed() {
    let log = tree();
    let server = serve(&log);
    let remote = format!("{}/app.log", server.address);
    let machine = uname().nodename().to_string_lossy().into_owned();
    let names = |arguments: &[&str]| {
        let (lines, code, errors) = printed(&log, &[&["-n", "1"], arguments].concat());
        assert_eq!(code, 0, "{errors}");
        lines.iter().map(|line| line.split(": ").next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&[&remote, "./logs/one.log"]), ["app.log", "one.log"]);
    let mut expected = [remote.clone(), format!("{machine}/app.log")];
    expected.sort();
    assert_eq!(names(&[&remote, "./app.log"]), expected);
    let named = names(&["web=./app.log", "db-1=./logs/one.log", &remote]);
    assert_eq!(named, [&remote, "db-1/one.log", "web/app.log"]);
    fs::write(log.beside("logs/app.log"), "x\n").unwrap();
    assert_eq!(names(&["./app.log", "./logs/app.log"]), ["./app.log", "./logs/app.log"]);
    assert_eq!(names(&["./app.log", "./logs/*.log"]), ["./app.log", "./logs/app.log", "./logs/one.log"]);
    // What is named and what is matched come once.
    assert_eq!(names(&["./logs/app.log", "./logs/"]).len(), 3);
    let tail = tail(&log, &["-n", "0", &remote, "./app.log"]);
    until("both are followed", || server.connections() == 1 && watches(&tail) > 0);
    log.append("more\n");
    assert_eq!([tail.line(), tail.line()].map(|line| line.ends_with("app.log: more")), [true, true]);
}

#[test]
fn a_path_that_looks_like_a_url_is_refused_with_a_suggestion() {
    let log = tree();
    let refused = |text: &str| {
        let (lines, code, errors) = printed(&log, &[text]);
        assert_eq!((lines.len(), code, errors.lines().count()), (0, 2, 1), "{errors}");
        errors
    };
    assert_eq!(
        refused("logs/one.log"),
        "wstail: cannot use the URL `logs/one.log`: write `./logs/one.log` for the local path, or \
         `ws://logs:8765/one.log` for a server's log\n"
    );
    for name in ["app.log", "logs"] {
        assert!(refused(name).ends_with(&format!("write `./{name}` for the local path of this name\n")));
    }
    assert!(refused("-").contains("stdin cannot be followed"));
    assert!(refused("file:///var/log/app.log").ends_with("without `file://`: /var/log/app.log\n"));
    assert!(refused("./logs/[").ends_with("cannot use the path `./logs/[`: a `[` is not closed\n"));
}

#[test]
fn a_cursor_is_good_here_and_at_a_server() {
    let log = Log::with("1\n2\n");
    let server = serve(&log);
    let remote = format!("{}/app.log", server.address);
    let notes = tempfile::tempdir().unwrap();
    let file = notes.path().join("cursor").to_str().unwrap().to_owned();
    let printed = |path: &str| printed(&log, &["-q", "-n", "all", "--cursor-file", &file, path]).0;
    assert_eq!(printed("./app.log"), ["1", "2"]);
    log.append("3\n");
    log.rotate("app.log-20261122", "4\n");
    assert_eq!(printed(&remote), ["3", "4"]);
    log.append("5\n");
    log.rotate("app.log-20261123", "6\n");
    assert_eq!(printed("./app.log"), ["5", "6"]);
    let cursors = notes.path().join("dir").to_str().unwrap().to_owned();
    let printed = |path: &str| self::printed(&log, &["-q", "--cursor-dir", &cursors, path]).0;
    assert_eq!(printed("./app.log"), ["6"]);
    log.append("7\n");
    assert_eq!(printed(log.path().to_str().unwrap()), ["7"]);
    assert_eq!(printed("./*.log"), Vec::<String>::new());
}

#[test]
fn all_options_work_without_a_server() {
    let line = |second: u32, text: &str| format!("2026-11-23 01:00:{second:02} {text}\n");
    let log = Log::with(line(1, "ERROR old"));
    log.rotate("app.log.1", &[line(3, "INFO c"), line(5, "ERROR e")].concat());
    fs::write(log.beside("b.log"), [line(2, "INFO b"), line(4, "WARN d")].concat()).unwrap();
    let ends = |arguments: &[&str]| {
        let tail = tail(&log, &[&["--no-follow", "-q"], arguments].concat());
        let lines: Vec<_> = tail.lines().iter().map(|line| line.rsplit(' ').next().unwrap().to_owned()).collect();
        assert_eq!(tail.end(), (0, String::new()));
        lines.concat()
    };
    assert_eq!(ends(&["./app.log", "-g", "ERROR"]), "e");
    assert_eq!(ends(&["./app.log", "-l", "error", "--history"]), "olde");
    assert_eq!(ends(&["./app.log", "-S", "2026-11-23 01:00:00", "-U", "2026-11-23 01:00:04"]), "oldc");
    assert_eq!(ends(&["./app.log", "-n", "+2"]), "e");
    assert_eq!(ends(&["--merge", "./*.log"]), "bcde");
    assert_eq!(ends(&["--merge", "./app.log", "./b.log"]), "bcde");
    let (lines, ..) = printed(&log, &["-n", "1", "-o", "json", "./b.log"]);
    assert_eq!(lines, [r#"{"log":"b.log","line":"2026-11-23 01:00:04 WARN d"}"#]);
    let (_, code, errors) = printed(&log, &["./app.log", "-g", "("]);
    assert_eq!((code, errors.contains("`--grep (`"), errors.contains("status")), (2, true, false), "{errors}");
    let mut produce = wstail();
    produce.args(["produce", "stamped.log", "--stamp", "--count", "100", "--rate", "0"]);
    assert!(produce.current_dir(log.directory()).status().unwrap().success());
    let (lines, code, errors) = printed(&log, &["--verify", "-n", "all", "./stamped.log"]);
    assert_eq!((lines.len(), code), (100, 0), "{errors}");
    assert!(errors.ends_with("verify: 100 lines, 0 lost, 0 duplicated, 0 corrupt\n"), "{errors}");
}

#[test]
fn what_tail_writes_itself_is_not_followed() {
    let log = tree();
    let output = |name: &str| fs::OpenOptions::new().create(true).append(true).open(log.beside(name)).unwrap();
    // The second run finds the cursor files of the first one.
    for _ in 0..2 {
        let mut all = command(&log, &["./", "--cursor-dir", "./cursors", "--no-follow", "-q"]);
        all.stdout(output("all.txt"));
        assert_eq!(Process::start(all).end(), (0, String::new()));
        assert_eq!(fs::read_to_string(log.beside("all.txt")).unwrap().lines().count(), 4);
    }
    let mut itself = command(&log, &["./app.log"]);
    itself.stdout(output("app.log"));
    let expected = "wstail: cannot follow `./app.log`: it is also the output\n";
    assert_eq!(Process::start(itself).end(), (1, expected.to_owned()));
}

#[test]
fn a_link_is_followed_where_it_leads() {
    let log = Log::with("");
    fs::create_dir(log.beside("real")).unwrap();
    fs::create_dir(log.beside("links")).unwrap();
    fs::write(log.beside("real/1.log"), "1\n").unwrap();
    fs::write(log.beside("real/2.log"), "2\n").unwrap();
    symlink("../real/1.log", log.beside("links/app.log")).unwrap();
    let tail = tail(&log, &["./links/app.log"]);
    assert_eq!(tail.line(), "1");
    symlink("../real/2.log", log.beside("links/next")).unwrap();
    fs::rename(log.beside("links/next"), log.beside("links/app.log")).unwrap();
    assert_eq!(tail.line(), "2");
    interrupt(&tail);
}

#[test]
fn a_log_takes_two_threads_and_all_logs_share_a_third() {
    let log = Log::with("a\n");
    fs::write(log.beside("b.log"), "b\n").unwrap();
    let tail = tail(&log, &["./app.log", "./b.log"]);
    let mut lines = [tail.line(), tail.line()];
    lines.sort();
    assert_eq!(lines, ["app.log: a", "b.log: b"]);
    until("both are watched", || watches(&tail) > 3);
    let count = |name: &str| tail.threads().iter().filter(|thread| thread.trim_end() == name).count();
    assert_eq!((count("notifier"), count("local")), (1, 2));
    // Polling would wake it twelve times for each log. A heartbeat wakes it as well.
    let before = tail.switches();
    std::thread::sleep(Duration::from_secs(3));
    let switches = tail.switches() - before;
    assert!(switches < 16, "{switches} wake-ups in 3 s");
    let begun = Instant::now();
    log.append("more\n");
    assert_eq!(tail.line(), "app.log: more");
    assert!(begun.elapsed() < Duration::from_secs(1));
    interrupt(&tail);
}
