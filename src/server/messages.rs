//! A log as text messages over WebSocket, without a subprotocol.

use std::fs::File;
use std::time::Instant;

use tungstenite::protocol::frame::coding::Data;

use super::connection::{Gone, Sink};
use super::outlet::{Outlet, Socket};
use super::websocket::WebSocket;
use crate::protocol::close::Close;
use crate::text::lines::LineBuffer;

pub(super) struct Messages<S> {
    socket: WebSocket<S>,
    lines: LineBuffer,
}

impl<S: Socket> Messages<S> {
    pub(super) fn new(socket: WebSocket<S>, lines: LineBuffer) -> Messages<S> {
        Messages { socket, lines }
    }
}

impl<S: Socket> Sink for Messages<S> {
    type Socket = S;

    fn outlet(&mut self) -> &mut Outlet<S> {
        self.socket.outlet()
    }

    fn messages(&self) -> u64 {
        self.socket.messages()
    }

    fn push(&mut self, bytes: &[u8], more: bool, now: Instant) {
        self.lines.push(bytes, more, now);
    }

    fn finish(&mut self) {
        self.lines.finish();
    }

    fn receive(&mut self) -> Result<(), Gone> {
        self.socket.receive()
    }

    fn beat(&mut self, now: Instant, full: bool) -> Result<(), Gone> {
        self.socket.beat(now, full)
    }

    fn flush(&mut self, log: &File, now: Instant) -> Result<bool, Gone> {
        while let Some(is_open) = self.socket.flush(log, now)? {
            match self.lines.next(now).filter(|_| is_open) {
                Some(text) => self.socket.send(Data::Text, text.into_bytes()),
                None => return Ok(true),
            }
        }
        Ok(false)
    }

    fn due(&self) -> Option<Instant> {
        let heartbeat = self.socket.due();
        Some(self.lines.due().map_or(heartbeat, |due| due.min(heartbeat)))
    }

    fn listens(&self) -> bool {
        true
    }

    fn close(&mut self, close: &Close) {
        self.socket.close(None, close);
    }
}
