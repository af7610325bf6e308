//! How many files the process may have open: `serve` and `tail` raise the soft limit as far as they need it and may.

/// What the process needs beside its connections.
const OTHERS: u64 = 64;

/// Raises the soft limit of open files. Each connection needs up to five descriptors. Of a server: a socket, a file, a waker,
/// another file while its log rotates, and a directory. Of a client: a socket, two to be stopped by, a cursor file, and
/// another one that replaces it. The common limit of 1024 would not be enough for 1024 connections.
#[cfg(unix)]
pub(super) fn allow(connections: usize) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let wanted = (connections as u64).saturating_mul(5).saturating_add(OTHERS);
    let limit = getrlimit(Resource::Nofile);
    let allowed = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    if limit.current.is_some_and(|current| current < allowed) {
        let raised = Rlimit { current: Some(allowed), maximum: limit.maximum };
        if let Err(errno) = setrlimit(Resource::Nofile, raised) {
            log::warn!("cannot raise the limit of open files to {allowed}: {errno}");
        }
    }
}

/// Windows has no such limit.
#[cfg(not(unix))]
pub(super) fn allow(_connections: usize) {}
