//! The lines of a log as JSON, one object a line: `{"log":"app.log","line":"…"}`. It prints nothing.

use std::str;

use memchr::memchr;

/// A longer line comes in pieces of at most this size, in bytes of the log.
const LONGEST_LINE: usize = 1 << 20;

/// Makes objects of one log's bytes, in whatever pieces they come. What is no UTF-8 becomes U+FFFD.
pub(super) struct JsonLines {
    /// Every object's beginning, up to the line.
    head: Vec<u8>,
    /// The beginning of a line whose end has not come; no newline in it.
    unfinished: Vec<u8>,
}

impl JsonLines {
    /// `log`: what each object names as its log.
    pub(super) fn new(log: &str) -> JsonLines {
        let mut head = b"{\"log\":".to_vec();
        write_string(&mut head, log);
        head.extend_from_slice(b",\"line\":");
        JsonLines { head, unfinished: Vec::new() }
    }

    /// Appends to `out` an object for every line that ends in `bytes`.
    pub(super) fn push(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while let Some(end) = memchr(b'\n', bytes) {
            self.hold(&bytes[..end], out);
            self.emit(out);
            bytes = &bytes[end + 1..];
        }
        self.hold(bytes, out);
    }

    /// Nothing more will come: a last line without newline is one too, unless it is empty.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if !self.unfinished.is_empty() {
            self.emit(out);
        }
    }

    /// How many bytes of the log were pushed and are in no object yet.
    pub(super) fn held(&self) -> usize {
        self.unfinished.len()
    }

    /// Adds to the unfinished line; of one that is too long only the last piece is held.
    fn hold(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.unfinished.extend_from_slice(bytes);
        let mut rest = &self.unfinished[..];
        while rest.len() > LONGEST_LINE {
            let (piece, after) = rest.split_at(boundary(&rest[..LONGEST_LINE]));
            write_object(out, &self.head, piece);
            rest = after;
        }
        let emitted = self.unfinished.len() - rest.len();
        self.unfinished.drain(..emitted);
    }

    fn emit(&mut self, out: &mut Vec<u8>) {
        write_object(out, &self.head, &self.unfinished);
        self.unfinished.clear();
    }
}

/// Where the bytes may be cut: before a character whose rest is still to come, else at their end.
fn boundary(bytes: &[u8]) -> usize {
    let is_begun = |start: &usize| {
        str::from_utf8(&bytes[*start..]).is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    };
    let end = bytes.len();
    (end.saturating_sub(3)..end).find(is_begun).unwrap_or(end)
}

fn write_object(out: &mut Vec<u8>, head: &[u8], line: &[u8]) {
    out.extend_from_slice(head);
    write_string(out, &String::from_utf8_lossy(line));
    out.extend_from_slice(b"}\n");
}

fn write_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a vector takes all");
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
            r#"{"log":"app.log","line":"你好 \"a\" \\ \t\r"}"#,
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
        let expected: Vec<_> = log.split(|&byte| byte == b'\n').map(String::from_utf8_lossy).collect();
        for middle in 0..=log.len() {
            let (left, right) = log.split_at(middle);
            assert_eq!(lines(&[left, right]), expected, "at {middle}");
        }
        assert_eq!(lines(&log.chunks(1).collect::<Vec<_>>()), expected);
    }

    #[test]
    fn a_line_over_1_mib_comes_in_pieces() {
        for (length, pieces) in [(0, 1), (1, 2), (LONGEST_LINE, 2), (LONGEST_LINE + 1, 3)] {
            let mut line = vec![b'-'; LONGEST_LINE + length];
            line.push(b'\n');
            let lines = lines(&[&line]);
            assert!(lines.iter().all(|line| line.len() <= LONGEST_LINE));
            assert_eq!((lines.len(), lines.concat().len()), (pieces, LONGEST_LINE + length));
        }
    }

    #[test]
    fn a_cut_changes_no_character() {
        let hard: [&[u8]; 6] = [
            "🦀水ß".as_bytes(),
            b"\xf0\x9f\xa6",
            b"\xe6\xe6\xb0\xb4\xff",
            b"\xb4\xb4",
            b"\xed\xa0\x80",
            b"\xc0\xaf\xc3-",
        ];
        for bytes in hard.map(|bytes| bytes.repeat(5)) {
            for end in 0..=bytes.len() {
                let (piece, rest) = bytes.split_at(boundary(&bytes[..end]));
                let joined = [piece, rest].map(String::from_utf8_lossy).concat();
                assert_eq!(joined, String::from_utf8_lossy(&bytes), "{bytes:x?} at {end}");
                assert!(end - piece.len() <= 3, "{bytes:x?} at {end}");
            }
        }
    }

    #[test]
    fn a_long_line_is_cut_at_the_same_places_however_it_comes() {
        let line = format!("-{}", "水".repeat(LONGEST_LINE / 3 + 1));
        let whole = lines(&[line.as_bytes(), b"\n"]);
        assert!(whole.len() == 2 && whole.concat() == line);
        assert!(whole == lines(&line.as_bytes().chunks(300_007).collect::<Vec<_>>()));
    }

    #[test]
    fn no_more_than_1_mib_is_held() {
        let (mut json, mut out) = (JsonLines::new("app.log"), Vec::new());
        let mut given = 0;
        for _ in 0..50 {
            json.push(&[b'-'; 100_000], &mut out);
            given += 100_000;
            assert!(json.held() <= LONGEST_LINE);
        }
        let emitted = out.iter().filter(|&&byte| byte == b'-').count();
        assert_eq!(emitted + json.held(), given);
    }
}
