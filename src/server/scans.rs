//! How many connections may look through old bytes at a time. The others wait in line, and each gets a share before the
//! next one has its turn. A connection that follows the end of its log does not ask.
//!
//! Nobody is woken: a connection that waits asks again soon ([`AGAIN`]), because it serves its client meanwhile.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;
use std::time::Duration;

/// How soon to ask again.
pub(in crate::server) const AGAIN: Duration = Duration::from_millis(10);

/// How many bytes a connection may look through before it has to let others go ahead.
const SHARE: usize = 16 << 20;
/// For how long it may do so: a slow pattern takes many seconds for so many bytes.
const SHARE_TIME: Duration = Duration::from_millis(200);

/// The permits of a server, and who waits for one.
#[derive(Debug)]
pub(in crate::server) struct Scans {
    line: Mutex<ScanQueue>,
}

#[derive(Debug)]
struct ScanQueue {
    free: usize,
    /// The numbers of those who wait, the first one first.
    waiting: VecDeque<u64>,
    next: u64,
}

/// What one connection has of a permit.
#[derive(Debug)]
pub(in crate::server) struct ScanPermit {
    scans: Arc<Scans>,
    state: PermitState,
}

#[derive(Clone, Copy, Debug)]
enum PermitState {
    Idle,
    Waiting(u64),
    /// It has a permit, and may look through so many bytes.
    Running(usize),
}

impl Scans {
    /// At most so many at a time; by default half as many as there are cores.
    pub(in crate::server) fn new(most: Option<NonZeroUsize>) -> Scans {
        let half = || available_parallelism().map_or(1, |cores| cores.get() / 2).max(1);
        let free = most.map_or_else(half, NonZeroUsize::get);
        Scans { line: Mutex::new(ScanQueue { free, waiting: VecDeque::new(), next: 0 }) }
    }

    fn line(&self) -> MutexGuard<'_, ScanQueue> {
        // Nothing is left half done under the lock.
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ScanPermit {
    pub(in crate::server) fn new(scans: Arc<Scans>) -> ScanPermit {
        ScanPermit { scans, state: PermitState::Idle }
    }

    /// Whether the connection may look through old bytes now.
    pub(in crate::server) fn may_run(&mut self) -> bool {
        if let PermitState::Running(1..) = self.state {
            return true;
        }
        let mut line = self.scans.line();
        if let PermitState::Running(_) = self.state {
            if line.waiting.is_empty() {
                self.state = PermitState::Running(SHARE);
                return true;
            }
            line.free += 1;
            self.state = PermitState::Idle;
        }
        if let PermitState::Idle = self.state {
            let number = line.next;
            line.next += 1;
            line.waiting.push_back(number);
            self.state = PermitState::Waiting(number);
        }
        if let PermitState::Waiting(number) = self.state
            && line.free > 0
            && line.waiting.front() == Some(&number)
        {
            line.waiting.pop_front();
            line.free -= 1;
            self.state = PermitState::Running(SHARE);
            return true;
        }
        false
    }

    /// The connection has looked through so many bytes, in that time.
    pub(in crate::server) fn note(&mut self, bytes: usize, took: Duration) {
        if let PermitState::Running(left) = &mut self.state {
            let part = (took.as_secs_f64() / SHARE_TIME.as_secs_f64()).min(1.0);
            *left = left.saturating_sub(bytes.max((part * SHARE as f64) as usize));
        }
    }

    /// The connection does not look through old bytes for now.
    pub(in crate::server) fn stop(&mut self) {
        match self.state {
            PermitState::Idle => return,
            PermitState::Waiting(number) => self.scans.line().waiting.retain(|&waiting| waiting != number),
            PermitState::Running(_) => self.scans.line().free += 1,
        }
        self.state = PermitState::Idle;
    }
}

impl Drop for ScanPermit {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scans_take_turns() {
        let scans = Arc::new(Scans::new(NonZeroUsize::new(1)));
        let [mut first, mut second, mut third] = [(); 3].map(|()| ScanPermit::new(scans.clone()));
        assert!(first.may_run() && !second.may_run() && !third.may_run() && first.may_run());
        first.note(SHARE - 1, Duration::ZERO);
        assert!(first.may_run());
        first.note(1, Duration::ZERO);
        assert!(!first.may_run(), "others wait");
        assert!(!third.may_run() && second.may_run());
        drop(second);
        assert!(!first.may_run() && third.may_run());
        third.stop();
        assert!(first.may_run());
        first.note(SHARE, Duration::ZERO);
        assert!(first.may_run(), "nobody else waits");
    }

    #[test]
    fn a_share_is_limited_in_time() {
        let scans = Arc::new(Scans::new(NonZeroUsize::new(1)));
        let [mut first, mut second] = [(); 2].map(|()| ScanPermit::new(scans.clone()));
        assert!(first.may_run() && !second.may_run());
        first.note(1, SHARE_TIME / 2);
        assert!(first.may_run());
        first.note(1, SHARE_TIME);
        assert!(!first.may_run() && second.may_run());
    }

    #[test]
    fn one_that_gives_up_waiting_is_passed_over() {
        let scans = Arc::new(Scans::new(NonZeroUsize::new(1)));
        let [mut first, mut second, mut third] = [(); 3].map(|()| ScanPermit::new(scans.clone()));
        assert!(first.may_run() && !second.may_run() && !third.may_run());
        drop(second);
        first.stop();
        assert!(third.may_run());
    }
}
