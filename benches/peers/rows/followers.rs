//! 1000 followers of one log: what they cost while nothing comes, and how late a line a second is at all of them.
//!
//! Of the `tail`s that websocketd and websocat start for each of them only as many are woken by inotify as the user may have
//! instances, 128 by default (`fs.inotify.max_user_instances`); the others look once a second.

use std::time::{Duration, Instant};

use super::super::Outcome;
use super::super::crowd::{Crowd, FIRST};
use super::super::log::{Block, Log};
use super::super::peer::Peer;
use super::super::report::percentile;
use super::super::stage::Stage;

const ROW: &str = "followers";
const FOLLOWERS: usize = 1000;
const PEERS: [Peer; 6] =
    [Peer::Wstail, Peer::WstailFilter, Peer::Websocketd, Peer::Websocat, Peer::Frontail, Peer::Seed];
/// A round takes minutes for all.
const ROUNDS: usize = 3;
const LINES: usize = 10;
pub const SETTLE: Duration = Duration::from_secs(3);
/// Two heartbeats of wstail's.
pub const IDLE: Duration = Duration::from_secs(20);
pub const CONNECT: Duration = Duration::from_secs(120);
/// A line that is not there by then is lost.
const LATEST: Duration = Duration::from_secs(5);

pub fn run(stage: &mut Stage) -> Outcome<()> {
    stage.alternate(ROW, &PEERS, stage.rounds.min(ROUNDS), measure);
    Ok(())
}

fn measure(stage: &mut Stage, peer: Peer) -> Outcome<()> {
    let (path, mut log) = stage.log(100)?;
    let mut server = stage.start(peer, &path, FIRST, log.next())?;
    let mut crowd = Crowd::new()?;
    crowd.grow(FOLLOWERS, &mut server, log.next(), Instant::now() + CONNECT)?;
    crowd.idle(SETTLE)?;
    stage.report.add(ROW, peer, "PSS, MB", server.pss() as f64 / 1e6);
    let cpu = server.cpu();
    crowd.idle(IDLE)?;
    stage.report.add(ROW, peer, "idle CPU, %", (server.cpu() - cpu) / IDLE.as_secs_f64() * 100.0);
    let [p50, p99] = latency(&mut crowd, &mut log)?;
    stage.report.add(ROW, peer, "p50, ms", p50);
    stage.report.add(ROW, peer, "p99, ms", p99);
    if crowd.closed > 0 {
        stage.report.note(ROW, format!("{} closed {} connections", peer.name(), crowd.closed));
    }
    stage.judge(ROW, peer, crowd.faults(log.next()));
    Ok(())
}

/// A line a second; p50 and p99 over all lines at all followers, in ms.
pub fn latency(crowd: &mut Crowd, log: &mut Log) -> Outcome<[f64; 2]> {
    let mut line = Block::new(1);
    crowd.time();
    for _ in 0..LINES {
        let start = Instant::now();
        log.append(&mut line)?;
        crowd.follow(log.next(), start + LATEST)?;
        crowd.idle(Duration::from_secs(1).saturating_sub(start.elapsed()))?;
    }
    let mut delays = crowd.delays();
    let mut at = |percent| percentile(&mut delays, percent).map_or(f64::NAN, |delay| delay as f64 / 1e6);
    Ok([at(50), at(99)])
}
