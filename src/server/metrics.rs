//! What operations want to know, as numbers that only go up: counted where it happens, read by `/-/metrics`.

use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use super::process;
use crate::protocol::close;
use crate::protocol::event::Missing;

/// One number. Counting is a single relaxed addition: the numbers are not read together with anything else.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a server has counted since it was bound.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    begun: Counter,
    ended: [Counter; Outcome::ALL.len()],
    pub accept_errors: Counter,
    /// Bytes that the kernel has taken for clients of logs, with all that frames them.
    pub sent_bytes: Counter,
    pub sent_messages: Counter,
    pub rotations: Counter,
    pub truncations: Counter,
    gaps: [Counter; Missing::ALL.len()],
    lost_bytes: Counter,
    resume_hits: Counter,
    resume_misses: Counter,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It got all that it had asked for.
    Completed,
    /// It left, with or without a farewell.
    Left,
    /// It left, or was given up, before it had said a word.
    Silent,
    /// It was answered with a status from 400 on, but for 503.
    Refused,
    /// It was answered with 503.
    Overloaded,
    GoingAway,
    /// It broke the WebSocket protocol, or said too much.
    Fault,
    Heartbeat,
    Stalled,
    Unreadable,
    Panicked,
}

impl Outcome {
    const ALL: [Outcome; 11] = [
        Outcome::Completed,
        Outcome::Left,
        Outcome::Silent,
        Outcome::Refused,
        Outcome::Overloaded,
        Outcome::GoingAway,
        Outcome::Fault,
        Outcome::Heartbeat,
        Outcome::Stalled,
        Outcome::Unreadable,
        Outcome::Panicked,
    ];

    pub(super) fn of_status(status: u16) -> Outcome {
        match status {
            503 => Outcome::Overloaded,
            400.. => Outcome::Refused,
            _ => Outcome::Completed,
        }
    }

    pub(super) fn of_close(code: u16) -> Outcome {
        match code {
            close::END => Outcome::Completed,
            close::GOING_AWAY => Outcome::GoingAway,
            close::HEARTBEAT => Outcome::Heartbeat,
            close::STALLED => Outcome::Stalled,
            close::UNREADABLE => Outcome::Unreadable,
            _ => Outcome::Fault,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Outcome::Completed => "completed",
            Outcome::Left => "left",
            Outcome::Silent => "silent",
            Outcome::Refused => "refused",
            Outcome::Overloaded => "overloaded",
            Outcome::GoingAway => "going_away",
            Outcome::Fault => "fault",
            Outcome::Heartbeat => "heartbeat_missed",
            Outcome::Stalled => "stalled",
            Outcome::Unreadable => "unreadable",
            Outcome::Panicked => "panicked",
        }
    }
}

impl Metrics {
    /// A connection was accepted; [`Metrics::end`] is to follow.
    pub(super) fn begin(&self) {
        self.begun.add(1);
    }

    pub(super) fn end(&self, outcome: Outcome) {
        self.ended[outcome as usize].add(1);
    }

    pub(super) fn gap(&self, reason: Missing, bytes: Option<u64>) {
        self.gaps[reason as usize].add(1);
        self.lost_bytes.add(bytes.unwrap_or(0));
    }

    /// A client asked to go on from a cursor.
    pub(super) fn resume(&self, is_hit: bool) {
        if is_hit { &self.resume_hits } else { &self.resume_misses }.add(1);
    }
}

