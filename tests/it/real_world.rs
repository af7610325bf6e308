//! What people, tools and file systems do to the directory of a log, taken from bug reports of other followers. Each
//! history runs on the file system of temporary files and on tmpfs, and, where it can be mounted, on one without creation
//! times.

use std::collections::HashSet;
use std::fs::{self, FileTimes, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, SystemTime};

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;
use rustix::process::Signal;

use crate::stream::events::{ALL, caught_up, truncate};
use crate::support::{Birthless, EventClient, Log, Server, serve_with, until};

const STEP: Duration = Duration::from_millis(200);

type History = fn(&Path);

/// Every history below, by name.
const ALL_HISTORIES: [(&str, History); 27] = [
    ("a_rewritten_file_is_not_repeated", a_rewritten_file_is_not_repeated),
    ("rotations_to_any_name_in_quick_succession", rotations_to_any_name_in_quick_succession),
    ("rotated_names_are_found_on_resume", rotated_names_are_found_on_resume),
    ("unpacked_archives_are_not_news", unpacked_archives_are_not_news),
    ("copies_of_what_was_read_are_not_news", copies_of_what_was_read_are_not_news),
    ("a_late_write_does_not_bring_a_file_back", a_late_write_does_not_bring_a_file_back),
    ("every_target_of_a_link_is_read", every_target_of_a_link_is_read),
    ("a_write_in_two_steps_comes_once", a_write_in_two_steps_comes_once),
    ("a_preallocated_file_is_read_as_it_is_filled", a_preallocated_file_is_read_as_it_is_filled),
    ("a_trimmed_file_is_not_repeated", a_trimmed_file_is_not_repeated),
    ("a_modification_time_in_the_future_changes_nothing", a_modification_time_in_the_future_changes_nothing),
    ("a_late_line_comes_in_its_place_on_resume", a_late_line_comes_in_its_place_on_resume),
    ("a_modification_time_in_the_past_hides_nothing", a_modification_time_in_the_past_hides_nothing),
    ("a_log_that_was_replaced_unseen_is_a_gap", a_log_that_was_replaced_unseen_is_a_gap),
    ("a_copy_that_is_behind_is_not_repeated", a_copy_that_is_behind_is_not_repeated),
    ("a_slow_copy_that_is_complete_is_no_gap", a_slow_copy_that_is_complete_is_no_gap),
    ("a_reused_inode_number_is_no_late_write", a_reused_inode_number_is_no_late_write),
    (
        "a_rotated_word_is_read_though_the_log_has_a_lost_number",
        a_rotated_word_is_read_though_the_log_has_a_lost_number,
    ),
    ("a_compressed_generation_that_cannot_be_read_is_a_gap", a_compressed_generation_that_cannot_be_read_is_a_gap),
    (
        "a_compressed_generation_is_read_if_its_format_is_built_in",
        a_compressed_generation_is_read_if_its_format_is_built_in,
    ),
    ("a_generation_of_the_common_banner_is_read", a_generation_of_the_common_banner_is_read),
    ("a_foreign_file_with_an_old_date_is_left_out", a_foreign_file_with_an_old_date_is_left_out),
    ("restored_generations_come_in_the_order_of_their_names", restored_generations_come_in_the_order_of_their_names),
    ("two_copies_between_two_polls_are_both_read", two_copies_between_two_polls_are_both_read),
    (
        "what_is_compressed_while_it_is_waited_for_hides_nothing",
        what_is_compressed_while_it_is_waited_for_hides_nothing,
    ),
    ("a_cursor_leads_to_the_same_place_in_a_copy", a_cursor_leads_to_the_same_place_in_a_copy),
    ("a_restored_old_file_is_not_news", a_restored_old_file_is_not_news),
];

/// Runs a history in the directory for temporary files, and on tmpfs.
fn everywhere(history: History) {
    history(&std::env::temp_dir());
    let shared = Path::new("/dev/shm");
    if shared.is_dir() {
        history(shared);
    }
}

