//! The times that a request names: what they mean by the server's clock and by the log, and how the log's lines compare
//! with them.

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use super::learning::{learn, trained};
use crate::follow::File;
use crate::follow::root::Log;
use crate::follow::time_range::TimeRange;
use crate::follow::time_search::{Bound, LineTimes};
use crate::protocol::event::OpenTimes;
use crate::protocol::request::Parameters;
use crate::select::stamp::{DateOrder, Recogniser};
use crate::select::when::{Clock, Until, When, WhenError};
use crate::select::zone::{Zone, ZoneName};
use crate::server::short_response::Refusal;

/// The times of a request, as far as they can be read without the log.
pub(super) struct RequestTimes<'p> {
    parameters: &'p Parameters,
    since: Option<When>,
    until: Option<Until>,
    zone: Arc<Zone>,
}

/// A range of times.
#[derive(Clone, Debug)]
pub(super) struct RequestedRange {
    since: Option<i128>,
    until: Option<i128>,
    zone: Arc<Zone>,
    /// Which number of a date is the day, in all files of the log.
    order: DateOrder,
}

impl<'p> RequestTimes<'p> {
    /// Reads the times of a request. `zone`: the server's.
    ///
    /// # Errors
    /// 400 that names the parameter and the reason.
    pub(super) fn parse(parameters: &'p Parameters, zone: &Arc<Zone>) -> Result<RequestTimes<'p>, Refusal> {
        let refused =
            |name: &str, reason: String| Refusal::new(400, format!("cannot use the parameter `{name}`: {reason}"));
        let bad_time = |name| move |error: WhenError| refused(name, error.to_string());
        let known = Recogniser::default();
        let since = parameters.since.as_deref().map(|text| When::parse(text, &known).map_err(bad_time("since")));
        let until = parameters.until.as_deref().map(|text| Until::parse(text, &known).map_err(bad_time("until")));
        let load = |name: &str| -> Result<Arc<Zone>, Refusal> {
            let zone = name.parse::<ZoneName>().and_then(|name| name.load());
            zone.map(Arc::new).map_err(|error| refused("zone", error.to_string()))
        };
        Ok(RequestTimes {
            parameters,
            since: since.transpose()?,
            until: until.transpose()?,
            zone: parameters.zone.as_deref().map(load).transpose()?.unwrap_or_else(|| zone.clone()),
        })
    }

    /// What they mean in a log, whose youngest file is given. Times that are pasted are read as those of the log.
    ///
    /// # Errors
    /// When a file cannot be read, or the files beside the log cannot be listed.
    pub(super) fn resolve(&self, log: &Log, file: &File) -> io::Result<RequestedRange> {
        let mut range = RequestedRange { since: None, until: None, zone: self.zone.clone(), order: DateOrder::Unseen };
        if self.since.is_none() && self.until.is_none() {
            return Ok(range);
        }
        let recogniser = learn(log, file)?;
        range.order = recogniser.date_order();
        let clock = Clock { now: now(), written: file.last_write()?.into(), zone: &self.zone };
        let since = self.parameters.since.as_deref().and_then(|text| When::parse(text, &recogniser).ok());
        range.since = since.or(self.since).map(|since| since.since(&clock));
        let until = self.parameters.until.as_deref().and_then(|text| Until::parse(text, &recogniser).ok());
        range.until = until.or(self.until).and_then(|until| until.resolve(range.since, &clock));
        Ok(range)
    }
}

impl RequestedRange {
    /// What the client is told of it.
    pub(super) fn report(&self) -> OpenTimes {
        let text = |time: Option<i128>| time.map(|time| self.zone.rfc3339(time));
        OpenTimes { since: text(self.since), until: text(self.until), zone: Some(self.zone.name().to_owned()) }
    }

    /// For a follower, if there is any time.
    pub(super) fn bounds(&self) -> Option<Box<dyn TimeRange>> {
        (self.since.is_some() || self.until.is_some()).then(|| Box::new(self.clone()) as Box<dyn TimeRange>)
    }

    fn at(&self, bound: Bound) -> Option<i128> {
        match bound {
            Bound::Since => self.since,
            Bound::Until => self.until,
        }
    }
}

impl TimeRange for RequestedRange {
    fn has(&self, bound: Bound) -> bool {
        self.at(bound).is_some()
    }

    fn is_before(&self, instant: i128, bound: Bound) -> bool {
        self.at(bound).is_some_and(|end| instant < end)
    }

    fn learn(&self, samples: [&[u8]; 2], written: i64) -> Box<dyn LineTimes> {
        let recogniser = trained(samples).in_order(self.order);
        Box::new(FileTimes { range: self.clone(), recogniser, written: written.into() })
    }
}

/// The times of one file's lines.
#[derive(Debug)]
struct FileTimes {
    range: RequestedRange,
    recogniser: Recogniser,
    /// When the file was last written to.
    written: i128,
}

impl LineTimes for FileTimes {
    fn has_reached(&self, line: &[u8], bound: Bound) -> Option<bool> {
        let readings = self.recogniser.find(line)?.resolve(&self.range.zone, self.written);
        // Where a time can be read in two ways, the one counts that sends more.
        Some(match bound {
            Bound::Since => self.range.since.is_none_or(|since| readings.latest >= since),
            Bound::Until => self.range.until.is_none_or(|until| readings.earliest >= until),
        })
    }
}

fn now() -> i128 {
    let nanoseconds = |duration: std::time::Duration| duration.as_nanos() as i128;
    match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => nanoseconds(since),
        Err(error) => -nanoseconds(error.duration()),
    }
}
