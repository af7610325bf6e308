//! Streams: messages, events, cursors, heartbeats, closes.

// `alive` events on silent streams; requests that only check a stream are not counted as resumes.
mod alive;
// Paging back from a cursor, on every kind of connection.
mod before;
// Large backlogs, which the kernel sends directly from the file.
mod bulk;
// Close codes that no other file tests.
mod codes;
// Cursors resume exactly, over every transport.
mod cursor;
// A disk that fails while the kernel moves a log's bytes to a client.
mod disk;
// `wstail.v1` on the wire: bytes, events, cursors, heartbeats and ends.
pub mod events;
// WebSocket clients written by others follow a live log, also over TLS, and answer both kinds of heartbeat.
#[cfg(feature = "tls")]
mod foreign;
// The parameter `from`: streams that start at a line counted from the start of the file.
mod from;
// Both kinds of heartbeat, answered and unanswered.
mod heartbeat;
// What a plain WebSocket connection gets.
mod message;
// Text cut into messages at random offsets, compared with the whole text.
mod model;
// How soon a connection's place is free again after the server has decided to close it.
mod places;
