//! What wstail is to reach, each a ratio out of one run.

use super::peer::Peer::{self, Frontail, Loopback, Netcat, Pipe, Seed, Websocat, Wstail, WstailFilter, WstailText};
use super::report::Bound::{self, AtLeast, AtMost};
use super::report::Goal;
use super::report::Than::{self, Best, Measure, Nothing};

pub const GOALS: &[Goal] = &[
    goal("last-lines", Wstail, "10 of 2 GB, ms", AtMost(0.35), Best),
    goal("last-lines", Wstail, "1000 of 2 GB, ms", AtMost(0.35), Best),
    goal("last-lines", Wstail, "10 of 2 GB, ms", AtMost(2.0), Measure("10 of 1 MB, ms")),
    goal("last-lines", Wstail, "1000 of 2 GB, ms", AtMost(2.0), Measure("1000 of 1 MB, ms")),
    goal("latency", Wstail, "p50, ms", AtMost(1.0), Than::Peer(Websocat)),
    goal("latency", Wstail, "p99, ms", AtMost(1.2), Than::Peer(Websocat)),
    goal("latency", Wstail, "p50, ms", AtMost(1.1), Than::Peer(Netcat)),
    goal("latency", WstailFilter, "p50, ms", AtMost(1.05), Than::Peer(Wstail)),
    goal("latency", WstailFilter, "p99, ms", AtMost(1.05), Than::Peer(Wstail)),
    goal("follow-lines", Wstail, "MB/s", AtLeast(1.3), Than::Peer(Websocat)),
    goal("follow-lines", Wstail, "behind, ms", AtMost(50.0), Nothing),
    goal("follow-lines", Wstail, "lost", AtMost(0.0), Nothing),
    goal("follow-lines", Wstail, "CPU, s/GB", AtMost(0.2), Than::Peer(Websocat)),
    goal("follow-blocks", Wstail, "MB/s", AtLeast(1.0), Than::Peer(Pipe)),
    goal("bulk", Wstail, "MB/s", AtLeast(3.0), Than::Peer(Netcat)),
    goal("bulk", Wstail, "MB/s", AtLeast(0.7), Than::Peer(Loopback)),
    goal("bulk", WstailText, "MB/s", AtLeast(1.3), Than::Peer(Netcat)),
    goal("followers", Wstail, "PSS, MB", AtMost(0.35), Than::Peer(Frontail)),
    goal("followers", Wstail, "PSS, MB", AtMost(0.8), Than::Peer(Seed)),
    goal("followers", Wstail, "idle CPU, %", AtMost(0.5), Nothing),
    goal("followers", Wstail, "p50, ms", AtMost(1.0), Than::Peer(Frontail)),
    goal("followers", Wstail, "p99, ms", AtMost(0.5), Than::Peer(Frontail)),
    goal("followers", WstailFilter, "PSS, MB", AtMost(1.5), Than::Peer(Wstail)),
    goal("followers", WstailFilter, "idle CPU, %", AtMost(1.05), Than::Peer(Wstail)),
    goal("ten-thousand", Wstail, "served", AtLeast(10_000.0), Nothing),
    goal("ten-thousand", Wstail, "KiB each at the most", AtMost(1.0), Measure("KiB each at 1000")),
    goal("size", Wstail, "dynamic, MB", AtMost(0.8), Nothing),
    goal("size", Wstail, "static musl, MB", AtMost(1.3), Nothing),
    goal("size", Wstail, "with TLS, MB", AtMost(2.3), Nothing),
    goal("idle", Wstail, "PSS, MB", AtMost(1.5), Nothing),
    goal("idle", Wstail, "wake-ups in 10 s", AtMost(0.0), Nothing),
];

const fn goal(row: &'static str, peer: Peer, measure: &'static str, bound: Bound, than: Than) -> Goal {
    Goal { row, peer, measure, bound, than }
}
