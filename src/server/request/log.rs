//! A request for a log: opens the log at the place that the parameters ask for, and picks the client's encoder and
//! transport. The caller runs the stream.

use std::io;
use std::time::{Duration, Instant};

use super::times::RequestTimes;
use crate::error::cause;
use crate::follow::follower::Follower;
use crate::follow::packed;
use crate::follow::position::Position;
use crate::follow::root::is_shortage;
use crate::protocol::address::Address;
use crate::protocol::bad_target::BadTarget;
use crate::protocol::cursor::Cursor;
use crate::protocol::event::OpenTimes;
use crate::protocol::request::{Format, HeartbeatKind, Lines, Parameters};
use crate::select::Filter;
use crate::server::report::metrics::Ended;
use crate::server::report::rate_limited_log::Topic;
use crate::server::shared::Shared;
use crate::server::short_response::{Method, Refusal};
use crate::server::stream::connection::Connection;
use crate::server::stream::encode::Encoder;
use crate::server::stream::encode::http_framing::BodyEncoder;
use crate::server::stream::encode::text::TextEncoder;
use crate::server::stream::encode::wstail::WstailEncoder;
use crate::server::stream::ending::{Linger, Served};
use crate::server::stream::reporter::Reporter;
use crate::server::stream::select::{Query, Select};
use crate::server::stream::source::{LogSource, Ranges};
use crate::server::stream::transport::Transport;
use crate::server::stream::transport::heartbeat::Heartbeat;
use crate::server::stream::transport::peer::{Peer, write_all};
use crate::server::stream::transport::socket::StreamSocket;
use crate::server::stream::transport::timeouts_and_sizes::LINGER;
use crate::server::stream::transport::websocket::Pings;
use crate::shutdown::Shutdown;
use crate::text::html::Html;
use crate::text::lines::LineBuffer;
use crate::text::sanitize;
use crate::wake::watch::Watch;

/// A request for a log.
pub(super) struct LogRequest<'s> {
    pub address: Address,
    pub parameters: Parameters,
    /// There are no parameters: a compressed file is sent as it is.
    pub is_bare: bool,
    pub method: Method,
    /// HTTP/1.1 rather than 1.0.
    pub http11: bool,
    /// The answer to a WebSocket handshake, if the request is one.
    pub upgrade: Option<Vec<u8>>,
    /// The client speaks `wstail.v1`.
    pub events: bool,
    pub shared: &'s Shared,
}

/// A log that was opened at the requested place, and which of its lines are requested.
pub(super) struct OpenedLog {
    follower: Box<Follower>,
    query: Option<Query>,
    /// How the requested times are understood.
    times: OpenTimes,
    /// What is sent, where it is not text.
    media_type: Option<&'static str>,
}

