//! What both ends share, without I/O: addresses, parameters, events, cursors and close codes.
//!
//! # The wire
//!
//! `GET /LOG` with `Upgrade: websocket` opens a stream; the path names a log by its absolute path or relative to one of
//! the server's roots. The query takes these parameters:
//!
//! | name | values | default | meaning |
//! |---|---|---|---|
//! | `tail` | `1`, `0` | `0` | follow the log; else close with 1000 once the end is reached |
//! | `lines` | N, `all` | the server's `--lines` | that many of the last lines come first |
//! | `cursor` | CURSOR, CURSOR`.`N | none | go on there, see [below](#cursors); `lines` is ignored then |
//! | `before` | CURSOR | none | the last `lines` lines of the same file before that place, then the end; see [below](#older-lines) |
//! | `format` | `text`, `html` | the server's `--format` | `html`: escaped text, colours as `<span style="…">`; plain streams only |
//! | `heartbeat` | `text`, `frame` | `text` | which ping the server sends; plain streams only |
//!
//! The path is percent-encoded, and decoded once, as bytes; a `..` segment in it is refused. A number is ASCII digits; an
//! unknown or repeated parameter is refused.
//!
//! There are two kinds of stream. Who offers the subprotocol `wstail.v1` gets the log's bytes and is told what becomes of
//! it; who offers none gets text.
//!
//! # `wstail.v1`
//!
//! Binary messages are the log's bytes, of at most 256 KiB each, as they are in the file; they may begin and end anywhere
//! in a line or a character. Text messages are events: one JSON object each, named by its field `event`. Unknown events and
//! unknown fields are to be ignored.
//!
//! | event | fields | when |
//! |---|---|---|
//! | `open` | `path`, `size` in bytes, `heartbeat` in seconds, `cursor` | first, always; `cursor` says where the first byte comes from |
//! | `cursor` | `cursor` | everything before it is covered: every second or 1 MiB while bytes flow, and when the stream falls silent |
//! | `rotated` | `cursor` | the old file is read to its end; what follows is the next file's |
//! | `truncated` | `cursor` | what follows is from the start of the shrunk file |
//! | `gap` | `reason`, `bytes` (a number, or null where it is not known), `cursor` | bytes are, or may be, missing here |
//! | `waiting` | `reason` | the log is gone or cannot be read; the server keeps looking |
//! | `end` | `reason` | before a close that the server decides |
//!
//! The reason of a gap is `truncated` (and no copy of what was unread was found), `replaced` (the log was deleted and begun
//! anew, or a rotated file grew after it was left), `expired` (rotated files were deleted unread) or `cursor` (the place to
//! go on is not to be found).
//!
//! Every `heartbeat` seconds the server sends a Ping frame, which a conforming client answers by itself; one that does not
//! is closed with 4408. A client that has seen nothing for two heartbeats and 5 s takes the connection for dead.
//!
//! # Cursors
//!
//! A cursor is opaque: at most 160 of the characters `A-Za-z0-9_-`. `cursor=C` goes on behind everything that C covers,
//! also after a restart of the server, in the file that C names, under whatever name it has by now, then in every younger
//! one, then in the log. `cursor=C.N` goes on N payload bytes after C: the bytes that had come since. What cannot be found
//! is told as a gap, never skipped and never repeated in silence. A malformed cursor is refused with 400.
//!
//! A client that is to lose nothing keeps one place, the last cursor and the number of bytes since, and does this:
//!
//! 1. A binary message: print it, add its length to the number.
//! 2. An event with a cursor: that is the cursor now, and the number is 0. Only the cursor of an `open` does not count for
//!    who asked with a cursor: a `gap` may follow that it must not miss.
//! 3. The connection is lost: connect again with `cursor=C.N`. So it is, too, when it ends in the midst of a message, as it
//!    does when the log is truncated just then: what came of that message does not count.
//! 4. To survive its own end it notes the place, once what it covers is printed.
//!
//! Plain streams and plain HTTP take cursors, too, but are told none. An answer over plain HTTP whose place is not to be
//! found says so in its head: `Wstail-Gap: cursor`, or `truncated`.
//!
//! # Older lines
//!
//! `before=C` with `lines=N` sends the last N lines of what C's file holds before C, and closes with 1000: so a reader pages
//! back as far as the file goes, each time with the `cursor` of the last `open`. Where C stands within a line, the part
//! before it counts as one. The file is found under whatever name it has by now, as for `cursor`; where it is gone, a `gap`
//! comes instead, or over plain HTTP `Wstail-Gap` and an empty body. Neither `tail=1` nor `cursor` goes with it. It is for
//! every kind of connection.
//!
//! # Plain streams
//!
//! The server sends text messages of at most 256 KiB. Concatenated they are the log's text from the first line asked for,
//! in order, once, across rotation; what is no UTF-8 arrives as U+FFFD. A message ends at a line's end, unless the line is
//! longer than 256 KiB or its writer left it unfinished for 200 ms. An empty log gives one empty message, with `lines=0`
//! or `cursor` none. After a truncation or a re-creation the text goes on with the new file's first line; nothing marks
//! the place, nor a gap.
//!
//! With `heartbeat=text` the server sends the message `ping` every 10 s and expects the message `pong` within 5 s (the
//! server's `--heartbeat` and `--heartbeat-timeout` say otherwise); no part of a log is ever a message that is exactly
//! `ping`. With `heartbeat=frame` it sends WebSocket Ping frames. Who does not answer in time is closed with 4408. Other
//! messages from the client, up to 4 KiB each, are ignored.
//!
//! # Who may read
//!
//! A server with tokens asks for one: `Authorization: Bearer TOKEN`, or, from a browser, the offered subprotocol
//! `bearer.BASE64URL(TOKEN)` without padding. That one is never picked; browsers take it for a failure when none of what
//! they offer is, so they offer `wstail.v1`, too. A token in the query is refused like any unknown parameter. The
//! viewer's page, its parts and `/-/healthz` need none. A server without tokens wants `Host` to be an IP literal, `localhost`, its machine's own name or
//! one that it was told. Either wants an `Origin`, where there is one, to be its own or one that it was told.
//!
//! # Ends and refusals
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
//! What is no stream is refused before it begins, with an HTTP status and one line that says why: 400 malformed, 401 no
//! token or a wrong one, with `WWW-Authenticate: Bearer`, 403 a `..` segment, a foreign origin or an unknown host, 404 no such
//! log, 405 neither GET nor HEAD, 408 no complete request within 5 s, 414 and 431 too long a request, 426 another WebSocket
//! version than 13, 503 too many connections, with `Retry-After` in seconds. The base path without its last slash is answered
//! with 301.
//!
//! Without `Upgrade: websocket` the answer is the log as `text/plain`, its bytes as they are in the file, with the same
//! `tail`, `lines`, `cursor` and `before`; followed, it is chunked and has no end. Who names `text/html` in `Accept`, as
//! browsers do, gets the viewer's page instead, unless a parameter is unknown or malformed.
//!
//! # Two conversations
//!
//! Client `C` and server `S`, over `wstail.v1`, about a log that holds `a` and gains `b`, is rotated and gains `c`; then the
//! network fails, and `d` is written meanwhile. Cursors are shortened:
//!
//! ```text
//! C: GET /app.log?tail=1&lines=10 HTTP/1.1    (with the headers of RFC 6455)
//! C: Sec-WebSocket-Protocol: wstail.v1
//! S: HTTP/1.1 101 Switching Protocols
//! S: Sec-WebSocket-Protocol: wstail.v1
//! S: text   {"event":"open","path":"app.log","size":2,"heartbeat":10,"cursor":"c0"}
//! S: binary a\n
//! S: text   {"event":"cursor","cursor":"c1"}
//! S: binary b\n
//! S: text   {"event":"cursor","cursor":"c2"}
//! S: text   {"event":"rotated","cursor":"c3"}
//! S: binary c\n                               (the connection is lost: the place is c3 and 2 bytes)
//!
//! C: GET /app.log?tail=1&cursor=c3.2 HTTP/1.1
//! C: Sec-WebSocket-Protocol: wstail.v1
//! S: HTTP/1.1 101 Switching Protocols
//! S: Sec-WebSocket-Protocol: wstail.v1
//! S: text   {"event":"open","path":"app.log","size":4,"heartbeat":10,"cursor":"c4"}
//! S: binary d\n
//! S: text   {"event":"cursor","cursor":"c5"}
//! S: text   {"event":"end","reason":"server is going away"}
//! S: close  1001 "server is going away"
//! C: close  1001
//! ```
//!
//! A plain stream:
//!
//! ```text
//! C: GET /app.log?tail=1&lines=10 HTTP/1.1    (with the headers of RFC 6455)
//! S: HTTP/1.1 101 Switching Protocols
//! S: text  a\n
//! S: text  b\n
//! S: text  ping
//! C: text  pong
//! S: close 1001 "server is going away"
//! C: close 1001
//! ```
//!
//! The close codes are listed in [`close`], the events in [`event`].

pub mod close;
pub mod cursor;
pub mod event;
pub mod request;
pub mod token;

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
