//! Any bytes in any pieces: the text is the same however it was cut, and a terminal gets nothing to obey but colours.

#![no_main]

use std::time::Instant;

use libfuzzer_sys::fuzz_target;
use wstail::protocol::{MAX_MESSAGE, PING};
use wstail::text::html::Html;
use wstail::text::lines::LineBuffer;
use wstail::text::sanitize::Terminal;

fuzz_target!(|input: (Vec<u8>, Vec<u8>)| {
    let (lengths, bytes) = input;
    let pieces = cut(&lengths, &bytes);
    let plain = messages(None, &pieces);
    assert_eq!(plain.concat(), String::from_utf8_lossy(&bytes));
    for message in &plain {
        assert!(message.len() <= MAX_MESSAGE && message != PING);
    }
    let (html, whole) = (messages(Some(Html::default()), &pieces), messages(Some(Html::default()), &[&bytes]));
    assert_eq!(text_of(&html), text_of(&whole), "markup in pieces holds the same text");
    assert!(html.iter().all(|message| message.len() <= MAX_MESSAGE && message != PING));
    for color in [true, false] {
        let cleaned = clean(color, &plain);
        assert_eq!(cleaned, clean(color, &[plain.concat()]));
        assert!(is_harmless(&cleaned, color), "{cleaned:?}");
    }
});

/// The bytes in pieces of these lengths, what is left being the last.
fn cut<'b>(lengths: &[u8], mut bytes: &'b [u8]) -> Vec<&'b [u8]> {
    let mut pieces = Vec::new();
    for &length in lengths {
        let (piece, rest) = bytes.split_at(bytes.len().min(length.into()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces.push(bytes);
    pieces
}

fn messages(html: Option<Html>, pieces: &[&[u8]]) -> Vec<String> {
    let (mut lines, now, mut messages) = (LineBuffer::new(html, true), Instant::now(), Vec::new());
    for (number, piece) in pieces.iter().enumerate() {
        lines.push(piece, number % 2 == 0, now);
        messages.extend(std::iter::from_fn(|| lines.next(now)));
    }
    lines.finish();
    messages.extend(std::iter::from_fn(|| lines.next(now)));
    messages
}

/// The text between the tags; each message opens no more than it closes.
fn text_of(messages: &[String]) -> String {
    let mut text = String::new();
    for message in messages {
        let mut open = 0;
        let mut parts = message.split('<');
        text += parts.next().unwrap_or_default();
        for part in parts {
            let (tag, rest) = part.split_once('>').expect("a tag ends");
            open += if tag == "/span" { -1 } else { 1 };
            assert!(tag == "/span" || tag.starts_with("span style=\""), "{tag:?}");
            assert!(open >= 0);
            text += rest;
        }
        assert_eq!(open, 0, "{message:?}");
    }
    text
}

fn clean(color: bool, pieces: &[String]) -> String {
    let (mut terminal, mut out) = (Terminal::new(color), String::new());
    pieces.iter().for_each(|piece| terminal.clean(piece, &mut out));
    terminal.finish(&mut out);
    out
}

/// No control character but newline, tab and, where colours pass, whole SGR sequences.
fn is_harmless(text: &str, color: bool) -> bool {
    let mut parts = text.split('\x1b');
    let first = parts.next().unwrap_or_default();
    let is_plain = |text: &str| text.chars().all(|c| matches!(c, '\n' | '\t') || !c.is_control());
    let is_sgr = |part: &str| {
        let rest = part
            .strip_prefix('[')
            .map(|rest| rest.trim_start_matches(|c: char| ";:".contains(c) || c.is_ascii_digit()));
        color && rest.is_some_and(|rest| rest.starts_with('m') && is_plain(rest))
    };
    is_plain(first) && parts.all(is_sgr)
}
