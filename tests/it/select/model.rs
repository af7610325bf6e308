use std::fs;
use std::thread;
use std::time::Duration;

use wstail::protocol::event::Event;

use crate::support::random::{Random, seeds};
use crate::support::{EventClient, Item, Log, Server, serve_with};

/// How far context may be from its match.
const REACH: usize = (128 << 10) - 4;
const JUDGED: usize = 128 << 10;

/// The lines that hold `hit`, with this many before and after, without those that hold `zap`.
fn selected(generations: &[Vec<u8>], context: [usize; 2]) -> Vec<u8> {
    let has = |line: &[u8], word: &[u8]| line[..line.len().min(JUDGED)].windows(3).any(|three| three == word);
    let mut sent = Vec::new();
    for log in generations {
        let mut start = 0;
        let mut lines = Vec::new();
        for line in log.split_inclusive(|&byte| byte == b'\n') {
            if !has(line, b"zap") {
                lines.push((start, line, has(line, b"hit")));
            }
            start += line.len();
        }
        for (at, (start, line, is_hit)) in lines.iter().enumerate() {
            let around = lines.iter().enumerate().filter(|(_, other)| other.2 && start.abs_diff(other.0) <= REACH);
            let is_context = around.into_iter().any(|(other, _)| {
                let most = if at < other { context[0] } else { context[1] };
                at.abs_diff(other) <= most
            });
            if *is_hit || is_context {
                sent.extend_from_slice(line);
            }
        }
    }
    sent
}

struct World {
    random: Random,
    log: Log,
    server: Server,
    client: Option<EventClient>,
    filter: String,
    generations: Vec<Vec<u8>>,
    received: Vec<u8>,
    place: String,
    since: usize,
    hits: usize,
}

impl World {
    fn write(&mut self, bytes: &[u8]) {
        self.generations.last_mut().unwrap().extend_from_slice(bytes);
        self.log.append(bytes);
    }

    fn begin_generation(&mut self) {
        self.generations.push(Vec::new());
        let head = format!("head {} {}\n", self.generations.len(), ".".repeat(300));
        self.write(head.as_bytes());
    }

    fn rotate(&mut self, is_copied: bool) {
        let name = self.log.beside(&format!("app.log-2026112{}", self.generations.len()));
        // Files are told apart by their times, too.
        thread::sleep(Duration::from_millis(11));
        if is_copied {
            fs::copy(self.log.path(), name).unwrap();
            thread::sleep(Duration::from_millis(11));
            self.log.writer().set_len(0).unwrap();
        } else {
            fs::rename(self.log.path(), name).unwrap();
        }
        self.begin_generation();
    }

    fn write_lines(&mut self) {
        for _ in 0..self.random.below(30) {
            let mut line = match self.random.below(40) {
                0 => vec![b'l'; 100_000 + self.random.below(250_000)],
                _ => vec![b'.'; self.random.below(60)],
            };
            let word: &[u8] = [&b"hit"[..], b"zap", b"", b"", b""][self.random.below(5)];
            line.extend_from_slice(word);
            line.extend_from_slice([&b"\n"[..], b"\n", b"\r\n", b""][self.random.below(4)]);
            self.write(&line);
        }
        self.hits += 1;
        let hit = format!("\nhit {}\n", self.hits);
        self.write(hit.as_bytes());
    }

    /// Reads up to the last hit, or less if the client cuts the connection.
    fn read(&mut self, may_cut: bool) {
        let end = format!("hit {}\n", self.hits);
        while !self.received.ends_with(end.as_bytes()) {
            let is_resumed = !self.place.is_empty();
            let target = match self.place.as_str() {
                "" => format!("app.log?tail=1&lines=all&{}", self.filter),
                place => format!("app.log?tail=1&cursor={place}.{}&{}", self.since, self.filter),
            };
            let client = self.client.get_or_insert_with(|| self.server.events(&target));
            match client.next() {
                Item::Bytes(bytes) => {
                    let is_cut = may_cut && self.random.below(8) == 0;
                    let length = if is_cut { self.random.below(bytes.len() + 1) } else { bytes.len() };
                    self.received.extend_from_slice(&bytes[..length]);
                    self.since += length;
                    if is_cut {
                        self.client = None;
                        return;
                    }
                }
                Item::Event(Event::Open { .. }) if is_resumed => {}
                Item::Event(gap @ Event::Gap { .. }) => panic!("nothing was destroyed: {gap}"),
                Item::Event(event) => {
                    if let Some(cursor) = event.cursor() {
                        (self.place, self.since) = (cursor.to_string(), 0);
                    }
                }
                Item::Close(code, reason) => panic!("closed with {code}: {reason}"),
            }
        }
    }
}

/// With `WSTAIL_CASES` in the environment more cases are played.
#[test]
fn joined_payloads_are_the_selected_lines_whoever_cuts_rotates_and_restarts() {
    let cases = std::env::var("WSTAIL_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(25);
    for seed in seeds(cases) {
        let mut random = Random::new(seed);
        let context = [0, 1].map(|_| [0, 0, 1, 3][random.below(4)]);
        let is_copied = random.below(2) == 0;
        let log = Log::with("");
        let server = serve_with(&log, &["--rotate-wait", "0", "--heartbeat", "60"]);
        let filter = format!("grep=hit&exclude=zap&context={},{}", context[0], context[1]);
        let (generations, received, place) = (Vec::new(), Vec::new(), String::new());
        let mut world =
            World { random, log, server, client: None, filter, generations, received, place, since: 0, hits: 0 };
        world.begin_generation();
        world.write_lines();
        world.read(false);
        for _ in 0..world.random.below(12) {
            match world.random.below(6) {
                0 if world.generations.len() < 5 => world.rotate(is_copied),
                1 => {
                    world.client = None;
                    world.server = serve_with(&world.log, &["--rotate-wait", "0", "--heartbeat", "60"]);
                }
                _ => {}
            }
            world.write_lines();
            world.read(true);
        }
        world.read(false);
        let expected = selected(&world.generations, context);
        let same = world.received.iter().zip(&expected).take_while(|(one, other)| one == other).count();
        let [got, wanted] = [&world.received, &expected].map(|bytes| {
            let rest = &bytes[same..];
            String::from_utf8_lossy(&rest[..rest.len().min(200)]).into_owned()
        });
        assert!(
            world.received == expected,
            "WSTAIL_SEED={seed} {}: after {same} bytes {got:?}, expected {wanted:?}",
            world.filter
        );
    }
}
