//! Roots that are replaced: the server opens the new one, for new clients and for followers.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::process::Signal;

use crate::support::{EventClient, Item, Server, serve_by, within, wstail};

/// How long it may take until a replacement is noticed: a poll, and some time on a busy machine.
const SOON: Duration = Duration::from_millis(1500);
/// Polling would find anything too late.
const NEVER: [&str; 2] = ["--poll", "60000"];
const LOG: &str = "app.log?tail=1&lines=all";
const LINE: &str = "was replaced";

/// A directory `logs` with a log that contains `a`.
struct Place {
    base: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let place = Place { base: tempfile::tempdir().unwrap() };
        place.write("logs/app.log", "a\n");
        place
    }

    /// The same, but `logs` is a link to `one`.
    fn linked() -> Place {
        let place = Place { base: tempfile::tempdir().unwrap() };
        place.write("one/app.log", "a\n");
        symlink("one", place.path("logs")).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.base.path().canonicalize().unwrap().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    /// Makes a link, or switches it in one step.
    fn switch(&self, target: impl AsRef<Path>, name: &str) {
        symlink(target, self.path("new")).unwrap();
        fs::rename(self.path("new"), self.path(name)).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }
}

fn serve(root: &Path, is_notified: bool, options: &[&str]) -> Server {
    let mut command = wstail();
    command.env_remove("WSTAIL_NO_NOTIFY");
    if !is_notified {
        command.env("WSTAIL_NO_NOTIFY", "1");
    }
    serve_by(command, &[root], &[&["--rotate-wait", "0", "--heartbeat", "600"], options].concat())
}

fn follow(server: &Server) -> EventClient {
    let mut client = server.events(LOG);
    client.story("<open>a\n");
    client
}

/// The bytes up to `end`, whatever else is reported, and how long they took.
fn read(client: &mut EventClient, end: &str) -> (String, Duration) {
    let (begun, mut text) = (Instant::now(), String::new());
    while !text.ends_with(end) {
        match client.next() {
            Item::Bytes(bytes) => text += &String::from_utf8_lossy(&bytes),
            Item::Event(_) => {}
            Item::Close(code, reason) => panic!("closed with {code} ({reason}) after {text:?}"),
        }
    }
    (text, begun.elapsed())
}

/// Ends the server. Returns its log.
fn ended(server: &Server) -> String {
    server.process.signal(Signal::TERM);
    let (code, errors) = server.process.end();
    assert_eq!(code, 0, "{errors}");
    errors
}

/// Ends the server. Returns how many lines of its log report a replaced root.
fn replacements(server: &Server) -> usize {
    let errors = ended(server);
    assert!(errors.lines().all(|line| !line.contains(LINE) || line.contains("INFO")), "{errors}");
    errors.lines().filter(|line| line.contains(LINE)).count()
}

/// Followers from before and a client from after the replacement see the new log, and the server's log has one line.
fn check(server: &Server, replace: impl FnOnce()) {
    let mut clients: Vec<_> = (0..5).map(|_| follow(server)).collect();
    replace();
    let begun = Instant::now();
    for client in &mut clients {
        assert_eq!(read(client, "b\n").0, "b\n");
    }
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    assert_eq!(server.get("/app.log").text(), "b\n");
    assert_eq!(replacements(server), 1);
}

/// Checks all ways in which changes are noticed, for a root that is a directory and one that is a file.
fn check_all(place: fn() -> Place, replace: fn(&Place)) {
    for root in ["logs", "logs/app.log"] {
        for (is_notified, options) in [(true, &NEVER[..]), (true, &[]), (false, &[])] {
            let place = place();
            let server = serve(&place.path(root), is_notified, options);
            check(&server, || replace(&place));
        }
    }
}

#[test]
fn a_link_that_is_switched_is_followed() {
    check_all(Place::linked, |place| {
        place.write("two/app.log", "b\n");
        place.switch("two", "logs");
    });
}

#[test]
fn a_recreated_directory_is_followed() {
    check_all(Place::new, |place| {
        fs::remove_dir_all(place.path("logs")).unwrap();
        place.write("logs/app.log", "b\n");
    });
}

