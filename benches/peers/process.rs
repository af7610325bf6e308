//! What a process and its descendants cost, out of /proc, and their end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};

/// Clock ticks a second, in which the kernel counts a process's time.
const TICKS: f64 = 100.0;

/// A server and what it has started; all of it ends with it.
pub struct Tree(Child);

impl Tree {
    pub fn new(child: Child) -> Tree {
        Tree(child)
    }

    pub fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// Seconds of CPU, those of ended and waited-for descendants included.
    pub fn cpu(&self) -> f64 {
        self.pids().into_iter().filter_map(cpu).sum()
    }

    /// Its share of memory in bytes, pages used by several divided among them.
    pub fn pss(&self) -> u64 {
        let pss = |pid| field(&read(format!("/proc/{pid}/smaps_rollup")), "Pss:") * 1024;
        self.pids().into_iter().map(pss).sum()
    }

    /// How often a thread has gone to sleep, and so was or will be woken.
    pub fn wakeups(&self) -> u64 {
        let switches = |thread: PathBuf| field(&read(thread.join("status")), "voluntary_ctxt_switches:");
        self.pids().into_iter().flat_map(threads).map(switches).sum()
    }

    fn pids(&self) -> Vec<u32> {
        let parents: Vec<(u32, u32)> = fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter_map(|pid: u32| Some((pid, number(&stat(pid)?[1])? as u32)))
            .collect();
        let mut tree = vec![self.0.id()];
        let mut next = 0;
        while let Some(&process) = tree.get(next) {
            tree.extend(parents.iter().filter(|(_, parent)| *parent == process).map(|(pid, _)| *pid));
            next += 1;
        }
        tree
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        for pid in self.pids() {
            if let Some(pid) = Pid::from_raw(pid as i32) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        let _ = self.0.wait();
    }
}

/// A process's own seconds and those of its ended children.
fn cpu(pid: u32) -> Option<f64> {
    // Behind the name: utime, stime, cutime and cstime are the fields 14 to 17 of proc_pid_stat(5).
    let ticks: Vec<_> = stat(pid)?[11..15].iter().filter_map(|field| number(field)).collect();
    let [own, ended] = [&ticks[..2], &ticks[2..]].map(|ticks| ticks.iter().sum::<u64>() as f64 / TICKS);
    // A thousand processes that take a millisecond each take no tick; but only the living threads count nanoseconds.
    let nanos = |thread: PathBuf| number(read(thread.join("schedstat")).split_whitespace().next()?);
    let living = threads(pid).filter_map(nanos).sum::<u64>() as f64 / 1e9;
    Some(own.max(living) + ended)
}

fn threads(pid: u32) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten().map(|thread| thread.path())
}

/// The fields behind the name; the first is the state, the second the parent.
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = read(format!("/proc/{pid}/stat"));
    let fields: Vec<_> = text.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect();
    (fields.len() >= 15).then_some(fields)
}

/// A process may have ended meanwhile: then it is empty.
fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn field(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| number(rest.split_whitespace().next()?)).unwrap_or(0)
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok()
}
