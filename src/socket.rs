//! What both ends do with a socket before they use it.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, SocketType, sockopt};

/// The bound on a single read or write.
const CALL_TIMEOUT: Duration = Duration::from_millis(100);
/// The kernel detects a peer that vanished silently within 45 s.
const SILENCE: Duration = Duration::from_secs(30);
const INTERVAL: Duration = Duration::from_secs(5);
const TRIES: u32 = 3;

/// A new non-blocking socket for the address's family.
pub(crate) fn open(address: &SocketAddr) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    create(family)
}

#[cfg(target_os = "linux")]
fn create(family: AddressFamily) -> io::Result<OwnedFd> {
    use rustix::net::{SocketFlags, socket_with};
    Ok(socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?)
}

/// Others cannot do it in one step.
#[cfg(not(target_os = "linux"))]
fn create(family: AddressFamily) -> io::Result<OwnedFd> {
    let socket = rustix::net::socket(family, SocketType::STREAM, None)?;
    #[cfg(unix)]
    rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&socket, true)?;
    Ok(socket)
}

/// Makes a connected socket block, each call for 100 ms at most.
pub(crate) fn prepare(socket: &TcpStream) -> io::Result<()> {
    limit_calls(socket)?;
    socket.set_nodelay(true)?;
    sockopt::set_socket_keepalive(socket, true)?;
    let timed = keep_alive(socket);
    // Windows knows these since 2017; without them it takes longer.
    if cfg!(windows) { Ok(()) } else { timed }
}

fn keep_alive(socket: &TcpStream) -> io::Result<()> {
    sockopt::set_tcp_keepidle(socket, SILENCE)?;
    sockopt::set_tcp_keepintvl(socket, INTERVAL)?;
    sockopt::set_tcp_keepcnt(socket, TRIES)?;
    Ok(())
}

/// The same for any socket: what only TCP has is left as it is.
pub(crate) fn limit_calls(socket: &TcpStream) -> io::Result<()> {
    socket.set_nonblocking(false)?;
    socket.set_read_timeout(Some(CALL_TIMEOUT))?;
    socket.set_write_timeout(Some(CALL_TIMEOUT))
}

/// Two sockets within this process that are connected to each other. They are used as those of a network are.
#[cfg(target_os = "linux")]
pub(crate) fn pair() -> io::Result<(TcpStream, TcpStream)> {
    use std::os::unix::net::UnixStream;
    let (near, far) = UnixStream::pair()?;
    let pair = [near, far].map(|end| TcpStream::from(OwnedFd::from(end)));
    pair.iter().try_for_each(limit_calls)?;
    Ok(pair.into())
}

/// Whether a call failed only because there was nothing to do in its time.
pub(crate) fn is_nothing_now(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
