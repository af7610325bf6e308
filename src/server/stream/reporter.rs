//! What a stream reports to the server's operator: numbers for the metrics, and lines for the server's own log. Clients
//! do not see them.

use std::io;
use std::time::Instant;

use crate::error::cause;
use crate::protocol::close::{self, Close};
use crate::protocol::log_event::LogEvent;
use crate::server::report::Reports;
use crate::server::report::rate_limited_log::Topic;
use crate::server::stream::event::Data;

pub(in crate::server) struct Reporter {
    /// The log's address, escaped.
    log: String,
    /// The client resumes from a cursor.
    is_resumed: bool,
    reports: Reports,
}

impl Reporter {
    /// `log`: its address, escaped. `is_resumed`: the client resumes from a cursor.
    pub(in crate::server) fn new(log: String, is_resumed: bool, reports: Reports) -> Reporter {
        Reporter { log, is_resumed, reports }
    }

    /// Reports what happened to the log.
    pub(super) fn note(&self, what: &LogEvent<Data<'_>>, now: Instant) {
        match what {
            LogEvent::Rotated => {
                self.reports.metrics.rotations.add(1);
                log::debug!("`{}` was rotated", self.log);
            }
            LogEvent::Truncated => {
                self.reports.metrics.truncations.add(1);
                log::debug!("`{}` was truncated", self.log);
            }
            LogEvent::Gap { reason, bytes } => {
                self.reports.metrics.gap(*reason, *bytes);
                let bytes = bytes.map_or("an unknown number of".to_owned(), |bytes| bytes.to_string());
                let line = format_args!("gap in `{}`: {bytes} bytes missing ({})", self.log, reason.word());
                self.reports.own_log.log(Topic::Gap, line, now);
            }
            LogEvent::Unreadable(cause) => {
                let line = format_args!("cannot read `{}`, retrying: {cause}", self.log);
                self.reports.own_log.log(Topic::Unreadable, line, now);
            }
            LogEvent::Opened { lost, .. } if self.is_resumed => self.reports.metrics.resume(lost.is_none()),
            LogEvent::Opened { .. } | LogEvent::Checkpoint | LogEvent::Data(_) => {}
            LogEvent::Skip(_) | LogEvent::Progress { .. } => {}
            LogEvent::Quiet | LogEvent::Gone | LogEvent::End => {}
            LogEvent::Connected(_) | LogEvent::Lost { .. } => {}
        }
    }

    /// Reports that the server closes the stream, if the reason is a fault that the operator should know of.
    pub(super) fn note_close(&self, close: &Close, now: Instant) {
        if matches!(close.code, close::HEARTBEAT | close::STALLED | close::UNREADABLE) {
            let line = format_args!("closing a stream of `{}` with {}: {}", self.log, close.code, close.reason);
            self.reports.own_log.log(Topic::Closed, line, now);
        }
    }

    pub(super) fn note_broken_wait(&self, error: &io::Error, now: Instant) {
        let line = format_args!("cannot wait for a client: {}", cause(error));
        self.reports.own_log.log(Topic::Wait, line, now);
    }
}
