//! A whole log, as fast as the client takes it.

use std::time::{Duration, Instant};

use super::super::Outcome;
use super::super::peer::{Lines, Peer, Server};
use super::super::stage::Stage;
use super::super::tally::Tally;

const ROW: &str = "bulk";
const BYTES: u64 = 1_000_000_000;
/// How long the first line is waited for: who sends all as one message needs time to make it.
const FIRST_LINE: Duration = Duration::from_secs(60);
/// A peer that then needs longer is measured by what came until then.
const LONGEST: Duration = Duration::from_secs(10);
/// The warm-up's lines.
const FIRST: u64 = 10;
/// frontail keeps its lines in memory and so has no whole log.
const PEERS: [Peer; 8] = [
    Peer::Wstail,
    Peer::WstailText,
    Peer::Websocketd,
    Peer::Websocat,
    Peer::Seed,
    Peer::Netcat,
    Peer::Pipe,
    Peer::Loopback,
];

pub fn run(stage: &mut Stage) -> Outcome<()> {
    let (path, written) = stage.large(BYTES)?;
    stage.alternate(ROW, &PEERS, stage.rounds, |stage, peer| {
        let mut server = match peer {
            Peer::Loopback => Server::loopback(written)?,
            _ => Server::start(peer, &stage.tools, &path, Lines::All)?,
        };
        if peer.serves_many() {
            warm_up(stage, &mut server)?;
        }
        let cpu = server.cpu();
        let start = Instant::now();
        let mut connection = server.connect(Lines::All)?;
        let mut tally = Tally::from(0);
        tally.cycles = peer == Peer::Loopback;
        connection.receive_until(1, start + FIRST_LINE, &mut stage.buffer, &mut tally)?;
        connection.receive_until(written, Instant::now() + LONGEST, &mut stage.buffer, &mut tally)?;
        let (time, bytes) = (start.elapsed().as_secs_f64(), tally.bytes as f64);
        if tally.next() < written {
            stage.report.note(ROW, format!("{} was stopped after {time:.0} s", peer.name()));
        }
        let missing = if peer.is_wstail() { written.saturating_sub(tally.next()) } else { 0 };
        stage.judge(ROW, peer, tally.faults() + missing);
        stage.report.add(ROW, peer, "MB/s", bytes / 1e6 / time);
        if peer != Peer::Loopback && bytes > 0.0 {
            stage.report.add(ROW, peer, "CPU, s/GB", (server.cpu() - cpu) / (bytes / 1e9));
            stage.report.add(ROW, peer, "PSS, MB", server.pss() as f64 / 1e6);
        }
        Ok(())
    });
    Ok(())
}

/// Where the number of lines is the client's choice it takes few, else the first that come.
fn warm_up(stage: &mut Stage, server: &mut Server) -> Outcome<()> {
    let mut connection = server.connect(Lines::Last(FIRST))?;
    let (mut tally, deadline) = (Tally::from(0), Instant::now() + FIRST_LINE);
    while tally.lines + tally.faults() == 0 && Instant::now() < deadline {
        connection.receive(&mut stage.buffer, &mut tally)?;
    }
    Ok(())
}
