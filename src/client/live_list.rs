//! The logs of a server that a pattern stands for, and those that come and go: `/-/files` over WebSocket. It connects again
//! when the connection is lost, and compares what it hears then with what was known before.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::files::LogFile;
use super::past_logs::PastLogs;
use super::paths::{Paths, TooMany};
use super::reconnect::{Backoff, is_final};
use super::stream::{Incoming, Stream};
use super::url::Url;
use super::{ClientConfig, local_path};
use crate::error::{Error, Result};
use crate::protocol::glob::Glob;
use crate::protocol::list_event::ListEvent;
use crate::rotated_name::is_generation;
use crate::shutdown::Shutdown;

/// A server's logs as they come and go: a blocking iterator. Its last item is an error that another try would not mend; when
/// its [`Shutdown`] is triggered, it ends without one.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use wstail::client::{LiveList, LogChange, Url};
///
/// let (_trigger, shutdown) = wstail::shutdown()?;
/// for change in LiveList::new(&Url::page("logs.example.com")?, &"nginx/*.log".parse()?, shutdown) {
///     if let LogChange::New(file) = change? {
///         println!("{}", file.path);
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct LiveList {
    url: Url,
    config: ClientConfig,
    shutdown: Shutdown,
    retries: bool,
    backoff: Backoff,
    stream: Option<Stream>,
    /// How long to wait before the next connection.
    pause: Option<Duration>,
    known: Paths,
    /// Logs that there were a moment before the connection was lost, which the server may have forgotten: what is named as
    /// their rotated files is no new log.
    past: PastLogs,
    /// Until the logs are listed that were there when the connection was made: those that were named so far.
    named: Option<Paths>,
    is_listed: bool,
    /// What was found and is not returned yet.
    changes: VecDeque<LogChange>,
    is_over: bool,
}

/// What has changed in a server's list of logs.
#[derive(Debug)]
#[non_exhaustive]
pub enum LogChange {
    /// There is such a log. Before [`LogChange::Listed`] it was there at the beginning.
    New(LogFile),
    /// All logs that were there at the beginning were returned. It comes once.
    Listed {
        /// The server has more logs than it lists.
        is_cut: bool,
    },
    /// There is no such log any more. It may come again.
    Gone(String),
    /// Nothing has changed for a heartbeat.
    Quiet,
    /// The connection was lost or refused. The next call waits for `pause` and tries again.
    Lost {
        /// What happened.
        error: Error,
        /// From 0.25 s to 15 s, or up to 60 s if the server asks for it.
        pause: Duration,
    },
}

impl LiveList {
    /// The logs of the server at `base` that `glob` stands for. `base` is as for [`list`](super::list). It connects when it
    /// is first asked for a change.
    pub fn new(base: &Url, glob: &Glob, shutdown: Shutdown) -> LiveList {
        LiveList {
            url: base.list(Some(glob)),
            config: ClientConfig::default(),
            shutdown,
            retries: true,
            backoff: Backoff::default(),
            stream: None,
            pause: None,
            known: Paths::default(),
            past: PastLogs::new(Instant::now()),
            named: None,
            is_listed: false,
            changes: VecDeque::new(),
            is_over: false,
        }
    }

    /// The token and the certificates of each connection. Default: no token, the system's certificates.
    pub fn config(mut self, config: ClientConfig) -> LiveList {
        self.config = config;
        self
    }

    /// Whether to connect again when a connection is lost or refused for now. Default: yes. If not, the error is the last
    /// item.
    pub fn retries(mut self, retries: bool) -> LiveList {
        self.retries = retries;
        self
    }

    /// The next change; `None` if the shutdown was triggered.
    fn step(&mut self) -> Result<Option<LogChange>> {
        if let Some(pause) = self.pause.take() {
            self.url.pause(pause, &self.shutdown);
        }
        loop {
            if let Some(change) = self.changes.pop_front() {
                return Ok(Some(change));
            }
            if self.shutdown.is_triggered() {
                return Ok(None);
            }
            let Some(stream) = &mut self.stream else {
                let stream = Stream::open(&self.url, &self.config, &self.shutdown)?;
                if !stream.has_events() {
                    self.retries = false;
                    return Err(Error::failed(format!(
                        "cannot follow {}: the server does not speak wstail.v1",
                        self.url
                    )));
                }
                (self.stream, self.named) = (Some(stream), Some(Paths::default()));
                continue;
            };
            match stream.receive(&self.shutdown)? {
                Incoming::Text(text) => {
                    let noted = ListEvent::parse(&text).map_or(Ok(()), |event| self.note(event));
                    if let Err(error) = noted {
                        self.retries = false;
                        return Err(Error::failed(format!("cannot follow {}: {error}", self.url)));
                    }
                }
                Incoming::Binary(_) => {}
                // A list that goes on has no end, so a proxy must have closed the connection.
                Incoming::End => return Err(stream.closed_early()),
                Incoming::Stopped => return Ok(None),
            }
        }
    }

