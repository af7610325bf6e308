//! The logs of a server that a user means by a pattern: `HOST/nginx/*.log`, `HOST/nginx/`. Which logs these are is for the
//! server to say.

use std::fmt;

use percent_encoding::percent_decode;

use super::url::Url;
use crate::error::{Error, Result};
use crate::protocol::glob::Glob;

/// Logs of one server: the address of a log with `*`, `?` or `[` in its path, or one that ends in a slash, which stands for
/// everything below it. A percent escape, such as `%2A`, stands for the character itself.
#[derive(Clone, Debug)]
pub struct LogPattern {
    /// The server's root, with the query for each log.
    server: Url,
    /// The path as a user wrote it, without empty segments.
    segments: Vec<String>,
}

impl LogPattern {
    /// Parses an address. `None` if it names a single log, or none at all.
    ///
    /// # Errors
    /// A usage error when it is not an address, or its path is not a pattern.
    pub fn parse(text: &str) -> Result<Option<LogPattern>> {
        let text = text.split('#').next().unwrap_or_default();
        let after_scheme = text.find("://").map_or(0, |at| at + 3);
        let Some(slash) = text[after_scheme..].find(['/', '?']).map(|at| at + after_scheme) else { return Ok(None) };
        let (server, rest) = text.split_at(slash);
        let (path, query) = split_query(rest);
        if !path.contains(['*', '?', '[']) && !path.ends_with('/') {
            return Ok(None);
        }
        let server = Url::page(&format!("{server}/{query}"))?;
        let names = path.split('/').filter(|name| !matches!(*name, "" | "."));
        let mut segments: Vec<_> = names.map(str::to_owned).collect();
        if path.ends_with('/') {
            segments.push("**".to_owned());
        }
        let pattern = LogPattern { server, segments };
        pattern.glob(0)?;
        Ok(Some(pattern))
    }

    /// The logs of a server whose paths match a glob without percent escapes. A final slash stands for everything below.
    ///
    /// # Errors
    /// A usage error when it is not a glob.
    pub(super) fn below(server: Url, glob: &str) -> Result<LogPattern> {
        let names = glob.split('/').filter(|name| !matches!(*name, "" | "."));
        let all = glob.ends_with('/').then(|| "**".to_owned());
        let segments = names.map(|name| name.replace('%', "%25")).chain(all).collect();
        let pattern = LogPattern { server, segments };
        pattern.glob(0)?;
        Ok(pattern)
    }

    /// The server's root, with the query for each log. Set parameters here before the logs are opened.
    pub fn server_mut(&mut self) -> &mut Url {
        &mut self.server
    }

    /// The server's root.
    pub fn server(&self) -> &Url {
        &self.server
    }

    /// Calls `ask` for the server and the glob. A server that answers 404 may serve its logs below a base path, so each of
    /// the pattern's first segments that are names is taken for one in turn.
    ///
    /// # Errors
    /// The first error.
    pub fn locate<T>(&self, mut ask: impl FnMut(&Url, &Glob) -> Result<T>) -> Result<T> {
        let is_name = |segment: &&String| !segment.contains(['*', '?', '[']);
        let names = self.segments.iter().take_while(is_name).count().min(self.segments.len() - 1);
        let mut first = None;
        for depth in 0..=names {
            match ask(&self.base(depth), &self.glob(depth)?) {
                Err(error) if error.status() == Some(404) => first = first.or(Some(error)),
                result => return result,
            }
        }
        Err(first.unwrap_or_else(|| Error::failed("no server was asked")))
    }

    fn base(&self, depth: usize) -> Url {
        let mut base = self.server.clone();
        for segment in &self.segments[..depth] {
            base = base.of_encoded(segment);
        }
        base
    }

    /// The glob without the first segments.
    fn glob(&self, depth: usize) -> Result<Glob> {
        let kind = if self.server.is_local() { "path" } else { "URL" };
        let failed = |cause: &str| Error::usage(format!("cannot use the {kind} `{self}`: {cause}"));
        let mut glob = Vec::new();
        for segment in &self.segments[depth..] {
            if !glob.is_empty() {
                glob.push(b'/');
            }
            append_decoded(segment, &mut glob);
        }
        let glob = String::from_utf8(glob).map_err(|_| failed("a pattern has to be UTF-8"))?;
        glob.parse().map_err(|error: crate::protocol::glob::NoGlob| failed(&error.to_string()))
    }
}

