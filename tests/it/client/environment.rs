//! Options set by environment variables.

use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::support::{Log, Process, serve, serve_by, wstail};

fn with(variables: &[(&str, &str)]) -> Command {
    let mut command = wstail();
    command.envs(variables.iter().copied());
    command
}

/// Runs a command that ends by itself. Returns its exit code and what it printed.
fn run(variables: &[(&str, &str)], arguments: &[&str]) -> (i32, String, String) {
    let output = with(variables).args(arguments).stdout(Stdio::piped()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_server_takes_its_options_from_variables() {
    let log = Log::with("a\nb\nc\n");
    std::fs::write(log.beside(".hidden.log"), "").unwrap();
    let variables = [
        ("WSTAIL_SERVE_BASE_PATH", "/logs"),
        ("WSTAIL_SERVE_HIDDEN", "1"),
        ("WSTAIL_SERVE_LINES", "2"),
        ("WSTAIL_SERVE_ALLOW_HOST", "one.example, two.example"),
        // Overridden or empty variables are not checked.
        ("WSTAIL_SERVE_PORT", "no port"),
        ("WSTAIL_SERVE_POLL", ""),
    ];
    let server = serve_by(with(&variables), &[log.directory()], &[]);
    assert_eq!(server.get("/logs/app.log").text(), "b\nc\n");
    assert_eq!(server.get("/logs/.hidden.log").status, 200);
    for (host, status) in [("one.example", 200), ("two.example", 200), ("three.example", 403)] {
        let answer = server.ask(format!("GET /logs/app.log HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert_eq!(answer.status, status, "{host}");
    }
}

#[test]
fn the_command_line_wins() {
    let log = Log::with("a\nb\nc\n");
    let server = serve(&log);
    let url = format!("{}/app.log", server.address);
    let tail = |variables: &[(&str, &str)], arguments: &[&str]| {
        let all = [&[("WSTAIL_TAIL_NO_FOLLOW", "true"), ("WSTAIL_TAIL_QUIET", "1")], variables].concat();
        run(&all, &[&["tail", &url], arguments].concat())
    };
    let printed = |text: &str| (0, text.to_owned(), String::new());
    let lines = [("WSTAIL_TAIL_LINES", "1")];
    assert_eq!(tail(&lines, &[]), printed("c\n"));
    assert_eq!(tail(&lines, &["-n", "2"]), printed("b\nc\n"));
    assert_eq!(tail(&[("WSTAIL_TAIL_LINES", "bad")], &["--lines=2"]), printed("b\nc\n"));
    assert_eq!(tail(&[("WSTAIL_TAIL_CA_FILE", "/nowhere")], &["-n1", "--insecure"]), printed("c\n"));
    assert_eq!(tail(&[("WSTAIL_TAIL_OUTPUT", "json")], &["-n1"]), printed("{\"log\":\"app.log\",\"line\":\"c\"}\n"));
    assert_eq!(tail(&[("WSTAIL_TAIL_FOLLOW", "1")], &["-U", "1h"]), printed("a\nb\nc\n"));
    for variable in ["0", "false", ""] {
        assert_eq!(tail(&[("WSTAIL_TAIL_VERIFY", variable)], &["-n1"]), printed("c\n"), "{variable:?}");
    }

    for follow in ["-f", "-F", "--follow", "-fn1", "-Fq"] {
        let mut command = with(&[("WSTAIL_TAIL_NO_FOLLOW", "1"), ("WSTAIL_TAIL_LINES", "1")]);
        command.args(["tail", &url, follow]).stdout(Stdio::piped());
        let following = Process::start(command);
        assert_eq!(following.line(), "c", "{follow}");
        following.signal(Signal::INT);
        assert_eq!(following.end().0, 130, "{follow}");
    }
}

#[test]
fn a_bad_value_names_its_variable() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().to_str().unwrap();
    for (variable, value, arguments) in [
        ("WSTAIL_SERVE_PORT", "x", &["serve", root][..]),
        ("WSTAIL_SERVE_HIDDEN", "yes", &["serve", root]),
        ("WSTAIL_SERVE_HEARTBEAT_TIMEOUT", "0", &["serve", root]),
        ("WSTAIL_SERVE_BASE_PATH", "logs", &["serve", root]),
        ("WSTAIL_SERVE_ALLOW_ORIGIN", "https://a,b", &["serve", root]),
        ("WSTAIL_SERVE_TOKEN_FILE", "/nowhere", &["serve", root]),
        ("WSTAIL_SERVE_TLS_CERT", "/nowhere", &["serve", root]),
        ("WSTAIL_TAIL_LINES", "+0", &["tail", "h/a"]),
        ("WSTAIL_TAIL_COLOR", "red", &["tail", "h/a"]),
        ("WSTAIL_TAIL_INSECURE", "2", &["tail", "h/a"]),
        ("WSTAIL_TAIL_LEVEL", "loud", &["tail", "h/a"]),
        ("WSTAIL_TAIL_CASE_SENSITIVE", "yes", &["tail", "h/a"]),
        ("WSTAIL_TAIL_MAX", "0", &["tail", "h/a"]),
        ("WSTAIL_LS_OUTPUT", "raw", &["ls", "h"]),
        ("WSTAIL_PRODUCE_RATE", "-1", &["produce", "/dev/null"]),
        ("WSTAIL_DEMO_SECONDS", "x", &["demo"]),
        ("WSTAIL_HEALTHCHECK_INSECURE", "no", &["healthcheck"]),
    ] {
        let (code, printed, errors) = run(&[(variable, value)], arguments);
        assert_eq!((code, printed.as_str(), errors.lines().count()), (2, "", 1), "{variable}: {errors}");
        assert!(errors.contains(variable), "{errors}");
        let (code, ..) = run(&[(variable, value)], &[arguments, &["--help"]].concat());
        assert_eq!(code, 0, "{variable}: help is printed all the same");
    }
    assert!(Path::new(root).exists());
}
