//! A log as the body of an HTTP response: its bytes as they are in the file.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::time::Instant;

use super::connection::{Gone, Sink};
use super::http::{self, Method};
use super::outlet::{Outlet, Socket};
use crate::follow::extent::Extent;
use crate::follow::follower::{Follower, Step};
use crate::protocol::close::Close;
use crate::protocol::event::Missing;

pub(super) struct Body<S> {
    outlet: Outlet<S>,
    framing: Framing,
    /// Why the place that was asked for is lost.
    lost: Option<Missing>,
    /// A HEAD request: the response ends with its head.
    head_only: bool,
    begun: bool,
    /// The client has ended its side: it gets what is there, and is not followed for.
    half_closed: bool,
    finished: bool,
}

/// How a response's end is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// By its length, which is known.
    Sized,
    /// By a last chunk; of a log that is followed it never comes.
    Chunked,
    /// By the end of the connection, for HTTP/1.0.
    UntilClose,
}

impl<S: Socket> Body<S> {
    pub(super) fn new(socket: S, framing: Framing, lost: Option<Missing>, head_only: bool) -> Body<S> {
        let outlet = Outlet::new(socket);
        Body { outlet, framing, lost, head_only, begun: false, half_closed: false, finished: false }
    }

    /// The response's head; `left` where it is known how many bytes there will be.
    fn begin(&mut self, left: Option<u64>) {
        let framing = match (self.framing, left) {
            (Framing::Sized, Some(left)) => Some(("Content-Length", left.to_string())),
            (Framing::Chunked, _) => Some(("Transfer-Encoding", "chunked".to_owned())),
            _ => None,
        };
        let lost = self.lost.map(|missing| ("Wstail-Gap", missing.word().to_owned()));
        let headers = framing.into_iter().chain(lost).chain([("Cache-Control", "no-store".to_owned())]);
        self.outlet.send(http::head(200, http::TEXT, headers), Vec::new());
        self.begun = true;
    }
}

impl<S: Socket> Sink for Body<S> {
    type Socket = S;

    fn outlet(&mut self) -> &mut Outlet<S> {
        &mut self.outlet
    }

    fn tell(&mut self, step: &Step, follower: &Follower, _now: Instant) {
        if *step == Step::Started {
            self.begin(follower.left());
        }
    }

    fn push(&mut self, bytes: &[u8], more: bool, _now: Instant) {
        self.finished = self.half_closed && !more;
        if bytes.is_empty() {
            return;
        }
        let (mut head, mut body) = (Vec::new(), bytes.to_vec());
        if self.framing == Framing::Chunked {
            head = format!("{:x}\r\n", bytes.len()).into_bytes();
            body.extend_from_slice(b"\r\n");
        }
        self.outlet.send(head, body);
    }

    /// Only where the client sees that the end is missing when the log is truncated in the midst of it, and only where
    /// that is no loss to it: what is followed must go on.
    fn takes_extents(&self) -> bool {
        S::TAKES_FILES && self.framing == Framing::Sized
    }

    fn push_extent(&mut self, extent: Extent) {
        self.outlet.send_extent(Vec::new(), extent);
    }

    fn finish(&mut self) {
        if self.framing == Framing::Chunked {
            self.outlet.send(b"0\r\n\r\n".to_vec(), Vec::new());
        }
    }

    fn receive(&mut self) -> Result<(), Gone> {
        loop {
            match self.outlet.read(&mut [0; 1024]) {
                Ok(0) => {
                    self.half_closed = true;
                    return Ok(());
                }
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(_) => return Err(Gone::Disconnected),
            }
        }
    }

    fn beat(&mut self, _now: Instant, _full: bool) -> Result<(), Gone> {
        Ok(())
    }

    fn flush(&mut self, log: &File, _now: Instant) -> Result<bool, Gone> {
        let clear = self.outlet.push(log)?;
        match clear {
            true if self.head_only && self.begun => Err(Gone::Served),
            true if self.finished && self.framing != Framing::Sized => Err(Gone::Disconnected),
            _ => Ok(clear),
        }
    }

    fn due(&self) -> Option<Instant> {
        None
    }

    fn listens(&self) -> bool {
        !self.half_closed
    }

    /// Once the body has begun nothing is said: without its last chunk, or its whole length, the client is told that the
    /// log had not come to an end.
    fn close(&mut self, close: &Close) {
        if !self.begun {
            self.begun = true;
            let method = if self.head_only { Method::Head } else { Method::Get };
            let refusal = http::Refusal::new(503, close.reason.clone()).to(method);
            self.outlet.send(refusal.response(), Vec::new());
        }
    }
}
