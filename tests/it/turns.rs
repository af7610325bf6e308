//! Random histories of a log, checked by an oracle that knows every byte, and which bytes were destroyed: nothing is
//! lost silently, repeated or out of order, whatever happens to the file and its reader. A failure prints its seed;
//! `WSTAIL_SEED=N cargo test --test it turns` plays one history again.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use wstail::follow::follower::{Follower, Step};
use wstail::follow::position::Position;
use wstail::follow::root::Roots;
use wstail::protocol::address::Address;
use wstail::protocol::cursor::Place;
use wstail::protocol::event::Missing;
use wstail::protocol::request::Lines;

use crate::support::random::Random;

const CASES: u64 = 2000;
const STEPS: usize = 60;
/// The threads sleep most of the time.
const THREADS: u64 = 16;
const WAIT: Duration = Duration::from_secs(5);
/// Files whose names do not tell their order are distinguished by their times, and the kernel's clock for these may
/// tick only every 10 ms.
const TICK: Duration = Duration::from_millis(11);

/// What may happen to a byte that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It must arrive.
    Kept,
    /// It was destroyed, perhaps before it was read: either it arrives, or a gap does instead.
    Lost,
    /// It was written and destroyed where no reader could know of it, or added to a file too late.
    Free,
}

/// Where a reader may be: in which incarnation of the log, and after how many of its bytes.
type Spot = (usize, usize);

/// Everything that was ever written to a log, in the order in which it must be read, and where its reader may be in it.
#[derive(Default)]
struct Oracle {
    incarnations: Vec<Vec<(u8, Fate)>>,
    spots: BTreeSet<Spot>,
}

impl Oracle {
    fn write(&mut self, incarnation: usize, bytes: &[u8], fate: Fate) {
        self.incarnations[incarnation].extend(bytes.iter().map(|&byte| (byte, fate)));
    }

    /// The bytes of an incarnation are destroyed, except for a reader that holds the file open.
    fn destroy(&mut self, incarnation: usize) {
        let is_known = self.spots.iter().any(|&(at, offset)| at == incarnation && offset > 0);
        let fate = if is_known { Fate::Lost } else { Fate::Free };
        self.incarnations[incarnation].iter_mut().for_each(|(_, old)| *old = fate);
    }

    /// Adds the places where the reader may be as well, if it need not read bytes of that fate.
    fn spread(&mut self, gap: bool) {
        let mut todo: Vec<Spot> = self.spots.iter().copied().collect();
        while let Some((incarnation, offset)) = todo.pop() {
            let next = match self.incarnations[incarnation].get(offset) {
                None if incarnation + 1 < self.incarnations.len() => (incarnation + 1, 0),
                Some((_, Fate::Free)) => (incarnation, offset + 1),
                Some((_, Fate::Lost)) if gap => (incarnation, offset + 1),
                _ => continue,
            };
            if self.spots.insert(next) {
                todo.push(next);
            }
        }
    }

    fn read(&mut self, bytes: &[u8]) {
        self.spread(false);
        let follows = |&(incarnation, offset): &Spot| {
            let rest = &self.incarnations[incarnation][offset..];
            rest.len() >= bytes.len() && rest.iter().zip(bytes).all(|((byte, _), read)| byte == read)
        };
        let spots = self.spots.iter().copied().filter(follows);
        self.spots = spots.map(|(incarnation, offset)| (incarnation, offset + bytes.len())).collect();
    }

    fn is_read(&mut self) -> bool {
        self.spread(false);
        let last = self.incarnations.len() - 1;
        self.spots.contains(&(last, self.incarnations[last].len()))
    }
}

