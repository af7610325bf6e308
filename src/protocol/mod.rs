//! What both ends share, without I/O: addresses, parameters and close codes.
//!
//! # The wire, as far as this version speaks it
//!
//! `GET /LOG` with `Upgrade: websocket` opens a stream; the path names a log by its absolute path or relative to one of
//! the server's roots. The query takes these parameters:
//!
//! | name | values | default | meaning |
//! |---|---|---|---|
//! | `tail` | `1`, `0` | `0` | follow the log; else close with 1000 once the end is reached |
//! | `lines` | N, `all` | the server's `--lines` | that many of the last lines come first |
//! | `format` | `text`, `html` | the server's `--format` | `html`: escaped text, colours as `<span style="…">` |
//! | `heartbeat` | `text`, `frame` | `text` | which ping the server sends |
//!
//! The server sends text messages of at most 256 KiB. Concatenated they are the log's text from the first line asked for,
//! in order, once; what is no UTF-8 arrives as U+FFFD. A message ends at a line's end, unless the line is longer than
//! 256 KiB or its writer left it unfinished for 200 ms. An empty log gives one empty message.
//!
//! With `heartbeat=text` the server sends the message `ping` every so often and expects the message `pong`; no part of a
//! log is ever a message that is exactly `ping`. With `heartbeat=frame` it sends WebSocket Ping frames. Who does not
//! answer in time is closed with 4408. Other messages from the client, up to 4 KiB each, are ignored.
//!
//! A whole conversation, client `C` and server `S`, about a log that holds `a` and gains `b`:
//!
//! ```text
//! C: GET /app.log?tail=1&lines=10 HTTP/1.1    (with the headers of RFC 6455)
//! S: HTTP/1.1 101 Switching Protocols
//! S: text "a\n"
//! S: text "b\n"
//! S: text "ping"
//! C: text "pong"
//! S: close 1001 "server is going away"
//! C: close 1001
//! ```
//!
//! The close codes are listed in [`close`].

pub mod close;
pub mod request;

/// The largest message a server sends, in bytes. Common clients refuse more than 1 MiB.
pub const MAX_MESSAGE: usize = 256 * 1024;

/// The largest message a server takes from a client, in bytes, summed over its fragments.
pub const MAX_CLIENT_MESSAGE: usize = 4 * 1024;

/// The server's text heartbeat.
pub const PING: &str = "ping";

/// The client's answer to [`PING`].
pub const PONG: &str = "pong";

/// The port a server listens on when none is named.
pub const DEFAULT_PORT: u16 = 8765;
