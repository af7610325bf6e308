//! Roots that are replaced: the server opens the new one, for new clients and for followers.

mod below;

use std::fs::{self};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

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
