//! `tail` resumes: cursors in files and on the command line, lost connections, and reported losses.

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;
use wstail::protocol::event::Event;

use crate::support::by_hand::{by_hand, end, open, send};
use crate::support::proxy::FaultProxy;
use crate::support::{Item, Log, Process, Server, serve, until, wstail};

/// Prints what there is and ends. Returns the exit code, what it printed, and its notices.
fn run(address: &str, arguments: &[&str]) -> (i32, String, String) {
    let mut command = wstail();
    command.args(["tail", &format!("{address}/app.log"), "--no-follow", "-q"]).args(arguments);
    let output = command.stdout(Stdio::piped()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn printed(address: &str, arguments: &[&str]) -> String {
    let (code, printed, errors) = run(address, arguments);
    assert_eq!((code, errors.as_str()), (0, ""), "{arguments:?}");
    printed
}

/// Starts another server in place of the one that was killed.
fn restart(server: Server, log: &Log) -> Server {
    server.process.signal(Signal::KILL);
    server.process.wait();
    serve(log)
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_cursor_file_resumes_across_rotation_and_server_restart() {
    let (log, notes) = (Log::with("a\nb\n"), tempfile::tempdir().unwrap());
    let file = notes.path().join("cursor");
    let arguments = ["-n", "all", "--cursor-file", path(&file)];
    let server = serve(&log);
    assert_eq!(printed(&server.address, &arguments), "a\nb\n");
    assert_eq!(printed(&server.address, &arguments), "");
    log.append("c\n");
    assert_eq!(printed(&server.address, &arguments), "c\n");
    log.append("d\n");
    log.rotate("app.log.1", "e\n");
    let server = restart(server, &log);
    assert_eq!(printed(&server.address, &arguments), "d\ne\n");
    assert_eq!(printed(&server.address, &arguments), "");
    assert_eq!(fs::read_dir(notes.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn a_shown_cursor_resumes_across_rotation_and_server_restart() {
    let log = Log::with("a\nb\n");
    let server = serve(&log);
    let show = |server: &Server, arguments: &[&str]| {
        let (code, printed, errors) = run(&server.address, &[&["--show-cursor"], arguments].concat());
        let cursor = errors.lines().last().and_then(|line| line.strip_prefix("-- cursor: "));
        assert_eq!(code, 0);
        (printed, cursor.unwrap_or_else(|| panic!("no cursor: {errors:?}")).to_owned())
    };
    let (text, cursor) = show(&server, &["-n", "1"]);
    assert_eq!(text, "b\n");
    log.append("c\n");
    log.rotate("app.log.1", "d\n");
    let server = restart(server, &log);
    let (text, next) = show(&server, &["--after-cursor", &cursor]);
    assert_eq!(text, "c\nd\n");
    assert_eq!(show(&server, &["--after-cursor", &next]), (String::new(), next));
}

#[test]
fn malformed_cursors_are_reported() {
    let notes = tempfile::tempdir().unwrap();
    let file = notes.path().join("cursor");
    fs::write(&file, "no cursor at all\n").unwrap();
    let (code, _, errors) = run("127.0.0.1:1", &["--cursor-file", path(&file)]);
    assert_eq!(
        (code, errors),
        (1, format!("wstail: cannot use the cursor file `{}`: it contains no cursor\n", path(&file)))
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "no cursor at all\n");
    let (log, other) = (Log::with("a\n"), "another-servers-cursor");
    let server = serve(&log);
    fs::write(&file, other).unwrap();
    let (code, _, errors) = run(&server.address, &["--cursor-file", path(&file)]);
    let named = format!("wstail: cannot use the cursor file `{}`: ", path(&file));
    assert!(code == 1 && errors.starts_with(&named) && errors.ends_with(" (status 400)\n"), "{errors}");
    assert_eq!(fs::read_to_string(&file).unwrap(), other);
    let (code, _, errors) = run("127.0.0.1:1", &["--after-cursor", "no cursor"]);
    assert!(code == 2 && errors.contains("--after-cursor") && errors.lines().count() == 1, "{code}: {errors}");
    for option in [&["--cursor-file", "x"][..], &["--after-cursor", "x"], &["--show-cursor"]] {
        let (code, _, errors) = run("127.0.0.1:1/other.log", &[option, &["127.0.0.1:1/app.log"]].concat());
        assert_eq!((code, errors.lines().count()), (2, 1), "{option:?}: {errors}");
    }
}

#[test]
fn a_json_line_holds_whatever_the_log_holds() {
    let log = Log::with(b"\"quoted\" \\ \x00\x1b[31m\t\r\n\xe4\xbd\xa0 \xff\xe5\xa5 {}\n\nno newline");
    let objects = printed(&serve(&log).address, &["-n", "all", "-o", "json"]);
    let lines: Vec<Value> = objects.lines().map(|object| serde_json::from_str(object).unwrap()).collect();
    let expected = ["\"quoted\" \\ \0\x1b[31m\t", "你 \u{fffd}\u{fffd} {}", "", "no newline"];
    assert_eq!(lines, expected.map(|line| serde_json::json!({ "log": "app.log", "line": line })));
}

#[test]
fn verify_counts_what_is_lost_duplicated_and_corrupt() {
    let log = Log::with("");
    let status = wstail().args(["produce", "--rate=0", "--count=20", "--stamp"]).arg(log.path()).status();
    assert!(status.unwrap().success());
    let server = serve(&log);
    let text = fs::read_to_string(log.path()).unwrap();
    let line = text.split_inclusive('\n').nth(6).unwrap();
    let cases = [
        (text.clone(), 0, "20 lines, 0 lost, 0 duplicated, 0 corrupt"),
        (text.replace(line, ""), 1, "19 lines, 1 lost, 0 duplicated, 0 corrupt"),
        (text.replace(line, &line.repeat(2)), 1, "21 lines, 0 lost, 1 duplicated, 0 corrupt"),
        (text.replace(line, &line.replace("aaa", "aba")), 1, "20 lines, 0 lost, 0 duplicated, 1 corrupt"),
    ];
    for (text, code, verified) in cases {
        fs::write(log.path(), &text).unwrap();
        let expected = (code, text, format!("verify: {verified}\n"));
        assert_eq!(run(&server.address, &["-n", "all", "--verify"]), expected);
    }
}

#[test]
fn bytes_destroyed_while_no_server_ran_are_a_gap() {
    let log = Log::with("a\nb\n");
    let server = serve(&log);
    let proxy = FaultProxy::start(server.address.clone(), 0);
    proxy.calm();
    let mut command = wstail();
    command.args(["tail", &format!("{}/app.log", proxy.address()), "-n", "all"]).stdout(Stdio::piped());
    let tail = Process::start(command);
    assert_eq!([tail.line(), tail.line()], ["a", "b"]);
    server.process.signal(Signal::KILL);
    server.process.wait();
    log.append("destroyed\n");
    fs::write(log.path(), "c\n").unwrap();
    let server = serve(&log);
    proxy.set_target(server.address.clone());
    assert_eq!(tail.line(), "c");
    tail.signal(Signal::INT);
    let (code, errors) = tail.end();
    let gap = "wstail: gap: an unknown number of bytes may be missing: the log was truncated before they were read\n";
    assert!(code == 130 && errors.contains(gap), "{errors}");
}

#[test]
fn a_silent_connection_is_given_up_after_two_heartbeats_and_5_s() {
    let (sender, swallowed) = mpsc::channel();
    let address = by_hand(move |number, target, socket| match number {
        0 => {
            open(socket);
            send(socket, "one\n");
            // Keep it open, but send nothing more.
            sender.send(socket.get_ref().try_clone().unwrap()).unwrap();
        }
        _ => {
            assert!(target.contains("cursor=abc.4"), "{target}");
            open(socket);
            send(socket, "two\n");
            end(socket);
        }
    });
    let mut command = wstail();
    command.args(["tail", &format!("{address}/app.log"), "-n", "all", "--no-follow"]).stdout(Stdio::piped());
    let tail = Process::start(command);
    assert_eq!(tail.line(), "one");
    let since = Instant::now();
    assert_eq!(tail.line(), "two");
    // The pause between the two connections is at most 0.5 s.
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    let (code, errors) = tail.end();
    assert!(code == 0 && errors.contains("no heartbeat from the server; reconnecting in 0."), "{errors}");
    drop(swallowed);
}

#[test]
fn a_loss_before_the_first_cursor_is_requested_again() {
    let address = by_hand(|number, target, socket| {
        assert!(target.contains("lines=all"), "{target}");
        // The first connection is dropped after the handshake.
        if number > 0 {
            open(socket);
            send(socket, "all\n");
            end(socket);
        }
    });
    assert_eq!(printed(&address, &["-n", "all"]), "all\n");
}

#[test]
fn dying_while_skipping_printed_output_loses_nothing() {
    let (log, notes) = (Log::with("a\n"), tempfile::tempdir().unwrap());
    let (file, output) = (notes.path().join("cursor"), notes.path().join("output"));
    let server = serve(&log);
    let append = |address: &str| {
        let mut command = wstail();
        let output = OpenOptions::new().create(true).append(true).open(&output).unwrap();
        command.args(["tail", &format!("{address}/app.log"), "-q", "-n", "all", "--no-follow", "--cursor-file"]);
        command.arg(&file).stdout(output);
        Process::start(command).end()
    };
    assert_eq!(append(&server.address), (0, String::new()));
    // The next run prints a line and dies before it records that; another one dies before anything arrives.
    let noted = fs::read(&file).unwrap();
    log.append("b\n");
    assert_eq!(append(&server.address), (0, String::new()));
    fs::write(&file, noted).unwrap();
    let nothing = by_hand(|_, _, socket| {
        open(socket);
        end(socket);
    });
    assert_eq!(append(&nothing), (0, String::new()));
    log.append("c\n");
    assert_eq!(append(&server.address), (0, String::new()));
    assert_eq!(fs::read_to_string(&output).unwrap(), "a\nb\nc\n");
}

#[test]
fn a_formerly_empty_log_is_recognized() {
    for is_followed_before in [false, true] {
        let log = Log::with("");
        let server = serve(&log);
        let mut client = server.events("app.log?tail=1");
        let Item::Event(Event::Open { cursor, .. }) = client.next() else { panic!("not opened") };
        if is_followed_before {
            // As a client does that has lost its connection.
            log.append("one\ntwo\n");
            client = server.events(&format!("app.log?tail=1&cursor={cursor}"));
            assert!(matches!(client.next(), Item::Event(Event::Open { .. })));
        } else {
            log.append("one\ntwo\n");
        }
        let first = client.next();
        let Item::Event(Event::Cursor(cursor)) = first else { panic!("no cursor comes first: {first:?}") };
        assert_eq!(client.next(), Item::Bytes(b"one\ntwo\n".to_vec()));
        fs::copy(log.path(), log.beside("app.log.1")).unwrap();
        File::create(log.path()).unwrap();
        log.append("three, which is longer\n");
        let mut rest = server.events(&format!("app.log?cursor={cursor}.4"));
        assert_eq!(rest.story("<1000>"), "<open>two\n<truncated>three, which is longer\n<end><1000>");
    }
}

#[test]
fn unprinted_json_objects_are_repeated_whole() {
    const COUNT: usize = 200_000;
    let (log, notes) = (Log::with(""), tempfile::tempdir().unwrap());
    log.append((1..=COUNT).map(|number| format!("{number}\n")).collect::<String>());
    let (server, file) = (serve(&log), notes.path().join("cursor"));
    let arguments = ["-n", "all", "-o", "json", "--cursor-file", path(&file)];
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut command = wstail();
    command.args(["tail", &format!("{}/app.log", server.address), "-q"]).args(arguments).stdout(writer);
    let tail = Process::start(command);
    reader.read_exact(&mut [0; 1]).unwrap();
    // The pipe is full soon, because nobody reads it.
    until("it is served", || file.exists());
    thread::sleep(Duration::from_millis(300));
    tail.signal(Signal::INT);
    assert_eq!(tail.end(), (130, String::new()));
    let line = |object: &str| serde_json::from_str::<Value>(object).ok()?["line"].as_str()?.parse::<usize>().ok();
    let mut taken = String::from("{");
    reader.read_to_string(&mut taken).unwrap();
    let last = taken.lines().filter_map(line).next_back().unwrap();
    let again = printed(&server.address, &arguments);
    let rest: Vec<_> = again.lines().map(|object| line(object).unwrap()).collect();
    assert!(rest[0] <= last + 1, "{last}, then {}", rest[0]);
    assert!(rest.iter().copied().eq(rest[0]..=COUNT), "every object is a line of the log");
}

#[test]
fn a_server_that_comes_back_while_the_log_is_being_rotated_does_not_end_the_client() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let proxy = FaultProxy::start(server.address.clone(), 1);
    proxy.calm();
    let mut command = wstail();
    command.args(["tail", &format!("{}/app.log", proxy.address())]).stdout(Stdio::piped());
    let tail = Process::start(command);
    assert_eq!(tail.line(), "a");
    server.process.signal(Signal::KILL);
    server.process.wait();
    log.append("b\n");
    fs::rename(log.path(), log.beside("app.log.1")).unwrap();
    let again = serve(&log);
    proxy.set_target(again.address.clone());
    thread::sleep(Duration::from_millis(1500));
    log.append("c\n");
    assert_eq!((tail.line(), tail.line()), ("b".to_owned(), "c".to_owned()));
    tail.signal(Signal::INT);
    let (code, errors) = tail.end();
    assert_eq!(code, 130);
    assert!(errors.contains("no such log (status 404); reconnecting in"), "{errors}");
}

#[test]
fn an_unwritable_cursor_file_is_reported_once_and_at_once() {
    let (code, printed, errors) = run("127.0.0.1:1", &["--cursor-file", "/does/not/exist/cursor"]);
    let expected = "wstail: cannot write the cursor file `/does/not/exist/cursor`: no such file or directory\n";
    assert_eq!((code, printed.as_str(), errors.as_str()), (1, "", expected));
    assert_eq!(run("127.0.0.1:1", &["--cursor-file", ""]).0, 2);
}

#[test]
fn a_link_to_a_cursor_file_stays_one() {
    let (log, notes) = (Log::with("a\n"), tempfile::tempdir().unwrap());
    let (server, link) = (serve(&log), notes.path().join("link"));
    std::os::unix::fs::symlink("real", &link).unwrap();
    for expected in ["a\n", ""] {
        assert_eq!(printed(&server.address, &["--cursor-file", path(&link)]), expected);
        assert!(link.is_symlink() && notes.path().join("real").is_file());
    }
}
