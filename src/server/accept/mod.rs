//! Accepting connections: the addresses to listen on, the limits, and the 503 for a client beyond them. Nothing here
//! knows requests or logs: an accepted connection is handed on as it is.

mod bind;
mod connections;
pub(in crate::server) mod listener;
mod overload;
mod quota;
