//! How many of the lines that `max` asks for have come, so that after a lost connection only the rest is requested.
//!
//! Without context every line that comes is a match, and counting newlines is exact. With context the lines do not show
//! which of them match. The server tells how many have matched while it searches the bytes that were there at the
//! beginning, but not while it follows the log. So what is counted then may be less than what came, and more than `max`
//! matches may come in total, never fewer.

use std::num::NonZeroU64;

use memchr::memchr_iter;

use super::url::Url;

/// Counts the matching lines of a stream that ends with the last of `max`.
#[derive(Debug)]
pub(super) struct Matches {
    max: NonZeroU64,
    has_context: bool,
    /// How many have come, but for those that `reported` counts.
    came: u64,
    /// The beginning of another one has come. The server does not count the rest of it again.
    is_within: bool,
    /// With context: how many the server has reported on this connection.
    reported: u64,
    /// More was requested than is missing: a request cannot ask for nothing but the rest of a line.
    is_surplus: bool,
}

impl Matches {
    /// `None` if the URL does not limit the matches, or has a parameter that the server will refuse.
    pub(super) fn of(url: &Url) -> Option<Matches> {
        let criteria = url.criteria().ok()?;
        let (max, has_context) = (criteria.max?, criteria.has_context());
        Some(Matches { max, has_context, came: 0, is_within: false, reported: 0, is_surplus: false })
    }

    /// Counts lines, and cuts off what nobody asked for.
    pub(super) fn receive(&mut self, bytes: &mut Vec<u8>) {
        if self.has_context || bytes.is_empty() {
            return;
        }
        let missing = self.max.get().saturating_sub(self.came);
        let last = missing.checked_sub(1).and_then(|last| usize::try_from(last).ok());
        if let Some(end) = last.and_then(|last| memchr_iter(b'\n', bytes).nth(last)) {
            bytes.truncate(end + 1);
        }
        self.came += memchr_iter(b'\n', bytes).count() as u64;
        self.is_within = bytes.last() != Some(&b'\n');
    }

    /// An unfinished line is whole where its file ends.
    pub(super) fn end_file(&mut self) {
        self.came += u64::from(std::mem::take(&mut self.is_within));
    }

    /// Takes the number that the server reports.
    pub(super) fn report(&mut self, matches: u64) {
        if self.has_context {
            self.reported = matches;
        }
    }

    /// Whether all are known to have come.
    pub(super) fn is_complete(&self) -> bool {
        !self.has_context && !self.is_within && self.came >= self.max.get()
    }

    /// Whether all have come, and the server was asked for more.
    pub(super) fn is_exceeded(&self) -> bool {
        self.is_surplus && self.is_complete()
    }

    /// A connection was lost: how many to ask for on the next one.
    pub(super) fn missing(&mut self) -> NonZeroU64 {
        self.came += std::mem::take(&mut self.reported);
        let missing = NonZeroU64::new(self.max.get().saturating_sub(self.came + u64::from(self.is_within)));
        self.is_surplus = missing.is_none();
        missing.unwrap_or(NonZeroU64::MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(query: &str) -> Matches {
        Matches::of(&format!("h:1/a?{query}").parse().unwrap()).unwrap()
    }

    fn received(matches: &mut Matches, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        matches.receive(&mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn lines_without_context_are_counted_exactly() {
        let mut matches = matches("grep=x&max=5");
        received(&mut matches, "x1\nx2\nx");
        assert_eq!((matches.missing().get(), matches.is_complete()), (2, false));
        // The rest of the third line, which the server does not count, and two more.
        received(&mut matches, "3\nx4\n");
        assert_eq!(matches.missing().get(), 1);
        received(&mut matches, "x5\n");
        assert!(matches.is_complete() && !matches.is_exceeded());
    }

    #[test]
    fn the_rest_of_the_last_line_comes_alone() {
        let mut matches = matches("max=2");
        received(&mut matches, "x1\nx");
        assert_eq!(matches.missing().get(), 1);
        assert!(!matches.is_exceeded());
        assert_eq!(received(&mut matches, "2\nx3\n"), "2\n");
        assert!(matches.is_exceeded());
    }

    #[test]
    fn a_line_that_its_file_leaves_unfinished_is_whole() {
        let mut matches = matches("max=3");
        received(&mut matches, "x1\nx2");
        matches.end_file();
        matches.end_file();
        assert_eq!(matches.missing().get(), 1);
        received(&mut matches, "x3");
        matches.end_file();
        assert!(matches.is_complete());
    }

    #[test]
    fn lines_with_context_are_counted_as_far_as_the_server_reports_them() {
        let mut matches = matches("grep=x&context=1&max=5");
        assert_eq!(received(&mut matches, "a\nx\nb\nx\nc\nx\nd\n"), "a\nx\nb\nx\nc\nx\nd\n");
        matches.report(1);
        matches.report(2);
        assert_eq!(matches.missing().get(), 3);
        matches.report(2);
        assert_eq!(matches.missing().get(), 1);
        matches.report(7);
        assert!(!matches.is_complete());
        assert_eq!(matches.missing().get(), 1);
    }

    #[test]
    fn nothing_is_counted_where_there_is_no_limit() {
        for query in ["grep=x", "max=0", "max=2&max=2"] {
            assert!(Matches::of(&format!("h:1/a?{query}").parse().unwrap()).is_none(), "{query}");
        }
    }
}
