//! Cuts a log into the messages of a plain stream: whole lines where possible, never half a character, never too large, and
//! never just `ping`, which would be taken for a heartbeat. It reads no clock, the caller passes the time; and it sends
//! nothing.

use std::time::{Duration, Instant};

use memchr::memrchr;

use super::html::Html;
use super::utf8::Decoder;
use crate::protocol::{MAX_MESSAGE, PING};

/// How long a line may stay unfinished before its beginning is sent.
pub const UNFINISHED: Duration = Duration::from_millis(200);

/// How long a line may stay unfinished while its writer keeps adding to it.
pub const DRIPPED: Duration = Duration::from_secs(1);

/// The text between the file and the messages.
#[derive(Debug)]
pub struct LineBuffer {
    decoder: Decoder,
    html: Option<Html>,
    text: String,
    /// Whether the file has more bytes ready, so that a message may wait to be filled.
    more: bool,
    /// Nothing was sent yet. The first message is not split for the sake of its last line.
    first: bool,
    finished: bool,
    /// When the line that is unfinished was begun and last added to.
    unfinished: Option<(Instant, Instant)>,
    /// The other half of a message that would have read `ping`.
    half: Option<String>,
}

impl LineBuffer {
    /// `backfill`: there is a first message even when the log is empty.
    pub fn new(html: Option<Html>, backfill: bool) -> LineBuffer {
        LineBuffer {
            decoder: Decoder::default(),
            html,
            text: String::new(),
            more: true,
            first: backfill,
            finished: false,
            unfinished: None,
            half: None,
        }
    }

    /// There is no first message.
    pub fn skip_first(&mut self) {
        self.first = false;
    }

    /// Adds what was read; `more` when the file is known to hold more.
    pub fn push(&mut self, bytes: &[u8], more: bool, now: Instant) {
        self.decoder.decode(bytes, &mut self.text);
        self.more = more;
        self.note_unfinished(bytes, now);
    }

    /// What is added next does not follow what was added before: colours begin anew.
    pub fn break_off(&mut self) {
        const RESET: &[u8] = b"\x1b[0m";
        if self.html.is_some() {
            self.decoder.decode(RESET, &mut self.text);
        }
    }

    /// Ends the text: everything can be sent.
    pub fn finish(&mut self) {
        self.decoder.finish(&mut self.text);
        (self.more, self.finished) = (false, true);
    }

    /// The next message to send now.
    pub fn next(&mut self, now: Instant) -> Option<String> {
        if self.half.is_some() {
            return self.half.take();
        }
        loop {
            let message = self.take(now)?;
            let was_first = std::mem::take(&mut self.first);
            if message == PING {
                let (left, right) = PING.split_at(2);
                self.half = Some(right.to_owned());
                return Some(left.to_owned());
            }
            if was_first || !message.is_empty() {
                return Some(message);
            }
        }
    }

    /// When an unfinished line will be sent even if nothing more is read.
    pub fn due(&self) -> Option<Instant> {
        let (begun, added) = self.unfinished.filter(|_| !self.text.is_empty())?;
        Some(if self.first { begun + UNFINISHED } else { (added + UNFINISHED).min(begun + DRIPPED) })
    }

    fn take(&mut self, now: Instant) -> Option<String> {
        let end = self.end(now)?;
        let (rendered, used) = match &mut self.html {
            Some(html) => html.render(&self.text[..end], MAX_MESSAGE),
            None => (String::new(), end),
        };
        let rest = self.text.split_off(used);
        let plain = std::mem::replace(&mut self.text, rest);
        if self.text.is_empty() {
            self.unfinished = None;
        }
        Some(if self.html.is_some() { rendered } else { plain })
    }

    /// How much of the text makes the next message.
    fn end(&self, now: Instant) -> Option<usize> {
        let bytes = self.text.as_bytes();
        if bytes.len() > MAX_MESSAGE {
            let window = (0..=MAX_MESSAGE).rev().find(|&end| self.text.is_char_boundary(end));
            let window = window.expect("0 is a boundary");
            return Some(memrchr(b'\n', &bytes[..window]).map_or(window, |newline| newline + 1));
        }
        if self.more {
            return None;
        }
        if self.finished {
            return (self.first || !bytes.is_empty()).then_some(bytes.len());
        }
        let whole = memrchr(b'\n', bytes).map_or(0, |newline| newline + 1);
        let is_due = self.due().is_some_and(|due| due <= now);
        let is_silent = self.unfinished.is_some_and(|(_, added)| added + UNFINISHED <= now);
        match (is_due, self.first) {
            (true, true) if whole > 0 && !is_silent => Some(whole),
            (true, _) => Some(bytes.len()),
            (false, true) => (whole == bytes.len()).then_some(whole),
            (false, false) => (whole > 0).then_some(whole),
        }
    }