macro_rules! histories {
    ($($name:ident => $history:ident;)*) => {
        $(#[test] fn $name() { everywhere($history); })*
    };
}

histories! {
    rewriting_by_rename_repeats_nothing => a_rewritten_file_is_not_repeated;
    quick_rotations_to_any_name_are_read_in_order => rotations_to_any_name_in_quick_succession;
    a_rotated_file_is_found_under_any_rotated_name => rotated_names_are_found_on_resume;
    an_unpacked_archive_is_not_sent => unpacked_archives_are_not_news;
    a_copy_of_what_was_read_is_not_sent => copies_of_what_was_read_are_not_news;
    a_late_write_repeats_nothing => a_late_write_does_not_bring_a_file_back;
    link_targets_between_two_polls_are_read => every_target_of_a_link_is_read;
    out_of_order_writes_are_sent_once => a_write_in_two_steps_comes_once;
    preallocated_space_is_not_sent => a_preallocated_file_is_read_as_it_is_filled;
    trimming_in_place_repeats_nothing => a_trimmed_file_is_not_repeated;
    future_modification_times_repeat_nothing => a_modification_time_in_the_future_changes_nothing;
    late_lines_are_read_in_order_on_resume => a_late_line_comes_in_its_place_on_resume;
    past_modification_times_lose_nothing => a_modification_time_in_the_past_hides_nothing;
    an_unseen_replacement_is_a_gap => a_log_that_was_replaced_unseen_is_a_gap;
    an_early_copy_repeats_nothing => a_copy_that_is_behind_is_not_repeated;
    a_slow_copytruncate_is_no_gap => a_slow_copy_that_is_complete_is_no_gap;
    an_expired_inode_number_is_no_gap => a_reused_inode_number_is_no_late_write;
    a_reused_inode_number_hides_no_rotated_word => a_rotated_word_is_read_though_the_log_has_a_lost_number;
    an_unreadable_compressed_generation_is_a_gap => a_compressed_generation_that_cannot_be_read_is_a_gap;
    a_compressed_generation_is_read => a_compressed_generation_is_read_if_its_format_is_built_in;
    a_banner_generation_is_read => a_generation_of_the_common_banner_is_read;
    a_foreign_dated_file_is_not_sent => a_foreign_file_with_an_old_date_is_left_out;
    restored_generations_are_read_in_order => restored_generations_come_in_the_order_of_their_names;
    two_copytruncates_lose_nothing => two_copies_between_two_polls_are_both_read;
    compression_while_waiting_loses_nothing => what_is_compressed_while_it_is_waited_for_hides_nothing;
    cursors_hold_in_a_copied_directory => a_cursor_leads_to_the_same_place_in_a_copy;
    a_restored_log_repeats_nothing => a_restored_old_file_is_not_news;
}

#[test]
#[ignore = "needs Python"]
fn a_log_that_is_written_through_a_mapping_is_read() {
    let log = Log::with("");
    let server = serve(&log);
    let mut client = server.events(ALL);
    assert_eq!(client.story("<open>"), "<open>");
    let script = "\
import mmap, os, sys, time
file = open(sys.argv[1], 'r+b')
file.truncate(1 << 16)
log, end = mmap.mmap(file.fileno(), 0), 0
for number in range(20):
    line = b'line %d\\n' % number
    log[end:end + len(line)] = line
    end += len(line)
    time.sleep(0.02)
file.truncate(end)
";
    let status = Command::new("python3").args(["-c", script]).arg(log.path()).status().unwrap();
    assert!(status.success());
    let expected: String = (0..20).map(|number| format!("line {number}\n")).collect();
    assert_eq!(client.story("line 19\n"), expected);
    expect_nothing_before(&log, &mut client, "after\n");
}

#[test]
#[ignore = "needs mount"]
fn all_of_it_holds_without_creation_times() {
    let only = std::env::var("WSTAIL_HISTORY").unwrap_or_default();
    for mounted in [Birthless::mount_coarse(), Birthless::mount()] {
        for (name, history) in ALL_HISTORIES.iter().filter(|(name, _)| name.contains(&only)) {
            eprintln!("{name}");
            history(mounted.path());
        }
    }
}

fn serve(log: &Log) -> Server {
    serve_with(log, &["--rotate-wait", "0.3", "--poll", "50"])
}

/// A client that has read `text`, its cursor, and the log's server.
fn cursor_after(log: &Log, text: &str) -> (Server, String) {
    let server = serve(log);
    let cursor = caught_up(&server, text).cursor();
    (server, cursor)
}

fn rest(server: &Server, cursor: &str) -> String {
    server.events(&format!("app.log?cursor={cursor}")).story("<1000>").replace("<end><1000>", "")
}

/// Whatever is done meanwhile happens between two polls.
fn while_stopped(server: &Server, change: impl FnOnce()) {
    server.process.stop();
    change();
    server.process.signal(Signal::CONT);
}

/// Checks that nothing more arrives: a line that is appended now must come next.
fn expect_nothing_before(log: &Log, client: &mut EventClient, line: &str) {
    log.append(line);
    assert_eq!(client.story(line), line);
}

fn rename(log: &Log, from: &str, to: &str) {
    let to = log.beside(to);
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::rename(log.beside(from), to).unwrap();
}

/// Makes room for `….1` as logrotate does.
fn shift(log: &Log, name: &str) {
    let Some(stem) = name.strip_suffix(".1") else { return };
    for number in (1..9).rev() {
        let place = |number: usize| log.beside(&format!("{stem}.{number}"));
        let _ = fs::rename(place(number), place(number + 1));
    }
}

fn write(log: &Log, name: &str, text: &str) {
    fs::write(log.beside(name), text).unwrap();
}

fn set_modified(path: PathBuf, time: SystemTime) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.set_times(FileTimes::new().set_modified(time)).unwrap();
}

