//! Notifies the service manager that the server is ready, alive or stopping, as sd_notify(3) does: by a datagram to the socket
//! that `NOTIFY_SOCKET` names. Nothing depends on it, so failures are only logged, at debug level.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use wstail::Shutdown;

const STACK: usize = 64 * 1024;

/// Reports that the server is ready. The returned thread reports the shutdown, and ends then.
pub(super) fn report(shutdown: &Shutdown) -> Option<JoinHandle<()>> {
    let place = env::var_os("NOTIFY_SOCKET").filter(|place| !place.is_empty())?;
    notify(&place, "READY=1");
    let shutdown = shutdown.clone();
    let builder = thread::Builder::new().name("service manager".to_owned()).stack_size(STACK);
    let thread = builder.spawn(move || {
        while !shutdown.sleep(Duration::MAX) {}
        notify(&place, "STOPPING=1");
    });
    let failed = |error| log::debug!("cannot start the thread that notifies the service manager: {error}");
    thread.map_err(failed).ok()
}

fn notify(place: &OsStr, state: &str) {
    if let Err(error) = send(place, state) {
        log::debug!("cannot send {state} to the service manager: {error}");
    }
}

fn send(place: &OsStr, state: &str) -> io::Result<()> {
    let address = match place.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        [b'/', ..] => SocketAddr::from_pathname(place)?,
        _ => return Err(io::Error::other("NOTIFY_SOCKET is neither a path nor an abstract name")),
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.send_to_addr(state.as_bytes(), &address)?;
    Ok(())
}
