use std::fs;
use std::io::Write;
use std::process::Command;
use std::time::{Duration, SystemTime};

use wstail::protocol::event::Event;

use crate::support::{Answer, Item, Log, Server, dechunk, serve_with};

/// Three generations, two of them rotated.
const OLD: &str = "2026-11-21 10:00:00 ERROR a\n2026-11-21 11:00:00 INFO b\n";
const MIDDLE: &str = "2026-11-22 10:00:00 INFO c\n  more\n2026-11-22 11:00:00 ERROR d\n";
const NEW: &str = "2026-11-23 10:00:00 INFO e\n2026-11-23 11:00:00 ERROR f\n";

/// Seconds since the epoch at the start of 2026-11-21, in UTC.
const DAY: u64 = 1_795_219_200;

fn rotated(log: &Log, name: &str, text: &str, written: u64) {
    fs::write(log.beside(name), text).unwrap();
    set_written(log, name, written);
}

fn set_written(log: &Log, name: &str, written: u64) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(written);
    fs::File::options().append(true).open(log.beside(name)).unwrap().set_modified(time).unwrap();
}

fn logs() -> Log {
    let log = Log::with(NEW);
    rotated(&log, "app.log.2", OLD, DAY + 11 * 3600);
    rotated(&log, "app.log.1", MIDDLE, DAY + 35 * 3600);
    set_written(&log, "app.log", DAY + 59 * 3600);
    log
}

/// The same; so many of the rotated files are compressed, the oldest first.
fn logs_compressed(count: usize) -> Log {
    let log = logs();
    ["app.log.2", "app.log.1"].iter().take(count).for_each(|name| gzip(&log, name));
    log
}

/// The modification time stays.
fn gzip(log: &Log, name: &str) {
    assert!(Command::new("gzip").arg(log.beside(name)).status().unwrap().success());
}

fn serve_utc(log: &Log) -> Server {
    serve_with(log, &["--zone", "UTC"])
}

fn body(server: &Server, query: &str) -> String {
    let answer = server.get(&format!("/app.log?{query}"));
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    let is_chunked = answer.head.contains("Transfer-Encoding: chunked");
    String::from_utf8(if is_chunked { dechunk(&answer.body).0 } else { answer.body }).unwrap()
}

/// The last letter of each line.
fn letters(text: &str) -> String {
    text.lines().filter_map(|line| line.chars().last()).collect()
}

#[test]
fn rotated_files_belong_to_the_log_oldest_first() {
    for compressed in 0..3 {
        let log = logs_compressed(compressed);
        let server = serve_utc(&log);
        for (query, expected) in [
            ("lines=all&history=1", "abcedef"),
            ("lines=all", "ef"),
            ("lines=2&history=1", "ef"),
            ("lines=4&history=1", "edef"),
            ("lines=5&history=1", "cedef"),
            ("lines=6&history=1", "bcedef"),
            ("lines=99&history=1", "abcedef"),
            ("lines=0&history=1", ""),
            ("history=1&from=1", "abcedef"),
            ("history=1&from=2", "bcedef"),
            ("history=1&from=3", "cedef"),
            ("history=1&from=6", "ef"),
            ("history=1&from=9", ""),
            ("since=2026-11-21", "abcedef"),
            ("since=2026-11-21%2010:30", "bcedef"),
            ("since=2026-11-22", "cedef"),
            ("since=2026-11-22%2010:30", "def"),
            ("since=2026-11-23%2010:30", "f"),
            ("since=2026-11-22&history=0", "ef"),
            ("until=2026-11-22", "ab"),
            ("until=2026-11-22%2011:00", "abce"),
            ("until=2026-11-23&lines=1", "d"),
            ("until=2026-11-23&lines=4", "bced"),
            ("since=2026-11-21%2010:30&until=2026-11-23%2010:30", "bcede"),
            ("since=2026-11-21&until=%2B1d", "ab"),
            ("since=2026-11-21&lines=3", "def"),
            ("grep=ERROR&history=1&lines=2", "df"),
            ("grep=ERROR&history=1&lines=3", "adf"),
            ("grep=ERROR&history=1&lines=9", "adf"),
            ("level=error&since=2026-11-22", "df"),
            ("grep=ERROR&until=2026-11-23&lines=1", "d"),
            ("grep=INFO&since=2026-11-21&until=2026-11-22%2011:00", "bc"),
        ] {
            assert_eq!(letters(&body(&server, query)), expected, "{query}, {compressed} compressed");
        }
    }
}

