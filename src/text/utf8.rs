//! Decodes UTF-8 that arrives in pieces, split anywhere: invalid bytes become U+FFFD, in the way of the WHATWG encoding
//! standard. It knows no other encoding.

use std::str;

/// Decodes a stream of bytes. Up to three bytes of an unfinished character are kept between two calls.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    unfinished: Vec<u8>,
}

impl Decoder {
    /// Appends the text of `bytes` to `out`; an unfinished character waits for the rest.
    pub fn decode(&mut self, bytes: &[u8], out: &mut String) {
        let mut rest = self.complete(bytes, out);
        while !rest.is_empty() {
            match str::from_utf8(rest) {
                Ok(text) => {
                    out.push_str(text);
                    return;
                }
                Err(error) => {
                    let (valid, after) = rest.split_at(error.valid_up_to());
                    out.push_str(str::from_utf8(valid).expect("checked up to here"));
                    let Some(invalid) = error.error_len() else {
                        self.unfinished.extend_from_slice(after);
                        return;
                    };
                    out.push(char::REPLACEMENT_CHARACTER);
                    rest = &after[invalid..];
                }
            }
        }
    }

    /// Ends the stream: an unfinished character is invalid.
    pub fn finish(&mut self, out: &mut String) {
        if !self.unfinished.is_empty() {
            out.push(char::REPLACEMENT_CHARACTER);
            self.unfinished.clear();
        }
    }

    /// Completes the unfinished character from the head of `bytes`; returns what is left of them.
    fn complete<'b>(&mut self, mut bytes: &'b [u8], out: &mut String) -> &'b [u8] {
        while let (false, Some((&next, rest))) = (self.unfinished.is_empty(), bytes.split_first()) {
            self.unfinished.push(next);
            match str::from_utf8(&self.unfinished) {
                Ok(text) => {
                    out.push_str(text);
                    self.unfinished.clear();
                    bytes = rest;
                }
                Err(error) if error.error_len().is_none() => bytes = rest,
                // The byte just added belongs to what follows.
                Err(_) => self.finish(out),
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HARD: [&[u8]; 9] = [
        "aß水🦀z".as_bytes(),
        b"\xff\xfe",
        b"\xe6\xb0",
        b"\xe6\xb0\xe6\xb0\xb4",
        b"\xf0\x9f\xa6x",
        b"\xed\xa0\x80",
        b"\xc0\xaf\xc3",
        b"\xf4\x90\x80\x80",
        b"\xe6\xf0\x9f\xa6\x80",
    ];

    fn decode(pieces: &[&[u8]]) -> String {
        let mut decoder = Decoder::default();
        let mut out = String::new();
        pieces.iter().for_each(|piece| decoder.decode(piece, &mut out));
        decoder.finish(&mut out);
        out
    }

    #[test]
    fn any_split_gives_the_lossy_text_of_the_whole() {
        for bytes in HARD {
            let whole = String::from_utf8_lossy(bytes);
            assert_eq!(decode(&[bytes]), whole, "{bytes:x?}");
            for middle in 0..=bytes.len() {
                let (left, right) = bytes.split_at(middle);
                assert_eq!(decode(&[left, right]), whole, "{bytes:x?} at {middle}");
            }
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(decode(&single), whole, "{bytes:x?} by bytes");
        }
    }
}