#[test]
fn a_renamed_and_recreated_directory_is_followed() {
    check_all(Place::new, |place| {
        place.write("next/app.log", "b\n");
        place.rename("logs", "old");
        place.rename("next", "logs");
    });
}

/// `logs` is `deep/link/logs`, and the link leads to `one`.
fn deep() -> Place {
    let place = Place { base: tempfile::tempdir().unwrap() };
    place.write("deep/one/logs/app.log", "a\n");
    symlink(place.path("deep/one"), place.path("deep/link")).unwrap();
    symlink("deep/link/logs", place.path("logs")).unwrap();
    place
}

#[test]
fn replaced_parents_of_a_root_are_noticed_at_once() {
    check_all(deep, |place| {
        place.write("deep/two/logs/app.log", "b\n");
        place.switch("two", "deep/link");
    });
    check_all(deep, |place| {
        place.write("next/one/logs/app.log", "b\n");
        place.rename("deep/one", "old");
        place.rename("next/one", "deep/one");
    });
    check_all(deep, |place| {
        fs::remove_dir_all(place.path("deep/one")).unwrap();
        place.write("deep/one/logs/app.log", "b\n");
    });
}

#[test]
fn a_recreated_empty_root_is_noticed_at_once() {
    for root in ["logs", "logs/app.log"] {
        let place = Place::new();
        place.write("logs/other", "");
        let server = serve(&place.path(root), true, &NEVER);
        check(&server, || {
            fs::remove_file(place.path("logs/app.log")).unwrap();
            thread::sleep(Duration::from_millis(200));
            fs::remove_file(place.path("logs/other")).unwrap();
            // Long enough for the pauses between two polls to grow.
            thread::sleep(Duration::from_secs(5));
            fs::remove_dir(place.path("logs")).unwrap();
            thread::sleep(Duration::from_millis(200));
            place.write("logs/app.log", "b\n");
        });
    }
}

#[test]
fn changes_above_a_root_wake_nobody() {
    let place = deep();
    let server = serve(&place.path("logs"), true, &[]);
    let _client = follow(&server);
    thread::sleep(Duration::from_secs(1));
    let before = server.process.switches();
    for _ in 0..30 {
        place.write("deep/one/other", "");
        fs::remove_file(place.path("deep/one/other")).unwrap();
        thread::sleep(Duration::from_millis(10));
    }
    let switches = server.process.switches() - before;
    assert!(switches < 5, "{switches} wake-ups");
}

#[test]
fn a_link_out_of_its_directory_is_followed_when_it_is_switched() {
    for is_notified in [true, false] {
        let place = Place::new();
        place.write("served/other.log", "other\n");
        symlink("../logs/app.log", place.path("served/app.log")).unwrap();
        let server = serve(&place.path("served/app.log"), is_notified, &[]);
        check(&server, || {
            place.write("two/new-name.log", "b\n");
            place.switch("../two/new-name.log", "served/app.log");
        });
    }
}

#[test]
fn a_switched_link_is_logged_but_a_rotated_one_is_not() {
    for is_notified in [true, false] {
        let place = Place::linked();
        symlink("one/app.log", place.path("app.log")).unwrap();
        let server = serve(&place.path("app.log"), is_notified, &[]);
        check(&server, || {
            place.write("two/app.log", "b\n");
            place.switch("two/app.log", "app.log");
        });
        let server = serve(&place.path("two/app.log"), is_notified, &[]);
        let mut client = server.events(LOG);
        client.story("<open>b\n");
        place.rename("two/app.log", "two/app.log.1");
        assert_eq!(server.get("/app.log").status, 404);
        place.write("two/app.log", "c\n");
        assert_eq!(read(&mut client, "c\n").0, "c\n");
        assert_eq!(replacements(&server), 0);
    }
}

#[test]
fn a_rotation_behind_a_link_out_of_its_directory_replaces_nothing() {
    let place = Place::new();
    fs::create_dir(place.path("served")).unwrap();
    symlink("../logs/app.log", place.path("served/current")).unwrap();
    let server = serve(&place.path("served/current"), true, &[]);
    let mut client = server.events("current?tail=1&lines=all");
    client.story("<open>a\n");
    for round in ["b\n", "c\n"] {
        place.rename("logs/app.log", "logs/app.log.1");
        place.write("logs/app.log", round);
        assert_eq!(client.story(round), format!("<rotated>{round}"));
    }
    assert_eq!(server.get("/current").text(), "c\n");
    assert_eq!(replacements(&server), 0);
}