#[test]
fn a_rotation_is_reported_between_two_files_and_no_gap() {
    for compressed in 0..3 {
        let log = logs_compressed(compressed);
        let server = serve_utc(&log);
        let story = |query: &str| server.events(&format!("app.log?{query}")).story("<1000>");
        assert_eq!(story("lines=all&history=1"), format!("<open>{OLD}<rotated>{MIDDLE}<rotated>{NEW}<end><1000>"));
        assert_eq!(story("since=2026-11-23"), format!("<open>{NEW}<end><1000>"));
        let d = "2026-11-22 11:00:00 ERROR d\n";
        assert_eq!(story("since=2026-11-22%2010:30&until=2026-11-23%2010:00"), format!("<open>{d}<end><1000>"));
        let mut follower = server.events("app.log?tail=1&since=2026-11-22%2010:30");
        assert_eq!(follower.story("f\n"), format!("<open>{d}<rotated>{NEW}"));
        log.append("2026-11-23 12:00:00 INFO g\n");
        assert_eq!(follower.story("g\n"), "2026-11-23 12:00:00 INFO g\n");
        log.rotate("app.log.0", "2026-11-23 13:00:00 INFO h\n");
        assert_eq!(follower.story("h\n"), "<rotated>2026-11-23 13:00:00 INFO h\n");
    }
}

#[test]
fn a_length_is_promised_only_for_what_comes_from_one_file() {
    let log = logs();
    let server = serve_utc(&log);
    for (query, expected) in [
        ("history=1&lines=all", [OLD, MIDDLE, NEW].concat()),
        ("since=2026-11-22&until=2026-11-23%2010:30", [MIDDLE, "2026-11-23 10:00:00 INFO e\n"].concat()),
        ("since=2026-11-21&until=2026-11-23", [OLD, MIDDLE].concat()),
    ] {
        let answer = server.get(&format!("/app.log?{query}"));
        assert_eq!(String::from_utf8(answer.chunked()).unwrap(), expected, "{query}");
        assert!(!answer.head.contains("Content-Length"), "{query}: {}", answer.head);
        let old = server.ask(format!("GET /app.log?{query} HTTP/1.0\r\n\r\n"));
        assert!(!old.head.contains("Content-Length") && !old.head.contains("chunked"), "{query}: {}", old.head);
        assert_eq!(old.text(), expected, "{query}");
    }
    for (query, expected) in [("history=1&lines=2", NEW), ("since=2026-11-23", NEW), ("until=2026-11-22", OLD)] {
        let answer = server.get(&format!("/app.log?{query}"));
        let length = format!("\r\nContent-Length: {}\r\n", expected.len());
        assert!(answer.head.contains(&length) && answer.text() == expected, "{query}: {answer:?}");
    }
    let line = |day: u32, number: u32| format!("2026-11-{day} 10:00:00 {number}\n");
    let text = |day: u32| (0..60_000).map(|number| line(day, number)).collect::<String>();
    rotated(&log, "app.log.2", &text(21), DAY + 11 * 3600);
    rotated(&log, "app.log.1", &text(22), DAY + 35 * 3600);
    let expected = [text(21), text(22), NEW.to_owned()].concat();
    assert!(body(&server, "history=1&lines=all") == expected);
    assert!(server.events("app.log?history=1&lines=all").story("<1000>").replace("<rotated>", "").contains(&expected));
}

