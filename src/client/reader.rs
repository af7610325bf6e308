//! Reads a log through lost connections and restarted servers: every byte in order, and once.
//!
//! It decides when to connect again and from which place. It does not write the place anywhere; that is the caller's part,
//! for only the caller knows when the bytes are safe.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use super::matches::Matches;
use super::reconnect::{Backoff, is_final};
use super::stream::{Received, Stream};
use super::url::Url;
use super::{ClientConfig, local_path};
use crate::error::{Error, Result};
use crate::protocol::cursor::{Cursor, Place};
use crate::protocol::event::{Event, OpenTimes};
use crate::protocol::log_event::{Continuation, LogEvent};
use crate::protocol::request::Lines;
use crate::shutdown::{Shutdown, Trigger, shutdown};

/// How many lines to ask for after a lost connection to a server without cursors.
const AFTER_LOSS: Lines = Lines::Last(10);

/// Reads a log, and connects again when the connection is lost. It is a blocking iterator. Its last item is
/// [`LogEvent::End`] where the log ends, or an error that another try would not mend. When its [`Shutdown`] is triggered,
/// it ends without either.
///
/// With a server that speaks `wstail.v1` no byte is lost or repeated; bytes that the server could not send are reported as
/// [`LogEvent::Gap`]. Any other WebSocket server is read, too, but then a new connection begins with the last ten lines
/// again, see [`LogEvent::Connected`].
///
/// [`Url::set_criteria`] asks for some of the lines only. A place within such a stream is for streams with the same filter.
/// If `max` limits the matching lines, a new connection asks for those that have not come yet. With context their number
/// is not always known, and then more may come.
///
/// [`Reader::place`] is what to store in order to resume later, also in another process:
///
/// ```
/// use wstail::{LogEvent, Reader};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let logs = tempfile::tempdir()?;
/// # std::fs::write(logs.path().join("app.log"), "one\ntwo\n")?;
/// # let mut config = wstail::ServerConfig::new([logs.path()]);
/// # config.port = 0;
/// # let server = wstail::Server::bind(config)?.spawn()?;
/// # let address = server.addresses()[0];
/// let mut reader = Reader::connect(&format!("{address}/app.log?lines=all"))?;
/// let (mut text, mut place) = (Vec::new(), None);
/// while let Some(event) = reader.next() {
///     match event? {
///         LogEvent::Data(bytes) => text.extend(bytes),
///         LogEvent::Gap { bytes, .. } => eprintln!("{bytes:?} bytes are missing here"),
///         LogEvent::Lost { error, .. } => eprintln!("{error}; trying again"),
///         _ => {}
///     }
///     // Store it once the bytes are safe:
///     place = reader.place().cloned();
/// }
/// assert_eq!(text, b"one\ntwo\n");
///
/// // Resumes after those bytes:
/// let (_trigger, shutdown) = wstail::shutdown()?;
/// let mut rest = Reader::new(format!("{address}/app.log").parse()?, shutdown).after(place.unwrap());
/// assert!(rest.all(|event| !matches!(event, Ok(LogEvent::Data(_)))));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Reader {
    url: Url,
    config: ClientConfig,
    shutdown: Shutdown,
    /// Kept here if nobody else holds it: dropping the trigger would trigger the shutdown.
    _trigger: Option<Trigger>,
    retries: bool,
    backoff: Backoff,
    stream: Option<Stream>,
    /// How long to wait before the next connection.
    pause: Option<Duration>,
    place: Option<Place>,
    zone: Option<String>,
    /// How many matching lines have come, if they are limited.
    matches: Option<Matches>,
    /// The server has announced the end of this stream.
    is_announced: bool,
    /// A connection was made to a server that does not support cursors.
    was_plain: bool,
    /// The log was streamed before.
    has_streamed: bool,
    /// When there was no file of the log yet, by [`local_path::now`]: it begins with the first byte that was written after that.
    awaited: Option<i64>,
    /// How long a 404 is retried for a log that is not followed, or was never read.
    grace: Duration,
    /// Since when the server has answered that there is no such log.
    missing: Option<Instant>,
    is_over: bool,
}

impl Reader {
    /// Connects to the log at `url`, and reads it until it ends: `HOST[:PORT]/LOG`, or a URL with one of the schemes `ws`,
    /// `wss`, `http` and `https`. The query takes the stream's parameters, see [`protocol`](crate::protocol): with
    /// `?tail=1&lines=10` the log is followed, after its last ten lines; without `tail=1` the reader ends at the end of the
    /// log.
    ///
    /// For a token, certificates, a place to resume from, or a way to stop the reader from another thread, use
    /// [`Reader::new`].
    ///
    /// # Errors
    /// A usage error ([`Error::is_usage`]) when `url` is not the address of a log. Otherwise the first connection's error:
    /// no address answered in time, or the server refused ([`Error::status`]). Later connections are retried.
    pub fn connect(url: &str) -> Result<Reader> {
        let url: Url = url.parse()?;
        let failed = |error| Error::io(format!("cannot follow {url}"), error);
        let (trigger, shutdown) = shutdown().map_err(failed)?;
        let mut reader = Reader::new(url, shutdown);
        reader._trigger = Some(trigger);
        reader.open()?;
        Ok(reader)
    }