fn lines(name: &str, count: usize) -> String {
    (0..count).map(|number| format!("{name} {number:06} a line of the log, as it may be written\n")).collect()
}

fn rotations_to_any_name_in_quick_succession(base: &Path) {
    let numbered: [[&str; 3]; 6] = [
        ["app.1.log", "app.2.log", "app.3.log"],
        ["app-1.log", "app-2.log", "app-3.log"],
        ["app_2026-11-01.log", "app_2026-11-02.log", "app_2026-11-03.log"],
        ["archive/app.log.1"; 3],
        ["old.txt", "older.txt", "oldest.txt"],
        ["a/b/c/one", "a/b/two", "three"],
    ];
    for names in numbered {
        let log = Log::within(base, "A\n");
        let server = serve_with(&log, &["--rotate-wait", "1"]);
        let mut client = caught_up(&server, "A\n");
        for (name, text) in names.iter().zip(["B\n", "C\n", "D\n"]) {
            shift(&log, name);
            rename(&log, "app.log", name);
            log.append(text);
            thread::sleep(STEP);
        }
        assert_eq!(client.story("D\n"), "<rotated>B\n<rotated>C\n<rotated>D\n", "{names:?}");
        expect_nothing_before(&log, &mut client, "more\n");
    }
}

fn rotated_names_are_found_on_resume(base: &Path) {
    let names = [
        "app.1.log",
        "app-1.log",
        "app.log.old",
        "app.log.bak",
        "app.log.prev",
        "app.log.save",
        "app.old.log",
        "app.log~",
        "app_2026-11-23.log",
        "app.log2026-11-23",
        "app__2026-11-23_00-00-00.log",
        "app.log.2026_11_23",
        "app20261123.log",
        "app-11-23-2026-1.log",
        "archive/app.log.1",
        "archive/app-2026-11-23.log",
    ];
    for name in names {
        let log = Log::within(base, "a\n");
        let (server, cursor) = cursor_after(&log, "a\n");
        log.append("rest\n");
        rename(&log, "app.log", name);
        log.append("b\n");
        assert_eq!(rest(&server, &cursor), "<open>rest\n<rotated>b\n", "{name}");
    }
}

fn unpacked_archives_are_not_news(base: &Path) {
    let old = lines("old", 100);
    // Only the compressed file was there before: nothing shows what it holds.
    for is_seen in [true, false] {
        let log = Log::within(base, "a\n");
        write(&log, "app.log.5", &old);
        let compress =
            |flag| assert!(Command::new("gzip").arg(flag).arg(log.beside("app.log.5")).status().unwrap().success());
        compress("--force");
        let server = serve(&log);
        let mut client = caught_up(&server, "a\n");
        let unpack_and_rotate = || {
            compress("--decompress");
            log.rotate("app.log.1", "b\n");
        };
        if is_seen {
            unpack_and_rotate()
        } else {
            while_stopped(&server, unpack_and_rotate)
        }
        assert_eq!(client.story("b\n"), "<rotated>b\n");
        expect_nothing_before(&log, &mut client, "c\n");
    }
    for name in ["app.log.5", "app.log-20261128", "app.log-20200101", "app.log.bak", "archive/app.log.7", "app.2.log"] {
        for is_seen in [true, false] {
            let log = Log::within(base, "a\n");
            write(&log, "app.log.1", &old);
            let server = serve(&log);
            let mut client = caught_up(&server, "a\n");
            fs::create_dir_all(log.beside("archive")).unwrap();
            let unpack_and_rotate = || {
                write(&log, name, &old);
                rename(&log, "app.log.1", "app.log.2");
                log.rotate("app.log.1", "b\n");
            };
            if is_seen {
                unpack_and_rotate()
            } else {
                while_stopped(&server, unpack_and_rotate)
            }
            assert_eq!(client.story("b\n"), "<rotated>b\n", "{name}");
            expect_nothing_before(&log, &mut client, "c\n");
        }
    }
}

/// Somebody copies a file that the follower has read to a name that a rotation may give.
fn copies_of_what_was_read_are_not_news(base: &Path) {
    for name in ["app.log.5", "app.log-20261128", "app.log.bak", "archive/app.log.7", "app.2.log"] {
        for is_seen in [true, false] {
            let log = Log::within(base, lines("a", 100));
            let server = serve(&log);
            let mut client = caught_up(&server, &lines("a", 100));
            log.rotate("app.log.1", "b\n");
            assert_eq!(client.story("b\n"), "<rotated>b\n");
            let cursor = client.cursor();
            fs::create_dir_all(log.beside("archive")).unwrap();
            let copy_and_rotate = || {
                fs::copy(log.beside("app.log.1"), log.beside(name)).unwrap();
                rename(&log, "app.log.1", "app.log.2");
                log.rotate("app.log.1", "c\n");
            };
            if is_seen {
                copy_and_rotate()
            } else {
                while_stopped(&server, copy_and_rotate)
            }
            assert_eq!(client.story("c\n"), "<rotated>c\n", "{name}");
            expect_nothing_before(&log, &mut client, "d\n");
            assert_eq!(rest(&server, &cursor), "<open><rotated>c\nd\n", "{name}");
        }
    }
}