#[test]
fn what_is_appended_to_a_rotated_file_meanwhile_cuts_nothing_off() {
    let log = logs();
    // More than the buffers of both sockets hold.
    let middle = MIDDLE.repeat(500_000);
    rotated(&log, "app.log.1", &middle, DAY + 35 * 3600);
    let server = serve_utc(&log);
    let mut stream = server.connect();
    stream.write_all(b"GET /app.log?history=1&lines=all HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    assert_eq!(stream.peek(&mut [0]).unwrap(), 1);
    let late = "2026-11-22 12:00:00 INFO late\n".repeat(50);
    fs::File::options().append(true).open(log.beside("app.log.1")).unwrap().write_all(late.as_bytes()).unwrap();
    let text = String::from_utf8(Answer::read(stream).chunked()).unwrap();
    assert!(text == [OLD, &middle, &late, NEW].concat(), "it ends with {:?}", &text[text.len() - 60..]);
}

#[test]
fn a_generation_that_cannot_be_sent_whole_does_not_cut_the_answer() {
    let log = logs();
    let server = serve_utc(&log);
    let hole = |name: &str, text: &str| fs::write(log.beside(name), [&[0; 70_000], text.as_bytes()].concat()).unwrap();
    for (name, text) in [("app.log.1", MIDDLE), ("app.log.2", OLD)] {
        hole(name, text);
        let answer = server.get("/app.log?history=1&lines=all");
        assert!(answer.chunked() == [OLD, MIDDLE, NEW].concat().into_bytes(), "{name}");
    }
    let story = server.events("app.log?history=1&lines=all").story("<1000>");
    let gap = "<gap truncated 70000>";
    assert_eq!(story, format!("<open>{gap}{OLD}<rotated>{gap}{MIDDLE}<rotated>{NEW}<end><1000>"));
    assert!(server.get("/app.log?until=2026-11-22").chunked() == OLD.as_bytes());
}

#[test]
fn older_lines_reach_into_rotated_files() {
    for compressed in 0..3 {
        let log = logs_compressed(compressed);
        let server = serve_utc(&log);
        let mut client = server.events("app.log?lines=all&history=1");
        client.story("<1000>");
        let whole = [OLD, MIDDLE, NEW].concat();
        let page = |cursor: &str, query: &str| letters(&body(&server, &format!("before={cursor}&{query}")));
        let cursors = client.cursors.clone();
        for (cursor, at) in &cursors {
            let before = letters(&whole[..*at]);
            assert_eq!(page(cursor, "history=1&lines=99"), before, "before {at}");
            let last = before.len().saturating_sub(3);
            assert_eq!(page(cursor, "history=1&lines=3"), before[last..], "before {at}");
        }
        let end = &cursors.last().unwrap().0;
        assert_eq!(page(end, "lines=99"), "ef");
        assert_eq!(page(end, "history=1&lines=2&grep=ERROR"), "df");
        assert_eq!(page(end, "since=2026-11-21%2010:30&lines=99"), "bcedef");
    }
}

#[test]
fn a_stream_is_resumed_in_a_rotated_file() {
    for compressed in 0..3 {
        let log = logs_compressed(compressed);
        let server = serve_utc(&log);
        for range in ["since=2026-11-21%2010:30&until=2026-11-23%2010:30", "history=1&lines=all"] {
            for filter in ["", "&grep=ERROR&context=1,0"] {
                let mut client = server.events(&format!("app.log?{range}{filter}"));
                client.story("<1000>");
                for received in 0..=client.bytes.len() {
                    let (cursor, at) = client.cursors.iter().rfind(|(_, at)| *at <= received).unwrap();
                    let rest = body(&server, &format!("cursor={cursor}.{}&{range}{filter}", received - at));
                    // A separator stands between groups of context.
                    let rest = rest.replace("--\n", "");
                    assert_eq!(rest.as_bytes(), &client.bytes[received..], "{range}{filter} after {received}");
                }
                for (cursor, at) in &client.cursors {
                    let rest = body(&server, &format!("cursor={cursor}&{range}{filter}")).replace("--\n", "");
                    assert_eq!(rest.as_bytes(), &client.bytes[*at..], "{range}{filter} at {at}");
                }
            }
        }
    }
}

#[test]
fn files_that_were_written_an_hour_before_are_passed_over() {
    let log = logs();
    // Whatever it holds, it was written too early.
    set_written(&log, "app.log.1", DAY);
    let server = serve_utc(&log);
    assert_eq!(letters(&body(&server, "since=2026-11-22%2009:00")), "ef");
    set_written(&log, "app.log.1", DAY + 33 * 3600);
    assert_eq!(letters(&body(&server, "since=2026-11-22%2009:30")), "cedef");
}

#[test]
fn rotated_files_may_have_any_names_and_orders_of_times() {
    for (middle, old) in [
        ("app.log.2026-11-22", "app.log.2026-11-21"),
        ("app-20261122.log", "app-20261121.log"),
        ("app.2.log", "app.1.log"),
        ("app.1.log", "app.2.log"),
        ("app.log.old", "app.log.1"),
        ("app.log-20261122", "app.log.1"),
        ("archive/app.log.1", "archive/app.log.2"),
    ] {
        for compressed in 0..3 {
            let log = Log::with(NEW);
            fs::create_dir(log.beside("archive")).unwrap();
            rotated(&log, old, OLD, DAY + 11 * 3600);
            rotated(&log, middle, MIDDLE, DAY + 35 * 3600);
            [old, middle].iter().take(compressed).for_each(|name| gzip(&log, name));
            let server = serve_utc(&log);
            let story = format!("{middle}, {old}, {compressed} compressed");
            assert_eq!(letters(&body(&server, "history=1&lines=all")), "abcedef", "{story}");
            assert_eq!(letters(&body(&server, "since=2026-11-21%2010:30")), "bcedef", "{story}");
        }
    }
}

#[test]
fn a_copy_of_a_file_is_not_one_more_generation() {
    let log = logs();
    fs::copy(log.path(), log.beside("app.log.bak")).unwrap();
    fs::copy(log.beside("app.log.1"), log.beside("app.log.save")).unwrap();
    fs::write(log.beside("app.log.lock"), "other\n").unwrap();
    fs::write(log.beside("other.log.1"), "other\n").unwrap();
    let server = serve_utc(&log);
    assert_eq!(letters(&body(&server, "history=1&lines=all")), "abcedef");
}

#[test]
fn a_file_without_times_among_others_is_sent_and_no_range_ends_in_it() {
    let log = logs();
    rotated(&log, "app.log.1", "no time x\nno time y\n", DAY + 35 * 3600);
    let server = serve_utc(&log);
    assert_eq!(letters(&body(&server, "since=2026-11-21%2010:30&until=2026-11-23%2010:30")), "bxye");
    assert_eq!(letters(&body(&server, "since=2026-11-22")), "xyef");
    assert_eq!(letters(&body(&server, "since=2026-11-23")), "ef");
    assert_eq!(letters(&body(&server, "until=2026-11-22")), "abxy");
}

#[test]
fn a_log_that_was_rotated_just_now_has_the_times_of_its_rotated_files() {
    for compressed in 0..3 {
        let log = logs_compressed(compressed);
        log.rotate("app.log.0", "");
        let server = serve_utc(&log);
        assert_eq!(letters(&body(&server, "since=2026-11-22%2010:30")), "def");
        assert_eq!(letters(&body(&server, "level=error&since=2026-11-21")), "adf");
        assert_eq!(letters(&body(&server, "level=error&history=1&lines=2")), "df");
        assert_eq!(letters(&body(&server, "since=2027-01-01")), "");
        // What an entry is, is learned from those files, too.
        assert_eq!(letters(&body(&server, "level=info&history=1&lines=4")), "edef");
    }
}

#[test]
fn the_length_of_an_answer_is_unknown_where_it_comes_from_compressed_files() {
    let log = logs_compressed(1);
    let server = serve_utc(&log);
    let head = |query: &str| server.get(&format!("/app.log?{query}")).head;
    assert!(head("history=1&lines=all").contains("Transfer-Encoding: chunked"));
    let last = NEW.split_inclusive('\n').next_back().unwrap();
    assert!(head("history=1&lines=1").contains(&format!("Content-Length: {}\r\n", last.len())));
}

#[test]
fn files_that_were_written_an_hour_before_are_not_unpacked() {
    let log = logs();
    fs::remove_file(log.beside("app.log.2")).unwrap();
    // It is large, and damaged behind its first lines, which would be a gap.
    let number = |at: u64| at.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let text = (0..200_000).map(|at| format!("2026-11-21 10:00:00 INFO {:016x} b\n", number(at))).collect::<String>();
    rotated(&log, "app.log.2", &text, DAY + 11 * 3600);
    gzip(&log, "app.log.2");
    let archive = fs::read(log.beside("app.log.2.gz")).unwrap();
    fs::write(log.beside("app.log.2.gz"), &archive[..archive.len() / 2]).unwrap();
    set_written(&log, "app.log.2.gz", DAY + 11 * 3600);
    let server = serve_utc(&log);
    let read = || -> u64 {
        let io = fs::read_to_string(format!("/proc/{}/io", server.process.pid)).unwrap();
        io.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap().parse().unwrap()
    };
    let before = read();
    assert_eq!(letters(&body(&server, "since=2026-11-22")), "cedef");
    let story = server.events("app.log?since=2026-11-22").story("<1000>");
    assert_eq!(story, format!("<open>{MIDDLE}<rotated>{NEW}<end><1000>"));
    let passed_over = read() - before;
    // It is unpacked from an earlier time on.
    assert!(server.events("app.log?since=2026-11-21").story("<1000>").contains("<gap damaged>"));
    let unpacked = read() - before - passed_over;
    assert!(unpacked > archive.len() as u64 / 2 && passed_over < unpacked / 2, "{passed_over} and {unpacked} bytes");
}

#[test]
fn what_cannot_be_unpacked_is_a_gap_and_the_history_goes_on_behind_it() {
    let text = (0..20_000).map(|number| format!("2026-11-22 10:00:00 INFO {number} c\n")).collect::<String>();
    let log = logs();
    rotated(&log, "app.log.1", &text, DAY + 35 * 3600);
    gzip(&log, "app.log.1");
    let archive = fs::read(log.beside("app.log.1.gz")).unwrap();
    fs::write(log.beside("app.log.1.gz"), &archive[..archive.len() / 2]).unwrap();
    set_written(&log, "app.log.1.gz", DAY + 35 * 3600);
    let server = serve_utc(&log);
    let end = format!("<gap damaged><rotated>{NEW}<end><1000>");
    for query in ["history=1&lines=all", "since=2026-11-21", "history=1&lines=9999999", "history=1&from=1"] {
        let story = server.events(&format!("app.log?{query}")).story("<1000>");
        let read = story.strip_prefix(&format!("<open>{OLD}<rotated>")).and_then(|rest| rest.strip_suffix(&end));
        assert!(read.is_some_and(|read| read.len() > 1000 && text.starts_with(read)), "{query}");
    }
    let story = server.events("app.log?since=2026-11-21&grep=ERROR").story("<1000>");
    let errors = NEW.lines().last().unwrap();
    assert!(story.ends_with(&format!("<gap damaged><rotated>{errors}\n<end><1000>")), "{story}");
    let story = server.events("app.log?history=1&lines=2").story("<1000>");
    assert_eq!(story, format!("<open>{NEW}<end><1000>"));
}

#[test]
fn large_compressed_files_are_counted_and_searched_like_others() {
    let line = |day: usize, number: usize| {
        let (hour, minute, second) = (number / 3600, number / 60 % 60, number % 60);
        format!(
            "2026-11-{day} {hour:02}:{minute:02}:{second:02} {}{number}\n",
            if number.is_multiple_of(9000) { "ERROR " } else { "" }
        )
    };
    let text = |day: usize| (0..80_000).map(|number| line(day, number)).collect::<String>();
    let log = logs();
    rotated(&log, "app.log.2", &text(21), DAY + 24 * 3600);
    rotated(&log, "app.log.1", &text(22), DAY + 48 * 3600);
    gzip(&log, "app.log.2");
    gzip(&log, "app.log.1");
    let server = serve_utc(&log);
    let whole = [text(21), text(22), NEW.to_owned()].concat();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    for count in [1, 3, 40_000, 80_001, 80_002, 80_003, 120_000, 160_002, 200_000] {
        let expected = lines[lines.len().saturating_sub(count)..].concat();
        assert!(body(&server, &format!("history=1&lines={count}")) == expected, "{count} lines");
        let expected = lines[count.min(lines.len()) - 1..].concat();
        let is_beyond = count > lines.len();
        assert!(is_beyond || body(&server, &format!("history=1&from={count}")) == expected, "from {count}");
    }
    assert!(body(&server, "since=2026-11-21%2016:40") == lines[60_000..].concat());
    assert!(body(&server, "since=2026-11-21%2016:40&until=2026-11-22%2011:06:40") == lines[60_000..120_000].concat());
    let errors: Vec<&str> = lines.iter().filter(|line| line.contains("ERROR")).copied().collect();
    for count in [1, 5, 9, 10, 11, 12, 18, 19, 30] {
        let expected = errors[errors.len().saturating_sub(count)..].concat();
        assert_eq!(body(&server, &format!("history=1&lines={count}&grep=ERROR")), expected, "{count} errors");
    }
    // A place far within, and the lines before it.
    let mut client = server.events("app.log?history=1&lines=all");
    client.story("<1000>");
    for (cursor, at) in client.cursors.iter().step_by(7) {
        let range = "history=1&until=2026-11-22%2011:06:40";
        let end = lines[..120_000].concat().len();
        let rest = body(&server, &format!("cursor={cursor}&{range}"));
        assert!(rest == whole[*at..(*at).max(end)], "at {at}: {} bytes", rest.len());
        let before = body(&server, &format!("before={cursor}&history=1&lines=100000"));
        let earlier: Vec<&str> = whole[..*at].split_inclusive('\n').collect();
        assert!(before == earlier[earlier.len().saturating_sub(100_000)..].concat(), "before {at}");
    }
}

#[test]
fn a_compressed_file_beside_the_same_one_uncompressed_is_not_one_more_generation() {
    let log = logs();
    let name = log.beside("app.log.1");
    assert!(Command::new("gzip").arg("-k").arg(&name).status().unwrap().success());
    fs::copy(log.beside("app.log.1.gz"), log.beside("app.log.bak.gz")).unwrap();
    fs::copy(log.beside("app.log.2"), log.beside("app.log.save")).unwrap();
    gzip(&log, "app.log.2");
    fs::write(log.beside("app.log.3.bz2"), b"BZh91AY&SY").unwrap();
    let server = serve_utc(&log);
    assert_eq!(letters(&body(&server, "history=1&lines=all")), "abcedef");
}

#[test]
fn how_much_there_is_to_search_is_unknown_where_compressed_files_belong_to_it() {
    for (compressed, is_known) in [(0, true), (1, false)] {
        let log = logs_compressed(compressed);
        let server = serve_utc(&log);
        let mut client = server.events("app.log?history=1&lines=all&grep=ERROR");
        let total = loop {
            match client.next() {
                Item::Event(Event::Progress { total, done: true, .. }) => break total,
                Item::Close(code, reason) => panic!("closed with {code}: {reason}"),
                _ => {}
            }
        };
        let whole = (OLD.len() + MIDDLE.len() + NEW.len()) as u64;
        assert_eq!(total, is_known.then_some(whole), "{compressed} compressed");
    }
}

#[test]
fn the_order_of_day_and_month_is_that_of_the_whole_log() {
    let line = |(day, month): (u32, u32)| format!("{day:02}/{month:02}/2026 10:00:00 {day}.{month}.\n");
    let letters = |text: &str| {
        let mut days: Vec<_> = text.lines().map(|line| line[20..].to_owned()).collect();
        days.dedup();
        days.join(" ")
    };
    let (november, december) = ([(28, 11), (29, 11), (30, 11)], [(1, 12), (2, 12), (3, 12)]);
    for repeated in [1, 100] {
        // Days up to the 12th do not tell what is the day.
        let text = |days: [(u32, u32); 3]| days.map(|day| line(day).repeat(repeated)).concat();
        let log = Log::with(text(december));
        set_written(&log, "app.log", DAY + 12 * 86_400 + 36_000);
        rotated(&log, "app.log.1", &text(november), DAY + 9 * 86_400 + 36_000);
        let server = serve_utc(&log);
        for is_rotated in [false, true] {
            if is_rotated {
                log.rotate("app.log.0", "");
            }
            for (query, expected) in [
                ("since=2026-11-30", "30.11. 1.12. 2.12. 3.12."),
                ("since=2026-12-02", "2.12. 3.12."),
                ("since=02/12/2026%2010:00:00", "2.12. 3.12."),
                ("since=05/11/2026%2010:00:00&until=01/12/2026%2010:00:00", "28.11. 29.11. 30.11."),
                ("until=2026-12-02", "28.11. 29.11. 30.11. 1.12."),
            ] {
                let days = letters(&body(&server, query));
                assert_eq!(days, expected, "{query}, {repeated} times, rotated: {is_rotated}");
            }
        }
        // Where no file tells, the month comes first.
        fs::write(log.beside("other.log"), text(december)).unwrap();
        let answer = server.get("/other.log?since=2026-02-01");
        assert_eq!(letters(&answer.text()), "2.12. 3.12.");
        assert_eq!(letters(&server.get("/other.log?since=02/12/2026%2010:00:00").text()), "2.12. 3.12.");
    }
}
