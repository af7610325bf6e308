//! A server that runs out of a resource continues with what it has.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Log, Process, Server, until};

/// A server started by another command that sets its limits.
fn serve_under(log: &Log, program: &str, arguments: &[&str]) -> Server {
    let mut command = Command::new(program);
    command.args(arguments).args([env!("CARGO_BIN_EXE_wstail"), "serve", "--port", "0"]);
    command.arg(log.directory()).stdout(Stdio::piped()).stdin(Stdio::null());
    let process = Process::start(command);
    let address = process.line().replace("listening on http://", "").trim_end_matches('/').to_owned();
    Server { process: std::sync::Arc::new(process), address }
}

#[test]
fn running_out_of_descriptors_is_temporary() {
    let log = Log::with("a\n");
    let server = serve_under(&log, "sh", &["-c", "ulimit -n 40; exec \"$0\" \"$@\""]);
    let crowd: Vec<_> = (0..60).map(|_| server.connect()).collect();
    until("there is none left", || server.process.descriptors() >= 40);
    thread::sleep(Duration::from_millis(300));
    // Some disconnect and others take their places: accepting works and fails in turns.
    let mut crowd = crowd;
    for _ in 0..20 {
        crowd.remove(0);
        crowd.push(server.connect());
        thread::sleep(Duration::from_millis(20));
    }
    drop(crowd);
    until("it serves again", || server.get("/app.log").status == 200);
    server.process.signal(Signal::TERM);
    let (code, errors) = server.process.end();
    assert_eq!(code, 0);
    let complaints = errors.lines().filter(|line| line.contains("cannot accept connections")).count();
    assert!((1..=2).contains(&complaints), "{errors}");
}

#[test]
fn running_out_of_descriptors_is_not_a_404() {
    let log = Log::with("a\n");
    let server = serve_under(&log, "sh", &["-c", "ulimit -n 30; exec \"$0\" \"$@\""]);
    let mut followers = Vec::new();
    let mut refused = false;
    while !refused && followers.len() < 30 {
        match server.try_client("app.log?tail=1") {
            Ok(client) => followers.push(client),
            Err(error) => {
                assert!(error.contains("503"), "{error}");
                refused = true;
            }
        }
    }
    assert!(refused, "{} followers", followers.len());
}

#[test]
#[ignore = "needs strace"]
fn a_thread_that_cannot_be_started_is_a_503() {
    let log = Log::with("a\n");
    // The first thread is the one that waits for signals, and the notifier would be the second.
    let server = serve_injected(&log, &["trace=clone3", "inject=clone3:error=EAGAIN:when=2..3"], "WSTAIL_NO_NOTIFY=1");
    for status in [503, 503, 200] {
        assert_eq!(server.get("/app.log").status, status);
    }
    end_traced(&server);
}

