//! Only regular files are opened. Opening a pipe, a device or a socket can block, or do something.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

use rustix::fs::inotify::WatchFlags;
use rustix::fs::{CWD, FileType, Mode, OFlags, makedev, mkfifoat, mknodat, open};

use crate::support::{Inotify, Log, Process, serve_with, wstail};

/// Asks for a file in every way, under every name that a log or a rotated file may have, and replaces a log by it. Returns
/// how often it was opened, other than to see what it is, and the server's own log.
fn opened(make: fn(&Path)) -> (usize, String) {
    let log = Log::with("a\n");
    let special = log.beside("special.log");
    make(&special);
    fs::create_dir(log.beside("sub")).unwrap();
    for name in ["sub/app.log", "app.log.1", "app.log.3", "app.log-20261121", "app.log.old"] {
        fs::hard_link(&special, log.beside(name)).unwrap();
    }
    symlink("special.log", log.beside("link.log")).unwrap();
    let [file, regular] = [&special, &log.path()].map(|path| Inotify::watch(path, WatchFlags::OPEN));

    let server = serve_with(&log, &["--rotate-wait", "0", "--poll", "20"]);
    for name in ["special.log", "sub/app.log", "app.log.1", "app.log-20261121", "link.log", "special.log/x"] {
        for query in ["", "?lines=all", "?tail=1", "?history=1&since=2020-01-01", "?view=text"] {
            assert_eq!(server.get(&format!("/{name}{query}")).status, 404, "{name}{query}");
        }
        assert_eq!(server.ask(format!("HEAD /{name} HTTP/1.1\r\nHost: localhost\r\n\r\n")).status, 404, "{name}");
        assert!(server.try_client(name).unwrap_err().contains("404"), "{name}");
    }
    assert_eq!(server.get("/app.log?history=1&lines=all").text(), "a\n");
    let list = server.get("/-/files").text();
    assert_eq!((list.matches("\"path\"").count(), list.contains("\"app.log\"")), (1, true), "{list}");

    // The log is replaced by it, and comes back.
    let mut client = server.events("app.log?tail=1&lines=all");
    client.story("a\n");
    let cursor = client.cursor();
    fs::rename(log.path(), log.beside("app.log.2")).unwrap();
    fs::hard_link(&special, log.path()).unwrap();
    assert!(client.story("<waiting>").ends_with("<waiting>"));
    for target in [format!("/app.log?cursor={cursor}"), "/app.log?tail=1".to_owned()] {
        assert_eq!(server.get(&target).status, 404, "{target}");
    }
    fs::remove_file(log.path()).unwrap();
    log.append("b\n");
    assert!(client.story("b\n").ends_with("<rotated>b\n"));
    assert!(server.events(&format!("app.log?cursor={cursor}")).story("<1000>").ends_with("<rotated>b\n<end><1000>"));

    // It is named on the command line.
    for command in ["serve", "ls"] {
        let mut wstail = wstail();
        wstail.arg(command).arg(&special);
        assert_eq!(Process::start(wstail).end().0, 2, "{command}");
    }
    assert!(!regular.events().is_empty(), "opening a file is reported");
    drop(client);
    server.process.signal(rustix::process::Signal::TERM);
    let opened = file.events().len();
    // The proof that opening this file would have been reported. A socket cannot be opened.
    let is_socket = FileType::from_raw_mode(rustix::fs::stat(&special).unwrap().st_mode) == FileType::Socket;
    let result = open(&special, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty());
    assert_eq!((result.is_ok(), file.events().len()), (!is_socket, usize::from(!is_socket)));
    (opened, server.process.end().1)
}

#[test]
fn pipes_are_not_opened() {
    let pipe = |path: &Path| mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR).unwrap();
    let (opened, errors) = opened(pipe);
    assert_eq!(opened, 0, "{errors}");
}

#[test]
fn sockets_are_not_opened() {
    let (_, errors) = opened(|path| drop(UnixListener::bind(path).unwrap()));
    // Nothing that opens a socket succeeds, so this is all there would be to see here.
    assert!(!errors.contains("cannot open"), "{errors}");
}

#[test]
#[ignore = "needs root"]
fn devices_are_not_opened() {
    // The device of /dev/zero: whoever read it as a log would never come to an end.
    let device = |path: &Path| {
        mknodat(CWD, path, FileType::CharacterDevice, Mode::RUSR | Mode::WUSR, makedev(1, 5)).unwrap();
    };
    let (opened, errors) = opened(device);
    assert_eq!(opened, 0, "{errors}");
}
