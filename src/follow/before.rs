//! Back from a cursor: the lines of its file that come before it, for readers that page to older ones.

use std::io;
use std::time::Duration;

use super::backfill::Backfill;
use super::follower::{EndKind, Follower, Phase, Step};
use super::log::file::File;
use super::log::open::OpenLog;
use super::position::Position;
use super::resume::{ResumePoint, find, list};
use super::root::Log;
use super::wanted::Way;
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
        follower.look_for(position.clone(), Way::Back(lines))?;
        Ok(follower)
    }

    pub(super) fn back_from(&mut self, position: &Position, lines: Lines) -> io::Result<()> {
        let siblings = list(&self.log)?;
        match find(self, position, 0, &siblings)? {
            ResumePoint::Log => self.end_at(position.offset, lines),
            ResumePoint::Generation(file) | ResumePoint::Copy { copy: file, .. } => {
                self.open = OpenLog::new(file)?;
                self.open.since = position.changed;
                self.end_at(position.offset, lines);
            }
            ResumePoint::Truncated(_) => self.report_lost(Missing::Truncated),
            ResumePoint::CutOff(_) | ResumePoint::Nowhere => self.report_lost(Missing::Cursor),
        }
        Ok(())
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
