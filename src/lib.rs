//! Serves logs over WebSocket and HTTP, and follows them through rotation, truncation and restart without losing or
//! repeating a line.
//!
//! A client follows a log, reconnects by itself, and resumes exactly where it was:
//!
//! ```no_run
//! # fn main() -> wstail::Result<()> {
//! for event in wstail::Reader::connect("logs.example.com:8765/app.log?tail=1&lines=10")? {
//!     if let wstail::LogEvent::Data(bytes) = event? {
//!         print!("{}", String::from_utf8_lossy(&bytes));
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A server runs in threads of its own until its handle is dropped:
//!
//! ```
//! # fn main() -> wstail::Result<()> {
//! # let logs = tempfile::tempdir().unwrap();
//! # let directory = logs.path();
//! let mut config = wstail::ServerConfig::new([directory]);
//! config.port = 0; // any free one
//! let server = wstail::Server::bind(config)?.spawn()?;
//! println!("listening on {}", server.addresses()[0]);
//! server.stop()?;
//! # Ok(())
//! # }
//! ```
//!
//! # Goals
//!
//! * Every line arrives once and in order, also through rotation, truncation, lost connections and restarted servers. What
//!   cannot be sent is reported as a gap, with its size where it is known.
//! * Files are found again by what they are, not by their names; a client resumes by a cursor, and the server stores
//!   nothing.
//! * Memory is bounded for every connection, and an idle follower costs almost nothing.
//!
//! # Non-goals
//!
//! * Asynchronous code: everything blocks, with one thread a connection. A [`Shutdown`] ends what blocks.
//! * Storing, indexing or parsing logs: bytes go through unchanged.
//! * A server on other systems than Linux. Elsewhere this crate has only its client and its log writer.
//!
//! # Map
//!
//! Data flows in one direction, and the modules follow it:
//!
//! ```text
//! file ──follow──> log events ──text──> messages ──server──> socket ──client──> log events
//!                           protocol: the vocabulary both ends share
//! ```
//!
//! * [`client`]: connects, reads a log, reconnects; lists a server's logs; reads local files without a server
//! * [`server`]: the configuration, the listener, one thread and one loop a connection
//! * [`protocol`]: what both ends share: parameters, log events, cursors, tokens, close codes; the wire protocol in words
//! * [`produce`]: a log writer for demonstrations and tests, and a verifier of what it wrote
//! * `follow` (one log through its life), `select` (which lines matter) and `text` (UTF-8, lines, colours) are internal:
//!   public for the program, the benches and the fuzz targets, hidden from this documentation, and subject to change
//!   without notice
//!
//! The feature `tls`, on by default, adds `wss://` and `https://`; the feature `regex`, on by default, adds regular
//! expressions to filters, whose patterns are texts without it; the feature `gz`, on by default, reads rotated files that
//! are compressed with gzip, and the features `xz` and `zstd` do the same for these formats; the feature `cli`, on by
//! default, adds what only the program `wstail` needs, and a library user leaves it out.

// The server needs Linux. What only it uses is unused elsewhere.
#![cfg_attr(not(target_os = "linux"), allow(dead_code, unused_imports))]

mod bounded_stream;
mod civil;
pub mod client;
mod error;
#[doc(hidden)]
pub mod file_id;
#[cfg(target_os = "linux")]
#[doc(hidden)]
pub mod follow;
pub mod produce;
pub mod protocol;
#[cfg(test)]
mod random;
mod rotated_name;
#[doc(hidden)]
pub mod select;
#[cfg(target_os = "linux")]
pub mod server;
mod shutdown;
#[doc(hidden)]
pub mod small_file;
mod socket;
#[doc(hidden)]
pub mod text;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "tls/absent.rs"]
mod tls;
mod wait;
#[cfg(target_os = "linux")]
mod wake;

pub use client::{ClientConfig, Reader, Trust, Url};
pub use error::{Error, Result};
pub use protocol::criteria::Criteria;
pub use protocol::cursor::Place;
pub use protocol::event::Missing;
pub use protocol::log_event::{Continuation, LogEvent};
pub use protocol::request::{Format, Lines};
pub use protocol::token::Token;
#[doc(inline)]
pub use select::zone::{ZoneError, ZoneName};
#[cfg(target_os = "linux")]
pub use server::{Server, ServerConfig, ServerHandle};
pub use shutdown::{Shutdown, Trigger, shutdown};
