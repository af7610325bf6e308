use super::*;

/// The level of a line whose time is `2026-11-23 01:32:27`, if it has one.
fn level(line: &str) -> Option<Level> {
    const TIME: &str = "2026-11-23 01:32:27";
    level_of(line.as_bytes(), line.find(TIME).map_or(0, |start| start + TIME.len()))
}

#[test]
fn a_word_that_stands_alone_is_the_level() {
    for (line, expected) in [
        ("2026-11-23 01:32:27 ERROR GET /info", Some(Level::Error)),
        ("2026-11-23 01:32:27 INFO an error occurred: error", Some(Level::Info)),
        ("2026-11-23 01:32:27.123 | WARNING  | mod:f:1 - x", Some(Level::Warn)),
        ("2026-11-23 01:32:27 [error] 12#12: *1 x", Some(Level::Error)),
        ("2026-11-23 01:32:27 [core:notice] [pid 1] x", Some(Level::Notice)),
        ("[2026-11-23 01:32:27] [ info ] x", Some(Level::Info)),
        ("2026-11-23 01:32:27 [1] postgres@db FATAL:  x", Some(Level::Fatal)),
        ("2026-11-23 01:32:27 error: x", Some(Level::Error)),
        ("2026-11-23 01:32:27 host app: debug | x", Some(Level::Debug)),
        ("2026-11-23 01:32:27 GET /info 200", None),
        ("2026-11-23 01:32:27 INFORMATIVE terror ERRORS", None),
        ("2026-11-23 01:32:27 an error (the worst error ever)", None),
        ("2026-11-23 01:32:27 éERROR", None),
        ("ERROR [2026-11-23 01:32:27] x", Some(Level::Error)),
        ("[WARN] 2026-11-23 01:32:27 ERROR", Some(Level::Warn)),
        ("Zigbee2MQTT:info  2026-11-23 01:32:27: MQTT publish", Some(Level::Info)),
        ("panic: runtime error: index out of range", Some(Level::Fatal)),
        ("\x1b[32m2026-11-23 01:32:27\x1b[0m \x1b[1;31mERROR\x1b[0m x", Some(Level::Error)),
        ("", None),
    ] {
        assert_eq!(level(line), expected, "{line}");
    }
    let far = |spaces| format!("2026-11-23 01:32:27{}ERROR", " ".repeat(spaces));
    assert_eq!((level(&far(251)), level(&far(252))), (Some(Level::Error), None));
}

#[test]
fn keys_hold_the_level() {
    for (line, expected) in [
        (r#"{"time":"x","level":50,"msg":"\"level\":10"}"#, Some(Level::Error)),
        (r#"{"msg":"\"level\":10 {","level":"warning"}"#, Some(Level::Warn)),
        (r#"{"inner":{"level":"error"},"lvl": "dbg"}"#, Some(Level::Debug)),
        (r#"{"list":["level"],"@l":"Fatal"}"#, Some(Level::Fatal)),
        (r#"{"log":{"level":"error"}}"#, Some(Level::Error)),
        (r#"{"log.level":"TRACE"}"#, Some(Level::Trace)),
        (r#"{"PRIORITY":"4"}"#, Some(Level::Warn)),
        (r#"{"level":7,"severity":"INFO"}"#, Some(Level::Info)),
        (r#"{"log":"2026-11-23 01:32:27 ERROR x\n","stream":"stdout"}"#, Some(Level::Error)),
        (r#"{"level"#, None),
        (r#"{"level":"#, None),
        (r#"{"level":"\"#, None),
        ("ts=1 level=error msg=INFO", Some(Level::Error)),
        ("ts=1 msg=\"x\" lvl=\"warn\"", Some(Level::Warn)),
        ("level=\x1b[31merror\x1b[0m msg=x", Some(Level::Error)),
        ("\x1b[36mlevel\x1b[0m=info", Some(Level::Info)),
        ("/path?level=error", None),
        ("loglevel=error", None),
        ("levelname=error", Some(Level::Error)),
        ("x log.level=error", Some(Level::Error)),
        ("xlevelname=error", None),
    ] {
        assert_eq!(level(line), expected, "{line}");
    }
}

#[test]
fn syslog_and_klog_begin_with_it() {
    for (line, expected) in [
        ("<11>Nov 23 01:32:27 host app: x", Some(Level::Error)),
        ("<0>x", Some(Level::Fatal)),
        ("<191>x", Some(Level::Debug)),
        ("<192>x", None),
        ("<>x", None),
        ("E1123 01:32:27.123 1 file.go:1] INFO", Some(Level::Error)),
        ("W1123", None),
        ("X1123 01:32:27", None),
    ] {
        assert_eq!(level(line), expected, "{line}");
    }
}

#[test]
fn the_page_finds_the_same_levels() {
    let table = include_str!("../../../tests/viewer/levels.tsv");
    let rows: Vec<_> = table.lines().map(|row| row.split_once('\t').unwrap()).collect();
    assert!(rows.len() > 30);
    for (expected, line) in rows {
        let found =
            level(&line.replace("\\e", "\x1b")).map_or(String::new(), |level| format!("{level:?}").to_lowercase());
        assert_eq!(found, expected, "{line}");
    }
}

#[test]
fn no_bytes_are_out_of_reach() {
    let mut state = 1_u64;
    let alphabet = b"{}[]\":,<>=E1123 \\\x1b[31m\xffERRORlevel|";
    for _ in 0..20_000 {
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as usize
        };
        let line: Vec<u8> = (0..random() % 24).map(|_| alphabet[random() % alphabet.len()]).collect();
        level_of(&line, random() % 30);
    }
}
