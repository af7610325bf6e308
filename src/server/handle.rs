//! A server in a thread of its own, which the handle owns and joins.

use std::io;
use std::net::SocketAddr;
use std::panic::resume_unwind;
use std::thread::{Builder, JoinHandle};

use super::Server;
use crate::error::{Error, Result};
use crate::shutdown::{Trigger, shutdown};

/// A running server. Dropping the handle stops the server and waits for its threads, as [`ServerHandle::stop`] does, but
/// ignores an error that ended the server.
#[derive(Debug)]
#[must_use = "dropping the handle stops the server"]
pub struct ServerHandle {
    addresses: Vec<SocketAddr>,
    scheme: &'static str,
    trigger: Option<Trigger>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl ServerHandle {
    pub(super) fn spawn(server: Server) -> Result<ServerHandle> {
        let failed = |error: io::Error| Error::io("cannot start the server", error);
        let (trigger, shutdown) = shutdown().map_err(failed)?;
        let (addresses, scheme) = (server.addresses().to_vec(), server.scheme());
        let thread = Builder::new().name("wstail-server".to_owned()).spawn(move || server.run(&shutdown));
        Ok(ServerHandle { addresses, scheme, trigger: Some(trigger), thread: Some(thread.map_err(failed)?) })
    }

    /// The addresses the server listens on. If the configured port was 0, they have the port that was picked.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// `http`, or `https` with a certificate.
    pub fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// Closes every connection with code 1001 and waits until all threads have ended, 2.5 s at most. A connection that
    /// is still stuck reading its log by then, as on a dead network file system, is left behind with a warning in the
    /// log.
    ///
    /// # Errors
    /// When the server had already ended with an error; see [`Server::run`].
    pub fn stop(mut self) -> Result<()> {
        self.trigger = None;
        self.finish()
    }

    /// Waits until the server ends by itself, which happens only after an error.
    ///
    /// # Errors
    /// The error that ended the server; see [`Server::run`].
    pub fn join(mut self) -> Result<()> {
        self.finish()
    }

    fn finish(&mut self) -> Result<()> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(panic)) => resume_unwind(panic),
            None => Ok(()),
        }
    }
}

impl Drop for ServerHandle {
    fn drop(&mut self) {
        self.trigger = None;
        if let Some(thread) = self.thread.take() {
            // The thread has already printed its panic, and a second panic here could abort the process.
            let _ = thread.join();
        }
    }
}
