//! Decides which of a log's events reach the encoder. It stands between source and encoder and knows neither sockets
//! nor files.
//!
//! Without a filter every event passes. With one, `selecting` judges the log's lines, which `reading` reads: what it does
//! not use of a block stays in the file and is read again. `pace` decides how large a block is, `progress` reports how far the search has
//! come, and `query` prepares a filter for one log.

#[cfg(test)]
mod model;
mod pace;
mod progress;
mod query;
mod reading;
mod selecting;

use std::sync::Arc;
use std::time::Instant;

pub(in crate::server) use self::query::Query;
use self::selecting::Selecting;
use crate::server::scans::{Scan, Scans};
use crate::server::stream::ending::Ending;
use crate::server::stream::event::SourceEvent;
use crate::server::stream::source::{LogSource, SourceError};

/// Decides about events.
pub(in crate::server) enum Select {
    /// All of them pass.
    Everything,
    /// A filter selects lines.
    Lines(Box<Selecting>),
}

impl Select {
    /// Selects what the query asks for; `None` for everything.
    pub(in crate::server) fn new(
        query: Option<Query>,
        source: &mut LogSource,
        scans: &Arc<Scans>,
        now: Instant,
    ) -> Select {
        match query {
            Some(query) => Select::Lines(Box::new(Selecting::new(query, source, Scan::new(scans.clone()), now))),
            None => Select::Everything,
        }
    }

    /// The next event for the encoder. `None` if there is none yet.
    ///
    /// # Errors
    /// When the log could not be read for a minute.
    pub(super) fn next<'s>(
        &'s mut self,
        source: &'s mut LogSource,
        now: Instant,
    ) -> Result<Option<SourceEvent<'s>>, SourceError> {
        match self {
            Select::Everything => source.next(now),
            Select::Lines(selecting) => selecting.next(source, now),
        }
    }

    /// The client takes nothing for now.
    pub(super) fn pause(&mut self) {
        if let Select::Lines(selecting) = self {
            selecting.pause();
        }
    }

    /// Whether the next event is there already.
    pub(super) fn is_ready(&self) -> bool {
        matches!(self, Select::Lines(selecting) if selecting.is_ready())
    }

    /// How the stream ends, once the last event has passed.
    pub(super) fn ending(&self, source: &LogSource) -> Ending {
        let matched = match self {
            Select::Lines(selecting) => selecting.matched(),
            Select::Everything => None,
        };
        match matched {
            Some(lines) => Ending::Matched(lines),
            None if source.follower().ends_at_time() => Ending::TimeReached,
            None => Ending::Complete,
        }
    }
}
