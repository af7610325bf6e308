//! The path of a request. Whether it leads to a log is a question for `follow`.

use std::fmt;

use percent_encoding::percent_decode_str;

use super::bad_target::BadTarget;

/// The path of a request, decoded once, without empty and `.` segments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    segments: Vec<Vec<u8>>,
}

impl Address {
    /// Percent-decodes a path, once. An encoded slash is a slash.
    ///
    /// # Errors
    /// If the path has a malformed escape, a byte below 0x20 or a `..` segment.
    pub fn parse(path: &str) -> Result<Address, BadTarget> {
        let decoded = decode(path).ok_or_else(|| BadTarget::because("the path has a malformed percent escape"))?;
        if decoded.iter().any(|&byte| byte < 0x20) {
            return Err(BadTarget::because("the path contains a control character"));
        }
        let segments = decoded.split(|&byte| byte == b'/').filter(|segment| !matches!(*segment, b"" | b"."));
        let segments: Vec<Vec<u8>> = segments.map(<[u8]>::to_vec).collect();
        if segments.iter().any(|segment| segment == b"..") {
            return Err(BadTarget::Parent);
        }
        Ok(Address { segments })
    }

    /// The address of a file name, if a request can name it: it has no byte below 0x20 and does not begin with `/-/`.
    pub fn of(segments: Vec<Vec<u8>>) -> Option<Address> {
        let is_plain = segments.iter().flatten().all(|&byte| byte >= 0x20);
        Some(Address { segments }).filter(|address| is_plain && address.service().is_none())
    }

    /// The decoded segments between the slashes; none for `/`.
    pub fn segments(&self) -> &[Vec<u8>] {
        &self.segments
    }

    /// The rest of the path after `base`; `None` when it does not begin with that.
    pub fn beneath(&self, base: &Address) -> Option<Address> {
        let segments = self.segments.strip_prefix(base.segments.as_slice())?;
        Some(Address { segments: segments.to_vec() })
    }

    /// The segments after `/-/`, which is where the service's own pages are; `None` for any other path.
    pub fn service(&self) -> Option<&[Vec<u8>]> {
        self.segments.split_first().filter(|(first, _)| *first == b"-").map(|(_, rest)| rest)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = self.segments.join(&b'/');
        f.write_str(&String::from_utf8_lossy(&joined))
    }
}

/// Percent-decodes strictly: every `%` must be followed by two hexadecimal digits.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let whole = |rest: &str| rest.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
    if !text.split('%').skip(1).all(whole) {
        return None;
    }
    Some(percent_decode_str(text).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Result<String, BadTarget> {
        Address::parse(text).map(|address| address.to_string())
    }

    #[test]
    fn a_path_is_decoded_once() {
        assert_eq!(path("/a%2fb//./c%20d/").unwrap(), "a/b/c d");
        assert_eq!(path("/%252e%252e/x").unwrap(), "%2e%2e/x");
        assert_eq!(path("/").unwrap(), "");
    }

    #[test]
    fn a_parent_segment_is_refused_in_every_spelling() {
        for spelling in ["/../etc/passwd", "/%2e%2e/etc", "/a/.%2E/b", "/a%2f..%2fb", "/.."] {
            assert_eq!(path(spelling), Err(BadTarget::Parent), "{spelling}");
        }
        assert_eq!(path("/..a/...").unwrap(), "..a/...");
    }

    #[test]
    fn malformed_escapes_and_control_bytes_are_refused() {
        for bad in ["/%", "/%4", "/%zz", "/%+1", "/a%00", "/a%0a", "/%1f", "/a%2"] {
            assert!(matches!(path(bad), Err(BadTarget::Malformed(_))), "{bad}");
        }
    }
}
