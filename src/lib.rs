//! Serves logs over WebSocket and follows them through rotation, truncation and restart.
//!
//! Data goes one way, and the modules show it:
//!
//! ```text
//! file ──follow──> bytes ──text──> messages ──server──> socket ──client──> terminal
//!                      protocol: the words both ends share
//! ```
//!
//! * [`follow`]: one log through its life, from a name to its bytes; no socket, no thread, no clock
//! * [`text`]: bytes to what a person reads; pure
//! * [`protocol`]: what both ends share; pure, with the wire protocol in words
//! * [`server`]: a blocking listener, one thread and one loop a connection
//! * [`client`]: a blocking client
//! * [`produce`]: a log writer for demonstrations, and the checker of what it wrote
//!
//! Everything blocks and nothing is asynchronous: a [`Shutdown`] is what ends it. On other systems than Linux the crate
//! is empty.
//!
//! ```
//! use wstail::client::reader::{Item, Reader};
//! use wstail::server::{Config, Server};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let logs = tempfile::tempdir()?;
//! std::fs::write(logs.path().join("app.log"), "one\ntwo\n")?;
//!
//! let (trigger, shutdown) = wstail::shutdown()?;
//! let server = Server::bind(Config { roots: vec![logs.path().into()], port: 0, ..Config::default() })?;
//! let address = server.addresses()[0];
//!
//! std::thread::scope(|scope| -> wstail::Result<()> {
//!     scope.spawn(|| server.run(&shutdown));
//!     let reader = Reader::new(format!("{address}/app.log?lines=1").parse()?, shutdown.clone());
//!     let mut text = Vec::new();
//!     for item in reader {
//!         if let Item::Bytes(bytes) = item? {
//!             text.extend(bytes);
//!         }
//!     }
//!     assert_eq!(text, b"two\n");
//!     drop(trigger);
//!     Ok(())
//! })?;
//! # Ok(())
//! # }
//! ```

#![cfg(target_os = "linux")]

pub mod client;
mod error;
pub mod follow;
pub mod produce;
pub mod protocol;
pub mod server;
mod shutdown;
mod socket;
pub mod text;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "tls/absent.rs"]
mod tls;
mod turn;
mod wait;

pub use error::{Error, Result};
pub use shutdown::{Shutdown, Trigger, shutdown};
