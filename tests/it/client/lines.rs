//! How `tail` prints difficult lines: very long ones, beside other logs and as JSON, and bytes that are not text.

use std::fs::{self, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;
use serde_json::Value;

use crate::support::{DEADLINE, Log, Process, Server, serve, until, within, wstail};

/// A pipe with a deadline for each read.
struct Reader(io::PipeReader);

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ready = poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Timespec::try_from(DEADLINE).ok().as_ref())?;
        assert!(ready > 0, "nothing in time");
        self.0.read(buffer)
    }
}

fn start(urls: &[String], arguments: &[&str]) -> (Process, BufReader<Reader>) {
    let (reader, writer) = io::pipe().unwrap();
    let mut command = wstail();
    command.arg("tail").args(urls).args(["-n", "all"]).args(arguments).stdout(writer);
    (Process::start(command), BufReader::new(Reader(reader)))
}

fn urls(server: &Server, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| format!("{}/{name}", server.address)).collect()
}

fn text(object: &str) -> String {
    serde_json::from_str::<Value>(object).unwrap()["line"].as_str().unwrap().to_owned()
}

#[test]
fn a_json_line_of_any_length_is_one_object_in_bounded_memory() {
    const MIB: usize = 64;
    let log = Log::with("");
    let piece = "0123456789abcd\u{9b}".repeat(1 << 16);
    (0..MIB).for_each(|_| log.append(&piece));
    log.append("\r\nnext\r\n");
    let server = serve(&log);
    let (tail, mut reader) = start(&urls(&server, &["app.log"]), &["-q", "-o", "json"]);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert!(line.is_ascii() && text(&line) == piece.repeat(MIB));
    line.clear();
    reader.read_line(&mut line).unwrap();
    assert_eq!(line, "{\"log\":\"app.log\",\"line\":\"next\"}\n");
    let most = tail.status("VmHWM");
    assert!(most < 48 * 1024, "{most} KiB for a line of {MIB} MiB");
    tail.signal(Signal::INT);
    assert_eq!(tail.end(), (130, String::new()));
}

