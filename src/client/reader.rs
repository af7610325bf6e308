//! A log from afar, through lost connections and restarted servers: what came, in order, and once.

use std::time::Duration;

use super::Config;
use super::reconnect::Backoff;
use super::stream::{Received, Stream};
use super::url::Url;
use crate::error::{Error, Result};
use crate::protocol::cursor::{Cursor, Place};
use crate::protocol::event::{Event, Missing};
use crate::protocol::request::Lines;
use crate::shutdown::Shutdown;

/// How many lines are asked for after a loss where no cursor is to be had.
const AFTER_LOSS: Lines = Lines::Last(10);

/// Reads a log and connects again when it must. It is an iterator that blocks: it ends where the log ends, or when the
/// order to stop is given; an error that trying again does not mend is the last item.
///
/// With a server that speaks `wstail.v1` nothing is lost and nothing comes twice; what was destroyed is told as
/// [`Item::Gap`]. With another one a new connection begins with the last ten lines again, see [`Item::Connected`].
///
/// ```
/// use wstail::client::reader::{Item, Reader};
/// # use wstail::server::{Config, Server};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let logs = tempfile::tempdir()?;
/// # std::fs::write(logs.path().join("app.log"), "one\ntwo\n")?;
/// # let (trigger, shutdown) = wstail::shutdown()?;
/// # let server = Server::bind(Config { roots: vec![logs.path().into()], port: 0, ..Config::default() })?;
/// # let address = server.addresses()[0];
/// # std::thread::scope(|scope| -> wstail::Result<()> {
/// # scope.spawn(|| server.run(&shutdown));
/// let mut reader = Reader::new(format!("{address}/app.log?lines=all").parse()?, shutdown.clone());
/// let (mut text, mut place) = (Vec::new(), None);
/// while let Some(item) = reader.next() {
///     match item? {
///         Item::Bytes(bytes) => text.extend(bytes),
///         Item::Gap { bytes, .. } => eprintln!("{bytes:?} bytes are missing here"),
///         Item::Lost { error, .. } => eprintln!("{error}; trying again"),
///         _ => {}
///     }
///     // Once what came is written to where it shall stay:
///     place = reader.place().cloned();
/// }
/// assert_eq!(text, b"one\ntwo\n");
/// // Later, also after a restart, goes on behind what came:
/// let mut rest = Reader::new(format!("{address}/app.log").parse()?, shutdown.clone()).after(place.unwrap());
/// assert!(rest.all(|item| !matches!(item, Ok(Item::Bytes(_)))));
/// # drop(trigger);
/// # Ok(())
/// # })?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Reader {
    url: Url,
    config: Config,
    shutdown: Shutdown,
    retries: bool,
    backoff: Backoff,
    stream: Option<Stream>,
    /// How long to wait before the next connection.
    pause: Option<Duration>,
    place: Option<Place>,
    /// A connection stood, with a server that knows no cursors.
    was_plain: bool,
    /// A stream of the log has stood: that it is missing now may be the moment of a rotation.
    has_streamed: bool,
    is_over: bool,
}

/// What a [`Reader`] has to say.
#[derive(Debug)]
pub enum Item {
    /// A connection stands.
    Connected(Continuation),
    /// The log's next bytes.
    Bytes(Vec<u8>),
    /// What came so far is covered by a cursor: a good moment to note [`Reader::place`].
    Cursor,
    /// The old file is read to its end; what follows is the next file's.
    Rotated,
    /// What follows is from the start of the shrunk file.
    Truncated,
    /// Bytes are missing here.
    Gap {
        /// Why.
        reason: Missing,
        /// How many, if that is known.
        bytes: Option<u64>,
    },
    /// The log is gone or cannot be read; the server keeps looking.
    Waiting(String),
    /// The connection is lost, or there was none to be had; the next call waits so long and tries again.
    Lost {
        /// What happened.
        error: Error,
        /// From 0.25 s to 15 s.
        pause: Duration,
    },
}

/// How a connection goes on from what came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Continuation {
    /// Nothing came before.
    New,
    /// Exactly behind what came, or a gap will say what is missing.
    Exact,
    /// The server knows no cursors: lines may be repeated or missing.
    Unknown,
}

impl Reader {
    /// Reads the log at `url`, as its parameters say, until the order to stop is given.
    pub fn new(mut url: Url, shutdown: Shutdown) -> Reader {
        let place = url.take_cursor();
        Reader {
            url,
            config: Config::default(),
            shutdown,
            retries: true,
            backoff: Backoff::default(),
            stream: None,
            pause: None,
            place,
            was_plain: false,
            has_streamed: false,
            is_over: false,
        }
    }

