use std::time::{Duration, Instant};

use super::*;
use crate::protocol::criteria::Case;

fn criteria(grep: &[&str]) -> Criteria {
    Criteria { grep: grep.iter().map(|&pattern| pattern.to_owned()).collect(), ..Criteria::default() }
}

fn finds_all(criteria: &Criteria, lines: &[&[u8]]) -> Vec<bool> {
    let filter = Filter::new(criteria).unwrap();
    let searcher = filter.grep_searcher(b"");
    let mut memories = Memories::default();
    let mut finds = |line: &&[u8]| {
        let found = filter.is_found(Line::new(line), &mut memories);
        let may_match = searcher.as_ref().is_none_or(|searcher| searcher.find(line, 0..line.len()).is_some());
        assert!(may_match || !found, "{criteria:?} finds {line:x?}, its words do not");
        found
    };
    lines.iter().map(&mut finds).collect()
}

fn finds(pattern: &str, line: &[u8]) -> bool {
    finds_all(&criteria(&[pattern]), &[line])[0]
}

fn error(grep: &[&str]) -> String {
    let start = Instant::now();
    let error = Filter::new(&criteria(grep)).expect_err(&format!("{grep:?}")).to_string();
    assert!(start.elapsed() < Duration::from_millis(if cfg!(debug_assertions) { 2000 } else { 50 }), "{grep:?}");
    error
}

#[test]
fn a_text_is_found_as_it_is() {
    assert!(finds("to be", b"or not to be\n"));
    assert!(finds("é\0", "x é\0".as_bytes()));
    let fixed = Criteria { fixed: true, ..criteria(&["a.b\\"]) };
    assert_eq!(finds_all(&fixed, &[b"a.b\\", b"axb\\", b"A.B\\"]), [true, false, true]);
}

#[test]
fn several_patterns_are_any_or_all() {
    let lines: [&[u8]; 4] = [b"a", b"b", b"a b", b"c"];
    let mut both = criteria(&["a", "b"]);
    assert_eq!(finds_all(&both, &lines), [true, true, true, false]);
    both.match_all = true;
    assert_eq!(finds_all(&both, &lines), [false, false, true, false]);
}

#[test]
fn a_pattern_without_capitals_ignores_case() {
    for (pattern, line, found) in [
        ("error", "ERROR", true),
        ("Error", "ERROR", false),
        ("ошибка", "ОШИБКА", true),
        ("Ошибка", "ошибка", false),
        ("é", "É", true),
        ("É", "é", false),
        ("ё", "Ё", true),
        ("ß", "ẞ", true),
        ("ß", "SS", false),
        ("k", "\u{212a}", false),
    ] {
        assert_eq!(finds(pattern, line.as_bytes()), found, "{pattern} {line}");
    }
    let ignored = Criteria { case: Case::Ignored, ..criteria(&["ÄRGER Now"]) };
    assert_eq!(finds_all(&ignored, &["ärger now".as_bytes()]), [true]);
    let sensitive = Criteria { case: Case::Sensitive, ..criteria(&["error"]) };
    assert_eq!(finds_all(&sensitive, &[b"Error", b"error"]), [false, true]);
    // A backslash in a text shields nothing.
    let fixed = Criteria { fixed: true, ..criteria(&["\\S"]) };
    assert_eq!(finds_all(&fixed, &[b"\\s", b"\\S"]), [false, true]);
}

#[test]
fn a_pattern_out_of_bounds_is_refused() {
    assert_eq!(error(&[""]), "the pattern of the parameter `grep` cannot be used: it is empty");
    assert_eq!(
        error(&["a", &"x".repeat(1025)]),
        "pattern 2 of the parameter `grep` cannot be used: it has more than 1024 bytes at character 1025"
    );
    assert!(error(&["x"; 17]).contains("more than 16"));
    assert!(Filter::new(&criteria(&[&"x".repeat(1024)])).is_ok());
}

#[test]
fn a_pattern_that_needs_a_newline_is_refused() {
    let refused = "the pattern of the parameter `grep` cannot be used: no line contains the newline";
    assert_eq!(error(&["a\nb"]), format!("{refused} at character 2"));
    assert_eq!(error(&["é\n"]), format!("{refused} at character 2"));
    let fixed = Criteria { fixed: true, ..criteria(&["a.\n"]) };
    assert_eq!(Filter::new(&fixed).unwrap_err().to_string(), format!("{refused} at character 3"));
    // These are a backslash and a letter.
    let fixed = Criteria { fixed: true, ..criteria(&["a\\n"]) };
    assert_eq!(finds_all(&fixed, &[b"a\\n"]), [true]);
}

