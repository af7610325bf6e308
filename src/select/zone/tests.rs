use super::*;

fn named(name: &str) -> Zone {
    name.parse::<ZoneName>().unwrap().load().unwrap()
}

/// The readings of a local time, in UTC.
fn readings(zone: &str, year: u16, month: u8, day: u8, hour: u8, minute: u8) -> [String; 2] {
    let civil = Civil { year: Some(year), month, day, hour, minute, second: 0, nanosecond: 0 };
    let (earliest, latest) = named(zone).instants(civil.seconds_in(year).unwrap());
    [earliest, latest].map(|seconds| Zone::utc().rfc3339(i128::from(seconds) * SECOND)[..16].to_owned())
}

#[test]
fn names_are_parsed_and_cannot_leave_the_database() {
    for text in ["local", "UTC", "+05:45", "-03:30", "+00:00", "Europe/Berlin", "Etc/GMT+5", "EST5EDT"] {
        assert_eq!(text.parse::<ZoneName>().unwrap().to_string(), text);
    }
    for text in ["", "../../etc/passwd", "/etc/passwd", ":/etc/passwd", "a..b", "Europe/Berlin ", "é", "a\0b", "a:b"] {
        assert_eq!(text.parse::<ZoneName>(), Err(ZoneError::Malformed(text.to_owned())), "{text}");
    }
    for text in ["+24:00", "+01:60", "+1:00", "01:00"] {
        assert!(text.parse::<ZoneName>().is_err(), "{text}");
    }
    assert!("x".repeat(MAX_NAME + 1).parse::<ZoneName>().is_err());
}

#[test]
fn unknown_zones_and_damaged_data_are_errors() {
    for name in ["Mars/Olympus", "Europe", "europe/berlin/x", "+0100"] {
        let error = name.parse::<ZoneName>().unwrap().load().unwrap_err();
        assert_eq!(error.to_string(), format!("unknown time zone `{name}`"));
    }
    assert!(matches!("tzdata/zi".parse::<ZoneName>().unwrap().load(), Err(ZoneError::Unknown(_))));
    for data in [b"".as_slice(), b"TZif", b"TZif2\0\0\0", &[0xff; 100]] {
        assert!(matches!(Zone::from_data("x", data), Err(ZoneError::Damaged(_))));
    }
    assert!(ZoneName::Local.load().is_ok());
}

#[test]
fn an_hour_comes_twice_when_clocks_are_set_back() {
    let twice = readings("Europe/Berlin", 2026, 10, 25, 2, 30);
    assert_eq!(twice, ["2026-10-25T00:30", "2026-10-25T01:30"]);
    assert_eq!(readings("Europe/Berlin", 2026, 10, 25, 1, 59), ["2026-10-24T23:59"; 2]);
    assert_eq!(readings("Europe/Berlin", 2026, 10, 25, 3, 0), ["2026-10-25T02:00"; 2]);
    let half = readings("Australia/Lord_Howe", 2026, 4, 5, 1, 45);
    assert_eq!(half, ["2026-04-04T14:45", "2026-04-04T15:15"]);
    assert_eq!(readings("Australia/Lord_Howe", 2026, 4, 5, 1, 29), ["2026-04-04T14:29"; 2]);
    assert_eq!(readings("Australia/Lord_Howe", 2026, 4, 5, 2, 0), ["2026-04-04T15:30"; 2]);
}

#[test]
fn an_hour_is_missing_when_clocks_are_set_forward() {
    let missing = readings("Europe/Berlin", 2026, 3, 29, 2, 30);
    assert_eq!(missing, ["2026-03-29T00:30", "2026-03-29T01:30"]);
    assert_eq!(readings("Europe/Berlin", 2026, 3, 29, 1, 59), ["2026-03-29T00:59"; 2]);
    assert_eq!(readings("Europe/Berlin", 2026, 3, 29, 3, 0), ["2026-03-29T01:00"; 2]);
    let half = readings("Australia/Lord_Howe", 2026, 10, 4, 2, 15);
    assert_eq!(half, ["2026-10-03T15:15", "2026-10-03T15:45"]);
    // A rule for years that the data does not list.
    let later = readings("Europe/Berlin", 2090, 3, 26, 2, 30);
    assert_eq!(later, ["2090-03-26T00:30", "2090-03-26T01:30"]);
    // Samoa left out a whole day.
    let day = readings("Pacific/Apia", 2011, 12, 30, 12, 0);
    assert_eq!(day, ["2011-12-29T22:00", "2011-12-30T22:00"]);
}

#[test]
fn other_times_have_one_reading() {
    for month in 1..=12 {
        for zone in ["Asia/Kolkata", "UTC", "+05:30", "Asia/Tokyo"] {
            let [earliest, latest] = readings(zone, 2026, month, 1, 2, 30);
            assert_eq!(earliest, latest);
        }
    }
    assert_eq!(readings("Asia/Kolkata", 2026, 3, 29, 2, 30), ["2026-03-28T21:00"; 2]);
    assert_eq!(readings("-03:30", 2026, 3, 29, 2, 30), ["2026-03-29T06:00"; 2]);
}

#[test]
fn a_day_begins_with_the_change_when_midnight_is_missing() {
    let first = |zone: &str, year, month, day| {
        let civil = Civil { year: Some(year), month, day, hour: 0, minute: 0, second: 0, nanosecond: 0 };
        let zone = named(zone);
        let instant = zone.first_instant(civil.seconds_in(year).unwrap());
        zone.rfc3339(i128::from(instant) * SECOND)
    };
    assert_eq!(first("America/Sao_Paulo", 2018, 11, 4), "2018-11-04T01:00:00-02:00");
    assert_eq!(first("America/Havana", 2026, 11, 1), "2026-11-01T00:00:00-04:00");
    assert_eq!(first("Pacific/Apia", 2011, 12, 30), "2011-12-31T00:00:00+14:00");
    assert_eq!(first("Europe/Berlin", 2026, 3, 29), "2026-03-29T00:00:00+01:00");
}

#[test]
fn abbreviations_count_in_their_own_zone() {
    let berlin = named("Europe/Berlin");
    let (summer, winter) = (1_782_864_000, 1_795_397_547);
    assert_eq!((berlin.abbreviated("CEST", summer), berlin.abbreviated("CET", winter)), (Some(7200), Some(3600)));
    assert_eq!((berlin.abbreviated("CEST", winter), berlin.abbreviated("EST", winter)), (Some(7200), None));
    assert_eq!(Zone::utc().abbreviated("CET", winter), None);
}

#[test]
fn instants_are_printed_as_rfc_3339_has_them() {
    let at = |zone: &str, nanoseconds| named(zone).rfc3339(1_795_397_547 * SECOND + nanoseconds);
    assert_eq!(at("UTC", 0), "2026-11-23T01:32:27Z");
    assert_eq!(at("Europe/Berlin", 123_000_000), "2026-11-23T02:32:27.123+01:00");
    assert_eq!(at("-03:30", 123_400_000), "2026-11-22T22:02:27.123400-03:30");
    assert_eq!(at("+00:00", 1), "2026-11-23T01:32:27.000000001Z");
    assert_eq!(Zone::utc().rfc3339(-1), "1969-12-31T23:59:59.999999999Z");
    assert!(named("Europe/Berlin").rfc3339(i128::MAX).starts_with("9999-12-31T"));
    assert!(named("Europe/Berlin").rfc3339(i128::MIN).starts_with("0000-01-01T"));
    assert_eq!(named("Europe/Berlin").rfc3339(-4_000_000_000 * SECOND), "1843-03-31T16:53:20Z");
}