#[test]
fn a_long_line_has_one_prefix_and_is_not_mixed() {
    for form in ["text", "json"] {
        let log = Log::with("");
        fs::write(log.beside("other.log"), "").unwrap();
        let mut other = OpenOptions::new().append(true).open(log.beside("other.log")).unwrap();
        let server = serve(&log);
        let (tail, mut reader) = start(&urls(&server, &["app.log", "other.log"]), &["-q", "-o", form]);
        until("both are followed", || server.connections() == 2);
        let (name, line) = match form {
            "text" => ("app.log: ".to_owned(), "other.log: ".to_owned()),
            _ => (r#"{"log":"app.log","line":""#.to_owned(), r#"{"log":"other.log","line":""#.to_owned()),
        };
        let end = if form == "text" { "\n" } else { "\"}\n" };
        let mut printed = String::new();
        for number in 0..6 {
            log.append("x".repeat(1 << 20));
            writeln!(other, "{number}").unwrap();
            // By then the beginning of the long line is printed, and the other log waits for its end.
            if number == 3 {
                let mut begun = vec![0; 2 << 20];
                reader.read_exact(&mut begun).unwrap();
                printed += &String::from_utf8(begun).unwrap();
            }
        }
        log.append("\nshort\n");
        until("all is printed", || {
            let mut next = String::new();
            reader.read_line(&mut next).unwrap();
            printed += &next;
            printed.lines().count() == 8
        });
        let mut lines: Vec<_> = printed.split_inclusive('\n').collect();
        lines.sort_by_key(|line| std::cmp::Reverse(line.len()));
        assert!(lines[0] == format!("{name}{}{end}", "x".repeat(6 << 20)), "{form}: {}", lines[0].len());
        let mut expected: Vec<_> = (0..6).map(|number| format!("{line}{number}{end}")).collect();
        expected.push(format!("{name}short{end}"));
        let mut rest = lines[1..].to_vec();
        rest.sort_unstable();
        expected.sort_unstable();
        assert_eq!(rest, expected);
        drop(tail);
    }
}

#[test]
fn an_unfinished_long_line_does_not_block_other_logs() {
    let log = Log::with("x".repeat(2 << 20));
    fs::write(log.beside("other.log"), "").unwrap();
    let server = serve(&log);
    let (tail, mut reader) = start(&urls(&server, &["app.log", "other.log"]), &["-q", "-o", "json"]);
    let mut begun = vec![0; 1 << 20];
    reader.read_exact(&mut begun).unwrap();
    OpenOptions::new().append(true).open(log.beside("other.log")).unwrap().write_all(b"a\n").unwrap();
    let mut lines = reader.lines().map(Result::unwrap);
    let first = String::from_utf8(begun).unwrap() + &lines.next().unwrap();
    assert!(text(&first) == "x".repeat(2 << 20));
    assert_eq!(lines.next().unwrap(), r#"{"log":"other.log","line":"a"}"#);
    log.append("rest\n");
    assert_eq!(lines.next().unwrap(), r#"{"log":"app.log","line":"rest"}"#);
    tail.signal(Signal::INT);
    assert_eq!(tail.end(), (130, String::new()));
}

#[test]
fn an_unfinished_json_object_is_closed_at_exit() {
    let (log, notes) = (Log::with("a\n"), tempfile::tempdir().unwrap());
    log.append("x".repeat(2 << 20));
    let server = serve(&log);
    let file = notes.path().join("cursor");
    let arguments = ["-q", "-o", "json", "--cursor-file", file.to_str().unwrap()];
    let (tail, mut reader) = start(&urls(&server, &["app.log"]), &arguments);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert_eq!(text(&line), "a");
    let mut begun = vec![0; (2 << 20) + 24];
    reader.read_exact(&mut begun).unwrap();
    tail.signal(Signal::INT);
    assert_eq!(tail.end().0, 130);
    let mut rest = String::new();
    reader.read_to_string(&mut rest).unwrap();
    let first = text(&(String::from_utf8(begun).unwrap() + &rest));
    log.append("yz\n");
    let (tail, mut reader) = start(&urls(&server, &["app.log"]), &arguments);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let second = text(&line);
    assert!(format!("{first}{second}") == format!("{}yz", "x".repeat(2 << 20)), "{} {}", first.len(), second.len());
    tail.signal(Signal::INT);
    assert_eq!(tail.end().0, 130);
}

#[test]
fn a_json_object_of_a_killed_run_is_completed_by_the_next() {
    let (log, notes) = (Log::with("a\n"), tempfile::tempdir().unwrap());
    let server = serve(&log);
    let (file, output) = (notes.path().join("cursor"), notes.path().join("output"));
    let run = |arguments: &[&str]| {
        let mut command = wstail();
        command.arg("tail").args(urls(&server, &["app.log"])).args(["-q", "-n", "all", "-o", "json", "--cursor-file"]);
        command.arg(&file).args(arguments);
        command.stdout(OpenOptions::new().create(true).append(true).open(&output).unwrap());
        Process::start(command)
    };
    let size = || fs::metadata(&output).unwrap().len();
    let first = run(&[]);
    until("a line is printed and noted", || size() > 0 && fs::metadata(&file).is_ok_and(|file| file.len() > 0));
    log.append("x".repeat(3 << 20));
    until("the object is begun", || size() > 2 << 20);
    // Time for any cursors to arrive: none of them may be recorded.
    assert!(!within(Duration::from_millis(1500), || first.catches(Signal::USR1)));
    first.signal(Signal::KILL);
    first.wait();
    log.append("y\nb\n");
    assert_eq!(run(&["--no-follow"]).end(), (0, String::new()));
    let printed = fs::read_to_string(&output).unwrap();
    let lines: Vec<_> = printed.lines().map(text).collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0] == "a" && lines[1] == format!("{}y", "x".repeat(3 << 20)) && lines[2] == "b");
}

#[test]
fn names_are_cleaned_before_lines_and_in_notices() {
    let log = Log::with("a\n");
    fs::write(log.beside("b.log"), "").unwrap();
    fs::write(log.beside("ä\u{9b}\u{202e}.log"), "line\n").unwrap();
    let server = serve(&log);
    let names = ["%C3%A4%C2%9B%E2%80%AE.log", "b.log"];
    let (tail, reader) = start(&urls(&server, &names), &["--no-follow"]);
    let lines: Vec<_> = reader.lines().map(Result::unwrap).collect();
    assert_eq!(lines, ["ä\\x9b\\u{202e}.log: line"]);
    let (code, errors) = tail.end();
    assert!(code == 0 && errors.contains("wstail: ä\\x9b\\u{202e}.log: connected to "), "{errors}");
    assert!(!errors.contains(['\u{9b}', '\u{202e}']), "{errors:?}");
    let (tail, reader) = start(&urls(&server, &names), &["--no-follow", "-q", "-o", "json"]);
    let lines: Vec<_> = reader.lines().map(Result::unwrap).collect();
    assert_eq!(lines, [r#"{"log":"ä\u009b\u202e.log","line":"line"}"#]);
    assert_eq!(tail.end().0, 0);
}

/// What the client prints to a terminal, through script(1). Notices are included.
fn on_a_terminal(server: &Server, arguments: &str) -> String {
    let url = format!("{}/app.log", server.address);
    let command = format!("{} tail {url} -n all --no-follow {arguments}", env!("CARGO_BIN_EXE_wstail"));
    let output = Command::new("script").args(["-qec", &command, "/dev/null"]).stdin(Stdio::null()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
#[ignore = "needs script(1)"]
fn runs_of_nuls_are_counted_on_a_terminal() {
    let log = Log::with("a");
    log.append(vec![0; 1_000_000]);
    log.append("b\0\n");
    let server = serve(&log);
    assert_eq!(on_a_terminal(&server, "-q"), "a^@×1000000b^@\r\n");
    assert_eq!(on_a_terminal(&server, "").matches("looks like").count(), 0);
}

#[test]
#[ignore = "needs script(1)"]
fn a_utf_16_log_is_reported_once() {
    let utf16: Vec<u8> = "\u{feff}a line\n".repeat(100).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let log = Log::with(utf16);
    let server = serve(&log);
    assert_eq!(on_a_terminal(&server, "").matches("the log looks like UTF-16").count(), 1);
    assert_eq!(on_a_terminal(&server, "-q").matches("looks like").count(), 0);
    assert_eq!(on_a_terminal(&server, "-o raw").matches("looks like").count(), 0);
}