    fn note_unfinished(&mut self, bytes: &[u8], now: Instant) {
        if self.text.is_empty() || self.text.ends_with('\n') {
            self.unfinished = None;
        } else if !bytes.is_empty() {
            let begun = match self.unfinished {
                Some((begun, _)) if self.first || !bytes.contains(&b'\n') => begun,
                _ => now,
            };
            self.unfinished = Some((begun, now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(lines: &mut LineBuffer, now: Instant) -> Vec<String> {
        std::iter::from_fn(|| lines.next(now)).collect()
    }

    fn followed() -> (LineBuffer, Instant) {
        let (mut lines, now) = (LineBuffer::new(None, false), Instant::now());
        lines.push(b"", false, now);
        (lines, now)
    }

    #[test]
    fn what_one_read_found_is_one_message() {
        let (mut lines, now) = followed();
        lines.push(b"a\nb\nc", false, now);
        assert_eq!(drain(&mut lines, now), ["a\nb\n"]);
        lines.push(b"d\n", false, now);
        assert_eq!(drain(&mut lines, now), ["cd\n"]);
    }

    #[test]
    fn an_empty_log_gives_one_empty_message() {
        let now = Instant::now();
        let mut lines = LineBuffer::new(None, true);
        assert!(drain(&mut lines, now).is_empty());
        lines.push(b"", false, now);
        assert_eq!(drain(&mut lines, now), [""]);
        lines.push(b"", false, now);
        assert!(drain(&mut lines, now).is_empty());
    }

    #[test]
    fn the_first_message_holds_the_unfinished_line_too() {
        let now = Instant::now();
        let mut lines = LineBuffer::new(None, true);
        lines.push(b"a\nb", false, now);
        assert!(drain(&mut lines, now).is_empty());
        assert_eq!(drain(&mut lines, now + UNFINISHED), ["a\nb"]);
    }

    #[test]
    fn the_first_message_does_not_wait_for_a_writer_that_never_ends_on_a_line() {
        let (mut now, mut lines) = (Instant::now(), LineBuffer::new(None, true));
        let begun = now;
        let first = loop {
            lines.push(b"end\nbegin ", false, now);
            if let Some(first) = lines.next(now) {
                break first;
            }
            now += Duration::from_millis(50);
        };
        assert_eq!(now, begun + UNFINISHED);
        assert!(first.ends_with("begin end\n"), "{first}");
    }

    #[test]
    fn an_unfinished_line_of_html_comes_whole() {
        let now = Instant::now();
        let mut lines = LineBuffer::new(Some(Html::default()), true);
        let text = "<".repeat(100_000);
        lines.push(text.as_bytes(), false, now);
        let messages = drain(&mut lines, now + UNFINISHED);
        assert_eq!(messages.concat(), text.replace('<', "&lt;"));
    }

    #[test]
    fn an_unfinished_line_is_sent_after_200_ms_of_silence() {
        let (mut lines, now) = followed();
        lines.push(b"half", false, now);
        let later = now + Duration::from_millis(150);
        lines.push(b" of it", false, later);
        assert!(drain(&mut lines, now + UNFINISHED).is_empty());
        assert_eq!(lines.due(), Some(later + UNFINISHED));
        assert_eq!(drain(&mut lines, later + UNFINISHED), ["half of it"]);
        assert_eq!(lines.due(), None);
    }

    #[test]
    fn a_dripped_line_is_sent_after_a_second() {
        let (mut lines, mut now) = followed();
        let begun = now;
        while now < begun + DRIPPED {
            assert!(drain(&mut lines, now).is_empty());
            lines.push(b".", false, now);
            now += Duration::from_millis(100);
        }
        assert_eq!(drain(&mut lines, now), [".........."]);
    }

    #[test]
    fn half_a_character_is_never_sent() {
        let (mut lines, now) = followed();
        lines.push("水".as_bytes().split_at(2).0, false, now);
        assert!(drain(&mut lines, now + DRIPPED).is_empty());
        lines.push(b"\xb4\n", false, now + DRIPPED);
        assert_eq!(drain(&mut lines, now + DRIPPED), ["水\n"]);
    }

    #[test]
    fn no_message_is_too_large_and_no_line_that_fits_is_cut() {
        let (mut lines, now) = followed();
        let line = format!("{}\n", "水".repeat(30_000));
        let whole = line.repeat(7);
        lines.push(whole.as_bytes(), false, now);
        let messages = drain(&mut lines, now);
        assert!(messages.iter().all(|message| message.len() <= MAX_MESSAGE && message.ends_with('\n')));
        assert_eq!(messages.concat(), whole);
    }

    #[test]
    fn a_line_over_256_kib_goes_in_pieces() {
        let (mut lines, now) = followed();
        let whole = "水".repeat(200_000);
        lines.push(whole.as_bytes(), true, now);
        let mut messages = drain(&mut lines, now);
        lines.finish();
        messages.extend(drain(&mut lines, now));
        assert!(messages.iter().all(|message| message.len() <= MAX_MESSAGE));
        assert_eq!((messages.len(), messages.concat() == whole), (3, true));
    }

    #[test]
    fn no_message_is_exactly_ping() {
        let (mut lines, now) = followed();
        lines.push(b"ping", false, now);
        assert_eq!(drain(&mut lines, now + UNFINISHED), ["pi", "ng"]);
        lines.push(b"ping\n", false, now);
        assert_eq!(drain(&mut lines, now), ["ping\n"]);
        let mut html = LineBuffer::new(Some(Html::default()), true);
        html.push(b"\x1b[0mping", false, now);
        html.finish();
        assert_eq!(drain(&mut html, now), ["pi", "ng"]);
    }

    #[test]
    fn html_is_cut_by_the_size_of_its_markup() {
        let now = Instant::now();
        let mut lines = LineBuffer::new(Some(Html::default()), true);
        let text = format!("{}\n", "<".repeat(1000)).repeat(250);
        lines.push(text.as_bytes(), false, now);
        let messages = drain(&mut lines, now);
        assert!(messages.len() > 1 && messages.iter().all(|m| m.len() <= MAX_MESSAGE && m.ends_with('\n')));
        assert_eq!(messages.concat(), text.replace('<', "&lt;"));
    }
}