#[test]
#[ignore = "needs strace"]
fn without_openat2_paths_stay_inside_their_root() {
    for errno in ["ENOSYS", "EPERM"] {
        let log = Log::with("a\n");
        std::os::unix::fs::symlink("app.log", log.beside("inside")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", log.beside("outside")).unwrap();
        let inject = format!("inject=openat2:error={errno}");
        let server = serve_injected(&log, &["trace=openat2", &inject], "WSTAIL_NO_NOTIFY");
        for (target, status) in [("/app.log", 200), ("/inside", 200), ("/outside", 404), ("/../etc/passwd", 403)] {
            assert_eq!(server.get(target).status, status, "{errno} {target}");
        }
        let mut client = server.follow();
        client.expect(["a"]);
        log.rotate("app.log.1", "b\n");
        client.expect(["b"]);
        drop(client);
        end_traced(&server);
        assert!(server.process.end().1.contains("openat2(2) is unavailable"), "{errno}");
    }
}

#[test]
#[ignore = "needs strace"]
fn without_inotify_or_its_thread_logs_are_polled() {
    for (call, inject) in [
        ("inotify_init1", "inotify_init1:error=EMFILE"),
        ("clone3", "clone3:error=EAGAIN:when=2"),
        ("inotify_add_watch", "inotify_add_watch:error=ENOSPC"),
        ("eventfd2", "eventfd2:error=EMFILE"),
    ] {
        let log = Log::with("a\n");
        let (trace, inject) = (format!("trace={call}"), format!("inject={inject}"));
        let server = serve_injected(&log, &[&trace, &inject], "WSTAIL_NO_NOTIFY");
        let mut client = server.follow();
        client.expect(["a"]);
        // Long enough that the server would wait for a notification, if the log were watched.
        thread::sleep(Duration::from_millis(500));
        let begun = Instant::now();
        log.append("b\n");
        client.expect(["b"]);
        assert!(begun.elapsed() < Duration::from_secs(2), "{call}: {:?}", begun.elapsed());
        drop(client);
        end_traced(&server);
        let (_, errors) = server.process.end();
        assert_eq!(errors.lines().filter(|line| line.contains("polling")).count(), 1, "{call}: {errors}");
    }
}

#[test]
#[ignore = "needs root and setpriv(1)"]
fn a_generation_that_may_not_be_read_is_passed_over_with_a_gap() {
    let log = Log::with("0\n");
    let open = |path: &std::path::Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    open(log.directory(), 0o755);
    // Whether the log is watched yet would decide whether the size of the gap is known.
    let nobody = ["WSTAIL_NO_NOTIFY=1", "setpriv", "--reuid=65534", "--clear-groups"];
    let server = serve_under(&log, "env", &nobody);
    let mut client = server.events("app.log?tail=1&lines=all");
    client.story("0\n");
    server.process.stop();
    log.rotate("app.log-20260101", "1\n");
    log.rotate("app.log-20260102", "2\n");
    open(&log.beside("app.log-20260102"), 0o000);
    server.process.signal(Signal::CONT);
    assert_eq!(client.story("2\n"), "<gap expired><rotated>2\n");
}

/// A number in `/-/metrics`.
fn told(server: &Server, name: &str) -> f64 {
    let text = server.get("/-/metrics").text();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
}

/// What a failing system may cost: a fifth of one CPU.
fn check_cpu(server: &Server, before: f64, begun: Instant) {
    let share = (told(server, "process_cpu_seconds_total") - before) / begun.elapsed().as_secs_f64();
    assert!(share < 0.2, "{share} of a CPU");
}

#[test]
#[ignore = "needs strace"]
fn failing_accepts_cost_little_and_recover() {
    let log = Log::with("a\n");
    // The first accept is one that works.
    let inject = "inject=accept4:error=EMFILE:when=2..8";
    let server = serve_injected(&log, &["trace=accept4", inject], "WSTAIL_NO_NOTIFY");
    let (before, begun) = (told(&server, "process_cpu_seconds_total"), Instant::now());
    assert_eq!(server.get("/app.log").text(), "a\n", "it waits in the backlog meanwhile");
    assert!(begun.elapsed() > Duration::from_secs(2), "it did fail: {:?}", begun.elapsed());
    check_cpu(&server, before, begun);
    assert_eq!(told(&server, "wstail_accept_errors_total"), 7.0);
    end_traced(&server);
    let errors = server.process.end().1;
    assert_eq!(errors.lines().filter(|line| line.contains("cannot accept")).count(), 1, "{errors}");
    assert!(errors.lines().count() < 10, "{errors}");
}

#[test]
#[ignore = "needs strace"]
fn read_errors_are_retried_and_lose_nothing() {
    let log = Log::with("a\n");
    let path = log.path();
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", "/dev/null", "-P", path.to_str().unwrap(), "-e", "trace=pread64"]);
    // The first reads are those that find the first line and what the file begins with.
    command.args(["-e", "inject=pread64:error=EIO:when=12..22", env!("CARGO_BIN_EXE_wstail")]);
    let server = crate::support::serve_by(command, &[log.directory()], &[]);
    let (before, begun) = (told(&server, "process_cpu_seconds_total"), Instant::now());
    let mut client = server.events("app.log?tail=1&lines=all");
    client.story("a\n");
    let mut story = String::new();
    for number in 0..10 {
        log.append(format!("{number}\n"));
        story += &client.story(&format!("{number}\n"));
    }
    assert_eq!(story.replace("<waiting>", ""), (0..10).map(|number| format!("{number}\n")).collect::<String>());
    assert!(story.contains("<waiting>"), "it did fail: {story:?}");
    check_cpu(&server, before, begun);
    drop(client);
    end_traced(&server);
    let errors = server.process.end().1;
    assert!(errors.contains("cannot read `app.log`, retrying: "), "{errors}");
    assert!(errors.lines().count() < 10, "{errors}");
}

#[test]
#[ignore = "needs strace"]
fn no_device_pipe_or_socket_is_opened_for_reading() {
    let log = Log::with("");
    mkfifoat(CWD, log.beside("pipe"), Mode::RUSR).unwrap();
    drop(UnixListener::bind(log.beside("socket")).unwrap());
    let trace = log.beside("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-e", "trace=open,openat,openat2", "-o"]).arg(&trace);
    command.arg(env!("CARGO_BIN_EXE_wstail"));
    let server = crate::support::serve_by(command, &[Path::new("/dev"), log.directory()], &[]);
    for target in ["/zero", "/ptmx", "/null", "/dev/zero", "/zero?tail=1", "/pipe", "/pipe?tail=1", "/socket"] {
        assert_eq!(server.get(target).status, 404, "{target}");
    }
    end_traced(&server);
    let trace = fs::read_to_string(trace).unwrap();
    // A file is read through what was found for its name.
    assert!(!trace.contains("/proc/self/fd"), "{trace}");
    for name in ["zero\"", "ptmx\"", "null\"", "pipe\"", "socket\""] {
        let looked_up: Vec<_> = trace.lines().filter(|line| line.contains("openat2(") && line.contains(name)).collect();
        assert!(!looked_up.is_empty() && looked_up.iter().all(|line| line.contains("O_PATH")), "{looked_up:?}");
    }
}

