//! From the call of connect(2) to the last byte of a log's last lines.

use std::time::Instant;

use super::super::Outcome;
use super::super::peer::{Peer, SERVERS};
use super::super::stage::Stage;

const ROW: &str = "last-lines";
const CASES: [(&str, u64, u64); 4] = [
    ("10 of 1 MB, ms", 10, 1_000_000),
    ("1000 of 1 MB, ms", 1000, 1_000_000),
    ("10 of 2 GB, ms", 10, 2_000_000_000),
    ("1000 of 2 GB, ms", 1000, 2_000_000_000),
];
/// Of each round.
const CONNECTIONS: usize = 5;

pub fn run(stage: &mut Stage) -> Outcome<()> {
    for (measure, lines, bytes) in CASES {
        let (path, written) = stage.large(bytes)?;
        stage.alternate(ROW, &SERVERS, stage.rounds, |stage, peer: Peer| {
            let mut server = stage.start(peer, &path, lines, written)?;
            for _ in 0..CONNECTIONS {
                let start = Instant::now();
                let (_, tally) = stage.connect(&mut server, lines, written)?;
                stage.report.add(ROW, peer, measure, start.elapsed().as_secs_f64() * 1000.0);
                stage.judge(ROW, peer, tally.faults());
            }
            Ok(())
        });
    }
    Ok(())
}
