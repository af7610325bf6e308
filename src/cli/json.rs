//! The lines of a log as JSON, one object a line: `{"log":"app.log","line":"…"}`. It prints nothing.
//!
//! The objects are not written by serde_json for two reasons: a line of any length must be written in bounded memory, before its
//! end is known; and characters that a terminal would obey are escaped, too.

use memchr::memchr;
use wstail::text::sanitize::is_invisible;
use wstail::text::utf8::Decoder;

/// How much of an unfinished line is held, in bytes of its object, before the object is started.
const LONGEST_HELD: usize = 1 << 20;
/// What ends an object.
pub(super) const END: &[u8] = b"\"}\n";

/// Turns one log's bytes, which may arrive in any pieces, into objects. Invalid UTF-8 becomes U+FFFD, and a CR before the
/// newline does not belong to the line. Every line is one object, however long it is, in bounded memory.
pub(super) struct JsonLines {
    /// The beginning of every object, up to the line.
    head: Vec<u8>,
    decoder: Decoder,
    /// A buffer for decoding.
    decoded: String,
    /// The inside of the unfinished line's string, as far as it has not been returned.
    unfinished: Vec<u8>,
    /// Whether a CR follows, which counts only if the line continues after it.
    has_cr: bool,
    /// The number of log bytes in the unfinished line.
    held: usize,
    /// Whether the beginning of the unfinished line's object has been returned.
    is_open: bool,
}

impl JsonLines {
    /// `log` is the name of the log in each object.
    pub(super) fn new(log: &str) -> JsonLines {
        let mut head = b"{\"log\":".to_vec();
        write_string(&mut head, log);
        head.extend_from_slice(b",\"line\":\"");
        let decoder = Decoder::default();
        let (decoded, unfinished) = (String::new(), Vec::new());
        JsonLines { head, decoder, decoded, unfinished, has_cr: false, held: 0, is_open: false }
    }

    /// What an object begins with; [`END`] ends it.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// Appends to `out` an object for every line that ends in `bytes`, and as much of a long unfinished one as came.
    pub(super) fn push(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while let Some(end) = memchr(b'\n', bytes) {
            self.hold(&bytes[..end]);
            self.emit(out);
            bytes = &bytes[end + 1..];
        }
        self.hold(bytes);
        if self.is_open || self.unfinished.len() > LONGEST_HELD {
            self.begin(out);
        }
    }

    /// Ends the log: a last line without a newline counts, unless it is empty.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if self.held > 0 {
            self.emit(out);
        }
    }

    /// How many pushed bytes are not part of a complete object yet.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Whether an object was started and not ended.
    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    fn hold(&mut self, bytes: &[u8]) {
        let mut text = std::mem::take(&mut self.decoded);
        self.decoder.decode(bytes, &mut text);
        self.hold_text(&text);
        self.held += bytes.len();
        text.clear();
        self.decoded = text;
    }

    fn hold_text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if std::mem::take(&mut self.has_cr) {
            write_escaped(&mut self.unfinished, "\r");
        }
        let line = text.strip_suffix('\r');
        self.has_cr = line.is_some();
        write_escaped(&mut self.unfinished, line.unwrap_or(text));
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if !self.is_open {
            out.extend_from_slice(&self.head);
        }
        self.is_open = true;
        out.append(&mut self.unfinished);
    }

    fn emit(&mut self, out: &mut Vec<u8>) {
        let mut text = String::new();
        self.decoder.finish(&mut text);
        self.hold_text(&text);
        self.begin(out);
        out.extend_from_slice(END);
        (self.has_cr, self.held, self.is_open) = (false, 0, false);
    }
}

/// A JSON string. Characters that a terminal would obey or not show are escaped as well.
pub(super) fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    write_escaped(out, text);
    out.push(b'"');
}

