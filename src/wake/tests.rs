//! What wakes a reader, and what does not.

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::follow::follower::{Follower, Step};
use crate::follow::root::Roots;
use crate::protocol::address::Address;
use crate::protocol::request::Lines;
use crate::wake::watch::Watch;
use crate::wake::watcher::{Watcher, is_local};

struct Place {
    directory: tempfile::TempDir,
    watcher: Arc<Watcher>,
}

impl Place {
    fn new() -> Place {
        Place { directory: tempfile::tempdir().unwrap(), watcher: Arc::new(Watcher::new().unwrap()) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn writer(&self, name: &str) -> File {
        fs::OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap()
    }

    /// A reader at the end of the log, and its watch.
    fn reader(&self, name: &str) -> (Box<Follower>, Watch) {
        let roots = Roots::open([self.directory.path()], false).unwrap();
        let (log, file) = roots.find(&Address::parse(&format!("/{name}")).unwrap()).unwrap().unwrap();
        let mut follower = Follower::new(log, file, Lines::Last(0), true, Duration::ZERO).unwrap();
        let mut watch = Watch::new(self.watcher.clone());
        read(&mut follower);
        assert!(!watch.follow(&follower) && watch.follow(&follower));
        (follower, watch)
    }

    /// How many files and directories are watched.
    fn count(&self) -> usize {
        let info = format!("/proc/self/fdinfo/{}", self.watcher.inotify.as_raw_fd());
        fs::read_to_string(info).unwrap().lines().filter(|line| line.starts_with("inotify ")).count()
    }

    fn is_woken(&self, watch: &Watch) -> bool {
        self.watcher.pass_on().unwrap();
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut [PollFd::new(&watch.waker().unwrap(), PollFlags::IN)], Some(&now)).unwrap() == 1
    }
}

fn read(follower: &mut Follower) {
    while follower.poll(&mut [0; 64], Instant::now()).unwrap() != Step::Quiet {}
}

#[test]
fn a_write_rings_for_every_reader_of_the_file_and_no_other() {
    let place = Place::new();
    let [mut one, mut other] = ["one", "other"].map(|name| place.writer(name));
    let (mut first, second, third) = (place.reader("one"), place.reader("one"), place.reader("other"));
    assert_eq!(place.count(), 3);
    one.write_all(b"a\n").unwrap();
    assert!(place.is_woken(&first.1) && place.is_woken(&second.1) && !place.is_woken(&third.1));
    first.1.clear(&mut first.0);
    assert!(!place.is_woken(&first.1) && place.is_woken(&second.1));
    other.write_all(b"a\n").unwrap();
    assert!(!place.is_woken(&first.1) && place.is_woken(&third.1));
    one.write_all(b"b\n").unwrap();
    assert!(place.is_woken(&first.1));
}

#[test]
fn what_befalls_the_name_rings_too() {
    let place = Place::new();
    let changes: [fn(&Place); 4] = [
        |place| fs::rename(place.path("log"), place.path("log.1")).unwrap(),
        |place| fs::rename(place.path("new"), place.path("log")).unwrap(),
        |place| fs::remove_file(place.path("log")).unwrap(),
        |place| place.writer("log").set_len(0).unwrap(),
    ];
    for change in changes {
        ["log", "new"].iter().for_each(|name| place.writer(name).write_all(b"a\n").unwrap());
        let (_follower, watch) = place.reader("log");
        assert!(!place.is_woken(&watch));
        change(&place);
        assert!(place.is_woken(&watch));
    }
}

#[test]
fn a_close_counts_until_the_next_write() {
    let place = Place::new();
    let mut writer = place.writer("log");
    let (_follower, watch) = place.reader("log");
    let waker = watch.waker.as_ref().unwrap();
    assert_eq!(waker.take_closed(), None);
    place.writer("log").write_all(b"a\n").unwrap();
    assert!(place.is_woken(&watch));
    assert_eq!((waker.take_closed(), waker.take_closed()), (Some(true), None));
    place.writer("log").write_all(b"b\n").unwrap();
    writer.write_all(b"c\n").unwrap();
    assert!(place.is_woken(&watch));
    assert_eq!(waker.take_closed(), Some(false));
}

#[test]
fn a_reader_that_rests_hears_no_writes_and_every_close() {
    let place = Place::new();
    let mut writer = place.writer("log");
    let (mut one, mut other) = (place.reader("log"), place.reader("log"));
    one.1.rest(&one.0);
    writer.write_all(b"a\n").unwrap();
    assert!(place.is_woken(&other.1), "the other listens");
    other.1.rest(&other.0);
    for (follower, watch) in [&mut one, &mut other] {
        watch.clear(follower);
    }
    writer.write_all(b"b\n").unwrap();
    assert!(!place.is_woken(&one.1) && !place.is_woken(&other.1) && !one.1.reports_all(&one.0));
    assert!(!one.1.follow(&one.0) && one.1.follow(&one.0), "writes were not reported meanwhile");
    writer.write_all(b"c\n").unwrap();
    assert!(place.is_woken(&one.1));
    one.1.rest(&one.0);
    one.1.clear(&mut one.0);
    drop(writer);
    assert!(place.is_woken(&one.1) && place.count() == 2);
}

#[test]
fn the_watch_moves_on_with_the_reader() {
    let place = Place::new();
    place.writer("log").write_all(b"a\n").unwrap();
    let (mut follower, mut watch) = place.reader("log");
    fs::rename(place.path("log"), place.path("log.1")).unwrap();
    place.writer("log").write_all(b"b\n").unwrap();
    assert!(place.is_woken(&watch));
    watch.clear(&mut follower);
    read(&mut follower);
    assert!(!watch.reports_all(&follower) && !watch.follow(&follower) && watch.follow(&follower));
    assert_eq!((place.count(), place.is_woken(&watch)), (2, false));
    place.writer("log.1").write_all(b"c\n").unwrap();
    assert!(!place.is_woken(&watch));
}

#[test]
fn a_log_that_is_gone_or_behind_a_link_is_not_told_all_of() {
    let place = Place::new();
    place.writer("log");
    let (mut follower, watch) = place.reader("log");
    assert_eq!(watch.reports_all(&follower), is_local(follower.file().raw()));
    fs::rename(place.path("log"), place.path("target")).unwrap();
    read(&mut follower);
    assert!(!watch.reports_all(&follower), "gone");
    symlink("target", place.path("log")).unwrap();
    read(&mut follower);
    assert!(!watch.reports_all(&follower), "a link");
}

#[test]
fn thousands_of_watches_leave_nothing() {
    let place = Place::new();
    let names: Vec<_> = (0..8).map(|number| number.to_string()).collect();
    names.iter().for_each(|name| place.writer(name).write_all(b"a\n").unwrap());
    for _ in 0..50 {
        let readers: Vec<_> = (0..64).map(|number| place.reader(&names[number % names.len()])).collect();
        assert_eq!(place.count(), names.len() + 1);
        drop(readers);
    }
    assert_eq!(place.count(), 0);
    place.watcher.pass_on().unwrap();
    let watches = place.watcher.watches();
    assert!(watches.readers.is_empty() && watches.routes.is_empty());
}

#[test]
fn after_its_end_nothing_is_watched() {
    let place = Place::new();
    place.writer("log");
    let (follower, mut watch) = place.reader("log");
    place.watcher.end();
    assert!(place.is_woken(&watch));
    assert!(!watch.reports_all(&follower) && !watch.follow(&follower) && !watch.follow(&follower));
}

/// Lets a reader of `log` see everything, makes the change, and returns whether that wakes the reader.
fn wakes(place: &Place, (follower, watch): &mut (Box<Follower>, Watch), change: impl FnOnce()) -> bool {
    while !watch.follow(follower) {}
    place.is_woken(watch);
    watch.clear(follower);
    assert!(!place.is_woken(watch));
    change();
    place.is_woken(watch)
}

#[test]
fn a_busy_directory_wakes_nobody() {
    let place = Place::new();
    fs::create_dir_all(place.path("one/two")).unwrap();
    place.writer("one/two/log").write_all(b"a\n").unwrap();
    let mut reader = place.reader("one/two/log");
    let is_woken = wakes(&place, &mut reader, || {
        for directory in ["", "one", "one/two"] {
            let path = |name: &str| place.path(directory).join(name);
            for name in ["log.1", "logs", "lo", "x"] {
                fs::write(path(name), "x").unwrap();
                fs::rename(path(name), path("renamed")).unwrap();
                fs::create_dir(path("directory")).unwrap();
                fs::remove_dir(path("directory")).unwrap();
            }
            fs::remove_file(path("renamed")).unwrap();
        }
    });
    assert!(!is_woken && reader.1.reports_all(&reader.0) == is_local(reader.0.file().raw()));
}

#[test]
fn whatever_leads_the_name_elsewhere_wakes_its_readers() {
    type Change = fn(&Place);
    let changes: [(&str, Change); 6] = [
        ("the first directory", |place| fs::rename(place.path("one"), place.path("old")).unwrap()),
        ("the second directory", |place| fs::rename(place.path("one/two"), place.path("one/old")).unwrap()),
        ("the link", |place| {
            symlink("other", place.path("new")).unwrap();
            fs::rename(place.path("new"), place.path("one/two/log")).unwrap();
        }),
        ("the link's target's directory", |place| fs::rename(place.path("real"), place.path("old")).unwrap()),
        ("the link's target", |place| fs::rename(place.path("real/file"), place.path("real/old")).unwrap()),
        ("the root", |place| place.watcher.wake_all()),
    ];
    for (what, change) in changes {
        let place = Place::new();
        fs::create_dir_all(place.path("one/two")).unwrap();
        fs::create_dir(place.path("real")).unwrap();
        place.writer("real/file").write_all(b"a\n").unwrap();
        symlink("../../real/file", place.path("one/two/log")).unwrap();
        let mut readers = [place.reader("one/two/log"), place.reader("one/two/log")];
        // The root, three directories and the file.
        assert_eq!(place.count(), 5, "{what}");
        assert!(wakes(&place, &mut readers[0], || change(&place)), "{what}");
        for (follower, watch) in &mut readers {
            assert!(place.is_woken(watch) && !watch.reports_all(follower), "{what}");
            assert!(!watch.follow(follower) || watch.follow(follower), "{what}");
        }
    }
}

#[test]
fn a_missing_name_is_reported_when_it_comes() {
    let place = Place::new();
    fs::create_dir_all(place.path("one/two")).unwrap();
    place.writer("one/two/log").write_all(b"a\n").unwrap();
    let mut reader = place.reader("one/two/log");
    fs::remove_dir_all(place.path("one")).unwrap();
    for directory in ["one", "one/two"] {
        assert!(wakes(&place, &mut reader, || fs::create_dir(place.path(directory)).unwrap()), "{directory}");
    }
    assert!(wakes(&place, &mut reader, || drop(place.writer("one/two/log"))));
}
