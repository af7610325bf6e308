use super::formats::PREFIXED;
use super::*;
use crate::civil::{Civil, SECOND};
use crate::random::Random;

/// The times of the two samples of every format.
const TIMES: [i64; 2] = [1_795_397_547, 1_772_719_689];

/// 2026-12-01 00:00:00.
const WRITTEN: i128 = 1_796_083_200 * SECOND;

/// The time of a line in seconds, in UTC.
fn seconds(recogniser: &Recogniser, line: &str) -> Option<i64> {
    let stamp = recogniser.find(line.as_bytes())?;
    assert!(stamp.start < stamp.end && stamp.end <= line.len(), "{line}");
    let readings = stamp.resolve(&Zone::utc(), WRITTEN);
    assert_eq!(readings.earliest, readings.latest, "{line}");
    Some((readings.earliest / SECOND) as i64)
}

fn trained(lines: &[&str]) -> Recogniser {
    Recogniser::trained_on(lines.iter().map(|line| line.as_bytes()))
}

#[test]
fn every_format_is_recognised() {
    assert!(FORMATS.len() >= 60);
    for format in FORMATS {
        let trained = trained(&format.samples);
        for (sample, time) in format.samples.iter().zip(TIMES) {
            let time = if format.name == "without seconds" { time / 60 * 60 } else { time };
            assert_eq!(seconds(&Recogniser::default(), sample), Some(time), "{}: {sample}", format.name);
            assert_eq!(seconds(&trained, sample), Some(time), "{}: {sample}", format.name);
        }
    }
}

#[test]
fn the_shortest_time_is_recognised() {
    assert_eq!(seconds(&Recogniser::default(), "1795397547"), Some(1_795_397_547));
    assert_eq!(seconds(&Recogniser::default(), "179539754\n"), None);
}

#[test]
fn prefixes_are_learned_from_other_lines() {
    for format in PREFIXED {
        let trained = trained(&format.samples.repeat(2));
        for (sample, time) in format.samples.iter().zip(TIMES) {
            assert_eq!(seconds(&Recogniser::default(), sample), None, "{}: {sample}", format.name);
            assert_eq!(seconds(&trained, sample), Some(time), "{}: {sample}", format.name);
        }
    }
}

#[test]
fn lines_without_a_time_bear_none() {
    let lines = [
        "",
        " ",
        "started",
        "01:32:27 up",
        "[   12.345678] usb 1-1: up",
        "2026-11-23 up",
        "2026-13-23 01:32:27 up",
        "2026-02-29 01:32:27 up",
        "2026-11-23 24:32:27 up",
        "2026-11-23 01:60:27 up",
        "1234-11-23 01:32:27 up",
        "2026-11/23 01:32:27",
        "13/13/2026 01:32:27",
        "11/23/2026 13:32:27 PM",
        "Nov 23 up",
        "Nov 31 01:32:27 up",
        "Nov 23 01:32 ls",
        "Monday 5",
        "May the 4th be with you 12:30:00",
        "    at app.Main(2026-11-23 01:32:27)",
        "  File \"/var/log/2026-11-23 01:32:27/app.py\", line 5",
        "GET /logs/2026-11-23T01:32:27Z HTTP/1.1",
        "GET https://example.com/?since=2026-11-23T01:32:27Z HTTP/1.1",
        "Caused by: expired at 2026-11-23 01:32:27",
        r#"{"msg":"at 2026-11-23 01:32:27","n":5}"#,
        r#"{"msg":"[2026-11-23 01:32:27] up"}"#,
        r#"{"a":{"time":"2026-11-23T01:32:27Z"}}"#,
        r#"{"a":[{"time":"2026-11-23T01:32:27Z"}]}"#,
        r#"{"a":"\",\"time\":\"2026-11-23T01:32:27Z\""}"#,
        r#"{"t":{"$oid":1,"$date":"2026-11-23T01:32:27Z"}}"#,
        r#"{"time":"01:32:27","t":5}"#,
        r#"{"time":1795397547000000000000}"#,
        r#"{"time""#,
        r#"{"time":"#,
        "level=info msg=\"time=2026-11-23T01:32:27Z\"",
        "level=info up time=2026-11-23T01:32:27Z",
        "user_time=2026-11-23T01:32:27Z",
        "17953975471",
        "0795397547",
        "5795397547 is no time",
        "1795397547abc",
        "@400000006b0397b5075bcd1",
        "@400000006b0397b5ffffffff",
        "@0000000000000000075bcd15",
        "audit(1795397547.123)",
        "I1323 01:32:27.123456 7 main.go:5]",
        "X1123 01:32:27.123456 7 main.go:5]",
        "12345678 01:32:27",
        "\x1b[",
        "\x1b[31",
        "[[[[((((<<<<",
    ];
    for line in lines {
        assert_eq!(Recogniser::default().find(line.as_bytes()), None, "{line}");
    }
    let late = format!("{} [23/Nov/2026:01:32:27 +0000]", "x".repeat(128));
    assert_eq!(Recogniser::default().find(late.as_bytes()), None);
}

