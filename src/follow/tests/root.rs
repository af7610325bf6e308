//! What a name leads to, and what it does not lead to.

use std::io::Read;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use rustix::fs::Mode;

use crate::follow::root::{Log, Roots};
use crate::protocol::address::Address;

struct Place {
    base: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let base = tempfile::tempdir().unwrap();
        let place = Place { base };
        std::fs::create_dir_all(place.path("logs/sub")).unwrap();
        std::fs::create_dir_all(place.path("logs_secret")).unwrap();
        place.write("logs/app.log", "app");
        place.write("logs/sub/deep.log", "deep");
        place.write("logs/.hidden", "hidden");
        place.write("logs_secret/key", "secret");
        place
    }

    fn path(&self, below: &str) -> PathBuf {
        self.base.path().canonicalize().unwrap().join(below)
    }

    fn write(&self, below: &str, text: &str) {
        std::fs::write(self.path(below), text).unwrap();
    }

    fn link(&self, target: impl AsRef<Path>, below: &str) {
        symlink(target, self.path(below)).unwrap();
    }

    /// What each way of opening reads at an address: openat2 and the walk must agree.
    fn read(&self, roots: &Roots, address: &str) -> Option<String> {
        let read = || {
            let address = Address::parse(address).ok()?;
            let (_, file) = roots.find(&address).unwrap()?;
            let mut text = String::new();
            file.raw().read_to_string(&mut text).ok()?;
            Some(text)
        };
        let set = |walk| roots.roots.iter().for_each(|root| root.walks.store(walk, Ordering::Relaxed));
        set(false);
        let quick = read();
        set(true);
        assert_eq!(read(), quick, "the walk differs at {address}");
        quick
    }
}

#[test]
fn absolute_and_relative_names_are_found() {
    let place = Place::new();
    let roots = Roots::open([place.path("logs")], false).unwrap();
    let absolute = place.path("logs/app.log");
    for address in ["/app.log", "//./app.log", absolute.to_str().unwrap()] {
        assert_eq!(place.read(&roots, address).as_deref(), Some("app"), "{address}");
    }
    assert_eq!(place.read(&roots, "/sub/deep.log").as_deref(), Some("deep"));
}

#[test]
fn what_is_not_beneath_a_root_is_not_found() {
    let place = Place::new();
    let roots = Roots::open([place.path("logs")], false).unwrap();
    let secret = place.path("logs_secret/key");
    for address in [secret.to_str().unwrap(), "/etc/passwd", "/sub", "/", "/missing", "/app.log/x", "/.hidden"] {
        assert_eq!(place.read(&roots, address), None, "{address}");
    }
    let hidden = Roots::open([place.path("logs")], true).unwrap();
    assert_eq!(place.read(&hidden, "/.hidden").as_deref(), Some("hidden"));
}

#[test]
fn links_inside_work_and_links_out_do_not() {
    let place = Place::new();
    place.link("app.log", "logs/relative");
    place.link("../app.log", "logs/sub/up");
    place.link(place.path("logs/sub/deep.log"), "logs/absolute");
    place.link(place.path("logs/sub"), "logs/directory");
    place.link("../logs_secret/key", "logs/out");
    place.link("../logs/app.log", "logs/out-and-back");
    place.link(place.path("logs_secret"), "logs/outside");
    place.link("loop", "logs/loop");
    place.link("/proc/self/fd/0", "logs/magic");
    let roots = Roots::open([place.path("logs")], false).unwrap();
    for (address, text) in
        [("/relative", "app"), ("/sub/up", "app"), ("/absolute", "deep"), ("/directory/deep.log", "deep")]
    {
        assert_eq!(place.read(&roots, address).as_deref(), Some(text), "{address}");
    }
    for address in ["/out", "/out-and-back", "/outside/key", "/loop", "/magic"] {
        assert_eq!(place.read(&roots, address), None, "{address}");
    }
}

#[test]
fn several_roots_are_tried_in_turn_and_none_leads_to_another() {
    let place = Place::new();
    place.write("logs_secret/app.log", "other");
    place.link(place.path("logs_secret/key"), "logs/other-root");
    let roots = Roots::open([place.path("logs"), place.path("logs_secret")], false).unwrap();
    assert_eq!(place.read(&roots, "/app.log").as_deref(), Some("app"));
    assert_eq!(place.read(&roots, "/key").as_deref(), Some("secret"));
    assert_eq!(place.read(&roots, place.path("logs_secret/app.log").to_str().unwrap()).as_deref(), Some("other"));
    assert_eq!(place.read(&roots, "/other-root"), None);
}

#[test]
fn a_file_as_root_is_found_by_its_name_alone() {
    let place = Place::new();
    place.link("app.log", "logs/current");
    place.link(place.path("logs_secret/key"), "logs/named");
    for (root, text) in [("app.log", "app"), ("current", "app"), ("named", "secret"), (".hidden", "hidden")] {
        let path = place.path("logs").join(root);
        let roots = Roots::open([&path], false).unwrap();
        assert_eq!(place.read(&roots, &format!("/{root}")).as_deref(), Some(text), "{root}");
        assert_eq!(place.read(&roots, path.to_str().unwrap()).as_deref(), Some(text), "{root}");
        assert_eq!(place.read(&roots, "/sub/deep.log"), None);
    }
}

