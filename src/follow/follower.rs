//! Follows one log: what is appended, across rotation, truncation, deletion and re-creation, from the last lines or from
//! a cursor on. It never sleeps and never sends; the caller says what time it is and decides when to ask again.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::time::{Duration, Instant};

use super::backfill::Backfill;
use super::evidence::{Status, holds};
use super::held::{Found, Held, Nuls};
use super::late::Late;
use super::position::Position;
use super::root::{Log, is_shortage};
use super::siblings::{self, Search, Sibling};
use crate::protocol::event::Missing;
use crate::protocol::request::Lines;

/// One reader's place in a log. The file is the only buffer: nothing is read before it is asked for.
#[derive(Debug)]
pub struct Follower {
    pub(super) log: Log,
    pub(super) held: Held,
    rotate_wait: Duration,
    backfill: Option<Backfill>,
    /// The size the log had when it was opened.
    pub(super) opened: u64,
    /// Where a reader that does not follow stops.
    pub(super) end: Option<End>,
    /// Bytes that are still to be passed over: they had come before.
    pub(super) skip: u64,
    /// What is told before anything more is read.
    pub(super) told: VecDeque<Step>,
    /// The name leads elsewhere; the held file is still read for late writes.
    leaving: Option<Leaving>,
    /// A writer was seen to close the held file.
    is_closed: bool,
    /// The held file had been rotated away when it was come to: it is not waited for.
    pub(super) is_generation: bool,
    /// The log itself, which was truncated, while its copies are read.
    pub(super) truncated: Option<File>,
    /// The held file is at the start of what was written after a truncation.
    pub(super) is_fresh: bool,
    pub(super) late: Late,
    is_gone: bool,
}

/// The file, and its size, at which a reader that does not follow stops.
#[derive(Debug)]
pub(super) struct End {
    pub file: File,
    pub size: u64,
    /// Generations that were begun after that time come after the end.
    pub newest: i64,
}

/// The name leads elsewhere, or nowhere.
#[derive(Debug)]
struct Leaving {
    noticed: Instant,
    /// When the held file was last seen to grow.
    grown: Instant,
    next: Option<Next>,
}

/// What comes after the held file. It is held open from the moment it is known, so that it cannot be lost any more.
#[derive(Debug)]
struct Next {
    held: Held,
    /// What may have been lost between the two.
    missing: Option<Missing>,
}

/// What one call of [`Follower::poll`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Something was done that shows nothing yet; ask again at once.
    Busy,
    /// The place of the first line was found; bytes come next.
    Started,
    /// That many bytes stand at the head of the buffer.
    Bytes(usize),
    /// The old file is read to its end; what follows is the next file's.
    Rotated,
    /// The file has shrunk; what follows is from its start.
    Truncated,
    /// Bytes are missing here, and how many if that is known.
    Gap(Missing, Option<u64>),
    /// The log is gone; it is looked for.
    Waiting,
    /// There is nothing new; ask again later, and not later than [`Follower::due`].
    Quiet,
    /// The end that was to be reached is reached.
    Ended,
}

/// How long a file that its writer has closed must be silent to be left.
const SILENCE: Duration = Duration::from_secs(1);

impl End {
    fn of(held: &Held) -> io::Result<End> {
        Ok(End { file: held.file.try_clone()?, size: held.status.size, newest: held.status.age().start })
    }
}

