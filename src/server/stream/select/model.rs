//! Random logs, filters, rotations and cuts against a naive oracle: whatever happens, the payloads that a client joins are
//! the lines that the filter selects.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Query, Select};
use crate::follow::follower::Follower;
use crate::follow::position::Position;
use crate::follow::root::{Log, Roots};
use crate::follow::test_times::{Range, time};
use crate::protocol::address::Address;
use crate::protocol::criteria::{Case, Context, Criteria};
use crate::protocol::cursor::Place;
use crate::protocol::event::{Event, OpenTimes};
use crate::protocol::log_event::LogEvent;
use crate::protocol::request::Lines;
use crate::random::{Random, seeds};
use crate::select::{Filter, JUDGED_HEAD, REACH};
use crate::server::scans::Scans;
use crate::server::stream::encode::Encoder;
use crate::server::stream::encode::wstail::WstailEncoder;
use crate::server::stream::event::{Content, Data};
use crate::server::stream::frame::Frame;
use crate::server::stream::source::LogSource;

fn random_criteria(random: &mut Random) -> Criteria {
    let mut patterns = |counts: &[usize]| -> Vec<String> {
        (0..random.pick(counts)).map(|_| random.pick(&["a", "b", "ab", "xa", "y"]).to_owned()).collect()
    };
    let (grep, exclude) = (patterns(&[1, 1, 1, 2]), patterns(&[0, 0, 0, 1]));
    let context = Context::Lines { before: random.pick(&[0, 0, 1, 2, 9]), after: random.pick(&[0, 0, 1, 2, 9]) };
    Criteria { grep, exclude, context, fixed: true, case: Case::Sensitive, ..Criteria::default() }
}

fn random_line(random: &mut Random) -> Vec<u8> {
    let length = if random.one_in(15) { 100 + random.below(300) } else { random.below(9) };
    let mut line: Vec<u8> = (0..length).map(|_| random.pick(b"abxxyzzzzzzzz\xff\r")).collect();
    line.extend_from_slice(random.pick(&[b"\n".as_slice(), b"\n", b"\n", b"\r\n", b""]));
    line
}

/// What the filter selects from all generations; of the last one only the last so many matches with their context.
fn selected(generations: &[Vec<u8>], criteria: &Criteria, last: usize) -> Vec<u8> {
    selected_from(generations, criteria, last, (0, 0))
}

/// The lines of them that begin at a place or later: a generation and an offset.
fn selected_from(generations: &[Vec<u8>], criteria: &Criteria, last: usize, place: (usize, usize)) -> Vec<u8> {
    let Context::Lines { before, after } = criteria.context else { unreachable!() };
    let mut sent = Vec::new();
    for (number, log) in generations.iter().enumerate() {
        let mut lines = Vec::new();
        let mut start = 0;
        for bytes in log.split_inclusive(|&byte| byte == b'\n') {
            let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            let text = &text[..text.len().min(JUDGED_HEAD)];
            let has = |pattern: &String| text.windows(pattern.len()).any(|window| window == pattern.as_bytes());
            if !criteria.exclude.iter().any(has) {
                lines.push((start, bytes, criteria.grep.iter().any(has)));
            }
            start += bytes.len();
        }
        let is_near = |(at, line): (usize, &(usize, &[u8], bool)), other: usize| {
            let found = &lines[other];
            let distance = at.abs_diff(other);
            let most = if at < other { before } else { after } as usize;
            found.2 && distance <= most && line.0.abs_diff(found.0) <= REACH
        };
        let matches: Vec<usize> = (0..lines.len()).filter(|&at| lines[at].2).collect();
        let first = match last {
            0 => lines.len(),
            _ => matches.len().checked_sub(last).map_or(0, |skipped| {
                let line = matches[skipped];
                let is_near = |&at: &usize| lines[line].0 - lines[at].0 <= REACH;
                (line.saturating_sub(before as usize)..=line).find(is_near).unwrap_or(line)
            }),
        };
        for (at, line) in lines.iter().enumerate().skip(first) {
            let around = at.saturating_sub(9)..(at + 10).min(lines.len());
            let is_selected = line.2 || around.into_iter().any(|other| is_near((at, line), other));
            if is_selected && (number, line.0) >= place {
                sent.extend_from_slice(line.1);
            }
        }
    }
    sent
}

