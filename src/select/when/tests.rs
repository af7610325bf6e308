use super::*;
use crate::select::stamp::{FORMATS, PREFIXED};
use crate::select::zone::ZoneName;

fn zone_named(name: &str) -> Zone {
    name.parse::<ZoneName>().unwrap().load().unwrap()
}

/// Nanoseconds since the epoch of a time in UTC.
fn instant(text: &str) -> i128 {
    let stamp = Recogniser::default().find(text.as_bytes()).unwrap();
    stamp.resolve(&Zone::utc(), 0).earliest
}

/// The time as `since` and as `until`, in the zone, when it is `now` there.
fn read(text: &str, zone: &str, now: &str) -> [String; 2] {
    let zone = zone_named(zone);
    let clock = Clock { now: instant(now), written: instant(now), zone: &zone };
    let when = When::parse(text, &Recogniser::default()).unwrap_or_else(|error| panic!("{text}: {error}"));
    [when.since(&clock), when.until(&clock)].map(|instant| zone.rfc3339(instant))
}

const NOW: &str = "2026-11-23T12:00:00.250Z";

#[test]
fn times_are_read_by_the_servers_clock_and_zone() {
    for (text, expected) in [
        ("2026-11-23T01:32:27Z", "2026-11-23T02:32:27+01:00"),
        ("2026-11-23 01:32:27.123+00:00", "2026-11-23T02:32:27.123+01:00"),
        ("2026-11-23 01:32:27,123", "2026-11-23T01:32:27.123+01:00"),
        ("2026-11-23 01:32:27 UTC", "2026-11-23T02:32:27+01:00"),
        ("2026-11-23 01:32:27 CET", "2026-11-23T01:32:27+01:00"),
        ("2026-11-23T01:32:27 CEST", "2026-11-23T00:32:27+01:00"),
        ("2026-11-23 01:32", "2026-11-23T01:32:00+01:00"),
        ("2026-11-23T01:32Z", "2026-11-23T02:32:00+01:00"),
        ("2026-11-23", "2026-11-23T00:00:00+01:00"),
        ("2026/7/1", "2026-07-01T00:00:00+02:00"),
        ("  2026-11-23\n", "2026-11-23T00:00:00+01:00"),
        ("1600-01-01 00:00:00 +01:00", "1599-12-31T23:00:00Z"),
        ("9999-12-31", "9999-12-31T00:00:00+01:00"),
        ("01:32", "2026-11-23T01:32:00+01:00"),
        ("1:32:27.5", "2026-11-23T01:32:27.500+01:00"),
        ("13:00:00", "2026-11-23T13:00:00+01:00"),
        ("13:00:01", "2026-11-22T13:00:01+01:00"),
        ("now", "2026-11-23T13:00:00.250+01:00"),
        ("today", "2026-11-23T00:00:00+01:00"),
        ("yesterday", "2026-11-22T00:00:00+01:00"),
        ("10m", "2026-11-23T12:50:00.250+01:00"),
        ("-1h30m", "2026-11-23T11:30:00.250+01:00"),
        ("2d", "2026-11-21T13:00:00.250+01:00"),
        ("1w", "2026-11-16T13:00:00.250+01:00"),
        ("250ms", "2026-11-23T13:00:00+01:00"),
        ("0s", "2026-11-23T13:00:00.250+01:00"),
        ("@1763861547", "2025-11-23T02:32:27+01:00"),
        ("@1763861547.5", "2025-11-23T02:32:27.500+01:00"),
        ("@0", "1970-01-01T01:00:00+01:00"),
        ("@1763861547123", "2025-11-23T02:32:27.123+01:00"),
        ("1763861547", "2025-11-23T02:32:27+01:00"),
        ("1763861547.123", "2025-11-23T02:32:27.123+01:00"),
        ("1763861547123", "2025-11-23T02:32:27.123+01:00"),
        ("1763861547123456", "2025-11-23T02:32:27.123456+01:00"),
        ("1763861547123456789", "2025-11-23T02:32:27.123456789+01:00"),
        ("@400000006b0397b5075bcd15", "2026-11-23T02:32:27.123456789+01:00"),
        ("audit(1763861547.123:45)", "2025-11-23T02:32:27.123+01:00"),
        ("msg=audit(1763861547.123:45):", "2025-11-23T02:32:27.123+01:00"),
        ("1763861547.123:45", "2025-11-23T02:32:27.123+01:00"),
        ("[23/Nov/2026:01:32:27 +0000]", "2026-11-23T02:32:27+01:00"),
        ("23/Nov/2026:01:32:27", "2026-11-23T01:32:27+01:00"),
        ("Nov 23 01:32:27", "2026-11-23T01:32:27+01:00"),
        ("Nov 25 01:32:27", "2025-11-25T01:32:27+01:00"),
        ("Mon Nov 23 01:32:27.123456 2026", "2026-11-23T01:32:27.123456+01:00"),
        ("Mon, 23 Nov 2026 01:32:27 +0000", "2026-11-23T02:32:27+01:00"),
        ("11/23/2026 1:32:27 PM", "2026-11-23T13:32:27+01:00"),
        ("23.11.2026 01:32:27", "2026-11-23T01:32:27+01:00"),
        ("23 Nov 2026 01:32:27.123", "2026-11-23T01:32:27.123+01:00"),
        ("I1123 01:32:27.123456", "2026-11-23T01:32:27.123456+01:00"),
        ("20261123T013227Z", "2026-11-23T02:32:27+01:00"),
        ("time=\"2026-11-23T01:32:27Z\"", "2026-11-23T02:32:27+01:00"),
    ] {
        assert_eq!(read(text, "Europe/Berlin", NOW), [expected; 2], "{text}");
    }
}