fn a_late_write_does_not_bring_a_file_back(base: &Path) {
    for is_shifted in [true, false] {
        let log = Log::within(base, "a\n");
        let server = serve_with(&log, &["--rotate-wait", "2", "--poll", "50"]);
        let mut client = caught_up(&server, "a\n");
        let mut writer = log.writer();
        log.rotate("app.log-20261121", "b\n");
        thread::sleep(Duration::from_millis(1100));
        writer.write_all(b"late\n").unwrap();
        drop(writer);
        assert_eq!(client.story("b\n"), "late\n<rotated>b\n");
        thread::sleep(Duration::from_millis(1100));
        if is_shifted {
            rename(&log, "app.log-20261121", "app.log-20261120");
        }
        log.rotate("app.log-20261122", "c\n");
        assert_eq!(client.story("c\n"), "<rotated>c\n");
        expect_nothing_before(&log, &mut client, "d\n");
    }
}

fn every_target_of_a_link_is_read(base: &Path) {
    for (targets, directory) in
        [(["app-1", "app-2", "app-3"], ""), (["2026-11-21.log", "2026-11-22.log", "2026-11-23.log"], "d/")]
    {
        let switch = |log: &Log, target: &str| {
            symlink(format!("{directory}{target}"), log.beside("new")).unwrap();
            rename(log, "new", "current.log");
        };
        let begin = || {
            let log = Log::within(base, "");
            fs::create_dir_all(log.beside("d")).unwrap();
            write(&log, &format!("{directory}{}", targets[0]), "1\n");
            switch(&log, targets[0]);
            log
        };
        let go_on = |log: &Log| {
            for (target, text) in targets[1..].iter().zip(["2\n", "3\n"]) {
                write(log, &format!("{directory}{target}"), text);
                switch(log, target);
            }
        };
        let log = begin();
        let server = serve(&log);
        let mut client = server.events("current.log?tail=1&lines=all");
        client.story("1\n");
        let cursor = client.cursor();
        while_stopped(&server, || go_on(&log));
        assert_eq!(client.story("3\n"), "<rotated>2\n<rotated>3\n", "{targets:?}");
        let again = server.events(&format!("current.log?cursor={cursor}")).story("<1000>");
        assert_eq!(again, "<open><rotated>2\n<rotated>3\n<end><1000>", "{targets:?}");
    }
}

fn a_write_in_two_steps_comes_once(base: &Path) {
    let log = Log::within(base, "first\n");
    let server = serve(&log);
    let mut client = caught_up(&server, "first\n");
    let file = OpenOptions::new().write(true).open(log.path()).unwrap();
    let mut end = 6;
    let written =
        ["x\n", "a line that is written in two steps\n", "another\n", "y\n", "the fifth\n", "the sixth line\n"];
    for (line, pause) in written.into_iter().zip([120, 1, 50, 5, 20, 120]) {
        let last = end + line.len() as u64 - 1;
        file.write_all_at(b"\n", last).unwrap();
        thread::sleep(Duration::from_millis(pause));
        file.write_all_at(line.trim_end().as_bytes(), end).unwrap();
        end = last + 1;
        assert_eq!(client.story(line), line);
    }
    expect_nothing_before(&log, &mut client, "last\n");
}

fn a_preallocated_file_is_read_as_it_is_filled(base: &Path) {
    let log = Log::within(base, "");
    let file = OpenOptions::new().write(true).open(log.path()).unwrap();
    file.write_all_at(&[0; 4096], 0).unwrap();
    let server = serve(&log);
    let mut client = server.events(ALL);
    assert_eq!(client.story("<open>"), "<open>");
    let mut end = 0;
    for number in 0..5 {
        let line = format!("line {number}\n");
        file.write_all_at(line.as_bytes(), end).unwrap();
        end += line.len() as u64;
        assert_eq!(client.story(&line), line);
        thread::sleep(Duration::from_millis(60));
    }
    let cursor = client.cursor();
    file.write_all_at(b"after the cursor\n", end).unwrap();
    assert_eq!(client.story("cursor\n"), "after the cursor\n");
    let mut again = server.events(&format!("app.log?tail=1&cursor={cursor}"));
    assert_eq!(again.story("cursor\n"), "<open>after the cursor\n");
}