struct Stream {
    source: LogSource,
    select: Select,
    encoder: WstailEncoder,
    is_resumed: bool,
}

struct World {
    random: Random,
    directory: tempfile::TempDir,
    criteria: Criteria,
    scans: Arc<Scans>,
    generations: Vec<Vec<u8>>,
    rotations: usize,
    stream: Option<Stream>,
    received: Vec<u8>,
    place: Option<Place>,
    now: Instant,
    story: String,
    /// The stream is of this range of times, and of all generations. It does not follow the log.
    range: Option<Range>,
    is_over: bool,
}

/// Where a time begins: a generation and an offset.
fn place_of(generations: &[Vec<u8>], wanted: u64) -> Option<(usize, usize)> {
    generations.iter().enumerate().find_map(|(number, log)| {
        let mut start = 0;
        let lines = log.split_inclusive(|&byte| byte == b'\n').map(|line| {
            start += line.len();
            (start - line.len(), line)
        });
        let timed: Vec<_> = lines.filter_map(|(start, line)| Some((start, time(line)?))).collect();
        let found = timed.iter().position(|(_, time)| *time >= wanted)?;
        Some((number, if found == 0 { 0 } else { timed[found].0 }))
    })
}

impl World {
    fn new(seed: u64) -> World {
        let mut random = Random::new(seed);
        let criteria = random_criteria(&mut random);
        let mut world = World {
            random,
            directory: tempfile::tempdir().unwrap(),
            criteria,
            scans: Arc::new(Scans::new(None)),
            generations: Vec::new(),
            rotations: 0,
            stream: None,
            received: Vec::new(),
            place: None,
            now: Instant::now(),
            story: String::new(),
            range: None,
            is_over: false,
        };
        world.begin_generation();
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Every generation begins with a line that tells it from others.
    fn begin_generation(&mut self) {
        self.generations.push(Vec::new());
        let line = format!("z{}z{}\n", self.generations.len(), "z".repeat(300));
        self.append(line.as_bytes());
    }

    fn append(&mut self, bytes: &[u8]) {
        self.generations.last_mut().unwrap().extend_from_slice(bytes);
        let mut file = fs::OpenOptions::new().create(true).append(true).open(self.path("app.log")).unwrap();
        file.write_all(bytes).unwrap();
    }

    fn rotate(&mut self, is_copied: bool) {
        self.story += if is_copied { " copytruncate" } else { " rename" };
        for number in (1..=self.rotations).rev() {
            let [from, to] = [number, number + 1].map(|number| self.path(&format!("app.log.{number}")));
            fs::rename(from, to).unwrap();
        }
        self.rotations += 1;
        // File systems store times in ticks.
        std::thread::sleep(Duration::from_millis(5));
        if is_copied {
            fs::copy(self.path("app.log"), self.path("app.log.1")).unwrap();
            std::thread::sleep(Duration::from_millis(5));
            fs::OpenOptions::new().write(true).open(self.path("app.log")).unwrap().set_len(0).unwrap();
        } else {
            fs::rename(self.path("app.log"), self.path("app.log.1")).unwrap();
        }
        self.begin_generation();
    }

    fn find(&self) -> (Log, crate::follow::File) {
        let roots = Roots::open([self.directory.path()], false).unwrap();
        roots.find(&Address::parse("/app.log").unwrap()).unwrap().unwrap()
    }

    fn connect(&mut self) {
        let (log, file) = self.find();
        let skip = self.place.as_ref().map_or(0, |place| place.skip);
        let query = Query::new(Filter::new(&self.criteria).unwrap(), &file, skip).unwrap();
        let tail = self.range.is_none();
        let follower = match &self.place {
            None => Follower::new(log, file, Lines::All, tail, Duration::ZERO),
            Some(place) => {
                let position = Position::parse(&place.cursor).unwrap();
                Follower::resume(log, file, &position, 0, tail, Duration::ZERO)
            }
        };
        let mut follower = follower.unwrap();
        if let Some(range) = self.range {
            follower.narrow(true, Some(Box::new(range))).unwrap();
        }
        let follower_place = follower.place();
        let mut source = LogSource::new(follower, None, Duration::from_secs(1), self.now);
        let select = Select::new(Some(query), &mut source, &self.scans, self.now);
        let is_resumed = self.place.is_some();
        let encoder =
            WstailEncoder::new("app.log".into(), OpenTimes::default(), Duration::from_secs(10), is_resumed, self.now);
        let offset = follower_place;
        self.story += &format!(" connect({offset}+{skip})");
        self.stream = Some(Stream { source, select, encoder, is_resumed });
    }

    /// Takes what the stream has now. Returns whether it was silent.
    fn take(&mut self) -> bool {
        if self.stream.is_none() {
            self.connect();
        }
        self.now += Duration::from_millis(self.random.pick(&[1, 1, 1, 400, 1100]));
        let Some(mut stream) = self.stream.take() else { return false };
        let Some(event) = stream.select.next(&mut stream.source, self.now).unwrap() else {
            self.stream = Some(stream);
            return false;
        };
        let is_quiet = matches!(event.what, LogEvent::Quiet);
        self.is_over = stream.encoder.encode(event, self.now).is_break();
        while let Some(frame) = stream.encoder.next(self.now) {
            match frame {
                Frame::Text(text) => self.note(&String::from_utf8(text).unwrap(), stream.is_resumed),
                Frame::Binary(bytes) => {
                    let cut = if self.random.one_in(20) { self.random.below(bytes.len() + 1) } else { bytes.len() };
                    self.received.extend_from_slice(&bytes[..cut]);
                    if let Some(place) = &mut self.place {
                        place.skip += cut as u64;
                    }
                    if cut < bytes.len() {
                        self.story += &format!(" cut({cut}/{})", bytes.len());
                        return false;
                    }
                }
                Frame::Range(_) => panic!("a range of the file is not filtered"),
            }
        }
        if self.random.one_in(40) {
            self.story += " cut";
            return false;
        }
        self.stream = Some(stream);
        is_quiet
    }

    fn note(&mut self, text: &str, is_resumed: bool) {
        let event = Event::parse(text).unwrap();
        // Nothing is destroyed here before it can be read.
        assert!(!matches!(event, Event::Gap { .. }), "{text}{}", self.story);
        match event.cursor() {
            Some(cursor) if !(is_resumed && matches!(event, Event::Open { .. })) => {
                self.place = Some(cursor.clone().into());
            }
            _ => {}
        }
    }

    fn play(&mut self) {
        // Until the client has a place, it gets nothing of files that were rotated away.
        while self.place.is_none() {
            self.take();
        }
        // A file that was created, copied and truncated between two polls is more than a follower can tell.
        let is_copied = self.random.one_in(2);
        for _ in 0..5 + self.random.below(40) {
            match self.random.below(10) {
                0..5 => {
                    for _ in 0..1 + self.random.below(9) {
                        let line = random_line(&mut self.random);
                        self.append(&line);
                    }
                }
                5 if self.generations.len() < 5 => self.rotate(is_copied),
                _ => {
                    for _ in 0..self.random.below(30) {
                        self.take();
                    }
                }
            }
        }
        self.append(b"\n");
        let mut silences = 0;
        while silences < 5 {
            silences = if self.take() { silences + 1 } else { 0 };
        }
    }
}

#[test]
fn joined_payloads_are_what_the_filter_selects() {
    seeds(30).for_each(check);
}

fn check(seed: u64) {
    let mut world = World::new(seed);
    world.play();
    let expected = selected(&world.generations, &world.criteria, usize::MAX);
    let (got, wanted) = [&world.received, &expected].map(|bytes| String::from_utf8_lossy(bytes)).into();
    assert!(
        world.received == expected,
        "WSTAIL_SEED={seed} {:?}{}\n     got {got:?}\nexpected {wanted:?}",
        world.criteria,
        world.story
    );
}

#[test]
fn joined_payloads_of_a_range_are_what_the_filter_selects_in_it() {
    for seed in seeds(20) {
        let mut world = World::new(seed);
        let mut now = 0;
        for _ in 0..1 + world.random.below(4) {
            for _ in 0..world.random.below(60) {
                now += world.random.below(2) as u64;
                let line = if world.random.one_in(3) {
                    format!("t{now} a\n").into_bytes()
                } else {
                    random_line(&mut world.random)
                };
                world.append(&line);
            }
            // So every generation has a time.
            world.append(format!("\nt{now}\n").as_bytes());
            if world.generations.len() < 4 {
                world.rotate(false);
                world.append(format!("t{now}\n").as_bytes());
            }
        }
        let mut bound =
            |most: u64| Some(world.random.below(most as usize + 2) as u64).filter(|_| !world.random.one_in(4));
        let range = Range { since: bound(now), until: bound(now) };
        let range =
            if range.since.is_none() && range.until.is_none() { Range { since: Some(0), ..range } } else { range };
        world.range = Some(range);
        let (mut rotations, is_copied) = (world.random.below(5), world.random.one_in(2));
        for _ in 0..100_000 {
            if world.is_over {
                break;
            }
            if rotations > 0 && world.random.one_in(4) {
                rotations -= 1;
                world.rotate(is_copied);
                // No line that the filter selects is added, for where the log ends depends on when the client connects.
                world.append(format!("t{now}\n").as_bytes());
            }
            world.take();
        }
        assert!(world.is_over, "{seed}: no end{}", world.story);
        let mut generations = world.generations.clone();
        if let Some((number, offset)) = range.until.and_then(|until| place_of(&generations, until)) {
            generations.truncate(number + 1);
            generations[number].truncate(offset);
        }
        let start = range.since.map_or(Some((0, 0)), |since| place_of(&world.generations, since));
        let start = start.unwrap_or((usize::MAX, 0));
        let expected = selected_from(&generations, &world.criteria, usize::MAX, start);
        let (got, wanted) = [&world.received, &expected].map(|bytes| String::from_utf8_lossy(bytes)).into();
        assert!(
            world.received == expected,
            "{seed} {range:?} {:?}{}\n     got {got:?}\nexpected {wanted:?}",
            world.criteria,
            world.story
        );
    }
}

#[test]
fn the_last_lines_are_the_last_that_match() {
    for seed in seeds(10) {
        let mut world = World::new(seed);
        for _ in 0..1 + world.random.below(6) {
            for _ in 0..world.random.below(12) {
                let line = random_line(&mut world.random);
                world.append(&line);
            }
            let filler = "zz\n".repeat(world.random.pick(&[0, 0, 30_000, 70_000]));
            world.append(filler.as_bytes());
        }
        let lines = world.random.below(9);
        let (log, file) = world.find();
        let query = Query::new(Filter::new(&world.criteria).unwrap(), &file, 0).unwrap();
        let mut follower = Follower::new(log, file, Lines::Last(lines as u64), false, Duration::ZERO).unwrap();
        follower.count_matching(query.judge());
        let mut source = LogSource::new(follower, None, Duration::from_secs(1), world.now);
        let mut select = Select::new(Some(query), &mut source, &world.scans, world.now);
        let mut received = Vec::new();
        loop {
            match select.next(&mut source, world.now).unwrap().map(|event| event.what) {
                Some(LogEvent::Data(Data { content: Content::Bytes(bytes), .. })) => received.extend_from_slice(&bytes),
                Some(LogEvent::End) => break,
                _ => {}
            }
        }
        let expected = selected(&world.generations, &world.criteria, lines);
        let (got, wanted) = [&received, &expected].map(|bytes| String::from_utf8_lossy(bytes)).into();
        assert!(received == expected, "{seed} {lines} {:?}\n     got {got:?}\nexpected {wanted:?}", world.criteria);
    }
}
