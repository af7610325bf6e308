//! A log that is appended to as fast as the writer can, and one follower.

use std::thread;
use std::time::{Duration, Instant};

use super::super::Outcome;
use super::super::log::{self, Block, LINE};
use super::super::peer::{FOLLOWERS, Peer};
use super::super::stage::Stage;

const FIRST: u64 = 10;
/// How long a peer that is behind at the end is waited for.
const BEHIND: Duration = Duration::from_secs(10);

/// What is written.
struct Load {
    row: &'static str,
    bytes: u64,
    /// Lines in one write.
    block: usize,
}

pub fn lines(stage: &mut Stage) -> Outcome<()> {
    follow(stage, &Load { row: "follow-lines", bytes: 300_000_000, block: 1 })
}

pub fn blocks(stage: &mut Stage) -> Outcome<()> {
    follow(stage, &Load { row: "follow-blocks", bytes: 1_000_000_000, block: 60_000 / LINE })
}

fn follow(stage: &mut Stage, load: &Load) -> Outcome<()> {
    stage.alternate(load.row, &FOLLOWERS, stage.rounds, |stage, peer| measure(stage, peer, load));
    Ok(())
}

fn measure(stage: &mut Stage, peer: Peer, load: &Load) -> Outcome<()> {
    let (path, mut log) = stage.log(100)?;
    let mut server = stage.start(peer, &path, FIRST, log.next())?;
    let (mut connection, mut tally) = stage.connect(&mut server, FIRST, log.next())?;
    let mut block = Block::new(load.block);
    let writes = load.bytes / (LINE as u64 * block.lines());
    let last = log.next() + writes * block.lines();
    let (before, cpu, start) = (tally.bytes, server.cpu(), log::now());
    let written = thread::scope(|scope| -> Outcome<u64> {
        let writer = scope.spawn(move || {
            for _ in 0..writes {
                log.append(&mut block).expect("the log takes lines");
            }
            log::now()
        });
        while tally.next() < last && !writer.is_finished() {
            connection.receive(&mut stage.buffer, &mut tally)?;
        }
        connection.receive_until(last, Instant::now() + BEHIND, &mut stage.buffer, &mut tally)?;
        Ok(writer.join().expect("the writer ends"))
    })?;
    let (end, bytes) = (log::now(), (tally.bytes - before) as f64);
    let cpu = server.cpu() - cpu;
    let missing = last.saturating_sub(tally.next());
    if missing > 0 {
        let note = format!("{} was stopped {} s after the writer, still behind", peer.name(), BEHIND.as_secs());
        stage.report.note(load.row, note);
    }
    stage.judge(load.row, peer, tally.faults() + if peer.is_wstail() { missing } else { 0 });
    let mut add = |measure, value| stage.report.add(load.row, peer, measure, value);
    add("MB/s", bytes / 1e6 / ((end - start) as f64 / 1e9));
    add("the writer's MB/s", load.bytes as f64 / 1e6 / ((written - start) as f64 / 1e9));
    add("behind, ms", end.saturating_sub(written) as f64 / 1e6);
    add("lost", tally.faults() as f64);
    if bytes > 0.0 {
        add("CPU, s/GB", cpu / (bytes / 1e9));
    }
    add("PSS, MB", server.pss() as f64 / 1e6);
    Ok(std::fs::remove_file(path)?)
}
