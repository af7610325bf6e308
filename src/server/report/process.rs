//! What the kernel reports about this process (CPU time, memory, threads, descriptors), as metrics with the names that
//! Prometheus' own clients use. It reads /proc on every call and stores nothing.

use std::fmt::{self, Write};
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

use super::exposition::family;

/// Appends what is known: nothing if there is no /proc.
pub(in crate::server) fn write(f: &mut dyn Write) -> fmt::Result {
    let Some(stat) = fs::read_to_string("/proc/self/stat").ok().and_then(|text| Stat::parse(&text)) else {
        return Ok(());
    };
    let ticks = clock_ticks_per_second() as f64;
    let cpu = stat.cpu as f64 / ticks;
    let mut put = |kind, name, help, number: f64| {
        family(f, name, kind, help)?;
        writeln!(f, "{name} {number}")
    };
    put("counter", "process_cpu_seconds_total", "User and system CPU time.", cpu)?;
    put("gauge", "process_threads", "Threads.", stat.threads as f64)?;
    put("gauge", "process_virtual_memory_bytes", "Virtual memory size.", stat.virtual_bytes as f64)?;
    let resident = stat.resident_pages as f64 * page_size() as f64;
    put("gauge", "process_resident_memory_bytes", "Resident memory size.", resident)?;
    // Use the clock that includes suspend: /proc/stat, which has the boot time, may be hidden.
    let up = clock_gettime(ClockId::Boottime);
    let age = up.tv_sec as f64 + up.tv_nsec as f64 / 1e9 - stat.start as f64 / ticks;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    put("gauge", "process_start_time_seconds", "Start time in seconds since the epoch.", (now - age).round())?;
    if let Ok(descriptors) = fs::read_dir("/proc/self/fd") {
        // Do not count the descriptor that is used for counting.
        let open = descriptors.count().saturating_sub(1) as f64;
        put("gauge", "process_open_fds", "Open file descriptors.", open)?;
    }
    match getrlimit(Resource::Nofile).current {
        Some(most) => put("gauge", "process_max_fds", "Maximum number of open file descriptors.", most as f64),
        None => Ok(()),
    }
}

/// The fields of proc_pid_stat(5) that are reported.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    /// In clock ticks, like `start`, which counts from the system's boot.
    cpu: u64,
    threads: u64,
    start: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

impl Stat {
    fn parse(text: &str) -> Option<Stat> {
        // The name, in parentheses, may hold anything. Field 3 follows it.
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        Some(Stat {
            cpu: number(14)? + number(15)?,
            threads: number(20)?,
            start: number(22)?,
            virtual_bytes: number(23)?,
            resident_pages: number(24)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let text = "7 (a ) b) S 1 2 3 4 5 6 7 8 9 10 40 2 0 0 20 0 3 0 500 4096 9 0\n";
        let stat = Stat { cpu: 42, threads: 3, start: 500, virtual_bytes: 4096, resident_pages: 9 };
        assert_eq!(Stat::parse(text), Some(stat));
        assert_eq!(Stat::parse("7 (a) S 1"), None);
    }
}
