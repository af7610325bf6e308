//! The events that the library's reader yields of a remote log.

use std::fs;
use std::time::Instant;

use wstail::{LogEvent, Reader};

use crate::support::{DEADLINE, Log, serve, serve_with};

/// What an event is, for a list of those that are expected.
fn name(event: &LogEvent) -> String {
    match event {
        LogEvent::Opened { size, .. } => format!("opened {size}"),
        LogEvent::Data(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        LogEvent::Checkpoint => "checkpoint".to_owned(),
        LogEvent::Quiet => "quiet".to_owned(),
        LogEvent::End => "end".to_owned(),
        other => panic!("{other:?}"),
    }
}

/// The next event of this kind. The reader must be woken by heartbeats.
fn find(reader: &mut Reader, is_it: impl Fn(&LogEvent) -> bool) -> LogEvent {
    let deadline = Instant::now() + DEADLINE;
    let found = reader.map(Result::unwrap).find(|event| is_it(event) || deadline < Instant::now());
    found.filter(is_it).expect("it comes in time")
}

#[test]
fn reader_yields_a_whole_log_and_its_end() {
    let log = Log::with("a\nb\n");
    let server = serve(&log);
    let mut reader = Reader::connect(&format!("{}/app.log?lines=1", server.address)).unwrap();
    let names: Vec<_> = reader.by_ref().map(|event| name(&event.unwrap())).collect();
    assert_eq!(names, ["opened 4", "b\n", "checkpoint", "end"]);
    assert!(reader.next().is_none());
}

#[test]
fn reader_yields_quiet_events_of_a_silent_log() {
    let log = Log::with("a\n");
    let server = serve_with(&log, &["--heartbeat", "0.3"]);
    let reader = &mut Reader::connect(&format!("{}/app.log?tail=1", server.address)).unwrap();
    let names: Vec<_> = reader.take(5).map(|event| name(&event.unwrap())).collect();
    assert_eq!(names, ["opened 2", "a\n", "checkpoint", "quiet", "quiet"]);
    log.append("b\n");
    find(reader, |event| matches!(event, LogEvent::Data(bytes) if bytes == b"b\n"));
}

#[test]
fn reader_yields_what_happens_to_a_log() {
    let log = Log::with("a\n");
    let server = serve_with(&log, &["--heartbeat", "0.3", "--rotate-wait", "0"]);
    let reader = &mut Reader::connect(&format!("{}/app.log?tail=1", server.address)).unwrap();
    find(reader, |event| matches!(event, LogEvent::Checkpoint));
    log.rotate("app.log.1", "b\n");
    find(reader, |event| matches!(event, LogEvent::Rotated));
    find(reader, |event| matches!(event, LogEvent::Data(bytes) if bytes == b"b\n"));
    find(reader, |event| matches!(event, LogEvent::Checkpoint));
    fs::remove_file(log.path()).unwrap();
    let gone = find(reader, |event| matches!(event, LogEvent::Unreadable(_)));
    assert!(matches!(gone, LogEvent::Unreadable(text) if text == "the log is gone; waiting for it to return"));
}
