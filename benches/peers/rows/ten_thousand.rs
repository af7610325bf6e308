//! 10,000 followers of one wstail, and what each costs there and when there are 1000.

use std::fs;
use std::time::Instant;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::super::Outcome;
use super::super::crowd::{Crowd, FIRST};
use super::super::peer::Peer;
use super::super::stage::Stage;
use super::followers::{CONNECT, IDLE, SETTLE, latency};

const ROW: &str = "ten-thousand";
const FEW: usize = 1000;
const MANY: usize = 10_000;
/// Descriptors of a follower in the server: a socket, a log and a bell; and those of the rest.
const EACH: u64 = 3;
const REST: u64 = 200;
/// Limits that count threads, and those of the maps that a thread's stack takes.
const THREADS: [&str; 4] = [
    "/proc/sys/kernel/threads-max",
    "/proc/sys/kernel/pid_max",
    "/sys/fs/cgroup/pids.max",
    "/sys/fs/cgroup/pids/pids.max",
];
const MAPS: &str = "/proc/sys/vm/max_map_count";

pub fn run(stage: &mut Stage) -> Outcome<()> {
    let limits = too_low();
    if !limits.is_empty() {
        stage.report.note(ROW, format!("skipped, raise {}", limits.join(", ")));
        return Ok(());
    }
    let descriptors = raise_descriptors()?;
    let many = MANY.min((descriptors.saturating_sub(REST) / EACH) as usize);
    if many < MANY {
        let wanted = EACH * MANY as u64 + REST;
        let note = format!(
            "only {many}, for `ulimit -Hn` is {descriptors} and cannot be raised from here; {wanted} are needed"
        );
        stage.report.note(ROW, note);
    }
    stage.alternate(ROW, &[Peer::Wstail], 1, |stage, peer| measure(stage, peer, many));
    Ok(())
}

fn measure(stage: &mut Stage, peer: Peer, many: usize) -> Outcome<()> {
    let (path, mut log) = stage.log(100)?;
    let mut server = stage.start(peer, &path, FIRST, log.next())?;
    let mut crowd = Crowd::new()?;
    let alone = server.pss();
    let sizes = [(FEW, "KiB each at 1000"), (many, "KiB each at the most")];
    for (size, measure) in sizes {
        crowd.grow(size, &mut server, log.next(), Instant::now() + CONNECT)?;
        crowd.idle(SETTLE)?;
        let each = server.pss().saturating_sub(alone) as f64 / 1024.0 / size as f64;
        stage.report.add(ROW, peer, measure, each);
    }
    stage.report.add(ROW, peer, "served", (crowd.len() - crowd.closed) as f64);
    stage.report.add(ROW, peer, "PSS, MB", server.pss() as f64 / 1e6);
    let cpu = server.cpu();
    crowd.idle(IDLE)?;
    stage.report.add(ROW, peer, "idle CPU, %", (server.cpu() - cpu) / IDLE.as_secs_f64() * 100.0);
    let [p50, p99] = latency(&mut crowd, &mut log)?;
    stage.report.add(ROW, peer, "p50, ms", p50);
    stage.report.add(ROW, peer, "p99, ms", p99);
    stage.judge(ROW, peer, crowd.faults(log.next()));
    Ok(())
}

/// Raises what this process may have open, for the server inherits it, as far as is needed or allowed.
fn raise_descriptors() -> Outcome<u64> {
    let wanted = EACH * MANY as u64 + REST;
    let found = getrlimit(Resource::Nofile);
    let most = found.maximum.map_or(wanted, |most| most.max(wanted));
    let raised = Rlimit { current: Some(wanted), maximum: found.maximum.map(|_| most) };
    if setrlimit(Resource::Nofile, raised).is_ok() {
        return Ok(wanted);
    }
    // Only root with CAP_SYS_RESOURCE raises the hard limit.
    setrlimit(Resource::Nofile, Rlimit { current: found.maximum, ..found })?;
    Ok(found.maximum.unwrap_or(wanted))
}

/// The limits on threads that forbid it.
fn too_low() -> Vec<String> {
    let limits = THREADS.map(|path| (path, MANY + FEW)).into_iter().chain([(MAPS, 3 * MANY)]);
    let is_low = |path: &str, needed| {
        let limit = fs::read_to_string(path).ok().and_then(|text| text.trim().parse::<usize>().ok());
        limit.is_some_and(|limit| limit < needed)
    };
    limits
        .filter(|(path, needed)| is_low(path, *needed))
        .map(|(path, needed)| format!("`{path}` to {needed}"))
        .collect()
}