/// A log, its reader, and the oracle.
struct History {
    directory: tempfile::TempDir,
    random: Random,
    trace: Vec<String>,
    oracle: Oracle,
    writer: File,
    /// The rotated files, oldest first: name, incarnation, and its writer if it may still write.
    rotated: Vec<(String, usize, Option<File>)>,
    rotations: usize,
    written: usize,
    numbered: bool,
    /// The log is copied and truncated instead of renamed. This changes only while nothing else happens.
    copies: bool,
    banner: &'static [u8],
    follower: Box<Follower>,
    now: Instant,
    /// Where a reader could resume: its place, and where it was then.
    place: Option<(Place, BTreeSet<Spot>)>,
    /// That place is the start of a file that was empty: nothing distinguishes it from another one.
    is_weak: bool,
    /// The reader has not read anything of its current file yet.
    is_at_start: bool,
    /// The reader has polled since the log was rotated or begun.
    has_looked: bool,
}

impl History {
    fn new(seed: u64) -> History {
        let directory = tempfile::tempdir().unwrap();
        let mut random = Random::new(seed);
        let banner: &[u8] =
            [&b""[..], b"banner\n", b"a banner of some length, the same in each generation\n"][random.below(3)];
        let mut writer = append(directory.path().join("app.log"));
        writer.write_all(banner).unwrap();
        let mut oracle = Oracle { incarnations: vec![vec![]], spots: [(0, 0)].into() };
        oracle.write(0, banner, Fate::Kept);
        let (log, file) = find(&directory);
        let follower = Follower::new(log, file, Lines::All, true, WAIT).unwrap();
        let (numbered, copies) = (random.below(2) == 0, random.below(2) == 0);
        let (rotated, trace) = (Vec::new(), Vec::new());
        History {
            directory,
            random,
            trace,
            oracle,
            writer,
            rotated,
            rotations: 0,
            written: 0,
            numbered,
            copies,
            banner,
            follower,
            now: Instant::now(),
            place: None,
            is_weak: false,
            is_at_start: true,
            has_looked: true,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn step(&mut self) {
        let step = self.random.below(32);
        self.trace.push(format!("step {step}"));
        match step {
            0..9 => self.write(),
            9..14 if self.copies => self.copy_and_truncate(),
            9..14 => self.rotate(),
            14 => {
                self.read_all();
                self.copies = !self.copies;
            }
            15..17 => self.write_late(),
            17 => self.truncate(),
            18 => self.delete(),
            19 => self.expire(),
            20..24 => self.read_all(),
            24..27 => drop(self.read_once()),
            27 => self.now += WAIT / 4,
            28 => self.remember(),
            29 => self.restart(),
            30 => self.go_back(),
            _ => self.has_looked = false,
        }
        self.trace.push(format!("  at {:?} of {:?}", self.oracle.spots, self.lengths()));
    }

    fn lengths(&self) -> Vec<usize> {
        self.oracle.incarnations.iter().map(Vec::len).collect()
    }

    fn current(&self) -> usize {
        self.oracle.incarnations.len() - 1
    }

    /// Numbered, so that what is read has only one place.
    fn bytes(&mut self) -> Vec<u8> {
        self.written += 1;
        let mut bytes = format!("{}:", self.written).into_bytes();
        bytes.extend(self.random.bytes());
        bytes
    }

    fn write(&mut self) {
        let bytes = self.bytes();
        self.writer.write_all(&bytes).unwrap();
        self.oracle.write(self.current(), &bytes, Fate::Kept);
    }

    /// Begins a new incarnation, with the banner that all have.
    fn begin(&mut self) {
        self.has_looked = false;
        self.oracle.incarnations.push(Vec::new());
        // A truncated log that begins as before cannot be told from one that was not truncated, as long as it holds
        // nothing else.
        if !self.copies {
            self.writer.write_all(self.banner).unwrap();
            self.oracle.write(self.current(), self.banner, Fate::Kept);
        }
    }

    /// As logrotate names files, by numbers, or as loguru does it, by dates.
    fn name(&mut self) -> String {
        self.rotations += 1;
        if !self.numbered {
            return format!("app.2026-11-23_01-32-27_{:06}.log", self.rotations);
        }
        let count = self.rotated.len();
        for (number, (name, ..)) in self.rotated.iter_mut().enumerate() {
            let shifted = format!("app.log.{}", count - number + 1);
            fs::rename(self.directory.path().join(&*name), self.directory.path().join(&shifted)).unwrap();
            *name = shifted;
        }
        "app.log.1".to_owned()
    }

    fn rotate(&mut self) {
        let name = self.name();
        fs::rename(self.path("app.log"), self.path(&name)).unwrap();
        let new = append(self.path("app.log"));
        let old = std::mem::replace(&mut self.writer, new);
        self.rotated.push((name, self.current(), Some(old)));
        self.begin();
    }

    fn copy_and_truncate(&mut self) {
        thread::sleep(TICK);
        let name = self.name();
        fs::copy(self.path("app.log"), self.path(&name)).unwrap();
        self.writer.set_len(0).unwrap();
        self.rotated.push((name, self.current(), None));
        self.begin();
    }

    /// Writes to the last rotated file. That must arrive as long as the reader has not noticed the rotation.
    fn write_late(&mut self) {
        let bytes = self.bytes();
        let current = self.current();
        let Some((_, incarnation, Some(writer))) = self.rotated.last_mut() else { return };
        writer.write_all(&bytes).unwrap();
        let is_in_time = !self.has_looked
            && *incarnation + 1 == current
            && self.oracle.spots.iter().all(|spot| spot.0 == *incarnation && spot.1 > 0);
        let fate = if is_in_time { Fate::Kept } else { Fate::Free };
        self.trace.push(format!("  late into {incarnation}: {fate:?}"));
        self.oracle.write(*incarnation, &bytes, fate);
    }

    fn truncate(&mut self) {
        if self.oracle.spots.iter().any(|&(at, offset)| at == self.current() && offset <= self.banner.len()) {
            return;
        }
        self.writer.set_len(0).unwrap();
        self.oracle.destroy(self.current());
        self.begin();
    }

    fn delete(&mut self) {
        // If a log was copied, truncated and deleted unread, nothing shows that the copies are copies of it.
        if self.copies {
            self.read_all();
        }
        thread::sleep(TICK);
        fs::remove_file(self.path("app.log")).unwrap();
        self.oracle.destroy(self.current());
        if self.random.below(2) == 0 {
            self.read_all();
        }
        self.writer = append(self.path("app.log"));
        self.begin();
    }

    /// Deletes the oldest rotated file.
    fn expire(&mut self) {
        thread::sleep(TICK);
        if !self.rotated.is_empty() {
            let times =
                |name: &str| self.path(name).metadata().map(|file| (file.created().unwrap(), file.modified().unwrap()));
            let (_, written) = times(&self.rotated[0].0).unwrap();
            // If a file was created at the moment of the deleted file's last write, its order relative to that one is
            // unknown.
            let is_lost = |name: &str| times(name).unwrap().0 <= written;
            let lost: Vec<_> =
                self.rotated.iter().filter(|(name, ..)| is_lost(name)).map(|rotated| rotated.1).collect();
            let (name, ..) = self.rotated.remove(0);
            fs::remove_file(self.path(&name)).unwrap();
            // A reader that has read nothing of a log that was copied and truncated, and whose copy is gone, cannot
            // know of it.
            let fate = if self.is_at_start && self.copies { Fate::Free } else { Fate::Lost };
            for incarnation in lost {
                let bytes = self.oracle.incarnations[incarnation].iter_mut();
                bytes.filter(|(_, old)| *old == Fate::Kept).for_each(|(_, old)| *old = fate);
            }
        }
    }

    fn read_once(&mut self) -> Step {
        let mut buffer = vec![0; 1 + self.random.below(40)];
        let step = self.follower.poll(&mut buffer, self.now).unwrap();
        self.has_looked = true;
        match step {
            Step::Bytes(read) => {
                self.is_at_start = false;
                self.trace.push(format!("  {:?}", String::from_utf8_lossy(&buffer[..read])));
                self.oracle.read(&buffer[..read]);
                if let Some((place, _)) = &mut self.place {
                    place.skip += read as u64;
                }
            }
            Step::Busy => {}
            ref step => self.trace.push(format!("  {step:?}")),
        }
        match step {
            Step::Gap(Missing::Replaced, Some(_)) => {}
            Step::Gap(..) => self.oracle.spread(true),
            _ => {}
        }
        if matches!(step, Step::Gap(..) | Step::Rotated | Step::Truncated) {
            self.place = None;
            self.is_at_start |= !matches!(step, Step::Gap(..));
        }
        assert!(!self.oracle.spots.is_empty(), "this is no byte that comes next");
        step
    }

    /// Reads to the end, and waits for as long as rotated files are read for late writes.
    fn read_all(&mut self) {
        loop {
            while self.read_once() != Step::Quiet {}
            let Some(due) = self.follower.due() else { return };
            self.now = self.now.max(due);
        }
    }

    fn place(&self) -> Place {
        self.follower.position().cursor().into()
    }

    /// Whether enough of the file has been written to recognize it when it has another number.
    fn is_known(&self) -> bool {
        self.oracle.spots.iter().all(|&(at, offset)| offset > 0 && self.oracle.incarnations[at].len() >= 64)
    }

    /// A cursor arrives.
    fn remember(&mut self) {
        while self.read_once() == Step::Busy {}
        if self.is_known() && !self.is_at_start {
            self.is_weak = false;
            self.place = Some((self.place(), self.oracle.spots.clone()));
        }
    }

    /// Reader and server end, and another reader resumes.
    fn restart(&mut self) {
        while self.read_once() == Step::Busy {}
        if self.is_known() {
            self.is_weak |= self.place.is_none() && self.is_at_start;
            let (place, spots) = self.place.take().unwrap_or_else(|| (self.place(), self.oracle.spots.clone()));
            self.resume(place, spots);
        }
    }

    /// Another reader resumes at the last cursor.
    fn go_back(&mut self) {
        if let Some((mut place, spots)) = self.place.take_if(|_| !self.is_weak) {
            place.skip = 0;
            self.oracle.spots = spots.clone();
            self.resume(place, spots);
        }
    }

    /// What was read has arrived since `spots`. The new reader keeps that place until something other than bytes
    /// arrives.
    fn resume(&mut self, place: Place, spots: BTreeSet<Spot>) {
        self.trace.push(format!("  goes on {} bytes after a cursor", place.skip));
        let (log, file) = find(&self.directory);
        let position = Position::parse(&place.cursor).unwrap();
        self.follower = Follower::resume(log, file, &position, place.skip, true, WAIT).unwrap();
        self.has_looked = true;
        self.place = Some((place, spots));
    }
}

fn find(directory: &tempfile::TempDir) -> (wstail::follow::root::Log, wstail::follow::File) {
    let roots = Roots::open([directory.path()], false).unwrap();
    roots.find(&Address::parse("/app.log").unwrap()).unwrap().unwrap()
}

fn append(path: PathBuf) -> File {
    OpenOptions::new().create(true).append(true).open(path).unwrap()
}

/// Prints what happened when a history fails.
struct Told(u64, History);

impl Drop for Told {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("seed {}:\n{}", self.0, self.1.trace.join("\n"));
        }
    }
}

fn play(seed: u64) {
    let mut told = Told(seed, History::new(seed));
    for _ in 0..STEPS {
        told.1.step();
    }
    told.1.read_all();
    assert!(told.1.oracle.is_read(), "the end is not reached");
}

#[test]
fn every_byte_comes_once_and_in_order_or_a_gap_stands_for_it() {
    thread::scope(|scope| {
        for part in 0..THREADS {
            scope.spawn(move || {
                crate::support::random::seeds(CASES).filter(|seed| seed % THREADS == part).for_each(play)
            });
        }
    });
}