fn a_trimmed_file_is_not_repeated(base: &Path) {
    let log = Log::within(base, "");
    let server = serve(&log);
    let all: Vec<String> = (1..=6).map(|number| format!("line {number}\n")).collect();
    log.append(all.concat());
    let mut client = caught_up(&server, &all.concat());
    let trimmed = all[3..].concat() + "line 7\n";
    while_stopped(&server, || fs::write(log.path(), trimmed).unwrap());
    assert_eq!(client.story("line 7\n"), "<gap truncated>line 7\n");
    expect_nothing_before(&log, &mut client, "line 8\n");
    // A block is cut out at the start, as `fallocate --collapse-range` does where it can.
    let long = lines("long", 400);
    let log = Log::within(base, &long);
    let server = serve(&log);
    let mut client = caught_up(&server, &long);
    let rest = long[8192..].to_owned() + "new\n";
    while_stopped(&server, || fs::write(log.path(), rest).unwrap());
    assert_eq!(client.story("new\n"), "<gap truncated>new\n");
    expect_nothing_before(&log, &mut client, "newer\n");
    let file = OpenOptions::new().write(true).open(log.path()).unwrap();
    match fallocate(&file, FallocateFlags::COLLAPSE_RANGE, 0, 4096) {
        Err(Errno::OPNOTSUPP) => {}
        result => {
            result.unwrap();
            log.append("newest\n");
            assert_eq!(client.story("newest\n"), "<gap truncated>newest\n");
        }
    }
}

/// An editor writes the whole text to a new file and renames it over the log.
fn a_rewritten_file_is_not_repeated(base: &Path) {
    for (text, backup) in [(lines("a", 6), None), (lines("a", 40), None), (lines("a", 40), Some("app.log~"))] {
        let log = Log::within(base, &text);
        let server = serve(&log);
        let mut client = caught_up(&server, &text);
        while_stopped(&server, || {
            if let Some(backup) = backup {
                rename(&log, "app.log", backup);
            }
            write(&log, "new", &(text.clone() + "one more\n"));
            rename(&log, "new", "app.log");
        });
        // Without a backup it is for notifications alone to tell that the old file was not rotated and deleted.
        let story = client.story("more\n");
        let may_be = ["<rotated>one more\n", "<gap replaced><rotated>one more\n"];
        assert!(may_be[..1 + usize::from(backup.is_none())].contains(&&story[..]), "{} bytes: {story}", text.len());
        expect_nothing_before(&log, &mut client, "another\n");
        let rest = text[text.len() / 2..].to_owned() + "one more\nanother\nthe last\n";
        while_stopped(&server, || {
            write(&log, "new", &rest);
            rename(&log, "new", "app.log");
        });
        if text.len() > 1000 {
            let story = client.story("last\n");
            assert!(story.ends_with("<rotated>the last\n") && !story.contains("one more"), "{story}");
        }
    }
}

fn a_modification_time_in_the_future_changes_nothing(base: &Path) {
    let log = Log::within(base, "a\n");
    let server = serve(&log);
    let mut client = caught_up(&server, "a\n");
    log.rotate("app.log.1", "b\n");
    assert_eq!(client.story("b\n"), "<rotated>b\n");
    let cursor = client.cursor();
    set_modified(log.beside("app.log.1"), SystemTime::now() + Duration::from_secs(400 * 86_400));
    thread::sleep(STEP);
    log.append("more\n");
    assert_eq!(client.story("more\n"), "more\n");
    rename(&log, "app.log.1", "app.log.2");
    log.rotate("app.log.1", "c\n");
    assert_eq!(client.story("c\n"), "<rotated>c\n");
    expect_nothing_before(&log, &mut client, "d\n");
    assert_eq!(rest(&server, &cursor), "<open>more\n<rotated>c\nd\n");
    // While nobody looks, and for the file that the place is in.
    let future = SystemTime::now() + Duration::from_secs(400 * 86_400);
    while_stopped(&server, || {
        set_modified(log.path(), future);
        rename(&log, "app.log.1", "app.log.3");
        log.rotate("app.log.2", "e\n");
        set_modified(log.path(), future);
        log.rotate("app.log.1", "f\n");
    });
    assert_eq!(client.story("f\n"), "<rotated>e\n<rotated>f\n");
    expect_nothing_before(&log, &mut client, "g\n");
}

fn a_late_line_comes_in_its_place_on_resume(base: &Path) {
    let log = Log::within(base, "A\n");
    let (server, cursor) = cursor_after(&log, "A\n");
    let mut writer = None;
    for text in ["B\n", "C\n", "D\n"] {
        shift(&log, "app.log.1");
        log.rotate("app.log.1", text);
        if text == "B\n" {
            writer = Some(log.writer());
        }
    }
    thread::sleep(Duration::from_millis(1200));
    writer.unwrap().write_all(b"late\n").unwrap();
    assert_eq!(rest(&server, &cursor), "<open><rotated>B\nlate\n<rotated>C\n<rotated>D\n");
}

