//! What is measured, a row each.

use super::stage::Stage;

mod bulk;
mod follow;
mod followers;
mod idle;
mod last_lines;
mod latency;
mod size;
mod ten_thousand;

pub struct Row {
    pub name: &'static str,
    pub about: &'static str,
    pub run: fn(&mut Stage) -> super::Outcome<()>,
}

pub const ALL: [Row; 9] = [
    Row { name: "last-lines", about: "the last 10 and 1000 lines of 1 MB and of 2 GB", run: last_lines::run },
    Row { name: "latency", about: "from a line's write to its receipt, one client", run: latency::run },
    Row { name: "follow-lines", about: "300 MB appended, one write a line, at full speed", run: follow::lines },
    Row { name: "follow-blocks", about: "1 GB appended in writes of 60 KB, at full speed", run: follow::blocks },
    Row { name: "bulk", about: "a whole log of 1 GB", run: bulk::run },
    Row { name: "followers", about: "1000 followers: memory, idle CPU, latency", run: followers::run },
    Row { name: "ten-thousand", about: "the same with 10,000, wstail alone", run: ten_thousand::run },
    Row { name: "size", about: "the stripped binaries", run: size::run },
    Row { name: "idle", about: "no client, then 1000 idle ones: memory and wake-ups in 10 s", run: idle::run },
];
