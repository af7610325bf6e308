//! A shutdown signal that every thread sees: through a channel when it asks, and through a pipe when it waits in
//! poll(2). Nothing is sent: a message would reach only one receiver, but all receivers see that the sender was
//! dropped.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};

/// Triggers its [`Shutdown`] and all clones of that when it is dropped.
#[derive(Debug)]
pub struct Trigger {
    // Fields are dropped in this order: a thread that the pipe wakes must find the channel closed already.
    _channel: Sender<Infallible>,
    _pipe: OwnedFd,
}

/// Ends what blocks: threads hold it to learn that they are to stop. All clones are triggered together, for good.
#[derive(Clone, Debug)]
pub struct Shutdown {
    channel: Receiver<Infallible>,
    pipe: Arc<OwnedFd>,
}

/// Makes a shutdown and its trigger. It takes two file descriptors.
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// let (trigger, shutdown) = wstail::shutdown()?;
/// assert!(!shutdown.is_triggered());
/// drop(trigger);
/// assert!(shutdown.is_triggered());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the process has no file descriptor left.
pub fn shutdown() -> io::Result<(Trigger, Shutdown)> {
    let (sender, receiver) = crossbeam_channel::bounded(0);
    let (near, far) = pair()?;
    let trigger = Trigger { _channel: sender, _pipe: near };
    Ok((trigger, Shutdown { channel: receiver, pipe: Arc::new(far) }))
}

/// Two ends that poll(2) takes: one becomes readable when the other is closed.
#[cfg(unix)]
fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (near, far) = std::os::unix::net::UnixStream::pair()?;
    Ok((near.into(), far.into()))
}

/// Windows polls nothing but sockets of the network.
#[cfg(windows)]
fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    use std::net::{Ipv4Addr, TcpListener, TcpStream};
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let near = TcpStream::connect(listener.local_addr()?)?;
    loop {
        let (far, peer) = listener.accept()?;
        // Any program may have connected.
        if peer == near.local_addr()? {
            return Ok((near.into(), far.into()));
        }
    }
}

impl Shutdown {
    /// Whether it was triggered.
    pub fn is_triggered(&self) -> bool {
        matches!(self.channel.try_recv(), Err(TryRecvError::Disconnected))
    }

    /// Sleeps for `time`, or until it is triggered; returns whether it was.
    pub fn sleep(&self, time: Duration) -> bool {
        matches!(self.channel.recv_timeout(time), Err(RecvTimeoutError::Disconnected))
    }
}

/// For poll(2): the descriptor becomes readable when it is triggered, and stays readable.
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
        assert!(!shutdown.is_triggered() && !other.sleep(Duration::ZERO));
        drop(trigger);
        assert!(shutdown.is_triggered() && other.sleep(Duration::from_secs(60)));
    }
}
