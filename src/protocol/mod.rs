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
//! The path is percent-encoded, and decoded once, as bytes; a `..` segment in it is refused. A number is ASCII digits; an
//! unknown or repeated parameter is refused.
//!
//! The server sends text messages of at most 256 KiB. Concatenated they are the log's text from the first line asked for,
//! in order, once, across rotation; what is no UTF-8 arrives as U+FFFD. A message ends at a line's end, unless the line is
//! longer than 256 KiB or its writer left it unfinished for 200 ms. An empty log gives one empty message, with `lines=0`
//! none. After a truncation or a re-creation the text goes on with the new file's first line; nothing marks the place.
//!
//! With `heartbeat=text` the server sends the message `ping` every 10 s and expects the message `pong` within 5 s (the
//! server's `--heartbeat` and `--heartbeat-timeout` say otherwise); no part of a log is ever a message that is exactly
//! `ping`. With `heartbeat=frame` it sends WebSocket Ping frames. Who does not answer in time is closed with 4408. Other
//! messages from the client, up to 4 KiB each, are ignored.
//!
//! | close code | meaning | try again? |
//! |---|---|---|
//! | 1000 | the end that was asked for is reached | no |
//! | 1001 | the server is going away | yes |
//! | 1002, 1007, 1009 | the client broke the protocol, sent text that is no UTF-8, or more than 4 KiB | no: mend it |
//! | 4408 | no answer to a heartbeat | yes |
//! | 4410 | the client took no byte for the server's `--stall-timeout`, 60 s | yes |
//! | 4500 | the log could not be read for a minute | yes, later |
//!
//! What is no stream is refused before it begins, with an HTTP status and one line that says why: 400 malformed, 403 a `..`
//! segment, 404 no such log, 405 neither GET nor HEAD, 408 no complete request within 5 s, 414 and 431 too long a request,
//! 426 another WebSocket version than 13, 503 too many connections, with `Retry-After` in seconds.
//!
//! Without `Upgrade: websocket` the answer is the log as `text/plain`, its bytes as they are in the file, with the same
//! `tail` and `lines`; followed, it is chunked and has no end.
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
pub mod cursor;
pub mod event;
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
