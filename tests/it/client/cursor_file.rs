//! `tail --cursor-file`: it leaves other files alone, and one run at a time can use it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::fs::inotify::{ReadFlags, WatchFlags};
use rustix::process::Signal;

use crate::support::{Inotify, Log, Process, Server, serve, until, wstail};

fn tail(server: &Server, file: &Path, arguments: &[&str]) -> Process {
    let mut command = wstail();
    command.args(["tail", &format!("{}/app.log", server.address), "-q", "-n", "all", "--cursor-file"]);
    command.arg(file).args(arguments).stdout(Stdio::piped());
    Process::start(command)
}

fn printed(server: &Server, file: &Path, arguments: &[&str]) -> Vec<String> {
    let tail = tail(server, file, &[&["--no-follow"], arguments].concat());
    let lines = tail.lines();
    assert_eq!(tail.end(), (0, String::new()));
    lines
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn notes() -> (tempfile::TempDir, PathBuf) {
    let notes = tempfile::tempdir().unwrap();
    let file = notes.path().join("F");
    (notes, file)
}

#[test]
fn files_beside_a_cursor_file_are_left_alone() {
    let log = Log::with("a\n");
    let server = serve(&log);
    for name in ["F.new", "F.tmp", "F.lock", "F~", ".F.wstail-0123"] {
        let (notes, file) = notes();
        let (theirs, victim) = (notes.path().join(name), notes.path().join("victim"));
        fs::write(&theirs, "somebody's").unwrap();
        assert_eq!(printed(&server, &file, &[]), ["a"]);
        assert_eq!(fs::read_to_string(&theirs).unwrap(), "somebody's", "{name}");

        fs::write(&victim, "precious").unwrap();
        fs::remove_file(&theirs).unwrap();
        symlink(&victim, &theirs).unwrap();
        assert!(printed(&server, &file, &[]).is_empty());
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious", "{name}");
        assert!(theirs.is_symlink());
        let mut expected = ["F", name, "victim"];
        expected.sort_unstable();
        assert_eq!(names(notes.path()), expected);
    }
}

#[test]
fn a_cursor_file_keeps_its_mode_and_a_new_one_is_private() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let (_notes, file) = notes();
    let mode = || fs::metadata(&file).unwrap().permissions().mode() & 0o777;
    assert_eq!(printed(&server, &file, &[]), ["a"]);
    assert_eq!(mode(), 0o600);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    log.append("b\n");
    assert_eq!(printed(&server, &file, &[]), ["b"]);
    assert_eq!(mode(), 0o644);
}

#[test]
fn a_second_run_with_the_same_cursor_file_ends() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let (notes, file) = notes();
    let link = notes.path().join("link");
    symlink("F", &link).unwrap();
    let in_use = |file: &Path| (1, format!("wstail: cursor file {} is in use\n", file.display()));
    let first = tail(&server, &file, &[]);
    assert_eq!(first.line(), "a");
    // The file is replaced again and again, and the lock moves along.
    for line in ["b", "c", "d"] {
        let noted = fs::read(&file).unwrap();
        log.append(format!("{line}\n"));
        assert_eq!(first.line(), line);
        until("it is noted", || fs::read(&file).unwrap() != noted);
        for file in [&file, &link] {
            let second = tail(&server, file, &["--no-follow"]);
            assert!(second.lines().is_empty());
            assert_eq!(second.end(), in_use(file));
        }
    }
    first.signal(Signal::KILL);
    first.wait();
    log.append("e\n");
    assert_eq!(printed(&server, &link, &[]), ["e"]);
}

#[test]
fn temporary_files_of_a_killed_run_are_removed() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let (notes, file) = notes();
    fs::write(notes.path().join(".F.wstail-0123456789abcdef"), "").unwrap();
    let victim = notes.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    symlink(&victim, notes.path().join(".F.wstail-fedcba9876543210")).unwrap();
    assert_eq!(printed(&server, &file, &[]), ["a"]);
    assert_eq!(names(notes.path()), ["F", "victim"]);
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious", "of a link, the link is removed");
}

#[test]
fn a_run_without_progress_leaves_no_file() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let (notes, file) = notes();
    let mut command = wstail();
    command.args(["tail", &format!("{}/other.log", server.address), "--cursor-file"]).arg(&file);
    assert_eq!(Process::start(command).end().0, 1);
    assert!(names(notes.path()).is_empty());
}