    fn note(&mut self, event: ListEvent) -> Result<(), TooMany> {
        match event {
            ListEvent::File { path, size, modified, cursor } => {
                self.named.as_mut().map_or(Ok(true), |named| named.insert(&path))?;
                if !self.is_rotated(&path) && self.known.insert(&path)? {
                    let file = LogFile { start: cursor, ..LogFile::new(path, size, modified) };
                    self.changes.push_back(LogChange::New(file));
                }
            }
            ListEvent::Gone { path } => {
                if self.known.remove(&path) {
                    self.note_gone(path);
                }
            }
            ListEvent::Listed { is_cut, heartbeat } => {
                self.backoff.reset();
                if let Some(stream) = &mut self.stream {
                    stream.expect_heartbeat(heartbeat);
                }
                // What was not named on a new connection is gone.
                let named = self.named.take().unwrap_or_default();
                self.known.retain_common(&named).into_iter().for_each(|path| self.note_gone(path));
                if !std::mem::replace(&mut self.is_listed, true) {
                    self.changes.push_back(LogChange::Listed { is_cut });
                }
            }
            ListEvent::Alive => self.changes.push_back(LogChange::Quiet),
            // What follows is the close, which says why.
            ListEvent::End { .. } => {}
        }
        Ok(())
    }

    fn note_gone(&mut self, path: String) {
        self.past.insert(&path, Instant::now());
        self.changes.push_back(LogChange::Gone(path));
    }
}

impl LiveList {
    /// Whether a log that a new connection lists is a rotated file of one that was there when the last one was lost, or a
    /// moment before. A server that was started anew between the two steps of a rotation cannot know that. If the log was
    /// gone for longer, the other one may be its successor.
    fn is_rotated(&self, path: &str) -> bool {
        let is_again = self.is_listed && self.named.is_some() && !self.known.contains(path);
        is_again && is_generation(path, |log| self.known.contains(log) || self.past.contains(log))
    }
}

impl Iterator for LiveList {
    type Item = Result<LogChange>;

    fn next(&mut self) -> Option<Result<LogChange>> {
        if self.is_over {
            return None;
        }
        let error = match self.step() {
            Ok(change) => {
                self.is_over = change.is_none();
                return change.map(Ok);
            }
            Err(error) => error,
        };
        let error = if self.url.is_local() { error.of_local() } else { error };
        if self.stream.take().is_some() && self.named.is_none() {
            self.past.forget(Instant::now());
        }
        if self.shutdown.is_triggered() {
            self.is_over = true;
            return None;
        }
        let is_something_else = self.url.is_local() && local_path::is_something_else(&error);
        if !self.retries
            || is_something_else
            || error.is_usage()
            || error.is_untrusted()
            || error.status().is_some_and(is_final)
        {
            self.is_over = true;
            return Some(Err(error));
        }
        let pause = self.backoff.pause_after(&error);
        self.pause = Some(pause);
        Some(Ok(LogChange::Lost { error, pause }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list that hears of events and does not connect.
    struct Heard(LiveList);

    impl Heard {
        fn new() -> Heard {
            let (url, glob) = (Url::page("h").unwrap(), "**".parse().unwrap());
            Heard(LiveList::new(&url, &glob, crate::shutdown::shutdown().unwrap().1))
        }

        /// A new connection lists these.
        fn lists(&mut self, paths: &str) -> String {
            self.0.named = Some(Paths::default());
            paths.split_whitespace().for_each(|path| self.0.note(file(path)).unwrap());
            self.0.note(ListEvent::Listed { is_cut: false, heartbeat: 1.0 }).unwrap();
            self.changes()
        }

        fn hears(&mut self, event: ListEvent) -> String {
            self.0.note(event).unwrap();
            self.changes()
        }

        fn changes(&mut self) -> String {
            let shown = |change| match change {
                LogChange::New(file) => format!("+{}", file.path),
                LogChange::Gone(path) => format!("-{path}"),
                LogChange::Listed { .. } => "listed".to_owned(),
                other => panic!("{other:?}"),
            };
            self.0.changes.drain(..).map(shown).collect::<Vec<_>>().join(" ")
        }
    }

    fn file(path: &str) -> ListEvent {
        ListEvent::File { path: path.to_owned(), size: 1, modified: 1, cursor: None }
    }

    #[test]
    fn a_server_that_is_started_amid_a_rotation_lists_no_new_log() {
        let mut list = Heard::new();
        assert_eq!(list.lists("app.log other.log"), "+app.log +other.log listed");
        assert_eq!(list.lists("app.log.1 other.log new-1.log"), "+new-1.log -app.log");
        assert_eq!(list.hears(file("app.log")), "+app.log");
        assert_eq!(list.hears(ListEvent::Gone { path: "app.log".to_owned() }), "-app.log");
        // It was deleted, and its rotated files are still there.
        assert_eq!(list.lists("app.log.1 app.log.2 other.log new-1.log"), "");
        // It was gone for a minute when the connection was lost.
        list.0.past.forget(Instant::now() + Duration::from_secs(60));
        assert_eq!(list.lists("other.log new-1.log app-2026-11-24.log"), "+app-2026-11-24.log");
        // Without a log of that name, a rotated name is a log as any other.
        let mut list = Heard::new();
        assert_eq!(list.lists("app.log.1"), "+app.log.1 listed");
        assert_eq!(list.lists("app.log.1"), "");
    }
}
