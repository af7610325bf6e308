//! The client on Windows, run by Wine, against a server on this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Log, Process, serve_with, until};

/// Where Debian's package wine64 has its programs.
const WINE: &str = "/usr/lib/wine";

/// Wine 8 lacks this library, which every program of Rust imports.
const BCRYPTPRIMITIVES: &str = "
#include <windows.h>
#include <ntsecapi.h>
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) {
    return RtlGenRandom(data, (ULONG)length);
}
";

/// The program for Windows, and a Windows to run it in.
struct Windows {
    directory: tempfile::TempDir,
}

impl Windows {
    fn new() -> Windows {
        let directory = tempfile::tempdir().unwrap();
        let shim = directory.path().join("shim.c");
        fs::write(&shim, BCRYPTPRIMITIVES).unwrap();
        let mut compiler = Command::new("x86_64-w64-mingw32-gcc");
        compiler
            .args(["-shared", "-o"])
            .arg(directory.path().join("bcryptprimitives.dll"))
            .arg(&shim)
            .arg("-ladvapi32");
        assert!(compiler.status().unwrap().success());
        fs::copy(build(), directory.path().join("wstail.exe")).unwrap();
        let windows = Windows { directory };
        // At the first start Wine sets itself up, and says so.
        let version = concat!("wstail ", env!("CARGO_PKG_VERSION"));
        assert_eq!(windows.run(&["--version"]).1.lines().next(), Some(version));
        windows
    }

    fn wstail(&self) -> Command {
        let mut command = self.wine("wine64");
        command.arg(self.path("wstail.exe")).stdin(Stdio::null()).env_remove("RUST_LOG");
        command
    }

