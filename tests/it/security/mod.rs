//! Access control, and what hostile or broken clients and a lack of resources can do.

// Access control: hosts, origins, tokens, connection limits, and the base path.
mod access;
// Clients can cause a bounded number of lines in the server's own log; the rest is counted.
mod complaints;
// Clients that break the protocol, drip, flood or stop reading do not affect others.
mod hostile;
// A server that runs out of a resource continues with what it has.
pub mod limits;
// What the server's own log contains of a client's request.
mod log;
// Many bad clients at once, and broken connections: each costs a thread, a buffer and a deadline at most.
mod siege;
// Only regular files are opened.
mod special_files;
// TLS: the cost of handshakes, and the same bytes as without it.
#[cfg(feature = "tls")]
mod tls;
// TLS: which certificates are trusted, and which files can be used.
#[cfg(feature = "tls")]
mod trust;
// Servers, clients and connections that die at random moments while a log is written and rotated. Seeded.
mod violence;
