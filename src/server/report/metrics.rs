//! The server's counters, with their names and descriptions for `/-/metrics`. They are counted elsewhere, where things
//! happen. Counters only go up: rates and averages are left to whoever reads them.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use super::exposition::{family, labelled};
use super::process;
use crate::protocol::close;
use crate::protocol::event::Missing;

/// One number. Counting is a single relaxed addition, as no other memory access depends on its order.
#[derive(Debug, Default)]
pub(in crate::server) struct Counter(AtomicU64);

impl Counter {
    pub(in crate::server) fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a server has counted since it was bound.
#[derive(Debug, Default)]
pub(in crate::server) struct Metrics {
    begun: Counter,
    ended: [Counter; Ended::ALL.len()],
    pub accept_errors: Counter,
    /// Bytes of streams and answers that the kernel has accepted, framing included.
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
pub(in crate::server) enum Ended {
    /// The client got everything it asked for.
    Completed,
    /// The client disconnected, with or without a close handshake.
    Left,
    /// The client disconnected, or ran out of time, before it had sent a request.
    Silent,
    /// The client got a status of 400 or above, except 503, or a close code that stands for one.
    Refused,
    /// The client got a 503.
    Overloaded,
    GoingAway,
    /// The client broke the WebSocket protocol, or sent a message that was too large.
    Fault,
    Heartbeat,
    Stalled,
    Unreadable,
    /// The log was truncated or rewritten while a frame with its bytes was being sent.
    LogChanged,
    Panicked,
}

impl Ended {
    const ALL: [Ended; 12] = [
        Ended::Completed,
        Ended::Left,
        Ended::Silent,
        Ended::Refused,
        Ended::Overloaded,
        Ended::GoingAway,
        Ended::Fault,
        Ended::Heartbeat,
        Ended::Stalled,
        Ended::Unreadable,
        Ended::LogChanged,
        Ended::Panicked,
    ];

    pub(in crate::server) fn of_status(status: u16) -> Ended {
        match status {
            503 => Ended::Overloaded,
            400.. => Ended::Refused,
            _ => Ended::Completed,
        }
    }

    pub(in crate::server) fn of_close(code: u16) -> Ended {
        match code {
            close::END => Ended::Completed,
            close::GOING_AWAY => Ended::GoingAway,
            close::HEARTBEAT => Ended::Heartbeat,
            close::STALLED => Ended::Stalled,
            close::UNREADABLE => Ended::Unreadable,
            close::NO_TIMES => Ended::Refused,
            _ => Ended::Fault,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Ended::Completed => "completed",
            Ended::Left => "left",
            Ended::Silent => "silent",
            Ended::Refused => "refused",
            Ended::Overloaded => "overloaded",
            Ended::GoingAway => "going_away",
            Ended::Fault => "fault",
            Ended::Heartbeat => "heartbeat_missed",
            Ended::Stalled => "stalled",
            Ended::Unreadable => "unreadable",
            Ended::LogChanged => "log_changed",
            Ended::Panicked => "panicked",
        }
    }
}

impl Metrics {
    /// A connection was accepted. A call of [`Metrics::end`] must follow.
    pub(in crate::server) fn begin(&self) {
        self.begun.add(1);
    }

    pub(in crate::server) fn end(&self, outcome: Ended) {
        self.ended[outcome as usize].add(1);
    }

    pub(in crate::server) fn gap(&self, reason: Missing, bytes: Option<u64>) {
        self.gaps[reason as usize].add(1);
        self.lost_bytes.add(bytes.unwrap_or(0));
    }

    /// A client asked to resume from a cursor.
    pub(in crate::server) fn resume(&self, is_hit: bool) {
        if is_hit { &self.resume_hits } else { &self.resume_misses }.add(1);
    }
}

/// The text format of Prometheus, version 0.0.4.
impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ended = Ended::ALL.map(|outcome| (outcome.word(), self.ended[outcome as usize].get()));
        let open = self.begun.get().saturating_sub(ended.iter().map(|(_, number)| number).sum());
        let gaps = Missing::ALL.map(|reason| (reason.word(), self.gaps[reason as usize].get()));
        let resumes = [("hit", self.resume_hits.get()), ("miss", self.resume_misses.get())];
        family(f, "wstail_build_info", "gauge", "The version; always 1.")?;
        writeln!(f, "wstail_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"))?;
        family(f, "wstail_connections_open", "gauge", "Open connections.")?;
        writeln!(f, "wstail_connections_open {open}")?;
        labelled(f, "wstail_connections_total", "Connections that ended, by outcome.", "outcome", &ended)?;
        labelled(f, "wstail_gaps_total", "Gaps reported to clients, by reason.", "reason", &gaps)?;
        labelled(
            f,
            "wstail_resumes_total",
            "Cursors used to resume, by whether their place was found.",
            "result",
            &resumes,
        )?;
        let heartbeats = &self.ended[Ended::Heartbeat as usize];
        for (name, help, counter) in [
            ("accept_errors", "Failed attempts to accept a connection.", &self.accept_errors),
            ("sent_bytes", "Bytes of streams and text answers, framing included.", &self.sent_bytes),
            ("sent_messages", "WebSocket messages of streams, without control frames.", &self.sent_messages),
            ("heartbeats_missed", "Heartbeats that were not answered in time.", heartbeats),
            ("rotations", "Rotations, counted once for each stream.", &self.rotations),
            ("truncations", "Truncations, counted once for each stream.", &self.truncations),
            ("lost_bytes", "Missing bytes in gaps, where the number is known.", &self.lost_bytes),
        ] {
            family(f, &format!("wstail_{name}_total"), "counter", help)?;
            writeln!(f, "wstail_{name}_total {}", counter.get())?;
        }
        process::write(f)
    }
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
        metrics.end(Ended::Heartbeat);
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