#[test]
fn a_file_as_root_keeps_its_name_when_its_path_goes_up() {
    let place = Place::new();
    place.link("app.log", "logs/current");
    let roots = Roots::open([place.path("logs/sub/../current")], false).unwrap();
    assert_eq!(place.read(&roots, "/current").as_deref(), Some("app"));
    assert_eq!(place.read(&roots, place.path("logs/current").to_str().unwrap()).as_deref(), Some("app"));
    assert_eq!(place.read(&roots, "/app.log"), None);
}

#[test]
fn pipes_and_devices_are_no_logs() {
    let place = Place::new();
    rustix::fs::mkfifoat(rustix::fs::CWD, place.path("logs/fifo"), Mode::RUSR).unwrap();
    let roots = Roots::open([place.path("logs")], false).unwrap();
    assert_eq!(place.read(&roots, "/fifo"), None);
    assert!(Roots::open(["/dev/null"], false).unwrap_err().is_usage());
    let error = Roots::open([place.path("missing")], false).unwrap_err();
    assert!(error.to_string().ends_with("/missing`: no such file or directory"), "{error}");
}

#[test]
fn the_root_directory_itself_may_be_served() {
    let place = Place::new();
    let roots = Roots::open(["/"], false).unwrap();
    let path = place.path("logs/app.log");
    if !path.to_str().unwrap().contains("/.") {
        assert_eq!(place.read(&roots, path.to_str().unwrap()).as_deref(), Some("app"));
    }
}

#[test]
fn a_link_leads_to_its_target_wherever_that_lies_in_the_root() {
    let place = Place::new();
    place.link("app.log", "logs/one");
    place.link(place.path("logs/one"), "logs/sub/two");
    place.link("sub", "logs/directory");
    place.link("../app.log.9", "logs/sub/dangling");
    place.link("../logs_secret/key", "logs/out");
    let roots = Roots::open([place.path("logs")], false).unwrap();
    let find = |name: &str| roots.find(&Address::parse(name).unwrap()).unwrap().unwrap().0;
    let target = |log: &Log| {
        let segments = log.target().ok()??.segments().join(&b'/');
        Some(String::from_utf8(segments).unwrap())
    };
    for (name, led_to) in [("/app.log", None), ("/one", Some("app.log")), ("/sub/two", Some("app.log"))] {
        assert_eq!(target(&find(name)).as_deref(), led_to, "{name}");
    }
    assert_eq!(target(&find("/directory/two")).as_deref(), Some("app.log"));
    assert_eq!(target(&find("/directory/deep.log")), None, "the last segment is no link");
    let beside = |name: &str| find("/sub/two").at(vec![b"sub".to_vec(), name.as_bytes().to_vec()]);
    assert_eq!(target(&beside("dangling")).as_deref(), Some("app.log.9"));
    assert_eq!(target(&find("/app.log").at(vec![b"out".to_vec()])), None);
    assert_eq!(target(&beside("missing")), None);
}

#[test]
fn the_file_behind_a_link_as_root_has_the_name_it_has_there() {
    let place = Place::new();
    place.link("../logs_secret/key", "logs/app.log.current");
    let roots = Roots::open([place.path("logs/app.log.current")], false).unwrap();
    let (log, _) = roots.find(&Address::parse("/app.log.current").unwrap()).unwrap().unwrap();
    assert_eq!((log.name(), log.target().unwrap().is_none()), ("key".into(), true));
    place.write("other", "other");
    std::fs::remove_file(place.path("logs/app.log.current")).unwrap();
    assert_eq!(log.open().unwrap_err().kind(), std::io::ErrorKind::NotFound);
    let directory = log.open_directory(&[]).unwrap();
    assert!(
        rustix::fs::statat(&directory, "key", rustix::fs::AtFlags::empty()).is_ok(),
        "its siblings are still there"
    );
    place.link("../other", "logs/app.log.current");
    log.open().unwrap();
    assert_eq!(log.name(), "other");
}

#[test]
fn a_located_file_is_what_is_opened() {
    let place = Place::new();
    place.link("app.log", "logs/link");
    let roots = Roots::open([place.path("logs")], false).unwrap();
    let find = |name: &str| roots.find(&Address::parse(name).unwrap()).unwrap().unwrap().0;
    for (name, is_direct) in [("/app.log", true), ("/link", false)] {
        let log = find(name);
        let located = log.locate().unwrap();
        assert_eq!((located.is_direct, located.status.size), (is_direct, 3), "{name}");
    }
    let log = find("/app.log");
    let located = log.locate().unwrap();
    std::fs::remove_file(place.path("logs/app.log")).unwrap();
    place.write("logs/app.log", "another");
    let mut text = String::new();
    located.open().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "app");
}

#[test]
fn however_many_notice_a_root_is_replaced_once() {
    let place = Place::new();
    place.link("logs", "root");
    let roots = Roots::open([place.path("").join("root")], false).unwrap();
    assert_eq!(roots.generations(), [Some(0)]);
    let address = Address::parse("/key").unwrap();
    std::fs::remove_file(place.path("").join("root")).unwrap();
    assert_eq!(roots.generations(), [None]);
    place.link("logs_secret", "root");
    std::thread::scope(|scope| {
        (0..8).for_each(|_| drop(scope.spawn(|| assert!(roots.find(&address).unwrap().is_some()))));
    });
    assert_eq!(roots.generations(), [Some(1)]);
}
