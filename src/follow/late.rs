//! What a writer adds to a rotated file after it was left: it is not read any more, but it is told.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::position::Identity;
use super::siblings::Sibling;

/// The files that were left last, and how large they were.
#[derive(Debug, Default)]
pub(super) struct Late {
    left: VecDeque<(Identity, u64)>,
    /// When they are looked at next though nothing is rotated, and the pause before that.
    look: Option<(Instant, Duration)>,
}

/// How many files are remembered.
const KEPT: usize = 8;
const SHORTEST: Duration = Duration::from_secs(1);
/// After that they are looked at when the log is rotated again, and not before.
const LONGEST: Duration = Duration::from_secs(32);

impl Late {
    /// A file was read up to there and left.
    pub(super) fn remember(&mut self, left: (Identity, u64), now: Instant) {
        self.left.retain(|(identity, _)| *identity != left.0);
        if self.left.len() == KEPT {
            self.left.pop_front();
        }
        self.left.push_back(left);
        self.look = Some((now + SHORTEST, SHORTEST));
    }

    /// The file that was left last.
    pub(super) fn last(&self) -> Option<Identity> {
        self.left.back().map(|(identity, _)| *identity)
    }

    pub(super) fn was_left(&self, file: &Identity) -> bool {
        // Without a time of birth another file may bear the same number by now.
        file.born.is_some() && self.left.iter().any(|(identity, _)| identity == file)
    }

    /// Whether it is time to look at them.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let Some((_, pause)) = self.look.filter(|(due, _)| *due <= now) else { return false };
        self.look = Some((now + pause * 2, pause * 2)).filter(|(_, pause)| *pause <= LONGEST);
        true
    }

    /// When it will be.
    pub(super) fn due(&self) -> Option<Instant> {
        self.look.map(|(due, _)| due)
    }

    /// How much they have grown since they were left, or since this was asked last.
    pub(super) fn grown(&mut self, siblings: &[Sibling]) -> Option<u64> {
        let mut sum = 0;
        for (identity, size) in &mut self.left {
            if let Some(sibling) = siblings.iter().find(|sibling| sibling.status.identity == *identity) {
                sum += sibling.status.size.saturating_sub(*size);
                *size = sibling.status.size.max(*size);
            }
        }
        (sum > 0).then_some(sum)
    }
}
