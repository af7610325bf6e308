//! Back from a cursor: the lines of its file that come before it, for readers that page to older ones.

use std::fs::File;
use std::io;
use std::time::Duration;

use super::backfill::Backfill;
use super::follower::{EndKind, Follower, Phase, Step};
use super::log::open::OpenLog;
use super::position::Position;
use super::resume::{ResumePoint, find, list};
use super::root::Log;
use crate::protocol::event::Missing;
use crate::protocol::request::Lines;

impl Follower {
    /// The last `lines` lines before `position` and nothing else, in `file`, which `log` led to, or in the generation of it
    /// that holds the position. If none does, a gap is reported, then the end.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn before(log: Log, file: File, position: &Position, lines: Lines) -> io::Result<Box<Follower>> {
        let mut follower = Follower::at_start(log, file, false, Duration::ZERO)?;
        let siblings = list(&follower.log)?;
        match find(&follower, position, 0, &siblings)? {
            ResumePoint::Log => follower.end_at(position.offset, lines),
            ResumePoint::Generation(file) | ResumePoint::Copy { copy: file, .. } => {
                follower.open = OpenLog::new(file)?;
                follower.open.since = position.changed;
                follower.end_at(position.offset, lines);
            }
            ResumePoint::Truncated(_) => follower.report_lost(Missing::Truncated),
            ResumePoint::Nowhere => follower.report_lost(Missing::Cursor),
        }
        Ok(follower)
    }

    fn end_at(&mut self, offset: u64, lines: Lines) {
        self.set_end(offset);
        self.phase = Phase::Backfilling(Backfill::new(lines, offset));
    }

    /// What was asked for is not to be found: a gap, then the end.
    pub(super) fn report_lost(&mut self, missing: Missing) {
        self.set_end(0);
        self.queued.extend([Step::Started, Step::Gap(missing, None), Step::Ended]);
    }

    fn set_end(&mut self, offset: u64) {
        self.opened = offset;
        let end = self.end.as_mut().expect("it does not follow");
        (end.size, end.kind) = (offset, EndKind::Cursor);
    }
}
