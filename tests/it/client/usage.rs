//! Options, help and exit codes.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use rustix::process::Signal;

use crate::support::{Log, Process, serve, until, wstail};

fn run(arguments: &[&str]) -> Output {
    wstail().args(arguments).stdout(Stdio::piped()).output().unwrap()
}

#[test]
fn bytes_that_are_not_utf8_are_shown_as_escapes_and_name_a_log() {
    use std::os::unix::ffi::OsStrExt;
    let bytes = |bytes: &'static [u8]| std::ffi::OsStr::from_bytes(bytes);
    let refused = wstail().args(["tail", "h/a", "-g"]).arg(bytes(b"a\xff\xfeb")).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let errors = String::from_utf8(refused.stderr).unwrap();
    assert!(errors.contains(r"cannot use `-g a\xff\xfeb`: expected UTF-8"), "{errors}");

    let log = Log::with("");
    std::fs::write(log.directory().join(bytes(b"\xff.log")), "a\n").unwrap();
    let server = serve(&log);
    let url = [server.address.as_bytes(), b"/\xff.log"].concat();
    let url = std::ffi::OsStr::from_bytes(&url);
    let output = wstail().args(["tail", "--no-follow"]).arg(url).stdout(Stdio::piped()).output().unwrap();
    assert_eq!(output.stdout, b"a\n", "{output:?}");
}

