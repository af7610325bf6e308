use std::fs;
#[cfg(feature = "gz")]
use std::io::Write;
use std::time::SystemTime;

use wstail::protocol::event::{Event, OpenTimes};
use wstail::select::stamp::{FORMATS, PREFIXED, Recogniser};

use crate::support::{EventClient, Item, Log, Server, dechunk, serve, serve_with};

/// Times in UTC, one entry of two lines, and a head without a time.
const LOG: &str = "head\n\
    2026-11-23 10:00:00 INFO one\n\
    2026-11-23 10:15:00 ERROR two\n  at two\n\
    2026-11-23 10:15:00 INFO three\n\
    2026-11-23 10:20:00 INFO four\n\
    2026-11-23 11:00:00 WARN five\n";

const ONE: &str = "2026-11-23 10:00:00 INFO one\n";
const TWO: &str = "2026-11-23 10:15:00 ERROR two\n  at two\n";
const THREE: &str = "2026-11-23 10:15:00 INFO three\n";
const FOUR: &str = "2026-11-23 10:20:00 INFO four\n";
const FIVE: &str = "2026-11-23 11:00:00 WARN five\n";

/// Queries without a filter, and what they ask for.
fn cases() -> Vec<(&'static str, String)> {
    vec![
        ("since=2026-11-23", LOG.to_owned()),
        ("since=2026-11-23T10:00:00Z", LOG.to_owned()),
        ("since=2026-11-23T10:00:01Z", [TWO, THREE, FOUR, FIVE].concat()),
        ("since=2026-11-23%2010:15", [TWO, THREE, FOUR, FIVE].concat()),
        ("since=2026-11-23%2010:15:00,001", [FOUR, FIVE].concat()),
        ("since=2026-11-23%2012:00", String::new()),
        ("until=2026-11-23%2010:00", String::new()),
        ("until=2026-11-23%2010:15", ["head\n", ONE].concat()),
        ("until=2026-11-23%2023:00", LOG.to_owned()),
        ("since=2026-11-23%2010:15&until=2026-11-23%2010:20", [TWO, THREE].concat()),
        ("since=2026-11-23%2010:15&until=%2B5m", [TWO, THREE].concat()),
        ("since=2026-11-23%2010:15&until=+5m1s", [TWO, THREE, FOUR].concat()),
        ("since=2026-11-23%2010:20&until=2026-11-23%2010:15", String::new()),
        ("since=2026-11-23%2010:15&lines=1", FIVE.to_owned()),
        ("since=2026-11-23%2010:20&lines=99", [FOUR, FIVE].concat()),
        ("until=2026-11-23%2010:20&lines=2", ["  at two\n", THREE].concat()),
        ("from=3&until=2026-11-23%2010:20", [TWO, THREE].concat()),
        ("since=2026-11-23T11:15:00%2B01:00&until=%2B1ms", [TWO, THREE].concat()),
        ("since=@1795429200", [TWO, THREE, FOUR, FIVE].concat().replace(TWO, "").replace(THREE, "")),
        ("since=1795429200000", [FOUR, FIVE].concat()),
    ]
}

/// With a filter.
fn filtered() -> Vec<(&'static str, String)> {
    vec![
        ("since=2026-11-23%2010:15&grep=INFO", [THREE, FOUR].concat()),
        ("since=2026-11-23%2010:15&until=%2B5m&level=error", TWO.to_owned()),
        ("until=2026-11-23%2010:20&exclude=INFO", ["head\n", TWO].concat()),
        ("since=2026-11-23%2010:15&grep=INFO&lines=1", FOUR.to_owned()),
        ("until=2026-11-23%2010:20&grep=INFO&lines=1", THREE.to_owned()),
        // Neither the lines before the place nor those behind the end are context.
        ("since=2026-11-23%2010:20&until=2026-11-23%2011:00&grep=four&context=5", FOUR.to_owned()),
        ("since=2026-11-23%2010:15&grep=five&context=1,0", [FOUR, FIVE].concat()),
        // But the lines behind the place may be context of a match before it: the filter selects from the whole log.
        ("since=2026-11-23%2010:20&grep=three&context=5,1", FOUR.to_owned()),
        ("since=2026-11-23%2010:20&grep=two&context=5,1", String::new()),
    ]
}

