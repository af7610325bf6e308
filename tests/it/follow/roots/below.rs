//! Directories below a root that are replaced, file systems that are mounted there, and files that cannot be opened.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::{LOG, NEVER, Place, SOON, check, ended, follow, read, replacements, serve};
use crate::support::{Server, serve_by, wstail};

/// A log below two directories. The log's own directory, the one above it, or a link to it is replaced.
fn replace_directories(is_notified: bool, options: &[&str]) {
    type Change = fn(&Place);
    let changes: [(&str, Change); 4] = [
        ("renamed", |place| {
            place.write("logs/next/sub/app.log", "b\n");
            place.rename("logs/one", "logs/old");
            place.rename("logs/next", "logs/one");
        }),
        ("the lower one renamed", |place| {
            place.rename("logs/one/sub", "logs/old");
            place.write("logs/one/sub/app.log", "b\n");
        }),
        ("deleted", |place| {
            fs::remove_dir_all(place.path("logs/one")).unwrap();
            place.write("logs/one/sub/app.log", "b\n");
        }),
        ("a link", |place| {
            place.write("logs/two/app.log", "b\n");
            place.rename("logs/one/sub", "logs/old");
            place.switch("../two", "logs/one/sub");
        }),
    ];
    for (what, change) in changes {
        let place = Place::new();
        place.write("logs/one/sub/app.log", "a\n");
        let server = serve(&place.path("logs"), is_notified, options);
        let mut clients: Vec<_> = (0..3).map(|_| server.events(&format!("one/sub/{LOG}"))).collect();
        clients.iter_mut().for_each(|client| drop(client.story("<open>a\n")));
        // Until the pauses between two polls are longer.
        thread::sleep(Duration::from_millis(if is_notified { 1500 } else { 500 }));
        change(&place);
        let begun = Instant::now();
        for client in &mut clients {
            assert_eq!(read(client, "b\n").0, "b\n", "{what}");
        }
        assert!(begun.elapsed() < Duration::from_millis(900), "{what}: {:?}", begun.elapsed());
        assert_eq!(replacements(&server), 0, "{what}");
    }
}

#[test]
fn a_directory_below_a_root_that_is_replaced_is_noticed_at_once() {
    replace_directories(true, &["--poll", "5000"]);
}

#[test]
fn without_inotify_a_replaced_directory_is_noticed_within_a_poll() {
    replace_directories(false, &[]);
}

/// A command without the privileges of root, which may read everything.
fn unprivileged() -> Command {
    let mut command = wstail();
    command.env_remove("WSTAIL_NO_NOTIFY");
    if rustix::process::geteuid().is_root() {
        command.uid(65534).gid(65534);
    }
    command
}

