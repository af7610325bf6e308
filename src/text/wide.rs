//! Detects UTF-16, in which some Windows programs write their logs, so that the user can be told. It decodes nothing: wstail
//! treats all text as UTF-8.

/// Examines the beginning of a stream of bytes.
#[derive(Clone, Debug, Default)]
pub struct WideText {
    seen: usize,
    /// The numbers of NULs at even and at odd offsets.
    nuls: [usize; 2],
}

/// The number of bytes to examine, and the number needed for a decision.
const LONGEST: usize = 64 * 1024;
const SHORTEST: usize = 16;

impl WideText {
    /// Whether the stream, with what comes now, looks like UTF-16: it begins with a byte order mark, or at least a third of
    /// its bytes are NULs, nearly all of them at odd places or nearly all at even ones. (Latin text has one in every second
    /// place; a run of NULs has as many in both.)
    pub fn push(&mut self, bytes: &[u8]) -> bool {
        if self.seen == 0 && (bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff")) {
            return true;
        }
        let bytes = &bytes[..bytes.len().min(LONGEST - self.seen.min(LONGEST))];
        for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == 0) {
            self.nuls[(self.seen + at) % 2] += 1;
        }
        self.seen += bytes.len();
        let [less, more] = [self.nuls[0].min(self.nuls[1]), self.nuls[0].max(self.nuls[1])];
        self.seen >= SHORTEST && more * 3 >= self.seen && less * 10 <= more && !bytes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_wide(text: &[u8]) -> bool {
        text.chunks(7)
            .fold((WideText::default(), false), |(mut wide, is), chunk| {
                let is = wide.push(chunk) || is;
                (wide, is)
            })
            .1
    }

    #[test]
    fn utf_16_is_told_from_runs_of_nuls() {
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        assert!(is_wide(&utf16("a line of Latin text\n")));
        assert!(is_wide(&utf16("\u{feff}你好\n")));
        assert!(is_wide(&[&[b'\n'][..], &utf16("the last lines of one, cut in the middle\n")].concat()));
        for text in [&[0; 1000][..], b"", b"\0", b"plain text, and a \0 in it\n", "你好".as_bytes()] {
            assert!(!is_wide(text), "{text:?}");
        }
    }
}