fn serve_utc(log: &Log) -> Server {
    serve_with(log, &["--zone", "UTC"])
}

fn times_of(client: &mut EventClient) -> OpenTimes {
    loop {
        match client.next() {
            Item::Event(Event::Open { times, .. }) => return times,
            Item::Close(code, reason) => panic!("closed with {code}: {reason}"),
            _ => {}
        }
    }
}

#[test]
fn plain_http_sends_the_range_with_its_length() {
    let log = Log::with(LOG);
    let server = serve_utc(&log);
    for (query, expected) in cases() {
        let answer = server.get(&format!("/app.log?{query}"));
        assert_eq!((answer.status, answer.text()), (200, expected.clone()), "{query}");
        let length = format!("\r\nContent-Length: {}\r\n", expected.len());
        assert!(answer.head.contains(&length), "{query}: {}", answer.head);
    }
    for (query, expected) in filtered() {
        let answer = server.get(&format!("/app.log?{query}"));
        assert_eq!(String::from_utf8_lossy(&dechunk(&answer.body).0), expected, "{query}");
    }
    let old = server.ask("GET /app.log?since=2026-11-23%2010:20 HTTP/1.0\r\n\r\n");
    assert_eq!(old.text(), [FOUR, FIVE].concat());
    let head = server.ask("HEAD /app.log?since=2026-11-23%2011:00 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(head.body.is_empty() && head.head.contains(&format!("Content-Length: {}\r\n", FIVE.len())));
}

#[test]
fn plain_websockets_send_the_range() {
    let log = Log::with(LOG);
    let server = serve_utc(&log);
    for (query, expected) in cases().into_iter().chain(filtered()) {
        let mut client = server.client(&format!("app.log?{query}"));
        let mut text = String::new();
        let close = loop {
            match client.next() {
                Ok(message) => text += &message,
                Err(close) => break close,
            }
        };
        assert_eq!((text, close.0), (expected, 1000), "{query}");
    }
}

#[test]
fn events_send_the_range_and_say_how_it_is_understood() {
    let log = Log::with(LOG);
    let server = serve_utc(&log);
    for (query, expected) in cases().into_iter().chain(filtered()) {
        let story = server.events(&format!("app.log?{query}")).story("<1000>");
        assert_eq!(story, format!("<open>{expected}<end><1000>"), "{query}");
    }
    let times = |query: &str| {
        let OpenTimes { since, until, zone, .. } = times_of(&mut server.events(&format!("app.log?{query}")));
        [since, until, zone].map(Option::unwrap_or_default)
    };
    assert_eq!(times("lines=1"), ["", "", "UTC"]);
    assert_eq!(
        times("since=2026-11-23%2010:15&until=%2B5m&zone=%2B01:00"),
        ["2026-11-23T10:15:00+01:00", "2026-11-23T10:20:00+01:00", "+01:00"]
    );
    assert_eq!(times("until=2026-11-23&zone=Europe/Berlin"), ["", "2026-11-23T00:00:00+01:00", "Europe/Berlin"]);
}

#[test]
fn the_end_says_that_the_time_is_reached() {
    let log = Log::with(LOG);
    let server = serve_utc(&log);
    for (query, reason) in [
        ("until=2026-11-23%2010:20", "the time is reached"),
        ("until=2026-11-23%2010:20&grep=INFO", "the time is reached"),
        ("until=2026-11-23%2010:20&grep=INFO&max=1", "1 line has matched"),
        ("until=2026-11-23%2012:00", "the end of the log is reached"),
        ("since=2026-11-23%2010:20", "the end of the log is reached"),
    ] {
        assert_eq!(server.client(&format!("app.log?{query}")).close(), (1000, reason.to_owned()), "{query}");
    }
}

#[test]
fn a_followed_log_begins_at_the_time() {
    let log = Log::with(LOG);
    let server = serve_utc(&log);
    let mut events = server.events("app.log?tail=1&since=2026-11-23%2010:20");
    let mut plain = server.client("app.log?tail=1&since=2026-11-23%2010:20&grep=I");
    let mut future = server.events("app.log?tail=1&since=2999-01-01");
    assert_eq!(events.story(FIVE), format!("<open>{FOUR}{FIVE}"));
    assert_eq!(plain.message(), FOUR);
    future.story("<open>");
    log.append("INFO anything\n");
    assert_eq!(events.story("anything\n"), "INFO anything\n");
    assert_eq!(plain.message(), "INFO anything\n");
    // No line is withheld from a follower, whatever its time.
    assert_eq!(future.story("anything\n"), "INFO anything\n");
}

#[test]
fn a_line_that_is_written_in_pieces_comes_whole_whatever_its_time() {
    let log = Log::with(format!("{LOG}2026-11-23 11:15"));
    let server = serve_utc(&log);
    let mut events = server.events("app.log?tail=1&since=2026-11-23%2011:15:30");
    let mut plain = server.client("app.log?tail=1&since=2026-11-23%2011:15:30&grep=six");
    events.story("<open>");
    assert_eq!(plain.message(), "", "nothing is found yet");
    log.append(":45 INFO six\n");
    assert_eq!(events.story("six\n"), "2026-11-23 11:15:45 INFO six\n");
    assert_eq!(plain.message(), "2026-11-23 11:15:45 INFO six\n");
}

#[test]
fn a_cursor_wins_over_since_and_keeps_until() {
    let log = Log::with(LOG);
    let server = serve_utc(&log);
    let mut client = server.events("app.log?lines=all");
    client.story("<1000>");
    let start = client.cursors[0].0.clone();
    let range = "since=2026-11-23%2010:15&until=%2B5m";
    for received in [0, 5, 34, 60] {
        let expected = LOG.replace(&[FOUR, FIVE].concat(), "")[received..].to_owned();
        let answer = server.get(&format!("/app.log?cursor={start}.{received}&{range}"));
        assert_eq!(answer.text(), expected, "after {received}");
        assert!(answer.head.contains("Content-Length"), "{}", answer.head);
    }
    // A place behind the end of the range.
    assert_eq!(server.get(&format!("/app.log?cursor={start}.{}&{range}", LOG.len())).text(), "");
}

#[test]
fn older_lines_are_those_of_the_range() {
    let log = Log::with(LOG);
    let server = serve_utc(&log);
    let cursor = server.events("app.log?lines=0").cursor();
    let page = |query: &str| server.get(&format!("/app.log?before={cursor}&{query}")).text();
    assert_eq!(page("since=2026-11-23%2010:20"), [FOUR, FIVE].concat());
    assert_eq!(page("since=2026-11-23%2010:00:01&lines=2"), [FOUR, FIVE].concat());
    assert_eq!(page("until=2026-11-23%2010:20&lines=1"), THREE);
}

#[test]
fn adjacent_ranges_are_the_whole() {
    let text: String = (0..5000)
        .map(|second| {
            let (minute, second) = (second / 137, second % 60);
            format!("2026-11-23 10:{:02}:{second:02} {}\n", minute % 60, "x".repeat(second * 7))
        })
        .collect::<Vec<_>>()
        .concat();
    // Times that decrease within a minute: both searches meet the same place.
    let log = Log::with(&text);
    let server = serve_utc(&log);
    for edge in ["10:00", "10:07", "10:19:30", "10:36:40", "11:00"] {
        let [before, after] =
            ["until", "since"].map(|name| server.get(&format!("/app.log?{name}=2026-11-23%20{edge}&history=0")).text());
        assert!(before + &after == text, "{edge}");
    }
}

#[test]
fn a_time_that_cannot_be_used_is_refused_before_the_log_is_looked_for() {
    let log = Log::with(LOG);
    let server = serve_utc(&log);
    for (query, words) in [
        ("since=", &["`since`", "missing"][..]),
        ("since=soon", &["`since`", "not a time", "character 1"]),
        ("since=2026-13-01", &["`since`", "month", "character 6"]),
        ("since=2026-11-23%2025:00", &["`since`", "hour"]),
        ("since=10x", &["`since`"]),
        ("since=%2B5m", &["`since`", "`until`"]),
        ("until=2026-02-30", &["`until`", "day"]),
        ("until=%2B5", &["`until`"]),
        ("until=%2B5m", &["`until`", "`since`"]),
        ("until=1h&tail=1", &["`until`", "`tail=1`"]),
        ("from=2&since=1h", &["`from`", "`since`"]),
        ("since=1h&since=2h", &["`since`", "repeated"]),
        ("zone=../../etc/passwd", &["`zone`", "not a time zone"]),
        ("zone=:/etc/passwd", &["`zone`", "not a time zone"]),
        ("zone=/etc/passwd", &["`zone`", "not a time zone"]),
        ("zone=", &["`zone`", "not a time zone"]),
        ("zone=Mars/Olympus", &["`zone`", "unknown time zone"]),
        ("history=yes", &["`history`", "1 or 0"]),
    ] {
        let answer = server.get(&format!("/missing.log?{query}"));
        assert_eq!(answer.status, 400, "{query}: {}", answer.text());
        assert!(words.iter().all(|word| answer.text().contains(word)), "{query}: {}", answer.text());
        assert_eq!(answer.text().trim_end().lines().count(), 1, "{query}");
    }
    assert_eq!(server.get("/missing.log?since=1h").status, 404);
}

#[test]
fn a_log_without_times_is_refused_if_it_is_long_enough_to_tell() {
    let log = Log::with("no time here\n".repeat(1000));
    fs::write(log.beside("short.log"), "no time\n").unwrap();
    fs::write(log.beside("empty.log"), "").unwrap();
    let server = serve(&log);
    let reason = "no times are recognised in this log";
    for query in ["since=1h", "until=1h", "since=2999-01-01", "since=1h&grep=time"] {
        let answer = server.get(&format!("/app.log?{query}"));
        assert_eq!((answer.status, answer.text()), (422, format!("{reason}\n")), "{query}");
        assert!(answer.head.starts_with("HTTP/1.1 422 Unprocessable"), "{}", answer.head);
        assert_eq!(server.client(&format!("app.log?{query}")).next(), Err((4422, reason.to_owned())), "{query}");
        let mut client = server.events(&format!("app.log?{query}"));
        let last = loop {
            match client.next() {
                Item::Event(Event::Progress { .. }) => {}
                Item::Event(Event::End { reason: said }) => assert_eq!(said, reason),
                item => break item,
            }
        };
        assert_eq!(last, Item::Close(4422, reason.to_owned()), "{query}");
    }
    // A cursor says where to begin, so no time is needed.
    let cursor = server.events("app.log?lines=0").cursor();
    assert_eq!(server.get(&format!("/app.log?cursor={cursor}&since=1h")).status, 200);
    assert_eq!(server.get(&format!("/app.log?cursor={cursor}&until=1h")).status, 422);
    let follower = server.client("app.log?since=1h&tail=1").next();
    assert_eq!(follower, Err((4422, reason.to_owned())));
    for query in ["since=1h", "since=1h&until=%2B1m", "until=1h"] {
        assert_eq!(server.get(&format!("/short.log?{query}")).text(), "no time\n", "{query}");
        assert_eq!(server.get(&format!("/empty.log?{query}")).text(), "", "{query}");
    }
    let metrics = server.get("/-/metrics").text();
    assert!(metrics.contains("wstail_connections_total{outcome=\"refused\"} 14\n"), "{metrics}");
}

#[test]
fn times_near_either_end_of_a_log_are_found() {
    let filler = "no time\n".repeat(25_000);
    let timed = "2026-11-23 10:00:00 a\n2026-11-23 10:00:01 b\n";
    for text in [format!("{filler}{timed}"), format!("{timed}{filler}"), format!("{filler}{timed}{filler}")] {
        let log = Log::with(&text);
        let server = serve_utc(&log);
        let answer = server.get("/app.log?since=2026-11-23%2010:00:01");
        let expected = &text[text.find("2026-11-23 10:00:01").unwrap()..];
        assert!(answer.status == 200 && answer.text() == expected, "{}", answer.status);
    }
}

#[test]
fn times_without_a_zone_are_those_of_the_zone_that_is_asked_for() {
    let log = Log::with("2026-07-01 12:00:00 a\n2026-07-01 13:00:00 b\n2026-07-01T12:00:00Z c\n");
    let server = serve_with(&log, &["--zone", "Europe/Berlin"]);
    let since = |query: &str| server.get(&format!("/app.log?{query}")).text().len();
    let (all, from_b, from_c) = (67, 45, 23);
    assert_eq!(since("since=2026-07-01%2012:00"), all);
    assert_eq!(since("since=2026-07-01T10:30:00Z"), from_b);
    assert_eq!(since("since=2026-07-01T11:30:00Z"), from_c);
    assert_eq!(since("since=2026-07-01%2012:30&zone=UTC"), from_b);
    assert_eq!(since("since=2026-07-01T11:30:00Z&zone=-02:00"), all);
    let zones = |query: &str| times_of(&mut server.events(&format!("app.log?{query}"))).zone.unwrap();
    assert_eq!([zones(""), zones("zone=UTC"), zones("zone=%2B05:45")], ["Europe/Berlin", "UTC", "+05:45"]);
}

#[test]
fn an_abbreviation_counts_if_it_is_one_of_the_zone() {
    let log = Log::with("2026-07-01 10:30:00 CET a\n2026-07-01 12:00:00 CEST b\n2026-07-01 13:00:00 EST c\n");
    let server = serve_with(&log, &["--zone", "Europe/Berlin"]);
    let since = |query: &str| server.get(&format!("/app.log?since={query}")).text().len();
    let (all, from_b, from_c) = (79, 53, 26);
    assert_eq!([since("2026-07-01T09:30:00Z"), since("2026-07-01T09:30:01Z")], [all, from_b]);
    assert_eq!([since("2026-07-01%2010:30%20CET"), since("2026-07-01%2010:30:01%20CET")], [all, from_b]);
    assert_eq!([since("2026-07-01%2011:30%20CEST"), since("2026-07-01%2011:30:01%20CEST")], [all, from_b]);
    // Berlin has no EST, so the last line is read as if it had none, and so is the same text as a parameter.
    assert_eq!([since("2026-07-01T11:00:00Z"), since("2026-07-01T11:00:01Z")], [from_c, 0]);
    assert_eq!([since("2026-07-01%2013:00%20EST"), since("2026-07-01%2013:00:01%20EST")], [from_c, 0]);
}

#[test]
fn an_hour_that_comes_twice_is_sent_whole() {
    // In Berlin, clocks go back from 03:00 to 02:00 on 25 October 2026, and forward from 02:00 to 03:00 on 29 March.
    let autumn =
        "2026-10-25 01:59:00 a\n2026-10-25 02:30:00 first\n2026-10-25 02:30:00 second\n2026-10-25 03:00:00 b\n";
    let log = Log::with(autumn);
    fs::write(log.beside("spring.log"), "2026-03-29 01:59:00 a\n2026-03-29 03:00:00 b\n2026-03-29 03:30:00 c\n")
        .unwrap();
    let server = serve_with(&log, &["--zone", "Europe/Berlin"]);
    let lines = |target: &str| {
        let text = server.get(&format!("/{target}")).text();
        text.lines().map(|line| line[20..].to_owned()).collect::<Vec<_>>().join(" ")
    };
    // `since` takes its earlier reading, `until` the later one, and the lines what sends more.
    assert_eq!(lines("app.log?since=2026-10-25%2002:30"), "first second b");
    assert_eq!(lines("app.log?since=2026-10-25T01:30:00Z"), "first second b");
    assert_eq!(lines("app.log?since=2026-10-25T01:31:00Z"), "b");
    assert_eq!(lines("app.log?until=2026-10-25%2002:30"), "a first second");
    assert_eq!(lines("app.log?until=2026-10-25T00:30:00Z"), "a");
    assert_eq!(lines("app.log?until=2026-10-25T00:31:00Z"), "a first second");
    // 02:30 does not exist. In summer time it is the instant of 01:30, in winter time that of 03:30.
    assert_eq!(lines("spring.log?since=2026-03-29%2002:30"), "a b c");
    assert_eq!(lines("spring.log?until=2026-03-29%2002:30"), "a b");
    assert_eq!(lines("spring.log?since=2026-03-29%2003:00"), "b c");
    // On Lord Howe Island clocks go back by half an hour, from 02:00 to 01:30 on 5 April.
    let howe = "2026-04-05 01:29:00 a\n2026-04-05 01:45:00 b\n2026-04-05 01:45:00 c\n2026-04-05 02:00:00 d\n";
    fs::write(log.beside("howe.log"), howe).unwrap();
    assert_eq!(lines("howe.log?zone=Australia/Lord_Howe&since=2026-04-05%2001:45"), "b c d");
    assert_eq!(lines("howe.log?zone=Australia/Lord_Howe&until=2026-04-05%2001:45"), "a b c");
    assert_eq!(lines("howe.log?zone=Australia/Lord_Howe&since=2026-04-04T15:16:00Z"), "d");
}

/// Sets the time of the last write.
fn set_written(log: &Log, name: &str, seconds: u64) {
    let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
    fs::File::options().append(true).open(log.beside(name)).unwrap().set_modified(time).unwrap();
}

#[test]
fn dates_without_a_year_are_those_before_the_last_write() {
    let log = Log::with("Dec 30 23:00:00 h a: x\nDec 31 23:59:59 h a: y\nJan  1 00:00:01 h a: z\n");
    set_written(&log, "app.log", 1_798_761_601);
    let leap = "Feb 28 12:00:00 h a: x\nFeb 29 12:00:00 h a: y\nMar  1 12:00:00 h a: z\n";
    fs::write(log.beside("leap.log"), leap).unwrap();
    set_written(&log, "leap.log", 1_709_294_400);
    let server = serve_utc(&log);
    let last = |target: &str| {
        let text = server.get(&format!("/{target}")).text();
        text.lines().map(|line| line[line.len() - 1..].to_owned()).collect::<String>()
    };
    assert_eq!(last("app.log?since=2026-12-31"), "yz");
    assert_eq!(last("app.log?since=2027-01-01"), "z");
    assert_eq!(last("app.log?since=Dec%2031%2023:59:59"), "yz");
    assert_eq!(last("app.log?until=Jan%20%201%2000:00:01"), "xy");
    assert_eq!(last("leap.log?since=2024-02-29"), "yz");
    assert_eq!(last("leap.log?since=Feb%2029%2012:00:00"), "yz");
}

/// It may have been copied, or touched, since.
#[cfg(feature = "gz")]
#[test]
fn dates_without_a_year_in_an_archive_are_those_before_the_time_in_its_header() {
    let log = Log::with("");
    let server = serve_utc(&log);
    let text = "Dec 30 23:00:00 h a: x\nDec 31 23:59:59 h a: y\nJan  1 00:00:01 h a: z\n";
    for (header, touched) in [(1_798_761_601, 1_840_000_000), (1_840_000_000, 1_798_761_601), (0, 1_798_761_601)] {
        let mut gzip = flate2::GzBuilder::new().mtime(header).write(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        fs::write(log.beside("app.log.1.gz"), gzip.finish().unwrap()).unwrap();
        set_written(&log, "app.log.1.gz", touched);
        for query in ["since=2026-12-31", "since=Dec%2031%2023:59:59"] {
            let body = String::from_utf8(server.get(&format!("/app.log.1.gz?{query}")).chunked()).unwrap();
            assert_eq!(body, text.split_once('\n').unwrap().1, "{query}, {header} in the header, touched {touched}");
        }
    }
}

#[test]
fn the_format_may_change_in_the_middle() {
    let old: String = (0..3000)
        .map(|number| format!("Nov 22 {:02}:{:02}:00 host app: old\n", number / 60 % 24, number % 60))
        .take(1440)
        .collect();
    let new: String = (0..1440)
        .map(|number| format!("2026-11-23T{:02}:{:02}:00.000000+00:00 host app: new\n", number / 60, number % 60))
        .collect();
    let log = Log::with(format!("{old}{new}"));
    set_written(&log, "app.log", 1_795_478_400);
    let server = serve_utc(&log);
    let count = |query: &str| server.get(&format!("/app.log?{query}")).text().lines().count();
    assert_eq!(count("since=2026-11-22%2012:00"), 720 + 1440);
    assert_eq!(count("since=2026-11-23%2012:00"), 720);
    assert_eq!(count("since=2026-11-22%2023:59&until=2026-11-23%2000:01"), 2);
}

/// The places in a sample at which its time may begin and end.
fn pasted(sample: &str, is_prefixed: bool) -> &str {
    let lines = [sample.as_bytes(); 4];
    let recogniser = if is_prefixed { Recogniser::trained_on(lines) } else { Recogniser::default() };
    let stamp = recogniser.find(sample.as_bytes()).unwrap();
    &sample[stamp.start..stamp.end]
}

#[test]
fn a_time_of_every_form_is_found_as_it_is_pasted() {
    let log = Log::with("");
    let forms = FORMATS.iter().map(|form| (form, false)).chain(PREFIXED.iter().map(|form| (form, true)));
    let forms: Vec<_> = forms.collect();
    for (number, (form, _)) in forms.iter().enumerate() {
        // The second sample is of March, and the first of November. A prefix must be that of several lines.
        let [late, early] = form.samples;
        let path = log.beside(&format!("{number}.log"));
        fs::write(&path, format!("{early}\n{early}\n{late}\n{late}\n")).unwrap();
        set_written(&log, &format!("{number}.log"), 1_795_400_000);
    }
    let server = serve_utc(&log);
    for (number, (form, is_prefixed)) in forms.iter().enumerate() {
        let [late, early] = form.samples;
        let get = |name: &str, sample: &str| {
            let time: String = pasted(sample, *is_prefixed).bytes().map(|byte| format!("%{byte:02X}")).collect();
            let answer = server.get(&format!("/{number}.log?{name}={time}"));
            assert_eq!(answer.status, 200, "{}: {}", form.name, answer.text());
            answer.text()
        };
        assert_eq!(get("since", late), format!("{late}\n{late}\n"), "{}", form.name);
        assert_eq!(get("since", early), format!("{early}\n{early}\n{late}\n{late}\n"), "{}", form.name);
        assert_eq!(get("until", late), format!("{early}\n{early}\n"), "{}", form.name);
    }
}

#[test]
fn a_log_of_a_hundred_gigabytes_is_searched_with_few_reads() {
    const SIZE: u64 = 100 << 30;
    let lines = |hour: u64| -> String {
        (0..3600).map(|second| format!("2026-11-23 {hour:02}:{:02}:{:02} line\n", second / 60, second % 60)).collect()
    };
    let log = Log::with(lines(10));
    let writer = log.writer();
    writer.set_len(SIZE).unwrap();
    log.append(format!("\n{}", lines(12)));
    let server = serve_utc(&log);
    let reads = || -> u64 {
        let io = fs::read_to_string(format!("/proc/{}/io", server.process.pid)).unwrap();
        io.lines().find_map(|line| line.strip_prefix("syscr: ")).unwrap().parse().unwrap()
    };
    for query in ["since=2026-11-23%2012:30", "since=2026-11-23%2012:30&tail=1"] {
        let before = reads();
        let mut client = server.events(&format!("app.log?{query}"));
        client.story("<open>");
        // What is read to send the first bytes is among them.
        let count = reads() - before;
        assert!(count <= 64, "{query}: {count} reads");
        assert!(client.story("12:59:59 line\n").starts_with("2026-11-23 12:30:00 line\n"), "{query}");
    }
}
