//! Keeps signals ignored that were ignored when the program was started: SIGHUP under nohup(1), SIGINT in the
//! background of a shell. The parent module handles the others.

use std::io;

/// Keeps ignored signals from ending the program. Call this before a handler is installed and a thread is started:
/// there is one handler for all signals, so ignored ones are blocked, in this thread and in all threads it starts.
#[cfg(target_os = "linux")]
pub(super) fn keep_ignored() -> io::Result<()> {
    use nix::sys::signal::{SigSet, Signal};
    // Without /proc, no signal is known to be ignored.
    let ignored = std::fs::read_to_string("/proc/self/status").map(|status| ignored(&status)).unwrap_or_default();
    let mut blocked = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        if ignored >> (signal as u64 - 1) & 1 == 1 {
            log::debug!("{signal} stays ignored, as it was at the start");
            blocked.add(signal);
        }
    }
    if blocked != SigSet::empty() { Ok(blocked.thread_block()?) } else { Ok(()) }
}

/// Other systems have no /proc that says which signals are ignored.
#[cfg(not(target_os = "linux"))]
pub(super) fn keep_ignored() -> io::Result<()> {
    Ok(())
}

/// The mask of ignored signals in `/proc/PID/status`.
fn ignored(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_is_found_among_the_others() {
        let status = "Name:\twstail\nSigBlk:\t0000000000000002\nSigIgn:\t0000000000001001\nSigCgt:\t0000000180004002\n";
        assert_eq!((ignored(status), ignored("")), (0x1001, 0));
    }
}
