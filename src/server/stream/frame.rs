//! What an encoder hands to the transport: what to send, not how it is framed on the wire.

use crate::follow::file_range::FileRange;

/// One WebSocket message, or the next bytes of an HTTP response.
#[derive(Debug)]
pub(in crate::server) enum Frame {
    /// A text message.
    Text(Vec<u8>),
    /// A binary message, or in an HTTP response just the bytes.
    Binary(Vec<u8>),
    /// Like `Binary`, but the kernel moves the bytes from the log's file to the socket.
    Range(FileRange),
}

impl Frame {
    /// The length of the content in bytes.
    pub(super) fn length(&self) -> usize {
        match self {
            Frame::Text(bytes) | Frame::Binary(bytes) => bytes.len(),
            Frame::Range(range) => range.length(),
        }
    }
}