#[test]
fn bad_usage_is_reported_in_one_line() {
    let long = "x".repeat(1025);
    let many = [&["tail", "h/a"][..], &["-g", "x"].repeat(17)].concat();
    let cases: [(&[&str], &str); 66] = [
        (&[], "no command"),
        (&["frobnicate"], "frobnicate"),
        (&["help", "frobnicate"], "frobnicate"),
        (&["serve"], "no PATH"),
        (&["serve", "/does/not/exist"], "`/does/not/exist`: no such file or directory"),
        (&["serve", "/dev/null"], "`/dev/null`"),
        (&["serve", ".", "--frob"], "--frob"),
        (&["serve", ".", "--port", "65536"], "--port"),
        (&["serve", ".", "--heartbeat=0"], "--heartbeat"),
        (&["serve", ".", "--hidden=1"], "--hidden"),
        (&["serve", ".", "--rotate-wait", "x"], "--rotate-wait"),
        (&["serve", ".", "--allow-origin", "example.com"], "`example.com`"),
        (&["serve", ".", "--allow-host", "*"], "`*`"),
        (&["serve", ".", "--allow-host", "a..b"], "`a..b`"),
        (&["serve", ".", "--allow-host", ".."], "`..`"),
        (&["serve", ".", "--allow-host=-"], "`-`"),
        (&["serve", ".", "--allow-host="], "``"),
        (&["serve", ".", "--base-path", "logs"], "`logs`"),
        (&["serve", ".", "--max-connections-per-ip=-1"], "--max-connections-per-ip"),
        (&["serve", ".", "--tls-cert", "cert.pem"], "no key"),
        (&["serve", ".", "--tls-key", "key.pem"], "no certificate"),
        (&["tail"], "no URL"),
        (&["tail", "ftp://x/y"], "`ftp://x/y`"),
        (&["tail", "h:1/a", "-o", "xml"], "`-o "),
        (&["tail", "h:1/a", "-n", "x"], "`-n "),
        (&["tail", "h/a", "-n", "+0"], "`-n "),
        (&["tail", "h/a", "-n", "+"], "`-n "),
        (&["tail", "h/a", "-n", "+5", "--after-cursor", "c"], "--after-cursor"),
        (&["tail", "h/a", "-g", ""], "`-g `"),
        (&["tail", "h/a", "--exclude="], "`--exclude `"),
        (&["tail", "h/a", "-g", &long], "at most 1024 bytes"),
        (&many, "--grep"),
        (&["tail", "h/a", "-g", "x", "-is"], "--ignore-case and --case-sensitive"),
        (&["tail", "h/a", "-l", "loud"], "`-l loud`"),
        (&["tail", "h/a", "-C", "1001"], "`-C 1001`"),
        (&["tail", "h/a", "-A", "-1"], "`-A -1`"),
        (&["tail", "h/a", "-m", "0"], "`-m 0`"),
        (&["tail", "h/a", "--entry", "-B1"], "--entry and --before-context"),
        (&["tail", "h/a", "-fU1h"], "--follow and --until"),
        (&["tail", "h/a?until=1h", "-F"], "--follow and --until"),
        (
            &["tail", "h/a", "--fixed-strings", "-g", "a\nb"],
            "`--grep a^Jb`: no line contains the newline at character 2",
        ),
        (&["tail", "h/a", "-C2"], "--context needs --grep"),
        (&["tail", "h/a", "-l", "warn", "-A", "1"], "--after-context needs --grep"),
        (&["tail", "h/a", "-v", "x", "-B", "1"], "--before-context needs --grep"),
        (&["tail", "h/a", "--verify", "-g", "x"], "--verify cannot be combined"),
        (&["tail", "h/a?level=warn", "--verify"], "--verify cannot be combined"),
        (&["tail", "h/a?level=loud"], "`level`"),
        (&["tail", "h", "-is"], "--ignore-case"),
        (&["tail", "h?lines=1"], "`ws://h:8765/`"),
        (&["tail", "h/a[b"], "`ws://h:8765/a[b`: a `[` is not closed"),
        (&["tail", "h/*", "--cursor-file", "f"], "work with one log only"),
        (&["tail", "h/*", "--cursor-dir", "d", "--cursor-file", "f"], "--cursor-dir cannot be combined"),
        (&["tail", "h/*", "--max-logs", "0"], "`--max-logs 0`"),
        (&["tail", "h/*", "--merge-wait", "x"], "`--merge-wait x`"),
        (&["tail", "h/*", "--prefix", "maybe"], "`--prefix maybe`"),
        (&["tail", "h", "h/a"], "`h` names no log"),
        (&["tail", "-"], "`-`: stdin cannot be followed"),
        (&["ls"], "HOST"),
        (&["produce"], "FILE"),
        (&["produce", "x", "--rotate", "1XB"], "--rotate"),
        (&["produce", "x", "--message", "two\nlines"], "`--message "),
        (&["produce", "x", "--stamp", "--message", "two\nlines"], "`--message "),
        (&["produce", "x", "--rotate-name", "app.log.old"], "`--rotate-name "),
        (&["produce", "x", "--rotate-name", "app.{date}.{n}"], "`--rotate-name "),
        (&["produce", "x", "--rotate-name", "app.{n"], "`--rotate-name "),
        (&["produce", "x", "--rotate-name", "{n}/"], "`--rotate-name "),
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
#[cfg(feature = "regex")]
fn a_pattern_that_cannot_be_used_is_reported_before_a_server_is_asked() {
    let classes = "\\p{Greek}".repeat(30);
    let cases: [(&[&str], &str); 5] = [
        (&["-g", "a("], "cannot use `--grep a(`: unclosed group at character 2"),
        (&["-g", "a(", "-g", "b)"], "cannot use `--grep a(`: unclosed group at character 2"),
        (&["-g", "a", "-g", "b)"], "cannot use `--grep b)`: unopened group at character 2"),
        (&["-v", "[z-a]"], "cannot use `--exclude [z-a]`: "),
        (&["-g", &classes], "…`: classes of Unicode are not built in at character 1"),
    ];
    for (arguments, expected) in cases {
        let output = run(&[&["tail", "h/a", "--retry", "never"], arguments].concat());
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
        assert!(errors.lines().count() == 1 && errors.contains(expected), "{arguments:?}: {errors}");
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
fn an_unknown_word_names_the_nearest_known_one() {
    let cases: [(&[&str], &str); 18] = [
        (&["srve"], "unknown command `srve` (did you mean `serve`?)"),
        (&["help", "tial"], "unknown command `tial` (did you mean `tail`?)"),
        (&["sl", "h"], "unknown command `sl` (did you mean `ls`?)"),
        (&["frobnicate"], "unknown command `frobnicate` (see `wstail --help`)"),
        (&["\u{9b}2J"], "unknown command `\\x9b2J` (see `wstail --help`)"),
        (&["serve", ".", "--prot", "1"], "unknown option `--prot` (did you mean `--port`?)"),
        (&["serve", ".", "--max-conn=1"], "unknown option `--max-conn` (did you mean `--max-connections`?)"),
        (&["serve", ".", "--frobnicate"], "unknown option `--frobnicate` (see `wstail serve --help`)"),
        (&["serve", ".", "-x"], "unknown option `-x` (see `wstail serve --help`)"),
        (&["tail", "h/a", "--nofollow"], "unknown option `--nofollow` (did you mean `--no-follow`?)"),
        (&["tail", "h/a", "--follow=name"], "the option `--follow` takes no value"),
        (&["tail", "h/a", "-5"], "unknown option `-5` (did you mean `-n 5`?)"),
        (&["tail", "h/a", "-100f"], "unknown option `-100f` (did you mean `-n 100`?)"),
        (&["tail", "+5", "h/a"], "unknown option `+5` (did you mean `-n +5`?)"),
        (&["tail", "h/a", "-c", "5"], "unknown option `-c` (did you mean `-n`?)"),
        (&["tail", "h/a", "-fx"], "unknown option `-fx` (see `wstail tail --help`)"),
        (&["ls", "h", "--jsn"], "unknown option `--jsn` (see `wstail ls --help`)"),
        (&["produce", "x", "--rotate-hwo", "x"], "unknown option `--rotate-hwo` (did you mean `--rotate-how`?)"),
    ];
    for (arguments, expected) in cases {
        let output = run(arguments);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), errors), (Some(2), format!("wstail: {expected}\n")), "{arguments:?}");
    }
}

#[test]
fn help_gives_defaults_in_one_form() {
    for command in ["serve", "tail", "ls", "produce", "demo", "healthcheck"] {
        let help = String::from_utf8(run(&[command, "--help"]).stdout).unwrap();
        let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words.matches("default: ").count(), words.matches("[default: ").count(), "{help}");
        for line in help.lines().filter(|line| line.contains("[default:")) {
            assert!(line.ends_with(']') && line.len() <= 90, "{line}");
        }
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
        &["ls", "--help"],
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
fn version_is_accepted_after_a_command() {
    let features = [("tls", cfg!(feature = "tls")), ("regex", cfg!(feature = "regex")), ("gz", cfg!(feature = "gz"))];
    let features = [features, [("zstd", cfg!(feature = "zstd")), ("xz", cfg!(feature = "xz")), ("", false)]].concat();
    let built_in: String = features.iter().filter(|(_, is)| *is).map(|(name, _)| format!(" {name}")).collect();
    let built_in = if built_in.is_empty() { " none".to_owned() } else { built_in };
    let version = format!("wstail {}\nfeatures:{built_in}\n", env!("CARGO_PKG_VERSION")).into_bytes();
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
    assert_eq!(Process::start(command).end(), (1, full.to_owned()), "a full disk is an error");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = wstail();
    command.arg("--help").stdout(writer);
    assert_eq!(Process::start(command).end(), (0, String::new()));
}

#[test]
fn the_address_is_printed_once_where_stdout_and_stderr_are_one_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("output");
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" serve . --port 0 >output 2>&1", env!("CARGO_BIN_EXE_wstail")]);
    let server = Process::start({
        command.current_dir(&directory).env_clear();
        command
    });
    until("it is printed", || std::fs::read_to_string(&path).is_ok_and(|text| text.contains("listening on")));
    server.signal(Signal::TERM);
    assert_eq!(server.end().0, 0);
    let printed = std::fs::read_to_string(&path).unwrap();
    assert_eq!(printed.matches("listening on").count(), 1, "{printed}");
}

#[test]
#[ignore = "needs script(1)"]
fn the_address_is_printed_once_on_a_terminal() {
    let directory = tempfile::tempdir().unwrap();
    // Without exec, a shell may end by the signal itself.
    let command = format!("exec {} serve {} --port 0", env!("CARGO_BIN_EXE_wstail"), directory.path().display());
    let (input, mut keys) = std::io::pipe().unwrap();
    let mut script = Command::new("script");
    script.args(["-qec", &command, "/dev/null"]).env("SHELL", "/bin/sh").stdin(input).stdout(Stdio::piped());
    let script = Process::start(script);
    let first = script.line();
    assert!(first.starts_with("listening on http://127.0.0.1:"), "{first}");
    // Ctrl-C
    keys.write_all(b"\x03").unwrap();
    assert!(script.lines().iter().all(|line| !line.contains("listening on")));
    assert_eq!(script.end().0, 0);
}
