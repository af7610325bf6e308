//! The generations of a log: which rotated file comes after the one that was just read to its end.

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{self, AtFlags, FileType, StatxFlags};

use super::root::{Log, same_file, stat_in};

/// The oldest generation that is younger than `held` and older than `current`, opened; `None` when nothing lies between.
/// Times decide; names only where the times are equal.
///
/// # Errors
/// When the log's directory cannot be read; [`io::ErrorKind::Interrupted`] when rotation goes on too fast to look at it.
pub(super) fn after(log: &Log, held: &File, current: &File) -> io::Result<Option<File>> {
    // A rotation may rename what was just listed: look again.
    const TRIES: usize = 4;
    for _ in 0..TRIES {
        let Some((next, sibling)) = find(log, held, current)? else { return Ok(None) };
        match log.sibling(OsStr::from_bytes(&next)).open() {
            Ok(file) if same_file(&fs::fstat(&file)?, &sibling) => return Ok(Some(file)),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Err(io::ErrorKind::Interrupted.into())
}

fn find(log: &Log, held: &File, current: &File) -> io::Result<Option<(Vec<u8>, fs::Stat)>> {
    let (held_stat, current_stat) = (fs::fstat(held)?, fs::fstat(current)?);
    let (mut held_age, current_age) = (Age::of(held, OsStr::new(""))?, Age::of(current, OsStr::new(""))?);
    let (directory, names) = log.neighbours()?;
    let mut between = Vec::new();
    for name in names {
        let Some(stamp) = stamp(log.name().as_bytes(), name.as_bytes()) else { continue };
        let Ok(stat) = stat_in(&directory, &name) else { continue };
        if same_file(&stat, &held_stat) {
            held_age.stamp = Some(stamp.to_vec());
        } else if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile && !same_file(&stat, &current_stat) {
            let Ok(mut age) = Age::of(&directory, &name) else { continue };
            age.stamp = Some(stamp.to_vec());
            if !age.is_restored() {
                between.push((age, name, stat));
            }
        }
    }
    between.retain(|(age, ..)| held_age.before(age) && age.before(&current_age));
    let next = between.into_iter().min_by(|(left, ..), (right, ..)| left.compare(right));
    Ok(next.map(|(_, name, stat)| (name.as_bytes().to_vec(), stat)))
}

/// What tells which of two files is older.
#[derive(Debug, PartialEq, Eq)]
struct Age {
    /// Not every file system knows it.
    born: Option<(i64, u32)>,
    written: (i64, u32),
    /// The number or date in the name of a rotated file.
    stamp: Option<Vec<u8>>,
}

impl Age {
    /// `name` in a directory; with an empty one, the file that `fd` itself is.
    fn of(fd: impl AsFd, name: &OsStr) -> io::Result<Age> {
        let flags = AtFlags::EMPTY_PATH | AtFlags::SYMLINK_NOFOLLOW;
        let stat = fs::statx(fd, name, flags, StatxFlags::MTIME | StatxFlags::BTIME)?;
        let born = stat.stx_mask & StatxFlags::BTIME.bits() != 0;
        Ok(Age {
            born: born.then_some((stat.stx_btime.tv_sec, stat.stx_btime.tv_nsec)),
            written: (stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec),
            stamp: None,
        })
    }

    /// Written before it was born: a copy that keeps its times, or an archive unpacked, and no generation of its own.
    fn is_restored(&self) -> bool {
        self.born.is_some_and(|born| self.written < born)
    }

    fn before(&self, other: &Age) -> bool {
        self.compare(other) == Ordering::Less
    }

    /// Older first.
    fn compare(&self, other: &Age) -> Ordering {
        let born = match (self.born, other.born) {
            (Some(left), Some(right)) => left.cmp(&right),
            _ => Ordering::Equal,
        };
        born.then(self.written.cmp(&other.written)).then_with(|| match (&self.stamp, &other.stamp) {
            (Some(left), Some(right)) => compare_stamps(left, right),
            // What has not been rotated yet is the youngest.
            (left, right) => left.is_none().cmp(&right.is_none()),
        })
    }
}

/// `10` is older than `9`; a date is older than a later one.
fn compare_stamps(left: &[u8], right: &[u8]) -> Ordering {
    if !is_date(left) && !is_date(right) {
        let value = |stamp: &[u8]| stamp.iter().skip_while(|&&digit| digit == b'0').copied().collect::<Vec<u8>>();
        let (left, right) = (value(left), value(right));
        return (right.len(), right).cmp(&(left.len(), left));
    }
    left.cmp(right)
}

/// The number or date by which `name` is a rotated sibling of `log`; `None` when it is something else.
fn stamp<'n>(log: &[u8], name: &'n [u8]) -> Option<&'n [u8]> {
    if let Some(rest) = name.strip_prefix(log) {
        let (separator, stamp) = rest.split_first()?;
        let fits = match separator {
            b'.' => is_number(stamp) || is_date(stamp),
            b'-' => is_date(stamp),
            _ => false,
        };
        return fits.then_some(stamp);
    }
    let dot = memchr::memrchr(b'.', log).filter(|&dot| dot > 0)?;
    let (stem, extension) = log.split_at(dot);
    let (separator, stamp) = name.strip_prefix(stem)?.strip_suffix(extension)?.split_first()?;
    (matches!(separator, b'.' | b'-') && is_date(stamp)).then_some(stamp)
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
        assert_eq!(compare_stamps(b"10", b"9"), Ordering::Less);
        assert_eq!(compare_stamps(b"2026-11-23", b"2026-11-22"), Ordering::Greater);
        assert_eq!(compare_stamps(b"20261123", b"20261122"), Ordering::Greater);
    }
}
