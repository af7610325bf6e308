//! What every row works with: the installed peers, a place for logs, the rounds and the report.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::statvfs;

use super::Outcome;
use super::load::{BUFFER, Connection};
use super::log::{LINE, Log};
use super::peer::{Lines, Peer, Server};
use super::report::Report;
use super::tally::Tally;
use super::tools::Tools;

/// A file system in memory, and the room that the large logs need there.
const MEMORY: &str = "/dev/shm";
const ROOM: u64 = 6_000_000_000;
const WARM_UP: Duration = Duration::from_secs(20);

pub struct Stage {
    pub tools: Tools,
    pub rounds: usize,
    pub report: Report,
    pub buffer: Vec<u8>,
    directory: tempfile::TempDir,
    logs: usize,
}

impl Stage {
    pub fn new(tools: Tools, rounds: usize) -> Outcome<Stage> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("wstail-peers-");
        let has_room = |found: rustix::fs::StatVfs| found.f_bavail * found.f_frsize >= ROOM;
        let directory =
            if statvfs(MEMORY).is_ok_and(has_room) { builder.tempdir_in(MEMORY)? } else { builder.tempdir()? };
        Ok(Stage { tools, rounds, report: Report::default(), buffer: vec![0; BUFFER], directory, logs: 0 })
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// A fresh log in a folder of its own.
    pub fn log(&mut self, lines: u64) -> Outcome<(PathBuf, Log)> {
        self.logs += 1;
        let folder = self.directory().join(self.logs.to_string());
        fs::create_dir(&folder)?;
        let path = folder.join("app.log");
        let log = Log::create(&path, lines)?;
        Ok((path, log))
    }

    /// A log of so many bytes that is made once and kept; and its lines.
    pub fn large(&self, bytes: u64) -> Outcome<(PathBuf, u64)> {
        let path = self.directory().join(format!("{bytes}.log"));
        let lines = bytes / LINE as u64;
        if !path.exists() {
            eprintln!("writing a log of {} MB", bytes / 1_000_000);
            Log::create(&path, lines)?;
        }
        Ok((path, lines))
    }

    /// Each peer in turn, then the next round. A peer that fails is noted, and the others go on.
    pub fn alternate(
        &mut self,
        row: &'static str,
        peers: &[Peer],
        rounds: usize,
        mut run: impl FnMut(&mut Stage, Peer) -> Outcome<()>,
    ) {
        for round in 1..=rounds {
            for peer in peers.iter().copied() {
                let missing: Vec<_> = peer.needs().iter().filter(|name| self.tools.path(name).is_none()).collect();
                if let [first, ..] = missing.as_slice() {
                    self.report.note(row, format!("{} is missing: no `{first}`", peer.name()));
                    continue;
                }
                eprintln!("{row}: round {round} of {rounds}, {}", peer.name());
                if let Err(error) = run(self, peer) {
                    self.report.note(row, format!("{} failed: {error}", peer.name()));
                    self.report.faults += u64::from(peer.is_wstail());
                }
            }
        }
    }

    /// Starts a peer on a log of `written` lines; those that serve many have served one then.
    pub fn start(&mut self, peer: Peer, log: &Path, lines: u64, written: u64) -> Outcome<Server> {
        let mut server = Server::start(peer, &self.tools, log, Lines::Last(lines))?;
        if peer.serves_many() {
            self.connect(&mut server, lines, written)?;
        }
        Ok(server)
    }

    /// A follower that has got the last lines.
    pub fn connect(&mut self, server: &mut Server, lines: u64, written: u64) -> Outcome<(Connection, Tally)> {
        let mut tally = Tally::from(written - lines);
        let mut connection = server.connect(Lines::Last(lines))?;
        let deadline = Instant::now() + WARM_UP;
        if !connection.receive_until(written, deadline, &mut self.buffer, &mut tally)? {
            return Err(format!("{} of the last {lines} lines came", tally.lines).into());
        }
        Ok((connection, tally))
    }

    /// Counts lines that were lost, came twice or were damaged.
    pub fn judge(&mut self, row: &'static str, peer: Peer, faults: u64) {
        if faults > 0 {
            self.report.note(row, format!("{}: {faults} lines lost, repeated or damaged in a round", peer.name()));
        }
        if peer.is_wstail() {
            self.report.faults += faults;
        }
    }
}
