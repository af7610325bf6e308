//! Which files come between two generations of a log: in which order they are read, and where a gap is reported because one
//! may be missing. The rules are argued in the documentation of [`crate::follow`].

use std::collections::{HashMap, HashSet};
use std::io;

use super::ends::{Ends, Relation};
use super::judge::PAUSE;
use super::list::Sibling;
use super::search::{Search, Whereabouts};
use crate::follow::log::status::{Status, TICK};
use crate::protocol::event::Missing;
use crate::rotated_name::{NameStamp, Rotated};

/// What a search found: generations, oldest first, each with the gap that stands before it.
#[derive(Debug, Default)]
pub(in crate::follow) struct Between {
    pub generations: Vec<(Sibling, Option<Missing>)>,
    /// The gap before the younger file.
    pub gap: Option<Missing>,
    /// Some that were found cannot be read: their gaps are no guesses.
    pub has_unreadable: bool,
    /// A number is missing. It may only be missing for a moment: numbers are shifted one after the other.
    pub misses_number: bool,
}

/// The siblings that were found, and whether each can be read; and the name of what became of the older file, if that was
/// compressed.
type FoundSiblings<'f> = (Vec<(&'f Sibling, bool)>, Option<&'f Rotated>);

/// A file, as far as is needed to tell whether a generation may be missing after it.
struct Link<'l> {
    rotated: Option<&'l Rotated>,
    /// When it was renamed or deleted.
    departed: i64,
    is_deleted: bool,
}

/// Counters beyond that are not taken for an unbroken series.
const LONGEST_SERIES: u64 = 10_000;

impl Link<'_> {
    fn is_ordered(&self) -> bool {
        self.rotated.is_some_and(Rotated::is_ordered)
    }
}

impl Between {
    fn has(&self, status: &Status) -> bool {
        self.generations.iter().any(|(sibling, _)| sibling.status.is_same(status))
    }
}

