//! The generations of a log: the rotated files beside it, and which of them comes next.

use std::cmp::Ordering;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;

use rustix::fs::AtFlags;

use super::evidence::{Age, Status, is_copy};
use super::late::Late;
use super::root::{Log, is_shortage};
use crate::protocol::event::Missing;

/// A rotated file beside its log.
#[derive(Clone, Debug)]
pub(super) struct Sibling {
    name: OsString,
    pub status: Status,
    pub age: Age,
}

/// All that were found, oldest first.
#[derive(Clone, Debug)]
pub(super) struct Siblings {
    pub list: Vec<Sibling>,
    /// The directory may be passed through, but not listed: there may be any.
    pub is_blind: bool,
}

/// The number or date in the name of a rotated file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp(Vec<u8>);

/// The siblings of a log, oldest first.
///
/// # Errors
/// [`io::ErrorKind::Interrupted`] when rotation goes on too fast to look at it; another kind when the directory cannot
/// be read.
pub(super) fn list(log: &Log) -> io::Result<Siblings> {
    // A file that is renamed while its directory is read can be missed, or seen twice: only a list that is read twice
    // alike is true.
    const TRIES: usize = 4;
    let names = |siblings: &[Sibling]| -> Vec<_> {
        siblings.iter().map(|sibling| (sibling.name.clone(), sibling.status.identity)).collect()
    };
    let mut last = match list_once(log) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Ok(Siblings { list: Vec::new(), is_blind: true });
        }
        result => result?,
    };
    for _ in 0..TRIES {
        let again = list_once(log)?;
        if names(&last) == names(&again) {
            return Ok(Siblings { list: again, is_blind: false });
        }
        last = again;
    }
    Err(io::ErrorKind::Interrupted.into())
}

fn list_once(log: &Log) -> io::Result<Vec<Sibling>> {
    let (directory, names) = log.neighbours()?;
    let sibling = |name: OsString| {
        let stamp = stamp(log.name().as_bytes(), name.as_bytes())?;
        let status = Status::at(&directory, &name, AtFlags::empty()).ok().filter(|status| status.is_file)?;
        let age = Age { stamp: Some(stamp), ..status.age() };
        Some(Sibling { name, status, age })
    };
    let mut siblings: Vec<_> = names.into_iter().filter_map(sibling).collect();
    siblings.sort_by(|left, right| left.age.compare(&right.age).then_with(|| left.name.cmp(&right.name)));
    Ok(siblings)
}

impl Siblings {
    /// Those that come before `current`, to which the log's name led a moment ago: it may be a generation itself by now,
    /// and what is younger comes after it.
    pub(super) fn before(mut self, current: &Status, order: Order) -> Siblings {
        let current = self.list.iter().find(|sibling| sibling.status.is_same(current)).cloned();
        if let Some(current) = current {
            self.list.retain(|sibling| match order {
                Order::After(_) => sibling.age.is_older(&current.age),
                Order::Names => sibling.age.is_named_before(&current.age),
            });
        }
        self
    }

    pub(super) fn named_before(&self, other: &Sibling) -> Siblings {
        let list = self.list.iter().filter(|sibling| sibling.age.is_named_before(&other.age)).cloned().collect();
        Siblings { list, is_blind: self.is_blind }
    }
}

impl Sibling {
    /// Opens it; `None` when it may not be read.
    ///
    /// # Errors
    /// [`io::ErrorKind::Interrupted`] when it has another name by now, or is gone; another kind when the process has no
    /// descriptor or memory left.
    pub(super) fn open(&self, log: &Log) -> io::Result<Option<File>> {
        match log.sibling(&self.name).open() {
            Ok(file) if Status::of(&file)?.is_same(&self.status) => Ok(Some(file)),
            Ok(_) => Err(io::ErrorKind::Interrupted.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(io::ErrorKind::Interrupted.into()),
            Err(error) if is_shortage(&error) => Err(error),
            Err(_) => Ok(None),
        }
    }
}

/// What a search found.
#[derive(Debug)]
pub(super) struct Successor {
    /// Opened; `None` when nothing lies between.
    pub file: Option<File>,
    /// A sibling before it may not be read.
    pub missing: Option<Missing>,
}

/// What a successor is looked for.
#[derive(Debug)]
pub(super) struct Search<'s> {
    pub order: Order,
    /// What was read already is none; where times are equal, the one that was read last decides.
    pub late: &'s Late,
    /// The file that was read to its end; it and its copies are none.
    pub held: Option<&'s File>,
    /// What the log's name leads to; it and copies of what it holds now are none.
    pub current: &'s File,
    /// What was begun after that time is none.
    pub until: Option<i64>,
}

/// By what it is told which files come after the one that was read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    /// They were begun after that time.
    After(i64),
    /// By their names alone: the clock was set back, and times say nothing.
    Names,
}

impl Order {
    /// What comes after a file that was current until then, when another one is now.
    pub(super) fn of(since: i64, current: &Status) -> Order {
        if current.written < since { Order::Names } else { Order::After(since) }
    }
}