#[test]
fn since_takes_the_earlier_reading_and_until_the_later() {
    let now = "2026-12-01T00:00:00Z";
    let twice = ["2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"];
    assert_eq!(read("2026-10-25 02:30", "Europe/Berlin", now), twice);
    assert_eq!(read("2026-10-25 02:30 CET", "Europe/Berlin", now), [twice[1]; 2]);
    let missing = ["2026-03-29T01:30:00+01:00", "2026-03-29T03:30:00+02:00"];
    assert_eq!(read("2026-03-29 02:30", "Europe/Berlin", now), missing);
    let half = ["2026-04-05T01:45:00+11:00", "2026-04-05T01:45:00+10:30"];
    assert_eq!(read("2026-04-05 01:45", "Australia/Lord_Howe", now), half);
    let missing = ["2026-10-04T01:45:00+10:30", "2026-10-04T02:45:00+11:00"];
    assert_eq!(read("2026-10-04 02:15", "Australia/Lord_Howe", now), missing);
    for zone in ["Asia/Kolkata", "UTC"] {
        let [since, until] = read("2026-10-25 02:30", zone, now);
        assert_eq!(since, until);
    }
}

#[test]
fn a_time_of_day_is_the_latest_that_has_passed() {
    // 02:15 is shown for the first time, then for the second.
    let first = "2026-10-25T02:10:00+02:00";
    assert_eq!(read("02:10", "Europe/Berlin", "2026-10-25T00:15:00Z"), [first; 2]);
    assert_eq!(read("02:20", "Europe/Berlin", "2026-10-25T00:15:00Z"), ["2026-10-24T02:20:00+02:00"; 2]);
    assert_eq!(read("02:10", "Europe/Berlin", "2026-10-25T01:15:00Z"), [first, "2026-10-25T02:10:00+01:00"]);
    assert_eq!(read("23:59", "Europe/Berlin", "2026-11-22T23:00:00Z"), ["2026-11-22T23:59:00+01:00"; 2]);
}

#[test]
fn a_day_begins_with_its_first_instant() {
    let now = "2018-11-04T12:00:00Z";
    let first = "2018-11-04T01:00:00-02:00";
    assert_eq!(read("2018-11-04", "America/Sao_Paulo", now), [first; 2]);
    assert_eq!(read("today", "America/Sao_Paulo", now), [first; 2]);
    assert_eq!(read("yesterday", "America/Sao_Paulo", now), ["2018-11-03T00:00:00-03:00"; 2]);
}

#[test]
fn dates_without_a_year_are_read_as_the_logs_lines_are() {
    let clock = Clock { now: instant(NOW), written: instant("2024-12-31 00:00:00"), zone: &Zone::utc() };
    let when = When::parse("Nov 23 01:32:27", &Recogniser::default()).unwrap();
    assert_eq!(when.since(&clock), instant("2024-11-23 01:32:27"));
    let european = Recogniser::trained_on([b"13/04/2026 01:32:27 up".as_slice()]);
    let when = When::parse("03/04/2026 01:32:27", &european).unwrap();
    assert_eq!(when.since(&clock), instant("2026-04-03 01:32:27"));
}