#[test]
fn context_is_read() {
    let lines = |before, after| Ok(Context::Lines { before, after });
    let read = |text: &str| text.parse::<Context>();
    assert_eq!([read("0"), read("2"), read("3,1000")], [lines(0, 0), lines(2, 2), lines(3, 1000)]);
    assert_eq!(read("entry"), Ok(Context::Entry));
    for bad in ["", "1001", "-1", "+1", "1,", ",1", "1,2,3", "all"] {
        assert!(read(bad).is_err(), "{bad}");
    }
}

#[cfg(not(feature = "regex"))]
#[test]
fn an_expression_needs_the_feature() {
    let expected = "the pattern of the parameter `grep` cannot be used: built without regular expressions: use fixed=1";
    for pattern in ["a.b", "a|b", "^a", "\\w"] {
        assert_eq!(error(&[pattern]), expected);
    }
}

#[cfg(feature = "regex")]
mod expressions {
    use super::*;

    #[test]
    fn an_expression_that_needs_a_newline_is_refused() {
        let refused = "the pattern of the parameter `grep` cannot be used: no line contains the newline";
        for pattern in [r"a\n", r".\nb+", r"(\n|x\n)+y", r"\n{2,}", r"[\n]", "a.\nb", "(?i)A\nB"] {
            assert!(error(&[pattern]).starts_with(refused), "{pattern:?}");
        }
        assert_eq!(error(&[r"a.\n"]), format!("{refused} at character 3"));
        assert_eq!(error(&[r"a\x0a"]), refused);
        for pattern in [r"a\n*", r"a(\n|b)", r"a[\nb]", r"a[^\n]", r"a\s", "(?x) a\n b"] {
            assert!(finds(pattern, b"ab ab\n") || pattern == r"a\s" && finds(pattern, b"a b"), "{pattern:?}");
        }
    }

    #[test]
    fn a_dot_is_a_character_or_a_byte_that_is_not_utf_8() {
        for (pattern, line, found) in [
            ("a.b", "a你b".as_bytes(), true),
            ("^.$", "é".as_bytes(), true),
            ("^..$", "é".as_bytes(), false),
            ("^..$", b"\xc3\xa9\xff", true),
            ("^...$", b"\xc3\xa9\xff", false),
            ("^..$", b"\xe6\xb0", true),
            ("^.$", b"\xe6\xb0", false),
            ("a.b", b"a\xffb", true),
            ("a.b", b"a\rb", false),
            ("(?s)a.b", b"a\rb", false),
            ("a.b", b"a\0b", true),
            ("名.", "名水".as_bytes(), true),
            ("[é你]", "你".as_bytes(), true),
            ("^[^x]$", "水".as_bytes(), true),
            ("^[^x]$", b"\xff", true),
            ("^[^x]$", b"x", false),
            (r"^\S+$", b"f\xf6\xf6", true),
            (r"^\W$", "é".as_bytes(), true),
            (r"^\w$", "é".as_bytes(), false),
            (r"^[\wé]+$", "aé_".as_bytes(), true),
            (r"^[^\w]$", b"\x80", true),
            (r"^[a-z&&[^m]]+$", b"lmn", false),
            (r"^[a-z--m]+$", b"ln", true),
            (r"^.$", "\u{10ffff}".as_bytes(), true),
        ] {
            assert_eq!(finds(pattern, line), found, "{pattern} {line:x?}");
        }
    }

    #[test]
    fn a_byte_is_found_wherever_it_is() {
        for (pattern, line, found) in [
            (r"\xFF", &b"a\xff"[..], true),
            (r"\xFF", "ÿ".as_bytes(), false),
            (r"\x{FF}", "ÿ".as_bytes(), true),
            (r"\xC3\xA9", "é".as_bytes(), true),
            (r"\xE6\xB0", b"\xe6\xb0\xff", true),
            (r"^a\xE6b$", b"a\xe6b", true),
            (r"[\x80-\xFF]", "水".as_bytes(), true),
            (r"[\x80-\xFF]", b"water", false),
            (r"^[\x00-\xFF]+$", b"a\xc3\xa9\xff", true),
            (r"^[^\x00-\x7F]+$", b"\xc3\xa9\xff", true),
            (r"\xA6", b"\xe6", false),
            (r"[\xA0-\xAF]x", b"\xe6\xa6x", true),
            (r"^[\xE6-\xFF]{2}$", b"\xe6\xff", true),
            (r"(?-u:\xFF)\x41", b"\xffA", true),
        ] {
            assert_eq!(finds(pattern, line), found, "{pattern} {line:x?}");
        }
    }