impl Search<'_> {
    /// The oldest of the siblings that fits.
    ///
    /// # Errors
    /// As [`Sibling::open`].
    pub(super) fn run(self, log: &Log, siblings: &Siblings) -> io::Result<Successor> {
        let current = Status::of(self.current)?;
        let held = self.held.map(Status::of).transpose()?;
        let is_held = |sibling: &&Sibling| held.as_ref().is_some_and(|held| held.is_same(&sibling.status));
        let is_last = |sibling: &&Sibling| self.late.last() == Some(sibling.status.identity);
        let known = siblings.list.iter().find(is_held).or_else(|| siblings.list.iter().find(is_last));
        let is_younger = |sibling: &&Sibling| self.order.is_younger(sibling, known, held.as_ref());
        let is_open = |sibling: &&Sibling| {
            let is_in_time = self.until.is_none_or(|until| sibling.age.start <= until);
            let is_read = self.late.was_left(&sibling.status.identity) || is_held(sibling);
            is_in_time && !is_read && !sibling.status.is_same(&current)
        };
        let mut between: Vec<_> = siblings.list.iter().filter(is_younger).filter(is_open).collect();
        if matches!(self.order, Order::Names) {
            between.sort_by(|left, right| left.age.compare_names(&right.age));
        }
        let mut missing = siblings.is_blind.then_some(Missing::Expired);
        for sibling in between {
            let Some(file) = sibling.open(log)? else {
                missing = Some(Missing::Expired);
                continue;
            };
            let is_rotated = sibling.age.is_older(&current.age());
            if !self.is_copied(&file, is_rotated)? {
                return Ok(Successor { file: Some(file), missing });
            }
        }
        Ok(Successor { file: None, missing })
    }

    /// What is younger than the log itself is a copy: of what it held before it was truncated, or of what it holds now.
    /// An empty one is being made, and the log is not truncated yet.
    fn is_copied(&self, file: &File, is_rotated: bool) -> io::Result<bool> {
        let of_held = self.held.map_or(Ok(false), |held| is_copy(file, held))?;
        if of_held || is_rotated {
            return Ok(of_held);
        }
        Ok(Status::of(file)?.size == 0 || is_copy(file, self.current)?)
    }
}

impl Order {
    fn is_younger(self, sibling: &Sibling, known: Option<&Sibling>, held: Option<&Status>) -> bool {
        let is_named_later = known.map(|known| known.age.is_named_before(&sibling.age));
        match self {
            Order::Names => is_named_later == Some(true),
            Order::After(since) => match (sibling.age.start.cmp(&since), is_named_later, held) {
                (Ordering::Equal, Some(is_later), _) => is_later,
                (Ordering::Equal, None, held) => held.is_some_and(|held| held.age().start < sibling.age.start),
                (order, ..) => order == Ordering::Greater,
            },
        }
    }
}

impl Stamp {
    /// Older first: `10` is older than `9`, a date is older than a later one.
    pub(super) fn cmp(&self, other: &Stamp) -> Ordering {
        let (left, right) = (&self.0[..], &other.0[..]);
        if is_date(left) || is_date(right) {
            // Who changes from dates to numbers has the dates from before.
            return is_date(right).cmp(&is_date(left)).then(left.cmp(right));
        }
        let value = |stamp: &[u8]| stamp.iter().skip_while(|&&digit| digit == b'0').copied().collect::<Vec<u8>>();
        let (left, right) = (value(left), value(right));
        (right.len(), right).cmp(&(left.len(), left))
    }
}

/// The number or date by which `name` is a rotated sibling of `log`; `None` when it is something else.
fn stamp(log: &[u8], name: &[u8]) -> Option<Stamp> {
    if let Some(rest) = name.strip_prefix(log) {
        let (separator, stamp) = rest.split_first()?;
        let fits = match separator {
            b'.' => is_number(stamp) || is_date(stamp),
            b'-' => is_date(stamp),
            _ => false,
        };
        return fits.then(|| Stamp(stamp.to_vec()));
    }
    let dot = memchr::memrchr(b'.', log).filter(|&dot| dot > 0)?;
    let (stem, extension) = log.split_at(dot);
    let (separator, stamp) = name.strip_prefix(stem)?.strip_suffix(extension)?.split_first()?;
    (matches!(separator, b'.' | b'-') && is_date(stamp)).then(|| Stamp(stamp.to_vec()))
}

fn is_number(stamp: &[u8]) -> bool {
    !stamp.is_empty() && stamp.iter().all(u8::is_ascii_digit)
}

/// `20261123`, `2026-11-23`, and what may follow: a time, a fraction, seconds since the epoch.
fn is_date(stamp: &[u8]) -> bool {
    let shape: Vec<u8> = stamp.iter().take(10).map(|&byte| if byte.is_ascii_digit() { b'0' } else { byte }).collect();
    let begins = shape.starts_with(b"00000000") || shape == b"0000-00-00";
    let ends = stamp.last().is_some_and(u8::is_ascii_digit);
    begins && ends && stamp.iter().all(|byte| byte.is_ascii_digit() || b"-_.:T".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn siblings_are_told_by_a_number_or_a_date() {
        let siblings = [
            "app.log.1",
            "app.log.10",
            "app.log-20261123",
            "app.log-20261123-1700000000",
            "app.log.2026-11-23",
            "app.log.2026-11-23_01-32-27",
            "app.2026-11-23_01-32-27_123456.log",
            "app-2026-11-23T01-32-27.123.log",
        ];
        for name in siblings {
            assert!(stamp(b"app.log", name.as_bytes()).is_some(), "{name}");
        }
        let others =
            ["app.log", "app.error.log", "app.log.lock", "app.log.swp", "app-2.log", "app.log.1.gz", "app.log-", "x"];
        for name in others {
            assert!(stamp(b"app.log", name.as_bytes()).is_none(), "{name}");
        }
        assert!(stamp(b"syslog", b"syslog.1").is_some());
    }

    #[test]
    fn a_higher_number_is_older_and_a_later_date_is_not() {
        let compare = |left: &str, right: &str| Stamp(left.into()).cmp(&Stamp(right.into()));
        assert_eq!(compare("10", "9"), Ordering::Less);
        assert_eq!(compare("2026-11-23", "2026-11-22"), Ordering::Greater);
        assert_eq!(compare("20261123", "20261122"), Ordering::Greater);
    }
}
