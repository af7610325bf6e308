use std::fs;
use std::io::Write;
use std::time::{Duration, SystemTime};

use crate::support::{Answer, Log, Server, dechunk, serve_with};

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
    let log = logs();
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
        assert_eq!(letters(&body(&server, query)), expected, "{query}");
    }
}

#[test]
fn a_rotation_is_reported_between_two_files_and_no_gap() {
    let log = logs();
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
    let log = logs();
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

#[test]
fn a_stream_is_resumed_in_a_rotated_file() {
    let log = logs();
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
        ("app.log.old", "app.log.1"),
        ("app.log-20261122", "app.log.1"),
        ("archive/app.log.1", "archive/app.log.2"),
    ] {
        let log = Log::with(NEW);
        fs::create_dir(log.beside("archive")).unwrap();
        rotated(&log, old, OLD, DAY + 11 * 3600);
        rotated(&log, middle, MIDDLE, DAY + 35 * 3600);
        let server = serve_utc(&log);
        assert_eq!(letters(&body(&server, "history=1&lines=all")), "abcedef", "{middle}, {old}");
        assert_eq!(letters(&body(&server, "since=2026-11-21%2010:30")), "bcedef", "{middle}, {old}");
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
    let log = logs();
    log.rotate("app.log.0", "");
    let server = serve_utc(&log);
    assert_eq!(letters(&body(&server, "since=2026-11-22%2010:30")), "def");
    assert_eq!(letters(&body(&server, "level=error&since=2026-11-21")), "adf");
    assert_eq!(letters(&body(&server, "level=error&history=1&lines=2")), "df");
    assert_eq!(letters(&body(&server, "since=2027-01-01")), "");
    // What an entry is, is learned from those files, too.
    assert_eq!(letters(&body(&server, "level=info&history=1&lines=4")), "edef");
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