impl fmt::Display for LogPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.server)?;
        let path = self.segments.join("/");
        let path = if self.server.is_local() { path.replace("%25", "%") } else { path };
        f.write_str(&path.escape_debug().to_string())
    }
}

/// The path, and the query with its `?`: a `?` begins a query only if nothing or pairs of names and values follow.
fn split_query(rest: &str) -> (&str, &str) {
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let is_pair = |pair: &str| pair.is_empty() || pair.split_once('=').is_some_and(|(name, _)| is_name(name));
    let begins = |at: usize| rest[at + 1..].split('&').all(is_pair);
    let query = rest.match_indices('?').map(|(at, _)| at).find(|at| begins(*at));
    rest.split_at(query.unwrap_or(rest.len()))
}

/// Appends a segment with its percent escapes decoded. What is decoded stands for itself.
fn append_decoded(segment: &str, glob: &mut Vec<u8>) {
    let mut rest = segment.as_bytes();
    while let Some((&first, others)) = rest.split_first() {
        let escape = rest.get(..3).filter(|_| first == b'%');
        let decoded = escape.map(|escape| percent_decode(escape).collect::<Vec<u8>>()).filter(|bytes| bytes.len() == 1);
        match decoded.as_deref() {
            Some([byte]) => {
                match char::from(*byte) {
                    character if byte.is_ascii() => glob.extend_from_slice(Glob::literal(character).as_bytes()),
                    _ => glob.push(*byte),
                }
                rest = &rest[3..];
            }
            _ => {
                glob.push(first);
                rest = others;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globs(text: &str) -> Vec<String> {
        let pattern = LogPattern::parse(text).unwrap().unwrap_or_else(|| panic!("{text} is one log"));
        let mut asked = Vec::new();
        let refused: Result<()> = pattern.locate(|base, glob| {
            asked.push(format!("{base} {glob}"));
            Err(Error::refused("asked", 404, String::new(), None))
        });
        assert_eq!(refused.unwrap_err().status(), Some(404));
        asked
    }

    #[test]
    fn a_path_with_a_wildcard_or_a_final_slash_is_a_pattern() {
        assert_eq!(globs("h/*.log"), ["ws://h:8765/ *.log"]);
        assert_eq!(globs("h/"), ["ws://h:8765/ **"]);
        assert_eq!(globs("http://h:1/?lines=5"), ["ws://h:1/ **"]);
        assert_eq!(globs("h/nginx/"), ["ws://h:8765/ nginx/**", "ws://h:8765/nginx **"]);
        assert_eq!(globs("[::1]:1/a//[ab]?.log"), ["ws://[::1]:1/ a/[ab]?.log", "ws://[::1]:1/a [ab]?.log"]);
        for one in [
            "h",
            "h/app.log",
            "h:1/a/b.log?lines=5",
            "h?lines=5",
            "[::1]/a",
            "h/app.log?",
            "h/%2A.log",
            "h/a.log?grep=a*b",
        ] {
            assert!(LogPattern::parse(one).unwrap().is_none(), "{one}");
        }
    }

    #[test]
    fn a_question_mark_begins_a_query_only_if_parameters_follow() {
        assert_eq!(globs("h/app?.log"), ["ws://h:8765/ app?.log"]);
        let mut pattern = LogPattern::parse("h/a?*?lines=5&grep=x?y").unwrap().unwrap();
        assert_eq!(pattern.server_mut().target(), "/?lines=5&grep=x?y");
        assert_eq!(pattern.locate(|_, glob| Ok(glob.to_string())).unwrap(), "a?*");
    }

    #[test]
    fn an_escape_stands_for_its_character() {
        assert_eq!(globs("h/%2a%5B%20*"), ["ws://h:8765/ [*][[] *"]);
        assert_eq!(globs("h/%E6%B0%B4*%"), ["ws://h:8765/ 水*%"]);
        let bad = LogPattern::parse("h/%ff*").unwrap_err();
        assert!(bad.is_usage() && bad.to_string().contains("UTF-8"), "{bad}");
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        let bad = LogPattern::parse("h/a[b").unwrap_err();
        assert_eq!(bad.to_string(), "cannot use the URL `ws://h:8765/a[b`: a `[` is not closed");
        assert!(bad.is_usage() && LogPattern::parse("h:x/*").is_err());
    }
}
