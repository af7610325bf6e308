//! From the write of a line to its receipt, with one client and pauses between the lines.

use std::thread;
use std::time::{Duration, Instant};

use super::super::Outcome;
use super::super::log::Block;
use super::super::peer::{FOLLOWERS, Peer};
use super::super::report::percentile;
use super::super::stage::Stage;

const ROW: &str = "latency";
const FIRST: u64 = 10;
const LINES: u64 = 300;
/// Longer than anybody's look.
const LAST: Duration = Duration::from_secs(5);

pub fn run(stage: &mut Stage) -> Outcome<()> {
    stage.alternate(ROW, &FOLLOWERS, stage.rounds, measure);
    Ok(())
}

fn measure(stage: &mut Stage, peer: Peer) -> Outcome<()> {
    let (path, mut log) = stage.log(100)?;
    let mut server = stage.start(peer, &path, FIRST, log.next())?;
    let (mut connection, mut tally) = stage.connect(&mut server, FIRST, log.next())?;
    tally.delays = Some(Vec::new());
    // What looks once a second is met at any time of its second.
    let pauses = (0..LINES).map(|line| Duration::from_millis(5 + line * 7 % 20));
    let last = log.next() + LINES;
    let deadline = Instant::now() + pauses.clone().sum::<Duration>() + LAST;
    thread::scope(|scope| -> Outcome<()> {
        scope.spawn(move || {
            let mut line = Block::new(1);
            for pause in pauses {
                thread::sleep(pause);
                log.append(&mut line).expect("the log takes a line");
            }
        });
        connection.receive_until(last, deadline, &mut stage.buffer, &mut tally)?;
        Ok(())
    })?;
    stage.judge(ROW, peer, tally.faults() + last.saturating_sub(tally.next()));
    let mut delays = tally.delays.take().unwrap_or_default();
    for (name, percent) in [("p50, ms", 50), ("p99, ms", 99)] {
        let delay = percentile(&mut delays, percent).ok_or("no line came")?;
        stage.report.add(ROW, peer, name, delay as f64 / 1e6);
    }
    Ok(())
}
