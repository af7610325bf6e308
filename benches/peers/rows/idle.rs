//! A process that has nothing to do, without a client and with 1000 silent ones.

use std::thread;
use std::time::{Duration, Instant};

use super::super::Outcome;
use super::super::crowd::{Crowd, FIRST};
use super::super::peer::{Lines, Peer, SERVERS, Server};
use super::super::stage::Stage;
use super::followers::{CONNECT, SETTLE};

const ROW: &str = "idle";
const ROUNDS: usize = 3;
const FOLLOWERS: usize = 1000;
const TIME: Duration = Duration::from_secs(10);

pub fn run(stage: &mut Stage) -> Outcome<()> {
    let rounds = stage.rounds.min(ROUNDS);
    stage.alternate(ROW, &SERVERS, rounds, alone);
    stage.alternate(ROW, &[Peer::Wstail], rounds, followed);
    Ok(())
}

/// A fresh process: nobody has connected.
fn alone(stage: &mut Stage, peer: Peer) -> Outcome<()> {
    let (path, _) = stage.log(100)?;
    let server = Server::start(peer, &stage.tools, &path, Lines::Last(FIRST))?;
    thread::sleep(SETTLE);
    let before = server.wakeups();
    thread::sleep(TIME);
    stage.report.add(ROW, peer, "wake-ups in 10 s", server.wakeups().saturating_sub(before) as f64);
    stage.report.add(ROW, peer, "PSS, MB", server.pss() as f64 / 1e6);
    Ok(())
}

fn followed(stage: &mut Stage, peer: Peer) -> Outcome<()> {
    let (path, log) = stage.log(100)?;
    let mut server = stage.start(peer, &path, FIRST, log.next())?;
    let mut crowd = Crowd::new()?;
    crowd.grow(FOLLOWERS, &mut server, log.next(), Instant::now() + CONNECT)?;
    crowd.idle(SETTLE)?;
    let (wakeups, heartbeats) = (server.wakeups(), crowd.heartbeats());
    crowd.idle(TIME)?;
    let wakeups = server.wakeups().saturating_sub(wakeups);
    stage.report.add(ROW, peer, "wake-ups with 1000 followers", wakeups as f64);
    stage.report.add(ROW, peer, "heartbeats then", (crowd.heartbeats() - heartbeats) as f64);
    Ok(())
}