    #[test]
    fn no_match_is_beyond_the_end_of_a_line() {
        for (pattern, line, found) in [
            ("x$", &b"x\r\n"[..], true),
            ("x$", b"x\r", true),
            ("x$", b"x\ry", false),
            ("(?mR)x$", b"x\ry", false),
            ("(?m)^y", b"x\ry", false),
            (r"x\r", b"x\r\n", false),
            (r"\s+$", b"x \r\n", true),
            (r"\s$", b"x\r\n", false),
            (r"x[^y]", b"x\r\n", false),
            (r"x\W", b"x\n", false),
            (r"x\n?$", b"x\n", true),
            (r"x|x\n", b"x\n", true),
            (r"^$", b"\r\n", true),
            (r"\A\z", b"\n", true),
            (r"\bx\b", "éxé".as_bytes(), true),
        ] {
            assert_eq!(finds(pattern, line), found, "{pattern} {line:x?}");
        }
    }

    #[test]
    fn the_cut_of_a_long_line_is_not_its_end() {
        use crate::select::line::JUDGED_HEAD;
        let long = [vec![b'x'; JUDGED_HEAD], b"y\n".to_vec()].concat();
        assert!(!finds(r"x$", &long));
        assert!(!finds(r"x\b", &long));
        assert!(!finds("y", &long));
        let exact = [vec![b'x'; JUDGED_HEAD], b"\r\n".to_vec()].concat();
        assert!(finds(r"x\b$", &exact));
        let invalid = [b"\xff".to_vec(), vec![b'x'; JUDGED_HEAD]].concat();
        assert!(finds("^.x", &invalid) && !finds("^.x+$", &invalid) && !finds(r"^.x+\b", &invalid));
    }

    #[test]
    fn letters_of_escapes_names_and_flags_are_no_capitals() {
        for (pattern, line, found) in [
            (r"\S+error", "XERROR", true),
            (r"(?P<Name>error)", "ERROR", true),
            (r"\xFF?error", "ERROR", true),
            (r"[[:upper:]]rror", "eRROR", true),
            ("[A-Z]rror", "eRROR", false),
            ("(?i)Error.", "eRROR!", true),
            ("(?i:E)rror.", "error!", true),
            ("(?i:E)rror.", "eRROR!", false),
            ("x(?:a(?i)b|c)D|e.", "xCD", true),
            ("x(?:A(?i)b|c)d|e.", "xCd", true),
            ("x(?:A(?i)b|c)d|e.", "xCD", false),
            ("(?-i)error.", "ERROR.", false),
            ("ошибк.", "ОШИБКА", true),
            ("[а-я]{6}", "ОШИБКА", true),
            ("[^а]$", "А", false),
            (".ς", "-Σ", true),
        ] {
            assert_eq!(finds(pattern, line.as_bytes()), found, "{pattern} {line}");
        }
    }

    #[test]
    fn an_error_names_the_place() {
        let of = |pattern: &str| error(&[pattern]).replace("the pattern of the parameter `grep` cannot be used: ", "");
        assert_eq!(of("é(b"), "unclosed group at character 2");
        assert_eq!(of("a{2"), "unclosed counted repetition at character 2");
        assert!(of("*").ends_with("at character 1"));
        assert_eq!(of(r"x\pL"), "classes of Unicode are not built in at character 2");
        assert_eq!(of(r"[\p{Greek}]"), "classes of Unicode are not built in at character 2");
        for bad in ["(?=a)", "(?<!a)", r"(a)\1", "[z-a]", "a)", "[a", r"\xZZ", "(?q)", "a{2,1}"] {
            assert!(of(bad).contains("at character"), "{bad}");
        }
    }

    #[test]
    fn huge_expressions_are_refused_at_once() {
        assert!(error(&["(?:a{1000}){1000}"]).contains("1 MiB"));
        assert!(error(&["(?:(?:[^a]{100}){100}){100}"]).contains("1 MiB"));
        assert!(error(&[&"(".repeat(1024)]).contains("at character"));
        assert!(error(&[&("(".repeat(500) + &")".repeat(500))]).contains("nest"));
        assert!(error(&[&("[".repeat(500) + &"]".repeat(500))]).contains("at character"));
        assert!(error(&["[^x]{600}"; 16]).contains("1 MiB"));
        // As long as they may be, and quickly read.
        let start = Instant::now();
        for pattern in ["(?i)[^\\x00-\\x{10FFFF}а-я]".repeat(37), "(?:){9}".repeat(140), ".?".repeat(512)] {
            let _ = Filter::new(&criteria(&[&pattern]));
        }
        assert!(start.elapsed() < Duration::from_secs(2));
    }
}