impl LogRequest<'_> {
    /// Opens the log at the requested place.
    ///
    /// # Errors
    /// 404 if there is no such log, 400 for a cursor that is not this server's, or a pattern or a time that cannot be used,
    /// 503 if the log cannot be opened now.
    // Not inlined, so that its stack frame is gone when the loop begins.
    #[inline(never)]
    pub(super) fn open(&self) -> Result<OpenedLog, Refusal> {
        let LogRequest { address, parameters, shared, .. } = self;
        let failed = |error: io::Error| {
            log::debug!("cannot open `{}`: {}", sanitize::escape(&address.to_string()), cause(&error));
            Refusal::new(503, format!("the log cannot be opened now: {}", cause(&error)))
        };
        let (filter, times) = (self.filter()?, RequestTimes::parse(parameters, &shared.zone)?);
        let from = parameters.cursor.as_ref().map(|place| position("cursor", &place.cursor)).transpose()?;
        let before = parameters.before.as_ref().map(|cursor| position("before", cursor)).transpose()?;
        let found = match shared.roots.find(address) {
            Err(error) if !is_shortage(&error) => {
                // The client must not learn that there is such a log, but its owner may wonder why it is missing.
                let path = sanitize::escape(&address.to_string());
                let line = format_args!("cannot open `{path}`: {}", cause(&error));
                shared.reports.own_log.log_once(Topic::Unreadable, &path, line, Instant::now());
                None
            }
            result => result.map_err(failed)?,
        };
        let (log, file) = found.ok_or_else(|| Refusal::new(404, "no such log"))?;
        let media_type = file
            .format()
            .filter(|_| self.is_bare && self.upgrade.is_none())
            .map(packed::format::ArchiveFormat::media_type);
        if media_type.is_some() {
            let follower = Follower::new(log, file.as_it_is(), Lines::All, false, Duration::ZERO).map_err(failed)?;
            return Ok(OpenedLog { follower, query: None, times: OpenTimes::default(), media_type });
        }
        let (tail, wait) = (parameters.tail.unwrap_or(false), shared.config.rotate_wait);
        let skip = parameters.cursor.as_ref().map_or(0, |place| place.skip);
        let range = patiently(|| times.resolve(&log, &file)).map_err(failed)?;
        let follower = patiently(|| {
            let (log, file) = (log.clone(), file.clone());
            match (&from, &before) {
                (Some(position), _) => {
                    // With a filter, what the client has are bytes of the lines that it selects.
                    let skip = if filter.is_some() { 0 } else { skip };
                    Follower::resume(log, file, position, skip, tail, wait)
                }
                (None, Some(position)) => Follower::before(log, file, position, self.lines()),
                (None, None) => match parameters.from {
                    Some(line) => Follower::from_line(log, file, line, tail, wait),
                    None => Follower::new(log, file, self.lines(), tail, wait),
                },
            }
        });
        let mut follower = follower.map_err(failed)?;
        follower.narrow(parameters.has_history(), range.bounds()).map_err(failed)?;
        let query = filter.map(|filter| self.query(filter, skip, &mut follower)).transpose().map_err(failed)?;
        Ok(OpenedLog { follower, query, times: range.report(), media_type: None })
    }

    /// Prepares the filter for the log.
    fn query(&self, filter: Filter, skip: u64, follower: &mut Follower) -> io::Result<Query> {
        let mut query = Query::new(filter, &*follower.typical_file()?, skip)?;
        if self.format() == Format::Html {
            query.tell_apart();
        }
        follower.count_matching(query.judge());
        Ok(query)
    }

    /// The lines that are asked for; `None` for all of them.
    fn filter(&self) -> Result<Option<Filter>, Refusal> {
        let criteria = &self.parameters.criteria;
        if criteria.is_everything() {
            return Ok(None);
        }
        Filter::new(criteria).map(Some).map_err(|error| Refusal::new(400, sanitize::escape(&error.to_string())))
    }

    /// Begins the stream to the client: over WebSocket if it asks for that, otherwise as the body of a response.
    ///
    /// # Errors
    /// The end of the connection, if the client has left or accepts nothing.
    pub(super) fn begin<'p, S: StreamSocket>(
        self,
        socket: &'p mut Peer<'_, S>,
        early: Vec<u8>,
        log: OpenedLog,
        shutdown: &Shutdown,
    ) -> Result<Box<Connection<&'p mut S>>, Served> {
        log::debug!("serving `{}`", sanitize::escape(&self.address.to_string()));
        if let Some(upgrade) = &self.upgrade
            && write_all(socket, upgrade, shutdown, LINGER).is_err()
        {
            return Err(Served { ended: Ended::Left, linger: Linger::Until(Instant::now()) });
        }
        Ok(self.connect(&mut socket.stream, early, log))
    }

    /// Puts the stages together. This consumes the request, so that a connection that lasts for weeks does not keep it. The
    /// stages are boxed: what lies below the loop on the stack costs every follower whole pages.
    #[inline(never)]
    fn connect<S: StreamSocket>(self, socket: S, early: Vec<u8>, log: OpenedLog) -> Box<Connection<S>> {
        let (config, now) = (&self.shared.config, Instant::now());
        let OpenedLog { follower, query, times, media_type } = log;
        let metrics = self.shared.reports.metrics.clone();
        let watch = self.shared.watcher.clone().map(Watch::new);
        let mut source = LogSource::new(follower, watch, config.poll, now);
        let select = Select::new(query, &mut source, &self.shared.scans, now);
        source.give_ranges(if S::TAKES_FILES { self.ranges() } else { Ranges::Never });
        let is_resumed = self.parameters.cursor.is_some() && self.method == Method::Get;
        let (log, reports) = (sanitize::escape(&self.address.to_string()), self.shared.reports.clone());
        let reporter = Reporter::new(log, is_resumed, reports);
        let (encoder, transport) = if self.upgrade.is_some() {
            let heartbeat = Heartbeat::new(config.heartbeat, config.heartbeat_timeout, now);
            let (encoder, pings) = if self.events { self.wstail(times, now) } else { self.text() };
            (encoder, Transport::websocket(socket, early, pings, heartbeat, metrics))
        } else {
            let encoder = BodyEncoder::new(self.http11, media_type, self.method);
            (Box::new(encoder) as Box<dyn Encoder>, Transport::http(socket, metrics))
        };
        Box::new(Connection::new(source, select, encoder, transport.stall_after(config.stall_timeout), reporter))
    }

    fn wstail(&self, times: OpenTimes, now: Instant) -> (Box<dyn Encoder>, Pings) {
        let (path, is_resumed) = (self.address.to_string(), self.parameters.cursor.is_some());
        let encoder = WstailEncoder::new(path, times, self.shared.config.heartbeat, is_resumed, now);
        (Box::new(encoder), Pings { kind: HeartbeatKind::Frame, has_alive: true })
    }

    fn text(&self) -> (Box<dyn Encoder>, Pings) {
        let kind = self.parameters.heartbeat.unwrap_or_default();
        (Box::new(TextEncoder::new(self.line_buffer())), Pings { kind, has_alive: false })
    }

    /// When the log may be sent as ranges of the file. Not with a filter, nor as text, which is made from bytes that were
    /// read. In a response, only if its length is known: when the log is truncated in the middle of a range, the response
    /// ends early, and the client must be able to see that. A response that follows the log must go on instead.
    fn ranges(&self) -> Ranges {
        match self.upgrade {
            _ if !self.parameters.criteria.is_everything() => Ranges::Never,
            Some(_) if self.events => Ranges::Always,
            Some(_) => Ranges::Never,
            None => Ranges::IfSized,
        }
    }

    fn line_buffer(&self) -> LineBuffer {
        let html = (self.format() == Format::Html).then(Html::default);
        let has_lines = self.parameters.from.is_some() || self.lines() != Lines::Last(0);
        LineBuffer::new(html, self.parameters.cursor.is_none() && has_lines)
    }

    fn format(&self) -> Format {
        self.parameters.format.unwrap_or(self.shared.config.format)
    }

    fn lines(&self) -> Lines {
        let has_times = self.parameters.since.is_some() || self.parameters.until.is_some();
        let default = if has_times { Lines::All } else { self.shared.config.lines };
        self.parameters.lines.unwrap_or(default)
    }
}

/// Tries again if the beginning of a compressed file is not unpacked yet: for the time of a second at most.
fn patiently<T>(mut open: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    const TURNS: usize = 64;
    let mut tries = (0..TURNS).map(|_| open());
    let is_over = |result: &io::Result<T>| !matches!(result, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
    tries.find(is_over).unwrap_or_else(|| Err(io::Error::other("it takes too long to unpack its beginning")))
}

fn position(name: &str, cursor: &Cursor) -> Result<Position, Refusal> {
    let position = Position::parse(cursor);
    Ok(position.ok_or_else(|| BadTarget::bad_value(name, cursor.as_str(), "a cursor of this server"))?)
}

impl From<BadTarget> for Refusal {
    fn from(bad: BadTarget) -> Refusal {
        Refusal::new(if bad == BadTarget::Parent { 403 } else { 400 }, bad.to_string())
    }
}