#[test]
fn the_end_is_behind_the_zone_but_before_the_message() {
    for (line, end) in [
        ("2026-11-23 01:32:27 INFO up", "2026-11-23 01:32:27"),
        ("2026-11-23 01:32:27.123 UTC [4] up", "2026-11-23 01:32:27.123 UTC"),
        ("2026-11-23 01:32:27,1 CEST up", "2026-11-23 01:32:27,1"),
        ("2026-11-23 01:32:27 -5 degrees", "2026-11-23 01:32:27"),
        ("2026-11-23T01:32:27Zulu", "2026-11-23T01:32:27"),
        ("2026-11-23 01:32:27: up", "2026-11-23 01:32:27"),
        ("2026-11-23 01:32:27.1234567891234 up", "2026-11-23 01:32:27.1234567891234"),
        ("Nov 23 01:32:27 20266 up", "Nov 23 01:32:27"),
        ("Mon Nov 23 01:32:27 CET 2026 up", "Mon Nov 23 01:32:27 CET 2026"),
        ("Mon Nov 23 01:32:27 CET up", "Mon Nov 23 01:32:27"),
        ("1795397547: up", "1795397547"),
    ] {
        let stamp = Recogniser::default().find(line.as_bytes()).unwrap();
        assert_eq!(&line[stamp.start..stamp.end], end, "{line}");
    }
}

#[test]
fn one_odd_line_among_many_teaches_nothing() {
    let line = |number: usize| format!("INFO [w{number}] 2026-11-23 01:32:{:02} step {number}", number % 60);
    let mut lines: Vec<String> = (0..2000).map(line).collect();
    lines[1000] = "retried since 2026-11-23 00:00:00".to_owned();
    let texts: Vec<&str> = lines.iter().map(String::as_str).collect();
    let prefixed = trained(&texts);
    assert_eq!(lines.iter().filter(|line| prefixed.find(line.as_bytes()).is_none()).count(), 1);
    assert_eq!(prefixed.find(lines[1000].as_bytes()), None);

    // Where times stand at the start even a hundred dates in messages are not learned.
    let line = |number: usize| match number % 20 {
        0 => "Caused by: expired at 2026-11-23 01:32:27".to_owned(),
        _ => format!("2026-11-23 01:32:{:02} step {number}", number % 60),
    };
    let lines: Vec<String> = (0..2000).map(line).collect();
    let texts: Vec<&str> = lines.iter().map(String::as_str).collect();
    let plain = trained(&texts);
    assert_eq!(plain.find(lines[0].as_bytes()), None);
    assert_eq!(lines.iter().filter(|line| plain.find(line.as_bytes()).is_some()).count(), 1900);
}

#[test]
fn the_order_of_day_and_month_is_learned() {
    let day = |recogniser: &Recogniser, line: &str| match recogniser.find(line.as_bytes()).unwrap().moment {
        Moment::Local(Civil { month, day, .. }, _) => (month, day),
        Moment::Instant(..) => unreachable!("it is a date"),
    };
    let (plain, european) = (Recogniser::default(), trained(&["13/04/2026 01:32:27 up"]));
    assert_eq!(day(&plain, "03/04/2026 01:32:27"), (3, 4));
    assert_eq!(day(&plain, "23/04/2026 01:32:27"), (4, 23));
    assert_eq!(day(&european, "03/04/2026 01:32:27"), (4, 3));
    assert_eq!(day(&european, "03/14/2026 01:32:27"), (3, 14));
    assert_eq!(day(&trained(&["13/04/2026 01:32:27", "04/13/2026 01:32:27"]), "03/04/2026 01:32:27"), (3, 4));
    assert_eq!(day(&plain, "03.04.2026 01:32:27"), (4, 3));
    assert_eq!(day(&plain, "03-04-2026 01:32:27"), (4, 3));
    assert_eq!(day(&plain, "03-14-2026 01:32:27"), (3, 14));
}