#[test]
#[ignore = "needs root, setpriv(1) and prlimit(1)"]
fn a_thread_limit_gives_503_until_a_thread_is_free() {
    let log = Log::with("a\n");
    fs::set_permissions(log.directory(), fs::Permissions::from_mode(0o755)).unwrap();
    // A user with no other threads: main, signals, notifier, and two clients.
    let limited = ["--reuid=64123", "--clear-groups", "prlimit", "--nproc=5"];
    let server = serve_under(&log, "setpriv", &limited);
    let mut clients = [server.follow(), server.follow()];
    clients.iter_mut().for_each(|client| client.expect(["a"]));
    for _ in 0..50 {
        assert_eq!(server.get("/app.log").status, 503);
    }
    log.append("b\n");
    clients.iter_mut().for_each(|client| client.expect(["b"]));
    drop(clients);
    until("it serves again", || server.get("/app.log").status == 200);
    server.process.signal(Signal::TERM);
    let (code, errors) = server.process.end();
    assert_eq!(code, 0);
    let complaints = errors.lines().filter(|line| line.contains("cannot start a thread")).count();
    assert!((1..=2).contains(&complaints), "{complaints} complaints: {errors}");
}

#[test]
fn a_full_disk_for_its_own_output_does_not_stop_the_server() {
    let log = Log::with("a\n");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" \"$@\" >/dev/full 2>/dev/full", env!("CARGO_BIN_EXE_wstail"), "serve", "--port"]);
    command.arg(port.to_string()).arg(log.directory()).env("RUST_LOG", "trace").stdin(Stdio::null());
    let process = Process::start(command);
    let server = Server { process: std::sync::Arc::new(process), address: format!("127.0.0.1:{port}") };
    until("it listens", || std::net::TcpStream::connect(&server.address).is_ok());
    let mut client = server.follow();
    client.expect(["a"]);
    fs::write(log.path(), "b\n").unwrap();
    client.expect(["b"]);
    server.process.signal(Signal::TERM);
    assert_eq!(client.close().0, 1001);
    assert_eq!(server.process.wait().code(), Some(0));
}

/// Under strace, with its filters, and a variable set (`NAME=VALUE`) or unset (`NAME`).
pub fn serve_injected(log: &Log, filters: &[&str; 2], variable: &str) -> Server {
    let [trace, inject] = filters;
    let arguments = ["-f", "-qq", "-o", "/dev/null", "-E", variable, "-e", trace, "-e", inject];
    serve_under(log, "strace", &arguments)
}

/// What runs under strace would outlive it if that were killed.
pub fn end_traced(server: &Server) {
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", server.process.pid)).unwrap();
    let child = Pid::from_raw(children.trim().parse().unwrap()).unwrap();
    kill_process(child, Signal::TERM).unwrap();
    assert_eq!(server.process.wait().code(), Some(0));
}