fn a_modification_time_in_the_past_hides_nothing(base: &Path) {
    for is_before in [true, false] {
        let log = Log::within(base, "A\n");
        let server = serve(&log);
        let mut client = caught_up(&server, "A\n");
        let cursor = client.cursor();
        let past = SystemTime::UNIX_EPOCH + Duration::from_secs(1_577_836_800);
        while_stopped(&server, || {
            log.rotate("app.log.1", "B\n");
            if is_before {
                set_modified(log.path(), past);
            }
            rename(&log, "app.log.1", "app.log.2");
            log.rotate("app.log.1", "C\n");
            if !is_before {
                set_modified(log.beside("app.log.1"), past);
            }
        });
        assert_eq!(client.story("C\n"), "<rotated>B\n<rotated>C\n");
        assert_eq!(rest(&server, &cursor), "<open><rotated>B\n<rotated>C\n");
    }
}

fn a_log_that_was_replaced_unseen_is_a_gap(base: &Path) {
    for name in ["app.log~", "app.log.bak", "old.txt"] {
        let log = Log::within(base, "A\n");
        let server = serve(&log);
        let mut client = caught_up(&server, "A\n");
        let cursor = client.cursor();
        while_stopped(&server, || {
            rename(&log, "app.log", name);
            log.append("X is lost\n");
            thread::sleep(Duration::from_millis(1100));
            write(&log, "new", "Y\n");
            rename(&log, "new", "app.log");
        });
        let story = client.story("Y\n");
        assert!(["<gap replaced><rotated>Y\n", "<gap expired><rotated>Y\n"].contains(&&story[..]), "{name}: {story}");
        let again = rest(&server, &cursor);
        let found = ["<open><gap replaced><rotated>Y\n", "<open><gap expired><rotated>Y\n", "<open><gap cursor>Y\n"];
        assert!(found.contains(&&again[..]), "{name}: {again}");
    }
}

fn a_copy_that_is_behind_is_not_repeated(base: &Path) {
    for text in ["a\n".to_owned(), lines("first", 10), lines("first", 100)] {
        let log = Log::within(base, &text);
        let server = serve(&log);
        let mut clients: Vec<_> = (0..20).map(|_| caught_up(&server, &text)).collect();
        fs::copy(log.path(), log.beside("app.log.1")).unwrap();
        log.append("after the copy\n");
        for client in &mut clients {
            assert_eq!(client.story("copy\n"), "after the copy\n");
        }
        truncate(&log);
        log.append("b\n");
        for client in &mut clients {
            let story = client.story("b\n");
            assert!(["<gap truncated><truncated>b\n", "<truncated>b\n"].contains(&&story[..]), "{story}");
        }
    }
}

fn a_slow_copy_that_is_complete_is_no_gap(base: &Path) {
    let log = Log::within(base, lines("first", 10));
    let server = serve(&log);
    let mut client = caught_up(&server, &lines("first", 10));
    write(&log, "app.log.1", &lines("first", 5));
    thread::sleep(Duration::from_millis(1200));
    log.append("later\n");
    assert_eq!(client.story("later\n"), "later\n");
    thread::sleep(STEP);
    OpenOptions::new().write(true).open(log.beside("app.log.1")).unwrap();
    fs::write(log.beside("app.log.1"), lines("first", 10) + "later\n").unwrap();
    truncate(&log);
    log.append("b\n");
    assert_eq!(client.story("b\n"), "<truncated>b\n");
}

fn a_reused_inode_number_is_no_late_write(base: &Path) {
    let log = Log::within(base, "a\n");
    let server = serve(&log);
    let mut client = caught_up(&server, "a\n");
    log.rotate("app.log.1", "b\n");
    assert_eq!(client.story("b\n"), "<rotated>b\n");
    let (mut expired, mut reused) = (HashSet::new(), 0);
    for number in 0..4 {
        let text = lines(&format!("{number}"), 30);
        expired.insert(fs::metadata(log.beside("app.log.1")).unwrap().ino());
        fs::remove_file(log.beside("app.log.1")).unwrap();
        log.rotate("app.log.1", &text);
        reused += usize::from(expired.contains(&fs::metadata(log.path()).unwrap().ino()));
        assert_eq!(client.story(&text), format!("<rotated>{text}"));
        thread::sleep(STEP);
    }
    expect_nothing_before(&log, &mut client, "last\n");
    // On a file system that others use, too, somebody else may get the number.
    let is_birthless = fs::metadata(base).unwrap().created().is_err();
    assert!(reused > 0 || !is_birthless, "no inode number came again");
}

/// Without creation times the new log looks as if the lost file had been truncated.
fn a_rotated_word_is_read_though_the_log_has_a_lost_number(base: &Path) {
    let old = lines("old", 20);
    let log = Log::within(base, &old);
    write(&log, "app_98.log", "");
    let (server, cursor) = cursor_after(&log, &old);
    until("nobody holds it", || server.connections() == 0);
    let number = fs::metadata(log.path()).unwrap().ino();
    next_second(&log);
    log.rotate("app.log.old", "b\n");
    log.rotate("app.log.old", "c\n");
    let is_reused = fs::metadata(log.path()).unwrap().ino() == number;
    assert!(is_reused || fs::metadata(base).unwrap().created().is_ok(), "the inode number did not come again");
    let story = rest(&server, &cursor);
    assert!(story.starts_with("<open><gap ") && story.matches("<gap ").count() == 1, "{story}");
    assert!(story.ends_with(">b\n<rotated>c\n") || story.ends_with(">b\n<truncated>c\n"), "{story}");
}

