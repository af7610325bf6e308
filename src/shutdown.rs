//! One order to stop that every thread sees: by the channel when it asks, by the pipe when it waits.
//! Nothing is sent: a message would reach one receiver, a dropped sender is seen by all.

use std::convert::Infallible;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError};

/// Gives the order to stop when it is dropped.
#[derive(Debug)]
pub struct Trigger {
    // Fields are dropped in this order: whoever the pipe wakes finds the channel closed already.
    _channel: Sender<Infallible>,
    _pipe: UnixStream,
}

/// What a thread holds to learn that it is to stop. Clones see the same order.
#[derive(Clone, Debug)]
pub struct Shutdown {
    channel: Receiver<Infallible>,
    pipe: Arc<OwnedFd>,
}

/// Makes a trigger and the shutdown it gives the order to.
///
/// # Errors
/// When the process has no descriptor left.
pub fn shutdown() -> io::Result<(Trigger, Shutdown)> {
    let (sender, receiver) = crossbeam_channel::bounded(0);
    let (near, far) = UnixStream::pair()?;
    let trigger = Trigger { _channel: sender, _pipe: near };
    Ok((trigger, Shutdown { channel: receiver, pipe: Arc::new(far.into()) }))
}

impl Shutdown {
    /// Whether the order was given.
    pub fn is_ordered(&self) -> bool {
        matches!(self.channel.try_recv(), Err(TryRecvError::Disconnected))
    }

    /// Sleeps for `time`, or until the order is given; says whether it was.
    pub fn sleep(&self, time: Duration) -> bool {
        matches!(self.channel.recv_timeout(time), Err(RecvTimeoutError::Disconnected))
    }
}

/// The descriptor becomes readable, and stays so, when the order is given: for poll(2).
impl AsFd for Shutdown {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_clone_sees_the_order() {
        let (trigger, shutdown) = shutdown().unwrap();
        let other = shutdown.clone();
        assert!(!shutdown.is_ordered() && !other.sleep(Duration::ZERO));
        drop(trigger);
        assert!(shutdown.is_ordered() && other.sleep(Duration::from_secs(60)));
    }
}
