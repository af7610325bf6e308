//! Follows one log: what is appended, across rotation, truncation, deletion and re-creation.
//! It never sleeps and never sends; the caller decides when to ask again.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use rustix::fs::fstat;

use super::backfill::Backfill;
use super::root::{Log, is_shortage, same_file};
use super::siblings;
use crate::protocol::request::Lines;

/// One reader's place in a log. The file is the only buffer: nothing is read before it is asked for.
#[derive(Debug)]
pub struct Follower {
    log: Log,
    file: File,
    offset: u64,
    /// The size the log had when it was opened.
    opened: u64,
    /// Where a reader that does not follow stops.
    end: Option<u64>,
    backfill: Option<Backfill>,
    /// The file that comes after the held one, which is still to be read to its end.
    next: Option<File>,
}

/// What one call of [`Follower::poll`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// There is nothing new; ask again later.
    Quiet,
    /// The end that was to be reached is reached.
    Ended,
}

impl Follower {
    /// Starts at the last `lines` lines of `file`, which `log` led to. With `tail` there is no end.
    ///
    /// # Errors
    /// When the file's size cannot be told.
    pub fn new(log: Log, file: File, lines: Lines, tail: bool) -> io::Result<Follower> {
        let size = file.metadata()?.len();
        let backfill = Some(Backfill::new(lines, size));
        Ok(Follower { log, file, offset: 0, opened: size, end: (!tail).then_some(size), backfill, next: None })
    }