#[test]
fn below_a_directory_that_cannot_be_watched_logs_are_polled() {
    let place = Place::new();
    place.write("logs/sub/app.log", "a\n");
    fs::set_permissions(place.path("logs"), Permissions::from_mode(0o311)).unwrap();
    fs::set_permissions(place.path(""), Permissions::from_mode(0o755)).unwrap();
    let server = serve_by(unprivileged(), &[&place.path("logs")], &["--rotate-wait", "0"]);
    let mut clients: Vec<_> = (0..3).map(|_| server.events(&format!("sub/{LOG}"))).collect();
    clients.iter_mut().for_each(|client| drop(client.story("<open>a\n")));
    thread::sleep(Duration::from_millis(500));
    place.rename("logs/sub", "logs/old");
    place.write("logs/sub/app.log", "b\n");
    for client in &mut clients {
        assert!(read(client, "b\n").1 < SOON);
    }
    let log = ended(&server);
    assert_eq!(log.lines().filter(|line| line.contains("WARN")).count(), 1, "{log}");
    fs::set_permissions(place.path("logs"), Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn below_a_directory_that_cannot_be_watched_roots_are_polled() {
    let place = Place { base: tempfile::tempdir().unwrap() };
    place.write("closed/one/app.log", "a\n");
    place.write("closed/two/app.log", "b\n");
    symlink("one", place.path("closed/logs")).unwrap();
    for (name, mode) in [("closed", 0o711), ("", 0o755)] {
        fs::set_permissions(place.path(name), Permissions::from_mode(mode)).unwrap();
    }
    let server = serve_by(unprivileged(), &[&place.path("closed/logs")], &["--rotate-wait", "0"]);
    check(&server, || place.switch("two", "closed/logs"));
}

#[test]
fn an_unreadable_log_is_a_404_and_one_log_line() {
    let place = Place::new();
    for name in ["logs/closed.log", "logs/other.log", "logs/closed/app.log"] {
        place.write(name, "secret\n");
        fs::set_permissions(place.path(name), Permissions::from_mode(0o000)).unwrap();
    }
    fs::set_permissions(place.path("logs/closed"), Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(place.path(""), Permissions::from_mode(0o755)).unwrap();
    let server = serve_by(unprivileged(), &[&place.path("logs")], &[]);
    for target in ["/closed.log", "/closed.log", "/closed.log", "/other.log", "/closed/app.log", "/missing.log"] {
        let answer = server.get(target);
        assert_eq!((answer.status, answer.text().as_str()), (404, "no such log\n"), "{target}");
    }
    assert_eq!(server.get("/app.log").text(), "a\n");
    assert!(!server.get("/-/files").text().contains("closed.log"));
    let log = ended(&server);
    let lines = |word: &str| log.lines().filter(|line| line.contains(word)).count();
    for path in ["closed.log", "other.log", "closed/app.log"] {
        let line = format!("cannot open `{path}`: permission denied");
        assert!(lines(&line) == 1 && log.lines().any(|other| other.contains(&line) && other.contains("WARN")), "{log}");
    }
    assert_eq!((lines("cannot open"), lines("missing")), (3, 0), "{log}");
}

fn serve_apart(root: &Path, is_notified: bool, options: &[&str]) -> Server {
    let mut command = Command::new("unshare");
    command.args(["-m", env!("CARGO_BIN_EXE_wstail")]).env_remove("RUST_LOG").env_remove("WSTAIL_NO_NOTIFY");
    if !is_notified {
        command.env("WSTAIL_NO_NOTIFY", "1");
    }
    serve_by(command, &[root], &[&["--rotate-wait", "0", "--heartbeat", "600"], options].concat())
}

/// Mounts an empty file system that only the server sees.
fn mount(server: &Server, over: &str) {
    let pid = server.process.pid.to_string();
    let mount = ["-t", &pid, "-m", "mount", "-t", "tmpfs", "none", over];
    assert!(Command::new("nsenter").args(mount).status().unwrap().success());
}

#[test]
#[ignore = "needs mount"]
fn a_file_system_mounted_over_a_root_is_followed() {
    let cases = ["logs", "logs/app.log"].map(|root| [(root, true, &NEVER[..]), (root, true, &[]), (root, false, &[])]);
    for (root, is_notified, options) in cases.into_iter().flatten() {
        let place = Place::new();
        let server = serve_apart(&place.path(root), is_notified, options);
        check(&server, || {
            let over = place.path("logs").display().to_string();
            mount(&server, &over);
            fs::write(format!("/proc/{}/root{over}/app.log", server.process.pid), "b\n").unwrap();
        });
    }
}

#[test]
#[ignore = "needs mount"]
fn a_file_system_mounted_below_a_root_is_followed() {
    for (is_notified, options) in [(true, &NEVER[..]), (true, &[]), (false, &[])] {
        let place = Place::new();
        place.write("logs/sub/app.log", "a\n");
        let server = serve_apart(&place.path("logs"), is_notified, options);
        let mut client = server.events(&format!("sub/{LOG}"));
        client.story("<open>a\n");
        // Until the pauses between two polls are longer.
        thread::sleep(Duration::from_secs(1));
        let over = place.path("logs/sub").display().to_string();
        mount(&server, &over);
        fs::write(format!("/proc/{}/root{over}/app.log", server.process.pid), "b\n").unwrap();
        let (text, time) = read(&mut client, "b\n");
        assert!(text == "b\n" && time < SOON, "{text:?} after {time:?}");
    }
}

#[test]
#[ignore = "needs mount"]
fn logs_are_opened_without_proc() {
    let place = Place::new();
    symlink("app.log", place.path("logs/link")).unwrap();
    symlink("../other", place.path("logs/out")).unwrap();
    place.write("other", "secret\n");
    let server = serve_apart(&place.path("logs"), true, &[]);
    mount(&server, "/proc");
    for name in ["app.log", "link"] {
        assert_eq!(server.get(&format!("/{name}")).text(), "a\n", "{name}");
    }
    assert_eq!(server.get("/out").status, 404);
    let mut client = follow(&server);
    place.rename("logs/app.log", "logs/app.log.1");
    place.write("logs/app.log", "b\n");
    assert!(read(&mut client, "b\n").1 < SOON);
}
