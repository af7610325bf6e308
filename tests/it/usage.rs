//! Options, help and exit codes.

use std::process::{Output, Stdio};

use crate::util::{Process, wstail};

fn run(arguments: &[&str]) -> Output {
    wstail().args(arguments).stdout(Stdio::piped()).output().unwrap()
}

#[test]
fn bad_usage_is_named_in_one_line() {
    let cases: [(&[&str], &str); 23] = [
        (&[], "no command"),
        (&["frobnicate"], "frobnicate"),
        (&["help", "frobnicate"], "frobnicate"),
        (&["serve"], "no root"),
        (&["serve", "/does/not/exist"], "`/does/not/exist`: no such file or directory"),
        (&["serve", "/dev/null"], "`/dev/null`"),
        (&["serve", ".", "--frob"], "--frob"),
        (&["serve", ".", "--port", "65536"], "--port"),
        (&["serve", ".", "--heartbeat=0"], "--heartbeat"),
        (&["serve", ".", "--hidden=1"], "--hidden"),
        (&["serve", ".", "--rotate-wait", "x"], "--rotate-wait"),
        (&["serve", ".", "--allow-origin", "example.com"], "`example.com`"),
        (&["serve", ".", "--allow-host", "*"], "`*`"),
        (&["serve", ".", "--base-path", "logs"], "`logs`"),
        (&["serve", ".", "--max-connections-per-ip=-1"], "--max-connections-per-ip"),
        (&["serve", ".", "--tls-cert", "cert.pem"], "no key"),
        (&["serve", ".", "--tls-key", "key.pem"], "no certificate"),
        (&["tail"], "no URL"),
        (&["tail", "ftp://x/y"], "`ftp://x/y`"),
        (&["tail", "h:1/a", "-o", "xml"], "'-o'"),
        (&["tail", "h:1/a", "-n", "x"], "'-n'"),
        (&["produce"], "FILE"),
        (&["produce", "x", "--rotate", "1XB"], "--rotate"),
    ];
    for (arguments, expected) in cases {
        let output = run(arguments);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
        assert!(errors.lines().count() == 1 && errors.contains(expected), "{arguments:?}: {errors}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
#[cfg(not(feature = "tls"))]
fn a_build_without_tls_names_the_feature() {
    for arguments in [
        &["serve", ".", "--tls-cert", "cert.pem", "--tls-key", "key.pem"][..],
        &["tail", "wss://localhost/app.log"],
        &["tail", "https://localhost/app.log"],
        &["tail", "h:1/a", "--ca-file", "ca.pem"],
        &["tail", "h:1/a", "--insecure"],
        &["healthcheck", "https://localhost/-/healthz"],
    ] {
        let output = run(arguments);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
        assert!(errors.lines().count() == 1 && errors.contains("without the feature `tls`"), "{arguments:?}: {errors}");
    }
}

#[test]
fn help_and_version_go_to_stdout() {
    for arguments in [
        &["--help"][..],
        &["serve", "--help"],
        &["tail", "-h"],
        &["produce", "--help"],
        &["demo", "--help"],
        &["healthcheck", "--help"],
        &["tail", "--help", "--no-follow"],
        &["serve", "--help", "--rubbish"],
        &["--help", "--no-follow"],
        &["help", "help"],
        &["help"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(output.stderr.is_empty() && output.stdout.starts_with(b"Usage: wstail"), "{arguments:?}");
    }
    let of_serve = run(&["serve", "--help"]).stdout;
    for arguments in [["help", "serve"], ["--help", "serve"], ["-h", "serve"]] {
        assert_eq!(run(&arguments).stdout, of_serve, "{arguments:?}");
    }
}

#[test]
fn the_version_is_told_behind_a_command_too() {
    let version = format!("wstail {}\n", env!("CARGO_PKG_VERSION")).into_bytes();
    for arguments in [&["--version"][..], &["-V"], &["serve", "-V"], &["tail", "h:1/a", "--lines", "5", "--version"]] {
        let output = run(arguments);
        assert_eq!((output.status.code(), &output.stdout), (Some(0), &version), "{arguments:?}");
    }
    for arguments in [&["serve", "--port", "-V"][..], &["serve", "--", "-V"], &["tail", "-n", "--version"]] {
        assert_eq!(run(arguments).status.code(), Some(2), "{arguments:?}: a value, or a path");
    }
}

#[test]
fn a_closed_stdout_ends_quietly() {
    let mut command = wstail();
    command.arg("--help").stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let full = "wstail: cannot write to stdout: no space left on device\n";
    assert_eq!(Process::start(command).end(), (1, full.to_owned()), "a full disk is another matter");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = wstail();
    command.arg("--help").stdout(writer);
    assert_eq!(Process::start(command).end(), (0, String::new()));
}