    /// Begins behind a place that another reader came to.
    pub fn after(mut self, place: Place) -> Reader {
        self.place = Some(place);
        self
    }

    /// How each connection is made.
    pub fn config(mut self, config: Config) -> Reader {
        self.config = config;
        self
    }

    /// Whether a lost connection is followed by another one. Default: yes.
    pub fn retries(mut self, retries: bool) -> Reader {
        self.retries = retries;
        self
    }

    /// Behind everything that was returned so far; `None` before the first cursor has come, and as soon as a server that
    /// knows none is connected to.
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// See [`Stream::keep_alive`].
    pub fn keep_alive(&mut self) {
        if let Some(stream) = &mut self.stream {
            stream.keep_alive();
        }
    }

    fn step(&mut self) -> Result<Option<Item>> {
        if let Some(pause) = self.pause.take() {
            self.shutdown.sleep(pause);
        }
        loop {
            let Some(stream) = &mut self.stream else {
                return if self.shutdown.is_ordered() { Ok(None) } else { self.connect().map(Some) };
            };
            match stream.read(&self.shutdown)? {
                Received::Bytes(bytes) => {
                    self.backoff.reset();
                    if let Some(place) = &mut self.place {
                        place.skip = place.skip.saturating_add(bytes.len() as u64);
                    }
                    return Ok(Some(Item::Bytes(bytes)));
                }
                Received::Event(event) => {
                    if let Some(item) = self.note(event) {
                        return Ok(Some(item));
                    }
                }
                // A log that is followed has no end; somebody in between has closed the connection.
                Received::End if self.url.follows() && stream.has_events() => return Err(stream.closed_early()),
                Received::End | Received::Stopped => return Ok(None),
            }
        }
    }

    fn connect(&mut self) -> Result<Item> {
        let mut url = self.url.clone();
        if let Some(place) = &self.place {
            url.set_cursor(place);
        } else if self.was_plain {
            url.set_lines(AFTER_LOSS);
        }
        let stream = Stream::open(&url, &self.config, &self.shutdown)?;
        let continuation = match (&self.place, stream.has_events()) {
            (Some(_), true) => Continuation::Exact,
            (None, _) if !self.was_plain => Continuation::New,
            _ => Continuation::Unknown,
        };
        if !stream.has_events() {
            // What comes from here on cannot be counted: it is text, and a gap would not be told.
            (self.was_plain, self.place) = (true, None);
        }
        (self.stream, self.has_streamed) = (Some(stream), true);
        Ok(Item::Connected(continuation))
    }

    /// Who goes on from a place keeps it until another one is told: a gap may stand between the two.
    fn note(&mut self, event: Event) -> Option<Item> {
        match event {
            Event::Open { cursor, .. } => {
                self.place.get_or_insert(cursor.into());
                Some(Item::Cursor)
            }
            Event::Cursor(cursor) => Some(self.at(cursor, Item::Cursor)),
            Event::Rotated(cursor) => Some(self.at(cursor, Item::Rotated)),
            Event::Truncated(cursor) => Some(self.at(cursor, Item::Truncated)),
            Event::Gap { reason, bytes, cursor } => Some(self.at(cursor, Item::Gap { reason, bytes })),
            Event::Waiting { reason } => Some(Item::Waiting(reason)),
            Event::End { .. } => None,
        }
    }

    fn at(&mut self, cursor: Cursor, item: Item) -> Item {
        self.backoff.reset();
        self.place = Some(cursor.into());
        item
    }

    /// Whether another try may do better: what answers, but not with a stream, will not do so the next time.
    fn may_retry(&self, error: &Error) -> bool {
        let is_missing = error.status() == Some(404) && self.has_streamed && self.url.follows();
        let is_refused = error.status().is_some_and(|status| status < 500) && !is_missing;
        // Of a copy that was cut off, and has no cursor, the rest cannot be had by asking for the last lines again.
        let is_cut_off = self.was_plain && self.place.is_none() && !self.url.follows();
        self.retries && !error.is_usage() && !error.is_untrusted() && !is_refused && !is_cut_off
    }
}

impl Iterator for Reader {
    type Item = Result<Item>;

    fn next(&mut self) -> Option<Result<Item>> {
        if self.is_over {
            return None;
        }
        let error = match self.step() {
            Ok(item) => {
                self.is_over = item.is_none();
                return item.map(Ok);
            }
            Err(error) => error,
        };
        self.stream = None;
        if self.shutdown.is_ordered() {
            self.is_over = true;
            return None;
        }
        if !self.may_retry(&error) {
            self.is_over = true;
            return Some(Err(error));
        }
        let pause = self.backoff.pause();
        self.pause = Some(pause);
        Some(Ok(Item::Lost { error, pause }))
    }
}