impl Search<'_> {
    /// Finds them.
    ///
    /// # Errors
    /// As [`Sibling::open`].
    pub fn run(&self) -> io::Result<Between> {
        let ends = Ends::of(self)?;
        if let Some(arrivals) = &self.arrivals {
            return self.run_reported(arrivals, &ends);
        }
        let (found, compressed) = self.search(&ends, |_| true)?;
        Ok(self.link(&found, compressed, &ends))
    }

    /// What was reported to have come.
    fn run_reported(&self, arrivals: &[Whereabouts], ends: &Ends<'_>) -> io::Result<Between> {
        let elsewhere =
            arrivals.iter().filter(|arrived| matches!(arrived, Whereabouts::Moved | Whereabouts::Replaced)).count();
        let found = if elsewhere > 0 { self.find_moved(arrivals, elsewhere, ends)? } else { Vec::new() };
        let mut moved = found.into_iter().peekable();
        let readable = |(sibling, is_readable): (&Sibling, bool)| is_readable.then(|| sibling.clone());
        // That a log is deleted is reported even if nothing came between.
        let mut gap = (ends.is_deleted && !self.was_renamed).then_some(Missing::Replaced);
        let mut between = Between::default();
        for arrived in arrivals {
            let found = match arrived {
                // It was given the name more than once.
                Whereabouts::At(sibling) if ends.is_end_or_pending(self, &sibling.status) => continue,
                Whereabouts::At(sibling) if between.has(&sibling.status) => continue,
                // It was read before, and given the name again; what was added to it then is a late line.
                Whereabouts::At(sibling) if self.memory.has_finished(sibling, self.log)? => continue,
                Whereabouts::At(sibling) => Some(Sibling::clone(sibling)),
                Whereabouts::Moved => moved.next_if(|(sibling, _)| !sibling.is_beside(self.log)).and_then(readable),
                Whereabouts::Replaced => moved.next().and_then(readable),
                Whereabouts::Gone => None,
            };
            match found {
                Some(sibling) => between.generations.push((sibling, gap.take())),
                None => gap = gap.or(Some(Missing::Expired)),
            }
        }
        between.gap = gap;
        Ok(between)
    }

    /// Files that may be those that were moved to other directories: so many at most, where they are not empty. Those that
    /// are compressed only if that makes them as many.
    fn find_moved<'f>(
        &'f self,
        arrivals: &[Whereabouts],
        count: usize,
        ends: &Ends<'f>,
    ) -> io::Result<Vec<(&'f Sibling, bool)>> {
        let is_other = |sibling: &Sibling| !arrivals.iter().any(|arrived| arrived.is(&sibling.status));
        let mut moved = self.search(ends, is_other)?.0;
        if moved.len() != count {
            moved.retain(|(_, is_readable)| *is_readable);
        }
        // An empty file may be a generation. Where there are too many it is not one, or nothing is lost with it.
        while moved.len() > count
            && let Some(empty) = moved.iter().position(|(sibling, _)| sibling.status.size == 0)
        {
            moved.remove(empty);
        }
        Ok(moved)
    }

    /// The siblings that come between, oldest first, and whether they can be read.
    fn search<'f>(&'f self, ends: &Ends<'f>, is_wanted: impl Fn(&Sibling) -> bool) -> io::Result<FoundSiblings<'f>> {
        let mut found: Vec<(&Sibling, bool)> = Vec::new();
        for (sibling, is_known) in self.siblings.list.iter().zip(&ends.known) {
            let place = if *is_known || !is_wanted(sibling) { Relation::Outside } else { ends.place(self, sibling) };
            if place != Relation::Outside
                && let Some(is_readable) = self.judge(sibling, place, ends)?
            {
                found.push((sibling, is_readable));
            }
        }
        self.sort(&mut found, ends);
        // A file may have several names.
        let mut seen = HashSet::new();
        found.retain(|(sibling, _)| seen.insert(sibling.status.identity));
        let compressed = self.drop_compressed(&mut found, ends);
        Ok((found, compressed))
    }

    /// Whether nothing can be missing between the two files, if nothing was found between them.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn is_shown(&self) -> io::Result<bool> {
        let ends = Ends::of(self)?;
        Ok(self.link(&[], None, &ends).gap.is_none())
    }

    /// By name those that are named like most of them; the others where their times put them.
    pub(super) fn sort(&self, found: &mut Vec<(&Sibling, bool)>, ends: &Ends<'_>) {
        let start = |sibling: &Sibling| sibling.status.start();
        let mut alike = HashMap::new();
        found.iter().for_each(|(sibling, _)| *alike.entry(sibling.rotated.template()).or_insert(0) += 1);
        let like = |one: &Sibling| alike.get(one.rotated.template()).copied();
        let Some(usual) = found.iter().max_by_key(|(sibling, _)| like(sibling)).map(|(sibling, _)| *sibling) else {
            return;
        };
        let (mut alike, mut others): (Vec<_>, Vec<_>) =
            found.drain(..).partition(|(sibling, _)| sibling.rotated.is_like(&usual.rotated));
        alike.sort_by(|(one, _), (two, _)| {
            ends.compare(self, &one.rotated, &two.rotated).then(start(one).cmp(&start(two)))
        });
        others.sort_by_key(|(sibling, _)| start(sibling));
        let mut others = others.into_iter().peekable();
        for next in alike {
            while let Some(other) = others.next_if(|(other, _)| start(other) < start(next.0)) {
                found.push(other);
            }
            found.push(next);
        }
        found.extend(others);
    }

    /// Where the older file is deleted, the oldest compressed one that cannot be read is what became of it.
    fn drop_compressed<'f>(&self, found: &mut Vec<(&'f Sibling, bool)>, ends: &Ends<'_>) -> Option<&'f Rotated> {
        // It is created before the older file is deleted, and that was renamed before.
        let is_of_from = |status: &Status| status.identity.born.unwrap_or(status.changed) <= ends.departed + TICK;
        let may_be_compressed = ends.is_deleted && (self.was_renamed || self.arrivals.is_none());
        let first = found.first().filter(|(sibling, is_readable)| {
            may_be_compressed && !is_readable && sibling.rotated.is_compressed && is_of_from(&sibling.status)
        });
        first.is_some().then(|| &found.remove(0).0.rotated)
    }

    /// The gaps between them. `compressed`: the name of what became of the older file.
    fn link(&self, found: &[(&Sibling, bool)], compressed: Option<&Rotated>, ends: &Ends<'_>) -> Between {
        let mut between = Between::default();
        let rotated = compressed.or(ends.from_name);
        let first = Link { rotated, departed: ends.departed, is_deleted: ends.is_deleted };
        let (mut gap, mut last) = (None, self.from.is_some().then_some(first));
        for (sibling, is_readable) in found {
            if *is_readable {
                let hole =
                    last.as_ref().and_then(|last| self.hole(last, &sibling.status, Some(&sibling.rotated), ends));
                between.misses_number |= hole.is_some() && last.as_ref().is_some_and(Link::is_ordered);
                between.generations.push(((*sibling).clone(), gap.or(hole)));
                gap = None;
                // A compressed file has the times of a later day, but for that of its last write.
                let is_compressed = sibling.rotated.is_compressed;
                let departed = if is_compressed { sibling.status.written } else { sibling.status.changed };
                last = Some(Link { rotated: Some(&sibling.rotated), departed, is_deleted: false });
            } else if last.is_some() {
                gap = Some(Missing::Expired);
                between.has_unreadable = true;
            }
        }
        let hole = last.as_ref().and_then(|last| self.hole(last, &ends.to, ends.to_name, ends));
        between.misses_number |= hole.is_some() && last.as_ref().is_some_and(Link::is_ordered);
        between.gap = gap.or(hole);
        between
    }

    /// Whether a generation may be missing between a file and the one that was found to be the next.
    fn hole(&self, last: &Link<'_>, next: &Status, named: Option<&Rotated>, ends: &Ends<'_>) -> Option<Missing> {
        let Some(rotated) = last.rotated.filter(|_| last.is_ordered()) else {
            // A file that is gone may have been rotated and expired, and others with it. Of one that was moved elsewhere the
            // times tell, unless a late write or another rename has changed it since.
            let missing = if next.is_same(&ends.to) { Missing::Replaced } else { Missing::Expired };
            let is_first = last.departed == ends.departed && ends.is_untouched;
            let begun = next.identity.born.unwrap_or(next.changed);
            let is_broken = last.is_deleted || !is_first && begun - last.departed > PAUSE;
            return is_broken.then_some(missing);
        };
        let number = |rotated: &Rotated| match rotated.stamp {
            NameStamp::Number { number, .. } => Some(number),
            _ => None,
        };
        let (low, high) = match (number(rotated)?, named.filter(|named| named.is_like(rotated)).and_then(number)) {
            (one, Some(two)) => (one.min(two).saturating_add(1), one.max(two)),
            (one, None) if matches!(rotated.stamp, NameStamp::Number { counts_back: true, .. }) => (1, one),
            (one, None) if ends.count_back(self, rotated) => (1, one),
            _ => return None,
        };
        let is_there = |wanted: u64| {
            let mut like = self.siblings.list.iter().filter(|sibling| sibling.rotated.is_like(rotated));
            like.any(|sibling| number(&sibling.rotated) == Some(wanted))
        };
        let is_broken = high <= LONGEST_SERIES && !(low..high).all(is_there);
        is_broken.then_some(Missing::Expired)
    }
}
