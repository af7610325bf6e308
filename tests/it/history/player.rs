//! Plays one history: a server, readers with an oracle each, and one operation after the other.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tungstenite::Message;
use wstail::protocol::event::{Event, Missing};

use super::oracle::{Fate, Oracle};
use super::world::{SCHEMES, Scheme, World};
use crate::support::random::Random;
use crate::support::{EventClient, Server, serve_paths};

/// An operation, with a seed for its random choices.
#[derive(Clone, Copy, Debug)]
enum Operation {
    Write,
    WriteInTwoSteps,
    WriteLate,
    Rotate,
    RotateByLink,
    CopyAndTruncate,
    Truncate,
    Delete,
    MoveAway,
    Expire,
    Compress,
    AddStranger,
    Touch,
    Restore,
    Rewrite,
    Trim,
    Settle,
    Pause,
    StopServer,
    RestartServer,
    Leave,
    Return,
    GoBack,
    Join,
}

use Operation::*;

/// What happens between two operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// The readers get everything there is, unless the server is stopped.
    Settled,
    /// The same, and another second begins.
    Seconds,
    /// Nothing.
    Unsettled,
}

/// An operation that is listed more often is done more often.
const OPERATIONS: [Operation; 45] = [
    Write,
    Write,
    Write,
    Write,
    Write,
    Write,
    Write,
    Write,
    WriteInTwoSteps,
    WriteLate,
    WriteLate,
    Rotate,
    Rotate,
    Rotate,
    Rotate,
    Rotate,
    Rotate,
    RotateByLink,
    CopyAndTruncate,
    CopyAndTruncate,
    Truncate,
    Delete,
    MoveAway,
    Expire,
    Compress,
    Compress,
    Compress,
    AddStranger,
    AddStranger,
    Touch,
    Touch,
    Restore,
    Rewrite,
    Trim,
    Settle,
    Settle,
    Settle,
    Pause,
    StopServer,
    StopServer,
    RestartServer,
    Leave,
    Leave,
    Return,
    GoBack,
];

/// A history that can be played again, in whole or in part.
#[derive(Clone)]
pub struct Plan {
    scheme: Scheme,
    banner: usize,
    /// The log is copied and truncated instead of renamed.
    copies: bool,
    operations: Vec<(Operation, u64)>,
}

impl Plan {
    pub fn of(seed: u64) -> Plan {
        let mut random = Random::new(seed + 1);
        let scheme = SCHEMES[random.below(SCHEMES.len())];
        let copies = scheme != Scheme::Word && random.below(3) == 0;
        // A truncated log that begins as before cannot be told from one that was not truncated; long banners have tests
        // of their own.
        let banner = if copies { 0 } else { random.below(2) };
        let count = random.between(8, 30);
        let operation = |at: usize| {
            let chosen = if at % 11 == 10 { Join } else { OPERATIONS[random.below(OPERATIONS.len())] };
            (chosen, random.below(1 << 30) as u64)
        };
        Plan { scheme, banner, copies, operations: (0..count).map(operation).collect() }
    }

    pub fn len(&self) -> usize {
        self.operations.len()
    }

    pub fn without(&self, at: usize) -> Plan {
        let mut shorter = self.clone();
        shorter.operations.remove(at);
        shorter
    }
}

/// A client, and what is owed to it.
struct Reader {
    oracle: Oracle,
    client: Option<EventClient>,
    /// The last cursor, the number of bytes since, and how far the reader was then.
    cursor: Option<(String, u64)>,
    /// A line of the file came that is being read.
    has_line: bool,
    /// None had come when the cursor came.
    begins_empty: bool,
    base: Oracle,
    line: Vec<u8>,
    base_line: Vec<u8>,
    /// Bytes that were written to files after their time, and are not accounted for.
    late: u64,
    /// Generations that are gone, but held open for this reader as long as it is connected.
    held: Vec<usize>,
    /// Generations that came and went while it was connected, and of which it has read nothing.
    unseen: Vec<usize>,
    /// When it connected, and whether the server has had the time to watch the log for it since then.
    connected: Option<Instant>,
    is_watched: bool,
}

