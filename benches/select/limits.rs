//! What a search must not cost: time before the first byte, memory, and the heartbeat's regularity.

use std::thread;
use std::time::{Duration, Instant};

use tungstenite::Message;

use super::figures::shown;
use super::log::TIME;
use super::stage::Stage;

/// The slowest expression that is known: the state of its automaton differs at every byte.
const WORST: &str = "[aeiou0-4].{60}[^%20-~]x";
/// How long the heartbeat is watched, whose interval is a second.
const WATCHED: Duration = Duration::from_secs(12);
const SECOND: f64 = 1.0;

pub fn run(stage: &Stage) {
    // So that every log has been opened once.
    drop(stage.get("app.log?lines=1"));
    let (mut dense, mut sparse, mut filtered) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..stage.rounds.max(20) {
        dense.push(first_byte(stage, &format!("app.log?since={TIME}")));
        sparse.push(first_byte(stage, &format!("sparse.log?since={TIME}")));
        filtered.push(first_byte(stage, "app.log?grep=Needle1k&lines=all"));
    }
    println!("\nms to the first byte of the answer, median (min-max)");
    println!("since a time, 1 GB        {}", shown(&dense, 2));
    println!("since a time, 100 GB      {}  goal 2 times that of 1 GB", shown(&sparse, 2));
    println!("a word in 1 % of lines    {}  goal 2", shown(&filtered, 2));
    let (jitter, memory) = watch(stage);
    println!("\nwhile the slowest expression is searched for");
    println!("heartbeat, ms off a second, at most  {jitter:.0}  goal 50");
    println!("memory, KiB more than before         {memory}  goal 2048");
}

/// In milliseconds.
fn first_byte(stage: &Stage, target: &str) -> f64 {
    let begun = Instant::now();
    drop(stage.get(target));
    begun.elapsed().as_secs_f64() * 1e3
}

/// How far two heartbeats were off their interval, in milliseconds, and how much memory the search took, in KiB.
fn watch(stage: &Stage) -> (f64, u64) {
    let before = stage.memory();
    let (mut socket, _) = tungstenite::connect(stage.url(&format!("app.log?lines=all&grep={WORST}"))).unwrap();
    let (begun, mut last) = (Instant::now(), None::<Instant>);
    let (mut jitter, mut memory) = (0.0_f64, 0);
    while begun.elapsed() < WATCHED {
        let Message::Text(text) = socket.read().unwrap() else { continue };
        if text.as_str() != "ping" {
            continue;
        }
        let now = Instant::now();
        let off = last.map_or(0.0, |last| (now - last).as_secs_f64() - SECOND);
        (jitter, last) = (jitter.max(off.abs() * 1e3), Some(now));
        socket.send(Message::text("pong")).unwrap();
        memory = memory.max(stage.memory().saturating_sub(before));
    }
    drop(socket);
    thread::sleep(Duration::from_millis(100));
    (jitter, memory)
}