/// Where times are whole seconds, waits until the next one has begun.
fn next_second(log: &Log) {
    if fs::metadata(log.path()).unwrap().ctime_nsec() == 0 {
        thread::sleep(Duration::from_millis(1010));
    }
}

/// Stands for a program that compresses in a way that nobody reads here: its result is another file, with the times of the
/// first one.
fn compress(log: &Log, name: &str) {
    let (plain, compressed) = (log.beside(name), log.beside(&format!("{name}.bz2")));
    fs::write(&compressed, b"BZh91AY&SY compressed").unwrap();
    set_modified(compressed, fs::metadata(&plain).unwrap().modified().unwrap());
    fs::remove_file(plain).unwrap();
}

fn a_compressed_generation_that_cannot_be_read_is_a_gap(base: &Path) {
    for names in [["app.log.2", "app.log.1"], ["app.log-20261121", "app.log-20261122"], ["app.1.log", "app.2.log"]] {
        let log = Log::within(base, "a\n");
        let (server, cursor) = cursor_after(&log, "a\n");
        log.append("rest\n");
        log.rotate(names[0], "compressed\n");
        // Nothing but their times shows which way the numbers of `app.1.log` count.
        next_second(&log);
        log.append("and more\n");
        log.rotate(names[1], "c\n");
        compress(&log, names[1]);
        let expected = "<open>rest\n<gap expired><rotated>c\n";
        assert_eq!(rest(&server, &cursor), expected, "{names:?}");
        // The file that the client has read is compressed, too.
        log.append("d\n");
        compress(&log, names[0]);
        let lost = rest(&server, &cursor);
        assert!(lost.starts_with("<open><gap cursor>") && lost.ends_with("c\nd\n"), "{names:?}: {lost}");
        assert_eq!(lost.matches("c\n").count(), 1, "{lost}");
    }
}

fn a_compressed_generation_is_read_if_its_format_is_built_in(base: &Path) {
    let formats = [
        ("gzip", cfg!(feature = "gz")),
        ("xz", cfg!(feature = "xz")),
        ("zstd", cfg!(feature = "zstd")),
        ("bzip2", false),
    ];
    for (program, is_built_in) in formats {
        let log = Log::within(base, "a\n");
        let (server, cursor) = cursor_after(&log, "a\n");
        log.rotate("app.log.2", "compressed\n");
        log.rotate("app.log.1", "c\n");
        let mut compress = Command::new(program);
        let quiet = if program == "zstd" { &["-q", "--rm"][..] } else { &[] };
        run(compress.args(quiet).arg(log.beside("app.log.1")));
        let expected = if is_built_in { "<rotated>compressed\n" } else { "<gap expired>" };
        assert_eq!(rest(&server, &cursor), format!("<open>{expected}<rotated>c\n"), "{program}");
    }
}

fn a_generation_of_the_common_banner_is_read(base: &Path) {
    let banner = lines("banner", 30);
    let log = Log::within(base, banner.clone() + "A\n");
    let server = serve(&log);
    let mut client = caught_up(&server, &(banner.clone() + "A\n"));
    let cursor = client.cursor();
    while_stopped(&server, || {
        log.rotate("app.log.1", &banner);
        rename(&log, "app.log.1", "app.log.2");
        log.rotate("app.log.1", &(banner.clone() + "C\n"));
    });
    assert_eq!(client.story("C\n"), format!("<rotated>{banner}<rotated>{banner}C\n"));
    assert_eq!(rest(&server, &cursor), format!("<open><rotated>{banner}<rotated>{banner}C\n"));
}

fn a_foreign_file_with_an_old_date_is_left_out(base: &Path) {
    let log = Log::within(base, "A\n");
    let (server, cursor) = cursor_after(&log, "A\n");
    log.rotate("app.log-20261121", "B\n");
    write(&log, "app.log-20200101", "foreign\n");
    log.rotate("app.log-20261122", "C\n");
    assert_eq!(rest(&server, &cursor), "<open><rotated>B\n<rotated>C\n");
}