#[test]
fn logs_return_with_their_root() {
    for is_notified in [true, false] {
        let place = Place::new();
        let server = serve(&place.path("logs"), is_notified, &[]);
        let mut client = follow(&server);
        place.rename("logs", "old");
        assert_eq!(client.story("<waiting>"), "<waiting>");
        assert_eq!(server.get("/app.log").status, 404);
        assert_eq!(server.get("/-/files").text(), r#"{"files":[]}"#);
        place.rename("old", "logs");
        let mut writer = fs::OpenOptions::new().append(true).open(place.path("logs/app.log")).unwrap();
        writer.write_all(b"b\n").unwrap();
        assert!(read(&mut client, "b\n").1 < SOON);
        assert_eq!(server.get("/app.log").text(), "a\nb\n");
        assert_eq!(replacements(&server), 0, "it is the same directory again");
    }
}

#[test]
fn a_new_root_is_as_confined_as_the_old_one() {
    let place = Place::linked();
    place.write("secret", "secret\n");
    place.write("two/inside/app.log", "b\n");
    for (target, name) in [
        ("/etc/passwd".into(), "absolute"),
        ("../secret".into(), "up"),
        ("../one/app.log".into(), "old"),
        (place.path("one/app.log"), "old-absolute"),
        ("inside/app.log".into(), "app.log"),
        (place.path("two/inside/app.log"), "inside.log"),
        (place.path("logs/inside/app.log"), "given.log"),
    ] {
        symlink(target, place.path("two").join(name)).unwrap();
    }
    let server = serve(&place.path("logs"), true, &[]);
    let mut client = follow(&server);
    place.switch("two", "logs");
    assert_eq!(read(&mut client, "b\n").0, "b\n");
    for name in ["absolute", "up", "old", "old-absolute"] {
        assert_eq!(server.get(&format!("/{name}")).status, 404, "{name}");
    }
    let new = place.path("two/inside/app.log").to_str().unwrap().to_owned();
    for name in ["/app.log", "/inside.log", "/given.log", &new] {
        assert_eq!(server.get(name).text(), "b\n", "{name}");
    }
    let old = place.path("one/app.log");
    assert_eq!(server.get(old.to_str().unwrap()).status, 404, "it does not lie beneath the root any more");
    assert_eq!(replacements(&server), 1);
}

#[test]
fn a_file_as_root_does_not_become_a_link_out_of_its_directory() {
    let place = Place::new();
    place.write("secret", "secret\n");
    let server = serve(&place.path("logs/app.log"), true, &[]);
    place.switch("../secret", "logs/app.log");
    assert_eq!(server.get("/app.log").status, 404);
    place.rename("logs", "old");
    fs::create_dir(place.path("logs")).unwrap();
    symlink(place.path("secret"), place.path("logs/app.log")).unwrap();
    assert_eq!(server.get("/app.log").status, 404);
}

#[test]
fn roots_are_not_checked_without_clients() {
    let place = Place::new();
    let server = serve(&place.path("logs"), true, &["--poll", "10"]);
    drop(follow(&server));
    let rests = || {
        let before = server.process.switches();
        thread::sleep(Duration::from_secs(1));
        server.process.switches() == before
    };
    assert!(within(Duration::from_secs(10), rests), "it does not come to rest");
}

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

#[test]
fn a_pipe_is_not_opened() {
    let place = Place::new();
    let pipe = place.path("logs/pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
    symlink("pipe", place.path("logs/link")).unwrap();
    let server = serve(&place.path("logs"), true, &[]);
    thread::scope(|scope| {
        // Opening the pipe waits for a reader.
        let writer = scope.spawn(|| drop(fs::OpenOptions::new().write(true).open(&pipe).unwrap()));
        for target in ["/pipe", "/link", "/-/files"].iter().cycle().take(60) {
            server.get(target);
        }
        let is_opened = writer.is_finished();
        drop(rustix::fs::open(&pipe, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty()).unwrap());
        assert!(!is_opened);
    });
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