#[test]
fn the_order_of_day_and_month_is_unclear_without_a_number_above_12() {
    for (line, order) in [
        ("03/04/2026 01:32:27 up", DateOrder::Unclear),
        ("[03/04/2026 01:32:27] up", DateOrder::Unclear),
        ("13/04/2026 01:32:27 up", DateOrder::DayFirst),
        ("04/13/2026 01:32:27 up", DateOrder::MonthFirst),
        ("2026-04-03 01:32:27 up", DateOrder::Unseen),
        ("2026/04/13 01:32:27 up", DateOrder::Unseen),
        ("03/Apr/2026:01:32:27 up", DateOrder::Unseen),
        ("up", DateOrder::Unseen),
    ] {
        assert_eq!(trained(&[line]).date_order(), order, "{line}");
    }
    let (day, unclear) = (trained(&["13/04/2026 01:32:27"]), trained(&["03/04/2026 01:32:27"]));
    assert_eq!(unclear.clone().ordered_as(&day).date_order(), DateOrder::DayFirst);
    assert_eq!(day.clone().ordered_as(&unclear).date_order(), DateOrder::DayFirst);
    // What is unclear for the whole log is not what a few lines of it show.
    assert_eq!(day.clone().in_order(DateOrder::Unclear).date_order(), DateOrder::Unclear);
    assert_eq!(day.in_order(DateOrder::Unseen).date_order(), DateOrder::DayFirst);
}

/// The instants of a line in a log that was last written to then, as RFC 3339 has them.
fn resolve(line: &str, zone: &str, written: &str) -> [String; 2] {
    let zone = zone.parse::<crate::select::zone::ZoneName>().unwrap().load().unwrap();
    let at = |text: &str| Recogniser::default().find(text.as_bytes()).unwrap();
    let written = at(written).resolve(&Zone::utc(), 0).earliest;
    let readings = at(line).resolve(&zone, written);
    [readings.earliest, readings.latest].map(|instant| Zone::utc().rfc3339(instant))
}

#[test]
fn a_date_without_a_year_is_the_latest_before_the_last_write() {
    let year = |line, written| resolve(line, "UTC", written)[0][..10].to_owned();
    assert_eq!(year("Dec 31 23:59:59 up", "2027-01-01 00:00:01"), "2026-12-31");
    assert_eq!(year("Jan  1 00:00:00 up", "2027-01-01 00:00:01"), "2027-01-01");
    // A clock that is ahead by less than a day.
    assert_eq!(year("Jan  1 00:00:00 up", "2026-12-31 23:59:59"), "2027-01-01");
    assert_eq!(year("Jan  2 00:00:00 up", "2026-12-31 23:59:59"), "2026-01-02");
    assert_eq!(year("Jan  5 00:00:00 up", "2026-12-31 23:59:59"), "2026-01-05");
    assert_eq!(year("Nov 23 01:32:27 up", "2026-11-22 01:32:27"), "2026-11-23");
    assert_eq!(year("Nov 23 01:32:28 up", "2026-11-22 01:32:27"), "2025-11-23");
    assert_eq!(year("Feb 29 12:00:00 up", "2027-06-01 00:00:00"), "2024-02-29");
    assert_eq!(year("Feb 29 12:00:00 up", "2028-02-28 12:00:00"), "2028-02-29");
    assert_eq!(year("Feb 29 12:00:00 up", "2028-02-28 11:00:00"), "2024-02-29");
    assert_eq!(year("Feb 29 12:00:00 up", "2103-02-28 11:00:00"), "2096-02-29");
    assert_eq!(year("I0229 12:00:00.5 7 a.go:5]", "2027-06-01 00:00:00"), "2024-02-29");
    // The day ends elsewhere at another time.
    assert_eq!(resolve("Jan  2 00:30:00 up", "+14:00", "2026-12-31 10:30:00")[0], "2027-01-01T10:30:00Z");
    assert_eq!(resolve("Jan  2 00:30:00 up", "-11:00", "2026-12-31 10:30:00")[0], "2026-01-02T11:30:00Z");
    // Clocks that are far off are no reason to fail.
    for written in [i128::MIN, -1, 0, i128::MAX] {
        let stamp = Recogniser::default().find(b"Feb 29 12:00:00 up").unwrap();
        stamp.resolve(&Zone::utc(), written);
    }
}

