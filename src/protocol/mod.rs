//! The vocabulary both ends share, without I/O: addresses, parameters, events, cursors, tokens and close codes.
//!
//! The close codes are constants in [`close`], the events variants in [`event`]. What they report is a
//! [`LogEvent`](log_event::LogEvent), which is the same for a local file.
//!
#![doc = include_str!("../../docs/protocol.md")]

pub mod address;
pub mod bad_target;
pub mod close;
pub mod criteria;
pub mod cursor;
pub mod event;
pub mod glob;
pub mod list_event;
pub mod list_request;
pub mod log_event;
pub mod request;
pub mod token;

/// The maximum size of a message from a server, in bytes. Common clients refuse more than 1 MiB.
pub const MAX_MESSAGE: usize = 256 * 1024;

/// The maximum size of a message from a client, in bytes, summed over its fragments.
pub const MAX_CLIENT_MESSAGE: usize = 4 * 1024;

/// The server's text heartbeat.
pub const PING: &str = "ping";

/// The client's answer to [`PING`].
pub const PONG: &str = "pong";

/// The default port.
pub const DEFAULT_PORT: u16 = 8765;
