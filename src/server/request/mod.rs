//! What a client asks for: the request head, access, which page or log it is, and the answers that are sent as a whole.
//! How a log is followed is not known here: [`log`] hands a request for one on to the stream.

pub(in crate::server) mod access;
mod authority_syntax;
pub(in crate::server) mod base;
pub(in crate::server) mod files;
pub(in crate::server) mod head;
mod learning;
mod log;
mod negotiation;
mod routes;
pub(in crate::server) mod session;
mod times;
pub(in crate::server) mod tls;
