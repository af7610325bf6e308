//! At the end of a file: where the log's name leads now, and how the follower goes on to the next file.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use super::arrivals::{Count, NameCount};
use super::follower::{Doubted, End, Follower, GONE, Noticed, Phase, Step, Writer};
use super::generations::list::{self, Siblings};
use super::generations::memory::Older;
use super::generations::search::{Departure, Passage, Search, Whereabouts};
use super::held_files::{Ahead, Next, Sighted, Turn};
use super::log::file::File;
use super::log::open::{Glance, OpenLog};
use super::log::status::Status;
use super::nuls::Nuls;
use super::position::Identity;
use super::root::is_shortage;
use super::unused::LastOf;
use crate::protocol::event::Missing;

/// How often files are listed again before one is believed to be missing.
const MOST_DOUBTS: u32 = 4;

/// Where the log's name was found to lead.
enum NameTarget {
    /// To the open file; whether no link leads there that could be switched.
    Open(bool),
    /// To the youngest of the files ahead.
    Ahead,
    Nowhere,
    New(File),
}

impl Follower {
    /// At the end of the open file: does the log's name still lead to it?
    pub(super) fn check_name(&mut self, now: Instant) -> io::Result<Step> {
        if matches!(self.phase, Phase::Passing(_)) {
            return self.leave(now);
        }
        // Nobody writes to a compressed file.
        if self.end.is_some() || self.open.file.is_compressed() {
            if self.owes_last(LastOf::Stream) {
                return Ok(Step::Busy);
            }
            return Ok(self.ended());
        }
        let before = self.open.since;
        let Some(status) = self.open.check()? else { return Ok(Step::Busy) };
        let was_settled = matches!(self.phase, Phase::Current) && self.counted.is_some();
        let counted = if was_settled { self.counted } else { self.count() };
        match self.find_name(&status)? {
            NameTarget::Open(is_direct) => {
                self.counted = counted;
                self.stay(is_direct, now)
            }
            NameTarget::Ahead | NameTarget::Nowhere if self.doubted.is_some() => {
                self.join_doubted(self.noticed(self.departure(before)?, now), now)?;
                Ok(Step::Busy)
            }
            NameTarget::Ahead => {
                if let Phase::Leaving { ahead, .. } = &mut self.phase {
                    ahead.note_newest()?;
                }
                self.leave_if_due(now)
            }
            NameTarget::Nowhere => self.miss(self.departure(before)?, now),
            NameTarget::New(file) => {
                self.sight(Sighted::now(file)?, self.departure(before)?, now)?;
                // Between the last read and now the old file may have grown: it is read to its end once more.
                Ok(Step::Busy)
            }
        }
    }

    /// How the open file lost the name. It is asked after the name was looked up: the rename may have come in between.
    fn departure(&self, before: i64) -> io::Result<Departure> {
        Ok(Departure::of(&self.open.file.status()?, before))
    }