#[test]
fn a_local_time_may_have_two_readings() {
    let twice = resolve("2026-10-25 02:30:00.5 up", "Europe/Berlin", "2026-11-01 00:00:00");
    assert_eq!(twice, ["2026-10-25T00:30:00.500Z", "2026-10-25T01:30:00.500Z"]);
    let yearless = resolve("Oct 25 02:30:00 up", "Europe/Berlin", "2026-11-01 00:00:00");
    assert_eq!(yearless, ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"]);
    // An abbreviation of the zone decides, an offset always does, any other word does not.
    for (zone, time) in [("CEST", ["00:30"; 2]), ("CET", ["01:30"; 2]), ("INFO", ["00:30", "01:30"])] {
        let readings = resolve(&format!("2026-10-25 02:30:00 {zone} up"), "Europe/Berlin", "2026-11-01 00:00:00");
        assert_eq!(readings.map(|reading| reading[11..16].to_owned()), time);
    }
    let offset = resolve("2026-10-25 02:30:00 +0530", "Europe/Berlin", "2026-11-01 00:00:00");
    assert_eq!(offset, ["2026-10-24T21:00:00Z"; 2]);
    let half = resolve("2026-04-05 01:45:00", "Australia/Lord_Howe", "2026-11-01 00:00:00");
    assert_eq!(half, ["2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z"]);
    let missing = resolve("2026-03-29 02:30:00", "Europe/Berlin", "2026-11-01 00:00:00");
    assert_eq!(missing, ["2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"]);
}

#[test]
fn a_key_may_stand_far_behind() {
    let long = format!(r#"{{"log":"{}","time":"2026-11-23T01:32:27Z"}}"#, r#"a\\\"}"#.repeat(4000));
    assert_eq!(seconds(&Recogniser::default(), &long), Some(TIMES[0]));
    let deep = format!(r#"{{"a":{}"#, "[".repeat(100_000));
    assert_eq!(Recogniser::default().find(deep.as_bytes()), None);
}

/// SplitMix64.
#[test]
fn no_bytes_make_it_panic_or_read_on() {
    let mut random = Random::new(1);
    let samples: Vec<&str> = FORMATS.iter().chain(PREFIXED).flat_map(|format| format.samples).collect();
    let trained = trained(&samples.repeat(2));
    let (berlin, mut found) = ("Europe/Berlin".parse::<crate::select::zone::ZoneName>().unwrap().load().unwrap(), 0);
    for _ in 0..20_000 {
        let mut line = samples[random.below(samples.len())].as_bytes().to_vec();
        for _ in 0..random.below(4) {
            let other = samples[random.below(samples.len())].as_bytes();
            let (at, byte) = (random.below(line.len().max(1)), other[random.below(other.len())]);
            match random.below(5) {
                0 => line.truncate(at),
                1 => line.insert(at, byte),
                2 if !line.is_empty() => line[at] = random.below(256) as u8,
                3 if !line.is_empty() => line[at] = byte,
                _ => line.extend(&other[random.below(other.len())..]),
            }
        }
        for recogniser in [&trained, &Recogniser::default()] {
            let Some(stamp) = recogniser.find(&line) else { continue };
            assert!(stamp.start < stamp.end && stamp.end <= line.len());
            let readings = stamp.resolve(&berlin, WRITTEN);
            assert!(readings.earliest <= readings.latest && readings.latest - readings.earliest <= 86_400 * SECOND);
            found += 1;
        }
    }
    assert!(found > 10_000, "{found}");
    for _ in 0..5_000 {
        let line: Vec<u8> = (0..random.below(40)).map(|_| random.below(256) as u8).collect();
        trained.find(&line);
    }
}

#[test]
fn formatted_instants_are_read_back() {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut random = Random::new(2);
    for _ in 0..5_000 {
        let at = 1_000_000_000 + random.below(3_000_000_000) as i64;
        let nanosecond = random.below(1_000_000_000) as u32;
        let Civil { year, month, day, hour, minute, second, .. } = Civil::at(at);
        let (year, name) = (year.unwrap(), MONTHS[usize::from(month) - 1]);
        let time = format!("{hour:02}:{minute:02}:{second:02}");
        let (half, noon) = if hour < 12 { (hour, "AM") } else { (hour - 12, "PM") };
        let half = if half == 0 { 12 } else { half };
        let exact = i128::from(at) * SECOND + i128::from(nanosecond);
        let (seconds, milliseconds) = (exact / SECOND * SECOND, exact / 1_000_000 * 1_000_000);
        for (line, expected) in [
            (format!("{year}-{month:02}-{day:02}T{time}.{nanosecond:09}Z"), exact),
            (format!("{year}/{month:02}/{day:02} {time},{:03} up", nanosecond / 1_000_000), milliseconds),
            (format!("{year}{month:02}{day:02}T{}Z", time.replace(':', "")), seconds),
            (format!("x [{day:02}/{name}/{year}:{time} +0000] y"), seconds),
            (format!("[Mon {name} {day:2} {time}.{nanosecond:09} {year}] x"), exact),
            (format!("{month}/{day}/{year}, {half}:{minute:02}:{second:02} {noon} x"), seconds),
            (format!("{day:02}.{month:02}.{year} {time} x"), seconds),
            (format!("I{year}{month:02}{day:02} {time}.{:06} 7", nanosecond / 1000), exact / 1000 * 1000),
            (format!("{at}.{nanosecond:09} x"), exact),
            (format!("{exact}"), exact),
            (format!("{{\"ts\":{}}}", exact / 1_000_000), milliseconds),
            (format!("@{:016x}{nanosecond:08x} x", (1i128 << 62) + 10 + i128::from(at)), exact),
        ] {
            let stamp = Recogniser::default().find(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(stamp.resolve(&Zone::utc(), 0), Readings::one(expected), "{line}");
        }
    }
}