impl Reader {
    /// Forgets what only notifications could have reported: the reader has left.
    fn forget_unseen(&mut self) {
        for generation in std::mem::take(&mut self.unseen) {
            self.oracle.free(generation);
        }
    }
}

pub struct Player {
    base: tempfile::TempDir,
    server: Server,
    world: Option<World>,
    readers: Vec<Reader>,
    /// How often the server was stopped; whether it is now.
    stops: usize,
    is_stopped: bool,
    has_restored: bool,
    /// A file was compressed whose modification time is wrong.
    has_wrong_archives: bool,
    copies: bool,
    pace: Pace,
    /// The generations of which a file was made, restored or changed late, so that its times do not tell how old it is.
    of_unknown_age: BTreeSet<usize>,
    gone: BTreeSet<usize>,
    /// Generations of which somebody made a copy.
    strangers: BTreeSet<usize>,
    story: Vec<String>,
}

const DEADLINE: Duration = Duration::from_secs(60);
const PACE: Duration = Duration::from_millis(40);
/// After this time, a connected reader's log is watched.
const WATCHED: Duration = Duration::from_millis(150);

impl Player {
    pub fn new(base: &Path) -> Player {
        let base = tempfile::tempdir_in(base).unwrap();
        let server = serve(base.path());
        Player {
            base,
            server,
            world: None,
            readers: Vec::new(),
            stops: 0,
            is_stopped: false,
            has_restored: false,
            has_wrong_archives: false,
            copies: false,
            pace: Pace::Settled,
            of_unknown_age: BTreeSet::new(),
            gone: BTreeSet::new(),
            strangers: BTreeSet::new(),
            story: Vec::new(),
        }
    }

    pub fn base(&self) -> &Path {
        self.base.path().parent().unwrap()
    }

    pub fn story(&mut self) -> String {
        std::mem::take(&mut self.story).join("\n")
    }

    fn world(&mut self) -> &mut World {
        self.world.as_mut().unwrap()
    }

    fn tell(&mut self, text: impl Into<String>) {
        self.story.push(text.into());
    }

