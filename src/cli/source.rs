//! What an operand of `wstail tail` stands for: a log, or several logs, of a server or of this machine.

use std::cell::OnceCell;
use std::fs::Metadata;
use std::path::{Path, is_separator};

use wstail::client::{LocalFiles, LogPattern, Url};
use wstail::text::sanitize::escape;
use wstail::{Error, Result};

use super::names::NamedSource;
use super::{device, ls, serve, values};

/// The longest name of a source, `NAME=SOURCE`.
const MAX_NAME: usize = 64;

/// Parses operands. Those that are paths share what it takes to read local files.
#[derive(Default)]
pub(super) struct SourceParser {
    local: OnceCell<LocalFiles>,
}

impl SourceParser {
    /// # Errors
    /// A usage error when it is neither a URL nor a path.
    pub(super) fn parse(&self, text: &str) -> Result<NamedSource> {
        let (name, text) = split_name(text);
        let mut source = match is_path(text) {
            true => self.path(text)?,
            false => remote(text)?,
        };
        name.into_iter().for_each(|name| source.server_mut().set_name(name.to_owned()));
        Ok(source)
    }

    fn path(&self, text: &str) -> Result<NamedSource> {
        let path = values::path(text).map_err(Error::usage)?;
        let local = self.local()?;
        match local.pattern(&path)? {
            Some(pattern) => Ok(NamedSource::Pattern(pattern)),
            None => local.log(&path).map(NamedSource::Log),
        }
    }
}

impl SourceParser {
    fn local(&self) -> Result<&LocalFiles> {
        if let Some(local) = self.local.get() {
            return Ok(local);
        }
        let local = if serve::is_notified() { LocalFiles::new()? } else { LocalFiles::polled()? };
        Ok(self.local.get_or_init(|| local))
    }
}

/// Whether the operand is a host without a path, whose logs are listed.
pub(super) fn is_host(text: &str) -> bool {
    let has_path = text.split_once("://").map_or(text, |(_, rest)| rest).contains(['/', '?']);
    !has_path && text != "-" && split_name(text).0.is_none() && !is_path(text) && !ls::is_local(Path::new(text))
}

/// Whether what is printed is written to the log itself, so that following it would never come to an end.
pub(super) fn is_output(url: &Url) -> bool {
    let log = url.local_path().and_then(|path| path.metadata().ok()).filter(Metadata::is_file);
    log.is_some_and(|log| device::is_stdout(&log))
}

/// Splits `NAME=SOURCE`. A name has no character that precedes the first `=` of a URL's query.
fn split_name(text: &str) -> (Option<&str>, &str) {
    let is_known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    match text.split_once('=') {
        Some((name, source)) if (1..=MAX_NAME).contains(&name.len()) && name.chars().all(is_known) => match name {
            name if name.starts_with('.') => (None, text),
            name => (Some(name), source),
        },
        _ => (None, text),
    }
}

/// Whether the operand is meant as a path of this machine, as paths are written on it.
fn is_path(text: &str) -> bool {
    let begins = |start: &str| text.strip_prefix(start).is_some_and(|rest| rest.starts_with(is_separator));
    matches!(text, "." | "..") || ["", ".", ".."].into_iter().any(begins) || Path::new(text).is_absolute()
}

fn remote(text: &str) -> Result<NamedSource> {
    refuse_local(text)?;
    // A byte that is not UTF-8, see `words`, has a percent escape.
    let text = text.replace('\0', "%");
    if let Some(pattern) = LogPattern::parse(&text)? {
        return Ok(NamedSource::Pattern(pattern));
    }
    let url = Url::page(&text)?;
    if url.names_log() {
        return Ok(NamedSource::Log(url));
    }
    let cause = "it names no log (see `wstail ls`)";
    Err(Error::usage(format!("cannot use the URL `{url}`: {cause}")))
}

/// # Errors
/// If it looks like a URL of a server, but is meant as a file, or may be.
fn refuse_local(text: &str) -> Result<()> {
    let shown = escape(text);
    let bad = |cause: &str| Err(Error::usage(format!("cannot use the URL `{shown}`: {cause}")));
    if text == "-" {
        return bad("stdin cannot be followed, give the path of a file: ./app.log");
    }
    if let Some((scheme, path)) = text.split_once("://") {
        let is_file = scheme.eq_ignore_ascii_case("file");
        return if is_file {
            bad(&format!("write the path of a local file without `file://`: {}", escape(path)))
        } else {
            Ok(())
        };
    }
    let host = text.split('/').next().unwrap_or_default();
    if host.contains(':') || !values::path(text).is_ok_and(|path| ls::is_local(&path)) {
        return Ok(());
    }
    match text == host {
        true => bad(&format!("write `./{shown}` for the local path of this name")),
        false => bad(&format!(
            "write `./{shown}` for the local path, or `ws://{}:8765{}` for a server's log",
            escape(host),
            escape(&text[host.len()..])
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_precedes_the_first_equals_sign() {
        let long = format!("{}=h/a", "x".repeat(MAX_NAME));
        assert_eq!(split_name(&long), (Some(&long[..MAX_NAME]), "h/a"));
        assert_eq!(split_name("db-1.x_Y=./a=b"), (Some("db-1.x_Y"), "./a=b"));
        let (longer, no_name) =
            (format!("x{long}"), [".x=h/a", "=h/a", "h/a?lines=5", "ws://h/a=b", "é=h/a", "h/a", "./a=b"]);
        for text in no_name.into_iter().chain([longer.as_str()]) {
            assert_eq!(split_name(text), (None, text));
        }
    }

    #[test]
    fn a_path_begins_with_a_slash_or_dots() {
        for path in ["/", "/a", "./", "./a", "../a", ".", ".."] {
            assert!(is_path(path), "{path}");
        }
        #[cfg(windows)]
        for path in ["\\a", ".\\a", "..\\a", "C:\\a", "C:/a"] {
            assert!(is_path(path), "{path}");
        }
        for other in ["a", "a/b", ".a", "...", "h:1/./a", "ws://h/a", "-", ""] {
            assert!(!is_path(other), "{other}");
        }
    }
}