    /// A reader of the log at `url` that connects when it is first asked for an event, and ends when `shutdown` is
    /// triggered. A `cursor` in the query is the place to resume from.
    pub fn new(mut url: Url, shutdown: Shutdown) -> Reader {
        let place = url.take_cursor();
        Reader {
            matches: Matches::of(&url),
            url,
            config: ClientConfig::default(),
            shutdown,
            _trigger: None,
            retries: true,
            backoff: Backoff::default(),
            stream: None,
            pause: None,
            place,
            zone: None,
            is_announced: false,
            was_plain: false,
            has_streamed: false,
            awaited: None,
            grace: Duration::ZERO,
            missing: None,
            is_over: false,
        }
    }

    /// Resumes after a place that another reader had reached: see [`Reader::place`]. Default: as the URL says.
    pub fn after(mut self, place: Place) -> Reader {
        self.place = Some(place);
        self
    }

    /// The token and the certificates of each connection. Default: no token, the system's certificates.
    pub fn config(mut self, config: ClientConfig) -> Reader {
        self.config = config;
        self
    }

    /// Whether to connect again when a connection is lost or refused for now. Default: yes. If not, the error is the last
    /// item.
    pub fn retries(mut self, retries: bool) -> Reader {
        self.retries = retries;
        self
    }

    /// How long to go on asking for a log that the server does not have, as between the two steps of a rotation. A log that
    /// is followed and was read before is always asked for again. Default: not at all.
    pub fn wait_for_log(mut self, time: Duration) -> Reader {
        self.grace = time;
        self
    }

    /// The place after all bytes that were returned so far. `None` before the first cursor has come, and always with a
    /// server that does not speak `wstail.v1`.
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// The zone of the log's times that do not name theirs: what the parameter `zone` takes. `None` before the log is
    /// open, and with a server that does not report it.
    pub fn zone(&self) -> Option<&str> {
        self.zone.as_deref()
    }

    /// Keeps the connection while the caller cannot take more events; see [`Stream::keep_alive`].
    pub fn keep_alive(&mut self) {
        if let Some(stream) = &mut self.stream {
            stream.keep_alive();
        }
    }

    fn step(&mut self) -> Result<Option<LogEvent>> {
        if let Some(pause) = self.pause.take() {
            self.url.pause(pause, &self.shutdown);
            let start = self.awaited.filter(|_| self.place.is_none()).and_then(|since| self.url.start_after(since));
            self.place = start.map(Place::from).or(self.place.take());
        }
        loop {
            if self.matches.as_ref().is_some_and(Matches::is_exceeded) {
                return Ok(Some(LogEvent::End));
            }
            let may_end = !self.url.follows() || self.is_final();
            let Some(stream) = &mut self.stream else {
                return if self.shutdown.is_triggered() { Ok(None) } else { self.open().map(Some) };
            };
            match stream.read(&self.shutdown)? {
                Received::Bytes(mut bytes) => {
                    self.backoff.reset();
                    if let Some(matches) = self.matches.as_mut().filter(|_| stream.has_events()) {
                        matches.receive(&mut bytes);
                    }
                    if let Some(place) = &mut self.place {
                        place.skip = place.skip.saturating_add(bytes.len() as u64);
                    }
                    return Ok(Some(LogEvent::Data(bytes)));
                }
                Received::Event(event) => {
                    if let Some(item) = self.note(event) {
                        return Ok(Some(item));
                    }
                }
                // A followed log has no end, so a proxy must have closed the connection.
                Received::End if stream.has_events() && !may_end => return Err(stream.closed_early()),
                Received::End => return Ok(Some(LogEvent::End)),
                Received::Stopped => return Ok(None),
            }
        }
    }

    /// Whether a followed log may end: all the lines that were requested have come.
    fn is_final(&self) -> bool {
        self.matches.as_ref().is_some_and(|matches| self.is_announced || matches.is_complete())
    }

    fn open(&mut self) -> Result<LogEvent> {
        let mut url = self.url.clone();
        if let Some(matches) = self.matches.as_mut().filter(|_| self.has_streamed) {
            url.set_max(matches.missing());
        }
        if self.awaited.is_some() && !url.names("from") {
            url.set_lines(Lines::All);
        }
        if let Some(place) = &self.place {
            url.set_cursor(place);
        } else if self.was_plain {
            url.set_lines(AFTER_LOSS);
        }
        let stream = Stream::open(&url, &self.config, &self.shutdown)?;
        let continuation = match (&self.place, stream.has_events()) {
            (Some(_), true) if self.awaited.is_some() && !self.has_streamed => Continuation::New,
            (Some(_), true) => Continuation::Exact,
            (None, _) if !self.was_plain => Continuation::New,
            _ => Continuation::Unknown,
        };
        if !stream.has_events() {
            // From here on bytes cannot be counted: such a stream is text, and does not report gaps.
            (self.was_plain, self.place) = (true, None);
        }
        (self.stream, self.has_streamed, self.is_announced, self.missing) = (Some(stream), true, false, None);
        Ok(LogEvent::Connected(continuation))
    }