    fn find_name(&self, open: &Status) -> io::Result<NameTarget> {
        match self.log.locate_other(open) {
            Ok(None) => Ok(NameTarget::Open(true)),
            Ok(Some(located)) if located.status.is_same(open) => Ok(NameTarget::Open(located.is_direct)),
            Ok(Some(located)) => match &self.phase {
                Phase::Leaving { ahead, .. } if ahead.leads_to(&located.status) => Ok(NameTarget::Ahead),
                _ => self.log.open_located(located).map(NameTarget::New),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(NameTarget::Nowhere),
            Err(error) => Err(error),
        }
    }

    fn leave_if_due(&mut self, now: Instant) -> io::Result<Step> {
        let is_due = matches!(self.phase, Phase::Leaving { .. }) && self.due().is_some_and(|due| due <= now);
        if is_due { self.leave(now) } else { Ok(Step::Quiet) }
    }

    /// The end is reached; perhaps it was passed by what is to be passed over.
    pub(super) fn ended(&mut self) -> Step {
        if self.open.owes_damage() {
            self.skip = 0;
            self.queued.push_back(Step::Ended);
            return Step::Gap(Missing::Damaged, None);
        }
        if let Some(cut) = self.cut_off() {
            self.skip = 0;
            self.queued.push_back(Step::Ended);
            return Step::Gap(Missing::Truncated, Some(cut));
        }
        if std::mem::take(&mut self.skip) == 0 {
            return Step::Ended;
        }
        self.queued.push_back(Step::Ended);
        Step::Gap(Missing::Cursor, None)
    }

    /// How many bytes the file lacks before the end that it had: it was truncated, or a copy was made of it before they were
    /// written.
    fn cut_off(&self) -> Option<u64> {
        let is_of_open = |end: &End| end.file.status().is_ok_and(|status| status.is_same(&self.open.status));
        self.end.as_ref().filter(|end| !end.file.is_compressed() && is_of_open(end))?;
        self.before_end().filter(|lacking| *lacking > 0)
    }

    pub(super) fn until(&self) -> Option<i64> {
        self.end.as_ref().map(|end| end.newest)
    }

    /// Whether the log's name leads to that file, or to another one; `None` when it leads nowhere. For a reader that does
    /// not follow it is where the name led to in the beginning.
    pub(super) fn leads_to(&self, file: &File) -> io::Result<Option<bool>> {
        let current = match &self.end {
            Some(end) => end.file.status(),
            None => self.log.locate().map(|located| located.status),
        };
        match current {
            Ok(current) => Ok(Some(file.status()?.is_same(&current))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The name leads nowhere, as it does for a moment in every rotation.
    fn miss(&mut self, departure: Departure, now: Instant) -> io::Result<Step> {
        match &mut self.phase {
            Phase::Leaving { .. } => return self.leave_if_due(now),
            Phase::Missing { noticed, is_reported } => {
                if !*is_reported && noticed.at + GONE <= now {
                    *is_reported = true;
                    return Ok(Step::Waiting);
                }
            }
            _ => {
                let noticed = Noticed { at: now, departure };
                self.phase = Phase::Missing { noticed, is_reported: false };
            }
        }
        Ok(Step::Quiet)
    }

    /// The name leads to the open file, and there is nothing new in it.
    fn stay(&mut self, is_direct: bool, now: Instant) -> io::Result<Step> {
        if let Phase::Leaving { ahead, .. } = &self.phase {
            // A rotation was taken back; what had been written to the new file meanwhile is destroyed.
            let left = ahead.give_up(|file| self.memory.pass_over(file))?;
            self.report_destroyed(left);
        }
        self.phase = Phase::Current;
        self.is_settled = is_direct;
        self.open.note_current();
        if let Some(doubted) = &self.doubted {
            let left = self.memory.pass_over(&doubted.sighted.file)?;
            self.report_destroyed(left);
            self.doubted = None;
        }
        if std::mem::take(&mut self.skip) > 0 {
            // What the client had is not there any more.
            return Ok(Step::Gap(Missing::Cursor, None));
        }
        if self.memory.is_due(now) {
            let siblings = list::list(&self.log)?;
            self.report_late(&siblings, None)?;
            self.log.rest();
        }
        Ok(self.queued.pop_front().unwrap_or(Step::Quiet))
    }

    fn report_destroyed(&mut self, bytes: Option<u64>) {
        if bytes != Some(0) {
            self.queued.push_back(Step::Gap(Missing::Replaced, bytes));
        }
    }

    /// Notes which files are beside the log while it is current: none of them comes after it.
    pub(super) fn refresh(&mut self) -> io::Result<()> {
        // It may be gone by now.
        let Ok(directory) = self.log.directory_status() else { return Ok(()) };
        if !self.memory.has_changed(directory.changed) {
            return Ok(());
        }
        let segments = self.log.segments().into_owned();
        if let Err(error) = self.log.open_directory(&segments[..segments.len().saturating_sub(1)]) {
            // It may be entered, but not listed.
            if error.kind() != io::ErrorKind::PermissionDenied {
                self.memory.forget_directory();
            }
            return Ok(());
        }
        let Ok(siblings) = list::list(&self.log) else {
            self.memory.forget_directory();
            return Ok(());
        };
        let older = self.older(&self.open.file, &self.open.glance(), &siblings);
        let noted = older.and_then(|older| self.memory.note_known(&siblings, older, &self.log));
        if noted.is_err() {
            self.memory.forget_directory();
        }
        noted
    }

    /// Where there are no creation times, the files that are beside the log are noted before anything is read: nothing but
    /// that they were there tells later that they are older.
    pub(super) fn note_first(&mut self) -> io::Result<()> {
        if self.end.is_some() || self.open.status.identity.born.is_some() {
            return Ok(());
        }
        match self.refresh() {
            Err(error) if is_shortage(&error) => Err(error),
            // It is tried again when the log is silent.
            _ => Ok(()),
        }
    }

    /// Which siblings are known to be older than `log`: all of them while the name leads to it. What was written to it
    /// since that glance may have been copied and truncated, though, if it does not begin as it did then; and it may have
    /// been rotated away.
    pub(super) fn older(&self, log: &File, glance: &Glance, siblings: &Siblings) -> io::Result<Older> {
        let status = log.status()?;
        let is_current = siblings.find(&status).is_none() && self.leads_to(log)? == Some(true);
        let is_whole =
            || Ok::<_, io::Error>(status.size >= glance.status.size && glance.is_recognizable() && glance.is_of(log)?);
        if is_current && (status.is_unchanged(&glance.status) || is_whole()?) {
            return Ok(Older::All);
        }
        // What was done to a file after it lost the name (a late write, a touch) does not make others older.
        let changed = glance.status.changed;
        let changed = if is_current { changed } else { changed.min(self.open.since) };
        Ok(Older::Than { born: status.identity.born, changed, is_current })
    }

    /// Reports what was written to files after they were left. `current`: one that is about to be read.
    fn report_late(&mut self, siblings: &Siblings, current: Option<Identity>) -> io::Result<()> {
        let mut pending = self.pending();
        pending.extend(current);
        let grown = self.memory.grown(siblings, &self.log, &pending)?;
        self.queued.extend(grown.map(|bytes| Step::Gap(Missing::Replaced, Some(bytes))));
        Ok(())
    }

    /// The name leads to a file that was not seen before.
    fn sight(&mut self, current: Sighted, departure: Departure, now: Instant) -> io::Result<()> {
        let noticed = self.noticed(departure, now);
        let is_same = |doubted: &Doubted| doubted.sighted.glance.status.is_same(&current.glance.status);
        if self.doubted.as_deref().is_some_and(|doubted| !is_same(doubted)) {
            self.join_doubted(noticed, now)?;
        }
        let (arrivals, counted) = self.arrivals(&current.file)?;
        let was_renamed = match (&self.names, self.counted) {
            (Some(names), Some((_, number))) if arrivals.is_some() => names.was_renamed(number),
            _ => false,
        };
        self.join(current, Passage { departure: None, arrivals, was_renamed }, counted, noticed, now)
    }

    /// When and how the open file was first seen not to have the name any more.
    fn noticed(&self, departure: Departure, now: Instant) -> Noticed {
        match &self.phase {
            Phase::Missing { noticed, .. } | Phase::Leaving { noticed, .. } => *noticed,
            _ => Noticed { at: now, departure },
        }
    }

    /// A file lost the name while it was in doubt what comes before it. Should this fail, it stays held.
    fn join_doubted(&mut self, noticed: Noticed, now: Instant) -> io::Result<()> {
        let Some(doubted) = &mut self.doubted else { return Ok(()) };
        doubted.tries = MOST_DOUBTS;
        let (sighted, counted) = (doubted.sighted.clone(), doubted.counted);
        self.join(sighted, Passage::default(), counted, noticed, now)
    }

    /// The file is held from now on, and what lies between it and the youngest file so far is listed.
    fn join(
        &mut self,
        current: Sighted,
        passage: Passage,
        counted: Option<Count>,
        noticed: Noticed,
        now: Instant,
    ) -> io::Result<()> {
        let (newest, departure) = match &self.phase {
            Phase::Leaving { ahead, .. } => (ahead.newest().unwrap_or(&self.open.file), None),
            _ => (self.file(), Some(noticed.departure)),
        };
        let is_there = newest.status()?.links > 0;
        let sighted = current.clone();
        let tries = self.doubted.as_ref().map_or(0, |doubted| doubted.tries);
        let (later, siblings) = match self.find_later(current, Passage { departure, ..passage }) {
            Ok((later, _)) if later.has_guessed_gap() && is_there && tries < MOST_DOUBTS => {
                // Perhaps files are being renamed one after the other: they are listed again.
                let doubted = Doubted { sighted, counted, tries: tries + 1, is_unpacking: false };
                self.hold(doubted, noticed);
                return Err(io::ErrorKind::Interrupted.into());
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.hold(Doubted { sighted, counted, tries, is_unpacking: true }, noticed);
                return Err(error);
            }
            found => found?,
        };
        self.note_known(&later, &siblings)?;
        (self.doubted, self.counted) = (None, counted);
        let mut ahead = match std::mem::replace(&mut self.phase, Phase::Current) {
            Phase::Leaving { ahead, .. } => ahead,
            _ => Ahead::default(),
        };
        ahead.append(later);
        let held = ahead.hold(&self.log, &siblings);
        self.phase = Phase::Leaving { noticed, grown: now, ahead };
        self.log.rest();
        held
    }

    /// What comes after the youngest file so far, up to and with `current`, and the siblings.
    fn find_later(&mut self, current: Sighted, passage: Passage) -> io::Result<(Ahead, Siblings)> {
        // Without its directory the log can still be read as far as it is held.
        let siblings = self.siblings_if_any()?.unwrap_or_default();
        self.report_late(&siblings, Some(current.glance.status.identity))?;
        let newest = match &self.phase {
            Phase::Leaving { ahead, .. } => ahead.newest().unwrap_or(&self.open.file),
            _ => self.file(),
        };
        let later = self.between(newest, passage, current, &siblings)?;
        Ok((later, siblings))
    }

    /// Holds the file to which the name led until it is known what comes before it.
    #[inline(never)]
    fn hold(&mut self, doubted: Doubted, noticed: Noticed) {
        self.doubted = Some(Box::new(doubted));
        if !matches!(self.phase, Phase::Leaving { .. }) {
            self.phase = Phase::Missing { noticed, is_reported: false };
        }
    }

    /// What comes after `from`, up to and with `to`, which the log's name leads to.
    pub(super) fn between(&self, from: &File, passage: Passage, to: Sighted, siblings: &Siblings) -> io::Result<Ahead> {
        let after = Some(self.open.since).filter(|_| !self.memory.is_listed());
        let Passage { departure, arrivals, was_renamed } = passage;
        let is_exact = arrivals.is_some();
        let is_next = arrivals.as_ref().is_some_and(Vec::is_empty);
        let seen = Some(to.glance.status.changed);
        // An older generation may have been given the log's name again: what was read of it is not read again.
        let read = self.memory.place_in(&to.file)?;
        let rewritten = match read {
            None if std::ptr::eq(from, self.file()) => self.rewritten(&to.file, siblings)?,
            _ => None,
        };
        let search = Search {
            from: Some(from),
            departure,
            seen,
            after,
            arrivals,
            was_renamed,
            is_rewritten: rewritten.is_some(),
            ..self.search(&to.file, siblings)
        };
        let between = search.run()?;
        let mut ahead = Ahead::default();
        for (sibling, gap) in between.generations {
            ahead.push_found(sibling, gap, &self.log)?;
        }
        let start = read.or(rewritten.filter(|_| ahead.is_empty()));
        // The same log rewritten, as an editor does it, and nothing came between.
        let gap = between.gap.filter(|_| start.is_none() || !is_next);
        ahead.push(Next::sighted(to, start.unwrap_or(0), gap));
        if is_exact || between.has_unreadable {
            ahead.note_certain();
        }
        Ok(ahead)
    }

    /// From now on the files that are given the log's name are counted, or not.
    pub(crate) fn count_names(&mut self, names: Option<Arc<dyn NameCount>>) {
        self.names = names;
    }

    fn count(&self) -> Option<Count> {
        let names = self.names.as_ref()?;
        names.count()?;
        list::await_reports(&self.log);
        names.count()
    }

    /// The files that were given the log's name after the one before was seen, and have lost it again; `None` where that is
    /// not known. With the count up to `current`, which has the name now.
    fn arrivals(&self, current: &File) -> io::Result<(Option<Vec<Whereabouts>>, Option<Count>)> {
        let count = self.count();
        let came = self.counted.zip(count).filter(|(before, count)| before.0 == count.0 && before.1 != count.1);
        let came = match came {
            Some((before, _)) => self.find_departed(before.1)?,
            None => None,
        };
        if self.leads_to(current)? != Some(true) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        Ok((came, count))
    }

    /// The files that departed since, under the names they have now.
    fn find_departed(&self, since: u32) -> io::Result<Option<Vec<Whereabouts>>> {
        // They may be renamed while they are looked up.
        const TRIES: usize = 4;
        let Some(names) = &self.names else { return Ok(None) };
        let mut departed = names.departed(since);
        for _ in 0..TRIES {
            let Some(arrivals) = departed else { return Ok(None) };
            let found =
                arrivals.iter().map(|arrival| Whereabouts::find(&self.log, arrival)).collect::<io::Result<_>>()?;
            departed = names.departed(since);
            // Others may have departed since: they come after the file that the name led to.
            if departed.as_ref().is_some_and(|again| again.starts_with(&arrivals)) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The files that are being read, or will be.
    fn pending(&self) -> Vec<Identity> {
        let mut pending = vec![self.open.status.identity];
        if let Phase::Leaving { ahead, .. } | Phase::Passing(ahead) | Phase::Turning(ahead) = &self.phase {
            pending.extend(ahead.identities());
        }
        pending
    }

    pub(super) fn search<'s>(&'s self, to: &'s File, siblings: &'s Siblings) -> Search<'s> {
        let (log, memory, until) = (&self.log, &self.memory, self.until());
        Search {
            pending: self.pending(),
            log,
            siblings,
            memory,
            from: None,
            departure: None,
            to,
            seen: None,
            after: None,
            until,
            arrivals: None,
            was_renamed: false,
            is_rewritten: false,
            read: None,
        }
    }

    /// All siblings are older than the file that the name leads to, but for those that are named after it: it may have
    /// been rotated away by now.
    fn note_known(&mut self, ahead: &Ahead, siblings: &Siblings) -> io::Result<()> {
        let Some((newest, glance)) = ahead.newest_glance() else { return Ok(()) };
        let older = self.older(newest, glance, siblings)?;
        self.memory.note_known(siblings, older, &self.log)
    }

    /// Goes on to the next file.
    pub(super) fn leave(&mut self, now: Instant) -> io::Result<Step> {
        if self.nuls.release(&self.open)? {
            return Ok(Step::Busy);
        }
        self.check_chain()?;
        match self.check_copies(now)? {
            Some(step) => Ok(step),
            None if self.owes_last(LastOf::Generation) => Ok(Step::Busy),
            None => self.go_on(now),
        }
    }

    /// Opens the first of the files ahead in the place of the open one.
    pub(super) fn go_on(&mut self, now: Instant) -> io::Result<Step> {
        if !self.open_first()? {
            return Ok(Step::Busy);
        }
        if let Some(finished) = self.enter()?
            && !finished.status.is_same(&self.open.status)
            && !matches!(&self.phase, Phase::Passing(ahead) if ahead.has_truncated(&finished.status))
        {
            let is_ahead = matches!(&self.phase, Phase::Passing(ahead) if ahead.contains(&finished.status));
            self.memory.finish(&finished, is_ahead, now);
        }
        Ok(Step::Busy)
    }

    /// Opens the first file ahead; whether it is there.
    pub(super) fn open_first(&mut self) -> io::Result<bool> {
        let log = &self.log;
        let (Phase::Leaving { ahead, .. } | Phase::Passing(ahead) | Phase::Turning(ahead)) = &mut self.phase else {
            return Ok(false);
        };
        ahead.open_first(log, || list::list(log))?;
        // The log's name may have led to it before, too: no file is read twice.
        if let Some(file) = ahead.first().and_then(Next::file)
            && let Some(place) = self.memory.place_in(file)?
        {
            ahead.skip_in_first(place);
        }
        let is_held = ahead.first().map(|next| next.file().is_some());
        if is_held.is_none() {
            // Everything that was known is gone: the name is checked anew.
            self.queued.push_back(Step::Gap(Missing::Expired, None));
            self.phase = Phase::Current;
        }
        Ok(is_held == Some(true))
    }

    /// The siblings; `None` when the log's directory is gone.
    pub(super) fn siblings_if_any(&self) -> io::Result<Option<Siblings>> {
        match list::list(&self.log) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            result => result.map(Some),
        }
    }

    /// A file seems to be missing, but may only be between two names: an error unless that was found often enough.
    pub(super) fn doubt(&mut self) -> io::Result<()> {
        if self.doubts == MOST_DOUBTS {
            return Ok(());
        }
        self.doubts += 1;
        Err(io::ErrorKind::Interrupted.into())
    }

    /// A gap that was found when the name was seen to lead elsewhere may have been no more than a rotation under way:
    /// before it is reported the files are listed again.
    fn check_chain(&mut self) -> io::Result<()> {
        let (ahead, departure) = match &self.phase {
            Phase::Leaving { noticed, ahead, .. } => (ahead, Some(noticed.departure)),
            Phase::Passing(ahead) => (ahead, None),
            _ => return Ok(()),
        };
        let is_guess = |next: &&Next| {
            let is_file = matches!(next.turn, Turn::Rotated(..));
            is_file && matches!(next.gap, Some((_, None))) && !next.is_certain
        };
        let Some(next) = ahead.first().filter(is_guess) else { return Ok(()) };
        let Some(file) = next.file() else { return Ok(()) };
        // Without its directory the log can still be read as far as it is held.
        let Some(siblings) = self.siblings_if_any()? else { return Ok(()) };
        let from = Some(self.file());
        let is_shown = Search { from, departure, ..self.search(file, &siblings) }.is_shown()?;
        let may_be_renamed = siblings.find(&self.open.status).is_some_and(|sibling| sibling.rotated.is_ordered());
        match &mut self.phase {
            Phase::Leaving { ahead, .. } | Phase::Passing(ahead) if is_shown => ahead.clear_first_gap(),
            // Numbers are shifted one after the other.
            Phase::Passing(_) if may_be_renamed => self.doubt()?,
            _ => {}
        }
        Ok(())
    }

    /// Opens the first of the files ahead in the place of the open one, which is returned.
    pub(super) fn enter(&mut self) -> io::Result<Option<OpenLog>> {
        let is_rotation = matches!(self.phase, Phase::Leaving { .. });
        let (Phase::Leaving { ahead, .. } | Phase::Passing(ahead) | Phase::Turning(ahead)) = &mut self.phase else {
            return Ok(None);
        };
        let Some(next) = ahead.first() else { return Ok(None) };
        let (gap, is_truncated, opened) =
            (next.gap, matches!(next.turn, Turn::Truncated(..)), next.opened.unwrap_or(0));
        let was_truncated = next.was_truncated()?;
        let open = next.open(ahead.len() == 1)?;
        ahead.pop();
        let ahead = std::mem::take(ahead);
        self.phase = if ahead.is_empty() { Phase::Current } else { Phase::Passing(ahead) };
        if self.open.owes_damage() {
            self.queued.push_back(Step::Gap(Missing::Damaged, None));
        }
        self.queued.extend(gap.map(|(missing, bytes)| Step::Gap(missing, bytes)));
        self.queued.push_back(if is_truncated { Step::Truncated } else { Step::Rotated });
        self.log.release(&open.file);
        self.log.rest();
        let finished = std::mem::replace(&mut self.open, open);
        self.passed = (self.passed + finished.offset).saturating_sub(self.open.offset);
        let tells_age = !self.memory.are_copies && !self.open.file.is_compressed();
        if let Some(born) = self.open.status.identity.born.filter(|_| tells_age) {
            // Somebody may have set its modification time to one that is older.
            self.open.since = self.open.since.max(born);
        }
        (self.unused, self.unmatched) = (None, Vec::new());
        if is_truncated {
            // For a moment a truncated file has its new size and still its old change time. One that was rotated away, too,
            // may have been written to after the next file was created.
            let is_current = matches!(self.leads_to(&self.open.file), Ok(Some(true)));
            self.open.since = if is_current { self.open.since.max(finished.since) } else { finished.since };
        }
        // A copy may be followed by the hole that a writer without O_APPEND leaves, and a generation may be a copy.
        self.open.is_fresh = (is_truncated || !is_rotation) && self.open.offset == 0;
        // A line that was awaited is one of the file that is left.
        (self.opened, self.awaited, self.writer, self.nuls) = (opened, None, Writer::Writes, Nuls::default());
        (self.was_truncated, self.last_copy, self.doubts) = (was_truncated, None, 0);
        Ok(Some(finished))
    }
}
