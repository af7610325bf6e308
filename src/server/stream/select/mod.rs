//! Decides which of a log's events reach the encoder. It stands between source and encoder and knows neither sockets
//! nor files.
//!
//! Without a filter every event passes. Where the stream begins may have to be searched for among old bytes first, which
//! takes a permit. With a filter, `selecting` judges the log's lines, which `reading` reads: what it does not use of a
//! block stays in the file and is read again. `block_size` decides how large a block is, `progress` reports how far the search
//! has come, and `query` prepares a filter for one log.

mod block_size;
#[cfg(test)]
mod model;
mod progress;
mod query;
mod reading;
mod selecting;

use std::sync::Arc;
use std::time::Instant;

pub(in crate::server) use self::query::Query;
use self::selecting::Selecting;
use crate::server::scans::{AGAIN, ScanPermit, Scans};
use crate::server::stream::ending::Ending;
use crate::server::stream::event::SourceEvent;
use crate::server::stream::source::{LogSource, SourceError};

/// Decides about events.
pub(in crate::server) enum Select {
    /// All of them pass. But a stream needs a permit to search for the place where it begins, and to unpack files.
    Everything(ScanPermit),
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
            Some(query) => Select::Lines(Box::new(Selecting::new(query, source, ScanPermit::new(scans.clone()), now))),
            None => Select::Everything(ScanPermit::new(scans.clone())),
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
            Select::Everything(scan) => next(scan, source, now),
            Select::Lines(selecting) => selecting.next(source, now),
        }
    }

    /// The client takes nothing for now.
    pub(super) fn pause(&mut self) {
        match self {
            Select::Everything(scan) => scan.stop(),
            Select::Lines(selecting) => selecting.pause(),
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
            Select::Everything(_) => None,
        };
        match matched {
            Some(lines) => Ending::Matched(lines),
            None if source.follower().ends_at_time() => Ending::TimeReached,
            None => Ending::Complete,
        }
    }
}

/// The next event, if the place is known and nothing has to be unpacked, or if the stream may do such work now.
fn next<'s>(
    scan: &mut ScanPermit,
    source: &'s mut LogSource,
    now: Instant,
) -> Result<Option<SourceEvent<'s>>, SourceError> {
    if source.follower().is_placing() || source.follower().is_unpacking() {
        return work(scan, source, now);
    }
    scan.stop();
    source.next(now)
}

/// Searches or unpacks a little more, if that may be done now.
// Not inlined, so that the stack frame of a stream that follows stays small.
#[inline(never)]
fn work<'s>(
    scan: &mut ScanPermit,
    source: &'s mut LogSource,
    now: Instant,
) -> Result<Option<SourceEvent<'s>>, SourceError> {
    if !scan.may_run() {
        source.delay(now + AGAIN);
        return Ok(None);
    }
    let begun = Instant::now();
    let event = source.next(now)?;
    scan.note(0, begun.elapsed());
    if event.as_ref().is_some_and(|event| event.what.is_pause()) {
        scan.stop();
    }
    Ok(event)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::time::Duration;

    use super::*;
    use crate::follow::follower::Follower;
    use crate::follow::root::Roots;
    use crate::follow::test_times::Range;
    use crate::protocol::address::Address;
    use crate::protocol::log_event::LogEvent;
    use crate::protocol::request::Lines;

    #[test]
    fn a_time_is_searched_for_with_a_permit_that_is_given_back() {
        let directory = tempfile::tempdir().unwrap();
        let lines: String = (0..1000).map(|time| format!("t{time} line\n")).collect();
        std::fs::write(directory.path().join("app.log"), lines).unwrap();
        let roots = Roots::open([directory.path()], false).unwrap();
        let (log, file) = roots.find(&Address::parse("/app.log").unwrap()).unwrap().unwrap();
        let mut follower = Follower::new(log, file, Lines::All, true, Duration::ZERO).unwrap();
        follower.narrow(true, Some(Box::new(Range { since: Some(900), until: None }))).unwrap();
        let now = Instant::now();
        let mut source = LogSource::new(follower, None, Duration::from_secs(1), now);
        let scans = Arc::new(Scans::new(NonZeroUsize::new(1)));
        let (mut select, mut other) = (Select::new(None, &mut source, &scans, now), ScanPermit::new(scans.clone()));
        assert!(other.may_run());
        for _ in 0..100 {
            assert!(select.next(&mut source, now).unwrap().is_none(), "another one looks through old bytes");
        }
        assert_eq!(source.due(), now + AGAIN);
        other.stop();
        let mut is_begun = false;
        while !is_begun {
            is_begun = select.next(&mut source, now).unwrap().is_some_and(|event| match event.what {
                LogEvent::Opened { .. } => true,
                other => panic!("{other:?}"),
            });
        }
        // It follows the log from now on.
        assert!(select.next(&mut source, now).unwrap().is_some());
        assert!(other.may_run());
        assert!(select.next(&mut source, now).unwrap().is_some());
    }
}