impl Follower {
    /// Starts at the last `lines` lines of `file`, which `log` led to. With `tail` there is no end; a rotated file is
    /// read for late writes for as long as `rotate_wait`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn new(log: Log, file: File, lines: Lines, tail: bool, rotate_wait: Duration) -> io::Result<Follower> {
        let mut follower = Follower::at_start(log, file, tail, rotate_wait)?;
        follower.backfill = Some(Backfill::new(lines, follower.opened));
        Ok(follower)
    }

    pub(super) fn at_start(log: Log, file: File, tail: bool, rotate_wait: Duration) -> io::Result<Follower> {
        let held = Held::current(file)?;
        let size = held.status.size;
        let end = if tail { None } else { Some(End::of(&held)?) };
        Ok(Follower {
            log,
            held,
            rotate_wait,
            backfill: None,
            opened: size,
            end,
            skip: 0,
            told: VecDeque::new(),
            leaving: None,
            is_closed: false,
            is_generation: false,
            truncated: None,
            is_fresh: false,
            late: Late::default(),
            is_gone: false,
        })
    }

    /// Reads what comes next into `buffer`, or looks whether the name now leads elsewhere.
    ///
    /// # Errors
    /// When the log cannot be read. The follower stays where it is: asking again may succeed.
    pub fn poll(&mut self, buffer: &mut [u8], now: Instant) -> io::Result<Step> {
        match self.step(buffer, now) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Step::Busy),
            // What is held can be read all the same.
            Err(error) if is_shortage(&error) => Ok(Step::Quiet),
            result => result,
        }
    }

    fn step(&mut self, buffer: &mut [u8], now: Instant) -> io::Result<Step> {
        if let Some(step) = self.told.pop_front() {
            return Ok(step);
        }
        if let Some(backfill) = &mut self.backfill {
            let Some(start) = backfill.step(&self.held.file)? else { return Ok(Step::Busy) };
            self.held.seek(start)?;
            self.backfill = None;
            return Ok(Step::Started);
        }
        if self.skip > 0 {
            self.skip -= self.held.pass(self.skip)?;
        }
        if self.is_fresh
            && let Some(step) = self.pass_hole()?
        {
            return Ok(step);
        }
        let was_empty = self.held.offset == 0 && self.held.status.size == 0;
        if was_empty && let Some(step) = self.find_unseen()? {
            return Ok(step);
        }
        let room = self.before_end().map_or(buffer.len(), |left| left.min(buffer.len() as u64) as usize);
        match self.held.read(&mut buffer[..room])? {
            Found::Bytes(read) => {
                if let Some(leaving) = &mut self.leaving {
                    leaving.grown = now;
                }
                Ok(Step::Bytes(read))
            }
            Found::End => self.look(now),
            Found::Changed => self.restart(now),
        }
    }

    /// Whether bytes lie ahead that were there when the log was opened.
    pub fn is_behind(&self) -> bool {
        self.held.offset < self.opened
    }

    /// How many bytes remain up to the end, where that is known: to a reader that does not follow, is in its last file,
    /// and has no hole before it.
    pub fn left(&self) -> Option<u64> {
        self.before_end().filter(|_| !self.is_fresh)
    }

    fn before_end(&self) -> Option<u64> {
        let end = self.end.as_ref().filter(|_| !self.is_generation)?;
        Some(end.size.saturating_sub(self.held.offset))
    }

    /// The size of the file that is being read, in bytes, when it was last looked at.
    pub fn size(&self) -> u64 {
        self.held.status.size
    }

    /// Where the next byte comes from.
    pub fn position(&self) -> Position {
        self.held.position(self.is_fresh)
    }

    /// A writer was seen to close the log: once it is rotated it need not be waited for any longer than it takes to see
    /// that no other writer goes on.
    pub fn writer_closed(&mut self) {
        self.is_closed = true;
    }

    /// When asking again may find more though nothing was written: a rotated file is left then.
    pub fn due(&self) -> Option<Instant> {
        let leaving = self.leaving.as_ref().filter(|leaving| leaving.next.is_some())?;
        let end = leaving.noticed + self.rotate_wait;
        Some(if self.is_closed { end.min(leaving.grown + SILENCE) } else { end })
    }

    /// At the end of the held file: is it still the one the name leads to?
    fn look(&mut self, now: Instant) -> io::Result<Step> {
        if self.end.is_some() && !self.is_generation {
            return Ok(Step::Ended);
        }
        if self.truncated.is_some() {
            return self.leave_copy(now);
        }
        if let Some(due) = self.due() {
            return if self.is_generation || due <= now { self.leave(now) } else { Ok(Step::Quiet) };
        }
        let Some(held) = self.held.look()? else { return Ok(Step::Busy) };
        let current = match self.current() {
            Ok(current) => current,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(self.miss(now)),
            Err(error) => return Err(error),
        };
        self.is_gone = false;
        if held.is_same(&Status::of(&current)?) {
            return self.stay(now);
        }
        let next = Some(self.next(&held, current)?);
        // Between the last read and now the old file may have grown: it is read to its end once more.
        let noticed = self.leaving.as_ref().map_or(now, |leaving| leaving.noticed);
        self.leaving = Some(Leaving { noticed, grown: now, next });
        Ok(Step::Busy)
    }

    /// What the name leads to; for a reader that does not follow, what it led to in the beginning.
    fn current(&self) -> io::Result<File> {
        match &self.end {
            Some(end) => end.file.try_clone(),
            None => self.log.open(),
        }
    }

    pub(super) fn until(&self) -> Option<i64> {
        self.end.as_ref().map(|end| end.newest)
    }

    /// Whether the log's name leads to that file, or to another one; `None` when it leads nowhere.
    fn leads_to(&self, file: &File) -> io::Result<Option<bool>> {
        match self.current() {
            Ok(current) => Ok(Some(Status::of(file)?.is_same(&Status::of(&current)?))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The name leads nowhere.
    fn miss(&mut self, now: Instant) -> Step {
        self.leaving.get_or_insert(Leaving { noticed: now, grown: now, next: None });
        if std::mem::replace(&mut self.is_gone, true) { Step::Quiet } else { Step::Waiting }
    }

    /// The name leads to the held file, and there is nothing new in it.
    fn stay(&mut self, now: Instant) -> io::Result<Step> {
        self.leaving = None;
        self.held.note_current();
        if std::mem::take(&mut self.skip) > 0 {
            // What had come is not there any more.
            return Ok(Step::Gap(Missing::Cursor, None));
        }
        if self.late.is_due(now) {
            let siblings = siblings::list(&self.log)?;
            self.tell_late(&siblings);
        }
        Ok(self.told.pop_front().unwrap_or(Step::Quiet))
    }

    fn tell_late(&mut self, siblings: &[Sibling]) {
        if let Some(bytes) = self.late.grown(siblings) {
            self.told.push_back(Step::Gap(Missing::Replaced, Some(bytes)));
        }
    }

    /// What comes after the held file, now that the name leads to `current`.
    fn next(&mut self, held: &Status, current: File) -> io::Result<Next> {
        let siblings = siblings::list(&self.log)?;
        self.tell_late(&siblings);
        let search = Search {
            after: self.held.since,
            late: &self.late,
            held: Some(&self.held.file),
            current: &current,
            until: self.until(),
        };
        let between = search.run(&self.log, &siblings)?;
        // Of a file that is deleted, what came after it may have been deleted, too.
        let missing = match between {
            _ if held.links > 0 => None,
            Some(_) => Some(Missing::Expired),
            None => Some(Missing::Replaced),
        };
        let held = match between {
            Some(generation) => Held::new(generation)?,
            None => Held::current(current)?,
        };
        Ok(Next { held, missing })
    }

    /// Goes on to the next file.
    fn leave(&mut self, now: Instant) -> io::Result<Step> {
        let next = self.leaving.as_mut().and_then(|leaving| leaving.next.take()).expect("it is known when it is due");
        let left = (self.held.status.identity, self.held.offset);
        self.go_to(next.held, next.missing, Step::Rotated);
        self.late.remember(left, now);
        self.is_generation = self.leads_to(&self.held.file)? == Some(false);
        Ok(Step::Busy)
    }

    fn go_to(&mut self, held: Held, missing: Option<Missing>, turn: Step) {
        self.held = held;
        self.told.extend(missing.map(|missing| Step::Gap(missing, None)));
        self.is_fresh = false;
        self.told.push_back(turn);
        (self.opened, self.leaving, self.is_closed) = (0, None, false);
    }

    /// The held file no longer holds what was read of it: it was truncated. What had not been read may be in a copy.
    fn restart(&mut self, now: Instant) -> io::Result<Step> {
        if self.truncated.is_some() {
            self.told.push_back(Step::Gap(Missing::Replaced, None));
            return self.leave_copy(now);
        }
        let siblings = siblings::list(&self.log)?;
        let position = self.position();
        let unread = siblings.iter().filter(|sibling| !self.late.was_left(&sibling.status.identity));
        if let Some(copy) = copy_of(&self.log, &position, unread)? {
            self.truncated = Some(self.held.replace(copy)?);
            self.opened = 0;
            return Ok(Step::Busy);
        }
        if self.end.is_some() && !self.is_generation {
            self.told.push_back(Step::Ended);
            return Ok(Step::Gap(Missing::Truncated, None));
        }
        let log = self.held.file.try_clone()?;
        let between = self.unread_copy(&log, &siblings)?;
        self.begin_again(log, between, Some(Missing::Truncated))?;
        Ok(Step::Busy)
    }

    /// The copy is read to its end: another one comes next, or the log itself.
    fn leave_copy(&mut self, now: Instant) -> io::Result<Step> {
        let log = self.truncated.as_ref().expect("a copy is held").try_clone()?;
        let siblings = siblings::list(&self.log)?;
        self.late.remember((self.held.status.identity, self.held.offset), now);
        let between = self.unread_copy(&log, &siblings)?;
        // As copies are deleted, the next one may have been, too.
        let missing = (Status::of(&self.held.file)?.links == 0).then_some(Missing::Expired);
        self.begin_again(log, between, missing)?;
        Ok(Step::Busy)
    }

    /// A log that was empty when it was last looked at may have been filled, copied and truncated since.
    fn find_unseen(&mut self) -> io::Result<Option<Step>> {
        let is_quiet = Status::of(&self.held.file)?.written == self.held.status.written;
        let is_rotated = self.is_generation || self.truncated.is_some() || self.end.is_some();
        if is_quiet || is_rotated || self.leads_to(&self.held.file)? != Some(true) {
            return Ok(None);
        }
        let log = self.held.file.try_clone()?;
        let siblings = siblings::list(&self.log)?;
        let Some(copy) = self.unread_copy(&log, &siblings)? else { return Ok(None) };
        self.begin_again(log, Some(copy), None)?;
        Ok(Some(Step::Busy))
    }

    /// The next copy of what the log held before it was truncated. Of a log that is rotated away by now what was begun
    /// after its last write are other generations.
    pub(super) fn unread_copy(&self, log: &File, siblings: &[Sibling]) -> io::Result<Option<File>> {
        let is_current = self.leads_to(log)? == Some(true);
        let until = if is_current { self.until() } else { Some(Status::of(log)?.written - 1) };
        let held = self.truncated.as_ref().map(|_| &self.held.file);
        Search { after: self.held.since, late: &self.late, held, current: log, until }.run(&self.log, siblings)
    }

    /// Goes to the start of the truncated log, by way of a copy that lies between; that may begin with a hole, too.
    fn begin_again(&mut self, log: File, between: Option<File>, missing: Option<Missing>) -> io::Result<()> {
        match between {
            Some(copy) => {
                self.go_to(Held::new(copy)?, missing, Step::Rotated);
                self.truncated = Some(log);
            }
            None => {
                self.go_to(Held::current(log)?, missing, Step::Truncated);
                self.truncated = None;
                self.is_generation = self.leads_to(&self.held.file)? == Some(false);
            }
        }
        self.is_fresh = true;
        Ok(())
    }

    /// A writer that does not append goes on where it was when the log was truncated, and what lies before is no log but
    /// a hole: it is told as a gap.
    fn pass_hole(&mut self) -> io::Result<Option<Step>> {
        let (step, is_over) = match self.held.pass_nuls()? {
            Nuls::None => (None, true),
            Nuls::Passed => (Some(Step::Busy), false),
            Nuls::Silent => (None, false),
            Nuls::Before => (Some(Step::Gap(Missing::Truncated, Some(self.held.offset))), true),
        };
        self.is_fresh = !is_over;
        Ok(step)
    }
}

/// The copy, among the siblings, of a log that was truncated: it holds what was read up to `position`, and was made
/// after that was read. Of several the longest.
pub(super) fn copy_of<'s>(
    log: &Log,
    position: &Position,
    siblings: impl Iterator<Item = &'s Sibling>,
) -> io::Result<Option<File>> {
    let mut copies: Vec<_> = siblings.filter(|sibling| sibling.age.start >= position.written).collect();
    copies.sort_by_key(|sibling| std::cmp::Reverse(sibling.status.size));
    for sibling in copies {
        let file = sibling.open(log)?.ok_or(io::ErrorKind::Interrupted)?;
        if position.evidence() > 0 && holds(&file, position, 0)? {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follow::root::Roots;
    use crate::protocol::request::Address;
    use std::fs;
    use std::io::Write;
    use std::os::unix::fs::FileExt;
    use std::path::PathBuf;

    const WAIT: Duration = Duration::from_secs(5);

    struct Place {
        directory: tempfile::TempDir,
    }

    impl Place {
        fn with(text: &str) -> Place {
            let place = Place { directory: tempfile::tempdir().unwrap() };
            place.append("app.log", text);
            place
        }

        fn path(&self, name: &str) -> PathBuf {
            self.directory.path().join(name)
        }

        fn writer(&self, name: &str) -> File {
            fs::OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap()
        }

        fn append(&self, name: &str, text: &str) {
            self.writer(name).write_all(text.as_bytes()).unwrap();
        }

        fn rename(&self, from: &str, to: &str) {
            fs::rename(self.path(from), self.path(to)).unwrap();
        }

        fn truncate(&self, name: &str) {
            self.writer(name).set_len(0).unwrap();
        }

        fn copy_and_truncate(&self, name: &str) {
            fs::copy(self.path("app.log"), self.path(name)).unwrap();
            self.truncate("app.log");
        }

        fn find(&self) -> (Log, File) {
            let roots = Roots::open([self.directory.path()], false).unwrap();
            roots.find(&Address::parse("/app.log").unwrap()).unwrap().unwrap()
        }

        fn follow(&self, lines: Lines, tail: bool) -> Reader {
            let (log, file) = self.find();
            Reader::new(Follower::new(log, file, lines, tail, WAIT).unwrap())
        }

        fn resume(&self, position: &Position) -> Reader {
            self.resume_after(position, 0)
        }

        fn resume_after(&self, position: &Position, skip: u64) -> Reader {
            let (log, file) = self.find();
            Reader::new(Follower::resume(log, file, (position, skip), true, WAIT).unwrap())
        }
    }

    /// A follower and the time it is told.
    struct Reader {
        follower: Follower,
        now: Instant,
    }

    impl Reader {
        fn new(follower: Follower) -> Reader {
            Reader { follower, now: Instant::now() }
        }

        /// Everything up to the next silence, with the turns marked.
        fn read_now(&mut self) -> String {
            let (mut buffer, mut out) = ([0; 7], String::new());
            loop {
                match self.follower.poll(&mut buffer, self.now).unwrap() {
                    Step::Bytes(read) => out.push_str(std::str::from_utf8(&buffer[..read]).unwrap()),
                    Step::Rotated => out.push_str("<rotated>"),
                    Step::Truncated => out.push_str("<truncated>"),
                    Step::Gap(missing, Some(bytes)) => out.push_str(&format!("<{}: {bytes}>", missing.word())),
                    Step::Gap(missing, None) => out.push_str(&format!("<{}>", missing.word())),
                    Step::Waiting => out.push_str("<waiting>"),
                    Step::Quiet => return out,
                    Step::Ended => return out + "<end>",
                    Step::Busy | Step::Started => {}
                }
            }
        }

        /// The same, and the time passes for which a rotated file is waited for.
        fn read(&mut self) -> String {
            let mut out = self.read_now();
            while let Some(due) = self.follower.due() {
                self.now = due;
                out += &self.read_now();
            }
            out
        }

        fn pass(&mut self, time: Duration) -> &mut Reader {
            self.now += time;
            self
        }

        fn position(&self) -> Position {
            Position::parse(&self.follower.position().cursor()).unwrap()
        }
    }

    #[test]
    fn appended_bytes_come_once() {
        let place = Place::with("a\nb\n");
        let mut reader = place.follow(Lines::Last(1), true);
        assert_eq!(reader.read(), "b\n");
        place.append("app.log", "c");
        place.append("app.log", "d\n");
        assert_eq!((reader.read(), reader.read()), ("cd\n".into(), String::new()));
    }

    #[test]
    fn without_tail_it_ends_where_the_log_ended_when_it_was_opened() {
        let place = Place::with("a\nb\n");
        let mut reader = place.follow(Lines::All, false);
        place.append("app.log", "later\n");
        assert_eq!(reader.read(), "a\nb\n<end>");
    }

    #[test]
    fn a_rotated_file_is_read_for_late_writes_before_the_next() {
        let place = Place::with("a\n");
        let mut reader = place.follow(Lines::All, true);
        reader.read();
        let mut writer = place.writer("app.log");
        place.rename("app.log", "app.log.1");
        place.append("app.log", "c\n");
        assert_eq!(reader.read_now(), "");
        writer.write_all(b"late\n").unwrap();
        assert_eq!(reader.pass(WAIT / 2).read_now(), "late\n");
        assert_eq!(reader.read(), "<rotated>c\n");
    }

    #[test]
    fn a_rotated_file_that_its_writer_closed_is_left_after_a_second_of_silence() {
        let place = Place::with("a\n");
        let mut reader = place.follow(Lines::All, true);
        reader.read();
        place.rename("app.log", "app.log.1");
        place.append("app.log", "b\n");
        assert_eq!(reader.read_now(), "");
        reader.follower.writer_closed();
        assert_eq!(reader.pass(SILENCE / 2).read_now(), "");
        place.append("app.log.1", "late\n");
        assert_eq!(reader.read_now(), "late\n");
        assert_eq!(reader.pass(SILENCE / 2).read_now(), "");
        assert_eq!(reader.pass(SILENCE / 2).read_now(), "<rotated>b\n");
    }

    #[test]
    fn what_is_written_after_the_wait_is_told_as_a_gap() {
        let place = Place::with("a\n");
        let mut reader = place.follow(Lines::All, true);
        reader.read();
        place.rename("app.log", "app.log.1");
        place.append("app.log", "b\n");
        assert_eq!(reader.read(), "<rotated>b\n");
        place.append("app.log.1", "too late\n");
        assert_eq!(reader.pass(SILENCE).read(), "<replaced: 9>");
        assert_eq!(reader.pass(10 * SILENCE).read(), "");
        place.append("app.log.1", "again\n");
        place.rename("app.log", "app.log.2");
        place.append("app.log", "c\n");
        assert_eq!(reader.pass(100 * SILENCE).read(), "<replaced: 6><rotated>c\n");
    }

    #[test]
    fn every_generation_between_two_looks_is_read_in_order() {
        for names in
            [["app.log.3", "app.log.2", "app.log.1"], ["app.log-20260101", "app.log-20260102", "app.log-20260103"]]
        {
            let place = Place::with("0\n");
            let mut reader = place.follow(Lines::All, true);
            reader.read();
            for (number, name) in names.iter().enumerate() {
                place.rename("app.log", name);
                place.append("app.log", &format!("{}\n", number + 1));
            }
            place.append("app.error.log", "not mine\n");
            assert_eq!(reader.read(), "<rotated>1\n<rotated>2\n<rotated>3\n");
            assert_eq!(reader.read(), "");
        }
    }

    #[test]
    fn only_the_first_of_several_generations_is_waited_for() {
        let place = Place::with("0\n");
        let mut reader = place.follow(Lines::All, true);
        reader.read();
        for number in 1..4 {
            place.rename("app.log", &format!("app.log-2026010{number}"));
            place.append("app.log", &format!("{number}\n"));
        }
        assert_eq!(reader.read_now(), "");
        assert_eq!(reader.pass(WAIT).read_now(), "<rotated>1\n<rotated>2\n<rotated>3\n");
    }

    #[test]
    fn generations_older_than_the_held_one_are_not_read() {
        let place = Place::with("old\n");
        place.rename("app.log", "app.log.1");
        place.append("app.log", "a\n");
        let mut reader = place.follow(Lines::All, true);
        reader.read();
        place.rename("app.log.1", "app.log.2");
        place.rename("app.log", "app.log.1");
        place.append("app.log", "b\n");
        assert_eq!(reader.read(), "<rotated>b\n");
    }

    #[test]
    fn a_copy_beside_the_log_is_no_generation() {
        let place = Place::with(&"a line\n".repeat(1000));
        let mut reader = place.follow(Lines::All, true);
        reader.read();
        fs::copy(place.path("app.log"), place.path("app.log.7")).unwrap();
        place.append("app.log", "b\n");
        place.rename("app.log", "app.log.1");
        place.append("app.log", "c\n");
        assert_eq!(reader.read(), "b\n<rotated>c\n");
    }

    #[test]
    fn a_generation_that_is_only_the_banner_of_all_is_read() {
        let place = Place::with("banner\n");
        let mut reader = place.follow(Lines::All, true);
        place.append("app.log", "0\n");
        reader.read();
        std::thread::sleep(Duration::from_millis(20));
        for name in ["app.log.2", "app.log.1"] {
            place.rename("app.log", name);
            place.append("app.log", "banner\n");
        }
        assert_eq!(reader.read(), "<rotated>banner\n<rotated>banner\n");
    }

    #[test]
    fn generations_that_expired_unread_are_told() {
        let place = Place::with("0\n");
        let mut reader = place.follow(Lines::All, true);
        reader.read();
        for number in 1..4 {
            place.rename("app.log", &format!("app.log-2026010{number}"));
            place.append("app.log", &format!("{number}\n"));
        }
        fs::remove_file(place.path("app.log-20260101")).unwrap();
        fs::remove_file(place.path("app.log-20260102")).unwrap();
        assert_eq!(reader.read(), "<expired><rotated>2\n<rotated>3\n");
    }

    #[test]
    fn a_shrunk_file_is_read_from_its_start() {
        let place = Place::with("aaaa\nbbbb\n");
        let mut reader = place.follow(Lines::All, true);
        reader.read();
        fs::write(place.path("app.log"), "c\n").unwrap();
        assert_eq!(reader.read(), "<truncated><truncated>c\n");
    }

    #[test]
    fn a_file_that_was_truncated_and_has_grown_beyond_is_noticed() {
        let place = Place::with("aaaa\nbbbb\n");
        let mut reader = place.follow(Lines::All, true);
        reader.read();
        fs::write(place.path("app.log"), "cccc\ndddd\neeee\n").unwrap();
        assert_eq!(reader.read(), "<truncated><truncated>cccc\ndddd\neeee\n");
    }

    #[test]
    fn what_was_not_read_before_a_truncation_comes_from_the_copy() {
        let place = Place::with("a\n");
        let mut reader = place.follow(Lines::All, true);
        reader.read();
        place.append("app.log", "b\n");
        place.copy_and_truncate("app.log.1");
        place.append("app.log", "c\n");
        assert_eq!(reader.read(), "b\n<truncated>c\n");
    }

    #[test]
    fn several_copies_are_read_in_order() {
        let place = Place::with("0\n");
        let mut reader = place.follow(Lines::All, true);
        reader.read();
        for number in 1..4 {
            place.append("app.log", &format!("end of {number}\n"));
            place.copy_and_truncate(&format!("app.log-2026010{number}"));
            place.append("app.log", &format!("{number}\n"));
        }
        let copies = "end of 1\n<rotated>1\nend of 2\n<rotated>2\nend of 3\n<truncated>3\n";
        assert_eq!(reader.read(), copies);
    }

    #[test]
    fn an_old_copy_that_begins_alike_is_not_taken_for_the_rest() {
        let place = Place::with("banner\n");
        place.append("app.log.1", "banner\nold\n");
        std::thread::sleep(Duration::from_millis(20));
        place.append("app.log", "0\n");
        let mut reader = place.follow(Lines::All, true);
        reader.read();
        place.truncate("app.log");
        place.append("app.log", "1\n");
        assert_eq!(reader.read(), "<truncated><truncated>1\n");
    }

    #[test]
    fn the_hole_before_what_a_writer_without_append_goes_on_with_is_one_gap() {
        let place = Place::with("");
        let file = fs::OpenOptions::new().write(true).open(place.path("app.log")).unwrap();
        let old = "a line\n".repeat(10_000);
        file.write_all_at(old.as_bytes(), 0).unwrap();
        let mut reader = place.follow(Lines::All, true);
        reader.read();
        place.truncate("app.log");
        file.write_all_at(b"new\n", old.len() as u64).unwrap();
        assert_eq!(reader.read(), "<truncated><truncated><truncated: 70000>new\n");
    }

    #[test]
    fn a_hole_is_no_log_to_who_comes_later_either() {
        let place = Place::with("");
        let file = fs::OpenOptions::new().write(true).open(place.path("app.log")).unwrap();
        file.write_all_at(b"a line\n", 0).unwrap();
        let mut reader = place.follow(Lines::All, true);
        reader.read();
        let before = reader.position();
        place.truncate("app.log");
        assert_eq!(reader.read(), "<truncated><truncated>");
        file.write_all_at(b"new\n", 70_000).unwrap();
        assert_eq!(place.resume(&before).read(), "<truncated><truncated: 70000>new\n");
        assert_eq!(place.resume(&reader.position()).read(), "<truncated: 70000>new\n");
        place.rename("app.log", "app.log.1");
        place.append("app.log", "b\n");
        assert_eq!(place.resume(&reader.position()).read(), "<truncated: 70000>new\n<rotated>b\n");
    }

    #[test]
    fn a_deleted_log_is_waited_for() {
        let place = Place::with("a\n");
        let mut reader = place.follow(Lines::All, true);
        reader.read();
        fs::remove_file(place.path("app.log")).unwrap();
        assert_eq!((reader.read(), reader.read()), ("<waiting>".into(), String::new()));
        place.append("app.log", "b\n");
        assert_eq!(reader.read(), "<replaced><rotated>b\n");
    }

    #[test]
    fn a_switched_link_leads_to_the_new_target_after_the_old_ones_rest() {
        let place = Place::with("");
        fs::remove_file(place.path("app.log")).unwrap();
        place.append("one.log", "1\n");
        place.append("two.log", "2\n");
        std::os::unix::fs::symlink("one.log", place.path("app.log")).unwrap();
        let mut reader = place.follow(Lines::All, true);
        assert_eq!(reader.read(), "1\n");
        place.append("one.log", "rest\n");
        std::os::unix::fs::symlink("two.log", place.path("new")).unwrap();
        place.rename("new", "app.log");
        assert_eq!(reader.read(), "rest\n<rotated>2\n");
    }

    #[test]
    fn what_is_there_but_no_log_is_an_error_and_may_become_one_again() {
        let place = Place::with("a\n");
        let mut reader = place.follow(Lines::All, true);
        reader.read();
        fs::remove_file(place.path("app.log")).unwrap();
        fs::create_dir(place.path("app.log")).unwrap();
        assert!(reader.follower.poll(&mut [0; 9], reader.now).is_err());
        fs::remove_dir(place.path("app.log")).unwrap();
        place.append("app.log", "b\n");
        assert_eq!(reader.read(), "<replaced><rotated>b\n");
    }

    /// A reader's place after all that the log holds.
    fn place_in(place: &Place) -> Position {
        let mut reader = place.follow(Lines::All, true);
        reader.read();
        reader.position()
    }

    #[test]
    fn a_cursor_continues_in_the_same_file() {
        let place = Place::with("a\n");
        let position = place_in(&place);
        place.append("app.log", "bcd\n");
        assert_eq!(place.resume(&position).read(), "bcd\n");
        assert_eq!(place.resume_after(&position, 2).read(), "d\n");
        assert_eq!(place.resume_after(&position, 5).read(), "<truncated>a\nbcd\n");
    }

    #[test]
    fn a_cursor_continues_after_three_rotations() {
        let place = Place::with("0\n");
        let position = place_in(&place);
        for number in 1..4 {
            place.append("app.log", "more\n");
            place.rename("app.log", &format!("app.log-2026010{number}"));
            place.append("app.log", &format!("{number}\n"));
        }
        let rest = "more\n<rotated>1\nmore\n<rotated>2\nmore\n<rotated>3\n";
        assert_eq!(place.resume(&position).read(), rest);
        assert_eq!(place.resume_after(&position, 6).read(), "<rotated>\nmore\n<rotated>2\nmore\n<rotated>3\n");
    }

    #[test]
    fn a_cursor_continues_in_the_copy_of_a_truncated_log() {
        let place = Place::with("0\n");
        let position = place_in(&place);
        for number in 1..3 {
            place.append("app.log", "more\n");
            place.copy_and_truncate(&format!("app.log-2026010{number}"));
            place.append("app.log", &format!("{number}\n"));
        }
        assert_eq!(place.resume(&position).read(), "more\n<rotated>1\nmore\n<truncated>2\n");
    }

    #[test]
    fn a_cursor_of_a_file_that_was_moved_here_with_its_bytes_continues() {
        let place = Place::with(&"a line\n".repeat(100));
        let position = place_in(&place);
        fs::copy(place.path("app.log"), place.path("moved")).unwrap();
        fs::remove_file(place.path("app.log")).unwrap();
        place.rename("moved", "app.log");
        place.append("app.log", "b\n");
        assert_eq!(place.resume(&position).read(), "b\n");
    }

    #[test]
    fn a_cursor_whose_bytes_are_gone_is_told_so() {
        let place = Place::with("a\n");
        let position = place_in(&place);
        place.truncate("app.log");
        place.append("app.log", "bcdef\n");
        assert_eq!(place.resume(&position).read(), "<truncated>bcdef\n");
        fs::remove_file(place.path("app.log")).unwrap();
        place.append("app.log", "a\nb\n");
        assert_eq!(place.resume(&position).read(), "<cursor>a\nb\n", "the same number perhaps, but not the same file");
    }

    #[test]
    fn a_cursor_of_another_log_never_leads_there() {
        let (place, other) = (Place::with("a\n"), Place::with("secret\n"));
        place.append("other.log", "secret\n");
        assert_eq!(place.resume(&place_in(&other)).read(), "<cursor>a\n");
    }

    #[test]
    fn a_cursor_of_an_empty_log_knows_it_by_its_number_alone() {
        let place = Place::with("");
        let position = place_in(&place);
        place.append("app.log", "a\n");
        assert_eq!(place.resume(&position).read(), "a\n");
        place.rename("app.log", "app.log.1");
        place.append("app.log", "b\n");
        assert_eq!(place.resume(&position).read(), "a\n<rotated>b\n");
        fs::remove_file(place.path("app.log.1")).unwrap();
        assert_eq!(place.resume(&position).read(), "<cursor>b\n");
    }
}