    /// Turns an event into an item. `open` does not replace the place to resume from: a gap may be reported between the
    /// two.
    fn note(&mut self, event: Event) -> Option<LogEvent> {
        match event {
            Event::Open { size, cursor, times, .. } => {
                self.place.get_or_insert(cursor.into());
                self.keep_times(&times);
                Some(LogEvent::Opened { size, left: None, is_awaited: false, lost: None })
            }
            Event::Cursor(cursor) => Some(self.at(cursor, LogEvent::Checkpoint)),
            Event::Rotated(cursor) => Some(self.begin_file(cursor, LogEvent::Rotated)),
            Event::Truncated(cursor) => Some(self.begin_file(cursor, LogEvent::Truncated)),
            Event::Gap { reason, bytes, cursor } => Some(self.begin_file(cursor, LogEvent::Gap { reason, bytes })),
            Event::Skip { bytes } => Some(LogEvent::Skip(bytes)),
            Event::Progress { bytes, total, matches, done } => {
                if let Some(counted) = &mut self.matches {
                    counted.report(matches);
                }
                Some(LogEvent::Progress { bytes, total, matches, done })
            }
            Event::Waiting { reason } => Some(LogEvent::Unreadable(reason)),
            Event::Alive => Some(LogEvent::Quiet),
            // What follows is the close, which tells the log's end from a server that goes away.
            Event::End { .. } => {
                self.is_announced = true;
                None
            }
        }
    }

    /// A time such as `10m` must mean the same on the next connection.
    fn keep_times(&mut self, times: &OpenTimes) {
        self.zone.clone_from(&times.zone);
        if let Some(since) = times.since.as_ref().filter(|_| self.url.names("since")) {
            self.url.set_since(since);
        }
        if let Some(until) = times.until.as_ref().filter(|_| self.url.names("until")) {
            self.url.set_until(until);
        }
    }

    /// What comes next does not continue the last line.
    fn begin_file(&mut self, cursor: Cursor, event: LogEvent) -> LogEvent {
        if let Some(matches) = &mut self.matches {
            matches.end_file();
        }
        self.at(cursor, event)
    }

    fn at(&mut self, cursor: Cursor, event: LogEvent) -> LogEvent {
        self.backoff.reset();
        self.place = Some(cursor.into());
        event
    }

    /// There is no file of the log.
    fn note_awaited(&mut self) {
        if self.place.is_none() && !self.has_streamed {
            self.awaited.get_or_insert_with(local_path::now);
        }
    }

    /// Whether another attempt may succeed. It will not if the server answers, but not with a stream.
    fn may_retry(&mut self, error: &Error) -> bool {
        if self.url.is_local() && error.io_kind().is_some() {
            if error.io_kind() == Some(ErrorKind::NotFound) {
                self.note_awaited();
            }
            return self.retries && self.url.follows() && !local_path::is_something_else(error);
        }
        let since = self.missing.take().filter(|_| error.status() == Some(404));
        let is_refused = match error.status() {
            Some(404) => {
                let since = *self.missing.insert(since.unwrap_or_else(Instant::now));
                // Retry if the log is known to have existed, from an earlier stream or the place to resume from: between
                // the two steps of a rotation there is no file with its name.
                let was_there = self.has_streamed || self.place.is_some();
                // A file of this machine was there when its directory was opened, a moment ago.
                if self.url.is_file() {
                    self.note_awaited();
                }
                let is_known = self.url.follows() && (was_there || self.awaited.is_some());
                !is_known && since.elapsed() >= self.grace
            }
            Some(status) => is_final(status),
            None => false,
        };
        // Without a cursor, the rest of a copy that was cut off cannot be requested: the last lines would come again.
        let is_cut_off = self.was_plain && self.place.is_none() && !self.url.follows();
        self.retries && !error.is_usage() && !error.is_untrusted() && !is_refused && !is_cut_off
    }
}

impl Iterator for Reader {
    type Item = Result<LogEvent>;

    fn next(&mut self) -> Option<Result<LogEvent>> {
        if self.is_over {
            return None;
        }
        let error = match self.step() {
            Ok(item) => {
                self.is_over = matches!(item, None | Some(LogEvent::End));
                return item.map(Ok);
            }
            Err(error) => error,
        };
        self.stream = None;
        let error = if self.url.is_local() { error.of_local() } else { error };
        if self.shutdown.is_triggered() {
            self.is_over = true;
            return None;
        }
        // What is missing is only the close.
        if self.matches.as_ref().is_some_and(Matches::is_complete) {
            self.is_over = true;
            return Some(Ok(LogEvent::End));
        }
        if !self.may_retry(&error) {
            self.is_over = true;
            return Some(Err(error));
        }
        let pause = self.backoff.pause_after(&error);
        self.pause = Some(pause);
        Some(Ok(LogEvent::Lost { error, pause }))
    }
}