    /// Reads what comes next into `buffer`, or looks whether the name now leads elsewhere.
    ///
    /// # Errors
    /// When the log cannot be read. The follower stays where it is: asking again may succeed.
    pub fn poll(&mut self, buffer: &mut [u8]) -> io::Result<Step> {
        match self.step(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Step::Busy),
            result => result,
        }
    }

    fn step(&mut self, buffer: &mut [u8]) -> io::Result<Step> {
        if let Some(backfill) = &mut self.backfill {
            let Some(start) = backfill.step(&self.file)? else { return Ok(Step::Busy) };
            (self.offset, self.backfill) = (start, None);
            return Ok(Step::Started);
        }
        let room = self.left().map_or(buffer.len(), |left| left.min(buffer.len() as u64) as usize);
        match self.file.read_at(&mut buffer[..room], self.offset)? {
            0 if self.end.is_some() => Ok(Step::Ended),
            0 => self.look(),
            read => {
                self.offset += read as u64;
                Ok(Step::Bytes(read))
            }
        }
    }

    /// Whether bytes lie ahead that were there when the log was opened.
    pub fn is_behind(&self) -> bool {
        self.offset < self.opened
    }

    /// How many bytes remain up to the end, for a reader that does not follow.
    pub fn left(&self) -> Option<u64> {
        self.end.map(|end| end.saturating_sub(self.offset))
    }

    /// At the end of the held file: has it shrunk, and is it still the one the name leads to?
    fn look(&mut self) -> io::Result<Step> {
        if let Some(next) = self.next.take() {
            self.restart();
            self.file = next;
            return Ok(Step::Rotated);
        }
        let held = fstat(&self.file)?;
        if (held.st_size as u64) < self.offset {
            self.restart();
            return Ok(Step::Truncated);
        }
        let current = match self.log.open() {
            Ok(current) => current,
            // The held file can be read all the same.
            Err(error) if error.kind() == io::ErrorKind::NotFound || is_shortage(&error) => return Ok(Step::Quiet),
            Err(error) => return Err(error),
        };
        if same_file(&held, &fstat(&current)?) {
            return Ok(Step::Quiet);
        }
        // Between the last read and now the old file may have grown: it is read to its end once more before the switch.
        let between = match siblings::after(&self.log, &self.file, &current) {
            // A directory that may be passed through but not listed shows no generations, and one that may not be read
            // cannot be had: the log goes on without.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => None,
            Err(error) if is_shortage(&error) => return Ok(Step::Quiet),
            result => result?,
        };
        self.next = Some(between.unwrap_or(current));
        Ok(Step::Busy)
    }

    fn restart(&mut self) {
        (self.offset, self.opened) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follow::root::Roots;
    use crate::protocol::request::Address;
    use std::fs;
    use std::io::Write;
    use std::path::PathBuf;

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

        fn append(&self, name: &str, text: &str) {
            let mut file = fs::OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }

        fn rename(&self, from: &str, to: &str) {
            fs::rename(self.path(from), self.path(to)).unwrap();
        }

        fn follow(&self, lines: Lines, tail: bool) -> Follower {
            let roots = Roots::open([self.directory.path()], false).unwrap();
            let (log, file) = roots.find(&Address::parse("/app.log").unwrap()).unwrap().unwrap();
            Follower::new(log, file, lines, tail).unwrap()
        }
    }

    /// Everything up to the next silence, with the turns marked.
    fn read(follower: &mut Follower) -> String {
        let (mut buffer, mut out) = ([0; 7], String::new());
        loop {
            match follower.poll(&mut buffer).unwrap() {
                Step::Bytes(read) => out.push_str(std::str::from_utf8(&buffer[..read]).unwrap()),
                Step::Rotated => out.push_str("<rotated>"),
                Step::Truncated => out.push_str("<truncated>"),
                Step::Quiet => return out,
                Step::Ended => return out + "<end>",
                Step::Busy | Step::Started => {}
            }
        }
    }

    #[test]
    fn appended_bytes_come_once() {
        let place = Place::with("a\nb\n");
        let mut follower = place.follow(Lines::Last(1), true);
        assert_eq!(read(&mut follower), "b\n");
        place.append("app.log", "c");
        place.append("app.log", "d\n");
        assert_eq!((read(&mut follower), read(&mut follower)), ("cd\n".into(), String::new()));
    }

    #[test]
    fn without_tail_it_ends_where_the_log_ended_when_it_was_opened() {
        let place = Place::with("a\nb\n");
        let mut follower = place.follow(Lines::All, false);
        place.append("app.log", "later\n");
        assert_eq!(read(&mut follower), "a\nb\n<end>");
    }

    #[test]
    fn a_rotated_file_is_read_to_its_end_first() {
        let place = Place::with("a\n");
        let mut follower = place.follow(Lines::All, true);
        read(&mut follower);
        place.append("app.log", "b\n");
        place.rename("app.log", "app.log.1");
        place.append("app.log.1", "late\n");
        assert_eq!(read(&mut follower), "b\nlate\n");
        place.append("app.log", "c\n");
        assert_eq!(read(&mut follower), "<rotated>c\n");
    }

    #[test]
    fn bytes_written_between_the_last_read_and_the_rename_are_not_lost() {
        let place = Place::with("a\n");
        let mut follower = place.follow(Lines::All, true);
        read(&mut follower);
        place.rename("app.log", "app.log.1");
        place.append("app.log", "c\n");
        assert_eq!(follower.poll(&mut [0; 99]).unwrap(), Step::Busy);
        place.append("app.log.1", "b\n");
        assert_eq!(read(&mut follower), "b\n<rotated>c\n");
    }

    #[test]
    fn every_generation_between_two_looks_is_read_in_order() {
        for names in
            [["app.log.3", "app.log.2", "app.log.1"], ["app.log-20260101", "app.log-20260102", "app.log-20260103"]]
        {
            let place = Place::with("0\n");
            let mut follower = place.follow(Lines::All, true);
            read(&mut follower);
            for (number, name) in names.iter().enumerate() {
                place.rename("app.log", name);
                place.append("app.log", &format!("{}\n", number + 1));
            }
            place.append("app.error.log", "not mine\n");
            assert_eq!(read(&mut follower), "<rotated>1\n<rotated>2\n<rotated>3\n");
            assert_eq!(read(&mut follower), "");
        }
    }

    #[test]
    fn generations_older_than_the_held_one_are_not_read() {
        let place = Place::with("old\n");
        place.rename("app.log", "app.log.1");
        place.append("app.log", "a\n");
        let mut follower = place.follow(Lines::All, true);
        read(&mut follower);
        place.rename("app.log.1", "app.log.2");
        place.rename("app.log", "app.log.1");
        place.append("app.log", "b\n");
        assert_eq!(read(&mut follower), "<rotated>b\n");
    }

    #[test]
    fn a_shrunk_file_is_read_from_its_start() {
        let place = Place::with("aaaa\nbbbb\n");
        let mut follower = place.follow(Lines::All, true);
        read(&mut follower);
        fs::write(place.path("app.log"), "c\n").unwrap();
        assert_eq!(read(&mut follower), "<truncated>c\n");
    }

    #[test]
    fn a_deleted_log_is_waited_for() {
        let place = Place::with("a\n");
        let mut follower = place.follow(Lines::All, true);
        read(&mut follower);
        fs::remove_file(place.path("app.log")).unwrap();
        assert_eq!(read(&mut follower), "");
        place.append("app.log", "b\n");
        assert_eq!(read(&mut follower), "<rotated>b\n");
    }

    #[test]
    fn a_switched_link_leads_to_the_new_target_after_the_old_ones_rest() {
        let place = Place::with("");
        fs::remove_file(place.path("app.log")).unwrap();
        place.append("one.log", "1\n");
        place.append("two.log", "2\n");
        std::os::unix::fs::symlink("one.log", place.path("app.log")).unwrap();
        let mut follower = place.follow(Lines::All, true);
        assert_eq!(read(&mut follower), "1\n");
        place.append("one.log", "rest\n");
        std::os::unix::fs::symlink("two.log", place.path("new")).unwrap();
        place.rename("new", "app.log");
        assert_eq!(read(&mut follower), "rest\n<rotated>2\n");
    }

    #[test]
    fn what_is_there_but_no_log_is_an_error_and_may_become_one_again() {
        let place = Place::with("a\n");
        let mut follower = place.follow(Lines::All, true);
        read(&mut follower);
        fs::remove_file(place.path("app.log")).unwrap();
        fs::create_dir(place.path("app.log")).unwrap();
        assert!(follower.poll(&mut [0; 9]).is_err());
        fs::remove_dir(place.path("app.log")).unwrap();
        place.append("app.log", "b\n");
        assert_eq!(read(&mut follower), "<rotated>b\n");
    }
}