fn restored_generations_come_in_the_order_of_their_names(base: &Path) {
    let log = Log::within(base, "A\n");
    let (server, cursor) = cursor_after(&log, "A\n");
    log.rotate("app.log.3", "B\n");
    log.rotate("app.log.2", "C\n");
    log.rotate("app.log.1", "D\n");
    for (name, text) in [("app.log.1", "C\n"), ("app.log.2", "B\n")] {
        write(&log, "restored", text);
        rename(&log, "restored", name);
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(rest(&server, &cursor), "<open><rotated>B\n<rotated>C\n<rotated>D\n");
}

fn two_copies_between_two_polls_are_both_read(base: &Path) {
    let log = Log::within(base, "A\n");
    let server = serve(&log);
    let mut client = caught_up(&server, "A\n");
    while_stopped(&server, || {
        log.append("rest of A\n");
        fs::copy(log.path(), log.beside("app.log.1")).unwrap();
        truncate(&log);
        log.append("B\n");
        rename(&log, "app.log.1", "app.log.2");
        fs::copy(log.path(), log.beside("app.log.1")).unwrap();
        truncate(&log);
        log.append("C\n");
    });
    assert_eq!(client.story("C\n"), "rest of A\n<rotated>B\n<truncated>C\n");
}

fn what_is_compressed_while_it_is_waited_for_hides_nothing(base: &Path) {
    let log = Log::within(base, "A\n");
    let server = serve(&log);
    let mut client = caught_up(&server, "A\n");
    let cursor = client.cursor();
    let mut plain = server.follow();
    plain.expect(["A"]);
    // The place of the cursor is lost, and only times show what came after it.
    next_second(&log);
    while_stopped(&server, || {
        log.rotate("app.log.3", "B\n");
        log.rotate("app.log.2", "C\n");
        log.rotate("app.log.1", "D\n");
        run(Command::new("gzip").args([log.beside("app.log.3"), log.beside("app.log.2")]));
    });
    let (seen, resumed) = match cfg!(feature = "gz") {
        true => ("<rotated>B\n<rotated>", "B\n<rotated>"),
        false => ("<gap expired><rotated>", ""),
    };
    assert_eq!(client.story("D\n"), format!("{seen}C\n<rotated>D\n"));
    if cfg!(feature = "gz") {
        plain.expect(["B", "C", "D"])
    } else {
        plain.expect(["C", "D"])
    }
    // Two bytes do not show which file was read.
    assert_eq!(rest(&server, &cursor), format!("<open><gap cursor>{resumed}C\n<rotated>D\n"));
    // The same while the server looks on: what it has seen under the log's name is read.
    let log = Log::within(base, "A\n");
    let server = serve(&log);
    let mut client = caught_up(&server, "A\n");
    log.rotate("app.log.3", "B\n");
    log.rotate("app.log.2", "C\n");
    log.rotate("app.log.1", "D\n");
    run(Command::new("gzip").args([log.beside("app.log.3"), log.beside("app.log.2")]));
    let story = client.story("D\n");
    let lost = ["B\n", "C\n"].iter().filter(|text| !story.contains(*text)).count();
    assert!(story.ends_with("<rotated>D\n") && lost <= story.matches("<gap ").count(), "{story}");
}

fn a_cursor_leads_to_the_same_place_in_a_copy(base: &Path) {
    for names in [["app.log.3", "app.log.2", "app.log.1"], ["app.log-20261121", "app.log-20261122", "app.log-20261123"]]
    {
        let log = Log::within(base, lines("A", 20));
        let server = serve(&log);
        let client = caught_up(&server, &lines("A", 20));
        let mut cursors = vec![(client.cursors.last().unwrap().0.clone(), 0)];
        let mut all = Vec::new();
        for (name, text) in names.iter().zip(["B", "C", "D"]) {
            all.push(text);
            rename(&log, "app.log", name);
            log.append(lines(text, 20));
            thread::sleep(Duration::from_millis(20));
            let mut client = server.events(ALL);
            client.story(&lines(text, 20));
            cursors.push((client.cursor(), all.len()));
        }
        let copy = Log::within(base, "");
        let mut files = vec!["app.log"];
        files.extend(names);
        for name in files {
            fs::write(copy.beside(name), fs::read(log.beside(name)).unwrap()).unwrap();
        }
        let mirror = serve(&copy);
        for (cursor, at) in cursors {
            let expected: String = all[at..].iter().map(|text| format!("<rotated>{}", lines(text, 20))).collect();
            assert_eq!(rest(&mirror, &cursor), format!("<open>{expected}"), "{names:?} {at}");
        }
    }
}

fn a_restored_old_file_is_not_news(base: &Path) {
    let old = lines("old", 50);
    let log = Log::within(base, "a\n");
    write(&log, "app.log.1", &old);
    let server = serve(&log);
    let mut client = caught_up(&server, "a\n");
    while_stopped(&server, || {
        // The same bytes in another file, touched, under the name that the next rotation gives.
        write(&log, "app.log.2", &old);
        fs::remove_file(log.beside("app.log.1")).unwrap();
        log.rotate("app.log.1", "b\n");
        set_modified(log.beside("app.log.2"), SystemTime::now());
    });
    assert_eq!(client.story("b\n"), "<rotated>b\n");
    expect_nothing_before(&log, &mut client, "c\n");
}

fn run(command: &mut Command) {
    assert!(command.status().unwrap().success(), "{command:?}");
}