/// The text format of Prometheus, version 0.0.4.
impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ended = Outcome::ALL.map(|outcome| (outcome.word(), self.ended[outcome as usize].get()));
        let open = self.begun.get().saturating_sub(ended.iter().map(|(_, number)| number).sum());
        let gaps = Missing::ALL.map(|reason| (reason.word(), self.gaps[reason as usize].get()));
        let resumes = [("hit", self.resume_hits.get()), ("miss", self.resume_misses.get())];
        family(f, "wstail_build_info", "gauge", "Which version this is; always 1.")?;
        writeln!(f, "wstail_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"))?;
        family(f, "wstail_connections_open", "gauge", "Connections that are being served.")?;
        writeln!(f, "wstail_connections_open {open}")?;
        labelled(f, "wstail_connections_total", "Connections that have ended, by how.", "outcome", &ended)?;
        labelled(f, "wstail_gaps_total", "Gaps that readers were told of, by why.", "reason", &gaps)?;
        labelled(
            f,
            "wstail_resumes_total",
            "Cursors to go on from, by whether their place was found.",
            "result",
            &resumes,
        )?;
        let heartbeats = &self.ended[Outcome::Heartbeat as usize];
        for (name, help, counter) in [
            ("accept_errors", "Failed tries to accept a connection.", &self.accept_errors),
            ("sent_bytes", "Bytes of streams and text answers, framing included.", &self.sent_bytes),
            ("sent_messages", "WebSocket messages of streams, without control frames.", &self.sent_messages),
            ("heartbeats_missed", "Heartbeats that no client answered in time.", heartbeats),
            ("rotations", "Rotations that readers were led through.", &self.rotations),
            ("truncations", "Truncations that readers were led through.", &self.truncations),
            ("lost_bytes", "Bytes missing in gaps, where their number is known.", &self.lost_bytes),
        ] {
            family(f, &format!("wstail_{name}_total"), "counter", help)?;
            writeln!(f, "wstail_{name}_total {}", counter.get())?;
        }
        process::write(f)
    }
}

fn labelled(f: &mut dyn Write, name: &str, help: &str, label: &str, numbers: &[(&str, u64)]) -> fmt::Result {
    family(f, name, "counter", help)?;
    numbers.iter().try_for_each(|(value, number)| writeln!(f, "{name}{{{label}=\"{value}\"}} {number}"))
}

/// What stands before a metric's numbers.
pub(super) fn family(f: &mut dyn Write, name: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(f, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(metrics: &Metrics, line: &str) -> bool {
        metrics.to_string().lines().any(|other| other == line)
    }

    #[test]
    fn what_is_counted_is_told() {
        let metrics = Metrics::default();
        assert!(has(&metrics, "wstail_connections_open 0") && has(&metrics, "wstail_lost_bytes_total 0"));
        metrics.begin();
        metrics.begin();
        metrics.end(Outcome::Heartbeat);
        metrics.gap(Missing::Expired, Some(7));
        metrics.gap(Missing::Cursor, None);
        metrics.resume(false);
        for line in [
            "wstail_connections_open 1",
            "wstail_connections_total{outcome=\"heartbeat_missed\"} 1",
            "wstail_connections_total{outcome=\"panicked\"} 0",
            "wstail_heartbeats_missed_total 1",
            "wstail_gaps_total{reason=\"expired\"} 1",
            "wstail_gaps_total{reason=\"cursor\"} 1",
            "wstail_lost_bytes_total 7",
            "wstail_resumes_total{result=\"miss\"} 1",
            "wstail_resumes_total{result=\"hit\"} 0",
        ] {
            assert!(has(&metrics, line), "{line} in {metrics}");
        }
    }

    #[test]
    fn every_number_has_its_help_and_type_and_a_name_of_ours() {
        let text = Metrics::default().to_string();
        let mut family = "";
        for line in text.lines() {
            let mut words = line.split([' ', '{']);
            match (words.next().unwrap(), words.next().unwrap()) {
                ("#", "HELP") => family = words.next().unwrap(),
                ("#", "TYPE") => {
                    assert_eq!(words.next().unwrap(), family);
                    assert_eq!(family.ends_with("_total"), words.next().unwrap() == "counter", "{line}");
                }
                (name, _) => {
                    assert_eq!(name, family);
                    assert!(name.starts_with("wstail_") || name.starts_with("process_"), "{line}");
                    assert!(line.rsplit(' ').next().unwrap().parse::<f64>().is_ok(), "{line}");
                }
            }
        }
        assert!(text.contains("process_resident_memory_bytes "), "{text}");
    }
}