/// The inside of a JSON string.
fn write_escaped(out: &mut Vec<u8>, text: &str) {
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    let (mut start, mut at) = (0, 0);
    while let Some(plain) = text.as_bytes()[at..].iter().position(|byte| !is_plain(byte)) {
        at += plain;
        let character = text[at..].chars().next().expect("it is within the text");
        let escape = match character {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\t' => "\\t",
            '\n' => "\\n",
            '\r' => "\\r",
            _ if is_invisible(character) => "",
            _ => {
                at += character.len_utf8();
                continue;
            }
        };
        out.extend_from_slice(&text.as_bytes()[start..at]);
        at += character.len_utf8();
        start = at;
        out.extend_from_slice(escape.as_bytes());
        if escape.is_empty() {
            for unit in character.encode_utf16(&mut [0; 2]) {
                out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
            }
        }
    }
    out.extend_from_slice(&text.as_bytes()[start..]);
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// The objects as they are printed, and the lines that a reader gets from them.
    fn objects(pieces: &[&[u8]]) -> (String, Vec<String>) {
        let (mut json, mut out) = (JsonLines::new("app.log"), Vec::new());
        pieces.iter().for_each(|piece| json.push(piece, &mut out));
        json.finish(&mut out);
        assert_eq!(json.held(), 0);
        let out = String::from_utf8(out).unwrap();
        let lines = out.lines().map(|object| {
            let object: Value = serde_json::from_str(object).unwrap();
            assert_eq!((object["log"].as_str(), object.as_object().unwrap().len()), (Some("app.log"), 2));
            object["line"].as_str().unwrap().to_owned()
        });
        let lines = lines.collect();
        (out, lines)
    }

    fn lines(pieces: &[&[u8]]) -> Vec<String> {
        objects(pieces).1
    }

    #[test]
    fn a_line_is_an_object() {
        let (out, _) = objects(&["你好 \"a\" \\ \t\r\n\nlast".as_bytes()]);
        let expected = [
            r#"{"log":"app.log","line":"你好 \"a\" \\ \t"}"#,
            r#"{"log":"app.log","line":""}"#,
            r#"{"log":"app.log","line":"last"}"#,
        ];
        assert_eq!(out, expected.map(|object| format!("{object}\n")).concat());
    }

    #[test]
    fn a_log_may_have_any_name() {
        let mut out = Vec::new();
        JsonLines::new("a\"b\\\n水.log").push(b"x\n", &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "{\"log\":\"a\\\"b\\\\\\n水.log\",\"line\":\"x\"}\n");
    }

    #[test]
    fn nothing_is_no_line() {
        assert!(lines(&[]).is_empty() && lines(&[b"", b""]).is_empty());
        assert_eq!(lines(&[b"a\n", b""]), ["a"]);
    }

    #[test]
    fn held_is_what_is_in_no_object_yet() {
        let (mut json, mut out) = (JsonLines::new("app.log"), Vec::new());
        for (piece, held) in [(&b"ab"[..], 2), (b"\xe6\xb0", 4), (b"\xb4\nc\r", 2), (b"\n", 0)] {
            json.push(piece, &mut out);
            assert_eq!(json.held(), held, "{piece:?}");
        }
    }

    #[test]
    fn any_split_gives_the_lossy_lines_of_the_whole() {
        let log = b"a\xe6\xb0\xb4\n\xff\xfe\n\xe6\xb0\n\xb4\r\n\xf0\x9f\xa6\x80\0\x1b[0m\n\xed\xa0\x80\n\n\xf0\x9f";
        let lines_of = |log: &[u8]| -> Vec<String> {
            let line = |line: &[u8]| String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned();
            log.split(|&byte| byte == b'\n').map(line).collect()
        };
        let expected = lines_of(log);
        for middle in 0..=log.len() {
            let (left, right) = log.split_at(middle);
            assert_eq!(lines(&[left, right]), expected, "at {middle}");
        }
        assert_eq!(lines(&log.chunks(1).collect::<Vec<_>>()), expected);
    }

    #[test]
    fn only_the_cr_before_the_newline_is_no_part_of_the_line() {
        assert_eq!(lines(&[b"a\r\nb\r\r\nc\rd\n\r\ne\r"]), ["a", "b\r", "c\rd", "", "e"]);
        assert_eq!(lines(&[b"a\r", b"\nb\r", b"c\r", b"\xe6", b"\n"]), ["a", "b\rc\r\u{fffd}"]);
    }

    #[test]
    fn what_a_terminal_obeys_or_hides_is_escaped() {
        let text = "\u{1}\u{1b}\u{7f}\u{9b}\u{ad}\u{200d}\u{202e}\u{2066}\u{feff}\u{e0041}é你🦀";
        let (out, lines) = objects(&[text.as_bytes(), b"\n"]);
        let escaped = "\\u0001\\u001b\\u007f\\u009b\\u00ad\\u200d\\u202e\\u2066\\ufeff\\udb40\\udc41é你🦀";
        assert_eq!((out, lines), (format!("{{\"log\":\"app.log\",\"line\":\"{escaped}\"}}\n"), vec![text.to_owned()]));
    }

    #[test]
    fn a_line_of_any_length_is_one_object_in_bounded_memory() {
        let (mut json, mut out, mut length) = (JsonLines::new("app.log"), Vec::new(), 0);
        let (piece, mut most) = ("水\u{9b}-".repeat(20_000), 0);
        for chunk in piece.as_bytes().repeat(20).chunks(99_991) {
            json.push(chunk, &mut out);
            length += chunk.len();
            assert_eq!(json.held(), length);
            assert_eq!(json.is_open(), !out.is_empty());
            most = most.max(json.unfinished.capacity());
        }
        assert!(json.is_open() && most < 4 * LONGEST_HELD, "{most}");
        json.push(b"\r\nnext\n", &mut out);
        assert!(!json.is_open() && json.held() == 0);
        let out = String::from_utf8(out).unwrap();
        let mut lines = out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["line"].clone());
        assert!(lines.next().unwrap() == piece.repeat(20));
        assert_eq!((lines.next().unwrap().as_str(), lines.next()), (Some("next"), None));
    }
}