    fn wine(&self, program: &str) -> Command {
        let mut command = Command::new(Path::new(WINE).join(program));
        command.env("WINEPREFIX", self.path("prefix")).env("WINEDEBUG", "-all").current_dir(self.directory.path());
        command
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs the program to its end: exit code, stdout and stderr.
    fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let output = self.wstail().args(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    fn follow(&self, arguments: &[&str]) -> Process {
        let mut command = self.wstail();
        command.arg("tail").args(arguments).stdout(Stdio::piped());
        Process::start(command)
    }
}

impl Drop for Windows {
    fn drop(&mut self) {
        let _ = self.wine("wineserver").arg("-k").status();
    }
}

/// Builds the program for Windows.
fn build() -> PathBuf {
    const TARGET: &str = "x86_64-pc-windows-gnu";
    let built = Path::new(env!("CARGO_BIN_EXE_wstail")).ancestors().nth(2).unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--locked", "--quiet", "--target", TARGET]).current_dir(env!("CARGO_MANIFEST_DIR"));
    // Symbols would make it forty times as large.
    cargo.env("CARGO_TARGET_DIR", built).env("CARGO_PROFILE_DEV_DEBUG", "false");
    assert!(cargo.status().unwrap().success());
    built.join(TARGET).join("debug/wstail.exe")
}

#[test]
#[ignore = "needs wine64, mingw and the target x86_64-pc-windows-gnu"]
fn the_windows_client_lists_checks_and_follows_through_a_rotation() {
    let windows = Windows::new();
    let log = Log::with("one\n");
    let server = serve_with(&log, &["--heartbeat", "0.5", "--heartbeat-timeout", "5", "--rotate-wait", "0"]);

    let (code, list, errors) = windows.run(&["ls", &server.address]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert!(list.starts_with("4  2") && list.ends_with("  app.log\n"), "{list}");
    let health = format!("http://{}/-/healthz", server.address);
    assert_eq!(windows.run(&["healthcheck", &health]), (Some(0), String::new(), String::new()));

    let url = format!("{}/app.log", server.address);
    let tail = windows.follow(&["-n", "all", "--cursor-file", "app.cursor", &url]);
    assert_eq!(tail.line(), "one");
    log.append("two\n");
    assert_eq!(tail.line(), "two");
    log.rotate("app.log.1", "three\n");
    assert_eq!(tail.line(), "three");
    let begun = Instant::now();
    until("three heartbeats were due, and the time to answer them", || begun.elapsed() > Duration::from_millis(6500));
    log.append("fo水r\n");
    assert_eq!(tail.line(), "fo水r");
    assert_eq!(server.connections(), 1, "it is still connected");

    // Only one run can use the file, and the next one resumes.
    let (code, _, errors) = windows.run(&["tail", "--no-follow", "--cursor-file", "app.cursor", &url]);
    assert_eq!(code, Some(1), "{errors}");
    assert!(errors.contains("in use"), "{errors}");
    until("the place is saved", || fs::read_to_string(windows.path("app.cursor")).is_ok_and(|text| !text.is_empty()));
    let at_end = fs::read_to_string(windows.path("app.cursor")).unwrap();
    log.append("five\n");
    assert_eq!(tail.line(), "five");
    until("the new place is saved", || {
        fs::read_to_string(windows.path("app.cursor")).is_ok_and(|text| text != at_end && !text.is_empty())
    });
    tail.signal(rustix::process::Signal::KILL);
    tail.wait();
    log.append("six\n");
    let resumed = windows.run(&["tail", "-q", "--no-follow", "--cursor-file", "app.cursor", &url]);
    assert_eq!(resumed, (Some(0), "six\n".to_owned(), String::new()));

    // A pattern needs the server's list, and several connections.
    let matching = windows.run(&["tail", "-q", "--no-follow", "-g", "f..?r?$", &format!("{}/*.log", server.address)]);
    assert_eq!(matching.0, Some(0), "{}", matching.2);
    assert!(matching.1.contains("app.log: fo水r\n"), "{}", matching.1);
    #[cfg(feature = "tls")]
    trusts(&windows, &log);
}

/// Over TLS it trusts the certificates of a file, and no others.
#[cfg(feature = "tls")]
fn trusts(windows: &Windows, log: &Log) {
    let certificates = crate::support::certificates::local_certificates();
    let server = certificates.serve(log, &[]);
    let url = crate::support::certificates::secure_url(&server);
    let arguments = ["tail", "-q", "--no-follow", "-n", "1", &url];
    let trusting = windows.run(&[&arguments[..], &["--ca-file", &certificates.word("ca.pem")]].concat());
    assert_eq!(trusting, (Some(0), "six\n".to_owned(), String::new()));
    let (code, _, errors) = windows.run(&arguments);
    assert!(code == Some(1) && errors.contains("certificate"), "{errors}");
}

#[test]
#[ignore = "needs wine64, mingw and the target x86_64-pc-windows-gnu"]
fn the_windows_program_writes_logs_and_neither_serves_nor_reads_any() {
    let windows = Windows::new();
    let made = windows.run(&["produce", "app.log", "--rate=0", "--count=50", "--rotate=1KB", "--stamp", "--keep=99"]);
    assert_eq!(made, (Some(0), String::new(), String::new()));
    let is_log = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "log");
    let entries = fs::read_dir(windows.directory.path()).unwrap().map(|entry| entry.unwrap().path());
    let logs: Vec<_> = entries.filter(is_log).collect();
    let lines: usize = logs.iter().map(|path| fs::read_to_string(path).unwrap().lines().count()).sum();
    assert!(lines == 50 && logs.len() > 2, "{logs:?}");
    for command in [&["serve", "--port", "1", "."][..], &["demo"], &["ls", "."]] {
        let (code, output, errors) = windows.run(command);
        assert_eq!((code, output.as_str(), errors.lines().count()), (Some(1), "", 1), "{errors}");
        assert!(errors.contains(" needs Linux; "), "{errors}");
    }
    assert_eq!(windows.run(&["serve"]).0, Some(1));
    fs::write(windows.path("app.txt"), "one\n").unwrap();
    for path in ["./app.txt", ".\\app.txt", "/app.txt", "C:\\app.txt", "C:/*.txt", "."] {
        let (code, output, errors) = windows.run(&["tail", "--no-follow", path]);
        assert_eq!((code, output.as_str(), errors.lines().count()), (Some(2), "", 1), "{path}: {errors}");
        assert!(errors.starts_with("wstail: cannot read local files: this needs Linux; "), "{path}: {errors}");
    }
}
