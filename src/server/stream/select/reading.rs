//! Reads the log for a filter: waits for a permit to look through old bytes, passes over what is known to have no match,
//! and judges what comes before the first block.

use std::io;
use std::time::Instant;

use super::query::{self, SAMPLE};
use super::selecting::{OwnedEvent, Selecting};
use crate::follow::read_up_to;
use crate::protocol::log_event::LogEvent;
use crate::select::WARM_UP;
use crate::server::scans::AGAIN;
use crate::server::stream::event::Data;
use crate::server::stream::source::{LogSource, SourceError};

/// A stream that is more bytes behind than this looks through old bytes.
const FAR: u64 = 1 << 20;
/// From so many bytes on, a log without times is one that has none.
const LEARNED: usize = 4096;

impl Selecting {
    /// Reads the log once.
    pub(super) fn read(&mut self, source: &mut LogSource, now: Instant) -> Result<(), SourceError> {
        if !self.is_live(source) && !self.scan.may_run() {
            self.selector.rest();
            source.delay(now + AGAIN);
            self.report_progress(source, false, now);
            return Ok(());
        }
        self.pass_unmatched(source);
        let begun = Instant::now();
        let Some(event) = source.next(now)? else {
            let (searched, took) = (source.follower().searched_back(), begun.elapsed());
            if searched > 0 {
                self.pace.note(took);
                source.follower_mut().pace_search(self.pace.block());
            }
            self.scan.note(searched.saturating_sub(self.searched) as usize, took);
            self.searched = searched;
            self.report_progress(source, false, now);
            return Ok(());
        };
        match event.what {
            LogEvent::Data(Data { content, last, .. }) => {
                let length = content.length();
                drop(content);
                match if self.is_cold { self.warm_up(source) } else { Ok(true) } {
                    Ok(true) => self.judge(source, length, last, now),
                    Ok(false) => {}
                    // A compressed file is unpacked up to there once more.
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => {
                        let what = owned(source.fail(error, now)?.what);
                        self.push(what);
                    }
                }
            }
            what => {
                let what = owned(what);
                self.pass(what, source, now);
            }
        }
        Ok(())
    }

    /// Passes over what the search for the first line found to have no match.
    fn pass_unmatched(&mut self, source: &mut LogSource) {
        if !self.is_cold && self.opened.is_none() && self.selector.may_pass_over() {
            // If it cannot be read now, it is tried again in the usual way.
            let passed = source.follower_mut().pass_unmatched(WARM_UP as u64).unwrap_or(0);
            if passed > 0 {
                self.selector.pass_over(passed);
                self.is_cut = false;
            }
        }
    }

    /// Whether the stream follows the end of the log: it does not look through old bytes, nor is it far behind, nor does it
    /// unpack files. Then it gives back its permit to do so.
    fn is_live(&mut self, source: &LogSource) -> bool {
        let follower = source.follower();
        let is_live =
            !(follower.is_searching() || follower.is_unpacking() || source.is_behind() && follower.is_far_behind(FAR));
        if is_live {
            self.scan.stop();
        }
        is_live
    }

    /// Judges what comes before the first block, so that the context and the entry of what follows are known. Whether the
    /// block can be judged now; else it comes again.
    fn warm_up(&mut self, source: &mut LogSource) -> io::Result<bool> {
        let follower = source.follower_mut();
        let Some(before) = follower.bytes_before(WARM_UP)? else { return Ok(false) };
        let is_whole = before.len() as u64 == follower.place();
        let line = memchr::memrchr(b'\n', &before).unwrap_or(0);
        // Only the beginning of the line matters where lines do not depend on others.
        let is_enough = !self.query.filter().has_history() && line > 0;
        let back = if is_enough {
            self.selector.warm_up(&before[line..], false)
        } else {
            self.selector.warm_up(&before, is_whole)
        };
        self.is_cold = false;
        if back > 0 {
            follower.go_back(back)?;
        }
        Ok(back == 0)
    }

    /// A log that was nearly empty when the stream began may show its times only now.
    pub(super) fn learn(&mut self, source: &LogSource) {
        let may_grow = !source.follower().file().is_compressed();
        if may_grow && self.learned < LEARNED && self.query.filter().has_entries() {
            // If it cannot be read now, it is tried again with the next block.
            let sample = read_up_to(source.follower().file(), 0, SAMPLE).unwrap_or_default();
            self.learned = self.learned.max(sample.len());
            self.selector.learn_entries(query::entries(&sample));
        }
    }
}

/// An event that is no data.
fn owned(what: LogEvent<Data<'_>>) -> OwnedEvent {
    match what {
        LogEvent::Opened { size, left, is_awaited, lost } => LogEvent::Opened { size, left, is_awaited, lost },
        LogEvent::Checkpoint => LogEvent::Checkpoint,
        LogEvent::Rotated => LogEvent::Rotated,
        LogEvent::Truncated => LogEvent::Truncated,
        LogEvent::Gap { reason, bytes } => LogEvent::Gap { reason, bytes },
        LogEvent::Gone => LogEvent::Gone,
        LogEvent::Unreadable(cause) => LogEvent::Unreadable(cause),
        LogEvent::End => LogEvent::End,
        _ => LogEvent::Quiet,
    }
}
