//! Every deadline and size that bounds how a socket is served: buffers, the close handshake, lingering. The limits of a
//! request's head are in `request`, those of a log in the source.

use std::time::Duration;

/// The kernel's send buffer for a client, in bytes; the kernel doubles it for its own needs. By default it grows to 4 MB for
/// a client that does not read, and a heartbeat would wait behind all of that.
pub(in crate::server) const SEND_BUFFER: usize = 256 * 1024;

/// How long a close may take, from the decision to the last byte. The connection's place is free after 2 s at most.
pub(in crate::server) const CLOSE: Duration = Duration::from_millis(1800);
/// The same during a shutdown of the server.
pub(in crate::server) const CLOSE_AT_SHUTDOWN: Duration = Duration::from_secs(1);

/// How long a client may take to read the rest and see the end of the connection.
pub(in crate::server) const LINGER: Duration = CLOSE;
/// The same during a shutdown of the server.
pub(super) const LINGER_AT_SHUTDOWN: Duration = Duration::from_millis(500);

/// Replaces the stall timeout where there is none: how long a client may go without accepting a byte of an answer, or
/// take to read what the kernel holds for it.
pub(super) const LONGEST_STALL: Duration = Duration::from_secs(60);

/// How many times a write is tried within the stall timeout without waiting for poll(2). Linux reports a socket as
/// writable only once a third of its buffer is free, and a slow reader may need longer for that than the stall timeout.
pub(super) const PROBES: u32 = 8;

/// A client is read at 1 MB/s at most. Anything it sends faster stays in its own kernel.
pub(super) const READ_PACE: Duration = Duration::from_micros(1);
/// Fewer bytes than this (a pong) are not paced: the pause would be shorter than a call of poll(2).
pub(super) const UNPACED: u64 = 100;

/// Messages up to this size, in bytes, are sent together with the next one, so that a line and its cursor are one packet.
pub(super) const COALESCED: usize = 4 * 1024;

/// The size of tungstenite's buffers. The log's messages bypass them, so they hold only what the client sends and
/// control frames: a ping, a pong and a close of 127 bytes each, and one more pong for every read while those wait.
pub(super) const CONTROL: usize = 1024;
/// Control frames up to this size are sent together: a ping and the event `alive` are one packet. Less than [`CONTROL`].
pub(super) const HEARTBEAT: usize = 64;
