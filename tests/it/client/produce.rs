//! The demo's log writer, and the server that follows it at full speed.

use std::fs;
use std::os::unix::fs::MetadataExt;

use rustix::process::Signal;

use crate::support::{Log, Process, serve, wstail};

#[test]
fn lines_have_the_shape_of_the_contract() {
    let log = Log::with("");
    let status = wstail().args(["produce", "--rate=0", "--count=3"]).arg(log.path()).status().unwrap();
    assert_eq!(status.code(), Some(0));
    let text = fs::read_to_string(log.path()).unwrap();
    assert_eq!(text.lines().count(), 3);
    for line in text.lines() {
        let (time, rest) = line.split_at(23);
        let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!((shape.as_str(), rest), ("0000-00-00 00:00:00.000", " | INFO     | wstail:produce:1 - 你好aaa"));
    }
}

#[test]
fn an_endless_producer_is_interrupted() {
    let log = Log::with("");
    let mut command = wstail();
    command.arg("produce").arg(log.path()).args(["--rate", "1000", "--message", "hello"]);
    let process = Process::start(command);
    crate::support::until("it writes", || fs::metadata(log.path()).unwrap().len() > 1000);
    process.signal(Signal::INT);
    assert_eq!(process.end(), (130, String::new()));
}

#[test]
fn write_errors_are_reported() {
    let (code, errors) = {
        let mut command = wstail();
        command.args(["produce", "/dev/full", "--rate", "0", "--count", "9"]);
        Process::start(command).end()
    };
    assert_eq!((code, errors.as_str()), (1, "wstail: cannot write `/dev/full`: no space left on device\n"));
}

#[test]
fn a_closed_pipe_ends_the_producer_quietly() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = wstail();
    command.args(["produce", "/dev/stdout", "--rate", "0"]).stdout(writer);
    assert_eq!(Process::start(command).end(), (0, String::new()));
}

#[test]
fn copytruncate_keeps_every_line_once() {
    const COUNT: usize = 2000;
    let log = Log::with("");
    let before = fs::metadata(log.path()).unwrap().ino();
    let mut command = wstail();
    command.arg("produce").arg(log.path()).args(["--rotate-how", "copytruncate", "--keep=1000"]);
    command.args(["--stamp", "--rate=0", "--rotate=10KB", "--count", &COUNT.to_string()]);
    assert_eq!(Process::start(command).end(), (0, String::new()));
    let mut files: Vec<_> = fs::read_dir(log.directory()).unwrap().map(|entry| entry.unwrap().path()).collect();
    // The log itself sorts after its rotated files.
    files.sort();
    let text: String = files.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let stamps: Vec<_> = text.lines().map(|line| line.split(" - ").nth(1).unwrap()).collect();
    assert_eq!(stamps.len(), COUNT);
    for (number, stamp) in (1..).zip(stamps) {
        assert!(stamp.starts_with(&format!("seq={number} crc=")), "expected {number}: {stamp}");
    }
    assert!(files.len() > 10, "it did rotate");
    assert_eq!(fs::metadata(log.path()).unwrap().ino(), before, "the log remains the same file");
}

#[test]
fn a_producer_at_full_speed_with_rotation_is_followed_whole() {
    const COUNT: usize = 100_000;
    let log = Log::with("");
    let server = serve(&log);
    let mut client = server.client("app.log?tail=1&lines=0");
    let mut command = wstail();
    command.arg("produce").arg(log.path());
    command.args(["--stamp", "--rate=0", "--rotate=200KB", "--keep=1000", "--count", &COUNT.to_string()]);
    let producer = Process::start(command);
    let (mut text, mut next) = (String::new(), 1);
    while next <= COUNT {
        text += &client.message();
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let rest = text.split_off(whole);
        for line in text.lines() {
            let stamp = line.split(" - ").nth(1).unwrap();
            assert!(stamp.starts_with(&format!("seq={next} crc=")), "expected {next}: {line}");
            next += 1;
        }
        text = rest;
    }
    assert_eq!(producer.wait().code(), Some(0));
    assert!(fs::read_dir(log.directory()).unwrap().count() > 20, "it did rotate");
}
