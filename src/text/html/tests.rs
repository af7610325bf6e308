//! What becomes of text and of escape sequences in HTML.

use super::*;

fn render(pieces: &[&str]) -> String {
    let mut html = Html::default();
    pieces.iter().map(|piece| html.render(piece, 1 << 20).0).collect()
}

#[test]
fn text_is_escaped() {
    assert_eq!(render(&["<a href=\"x\">&'\n"]), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;\n");
}

#[test]
fn colour_is_carried_and_every_message_balanced() {
    assert_eq!(
        render(&["\x1b[31mred", "still\x1b[0m plain"]),
        "<span style=\"color:#cd0000;\">red</span><span style=\"color:#cd0000;\">still</span> plain"
    );
}

#[test]
fn an_escape_may_be_split_anywhere() {
    let whole = "a\x1b[1;38;5;196mb\x1b]8;;http://x\x1b\\c\x1b[0md\x1b(Be\x1bP1$r\x07f";
    let text = |html: &str| html.replace("</span>", "").split(['<', '>']).step_by(2).collect::<String>();
    assert_eq!(text(&render(&[whole])), "abcdef");
    for middle in 0..whole.len() {
        let (left, right) = whole.split_at(middle);
        assert_eq!(text(&render(&[left, right])), "abcdef", "at {middle}");
    }
}

#[test]
fn both_spellings_of_true_colour() {
    let expected = "<span style=\"color:#010203;\">x</span>";
    for sgr in ["38;2;1;2;3", "38:2:1:2:3", "38:2::1:2:3"] {
        assert_eq!(render(&[&format!("\x1b[{sgr}mx")]), expected, "{sgr}");
    }
}

#[test]
fn the_colour_of_an_underline_styles_no_text() {
    assert_eq!(render(&["\x1b[58;5;1mplain\x1b[58;2;31;7;9m too\x1b[58:5:1m"]), "plain too");
}

#[test]
fn other_escapes_are_dropped_and_none_outlives_its_line() {
    assert_eq!(render(&["\x1b[2Ja\x1b]0;title\x07b\u{9b}1mc\x08"]), "ab<span style=\"font-weight:bold;\">c</span>");
    assert_eq!(render(&["a\x1b]0;never ended\nb\n"]), "a\nb\n");
}

#[test]
fn a_line_that_fits_is_not_cut() {
    let mut html = Html::default();
    let text = format!("{}\n", "<".repeat(100)).repeat(3);
    let (out, used) = html.render(&text, 1000);
    assert_eq!((out.len(), used), (802, 202));
}

#[test]
fn spans_of_many_short_lines_count() {
    let mut html = Html::default();
    let (out, used) = html.render(&format!("\x1b[41m{}", "\n".repeat(1000)), 1000);
    assert!(out.len() <= 1000 && used < 100, "{} {used}", out.len());
}

#[test]
fn what_fits_exactly_is_not_cut() {
    let mut html = Html::default();
    let text = format!("{}\n", "z".repeat(999));
    assert_eq!(html.render(&text, 1000), (text.clone(), 1000));
}

#[test]
fn a_line_too_long_by_itself_is_cut_between_characters() {
    let mut html = Html::default();
    let line = format!("\x1b[31m{}", "<ü".repeat(1000));
    let (mut rest, mut seen) = (&line[..], 0);
    while !rest.is_empty() {
        let (out, used) = html.render(rest, 1000);
        assert!(out.len() <= 1000 && out.starts_with("<span") && out.ends_with("</span>"));
        seen += out.matches('ü').count();
        rest = &rest[used..];
    }
    assert_eq!(seen, 1000);
}