#[test]
fn until_may_count_from_since() {
    let zone = Zone::utc();
    let clock = Clock { now: 1000 * SECOND, written: 0, zone: &zone };
    let until = |text: &str| Until::parse(text, &Recogniser::default());
    assert_eq!(until("+1d12h").unwrap().resolve(Some(5), &clock), Some(5 + 36 * 3600 * SECOND));
    assert_eq!(until("+5m").unwrap().resolve(None, &clock), None);
    assert_eq!(until("5m").unwrap().resolve(None, &clock), Some(700 * SECOND));
    assert_eq!(until(" +5x").unwrap_err().place, 3);
    assert_eq!(until("+").unwrap_err().to_string(), "expected a duration such as 1h30m, at character 2");
}

#[test]
fn errors_name_the_reason_and_the_place() {
    for (text, message) in [
        ("", "a time is missing, at character 1"),
        ("soon", "this is not a time, at character 1"),
        ("+5m", "only `until` counts from `since`, at character 1"),
        ("5x", "this is not a time, at character 1"),
        ("5m3", "expected a unit: ms, s, m, h, d or w, at character 4"),
        ("1h30y", "expected a unit: ms, s, m, h, d or w, at character 5"),
        ("-m", "expected a number, at character 2"),
        ("99999999999h", "the number is too large, at character 1"),
        ("2026", "expected `-` and the month, at character 5"),
        ("2026-13-01", "expected a month, 01 to 12, at character 6"),
        ("2026-11", "expected `-` and the day, at character 8"),
        ("2026-02-29", "the month has no such day, at character 9"),
        ("2026-11-23x", "expected `T` or a space, and the time of day, at character 11"),
        ("2026-11-23 25:00", "expected an hour, 00 to 23, at character 12"),
        ("2026-11-23 01", "expected `:` and the minute, at character 14"),
        ("2026-11-23 13:32:27 PM", "the time ends before this, at character 21"),
        ("2026-11-23 01:32:27 soon", "the time ends before this, at character 21"),
        ("01:60", "expected a minute, 00 to 59, at character 4"),
        ("01:32 Uhr", "the time ends before this, at character 7"),
        ("@", "expected seconds since the epoch, or 13, 16 or 19 digits, at character 2"),
        ("@1763861547x", "expected seconds since the epoch, or 13, 16 or 19 digits, at character 12"),
        ("Nov 23", "this is not a time, at character 1"),
        ("é2026", "this is not a time, at character 1"),
        ("2026-é", "expected a month, 01 to 12, at character 6"),
    ] {
        assert_eq!(When::parse(text, &Recogniser::default()).unwrap_err().to_string(), message, "{text}");
    }
}

#[test]
fn any_stamp_can_be_pasted() {
    let prefixed: Vec<&str> = PREFIXED.iter().flat_map(|format| format.samples).collect();
    let trained = Recogniser::trained_on(prefixed.repeat(2).iter().map(|sample| sample.as_bytes()));
    for sample in FORMATS.iter().chain(PREFIXED).flat_map(|format| format.samples) {
        let stamp = trained.find(sample.as_bytes()).unwrap();
        let text = &sample[stamp.start..stamp.end];
        let when = When::parse(text, &Recogniser::default()).unwrap_or_else(|error| panic!("{text}: {error}"));
        let clock = Clock { now: instant(NOW), written: instant(NOW), zone: &Zone::utc() };
        assert_eq!(when.since(&clock), stamp.resolve(&Zone::utc(), clock.written).earliest, "{text}");
    }
}

#[test]
fn no_text_makes_it_panic() {
    const PIECES: [&str; 22] = [
        "2026",
        "-",
        "11",
        "23",
        "T",
        " ",
        ":",
        "01",
        ".",
        "9999999999999",
        "@",
        "+",
        "h",
        "m",
        "ms",
        "Nov",
        "audit(",
        ")",
        "é",
        "UTC",
        "\u{202f}PM",
        "0",
    ];
    let (berlin, mut seed) = (zone_named("Europe/Berlin"), 1u64);
    for _ in 0..10_000 {
        let mut text = String::new();
        for _ in 0..seed % 11 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text += PIECES[(seed >> 33) as usize % PIECES.len()];
        }
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) >> 1;
        for now in [i128::MIN, 0, instant(NOW), i128::MAX] {
            let clock = Clock { now, written: now, zone: &berlin };
            match Until::parse(&text, &Recogniser::default()) {
                Ok(until) => _ = until.resolve(Some(now), &clock),
                Err(error) => assert!(error.place <= text.chars().count(), "{text}"),
            }
        }
    }
}
