//! `wstail demo` leaves nothing behind.

use std::fs;
use std::process::Stdio;

use rustix::process::Signal;

use crate::support::{Process, wstail};

#[test]
fn lines_flow_at_once_and_nothing_is_left_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let mut command = wstail();
    command.arg("demo").env("TMPDIR", temporary.path()).stdout(Stdio::piped());
    let demo = Process::start(command);
    let address = demo.line();
    assert!(address.contains("http://127.0.0.1:"), "{address}");
    crate::support::until("a line has come", || demo.line().contains("wstail:produce:1 - 你好aaa"));
    // Many signals, as timeout(1) sends them: to the process and to its group. Signals that arrive while one is pending
    // are merged.
    for _ in 0..1000 {
        demo.signal(Signal::INT);
        std::thread::yield_now();
    }
    assert_eq!(demo.end(), (0, String::new()));
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[test]
fn seconds_ends_the_demo() {
    let mut command = wstail();
    command.args(["demo", "--seconds", "0.3"]).stdout(Stdio::piped());
    assert_eq!(Process::start(command).end(), (0, String::new()));
}