#[test]
fn an_unfinished_last_line_is_one_object_of_the_next_run() {
    let log = Log::with("a\nbe");
    let server = serve(&log);
    let (_notes, file) = notes();
    let object = |line: &str| format!(r#"{{"log":"app.log","line":"{line}"}}"#);
    assert_eq!(printed(&server, &file, &["-o", "json"]), [object("a")]);
    assert!(printed(&server, &file, &["-o", "json"]).is_empty());
    log.append("gun\nc\n");
    assert_eq!(printed(&server, &file, &["-o", "json"]), [object("begun"), object("c")]);
    log.append("rot");
    assert!(printed(&server, &file, &["-o", "json"]).is_empty());
    log.rotate("app.log.1", "d\n");
    assert_eq!(printed(&server, &file, &["-o", "json"]), [object("rot"), object("d")]);
}

#[test]
fn temporary_files_have_names_that_nobody_can_foresee() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let (notes, file) = notes();
    let directory = Inotify::watch(notes.path(), WatchFlags::CREATE | WatchFlags::MOVED_FROM);
    for _ in 0..3 {
        log.append("b\n");
        assert!(!printed(&server, &file, &[]).is_empty());
    }
    let events = directory.events();
    let of = |kind| events.iter().filter(move |(event, _)| event.contains(kind)).map(|(_, name)| name.as_str());
    let mut created: Vec<_> = of(ReadFlags::CREATE).filter(|name| *name != "F").collect();
    let moved = of(ReadFlags::MOVED_FROM).inspect(|name| assert!(created.contains(name), "{name}")).count();
    // One to try at the start of each run, and one for each place that is noted.
    assert!(moved >= 3 && created.len() >= 3 + moved, "{events:?}");
    for name in &created {
        let digits = name.strip_prefix(".F.wstail-").unwrap_or_else(|| panic!("{name}"));
        assert!(digits.len() == 16 && u64::from_str_radix(digits, 16).is_ok(), "{name}");
    }
    let count = created.len();
    created.sort_unstable();
    created.dedup();
    assert_eq!(created.len(), count, "each has a name of its own: {events:?}");
}

/// The system calls of a run, thread by thread. Descriptors are followed by the paths of their files.
fn traced(server: &Server, file: &Path, calls: &str) -> String {
    let traces = tempfile::tempdir().unwrap();
    let mut command = Command::new("strace");
    command.args(["-ff", "-y", "-qq", "-s", "999", "-e", calls, "-o"]).arg(traces.path().join("trace"));
    command.arg(env!("CARGO_BIN_EXE_wstail"));
    command.args(["tail", &format!("{}/app.log", server.address), "-q", "--no-follow", "--cursor-file"]).arg(file);
    assert!(command.stdout(Stdio::null()).status().unwrap().success());
    names(traces.path()).iter().map(|name| fs::read_to_string(traces.path().join(name)).unwrap()).collect()
}

#[test]
#[ignore = "needs strace"]
fn a_cursor_file_is_written_to_a_new_file_that_is_synced_and_renamed() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let (notes, file) = notes();
    let trace = traced(&server, &file, "trace=open,openat,write,fsync,fdatasync,/^rename");
    let renamed = trace.lines().filter(|call| call.starts_with("rename"));
    let temporary: Vec<_> = renamed.map(|call| call.split('"').nth(1).unwrap()).collect();
    assert!(!temporary.is_empty(), "{trace}");
    for temporary in temporary {
        let calls: Vec<_> = trace.lines().filter(|call| call.contains(temporary)).collect();
        // O_EXCL fails where there is a file or a link.
        assert!(calls[0].starts_with("open") && calls[0].contains("O_CREAT|O_EXCL"), "{}", calls[0]);
        let written = calls[1..].iter().take_while(|call| call.starts_with("write(")).count();
        let [synced, renamed] = calls[1 + written..] else { panic!("{calls:#?}") };
        assert!(written > 0 && synced.starts_with("fsync(") && synced.ends_with("= 0"), "{synced}");
        assert!(renamed.starts_with("rename") && renamed.contains("/F\"") && renamed.ends_with("= 0"), "{renamed}");
    }
    // The directory is synced, too, so that the new name is there after a loss of power.
    let place = format!("<{}>)", notes.path().canonicalize().unwrap().display());
    let is_of_directory = |call: &str| call.starts_with("fsync(") && call.contains(&place);
    let calls: Vec<_> = trace.lines().filter(|call| call.starts_with("fsync(") || call.starts_with("rename")).collect();
    for calls in calls.chunks(3) {
        let [file, renamed, directory] = calls else { panic!("{calls:#?}") };
        assert!(file.starts_with("fsync(") && !is_of_directory(file) && renamed.starts_with("rename"), "{calls:#?}");
        assert!(is_of_directory(directory), "{calls:#?}");
    }
}
