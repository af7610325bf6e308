//! What is lost when a log is rotated or truncated under its followers: GNU tail, and wstail with and without a server, on
//! one file at one time.
//! `cargo bench --bench losses` prints a table in about three minutes; it counts and does not time.

mod cases;
mod count;
mod process;
mod stage;

use std::fs;
use std::process::Command;
use std::thread;

use cases::CASES;
use stage::{Stage, TAILS, WSTAILS};

fn main() {
    let tail = gnu_tail();
    let found = tail.as_deref().unwrap_or("no GNU tail: install the Debian package coreutils");
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let cores = thread::available_parallelism().unwrap();
    println!("Linux {}, {cores} cores; wstail {}; {found}\n", kernel.trim(), env!("CARGO_PKG_VERSION"));
    println!("Each tool's lines: delivered / lost / duplicated.\n");
    let tools = [TAILS, WSTAILS].concat().join("` | `");
    println!("| case | lines written | `{tools}` | gap notices of the two `wstail` |");
    println!("|---|---|---|---|---|---|---|");
    for (name, layout, play) in CASES {
        let mut stage = Stage::new(layout, tail.is_some());
        play(&mut stage);
        stage.settle();
        println!("| {name} | {} | {} |", stage.written, stage.cells().join(" | "));
    }
}

/// Its name and version; another tail does not know the options.
fn gnu_tail() -> Option<String> {
    let output = Command::new("tail").arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().next().filter(|line| line.contains("GNU coreutils")).map(str::to_owned)
}