    pub fn play(&mut self, plan: &Plan, pace: Pace) {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let directory: PathBuf = self.base.path().join(format!("h{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
        self.story = vec![format!("{:?}, banner {}, copies {}", plan.scheme, plan.banner, plan.copies)];
        (self.has_restored, self.has_wrong_archives) = (false, false);
        (self.copies, self.pace) = (plan.copies, pace);
        self.of_unknown_age.clear();
        self.gone.clear();
        self.strangers.clear();
        self.readers.clear();
        self.world = Some(World::new(directory, plan.scheme, plan.banner));
        let mut random = Random::new(7);
        // Generations from before the first reader.
        let world = self.world();
        for _ in 0..2 {
            world.write(&mut random);
            if plan.copies {
                world.copy_and_truncate();
            } else {
                let _ = world.rotate(false, None);
            }
        }
        self.join();
        if pace != Pace::Unsettled {
            thread::sleep(WATCHED + PACE);
        }
        for &(operation, seed) in &plan.operations {
            self.tell(format!("{operation:?}"));
            self.act(operation, plan, &mut Random::new(seed));
            if pace != Pace::Unsettled && !self.is_stopped {
                self.settle();
                thread::sleep(PACE);
            }
            if pace == Pace::Seconds {
                thread::sleep(Duration::from_millis(1010));
            }
        }
        self.act(Write, plan, &mut random);
        self.settle();
        for at in 0..self.readers.len() {
            if self.readers[at].client.is_none() {
                self.connect(at);
            }
        }
        self.settle();
        for at in 0..self.readers.len() {
            let result = self.readers[at].oracle.end();
            self.check(at, result);
        }
        self.readers.clear();
        let _ = std::fs::remove_dir_all(&self.world.take().unwrap().directory);
    }

    fn act(&mut self, operation: Operation, plan: &Plan, random: &mut Random) {
        let stop = self.is_stopped.then_some(self.stops);
        if !self.is_stopped {
            for reader in &mut self.readers {
                let notifies = std::env::var_os("WSTAIL_NO_NOTIFY").is_none();
                reader.is_watched = notifies && reader.connected.is_some_and(|connected| connected.elapsed() > WATCHED);
            }
        }
        match operation {
            Write => self.write(random, World::write),
            WriteInTwoSteps => self.write(random, World::write_in_two_steps),
            WriteLate => self.write_late(random),
            Rotate | RotateByLink if plan.copies => self.copy_and_truncate(),
            Rotate => self.rotate(false, stop),
            RotateByLink => self.rotate(true, stop),
            CopyAndTruncate if plan.copies => self.copy_and_truncate(),
            CopyAndTruncate => {}
            // Next to a log that was truncated without a copy, a restored file or somebody's copy may look like one.
            Truncate if self.has_restored => {}
            Truncate => self.truncate(),
            // If a log is copied, truncated and deleted, nothing shows that the copies are copies of it.
            Delete | MoveAway if plan.copies => {}
            // If several files went to other directories meanwhile, nothing shows which one is missing.
            MoveAway if self.world().scheme == Scheme::OldDirectory && self.is_unseen() => {}
            Delete => {
                let generation = self.world().current();
                self.world().delete();
                self.gone(generation, true);
                self.detach();
                self.begin();
            }
            MoveAway => {
                let generation = self.world().current();
                let elapsed = self.world().move_away(random);
                let is_shown = elapsed < Duration::from_millis(8) && !self.world().is_birthless;
                self.gone(generation, !is_shown);
                self.detach();
                self.begin();
            }
            Expire => {
                let generation = self.world().expire();
                generation.into_iter().for_each(|generation| self.gone(generation, true));
            }
            Compress => {
                for _ in 0..random.between(1, 3) {
                    if let Some((generation, is_dated_wrong)) = self.world().compress(random) {
                        self.tell(format!("  of generation {generation}"));
                        self.compressed(generation, is_dated_wrong);
                    }
                }
            }
            // A file that appears next to a log that a reader has not read yet may be a copy of what the log held.
            AddStranger | Restore if self.is_unread() => {}
            AddStranger => self.add_stranger(random),
            Touch => self.touch(random),
            Restore => self.restore(random),
            Rewrite | Trim => self.change_in_place(operation, random),
            Settle => self.settle(),
            Pause => thread::sleep(Duration::from_millis(random.below(60) as u64)),
            StopServer if !self.is_stopped => {
                (self.is_stopped, self.stops) = (true, self.stops + 1);
                self.server.process.stop();
            }
            StopServer => self.go_on(),
            RestartServer => self.restart(),
            Leave => {
                let at = random.below(self.readers.len());
                self.leave(at);
            }
            Return => {
                let at = random.below(self.readers.len());
                if self.readers[at].client.is_none() {
                    self.connect(at);
                }
            }
            GoBack => {
                let at = random.below(self.readers.len());
                self.go_back(at);
            }
            Join => self.join(),
        }
    }

    /// Whether the server may not have seen yet what was done last.
    fn is_unseen(&self) -> bool {
        self.is_stopped || self.pace == Pace::Unsettled
    }

    fn is_unread(&self) -> bool {
        let current = self.world.as_ref().unwrap().current();
        self.readers.iter().any(|reader| !reader.oracle.has_reached(current))
    }

    fn age_is_unknown(&mut self, generation: usize) {
        self.of_unknown_age.insert(generation);
        self.readers.iter_mut().for_each(|reader| reader.oracle.age_is_unknown(generation));
    }

    /// Nothing is lost with it. But only the time of its last write shows how old a compressed file is.
    fn compressed(&mut self, generation: usize, is_dated_wrong: bool) {
        if is_dated_wrong {
            // And which way numbers count may depend on it.
            let may_count_either_way = self.world().scheme == Scheme::Counting;
            self.age_is_unknown(if may_count_either_way { 0 } else { generation });
            self.has_wrong_archives = true;
            // Next to a log that is still empty, it may be a copy of what that held.
            self.readers.iter_mut().for_each(|reader| reader.oracle.may_repeat(true));
            let is_stopped = self.is_stopped;
            let away = self.readers.iter_mut().filter(|reader| is_stopped || reader.client.is_none());
            away.for_each(|reader| reader.oracle.doubt(generation));
        }
        // Its own name does not show that it was the last before the log.
        if self.world().scheme == Scheme::Word {
            self.readers.iter_mut().for_each(|reader| reader.oracle.may_be_gap(generation));
        }
    }

    /// A cursor may be in a file before its first line. If that is compressed by now, a header alone does not tell it from
    /// others.
    fn may_lose_bare_cursor(&mut self, at: usize) {
        let reader = &mut self.readers[at];
        if reader.cursor.is_none() || !reader.begins_empty {
            return;
        }
        for rotated in self.world.as_ref().unwrap().rotated.iter().filter(|rotated| !rotated.is_plain()) {
            if !reader.oracle.has_reached(rotated.generation) {
                reader.oracle.may_be_gap_before(rotated.generation);
            }
        }
    }

    fn touch(&mut self, random: &mut Random) {
        let (generation, is_plain) = self.world().touch(random);
        self.tell(format!("  of generation {generation}"));
        self.has_wrong_archives |= !is_plain;
        if self.world().is_birthless || !is_plain {
            self.age_is_unknown(generation);
            let is_stopped = self.is_stopped;
            let away = self.readers.iter_mut().filter(|reader| is_stopped || reader.client.is_none());
            away.for_each(|reader| reader.oracle.doubt(generation));
        }
    }

    fn write(&mut self, random: &mut Random, write: fn(&mut World, &mut Random) -> super::world::Line) {
        let line = write(self.world(), random);
        let generation = self.world().current();
        self.tell(format!("  line {} in generation {generation}", line.number));
        self.readers.iter_mut().for_each(|reader| reader.oracle.write(generation, line.number, Fate::Kept));
    }

    /// The line must arrive if the server cannot have noticed the rotation yet.
    fn write_late(&mut self, random: &mut Random) {
        let Some((line, generation, stop)) = self.world().write_late(random) else { return };
        let is_unseen = self.is_stopped && stop == Some(self.stops);
        self.tell(format!("  late line {} in generation {generation}, unseen: {is_unseen}", line.number));
        if self.world().is_birthless {
            self.age_is_unknown(generation);
        }
        for reader in &mut self.readers {
            let is_owed = is_unseen
                && reader.client.is_some()
                && reader.oracle.reached() == generation
                && reader.oracle.has_reached(generation);
            reader.oracle.write_late(generation, line.number, if is_owed { Fate::Kept } else { Fate::Free });
            reader.late += line.length as u64;
        }
    }

    fn begin(&mut self) {
        self.readers.iter_mut().for_each(|reader| reader.oracle.begin_generation());
    }

    fn rotate(&mut self, by_link: bool, stop: Option<usize>) {
        let generation = self.world().current();
        let (replaced, elapsed) = self.world().rotate(by_link, stop);
        replaced.into_iter().for_each(|replaced| self.gone(replaced, true));
        let world = self.world();
        if world.scheme == Scheme::Word && (world.is_birthless || elapsed > Duration::from_millis(8)) {
            self.readers.iter_mut().for_each(|reader| reader.oracle.may_be_gap(generation));
        }
        self.begin();
    }

    fn copy_and_truncate(&mut self) {
        self.world().copy_and_truncate();
        self.begin();
    }

    /// If no line was read, a truncated log cannot be told from one that was not truncated.
    fn truncate(&mut self) {
        let generation = self.world().current();
        self.world().truncate();
        for reader in &mut self.readers {
            reader.oracle.destroy(generation, false);
            reader.oracle.may_be_gap(generation);
            if !reader.oracle.has_reached(generation) {
                reader.oracle.free(generation);
            }
        }
        self.begin();
    }

    /// A generation is deleted, or is where it cannot be found: only a reader that holds it open can read it.
    fn gone(&mut self, generation: usize, may_be_gap: bool) {
        self.gone.insert(generation);
        if self.strangers.contains(&generation) {
            self.age_is_unknown(generation);
        }
        for reader in &mut self.readers {
            // A copy is held only from when it is found.
            let is_held = !self.copies
                && reader.client.is_some()
                && reader.oracle.reached() == generation
                && reader.oracle.has_reached(generation);
            reader.oracle.destroy(generation, is_held);
            if is_held {
                reader.held.push(generation);
            }
            if may_be_gap || !is_held {
                reader.oracle.may_be_gap(generation);
            }
            // A generation that came and went leaves no trace except notifications.
            if !reader.oracle.has_reached(generation) {
                reader.unseen.push(generation);
            }
            if !reader.is_watched {
                reader.forget_unseen();
            }
        }
    }

    /// A generation is missing now between `app.log.old` and the log. A reader that has lost its place and resumes
    /// cannot tell that file from one that somebody put there.
    fn detach(&mut self) {
        let world = self.world();
        world.detached =
            world.rotated.last().filter(|_| world.scheme == Scheme::Word).map(|rotated| rotated.generation);
        for at in 0..self.readers.len() {
            if self.readers[at].client.is_none() {
                self.lose_detached(at);
            }
        }
    }

    fn lose_detached(&mut self, at: usize) {
        if let Some(generation) = self.world().detached {
            self.readers[at].oracle.destroy(generation, false);
            self.readers[at].oracle.may_be_gap(generation);
        }
    }

    fn add_stranger(&mut self, random: &mut Random) {
        let generation = self.world().add_stranger(random);
        self.tell(format!("  of generation {generation}"));
        self.has_restored |= generation == self.world().current();
        self.strangers.insert(generation);
        // If no file next to it has the same content, only its times show that it is old.
        let is_unique = generation != self.world().current()
            && !self.world().rotated.iter().any(|rotated| rotated.generation == generation && rotated.is_plain());
        if is_unique || self.world().is_birthless {
            self.age_is_unknown(generation);
        }
    }

    /// A reader of the file holds the old one open, and other readers may have it in their list.
    fn restore(&mut self, random: &mut Random) {
        let Some(generation) = self.world().restore(random) else { return };
        self.tell(format!("  of generation {generation}"));
        self.has_restored = true;
        self.age_is_unknown(generation);
        for reader in &mut self.readers {
            reader.oracle.may_be_gap(generation);
            if reader.client.is_some() && reader.oracle.reached() != generation {
                reader.oracle.destroy(generation, false);
            }
        }
    }

    /// Does the operation when every reader has received everything.
    fn change_in_place(&mut self, operation: Operation, random: &mut Random) {
        self.settle();
        let generation = self.world().current();
        if self.readers.iter().any(|reader| reader.client.is_none() || !reader.oracle.has_reached(generation)) {
            return;
        }
        let line = if matches!(operation, Trim) { self.world().trim(random) } else { self.world().rewrite(random) };
        let Some(line) = line else { return };
        self.tell(format!("  line {} in generation {generation}", line.number));
        for reader in &mut self.readers {
            reader.oracle.destroy(generation, true);
            reader.oracle.may_be_gap(generation);
            reader.oracle.write(generation, line.number, Fate::Kept);
        }
        // Nothing else happens until it is noticed: an editor is not faster.
        self.settle();
    }

    fn go_on(&mut self) {
        if std::mem::take(&mut self.is_stopped) {
            self.server.process.signal(Signal::CONT);
        }
    }

    fn restart(&mut self) {
        self.go_on();
        (0..self.readers.len()).for_each(|at| self.leave(at));
        self.server.process.signal(Signal::KILL);
        self.server.process.wait();
        self.server = serve(self.base.path());
        (0..self.readers.len()).for_each(|at| self.connect(at));
    }

    /// A reader that begins with the current file.
    fn join(&mut self) {
        if self.readers.len() >= 3 {
            return;
        }
        self.settle();
        let mut oracle = Oracle::default();
        let world = self.world.as_ref().unwrap();
        (0..world.texts.len()).for_each(|_| oracle.begin_generation());
        for (generation, text) in world.texts.iter().enumerate() {
            for number in text.lines().filter_map(number) {
                oracle.write(generation, number, Fate::Kept);
            }
        }
        oracle.begin_at(world.current());
        self.of_unknown_age.iter().for_each(|&generation| oracle.age_is_unknown(generation));
        self.readers.push(Reader {
            base: oracle.clone(),
            oracle,
            client: None,
            cursor: None,
            has_line: false,
            begins_empty: true,
            line: Vec::new(),
            base_line: Vec::new(),
            late: 0,
            held: Vec::new(),
            unseen: Vec::new(),
            connected: None,
            is_watched: false,
        });
        self.connect(self.readers.len() - 1);
    }

    fn connect(&mut self, at: usize) {
        self.go_on();
        self.may_lose_bare_cursor(at);
        let name = self.world().directory.file_name().unwrap().to_str().unwrap().to_owned();
        let from = match &self.readers[at].cursor {
            Some((cursor, skip)) => format!("cursor={cursor}.{skip}"),
            None => "lines=all".to_owned(),
        };
        self.tell(format!("  reader {at} connects"));
        let mut client = self.server.events(&format!("{name}/app.log?tail=1&{from}"));
        client.socket.get_mut().set_read_timeout(Some(Duration::from_millis(5))).unwrap();
        // From the first event on the file is open, and changes of its name do not matter any more.
        let deadline = Instant::now() + DEADLINE;
        let open = loop {
            match client.socket.read() {
                Ok(Message::Text(text)) => break Event::parse(&text).unwrap(),
                Ok(_) => {}
                Err(tungstenite::Error::Io(error)) if is_nothing(&error) => assert!(Instant::now() < deadline),
                Err(error) => panic!("{error}"),
            }
        };
        let world = self.world.as_ref().unwrap();
        let (is_birthless, current, gone) = (world.is_birthless, world.current(), &self.gone);
        // A restored file has a new creation time, which tells the wrong direction.
        let may_count_either_way = world.scheme == Scheme::Counting && self.has_restored;
        let reader = &mut self.readers[at];
        if reader.cursor.is_none() {
            reader.cursor = Some((open.cursor().unwrap().to_string(), 0));
            (reader.base, reader.base_line) = (reader.oracle.clone(), reader.line.clone());
        }
        // A cursor of an empty file knows nothing but when that was changed.
        let is_undated = is_birthless || self.has_wrong_archives;
        reader.oracle.may_repeat(is_undated && reader.begins_empty || may_count_either_way);
        // And where there are no creation times its number, which may be another file's once it is gone, or compressed.
        let place = reader.oracle.reached();
        let is_compressed = world.rotated.iter().any(|rotated| rotated.generation >= place && !rotated.is_plain());
        let is_freed = gone.range(place..).next().is_some() || is_compressed;
        if is_birthless && reader.begins_empty && is_freed {
            (place..current).for_each(|generation| reader.oracle.doubt(generation));
        }
        // Of a file that is gone somebody's copy is found, whose name does not tell what came after it; or the reader left in
        // an old file that it was reading again.
        if gone.contains(&place) && self.strangers.contains(&place) || reader.oracle.is_repeating() {
            reader.oracle.may_repeat_all();
            (place..current).for_each(|generation| reader.oracle.doubt(generation));
        }
        reader.client = Some(client);
        reader.connected = Some(Instant::now());
        if self.pace == Pace::Unsettled {
            // What happens before the log is watched has to be told from names and times, as after a restart.
            thread::sleep(WATCHED);
        }
    }

    fn leave(&mut self, at: usize) {
        self.read_some(at);
        let reader = &mut self.readers[at];
        reader.client = None;
        // What was held open for it is lost now.
        for generation in std::mem::take(&mut reader.held) {
            reader.oracle.destroy(generation, false);
            reader.oracle.may_be_gap(generation);
        }
        reader.forget_unseen();
        (reader.connected, reader.is_watched) = (None, false);
        self.lose_detached(at);
        self.tell(format!("  reader {at} leaves"));
    }

    /// Another reader resumes at the last cursor.
    fn go_back(&mut self, at: usize) {
        self.leave(at);
        let reader = &mut self.readers[at];
        if let Some((_, skip)) = &mut reader.cursor {
            *skip = 0;
            reader.oracle.go_back_to(&reader.base);
            reader.line = reader.base_line.clone();
        }
        self.connect(at);
    }

    /// Waits until the connected readers have received everything that must arrive.
    fn settle(&mut self) {
        self.go_on();
        let deadline = Instant::now() + DEADLINE;
        for at in 0..self.readers.len() {
            while self.readers[at].client.is_some() && !self.readers[at].oracle.is_done() {
                self.read_some(at);
                if Instant::now() > deadline {
                    self.check(at, Err("what is kept does not come".to_owned()));
                }
            }
        }
    }

    fn check(&mut self, at: usize, result: Result<(), String>) {
        if let Err(message) = result {
            self.tell(format!("reader {at}: {message}\n{:?}", self.readers[at].oracle));
            panic!("{message}");
        }
    }

    /// Reads what has arrived, up to a short silence.
    fn read_some(&mut self, at: usize) {
        loop {
            let Some(client) = &mut self.readers[at].client else { return };
            match client.socket.read() {
                Ok(Message::Binary(bytes)) => self.take(at, &bytes),
                Ok(Message::Text(text)) => {
                    let event = Event::parse(&text).unwrap();
                    self.take_event(at, &event);
                }
                Ok(_) => {}
                Err(tungstenite::Error::Io(error)) if is_nothing(&error) => return,
                Err(error) => {
                    self.check(at, Err(format!("the stream ended: {error}")));
                }
            }
        }
    }

    fn take(&mut self, at: usize, bytes: &[u8]) {
        let reader = &mut self.readers[at];
        if let Some((_, skip)) = &mut reader.cursor {
            *skip += bytes.len() as u64;
        }
        reader.line.extend_from_slice(bytes);
        while let Some(end) = self.readers[at].line.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.readers[at].line.drain(..=end).collect();
            let text = String::from_utf8_lossy(&line).into_owned();
            match number(text.trim_end()) {
                Some(number) => {
                    self.tell(format!("  reader {at} reads {number}"));
                    self.readers[at].has_line = true;
                    let result = self.readers[at].oracle.read(number);
                    self.check(at, result);
                }
                None if text.starts_with("# ") => {}
                None => self.check(at, Err(format!("this is not a line: {text:?}"))),
            }
        }
    }

    fn take_event(&mut self, at: usize, event: &Event) {
        let is_birthless = self.world().is_birthless;
        let reader = &mut self.readers[at];
        match event {
            Event::Gap { reason: Missing::Replaced, bytes: Some(bytes), .. } if *bytes <= reader.late => {
                reader.late -= bytes;
            }
            Event::Gap { reason, .. } => {
                if matches!(reason, Missing::Cursor | Missing::Truncated) {
                    reader.has_line = false;
                    reader.oracle.may_repeat(true);
                }
                reader.oracle.gap();
            }
            _ => {}
        }
        if let Some(cursor) = event.cursor() {
            reader.cursor = Some((cursor.to_string(), 0));
            (reader.base, reader.base_line) = (reader.oracle.clone(), reader.line.clone());
            reader.has_line &= !matches!(event, Event::Rotated { .. } | Event::Truncated { .. });
            reader.begins_empty = !reader.has_line;
            if is_birthless && reader.begins_empty {
                reader.oracle.may_repeat(true);
            }
        }
        if !matches!(event, Event::Cursor(_)) {
            self.tell(format!("  reader {at}: {}", event.to_string().chars().take(60).collect::<String>()));
        }
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        if self.is_stopped {
            self.server.process.signal(Signal::CONT);
        }
    }
}

fn serve(base: &Path) -> Server {
    // A server that is stopped for a while must not take its clients for silent.
    serve_paths(&[base], &["--rotate-wait", "0.05", "--poll", "20", "--heartbeat", "300"])
}

fn is_nothing(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// The number of a line.
fn number(line: &str) -> Option<usize> {
    line.split_once(':')?.0.parse().ok()
}
